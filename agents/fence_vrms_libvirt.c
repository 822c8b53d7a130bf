/* fence_vrms_libvirt.c - the table: cluster nodes that are guests of libvirt.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agents/fence_libvirt.h"
#include "config.h"
#include "ocf/fence.h"

enum { ANSWER_TIMEOUT_MS = 20000 }; /* when Pacemaker sets no other */

struct libvirt_config {
	const char *uri;
	bool single_host;
};

static const struct vrms_param params[] = {
    {
	.name = "uri",
	.type = VRMS_PARAM_STRING,
	.offset = VRMS_PARAM_FIELD(struct libvirt_config, uri, const char *),
	.required = true,
	.option = 'u',
	.shortdesc = "Libvirt's URIs of the outer hosts",
	.longdesc =
	    "One or more connection URIs of libvirt, separated by commas, such as "
	    "qemu+tls://outer1/system,qemu+tls://outer2/system. All are asked at the same time. "
	    "They must not ask for a password.",
    },
    {
	.name = "single_host",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = VRMS_PARAM_FIELD(struct libvirt_config, single_host, bool),
	.fallback = "false",
	.shortdesc = "All URIs lead to one host",
	.longdesc =
	    "Set it when the URIs are ways to one and the same host: then one answer is enough. "
	    "Without it every host has to answer before a node counts as off, unless the node was "
	    "found running and was destroyed by this agent: for what one host does not run, "
	    "another may.",
    },
};

static int64_t deadline_of(const struct vrms_fence_call *call)
{
	return call->deadline_ms > 0 ? call->deadline_ms
				     : vrms_clock_now_ms(call->clock) + ANSWER_TIMEOUT_MS;
}

static int run_off(const struct vrms_fence_call *call, const void *config_of_call,
		   struct vrms_error *error)
{
	const struct libvirt_config *config = config_of_call;
	struct vrms_outers outers VRMS_CLEANUP(vrms_outers_done);
	int rc = vrms_outers_init(&outers, config->uri, config->single_host, error);

	return rc < 0 ? rc
		      : vrms_outers_off(&outers, call->plug, call->clock, deadline_of(call), error);
}

static int run_on(const struct vrms_fence_call *call, const void *config_of_call,
		  struct vrms_error *error)
{
	const struct libvirt_config *config = config_of_call;
	struct vrms_outers outers VRMS_CLEANUP(vrms_outers_done);
	int rc = vrms_outers_init(&outers, config->uri, config->single_host, error);

	return rc < 0 ? rc
		      : vrms_outers_on(&outers, call->plug, call->clock, deadline_of(call), error);
}

static int run_status(const struct vrms_fence_call *call, const void *config_of_call,
		      struct vrms_error *error)
{
	const struct libvirt_config *config = config_of_call;
	struct vrms_outers outers VRMS_CLEANUP(vrms_outers_done);
	int rc = vrms_outers_init(&outers, config->uri, config->single_host, error);

	if (rc < 0) {
		return rc;
	}
	vrms_outers_ask(&outers, VRMS_OUTER_LOOK, call->plug, -1, call->clock, deadline_of(call));
	switch (vrms_outers_verdict(&outers)) {
	case VRMS_VERDICT_ON:
		return VRMS_FENCE_OK;
	case VRMS_VERDICT_OFF:
		return VRMS_FENCE_IS_OFF;
	case VRMS_VERDICT_ABSENT:
		return vrms_error_set(error, -ENODEV, "no domain \"%s\" at %s", call->plug,
				      config->uri);
	default:
		return vrms_outers_complain(&outers, call->plug, error);
	}
}

static int ask_for_lists(const struct vrms_fence_call *call, const struct libvirt_config *config,
			 struct vrms_outers *outers, struct vrms_error *error)
{
	size_t silent = 0;
	int rc = vrms_outers_init(outers, config->uri, config->single_host, error);

	if (rc < 0) {
		return rc;
	}
	vrms_outers_ask(outers, VRMS_OUTER_LIST, NULL, -1, call->clock, deadline_of(call));
	for (size_t i = 0; i < outers->count; i++) {
		if (outers->hosts[i].rc < 0) {
			*error = outers->hosts[i].error;
			silent++;
		}
	}
	return silent == outers->count ? -EIO : 0;
}

/* The device works as long as one host answers; the others' reasons are still said. */
static int run_monitor(const struct vrms_fence_call *call, const void *config,
		       struct vrms_error *error)
{
	struct vrms_outers outers VRMS_CLEANUP(vrms_outers_done) = {.count = 0};

	return ask_for_lists(call, config, &outers, error);
}

