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
	IDLE_ELSEWHERE_MS = 8000, /* idle for so long with VMs elsewhere: Pacemaker's own choice */
	LIFE_SPARE_S = 120,       /* constraints live longer than a batch may take */
	ROUNDS_MAX = 100000,
};

/* A batch under way.  Names are copies: the model they come from is replaced meanwhile. */
struct batch {
	struct vrms_cib_move *moves;
	char **texts; /* what `moves` points to */
	int count;
	char until[32]; /* "": nothing of ours is in the CIB */
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

static void free_batch(struct batch *batch)
{
	for (int i = 0; i < 2 * batch->count; i++) {
		free(batch->texts[i]);
	}
	free(batch->texts);
	free(batch->moves);
	batch->texts = NULL;
	batch->moves = NULL;
	batch->count = 0;
}

/* The first batch of the outcome, at most `limit` moves. */
static int take_batch(struct batch *batch, const struct vrms_desk *desk, int limit,
		      struct vrms_error *error)
{
	const struct vrms_outcome *outcome = desk->outcome;
	int count = 0;

	while (count < outcome->move_count && count < limit &&
	       outcome->moves[count].batch == outcome->moves[0].batch) {
		count++;
	}
	free_batch(batch);
	batch->moves = calloc((size_t)count + 1, sizeof(*batch->moves));
	batch->texts = calloc(2 * (size_t)count + 1, sizeof(*batch->texts));
	if (batch->moves == NULL || batch->texts == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	batch->count = count;
	for (int i = 0; i < count; i++) {
		const struct vrms_move *move = &outcome->moves[i];

		batch->texts[2 * i] = strdup(vrms_model_vm_name(desk->model, move->vm));
		batch->texts[2 * i + 1] = strdup(vrms_model_node_name(desk->model, move->to));
		if (batch->texts[2 * i] == NULL || batch->texts[2 * i + 1] == NULL) {
			return vrms_error_set(error, -ENOMEM, "out of memory");
		}
		batch->moves[i] =
		    (struct vrms_cib_move){batch->texts[2 * i], batch->texts[2 * i + 1]};
	}
	return 0;
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

		rc = vrms_live_query(&before, error);
		rc = rc < 0 ? rc : vrms_cib_steer(before, steering, &after, error);
		if (rc == 0 && after != NULL) {
			rc = vrms_live_change(before, after, error);
		}
	}
	return rc;
}

/* ---- waiting */

static bool have_arrived(const struct batch *batch, const struct vrms_model *model)
{
	for (int i = 0; i < batch->count; i++) {
		int vm = vrms_model_find_vm(model, batch->moves[i].vm);
		int node = vrms_model_find_node(model, batch->moves[i].node);

		/* A VM that was deleted meanwhile has nowhere to arrive. */
		if (vm >= 0 && vrms_model_vm_host(model, vm) != node) {
			return false;
		}
	}
	return true;
}

static int look(const struct batch *batch, bool *ret_arrived, bool *ret_idle,
		struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = NULL;
	struct vrms_cib_facts facts;
	int rc = vrms_live_query(&text, error);

	rc = rc < 0 ? rc : vrms_cib_facts_read(text, &facts, error);
	rc = rc < 0 ? rc : vrms_import_text(text, "live CIB", &model, error);
	if (rc < 0) {
		return rc;
	}
	if (!facts.has_quorum) {
		return vrms_error_set(error, -ENOTCONN, "this partition has no quorum");
	}
	*ret_arrived = have_arrived(batch, model);
	return vrms_live_is_idle(facts.controller, ret_idle, error);
}

/* Until all VMs are where they were told to go and nothing else goes on. */
static int wait_for(const struct batch *batch, int64_t timeout_ms, struct vrms_error *error)
{
	int64_t begin_ms = vrms_clock_now_ms(vrms_clock_system()), idle_ms = 0;

	for (;;) {
		int64_t now_ms = vrms_clock_now_ms(vrms_clock_system());
		bool arrived = false, idle = false;
		int rc = look(batch, &arrived, &idle, error);

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

static int write_batch(const struct vrms_desk *desk, struct batch *batch, int64_t timeout_ms,
		       struct vrms_error *error)
{
	char *after VRMS_CLEANUP(vrms_freep) = NULL;
	char until[32];
	struct vrms_cib_steering steering = {.moves = batch->moves,
					     .move_count = batch->count,
					     .until = until};
	int rc;

	now_plus(timeout_ms / 1000 + LIFE_SPARE_S, until);
	rc = vrms_cib_steer(desk->text, &steering, &after, error);
	if (rc == 0 && after != NULL) {
		rc = vrms_live_change(desk->text, after, error);
	}
	if (rc == 0) {
		memcpy(batch->until, until, sizeof(until));
	}
	return rc;
}

static int check_peace(const struct vrms_desk *desk, const struct batch *batch,
		       struct vrms_error *error)
{
	if (!desk->facts.has_quorum) {
		return vrms_error_set(error, -ENOTCONN,
				      "this partition has no quorum: nothing is changed");
	}
	if (vrms_steer_is_busy(&desk->facts) && strcmp(desk->facts.until, batch->until) != 0) {
		return vrms_error_set(error, -EBUSY,
				      "VMs are being moved already (until %s at most); \"vrms plan "
				      "--clear\" forgets moves that nobody waits for",
				      desk->facts.until);
	}
	return 0;
}

static void tell(const struct vrms_steer *steer, const struct vrms_desk *desk,
		 const struct batch *batch)
{
	for (int i = 0; i < batch->count && !steer->quiet; i++) {
		const struct vrms_move *move = &desk->outcome->moves[i];

		fprintf(stderr, "%s %s: %s -> %s\n", vrms_move_kind_name(move->kind),
			batch->moves[i].vm,
			move->from < 0 ? "-" : vrms_model_node_name(desk->model, move->from),
			batch->moves[i].node);
	}
}

/* Decides and carries out one batch; *ret_done: there was nothing to do. */
static int go_round(const struct vrms_steer *steer, struct batch *batch, int *left, bool *ret_done,
		    struct vrms_error *error)
{
	struct vrms_desk desk = {0};
	int64_t timeout_ms = steer->options->timeout_ms;
	int rc = vrms_desk_open(&desk, steer->options, error);

	rc = rc < 0 ? rc : check_peace(&desk, batch, error);
	rc = rc < 0 ? rc : steer->decide(&desk, steer->options, error);
	*ret_done = rc == 0 && (desk.outcome->move_count == 0 || *left == 0);
	if (rc == 0 && !*ret_done) {
		rc = take_batch(batch, &desk, *left, error);
		rc = rc < 0 ? rc : write_batch(&desk, batch, timeout_ms, error);
	}
	if (rc == 0 && !*ret_done) {
		tell(steer, &desk, batch);
		*left -= batch->count;
	}
	vrms_desk_close(&desk);
	return rc < 0 || *ret_done ? rc : wait_for(batch, timeout_ms, error);
}

static int do_moves(const struct vrms_steer *steer, struct batch *batch, struct vrms_error *error)
{
	static const struct batch nobody = {0};
	int left = steer->moves_max, stale = 0, rc;
	bool done = steer->decide == NULL;

	/* A fail-over under way comes first. */
	rc = done ? 0 : wait_for(&nobody, steer->options->timeout_ms, error);
	for (int round = 0; rc == 0 && !done && round < ROUNDS_MAX; round++) {
		rc = go_round(steer, batch, &left, &done, error);
		if (rc == -ESTALE && stale++ < VRMS_DESK_TRIES) {
			rc = pause_for(100, error);
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
	struct batch batch = {0};
	struct vrms_error later;
	int rc, undone;

	hold_signals();
	rc = do_moves(steer, &batch, error);
	if (rc == 0 && (batch.until[0] != '\0' || steer->close != NULL || steer->reopen != NULL)) {
		const struct vrms_cib_steering end = {.close = steer->close,
						      .reopen = steer->reopen};

		rc = settle(&end, error);
	} else if (batch.until[0] != '\0') {
		undone = settle(&(struct vrms_cib_steering){0}, &later);
		if (undone < 0) {
			fprintf(stderr, "the moves stay in the CIB until %s: %s\n", batch.until,
				later.text);
		}
	}
	free_batch(&batch);
	return rc < 0 ? rc : refresh_lists(steer, error);
}
