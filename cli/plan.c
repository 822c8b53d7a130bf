/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vrms plan, drain, rebalance, place: the same cluster, options and report. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "cli/command.h"
#include "cli/report.h"
#include "common/file.h"
#include "common/parse.h"
#include "placement/cib_write.h"

enum { MOVES_MAX = 1000000, PARALLEL = 2, REBALANCE_MOVES = 20, CIB_BYTES_MAX = 1 << 30 };

/* What a move of mean cost must gain; see vrms_rebalance_config. */
static const double GAIN_MIN = 0.2;

/* All the commands' options; which of them a command takes is in its optstring. */
struct options {
	const char *command;
	const char *state, *fill;
	const char **fail; /* argv's own texts */
	int fail_count;
	int64_t survive, moves, parallel; /* -1: not given */
	const char *write;                /* file for the CIB with the plan in it */
	bool json, exclusive, clear;
	char **names; /* the arguments that are no options */
	int name_count;
};

/* What a command works with. */
struct desk {
	struct vrms_model *model;
	struct vrms_planner *planner;
	struct vrms_outcome *outcome, *trim;
	struct vrms_failover *lists;
	int *indices; /* nodes or VMs named on the command line */
};

static const struct option plan_options[] = {
    {"state", required_argument, NULL, 's'},   {"fail", required_argument, NULL, 'f'},
    {"survive", required_argument, NULL, 'k'}, {"max-moves", required_argument, NULL, 'm'},
    {"json", no_argument, NULL, 'j'},          {NULL, 0, NULL, 0},
};
static const struct option drain_options[] = {
    {"state", required_argument, NULL, 's'},
    {"parallel", required_argument, NULL, 'p'},
    {"json", no_argument, NULL, 'j'},
    {NULL, 0, NULL, 0},
};
static const struct option rebalance_options[] = {
    {"state", required_argument, NULL, 's'}, {"max-moves", required_argument, NULL, 'm'},
    {"fill", required_argument, NULL, 'F'},  {"parallel", required_argument, NULL, 'p'},
    {"json", no_argument, NULL, 'j'},        {NULL, 0, NULL, 0},
};
static const struct option place_options[] = {
    {"state", required_argument, NULL, 's'},
    {"json", no_argument, NULL, 'j'},
    {NULL, 0, NULL, 0},
};

static int take_number(int64_t minimum, int64_t maximum, const char *option, int64_t *ret,
		       struct vrms_error *error)
{
	int rc = vrms_int_parse(optarg, minimum, maximum, ret, error);

	return rc < 0 ? vrms_error_wrap(error, rc, "--%s", option) : 0;
}

static int take_option(struct options *options, int letter, struct vrms_error *error)
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
	case 'k':
		return take_number(0, VRMS_SURVIVE_MAX, "survive", &options->survive, error);
	case 'm':
		return take_number(0, MOVES_MAX, "max-moves", &options->moves, error);
	case 'p':
		return take_number(1, MOVES_MAX, "parallel", &options->parallel, error);
	case 'j':
		options->json = true;
		return 0;
	case 'w':
		options->write = optarg;
		return 0;
	case 'x':
		options->exclusive = true;
		return 0;
	case 'c':
		options->clear = true;
		return 0;
	default:
		return -EINVAL; /* getopt_long() has said why */
	}
}

static int read_options(struct options *options, int argc, char **argv, const struct option *known,
			struct vrms_error *error)
{
	int letter, rc = 0;

