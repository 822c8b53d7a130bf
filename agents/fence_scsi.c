/* fence_scsi.c - fence_vrms_scsi: a node is cut off from its disks by persistent reservations.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "agents/san_params.h"
#include "common/log.h"
#include "config.h"
#include "ocf/fence.h"

#define FIELD(field, c_type) VRMS_PARAM_FIELD(struct vrms_san_settings, field, c_type)

/* The texts of enum vrms_san_foreign. */
static const char *const foreign_choices[] = {"refuse", "allow", NULL};

static const struct vrms_param params[] = {
    {
	.name = "luns",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(luns, const char *),
	.required = true,
	.option = 'l',
	.shortdesc = "LUNs to fence on",
	.longdesc =
	    "Every LUN that a node may write to: iscsi://host[:port]/target/lun, blanks "
	    "between them. Several portals of one LUN are written with | between them; "
	    "they are tried in this order. #ID behind it is the LUN's identifier "
	    "(naa.6001..., as monitor shows it with verbose): any other LUN at this address "
	    "is refused. Give hosts as addresses: to look up a name may take longer than any "
	    "timeout here.",
    },
    VRMS_SAN_PARAMS(struct vrms_san_settings, ),
    {
	.name = "settle",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = FIELD(settle_ms, int64_t),
	.fallback = "500ms",
	.minimum = 0,
	.maximum = 120000,
	.shortdesc = "Wait after a preempt without abort",
	.longdesc = "For targets without PREEMPT AND ABORT (tgt is one): writes that the target "
		    "had taken before the preempt are through after this time. Keys and refusal "
		    "are looked at after it. It is waited for too when the key was not there any "
		    "more, for who removed it may have done so just now.",
    },
    {
	.name = "foreign_keys",
	.type = VRMS_PARAM_CHOICE,
	.offset = FIELD(foreign_keys, int),
	.choices = foreign_choices,
	.fallback = "refuse",
	.shortdesc = "What a key that belongs to no node means",
	.longdesc =
	    "Such a key may be the one that the node's own kernel writes with (mpathpersist, "
	    "fence_mpath, fence_scsi). refuse: off fails as long as one is on a LUN, and so does "
	    "monitor; give the node's key in keys, or remove it. allow: these keys are not the "
	    "nodes', and are let be. Keys made of this cluster's name are never foreign.",
    },
    {
	.name = "behind",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(behind, const char *),
	.shortdesc = "What to start once the node is cut off",
	.longdesc = "A shell command, started when off has been proved and not waited for: the "
		    "node's power follows, without holding up recovery. VRMS_FENCE_NODE is the "
		    "node's name. Its outcome changes nothing: the node is fenced.",
    },
    {
	.name = "key_file",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(key_file, const char *),
	.fallback = "/run/vrms/san.key",
	.advanced = true,
	.shortdesc = "Where on writes this node's keys",
	.longdesc = "For the guests that QEMU itself connects to LUNs.",
    },
};

/* LUNs are worked on side by side. */
static void note(const char *line)
{
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&one_at_a_time);
	vrms_log(LOG_INFO, "%s", line);
	pthread_mutex_unlock(&one_at_a_time);
}

static int make(const struct vrms_fence_call *call, const void *settings, struct vrms_san *san,
		struct vrms_error *error)
{
	int rc = vrms_san_make(settings, call->plug, san, error);

	san->access.deadline_ms = call->deadline_ms;
	san->access.note = call->verbose ? note : NULL;
	return rc;
}

static int run_off(const struct vrms_fence_call *call, const void *settings_,
		   struct vrms_error *error)
{
	const struct vrms_san_settings *settings = settings_;
	struct vrms_san san VRMS_CLEANUP(vrms_san_done);
	int rc = make(call, settings, &san, error);

	rc = rc < 0 ? rc : vrms_san_run_all(&san, VRMS_PR_OFF, error);
	/* The node is fenced, whatever becomes of this. */
	if (rc == 0 && settings->behind != NULL &&
	    vrms_san_start_behind(settings->behind, call->plug, error) < 0) {
		return VRMS_FENCE_OK;
	}
	return rc;
}

static int run_on(const struct vrms_fence_call *call, const void *settings_,
		  struct vrms_error *error)
{
	const struct vrms_san_settings *settings = settings_;
	struct vrms_san san VRMS_CLEANUP(vrms_san_done);
	char self[VRMS_SAN_NAME_BYTES];
	int rc = make(call, settings, &san, error);

	rc = rc < 0 ? rc : vrms_san_run_all(&san, VRMS_PR_ON, error);
	vrms_san_self(self);
	if (rc == 0 && strcmp(self, san.node->name) == 0) {
		rc = vrms_san_key_file_write(&san, settings->key_file, error);
	}
	return rc;
}

static uint64_t foreign_key(const struct vrms_san *san, const struct vrms_pr_view *view)
{
	struct vrms_pr_job job = vrms_san_job(san, VRMS_PR_OFF);

	return san->lets_foreign_be ? 0 : vrms_pr_foreign_key(&job, view);
}

