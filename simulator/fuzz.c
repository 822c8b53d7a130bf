/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/random.h"
#include "simulator/settings.h"

#define SECOND_US INT64_C(1000000)

static int64_t between(struct vrms_random *random, int64_t low, int64_t high)
{
	return low + (int64_t)vrms_random_below(random, (uint64_t)(high - low + 1));
}

static bool coin(struct vrms_random *random, int pct)
{
	return between(random, 0, 99) < pct;
}

static int64_t choose(struct vrms_random *random, const int64_t *values, int count)
{
	return values[between(random, 0, count - 1)];
}

static void make_cluster(struct vrms_random *random, struct vrms_sim_settings *settings)
{
	static const int64_t tokens[] = {200000, 500000, 1000000, 3000000};

	settings->nodes = between(random, 2, 7);
	settings->links = between(random, 1, 2);
	settings->token_us = choose(random, tokens, VRMS_COUNT_OF(tokens));
	settings->token_coefficient_us = 0;
	settings->jitter_us = between(random, 0, 500);
	settings->loss_pct = coin(random, 20) ? 3 : 0;
	settings->two_node = settings->nodes == 2;
	settings->auto_tie_breaker = settings->nodes == 4 && coin(random, 50);
	settings->last_man_standing = settings->nodes > 3 && coin(random, 20);
	settings->wait_for_all = coin(random, 20);
	settings->qdevice = settings->nodes > 2 && coin(random, 20) ? VRMS_SIM_QDEVICE_FFSPLIT
								    : VRMS_SIM_QDEVICE_NONE;
	settings->no_quorum = coin(random, 80) ? VRMS_SIM_STOP : VRMS_SIM_SUICIDE;
}

static void make_guests(struct vrms_random *random, struct vrms_sim_settings *settings)
{
	settings->vms = between(random, 1, 4 * settings->nodes);
	settings->vm_memory = INT64_C(4) << 30;
	settings->vm_memory_max = INT64_C(16) << 30;
	settings->memory = INT64_C(64) << 30;
	settings->cores = between(random, 2, 16);
	settings->boot_us = between(random, 10, 60) * SECOND_US;
	settings->vm_boot_us = SECOND_US;
	settings->vm_stop_us = between(random, 1, 20) * SECOND_US;
	settings->start_failure_pct = coin(random, 30) ? 10 : 0;
	settings->stop_failure_pct = coin(random, 30) ? 10 : 0;
	settings->failure_timeout_us = coin(random, 50) ? 60 * SECOND_US : 0;
	settings->batch_limit = coin(random, 30) ? 3 : 0;
	settings->migration_limit = coin(random, 30) ? 1 : 0;
	settings->rebalance = coin(random, 50);
	settings->vrmsd = coin(random, 70);
	settings->policy = coin(random, 50) ? VRMS_SIM_PLAN : VRMS_SIM_BALANCED;
	settings->beat_interval_us = between(random, 100, 250) * 1000;
	settings->silent_count = between(random, 3, 20);
	settings->grace_us = between(random, 0, 5) * SECOND_US;
	settings->tuner = settings->vrmsd && coin(random, 6);
}

static void make_devices(struct vrms_random *random, struct vrms_sim_scenario *scenario)
{
	int count = (int)between(random, 1, 3);
	size_t rows;
	const struct vrms_sim_setting *table = vrms_sim_device_table(&rows);

	for (int i = 0; i < count; i++) {
		struct vrms_sim_device *device = &scenario->device[scenario->device_count++];

		vrms_sim_settings_default(table, rows, device);
		device->name[0] = (char)('a' + i);
		/* The last level is one that works in the end, so that every VM can run again. */
		device->kind = i == count - 1 ? VRMS_SIM_DEVICE_PDU
					      : (int)between(random, VRMS_SIM_DEVICE_IPMI,
							     VRMS_SIM_DEVICE_SBD);
		device->level = i + 1;
		device->time_us = between(random, 1, 5000) * 1000;
		device->timeout_us = between(random, 5, 30) * SECOND_US;
		device->failure_pct = coin(random, 30) ? 30 : 0;
		/* Two survivors of a split must not shoot each other at the same moment. */
		device->delay_random_us = scenario->settings.two_node ? 10 * SECOND_US : 0;
	}
}

