/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/desk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/live.h"
#include "common/parse.h"
#include "placement/cib_write.h"
#include "placement/import.h"

enum { MOVES_MAX = 1000000, TIMEOUT_MS = 600000 };

static int take_number(int64_t minimum, int64_t maximum, const char *option, int64_t *ret,
		       struct vrms_error *error)
{
	int rc = vrms_int_parse(optarg, minimum, maximum, ret, error);

	return rc < 0 ? vrms_error_wrap(error, rc, "--%s", option) : 0;
}

static int take_timeout(struct vrms_desk_options *options, struct vrms_error *error)
{
	int rc = vrms_duration_parse(optarg, &options->timeout_ms, error);

	if (rc == 0 && (options->timeout_ms < 1000 || options->timeout_ms > 86400000)) {
		rc = vrms_error_set(error, -ERANGE, "%s: between 1s and 24h", optarg);
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "--timeout") : 0;
}

static int take_value(struct vrms_desk_options *options, int letter, struct vrms_error *error)
{
	switch (letter) {
	case 's':
		options->state = optarg;
		return 0;
	case 'f':
		options->fail[options->fail_count++] = optarg;
		return 0;
	case 'F':
		options->fill = optarg;
		return 0;
	case 'w':
		options->write = optarg;
		return 0;
	case 'k':
		return take_number(0, VRMS_SURVIVE_MAX, "survive", &options->survive, error);
	case 'm':
		return take_number(0, MOVES_MAX, "max-moves", &options->moves, error);
	case 'p':
		return take_number(1, MOVES_MAX, "parallel", &options->parallel, error);
	case 't':
		return take_timeout(options, error);
	default:
		return -EINVAL; /* getopt_long() has said why */
	}
}

/* The options without a value. */
static bool *flag_of(struct vrms_desk_options *options, int letter)
{
	switch (letter) {
	case 'j':
		return &options->json;
	case 'x':
		return &options->exclusive;
	case 'c':
		return &options->clear;
	case 'a':
		return &options->apply;
	case 'K':
		return &options->keep;
	case 'd':
		return &options->dry_run;
	default:
		return NULL;
	}
}