static int look_for_keys(const struct vrms_san *san, size_t index, void *is_on_,
			 struct vrms_error *error)
{
	bool *is_on = is_on_; /* by LUN */
	struct vrms_pr_view view;
	int rc = vrms_san_look_at(san, &san->luns.luns[index], &view, error);

	is_on[index] = rc == 0 && (vrms_pr_view_has(&view, san->node->key) ||
				   vrms_pr_view_has(&view, san->node->guests_key) ||
				   foreign_key(san, &view) != 0 || !vrms_pr_view_shuts_out(&view));
	return rc;
}

/* Off only when no LUN lets it write. */
static int run_status(const struct vrms_fence_call *call, const void *settings,
		      struct vrms_error *error)
{
	struct vrms_san san VRMS_CLEANUP(vrms_san_done);
	bool is_on[VRMS_SAN_LUNS_MAX] = {false};
	bool is_on_anywhere = false;
	int rc = make(call, settings, &san, error);

	rc = rc < 0 ? rc : vrms_san_each(&san, look_for_keys, is_on, error);
	for (size_t i = 0; i < VRMS_COUNT_OF(is_on); i++) {
		is_on_anywhere = is_on_anywhere || is_on[i];
	}
	return rc < 0 ? rc : is_on_anywhere ? VRMS_FENCE_OK : VRMS_FENCE_IS_OFF;
}

/* ---- monitor ---- */

/* What a monitor finds out about one LUN. */
struct checked {
	unsigned good_count;
	struct vrms_error trouble;    /* of the first path that does not work */
	char id[VRMS_ISCSI_ID_BYTES]; /* over the first path that works; "": it has none */
};

static void note_lun(const struct vrms_san_lun *lun, unsigned path, const char *id,
		     const struct vrms_pr_view *view)
{
	char name[VRMS_ISCSI_ID_BYTES * 2], line[VRMS_ISCSI_ID_BYTES * 4];

	snprintf(line, sizeof(line), "%s path %u: %s, %zu keys, holder %016" PRIx64 " type %u",
		 vrms_san_lun_name(lun, name, sizeof(name)), path,
		 id[0] != '\0' ? id : "no identifier", view->key_count, view->holder, view->type);
	note(line);
	for (size_t i = 0; i < view->key_count; i++) {
		snprintf(line, sizeof(line), "%s path %u: key %016" PRIx64, name, path,
			 view->keys[i]);
		note(line);
	}
}

/* The paths of a LUN lead to one LUN, else a fence over one of them would fence on another. */
static int check_identity(struct checked *checked, const char *id, struct vrms_error *error)
{
	if (checked->good_count == 0) {
		snprintf(checked->id, sizeof(checked->id), "%s", id);
	}
	return strcmp(checked->id, id) == 0
		   ? 0
		   : vrms_error_set(error, -ESTALE,
				    "its portals lead to different LUNs, \"%s\" and \"%s\"",
				    checked->id, id);
}

static int check_path(const struct vrms_san *san, const struct vrms_san_lun *lun, unsigned path,
		      struct checked *checked, struct vrms_error *error)
{
	struct vrms_iscsi *session VRMS_CLEANUP(vrms_iscsi_closep) = NULL;
	struct vrms_pr_view view;
	struct vrms_error ignored;
	char id[VRMS_ISCSI_ID_BYTES] = "";
	int rc = vrms_san_open(lun, path, &san->access, VRMS_PR_CLUSTER, &session, error);

	rc = rc < 0 ? rc : vrms_san_look(session, &view, error);
	if (rc < 0) {
		return rc;
	}
	if (vrms_iscsi_identify(session, id, &ignored) < 0) {
		id[0] = '\0';
	}
	note_lun(lun, path, id, &view);
	uint64_t foreign = foreign_key(san, &view);
	if (foreign != 0) {
		return vrms_error_set(error, -EPERM, "%s: 0x%" PRIx64,
				      vrms_pr_reason_text(VRMS_PR_REASON_FOREIGN), foreign);
	}
	return check_identity(checked, id, error);
}

/* Every path is tried.  Fails when no path works, or by what is not a matter of the path. */
static int check_lun(const struct vrms_san *san, size_t index, void *all, struct vrms_error *error)
{
	const struct vrms_san_lun *lun = &san->luns.luns[index];
	struct checked *checked = (struct checked *)all + index;
	int result = 0;

	for (unsigned path = 0; path < lun->path_count; path++) {
		struct vrms_error trouble = {""};
		int rc = check_path(san, lun, path, checked, &trouble);

		checked->good_count += rc == 0;
		if (rc < 0 && result == 0) {
			result = rc;
			checked->trouble = trouble;
		}
		if (rc == -ESTALE || rc == -ENOTSUP || rc == -EPERM) {
			*error = trouble;
			return rc;
		}
	}
	*error = checked->trouble;
	return checked->good_count > 0 ? 0 : result;
}

