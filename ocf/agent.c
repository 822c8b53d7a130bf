/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ocf/agent.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/parse.h"

int64_t vrms_ocf_call_left_ms(const struct vrms_ocf_call *call, int64_t reserve_ms)
{
	int64_t left_ms = call->deadline_ms - vrms_clock_now_ms(call->clock) - reserve_ms;

	return left_ms > 0 ? left_ms : 0;
}

void vrms_ocf_exit_reason(const char *text)
{
	const char *prefix = getenv("OCF_EXIT_REASON_PREFIX");

	fputs(prefix != NULL ? prefix : "ocf-exit-reason:", stderr);
	/* Pacemaker takes one line; messages of libraries may have several. */
	for (; *text != '\0'; text++) {
		fputc(*text == '\n' ? ' ' : *text, stderr);
	}
	fputc('\n', stderr);
}

/* A parameter of the call's environment; context is not used, there is one environment. */
static const char *lookup_environment(void *context, const char *name)
{
	char variable[256];

	(void)context;
	snprintf(variable, sizeof(variable), "OCF_RESKEY_%s", name);
	return getenv(variable);
}

static const char *lookup_or(const char *name, const char *fallback)
{
	const char *value = lookup_environment(NULL, name);

	return value != NULL ? value : fallback;
}

/* An integer that Pacemaker sets; what is not one counts as not set. */
static int64_t integer_or(const char *text, int64_t fallback)
{
	int64_t value;

	if (text == NULL || vrms_int_parse(text, 0, INT64_MAX / 2, &value, NULL) < 0) {
		return fallback;
	}
	return value;
}

static int64_t recommended_timeout_ms(const struct vrms_ocf_action *action)
{
	int64_t timeout_ms = 20000; /* Pacemaker's default-action-timeout */

	if (action->timeout != NULL) {
		int rc = vrms_duration_parse(action->timeout, &timeout_ms, NULL);
		assert(rc == 0); /* the table is wrong */
	}
	return timeout_ms;
}

static void call_init(struct vrms_ocf_call *call, const struct vrms_ocf_action *action, char **argv,
		      const struct vrms_clock *clock, int64_t start_ms)
{
	const char *instance = getenv("OCF_RESOURCE_INSTANCE");
	bool is_monitor =
	    strcmp(action->name, "monitor") == 0 || strcmp(action->name, "status") == 0;

	*call = (struct vrms_ocf_call){
	    .action = action->name,
	    .instance = instance != NULL && *instance != '\0' ? instance : "default",
	    .node = lookup_or("CRM_meta_on_node", ""),
	    .migrate_source = lookup_or("CRM_meta_migrate_source", ""),
	    .migrate_target = lookup_or("CRM_meta_migrate_target", ""),
	    .interval_ms = integer_or(lookup_environment(NULL, "CRM_meta_interval"), 0),
	    .timeout_ms = integer_or(lookup_environment(NULL, "CRM_meta_timeout"),
				     recommended_timeout_ms(action)),
	    .check_level = (int)integer_or(getenv("OCF_CHECK_LEVEL"), 0),
	    .clock = clock,
	    .argv = argv,
	    .lookup = lookup_environment,
	};
	call->deadline_ms = start_ms + call->timeout_ms;
	call->is_probe = is_monitor && call->interval_ms == 0;
}

/* True when the action needs no parameters and no log: usage, meta-data and their like. */
static bool print_about(const struct vrms_ocf_agent *agent, const char *word)
{
	if (strcmp(word, "usage") == 0 || strcmp(word, "help") == 0 ||
	    strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		vrms_ocf_usage_print(agent, stdout);
	} else if (strcmp(word, "meta-data") == 0) {
		vrms_ocf_metadata_print(agent, stdout);
	} else if (strcmp(word, "--man") == 0) {
		vrms_ocf_man_print(agent, stdout);
	} else if (strcmp(word, "--version") == 0) {
		printf("%s %s\n", agent->name, agent->version);
	} else {
		return false;
	}
	return true;
}

static const struct vrms_ocf_action *find_action(const struct vrms_ocf_agent *agent,
						 const char *name)
{
	for (size_t i = 0; i < agent->action_count; i++) {
		if (strcmp(agent->actions[i].name, name) == 0) {
			return &agent->actions[i];
		}
	}
	return NULL;
}

/* Wrong parameters fail every action alike, stop and probe too.  A stop that cannot know what
 * to stop must not claim success: Pacemaker would start the resource elsewhere while it runs here.
 */
