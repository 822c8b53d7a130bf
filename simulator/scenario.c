/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/scenario.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/random.h"
#include "simulator/settings.h"

static const struct {
	const char *word, *subject, *text;
} faults[] = {
#define ROW(name, word, subject, text) {word, subject, text},
    VRMS_SIM_FAULTS(ROW)
#undef ROW
};

const char *vrms_sim_fault_word(enum vrms_sim_fault_kind kind)
{
	return faults[kind].word;
}

const char *vrms_sim_fault_text(enum vrms_sim_fault_kind kind)
{
	return faults[kind].text;
}

const char *vrms_sim_fault_subject(enum vrms_sim_fault_kind kind)
{
	return faults[kind].subject;
}

int vrms_sim_fault_by_word(const char *word)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(faults); i++) {
		if (strcmp(faults[i].word, word) == 0) {
			return (int)i;
		}
	}
	return -ENOENT;
}

int64_t vrms_sim_token_us(const struct vrms_sim_settings *settings, int node_count)
{
	/* Source: corosync.conf(5), token_coefficient. */
	int64_t beyond = node_count > 2 ? node_count - 2 : 0;

	return settings->token_us + beyond * settings->token_coefficient_us;
}

int64_t vrms_sim_consensus_us(const struct vrms_sim_settings *settings, int64_t token_us)
{
	return settings->consensus_us > 0 ? settings->consensus_us : token_us * 6 / 5;
}

void vrms_sim_scenario_init(struct vrms_sim_scenario *scenario)
{
	size_t count;
	const struct vrms_sim_setting *table = vrms_sim_settings_table(&count);

	memset(scenario, 0, sizeof(*scenario));
	vrms_sim_settings_default(table, count, &scenario->settings);
}

void vrms_sim_scenario_done(struct vrms_sim_scenario *scenario)
{
	free(scenario->load);
	free(scenario->load_first);
	free(scenario->node);
	free(scenario->vm);
	free(scenario->fault);
	free(scenario->group);
	free(scenario->preference);
	free(scenario->ruled);
	memset(scenario, 0, sizeof(*scenario));
}

/* Duplicates `count` items; NULL stays NULL. */
static int copy_array(void *ret_copy, const void *from, size_t count, size_t size)
{
	void *copy = NULL;

	if (from != NULL) {
		copy = reallocarray(NULL, count + 1, size);
		if (copy == NULL) {
			return -ENOMEM;
		}
		memcpy(copy, from, count * size);
	}
	memcpy(ret_copy, &copy, sizeof(copy));
	return 0;
}

int vrms_sim_scenario_copy(struct vrms_sim_scenario *to, const struct vrms_sim_scenario *from)
{
	size_t groups = (size_t)from->cut_count * (size_t)from->node_count;
	int rc;

	*to = *from;
	to->node = NULL;
	to->vm = NULL;
	to->fault = NULL;
	to->group = NULL;
	to->load = NULL;
	to->load_first = NULL;
	to->preference = NULL;
	to->ruled = NULL;
	rc = copy_array(&to->node, from->node, (size_t)from->node_count, sizeof(*to->node));
	rc = rc < 0 ? rc : copy_array(&to->vm, from->vm, (size_t)from->vm_count, sizeof(*to->vm));
	rc = rc < 0 ? rc
		    : copy_array(&to->fault, from->fault, from->fault_count, sizeof(*to->fault));
	to->fault_capacity = to->fault_count;
	rc = rc < 0 ? rc : copy_array(&to->group, from->group, groups, sizeof(*to->group));
	rc = rc < 0 ? rc : copy_array(&to->load, from->load, from->load_count, sizeof(*to->load));
	if (rc == 0 && from->load_first != NULL) {
		rc = copy_array(&to->load_first, from->load_first, (size_t)from->vm_count + 1,
				sizeof(*to->load_first));
	}
	to->load_capacity = to->load_count;
	rc = rc < 0 ? rc
		    : copy_array(&to->preference, from->preference, (size_t)from->preference_count,
				 sizeof(*to->preference));
	rc = rc < 0 ? rc
		    : copy_array(&to->ruled, from->ruled, (size_t)from->ruled_count,
				 sizeof(*to->ruled));
	if (rc < 0) {
		vrms_sim_scenario_done(to);
	}
	return rc;
}

int vrms_sim_scenario_node(const struct vrms_sim_scenario *scenario, const char *name)
{
	for (int i = 0; i < scenario->node_count; i++) {
		if (strcmp(scenario->node[i].name, name) == 0) {
			return i;
		}
	}
	return -ENOENT;
}

