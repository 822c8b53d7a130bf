/* lab_drive.c - makes the faults of a calibration in a real cluster, through vrms-lab(8).
 *
 * Every VM has a home, to which it moves back when its node does, so that each round begins
 * alike; the victims are never the DC.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/child.h"
#include "common/clock.h"
#include "simulator/calibrate.h"
#include "simulator/wakeup.h"

enum {
	ARGUMENTS_MAX = 16,
	COMMAND_TIMEOUT_MS = 330000,
	STEADY_TIMEOUT_MS = 120000,
	RECOVER_TIMEOUT_MS = 30000,
	CALM_MS = 3000,
	POLL_MS = 500,
	NAME_BYTES = 32,
};

#define LAB "calibrate"

struct drive {
	const struct vrms_sim_scenario *scenario;
	struct vrms_sim_samples *samples;
	FILE *tell;
	int vm_count;
};

static void sleep_ms(int64_t ms)
{
	vrms_clock_sleep_ms(vrms_clock_system(), ms);
}

/* Signals wait until the lab is down; which one has come? */
static int check_interrupted(struct vrms_error *error)
{
	sigset_t pending;

	sigpending(&pending);
	if (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM) ||
	    sigismember(&pending, SIGHUP)) {
		return vrms_error_set(error, -EINTR, "interrupted");
	}
	return 0;
}

static int64_t now_ms(void)
{
	return vrms_clock_now_ms(vrms_clock_system());
}

static int64_t ms_of_day(void)
{
	struct timespec now;
	struct tm local;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &local);
	return ((local.tm_hour * 60 + local.tm_min) * INT64_C(60) + local.tm_sec) * 1000 +
	       now.tv_nsec / 1000000;
}

/* Runs "vrms-lab --lab calibrate ..."; the arguments end with NULL. */
static int lab(char **ret_output, struct vrms_error *error, ...)
{
	const char *argv[ARGUMENTS_MAX] = {"vrms-lab", "--lab", LAB};
	struct vrms_child_spec spec = {.argv = argv, .timeout_ms = COMMAND_TIMEOUT_MS};
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	va_list list;
	int count = 3;

	va_start(list, error);
	while (count < ARGUMENTS_MAX - 1 && (argv[count] = va_arg(list, const char *)) != NULL) {
		count++;
	}
	va_end(list);
	argv[count] = NULL;
	int rc = vrms_child_run(&spec, &result, error);

	if (rc < 0) {
		return rc;
	}
	if (result.exit_code != 0) {
		return vrms_error_set(error, -EIO, "vrms-lab %s: exit status %d: %.*s", argv[3],
				      result.exit_code,
				      (int)strcspn(result.errors == NULL ? "" : result.errors,
						   "\n"),
				      result.errors == NULL ? "" : result.errors);
	}
	if (ret_output != NULL) {
		*ret_output = VRMS_TAKE(result.output);
	}
	return 0;
}

static int home_of(const struct drive *drive, int vm)
{
	return (vm - 1) % drive->scenario->node_count + 1;
}

/* Is every VM started at home? */
static int count_at_home(const struct drive *drive, struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = lab(&text, error, "vm", "list", "--json", NULL);
	json_t *list = rc < 0 ? NULL : json_loads(text, 0, NULL);
	json_t *row;
	size_t index;
	int count = 0;

	json_array_foreach(list, index, row)
	{
		const char *name = json_string_value(json_object_get(row, "name"));
		const char *node = json_string_value(json_object_get(row, "node"));
		const char *state = json_string_value(json_object_get(row, "state"));
		int vm = 0, at = 0;

		if (name != NULL && node != NULL && state != NULL &&
		    sscanf(name, "vm%d", &vm) == 1 && sscanf(node, "node%d", &at) == 1) {
			count += strcmp(state, "Started") == 0 && at == home_of(drive, vm) ? 1 : 0;
		}
	}
	json_decref(list);
	return rc < 0 ? rc : count;
}

/* Waits until all nodes are online and all VMs at home, then until nothing happens any more. */
static int wait_until_steady(const struct drive *drive, struct vrms_error *error)
{
	int64_t end_ms = now_ms() + STEADY_TIMEOUT_MS;
	int rc = lab(NULL, error, "wait", "--timeout", "120s", NULL);

	while (rc == 0) {
		int count = count_at_home(drive, error);

		if (count < 0 || count == drive->vm_count) {
			rc = count < 0 ? count : 0;
			break;
		}
		rc = check_interrupted(error);
		if (rc < 0) {
			return rc;
		}
		if (now_ms() > end_ms) {
			return vrms_error_set(error, -ETIMEDOUT, "only %d of %d VMs are at home",
					      count, drive->vm_count);
		}
		sleep_ms(POLL_MS);
	}
	sleep_ms(rc == 0 ? CALM_MS : 0);
	return rc;
}