/* Names of `count` VMs, or nodes, from a random one on. */
static void name_some(struct vrms_random *random, const struct vrms_sim_scenario *scenario,
		      int count, bool nodes, char text[VRMS_SIM_RULE_BYTES])
{
	int all = nodes ? scenario->node_count : scenario->vm_count;
	int step = (int)between(random, 1, 3), at = (int)between(random, 0, all - 1);
	size_t length = 0;

	for (int i = 0; i < count && i < all; i++, at += step) {
		const char *name =
		    nodes ? scenario->node[at % all].name : scenario->vm[at % all].name;

		length += (size_t)snprintf(text + length, VRMS_SIM_RULE_BYTES - length,
					   nodes ? "%s:%d " : "%s ", name, i % 3);
	}
}

/* Of a stream of its own: what a seed makes without rules is the same. */
static int make_rules(uint64_t seed, struct vrms_sim_scenario *scenario, struct vrms_error *error)
{
	struct vrms_random random;
	int rc = 0, rules;

	vrms_random_init(&random, seed ^ UINT64_C(0xaff1417));
	rules = coin(&random, 50) ? (int)between(&random, 1, 4) : 0;
	for (int i = 0; i < rules && rc == 0; i++) {
		struct vrms_sim_rule_spec rule = {.of_nodes = coin(&random, 30)};

		rule.strict = rule.of_nodes && coin(&random, 50);
		rule.negative = coin(&random, rule.of_nodes ? 30 : 60);
		name_some(&random, scenario, (int)between(&random, 2, 4), false, rule.vms);
		name_some(&random, scenario, (int)between(&random, 1, 3), true, rule.nodes);
		rc = vrms_sim_scenario_add_rule(scenario, &rule, error);
		/* A VM has one rule of nodes: the first. */
		if (rc == -EEXIST) {
			vrms_error_clear(error);
			rc = 0;
		}
	}
	return rc;
}

static int add_cut(struct vrms_random *random, struct vrms_sim_scenario *scenario,
		   struct vrms_sim_fault *fault)
{
	int row = vrms_sim_scenario_add_cut(scenario);

	if (row < 0) {
		return row;
	}
	for (int i = 0; i < scenario->node_count; i++) {
		scenario->group[row * scenario->node_count + i] = (int16_t)between(random, 0, 1);
	}
	fault->first = row;
	return 0;
}

/* Of everything that can happen; what stays broken is repaired before the end. */
static int add_fault(struct vrms_random *random, struct vrms_sim_scenario *scenario, int64_t at_us)
{
	static const enum vrms_sim_fault_kind kinds[] = {
	    VRMS_SIM_FAULT_CRASH,      VRMS_SIM_FAULT_CRASH,         VRMS_SIM_FAULT_DOWN,
	    VRMS_SIM_FAULT_UP,         VRMS_SIM_FAULT_POWER,         VRMS_SIM_FAULT_SHUTDOWN,
	    VRMS_SIM_FAULT_RESTART,    VRMS_SIM_FAULT_FREEZE,        VRMS_SIM_FAULT_FREEZE,
	    VRMS_SIM_FAULT_FREEZE,     VRMS_SIM_FAULT_FREEZE,        VRMS_SIM_FAULT_OVERLOAD,
	    VRMS_SIM_FAULT_SLOW_DEATH, VRMS_SIM_FAULT_KILL_COROSYNC, VRMS_SIM_FAULT_CUT,
	    VRMS_SIM_FAULT_CUT,        VRMS_SIM_FAULT_ONEWAY,        VRMS_SIM_FAULT_ISOLATE,
	    VRMS_SIM_FAULT_HEAL,       VRMS_SIM_FAULT_HEAL,          VRMS_SIM_FAULT_PATHS_LOST,
	    VRMS_SIM_FAULT_PATHS_BACK, VRMS_SIM_FAULT_ARRAY_DOWN,    VRMS_SIM_FAULT_ARRAY_UP,
	    VRMS_SIM_FAULT_STANDBY,    VRMS_SIM_FAULT_ONLINE,        VRMS_SIM_FAULT_VM_CRASH,
	    VRMS_SIM_FAULT_VM_PAUSE,   VRMS_SIM_FAULT_VM_MIGRATE,    VRMS_SIM_FAULT_VM_MIGRATE,
	    VRMS_SIM_FAULT_VM_STOP,    VRMS_SIM_FAULT_VM_START,      VRMS_SIM_FAULT_BMC_DOWN,
	};
	struct vrms_sim_fault fault = {.at_us = at_us, .link = -1};
	int rc = 0;

	fault.kind = (uint16_t)kinds[between(random, 0, VRMS_COUNT_OF(kinds) - 1)];
	const char *subject = vrms_sim_fault_subject((enum vrms_sim_fault_kind)fault.kind);

	fault.first =
	    (int32_t)between(random, 0,
			     (subject[0] == 'v' ? scenario->vm_count : scenario->node_count) - 1);
	fault.second = (int32_t)between(random, 0, scenario->node_count - 1);
	if (fault.kind == VRMS_SIM_FAULT_FREEZE || fault.kind == VRMS_SIM_FAULT_OVERLOAD ||
	    fault.kind == VRMS_SIM_FAULT_SLOW_DEATH) {
		fault.for_us = between(random, 1, coin(random, 50) ? 60000 : 4000) * 1000;
	}
	if (fault.kind == VRMS_SIM_FAULT_CUT) {
		rc = add_cut(random, scenario, &fault);
	}
	if (subject[0] == 'g' || fault.kind == VRMS_SIM_FAULT_ISOLATE) {
		fault.link = coin(random, 30) ? 0 : -1;
	}
	return rc < 0 ? rc : vrms_sim_scenario_add_fault(scenario, &fault);
}

