/* load_read.c - load of VMs over time, from files.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/line.h"
#include "simulator/reader.h"

enum form { FORM_NONE, FORM_ROWS, FORM_SAMPLES, FORM_MACHINES };

enum { COLUMNS_MAX = 2048, TEXT_MAX = 1 << 16 };

/* Whole lines may be longer than a line of anything else. */
struct reader {
	struct vrms_sim_scenario *scenario;
	enum form form;
	int64_t at_us[COLUMNS_MAX]; /* ROWS: of each column */
	int columns;
	int last_vm; /* samples of one VM mostly follow each other */
};

static enum form form_of(const char *text)
{
	if (strncmp(text, "end_s,vm,duration_s,cpu_mhz", 27) == 0) {
		return FORM_SAMPLES;
	}
	if (strncmp(text, "vm,vcpu,cpu_capacity_mhz,mem_kb", 31) == 0) {
		return FORM_MACHINES;
	}
	return strncmp(text, "vm,t0,", 6) == 0 ? FORM_ROWS : FORM_NONE;
}

bool vrms_sim_load_is(const char *text)
{
	return form_of(text) != FORM_NONE;
}

static int read_number(const char *text, double least, double most, double *ret_number,
		       struct vrms_error *error)
{
	char *end = NULL;
	double number = text == NULL ? NAN : strtod(text, &end);

	if (text == NULL || end == text || *end != '\0' || !(number >= least && number <= most)) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not a number within %g and %g",
				      text == NULL ? "" : text, least, most);
	}
	*ret_number = number;
	return 0;
}

/* "vm,t0,t300,...": the time of each column. */
static int read_heading(struct reader *reader, char *rest, struct vrms_error *error)
{
	char *field = strsep(&rest, ",");

	while ((field = strsep(&rest, ",")) != NULL) {
		double seconds = 0;
		int rc = field[0] == 't'
			     ? read_number(field + 1, 0, 4e9, &seconds, error)
			     : vrms_error_set(error, -EINVAL, "\"%s\" is not tSECONDS", field);

		if (rc < 0) {
			return rc;
		}
		if (reader->columns == COLUMNS_MAX) {
			return vrms_error_set(error, -E2BIG, "more than %d columns", COLUMNS_MAX);
		}
		reader->at_us[reader->columns++] = (int64_t)(seconds * 1e6);
	}
	return 0;
}

static int add_point(struct reader *reader, int vm, int64_t at_us, double pct,
		     struct vrms_error *error)
{
	struct vrms_sim_load_point point = {.from_us = at_us, .vm = vm, .pct = (float)pct};

	return vrms_sim_scenario_add_load(reader->scenario, &point) < 0
		   ? vrms_error_set(error, -ENOMEM, "out of memory for load")
		   : 0;
}

/* A VM by row: its name, then percent of its CPUs for each column. */
static int read_row(struct reader *reader, char *rest, struct vrms_error *error)
{
	const char *name = strsep(&rest, ",");
	size_t before = reader->scenario->load_count;
	int vm = vrms_sim_scenario_add_vm(reader->scenario, name, error);
	int rc = vm < 0 ? vm : 0;

	for (int i = 0; rc == 0 && i < reader->columns; i++) {
		double pct = 0;

		rc = read_number(strsep(&rest, ","), 0, 1000, &pct, error);
		rc = rc < 0 ? rc : add_point(reader, vm, reader->at_us[i], pct, error);
	}
	if (rc == 0 && rest != NULL) {
		rc = vrms_error_set(error, -EINVAL, "more than %d values", reader->columns);
	}
	if (rc < 0) {
		reader->scenario->load_count = before; /* half a row is none */
	}
	return rc;
}

static int find_vm(struct reader *reader, const char *name)
{
	if (reader->last_vm < reader->scenario->vm_count &&
	    strcmp(reader->scenario->vm[reader->last_vm].name, name) == 0) {
		return reader->last_vm;
	}
	return vrms_sim_scenario_vm(reader->scenario, name);
}

