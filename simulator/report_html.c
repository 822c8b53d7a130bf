/* report_html.c - one page with everything in it: figures, timelines, failures step by step.
 *
 * Drawn as SVG here, so that the page needs no script, no network, and prints.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "simulator/report_page.h"

enum { NODES_SHOWN = 64, FAILURES_SHOWN = 40 };

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>vrms-sim</title>\n<style>\n"
    ":root{color-scheme:light dark;--ink:#1d2733;--dim:#5c6875;--line:#d5dbe1;--bad:#c8372d;"
    "--warn:#d98a00;--good:#2f8f5b;--bar:#3b6fb6;--paper:#fff}\n"
    "@media (prefers-color-scheme:dark){:root{--ink:#e4e9ee;--dim:#9aa6b2;--line:#39434e;"
    "--bad:#f07167;--warn:#f0b040;--good:#5cc08a;--bar:#7aa7e0;--paper:#14191f}}\n"
    "body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
    "max-width:960px;margin:0 auto;padding:1rem}\n"
    "h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;margin:1.6rem 0 .4rem}\n"
    "p,small{color:var(--dim)}table{border-collapse:collapse;width:100%;"
    "font-variant-numeric:tabular-nums}\n"
    "td,th{padding:.2rem .5rem;text-align:right;border-bottom:1px solid var(--line)}"
    "td:first-child,th:first-child{text-align:left}\n"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:.6rem}\n"
    ".tile{border:1px solid var(--line);border-radius:.4rem;padding:.5rem .7rem}"
    ".tile b{display:block;font-size:1.3rem}\n"
    ".wide{overflow-x:auto}svg{display:block;width:100%;min-width:560px;height:auto;overflow:"
    "visible}"
    ".fit svg{min-width:0}"
    "svg text{font:11px system-ui,sans-serif;fill:var(--ink)}svg .dim{fill:var(--dim)}\n"
    "details{border:1px solid var(--line);border-radius:.4rem;margin:.4rem 0;"
    "padding:.3rem .7rem}summary{cursor:pointer}\n"
    ".bad{color:var(--bad)}\n"
    ".steps td{text-align:left}.steps td:first-child{width:7rem;white-space:nowrap}\n"
    "h2,h2+p,summary{break-after:avoid}tr,svg{break-inside:avoid}\n"
    "@media (max-width:600px){.wide svg{min-width:820px}.fit svg text{font-size:20px}"
    "td,th{padding:.2rem .3rem}}\n"
    "@media print{body{max-width:none}.wide{overflow:visible}.wide svg{min-width:0}"
    "svg text{font-size:13px}.fit svg "
    "text{font-size:13px}details::details-content{content-visibility:visible;block-size:auto}}\n"
    "</style></head><body>\n";

/* Names come from users. */
void vrms_sim_page_text(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text, out);
			break;
		}
	}
}

static void put_tile(const struct vrms_sim_page *page, const char *label, int digits, double value,
		     const char *unit)
{
	fprintf(page->out, "<div class=\"tile\"><b>%.*f%s</b>%s</div>\n", digits, value, unit,
		label);
}

static double figure(const struct vrms_sim_page *page, const char *object, const char *key)
{
	return json_number_value(json_object_get(json_object_get(page->figures, object), key));
}

static void put_tiles(const struct vrms_sim_page *page)
{
	const struct vrms_sim_record *record = &page->result->record;

	fputs("<div class=\"tiles\">\n", page->out);
	put_tile(page, "host lost: noticed, median", 2, figure(page, "detect", "p50_ms") / 1000,
		 " s");
	put_tile(page, "cut to VM running, median", 2, figure(page, "recover", "p50_ms") / 1000,
		 " s");
	put_tile(page, "cut to VM running, 99 %", 2, figure(page, "recover", "p99_ms") / 1000,
		 " s");
	put_tile(page, "availability", 5, figure(page, "vm", "availability"), "");
	put_tile(page, "failures", 0, (double)record->failure_count, "");
	put_tile(page, "fences", 0, (double)record->fences, "");
	put_tile(page, "of them needless", 0, (double)record->needless_fences, "");
	put_tile(page, "rules broken", 0, (double)record->broken_count, "");
	fputs("</div>\n", page->out);
}

static void put_row(const struct vrms_sim_page *page, const char *label, const json_t *row)
{
	static const char *const keys[] = {"p50_ms", "p90_ms", "p99_ms", "max_ms"};

	fprintf(page->out, "<tr><td>%s</td>", label);
	for (size_t i = 0; i < VRMS_COUNT_OF(keys); i++) {
		fprintf(page->out, "<td>%.3f</td>",
			json_number_value(json_object_get(row, keys[i])) / 1000);
	}
	fprintf(page->out, "<td>%.0f</td></tr>\n",
		json_number_value(json_object_get(row, "count")));
}

