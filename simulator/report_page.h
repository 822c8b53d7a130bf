/* report_page.h - the inside of the HTML report, shared by its parts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_REPORT_PAGE_H
#define VRMS_SIMULATOR_REPORT_PAGE_H

#include "simulator/report.h"

/* Of drawings, in their own units. */
enum { VRMS_SIM_PAGE_WIDTH = 900, VRMS_SIM_PAGE_LABEL = 110, VRMS_SIM_PAGE_ROW = 14 };

struct vrms_sim_page {
	FILE *out;
	const struct vrms_sim_scenario *scenario;
	const struct vrms_sim_result *result;
	const json_t *figures;
};

/* Names come from users: what HTML would take for its own is written otherwise. */
void vrms_sim_page_text(FILE *out, const char *text);

/* Where a moment is on the axis of time; and the axis at height y. */
double vrms_sim_page_position(const struct vrms_sim_page *page, int64_t at_us);
void vrms_sim_page_axis(const struct vrms_sim_page *page, int y);

/* report_vms.c: when VMs were out of service, and for how long */
void vrms_sim_page_vms(const struct vrms_sim_page *page);

#endif