int vrms_sim_scenario_vm(const struct vrms_sim_scenario *scenario, const char *name)
{
	for (int i = 0; i < scenario->vm_count; i++) {
		if (strcmp(scenario->vm[i].name, name) == 0) {
			return i;
		}
	}
	return -ENOENT;
}

/* Grows an array that holds `count` items when its next item needs it (at powers of two). */
static int make_room(void *array_pointer, size_t count, size_t size)
{
	void *array;

	if (count != 0 && (count & (count - 1)) != 0) {
		return 0;
	}
	memcpy(&array, array_pointer, sizeof(array));
	array = reallocarray(array, count == 0 ? 1 : count * 2, size);
	if (array == NULL) {
		return -ENOMEM;
	}
	memcpy(array_pointer, &array, sizeof(array));
	return 0;
}

static int check_name(const char *name, struct vrms_error *error)
{
	if (name[0] == '\0') {
		return vrms_error_set(error, -EINVAL, "a name is empty");
	}
	if (strlen(name) >= VRMS_SIM_NAME_BYTES) {
		return vrms_error_set(error, -ENAMETOOLONG,
				      "the name \"%s\" is longer than %d characters", name,
				      VRMS_SIM_NAME_BYTES - 1);
	}
	return 0;
}

int vrms_sim_scenario_add_node(struct vrms_sim_scenario *scenario, const char *name,
			       struct vrms_error *error)
{
	int index = vrms_sim_scenario_node(scenario, name);
	int rc = check_name(name, error);
	size_t count;
	const struct vrms_sim_setting *table = vrms_sim_node_table(&count);

	if (index >= 0 || rc < 0) {
		return index >= 0 ? index : rc;
	}
	if (scenario->node_count == VRMS_SIM_NODES_MAX) {
		return vrms_error_set(error, -ENOSPC, "more than %d nodes", VRMS_SIM_NODES_MAX);
	}
	rc = make_room(&scenario->node, (size_t)scenario->node_count, sizeof(*scenario->node));
	if (rc < 0) {
		return vrms_error_set(error, rc, "out of memory for nodes");
	}
	struct vrms_sim_node_spec *node = &scenario->node[scenario->node_count];

	memset(node, 0, sizeof(*node));
	vrms_sim_settings_default(table, count, node);
	snprintf(node->name, sizeof(node->name), "%s", name);
	return scenario->node_count++;
}

static int append_vm(struct vrms_sim_scenario *scenario, const char *name)
{
	size_t count;
	const struct vrms_sim_setting *table = vrms_sim_vm_table(&count);
	int rc = make_room(&scenario->vm, (size_t)scenario->vm_count, sizeof(*scenario->vm));

	if (rc < 0) {
		return rc;
	}
	struct vrms_sim_vm_spec *vm = &scenario->vm[scenario->vm_count];

	memset(vm, 0, sizeof(*vm));
	vrms_sim_settings_default(table, count, vm);
	vm->host = -1;
	snprintf(vm->name, sizeof(vm->name), "%s", name);
	return scenario->vm_count++;
}

int vrms_sim_scenario_add_vm(struct vrms_sim_scenario *scenario, const char *name,
			     struct vrms_error *error)
{
	int index = vrms_sim_scenario_vm(scenario, name);
	int rc = check_name(name, error);

	if (index >= 0 || rc < 0) {
		return index >= 0 ? index : rc;
	}
	if (scenario->vm_count == VRMS_SIM_VMS_MAX) {
		return vrms_error_set(error, -ENOSPC, "more than %d VMs", VRMS_SIM_VMS_MAX);
	}
	rc = append_vm(scenario, name);
	return rc < 0 ? vrms_error_set(error, rc, "out of memory for VMs") : rc;
}

int vrms_sim_scenario_add_fault(struct vrms_sim_scenario *scenario,
				const struct vrms_sim_fault *fault)
{
	if (scenario->fault_count == scenario->fault_capacity) {
		size_t capacity = scenario->fault_capacity == 0 ? 64 : scenario->fault_capacity * 2;
		struct vrms_sim_fault *grown =
		    reallocarray(scenario->fault, capacity, sizeof(*grown));

		if (grown == NULL) {
			return -ENOMEM;
		}
		scenario->fault = grown;
		scenario->fault_capacity = capacity;
	}
	scenario->fault[scenario->fault_count++] = *fault;
	return 0;
}

