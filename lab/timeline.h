/* timeline.h - what the logs of the surviving nodes say about a fail-over, in seconds since the
 * cut.
 *
 * Pure.  Lines of corosync's and Pacemaker's logs go in, in any order and from
 * any number of nodes; each event is kept once, at the earliest time that any
 * node saw it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_TIMELINE_H
#define VRMS_LAB_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum vrms_timeline_kind {
	VRMS_TIMELINE_CUT,         /* the power went: at 0, not from a log */
	VRMS_TIMELINE_TOKEN_LOST,  /* corosync missed the token */
	VRMS_TIMELINE_MEMBERSHIP,  /* corosync formed the membership without the node */
	VRMS_TIMELINE_FENCE_ASKED, /* Pacemaker asked for the node's fencing */
	VRMS_TIMELINE_FENCED,      /* the fence device confirmed it */
	VRMS_TIMELINE_VM_START,    /* a VM's start was ordered; subject, node */
	VRMS_TIMELINE_VM_STARTED,  /* the agent's start succeeded; subject, node */
	VRMS_TIMELINE_VM_FAILED,   /* the agent's start failed; subject, node */
	VRMS_TIMELINE_GUEST_LIVES, /* the guest counts again: not from a log; subject, node */
	VRMS_TIMELINE_KIND_COUNT
};

enum { VRMS_TIMELINE_NAME_SIZE = 64, VRMS_TIMELINE_EVENTS_MAX = 512 };

struct vrms_timeline_event {
	enum vrms_timeline_kind kind;
	int64_t after_ms;                      /* since the cut */
	char subject[VRMS_TIMELINE_NAME_SIZE]; /* the VM or the node that was lost; "" */
	char node[VRMS_TIMELINE_NAME_SIZE];    /* where, for VM events; "" */
	bool told;                             /* for the caller: it was shown */
};

struct vrms_timeline {
	struct tm cut; /* local time, whole seconds, as the logs write it */
	int cut_ms;    /* 0..999 */
	char victim[VRMS_TIMELINE_NAME_SIZE];
	struct vrms_timeline_event events[VRMS_TIMELINE_EVENTS_MAX]; /* in order of time */
	size_t count;
};

/* Starts a timeline with its CUT event.
 *
 * cut, cut_ms: the moment of the power cut in local time; cut is copied.
 * victim:      the name of the node that was cut.
 */
void vrms_timeline_init(struct vrms_timeline *timeline, const struct tm *cut, int cut_ms,
			const char *victim);

/* Takes in one log line without its newline.
 *
 * A line from before the cut, or that says nothing of interest, changes nothing.
 * Returns true when the timeline has become richer or an event earlier.
 */
bool vrms_timeline_read(struct vrms_timeline *timeline, const char *line);

/* Takes in an event that no log has.  subject and node may be NULL.  Returns as _read() does. */
bool vrms_timeline_add(struct vrms_timeline *timeline, enum vrms_timeline_kind kind,
		       int64_t after_ms, const char *subject, const char *node);

/* The event of this kind about `subject` (NULL: any); NULL when there is none. */
const struct vrms_timeline_event *vrms_timeline_find(const struct vrms_timeline *timeline,
						     enum vrms_timeline_kind kind,
						     const char *subject);

/* "power cut", "token lost" ...: for people; and "token_lost" ...: for programs. */
const char *vrms_timeline_kind_text(enum vrms_timeline_kind kind);
const char *vrms_timeline_kind_word(enum vrms_timeline_kind kind);

#endif