static int add_vms(const struct drive *drive, struct vrms_error *error)
{
	int rc = 0;

	for (int vm = 1; rc == 0 && vm <= drive->vm_count; vm++) {
		char name[NAME_BYTES], node[NAME_BYTES];

		snprintf(name, sizeof(name), "vm%d", vm);
		snprintf(node, sizeof(node), "node%d", home_of(drive, vm));
		rc = lab(NULL, error, "vm", "add", name, NULL);
		rc = rc < 0 ? rc
			    : lab(NULL, error, "exec", "node1", "crm_resource", "--move",
				  "--resource", name, "--node", node, NULL);
	}
	return rc;
}

static int bring_up(const struct drive *drive, struct vrms_error *error)
{
	const struct vrms_sim_settings *settings = &drive->scenario->settings;
	char nodes[NAME_BYTES], token[NAME_BYTES];
	int rc;

	snprintf(nodes, sizeof(nodes), "%d", drive->scenario->node_count);
	snprintf(token, sizeof(token), "%d",
		 (int)(vrms_sim_token_us(settings, drive->scenario->node_count) / 1000));
	rc = lab(NULL, error, "up", "-n", nodes, "--token", token,
		 settings->vrmsd ? "--vrmsd" : NULL, NULL);
	for (int i = 1;
	     rc == 0 && settings->vrmsd && !settings->tuner && i <= drive->scenario->node_count;
	     i++) {
		char node[NAME_BYTES];

		snprintf(node, sizeof(node), "node%d", i);
		rc = lab(NULL, error, "exec", node, "vrms", "tune", "off", NULL);
	}
	rc = rc < 0 ? rc : add_vms(drive, error);
	return rc < 0 ? rc : wait_until_steady(drive, error);
}

/* The number of the node that is the DC now. */
static int find_dc(struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int dc = 0;
	int rc = lab(&text, error, "exec", "node1", "crmadmin", "--quiet", "--dc_lookup", NULL);

	if (rc == 0 && (sscanf(text, "node%d", &dc) != 1 || dc < 1)) {
		rc = vrms_error_set(error, -EIO, "crmadmin names no DC: \"%.*s\"",
				    (int)strcspn(text, "\n"), text);
	}
	return rc < 0 ? rc : dc;
}

/* Two rounds have the same victims: a fit learns from one of them, and is held against the other.
 */
static int pair_of(int round)
{
	return (round - 1) / 2;
}

/* One of the nodes that are not the DC: its loss would have an election in it. */
static int choose_node(const struct drive *drive, int round, struct vrms_error *error)
{
	int dc = find_dc(error);
	int node = pair_of(round) % (drive->scenario->node_count - 1) + 1;

	return dc < 0 ? dc : node < dc ? node : node + 1;
}

static int make_fault(const struct drive *drive, struct vrms_sim_lab_fault *fault, char *victim,
		      struct vrms_error *error)
{
	char command[128], *output VRMS_CLEANUP(vrms_freep) = NULL;
	int vm = pair_of(fault->round) % drive->vm_count + 1;
	int host = choose_node(drive, fault->round, error);

	if (host < 0) {
		return host;
	}
	snprintf(victim, NAME_BYTES, "node%d", host);
	fault->victim = victim;
	if (getloadavg(&fault->load, 1) != 1) {
		fault->load = 0;
	}
	fault->at_ms = ms_of_day();
	if (fault->trial == VRMS_SIM_TRIAL_POWER) {
		return lab(NULL, error, "power", "off", victim, NULL);
	}
	if (fault->trial == VRMS_SIM_TRIAL_FREEZE) {
		return lab(NULL, error, "freeze", victim, NULL);
	}
	char node[NAME_BYTES];

	snprintf(victim, NAME_BYTES, "vm%d", vm);
	snprintf(node, sizeof(node), "node%d", home_of(drive, vm));
	snprintf(command, sizeof(command), "kill -9 $(cat /run/libvirt/qemu/%s.pid)", victim);
	return lab(&output, error, "exec", node, "sh", "-c", command, NULL);
}

/* VMs that are expected to be started anew. */
static int expected_starts(const struct drive *drive, const struct vrms_sim_lab_fault *fault)
{
	int node = 0, count = 0;

	if (fault->trial == VRMS_SIM_TRIAL_KILL) {
		return 1;
	}
	(void)sscanf(fault->victim, "node%d", &node);
	for (int vm = 1; vm <= drive->vm_count; vm++) {
		count += home_of(drive, vm) == node ? 1 : 0;
	}
	return count;
}

static int count_running(const struct vrms_sim_samples *samples,
			 const struct vrms_sim_lab_fault *fault)
{
	int count = 0;

	for (size_t i = 0; i < samples->count; i++) {
		const struct vrms_sim_sample *sample = &samples->item[i];

		count += sample->round == fault->round && sample->trial == fault->trial &&
				 sample->step == VRMS_SIM_TRIAL_RUNNING
			     ? 1
			     : 0;
	}
	return count;
}

