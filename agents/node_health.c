/* node_health.c - ocf:vrms:NodeHealth, a clone: the actions and the table.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agents/node_health_memory.h"
#include "agents/node_health_sample.h"
#include "common/child.h"
#include "common/file.h"
#include "common/log.h"
#include "config.h"
#include "ocf/agent.h"

enum { REPEAT_MS = 300000, TOOL_MS_MAX = 10000 };

struct health_config {
#define FIELD(NAME, name, limits, counted, what) const char *name;
	VRMS_HEALTH_SIGNALS(FIELD)
#undef FIELD
	int64_t rise, fall, clear_pct;
	const char *san_device;
	int64_t failover_need, host_reserve;
	bool set_utilization;
	const char *proc_root, *sys_root;
};

/* --- Parameters ---------------------------------------------------------------------------- */

static const struct vrms_param params[] = {
#define SIGNAL_PARAM(NAME, field, limits, counted, what)                                           \
	{                                                                                          \
	    .name = #field,                                                                        \
	    .type = VRMS_PARAM_STRING,                                                             \
	    .offset = VRMS_PARAM_FIELD(struct health_config, field, const char *),                 \
	    .fallback = limits,                                                                    \
	    .reloadable = true,                                                                    \
	    .shortdesc = "Limits of this signal, yellow:red",                                      \
	    .longdesc = "The signal is the " what ". Its limits as \"yellow:red\", in this unit; " \
			"\"-\" is never reached; \"off\" switches the signal off.",                \
	},
    VRMS_HEALTH_SIGNALS(SIGNAL_PARAM)
#undef SIGNAL_PARAM
	{
	    .name = "rise",
	    .type = VRMS_PARAM_INTEGER,
	    .offset = VRMS_PARAM_FIELD(struct health_config, rise, int64_t),
	    .fallback = "2",
	    .minimum = 1,
	    .maximum = 100,
	    .reloadable = true,
	    .shortdesc = "Monitors until a colour gets worse",
	    .longdesc =
		"So many monitors in a row have to find a signal worse than its colour; it gets as "
		"bad as all of them found it.",
	},
    {
	.name = "fall",
	.type = VRMS_PARAM_INTEGER,
	.offset = VRMS_PARAM_FIELD(struct health_config, fall, int64_t),
	.fallback = "12",
	.minimum = 1,
	.maximum = 10000,
	.reloadable = true,
	.shortdesc = "Monitors until a colour gets better",
	.longdesc = "So many monitors in a row have to find a signal better than its colour: "
		    "guests that have been moved away should not come back to fall ill again.",
    },
    {
	.name = "clear_pct",
	.type = VRMS_PARAM_INTEGER,
	.offset = VRMS_PARAM_FIELD(struct health_config, clear_pct, int64_t),
	.fallback = "70",
	.minimum = 1,
	.maximum = 100,
	.reloadable = true,
	.advanced = true,
	.shortdesc = "Part of a limit at which it is left, in percent",
	.longdesc = "A limit that was reached counts as reached until the value is below this "
		    "part of it.",
    },
    {
	.name = "san_device",
	.type = VRMS_PARAM_STRING,
	.offset = VRMS_PARAM_FIELD(struct health_config, san_device, const char *),
	.reloadable = true,
	.shortdesc = "Device or file of the SAN to read from",
	.longdesc = "Each monitor reads its first 4 KiB past all caches (O_DIRECT). Without it "
		    "san_latency is off.",
    },
    {
	.name = "failover_need",
	.type = VRMS_PARAM_INTEGER,
	.offset = VRMS_PARAM_FIELD(struct health_config, failover_need, int64_t),
	.fallback = "0",
	.maximum = INT32_MAX,
	.reloadable = true,
	.shortdesc = "MiB needed by guests that would fail over to this node",
	.longdesc = "Available memory that this node has to keep for guests of nodes that may "
		    "die. 0: failover_memory is off.",
    },
    {
	.name = "set_utilization",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = VRMS_PARAM_FIELD(struct health_config, set_utilization, bool),
	.fallback = "false",
	.reloadable = true,
	.shortdesc = "Publish the node's capacity as utilization",
	.longdesc = "Sets the node's utilization attributes cpu and hv_memory (MiB) to what it "
		    "has now: processors that are online, and memory less host_reserve.",
    },
    {
	.name = "host_reserve",
	.type = VRMS_PARAM_INTEGER,
	.offset = VRMS_PARAM_FIELD(struct health_config, host_reserve, int64_t),
	.fallback = "1024",
	.maximum = INT32_MAX,
	.reloadable = true,
	.shortdesc = "MiB that the host keeps for itself",
	.longdesc = "Not offered to guests by set_utilization.",
    },
    {
	.name = "proc_root",
	.type = VRMS_PARAM_STRING,
	.offset = VRMS_PARAM_FIELD(struct health_config, proc_root, const char *),
	.fallback = "/proc",
	.advanced = true,
	.shortdesc = "Where /proc is",
	.longdesc = "Another folder for tests.",
    },
    {
	.name = "sys_root",
	.type = VRMS_PARAM_STRING,
	.offset = VRMS_PARAM_FIELD(struct health_config, sys_root, const char *),
	.fallback = "/sys",
	.advanced = true,
	.shortdesc = "Where /sys is",
	.longdesc = "Another folder for tests.",
    },
};

