/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/vm_image.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

enum {
	ARGUMENT_COUNT_MAX = 64,
	PROGRAM_PERCENT = 80, /* of the time left */
	INFO_MS_MAX = 10000,
};

int vrms_vm_image_path(const char *config, char *buffer, size_t buffer_bytes)
{
	const char *slash = strrchr(config, '/');
	const char *base = slash == NULL ? config : slash + 1;
	int stem = (int)(base - config) + (int)strcspn(base, ".");
	int length = snprintf(buffer, buffer_bytes, "%.*s.qcow2", stem, config);

	return length < 0 || (size_t)length >= buffer_bytes ? -ENAMETOOLONG : 0;
}

static bool is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* *ret_output: what it printed; the caller frees it. */
static int run(struct vrms_vm *vm, const char *const *argv, char **ret_output,
	       struct vrms_error *error)
{
	struct vrms_child_result result = {.exit_code = 0};
	const struct vrms_child_spec spec = {
	    .argv = argv,
	    .timeout_ms = vrms_ocf_call_left_ms(vm->call, 0) * PROGRAM_PERCENT / 100 + 1,
	};
	int rc = vm->host->run_program(vm->host->context, &spec, &result, error);

	if (rc == 0 && result.exit_code != 0) {
		const char *said = result.errors == NULL ? "" : result.errors;
		rc = vrms_error_set(error, -EIO, "%s exited with %d: %.*s", argv[0],
				    result.exit_code, (int)strcspn(said, "\n"), said);
	}
	if (rc == 0 && ret_output != NULL) {
		*ret_output = VRMS_TAKE(result.output);
	}
	vrms_child_result_done(&result);
	return rc;
}

/* qemu-img wants the format said: a raw backing file is never to be probed. */
static int get_format(struct vrms_vm *vm, char *buffer, size_t buffer_bytes,
		      struct vrms_error *error)
{
	const char *const argv[] = {"qemu-img", "info",
				    "-U",       "--output=json",
				    "--",       vm->config->backingfile,
				    NULL};
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = run(vm, argv, &text, error);

	if (rc < 0) {
		return rc;
	}
	json_t *info = json_loads(text == NULL ? "" : text, 0, NULL);
	const char *format = json_string_value(json_object_get(info, "format"));
	int length = format == NULL ? -1 : snprintf(buffer, buffer_bytes, "%s", format);
	json_decref(info);
	if (length < 0 || (size_t)length >= buffer_bytes) {
		return vrms_error_set(error, -EIO,
				      "backingfile: qemu-img does not know the format of "
				      "%s",
				      vm->config->backingfile);
	}
	return 0;
}

static int create_image(struct vrms_vm *vm, const char *path, struct vrms_error *error)
{
	char format[32];
	int rc = get_format(vm, format, sizeof(format), error);

	if (rc < 0) {
		return rc;
	}
	const char *const argv[] = {
	    "qemu-img", "create", "-q", "-f", "qcow2", "-b", vm->config->backingfile,
	    "-F",       format,   "--", path, NULL};
	return run(vm, argv, NULL, error);
}

static int copy_in(struct vrms_vm *vm, const char *path, struct vrms_error *error)
{
	const char *argv[ARGUMENT_COUNT_MAX] = {"virt-copy-in", "-a", path};
	size_t count = 3;
	char *rest = NULL;

	if (!is_set(vm->config->copyindirs)) {
		return 0;
	}
	char *folders VRMS_CLEANUP(vrms_freep) = strdup(vm->config->copyindirs);
	if (folders == NULL) {
		return vrms_error_errno(error, -ENOMEM, "copyindirs");
	}
	for (char *folder = strtok_r(folders, " \t\n", &rest); folder != NULL;
	     folder = strtok_r(NULL, " \t\n", &rest)) {
		if (count + 2 >= ARGUMENT_COUNT_MAX) {
			return vrms_error_set(error, -EINVAL, "copyindirs: more than %d folders",
					      ARGUMENT_COUNT_MAX - 5);
		}
		argv[count++] = folder;
	}
	argv[count++] = "/";
	argv[count] = NULL;
	return run(vm, argv, NULL, error);
}

/* The half-made disk is removed on failure. */
static int make_at(struct vrms_vm *vm, const char *path, struct vrms_error *error)
{
	char partial[PATH_MAX + sizeof(".new")];

	(void)snprintf(partial, sizeof(partial), "%s.new", path);
	int rc = create_image(vm, partial, error);
	if (rc == 0) {
		rc = copy_in(vm, partial, error);
	}
	if (rc == 0 && rename(partial, path) < 0) {
		rc = vrms_error_errno(error, -errno, "%s", path);
	}
	if (rc < 0) {
		(void)unlink(partial);
		return vrms_error_wrap(error, rc, "disk on backingfile \"%s\"",
				       vm->config->backingfile);
	}
	vrms_log(LOG_INFO, "%s: new disk %s on %s", vrms_vm_name(vm), path,
		 vm->config->backingfile);
	return 0;
}

int vrms_vm_make_image(struct vrms_vm *vm, struct vrms_error *error)
{
	char path[PATH_MAX];
	struct stat status;

	if (!is_set(vm->config->backingfile)) {
		return 0;
	}
	int rc = vrms_vm_image_path(vm->config->config, path, sizeof(path));
	if (rc < 0) {
		return vrms_error_errno(error, rc, "%s", vm->config->config);
	}
	if (!vm->config->stateless && stat(path, &status) == 0 && status.st_size > 0) {
		return 0;
	}
	return make_at(vm, path, error);
}
