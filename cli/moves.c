/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vrms drain, undrain, rebalance, place: on a file they plan, in the running cluster they do. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli/steer.h"

enum { PARALLEL = 2, REBALANCE_MOVES = 20 };

/* What a move of mean cost must gain; see vrms_rebalance_config. */
static const double GAIN_MIN = 0.2;

static const struct option drain_options[] = {
    {"state", required_argument, NULL, 's'},   {"parallel", required_argument, NULL, 'p'},
    {"timeout", required_argument, NULL, 't'}, {"dry-run", no_argument, NULL, 'd'},
    {"json", no_argument, NULL, 'j'},          {NULL, 0, NULL, 0},
};
static const struct option undrain_options[] = {
    {"dry-run", no_argument, NULL, 'd'},
    {NULL, 0, NULL, 0},
};
static const struct option rebalance_options[] = {
    {"state", required_argument, NULL, 's'},   {"max-moves", required_argument, NULL, 'm'},
    {"fill", required_argument, NULL, 'F'},    {"parallel", required_argument, NULL, 'p'},
    {"timeout", required_argument, NULL, 't'}, {"dry-run", no_argument, NULL, 'd'},
    {"json", no_argument, NULL, 'j'},          {NULL, 0, NULL, 0},
};
static const struct option place_options[] = {
    {"state", required_argument, NULL, 's'},
    {"timeout", required_argument, NULL, 't'},
    {"dry-run", no_argument, NULL, 'd'},
    {"json", no_argument, NULL, 'j'},
    {NULL, 0, NULL, 0},
};

static int parallel_of(const struct vrms_desk_options *options)
{
	return options->parallel > 0 ? (int)options->parallel : PARALLEL;
}

/* In the running cluster nothing is begun that would leave a VM down. */
static int check_whole(const struct vrms_desk *desk, struct vrms_error *error)
{
	if (desk->text != NULL && (desk->outcome->stopped_count > 0 || !desk->outcome->ordered)) {
		return vrms_error_set(error, -ECANCELED,
				      "not all VMs can move without stopping one");
	}
	return 0;
}

static int drain(struct vrms_desk *desk, const struct vrms_desk_options *options,
		 struct vrms_error *error)
{
	int rc = vrms_desk_find(desk, "node", (const char *const *)options->names, 1,
				vrms_model_find_node, error);

	if (rc == 0 && !vrms_planner_is_alive(desk->planner, desk->indices[0])) {
		rc = vrms_error_set(error, -EINVAL, "node '%s' is offline", options->names[0]);
	}
	if (rc == 0) {
		vrms_planner_drain(desk->planner, desk->indices[0], parallel_of(options),
				   desk->outcome);
	}
	return rc;
}

static int rebalance(struct vrms_desk *desk, const struct vrms_desk_options *options,
		     struct vrms_error *error)
{
	struct vrms_rebalance_config config = {
	    .moves_max = options->moves >= 0 ? (int)options->moves : REBALANCE_MOVES,
	    .parallel = parallel_of(options),
	    .gain_min = GAIN_MIN,
	    .only_to = VRMS_NODE_NONE,
	};
	int rc = options->fill == NULL
		     ? 0
		     : vrms_desk_find(desk, "node", &options->fill, 1, vrms_model_find_node, error);

	if (rc == 0) {
		config.only_to = options->fill == NULL ? VRMS_NODE_NONE : desk->indices[0];
		vrms_planner_rebalance(desk->planner, &config, desk->outcome);
	}
	return rc;
}

static int place(struct vrms_desk *desk, const struct vrms_desk_options *options,
		 struct vrms_error *error)
{
	int left = 0;
	int rc = vrms_desk_find(desk, "vm", (const char *const *)options->names,
				options->name_count, vrms_model_find_vm, error);

	for (int i = 0; rc == 0 && i < options->name_count; i++) {
		int node = vrms_planner_where(desk->planner, desk->indices[i]);

		if (node >= 0 && desk->text == NULL) {
			rc = vrms_error_set(error, -EEXIST, "vm '%s' already runs on '%s'",
					    options->names[i],
					    vrms_model_node_name(desk->model, node));
		} else if (node < 0) {
			desk->indices[left++] = desk->indices[i];
		}
	}
	if (rc == 0) {
		vrms_planner_place(desk->planner, desk->indices, left, desk->outcome);
	}
	return rc;
}

/* One command: how it decides, and what the running cluster gets from it. */
struct job {
	const struct option *known;
	int names_min, names_max;
	int (*decide)(struct vrms_desk *desk, const struct vrms_desk_options *options,
		      struct vrms_error *error);
	int (*decide_live)(struct vrms_desk *desk, const struct vrms_desk_options *options,
			   struct vrms_error *error);
	bool closes;
};

static int drain_live(struct vrms_desk *desk, const struct vrms_desk_options *options,
		      struct vrms_error *error)
{
	int rc = drain(desk, options, error);

