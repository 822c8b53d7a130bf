/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/sweep.h"

#include <errno.h>
#include <libxml/xmlwriter.h>
#include <math.h>

#include "simulator/detector.h"

#define YEAR_US (365.25 * 86400e6)

/* What stands beside the grid: each detector with a row of parameters. */
static const struct {
	enum vrms_sim_detector_kind kind;
	double interval_ms, parameter[6];
} rivals[] = {
    {VRMS_SIM_DETECTOR_FIXED, 100, {300, 600, 1000, 2000, 4000, 8000}},
    {VRMS_SIM_DETECTOR_CHEN, 100, {200, 500, 1000, 2000, 4000, 8000}},
    {VRMS_SIM_DETECTOR_PHI, 100, {1, 3, 5, 8, 12, 16}},
    {VRMS_SIM_DETECTOR_SWIM, 200, {1, 2, 4, 8, 16, 32}},
};

enum { PARAMETERS = 6 };

/* Time from the fault to the membership, for each host that was lost. */
static void measure_detection(struct vrms_sim_cell *cell, struct vrms_sim_record *record)
{
	struct vrms_sim_series series = {0};

	for (size_t i = 0; i < record->failure_count; i++) {
		const struct vrms_sim_failure *failure = &record->failure[i];

		if (failure->vm < 0 && failure->detected_us >= 0) {
			vrms_sim_series_add(record, &series,
					    (double)(failure->detected_us - failure->at_us) / 1000);
		}
	}
	cell->detect_p50_ms = vrms_sim_series_quantile(&series, 0.5);
	cell->detect_p99_ms = vrms_sim_series_quantile(&series, 0.99);
	free(series.value);
}

void vrms_sim_cell_run(struct vrms_sim_cell *cell)
{
	struct vrms_sim_options options = {.exact = false};
	struct vrms_sim_result result;

	cell->rc = vrms_sim_run(&cell->scenario, &options, &result, &cell->error);
	if (cell->rc < 0) {
		return;
	}
	double node_years = (double)result.simulated_us / YEAR_US * result.node_count;

	measure_detection(cell, &result.record);
	cell->recover_p50_ms = vrms_sim_series_quantile(&result.record.recover_ms, 0.5);
	cell->availability = result.availability;
	cell->needless_per_node_year = (double)result.record.needless_fences / node_years;
	cell->mistakes_per_node_year = (double)result.record.mistakes / node_years;
	cell->fences = result.record.fences;
	cell->broken = result.record.broken_count;
	vrms_sim_result_done(&result);
}

static struct vrms_sim_detection judge(const struct vrms_sim_cell *cells, size_t rival,
				       int parameter)
{
	return vrms_sim_detector_judge(&cells[0].scenario.settings, rivals[rival].kind,
				       rivals[rival].interval_ms,
				       rivals[rival].parameter[parameter]);
}

void vrms_sim_sweep_print(FILE *out, const struct vrms_sim_cell *cells, int count)
{
	fprintf(out, "%-44s %9s %9s %9s %12s %12s %9s\n", "", "noticed", "", "running", "live lost",
		"needless", "");
	fprintf(out, "%-44s %9s %9s %9s %12s %12s %9s\n", "settings", "p50 s", "p99 s", "p50 s",
		"per node y", "fences p n y", "avail");
	for (int i = 0; i < count; i++) {
		const struct vrms_sim_cell *cell = &cells[i];

		fprintf(out, "%-44s %9.3f %9.3f %9.3f %12.4g %12.4g %9.6f%s\n", cell->label,
			cell->detect_p50_ms / 1000, cell->detect_p99_ms / 1000,
			cell->recover_p50_ms / 1000, cell->mistakes_per_node_year,
			cell->needless_per_node_year, cell->availability,
			cell->broken > 0 ? "  RULE BROKEN" : "");
	}
	fprintf(out, "\ndetectors by the book on the first row's network (closed formulas)\n");
	for (size_t i = 0; i < VRMS_COUNT_OF(rivals); i++) {
		for (int p = 0; p < PARAMETERS; p++) {
			struct vrms_sim_detection detection = judge(cells, i, p);

			fprintf(out, "%-6s interval %3.0f ms, parameter %-18g %9.3f %19s %12.4g\n",
				vrms_sim_detector_name(rivals[i].kind), rivals[i].interval_ms,
				rivals[i].parameter[p], detection.detect_ms / 1000, "",
				detection.mistakes_per_node_year);
		}
	}
}

