/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From VMs and rules to units: the dense form that the solvers work on. */
#include <errno.h>
#include <string.h>

#include "placement/classes.h"

/* What a live migration costs beyond the memory itself: seconds of dirtying at a usual rate. */
enum { DIRTY_SECONDS = 10 };

static bool counts_members(const struct vrms_rule *rule)
{
	return rule->kind == VRMS_RULE_APART || rule->kind == VRMS_RULE_SPREAD ||
	       (rule->kind == VRMS_RULE_TOGETHER && rule->soft);
}

static bool allocate(struct vrms_model *model, int words)
{
	size_t vms = (size_t)model->vm_count + 1, members = (size_t)model->member_count + 1;
	size_t likes = 1, cells = (size_t)(model->node_count + 1) * VRMS_DIM_MAX;

	for (int r = 0; r < model->rule_count; r++) {
		if (model->rule[r].kind == VRMS_RULE_PREFER) {
			likes += (size_t)model->rule[r].vm_count * model->rule[r].node_count;
		}
	}
	model->set_words = words;
	model->unit = calloc(vms, sizeof(*model->unit));
	model->unit_vm = calloc(vms, sizeof(*model->unit_vm));
	model->unit_demand = calloc(vms * VRMS_DIM_MAX, sizeof(*model->unit_demand));
	model->unit_weight = calloc(vms * VRMS_DIM_MAX, sizeof(*model->unit_weight));
	model->group = calloc((size_t)model->rule_count + 1, sizeof(*model->group));
	model->unit_group = calloc(members, sizeof(*model->unit_group));
	model->unit_like = calloc(likes, sizeof(*model->unit_like));
	model->inverse = calloc(cells, sizeof(*model->inverse));
	model->size = calloc(vms, sizeof(*model->size));
	return model->unit != NULL && model->unit_vm != NULL && model->unit_demand != NULL &&
	       model->unit_weight != NULL && model->group != NULL && model->unit_group != NULL &&
	       model->unit_like != NULL && model->inverse != NULL && model->size != NULL;
}

static void open_unit(struct vrms_model *model, int vm)
{
	int unit = model->unit_count++;

	model->vm[vm].unit = unit;
	model->unit[unit] = (struct vrms_unit){
	    .priority = model->vm[vm].priority,
	    .host = model->vm[vm].host,
	    .class_next = unit,
	    .allowed = -1,
	    .movable = true,
	};
}

/* The unit of the class that already runs on the VM's host, walking the class's ring; or -1. */
static int find_part(const struct vrms_model *model, int first, int host)
{
	int unit = first;

	do {
		if (model->unit[unit].host == host) {
			return unit;
		}
		unit = model->unit[unit].class_next;
	} while (unit != first);
	return -1;
}

static void form_units(struct vrms_model *model, const struct vrms_classes *classes)
{
	for (int vm = 0; vm < model->vm_count; vm++) {
		int root = vrms_classes_root(classes, vm), first, part;

		if (root == vm) { /* the root is its class's lowest index: it comes first */
			open_unit(model, vm);
			continue;
		}
		first = model->vm[root].unit;
		part = find_part(model, first, model->vm[vm].host);
		if (part >= 0) {
			model->vm[vm].unit = part;
			continue;
		}
		open_unit(model, vm);
		part = model->vm[vm].unit;
		model->unit[part].class_next = model->unit[first].class_next;
		model->unit[first].class_next = part;
	}
}

