/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "simulator/journal_read.h"
#include "simulator/reader.h"

enum { FILE_BYTES_MAX = 1 << 28 };

static int read_trace(struct vrms_sim_scenario *scenario, const char *path, bool skip_bad,
		      struct vrms_sim_journal *journal, struct vrms_error *error)
{
	struct vrms_sim_trace_options options = {.path = path, .skip_bad = skip_bad};
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_file_read(path, FILE_BYTES_MAX, &text, NULL, error);

	if (rc == 0 && vrms_sim_journal_is(text)) {
		return vrms_sim_journal_add(journal, path, text, skip_bad, scenario, error);
	}
	if (rc == 0 && vrms_sim_load_is(text)) {
		return vrms_sim_load_read(scenario, text, &options, error);
	}
	return rc < 0 ? rc : vrms_sim_trace_read(scenario, text, &options, error);
}

/* A path that a scenario names is relative to the scenario's folder. */
static void resolve(const char *scenario_path, const char *path, char *text, size_t size)
{
	const char *slash = strrchr(scenario_path, '/');

	if (path[0] == '/' || slash == NULL) {
		snprintf(text, size, "%s", path);
	} else {
		snprintf(text, size, "%.*s/%s", (int)(slash - scenario_path), scenario_path, path);
	}
}

/* Sections of a scenario file that "vrms-sim calibrate" has written. */
static int read_calibration(struct vrms_sim_scenario *scenario, const char *path,
			    struct vrms_error *error)
{
	struct vrms_sim_sources none = {"", ""};
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_file_read(path, FILE_BYTES_MAX, &text, NULL, error);

	return rc < 0 ? rc : vrms_sim_scenario_read(scenario, path, text, &none, error);
}

/* What has to wait until all nodes are known. */
struct later {
	const char *path;
	char *text;
	struct vrms_sim_journal *journal; /* journals are read as one */
};

static int read_file(struct vrms_sim_scenario *scenario, const struct vrms_sim_input *input,
		     const char *path, struct later *later, struct vrms_error *error)
{
	struct vrms_sim_sources sources = {"", ""};
	char trace[2 * VRMS_SIM_PATH_BYTES];
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int rc;

	if (vrms_sim_proxmox_is(path)) {
		return vrms_sim_proxmox_read(scenario, path, input->skip_bad, error);
	}
	rc = vrms_file_read(path, FILE_BYTES_MAX, &text, NULL, error);
	if (rc < 0) {
		return rc;
	}
	if (vrms_sim_trace_is(text) || vrms_sim_load_is(text) || vrms_sim_journal_is(text)) {
		return read_trace(scenario, path, input->skip_bad, later->journal, error);
	}
	if (later->text != NULL) {
		return vrms_error_set(error, -EINVAL, "%s and %s: only one may be a scenario",
				      later->path, path);
	}
	rc = vrms_sim_scenario_read(scenario, path, text, &sources, error);
	later->path = path;
	later->text = VRMS_TAKE(text);
	if (rc == 0 && sources.trace[0] != '\0') {
		resolve(path, sources.trace, trace, sizeof(trace));
		rc = read_trace(scenario, trace, input->skip_bad, later->journal, error);
	}
	if (rc == 0 && sources.calibration[0] != '\0') {
		resolve(path, sources.calibration, trace, sizeof(trace));
		rc = read_calibration(scenario, trace, error);
	}
	return rc;
}

static int read_all(const struct vrms_sim_input *input, struct vrms_sim_scenario *scenario,
		    struct later *later, struct vrms_error *error)
{
	int rc = 0;

	for (int i = 0; i < input->path_count && rc == 0; i++) {
		rc = read_file(scenario, input, input->paths[i], later, error);
	}
	if (rc == 0) {
		rc = vrms_sim_journal_finish(later->journal, scenario, later->text == NULL, error);
	}
	/* A trace alone says how many nodes there are. */
	if (rc == 0 && later->text == NULL && scenario->node_count > 0) {
		scenario->settings.nodes = scenario->node_count;
	}
	for (int i = 0; i < input->setting_count && rc == 0; i++) {
		rc = vrms_sim_scenario_assign(scenario, input->settings[i], error);
	}
	if (rc == 0) {
		rc = vrms_sim_scenario_populate(scenario, error);
	}
	if (rc == 0 && later->text != NULL) {
		rc = vrms_sim_scenario_read_rules(scenario, later->path, later->text, error);
	}
	if (rc == 0 && later->text != NULL) {
		rc = vrms_sim_scenario_read_faults(scenario, later->path, later->text, error);
	}
	return rc;
}

int vrms_sim_input_read(const struct vrms_sim_input *input, struct vrms_sim_scenario *scenario,
			struct vrms_error *error)
{
	struct later later = {.journal = vrms_sim_journal_new()};
	int rc;

	vrms_sim_scenario_init(scenario);
	rc = later.journal == NULL ? vrms_error_set(error, -ENOMEM, "out of memory for a journal")
				   : read_all(input, scenario, &later, error);
	free(later.text);
	vrms_sim_journal_free(later.journal);
	if (rc == 0) {
		rc = vrms_sim_scenario_complete(scenario, error);
	}
	if (rc < 0) {
		vrms_sim_scenario_done(scenario);
	}
	return rc;
}
