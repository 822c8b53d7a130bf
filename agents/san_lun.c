/* san_lun.c - ocf:vrms:SanLun: is the storage there, is it ours, and is it fast enough.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "agents/san_lun.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agents/san_marks.h"
#include "agents/san_params.h"
#include "common/child.h"
#include "common/file.h"
#include "common/log.h"
#include "config.h"
#include "ocf/agent.h"

enum { COMMAND_TIMEOUT_MS = 15000, STATE_BYTES_MAX = 512 };

#define FIELD(field, c_type) VRMS_PARAM_FIELD(struct vrms_san_lun_config, field, c_type)

static const struct vrms_param params[] = {
    {
	.name = "luns",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(san.luns, const char *),
	.shortdesc = "LUNs that guests live on",
	.longdesc = "iscsi://host[:port]/target/lun, blanks between them; several portals of one "
		    "LUN with | between them, and #ID behind it for its identifier, as for "
		    "fence_vrms_scsi.",
    },
    {
	.name = "paths",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(paths, const char *),
	.shortdesc = "Block devices and files to look at",
	.longdesc = "Blanks between them. Behind a block device #ID is its wwid "
		    "(/sys/block/.../wwid, or the UUID of a device-mapper device). Files are for "
		    "NFS and for tests.",
    },
    VRMS_SAN_PARAMS(struct vrms_san_lun_config, san.),
    {
	.name = "register",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(registers, bool),
	.fallback = "true",
	.shortdesc = "Register this node's key",
	.longdesc = "Start registers the key on every LUN and stop removes it. A monitor never "
		    "registers, and a start does not either when the key was removed by another "
		    "than a stop since this host was booted: the node was fenced. Set it to false "
		    "where fence_vrms_scsi unfences and the key should outlive this resource. A "
		    "monitor fails in either case where this cluster has reserved a LUN and the "
		    "node's key is not on it.",
    },
    {
	.name = "login",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(logs_in, bool),
	.fallback = "false",
	.shortdesc = "Log the kernel in at start",
	.longdesc = "Runs iscsiadm (package open-iscsi) for every portal, so that block devices "
		    "appear. A stop does not log out: other resources may use them.",
    },
    {
	.name = "reads",
	.type = VRMS_PARAM_INTEGER,
	.offset = FIELD(reads, int64_t),
	.fallback = "3",
	.minimum = 1,
	.maximum = 100,
	.advanced = true,
	.reloadable = true,
	.shortdesc = "Reads of a monitor",
	.longdesc = "The slowest of them is the latency.",
    },
    {
	.name = "latency_warn",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = FIELD(limits.warn_ms, int64_t),
	.fallback = "100ms",
	.minimum = 1,
	.maximum = 600000,
	.reloadable = true,
	.shortdesc = "A slower read is yellow",
	.longdesc = "The health attribute becomes yellow, the resource goes on.",
    },
    {
	.name = "latency_fail",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = FIELD(limits.fail_ms, int64_t),
	.fallback = "5s",
	.minimum = 1,
	.maximum = 600000,
	.reloadable = true,
	.shortdesc = "A slower read is a failure",
	.longdesc = "The health attribute becomes red and the monitor fails.",
    },
    {
	.name = "paths_min",
	.type = VRMS_PARAM_INTEGER,
	.offset = FIELD(limits.paths_min, int64_t),
	.fallback = "1",
	.minimum = 1,
	.maximum = VRMS_SAN_PATHS_MAX,
	.reloadable = true,
	.shortdesc = "Portals that each LUN needs",
	.longdesc = "With fewer the monitor fails; with fewer than configured it is yellow.",
    },
    {
	.name = "publish",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(publishes, bool),
	.fallback = "true",
	.reloadable = true,
	.shortdesc = "Publish node attributes",
	.longdesc = "#health-vrms-INSTANCE (green, yellow, red), INSTANCE-latency-ms and "
		    "INSTANCE-paths, of the worst LUN. See node-health-strategy.",
    },
    {
	.name = "key_file",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(san.key_file, const char *),
	.fallback = "/run/vrms/san.key",
	.advanced = true,
	.shortdesc = "Where start writes this node's keys",
	.longdesc = "For the guests that QEMU itself connects to LUNs.",
    },
};

static int check_config(const void *config_, struct vrms_error *error)
{
	const struct vrms_san_lun_config *config = config_;

	if (config->san.luns == NULL && config->paths == NULL) {
		return vrms_error_set(error, -EINVAL, "neither luns nor paths are given");
	}
	return config->limits.warn_ms <= config->limits.fail_ms
		   ? 0
		   : vrms_error_set(error, -EINVAL, "latency_warn is above latency_fail");
}

/* ---- what the cluster is told ---- */

