/* fence_vrms_lab: the fence agent of the lab's nodes.  It asks the power switch.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "lab/power_client.h"
#include "ocf/fence.h"

enum { ANSWER_TIMEOUT_MS = 60000 }; /* when Pacemaker sets no other */

struct lab_config {
	const char *socket;
};

static const struct vrms_param params[] = {
    {
	.name = "socket",
	.type = VRMS_PARAM_STRING,
	.offset = VRMS_PARAM_FIELD(struct lab_config, socket, const char *),
	.fallback = "/srv/" VRMS_LAB_POWER_SOCKET,
	.shortdesc = "Socket of the lab's power switch",
	.longdesc = "Path of the socket at which the power switch of the lab listens; the "
		    "default is right in every node.",
    },
};

static int ask(const struct vrms_fence_call *call, const struct lab_config *config,
	       const char *verb, const char *node, char answer[VRMS_LAB_ANSWER_SIZE],
	       struct vrms_error *error)
{
	int64_t timeout_ms = ANSWER_TIMEOUT_MS;

	if (call->deadline_ms > 0) {
		timeout_ms = call->deadline_ms - vrms_clock_now_ms(call->clock);
	}
	return vrms_lab_power_ask(config->socket, verb, node, timeout_ms, answer, error);
}

/* on, off and reboot are the switch's own words. */
static int run_verb(const struct vrms_fence_call *call, const void *config,
		    struct vrms_error *error)
{
	char answer[VRMS_LAB_ANSWER_SIZE];

	return ask(call, config, call->action, call->plug, answer, error);
}

static int run_status(const struct vrms_fence_call *call, const void *config,
		      struct vrms_error *error)
{
	char answer[VRMS_LAB_ANSWER_SIZE];
	int rc = ask(call, config, "status", call->plug, answer, error);

	if (rc < 0) {
		return rc;
	}
	if (strcmp(answer, "on") == 0) {
		return VRMS_FENCE_OK;
	}
	/* Anything but the one word is no proof that the node is off. */
	return strcmp(answer, "off") == 0
		   ? VRMS_FENCE_IS_OFF
		   : vrms_error_set(error, -EPROTO, "%s: the power switch says \"%.32s\"",
				    call->plug, answer);
}

static int run_monitor(const struct vrms_fence_call *call, const void *config,
		       struct vrms_error *error)
{
	char answer[VRMS_LAB_ANSWER_SIZE];

	return ask(call, config, "ping", NULL, answer, error);
}

/* "node1," for list, "node1,,ON" for list-status: plug, alias, status, as fence-agents print
 * them (source: fencing.py). */
static int run_list(const struct vrms_fence_call *call, const void *config,
		    struct vrms_error *error)
{
	char answer[VRMS_LAB_ANSWER_SIZE];
	char *rest = NULL;
	bool with_status = strcmp(call->action, "list-status") == 0;
	int rc = ask(call, config, "list", NULL, answer, error);

	if (rc < 0) {
		return rc;
	}
	for (char *line = strtok_r(answer, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *state = strchr(line, ' ');
		if (state == NULL) {
			return vrms_error_set(error, -EPROTO, "the power switch lists \"%.64s\"",
					      line);
		}
		*state++ = '\0';
		const char *word = strcmp(state, "on") == 0 ? "ON" : "OFF";
		printf("%s,%s%s\n", line, with_status ? "," : "", with_status ? word : "");
	}
	return VRMS_FENCE_OK;
}

static const struct vrms_fence_action actions[] = {
    {.name = "on", .run = run_verb, .needs_plug = true},
    {.name = "off", .run = run_verb, .needs_plug = true},
    {.name = "reboot", .run = run_verb, .needs_plug = true},
    {.name = "status", .run = run_status, .needs_plug = true},
    {.name = "monitor", .run = run_monitor},
    {.name = "list", .run = run_list},
    {.name = "list-status", .run = run_list},
    {.name = "metadata"},
    {.name = "validate-all"},
};

static const struct vrms_fence_agent agent = {
    .name = "fence_vrms_lab",
    .version = PACKAGE_VERSION,
    .shortdesc = "Fence agent for the nodes of a vrms-lab",
    .longdesc =
	"Works the power switch of a lab made by vrms-lab(8). The switch lives outside the "
	"nodes. It answers \"off\" only when both network links of the node are cut and every "
	"process of the node is dead, and it obeys only for the nodes of its own lab.\n\n"
	"A reboot is answered after its first half; the node starts again after the boot delay "
	"of the lab, so that it is not back before all others know that it was fenced.",
    .vendor_url = "https://clusterlabs.org/",
    .params = params,
    .param_count = VRMS_COUNT_OF(params),
    .actions = actions,
    .action_count = VRMS_COUNT_OF(actions),
    .default_action = "reboot",
    .config_size = sizeof(struct lab_config),
    .man_examples = "One device fences every node of a lab:\n"
		    ".Bd -literal -offset indent\n"
		    "crm configure primitive fencing stonith:fence_vrms_lab \\\n"
		    "        op monitor interval=60s timeout=20s\n"
		    ".Ed\n",
    .man_see_also = ".Xr stonith_admin 8 ,\n.Xr vrms-lab 8\n",
};

int main(int argc, char **argv)
{
	return vrms_fence_main(&agent, argc, argv);
}