static void put_times(const struct vrms_sim_page *page)
{
	const json_t *split = json_object_get(page->figures, "split");

	fputs("<h2>Times</h2><div class=\"wide\"><table><tr><th>seconds</th><th>median</th><th>90 "
	      "%</th><th>99 %</th>"
	      "<th>longest</th><th>count</th></tr>\n",
	      page->out);
	put_row(page, "host lost: noticed", json_object_get(page->figures, "detect"));
	put_row(page, "then fence asked for", json_object_get(split, "decide"));
	put_row(page, "then fenced", json_object_get(split, "fence"));
	put_row(page, "then all VMs running", json_object_get(split, "start"));
	put_row(page, "cut to VM running", json_object_get(page->figures, "recover"));
	put_row(page, "VM failed: noticed", json_object_get(page->figures, "vm_detect"));
	fputs("</table></div>\n", page->out);
}

double vrms_sim_page_position(const struct vrms_sim_page *page, int64_t at_us)
{
	return VRMS_SIM_PAGE_LABEL + (double)at_us / (double)page->result->simulated_us *
					 (VRMS_SIM_PAGE_WIDTH - VRMS_SIM_PAGE_LABEL - 10);
}

/* Hosts: from each fault to the moment the node takes guests again. */
/* Does the step end what the host's failure began?  One that nobody noticed ends by itself. */
static bool ends_failure(const struct vrms_sim_record *record, const struct vrms_sim_step *step)
{
	return step->kind == VRMS_SIM_STEP_ONLINE || step->kind == VRMS_SIM_STEP_REJOINED ||
	       (step->kind == VRMS_SIM_STEP_OVER && step->failure >= 0 &&
		record->failure[step->failure].detected_us < 0);
}

static void put_host_bars(const struct vrms_sim_page *page, int node, int y)
{
	const struct vrms_sim_record *record = &page->result->record;
	int64_t down_us = -1;

	for (size_t i = 0; i <= record->step_count; i++) {
		bool ends = i == record->step_count;
		const struct vrms_sim_step *step = ends ? NULL : &record->step[i];

		if (!ends && (step->node != node || step->vm >= 0)) {
			continue;
		}
		if (!ends && step->kind == VRMS_SIM_STEP_FAULT && down_us < 0) {
			down_us = step->at_us;
		}
		if (down_us >= 0 && (ends || ends_failure(record, step))) {
			int64_t up_us = ends ? page->result->simulated_us : step->at_us;
			double x = vrms_sim_page_position(page, down_us);

			fprintf(page->out,
				"<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" "
				"fill=\"var(--bad)\"/>\n",
				x, y + 2, fmax(1.5, vrms_sim_page_position(page, up_us) - x),
				VRMS_SIM_PAGE_ROW - 4);
			down_us = -1;
		}
	}
}

/* The unit in which the simulated time is told, in seconds. */
static double unit_of(const struct vrms_sim_page *page, const char **ret_name)
{
	double end_s = (double)page->result->simulated_us / 1e6;
	double unit_s = end_s > 3 * 86400 ? 86400 : end_s > 3 * 3600 ? 3600 : end_s > 180 ? 60 : 1;

	*ret_name = unit_s >= 86400  ? "days"
		    : unit_s >= 3600 ? "hours"
		    : unit_s >= 60   ? "minutes"
				     : "seconds";
	return unit_s;
}

/* 1, 2 or 5 times a power of ten, so that at most ten steps go into the whole. */
static double round_step(double whole)
{
	double least = whole / 10, power = pow(10, floor(log10(least)));

	return least <= power       ? power
	       : least <= 2 * power ? 2 * power
	       : least <= 5 * power ? 5 * power
				    : 10 * power;
}

void vrms_sim_page_axis(const struct vrms_sim_page *page, int y)
{
	double end_s = (double)page->result->simulated_us / 1e6;
	const char *name;
	double unit_s = unit_of(page, &name);
	double step = round_step(end_s / unit_s);

	for (int i = 0; i * step <= end_s / unit_s; i++) {
		fprintf(
		    page->out,
		    "<text class=\"dim\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.4g</text>\n",
		    vrms_sim_page_position(page, (int64_t)(i * step * unit_s * 1e6)), y, i * step);
	}
	fprintf(page->out, "<text class=\"dim\" x=\"0\" y=\"%d\">%s</text>\n", y, name);
}

