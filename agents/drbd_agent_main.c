/* drbd_agent_main.c - the full ocf:vrms:Drbd, a promotable clone: the actions and the table.
 *
 * The installed agent (drbd_front.c) becomes this program for all that it does not answer itself.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agents/drbd_node.h"
#include "common/log.h"
#include "config.h"

enum {
	POLL_MS = 200,
	RETRY_MS = 500,
	END_RESERVE_MS = 2000,
	EXIT_REFUSED = 17, /* drbdsetup's: "State change failed" that will not get better */
};

struct drbd_config {
	const char *drbd_resource;
	const char *drbdconf;
	int64_t wfc_timeout_ms;
};

static const struct vrms_param params[] = {
    {
	.name = "drbd_resource",
	.type = VRMS_PARAM_STRING,
	.offset = VRMS_PARAM_FIELD(struct drbd_config, drbd_resource, const char *),
	.required = true,
	.unique = true,
	.shortdesc = "Name of the DRBD resource",
	.longdesc = "The resource's name in drbd.conf. DRBD's fence-peer handlers find the "
		    "cluster's resource by this parameter.",
    },
    {
	.name = "drbdconf",
	.type = VRMS_PARAM_STRING,
	.offset = VRMS_PARAM_FIELD(struct drbd_config, drbdconf, const char *),
	.shortdesc = "DRBD's configuration file",
	.longdesc = "Full path of a configuration file other than /etc/drbd.conf.",
    },
    {
	.name = "wfc_timeout",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = VRMS_PARAM_FIELD(struct drbd_config, wfc_timeout_ms, int64_t),
	.fallback = "5s",
	.maximum = 3600000,
	.reloadable = true,
	.shortdesc = "How long a start waits for the peers",
	.longdesc = "After a start the first promotion score is made once all peers are connected, "
		    "or after this time. A node that was away learns of a connected peer that its "
		    "data are old; alone it knows that only when DRBD's fencing policies are set.",
    },
};

static struct vrms_drbd_node node_of(const struct vrms_ocf_call *call, const void *config_of_call)
{
	const struct drbd_config *config = config_of_call;
	const char *proc_path = getenv("VRMS_PROC_DRBD"); /* for tests */
	const char *log_path = getenv("VRMS_KMSG");

	return (struct vrms_drbd_node){
	    .call = call,
	    .resource = config->drbd_resource,
	    .drbdconf = config->drbdconf,
	    .proc_path = proc_path != NULL ? proc_path : "/proc/drbd",
	    .log_path = log_path != NULL ? log_path : "/dev/kmsg",
	};
}

/* A look and what it means; most actions begin and end so. */
struct view {
	struct vrms_drbd_node node;
	struct vrms_drbd_resource state;
	struct vrms_drbd_judgement judgement;
};

static int look(struct view *view, struct vrms_error *error)
{
	int rc = vrms_drbd_look(&view->node, &view->state, error);

	if (rc == 0) {
		vrms_drbd_judge_here(&view->node, &view->state, &view->judgement);
	}
	return rc;
}

static bool is_primary(const struct view *view)
{
	return view->state.exists && view->state.role == VRMS_DRBD_PRIMARY;
}

static void say_reason(const struct view *view, struct vrms_error *error)
{
	if (view->judgement.reason[0] != '\0') {
		(void)vrms_error_set(error, 0, "%s: %s", view->node.resource,
				     view->judgement.reason);
	}
}

/* Degraded is for the eyes of those who watch; a probe asks what runs. */
static enum vrms_ocf_exit plain_code(enum vrms_ocf_exit code)
{
	switch (code) {
	case VRMS_OCF_DEGRADED:
		return VRMS_OCF_SUCCESS;
	case VRMS_OCF_DEGRADED_PROMOTED:
		return VRMS_OCF_RUNNING_PROMOTED;
	default:
		return code;
	}
}

static int run_monitor(const struct vrms_ocf_call *call, const void *config,
		       enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	struct view view = {.node = node_of(call, config)};
	int rc = look(&view, error);

	if (rc < 0) {
		return rc;
	}
	if (view.state.exists) {
		vrms_drbd_publish_score(&view.node, (int)view.judgement.score, false);
	}
	*ret_exit = call->is_probe ? plain_code(view.judgement.code) : view.judgement.code;
	if (call->is_probe || *ret_exit != plain_code(*ret_exit) ||
	    *ret_exit == VRMS_OCF_FAILED_PROMOTED) {
		say_reason(&view, error);
	} else if (*ret_exit == VRMS_OCF_NOT_RUNNING) {
		(void)vrms_error_set(error, 0, "%s is not configured in the kernel",
				     view.node.resource);
	}
	return 0;
}

