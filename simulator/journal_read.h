/* journal_read.h - failures out of the flight recorders of vrmsd (vrmsd(8), journal.jsonl).
 *
 * One journal tells what its node saw; several together, in any order, tell more: whether a
 * node that came back had been rebooted is in its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_JOURNAL_READ_H
#define VRMS_SIMULATOR_JOURNAL_READ_H

#include "simulator/scenario.h"

struct vrms_sim_journal; /* opaque */

/* Is this text such a journal? */
bool vrms_sim_journal_is(const char *text);

/* NULL when out of memory.  Frees nothing of the scenario. */
struct vrms_sim_journal *vrms_sim_journal_new(void);
void vrms_sim_journal_free(struct vrms_sim_journal *journal); /* accepts NULL */

/* Takes in the lines of one file.  -EINVAL names file and line; with skip_bad they are counted in
 * the scenario. */
VRMS_MUST_CHECK int vrms_sim_journal_add(struct vrms_sim_journal *journal, const char *path,
					 const char *text, bool skip_bad,
					 struct vrms_sim_scenario *scenario,
					 struct vrms_error *error);

/* Adds nodes, VMs and faults.
 *
 * sets_cluster: the token that was configured and vrmsd become settings, as no scenario gives them.
 */
VRMS_MUST_CHECK int vrms_sim_journal_finish(struct vrms_sim_journal *journal,
					    struct vrms_sim_scenario *scenario, bool sets_cluster,
					    struct vrms_error *error);

#endif
