/* command_sweep.c - vrms-sim sweep: one scenario under a grid of settings, in parallel.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/parse.h"
#include "simulator/command.h"
#include "simulator/detector.h"
#include "simulator/report.h"
#include "simulator/sweep.h"

enum { CELLS_MAX = 4096, VALUES_MAX = 64, JOBS_MAX = 64, SETTING_BYTES = 1200 };

/* "section.key=a,b,c" */
struct axis {
	char key[128];
	char text[1024];
	const char *value[VALUES_MAX];
	int count;
};

static int read_axis(const char *text, struct axis *axis, struct vrms_error *error)
{
	const char *equals = strchr(text, '=');
	char *rest = axis->text, *value;

	if (equals == NULL || equals - text >= (int)sizeof(axis->key) ||
	    strlen(equals) >= sizeof(axis->text)) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not section.key=a,b,c", text);
	}
	snprintf(axis->key, sizeof(axis->key), "%.*s", (int)(equals - text), text);
	snprintf(axis->text, sizeof(axis->text), "%s", equals + 1);
	while ((value = strsep(&rest, ",")) != NULL) {
		if (axis->count == VALUES_MAX) {
			return vrms_error_set(error, -E2BIG, "%s: more than %d values", axis->key,
					      VALUES_MAX);
		}
		axis->value[axis->count++] = value;
	}
	return 0;
}

/* One point of the grid: its settings as texts, and the label of the row. */
static void choose_values(const struct axis *axes, int axis_count, int index,
			  char (*texts)[SETTING_BYTES], struct vrms_sim_cell *cell)
{
	size_t used = 0;

	for (int i = 0; i < axis_count; i++) {
		const char *value = axes[i].value[index % axes[i].count];
		const char *dot = strchr(axes[i].key, '.');

		index /= axes[i].count;
		snprintf(texts[i], SETTING_BYTES, "%s=%s", axes[i].key, value);
		used +=
		    (size_t)snprintf(cell->label + used, sizeof(cell->label) - used, "%s%s=%s",
				     i == 0 ? "" : " ", dot == NULL ? axes[i].key : dot + 1, value);
		if (used >= sizeof(cell->label)) {
			used = sizeof(cell->label) - 1;
		}
	}
}

/* Reads the files anew for each point: how many nodes there are may be on the grid as well. */
static int make_cells(const struct vrms_sim_arguments *arguments, const struct axis *axes,
		      struct vrms_sim_cell *cells, int count, struct vrms_error *error)
{
	char(*texts)[SETTING_BYTES] = calloc((size_t)arguments->grid_count, sizeof(*texts));
	struct vrms_sim_arguments own = *arguments;
	int rc = 0;

	if (texts == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory for the grid");
	}
	for (int i = 0; i < arguments->grid_count; i++) {
		own.settings[own.setting_count++] = texts[i];
	}
	for (int i = 0; i < count && rc == 0; i++) {
		choose_values(axes, arguments->grid_count, i, texts, &cells[i]);
		rc = vrms_sim_arguments_read(&own, &cells[i].scenario, error);
		cells[i].is_read = rc == 0;
	}
	free(texts);
	return rc;
}

struct crew {
	pthread_mutex_t lock;
	struct vrms_sim_cell *cells;
	int count, next;
};

static void *work(void *context)
{
	struct crew *crew = context;

	for (;;) {
		pthread_mutex_lock(&crew->lock);
		int index = crew->next < crew->count ? crew->next++ : -1;
		pthread_mutex_unlock(&crew->lock);
		if (index < 0) {
			return NULL;
		}
		vrms_sim_cell_run(&crew->cells[index]);
	}
}