/* True when an earlier host has shown the domain: it is on where any says so. */
static bool was_listed(const struct vrms_outers *outers, size_t before, const char *uuid)
{
	for (size_t i = 0; i < before; i++) {
		if (outers->hosts[i].names != NULL &&
		    strstr(outers->hosts[i].names, uuid) != NULL) {
			return true;
		}
	}
	return false;
}

static bool is_on_anywhere(const struct vrms_outers *outers, const char *uuid)
{
	char part[64];

	(void)snprintf(part, sizeof(part), "%s on\n", uuid);
	for (size_t i = 0; i < outers->count; i++) {
		if (outers->hosts[i].names != NULL &&
		    strstr(outers->hosts[i].names, part) != NULL) {
			return true;
		}
	}
	return false;
}

/* "name,uuid" for list, "name,uuid,ON" for list-status. */
static void print_host(const struct vrms_outers *outers, size_t index, bool with_status)
{
	char name[256], uuid[40];
	const char *line = outers->hosts[index].names;

	for (; line != NULL && *line != '\0'; line = strchr(line, '\n') + 1) {
		const char *end = strchr(line, '\n');
		const char *status = memrchr(line, ' ', (size_t)(end - line));
		const char *middle = memrchr(line, ' ', (size_t)(status - line));

		(void)snprintf(name, sizeof(name), "%.*s", (int)(middle - line), line);
		(void)snprintf(uuid, sizeof(uuid), "%.*s", (int)(status - middle - 1), middle + 1);
		if (!was_listed(outers, index, uuid)) {
			printf("%s,%s%s\n", name, uuid,
			       !with_status                   ? ""
			       : is_on_anywhere(outers, uuid) ? ",ON"
							      : ",OFF");
		}
	}
}

static int run_list(const struct vrms_fence_call *call, const void *config,
		    struct vrms_error *error)
{
	struct vrms_outers outers VRMS_CLEANUP(vrms_outers_done) = {.count = 0};
	int rc = ask_for_lists(call, config, &outers, error);

	for (size_t i = 0; rc == 0 && i < outers.count; i++) {
		print_host(&outers, i, strcmp(call->action, "list-status") == 0);
	}
	return rc;
}

static const struct vrms_fence_action actions[] = {
    {.name = "on", .run = run_on, .needs_plug = true},
    {.name = "off", .run = run_off, .needs_plug = true},
    {.name = "status", .run = run_status, .needs_plug = true},
    {.name = "monitor", .run = run_monitor},
    {.name = "list", .run = run_list},
    {.name = "list-status", .run = run_list},
    {.name = "metadata"},
    {.name = "validate-all", .run = run_monitor},
};

static const struct vrms_fence_agent agent = {
    .name = "fence_vrms_libvirt",
    .version = PACKAGE_VERSION,
    .shortdesc = "Fence agent for cluster nodes that are guests of libvirt",
    .longdesc =
	"Switches the power of cluster nodes that are virtual machines themselves, by libvirt's "
	"own protocol: without a shell on the outer host and without reading the words of virsh. "
	"A plug is a domain's name or UUID.\n\n"
	"Off means that the domain has no process any more, by the word of the hosts after the "
	"deed; a paused or crashed domain is on. Memory that was saved of it (virsh managedsave, "
	"libvirt-guests) is removed by off and on: a node that was fenced has to boot. A host that "
	"does not answer may run the domain: "
	"then the node does not count as off. A domain that nobody knows is an error.\n\n"
	"A call into libvirt that hangs is given up at the deadline (power_timeout).",
    .vendor_url = "https://libvirt.org/",
    .params = params,
    .param_count = VRMS_COUNT_OF(params),
    .actions = actions,
    .action_count = VRMS_COUNT_OF(actions),
    .default_action = "reboot",
    .config_size = sizeof(struct libvirt_config),
    .man_examples = "Nodes that run on two outer hosts:\n"
		    ".Bd -literal -offset indent\n"
		    "crm configure primitive fencing stonith:fence_vrms_libvirt \\\n"
		    "        params uri=qemu+tls://outer1/system,qemu+tls://outer2/system \\\n"
		    "        op monitor interval=60s timeout=20s\n"
		    ".Ed\n",
    .man_see_also = ".Xr virsh 1 ,\n.Xr stonith_admin 8\n",
};

static void be_quiet(void *context, virErrorPtr error)
{
	(void)context;
	(void)error;
}

int main(int argc, char **argv)
{
	virSetErrorFunc(NULL, be_quiet); /* what matters is said once, by the table's runner */
	int code = vrms_fence_main(&agent, argc, argv);
	/* A thread may still hang in libvirt, holding its locks: no atexit functions. */
	(void)fflush(stdout);
	(void)fflush(stderr);
	_exit(code);
}
