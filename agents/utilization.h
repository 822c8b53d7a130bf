/* utilization.h - keep a resource's utilization attributes in the CIB equal to its domain's size.
 *
 * Pacemaker's client libraries cost 5 ms of CPU to load and 3 ms more when they
 * are linked into a program that has libvirt already (measured), and the
 * attributes hardly ever change.  So the work is done by a program of its own,
 * $(libexecdir)/vrms/vm-utilization, that the agent turns into as its very
 * last step (exec, no fork) and that ends with the agent's exit code.  It
 * remembers in a file what it has proved to be in the CIB, and the agent skips
 * it while that is what is wanted.
 *
 * Use, at the end of a start, migrate_from or monitor that found the domain healthy:
 *
 *     if (vrms_utilization_is_due(&wanted, now_s)) {
 *             vrms_utilization_exec(&wanted, exit_code, timeout_ms);
 *     }
 *     return exit_code;
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_UTILIZATION_H
#define VRMS_AGENTS_UTILIZATION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

enum vrms_utilization_what {
	VRMS_UTILIZATION_CPU,         /* attribute "cpu": virtual CPUs */
	VRMS_UTILIZATION_HOST_MEMORY, /* "host_memory": the domain's maximum memory, MiB */
	VRMS_UTILIZATION_HV_MEMORY,   /* "hv_memory": the same number, MiB */
	VRMS_UTILIZATION_COUNT
};

enum vrms_utilization_wish {
	VRMS_UTILIZATION_LEAVE, /* autoset false, unset false */
	VRMS_UTILIZATION_SET,   /* autoset true; it wins over unset as in VirtualDomain */
	VRMS_UTILIZATION_UNSET, /* autoset false, unset true */
};

struct vrms_utilization {
	const char *resource; /* id of the resource (OCF_RESOURCE_INSTANCE) */
	struct {
		enum vrms_utilization_wish wish;
		uint64_t value; /* for SET */
	} items[VRMS_UTILIZATION_COUNT];
};

/* True when something is wished that was not proved to be so in the last VRMS_VM_CACHE_AGE_MAX_S.
 * now_s: seconds since the epoch. */
bool vrms_utilization_is_due(const struct vrms_utilization *wanted, int64_t now_s);

/* Becomes the program that does it and then exits with exit_code, whatever comes out.
 *
 * timeout_ms: what is left for the whole action; the program takes at most 5 s of it.
 * Returns only when that program cannot be run: -errno of execve(2).
 */
int vrms_utilization_exec(const struct vrms_utilization *wanted, int exit_code, int64_t timeout_ms,
			  struct vrms_error *error);

/* --- For the program itself, and tests ------------------------------------------------ */

enum { VRMS_UTILIZATION_WORD_BYTES = 64 };

/* "cpu", "host_memory", "hv_memory". */
const char *vrms_utilization_name(enum vrms_utilization_what what);

/* Writes one wish as a word: "cpu=2" for SET, "cpu=" for UNSET, "" for LEAVE. */
void vrms_utilization_word(const struct vrms_utilization *wanted, enum vrms_utilization_what what,
			   char word[VRMS_UTILIZATION_WORD_BYTES]);

/* Reads such a word into *wanted.  Errors: -EINVAL, -ERANGE. */
VRMS_MUST_CHECK int vrms_utilization_parse_word(const char *word, struct vrms_utilization *wanted,
						struct vrms_error *error);

/* Remembers that the CIB has been seen to hold exactly what is wanted. */
VRMS_MUST_CHECK int vrms_utilization_record(const struct vrms_utilization *wanted,
					    struct vrms_error *error);

#endif