static int read_config(const struct vrms_ocf_agent *agent, void *config, struct vrms_error *error)
{
	int rc = vrms_params_read(agent->params, agent->param_count, lookup_environment, NULL,
				  config, error);

	if (rc == 0 && agent->check != NULL) {
		rc = agent->check(config, error);
	}
	return rc;
}

/* Source: OCF 1.1, "validate-all": at level 0 only the parameters themselves are looked at. */
static bool ends_with_the_parameters(const struct vrms_ocf_action *action)
{
	const char *level = getenv("OCF_CHECK_LEVEL");

	return strcmp(action->name, "validate-all") == 0 &&
	       (action->run == NULL || (level != NULL && strcmp(level, "0") == 0));
}

static int run_action(const struct vrms_ocf_agent *agent, const struct vrms_ocf_action *action,
		      const struct vrms_ocf_call *call, enum vrms_ocf_exit *ret_exit,
		      struct vrms_error *error)
{
	void *config VRMS_CLEANUP(vrms_freep) =
	    calloc(1, agent->config_size > 0 ? agent->config_size : 1);

	if (config == NULL) {
		return vrms_error_errno(error, -ENOMEM, "%s", agent->name);
	}
	if (!action->no_params) {
		int rc = read_config(agent, config, error);
		if (rc < 0) {
			return rc;
		}
	}
	if (ends_with_the_parameters(action)) {
		return 0;
	}
	assert(action->run != NULL);
	return action->run(call, config, ret_exit, error);
}

/* A probe that finds nothing has found what it was looking for. */
static bool is_failure(const struct vrms_ocf_call *call, enum vrms_ocf_exit code)
{
	return !(code == VRMS_OCF_SUCCESS || code == VRMS_OCF_RUNNING_PROMOTED ||
		 (code == VRMS_OCF_NOT_RUNNING && call->is_probe));
}

static void report(const struct vrms_ocf_call *call, enum vrms_ocf_exit code,
		   const struct vrms_error *error)
{
	if (error->text[0] == '\0') {
		return;
	}
	if (!is_failure(call, code)) {
		vrms_log(LOG_INFO, "%s: %s", call->action, error->text);
		return;
	}
	vrms_log(LOG_ERR, "%s: %s (%s)", call->action, error->text, vrms_ocf_exit_name(code));
	vrms_ocf_exit_reason(error->text);
}

static void open_log(const struct vrms_ocf_agent *agent, const char *instance)
{
	char name[160];

	snprintf(name, sizeof(name), "%s(%s)", agent->name, instance);
	vrms_log_open(agent->log_name != NULL ? agent->log_name : name, false);
}

/* Runs one action of the table and tells everybody how it went. */
static int perform(const struct vrms_ocf_agent *agent, const struct vrms_ocf_action *action,
		   const struct vrms_ocf_call *call)
{
	enum vrms_ocf_exit code = VRMS_OCF_SUCCESS;
	struct vrms_error error = {""};

	open_log(agent, call->instance);
	int rc = run_action(agent, action, call, &code, &error);
	if (rc < 0) {
		code = vrms_ocf_exit_from_errno(rc);
		if (error.text[0] == '\0') {
			vrms_error_errno(&error, rc, "%s", call->action);
		}
	}
	report(call, code, &error);
	vrms_log_close();
	return code;
}

int vrms_ocf_main(const struct vrms_ocf_agent *agent, int argc, char **argv)
{
	const struct vrms_clock *clock = vrms_clock_system();
	int64_t start_ms = vrms_clock_now_ms(clock);
	struct vrms_ocf_call call;

	if (argc < 2) {
		vrms_ocf_usage_print(agent, stderr);
		return VRMS_OCF_ERR_ARGS;
	}
	if (print_about(agent, argv[1])) {
		return fflush(stdout) == 0 ? VRMS_OCF_SUCCESS : VRMS_OCF_ERR_GENERIC;
	}
	const struct vrms_ocf_action *action = find_action(agent, argv[1]);
	if (action == NULL) {
		fprintf(stderr, "%s: unknown action \"%s\"\n", agent->name, argv[1]);
		vrms_ocf_usage_print(agent, stderr);
		return VRMS_OCF_ERR_UNIMPLEMENTED;
	}
	call_init(&call, action, argv, clock, start_ms);
	return perform(agent, action, &call);
}
