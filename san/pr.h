/* pr.h - persistent reservations as decisions: what is on the LUN in, the next command out.
 *
 * Pure.  One job works on one LUN.  It decides from what it has last seen there, not from what it
 * meant to do: after every command that changes keys or reservation it looks again.
 * Source: SPC-4, 5.13 "Persistent reservations".
 *
 * The reservation is Write Exclusive, Registrants Only, and its holder is a key of the cluster
 * that is no node's (vrms_pr_job.cluster_key): so neither the fence nor the stop of a node can
 * take the reservation away from the others.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SAN_PR_H
#define VRMS_SAN_PR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	VRMS_PR_KEYS_MAX = 511, /* what READ KEYS returns in 4096 bytes */
	VRMS_PR_SUBJECTS_MAX = 2,
	VRMS_PR_FAMILIES_MAX = 2,
	VRMS_PR_WERO = 5, /* Write Exclusive, Registrants Only */
	VRMS_PR_WEAR = 7, /* Write Exclusive, All Registrants */
};

/* What READ KEYS and READ RESERVATION say. */
struct vrms_pr_view {
	size_t key_count;
	uint64_t keys[VRMS_PR_KEYS_MAX]; /* one for each registered path: duplicates happen */
	uint32_t generation; /* grows with each change; a target that forgets begins anew */
	bool is_reserved;
	uint64_t holder; /* 0 when all registrants hold it */
	unsigned type;
};

/* Keys that tell by their form whose they are: (key & mask) == value. */
struct vrms_pr_family {
	uint64_t mask, value;
};

enum vrms_pr_goal {
	VRMS_PR_OFF,     /* subjects have no key, and an unregistered write was seen refused */
	VRMS_PR_ON,      /* the first subject has a key, and the LUN is reserved */
	VRMS_PR_RELEASE, /* subjects have no key; a clean farewell, nothing is proved */
};

/* X(name, text): why a job failed. */
#define VRMS_PR_REASONS(X)                                                                       \
	X(NONE, "no failure")                                                                    \
	X(STRANGER, "the reservation is held by a key that belongs to no node of this cluster")  \
	X(TYPE, "the reservation is of a type that does not shut out unregistered writers only") \
	X(FOREIGN, "a key that belongs to no node of this cluster is registered")                \
	X(UNSUPPORTED, "the target has no persistent reservations")                              \
	X(UNREACHABLE, "no portal can be used")                                                  \
	X(STUBBORN, "the key or the reservation changes again after each command")               \
	X(NOT_REFUSED, "a write of an initiator without a key was not refused")                  \
	X(UNPROVED, "a write of an initiator without a key was neither done nor refused")        \
	X(REFUSED, "the target refuses the command")                                             \
	X(ATTENTION, "the target answers with unit attentions only")

enum vrms_pr_reason {
#define VRMS_PR_ENUM(name, text) VRMS_PR_REASON_##name,
	VRMS_PR_REASONS(VRMS_PR_ENUM)
#undef VRMS_PR_ENUM
};

const char *vrms_pr_reason_text(enum vrms_pr_reason reason);

enum vrms_pr_step_kind {
	VRMS_PR_READ,     /* READ KEYS and READ RESERVATION, then vrms_pr_seen() */
	VRMS_PR_REGISTER, /* REGISTER AND IGNORE EXISTING KEY */
	VRMS_PR_RESERVE,
	VRMS_PR_PREEMPT, /* AND ABORT if .abort */
	VRMS_PR_SETTLE,  /* wait until writes that were under way are through */
	VRMS_PR_PROBE,   /* a write of no blocks from a session that never registered */
	VRMS_PR_UNREGISTER,
	VRMS_PR_DONE,
	VRMS_PR_FAILED,
};

enum vrms_pr_party {
	VRMS_PR_CLUSTER, /* the session that holds the reservation and preempts */
	VRMS_PR_NODE,    /* a session in the name of the node: registers its key */
	VRMS_PR_VICTIM,  /* a session in the name of the victim, never registered */
};

struct vrms_pr_step {
	enum vrms_pr_step_kind kind;
	enum vrms_pr_party party;
	uint64_t key;               /* the party's own; REGISTER: the one to register */
	uint64_t subject;           /* PREEMPT: whose registrations go */
	bool abort;                 /* PREEMPT: with its commands under way */
	bool aptpl;                 /* REGISTER: to be kept over a power loss of the target */
	enum vrms_pr_reason reason; /* FAILED */
};

enum vrms_pr_answer {
	VRMS_PR_GOOD,
	VRMS_PR_CONFLICT, /* RESERVATION CONFLICT */
	VRMS_PR_UNKNOWN,  /* ILLEGAL REQUEST: the target does not know this command */
	VRMS_PR_AGAIN,    /* UNIT ATTENTION, BUSY, TASK SET FULL */
	VRMS_PR_LOST,     /* the path is gone, or gave no answer in time */
	VRMS_PR_OTHER,    /* any other status */
};

struct vrms_pr_job {
	/* Set by the caller before the first step; the rest zeroed. */
	enum vrms_pr_goal goal;
	uint64_t cluster_key;
	uint64_t
	    subjects[VRMS_PR_SUBJECTS_MAX]; /* the node's key first, then its guests'; 0: none */
	const uint64_t *known;              /* every key of this cluster; borrowed */
	size_t known_count;
	/* Forms of this cluster's keys, of former nodes too; those without a mask are none. */
	struct vrms_pr_family families[VRMS_PR_FAMILIES_MAX];
	/* OFF: a key of neither kind is not the victim's, the admin says. */
	bool lets_foreign_be;
	unsigned path_count; /* portals of this LUN */

	/* The state. */
	unsigned path; /* which portal is in use */
	struct vrms_pr_view view;
	bool has_view;
	bool is_registered; /* the cluster's session, on this path */
	bool is_holder;     /* and it has the reservation itself: it must stay registered */
	bool without_abort, without_aptpl;
	bool has_aborted; /* a preempt took the victim's commands under way with it */
	bool is_dirty;    /* another did not, or nobody knows */
	bool is_settled;
	bool is_proved;
	bool is_finished;
	unsigned again_count, round_count;
	enum vrms_pr_reason reason;
};

/* The next command.  Asking twice without an answer gives the same step. */
void vrms_pr_next(struct vrms_pr_job *job, struct vrms_pr_step *ret_step);

/* What became of the last step; a READ that worked goes to vrms_pr_seen() instead. */
void vrms_pr_answered(struct vrms_pr_job *job, enum vrms_pr_answer answer);
void vrms_pr_seen(struct vrms_pr_job *job, const struct vrms_pr_view *view);

bool vrms_pr_view_has(const struct vrms_pr_view *view, uint64_t key);
/* The first key of the view that is neither known nor of a family of the job; 0: there is none.
 * It may be anybody's, a node's own kernel included. */
uint64_t vrms_pr_foreign_key(const struct vrms_pr_job *job, const struct vrms_pr_view *view);
/* True when the reservation refuses the writes of everybody without a key. */
bool vrms_pr_view_shuts_out(const struct vrms_pr_view *view);

/* "READ", "REGISTER AND IGNORE EXISTING KEY", ...: for logs. */
const char *vrms_pr_step_name(const struct vrms_pr_step *step);
/* "GOOD", "RESERVATION CONFLICT", ... */
const char *vrms_pr_answer_name(enum vrms_pr_answer answer);
/* "write exclusive, registrants only", ... */
const char *vrms_pr_type_name(unsigned type);

#endif
