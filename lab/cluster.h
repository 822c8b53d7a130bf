/* cluster.h - Pacemaker in a lab: its settings, and asking it from outside.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_CLUSTER_H
#define VRMS_LAB_CLUSTER_H

#include "lab/lab.h"
#include "lab/view.h"

/* Runs one of Pacemaker's programs on the first node where Pacemaker answers.
 *
 * argv:       as for vrms_child_run().
 * input:      its standard input; NULL: none.
 * ret_output: its standard output, the caller frees it; may be NULL.
 * Errors: -EHOSTDOWN (no node answers), -EIO (it failed; its own words).
 */
VRMS_MUST_CHECK int vrms_lab_cluster_run(const struct vrms_lab *lab, const char *const *argv,
					 const char *input, char **ret_output,
					 struct vrms_error *error);

/* Gives the cluster the lab's settings unless it has a fence device already.
 *
 * Fencing by fence_vrms_lab, with off (a node that is back before its fencing is
 * announced shuts itself down for good); VMs spread by memory; no throttling by
 * the load of the machine, which all nodes share.
 */
VRMS_MUST_CHECK int vrms_lab_cluster_configure(const struct vrms_lab *lab,
					       struct vrms_error *error);

/* Adds or changes XML in a section of the CIB ("resources", "nodes" ...). */
VRMS_MUST_CHECK int vrms_lab_cluster_modify(const struct vrms_lab *lab, const char *section,
					    const char *xml, struct vrms_error *error);

/* Waits until Pacemaker has nothing left to do: its fence devices are started as well.
 *
 * Errors: those of vrms_lab_cluster_run(); -ETIMEDOUT.
 * Source: crm_resource(8), --wait.
 */
VRMS_MUST_CHECK int vrms_lab_cluster_wait_idle(const struct vrms_lab *lab, int64_t timeout_ms,
					       struct vrms_error *error);

/* What runs where.  The caller releases it by vrms_lab_view_done(). */
VRMS_MUST_CHECK int vrms_lab_cluster_view(const struct vrms_lab *lab,
					  struct vrms_lab_view *ret_view, struct vrms_error *error);

#endif
