/* pr_lun.h - a made-up LUN that knows persistent reservations, and jobs of pr.h on it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_TESTS_UNIT_PR_LUN_H
#define VRMS_TESTS_UNIT_PR_LUN_H

#include <string.h>

#include "san/pr.h"
#include "tests/unit/unit.h"

enum {
	CLUSTER = 0xc0,
	NODE1 = 0xa1,
	GUESTS1 = 0xb1,
	NODE2 = 0xa2,
	GUESTS2 = 0xb2,
	STRANGER = 0xee
};

static const uint64_t known[] = {NODE1, GUESTS1, NODE2, GUESTS2};

enum { NEXUS_MAX = 64, NOBODY = -1 };

/* The target: which nexus has which key, and who holds what (SPC-4, 5.13). */
struct lun {
	uint64_t key_of[NEXUS_MAX]; /* 0: not registered */
	int holder;                 /* nexus */
	unsigned type;
	bool has_abort, has_aptpl, has_pr;
	bool lets_all_write; /* broken: never refuses */
	int next_nexus;
	int sessions[3]; /* nexus of each party's session */
	unsigned path;
	uint64_t removed; /* bit per key byte: keys ever preempted */
	bool taken_by_force;
};

static struct lun good_lun(void)
{
	return (struct lun){.holder = NOBODY,
			    .has_abort = true,
			    .has_aptpl = true,
			    .has_pr = true,
			    .sessions = {NOBODY, NOBODY, NOBODY}};
}

static int register_nexus(struct lun *lun, uint64_t key)
{
	lun->key_of[lun->next_nexus] = key;
	return lun->next_nexus++;
}

static void reserve(struct lun *lun, int nexus, unsigned type)
{
	lun->holder = nexus;
	lun->type = type;
}

static void unregister(struct lun *lun, int nexus)
{
	lun->key_of[nexus] = 0;
	if (lun->holder == nexus) {
		lun->holder = NOBODY;
	}
}

static struct vrms_pr_view view_of(const struct lun *lun)
{
	struct vrms_pr_view view = {.key_count = 0};

	for (int i = 0; i < lun->next_nexus; i++) {
		if (lun->key_of[i] != 0) {
			view.keys[view.key_count++] = lun->key_of[i];
		}
	}
	view.is_reserved = lun->holder != NOBODY;
	view.holder = view.is_reserved ? lun->key_of[lun->holder] : 0;
	view.type = view.is_reserved ? lun->type : 0;
	return view;
}

static bool may_write(const struct lun *lun, int nexus)
{
	return lun->lets_all_write || lun->holder == NOBODY || lun->key_of[nexus] != 0;
}

static bool key_may_write(const struct lun *lun, uint64_t key)
{
	const struct vrms_pr_view view = view_of(lun);

	return lun->holder == NOBODY || vrms_pr_view_has(&view, key);
}

static int session_of(struct lun *lun, enum vrms_pr_party party)
{
	if (lun->sessions[party] == NOBODY) {
		lun->sessions[party] = register_nexus(lun, 0);
		ck_assert_int_lt(lun->next_nexus, NEXUS_MAX);
	}
	return lun->sessions[party];
}

static enum vrms_pr_answer preempt(struct lun *lun, int nexus, const struct vrms_pr_step *step)
{
	bool is_found = false;

	if (step->abort && !lun->has_abort) {
		return VRMS_PR_UNKNOWN;
	}
	if (lun->key_of[nexus] != step->key || step->key == 0) {
		return VRMS_PR_CONFLICT;
	}
	for (int i = 0; i < lun->next_nexus; i++) {
		if (lun->key_of[i] != step->subject || i == nexus) {
			continue;
		}
		is_found = true;
		lun->key_of[i] = 0;
		lun->holder = lun->holder == i ? nexus : lun->holder;
	}
	lun->removed |= UINT64_C(1) << (step->subject & 0x3f);
	lun->taken_by_force = lun->taken_by_force || step->subject == STRANGER;
	return is_found ? VRMS_PR_GOOD : VRMS_PR_CONFLICT;
}

static enum vrms_pr_answer perform(struct lun *lun, const struct vrms_pr_step *step)
{
	int nexus = session_of(lun, step->party);

	switch (step->kind) {
	case VRMS_PR_REGISTER:
		if (!lun->has_pr || (step->aptpl && !lun->has_aptpl)) {
			return VRMS_PR_UNKNOWN;
		}
		lun->key_of[nexus] = step->key;
		return VRMS_PR_GOOD;
	case VRMS_PR_RESERVE:
		if (lun->key_of[nexus] != step->key || lun->holder != NOBODY) {
			return VRMS_PR_CONFLICT;
		}
		reserve(lun, nexus, VRMS_PR_WERO);
		return VRMS_PR_GOOD;
	case VRMS_PR_PREEMPT:
		return preempt(lun, nexus, step);
	case VRMS_PR_UNREGISTER:
		unregister(lun, nexus);
		return VRMS_PR_GOOD;
	case VRMS_PR_PROBE:
		return may_write(lun, nexus) ? VRMS_PR_GOOD : VRMS_PR_CONFLICT;
	default:
		return VRMS_PR_GOOD;
	}
}

static struct vrms_pr_job job_of(enum vrms_pr_goal goal)
{
	return (struct vrms_pr_job){.goal = goal,
				    .cluster_key = CLUSTER,
				    .subjects = {NODE1, GUESTS1},
				    .known = known,
				    .known_count = 4,
				    .path_count = 2};
}

/* One step; the trouble is what happens instead of the command. */
static void step_once(struct vrms_pr_job *job, struct lun *lun, enum vrms_pr_answer trouble)
{
	struct vrms_pr_step step;

	vrms_pr_next(job, &step);
	if (lun->path != job->path) {
		memset(lun->sessions, 0xff, sizeof(lun->sessions)); /* NOBODY */
		lun->path = job->path;
	}
	if (trouble != VRMS_PR_GOOD) {
		vrms_pr_answered(job, trouble);
	} else if (step.kind == VRMS_PR_READ && lun->has_pr) {
		struct vrms_pr_view view = view_of(lun);

		vrms_pr_seen(job, &view);
	} else {
		vrms_pr_answered(job,
				 step.kind == VRMS_PR_READ ? VRMS_PR_UNKNOWN : perform(lun, &step));
	}
}

#endif