int vrms_desk_read_options(struct vrms_desk_options *options, int argc, char **argv,
			   const struct option *known, struct vrms_error *error)
{
	int letter, rc = 0;

	options->command = argv[0];
	options->survive = options->moves = options->parallel = -1;
	options->timeout_ms = TIMEOUT_MS;
	options->fail = calloc((size_t)argc, sizeof(*options->fail));
	if (options->fail == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	while (rc == 0 && (letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
		bool *flag = flag_of(options, letter);

		if (flag != NULL) {
			*flag = true;
		} else {
			rc = take_value(options, letter, error);
		}
	}
	options->names = argv + optind;
	options->name_count = argc - optind;
	if (rc < 0) {
		if (error->text[0] == '\0') {
			vrms_error_set(error, rc, "what was given is not understood");
		}
		vrms_command_usage(options->command);
	}
	return rc;
}

void vrms_desk_options_done(struct vrms_desk_options *options)
{
	free(options->fail);
	options->fail = NULL;
}

void vrms_desk_close(struct vrms_desk *desk)
{
	vrms_failover_free(desk->lists);
	vrms_outcome_free(desk->outcome);
	vrms_outcome_free(desk->trim);
	vrms_planner_free(desk->planner);
	vrms_model_free(desk->model);
	free(desk->indices);
	free(desk->text);
	*desk = (struct vrms_desk){0};
}

static int load(struct vrms_desk *desk, const char *path, struct vrms_error *error)
{
	int rc;

	if (path != NULL) {
		return vrms_import_file(path, &desk->notes, &desk->model, error);
	}
	rc = vrms_live_query(&desk->text, error);
	rc = rc < 0 ? rc : vrms_cib_facts_read(desk->text, &desk->facts, error);
	return rc < 0 ? rc
		      : vrms_import_text(desk->text, "live CIB", &desk->notes, &desk->model, error);
}

int vrms_desk_open(struct vrms_desk *desk, const struct vrms_desk_options *options,
		   struct vrms_error *error)
{
	int rc = load(desk, options->state, error);
	size_t count;

	if (rc < 0) {
		return rc;
	}
	count = (size_t)options->fail_count + (size_t)options->name_count +
		(size_t)vrms_model_vm_count(desk->model) + 1;
	desk->planner = vrms_planner_new(desk->model);
	desk->outcome = vrms_outcome_new(desk->model);
	desk->trim = vrms_outcome_new(desk->model);
	desk->indices = calloc(count, sizeof(*desk->indices));
	if (desk->planner == NULL || desk->outcome == NULL || desk->trim == NULL ||
	    desk->indices == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	return 0;
}

int vrms_desk_find(struct vrms_desk *desk, const char *what, const char *const *names, int count,
		   int (*find)(const struct vrms_model *, const char *), struct vrms_error *error)
{
	for (int i = 0; i < count; i++) {
		desk->indices[i] = find(desk->model, names[i]);
		if (desk->indices[i] < 0) {
			return vrms_error_set(error, -ENOENT, "unknown %s '%s'", what, names[i]);
		}
	}
	return 0;
}

static void choose_losses(const struct vrms_desk *desk, int k, struct vrms_failover_config *config)
{
	vrms_failover_config_default(config, desk->model);
	config->losses = k >= 2 ? 2 : config->losses;
}

int vrms_desk_list(struct vrms_desk *desk, int k, struct vrms_error *error)
{
	struct vrms_failover_config config;

	choose_losses(desk, k, &config);
	vrms_failover_free(desk->lists);
	desk->lists = vrms_planner_lists(desk->planner, &config);
	return desk->lists == NULL ? vrms_error_set(error, -ENOMEM, "out of memory") : 0;
}

int vrms_desk_prove(struct vrms_desk *desk, const struct vrms_desk_options *options,
		    struct vrms_report *report, struct vrms_error *error)
{
	int k = options->survive >= 0 ? (int)options->survive : 1, rc;
	struct vrms_outcome *scratch VRMS_CLEANUP(vrms_outcome_freep) =
	    vrms_outcome_new(desk->model);
	struct vrms_failover_config config;

	choose_losses(desk, k, &config);
	if (scratch == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = vrms_desk_list(desk, k, error);
	if (rc < 0) {
		return rc;
	}
	rc = vrms_survive(desk->planner, desk->lists, k > config.losses ? k : config.losses,
			  scratch, &desk->survival);
	if (rc < 0) {
		return vrms_error_set(error, rc, "--survive %d: more than %d losses to look at", k,
				      VRMS_SURVIVE_LOSSES);
	}
	report->lists = desk->lists;
	report->survival = &desk->survival;
	report->survive = k;
	report->holds = report->holds && desk->survival.survives >= k;
	return 0;
}

int vrms_desk_show(const struct vrms_desk_options *options, const struct vrms_report *report,
		   struct vrms_error *error)
{
	if (!options->json) {
		vrms_report_print(report);
		return 0;
	}
	return vrms_report_json(report, error);
}

int vrms_desk_conclude(const struct vrms_desk_options *options, int rc, bool holds,
		       const struct vrms_error *error)
{
	if (rc < 0) {
		return vrms_command_fail(options->command, error);
	}
	return holds ? VRMS_EXIT_OK : VRMS_EXIT_NOT_SO;
}

int vrms_desk_edit(const struct vrms_desk *desk, const struct vrms_desk_options *options,
		   char **ret_after, struct vrms_error *error)
{
	const struct vrms_cib_write_config config = {
	    .exclusive = options->exclusive || (options->keep && desk->facts.has_exclusive),
	    .clear = options->clear,
	};
	const struct vrms_cib_steering none = {0};
	char *lists = NULL, *after = NULL;
	int rc = vrms_cib_write(desk->text, desk->model, desk->lists, &config, &lists, error);

	if (rc == 0 && options->clear) {
		rc = vrms_cib_steer(lists != NULL ? lists : desk->text, &none, &after, error);
	}
	if (rc == 0) {
		*ret_after = after != NULL ? VRMS_TAKE(after) : VRMS_TAKE(lists);
	}
	free(lists);
	free(after);
	return rc;
}
