/* record.h - what is written down while a simulation runs: failures, memberships, steps, broken
 * rules.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_RECORD_H
#define VRMS_SIMULATOR_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "simulator/scheduler.h"

/* X(NAME, "name", "what must never happen") */
#define VRMS_SIM_RULES(X)                                                                    \
	X(TWO_COPIES, "two-copies", "a VM runs on two hosts")                                \
	X(UNFENCED_START, "unfenced-start",                                                  \
	  "a VM is started before its old host is fenced or has stopped it")                 \
	X(NO_QUORUM_START, "no-quorum-start", "a partition without quorum starts a VM")      \
	X(LEFT_DOWN, "left-down", "a VM that can run does not in the end")                   \
	X(LEFT_UP, "left-up", "a VM that is not meant to run does in the end")               \
	X(OVER_CAPACITY, "over-capacity", "a host is given more memory than it has")         \
	X(WRONG_FENCE, "wrong-fence", "a host is fenced although the verdict had to refuse") \
	X(AFFINITY, "affinity", "a VM is put where a rule about VMs and nodes forbids it")

#define VRMS_SIM_RULE_ENUM(name, word, text) VRMS_SIM_RULE_##name,
enum vrms_sim_rule { VRMS_SIM_RULES(VRMS_SIM_RULE_ENUM) VRMS_SIM_RULE_COUNT };
#undef VRMS_SIM_RULE_ENUM

const char *vrms_sim_rule_word(enum vrms_sim_rule rule);
const char *vrms_sim_rule_text(enum vrms_sim_rule rule);

/* X(NAME, "text"): a step of a failure as it unfolds */
#define VRMS_SIM_STEPS(X)                                        \
	X(FAULT, "fault")                                        \
	X(TOKEN_LOST, "token lost")                              \
	X(MEMBERSHIP, "new membership")                          \
	X(REJOINED, "back in the membership")                    \
	X(QUORUM_LOST, "quorum lost")                            \
	X(QUORUM, "quorum gained")                               \
	X(DC, "DC elected")                                      \
	X(NOTICED, "failure reported")                           \
	X(FENCE_ASKED, "fencing asked for")                      \
	X(FENCE_REFUSED, "fence refused: the node has returned") \
	X(FENCE_FAILED, "fence device failed")                   \
	X(POWER_OFF, "power switched off")                       \
	X(FENCED, "fenced")                                      \
	X(START, "start begun")                                  \
	X(RUNNING, "running")                                    \
	X(START_FAILED, "start failed")                          \
	X(STOP, "stop begun")                                    \
	X(STOPPED, "stopped")                                    \
	X(STOP_FAILED, "stop failed")                            \
	X(MIGRATE, "live migration begun")                       \
	X(MIGRATED, "migrated")                                  \
	X(NO_ROOM, "no host has room for it")                    \
	X(OVER, "it ends by itself")                             \
	X(BOOTED, "host is up")                                  \
	X(ONLINE, "host takes guests")                           \
	X(TOKEN, "token changed")

#define VRMS_SIM_STEP_ENUM(name, text) VRMS_SIM_STEP_##name,
enum vrms_sim_step_kind { VRMS_SIM_STEPS(VRMS_SIM_STEP_ENUM) VRMS_SIM_STEP_COUNT };
#undef VRMS_SIM_STEP_ENUM

const char *vrms_sim_step_text(enum vrms_sim_step_kind kind);

struct vrms_sim_step {
	int64_t at_us;
	int32_t failure; /* -1: none */
	int32_t node;    /* -1: none */
	int32_t vm;      /* -1: none */
	int16_t kind;
	int16_t fault;  /* of FAULT: its kind */
	int32_t detail; /* MEMBERSHIP: how many members; TOKEN: milliseconds */
	int32_t zero;   /* fills the last word: steps are compared as bytes */
};

/* One failure of a host (or of a VM: node >= 0 is where it ran). -1: has not happened. */
struct vrms_sim_failure {
	int64_t at_us, detected_us, asked_us, fenced_us, started_us, running_us;
	int32_t node, vm;
	int16_t fault;
	bool settled, no_room; /* no_room: some VM of it found no host at first */
	int32_t vms, waiting;  /* displaced; not yet running again */
	double bound;          /* lowest possible highest load, when they were placed */
	double max_over_mean, cv, jain, gap; /* of memory, once all run again; -1: not known */
};

struct vrms_sim_membership {
	int64_t at_us;
	int32_t members, lowest; /* lowest node */
	bool quorate;
};

struct vrms_sim_broken {
	int64_t at_us;
	int32_t node, vm;
	int16_t rule;
};

/* A growing series of numbers. */
struct vrms_sim_series {
	double *value;
	size_t count, capacity;
};

/* Levels of CPU demand, added up over the looks at it; shares of the hosts' cores. */
struct vrms_sim_load_record {
	int64_t looks, nodes, overloaded; /* nodes: of all looks; overloaded: of them above 1 */
	double mean, max_over_mean, cv, jain, peak;
};

struct vrms_sim_record {
	struct vrms_sim_failure *failure;
	size_t failure_count, failure_capacity;
	struct vrms_sim_membership *membership;
	size_t membership_count, membership_capacity;
	struct vrms_sim_step *step;
	size_t step_count, step_capacity, step_limit;
	struct vrms_sim_broken broken[64];
	int64_t broken_count; /* may exceed 64 */
	int64_t rule_count[VRMS_SIM_RULE_COUNT];

	struct vrms_sim_series recover_ms; /* cut to VM running, each VM */
	int64_t fences, needless_fences, failed_fences, refused_fences;
	int64_t mistakes, reformed;
	struct vrms_sim_series mistake_ms;
	int64_t migrations, starts, failed_starts, failed_stops, quorum_losses;
	int64_t token_changes, token_us_min, token_us_max; /* in force on the lowest node */
	double token_sum;                                  /* us times us of simulated time */
	int64_t token_since_us, token_us;
	int64_t lost_us; /* sum over VMs */
	struct vrms_sim_load_record load;
	struct vrms_sim_agreement agreement; /* with the other scheduler */
	bool out_of_memory;
};

void vrms_sim_record_done(struct vrms_sim_record *record);

/* All of these set out_of_memory instead of failing. */
void vrms_sim_series_add(struct vrms_sim_record *record, struct vrms_sim_series *series,
			 double value);
/* A failure that has just happened, of which nothing is known yet.  vm: -1 for a node's. */
struct vrms_sim_failure vrms_sim_failure_at(int64_t at_us, int node, int vm, int fault);
int vrms_sim_record_failure(struct vrms_sim_record *record, const struct vrms_sim_failure *failure);
void vrms_sim_record_membership(struct vrms_sim_record *record,
				const struct vrms_sim_membership *membership);
void vrms_sim_record_step(struct vrms_sim_record *record, const struct vrms_sim_step *step);
/* The token in force from at_us on. */
void vrms_sim_record_token(struct vrms_sim_record *record, int64_t at_us, int64_t token_us);
void vrms_sim_record_broken(struct vrms_sim_record *record, const struct vrms_sim_broken *broken);

/* The value that a share (0..1) of the series does not exceed: nearest rank; 0 when empty.  Sorts
 * it. */
double vrms_sim_series_quantile(struct vrms_sim_series *series, double share);

#endif