static void state_path(const struct vrms_ocf_call *call, const char *ending, char path[256])
{
	snprintf(path, 256, "/run/vrms/SanLun-%.200s%s", call->instance, ending);
	for (char *c = path + strlen("/run/vrms/"); *c != '\0'; c++) {
		*c = *c == '/' || *c == ':' ? '-' : *c;
	}
}

/* "storage:2" is an instance of the clone "storage"; attributes are per node anyway. */
static int base_length(const char *instance)
{
	return (int)strcspn(instance, ":");
}

static int publish_one(const char *name, const char *value)
{
	const char *const argv[] = {"attrd_updater", "-n", name, "-U", value, NULL};
	const char *const delete[] = {"attrd_updater", "-n", name, "-D", NULL};
	const struct vrms_child_spec spec = {.argv = value != NULL ? argv : delete,
					     .timeout_ms = COMMAND_TIMEOUT_MS};
	struct vrms_error error = {""};

	int rc = vrms_child_check(&spec, &error);
	if (rc < 0) {
		vrms_log(LOG_WARNING, "%s: %s", name, error.text);
	}
	return rc;
}

static void print_names(const struct vrms_ocf_call *call, char names[3][160])
{
	int length = base_length(call->instance);

	snprintf(names[0], 160, "#health-vrms-%.*s", length, call->instance);
	snprintf(names[1], 160, "%.*s-latency-ms", length, call->instance);
	snprintf(names[2], 160, "%.*s-paths", length, call->instance);
}

/* Only what differs from the last time: a process for each attribute is a price. */
static void publish(const struct vrms_ocf_call *call, const struct vrms_san_lun_look *look)
{
	char names[3][160];
	char path[256];
	char text[STATE_BYTES_MAX];
	char *before VRMS_CLEANUP(vrms_freep) = NULL;
	int64_t latency_ms = look->latency_us < 0 ? -1 : (look->latency_us + 999) / 1000;

	/* Powers of two, so that noise is not news. */
	int64_t rounded_ms = 1;
	while (rounded_ms < latency_ms) {
		rounded_ms *= 2;
	}
	snprintf(text, sizeof(text), "%s %lld %u/%u", vrms_lun_health_name(look->health),
		 (long long)(latency_ms < 0 ? -1 : rounded_ms), look->good_count, look->path_count);
	state_path(call, "", path);
	if (vrms_file_read(path, STATE_BYTES_MAX, &before, NULL, NULL) == 0 &&
	    strcmp(before, text) == 0) {
		return;
	}
	print_names(call, names);
	char latency[24], counts[32];
	snprintf(latency, sizeof(latency), "%lld", (long long)(latency_ms < 0 ? -1 : rounded_ms));
	snprintf(counts, sizeof(counts), "%u/%u", look->good_count, look->path_count);
	int rc = publish_one(names[0], vrms_lun_health_name(look->health));
	rc = publish_one(names[1], latency) < 0 ? -EIO : rc;
	rc = publish_one(names[2], counts) < 0 ? -EIO : rc;
	struct vrms_error ignored;
	if (rc < 0) { /* the next monitor tries again */
		text[0] = '\0';
	}
	if (vrms_file_write(path, text, strlen(text), 0644, &ignored) < 0) {
		vrms_log(LOG_WARNING, "%s", ignored.text);
	}
}

static void withdraw(const struct vrms_ocf_call *call)
{
	char names[3][160];

	print_names(call, names);
	for (size_t i = 0; i < VRMS_COUNT_OF(names); i++) {
		(void)publish_one(names[i], NULL);
	}
}

/* ---- the actions ---- */

static bool is_started(const struct vrms_ocf_call *call)
{
	char path[256];

	state_path(call, "", path);
	return access(path, F_OK) == 0;
}

static int judge(const struct vrms_ocf_call *call, const struct vrms_san_lun_config *config,
		 enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	struct vrms_san_lun_look look;
	int rc = vrms_san_lun_take_look(config, &look, error);

	if (rc < 0) {
		return rc;
	}
	if (config->publishes) {
		publish(call, &look);
	}
	*error = look.why;
	*ret_exit = look.health == VRMS_LUN_RED ? VRMS_OCF_ERR_GENERIC : VRMS_OCF_SUCCESS;
	return 0;
}