static const char *limits_text(const struct health_config *config, enum vrms_health_signal signal)
{
	switch (signal) {
#define CASE(NAME, name, limits, counted, what) \
	case VRMS_HEALTH_##NAME:                \
		return config->name;
		VRMS_HEALTH_SIGNALS(CASE)
#undef CASE
	default:
		return "off";
	}
}

static int check_config(const void *config_of_call, struct vrms_error *error)
{
	const struct health_config *config = config_of_call;
	struct vrms_health_limits limits;

	for (int i = 0; i < VRMS_HEALTH_COUNT; i++) {
		enum vrms_health_signal signal = (enum vrms_health_signal)i;
		int rc = vrms_health_limits_parse(limits_text(config, signal), &limits, error);

		if (rc < 0) {
			return vrms_error_wrap(error, rc, "%s", vrms_health_name(signal));
		}
	}
	return 0;
}

/* --- One look ------------------------------------------------------------------------------ */

struct look {
	const struct vrms_ocf_call *call;
	const struct health_config *config;
	struct vrms_health_memory memory;
	char path[PATH_MAX]; /* of the memory */
};

static void look_init(struct look *look, const struct vrms_ocf_call *call, const void *config)
{
	const char *folder = getenv("HA_RSCTMP");

	look->call = call;
	look->config = config;
	vrms_health_memory_init(&look->memory);
	(void)snprintf(look->path, sizeof(look->path), "%s/NodeHealth-%s.json",
		       folder != NULL && folder[0] != '\0' ? folder : "/run/resource-agents",
		       call->instance);
}

static int run_tool(const struct look *look, const char *const argv[])
{
	struct vrms_error error = {.text = ""};
	int64_t left_ms = vrms_ocf_call_left_ms(look->call, 500);
	const struct vrms_child_spec spec = {.argv = argv,
					     .timeout_ms =
						 left_ms < TOOL_MS_MAX ? left_ms + 1 : TOOL_MS_MAX};
	int rc = vrms_child_check(&spec, &error);

	if (rc < 0) {
		vrms_log(LOG_WARNING, "%s %s: %s", argv[0], argv[2], error.text);
	}
	return rc;
}

static void name_attribute(enum vrms_health_signal signal, char name[64])
{
	(void)snprintf(name, 64, "#health-vrms-%s", vrms_health_name(signal));
	for (char *at = name; *at != '\0'; at++) {
		*at = *at == '_' ? '-' : *at;
	}
}

/* Pacemaker's attribute: told when it is news, and now and then, for it may forget. */
static void publish(struct look *look, enum vrms_health_signal signal)
{
	char name[64];
	enum vrms_health_colour colour = look->memory.states[signal].colour;
	int64_t now_ms = vrms_clock_now_ms(look->call->clock);
	const char *const argv[] = {
	    "attrd_updater", "--name", name, "--update", vrms_health_colour_name(colour), NULL};

	if (look->memory.told[signal] == (int)colour &&
	    now_ms - look->memory.told_ms[signal] < REPEAT_MS &&
	    now_ms >= look->memory.told_ms[signal]) {
		return;
	}
	name_attribute(signal, name);
	if (run_tool(look, argv) == 0) {
		if (look->memory.told[signal] != (int)colour) {
			vrms_log(colour > VRMS_HEALTH_GREEN ? LOG_WARNING : LOG_INFO, "%s is %s",
				 vrms_health_name(signal), vrms_health_colour_name(colour));
		}
		look->memory.told[signal] = (int)colour;
		look->memory.told_ms[signal] = now_ms;
	}
}