	options->command = argv[0];
	options->survive = options->moves = options->parallel = -1;
	options->fail = calloc((size_t)argc, sizeof(*options->fail));
	if (options->fail == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	while (rc == 0 && (letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
		rc = take_option(options, letter, error);
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

static void close_desk(struct desk *desk, struct options *options)
{
	vrms_failover_free(desk->lists);
	vrms_outcome_free(desk->outcome);
	vrms_outcome_free(desk->trim);
	vrms_planner_free(desk->planner);
	vrms_model_free(desk->model);
	free(desk->indices);
	free(options->fail);
}

static int open_desk(struct desk *desk, const struct options *options, struct vrms_error *error)
{
	int count = options->fail_count + options->name_count + 1;
	int rc = vrms_cluster_load(options->state, &desk->model, error);

	if (rc < 0) {
		return rc;
	}
	desk->planner = vrms_planner_new(desk->model);
	desk->outcome = vrms_outcome_new(desk->model);
	desk->trim = vrms_outcome_new(desk->model);
	desk->indices = calloc((size_t)count, sizeof(*desk->indices));
	if (desk->planner == NULL || desk->outcome == NULL || desk->trim == NULL ||
	    desk->indices == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	return 0;
}

/* Turns names into indices; `find` is one of vrms_model_find_*(). */
static int find_all(struct desk *desk, const char *what, const char *const *names, int count,
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

static int show(const struct options *options, const struct vrms_report *report,
		struct vrms_error *error)
{
	if (!options->json) {
		vrms_report_print(report);
		return 0;
	}
	return vrms_report_json(report, error);
}

/* Turns a return code and a verdict into an exit status. */
static int conclude(const struct options *options, int rc, bool holds,
		    const struct vrms_error *error)
{
	if (rc < 0) {
		return vrms_command_fail(options->command, error);
	}
	return holds ? VRMS_EXIT_OK : VRMS_EXIT_NOT_SO;
}

/* Lists and proof for the cluster as it is after what was planned so far. */
static int prove(struct desk *desk, const struct options *options, struct vrms_report *report,
		 struct vrms_survival *survival, struct vrms_error *error)
{
	int k = options->survive >= 0 ? (int)options->survive : 1, rc;
	struct vrms_outcome *scratch VRMS_CLEANUP(vrms_outcome_freep) =
	    vrms_outcome_new(desk->model);
	struct vrms_failover_config config;

	vrms_failover_config_default(&config, desk->model);
	config.losses = k >= 2 ? 2 : config.losses;
	desk->lists = vrms_planner_lists(desk->planner, &config);
	if (desk->lists == NULL || scratch == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = vrms_survive(desk->planner, desk->lists, k > config.losses ? k : config.losses,
			  scratch, survival);
	if (rc < 0) {
		return vrms_error_set(error, rc, "--survive %d: more than %d losses to look at", k,
				      VRMS_SURVIVE_LOSSES);
	}
	report->lists = desk->lists;
	report->survival = survival;
	report->survive = k;
	report->holds = report->holds && survival->survives >= k;
	return 0;
}

static int plan(struct desk *desk, const struct options *options, struct vrms_report *report,
		struct vrms_survival *survival, struct vrms_error *error)
{
	int rc =
	    find_all(desk, "node", options->fail, options->fail_count, vrms_model_find_node, error);

	if (rc < 0) {
		return rc;
	}
	vrms_planner_fail(desk->planner, desk->indices, options->fail_count, desk->outcome);
	*report = (struct vrms_report){.model = desk->model,
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
		   : prove(desk, options, report, survival, error);
}

/* Copies the CIB that was read, with the lists in it (or taken out), to the file that was asked
 * for.
 */
static int write_cib(const struct desk *desk, const struct options *options,
		     struct vrms_error *error)
{
	const struct vrms_cib_write_config config = {.exclusive = options->exclusive,
						     .clear = options->clear};
	char *text VRMS_CLEANUP(vrms_freep) = NULL, *planned VRMS_CLEANUP(vrms_freep) = NULL;
	const char *result;
	int rc;

	if (options->state == NULL || desk->lists == NULL) {
		return vrms_error_set(error, -EINVAL,
				      "--write needs --state with a CIB, and no --fail alone");
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

int vrms_command_plan(int argc, char **argv)
{
	struct options options = {0};
	struct desk desk = {0};
	struct vrms_error error = {""};
	struct vrms_survival survival;
	struct vrms_report report = {0};
	int rc = read_options(&options, argc, argv, plan_options, &error);

	if (rc == 0 && options.name_count > 0) {
		rc = vrms_error_set(&error, -EINVAL, "unexpected '%s'", options.names[0]);
	}
	if (rc == 0) {
		rc = open_desk(&desk, &options, &error);
	}
	if (rc == 0) {
		rc = plan(&desk, &options, &report, &survival, &error);
	}
	if (rc == 0 && options.write != NULL) {
		rc = write_cib(&desk, &options, &error);
	}
	if (rc == 0) {
		rc = show(&options, &report, &error);
	}
	rc = conclude(&options, rc, report.holds, &error);
	close_desk(&desk, &options);
	return rc;
}

static int drain(struct desk *desk, const struct options *options, struct vrms_error *error)
{
	int parallel = options->parallel > 0 ? (int)options->parallel : PARALLEL;
	int rc = find_all(desk, "node", (const char *const *)options->names, 1,
			  vrms_model_find_node, error);

	if (rc == 0 && !vrms_planner_is_alive(desk->planner, desk->indices[0])) {
		rc = vrms_error_set(error, -EINVAL, "node '%s' is offline", options->names[0]);
	}
	if (rc == 0) {
		vrms_planner_drain(desk->planner, desk->indices[0], parallel, desk->outcome);
	}
	return rc;
}

static int rebalance(struct desk *desk, const struct options *options, struct vrms_error *error)
{
	struct vrms_rebalance_config config = {
	    .moves_max = options->moves >= 0 ? (int)options->moves : REBALANCE_MOVES,
	    .parallel = options->parallel > 0 ? (int)options->parallel : PARALLEL,
	    .gain_min = GAIN_MIN,
	    .only_to = VRMS_NODE_NONE,
	};
	int rc = options->fill == NULL
		     ? 0
		     : find_all(desk, "node", &options->fill, 1, vrms_model_find_node, error);

	if (rc == 0) {
		config.only_to = options->fill == NULL ? VRMS_NODE_NONE : desk->indices[0];
		vrms_planner_rebalance(desk->planner, &config, desk->outcome);
	}
	return rc;
}

static int place(struct desk *desk, const struct options *options, struct vrms_error *error)
{
	int rc = find_all(desk, "vm", (const char *const *)options->names, options->name_count,
			  vrms_model_find_vm, error);

	for (int i = 0; rc == 0 && i < options->name_count; i++) {
		int node = vrms_planner_where(desk->planner, desk->indices[i]);

		if (node >= 0) {
			rc = vrms_error_set(error, -EEXIST, "vm '%s' already runs on '%s'",
					    options->names[i],
					    vrms_model_node_name(desk->model, node));
		}
	}
	if (rc == 0) {
		vrms_planner_place(desk->planner, desk->indices, options->name_count,
				   desk->outcome);
	}
	return rc;
}

/* The frame of the commands that make one decision. */
static int run_one(int argc, char **argv, const struct option *known, int names_min, int names_max,
		   int (*decide)(struct desk *, const struct options *, struct vrms_error *))
{
	struct options options = {0};
	struct desk desk = {0};
	struct vrms_error error = {""};
	struct vrms_report report = {0};
	int rc = read_options(&options, argc, argv, known, &error);

	if (rc == 0 && (options.name_count < names_min || options.name_count > names_max)) {
		vrms_command_usage(options.command);
		rc = vrms_error_set(&error, -EINVAL, "%d names given", options.name_count);
	}
	if (rc == 0) {
		rc = open_desk(&desk, &options, &error);
	}
	if (rc == 0) {
		rc = decide(&desk, &options, &error);
	}
	if (rc == 0) {
		report = (struct vrms_report){.model = desk.model,
					      .planner = desk.planner,
					      .outcome = desk.outcome,
					      .holds = desk.outcome->stopped_count == 0 &&
						       desk.outcome->ordered};
		rc = show(&options, &report, &error);
	}
	rc = conclude(&options, rc, report.holds, &error);
	close_desk(&desk, &options);
	return rc;
}

int vrms_command_drain(int argc, char **argv)
{
	return run_one(argc, argv, drain_options, 1, 1, drain);
}

int vrms_command_rebalance(int argc, char **argv)
{
	return run_one(argc, argv, rebalance_options, 0, 0, rebalance);
}

int vrms_command_place(int argc, char **argv)
{
	return run_one(argc, argv, place_options, 1, VRMS_VM_LIMIT, place);
}