static int run_monitor(const struct vrms_ocf_call *call, const void *config,
		       enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	if (!is_started(call)) {
		*ret_exit = VRMS_OCF_NOT_RUNNING;
		return 0;
	}
	return judge(call, config, ret_exit, error);
}

/* "host[:port]" and "target" of iscsi://[user@]host[:port]/target/lun. */
static int log_in_path(const char *url, struct vrms_error *error)
{
	const char *begin = vrms_san_url_address(url);
	const char *slash = strchr(begin, '/');
	const char *last = strrchr(url, '/');
	char portal[256], target[256];

	if (slash == NULL || last <= slash) {
		return vrms_error_set(error, -EINVAL, "a LUN without target or number");
	}
	snprintf(portal, sizeof(portal), "%.*s", (int)(slash - begin), begin);
	snprintf(target, sizeof(target), "%.*s", (int)(last - slash - 1), slash + 1);
	const char *const find[] = {"iscsiadm",    "-m", "discovery", "-t",
				    "sendtargets", "-p", portal,      NULL};
	const char *const login[] = {"iscsiadm", "-m",   "node",    "-T", target,
				     "-p",       portal, "--login", NULL};
	struct vrms_child_spec spec = {.argv = find, .timeout_ms = COMMAND_TIMEOUT_MS};
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};

	int rc = vrms_child_check(&spec, error);
	if (rc == -ENOENT) {
		return vrms_error_set(error, rc,
				      "iscsiadm is not installed (Debian package: open-iscsi)");
	}
	spec.argv = login;
	rc = rc < 0 ? rc : vrms_child_run(&spec, &result, error);
	enum { SESSION_EXISTS = 15 }; /* ISCSI_ERR_SESS_EXISTS of open-iscsi */
	if (rc == 0 && result.exit_code != 0 && result.exit_code != SESSION_EXISTS) {
		rc = vrms_error_set(error, -EIO, "iscsiadm --login %s %s: exit code %d", target,
				    portal, result.exit_code);
	}
	return rc;
}

static int log_in(const struct vrms_san *san, struct vrms_error *error)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < san->luns.count; i++) {
		for (unsigned path = 0; rc == 0 && path < san->luns.luns[i].path_count; path++) {
			rc = log_in_path(san->luns.luns[i].paths[path], error);
		}
	}
	return rc;
}

static int prepare(const struct vrms_ocf_call *call, const struct vrms_san_lun_config *config,
		   struct vrms_error *error)
{
	struct vrms_san san VRMS_CLEANUP(vrms_san_done);
	int rc = vrms_san_lun_make(config, &san, error);

	san.access.deadline_ms = call->deadline_ms;
	if (rc == 0 && config->logs_in) {
		rc = log_in(&san, error);
	}
	if (rc == 0 && config->registers && san.luns.count > 0) {
		char marks[256];

		state_path(call, ".keys", marks);
		rc = vrms_san_marks_check(&san, marks, error);
		rc = rc < 0 ? rc : vrms_san_run_all(&san, VRMS_PR_ON, error);
		rc = rc < 0 ? rc : vrms_san_marks_write(&san, marks, error);
		rc = rc < 0 ? rc : vrms_san_key_file_write(&san, config->san.key_file, error);
	}
	return rc;
}

static int run_start(const struct vrms_ocf_call *call, const void *config_,
		     enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	const struct vrms_san_lun_config *config = config_;
	char path[256];

	if (is_started(call)) {
		return judge(call, config, ret_exit, error);
	}
	int rc = vrms_file_mkdir_all("/run/vrms", 0755, error);
	rc = rc < 0 ? rc : prepare(call, config, error);
	state_path(call, "", path);
	rc = rc < 0 ? rc : vrms_file_write(path, "", 0, 0644, error);
	return rc < 0 ? rc : judge(call, config, ret_exit, error);
}