static json_t *rows_of_rivals(const struct vrms_sim_cell *cells)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < VRMS_COUNT_OF(rivals); i++) {
		for (int p = 0; p < PARAMETERS; p++) {
			struct vrms_sim_detection detection = judge(cells, i, p);

			json_array_append_new(rows,
					      json_pack("{s:s, s:f, s:f, s:f, s:f}", "detector",
							vrms_sim_detector_name(rivals[i].kind),
							"interval_ms", rivals[i].interval_ms,
							"parameter", rivals[i].parameter[p],
							"detect_ms", detection.detect_ms,
							"mistakes_per_node_year",
							detection.mistakes_per_node_year));
		}
	}
	return rows;
}

json_t *vrms_sim_sweep_json(const struct vrms_sim_cell *cells, int count)
{
	json_t *rows = json_array();

	for (int i = 0; i < count; i++) {
		const struct vrms_sim_cell *cell = &cells[i];

		json_array_append_new(
		    rows,
		    json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I}", "settings",
			      cell->label, "detect_p50_ms", cell->detect_p50_ms, "detect_p99_ms",
			      cell->detect_p99_ms, "recover_p50_ms", cell->recover_p50_ms,
			      "availability", cell->availability, "needless_per_node_year",
			      cell->needless_per_node_year, "mistakes_per_node_year",
			      cell->mistakes_per_node_year, "fences", (json_int_t)cell->fences,
			      "violations", (json_int_t)cell->broken));
	}
	return json_pack("{s:o, s:o}", "grid", rows, "detectors", rows_of_rivals(cells));
}

enum { WIDTH = 720, HEIGHT = 440, LEFT = 60, BOTTOM = 400, TOP = 20, RIGHT = 700 };

/* Both axes are logarithmic: 0.1 to 100 s, 10^-3 to 10^3 a year; 0 stands at the bottom. */
static double x_of(double detect_ms)
{
	double share = (log10(fmin(fmax(detect_ms, 100), 100000)) - 2) / 3;

	return LEFT + share * (RIGHT - LEFT);
}

static double y_of(double per_year)
{
	double share = (log10(fmin(fmax(per_year, 1e-3), 1e3)) + 3) / 6;

	return BOTTOM - share * (BOTTOM - TOP);
}

static void put_text(xmlTextWriterPtr writer, double x, double y, const char *text)
{
	xmlTextWriterStartElement(writer, BAD_CAST "text");
	xmlTextWriterWriteFormatAttribute(writer, BAD_CAST "x", "%.1f", x);
	xmlTextWriterWriteFormatAttribute(writer, BAD_CAST "y", "%.1f", y);
	xmlTextWriterWriteString(writer, BAD_CAST text);
	xmlTextWriterEndElement(writer);
}

static void put_dot(xmlTextWriterPtr writer, double x, double y, const char *colour,
		    const char *title)
{
	xmlTextWriterStartElement(writer, BAD_CAST "circle");
	xmlTextWriterWriteFormatAttribute(writer, BAD_CAST "cx", "%.1f", x);
	xmlTextWriterWriteFormatAttribute(writer, BAD_CAST "cy", "%.1f", y);
	xmlTextWriterWriteAttribute(writer, BAD_CAST "r", BAD_CAST "4");
	xmlTextWriterWriteAttribute(writer, BAD_CAST "fill", BAD_CAST colour);
	xmlTextWriterWriteElement(writer, BAD_CAST "title", BAD_CAST title);
	xmlTextWriterEndElement(writer);
}

