/* samples.c - samples of a calibration: kept, read, printed, compared.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/calibrate.h"
#include "simulator/line.h"

static const char *const trials[] = {"power-cut", "freeze", "qemu-kill"};

#define WORD(name, word) word,
static const char *const steps[] = {VRMS_SIM_TRIAL_STEPS(WORD)};
#undef WORD

const char *vrms_sim_trial_word(enum vrms_sim_trial trial)
{
	return trials[trial];
}

const char *vrms_sim_trial_step_word(enum vrms_sim_trial_step step)
{
	return steps[step];
}

void vrms_sim_samples_done(struct vrms_sim_samples *samples)
{
	free(samples->item);
	memset(samples, 0, sizeof(*samples));
}

int vrms_sim_samples_add(struct vrms_sim_samples *samples, const struct vrms_sim_sample *sample)
{
	for (size_t i = samples->count; i > 0; i--) {
		struct vrms_sim_sample *known = &samples->item[i - 1];

		if (known->round == sample->round && known->trial == sample->trial &&
		    known->step == sample->step && known->vm == sample->vm) {
			known->ms = fmin(known->ms, sample->ms);
			return 0;
		}
	}
	if (samples->count == samples->capacity) {
		size_t capacity = samples->capacity == 0 ? 256 : 2 * samples->capacity;
		struct vrms_sim_sample *grown =
		    reallocarray(samples->item, capacity, sizeof(*grown));

		if (grown == NULL) {
			return -ENOMEM;
		}
		samples->item = grown;
		samples->capacity = capacity;
	}
	samples->item[samples->count++] = *sample;
	return 0;
}

static int find_word(const char *const *words, int count, const char *word)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(words[i], word) == 0) {
			return i;
		}
	}
	return -ENOENT;
}

/* ",LOAD", ",LOAD,WAIT" or nothing. */
static bool read_conditions(const char *text, struct vrms_sim_sample *sample)
{
	double *const value[] = {&sample->load, &sample->wait_us};

	for (size_t i = 0; i < VRMS_COUNT_OF(value) && text[0] != '\0'; i++) {
		int used = 0;

		if (sscanf(text, ",%lf%n", value[i], &used) != 1 || !(*value[i] >= 0)) {
			return false;
		}
		text += used;
	}
	return text[0] == '\0';
}

static int parse_line(const char *text, struct vrms_sim_samples *samples, struct vrms_error *error)
{
	struct vrms_sim_sample sample = {0};
	char trial[32], step[32];
	int used = 0;

	if (sscanf(text, "%d,%31[a-z-],%31[a-z-],%d,%lf%n", &sample.round, trial, step, &sample.vm,
		   &sample.ms, &used) != 5 ||
	    !read_conditions(text + used, &sample) || sample.round < 1 || sample.vm < 0 ||
	    !(sample.ms >= 0)) {
		return vrms_error_set(error, -EINVAL,
				      "\"%s\" is not round,fault,step,vm,ms,load,wait_us", text);
	}
	sample.trial = find_word(trials, VRMS_SIM_TRIAL_COUNT, trial);
	sample.step = find_word(steps, VRMS_SIM_TRIAL_STEP_COUNT, step);
	if (sample.trial < 0 || sample.step < 0) {
		return vrms_error_set(error, -EINVAL, "there is no \"%s\"",
				      sample.trial < 0 ? trial : step);
	}
	return vrms_sim_samples_add(samples, &sample) < 0
		   ? vrms_error_set(error, -ENOMEM, "out of memory for samples")
		   : 0;
}

int vrms_sim_samples_parse(const char *path, const char *text, struct vrms_sim_samples *samples,
			   struct vrms_error *error)
{
	struct vrms_sim_lines lines = {.next = text};

	while (vrms_sim_lines_next(&lines)) {
		if (lines.text[0] == '\0' || lines.text[0] == '#' ||
		    strncmp(lines.text, "round,", 6) == 0) {
			continue;
		}
		int rc = parse_line(lines.text, samples, error);

		if (rc < 0) {
			return vrms_error_wrap(error, rc, "%s:%d", path, lines.number);
		}
	}
	return 0;
}

void vrms_sim_samples_print(FILE *out, const struct vrms_sim_samples *samples)
{
	fprintf(out, "round,fault,step,vm,ms,load,wait_us\n");
	for (size_t i = 0; i < samples->count; i++) {
		const struct vrms_sim_sample *sample = &samples->item[i];

		fprintf(out, "%d,%s,%s,%d,%.0f,%.1f,%.0f\n", sample->round, trials[sample->trial],
			steps[sample->step], sample->vm, sample->ms, sample->load, sample->wait_us);
	}
}

int vrms_sim_samples_last_round(const struct vrms_sim_samples *samples)
{
	int last = 0;

	for (size_t i = 0; i < samples->count; i++) {
		last = samples->item[i].round > last ? samples->item[i].round : last;
	}
	return last;
}

static int compare_numbers(const void *left, const void *right)
{
	double one = *(const double *)left, other = *(const double *)right;

	return one < other ? -1 : one > other;
}

double vrms_sim_quantile(double *value, size_t count, double share)
{
	double rank = ceil(share * (double)count) - 1;

	if (count == 0) {
		return 0;
	}
	qsort(value, count, sizeof(*value), compare_numbers);
	/* The median of an even number lies between the middle two. */
	if (share == 0.5 && count % 2 == 0) {
		return (value[count / 2 - 1] + value[count / 2]) / 2;
	}
	return value[rank > 0 ? (size_t)rank : 0];
}

