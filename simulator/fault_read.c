/* fault_read.c - one fault in words: "10s cut node1 node2 / node3 network 0".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/reader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"
#include "simulator/line.h"
#include "simulator/settings.h"

static int find_node(const struct vrms_sim_scenario *scenario, const char *name, int32_t *ret_node,
		     struct vrms_error *error)
{
	int node = name == NULL ? -ENOENT : vrms_sim_scenario_node(scenario, name);

	if (node < 0) {
		return vrms_error_set(error, -ENOENT,
				      name == NULL ? "a node is missing"
						   : "there is no node \"%s\"",
				      name);
	}
	*ret_node = node;
	return 0;
}

static int find_vm(const struct vrms_sim_scenario *scenario, const char *name, int32_t *ret_vm,
		   struct vrms_error *error)
{
	int vm = name == NULL ? -ENOENT : vrms_sim_scenario_vm(scenario, name);

	if (vm < 0) {
		return vrms_error_set(error, -ENOENT,
				      name == NULL ? "a VM is missing" : "there is no VM \"%s\"",
				      name);
	}
	*ret_vm = vm;
	return 0;
}

/* "for TIME" and "network NUMBER" at the end. */
static int read_option(const struct vrms_sim_scenario *scenario, const char *word, char **rest,
		       struct vrms_sim_fault *fault, struct vrms_error *error)
{
	const char *value = vrms_sim_word(rest, " \t");
	int64_t number;
	int rc;

	if (value == NULL) {
		return vrms_error_set(error, -EINVAL, "nothing follows \"%s\"", word);
	}
	if (strcmp(word, "for") == 0) {
		return vrms_sim_time_parse(value, &fault->for_us, error);
	}
	rc = vrms_int_parse(value, 0, scenario->settings.links - 1, &number, error);
	if (rc == 0) {
		fault->link = (int16_t)number;
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "network") : 0;
}

static bool is_option(const char *word)
{
	return strcmp(word, "for") == 0 || strcmp(word, "network") == 0;
}

/* Groups of nodes, separated by "/"; ends before an option, which is returned in *ret_word. */
static int read_groups(struct vrms_sim_scenario *scenario, char **rest,
		       struct vrms_sim_fault *fault, char **ret_word, struct vrms_error *error)
{
	int row = vrms_sim_scenario_add_cut(scenario), group = 0, named = 0;
	char *word = NULL;

	if (row < 0) {
		return vrms_error_set(error, row, "out of memory for a cut");
	}
	fault->first = row;
	while ((word = vrms_sim_word(rest, " \t,")) != NULL && !is_option(word)) {
		int32_t node = 0;

		if (strcmp(word, "/") == 0) {
			group++;
			continue;
		}
		int rc = find_node(scenario, word, &node, error);

		if (rc < 0) {
			return rc;
		}
		scenario->group[(size_t)row * (size_t)scenario->node_count + (size_t)node] =
		    (int16_t)group;
		named += group > 0 ? 1 : 0;
	}
	*ret_word = word;
	return named > 0 ? 0 : vrms_error_set(error, -EINVAL, "cut needs two groups: A B / C");
}

static int read_subject(struct vrms_sim_scenario *scenario, char **rest,
			struct vrms_sim_fault *fault, struct vrms_error *error)
{
	const char *subject = vrms_sim_fault_subject((enum vrms_sim_fault_kind)fault->kind);
	int rc = 0;

	if (subject[0] == 'n') {
		rc = find_node(scenario, vrms_sim_word(rest, " \t"), &fault->first, error);
	} else if (subject[0] == 'v') {
		rc = find_vm(scenario, vrms_sim_word(rest, " \t"), &fault->first, error);
	}
	if (rc == 0 && subject[0] != '0' && subject[1] == 'n') {
		rc = find_node(scenario, vrms_sim_word(rest, " \t"), &fault->second, error);
	}
	return rc;
}

int vrms_sim_fault_parse(struct vrms_sim_scenario *scenario, const char *line,
			 struct vrms_error *error)
{
	struct vrms_sim_fault fault = {.link = -1};
	char text[VRMS_SIM_LINE_BYTES];
	char *rest = text, *word = NULL;
	int kind, rc;

	snprintf(text, sizeof(text), "%s", line);
	const char *when = vrms_sim_word(&rest, " \t"), *what = vrms_sim_word(&rest, " \t");

	if (when == NULL || what == NULL) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not TIME FAULT", line);
	}
	rc = vrms_sim_time_parse(when, &fault.at_us, error);
	if (rc < 0) {
		return rc;
	}
	kind = vrms_sim_fault_by_word(what);
	if (kind < 0) {
		return vrms_error_set(error, kind, "there is no fault \"%s\"", what);
	}
	fault.kind = (uint16_t)kind;
	if (kind == VRMS_SIM_FAULT_CUT) {
		rc = read_groups(scenario, &rest, &fault, &word, error);
	} else {
		rc = read_subject(scenario, &rest, &fault, error);
		word = vrms_sim_word(&rest, " \t");
	}
	for (; rc == 0 && word != NULL; word = vrms_sim_word(&rest, " \t")) {
		rc = is_option(word)
			 ? read_option(scenario, word, &rest, &fault, error)
			 : vrms_error_set(error, -EINVAL, "\"%s\" was not expected", word);
	}
	if (rc == 0 && vrms_sim_scenario_add_fault(scenario, &fault) < 0) {
		rc = vrms_error_set(error, -ENOMEM, "out of memory for faults");
	}
	return rc;
}
