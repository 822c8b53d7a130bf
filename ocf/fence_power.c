/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ocf/fence_power.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { STATUS_POLL_MS = 200 };

/* What every step needs; keeps the parameter lists short. */
struct job {
	const struct vrms_fence_agent *agent;
	const struct vrms_fence_standard *standard;
	struct vrms_fence_call *call;
	const void *config;
	struct vrms_error *error;
};

const struct vrms_fence_action *vrms_fence_action_find(const struct vrms_fence_agent *agent,
						       const char *name)
{
	for (size_t i = 0; i < agent->action_count; i++) {
		if (strcmp(agent->actions[i].name, name) == 0) {
			return &agent->actions[i];
		}
	}
	return NULL;
}

bool vrms_fence_reboots_by_itself(const struct vrms_fence_agent *agent)
{
	/* Behind an unfencing device the node runs on: nothing is rebooted. */
	return !agent->provides_unfencing && vrms_fence_action_find(agent, "off") != NULL &&
	       vrms_fence_action_find(agent, "on") != NULL &&
	       vrms_fence_action_find(agent, "reboot") == NULL;
}

static void set_deadline(const struct job *job)
{
	int64_t timeout_ms = job->standard->power_timeout_ms;

	job->call->deadline_ms =
	    timeout_ms > 0 ? vrms_clock_now_ms(job->call->clock) + timeout_ms : 0;
}

static bool is_past_deadline(const struct job *job)
{
	return job->call->deadline_ms != 0 &&
	       vrms_clock_now_ms(job->call->clock) >= job->call->deadline_ms;
}

/* One request to the device. */
static int request(const struct job *job, const struct vrms_fence_action *action)
{
	job->call->action = action->name;
	return action->run(job->call, job->config, job->error);
}

static int switch_power(const struct job *job, const char *name)
{
	const struct vrms_fence_action *action = vrms_fence_action_find(job->agent, name);

	set_deadline(job);
	int rc = request(job, action);
	if (rc == VRMS_FENCE_OK) {
		vrms_clock_sleep_ms(job->call->clock, job->standard->power_wait_ms);
	}
	return rc;
}

/* A device may answer before the node is dead: only its own status proves it. */
static int wait_until_off(const struct job *job)
{
	const struct vrms_fence_action *status = vrms_fence_action_find(job->agent, "status");

	if (status == NULL || status->run == NULL) {
		return VRMS_FENCE_OK;
	}
	set_deadline(job);
	for (;;) {
		int rc = request(job, status);

		if (rc == VRMS_FENCE_IS_OFF) {
			return VRMS_FENCE_OK;
		}
		if (rc != VRMS_FENCE_OK) {
			return rc;
		}
		if (is_past_deadline(job)) {
			return vrms_error_set(job->error, -ETIMEDOUT,
					      "%s: still on %" PRId64 " ms after off",
					      job->call->plug != NULL ? job->call->plug : "node",
					      job->standard->power_timeout_ms);
		}
		vrms_clock_sleep_ms(job->call->clock, STATUS_POLL_MS);
	}
}

static int reboot(const struct job *job)
{
	int rc = switch_power(job, "off");

	rc = rc != VRMS_FENCE_OK ? rc : wait_until_off(job);
	if (rc != VRMS_FENCE_OK) {
		return rc;
	}
	for (int64_t attempt = 0; attempt < job->standard->retry_on; attempt++) {
		if (switch_power(job, "on") == VRMS_FENCE_OK) {
			vrms_error_clear(job->error);
			return VRMS_FENCE_OK;
		}
	}
	/* The node was off, which is what the cluster needs; that it stays off is said, not fatal.
	 */
	return vrms_error_wrap(job->error, VRMS_FENCE_OK, "off, but not on again");
}

int vrms_fence_perform(const struct vrms_fence_agent *agent,
		       const struct vrms_fence_standard *standard, struct vrms_fence_call *call,
		       const void *config, struct vrms_error *error)
{
	const struct job job = {agent, standard, call, config, error};
	const struct vrms_fence_action *action = vrms_fence_action_find(agent, call->action);
	bool is_off = strcmp(call->action, "off") == 0;
	bool is_reboot = strcmp(call->action, "reboot") == 0;

	if (is_off || is_reboot) {
		vrms_clock_sleep_ms(call->clock, standard->delay_ms);
	}
	if (action == NULL) {
		assert(is_reboot && vrms_fence_reboots_by_itself(agent));
		return reboot(&job);
	}
	if (is_off || strcmp(call->action, "on") == 0) {
		return switch_power(&job, call->action);
	}
	set_deadline(&job);
	return request(&job, action);
}