static void put_hosts(const struct vrms_sim_page *page)
{
	int rows = page->result->node_count < NODES_SHOWN ? page->result->node_count : NODES_SHOWN;

	fprintf(page->out,
		"<h2>Hosts</h2><p>Red: from a failure until the host takes guests again.%s</p>\n"
		"<div class=\"wide\"><svg viewBox=\"0 0 %d %d\" role=\"img\" "
		"aria-label=\"timeline of the hosts\">\n",
		rows < page->result->node_count ? " Only the first hosts are shown." : "",
		VRMS_SIM_PAGE_WIDTH, rows * VRMS_SIM_PAGE_ROW + 24);
	for (int i = 0; i < rows; i++) {
		int y = i * VRMS_SIM_PAGE_ROW;

		fprintf(page->out, "<text x=\"0\" y=\"%d\">", y + VRMS_SIM_PAGE_ROW - 3);
		vrms_sim_page_text(page->out, page->scenario->node[i].name);
		fprintf(page->out,
			"</text><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
			"fill=\"var(--good)\" opacity=\".35\"/>\n",
			VRMS_SIM_PAGE_LABEL, y + 2, VRMS_SIM_PAGE_WIDTH - VRMS_SIM_PAGE_LABEL - 10,
			VRMS_SIM_PAGE_ROW - 4);
		put_host_bars(page, i, y);
	}
	vrms_sim_page_axis(page, rows * VRMS_SIM_PAGE_ROW + 16);
	fputs("</svg></div>\n", page->out);
}

enum { BINS = 30, CHART = 120 };

/* Histogram of the time from the fault to the new membership. */
static void put_detection(const struct vrms_sim_page *page)
{
	const struct vrms_sim_record *record = &page->result->record;
	double longest_ms = figure(page, "detect", "max_ms");
	int bin[BINS] = {0}, most = 1;

	if (longest_ms <= 0) {
		return;
	}
	for (size_t i = 0; i < record->failure_count; i++) {
		const struct vrms_sim_failure *failure = &record->failure[i];

		if (failure->vm < 0 && failure->detected_us >= 0) {
			double ms = (double)(failure->detected_us - failure->at_us) / 1000;
			int index = (int)(ms / longest_ms * (BINS - 1e-9));

			index = index < BINS ? index : BINS - 1;
			bin[index]++;
			most = bin[index] > most ? bin[index] : most;
		}
	}
	fprintf(page->out,
		"<h2>How soon a lost host is noticed</h2><div class=\"fit\"><svg viewBox=\"0 0 %d "
		"%d\" role=\"img\" aria-label=\"detection latency\">\n",
		VRMS_SIM_PAGE_WIDTH, CHART + 30);
	for (int i = 0; i < BINS; i++) {
		double height = (double)bin[i] / most * CHART;

		fprintf(page->out,
			"<rect x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" "
			"fill=\"var(--bar)\"><title>%d</title></rect>\n",
			20 + i * 28, CHART + 4 - height, 26, height, bin[i]);
	}
	fprintf(
	    page->out,
	    "<text class=\"dim\" x=\"20\" y=\"%d\">0</text><text class=\"dim\" x=\"%d\" y=\"%d\" "
	    "text-anchor=\"end\">%.2f s</text></svg></div>\n",
	    CHART + 20, 20 + BINS * 28, CHART + 20, longest_ms / 1000);
}

/* Highest load over mean after each failure that was recovered. */
static void put_levels(const struct vrms_sim_page *page)
{
	const struct vrms_sim_record *record = &page->result->record;
	double worst = figure(page, "balance", "worst_max_over_mean");

	if (worst <= 1) {
		return;
	}
	fprintf(page->out,
		"<h2>How level the load is</h2><p>Memory: highest load over mean after each "
		"failure.</p><div class=\"fit\"><svg viewBox=\"0 0 %d %d\" role=\"img\" "
		"aria-label=\"load level over time\">\n",
		VRMS_SIM_PAGE_WIDTH, CHART + 30);
	for (size_t i = 0; i < record->failure_count; i++) {
		const struct vrms_sim_failure *failure = &record->failure[i];

		if (failure->vm < 0 && failure->max_over_mean > 0) {
			fprintf(page->out,
				"<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"var(--bar)\"/>\n",
				vrms_sim_page_position(page, failure->at_us),
				CHART + 4 -
				    (failure->max_over_mean - 1) / (worst - 1) * (CHART - 8));
		}
	}
	fprintf(page->out,
		"<text class=\"dim\" x=\"0\" y=\"12\">%.3f</text><text class=\"dim\" x=\"0\" "
		"y=\"%d\">1</text>\n",
		worst, CHART);
	vrms_sim_page_axis(page, CHART + 20);
	fputs("</svg></div>\n", page->out);
}

static void put_what(const struct vrms_sim_page *page, const struct vrms_sim_step *step)
{
	fputs(vrms_sim_step_text((enum vrms_sim_step_kind)step->kind), page->out);
	if (step->kind == VRMS_SIM_STEP_MEMBERSHIP) {
		fprintf(page->out, " of %d", step->detail);
	}
	if (step->vm >= 0) {
		fputc(' ', page->out);
		vrms_sim_page_text(page->out, page->scenario->vm[step->vm].name);
	}
	if (step->node >= 0 && step->kind != VRMS_SIM_STEP_MEMBERSHIP) {
		fputs(step->vm >= 0 ? " on " : " ", page->out);
		vrms_sim_page_text(page->out, page->scenario->node[step->node].name);
	}
}

