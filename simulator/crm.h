/* crm.h - Pacemaker's own scheduler, asked through crm_simulate(8).
 *
 * What the cluster knows becomes a CIB; the actions of the transition become an answer.
 * Equal CIBs are asked about once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_CRM_H
#define VRMS_SIMULATOR_CRM_H

#include "common/cleanup.h"
#include "simulator/scheduler.h"

struct vrms_sim_crm; /* opaque */

struct vrms_sim_crm *vrms_sim_crm_new(void);      /* NULL only when out of memory */
void vrms_sim_crm_free(struct vrms_sim_crm *crm); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_sim_crm *, vrms_sim_crm_free);

/* The port; valid as long as crm. Its decide(): -ENOENT without crm_simulate, -EIO when it fails.
 */
struct vrms_sim_scheduler vrms_sim_crm_scheduler(struct vrms_sim_crm *crm);

#endif