/* Somebody changes his mind while a VM moves.  Of a stream of its own, as the rules are. */
static int add_stops(uint64_t seed, struct vrms_sim_scenario *scenario)
{
	struct vrms_random random;
	size_t count = scenario->fault_count;
	int rc = 0;

	vrms_random_init(&random, seed ^ UINT64_C(0x5709));
	for (size_t i = 0; i < count && rc == 0; i++) {
		struct vrms_sim_fault stop = scenario->fault[i];

		if (stop.kind == VRMS_SIM_FAULT_VM_MIGRATE && coin(&random, 30)) {
			stop.kind = VRMS_SIM_FAULT_VM_STOP;
			stop.at_us += between(&random, 0, 10000) * 1000;
			rc = vrms_sim_scenario_add_fault(scenario, &stop);
		}
	}
	return rc;
}

/* In the end everything is repaired, and the cluster has half an hour to put itself in order. */
static int repair_all(struct vrms_sim_scenario *scenario, int64_t at_us)
{
	struct vrms_sim_fault fault = {.at_us = at_us, .link = -1, .kind = VRMS_SIM_FAULT_HEAL};
	int rc = vrms_sim_scenario_add_fault(scenario, &fault);

	fault.kind = VRMS_SIM_FAULT_ARRAY_UP;
	rc = rc < 0 ? rc : vrms_sim_scenario_add_fault(scenario, &fault);
	for (int i = 0; i < scenario->node_count && rc == 0; i++) {
		static const enum vrms_sim_fault_kind kinds[] = {VRMS_SIM_FAULT_THAW,
								 VRMS_SIM_FAULT_PATHS_BACK,
								 VRMS_SIM_FAULT_ONLINE,
								 VRMS_SIM_FAULT_BMC_UP,
								 VRMS_SIM_FAULT_UP};

		fault.first = i;
		for (size_t k = 0; k < VRMS_COUNT_OF(kinds) && rc == 0; k++) {
			fault.kind = (uint16_t)kinds[k];
			fault.at_us = at_us + (int64_t)k * 60 * SECOND_US;
			rc = vrms_sim_scenario_add_fault(scenario, &fault);
		}
	}
	return rc;
}

int vrms_sim_fuzz_make(uint64_t seed, struct vrms_sim_scenario *scenario, struct vrms_error *error)
{
	struct vrms_random random;
	int64_t at_us = 10 * SECOND_US;
	int rc, faults;

	vrms_random_init(&random, seed);
	vrms_sim_scenario_init(scenario);
	scenario->settings.seed = (int64_t)(seed & INT64_MAX);
	make_cluster(&random, &scenario->settings);
	make_guests(&random, &scenario->settings);
	make_devices(&random, scenario);
	rc = vrms_sim_scenario_populate(scenario, error);
	rc = rc < 0 ? rc : make_rules(seed, scenario, error);
	faults = (int)between(&random, 1, 12);
	for (int i = 0; i < faults && rc == 0; i++) {
		/* Some follow at once, some when all is calm again. */
		at_us += between(&random, 0, coin(&random, 60) ? 5000 : 300000) * 1000;
		rc = add_fault(&random, scenario, at_us);
	}
	rc = rc < 0 ? rc : add_stops(seed, scenario);
	rc = rc < 0 ? rc : repair_all(scenario, at_us + 300 * SECOND_US);
	scenario->settings.duration_us = at_us + 2400 * SECOND_US;
	rc = rc < 0 ? rc : vrms_sim_scenario_complete(scenario, error);
	if (rc < 0) {
		vrms_sim_scenario_done(scenario);
		return vrms_error_set(error, rc, "out of memory for a random scenario");
	}
	return 0;
}