/* Repeats "drbdadm VERB" until the state is reached, DRBD refuses for good, or time is up. */
static int insist(struct view *view, const char *verb, bool (*is_reached)(const struct view *),
		  struct vrms_error *error)
{
	const struct vrms_ocf_call *call = view->node.call;

	for (;;) {
		int code = 0;
		int rc = vrms_drbd_adm(&view->node, verb, &code, error);

		if (rc == 0) {
			struct vrms_error lost = {.text = ""};

			rc = look(view, &lost);
			if (rc < 0) {
				*error = lost;
			}
		}
		if (rc < 0) {
			return rc;
		}
		if (is_reached(view)) {
			vrms_error_clear(error);
			return 0;
		}
		if (code == EXIT_REFUSED || vrms_ocf_call_left_ms(call, END_RESERVE_MS) == 0) {
			return code != 0
				   ? -EIO
				   : vrms_error_set(error, -EIO, "drbdadm %s %s had no effect",
						    verb, view->node.resource);
		}
		vrms_clock_sleep_ms(call->clock, RETRY_MS);
	}
}

static bool is_secondary(const struct view *view)
{
	return !is_primary(view);
}

static bool is_gone(const struct view *view)
{
	return !view->state.exists;
}

static bool is_attaching(const struct vrms_drbd_resource *state)
{
	for (size_t i = 0; i < state->volume_count; i++) {
		if (state->volumes[i].disk == VRMS_DRBD_ATTACHING ||
		    state->volumes[i].disk == VRMS_DRBD_NEGOTIATING) {
			return true;
		}
	}
	return false;
}

static bool is_connecting(const struct vrms_drbd_resource *state)
{
	for (size_t i = 0; i < state->peer_count; i++) {
		enum vrms_drbd_connection connection = state->peers[i].connection;

		if (connection != VRMS_DRBD_CONNECTED && connection != VRMS_DRBD_STANDALONE) {
			return true;
		}
	}
	return false;
}

/* The first score is only as good as the state it is made from. */
static int settle(struct view *view, int64_t wfc_timeout_ms, struct vrms_error *error)
{
	const struct vrms_ocf_call *call = view->node.call;
	int64_t begin_ms = vrms_clock_now_ms(call->clock);
	int rc = look(view, error);

	while (rc == 0 && vrms_ocf_call_left_ms(call, END_RESERVE_MS) > 0 &&
	       (is_attaching(&view->state) ||
		(is_connecting(&view->state) &&
		 vrms_clock_now_ms(call->clock) - begin_ms < wfc_timeout_ms))) {
		vrms_clock_sleep_ms(call->clock, POLL_MS);
		rc = look(view, error);
	}
	if (rc == 0 && !view->state.exists) {
		rc = vrms_error_set(error, -EIO, "%s: not there after drbdadm adjust",
				    view->node.resource);
	}
	return rc;
}

static int run_start(const struct vrms_ocf_call *call, const void *config,
		     enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	struct view view = {.node = node_of(call, config)};
	int code = 0;
	int rc = vrms_drbd_load_module(&view.node, error);

	(void)ret_exit;
	if (rc == 0) {
		rc = vrms_drbd_check_installed(&view.node, error);
	}
	if (rc == 0) {
		rc = vrms_drbd_adm(&view.node, "adjust", &code, error);
	}
	if (rc < 0 || code != 0) {
		return rc < 0 ? rc : -EIO;
	}
	rc = settle(&view, ((const struct drbd_config *)config)->wfc_timeout_ms, error);
	if (rc == 0 && is_primary(&view)) { /* a clone starts unpromoted */
		rc = insist(&view, "secondary", is_secondary, error);
	}
	if (rc == 0) {
		vrms_drbd_publish_score(&view.node, (int)view.judgement.score, true);
		vrms_log(LOG_INFO, "%s: started, promotion score %d", view.node.resource,
			 (int)view.judgement.score);
	}
	return rc;
}

static int demote(struct view *view, struct vrms_error *error)
{
	int rc = insist(view, "secondary", is_secondary, error);

	return rc < 0 ? vrms_error_wrap(error, rc, "not demoted; is it in use") : 0;
}

