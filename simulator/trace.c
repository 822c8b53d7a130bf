/* trace.c - failure traces that others have recorded.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "simulator/line.h"

enum { FIELDS_MAX = 32 };

enum form { FORM_NONE, FORM_EVENTS, FORM_OUTAGES, FORM_FTA, FORM_LANL };

/* The first line that is not empty tells the form. */
static enum form form_of(const char *text)
{
	struct vrms_sim_lines lines = {.next = text};

	while (vrms_sim_lines_next(&lines) && lines.text[0] == '\0') {
	}
	if (strncmp(lines.text, "time_s,node,event", 17) == 0) {
		return FORM_EVENTS;
	}
	if (strncmp(lines.text, "node,down_s,up_s", 16) == 0) {
		return FORM_OUTAGES;
	}
	if (strncmp(lines.text, "System,machine type,nodes,", 26) == 0 &&
	    strstr(lines.text, ",Prob Started,Prob Fixed,") != NULL) {
		return FORM_LANL;
	}
	int tabs = 0;

	for (const char *at = lines.text; *at != '\0'; at++) {
		tabs += *at == '\t' ? 1 : 0;
	}
	return tabs >= 7 ? FORM_FTA : FORM_NONE;
}

bool vrms_sim_trace_is(const char *text)
{
	return form_of(text) != FORM_NONE;
}

/* Cuts the line at each separator; empty fields count.  Returns how many, or -E2BIG. */
static int cut(char *text, const char *separator, char *field[FIELDS_MAX])
{
	int count = 0;

	while (text != NULL) {
		if (count == FIELDS_MAX) {
			return -E2BIG;
		}
		field[count++] = strsep(&text, separator);
	}
	return count;
}

static int read_seconds(const char *text, int64_t *ret_us, struct vrms_error *error)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end != '\0' || !(seconds >= 0 && seconds < 4e9)) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not a time in seconds", text);
	}
	*ret_us = (int64_t)llround(seconds * 1e6);
	return 0;
}

static int add(struct vrms_sim_scenario *scenario, int node, int kind, int64_t at_us)
{
	struct vrms_sim_fault fault = {.at_us = at_us,
				       .kind = (uint16_t)kind,
				       .link = -1,
				       .first = node};

	return vrms_sim_scenario_add_fault(scenario, &fault);
}

/* Adds the node of a trace; a node whose first word is that it comes was not there before. */
static int name_node(struct vrms_sim_scenario *scenario, const char *name, bool comes,
		     struct vrms_error *error)
{
	int known = vrms_sim_scenario_node(scenario, name);
	int node = known >= 0 ? known : vrms_sim_scenario_add_node(scenario, name, error);

	if (known < 0 && node >= 0) {
		scenario->node[node].off = comes;
	}
	return node;
}

static int read_event(struct vrms_sim_scenario *scenario, char *field[FIELDS_MAX], int count,
		      struct vrms_error *error)
{
	int64_t at_us;
	int kind, node, rc;

	if (count != 3) {
		return vrms_error_set(error, -EINVAL, "%d columns instead of 3", count);
	}
	rc = read_seconds(field[0], &at_us, error);
	if (rc < 0) {
		return rc;
	}
	bool joins = strcmp(field[2], "join") == 0;

	kind = joins ? VRMS_SIM_FAULT_UP : vrms_sim_fault_by_word(field[2]);
	if (kind < 0 || strcmp(vrms_sim_fault_subject((enum vrms_sim_fault_kind)kind), "n") != 0) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is no event of a node", field[2]);
	}
	node = name_node(scenario, field[1], joins, error);
	return node < 0 ? node : add(scenario, node, kind, at_us);
}

static int read_outage(struct vrms_sim_scenario *scenario, char *field[FIELDS_MAX], int count,
		       struct vrms_error *error)
{
	int64_t down_us, up_us = -1;
	int node, rc;

	if (count < 3) {
		return vrms_error_set(error, -EINVAL, "%d columns, at least 3 are needed", count);
	}
	rc = read_seconds(field[1], &down_us, error);
	/* An outage that had not ended when the record ended. */
	if (rc == 0 && field[2][0] != '\0') {
		rc = read_seconds(field[2], &up_us, error);
	}
	if (rc == 0 && up_us >= 0 && up_us < down_us) {
		rc = vrms_error_set(error, -EINVAL, "it ends at %s, before it begins", field[2]);
	}
	if (rc < 0) {
		return rc;
	}
	/* Of no length: a second, so that it is one. */
	up_us = up_us == down_us ? down_us + 1000000 : up_us;
	node = name_node(scenario, field[0], false, error);
	if (node < 0) {
		return node;
	}
	rc = add(scenario, node, VRMS_SIM_FAULT_DOWN, down_us);
	return rc < 0 || up_us < 0 ? rc : add(scenario, node, VRMS_SIM_FAULT_UP, up_us);
}

/* event_id component_id node_id platform_id node_name event_type start stop ...; type 0:
 * unavailable. */
static int read_fta(struct vrms_sim_scenario *scenario, char *field[FIELDS_MAX], int count,
		    struct vrms_error *error)
{
	char *outage[FIELDS_MAX];
	bool has_name;

	if (count < 8) {
		return vrms_error_set(error, -EINVAL, "%d columns, at least 8 are needed", count);
	}
	if (strcmp(field[5], "0") != 0 && strcmp(field[5], "1") != 0) {
		return vrms_error_set(error, -EINVAL, "event type \"%s\" is neither 0 nor 1",
				      field[5]);
	}
	if (strcmp(field[5], "1") == 0) {
		return 0;
	}
	has_name = field[4][0] != '\0' && strcasecmp(field[4], "NULL") != 0;
	outage[0] = has_name ? field[4] : field[2];
	outage[1] = field[6];
	outage[2] = strcasecmp(field[7], "NULL") == 0 ? (char *)"" : field[7];
	return read_outage(scenario, outage, 3, error);
}

