/* calibrate_fit.c - what a calibration learns from the lab: times of this machine, not of the
 * model.
 *
 * Never fitted: the time to a new membership (it follows from the token), who is
 * started where, in which order and how many at once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/calibrate.h"
#include "simulator/settings.h"

enum { RETRY_FROM_MS = 600 }; /* the controller's sleep is a second; no scheduler takes as long */

struct spans {
	double *ms;
	size_t count;
	double wakeups; /* so many waits of a woken thread are the load's, and left out */
};

/* Time from one step to another of each failure of these trials that had both. */
static int collect(const struct vrms_sim_samples *samples, unsigned trial_bits, int from, int to,
		   struct spans *spans)
{
	spans->count = 0;
	spans->ms = calloc(samples->count + 1, sizeof(*spans->ms));
	if (spans->ms == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < samples->count; i++) {
		const struct vrms_sim_sample *end = &samples->item[i];

		if (end->step != to || (trial_bits >> end->trial & 1) == 0) {
			continue;
		}
		for (size_t j = 0; j < samples->count; j++) {
			const struct vrms_sim_sample *begin = &samples->item[j];

			/* A step of no VM, or of the same one. */
			if (begin->step == from && begin->round == end->round &&
			    begin->trial == end->trial &&
			    (begin->vm == end->vm || begin->vm == 0 || end->vm == 0)) {
				spans->ms[spans->count++] =
				    fmax(0,
					 end->ms - begin->ms - spans->wakeups * end->wait_us / 1e3);
				break;
			}
		}
	}
	return 0;
}

enum {
	POWER = 1 << VRMS_SIM_TRIAL_POWER,
	FREEZE = 1 << VRMS_SIM_TRIAL_FREEZE,
	HOST = POWER | FREEZE,
	KILL = 1 << VRMS_SIM_TRIAL_KILL
};

/* Leaves those that are on one side of the controller's sleep; returns their share. */
static double keep(struct spans *spans, bool slept)
{
	size_t kept = 0, all = spans->count;

	for (size_t i = 0; i < all; i++) {
		if ((spans->ms[i] >= RETRY_FROM_MS) == slept) {
			spans->ms[kept++] = spans->ms[i];
		}
	}
	spans->count = kept;
	return all > 0 ? (double)kept / (double)all : 0;
}

static int store(struct vrms_sim_scenario *scenario, const char *section, const char *key,
		 const char *value, FILE *out, const char **last, struct vrms_error *error)
{
	char text[128];

	if (*last == NULL || strcmp(*last, section) != 0) {
		fprintf(out, "\n[%s]\n", section);
		*last = section;
	}
	fprintf(out, "%s = %s\n", key, value);
	snprintf(text, sizeof(text), "%s.%s=%s", section, key, value);
	return vrms_sim_settings_assign(&scenario->settings, text, error);
}

struct learned {
	double scheduler_ms, retry_pct, retry_ms, fence_ms, power_off_ms, notice_ms, cleanup_ms,
	    start_ms, elsewhere_ms;
};

static double median(struct spans *spans)
{
	return vrms_sim_quantile(spans->ms, spans->count, 0.5);
}

static int learn(const struct vrms_sim_samples *samples, double wakeups, struct learned *learned)
{
	struct spans decided = {0}, again = {0}, fenced = {0}, ended = {0}, noticed = {0},
		     cleaned = {0}, started = {.wakeups = wakeups}, moved = {.wakeups = wakeups};
	int rc =
	    collect(samples, HOST, VRMS_SIM_TRIAL_MEMBERSHIP, VRMS_SIM_TRIAL_DECIDED, &decided);

	rc = rc < 0 ? rc
		    : collect(samples, HOST, VRMS_SIM_TRIAL_MEMBERSHIP, VRMS_SIM_TRIAL_DECIDED,
			      &again);
	rc = rc < 0
		 ? rc
		 : collect(samples, POWER, VRMS_SIM_TRIAL_DECIDED, VRMS_SIM_TRIAL_FENCED, &fenced);
	/* A frozen host still runs: the switch has to end it. */
	rc = rc < 0
		 ? rc
		 : collect(samples, FREEZE, VRMS_SIM_TRIAL_DECIDED, VRMS_SIM_TRIAL_FENCED, &ended);
	rc = rc < 0
		 ? rc
		 : collect(samples, KILL, VRMS_SIM_TRIAL_NOTICED, VRMS_SIM_TRIAL_DECIDED, &noticed);
	rc = rc < 0
		 ? rc
		 : collect(samples, KILL, VRMS_SIM_TRIAL_DECIDED, VRMS_SIM_TRIAL_STARTED, &cleaned);
	rc = rc < 0
		 ? rc
		 : collect(samples, KILL, VRMS_SIM_TRIAL_STARTED, VRMS_SIM_TRIAL_RUNNING, &started);
	rc = rc < 0
		 ? rc
		 : collect(samples, HOST, VRMS_SIM_TRIAL_STARTED, VRMS_SIM_TRIAL_RUNNING, &moved);
	if (rc == 0) {
		learned->retry_pct = 100 * keep(&decided, true);
		learned->retry_ms = median(&decided);
		(void)keep(&again, false);
		learned->scheduler_ms = again.count > 0 ? median(&again) : median(&noticed);
		learned->retry_ms = fmax(0, learned->retry_ms - learned->scheduler_ms);
		learned->fence_ms = fenced.count > 0 ? median(&fenced) : median(&ended);
		learned->power_off_ms = fmax(0, median(&ended) - learned->fence_ms);
		learned->notice_ms = median(&noticed); /* the scheduler's time after a report */
		learned->cleanup_ms = median(&cleaned);
		learned->start_ms = median(&started);
		learned->elsewhere_ms = fmax(0, median(&moved) - learned->start_ms);
	}
	free(decided.ms);
	free(again.ms);
	free(fenced.ms);
	free(ended.ms);
	free(noticed.ms);
	free(cleaned.ms);
	free(started.ms);
	free(moved.ms);
	return rc;
}

