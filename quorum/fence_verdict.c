/* fence_verdict.c - fence_vrms_verdict: a second opinion before the real fence device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <string.h>

#include "common/child.h"
#include "config.h"
#include "ocf/fence.h"
#include "quorum/judge.h"
#include "quorum/seen.h"
#include "quorum/topology.h"
#include "quorum/verdict_line.h"
#include "quorum/verdict_teller.h"
#include "quorum/witness.h"

/* It has switched nothing off. */
#define TO_BE_FENCED "To be fenced: by the device after this one"

#define AGENT "fence_vrms_verdict"

enum { LOOK_EVERY_MS = 50, NOBODY_MS = 3000, CIB_MS = 5000 };

struct verdict_config {
	const char *device;
	const char *cluster;
	const char *seen;
	const char *journal;
	int64_t grace_ms;
	int64_t silent_count;
	int64_t read_timeout_ms;
};

static const struct vrms_param params[] = {
    {
	.name = "device",
	.type = VRMS_PARAM_STRING,
	.offset = VRMS_PARAM_FIELD(struct verdict_config, device, const char *),
	.required = true,
	.unique = true,
	.option = 'd',
	.shortdesc = "Beat area",
	.longdesc = "The block device or file that `vrms san init` has made a beat area.",
    },
    {
	.name = "cluster",
	.type = VRMS_PARAM_STRING,
	.offset = VRMS_PARAM_FIELD(struct verdict_config, cluster, const char *),
	.option = 'C',
	.shortdesc = "Cluster name",
	.longdesc = "Refuse to read an area that was made for another cluster.",
    },
    {
	.name = "grace",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = VRMS_PARAM_FIELD(struct verdict_config, grace_ms, int64_t),
	.fallback = "2s",
	.minimum = 0,
	.maximum = 60000,
	.option = 'g',
	.shortdesc = "Longest delay of a fence",
	.longdesc = "A target whose beat is fresh has this long to return or to fall silent. "
		    "No fence is ever delayed longer.",
    },
    {
	.name = "silent_intervals",
	.type = VRMS_PARAM_INTEGER,
	.offset = VRMS_PARAM_FIELD(struct verdict_config, silent_count, int64_t),
	.fallback = "4",
	.minimum = 2,
	.maximum = 100,
	.option = 'k',
	.shortdesc = "Missed beats that mean silence",
	.longdesc = "The target is silent when its beat has not changed for this many of its own "
		    "beat intervals.",
    },
    {
	.name = "read_timeout",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = VRMS_PARAM_FIELD(struct verdict_config, read_timeout_ms, int64_t),
	.fallback = "500ms",
	.minimum = 50,
	.maximum = 60000,
	.advanced = true,
	.option = 'r',
	.shortdesc = "Longest wait for the storage",
	.longdesc = "A beat area that gives no answer for this long counts as unreadable: the "
		    "fence goes on.",
    },
    {
	.name = "seen",
	.type = VRMS_PARAM_STRING,
	.offset = VRMS_PARAM_FIELD(struct verdict_config, seen, const char *),
	.fallback = VRMS_SEEN_PATH,
	.advanced = true,
	.option = 'S',
	.shortdesc = "What vrmsd has seen",
	.longdesc = "The file in which this node's vrmsd keeps the age of every beat. Without it "
		    "silence takes silent_intervals to be seen.",
    },
    {
	.name = "journal_socket",
	.type = VRMS_PARAM_STRING,
	.offset = VRMS_PARAM_FIELD(struct verdict_config, journal, const char *),
	.fallback = VRMS_VERDICT_LINE_PATH,
	.advanced = true,
	.option = 'J',
	.shortdesc = "Who is told",
	.longdesc =
	    "The socket of this node's vrmsd, whose flight recorder keeps what was seen and "
	    "decided. Nobody waits for it.",
    },
};

static int start_witnesses(const struct verdict_config *config, const char *node,
			   struct vrms_witness **ret_witness, struct vrms_error *error)
{
	struct vrms_witness_config witness_config = {
	    .device = config->device,
	    .cluster = config->cluster,
	    .seen_path = config->seen,
	    .node = node,
	    .interval_ms = LOOK_EVERY_MS,
	};

	return vrms_witness_start(&witness_config, ret_witness, error);
}

static enum vrms_verdict_answer hear_and_decide(const struct verdict_config *config,
						struct vrms_witness *witness,
						struct vrms_verdict_teller *teller,
						const struct vrms_clock *clock,
						enum vrms_reason *ret_reason)
{
	const struct vrms_judge_observer observer = {.context = teller,
						     .look = vrms_verdict_teller_look};
	const struct vrms_judge_config judge_config = {
	    .observer = &observer,
	    .grace_ms = config->grace_ms,
	    .silent_count = config->silent_count,
	    .read_timeout_ms = config->read_timeout_ms,
	};
	const struct vrms_witnesses port = vrms_witness_port(witness);