	return rc < 0 ? rc : check_whole(desk, error);
}

/* What is left of a limit is counted by whoever carries the moves out. */
static int place_live(struct vrms_desk *desk, const struct vrms_desk_options *options,
		      struct vrms_error *error)
{
	int rc = place(desk, options, error);

	return rc < 0 ? rc : check_whole(desk, error);
}

/* Plans on the cluster as it is, and shows that. */
static int preview(const struct job *job, const struct vrms_desk_options *options, bool *ret_holds,
		   struct vrms_error *error)
{
	struct vrms_desk desk = {0};
	struct vrms_report report;
	int rc = vrms_desk_open(&desk, options, error);

	rc = rc < 0 ? rc : job->decide(&desk, options, error);
	if (rc == 0) {
		*ret_holds = desk.outcome->stopped_count == 0 && desk.outcome->ordered;
		report = (struct vrms_report){.model = desk.model,
					      .notes = &desk.notes,
					      .planner = desk.planner,
					      .outcome = desk.outcome,
					      .holds = *ret_holds};
		rc = vrms_desk_show(options, &report, error);
		fflush(stdout);
	}
	vrms_desk_close(&desk);
	return rc;
}

static int check_names(const struct job *job, const struct vrms_desk_options *options,
		       struct vrms_error *error)
{
	if (options->name_count < job->names_min || options->name_count > job->names_max) {
		vrms_command_usage(options->command);
		return vrms_error_set(error, -EINVAL, "%d names given", options->name_count);
	}
	return 0;
}

static int run(int argc, char **argv, const struct job *job)
{
	struct vrms_desk_options options = {0};
	struct vrms_error error = {""};
	bool holds = false;
	int rc = vrms_desk_read_options(&options, argc, argv, job->known, &error);

	rc = rc < 0 ? rc : check_names(job, &options, &error);
	rc = rc < 0 ? rc : preview(job, &options, &holds, &error);
	if (rc == 0 && holds && options.state == NULL && !options.dry_run) {
		const struct vrms_steer steer = {
		    .options = &options,
		    .decide = job->decide_live,
		    .close = job->closes ? options.names[0] : NULL,
		    .moves_max = options.moves >= 0 ? (int)options.moves : INT_MAX,
		};

		rc = vrms_steer_run(&steer, &error);
	}
	rc = vrms_desk_conclude(&options, rc, holds, &error);
	vrms_desk_options_done(&options);
	return rc;
}

int vrms_command_drain(int argc, char **argv)
{
	static const struct job job = {.known = drain_options,
				       .names_min = 1,
				       .names_max = 1,
				       .decide = drain,
				       .decide_live = drain_live,
				       .closes = true};

	return run(argc, argv, &job);
}

int vrms_command_rebalance(int argc, char **argv)
{
	static const struct job job = {.known = rebalance_options,
				       .decide = rebalance,
				       .decide_live = rebalance};

	return run(argc, argv, &job);
}

int vrms_command_place(int argc, char **argv)
{
	static const struct job job = {.known = place_options,
				       .names_min = 1,
				       .names_max = VRMS_VM_LIMIT,
				       .decide = place,
				       .decide_live = place_live};

	return run(argc, argv, &job);
}

/* Is it closed?  Says so; undrain of an open node changes nothing. */
static int check_node(const struct vrms_desk_options *options, struct vrms_error *error)
{
	struct vrms_desk desk = {0};
	int rc = vrms_desk_open(&desk, options, error);

	rc = rc < 0 ? rc
		    : vrms_desk_find(&desk, "node", (const char *const *)options->names, 1,
				     vrms_model_find_node, error);
	if (rc == 0) {
		bool closed =
		    vrms_model_node_state(desk.model, desk.indices[0]) == VRMS_NODE_STANDBY;

		printf("%s %s\n", options->names[0],
		       !closed            ? "is not in standby"
		       : options->dry_run ? "would leave standby"
					  : "leaves standby; \"vrms rebalance\" brings VMs back");
		fflush(stdout);
	}
	vrms_desk_close(&desk);
	return rc;
}

int vrms_command_undrain(int argc, char **argv)
{
	static const struct job job = {.known = undrain_options, .names_min = 1, .names_max = 1};
	struct vrms_desk_options options = {0};
	struct vrms_error error = {""};
	int rc = vrms_desk_read_options(&options, argc, argv, job.known, &error);

	rc = rc < 0 ? rc : check_names(&job, &options, &error);
	rc = rc < 0 ? rc : check_node(&options, &error);
	if (rc == 0 && !options.dry_run) {
		const struct vrms_steer steer = {.options = &options, .reopen = options.names[0]};

		rc = vrms_steer_run(&steer, &error);
	}
	rc = vrms_desk_conclude(&options, rc, true, &error);
	vrms_desk_options_done(&options);
	return rc;
}