static void withdraw(struct look *look, enum vrms_health_signal signal)
{
	char name[64];
	const char *const argv[] = {"attrd_updater", "--name", name, "--delete", NULL};

	name_attribute(signal, name);
	if (run_tool(look, argv) == 0) {
		look->memory.told[signal] = -1;
	}
	look->memory.states[signal] = (struct vrms_health_state){.colour = VRMS_HEALTH_GREEN};
}

static void sample(struct look *look, const struct vrms_health_sources *sources,
		   enum vrms_health_signal signal, const struct vrms_health_limits *limits)
{
	double value = 0;
	struct vrms_error error = {.text = ""};
	struct vrms_health_state *state = &look->memory.states[signal];
	const struct vrms_health_damping damping = {
	    .rise = (int)look->config->rise,
	    .fall = (int)look->config->fall,
	    .clear_pct = (double)look->config->clear_pct,
	};
	int rc = vrms_health_read(sources, signal, &value, &error);

	if (rc < 0) { /* nothing is known now: the colour stays */
		vrms_log(LOG_DEBUG, "%s: %s", vrms_health_name(signal), error.text);
		if (rc == -ENOENT &&
		    look->memory.told[signal] >= 0) { /* it is not asked any more */
			withdraw(look, signal);
		}
		return;
	}
	if (vrms_health_is_counted(signal)) {
		value = vrms_health_count(state, value, vrms_clock_now_ms(look->call->clock));
	}
	enum vrms_health_colour before = state->colour;
	vrms_health_step(state, limits, &damping, value);
	if (state->colour != before) {
		vrms_log(LOG_NOTICE, "%s: %.1f, %s after %s", vrms_health_name(signal), value,
			 vrms_health_colour_name(state->colour), vrms_health_colour_name(before));
	}
	publish(look, signal);
}

static void publish_capacity(struct look *look, const struct vrms_health_sources *sources)
{
	char cpu[32], memory[32];
	int64_t cpu_count, memory_mib;
	struct vrms_error error = {.text = ""};
	const char *const set_cpu[] = {"crm_attribute", "--name", "cpu",
				       "--utilization", "--node", look->call->node,
				       "--update",      cpu,      NULL};
	const char *const set_memory[] = {"crm_attribute", "--name", "hv_memory",
					  "--utilization", "--node", look->call->node,
					  "--update",      memory,   NULL};

	if (vrms_health_capacity(sources, &cpu_count, &memory_mib, &error) < 0) {
		vrms_log(LOG_WARNING, "capacity: %s", error.text);
		return;
	}
	memory_mib -= look->config->host_reserve;
	memory_mib = memory_mib > 0 ? memory_mib : 0;
	(void)snprintf(cpu, sizeof(cpu), "%" PRId64, cpu_count);
	(void)snprintf(memory, sizeof(memory), "%" PRId64, memory_mib);
	if (look->memory.told_cpu_count != cpu_count && run_tool(look, set_cpu) == 0) {
		look->memory.told_cpu_count = cpu_count;
	}
	if (look->memory.told_memory_mib != memory_mib && run_tool(look, set_memory) == 0) {
		look->memory.told_memory_mib = memory_mib;
	}
}

static void take_all(struct look *look)
{
	const struct health_config *config = look->config;
	const struct vrms_health_sources sources = {
	    .proc_root = config->proc_root,
	    .sys_root = config->sys_root,
	    .san_device = config->san_device,
	    .failover_need_mib = config->failover_need,
	    .clock = look->call->clock,
	    .deadline_ms = look->call->deadline_ms - 1000,
	};

	for (int i = 0; i < VRMS_HEALTH_COUNT; i++) {
		enum vrms_health_signal signal = (enum vrms_health_signal)i;
		struct vrms_health_limits limits;

		if (vrms_health_limits_parse(limits_text(config, signal), &limits, NULL) == 0 &&
		    !limits.is_off) {
			sample(look, &sources, signal, &limits);
		} else if (look->memory.told[signal] >= 0) {
			withdraw(look, signal);
		}
	}
	if (config->set_utilization && look->call->node[0] != '\0') {
		publish_capacity(look, &sources);
	}
}

/* --- Actions ------------------------------------------------------------------------------- */

static int run_start(const struct vrms_ocf_call *call, const void *config,
		     enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	struct look look;

	(void)ret_exit;
	look_init(&look, call, config);
	take_all(&look);
	return vrms_health_memory_write(look.path, &look.memory, error);
}

