/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "san/pr.h"

#include <assert.h>

enum { AGAIN_MAX = 20, ROUND_MAX = 12 };

const char *vrms_pr_reason_text(enum vrms_pr_reason reason)
{
	static const char *const texts[] = {
#define VRMS_PR_TEXT(name, text) [VRMS_PR_REASON_##name] = text,
	    VRMS_PR_REASONS(VRMS_PR_TEXT)
#undef VRMS_PR_TEXT
	};

	return texts[reason];
}

const char *vrms_pr_step_name(const struct vrms_pr_step *step)
{
	static const char *const names[] = {
	    [VRMS_PR_READ] = "READ KEYS, READ RESERVATION",
	    [VRMS_PR_REGISTER] = "REGISTER AND IGNORE EXISTING KEY",
	    [VRMS_PR_RESERVE] = "RESERVE",
	    [VRMS_PR_PREEMPT] = "PREEMPT",
	    [VRMS_PR_SETTLE] = "wait",
	    [VRMS_PR_PROBE] = "WRITE of 0 blocks without a key",
	    [VRMS_PR_UNREGISTER] = "REGISTER (no key)",
	    [VRMS_PR_DONE] = "done",
	    [VRMS_PR_FAILED] = "failed",
	};

	return step->kind == VRMS_PR_PREEMPT && step->abort ? "PREEMPT AND ABORT"
							    : names[step->kind];
}

const char *vrms_pr_answer_name(enum vrms_pr_answer answer)
{
	static const char *const names[] = {
	    [VRMS_PR_GOOD] = "GOOD",
	    [VRMS_PR_CONFLICT] = "RESERVATION CONFLICT",
	    [VRMS_PR_UNKNOWN] = "ILLEGAL REQUEST",
	    [VRMS_PR_AGAIN] = "UNIT ATTENTION or BUSY",
	    [VRMS_PR_LOST] = "no answer",
	    [VRMS_PR_OTHER] = "another status",
	};

	return names[answer];
}

const char *vrms_pr_type_name(unsigned type)
{
	static const char *const names[] = {
	    [1] = "write exclusive",
	    [3] = "exclusive access",
	    [VRMS_PR_WERO] = "write exclusive, registrants only",
	    [6] = "exclusive access, registrants only",
	    [VRMS_PR_WEAR] = "write exclusive, all registrants",
	    [8] = "exclusive access, all registrants",
	};
	bool is_known = type < sizeof(names) / sizeof(names[0]) && names[type] != NULL;

	return is_known ? names[type] : "unknown type";
}

bool vrms_pr_view_has(const struct vrms_pr_view *view, uint64_t key)
{
	for (size_t i = 0; i < view->key_count; i++) {
		if (view->keys[i] == key) {
			return true;
		}
	}
	return false;
}

bool vrms_pr_view_shuts_out(const struct vrms_pr_view *view)
{
	return view->is_reserved && (view->type == VRMS_PR_WERO || view->type == VRMS_PR_WEAR);
}

static bool is_known(const struct vrms_pr_job *job, uint64_t key)
{
	if (key == job->cluster_key) {
		return true;
	}
	for (size_t i = 0; i < job->known_count; i++) {
		if (job->known[i] == key) {
			return true;
		}
	}
	return false;
}

static bool is_of_family(const struct vrms_pr_job *job, uint64_t key)
{
	for (size_t i = 0; i < VRMS_PR_FAMILIES_MAX; i++) {
		const struct vrms_pr_family *family = &job->families[i];

		if (family->mask != 0 && (key & family->mask) == family->value) {
			return true;
		}
	}
	return false;
}

uint64_t vrms_pr_foreign_key(const struct vrms_pr_job *job, const struct vrms_pr_view *view)
{
	for (size_t i = 0; i < view->key_count; i++) {
		if (!is_known(job, view->keys[i]) && !is_of_family(job, view->keys[i])) {
			return view->keys[i];
		}
	}
	return 0;
}

/* The first key that has to go, or 0. */
static uint64_t key_to_remove(const struct vrms_pr_job *job)
{
	const uint64_t *subjects = job->subjects;
	/* Guests of a node that is about to be let in again died with it: their keys are left over.
	 * While the node has its key they are alive. */
	size_t first = job->goal == VRMS_PR_ON ? 1 : 0;

	if (job->goal == VRMS_PR_ON && vrms_pr_view_has(&job->view, subjects[0])) {
		return 0;
	}
	for (size_t i = first; i < VRMS_PR_SUBJECTS_MAX; i++) {
		if (subjects[i] != 0 && vrms_pr_view_has(&job->view, subjects[i])) {
			return subjects[i];
		}
	}
	return 0;
}

