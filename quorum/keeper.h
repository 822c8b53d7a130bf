/* keeper.h - when the plan is looked at: by one member, not too often, and never in trouble.
 *
 * Pure.  The look itself ("vrms plan --keep") is a process; this core says when it is to begin
 * and when it has to end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_KEEPER_H
#define VRMS_QUORUM_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

struct vrms_keeper_config {
	int64_t interval_ms; /* between two beginnings */
	int64_t settle_ms;   /* quiet time after a change of the membership */
	int64_t limit_ms;    /* a look may take so long */
	int64_t grace_ms;    /* and so long to end when it was asked to */
};

struct vrms_keeper {
	struct vrms_keeper_config config;
	bool has_begun, is_running;
	int64_t begun_ms, asked_ms; /* asked_ms: to end; 0: not asked */
};

struct vrms_keeper_event {
	int64_t now_ms;
	int64_t changed_ms; /* when the membership changed last */
	bool is_chosen; /* the member with the lowest number of a quorate partition, and staying */
};

enum vrms_keeper_step {
	VRMS_KEEPER_WAIT,
	VRMS_KEEPER_BEGIN, /* start the process; it counts as running from now on */
	VRMS_KEEPER_END,   /* ask it to end */
	VRMS_KEEPER_KILL,
};

void vrms_keeper_init(struct vrms_keeper *keeper, const struct vrms_keeper_config *config);

enum vrms_keeper_step vrms_keeper_step(struct vrms_keeper *keeper,
				       const struct vrms_keeper_event *event);

/* The process has ended, or could not be started. */
void vrms_keeper_ended(struct vrms_keeper *keeper);

#endif
