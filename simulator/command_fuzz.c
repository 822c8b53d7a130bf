/* command_fuzz.c - vrms-sim fuzz.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/parse.h"
#include "simulator/command.h"
#include "simulator/fuzz.h"
#include "simulator/plant.h"
#include "simulator/scenario_write.h"

struct range {
	int64_t first, last;
};

static const struct {
	const char *word, *text;
} bugs[] = {
#define ROW(name, word, text) {word, text},
    VRMS_SIM_BUGS(ROW)
#undef ROW
};

static int read_range(const char *text, struct range *range, struct vrms_error *error)
{
	const char *dots = text == NULL ? NULL : strstr(text, "..");
	char first[32];
	int rc;

	if (dots == NULL || dots - text >= (int)sizeof(first)) {
		return vrms_error_set(error, -EINVAL, "--seeds needs a range A..B");
	}
	snprintf(first, sizeof(first), "%.*s", (int)(dots - text), text);
	rc = vrms_int_parse(first, 0, INT64_MAX - 1, &range->first, error);
	rc = rc < 0 ? rc
		    : vrms_int_parse(dots + 2, range->first, INT64_MAX - 1, &range->last, error);
	return rc < 0 ? vrms_error_wrap(error, rc, "--seeds") : 0;
}

static int write_scenario(const char *path, const struct vrms_sim_scenario *scenario, int rule,
			  struct vrms_error *error)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int rc;

	if (out == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory for the scenario");
	}
	fprintf(out, "# breaks the rule \"%s\": %s\n", vrms_sim_rule_word((enum vrms_sim_rule)rule),
		vrms_sim_rule_text((enum vrms_sim_rule)rule));
	vrms_sim_scenario_print(out, scenario);
	rc = fclose(out) != 0 ? vrms_error_set(error, -ENOMEM, "out of memory for the scenario")
			      : vrms_file_write(path, text, size, 0644, error);
	free(text);
	return rc;
}

/* Shrinks what has failed and leaves it as a file. */
static int keep(struct vrms_sim_scenario *scenario, int64_t seed, int plant, int rule,
		const char *folder, struct vrms_error *error)
{
	char path[512];
	size_t before = scenario->fault_count;
	int rc = vrms_sim_fuzz_shrink(scenario, plant, rule, error);

	if (rc < 0) {
		return rc;
	}
	snprintf(path, sizeof(path), "%s/fuzz-%" PRId64 "-%s.sim", folder, seed,
		 vrms_sim_rule_word((enum vrms_sim_rule)rule));
	printf("  shrunk from %zu to %zu faults, %d VMs: %s\n", before, scenario->fault_count,
	       scenario->vm_count, path);
	return write_scenario(path, scenario, rule, error);
}

/* One seed.  Returns 1 when a rule broke, 0 when none did, or -errno. */
static int try_seed(int64_t seed, int plant, const char *folder, struct vrms_error *error)
{
	struct vrms_sim_scenario scenario;
	struct vrms_sim_broken broken;
	int rc = vrms_sim_fuzz_make((uint64_t)seed, &scenario, error);

	if (rc < 0) {
		return rc;
	}
	int rule = vrms_sim_fuzz_try(&scenario, plant, &broken, error);

	if (rule >= 0) {
		printf("seed %" PRId64 ": %s at %.3f s: %s\n", seed,
		       vrms_sim_rule_word((enum vrms_sim_rule)rule), (double)broken.at_us / 1e6,
		       vrms_sim_rule_text((enum vrms_sim_rule)rule));
		rc = folder == NULL ? 0 : keep(&scenario, seed, plant, rule, folder, error);
	}
	vrms_sim_scenario_done(&scenario);
	if (rule < VRMS_SIM_FUZZ_NONE) {
		return rule;
	}
	return rc < 0 ? rc : rule >= 0 ? 1 : 0;
}

static int run_range(const struct vrms_sim_arguments *arguments, const struct range *range, int bug,
		     struct vrms_error *error)
{
	const char *folder = arguments->output == NULL ? "." : arguments->output;
	int64_t broken = 0;

	/* Of a planted bug, the first find will do. */
	for (int64_t seed = range->first;
	     seed <= range->last && (bug == VRMS_SIM_BUG_NONE || broken == 0); seed++) {
		int rc = try_seed(seed, bug, folder, error);

		if (rc < 0) {
			return VRMS_SIM_EXIT_FAILED;
		}
		broken += rc;
	}
	printf("%" PRId64 " seeds, %" PRId64 " broke a rule\n", range->last - range->first + 1,
	       broken);
	return broken > 0 ? VRMS_SIM_EXIT_BROKEN : VRMS_SIM_EXIT_OK;
}

/* Each bug: how many seeds until a rule sees it. */
static int find_bugs(const struct range *range, struct vrms_error *error)
{
	int missed = 0;

	printf("%-18s %-16s %6s  %s\n", "bug", "rule", "seeds", "what is wrong");
	for (int bug = VRMS_SIM_BUG_NONE + 1; bug < VRMS_SIM_BUG_COUNT; bug++) {
		int rule = VRMS_SIM_FUZZ_NONE;
		int64_t seed = range->first;

		for (; seed <= range->last && rule == VRMS_SIM_FUZZ_NONE; seed++) {
			struct vrms_sim_scenario scenario;
			struct vrms_sim_broken broken;

			if (vrms_sim_fuzz_make((uint64_t)seed, &scenario, error) < 0) {
				return VRMS_SIM_EXIT_FAILED;
			}
			rule = vrms_sim_fuzz_try(&scenario, bug, &broken, error);
			vrms_sim_scenario_done(&scenario);
		}
		missed += rule < 0 ? 1 : 0;
		printf("%-18s %-16s %6" PRId64 "  %s\n", bugs[bug].word,
		       rule < 0 ? "NOT FOUND" : vrms_sim_rule_word((enum vrms_sim_rule)rule),
		       seed - range->first, bugs[bug].text);
	}
	return missed > 0 ? VRMS_SIM_EXIT_BROKEN : VRMS_SIM_EXIT_OK;
}
int vrms_sim_arguments_bug(const struct vrms_sim_arguments *arguments, struct vrms_error *error)
{
	if (arguments->bug == NULL) {
		return VRMS_SIM_BUG_NONE;
	}
#ifndef VRMS_SIM_PLANTED
	return vrms_error_set(error, -ENOTSUP,
			      "this build has no planted bugs: vrms-sim-planted has (make check)");
#endif
	for (int bug = 0; bug < VRMS_SIM_BUG_COUNT; bug++) {
		if (strcmp(bugs[bug].word, arguments->bug) == 0) {
			return bug;
		}
	}
	return vrms_error_set(error, -ENOENT, "there is no bug \"%s\"", arguments->bug);
}

int vrms_sim_command_fuzz(const struct vrms_sim_arguments *arguments, struct vrms_error *error)
{
	struct range range;

	if (read_range(arguments->seeds, &range, error) < 0) {
		return VRMS_SIM_EXIT_USAGE;
	}
	if (arguments->bug != NULL && strcmp(arguments->bug, "all") == 0) {
		return find_bugs(&range, error);
	}
	int bug = vrms_sim_arguments_bug(arguments, error);

	return bug < 0 ? VRMS_SIM_EXIT_USAGE : run_range(arguments, &range, bug, error);
}
