/* report_vms.c - the VMs of the HTML report: when they were out of service, and for how long.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <math.h>
#include <stdlib.h>

#include "simulator/report_page.h"

enum { VMS_SHOWN = 40 };

/* How long each VM was down, and how often. */
struct vm_down {
	int vm;
	int64_t since_us, sum_us;
	int count;
};

static int compare_down(const void *left, const void *right)
{
	const struct vm_down *a = left, *b = right;

	if (a->sum_us != b->sum_us) {
		return a->sum_us < b->sum_us ? 1 : -1;
	}
	return a->vm - b->vm;
}

/* From the failure that took it down to the end of the start operation. */
static void sum_downtimes(const struct vrms_sim_page *page, struct vm_down *down)
{
	const struct vrms_sim_record *record = &page->result->record;

	for (size_t i = 0; i < record->step_count; i++) {
		const struct vrms_sim_step *step = &record->step[i];

		if (step->vm >= 0 && step->kind == VRMS_SIM_STEP_RUNNING && step->failure >= 0) {
			down[step->vm].sum_us += step->at_us - record->failure[step->failure].at_us;
			down[step->vm].count++;
		}
	}
}

/* When each of these VMs was out of service. */
static void put_outages(const struct vrms_sim_page *page, const struct vm_down *down, int rows)
{
	const struct vrms_sim_record *record = &page->result->record;

	fprintf(page->out,
		"<div class=\"wide\"><svg viewBox=\"0 0 %d %d\" role=\"img\" "
		"aria-label=\"timeline of the VMs\">\n",
		VRMS_SIM_PAGE_WIDTH, rows * VRMS_SIM_PAGE_ROW + 24);
	for (int i = 0; i < rows; i++) {
		fprintf(page->out, "<text x=\"0\" y=\"%d\">",
			i * VRMS_SIM_PAGE_ROW + VRMS_SIM_PAGE_ROW - 3);
		vrms_sim_page_text(page->out, page->scenario->vm[down[i].vm].name);
		fprintf(page->out,
			"</text><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
			"fill=\"var(--good)\" opacity=\".35\"/>\n",
			VRMS_SIM_PAGE_LABEL, i * VRMS_SIM_PAGE_ROW + 2,
			VRMS_SIM_PAGE_WIDTH - VRMS_SIM_PAGE_LABEL - 10, VRMS_SIM_PAGE_ROW - 4);
		for (size_t k = 0; k < record->step_count; k++) {
			const struct vrms_sim_step *step = &record->step[k];

			if (step->vm != down[i].vm || step->kind != VRMS_SIM_STEP_RUNNING ||
			    step->failure < 0) {
				continue;
			}
			double from =
			    vrms_sim_page_position(page, record->failure[step->failure].at_us);

			fprintf(page->out,
				"<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" "
				"fill=\"var(--bad)\"/>\n",
				from, i * VRMS_SIM_PAGE_ROW + 2,
				fmax(1, vrms_sim_page_position(page, step->at_us) - from),
				VRMS_SIM_PAGE_ROW - 4);
		}
	}
	vrms_sim_page_axis(page, rows * VRMS_SIM_PAGE_ROW + 16);
	fputs("</svg></div>\n", page->out);
}

void vrms_sim_page_vms(const struct vrms_sim_page *page)
{
	int count = page->result->vm_count;
	struct vm_down *down = calloc((size_t)count + 1, sizeof(*down));

	if (down == NULL || count == 0) {
		free(down);
		return;
	}
	for (int i = 0; i < count; i++) {
		down[i].vm = i;
	}
	sum_downtimes(page, down);
	qsort(down, (size_t)count, sizeof(*down), compare_down);
	fputs("<h2>VMs</h2><p>The longest out of service, cut to running: when, and for how "
	      "long.</p>\n",
	      page->out);

	int rows = count < VMS_SHOWN ? count : VMS_SHOWN;

	put_outages(page, down, rows);
	fputs("<div class=\"wide\">\n", page->out);

	fprintf(page->out,
		"<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"downtime of each VM\">\n",
		VRMS_SIM_PAGE_WIDTH, rows * VRMS_SIM_PAGE_ROW + 4);
	for (int i = 0; i < rows; i++) {
		double width = down[0].sum_us > 0
				   ? (double)down[i].sum_us / (double)down[0].sum_us *
					 (VRMS_SIM_PAGE_WIDTH - VRMS_SIM_PAGE_LABEL - 130)
				   : 0;

		fprintf(page->out, "<text x=\"0\" y=\"%d\">",
			i * VRMS_SIM_PAGE_ROW + VRMS_SIM_PAGE_ROW - 3);
		vrms_sim_page_text(page->out, page->scenario->vm[down[i].vm].name);
		fprintf(page->out,
			"</text><rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" "
			"fill=\"var(--bar)\"/><text class=\"dim\" x=\"%.1f\" y=\"%d\">%.1f s in "
			"%d</text>\n",
			VRMS_SIM_PAGE_LABEL, i * VRMS_SIM_PAGE_ROW + 2, fmax(0.5, width),
			VRMS_SIM_PAGE_ROW - 4, VRMS_SIM_PAGE_LABEL + width + 6,
			i * VRMS_SIM_PAGE_ROW + VRMS_SIM_PAGE_ROW - 3, (double)down[i].sum_us / 1e6,
			down[i].count);
	}
	fputs("</svg></div>\n", page->out);
	free(down);
}