	return vrms_judge_run(&judge_config, teller->begin_ms, &port, clock, ret_reason);
}

/* Does the topology put a fence beside this device, for the node?  Else it would pass for one.
 * Storage is not looked at: a fence would wait for it. */
static int check_level(const char *node, struct vrms_error *error)
{
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	const char *const argv[] = {"cibadmin", "--query",           "--local",
				    "--xpath",  VRMS_TOPOLOGY_XPATH, NULL};
	const struct vrms_child_spec spec = {.argv = argv, .timeout_ms = CIB_MS};
	int rc = vrms_child_run(&spec, &result, error);

	if (rc < 0) {
		return rc;
	}
	if (result.exit_code != 0) {
		return vrms_error_set(error, -EIO, "the CIB cannot be read: cibadmin ended with %d",
				      result.exit_code);
	}
	return vrms_topology_check(result.output, node, AGENT, error);
}

/* Pacemaker asks this before a fence, of every device that has no list of hosts: may it be used for
 * the node? */
static int may_be_asked(const struct vrms_fence_call *call, const void *config,
			struct vrms_error *error)
{
	(void)config;
	return check_level(call->plug, error);
}

/* Not in vain: an administrator's list of hosts keeps Pacemaker from asking for the status.  The
 * beats are listened to meanwhile, and what it takes is part of the grace. */
static int judge(const struct vrms_fence_call *call, const void *config_, struct vrms_error *error)
{
	const struct verdict_config *config = config_;
	struct vrms_witness *witness VRMS_CLEANUP(vrms_witness_freep) = NULL;
	struct vrms_verdict_teller teller;
	struct vrms_error trouble_starting;
	int64_t begin_ms = vrms_clock_now_ms(call->clock);
	enum vrms_reason reason = VRMS_REASON_NONE;

	int rc = start_witnesses(config, call->plug, &witness, &trouble_starting);
	int rc_level = check_level(call->plug, error);

	if (rc_level < 0) {
		return rc_level;
	}
	/* Not even a machine that cannot listen to the beats may keep a fence from going on. */
	if (rc < 0) {
		*error = trouble_starting;
		return VRMS_FENCE_OK;
	}
	vrms_verdict_teller_begin(&teller, config->journal, call->plug, call->action, begin_ms);
	enum vrms_verdict_answer answer =
	    hear_and_decide(config, witness, &teller, call->clock, &reason);
	const char *trouble = vrms_witness_trouble(witness);
	int64_t end_ms = vrms_clock_now_ms(call->clock);
	long long took_ms = (long long)(end_ms - begin_ms);

	vrms_verdict_teller_end(&teller, answer, reason, end_ms, trouble);
	vrms_error_set(error, 0, "%s: %s after %lld ms: %s%s%s", call->plug,
		       answer == VRMS_VERDICT_REFUSE ? "not to be fenced" : "to be fenced", took_ms,
		       vrms_reason_text(reason), trouble[0] == '\0' ? "" : ": ", trouble);
	return answer == VRMS_VERDICT_REFUSE ? VRMS_FENCE_FAILED : VRMS_FENCE_OK;
}

/* Power comes back by the real device; here there is nothing to do. */
static int succeed(const struct vrms_fence_call *call, const void *config, struct vrms_error *error)
{
	(void)call;
	(void)config;
	(void)error;
	return VRMS_FENCE_OK;
}

/* Listens until the area has given one answer, or its time is over. */
static enum vrms_verdict_beat first_answer(struct vrms_witness *witness, int64_t timeout_ms,
					   const struct vrms_clock *clock)
{
	struct vrms_witnesses port = vrms_witness_port(witness);
	struct vrms_testimony heard = {.beat = VRMS_BEAT_PENDING};
	int64_t end_ms = vrms_clock_now_ms(clock) + timeout_ms;
	int64_t left_ms;

	while (heard.beat == VRMS_BEAT_PENDING &&
	       (left_ms = end_ms - vrms_clock_now_ms(clock)) > 0) {
		port.listen(port.context, left_ms, &heard);
	}
	return heard.beat;
}

/* Warns, and succeeds.  Pacemaker stops a device whose monitor fails, and a start that fails bans
 * it; then the level of the topology that it is in cannot be carried out, and no node is fenced any
 * more.  A beat area that cannot be read must not do that. */
static int monitor(const struct vrms_fence_call *call, const void *config_,
		   struct vrms_error *error)
{
	const struct verdict_config *config = config_;
	struct vrms_witness *witness VRMS_CLEANUP(vrms_witness_freep) = NULL;
	int rc = start_witnesses(config, call->plug == NULL ? "" : call->plug, &witness, error);

