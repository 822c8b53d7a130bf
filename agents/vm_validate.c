/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libxml/uri.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/vm.h"

static bool is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static int check_uri(const char *name, const char *text, struct vrms_error *error)
{
	if (!is_set(text)) {
		return 0;
	}

	xmlURI *uri = xmlParseURI(text);
	bool is_uri = uri != NULL && uri->scheme != NULL;
	xmlFreeURI(uri);
	return is_uri ? 0 : vrms_error_set(error, -EINVAL, "%s: \"%s\" is not a URI", name, text);
}

static int check_folder(const char *name, const char *path, struct vrms_error *error)
{
	struct stat status;

	if (!is_set(path)) {
		return 0;
	}
	if (stat(path, &status) < 0) {
		return vrms_error_errno(error, -errno, "%s: %s", name, path);
	}
	return S_ISDIR(status.st_mode)
		   ? 0
		   : vrms_error_set(error, -ENOENT, "%s: %s is not a folder", name, path);
}

static int check_access(const char *name, const char *path, int mode, struct vrms_error *error)
{
	if (is_set(path) && access(path, mode) < 0) {
		return vrms_error_errno(error, -errno, "%s: %s", name, path);
	}
	return 0;
}

static bool is_program_in(const char *folder, size_t length, const char *program)
{
	char path[4096];
	int size = snprintf(path, sizeof(path), "%.*s/%s", (int)length, folder, program);

	return size > 0 && (size_t)size < sizeof(path) && access(path, X_OK) == 0;
}

static int check_program(const char *name, const char *program, struct vrms_error *error)
{
	const char *folder = getenv("PATH");

	while (folder != NULL && *folder != '\0') {
		size_t length = strcspn(folder, ":");

		if (is_program_in(folder, length, program)) {
			return 0;
		}
		folder += length + (folder[length] == ':' ? 1 : 0);
	}
	return vrms_error_set(error, -ENOENT, "%s needs the program %s, which is not installed",
			      name, program);
}

static int check_programs(const struct vrms_vm_config *config, struct vrms_error *error)
{
	int rc = 0;

	if (config->sync_config_on_stop) {
		rc = check_program("sync_config_on_stop", "csync2", error);
	}
	if (rc == 0 && is_set(config->backingfile)) {
		rc = check_program("backingfile", "qemu-img", error);
	}
	if (rc == 0 && is_set(config->backingfile) && is_set(config->copyindirs)) {
		rc = check_program("copyindirs", "virt-copy-in", error);
	}
	return rc;
}

static int check_scripts(const struct vrms_vm_config *config, struct vrms_error *error)
{
	char *scripts VRMS_CLEANUP(vrms_freep) =
	    strdup(is_set(config->monitor_scripts) ? config->monitor_scripts : "");
	char *rest = NULL;
	int rc = 0;

	if (scripts == NULL) {
		return vrms_error_errno(error, -ENOMEM, "monitor_scripts");
	}
	for (char *script = strtok_r(scripts, " \t\n", &rest); script != NULL && rc == 0;
	     script = strtok_r(NULL, " \t\n", &rest)) {
		rc = script[0] == '/' ? check_access("monitor_scripts", script, X_OK, error)
				      : check_program("monitor_scripts", script, error);
	}
	return rc;
}

int vrms_vm_validate(struct vrms_vm *vm, enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	const struct vrms_vm_config *config = vm->config;
	int rc = vrms_vm_identify(vm, error);

	if (vm->config_rc < 0) {
		*error = vm->config_error;
		return vm->config_rc;
	}
	if (rc == 0) {
		rc = check_uri("hypervisor", config->hypervisor, error);
	}
	if (rc == 0) {
		rc = check_folder("snapshot", config->snapshot, error);
	}
	if (rc == 0) {
		rc = check_access("backingfile", config->backingfile, R_OK, error);
	}
	if (rc == 0) {
		rc = check_programs(config, error);
	}
	if (rc == 0) {
		rc = check_scripts(config, error);
	}
	*ret_exit = VRMS_OCF_SUCCESS;
	return rc;
}

/* Every action reads the parameters anew: all that a change needs is that they make sense. */
int vrms_vm_reload(struct vrms_vm *vm, enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	vrms_vm_forget_cache(vm);
	return vrms_vm_validate(vm, ret_exit, error);
}

static const struct {
	const char *name;
	int (*run)(struct vrms_vm *vm, enum vrms_ocf_exit *ret_exit, struct vrms_error *error);
} runners[] = {
    {"start", vrms_vm_start},           {"stop", vrms_vm_stop},
    {"monitor", vrms_vm_monitor},       {"status", vrms_vm_monitor},
    {"migrate_to", vrms_vm_migrate_to}, {"migrate_from", vrms_vm_migrate_from},
    {"reload-agent", vrms_vm_reload},   {"validate-all", vrms_vm_validate},
};

int vrms_vm_run_action(struct vrms_vm *vm, enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(runners); i++) {
		if (strcmp(runners[i].name, vm->call->action) == 0) {
			int rc = runners[i].run(vm, ret_exit, error);

			if (rc == 0) {
				vrms_error_clear(error); /* of detours that led nowhere */
			}
			return rc;
		}
	}
	return vrms_error_set(error, -EOPNOTSUPP, "action \"%s\" is not known", vm->call->action);
}