/* A LUN that cannot be fenced on is a failure, a path less is a warning. */
static int run_monitor(const struct vrms_fence_call *call, const void *settings,
		       struct vrms_error *error)
{
	struct vrms_san san VRMS_CLEANUP(vrms_san_done);
	struct checked all[VRMS_SAN_LUNS_MAX] = {{.good_count = 0}};
	int rc = make(call, settings, &san, error);

	rc = rc < 0 ? rc : vrms_san_each(&san, check_lun, all, error);
	for (size_t i = 0; rc == 0 && i < san.luns.count; i++) {
		const struct vrms_san_lun *lun = &san.luns.luns[i];
		char name[VRMS_ISCSI_ID_BYTES * 2];

		if (all[i].good_count < lun->path_count) {
			vrms_error_set(error, 0, "%.200s: %u of %u portals: %.200s",
				       vrms_san_lun_name(lun, name, sizeof(name)),
				       all[i].good_count, lun->path_count, all[i].trouble.text);
		}
	}
	return rc < 0 ? rc : VRMS_FENCE_OK;
}

static int run_list(const struct vrms_fence_call *call, const void *settings,
		    struct vrms_error *error)
{
	struct vrms_san san VRMS_CLEANUP(vrms_san_done);
	int rc = make(call, settings, &san, error);

	for (size_t i = 0; rc == 0 && i < san.cluster.node_count; i++) {
		printf("%s,0x%016" PRIx64 "\n", san.cluster.nodes[i].name,
		       san.cluster.nodes[i].key);
	}
	return rc < 0 ? rc : VRMS_FENCE_OK;
}

static int run_validate(const struct vrms_fence_call *call, const void *settings,
			struct vrms_error *error)
{
	struct vrms_san san VRMS_CLEANUP(vrms_san_done);
	int rc = make(call, settings, &san, error);

	return rc < 0 ? rc : VRMS_FENCE_OK;
}

static const struct vrms_fence_action actions[] = {
    {.name = "off", .run = run_off, .needs_plug = true},
    {.name = "on", .run = run_on, .needs_plug = true, .automatic = true, .on_target = true},
    {.name = "status", .run = run_status, .needs_plug = true},
    {.name = "monitor", .run = run_monitor},
    {.name = "list", .run = run_list},
    {.name = "metadata"},
    {.name = "validate-all", .run = run_validate},
};

static const struct vrms_fence_agent agent = {
    .name = "fence_vrms_scsi",
    .version = PACKAGE_VERSION,
    .shortdesc = "Fences by SCSI-3 persistent reservations, over iSCSI in user space",
    .longdesc =
	"Cuts a node off from its LUNs, so that it needs neither the node's power controller "
	"nor any driver in the kernel: the agent speaks to the target itself.\n\n"
	"Every node has a key, registered when it joins (unfencing). The LUNs are reserved as "
	"Write Exclusive, Registrants Only, by a key of the cluster that is no node's. \"off\" "
	"preempts the node's key on every LUN, with its commands under way where the target can "
	"do that, and then proves it: the key is gone, and a write of no blocks in the node's "
	"name is refused. A key that is not there any more is success; one LUN that cannot be "
	"proved is failure. Reservations of strangers are named, and never taken; as long as a "
	"key is registered that belongs to no node, nothing is proved (foreign_keys).\n\n"
	"The node keeps running, and reading. It must be stopped or rebooted by a device behind "
	"this one, or by an admin, before it may join again.\n\n"
	"Kernel initiators register with the same keys (mpathpersist, fence_mpath: parameter keys; "
	"fence_scsi: key_format). Guests whose disks QEMU connects itself register by "
	"LIBEXECDIR/vrms/iscsi-guest.so.",
    .vendor_url = "",
    .params = params,
    .param_count = VRMS_COUNT_OF(params),
    .actions = actions,
    .action_count = VRMS_COUNT_OF(actions),
    .default_action = "off",
    .provides_unfencing = true,
    .config_size = sizeof(struct vrms_san_settings),
    .man_examples =
	"The SAN first, and power behind it; the power controller alone where the SAN fails:\n"
	".Bd -literal -offset indent\n"
	"crm configure primitive san stonith:fence_vrms_scsi \\e\n"
	"    params luns=\"iscsi://10.0.0.1/iqn.2026-01.org.example:t/1\" \\e\n"
	"           behind='fence_ipmilan -o off -a $VRMS_FENCE_NODE-bmc ...' \\e\n"
	"    meta provides=unfencing\n"
	"crm configure fencing_topology node1: san power node2: san power\n"
	".Ed\n"
	".Pp\n"
	"The keys, and what is on the LUNs:\n"
	".Dl fence_vrms_scsi -o list -l iscsi://10.0.0.1/iqn.2026-01.org.example:t/1\n"
	".Dl fence_vrms_scsi -o monitor -v -l iscsi://10.0.0.1/iqn.2026-01.org.example:t/1\n",
    .man_see_also = ".Xr fence_mpath 8 , .Xr fence_scsi 8 , .Xr stonith_admin 8\n",
};

int main(int argc, char **argv)
{
	return vrms_fence_main(&agent, argc, argv);
}
