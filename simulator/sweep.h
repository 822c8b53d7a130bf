/* sweep.h - the points of a grid of settings, and the curve through them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_SWEEP_H
#define VRMS_SIMULATOR_SWEEP_H

#include <jansson.h>
#include <stdio.h>

#include "simulator/sim.h"

struct vrms_sim_cell {
	char label[256]; /* "token=300ms grace=2s" */
	struct vrms_sim_scenario scenario;
	bool is_read;
	/* set by _run */
	int rc;
	struct vrms_error error;
	double detect_p50_ms, detect_p99_ms, recover_p50_ms, availability;
	double needless_per_node_year, mistakes_per_node_year;
	int64_t fences, broken;
};

/* Runs the cell's scenario; touches nothing else, so that cells may run side by side. */
void vrms_sim_cell_run(struct vrms_sim_cell *cell);

/* Table, rows, and curve: detection time against needless fences, with detectors by the book
 * on the network of the first cell for comparison.
 */
void vrms_sim_sweep_print(FILE *out, const struct vrms_sim_cell *cells, int count);
json_t *vrms_sim_sweep_json(const struct vrms_sim_cell *cells, int count);
VRMS_MUST_CHECK int vrms_sim_sweep_svg(const char *path, const struct vrms_sim_cell *cells,
				       int count, struct vrms_error *error);

#endif