int vrms_sim_fuzz_try(const struct vrms_sim_scenario *scenario, int plant,
		      struct vrms_sim_broken *ret_broken, struct vrms_error *error)
{
	struct vrms_sim_options options = {.plant = plant};
	struct vrms_sim_result result;
	int rc = vrms_sim_run(scenario, &options, &result, error);

	if (rc < 0) {
		return rc;
	}
	rc = VRMS_SIM_FUZZ_NONE;
	if (result.record.broken_count > 0) {
		*ret_broken = result.record.broken[0];
		rc = result.record.broken[0].rule;
	}
	vrms_sim_result_done(&result);
	return rc;
}

/* Does the smaller scenario still break the rule?  Then it is that from now on; else it is given
 * up.
 */
static bool settle_for(struct vrms_sim_scenario *scenario, struct vrms_sim_scenario *smaller,
		       int plant, int rule)
{
	struct vrms_sim_broken broken;
	struct vrms_error error;

	if (vrms_sim_fuzz_try(smaller, plant, &broken, &error) != rule) {
		vrms_sim_scenario_done(smaller);
		return false;
	}
	vrms_sim_scenario_done(scenario);
	*scenario = *smaller;
	return true;
}

/* Without faults [from, to). */
static bool drop_faults(struct vrms_sim_scenario *scenario, size_t from, size_t to, int plant,
			int rule)
{
	struct vrms_sim_scenario smaller;

	if (vrms_sim_scenario_copy(&smaller, scenario) < 0) {
		return false;
	}
	memmove(&smaller.fault[from], &smaller.fault[to],
		(smaller.fault_count - to) * sizeof(smaller.fault[0]));
	smaller.fault_count -= to - from;
	return settle_for(scenario, &smaller, plant, rule);
}

/* Without what rules say of the VM. */
static bool drop_rules(struct vrms_sim_scenario *scenario, int vm, int plant, int rule)
{
	struct vrms_sim_scenario smaller;

	if (vrms_sim_scenario_copy(&smaller, scenario) < 0) {
		return false;
	}
	vrms_sim_scenario_drop_rules(&smaller, vm);
	return settle_for(scenario, &smaller, plant, rule);
}

static bool is_used(const struct vrms_sim_scenario *scenario, int vm)
{
	for (size_t i = 0; i < scenario->fault_count; i++) {
		const struct vrms_sim_fault *fault = &scenario->fault[i];

		if (vrms_sim_fault_subject((enum vrms_sim_fault_kind)fault->kind)[0] == 'v' &&
		    fault->first >= vm) {
			return true;
		}
	}
	return false;
}

static bool drop_last_vm(struct vrms_sim_scenario *scenario, int plant, int rule)
{
	struct vrms_sim_scenario smaller;

	if (scenario->vm_count < 2 || is_used(scenario, scenario->vm_count - 1) ||
	    vrms_sim_scenario_copy(&smaller, scenario) < 0) {
		return false;
	}
	vrms_sim_scenario_drop_rules(&smaller, --smaller.vm_count);
	return settle_for(scenario, &smaller, plant, rule);
}

int vrms_sim_fuzz_shrink(struct vrms_sim_scenario *scenario, int plant, int rule,
			 struct vrms_error *error)
{
	struct vrms_sim_broken broken;

	/* Large pieces first, then single ones, until nothing more can go. */
	for (size_t size = scenario->fault_count / 2; size > 0; size = size == 1 ? 0 : size / 2) {
		for (size_t from = 0; from + size <= scenario->fault_count;) {
			if (!drop_faults(scenario, from, from + size, plant, rule)) {
				from += size;
			}
		}
	}
	for (int i = scenario->ruled_count - 1; i >= 0; i--) {
		(void)drop_rules(scenario, scenario->ruled[i], plant, rule);
	}
	while (drop_last_vm(scenario, plant, rule)) {
	}
	return vrms_sim_fuzz_try(scenario, plant, &broken, error) == rule
		   ? 0
		   : vrms_error_set(error, -EIO, "the smaller scenario breaks no rule");
}