struct row {
	size_t count;
	double p10, p50, p90;
};

static int summarize(const struct vrms_sim_samples *samples, int trial, int step, struct row *row)
{
	double *value = calloc(samples->count + 1, sizeof(*value));

	*row = (struct row){0};
	if (value == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < samples->count; i++) {
		if (samples->item[i].trial == trial && samples->item[i].step == step) {
			value[row->count++] = samples->item[i].ms;
		}
	}
	row->p10 = vrms_sim_quantile(value, row->count, 0.1);
	row->p50 = vrms_sim_quantile(value, row->count, 0.5);
	row->p90 = vrms_sim_quantile(value, row->count, 0.9);
	free(value);
	return 0;
}

/* What a calibration learns: times of the machine.  What it does not is the model's. */
static const char *basis_of(int trial, int step)
{
	bool of_vm = trial == VRMS_SIM_TRIAL_KILL;

	switch (step) {
	case VRMS_SIM_TRIAL_MEMBERSHIP:
		return "predicted";
	case VRMS_SIM_TRIAL_STARTED:
		return of_vm ? "fitted" : "follows";
	default:
		return "fitted";
	}
}

static json_t *describe(const struct row *row)
{
	return json_pack("{s:I, s:f, s:f, s:f}", "count", (json_int_t)row->count, "p10_ms",
			 round(row->p10), "p50_ms", round(row->p50), "p90_ms", round(row->p90));
}

/* Returns whether the two medians agree. */
static bool print_row(FILE *out, int trial, int step, const struct row *lab,
		      const struct row *simulated)
{
	double apart = simulated->p50 - lab->p50;
	bool agrees = fabs(apart) <= fmax(100, 0.15 * lab->p50);

	fprintf(out,
		"%-10s %-14s %-9s %4zu %7.0f %7.0f %7.0f   %4zu %7.0f %7.0f %7.0f  %+7.0f %+6.1f "
		"%%%s\n",
		trials[trial], steps[step], basis_of(trial, step), lab->count, lab->p10, lab->p50,
		lab->p90, simulated->count, simulated->p10, simulated->p50, simulated->p90, apart,
		lab->p50 > 0 ? apart / lab->p50 * 100 : 0, agrees ? "" : "  OUTSIDE");
	return agrees;
}

static double load_of(const struct vrms_sim_sample *sample)
{
	return sample->load;
}

static double wait_ms_of(const struct vrms_sim_sample *sample)
{
	return sample->wait_us / 1e3;
}

/* Others at work on the lab's machine disturb what is measured there. */
static int print_conditions(FILE *out, const struct vrms_sim_samples *lab)
{
	static const struct {
		const char *text;
		double (*of)(const struct vrms_sim_sample *sample);
	} conditions[] = {{"load average of the lab's machine:", load_of},
			  {"ms that a woken thread waited there:", wait_ms_of}};
	double *value = calloc(lab->count + 1, sizeof(*value));

	if (value == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < VRMS_COUNT_OF(conditions); i++) {
		size_t count = 0;

		for (size_t j = 0; j < lab->count; j++) {
			value[count] = conditions[i].of(&lab->item[j]);
			count += value[count] > 0 ? 1 : 0;
		}
		if (count > 0) {
			double median = vrms_sim_quantile(value, count, 0.5);

			fprintf(out, "%s %.2f to %.2f, median %.2f\n", conditions[i].text, value[0],
				value[count - 1], median);
		}
	}
	free(value);
	return 0;
}

int vrms_sim_calibrate_compare(const struct vrms_sim_samples *lab,
			       const struct vrms_sim_samples *simulated, FILE *out,
			       json_t **ret_rows)
{
	json_t *rows = json_array();
	int outside = 0;

	fprintf(out, "%-25s %-9s %31s   %31s  %16s\n", "ms after the fault", "basis",
		"lab:  n     p10     p50     p90", "simulated:  n  p10     p50     p90",
		"p50 differs by");
	for (int i = 0; i < VRMS_SIM_TRIAL_COUNT * VRMS_SIM_TRIAL_STEP_COUNT; i++) {
		int trial = i / VRMS_SIM_TRIAL_STEP_COUNT, step = i % VRMS_SIM_TRIAL_STEP_COUNT;
		struct row one, other;

		if (rows == NULL || summarize(lab, trial, step, &one) < 0 ||
		    summarize(simulated, trial, step, &other) < 0) {
			json_decref(rows);
			return -ENOMEM;
		}
		if (one.count == 0 || other.count == 0) {
			continue;
		}
		bool agrees = print_row(out, trial, step, &one, &other);

		outside += agrees ? 0 : 1;
		json_array_append_new(rows,
				      json_pack("{s:s, s:s, s:s, s:o, s:o, s:b}", "fault",
						trials[trial], "step", steps[step], "basis",
						basis_of(trial, step), "lab", describe(&one),
						"simulated", describe(&other), "agrees", agrees));
	}
	if (print_conditions(out, lab) < 0) {
		json_decref(rows);
		return -ENOMEM;
	}
	if (ret_rows != NULL) {
		*ret_rows = rows;
	} else {
		json_decref(rows);
	}
	return outside;
}