static int run_stop(const struct vrms_ocf_call *call, const void *config_,
		    enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	const struct vrms_san_lun_config *config = config_;
	struct vrms_san san VRMS_CLEANUP(vrms_san_done) = {.node = NULL};
	char path[256], marks[256];

	*ret_exit = VRMS_OCF_SUCCESS;
	state_path(call, ".keys", marks);
	if (!is_started(call)) {
		return 0;
	}
	int rc = config->registers ? vrms_san_lun_make(config, &san, error) : 0;
	san.access.deadline_ms = call->deadline_ms;
	if (rc == 0 && san.luns.count > 0) {
		rc = vrms_san_marks_release(&san, marks, error);
	}
	/* Storage out of reach is no reason to be fenced: the key that stays there harms nobody. */
	if (rc < 0) {
		vrms_log(LOG_WARNING, "keys may stay registered: %s", error->text);
		vrms_error_clear(error);
	}
	if (config->publishes) {
		withdraw(call);
	}
	state_path(call, "", path);
	return unlink(path) < 0 && errno != ENOENT ? vrms_error_errno(error, -errno, "%s", path)
						   : 0;
}

static int run_validate(const struct vrms_ocf_call *call, const void *config,
			enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	struct vrms_san san VRMS_CLEANUP(vrms_san_done);

	(void)call;
	*ret_exit = VRMS_OCF_SUCCESS;
	return vrms_san_lun_make(config, &san, error);
}

/* What is not published any more must not stay as it was: a red node has no guests. */
static int run_reload(const struct vrms_ocf_call *call, const void *config_,
		      enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	const struct vrms_san_lun_config *config = config_;
	char path[256];

	if (!is_started(call)) {
		*ret_exit = VRMS_OCF_NOT_RUNNING;
		return 0;
	}
	*ret_exit = VRMS_OCF_SUCCESS;
	if (config->publishes) {
		return 0;
	}
	withdraw(call);
	state_path(call, "", path);
	return vrms_file_write(path, "", 0, 0644, error);
}

static const struct vrms_ocf_action actions[] = {
    {.name = "start", .timeout = "60s", .run = run_start},
    {.name = "stop", .timeout = "60s", .run = run_stop},
    {.name = "status", .timeout = "30s", .interval = "10s", .depth = "0", .run = run_monitor},
    {.name = "monitor", .timeout = "30s", .interval = "10s", .depth = "0", .run = run_monitor},
    {.name = "reload-agent", .timeout = "20s", .run = run_reload},
    {.name = "validate-all", .timeout = "20s", .run = run_validate},
    {.name = "meta-data", .timeout = "5s", .no_params = true},
};

static const struct vrms_ocf_agent agent = {
    .name = "SanLun",
    .provider = "vrms",
    .version = PACKAGE_VERSION,
    .shortdesc = "Storage that guests live on: reachable, ours, fast enough",
    .longdesc =
	"Run as a clone, on every node with guests. A monitor reads each LUN over each portal, "
	"and fails when a LUN does not answer, is another one than the identifier says, is too "
	"slow, has too few portals, or does not have this node's key any more, for then the node "
	"was fenced. What is worse than it should be, but works, makes the node's health yellow. "
	"Guests that are ordered after it and colocated with it leave a node that has lost its "
	"storage.\n\n"
	"LUNs are spoken to over iSCSI in user space, so that neither the kernel's cache nor a "
	"hanging device is in the way; block devices and files are read directly. Start registers "
	"the node's key for persistent reservations, as fence_vrms_scsi does with the same "
	"parameters; stop removes it. A node that was fenced is let in again by a reboot, or by "
	"fence_vrms_scsi with the action on.",
    .params = params,
    .param_count = VRMS_COUNT_OF(params),
    .actions = actions,
    .action_count = VRMS_COUNT_OF(actions),
    .config_size = sizeof(struct vrms_san_lun_config),
    .check = check_config,
    .man_examples =
	"Guests run only where the storage is:\n"
	".Bd -literal -offset indent\n"
	"primitive storage ocf:vrms:SanLun \\\\\n"
	"    params luns=\"iscsi://10.0.0.1/iqn.2026-01.org.example:t/1\" register=false \\\\\n"
	"    op monitor interval=10s timeout=30s\n"
	"clone storages storage meta interleave=true\n"
	"order storage-first Mandatory: storages web\n"
	"colocation with-storage inf: web storages\n"
	"property node-health-strategy=migrate-on-red\n"
	".Ed\n",
    .man_see_also = ".Xr attrd_updater 8 ,\n.Xr fence_vrms_scsi 8\n",
};

int main(int argc, char **argv)
{
	return vrms_ocf_main(&agent, argc, argv);
}