static int run_monitor(const struct vrms_ocf_call *call, const void *config,
		       enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	struct look look;

	look_init(&look, call, config);
	int rc = vrms_health_memory_read(look.path, &look.memory, error);
	if (rc == -ENOENT) {
		*ret_exit = VRMS_OCF_NOT_RUNNING;
		return vrms_error_set(error, 0, "not started on this node");
	}
	if (call->is_probe) {
		vrms_error_clear(error);
		return 0;
	}
	if (rc < 0) { /* the past is lost, nothing more */
		vrms_log(LOG_WARNING, "%s", error->text);
		vrms_error_clear(error);
	}
	take_all(&look);
	return vrms_health_memory_write(look.path, &look.memory, error);
}

static int run_stop(const struct vrms_ocf_call *call, const void *config,
		    enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	struct look look;

	(void)ret_exit;
	look_init(&look, call, config);
	if (vrms_health_memory_read(look.path, &look.memory, NULL) == 0) {
		for (int i = 0; i < VRMS_HEALTH_COUNT; i++) {
			if (look.memory.told[i] >= 0) {
				withdraw(&look, (enum vrms_health_signal)i);
			}
		}
	}
	return unlink(look.path) == 0 || errno == ENOENT
		   ? 0
		   : vrms_error_errno(error, -errno, "%s", look.path);
}

static int run_validate(const struct vrms_ocf_call *call, const void *config_of_call,
			enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	const struct health_config *config = config_of_call;

	(void)call;
	(void)ret_exit;
	if (access(config->proc_root, R_OK) != 0) {
		return vrms_error_errno(error, -errno, "proc_root: %s", config->proc_root);
	}
	if (config->san_device != NULL && access(config->san_device, R_OK) != 0) {
		return vrms_error_errno(error, -errno, "san_device: %s", config->san_device);
	}
	return 0;
}

static const struct vrms_ocf_action actions[] = {
    {.name = "start", .timeout = "30s", .run = run_start},
    {.name = "stop", .timeout = "30s", .run = run_stop},
    {.name = "monitor", .timeout = "30s", .interval = "10s", .depth = "0", .run = run_monitor},
    {.name = "reload-agent", .timeout = "30s", .run = run_monitor},
    {.name = "validate-all", .timeout = "5s", .run = run_validate},
    {.name = "meta-data", .timeout = "5s", .no_params = true},
};

static const struct vrms_ocf_agent agent = {
    .name = "NodeHealth",
    .provider = "vrms",
    .version = PACKAGE_VERSION,
    .shortdesc = "Colours a node by what predicts trouble for its guests",
    .longdesc =
	"Watches what tends to precede the death of a host, and publishes a colour for each signal "
	"as node attribute #health-vrms-SIGNAL (green, yellow, red). With the cluster property "
	"node-health-strategy=migrate-on-red Pacemaker then moves the guests away live while the "
	"host still works.\n"
	"\n"
	"Run it as a clone with the meta attribute allow-unhealthy-nodes=true: on a red node it "
	"would be stopped otherwise, and with it the attributes would go.\n"
	"\n"
	"Counters of the hardware are taken from the start of the agent on; what they count is "
	"forgotten by half in ten minutes. A signal without a source on this node stays green. "
	"libvirtd and failover_memory never get red by default: without libvirtd guests cannot be "
	"migrated, and moving guests away does not make room elsewhere.",
    .params = params,
    .param_count = VRMS_COUNT_OF(params),
    .actions = actions,
    .action_count = VRMS_COUNT_OF(actions),
    .config_size = sizeof(struct health_config),
    .check = check_config,
    .man_examples = "On every node, with a strategy:\n"
		    ".Bd -literal -offset indent\n"
		    "primitive health ocf:vrms:NodeHealth op monitor interval=10s timeout=30s\n"
		    "clone health-everywhere health meta allow-unhealthy-nodes=true\n"
		    "property node-health-strategy=migrate-on-red\n"
		    ".Ed\n",
    .man_see_also = ".Xr attrd_updater 8 ,\n.Xr crm_mon 8\n",
};

int main(int argc, char **argv)
{
	int code = vrms_ocf_main(&agent, argc, argv);
	/* A thread may still wait for the SAN. */
	(void)fflush(stdout);
	(void)fflush(stderr);
	_exit(code);
}