static int run_stop(const struct vrms_ocf_call *call, const void *config,
		    enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	struct view view = {.node = node_of(call, config)};
	int code = 0;
	int rc = look(&view, error);

	(void)ret_exit;
	/* What runs is stopped, even when somebody has removed its configuration. */
	if (rc == 0 && view.state.exists) {
		rc = vrms_drbd_adm(&view.node, "sh-dev", &code, error);
		view.node.is_orphan = code != 0;
	}
	if (rc == 0 && is_primary(&view)) {
		rc = demote(&view, error);
	}
	if (rc == 0 && view.state.exists) {
		rc = insist(&view, "down", is_gone, error);
	}
	if (rc == 0) {
		vrms_error_clear(error);
		vrms_drbd_publish_score(&view.node, VRMS_DRBD_SCORE_NONE, true);
	}
	return rc;
}

/* The kernel refuses most of it too, but not in these words; and data that were UpToDate when the
 * connection was broken off it does not refuse, though the peer may have gone on writing.  The
 * score that Pacemaker knows may be older than that. */
static int check_promotable(const struct view *view, struct vrms_error *error)
{
	if (!view->state.exists) {
		return vrms_error_set(error, -EIO, "%s is not configured in the kernel",
				      view->node.resource);
	}
	if (vrms_drbd_score_of(&view->state) == VRMS_DRBD_SCORE_NONE) {
		return vrms_error_set(error, -EIO, "%s: not promoted: %s", view->node.resource,
				      view->judgement.reason[0] != '\0'
					  ? view->judgement.reason
					  : "no access to UpToDate data");
	}
	return 0;
}

static int run_promote(const struct vrms_ocf_call *call, const void *config,
		       enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	struct view view = {.node = node_of(call, config)};
	int rc = look(&view, error);

	(void)ret_exit;
	if (rc == 0 && !is_primary(&view)) {
		rc = check_promotable(&view, error);
		if (rc == 0) {
			rc = insist(&view, "primary", is_primary, error);
		}
	}
	if (rc == 0) {
		vrms_drbd_publish_score(&view.node, (int)view.judgement.score, true);
	}
	return rc;
}

static int run_demote(const struct vrms_ocf_call *call, const void *config,
		      enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	struct view view = {.node = node_of(call, config)};
	int rc = look(&view, error);

	if (rc == 0 && !view.state.exists) {
		*ret_exit = VRMS_OCF_NOT_RUNNING;
		return vrms_error_set(error, 0, "%s is not configured in the kernel",
				      view.node.resource);
	}
	if (rc == 0 && is_primary(&view)) {
		rc = demote(&view, error);
	}
	if (rc == 0) {
		vrms_drbd_publish_score(&view.node, (int)view.judgement.score, true);
	}
	return rc;
}

/* Something has just happened to a peer: the score is made anew at once, not at the next monitor.
 */
static int run_notify(const struct vrms_ocf_call *call, const void *config,
		      enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	struct view view = {.node = node_of(call, config)};
	const char *type = call->lookup(call->lookup_context, "CRM_meta_notify_type");

	(void)ret_exit;
	if (type == NULL || strcmp(type, "post") != 0) {
		return 0;
	}
	if (look(&view, error) == 0 && view.state.exists) {
		vrms_drbd_publish_score(&view.node, (int)view.judgement.score, false);
	}
	return 0; /* Pacemaker does not listen to a notification's result */
}

static int run_reload(const struct vrms_ocf_call *call, const void *config,
		      enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	struct view view = {.node = node_of(call, config)};
	int code = 0;
	int rc = look(&view, error);

	if (rc == 0 && !view.state.exists) {
		*ret_exit = VRMS_OCF_NOT_RUNNING;
		return 0;
	}
	if (rc == 0) {
		rc = vrms_drbd_adm(&view.node, "adjust", &code, error);
	}
	if (rc == 0 && code != 0) {
		rc = -EIO;
	}
	if (rc == 0) {
		rc = look(&view, error);
	}
	if (rc == 0) {
		vrms_drbd_publish_score(&view.node, (int)view.judgement.score, true);
	}
	return rc;
}

static int run_validate(const struct vrms_ocf_call *call, const void *config,
			enum vrms_ocf_exit *ret_exit, struct vrms_error *error)
{
	struct vrms_drbd_node node = node_of(call, config);

	(void)ret_exit;
	return vrms_drbd_check_installed(&node, error);
}

/* Source: drbd.conf(5): names of resources are words; they become arguments of drbdadm, for
 * which "all" and what begins with '-' have other meanings. */