/* end_s,vm,duration_s,cpu_mhz: the mean over the time that ends at end_s. */
static int read_sample(struct reader *reader, char *rest, struct vrms_error *error)
{
	double end_s = 0, duration_s = 0, mhz = 0;
	int rc = read_number(strsep(&rest, ","), 0, 4e9, &end_s, error);
	const char *name = rest == NULL ? "" : strsep(&rest, ",");
	int vm = find_vm(reader, name);

	rc = rc < 0 ? rc : read_number(strsep(&rest, ","), 0, end_s, &duration_s, error);
	rc = rc < 0 ? rc : read_number(strsep(&rest, ","), 0, 1e9, &mhz, error);
	if (rc < 0) {
		return rc;
	}
	if (vm < 0 || !(reader->scenario->vm[vm].capacity_mhz > 0)) {
		return vrms_error_set(error, -ENOENT,
				      "the capacity of \"%s\" is not known: the file of machines "
				      "comes first",
				      name);
	}
	reader->last_vm = vm;
	return add_point(reader, vm, (int64_t)((end_s - duration_s) * 1e6),
			 mhz / reader->scenario->vm[vm].capacity_mhz * 100, error);
}

/* vm,vcpu,cpu_capacity_mhz,mem_kb,...: more columns are ignored. */
static int read_machine(struct reader *reader, char *rest, struct vrms_error *error)
{
	const char *name = strsep(&rest, ",");
	double vcpu = 0, mhz = 0, kb = 0;
	int rc = read_number(strsep(&rest, ","), 1, 100000, &vcpu, error);

	rc = rc < 0 ? rc : read_number(strsep(&rest, ","), 1, 1e9, &mhz, error);
	rc = rc < 0 ? rc : read_number(strsep(&rest, ","), 1, 1e12, &kb, error);

	int vm = rc < 0 ? rc : vrms_sim_scenario_add_vm(reader->scenario, name, error);

	if (vm < 0) {
		return vm;
	}
	reader->scenario->vm[vm].cores = (int64_t)vcpu;
	reader->scenario->vm[vm].memory = (int64_t)(kb * 1024);
	reader->scenario->vm[vm].capacity_mhz = mhz;
	return 0;
}

static int read_line(struct reader *reader, char *text, struct vrms_error *error)
{
	switch (reader->form) {
	case FORM_ROWS:
		return reader->columns == 0 ? read_heading(reader, text, error)
					    : read_row(reader, text, error);
	case FORM_SAMPLES:
		return read_sample(reader, text, error);
	default:
		return read_machine(reader, text, error);
	}
}

static int take_lines(struct reader *reader, const char *text, char *line,
		      const struct vrms_sim_trace_options *options, struct vrms_error *error)
{
	for (int number = 1; *text != '\0'; number++) {
		size_t length = strcspn(text, "\n");
		size_t kept = length > 0 && text[length - 1] == '\r' ? length - 1 : length;
		bool is_heading = number == 1 && reader->form != FORM_ROWS;
		int rc = 0;

		if (length >= TEXT_MAX) {
			rc = vrms_error_set(error, -EINVAL, "the line is too long");
		} else if (kept > 0 && text[0] != '#' && !is_heading) {
			memcpy(line, text, kept);
			line[kept] = '\0';
			rc = read_line(reader, line, error);
		}
		if (rc < 0 && (rc == -ENOMEM || number == 1 || !options->skip_bad)) {
			return vrms_error_wrap(error, rc, "%s:%d", options->path, number);
		}
		reader->scenario->skipped_lines += rc < 0 ? 1 : 0;
		text += length + (text[length] == '\n' ? 1 : 0);
	}
	return 0;
}

int vrms_sim_load_read(struct vrms_sim_scenario *scenario, const char *text,
		       const struct vrms_sim_trace_options *options, struct vrms_error *error)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	char *line = malloc(TEXT_MAX);
	int rc;

	if (reader == NULL || line == NULL) {
		rc = vrms_error_set(error, -ENOMEM, "%s: out of memory", options->path);
	} else {
		reader->scenario = scenario;
		reader->form = form_of(text);
		rc = take_lines(reader, text, line, options, error);
	}
	free(reader);
	free(line);
	return rc;
}
