/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agents/vm.h"
#include "common/file.h"
#include "common/log.h"

/* --- save_config_on_stop, sync_config_on_stop -------------------------------------------- */

static const char sync_program[] = "csync2";

/* A definition of another machine must never replace this one's. */
static int check_definition(struct vrms_vm *vm, const char *text, const char *uuid,
			    struct vrms_error *error)
{
	struct vrms_domain_xml *xml VRMS_CLEANUP(vrms_domain_xml_freep) = NULL;
	int rc = vrms_domain_xml_parse(text, strlen(text), "the running definition", &xml, error);

	if (rc < 0) {
		return rc;
	}
	if (strcmp(xml->uuid, uuid) != 0) {
		return vrms_error_set(error, -EINVAL,
				      "the running definition has the UUID \"%s\", not \"%s\"",
				      xml->uuid, uuid);
	}
	return vm->config->config == NULL ? -EINVAL : 0;
}

/* Writes through a symbolic link, and keeps the file's mode. */
static int replace_config(const char *path, const char *text, struct vrms_error *error)
{
	char *target VRMS_CLEANUP(vrms_freep) = realpath(path, NULL);
	struct stat status;
	mode_t mode = 0600;

	if (target == NULL) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	if (stat(target, &status) == 0) {
		mode = status.st_mode & 07777;
	}
	return vrms_file_write(target, text, strlen(text), mode, error);
}

static int save_config(struct vrms_vm *vm, const char *uuid, bool *ret_is_written,
		       struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vm->hypervisor->ops->get_xml(vm->hypervisor, uuid, &text, error);

	if (rc == 0) {
		rc = check_definition(vm, text, uuid, error);
	}
	if (rc < 0 || (vm->xml_text != NULL && strcmp(vm->xml_text, text) == 0)) {
		return rc;
	}
	rc = replace_config(vm->config->config, text, error);
	if (rc < 0) {
		return rc;
	}
	vrms_log(LOG_INFO, "%s: the running definition was written to %s", vrms_vm_name(vm),
		 vm->config->config);
	free(vm->xml_text);
	vm->xml_text = VRMS_TAKE(text);
	vm->xml_bytes = strlen(vm->xml_text);
	*ret_is_written = true;
	return vrms_vm_config_identify(vm->config->config, &vm->config_id, error);
}

static int sync_config(struct vrms_vm *vm, struct vrms_error *error)
{
	struct vrms_child_result result = {.exit_code = 0};
	const char *const argv[] = {sync_program, "-x", vm->config->config, NULL};
	const struct vrms_child_spec spec = {
	    .argv = argv,
	    .timeout_ms = vrms_ocf_call_left_ms(vm->call, 0) / 4 + 1,
	};
	int rc = vm->host->run_program(vm->host->context, &spec, &result, error);

	if (rc == 0 && result.exit_code != 0) {
		rc = vrms_error_set(error, -EIO, "%s -x %s exited with %d", sync_program,
				    vm->config->config, result.exit_code);
	}
	vrms_child_result_done(&result);
	return rc;
}

void vrms_vm_save_config(struct vrms_vm *vm, const char *uuid)
{
	struct vrms_error error = {.text = ""};
	bool is_written = false;

	if (!vm->config->save_config_on_stop && !vm->config->sync_config_on_stop) {
		return;
	}
	int rc = save_config(vm, uuid, &is_written, &error);
	if (rc == 0 && is_written && vm->config->sync_config_on_stop) {
		rc = sync_config(vm, &error);
	}
	if (rc < 0) {
		vrms_log(LOG_WARNING, "%s: %s is not up to date: %s", vrms_vm_name(vm),
			 vm->config->config, error.text);
	}
}

/* --- monitor_scripts ------------------------------------------------------------------------ */

/* Time left for the agent itself after a script was ended at its deadline. */
enum { SCRIPT_RESERVE_MS = 1500 };

/* What it said, as one line that fits into an exit reason. */
static void one_line(char *text)
{
	size_t size = strlen(text);

	while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == ' ')) {
		text[--size] = '\0';
	}
	for (char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ') {
			*c = ' ';
		}
	}
}

static int judge_script(const char *script, struct vrms_child_result *result,
			struct vrms_error *error)
{
	char *said = result->output;

	if (result->exit_code == 0) {
		return 0;
	}
	if (said == NULL || said[0] == '\0') {
		said = result->errors;
	}
	if (said != NULL) {
		one_line(said);
	}
	return vrms_error_set(error, -EIO, "monitor script \"%s\" exited with %d: %.300s", script,
			      result->exit_code, said == NULL ? "" : said);
}

static int run_script(struct vrms_vm *vm, const char *script, struct vrms_error *error)
{
	struct vrms_child_result result = {.exit_code = 0};
	const char *const argv[] = {script, NULL};
	const struct vrms_child_spec spec = {
	    .argv = argv,
	    .timeout_ms = vrms_ocf_call_left_ms(vm->call, SCRIPT_RESERVE_MS) + 1,
	};
	int rc = vm->host->run_program(vm->host->context, &spec, &result, error);

	if (rc < 0) {
		rc = vrms_error_wrap(error, -EIO, "monitor script \"%s\"", script);
	} else {
		rc = judge_script(script, &result, error);
	}
	vrms_child_result_done(&result);
	return rc;
}

int vrms_vm_run_scripts(struct vrms_vm *vm, struct vrms_error *error)
{
	if (vm->config->monitor_scripts == NULL) {
		return 0;
	}

	char *scripts VRMS_CLEANUP(vrms_freep) = strdup(vm->config->monitor_scripts);
	char *rest = NULL;
	if (scripts == NULL) {
		return vrms_error_errno(error, -ENOMEM, "monitor_scripts");
	}
	for (char *script = strtok_r(scripts, " \t\n", &rest); script != NULL;
	     script = strtok_r(NULL, " \t\n", &rest)) {
		int rc = run_script(vm, script, error);

		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

enum { SCRIPT_RETRY_MS = 1000 };

int vrms_vm_await_scripts(struct vrms_vm *vm, struct vrms_error *error)
{
	for (;;) {
		int rc = vrms_vm_run_scripts(vm, error);

		if (rc == 0) {
			vrms_error_clear(error);
			return 0;
		}
		if (vrms_ocf_call_left_ms(vm->call, SCRIPT_RESERVE_MS) <= SCRIPT_RETRY_MS) {
			return vrms_error_wrap(error, rc, "until the deadline");
		}
		vrms_clock_sleep_ms(vm->call->clock, SCRIPT_RETRY_MS);
	}
}