/* When a QEMU's death is reported, after it. */
static bool is_notice(const struct vrms_sim_sample *sample, double *ret_ms)
{
	*ret_ms = sample->ms;
	return sample->trial == VRMS_SIM_TRIAL_KILL && sample->step == VRMS_SIM_TRIAL_NOTICED;
}

static bool is_wait(const struct vrms_sim_sample *sample, double *ret_us)
{
	*ret_us = sample->wait_us;
	return sample->wait_us > 0;
}

static double median_of(const struct vrms_sim_samples *samples,
			bool (*take)(const struct vrms_sim_sample *sample, double *ret_value))
{
	double *value = calloc(samples->count + 1, sizeof(*value));
	size_t count = 0;

	for (size_t i = 0; value != NULL && i < samples->count; i++) {
		count += take(&samples->item[i], &value[count]) ? 1 : 0;
	}
	double result = value == NULL ? 0 : vrms_sim_quantile(value, count, 0.5);

	free(value);
	return result;
}

int vrms_sim_calibrate_fit(struct vrms_sim_scenario *scenario,
			   const struct vrms_sim_samples *samples, FILE *out,
			   struct vrms_error *error)
{
	struct learned learned = {0};
	const char *last = NULL;
	int rc = learn(samples, (double)scenario->settings.vm_start_wakeups, &learned);

	if (rc < 0) {
		return vrms_error_set(error, rc, "out of memory for a fit");
	}
	/* What the scheduler needs for each VM and node is in the scenario already. */
	double pairs_ms = (double)scenario->vm_count * scenario->node_count *
			  (double)scenario->settings.scheduler_per_vm_node_ns / 1e6;
	double delay_ms = (double)scenario->settings.transition_delay_us / 1e3;
	double window_ms = (double)scenario->settings.sync_window_us / 1e3;

	/* Waits, and sleeps all the same at times: this machine would need a longer wait. */
	if (learned.retry_pct > 0) {
		window_ms = fmax(delay_ms + 1, window_ms);
	}
	const struct {
		const char *section, *key, *unit;
		double value;
	} rows[] = {
	    {"pacemaker", "scheduler", "ms", fmax(0, learned.scheduler_ms - pairs_ms - delay_ms)},
	    {"pacemaker", "report", "ms", fmax(0, learned.notice_ms - pairs_ms - delay_ms)},
	    {"pacemaker", "sync_window", "ms", window_ms},
	    {"pacemaker", "sync_retry_pct", "", learned.retry_pct},
	    {"pacemaker", "sync_retry", "ms", learned.retry_ms},
	    {"pacemaker", "fence_overhead", "ms", learned.fence_ms},
	    {"host", "power_off", "ms", learned.power_off_ms},
	    {"host", "wakeup", "us", median_of(samples, is_wait)},
	    {"vrmsd", "vm_event", "ms", median_of(samples, is_notice)},
	    {"vm", "start", "ms", learned.start_ms},
	    {"vm", "start_elsewhere", "ms", learned.elsewhere_ms},
	    {"vm", "cleanup", "ms", learned.cleanup_ms},
	};

	fprintf(out,
		"# Fitted by \"vrms-sim calibrate\" to %zu samples of a lab; not a prediction.\n",
		samples->count);
	for (size_t i = 0; rc == 0 && i < VRMS_COUNT_OF(rows); i++) {
		char value[32];

		snprintf(value, sizeof(value), "%.0f%s", rows[i].value, rows[i].unit);
		rc = store(scenario, rows[i].section, rows[i].key, value, out, &last, error);
	}
	return rc;
}
