/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/keep.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/live.h"
#include "cli/steer.h"
#include "placement/cib_write.h"
#include "placement/keep.h"

/* Old lists may lead to loads that are so much higher than new ones would. */
static const double TOLERANCE = 0.05;

struct finding {
	const char *state;
	char text[256];
	int survives, moves;
};

/* Why nothing may be touched now; false: it may. */
static int is_frozen(const struct vrms_desk *desk, struct finding *finding, bool *ret_frozen,
		     struct vrms_error *error)
{
	bool idle = false;
	int rc = vrms_live_is_idle(desk->facts.controller, &idle, error);
	const char *why = !desk->facts.has_quorum            ? "no quorum"
			  : vrms_steer_is_busy(&desk->facts) ? "VMs are being moved"
			  : !idle                            ? "the cluster is not idle"
							     : NULL;

	*ret_frozen = why != NULL;
	if (why != NULL) {
		finding->state = "frozen";
		snprintf(finding->text, sizeof(finding->text), "%s", why);
	}
	return rc;
}

static int judge(const struct vrms_desk *desk, struct vrms_keep_verdict *verdict,
		 struct vrms_error *error)
{
	size_t cells = (size_t)vrms_model_vm_count(desk->model) * VRMS_LIST_MAX + 1;
	int *lists VRMS_CLEANUP(vrms_freep) = calloc(cells, sizeof(*lists));
	int rc =
	    lists == NULL ? -ENOMEM : vrms_cib_read_lists(desk->text, desk->model, lists, error);

	rc = rc < 0 ? rc : vrms_keep_judge(desk->model, lists, desk->lists, TOLERANCE, verdict);
	return rc == -ENOMEM ? vrms_error_set(error, rc, "out of memory") : rc;
}

/* VMs that run nowhere, and survivors that have to move for them. */
static int recover(struct vrms_desk *desk, const struct vrms_desk_options *options,
		   struct vrms_error *error)
{
	(void)options;
	(void)error;
	vrms_planner_fail(desk->planner, NULL, 0, desk->outcome);
	return 0;
}

static int count_room_moves(const struct vrms_outcome *outcome)
{
	int count = 0;

	for (int i = 0; i < outcome->move_count; i++) {
		count += outcome->moves[i].kind == VRMS_MOVE_ROOM;
	}
	return count;
}

static int write_lists(const struct vrms_desk *desk, const struct vrms_desk_options *options,
		       struct finding *finding, struct vrms_error *error)
{
	char *after VRMS_CLEANUP(vrms_freep) = NULL;
	int rc;

	finding->state = "stale";
	if (options->dry_run) {
		return 0;
	}
	rc = vrms_desk_edit(desk, options, &after, error);
	if (rc == 0 && after != NULL) {
		rc = vrms_live_change(desk->text, after, error);
	}
	finding->state = rc == 0 ? "written" : finding->state;
	return rc;
}

/* Pacemaker itself starts what fits; this is for what does not. */
static int make_room(const struct vrms_desk_options *options, struct finding *finding,
		     struct vrms_error *error)
{
	const struct vrms_steer steer = {.options = options,
					 .decide = recover,
					 .moves_max = INT_MAX,
					 .quiet = true};

	finding->state = "room";
	snprintf(finding->text, sizeof(finding->text), "%d live migrations make room for VMs",
		 finding->moves);
	return options->dry_run ? 0 : vrms_steer_run(&steer, error);
}

static int look(struct vrms_desk *desk, const struct vrms_desk_options *options,
		struct finding *finding, struct vrms_error *error)
{
	struct vrms_report report = {.holds = true};
	struct vrms_keep_verdict verdict;
	bool frozen = false;
	int rc = vrms_desk_open(desk, options, error);

	rc = rc < 0 ? rc : is_frozen(desk, finding, &frozen, error);
	if (rc < 0 || frozen) {
		return rc;
	}
	rc = recover(desk, options, error);
	rc = rc < 0 ? rc : vrms_desk_prove(desk, options, &report, error);
	rc = rc < 0 ? rc : judge(desk, &verdict, error);
	if (rc < 0) {
		return rc;
	}
	finding->survives = desk->survival.survives;
	finding->moves = count_room_moves(desk->outcome);
	if (finding->moves > 0) {
		return make_room(options, finding, error);
	}
	vrms_keep_text(&verdict, finding->text, sizeof(finding->text));
	finding->state = "good";
	return verdict.reason == VRMS_KEEP_GOOD ? 0 : write_lists(desk, options, finding, error);
}

static int tell(const struct finding *finding, struct vrms_error *error)
{
	json_t *line =
	    json_pack("{s:s, s:s, s:i, s:i}", "state", finding->state, "text", finding->text,
		      "survives", finding->survives, "moves", finding->moves);
	int rc = line == NULL || json_dumpf(line, stdout, JSON_COMPACT) < 0 ? -ENOMEM : 0;

	putchar('\n');
	json_decref(line);
	return rc < 0 ? vrms_error_set(error, rc, "the JSON could not be written") : 0;
}

int vrms_keep(const struct vrms_desk_options *options)
{
	struct vrms_desk desk = {0};
	struct vrms_error error = {""};
	struct finding finding = {.state = "frozen", .survives = -1};
	int k = options->survive >= 0 ? (int)options->survive : 1;
	int rc = look(&desk, options, &finding, &error);

	if (rc == -ESTALE) { /* somebody is at work: the next look will see */
		finding.state = "frozen";
		snprintf(finding.text, sizeof(finding.text), "%.200s", error.text);
		rc = 0;
	}
	rc = rc < 0 ? rc : tell(&finding, &error);
	vrms_desk_close(&desk);
	return vrms_desk_conclude(options, rc, finding.survives < 0 || finding.survives >= k,
				  &error);
}