static void put_axes(xmlTextWriterPtr writer)
{
	static const char *const seconds[] = {"0.1 s", "1 s", "10 s", "100 s"};
	static const char *const rates[] = {"0.001", "0.1", "10", "1000"};

	xmlTextWriterStartElement(writer, BAD_CAST "path");
	xmlTextWriterWriteFormatAttribute(writer, BAD_CAST "d", "M%d %dV%dH%d", LEFT, TOP, BOTTOM,
					  RIGHT);
	xmlTextWriterWriteAttribute(writer, BAD_CAST "fill", BAD_CAST "none");
	xmlTextWriterWriteAttribute(writer, BAD_CAST "stroke", BAD_CAST "#888");
	xmlTextWriterEndElement(writer);
	for (int i = 0; i < 4; i++) {
		put_text(writer, LEFT - 12 + i * (RIGHT - LEFT - 20) / 3.0, BOTTOM + 16,
			 seconds[i]);
		put_text(writer, 10, BOTTOM + 4 - i * (BOTTOM - TOP) / 3.0, rates[i]);
	}
	put_text(writer, LEFT + 10, TOP - 6, "live nodes lost per node and year");
	put_text(writer, RIGHT - 190, BOTTOM + 32, "time to notice a dead node");
}

static void put_rivals(xmlTextWriterPtr writer, const struct vrms_sim_cell *cells)
{
	static const char *const colours[] = {"#8c8c8c", "#d98a00", "#9a4fb8", "#2f8f5b"};

	for (size_t i = 0; i < VRMS_COUNT_OF(rivals); i++) {
		const char *name = vrms_sim_detector_name(rivals[i].kind);

		put_dot(writer, RIGHT - 90, TOP + 16 + 16 * (double)i, colours[i], name);
		put_text(writer, RIGHT - 80, TOP + 20 + 16 * (double)i, name);
		for (int p = 0; p < PARAMETERS; p++) {
			struct vrms_sim_detection detection = judge(cells, i, p);

			put_dot(writer, x_of(detection.detect_ms),
				y_of(detection.mistakes_per_node_year), colours[i], name);
		}
	}
}

int vrms_sim_sweep_svg(const char *path, const struct vrms_sim_cell *cells, int count,
		       struct vrms_error *error)
{
	xmlTextWriterPtr writer = xmlNewTextWriterFilename(path, 0);

	if (writer == NULL) {
		return vrms_error_set(error, -EIO, "%s: cannot be written", path);
	}
	xmlTextWriterStartDocument(writer, NULL, "UTF-8", NULL);
	xmlTextWriterStartElementNS(writer, NULL, BAD_CAST "svg",
				    BAD_CAST "http://www.w3.org/2000/svg");
	xmlTextWriterWriteFormatAttribute(writer, BAD_CAST "viewBox", "0 0 %d %d", WIDTH, HEIGHT);
	xmlTextWriterWriteAttribute(writer, BAD_CAST "font-family", BAD_CAST "sans-serif");
	xmlTextWriterWriteAttribute(writer, BAD_CAST "font-size", BAD_CAST "11");
	put_axes(writer);
	put_rivals(writer, cells);
	put_dot(writer, RIGHT - 90, TOP, "#3b6fb6", "simulated");
	put_text(writer, RIGHT - 80, TOP + 4, "simulated");
	for (int i = 0; i < count; i++) {
		double x = x_of(cells[i].detect_p50_ms);
		double y = y_of(cells[i].mistakes_per_node_year);

		put_dot(writer, x, y, "#3b6fb6", cells[i].label);
		put_dot(writer, x, y_of(cells[i].needless_per_node_year), "#c8372d",
			cells[i].label);
	}
	put_dot(writer, RIGHT - 90, TOP + 80, "#c8372d", "fences");
	put_text(writer, RIGHT - 80, TOP + 84, "needless fences");
	int written = xmlTextWriterEndDocument(writer);

	xmlFreeTextWriter(writer);
	return written < 0 ? vrms_error_set(error, -EIO, "%s: cannot be written", path) : 0;
}
