/* vm_journey.h - one live migration on its way: begun, followed, helped along, ended in time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_VM_JOURNEY_H
#define VRMS_AGENTS_VM_JOURNEY_H

#include "agents/vm.h"
#include "agents/vm_peers.h"

/* A live migration: the plan is the caller's, the rest is filled on the way. */
struct vrms_journey {
	/* The plan. */
	struct vrms_vm *vm;
	const struct vrms_domain_id *id;
	struct vrms_migrate_options options;
	char local_uri[VRMS_URI_BYTES];
	char target_uri[VRMS_URI_BYTES];
	char migrate_uri[VRMS_URI_BYTES]; /* "": the target says */
	unsigned int flags;               /* virDomainMigrateFlags */
	bool wants_post_copy;             /* after the first pass */
	struct vrms_hypervisor *target;   /* NULL when it could not be set up */

	int64_t started_ms;
	int64_t logged_ms;
	bool is_underway; /* begun, and its outcome is not known */
	bool is_post_copy;
	bool is_suspended;
};

/* Limits the next calls to a moment, and never longer than the action has. */
void vrms_journey_limit_call(const struct vrms_vm *vm, struct vrms_hypervisor *hypervisor);

/* Begins the migration and follows it to its end.
 *
 * Ends a pre-copy that is too slow early enough to see it ended.  A post-copy
 * cannot turn back and is only waited for.
 * Returns 0 when the machine has left, or what it failed of: -ETIMEDOUT also
 * when it may still be under way (see is_underway).
 */
VRMS_MUST_CHECK int vrms_journey_travel(struct vrms_journey *journey, struct vrms_error *error);

#endif