static void put_step(const struct vrms_sim_page *page, const struct vrms_sim_step *step,
		     int64_t from_us)
{
	fprintf(page->out, "<tr><td>+%.3f s</td><td>", (double)(step->at_us - from_us) / 1e6);
	put_what(page, step);
	fputs("</td></tr>\n", page->out);
}

/* Where a list of steps ends: at the next fault, or where nothing happened for so long. */
enum { CALM_US = 300000000 };

static size_t end_of_group(const struct vrms_sim_record *record, size_t first)
{
	size_t end = first + 1;

	while (end < record->step_count && record->step[end].kind != VRMS_SIM_STEP_FAULT &&
	       record->step[end].at_us - record->step[end - 1].at_us < CALM_US) {
		end++;
	}
	return end;
}

/* Steps that follow from one fault of a host; or those of VMs, when the hosts are well. */
static void put_group(const struct vrms_sim_page *page, size_t first, size_t end, bool open)
{
	const struct vrms_sim_step *head_step = &page->result->record.step[first];
	bool of_fault = head_step->kind == VRMS_SIM_STEP_FAULT;

	fprintf(page->out, "<details%s><summary>%.3f s: ", open ? " open" : "",
		(double)head_step->at_us / 1e6);
	if (of_fault) {
		fprintf(page->out, "%s of ",
			vrms_sim_fault_word((enum vrms_sim_fault_kind)head_step->fault));
		vrms_sim_page_text(page->out, page->scenario->node[head_step->node].name);
	} else {
		put_what(page, head_step);
	}
	fputs("</summary><table class=\"steps\">\n", page->out);
	for (size_t i = of_fault ? first + 1 : first; i < end; i++) {
		put_step(page, &page->result->record.step[i], head_step->at_us);
	}
	fputs(of_fault && end == first + 1
		  ? "<tr><td></td><td>No step of the cluster came of it.</td></tr>\n"
		  : "",
	      page->out);
	fputs("</table></details>\n", page->out);
}

static void put_failures(const struct vrms_sim_page *page)
{
	const struct vrms_sim_record *record = &page->result->record;
	int shown = 0;
	bool opened = false;

	fputs("<h2>Failures, step by step</h2>\n", page->out);
	for (size_t i = 0, end; i < record->step_count; i = end) {
		end = end_of_group(record, i);
		if (shown == FAILURES_SHOWN) {
			fputs("<p>Later ones are left out.</p>\n", page->out);
			break;
		}
		bool open = !opened && end > i + 1;

		put_group(page, i, end, open);
		opened |= open;
		shown++;
	}
	fputs(shown > 0 ? "" : "<p>None.</p>\n", page->out);
}

static void put_rules(const struct vrms_sim_page *page)
{
	const struct vrms_sim_record *record = &page->result->record;

	for (int i = 0; i < VRMS_SIM_RULE_COUNT; i++) {
		if (record->rule_count[i] > 0) {
			fprintf(page->out,
				"<p class=\"bad\"><b>Rule broken %" PRId64 " times:</b> %s.</p>\n",
				record->rule_count[i], vrms_sim_rule_text((enum vrms_sim_rule)i));
		}
	}
}

static void put_page(const struct vrms_sim_page *page)
{
	const char *unit;
	double unit_s = unit_of(page, &unit);

	fputs(head, page->out);
	fprintf(page->out,
		"<h1>%d hosts, %d VMs, %.4g %s</h1><p>Simulated with seed %" PRId64 ".</p>\n",
		page->result->node_count, page->result->vm_count,
		(double)page->result->simulated_us / 1e6 / unit_s, unit,
		page->scenario->settings.seed);
	put_rules(page);
	put_tiles(page);
	put_hosts(page);
	put_detection(page);
	put_times(page);
	vrms_sim_page_vms(page);
	put_levels(page);
	put_failures(page);
	fputs("</body></html>\n", page->out);
}

int vrms_sim_report_html(const char *path, const struct vrms_sim_scenario *scenario,
			 const struct vrms_sim_result *result, const json_t *figures,
			 struct vrms_error *error)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct vrms_sim_page page = {.out = out,
				     .scenario = scenario,
				     .result = result,
				     .figures = figures};
	int rc;

	if (out == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory for the page");
	}
	put_page(&page);
	rc = ferror(out) || fclose(out) != 0
		 ? vrms_error_set(error, -ENOMEM, "out of memory for the page")
		 : vrms_file_write(path, text, size, 0644, error);
	free(text);
	return rc;
}