	if (rc < 0) {
		return VRMS_FENCE_OK;
	}
	switch (first_answer(witness, NOBODY_MS, call->clock)) {
	case VRMS_BEAT_PENDING:
		vrms_error_set(error, 0, "%s: no answer within %d ms: of no use in a fence now",
			       config->device, NOBODY_MS);
		break;
	case VRMS_BEAT_UNREADABLE:
		vrms_error_set(error, 0, "%s: of no use in a fence now",
			       vrms_witness_trouble(witness));
		break;
	case VRMS_BEAT_READ:
	case VRMS_BEAT_ABSENT:
		break;
	}
	return VRMS_FENCE_OK;
}

static const struct vrms_fence_action actions[] = {
    {.name = "off", .run = judge, .needs_plug = true, .success = TO_BE_FENCED},
    {.name = "reboot", .run = judge, .needs_plug = true, .success = TO_BE_FENCED},
    {.name = "on", .run = succeed, .needs_plug = true, .success = "Nothing to switch on"},
    {.name = "status",
     .run = may_be_asked,
     .needs_plug = true,
     .success = "Status: not known to a second opinion, which may be asked"},
    {.name = "monitor", .run = monitor},
    {.name = "metadata"},
    {.name = "validate-all"},
};

static const struct vrms_fence_agent agent = {
    .name = AGENT,
    .version = PACKAGE_VERSION,
    .shortdesc = "Second opinion before a fence, from beats on shared storage",
    .longdesc =
	"Goes before the real fence device in the same level of the fencing topology. It "
	"succeeds at once when the target's beat on the shared storage is silent, when the "
	"storage cannot be read, and when the target is a member of the cluster (then its fence "
	"has another cause than silence): the real device fences.\n\n"
	"When the beat is fresh it waits, at most for the grace, until the target falls silent "
	"(success), or is a member of the cluster again (failure: there is nothing to fence). "
	"After the grace it succeeds. So it delays a fence by the grace at most, and never "
	"prevents one of a node that is out of the membership.\n\n"
	"Its monitor warns of a beat area that cannot be read, and succeeds: a failed monitor "
	"would "
	"take the device, and with it the level of the topology, out of service. See vrms "
	"status.\n\n"
	"Alone it would be taken for a fence of a node that runs on. So off and reboot fail for "
	"every node whose fencing levels do not name this device, or name it with no other device "
	"in the same level (in crmsh \"node1: verdict,power\" is one level, \"node1: verdict "
	"power\" are two). For that they look into the CIB of their own node, as part of the grace "
	"and for 5 seconds at most; when it cannot be read they fail, and Pacemaker goes on with "
	"the next level. Status fails likewise.\n\n"
	"Name the nodes in pcmk_host_list. Without it Pacemaker asks the device's status on every "
	"node, twice, before it fences. Do not set pcmk_host_map: beats and levels go by the names "
	"of nodes.\n\n"
	"Set pcmk_off_retries=1 and pcmk_reboot_retries=1 on this device. By default Pacemaker "
	"repeats an action that failed; the second time the target is a member from the start, and "
	"the real device would fence it after all: safe, but the refusal was in vain.\n\n"
	"Clone this device and the one behind it, so that every node holds both verified. In a "
	"level of two devices Pacemaker's fencer does not look again when the node that holds the "
	"second one answers after the first is through, and then the fence hangs until its "
	"time-out.\n\n"
	"It never says that a node is off: that is the word of the device behind it. What it saw "
	"and decided is told to this node's vrmsd, for vrms explain fence.",
    .vendor_url = "",
    .params = params,
    .param_count = VRMS_COUNT_OF(params),
    .actions = actions,
    .action_count = VRMS_COUNT_OF(actions),
    .default_action = "off",
    .config_size = sizeof(struct verdict_config),
    .man_examples = "Before the lab's power switch:\n"
		    ".Bd -literal -offset indent\n"
		    "crm configure primitive verdict stonith:fence_vrms_verdict \\e\n"
		    "    params device=/dev/mapper/vrms-beats \\e\n"
		    "    pcmk_host_list=\"node1 node2\" \\e\n"
		    "    pcmk_off_retries=1 pcmk_reboot_retries=1\n"
		    "crm configure clone verdicts verdict\n"
		    "crm configure clone powers power\n"
		    "crm configure fencing_topology node1: verdict,power node2: verdict,power\n"
		    ".Ed",
    .man_see_also = ".Xr vrms 8 , .Xr vrms_beat_area 5 , .Xr vrmsd 8",
};

int main(int argc, char **argv)
{
	return vrms_fence_main(&agent, argc, argv);
}
