/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/steer.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/live.h"
#include "common/clock.h"
#include "placement/import.h"

enum {
	POLL_MS = 1000,
	STALE_MS = 100,           /* after somebody else has changed the CIB */
	IDLE_ELSEWHERE_MS = 8000, /* idle for so long with VMs elsewhere: Pacemaker's own choice */
	LIFE_SPARE_S = 120,       /* constraints live longer than a batch may take */
	ROUNDS_MAX = 100000,
	SPARE_MOVES = 10,
};

/* A decision being carried out.  Names are copies: the model they come from is replaced meanwhile.
 */
struct leg {
	char *vm, *from, *to; /* from: "" when it does not run */
	enum vrms_move_kind kind;
	int batch;
};

struct course {
	struct leg *legs;
	struct vrms_cib_move *moves; /* the batch under way, as the CIB shall have it */
	int count, first, end;       /* [first, end): the batch under way */
	int left;                    /* so many more moves are allowed */
	int done;                    /* moves so far */
	char until[32];              /* "": nothing of ours is in the CIB */
};

static void now_plus(int64_t seconds, char text[32])
{
	time_t at = time(NULL) + (time_t)seconds;
	struct tm parts;

	gmtime_r(&at, &parts);
	strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

bool vrms_steer_is_busy(const struct vrms_cib_facts *facts)
{
	char now[32];

	now_plus(0, now);
	return facts->moves > 0 && strcmp(facts->until, now) > 0;
}

static void forget(struct course *course)
{
	for (int i = 0; i < course->count; i++) {
		free(course->legs[i].vm);
		free(course->legs[i].from);
		free(course->legs[i].to);
	}
	free(course->legs);
	free(course->moves);
	course->legs = NULL;
	course->moves = NULL;
	course->count = course->first = course->end = 0;
}

static const char *node_or_none(const struct vrms_model *model, int node)
{
	return node < 0 ? "" : vrms_model_node_name(model, node);
}

/* Notes what was decided. */
static int take(struct course *course, const struct vrms_desk *desk, struct vrms_error *error)
{
	const struct vrms_outcome *outcome = desk->outcome;
	size_t room = (size_t)outcome->move_count + 1;

	forget(course);
	course->legs = calloc(room, sizeof(*course->legs));
	course->moves = calloc(room, sizeof(*course->moves));
	if (course->legs == NULL || course->moves == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	for (int i = 0; i < outcome->move_count; i++) {
		const struct vrms_move *move = &outcome->moves[i];
		struct leg *leg = &course->legs[course->count++];

		leg->vm = strdup(vrms_model_vm_name(desk->model, move->vm));
		leg->from = strdup(node_or_none(desk->model, move->from));
		leg->to = strdup(node_or_none(desk->model, move->to));
		leg->kind = move->kind;
		leg->batch = move->batch;
		if (leg->vm == NULL || leg->from == NULL || leg->to == NULL) {
			return vrms_error_set(error, -ENOMEM, "out of memory");
		}
	}
	return 0;
}

/* The next batch; false: there is none, or none is allowed. */
static bool next_batch(struct course *course)
{
	course->first = course->end;
	while (course->end < course->count && course->end - course->first < course->left &&
	       course->legs[course->end].batch == course->legs[course->first].batch) {
		const struct leg *leg = &course->legs[course->end];

		course->moves[course->end++ - course->first] =
		    (struct vrms_cib_move){leg->vm, leg->to};
	}
	return course->end > course->first;
}

/* Is everything where the rest of the course expects it?  A VM that moves twice is looked at
 * where it moves first.
 */
static bool is_on_course(const struct course *course, const struct vrms_model *model)
{
	for (int i = course->end; i < course->count; i++) {
		const struct leg *leg = &course->legs[i];
		int vm = vrms_model_find_vm(model, leg->vm);
		int to = vrms_model_find_node(model, leg->to);
		bool again = false;

		for (int k = course->end; k < i; k++) {
			again = again || strcmp(course->legs[k].vm, leg->vm) == 0;
		}
		if (vm < 0 || to < 0 || vrms_model_node_state(model, to) != VRMS_NODE_ONLINE ||
		    (!again &&
		     strcmp(node_or_none(model, vrms_model_vm_host(model, vm)), leg->from) != 0)) {
			return false;
		}
	}
	return course->count > 0;
}

/* Sleeps; -EINTR when the admin wants us to stop. */
static int pause_for(int64_t ms, struct vrms_error *error)
{
	const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	return sigtimedwait(&set, NULL, &time) > 0 ? vrms_error_set(error, -EINTR, "interrupted")
						   : 0;
}

/* Signals wait until pause_for(), so that what is in the CIB is known at every moment. */
static void hold_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Changes the CIB to say just this, whoever else changes it at the same time. */
static int settle(const struct vrms_cib_steering *steering, struct vrms_error *error)
{
	int rc = -ESTALE;

	for (int tries = 0; rc == -ESTALE && tries < 2 * VRMS_DESK_TRIES; tries++) {
		char *before VRMS_CLEANUP(vrms_freep) = NULL;
		char *after VRMS_CLEANUP(vrms_freep) = NULL;

		vrms_clock_sleep_ms(vrms_clock_system(), tries > 0 ? STALE_MS : 0);
		rc = vrms_live_query(&before, error);
		rc = rc < 0 ? rc : vrms_cib_steer(before, steering, &after, error);
		if (rc == 0 && after != NULL) {
			rc = vrms_live_change(before, after, error);
		}
	}
	return rc;
}

/* ---- waiting */

static bool have_arrived(const struct course *course, const struct vrms_model *model)
{
	for (int i = course->first; i < course->end; i++) {
		int vm = vrms_model_find_vm(model, course->legs[i].vm);
		int node = vrms_model_find_node(model, course->legs[i].to);

		/* A VM that was deleted meanwhile has nowhere to arrive. */
		if (vm >= 0 && vrms_model_vm_host(model, vm) != node) {
			return false;
		}
	}
	return true;
}

static int look(const struct course *course, bool *ret_arrived, bool *ret_idle,
		struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = NULL;
	struct vrms_cib_facts facts;
	int rc = vrms_live_query(&text, error);

	rc = rc < 0 ? rc : vrms_cib_facts_read(text, &facts, error);
	rc = rc < 0 ? rc : vrms_import_text(text, "live CIB", NULL, &model, error);
	if (rc < 0) {
		return rc;
	}
	if (!facts.has_quorum) {
		return vrms_error_set(error, -ENOTCONN, "this partition has no quorum");
	}
	*ret_arrived = have_arrived(course, model);
	return vrms_live_is_idle(facts.controller, ret_idle, error);
}

/* Until all VMs are where they were told to go and nothing else goes on. */
static int wait_for(const struct course *course, int64_t timeout_ms, struct vrms_error *error)
{
	int64_t begin_ms = vrms_clock_now_ms(vrms_clock_system()), idle_ms = 0;

	for (;;) {
		int64_t now_ms = vrms_clock_now_ms(vrms_clock_system());
		bool arrived = false, idle = false;
		int rc = look(course, &arrived, &idle, error);

		if (rc < 0 || (arrived && idle)) {
			return rc;
		}
		idle_ms = !idle ? 0 : idle_ms == 0 ? now_ms : idle_ms;
		if (idle && now_ms - idle_ms > IDLE_ELSEWHERE_MS) {
			return vrms_error_set(error, -ECANCELED,
					      "Pacemaker is idle and has not done all moves of "
					      "this step; \"crm_simulate -sL\" tells why");
		}
		if (now_ms - begin_ms > timeout_ms) {
			return vrms_error_set(error, -ETIMEDOUT, "not done within %lld s",
					      (long long)timeout_ms / 1000);
		}
		rc = pause_for(POLL_MS, error);
		if (rc < 0) {
			return rc;
		}
	}
}

/* ---- rounds */

static int write_batch(const struct vrms_desk *desk, struct course *course, int64_t timeout_ms,
		       struct vrms_error *error)
{
	char *after VRMS_CLEANUP(vrms_freep) = NULL;
	char until[32];
	struct vrms_cib_steering steering = {.moves = course->moves,
					     .move_count = course->end - course->first,
					     .until = until};
	int rc;

	now_plus(timeout_ms / 1000 + LIFE_SPARE_S, until);
	rc = vrms_cib_steer(desk->text, &steering, &after, error);
	if (rc == 0 && after != NULL) {
		rc = vrms_live_change(desk->text, after, error);
	}
	if (rc == 0) {
		memcpy(course->until, until, sizeof(until));
	}
	return rc;
}

static int check_peace(const struct vrms_desk *desk, const struct course *course,
		       struct vrms_error *error)
{
	if (!desk->facts.has_quorum) {
		return vrms_error_set(error, -ENOTCONN,
				      "this partition has no quorum: nothing is changed");
	}
	if (vrms_steer_is_busy(&desk->facts) && strcmp(desk->facts.until, course->until) != 0) {
		return vrms_error_set(error, -EBUSY,
				      "VMs are being moved already (until %s at most); \"vrms plan "
				      "--clear\" forgets moves that nobody waits for",
				      desk->facts.until);
	}
	return 0;
}

static void tell(const struct vrms_steer *steer, const struct course *course)
{
	for (int i = course->first; i < course->end && !steer->quiet; i++) {
		const struct leg *leg = &course->legs[i];

		fprintf(stderr, "%s %s: %s -> %s\n", vrms_move_kind_name(leg->kind), leg->vm,
			leg->from[0] != '\0' ? leg->from : "-", leg->to);
	}
}

/* Goes on as decided, or decides anew when things are not as they were meant to be, or when
 * all of it is done: there may be more to do.
 */
static int choose(const struct vrms_steer *steer, struct vrms_desk *desk, struct course *course,
		  struct vrms_error *error)
{
	int rc;

	if (is_on_course(course, desk->model) && course->end < course->count) {
		return 0;
	}
	rc = steer->decide(desk, steer->options, error);
	rc = rc < 0 ? rc : vrms_cib_check_moves(desk->text, desk->model, desk->outcome, error);
	if (rc == 0 && course->done > 2 * vrms_model_vm_count(desk->model) + SPARE_MOVES) {
		rc = vrms_error_set(error, -ECANCELED, "VMs do not stay where they are moved");
	}
	return rc < 0 ? rc : take(course, desk, error);
}

/* Carries out one batch; *ret_done: there was nothing to do. */
static int go_round(const struct vrms_steer *steer, struct course *course, bool *ret_done,
		    struct vrms_error *error)
{
	struct vrms_desk desk = {0};
	int64_t timeout_ms = steer->options->timeout_ms;
	int rc = vrms_desk_open(&desk, steer->options, error);

	rc = rc < 0 ? rc : check_peace(&desk, course, error);
	rc = rc < 0 ? rc : choose(steer, &desk, course, error);
	*ret_done = rc == 0 && !next_batch(course);
	if (rc == 0 && !*ret_done) {
		rc = write_batch(&desk, course, timeout_ms, error);
	}
	vrms_desk_close(&desk);
	if (rc < 0 || *ret_done) {
		course->end = course->first; /* not begun */
		return rc;
	}
	tell(steer, course);
	course->left -= course->end - course->first;
	course->done += course->end - course->first;
	return wait_for(course, timeout_ms, error);
}

static int do_moves(const struct vrms_steer *steer, struct course *course, struct vrms_error *error)
{
	int stale = 0, rc;
	bool done = steer->decide == NULL;

	/* A fail-over under way comes first. */
	rc = done ? 0 : wait_for(course, steer->options->timeout_ms, error);
	for (int round = 0; rc == 0 && !done && round < ROUNDS_MAX; round++) {
		rc = pause_for(0, error); /* the last one may not have had to wait */
		rc = rc < 0 ? rc : go_round(steer, course, &done, error);
		if (rc == -ESTALE && stale++ < VRMS_DESK_TRIES) {
			rc = pause_for(STALE_MS, error);
		}
	}
	return rc;
}

/* The lists are for VMs that have moved meanwhile. */
static int refresh_lists(const struct vrms_steer *steer, struct vrms_error *error)
{
	struct vrms_desk_options options = *steer->options;
	int rc = -ESTALE;

	options.keep = true; /* in the form in which they are there */
	for (int tries = 0; rc == -ESTALE && tries < 2 * VRMS_DESK_TRIES; tries++) {
		struct vrms_desk desk = {0};
		char *after VRMS_CLEANUP(vrms_freep) = NULL;

		vrms_clock_sleep_ms(vrms_clock_system(), tries > 0 ? STALE_MS : 0);
		rc = vrms_desk_open(&desk, &options, error);
		if (rc == 0 && desk.facts.has_lists) {
			rc = vrms_desk_list(&desk, 1, error);
			rc = rc < 0 ? rc : vrms_desk_edit(&desk, &options, &after, error);
			if (rc == 0 && after != NULL) {
				rc = vrms_live_change(desk.text, after, error);
			}
		}
		vrms_desk_close(&desk);
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "fail-over lists") : 0;
}

int vrms_steer_run(const struct vrms_steer *steer, struct vrms_error *error)
{
	struct course course = {.left = steer->moves_max};
	struct vrms_error later;
	int rc, undone;

	hold_signals();
	rc = do_moves(steer, &course, error);
	if (rc == 0 && (course.until[0] != '\0' || steer->close != NULL || steer->reopen != NULL)) {
		const struct vrms_cib_steering end = {.close = steer->close,
						      .reopen = steer->reopen};

		rc = settle(&end, error);
	} else if (course.until[0] != '\0') {
		undone = settle(&(struct vrms_cib_steering){0}, &later);
		if (undone < 0) {
			fprintf(stderr, "the moves stay in the CIB until %s: %s\n", course.until,
				later.text);
		}
	}
	forget(&course);
	return rc < 0 ? rc : refresh_lists(steer, error);
}