/* "6/21/2005 10:54", of a clock without time zone, as minutes since 1900. */
static int read_minute(const char *text, int64_t *ret_minute, struct vrms_error *error)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int month, day, year, hour, minute, end = 0;

	if (sscanf(text, "%2d/%2d/%4d %2d:%2d%n", &month, &day, &year, &hour, &minute, &end) != 5 ||
	    text[end] != '\0' || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
	    minute > 59 || year < 1900) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not MONTH/DAY/YEAR HOUR:MINUTE",
				      text);
	}
	bool leaps = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	int64_t years = year - 1, leap_days = years / 4 - years / 100 + years / 400 - 460;
	int64_t days = (year - 1900) * INT64_C(365) + leap_days + before[month - 1] + day - 1 +
		       (leaps && month > 2 ? 1 : 0);

	*ret_minute = (days * 24 + hour) * 60 + minute;
	return 0;
}

/* One record of the failure data that Los Alamos National Laboratory has published; the columns by
 * their headings.  All of one file must be of one system.
 */
static int read_lanl(struct vrms_sim_scenario *scenario, char *field[FIELDS_MAX], int count,
		     struct vrms_error *error)
{
	enum { SYSTEM = 0, NODE = 6, STARTED = 16, FIXED = 17 };
	int64_t minute[2] = {0, 0};
	char name[VRMS_SIM_NAME_BYTES], down[32], up[32] = "";
	char *outage[FIELDS_MAX] = {name, down, up};
	int rc;

	if (count <= FIXED) {
		return vrms_error_set(error, -EINVAL, "%d columns, at least %d are needed", count,
				      FIXED + 1);
	}
	if (field[NODE][0] == '\0') {
		return vrms_error_set(error, -EINVAL, "the column nodenumz is empty");
	}
	snprintf(name, sizeof(name), "s%.20sn%.20s", field[SYSTEM], field[NODE]);
	if (scenario->node_count > 0 &&
	    strncmp(scenario->node[0].name, name, strcspn(name, "n") + 1) != 0) {
		return vrms_error_set(error, -EINVAL,
				      "system %.20s, but those before are of another: a file is of "
				      "one system (awk -F, 'NR == 1 || $1 == 16')",
				      field[SYSTEM]);
	}
	rc = read_minute(field[STARTED], &minute[0], error);
	if (rc == 0 && field[FIXED][0] != '\0') {
		rc = read_minute(field[FIXED], &minute[1], error);
		snprintf(up, sizeof(up), "%" PRId64, minute[1] * 60);
	}
	snprintf(down, sizeof(down), "%" PRId64, minute[0] * 60);
	return rc < 0 ? rc : read_outage(scenario, outage, 3, error);
}

static int read_line(struct vrms_sim_scenario *scenario, enum form form, char *text,
		     struct vrms_error *error)
{
	char *field[FIELDS_MAX];
	int count = cut(text, form == FORM_FTA ? "\t" : ",", field);

	if (count < 0) {
		return vrms_error_set(error, -EINVAL, "more than %d columns", FIELDS_MAX);
	}
	if (form == FORM_EVENTS) {
		return read_event(scenario, field, count, error);
	}
	if (form == FORM_LANL) {
		return read_lanl(scenario, field, count, error);
	}
	return form == FORM_OUTAGES ? read_outage(scenario, field, count, error)
				    : read_fta(scenario, field, count, error);
}

static bool is_heading(enum form form, const struct vrms_sim_lines *lines, bool seen)
{
	return lines->text[0] == '\0' || lines->text[0] == '#' || (form != FORM_FTA && !seen) ||
	       strncmp(lines->text, "event_id", 8) == 0;
}

/* Archives count from 1970; a simulation begins with its first fault. */
static void shift_to_start(struct vrms_sim_scenario *scenario, size_t first)
{
	int64_t least_us = INT64_MAX;

	for (size_t i = first; i < scenario->fault_count; i++) {
		int64_t at_us = scenario->fault[i].at_us;

		least_us = at_us < least_us ? at_us : least_us;
	}
	for (size_t i = first; i < scenario->fault_count; i++) {
		scenario->fault[i].at_us -= least_us;
	}
}

int vrms_sim_trace_read(struct vrms_sim_scenario *scenario, const char *text,
			const struct vrms_sim_trace_options *options, struct vrms_error *error)
{
	struct vrms_sim_lines lines = {.next = text};
	enum form form = form_of(text);
	size_t first = scenario->fault_count;
	bool seen = false;

	if (form == FORM_NONE) {
		return vrms_error_set(error, -EINVAL, "%s: the first line is of no known trace",
				      options->path);
	}
	while (vrms_sim_lines_next(&lines)) {
		if (is_heading(form, &lines, seen)) {
			seen = seen || lines.text[0] != '\0';
			continue;
		}
		int rc = lines.is_cut ? vrms_error_set(error, -EINVAL, "the line is too long")
				      : read_line(scenario, form, lines.text, error);

		if (rc == -ENOMEM) {
			return vrms_error_set(error, rc, "%s: out of memory", options->path);
		}
		if (rc < 0 && !options->skip_bad) {
			return vrms_error_wrap(error, rc, "%s:%d", options->path, lines.number);
		}
		scenario->skipped_lines += rc < 0 ? 1 : 0;
	}
	if (form == FORM_FTA || form == FORM_LANL) {
		shift_to_start(scenario, first);
	}
	return 0;
}
