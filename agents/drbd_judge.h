/* drbd_judge.h - what the state of a DRBD resource means to the cluster: exit code and score.
 *
 * Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_DRBD_JUDGE_H
#define VRMS_AGENTS_DRBD_JUDGE_H

#include "agents/drbd_state.h"
#include "ocf/exit.h"

/* How much this node should be the promoted one.  Without a score Pacemaker promotes nobody. */
enum vrms_drbd_score {
	VRMS_DRBD_SCORE_NONE = 0, /* the attribute is removed */
	/* Consistent: perhaps not the newest.  The kernel first has the peer outdated. */
	VRMS_DRBD_SCORE_CONSISTENT = 5,
	VRMS_DRBD_SCORE_REMOTE = 10,  /* the good data are reached through a connected peer */
	VRMS_DRBD_SCORE_ALONE = 1000, /* UpToDate; some peer's data are not known */
	VRMS_DRBD_SCORE_BEST = 10000, /* UpToDate, and every peer's data known, or Primary now */
};

/* What is to be said: X(name, Primary's exit code, Secondary's exit code, text). */
#define VRMS_DRBD_FINDINGS(X)                                                                    \
	X(NO_DATA, FAILED_PROMOTED, DEGRADED, "no access to UpToDate data")                      \
	X(QUORUM_LOST, FAILED_PROMOTED, DEGRADED, "quorum lost")                                 \
	X(SUSPENDED_QUORUM, FAILED_PROMOTED, DEGRADED, "I/O suspended: quorum lost")             \
	X(SUSPENDED_NO_DATA, FAILED_PROMOTED, DEGRADED, "I/O suspended: no data")                \
	X(SUSPENDED_FENCING, DEGRADED_PROMOTED, DEGRADED,                                        \
	  "I/O suspended until the peer is fenced")                                              \
	X(SUSPENDED_USER, DEGRADED_PROMOTED, DEGRADED, "I/O suspended by an administrator")      \
	X(SUSPENDED, DEGRADED_PROMOTED, DEGRADED, "I/O suspended")                               \
	X(SPLIT_BRAIN, DEGRADED_PROMOTED, DEGRADED, "split brain: the data have diverged")       \
	X(STANDALONE, DEGRADED_PROMOTED, DEGRADED,                                               \
	  "StandAlone: a split brain, or disconnected by an administrator")                      \
	X(DISKLESS, DEGRADED_PROMOTED, DEGRADED, "Diskless: the data are on a peer only")        \
	X(FAILED, DEGRADED_PROMOTED, DEGRADED, "the disk has failed")                            \
	X(OUTDATED, DEGRADED_PROMOTED, DEGRADED, "Outdated: a peer has newer data")              \
	X(INCONSISTENT, DEGRADED_PROMOTED, DEGRADED, "Inconsistent, and not being synchronized") \
	X(UNKNOWN, DEGRADED_PROMOTED, DEGRADED, "in a state that is not known here")

enum vrms_drbd_finding {
#define VRMS_DRBD_ENUM(name, primary, secondary, text) VRMS_DRBD_FINDING_##name,
	VRMS_DRBD_FINDINGS(VRMS_DRBD_ENUM)
#undef VRMS_DRBD_ENUM
	    VRMS_DRBD_FINDING_COUNT
};

struct vrms_drbd_judgement {
	enum vrms_ocf_exit code; /* SUCCESS, NOT_RUNNING, RUNNING_PROMOTED, DEGRADED... */
	enum vrms_drbd_score score;
	unsigned int findings; /* bit 1 << vrms_drbd_finding */
	char reason[256];      /* "volume 0: Outdated: ..."; "" when there is nothing to say */
};

/* Judges the state.
 *
 * split_brain: the kernel's log told of one (vrms_drbd_log_tells_split_brain).
 */
void vrms_drbd_judge(const struct vrms_drbd_resource *resource, bool split_brain,
		     struct vrms_drbd_judgement *ret_judgement);

/* The score alone; see the table in drbd_judge.c. */
enum vrms_drbd_score vrms_drbd_score_of(const struct vrms_drbd_resource *resource);

/* True when some connection is StandAlone: then the kernel's log is worth a look. */
bool vrms_drbd_is_standalone(const struct vrms_drbd_resource *resource);

/* True when the log's last word about the resource's connections is a split brain.
 *
 * log: lines of the kernel's log, oldest first, with or without their prefixes.
 * Source: "Split-Brain detected but unresolved, dropping connection!" by "block drbdMINOR"
 * (8.4) and "drbd NAME/VOLUME drbdMINOR PEER" (9); a later handshake makes it history.
 */
bool vrms_drbd_log_tells_split_brain(const char *log, const struct vrms_drbd_resource *resource);

#endif
