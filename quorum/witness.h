/* witness.h - two child processes that look at the beat area and at corosync's membership.
 *
 * Storage that hangs puts its reader into a sleep that nothing ends, and an exit waits for
 * all threads of a process.  So the looking is done by children, which hold none of
 * the parent's standard files, die with it as soon as the kernel lets
 * them, and are never waited for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_WITNESS_H
#define VRMS_QUORUM_WITNESS_H

#include "common/cleanup.h"
#include "common/error.h"
#include "quorum/judge.h"

struct vrms_witness_config {
	const char *device;    /* the beat area */
	const char *cluster;   /* NULL: any */
	const char *seen_path; /* of this node's daemon */
	const char *node;      /* the target's name */
	int64_t interval_ms;   /* between two looks */
};

struct vrms_witness; /* opaque */

/* Starts both children.  -errno when they cannot be started. */
VRMS_MUST_CHECK int vrms_witness_start(const struct vrms_witness_config *config,
				       struct vrms_witness **ret_witness, struct vrms_error *error);

/* Sends them away without waiting. */
void vrms_witness_free(struct vrms_witness *witness); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_witness *, vrms_witness_free);

/* The port for vrms_judge_run(); times are CLOCK_MONOTONIC. */
struct vrms_witnesses vrms_witness_port(struct vrms_witness *witness);

/* Why the area could not be read, after an UNREADABLE; "" when it is not known. */
const char *vrms_witness_trouble(const struct vrms_witness *witness);

#endif