static int run_cells(struct vrms_sim_cell *cells, int count, struct vrms_error *error)
{
	struct crew crew = {.lock = PTHREAD_MUTEX_INITIALIZER, .cells = cells, .count = count};
	pthread_t threads[JOBS_MAX];
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	int started = 0;

	while (started < cores && started < JOBS_MAX && started < count &&
	       pthread_create(&threads[started], NULL, work, &crew) == 0) {
		started++;
	}
	if (started == 0) {
		work(&crew);
	}
	for (int i = 0; i < started; i++) {
		pthread_join(threads[i], NULL);
	}
	for (int i = 0; i < count; i++) {
		if (cells[i].rc < 0) {
			return vrms_error_set(error, cells[i].rc, "%s: %s", cells[i].label,
					      cells[i].error.text);
		}
	}
	return 0;
}

static int write_results(const struct vrms_sim_arguments *arguments,
			 const struct vrms_sim_cell *cells, int count, struct vrms_error *error)
{
	bool json_on_stdout = arguments->json != NULL &&
			      (arguments->json[0] == '\0' || strcmp(arguments->json, "-") == 0);
	int rc = 0;

	if (!json_on_stdout) {
		vrms_sim_sweep_print(stdout, cells, count);
	}
	if (arguments->json != NULL) {
		json_t *rows = vrms_sim_sweep_json(cells, count);
		char *text VRMS_CLEANUP(vrms_freep) =
		    rows == NULL ? NULL : json_dumps(rows, JSON_INDENT(1) | JSON_REAL_PRECISION(9));

		json_decref(rows);
		if (text == NULL) {
			return vrms_error_set(error, -ENOMEM, "out of memory for the figures");
		}
		if (json_on_stdout) {
			puts(text);
		} else {
			rc = vrms_file_write(arguments->json, text, strlen(text), 0644, error);
		}
	}
	if (rc == 0 && arguments->svg != NULL) {
		rc = vrms_sim_sweep_svg(arguments->svg, cells, count, error);
	}
	return rc;
}

static int sweep(const struct vrms_sim_arguments *arguments, const struct axis *axes, int count,
		 struct vrms_error *error)
{
	struct vrms_sim_cell *cells = calloc((size_t)count, sizeof(*cells));
	int rc;

	if (cells == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory for the grid");
	}
	rc = make_cells(arguments, axes, cells, count, error);
	rc = rc < 0 ? rc : run_cells(cells, count, error);
	rc = rc < 0 ? rc : write_results(arguments, cells, count, error);
	for (int i = 0; i < count; i++) {
		if (cells[i].is_read) {
			vrms_sim_scenario_done(&cells[i].scenario);
		}
	}
	free(cells);
	return rc;
}

int vrms_sim_command_sweep(const struct vrms_sim_arguments *arguments, struct vrms_error *error)
{
	struct axis *axes = calloc(VRMS_SIM_LIST_MAX, sizeof(*axes));
	int count = 1, rc = 0;

	if (axes == NULL) {
		vrms_error_set(error, -ENOMEM, "out of memory for the grid");
		return VRMS_SIM_EXIT_FAILED;
	}
	if (arguments->grid_count == 0) {
		rc = vrms_error_set(error, -EINVAL, "sweep needs at least one --grid");
	}
	if (arguments->grid_count + arguments->setting_count > VRMS_SIM_LIST_MAX) {
		rc = vrms_error_set(error, -E2BIG, "more than %d of --set and --grid",
				    VRMS_SIM_LIST_MAX);
	}
	for (int i = 0; i < arguments->grid_count && rc == 0; i++) {
		rc = read_axis(arguments->grids[i], &axes[i], error);
		count = rc < 0 || count > CELLS_MAX ? count : count * axes[i].count;
	}
	if (rc == 0 && count > CELLS_MAX) {
		rc = vrms_error_set(error, -E2BIG, "the grid has more than %d points", CELLS_MAX);
	}
	if (rc < 0) {
		free(axes);
		return VRMS_SIM_EXIT_USAGE;
	}
	rc = sweep(arguments, axes, count, error);
	free(axes);
	return rc < 0 ? VRMS_SIM_EXIT_FAILED : VRMS_SIM_EXIT_OK;
}