static int absorb_vm(struct vrms_model *model, int vm, struct vrms_error *error)
{
	struct vrms_unit *unit = &model->unit[model->vm[vm].unit];
	const struct vrms_vm *from = &model->vm[vm];
	int dims = model->dim_count;
	int memory = vrms_model_find_dim(model, "memory");

	unit->vm_count++;
	unit->priority = from->priority > unit->priority ? from->priority : unit->priority;
	unit->pinned = unit->pinned || from->pinned;
	unit->movable = unit->movable && !from->cold && !from->pinned && from->host >= 0 &&
			model->node_state[from->host] != VRMS_NODE_MAINTENANCE;
	for (int d = 0; d < dims; d++) {
		size_t at = (size_t)model->vm[vm].unit * dims + d;

		/* A sum may grow to a quarter of the range: loads add two such sums. */
		model->unit_demand[at] += model->demand[(size_t)vm * dims + d];
		model->unit_weight[at] += model->weight[(size_t)vm * dims + d];
		if (model->unit_demand[at] > INT64_MAX / 4 ||
		    model->unit_weight[at] > INT64_MAX / 4) {
			return vrms_error_set(error, -EOVERFLOW, "vm '%s': sum of %s too large",
					      vrms_model_vm_name(model, vm), model->dim_name[d]);
		}
		model->measured = model->measured || model->demand[(size_t)vm * dims + d] !=
							 model->weight[(size_t)vm * dims + d];
	}
	unit->cost += from->dirty * DIRTY_SECONDS;
	if (dims > 0) {
		unit->cost += model->demand[(size_t)vm * dims + (memory >= 0 ? memory : 0)];
	}
	return 0;
}

static int sum_units(struct vrms_model *model, struct vrms_error *error)
{
	int64_t total[VRMS_DIM_MAX] = {0};

	for (int vm = 0; vm < model->vm_count; vm++) {
		int rc = absorb_vm(model, vm, error);

		if (rc < 0) {
			return rc;
		}
	}
	for (int u = 0; u < model->unit_count; u++) {
		for (int d = 0; d < model->dim_count; d++) {
			total[d] += model->unit_demand[(size_t)u * model->dim_count + d] / 4 +
				    model->unit_weight[(size_t)u * model->dim_count + d] / 4;
			if (total[d] > INT64_MAX / 16) {
				return vrms_error_set(error, -EOVERFLOW,
						      "the sum of all %s is too large",
						      model->dim_name[d]);
			}
		}
	}
	return 0;
}

static void list_vms(struct vrms_model *model)
{
	int at = 0;

	for (int u = 0; u < model->unit_count; u++) {
		model->unit[u].vm_first = at;
		at += model->unit[u].vm_count;
		model->unit[u].vm_count = 0;
	}
	for (int vm = 0; vm < model->vm_count; vm++) {
		struct vrms_unit *unit = &model->unit[model->vm[vm].unit];

		model->unit_vm[unit->vm_first + unit->vm_count++] = vm;
	}
}

static void make_groups(struct vrms_model *model)
{
	for (int r = 0; r < model->rule_count; r++) {
		const struct vrms_rule *rule = &model->rule[r];
		struct vrms_group *group = &model->group[model->group_count];

		if (!counts_members(rule)) {
			continue;
		}
		*group = (struct vrms_group){
		    .rule = r,
		    .domain = rule->domain,
		    .values =
			rule->domain < 0 ? model->node_count : model->value_count[rule->domain],
		    .limit = rule->limit,
		    .soft = rule->soft,
		    .together = rule->kind == VRMS_RULE_TOGETHER,
		    .score = rule->score > 0 ? rule->score : 1,
		    .first = model->counter_count,
		};
		model->counter_count += (size_t)group->values;
		model->group_count++;
	}
}

/* Adds the VM's membership to its unit's list, whose room was counted before. */
static void join_group(struct vrms_model *model, int group, int vm)
{
	struct vrms_unit *unit = &model->unit[model->vm[vm].unit];
	struct vrms_unit_group *list = &model->unit_group[unit->group_first];

	if (unit->group_count > 0 && list[unit->group_count - 1].group == group) {
		list[unit->group_count - 1].members++;
		return;
	}
	list[unit->group_count++] = (struct vrms_unit_group){.group = group, .members = 1};
}

