/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/drbd_node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agents/drbd_told.h"
#include "agents/drbd_version.h"
#include "common/file.h"
#include "common/log.h"

enum {
	RESERVE_MS = 500,         /* kept for what comes after a tool that hangs */
	PROC_BYTES_MAX = 4 << 20, /* of /proc/drbd */
	LOG_BYTES_MAX = 4 << 20,  /* of /dev/kmsg */
};

static int run(const struct vrms_drbd_node *node, const char *const argv[],
	       struct vrms_child_result *result, struct vrms_error *error)
{
	int64_t left_ms = vrms_ocf_call_left_ms(node->call, RESERVE_MS);
	const struct vrms_child_spec spec = {.argv = argv, .timeout_ms = left_ms > 0 ? left_ms : 1};
	int rc = vrms_child_run(&spec, result, error);

	if (rc == -ENOENT) {
		bool is_of_drbd = strncmp(argv[0], "drbd", 4) == 0;

		return vrms_error_set(error, rc, "%s is not installed%s", argv[0],
				      is_of_drbd ? " (package drbd-utils)" : "");
	}
	return rc;
}

/* --- State ------------------------------------------------------------------------------- */

/* The volumes' minors by the configuration: "drbdadm sh-minor" has a line for each volume. */
static int read_minors(const struct vrms_drbd_node *node, struct vrms_drbd_minor *minors,
		       size_t *ret_count, struct vrms_error *error)
{
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	const char *const plain[] = {"drbdadm", "sh-minor", node->resource, NULL};
	const char *const with_config[] = {"drbdadm",  "-c",           node->drbdconf,
					   "sh-minor", node->resource, NULL};
	size_t count = 0;
	int rc = run(node, node->drbdconf == NULL ? plain : with_config, &result, error);

	if (rc < 0 || result.exit_code != 0) {
		return rc < 0 ? rc
			      : vrms_error_set(error, -EPROTO, "%s: no minor numbers by drbdadm",
					       node->resource);
	}
	for (char *at = result.output; *at != '\0' && count < VRMS_DRBD_VOLUMES_MAX;) {
		char *end;
		long minor = strtol(at, &end, 10);

		if (end == at) {
			break;
		}
		minors[count] = (struct vrms_drbd_minor){.volume = (int)count, .minor = (int)minor};
		count++;
		at = end;
	}
	*ret_count = count;
	return 0;
}

static int look_at_proc(const struct vrms_drbd_node *node, const char *proc,
			struct vrms_drbd_resource *state, struct vrms_error *error)
{
	struct vrms_drbd_minor minors[VRMS_DRBD_VOLUMES_MAX];
	size_t count = 0;
	int rc = read_minors(node, minors, &count, error);

	return rc < 0 ? rc : vrms_drbd_proc_parse(proc, minors, count, state, error);
}

static int look_at_json(const struct vrms_drbd_node *node, struct vrms_drbd_resource *state,
			struct vrms_error *error)
{
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	const char *const argv[] = {"drbdsetup", "status", "--json", NULL};
	int rc = run(node, argv, &result, error);

	if (rc == 0 && result.exit_code != 0) {
		rc = vrms_error_set(error, -EPROTO, "drbdsetup status: exit code %d",
				    result.exit_code);
	}
	return rc < 0 ? rc : vrms_drbd_json_parse(result.output, state, error);
}

static int look_at_events(const struct vrms_drbd_node *node, struct vrms_drbd_resource *state,
			  struct vrms_error *error)
{
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	const char *const argv[] = {"drbdsetup", "events2", "--now", node->resource, NULL};
	int rc = run(node, argv, &result, error);

	if (rc == 0 && result.exit_code != 0) {
		rc = vrms_error_set(error, -EPROTO, "drbdsetup events2: exit code %d",
				    result.exit_code);
	}
	return rc < 0 ? rc : vrms_drbd_events2_parse(result.output, state, error);
}

int vrms_drbd_look(const struct vrms_drbd_node *node, struct vrms_drbd_resource *state,
		   struct vrms_error *error)
{
	struct vrms_drbd_version module;
	char *proc VRMS_CLEANUP(vrms_freep) = NULL;

	vrms_drbd_resource_init(state, node->resource);
	int rc = vrms_file_read(node->proc_path, PROC_BYTES_MAX, &proc, NULL, error);
	if (rc == -ENOENT) {
		vrms_error_clear(error);
		return 0; /* no module: nothing can run */
	}
	if (rc == 0) {
		rc = vrms_drbd_module_version_parse(proc, &module, error);
	}
	if (rc == 0) {
		rc = vrms_drbd_module_check(&module, error);
	}
	if (rc < 0) {
		return rc;
	}
	rc = look_at_events(node, state, error);
	/* One source that cannot be understood is not all there is. */
	if (rc == -EPROTO) {
		struct vrms_error other = {.text = ""};
		int other_rc = module.major == 8 ? look_at_proc(node, proc, state, &other)
						 : look_at_json(node, state, &other);

		if (other_rc == 0) {
			vrms_error_clear(error);
			rc = 0;
		}
	}
	return rc;
}

/* The kernel's log as it is now; "" when it cannot be read.  Records look like
 * "6,1234,5678,-;drbd r0: ...": what stands before the text does no harm. */
