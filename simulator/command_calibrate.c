/* command_calibrate.c - vrms-sim calibrate: the same failures in a lab and in the simulator.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/parse.h"
#include "simulator/calibrate.h"
#include "simulator/command.h"

enum { ROUNDS_DEFAULT = 8, ROUNDS_MAX = 1000, FILE_BYTES_MAX = 1 << 24 };

static int read_samples(const char *path, struct vrms_sim_samples *samples,
			struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_file_read(path, FILE_BYTES_MAX, &text, NULL, error);

	rc = rc < 0 ? rc : vrms_sim_samples_parse(path, text, samples, error);
	if (rc == 0 && samples->count == 0) {
		rc = vrms_error_set(error, -EINVAL, "%s: there is no sample in it", path);
	}
	return rc;
}

static int write_samples(const char *path, const struct vrms_sim_samples *samples,
			 struct vrms_error *error)
{
	FILE *out = fopen(path, "we");

	if (out == NULL) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	vrms_sim_samples_print(out, samples);
	return fclose(out) != 0 ? vrms_error_errno(error, -errno, "%s", path) : 0;
}

static int measure(const struct vrms_sim_arguments *arguments,
		   const struct vrms_sim_scenario *scenario, struct vrms_sim_samples *samples,
		   struct vrms_error *error)
{
	int64_t rounds = ROUNDS_DEFAULT;
	struct vrms_error later = {""};
	int rc = arguments->rounds == NULL
		     ? 0
		     : vrms_int_parse(arguments->rounds, 1, ROUNDS_MAX, &rounds, error);

	if (rc < 0) {
		return vrms_error_wrap(error, rc, "rounds");
	}
	/* Rounds of an earlier time are kept and added to. */
	if (arguments->samples != NULL && access(arguments->samples, F_OK) == 0) {
		rc = read_samples(arguments->samples, samples, error);
	}
	if (rc < 0) {
		return rc;
	}
	rc = vrms_sim_lab_measure(scenario, (int)rounds, samples, stderr, error);
	/* What was measured is kept, also when the lab gave up half-way. */
	if (arguments->samples != NULL && samples->count > 0 &&
	    write_samples(arguments->samples, samples, &later) < 0 && rc == 0) {
		rc = vrms_error_set(error, -EIO, "%s", later.text);
	}
	return rc;
}

/* Odd rounds are for the fit, even ones for the check. */
static int part(const struct vrms_sim_samples *all, int rest, struct vrms_sim_samples *ret_part)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < all->count; i++) {
		if (all->item[i].round % 2 == rest) {
			rc = vrms_sim_samples_add(ret_part, &all->item[i]);
		}
	}
	return rc;
}

static int fit(const char *path, struct vrms_sim_scenario *scenario,
	       const struct vrms_sim_samples *samples, struct vrms_error *error)
{
	FILE *out = fopen(path, "we");
	int rc;

	if (out == NULL) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	rc = vrms_sim_calibrate_fit(scenario, samples, out, error);
	if (fclose(out) != 0 && rc == 0) {
		rc = vrms_error_errno(error, -errno, "%s", path);
	}
	return rc;
}

static int print_json(json_t *rows, int outside, struct vrms_error *error)
{
	json_t *report = json_pack("{s:O, s:i}", "rows", rows, "outside", outside);
	char *text VRMS_CLEANUP(vrms_freep) =
	    report == NULL ? NULL : json_dumps(report, JSON_INDENT(1));

	json_decref(report);
	if (text == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory for the figures");
	}
	puts(text);
	return 0;
}

static int compare(const struct vrms_sim_arguments *arguments,
		   const struct vrms_sim_scenario *scenario, const struct vrms_sim_samples *lab,
		   struct vrms_error *error)
{
	struct vrms_sim_samples simulated VRMS_CLEANUP(vrms_sim_samples_done) = {0};
	json_t *rows = NULL;
	int rc = vrms_sim_trial_simulate(scenario, lab, &simulated, error);

	if (rc < 0) {
		return VRMS_SIM_EXIT_FAILED;
	}
	int outside = vrms_sim_calibrate_compare(lab, &simulated,
						 arguments->json == NULL ? stdout : stderr, &rows);

	if (outside < 0) {
		vrms_error_set(error, outside, "out of memory for the comparison");
		return VRMS_SIM_EXIT_FAILED;
	}
	rc = arguments->json == NULL ? 0 : print_json(rows, outside, error);
	json_decref(rows);
	if (rc < 0) {
		return VRMS_SIM_EXIT_FAILED;
	}
	return outside > 0 ? VRMS_SIM_EXIT_BROKEN : VRMS_SIM_EXIT_OK;
}

static int calibrate(const struct vrms_sim_arguments *arguments, struct vrms_sim_scenario *scenario,
		     const struct vrms_sim_samples *lab, struct vrms_error *error)
{
	struct vrms_sim_samples known VRMS_CLEANUP(vrms_sim_samples_done) = {0};
	struct vrms_sim_samples held_out VRMS_CLEANUP(vrms_sim_samples_done) = {0};

	if (arguments->fit == NULL) {
		return compare(arguments, scenario, lab, error);
	}
	if (part(lab, 1, &known) < 0 || part(lab, 0, &held_out) < 0) {
		vrms_error_set(error, -ENOMEM, "out of memory for samples");
		return VRMS_SIM_EXIT_FAILED;
	}
	if (fit(arguments->fit, scenario, &known, error) < 0) {
		return VRMS_SIM_EXIT_FAILED;
	}
	fprintf(arguments->json == NULL ? stdout : stderr,
		"%s: fitted to the odd rounds (%zu samples); compared with the even ones (%zu)\n",
		arguments->fit, known.count, held_out.count);
	return compare(arguments, scenario, &held_out, error);
}

int vrms_sim_command_calibrate(const struct vrms_sim_arguments *arguments, struct vrms_error *error)
{
	struct vrms_sim_samples lab VRMS_CLEANUP(vrms_sim_samples_done) = {0};
	struct vrms_sim_scenario scenario;
	int rc, status = VRMS_SIM_EXIT_FAILED;

	if (!arguments->lab && arguments->samples == NULL) {
		vrms_error_set(error, -EINVAL,
			       "calibrate needs --lab, or --samples of an earlier one");
		return VRMS_SIM_EXIT_USAGE;
	}
	if (vrms_sim_arguments_read(arguments, &scenario, error) < 0) {
		return VRMS_SIM_EXIT_FAILED;
	}
	rc = arguments->lab ? measure(arguments, &scenario, &lab, error)
			    : read_samples(arguments->samples, &lab, error);
	if (rc == 0) {
		status = calibrate(arguments, &scenario, &lab, error);
	}
	vrms_sim_scenario_done(&scenario);
	return status;
}
