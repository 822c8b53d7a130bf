/* schedule_facts.h - what the repository says of a VM, as the schedule wants to know it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_SCHEDULE_FACTS_H
#define VRMS_BACKUP_SCHEDULE_FACTS_H

#include <jansson.h>

#include "backup/point.h"
#include "backup/schedule.h"

/* time_s: since 1970, UTC. */
int64_t vrms_schedule_local(int64_t time_s);

/* points: of this VM, rising.  record: the document "status". */
void vrms_schedule_facts(const struct vrms_point *points, size_t count, const json_t *record,
			 const char *vm, struct vrms_schedule_done *ret_done);

#endif