static void fail(struct vrms_pr_job *job, enum vrms_pr_reason reason)
{
	job->reason = reason;
	job->is_finished = true;
}

static enum vrms_pr_reason what_forbids(const struct vrms_pr_job *job)
{
	const struct vrms_pr_view *view = &job->view;

	if (!view->is_reserved) {
		return VRMS_PR_REASON_NONE;
	}
	if (view->type != VRMS_PR_WEAR && !is_known(job, view->holder)) {
		return VRMS_PR_REASON_STRANGER;
	}
	return vrms_pr_view_shuts_out(view) ? VRMS_PR_REASON_NONE : VRMS_PR_REASON_TYPE;
}

/* The cluster's session leaves no key behind, unless the reservation would go with it: it holds it,
 * or all registrants do and it is the last one.  The view is younger than its registration. */
static bool may_leave(const struct vrms_pr_job *job)
{
	return job->is_registered && !job->is_holder && job->view.key_count > 1;
}

static void act_as_cluster(struct vrms_pr_job *job, struct vrms_pr_step *step,
			   enum vrms_pr_step_kind kind)
{
	step->party = VRMS_PR_CLUSTER;
	step->key = job->cluster_key;
	step->kind = job->is_registered ? kind : VRMS_PR_REGISTER;
	step->aptpl = !job->without_aptpl;
	step->abort = !job->without_abort && job->goal == VRMS_PR_OFF;
}

/* Also for a key that was not there any more: whoever removed it, maybe an attempt that was killed
 * just now, may have done so without abort. */
static bool must_settle(const struct vrms_pr_job *job)
{
	return !job->is_settled && (job->is_dirty || !job->has_aborted);
}

/* Keys and reservation are as the goal wants them: what is left? */
static void close_job(struct vrms_pr_job *job, struct vrms_pr_step *step)
{
	if (job->goal == VRMS_PR_OFF && !job->lets_foreign_be &&
	    vrms_pr_foreign_key(job, &job->view) != 0) {
		fail(job, VRMS_PR_REASON_FOREIGN);
	} else if (job->goal == VRMS_PR_OFF && must_settle(job)) {
		step->kind = VRMS_PR_SETTLE;
	} else if (job->goal == VRMS_PR_OFF && !job->is_proved) {
		step->kind = VRMS_PR_PROBE;
		step->party = VRMS_PR_VICTIM;
	} else if (may_leave(job)) {
		act_as_cluster(job, step, VRMS_PR_UNREGISTER);
	} else {
		job->is_finished = true;
		step->kind = VRMS_PR_DONE;
	}
}

static void decide(struct vrms_pr_job *job, struct vrms_pr_step *step)
{
	uint64_t unwanted = key_to_remove(job);
	bool must_reserve = job->goal != VRMS_PR_RELEASE && !job->view.is_reserved;
	bool must_register =
	    job->goal == VRMS_PR_ON && !vrms_pr_view_has(&job->view, job->subjects[0]);

	if (must_reserve) {
		act_as_cluster(job, step, VRMS_PR_RESERVE);
	} else if (unwanted != 0) {
		act_as_cluster(job, step, VRMS_PR_PREEMPT);
		step->subject = step->kind == VRMS_PR_PREEMPT ? unwanted : 0;
	} else if (must_register) {
		step->kind = VRMS_PR_REGISTER;
		step->party = VRMS_PR_NODE;
		step->key = job->subjects[0];
		step->aptpl = !job->without_aptpl;
	} else {
		close_job(job, step);
	}
}

void vrms_pr_next(struct vrms_pr_job *job, struct vrms_pr_step *ret_step)
{
	struct vrms_pr_step step = {.kind = VRMS_PR_READ, .party = VRMS_PR_CLUSTER};

	if (!job->is_finished && job->has_view) {
		enum vrms_pr_reason reason = what_forbids(job);

		if (reason != VRMS_PR_REASON_NONE) {
			fail(job, reason);
		} else {
			decide(job, &step);
		}
	}
	if (job->is_finished) {
		step.kind = job->reason == VRMS_PR_REASON_NONE ? VRMS_PR_DONE : VRMS_PR_FAILED;
		step.reason = job->reason;
	}
	*ret_step = step;
}

void vrms_pr_seen(struct vrms_pr_job *job, const struct vrms_pr_view *view)
{
	job->view = *view;
	job->has_view = true;
	job->again_count = 0;
	if (key_to_remove(job) != 0 || !vrms_pr_view_shuts_out(view)) {
		job->is_proved = false;
	}
}

/* Looks again before anything else; not for ever. */
static void look_again(struct vrms_pr_job *job)
{
	job->has_view = false;
	if (++job->round_count > ROUND_MAX) {
		fail(job, VRMS_PR_REASON_STUBBORN);
	}
}

