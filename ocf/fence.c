/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ocf/fence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "ocf/fence_options.h"
#include "ocf/fence_power.h"

/* Names by which other agents' users and older clusters call the same thing. */
static const char *without_alias(const char *action)
{
	static const char *const aliases[][2] = {
	    {"meta-data", "metadata"},
	    {"enable", "on"},
	    {"disable", "off"},
	};

	for (size_t i = 0; i < VRMS_COUNT_OF(aliases); i++) {
		if (strcmp(action, aliases[i][0]) == 0) {
			return aliases[i][1];
		}
	}
	return action;
}

/* Reads both tables; *config must be zeroed. */
static int read_config(const struct vrms_fence_agent *agent, struct vrms_fence_options *options,
		       struct vrms_fence_standard *standard, void *config, struct vrms_error *error)
{
	struct vrms_fence_tables all = vrms_fence_tables_of(agent);
	void *const structures[] = {standard, config};

	for (size_t t = 0; t < VRMS_COUNT_OF(all.tables); t++) {
		int rc = vrms_params_read(all.tables[t].params, all.tables[t].count,
					  vrms_fence_options_lookup, options, structures[t], error);
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

/* The node to act on: what the device calls it, or else its cluster name. */
static const char *plug_of(const struct vrms_fence_standard *standard,
			   struct vrms_fence_options *options)
{
	if (standard->plug != NULL) {
		return standard->plug;
	}
	const char *nodename = vrms_fence_options_lookup(options, "nodename");
	return nodename != NULL && *nodename != '\0' ? nodename : NULL;
}

static void open_log(const struct vrms_fence_agent *agent,
		     const struct vrms_fence_standard *standard,
		     const struct vrms_fence_options *options)
{
	if (standard->debug_file != NULL) {
		setenv("PCMK_logfile", standard->debug_file, 1);
		setenv("PCMK_debug", "yes", 1);
	}
	vrms_log_open(agent->name, standard->verbose);
	for (size_t i = 0; i < options->count; i++) {
		if (!options->options[i].is_known) {
			vrms_log(LOG_INFO, "option %s ignored: not known",
				 options->options[i].name);
		}
	}
}

static int check_call(const struct vrms_fence_agent *agent, const struct vrms_fence_call *call,
		      struct vrms_error *error)
{
	const struct vrms_fence_action *action = vrms_fence_action_find(agent, call->action);
	bool makes_reboot =
	    strcmp(call->action, "reboot") == 0 && vrms_fence_reboots_by_itself(agent);

	if (action == NULL && !makes_reboot) {
		return vrms_error_set(error, -EINVAL, "unknown action \"%s\"", call->action);
	}
	bool needs_plug =
	    action != NULL ? action->needs_plug : vrms_fence_action_find(agent, "off")->needs_plug;
	if (needs_plug && call->plug == NULL) {
		return vrms_error_set(error, -EINVAL, "plug: required by %s, not set",
				      call->action);
	}
	return 0;
}

/* The action's own words, or what fence-agents print too; nothing for the others. */
static void print_success(const struct vrms_fence_agent *agent, const char *action, int rc)
{
	static const char *const lines[][2] = {
	    {"on", "Success: Powered ON"},
	    {"off", "Success: Powered OFF"},
	    {"reboot", "Success: Rebooted"},
	};

	const struct vrms_fence_action *row = vrms_fence_action_find(agent, action);

	if (row != NULL && row->success != NULL) {
		puts(row->success);
		return;
	}
	if (strcmp(action, "status") == 0) {
		puts(rc == VRMS_FENCE_IS_OFF ? "Status: OFF" : "Status: ON");
	}
	for (size_t i = 0; i < VRMS_COUNT_OF(lines); i++) {
		if (strcmp(action, lines[i][0]) == 0) {
			puts(lines[i][1]);
		}
	}
}

static int report(const struct vrms_fence_agent *agent, const char *action, const char *plug,
		  int rc, const struct vrms_error *error)
{
	bool failed = rc < 0 || rc == VRMS_FENCE_FAILED;
	const char *node = plug != NULL ? plug : "";

	if (failed) {
		const char *text = error->text[0] != '\0' ? error->text : "failed";

		fprintf(stderr, "%s: %s\n", agent->name, text);
		vrms_log(LOG_ERR, "%s %s: %s", action, node, text);
		return VRMS_FENCE_FAILED;
	}
	if (error->text[0] != '\0') {
		fprintf(stderr, "%s: %s\n", agent->name, error->text);
		vrms_log(LOG_WARNING, "%s %s: %s", action, node, error->text);
	}
	print_success(agent, action, rc);
	return rc;
}

/* Everything after the options are read and are not about the agent itself. */
static int perform(const struct vrms_fence_agent *agent, const struct vrms_fence_standard *standard,
		   struct vrms_fence_options *options, const char *action, const void *config)
{
	struct vrms_error error = {""};
	struct vrms_fence_call call = {
	    .action = action,
	    .plug = plug_of(standard, options),
	    .clock = vrms_clock_system(),
	    .verbose = standard->verbose,
	};
	open_log(agent, standard, options);
	int rc = check_call(agent, &call, &error);
	if (rc == 0) {
		const struct vrms_fence_action *row = vrms_fence_action_find(agent, action);

		/* A row without a function (validate-all): the options were right, that is all. */
		if (row == NULL || row->run != NULL) {
			rc = vrms_fence_perform(agent, standard, &call, config, &error);
		}
	}
	rc = report(agent, action, call.plug, rc, &error);
	vrms_log_close();
	return fflush(stdout) == 0 ? rc : VRMS_FENCE_FAILED;
}

/* True when the call was about the agent itself and is answered. */
static bool print_about(const struct vrms_fence_agent *agent, bool help, bool version,
			const char *action)
{
	if (help) {
		vrms_fence_usage_print(agent, stdout);
	} else if (version) {
		printf("%s %s\n", agent->name, agent->version);
	} else if (strcmp(action, "metadata") == 0) {
		vrms_fence_metadata_print(agent, stdout);
	} else {
		return false;
	}
	return true;
}

static int complain(const struct vrms_fence_agent *agent, const struct vrms_error *error)
{
	fprintf(stderr, "%s: %s\n", agent->name, error->text);
	return VRMS_FENCE_FAILED;
}

int vrms_fence_main(const struct vrms_fence_agent *agent, int argc, char **argv)
{
	struct vrms_fence_options options VRMS_CLEANUP(vrms_fence_options_done) = {.count = 0};
	struct vrms_fence_standard standard = {0};
	struct vrms_error error = {""};
	void *config VRMS_CLEANUP(vrms_freep) =
	    calloc(1, agent->config_size > 0 ? agent->config_size : 1);

	if (config == NULL) {
		return VRMS_FENCE_FAILED;
	}
	if (argc == 2 && strcmp(argv[1], "--man") == 0) {
		vrms_fence_man_print(agent, stdout);
		return VRMS_FENCE_OK;
	}
	if (argc < 2 && isatty(STDIN_FILENO)) {
		vrms_fence_usage_print(agent, stderr);
		return VRMS_FENCE_FAILED;
	}
	int rc = argc > 1 ? vrms_fence_options_read_argv(agent, argc, argv, &options, &error)
			  : vrms_fence_options_read_lines(agent, stdin, &options, &error);
	if (rc < 0) {
		return complain(agent, &error);
	}
	/* The meta-data is asked for without the parameters that the agent requires. */
	const char *action = vrms_fence_options_lookup(&options, "action");
	action = without_alias(action != NULL && *action != '\0' ? action : agent->default_action);
	if (print_about(agent, vrms_fence_options_lookup(&options, "help") != NULL,
			vrms_fence_options_lookup(&options, "version") != NULL, action)) {
		return fflush(stdout) == 0 ? VRMS_FENCE_OK : VRMS_FENCE_FAILED;
	}
	rc = read_config(agent, &options, &standard, config, &error);
	if (rc < 0) {
		return complain(agent, &error);
	}
	return perform(agent, &standard, &options, action, config);
}