/* Reads the logs until all VMs run again. */
static int watch(const struct drive *drive, const struct vrms_sim_lab_fault *fault,
		 struct vrms_error *error)
{
	int64_t end_ms = now_ms() + RECOVER_TIMEOUT_MS;
	int wanted = expected_starts(drive, fault);

	for (;;) {
		char *text VRMS_CLEANUP(vrms_freep) = NULL;

		sleep_ms(2 * POLL_MS);
		int rc = lab(&text, error, "logs", "-n", "3000", NULL);

		if (rc == 0 && vrms_sim_lab_log_parse(text, fault, drive->samples) < 0) {
			rc = vrms_error_set(error, -ENOMEM, "out of memory for samples");
		}
		if (rc < 0 || count_running(drive->samples, fault) >= wanted) {
			return rc;
		}
		if (now_ms() > end_ms) {
			return vrms_error_set(error, -ETIMEDOUT, "%s: not all VMs run again",
					      vrms_sim_trial_word(
						  (enum vrms_sim_trial)fault->trial));
		}
	}
}

/* The same, and notes how busy the machine was meanwhile. */
static int watch_with_waits(const struct drive *drive, const struct vrms_sim_lab_fault *fault,
			    struct vrms_error *error)
{
	struct vrms_sim_wakeup wakeup;
	int rc = vrms_sim_wakeup_begin(&wakeup, error);

	if (rc < 0) {
		return rc;
	}
	rc = watch(drive, fault, error);
	double wait_us = round(vrms_sim_wakeup_end(&wakeup)); /* as its file keeps it */

	for (size_t i = 0; i < drive->samples->count; i++) {
		struct vrms_sim_sample *sample = &drive->samples->item[i];

		if (sample->round == fault->round && sample->trial == fault->trial) {
			sample->wait_us = wait_us;
		}
	}
	return rc;
}

static void forget(struct vrms_sim_samples *samples, const struct vrms_sim_lab_fault *fault)
{
	size_t kept = 0;

	for (size_t i = 0; i < samples->count; i++) {
		if (samples->item[i].round != fault->round ||
		    samples->item[i].trial != fault->trial) {
			samples->item[kept++] = samples->item[i];
		}
	}
	samples->count = kept;
}

static int make_trial(const struct drive *drive, int round, int trial, struct vrms_error *error)
{
	struct vrms_sim_lab_fault fault = {.round = round, .trial = trial};
	char victim[NAME_BYTES];
	int rc = make_fault(drive, &fault, victim, error);

	rc = rc < 0 ? rc : watch_with_waits(drive, &fault, error);
	if (rc == -ETIMEDOUT) {
		/* The cluster has not healed itself: told, left out, put right. */
		fprintf(drive->tell, "round %d left out: %s\n", round, error->text);
		vrms_error_clear(error);
		forget(drive->samples, &fault);
		rc = 0;
	}
	if (rc == 0 && trial == VRMS_SIM_TRIAL_KILL) {
		rc = lab(NULL, error, "exec", "node1", "crm_resource", "--cleanup", "--resource",
			 victim, NULL);
	} else if (rc == 0) {
		/* It is off already, unless it was not fenced. */
		rc = lab(NULL, error, "power", "off", victim, NULL);
		rc = rc < 0 ? rc : lab(NULL, error, "power", "on", victim, NULL);
	}
	return rc < 0 ? rc : wait_until_steady(drive, error);
}

int vrms_sim_lab_measure(const struct vrms_sim_scenario *scenario, int rounds,
			 struct vrms_sim_samples *samples, FILE *tell, struct vrms_error *error)
{
	struct drive drive = {.scenario = scenario,
			      .samples = samples,
			      .tell = tell,
			      .vm_count = scenario->vm_count};
	struct vrms_error later = {""};
	sigset_t blocked, before;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGHUP);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	int before_first = vrms_sim_samples_last_round(samples);
	int rc = bring_up(&drive, error);

	for (int i = 0; rc == 0 && i < rounds * VRMS_SIM_TRIAL_COUNT; i++) {
		int round = before_first + i / VRMS_SIM_TRIAL_COUNT + 1;
		int trial = i % VRMS_SIM_TRIAL_COUNT;

		fprintf(tell, "round %d of %d: %s\n", round, before_first + rounds,
			vrms_sim_trial_word((enum vrms_sim_trial)trial));
		fflush(tell);
		rc = check_interrupted(error);
		rc = rc < 0 ? rc : make_trial(&drive, round, trial, error);
	}
	if (lab(NULL, &later, "down", NULL) < 0 && rc == 0) {
		rc = vrms_error_set(error, -EIO, "%s", later.text);
	}
	sigprocmask(SIG_SETMASK, &before, NULL); /* a signal that waited ends the program here */
	return rc;
}
