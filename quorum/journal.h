/* journal.h - the flight recorder: one JSON object a line, rotated, never in the way.
 *
 * Every line has
 *   "v"        1, the version of this format
 *   "seq"      grows by one; a gap is a line that could not be written
 *   "mono_ms"  CLOCK_MONOTONIC of the node
 *   "wall"     UTC, "2026-11-23T03:15:48.123Z"
 *   "node"     name of the node that writes
 *   "event"    what it is about: "ring", "token", "vm", ...
 * and the fields of the event, documented in vrmsd(8).  "reason" is a name from
 * quorum/reason.h, "text" its sentence.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_JOURNAL_H
#define VRMS_QUORUM_JOURNAL_H

#include <jansson.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"

struct vrms_journal_config {
	const char *path;
	const char *node;
	uint64_t size_max; /* bytes; a larger file is renamed to PATH.1, .1 to .2 ... */
	unsigned keep;     /* how many old ones stay, 1..9 */
};

struct vrms_journal; /* opaque */

/* Opens it for appending, making its folder. */
VRMS_MUST_CHECK int vrms_journal_open(const struct vrms_journal_config *config,
				      struct vrms_journal **ret_journal, struct vrms_error *error);

/* Writes what waits, for at most two seconds.  Accepts NULL. */
void vrms_journal_free(struct vrms_journal *journal);
VRMS_DEFINE_CLEANUP(struct vrms_journal *, vrms_journal_free);

/* Hands one line to the thread that writes.  Takes over `fields` (also on failure).
 *
 * Never waits for the disk.  -ENOBUFS: 1024 lines wait already; -ENOMEM.  A line that was not
 * written is gone, and its number shows.
 */
int vrms_journal_write(struct vrms_journal *journal, int64_t now_ms, const char *event,
		       json_t *fields);

#endif
