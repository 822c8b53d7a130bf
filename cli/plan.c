/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vrms plan: lists, proof, and both into a CIB. */
#include <errno.h>
#include <string.h>

#include "cli/desk.h"
#include "cli/keep.h"
#include "cli/live.h"
#include "common/clock.h"
#include "common/file.h"
#include "placement/cib_write.h"

enum { PARALLEL = 2, CIB_BYTES_MAX = 1 << 30, STALE_MS = 200 };

static const struct option known[] = {
    {"state", required_argument, NULL, 's'},
    {"fail", required_argument, NULL, 'f'},
    {"survive", required_argument, NULL, 'k'},
    {"max-moves", required_argument, NULL, 'm'},
    {"json", no_argument, NULL, 'j'},
    {"apply", no_argument, NULL, 'a'},
    {"clear", no_argument, NULL, 'c'},
    {"dry-run", no_argument, NULL, 'd'},
    {"exclusive", no_argument, NULL, 'x'},
    {"keep", no_argument, NULL, 'K'},
    {"timeout", required_argument, NULL, 't'},
    {"write", required_argument, NULL, 'w'},
    {NULL, 0, NULL, 0},
};

static int check_options(const struct vrms_desk_options *options, struct vrms_error *error)
{
	bool live = options->apply || options->keep || (options->clear && options->write == NULL);

	if (options->name_count > 0) {
		return vrms_error_set(error, -EINVAL, "unexpected '%s'", options->names[0]);
	}
	if (options->apply + options->keep + options->clear > 1) {
		return vrms_error_set(error, -EINVAL, "one of --apply, --keep and --clear");
	}
	if (live && (options->state != NULL || options->write != NULL || options->fail_count > 0)) {
		return vrms_error_set(
		    error, -EINVAL,
		    "--apply, --keep and --clear are for the running cluster as it "
		    "is: not with --state or --fail; a file is written by --write");
	}
	if (live && options->moves >= 0) {
		return vrms_error_set(
		    error, -EINVAL,
		    "--max-moves only shows moves here; \"vrms rebalance\" does them");
	}
	if (options->dry_run && !live) {
		return vrms_error_set(error, -EINVAL, "--dry-run is for --apply, --keep, --clear");
	}
	if (options->exclusive && !options->apply && options->write == NULL) {
		return vrms_error_set(error, -EINVAL, "--exclusive is for --apply and --write");
	}
	if (options->write != NULL && options->state == NULL) {
		return vrms_error_set(error, -EINVAL, "--write needs --state with a CIB");
	}
	return 0;
}

static int plan(struct vrms_desk *desk, const struct vrms_desk_options *options,
		struct vrms_report *report, struct vrms_error *error)
{
	int rc = vrms_desk_find(desk, "node", options->fail, options->fail_count,
				vrms_model_find_node, error);

	if (rc < 0) {
		return rc;
	}
	vrms_planner_fail(desk->planner, desk->indices, options->fail_count, desk->outcome);
	*report = (struct vrms_report){.model = desk->model,
				       .notes = &desk->notes,
				       .planner = desk->planner,
				       .outcome = desk->outcome,
				       .holds = desk->outcome->stopped_count == 0};
	if (options->moves > 0) {
		vrms_planner_trim(desk->planner, (int)options->moves, PARALLEL, desk->trim);
		report->trim = desk->trim;
	}
	/* With a failure asked about, the question is that one, unless another is asked too. */
	return options->fail_count > 0 && options->survive < 0
		   ? 0
		   : vrms_desk_prove(desk, options, report, error);
}

/* Copies the CIB that was read, with the lists in it (or taken out), to the file that was asked
 * for.
 */
static int write_file(const struct vrms_desk *desk, const struct vrms_desk_options *options,
		      struct vrms_error *error)
{
	const struct vrms_cib_write_config config = {.exclusive = options->exclusive,
						     .clear = options->clear};
	char *text VRMS_CLEANUP(vrms_freep) = NULL, *planned VRMS_CLEANUP(vrms_freep) = NULL;
	const char *result;
	int rc;

	if (desk->lists == NULL) {
		return vrms_error_set(error, -EINVAL, "--write: not with --fail alone");
	}
	rc = vrms_file_read(options->state, CIB_BYTES_MAX, &text, NULL, error);
	if (rc == 0) {
		rc = vrms_cib_write(text, desk->model, desk->lists, &config, &planned, error);
	}
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "%s", options->state);
	}
	result = planned != NULL ? planned : text;
	return vrms_file_write(options->write, result, strlen(result), 0600, error);
}

static int write_live(struct vrms_desk *desk, const struct vrms_desk_options *options,
		      struct vrms_report *report, struct vrms_error *error)
{
	char *after VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_desk_edit(desk, options, &after, error);

	if (rc == 0 && after != NULL) {
		rc = options->dry_run ? vrms_live_diff(desk->text, after, &report->patch, error)
				      : vrms_live_change(desk->text, after, error);
	}
	if (rc == 0) {
		report->change = after == NULL      ? VRMS_REPORT_UNCHANGED
				 : options->dry_run ? VRMS_REPORT_WOULD_CHANGE
						    : VRMS_REPORT_CHANGED;
	}
	return rc;
}

/* One attempt; -ESTALE: somebody else has changed the CIB meanwhile. */
static int attempt(struct vrms_desk *desk, const struct vrms_desk_options *options,
		   struct vrms_report *report, struct vrms_error *error)
{
	int rc = vrms_desk_open(desk, options, error);

	rc = rc < 0 ? rc : plan(desk, options, report, error);
	if (rc == 0 && options->write != NULL) {
		rc = write_file(desk, options, error);
	}
	if (rc == 0 && (options->apply || (options->clear && options->write == NULL))) {
		rc = write_live(desk, options, report, error);
	}
	return rc;
}

int vrms_command_plan(int argc, char **argv)
{
	struct vrms_desk_options options = {0};
	struct vrms_desk desk = {0};
	struct vrms_error error = {""};
	struct vrms_report report = {0};
	int rc = vrms_desk_read_options(&options, argc, argv, known, &error);

	rc = rc < 0 ? rc : check_options(&options, &error);
	if (rc == 0 && options.keep) {
		rc = vrms_keep(&options);
		vrms_desk_options_done(&options);
		return rc;
	}
	for (int tries = 0; rc == 0 || (rc == -ESTALE && tries < VRMS_DESK_TRIES); tries++) {
		vrms_clock_sleep_ms(vrms_clock_system(), tries > 0 ? STALE_MS : 0);
		vrms_desk_close(&desk);
		rc = attempt(&desk, &options, &report, &error);
		if (rc == 0) {
			break;
		}
	}
	if (rc == 0) {
		rc = vrms_desk_show(&options, &report, &error);
	}
	rc = vrms_desk_conclude(&options, rc, report.holds || options.clear, &error);
	free(report.patch);
	vrms_desk_close(&desk);
	vrms_desk_options_done(&options);
	return rc;
}
