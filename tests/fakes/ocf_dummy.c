/* ocf_dummy.c - the smallest resource agent with every kind of parameter: its "resource" is a file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "ocf/agent.h"

struct dummy_config {
	const char *state;
	const char *note;
	int64_t count;
	int64_t low;
	int64_t high;
	int64_t delay_ms;
	int mode;
	bool fail;
};

static const char *const modes[] = {"", "fast", "slow", NULL};

static const struct vrms_param params[] = {
    {
	.name = "state",
	.type = VRMS_PARAM_STRING,
	.offset = VRMS_PARAM_FIELD(struct dummy_config, state, const char *),
	.required = true,
	.unique = true,
	.shortdesc = "State file",
	.longdesc = "The file that exists while the resource \"runs\".",
    },
    {
	.name = "note",
	.type = VRMS_PARAM_STRING,
	.offset = VRMS_PARAM_FIELD(struct dummy_config, note, const char *),
	.reloadable = true,
	.shortdesc = "Text of the file",
	.longdesc = "Written to the file; <, > & \\ are fine.\n\n.A second paragraph - with a dot.",
    },
    {
	.name = "count",
	.type = VRMS_PARAM_INTEGER,
	.offset = VRMS_PARAM_FIELD(struct dummy_config, count, int64_t),
	.fallback = "1",
	.minimum = 1,
	.maximum = 9,
	.shortdesc = "A number",
	.longdesc = "A number with limits.",
    },
    {
	.name = "low",
	.type = VRMS_PARAM_INTEGER,
	.offset = VRMS_PARAM_FIELD(struct dummy_config, low, int64_t),
	.fallback = "0",
	.shortdesc = "Lower bound",
	.longdesc = "Not above high.",
    },
    {
	.name = "high",
	.type = VRMS_PARAM_INTEGER,
	.offset = VRMS_PARAM_FIELD(struct dummy_config, high, int64_t),
	.fallback = "100",
	.shortdesc = "Upper bound",
	.longdesc = "Not below low.",
    },
    {
	.name = "delay",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = VRMS_PARAM_FIELD(struct dummy_config, delay_ms, int64_t),
	.fallback = "0",
	.maximum = 3600000,
	.advanced = true,
	.shortdesc = "Time a start takes",
	.longdesc = "A start sleeps that long, or until its deadline.",
    },
    {
	.name = "mode",
	.type = VRMS_PARAM_CHOICE,
	.offset = VRMS_PARAM_FIELD(struct dummy_config, mode, int),
	.choices = modes,
	.shortdesc = "One of a few",
	.longdesc = "Has no effect.",
    },
    {
	.name = "fail",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = VRMS_PARAM_FIELD(struct dummy_config, fail, bool),
	.fallback = "false",
	.shortdesc = "Fail",
	.longdesc = "Makes every action fail.",
    },
};

static int check(const void *config_, struct vrms_error *error)
{
	const struct dummy_config *config = config_;

	if (config->low > config->high) {
		return vrms_error_set(error, -EINVAL, "low: %" PRId64 " is above high, %" PRId64,
				      config->low, config->high);
	}
	return 0;
}

static int run_start(const struct vrms_ocf_call *call, const void *config_,
		     enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	const struct dummy_config *config = config_;
	int64_t left_ms = vrms_ocf_call_left_ms(call, 100);
	const char *note = config->note != NULL ? config->note : "";

	(void)ret_exit;
	if (config->fail) {
		return vrms_error_set(error, -EIO, "%s: told to fail\nin two lines", config->state);
	}
	if (config->delay_ms > left_ms) {
		vrms_clock_sleep_ms(call->clock, left_ms);
		return vrms_error_set(error, -ETIMEDOUT, "%s: out of time", config->state);
	}
	vrms_clock_sleep_ms(call->clock, config->delay_ms);
	vrms_log(LOG_INFO, "%s on %s", call->instance, call->node);
	return vrms_file_write(config->state, note, strlen(note), 0600, error);
}

static int run_stop(const struct vrms_ocf_call *call, const void *config_,
		    enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	const struct dummy_config *config = config_;

	(void)call;
	(void)ret_exit;
	if (unlink(config->state) < 0 && errno != ENOENT) {
		return vrms_error_errno(error, -errno, "%s", config->state);
	}
	return 0;
}

static int run_monitor(const struct vrms_ocf_call *call, const void *config_,
		       enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	const struct dummy_config *config = config_;

	if (access(config->state, F_OK) < 0) {
		*ret_exit = VRMS_OCF_NOT_RUNNING;
		return vrms_error_set(error, 0, "%s: no such file%s, check level %d", config->state,
				      call->is_probe ? " at a probe" : "", call->check_level);
	}
	return 0;
}

static int run_validate(const struct vrms_ocf_call *call, const void *config_,
			enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	const struct dummy_config *config = config_;

	(void)call;
	(void)ret_exit;
	if (strncmp(config->state, "/dev/", 5) == 0) {
		return vrms_error_set(error, -ENOENT, "%s: not a place for files", config->state);
	}
	return 0;
}

static const struct vrms_ocf_action actions[] = {
    {.name = "start", .timeout = "20s", .run = run_start},
    {.name = "stop", .timeout = "20s", .run = run_stop},
    {.name = "monitor", .timeout = "20s", .interval = "10s", .depth = "0", .run = run_monitor},
    {.name = "monitor", .timeout = "30s", .interval = "60s", .depth = "10", .run = run_monitor},
    {.name = "reload-agent", .timeout = "20s", .run = run_start},
    {.name = "validate-all", .timeout = "20s", .run = run_validate},
    {.name = "meta-data", .timeout = "5s", .no_params = true},
};

static const struct vrms_ocf_agent agent = {
    .name = "ocf_dummy",
    .provider = "vrms",
    .version = "0.1.0",
    .shortdesc = "Agent for tests of the agent library",
    .longdesc = "Manages a file.  It exists for the tests.\n\nNothing else uses it.",
    .params = params,
    .param_count = VRMS_COUNT_OF(params),
    .actions = actions,
    .action_count = VRMS_COUNT_OF(actions),
    .config_size = sizeof(struct dummy_config),
    .check = check,
    .man_examples = ".Dl OCF_RESKEY_state=/run/dummy ocf_dummy start\n",
    .man_see_also = ".Xr crm 8\n",
};

int main(int argc, char **argv)
{
	return vrms_ocf_main(&agent, argc, argv);
}