static int check_config(const void *config_of_call, struct vrms_error *error)
{
	const struct drbd_config *config = config_of_call;
	const char *name = config->drbd_resource;

	if (strlen(name) >= VRMS_DRBD_NAME_BYTES || name[0] == '-' || strcmp(name, "all") == 0 ||
	    strpbrk(name, " \t\n/:\"'\\;{}") != NULL) {
		return vrms_error_set(error, -EINVAL,
				      "drbd_resource: \"%.64s\" is no name of a DRBD resource",
				      name);
	}
	if (config->drbdconf != NULL && config->drbdconf[0] != '/') {
		return vrms_error_set(error, -EINVAL,
				      "drbdconf: \"%.128s\" is not an absolute path",
				      config->drbdconf);
	}
	return 0;
}

static const struct vrms_ocf_action actions[] = {
    {.name = "start", .timeout = "240s", .run = run_start},
    {.name = "stop", .timeout = "100s", .run = run_stop},
    {.name = "promote", .timeout = "90s", .run = run_promote},
    {.name = "demote", .timeout = "90s", .run = run_demote},
    {.name = "notify", .timeout = "90s", .run = run_notify},
    {.name = "reload-agent", .timeout = "30s", .run = run_reload},
    {.name = "monitor",
     .timeout = "20s",
     .interval = "20s",
     .depth = "0",
     .role = "Unpromoted",
     .run = run_monitor},
    {.name = "monitor",
     .timeout = "20s",
     .interval = "10s",
     .depth = "0",
     .role = "Promoted",
     .run = run_monitor},
    {.name = "validate-all", .timeout = "5s", .run = run_validate},
    {.name = "meta-data", .timeout = "5s", .no_params = true},
};

static const struct vrms_ocf_agent agent = {
    .name = "Drbd",
    .provider = "vrms",
    .version = PACKAGE_VERSION,
    .shortdesc = "A replicated block device of DRBD 9 or 8.4",
    .longdesc =
	"Runs one DRBD resource as a promotable clone, through drbd-utils: with DRBD 9 and with "
	"the 8.4 of the stock kernel. It takes the drbd_resource parameter of ocf:linbit:drbd.\n"
	"\n"
	"The promotion score comes from the disks and the connections. A node whose data are "
	"Inconsistent, Outdated or missing has a score only while a connected peer has UpToDate "
	"data; one whose connection is StandAlone has none unless it is Primary or knows that the "
	"peer's data are worse, for its data may have diverged; one without quorum has none.\n"
	"\n"
	"A split brain, a missing, failed or outdated disk and suspended I/O are reported as a "
	"degraded resource with the reason; a Primary that cannot reach UpToDate data or has lost "
	"DRBD's quorum has failed. Nothing is ever resolved by force.\n"
	"\n"
	"Fencing handlers: crm-fence-peer.9.sh and crm-unfence-peer.9.sh (8.4: without .9) of "
	"drbd-utils look for the clone whose primitive has the drbd_resource parameter, not for "
	"ocf:linbit:drbd, so they find this agent's. Those of drbd-utils 9.22 were seen to work "
	"under Pacemaker 2.1.5 with a DRBD that was made up: a lost link bars the peer from "
	"promotion until it has caught up, and a survivor is promoted once its peer is fenced. "
	"With the kernel's DRBD they were not tried.",
    .params = params,
    .param_count = VRMS_COUNT_OF(params),
    .actions = actions,
    .action_count = VRMS_COUNT_OF(actions),
    .config_size = sizeof(struct drbd_config),
    .check = check_config,
    .man_examples = "The disk of a virtual machine, in crmsh:\n"
		    ".Bd -literal -offset indent\n"
		    "primitive web-disk ocf:vrms:Drbd params drbd_resource=web \\\\\n"
		    "    op monitor interval=20s role=Unpromoted timeout=20s \\\\\n"
		    "    op monitor interval=10s role=Promoted timeout=20s\n"
		    "clone web-data web-disk meta promotable=true notify=true\n"
		    "colocation web-with-data inf: web web-data:Promoted\n"
		    "order data-before-web web-data:promote web:start\n"
		    ".Ed\n",
    .man_see_also = ".Xr drbd.conf 5 ,\n.Xr drbdadm 8 ,\n.Xr drbdsetup 8\n",
};

int main(int argc, char **argv)
{
	return vrms_ocf_main(&agent, argc, argv);
}