int vrms_sim_scenario_add_cut(struct vrms_sim_scenario *scenario)
{
	size_t width = (size_t)scenario->node_count;
	size_t rows = (size_t)scenario->cut_count;
	int16_t *grown = reallocarray(scenario->group, (rows + 1) * width + 1, sizeof(*grown));

	if (grown == NULL) {
		return -ENOMEM;
	}
	memset(&grown[rows * width], 0, width * sizeof(*grown));
	scenario->group = grown;
	return scenario->cut_count++;
}

static int add_nodes(struct vrms_sim_scenario *scenario, struct vrms_error *error)
{
	/* Names are only made up where none are given, so that a trace may name a few of many. */
	for (int i = 1; scenario->node_count < scenario->settings.nodes; i++) {
		char name[VRMS_SIM_NAME_BYTES];

		snprintf(name, sizeof(name), "node%d", i);
		int rc = vrms_sim_scenario_add_node(scenario, name, error);

		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

static int add_vms(struct vrms_sim_scenario *scenario)
{
	if (scenario->vm_count > 0) {
		return 0;
	}
	for (int64_t i = 1; i <= scenario->settings.vms; i++) {
		char name[VRMS_SIM_NAME_BYTES];

		snprintf(name, sizeof(name), "vm%lld", (long long)i);
		int rc = append_vm(scenario, name);

		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

static void fill_in(struct vrms_sim_scenario *scenario)
{
	const struct vrms_sim_settings *settings = &scenario->settings;
	struct vrms_random random;

	vrms_random_init(&random, (uint64_t)settings->seed ^ UINT64_C(0x5a17));
	for (int i = 0; i < scenario->node_count; i++) {
		struct vrms_sim_node_spec *node = &scenario->node[i];

		node->memory = node->memory > 0 ? node->memory : settings->memory;
		node->cores = node->cores > 0 ? node->cores : settings->cores;
		node->rack = node->rack >= 0 ? node->rack : i % settings->racks;
	}
	for (int i = 0; i < scenario->vm_count; i++) {
		struct vrms_sim_vm_spec *vm = &scenario->vm[i];

		if (vm->memory == 0) {
			double low = (double)settings->vm_memory;
			double high = fmax(low, (double)settings->vm_memory_max);

			vm->memory = (int64_t)(low * pow(high / low, vrms_random_unit(&random)));
		}
		vm->cores = vm->cores > 0 ? vm->cores : settings->vm_cores;
		vm->dirty = vm->dirty > 0 ? vm->dirty : settings->vm_dirty;
	}
}

static int compare_faults(const void *left, const void *right)
{
	const struct vrms_sim_fault *a = left, *b = right;

	return (a->at_us > b->at_us) - (a->at_us < b->at_us);
}

/* Merge sort: equal times keep the order of the file, on every machine. */
static int sort_faults(struct vrms_sim_scenario *scenario)
{
	size_t count = scenario->fault_count;
	struct vrms_sim_fault *from = scenario->fault;
	struct vrms_sim_fault *to = reallocarray(NULL, count + 1, sizeof(*to));

	if (to == NULL) {
		return -ENOMEM;
	}
	for (size_t width = 1; width < count; width *= 2) {
		for (size_t start = 0; start < count; start += 2 * width) {
			size_t middle = start + width < count ? start + width : count;
			size_t end = start + 2 * width < count ? start + 2 * width : count;
			size_t left = start, right = middle;

			for (size_t out = start; out < end; out++) {
				bool take_left = left < middle &&
						 (right == end ||
						  compare_faults(&from[left], &from[right]) <= 0);

				to[out] = take_left ? from[left++] : from[right++];
			}
		}
		struct vrms_sim_fault *swap = from;
		from = to;
		to = swap;
	}
	scenario->fault = from;
	scenario->fault_capacity = count;
	free(to);
	return 0;
}

int vrms_sim_scenario_populate(struct vrms_sim_scenario *scenario, struct vrms_error *error)
{
	int rc = add_nodes(scenario, error);

	if (rc == 0 && add_vms(scenario) < 0) {
		rc = vrms_error_set(error, -ENOMEM, "out of memory for VMs");
	}
	return rc;
}

int vrms_sim_scenario_add_load(struct vrms_sim_scenario *scenario,
			       const struct vrms_sim_load_point *point)
{
	if (scenario->load_count == scenario->load_capacity) {
		size_t capacity = scenario->load_capacity == 0 ? 1024 : 2 * scenario->load_capacity;
		struct vrms_sim_load_point *grown =
		    reallocarray(scenario->load, capacity, sizeof(*grown));

		if (grown == NULL) {
			return -ENOMEM;
		}
		scenario->load = grown;
		scenario->load_capacity = capacity;
	}
	scenario->load[scenario->load_count++] = *point;
	return 0;
}

static int compare_points(const void *left, const void *right)
{
	const struct vrms_sim_load_point *a = left, *b = right;

	return a->vm != b->vm ? (a->vm > b->vm) - (a->vm < b->vm)
			      : (a->from_us > b->from_us) - (a->from_us < b->from_us);
}

/* Puts the points in order, and remembers where each VM's begin. */
static int index_load(struct vrms_sim_scenario *scenario)
{
	size_t at = 0;

	if (scenario->load_count == 0) {
		return 0;
	}
	free(scenario->load_first);
	scenario->load_first =
	    calloc((size_t)scenario->vm_count + 1, sizeof(*scenario->load_first));
	if (scenario->load_first == NULL) {
		return -ENOMEM;
	}
	qsort(scenario->load, scenario->load_count, sizeof(*scenario->load), compare_points);
	for (int vm = 0; vm <= scenario->vm_count; vm++) {
		scenario->load_first[vm] = (int64_t)at;
		while (at < scenario->load_count && scenario->load[at].vm == vm) {
			int64_t from_us = scenario->load[at].from_us;

			scenario->load_end_us =
			    from_us > scenario->load_end_us ? from_us : scenario->load_end_us;
			at++;
		}
	}
	return 0;
}

/* Fitted by maximum likelihood to the failure data of Los Alamos National Laboratory,
 * LA-UR-05-7318: Weibull to the times from one outage of a node to its next one (2538 of system 16,
 * 2061 of system 20), lognormal to the lengths of the outages.  Rates: nodes times days over
 * outages. These families are what Schroeder and Gibson found for the same data ("A large-scale
 * study of failures in high-performance computing systems", DSN 2006).
 */
static void apply_preset(struct vrms_sim_settings *settings)
{
	static const int64_t minute_us = 60000000, hour_us = 3600000000;
	bool is_16 = settings->preset == VRMS_SIM_LANL16;

	if (settings->preset == VRMS_SIM_PRESET_NONE) {
		return;
	}
	if (settings->model == VRMS_SIM_MODEL_NONE) {
		settings->model = VRMS_SIM_WEIBULL;
		settings->shape = is_16 ? 0.655 : 0.488;
		settings->repair_us = (is_16 ? 50 : 77) * minute_us;
		settings->repair_sigma = is_16 ? 1.44 : 1.12;
	}
	if (settings->mtbf_us == 0) {
		/* 16 nodes, 2059 days, 2554 outages; 512 nodes, 1359 days, 2461 outages. */
		settings->mtbf_us = is_16 ? 310 * hour_us : 6786 * hour_us;
	}
}

int vrms_sim_scenario_complete(struct vrms_sim_scenario *scenario, struct vrms_error *error)
{
	const struct vrms_sim_settings *settings = &scenario->settings;
	int rc = vrms_sim_scenario_populate(scenario, error);

	apply_preset(&scenario->settings);
	if (rc == 0 && index_load(scenario) < 0) {
		rc = vrms_error_set(error, -ENOMEM, "out of memory for load");
	}
	if (rc == 0 && sort_faults(scenario) < 0) {
		rc = vrms_error_set(error, -ENOMEM, "out of memory for faults");
	}
	if (rc < 0) {
		return rc;
	}
	if (settings->two_node && scenario->node_count != 2) {
		return vrms_error_set(error, -EINVAL, "two_node with %d nodes",
				      scenario->node_count);
	}
	if (settings->model != VRMS_SIM_MODEL_NONE && settings->mtbf_us == 0) {
		return vrms_error_set(error, -EINVAL, "generate.model without generate.mtbf");
	}
	if (settings->vrmsd && settings->tuner && scenario->node_count > VRMS_SIM_TUNER_NODES) {
		return vrms_error_set(error, -EINVAL, "vrmsd.tuner with %d nodes: it knows %d",
				      scenario->node_count, VRMS_SIM_TUNER_NODES);
	}
	vrms_sim_scenario_default_device(scenario);
	fill_in(scenario);
	return 0;
}