static void make_dirty(struct vrms_pr_job *job)
{
	job->is_dirty = true;
	job->is_settled = false;
}

static void take_lost(struct vrms_pr_job *job, const struct vrms_pr_step *step)
{
	if (step->kind == VRMS_PR_PREEMPT) {
		make_dirty(job); /* the target may have done it, and said so to nobody */
	}
	job->is_registered = false;
	job->is_holder = false;
	job->has_view = false;
	if (++job->path >= job->path_count) {
		fail(job, VRMS_PR_REASON_UNREACHABLE);
	}
}

static void take_probe(struct vrms_pr_job *job, enum vrms_pr_answer answer)
{
	if (answer == VRMS_PR_CONFLICT) {
		job->is_proved = true;
		look_again(job); /* the keys after the proof are those that count */
	} else {
		fail(job,
		     answer == VRMS_PR_GOOD ? VRMS_PR_REASON_NOT_REFUSED : VRMS_PR_REASON_UNPROVED);
	}
}

static void take_register(struct vrms_pr_job *job, const struct vrms_pr_step *step,
			  enum vrms_pr_answer answer)
{
	if (answer == VRMS_PR_GOOD && step->party == VRMS_PR_CLUSTER) {
		job->is_registered = true;
	} else if (answer == VRMS_PR_GOOD) {
		look_again(job);
	} else if (answer == VRMS_PR_UNKNOWN && step->aptpl) {
		job->without_aptpl = true;
	} else {
		fail(job, answer == VRMS_PR_UNKNOWN ? VRMS_PR_REASON_UNSUPPORTED
						    : VRMS_PR_REASON_REFUSED);
	}
}

static void take_preempt(struct vrms_pr_job *job, const struct vrms_pr_step *step,
			 enum vrms_pr_answer answer)
{
	if (answer == VRMS_PR_GOOD) {
		job->has_aborted = job->has_aborted || step->abort;
		if (!step->abort) {
			make_dirty(job);
		}
		job->is_holder = job->is_holder || job->view.holder == step->subject;
		job->is_proved = false;
		look_again(job);
	} else if (answer == VRMS_PR_CONFLICT) {
		job->is_registered =
		    false; /* somebody preempted the cluster's key, or the key is gone */
		look_again(job);
	} else if (answer == VRMS_PR_UNKNOWN && step->abort) {
		job->without_abort = true;
	} else {
		fail(job, VRMS_PR_REASON_REFUSED);
	}
}

static void take_reserve(struct vrms_pr_job *job, enum vrms_pr_answer answer)
{
	if (answer == VRMS_PR_GOOD || answer == VRMS_PR_CONFLICT) {
		job->is_holder = job->is_holder || answer == VRMS_PR_GOOD;
		job->is_registered = job->is_registered && answer == VRMS_PR_GOOD;
		look_again(job);
	} else {
		fail(job, VRMS_PR_REASON_REFUSED);
	}
}

static void take_other(struct vrms_pr_job *job, const struct vrms_pr_step *step,
		       enum vrms_pr_answer answer)
{
	switch (step->kind) {
	case VRMS_PR_REGISTER:
		take_register(job, step, answer);
		break;
	case VRMS_PR_RESERVE:
		take_reserve(job, answer);
		break;
	case VRMS_PR_PREEMPT:
		take_preempt(job, step, answer);
		break;
	case VRMS_PR_PROBE:
		take_probe(job, answer);
		break;
	case VRMS_PR_SETTLE:
		job->is_settled = true;
		job->has_view = false;
		break;
	case VRMS_PR_UNREGISTER:
		job->is_registered = false; /* a key too many does no harm */
		break;
	case VRMS_PR_READ:
		fail(job, answer == VRMS_PR_UNKNOWN ? VRMS_PR_REASON_UNSUPPORTED
						    : VRMS_PR_REASON_REFUSED);
		break;
	case VRMS_PR_DONE:
	case VRMS_PR_FAILED:
		break;
	}
}

void vrms_pr_answered(struct vrms_pr_job *job, enum vrms_pr_answer answer)
{
	struct vrms_pr_step step;

	vrms_pr_next(job, &step);
	if (job->is_finished) {
		return;
	}
	if (answer == VRMS_PR_LOST) {
		take_lost(job, &step);
	} else if (answer == VRMS_PR_AGAIN) {
		if (++job->again_count > AGAIN_MAX) {
			fail(job, VRMS_PR_REASON_ATTENTION);
		}
	} else {
		job->again_count = 0;
		take_other(job, &step, answer);
	}
}