static char *read_log(const char *path)
{
	size_t used = 0;
	ssize_t size = 0;
	int fd VRMS_CLEANUP(vrms_closep) = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char *log = malloc(LOG_BYTES_MAX);

	if (log == NULL) {
		return NULL;
	}
	while (fd >= 0 && used + 8192 < LOG_BYTES_MAX) {
		size = read(fd, log + used, 8191);
		if (size == 0 || (size < 0 && errno != EPIPE)) { /* EPIPE: a record was lost */
			break;
		}
		used += size > 0 ? (size_t)size : 0;
	}
	log[used] = '\0';
	return log;
}

void vrms_drbd_judge_here(const struct vrms_drbd_node *node, const struct vrms_drbd_resource *state,
			  struct vrms_drbd_judgement *ret_judgement)
{
	bool is_split = false;

	if (vrms_drbd_is_standalone(state)) {
		char *log VRMS_CLEANUP(vrms_freep) = read_log(node->log_path);

		is_split = log != NULL && vrms_drbd_log_tells_split_brain(log, state);
	}
	vrms_drbd_judge(state, is_split, ret_judgement);
}

/* --- Tools ------------------------------------------------------------------------------- */

/* The last line that says something; drbdadm ends with the command line that failed. */
static const char *last_words(char *text)
{
	const char *last = "", *before = "";
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		before = last;
		last = line;
	}
	return strncmp(last, "Command '", 9) == 0 && before[0] != '\0' ? before : last;
}

int vrms_drbd_adm(const struct vrms_drbd_node *node, const char *verb, int *ret_code,
		  struct vrms_error *error)
{
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	const char *tool = node->is_orphan ? "drbdsetup" : "drbdadm";
	const char *const plain[] = {tool, verb, node->resource, NULL};
	const char *const with_config[] = {"drbdadm", "-c",           node->drbdconf,
					   verb,      node->resource, NULL};
	bool is_plain = node->is_orphan || node->drbdconf == NULL;
	int rc = run(node, is_plain ? plain : with_config, &result, error);

	if (rc < 0) {
		return rc == -ETIMEDOUT ? vrms_error_set(error, rc, "%s %s %s does not end", tool,
							 verb, node->resource)
					: rc;
	}
	*ret_code = result.exit_code;
	if (result.exit_code != 0) {
		(void)vrms_error_set(error, -EIO, "%s %s %s: %s (exit code %d)", tool, verb,
				     node->resource, last_words(result.errors), result.exit_code);
	}
	return 0;
}

static int check_versions(const struct vrms_drbd_node *node, struct vrms_error *error)
{
	struct vrms_drbd_version module, tools;
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	const char *const argv[] = {"drbdadm", "--version", NULL};
	char *proc VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = run(node, argv, &result, error);

	if (rc == 0) {
		rc = vrms_drbd_tools_version_parse(result.output, &tools, error);
	}
	if (rc < 0 || access(node->proc_path, F_OK) != 0) {
		return rc;
	}
	rc = vrms_file_read(node->proc_path, PROC_BYTES_MAX, &proc, NULL, error);
	if (rc == 0) {
		rc = vrms_drbd_module_version_parse(proc, &module, error);
	}
	return rc < 0 ? rc : vrms_drbd_versions_check(&module, &tools, error);
}

int vrms_drbd_check_installed(const struct vrms_drbd_node *node, struct vrms_error *error)
{
	int code = 0;
	int rc = check_versions(node, error);

	if (rc == 0) {
		rc = vrms_drbd_adm(node, "sh-dev", &code, error);
	}
	if (rc == 0 && code != 0) {
		rc = vrms_error_wrap(error, -ENOENT,
				     "drbd_resource: \"%s\" is not in this node's configuration",
				     node->resource);
	}
	return rc;
}

int vrms_drbd_load_module(const struct vrms_drbd_node *node, struct vrms_error *error)
{
	const char *const argv[] = {"modprobe", "drbd", NULL};
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};

	if (access(node->proc_path, F_OK) == 0) {
		return 0;
	}
	int rc = run(node, argv, &result, error);
	if (rc == 0 && access(node->proc_path, F_OK) != 0) {
		rc = vrms_error_set(error, -ENOENT, "the kernel's drbd module cannot be loaded: %s",
				    last_words(result.errors));
	}
	return rc;
}

/* --- Promotion score ----------------------------------------------------------------------- */

void vrms_drbd_publish_score(const struct vrms_drbd_node *node, int score, bool always)
{
	char text[16];
	struct vrms_error error = {.text = ""};
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	const char *const set[] = {"crm_attribute", "--promotion", "--lifetime", "reboot",
				   "--update",      text,          NULL};
	const char *const delete[] = {"crm_attribute", "--promotion", "--lifetime",
				      "reboot",        "--delete",    NULL};

	(void)snprintf(text, sizeof(text), "%d", score);
	if (!always && vrms_drbd_was_told(node->call->instance, score)) {
		return;
	}
	int rc = run(node, score > 0 ? set : delete, &result, &error);
	if (rc < 0 || result.exit_code != 0) {
		(void)vrms_drbd_remember_told(node->call->instance, -1, NULL);
		vrms_log(LOG_WARNING, "%s: the promotion score %d could not be published: %s",
			 node->resource, score, rc < 0 ? error.text : last_words(result.errors));
		return;
	}
	if (vrms_drbd_remember_told(node->call->instance, score, &error) < 0) {
		vrms_log(LOG_INFO, "%s: %s", node->resource, error.text);
	}
}