static void list_groups(struct vrms_model *model)
{
	int at = 0;

	for (int g = 0; g < model->group_count; g++) {
		const struct vrms_rule *rule = &model->rule[model->group[g].rule];

		for (int i = 0; i < rule->vm_count; i++) {
			int vm = model->member[rule->vm_first + i];

			model->unit[model->vm[vm].unit].group_count++;
		}
	}
	for (int u = 0; u < model->unit_count; u++) {
		model->unit[u].group_first = at;
		at += model->unit[u].group_count;
		model->unit[u].group_count = 0;
	}
	for (int g = 0; g < model->group_count; g++) {
		const struct vrms_rule *rule = &model->rule[model->group[g].rule];

		for (int i = 0; i < rule->vm_count; i++) {
			join_group(model, g, model->member[rule->vm_first + i]);
		}
	}
}

static void add_like(struct vrms_model *model, struct vrms_unit *unit, int node, int64_t score)
{
	struct vrms_unit_like *list = &model->unit_like[unit->like_first];

	for (int i = 0; i < unit->like_count; i++) {
		if (list[i].node == node) {
			list[i].score += score;
			return;
		}
	}
	list[unit->like_count++] = (struct vrms_unit_like){.node = node, .score = score};
}

static void list_likes(struct vrms_model *model)
{
	for (int pass = 0, at = 0; pass < 2; pass++) {
		for (int r = 0; r < model->rule_count; r++) {
			const struct vrms_rule *rule = &model->rule[r];

			for (int i = 0; rule->kind == VRMS_RULE_PREFER && i < rule->vm_count; i++) {
				int vm = model->member[rule->vm_first + i];
				struct vrms_unit *unit = &model->unit[model->vm[vm].unit];

				unit->like_count += pass == 0 ? rule->node_count : 0;
				for (int k = 0; pass == 1 && k < rule->node_count; k++) {
					add_like(model, unit, model->member[rule->node_first + k],
						 rule->score);
				}
			}
		}
		for (int u = 0; pass == 0 && u < model->unit_count; u++) {
			model->unit[u].like_first = at;
			at += model->unit[u].like_count;
			model->unit[u].like_count = 0;
		}
	}
}

static void measure_units(struct vrms_model *model)
{
	int dims = model->dim_count;
	double mean[VRMS_DIM_MAX] = {0}, physical_mean[VRMS_DIM_MAX] = {0};

	for (int n = 0; n < model->node_count; n++) {
		for (int d = 0; d < dims; d++) {
			int64_t physical = model->physical[n * dims + d];

			model->inverse[n * dims + d] = physical > 0 ? 1.0 / (double)physical : 0.0;
			mean[d] += (double)model->capacity[n * dims + d] / model->node_count;
			physical_mean[d] += (double)physical / model->node_count;
		}
	}
	for (int d = 0; d < dims; d++) {
		model->mean_inverse[d] = physical_mean[d] > 0 ? 1.0 / physical_mean[d] : 0.0;
	}
	for (int u = 0; u < model->unit_count; u++) {
		for (int d = 0; d < dims; d++) {
			double share = (double)model->unit_demand[(size_t)u * dims + d] /
				       (mean[d] > 0 ? mean[d] : 1);

			model->size[u] = share > model->size[u] ? share : model->size[u];
		}
	}
}

static void take_sets(struct vrms_model *model, struct vrms_classes *classes)
{
	for (int u = 0; u < model->unit_count; u++) {
		int root = vrms_classes_root(classes, model->unit_vm[model->unit[u].vm_first]);

		model->unit[u].allowed = classes->set_of[root];
	}
	model->set_count = classes->set_count;
	model->set = VRMS_TAKE(classes->set);
}

int vrms_units_build(struct vrms_model *model, struct vrms_error *error)
{
	struct vrms_classes classes;
	int rc = vrms_classes_init(&classes, model);

	if (rc < 0 || !allocate(model, classes.words)) {
		vrms_classes_done(&classes);
		return vrms_error_set(error, -ENOMEM, "out of memory for %d vms", model->vm_count);
	}
	vrms_classes_build(&classes, model, NULL);
	form_units(model, &classes);
	rc = sum_units(model, error);
	if (rc == 0) {
		list_vms(model);
		make_groups(model);
		list_groups(model);
		list_likes(model);
		measure_units(model);
		take_sets(model, &classes);
	}
	vrms_classes_done(&classes);
	return rc;
}
