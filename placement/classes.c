/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/classes.h"

#include <errno.h>
#include <string.h>

static bool restricts(const struct vrms_rule *rule)
{
	return rule->kind == VRMS_RULE_ALLOW || rule->kind == VRMS_RULE_DENY;
}

int vrms_classes_init(struct vrms_classes *classes, const struct vrms_model *model)
{
	size_t vms = (size_t)model->vm_count + 1, sets = 1;

	for (int r = 0; r < model->rule_count; r++) {
		sets += restricts(&model->rule[r]) ? (size_t)model->rule[r].vm_count : 0;
	}
	sets = sets < vms ? sets : vms;
	*classes = (struct vrms_classes){.words = (model->node_count + 63) / 64 + 1};
	classes->parent = malloc(vms * sizeof(int));
	classes->set_of = malloc(vms * sizeof(int));
	classes->set = malloc(sets * classes->words * sizeof(uint64_t));
	if (classes->parent == NULL || classes->set_of == NULL || classes->set == NULL) {
		vrms_classes_done(classes);
		return -ENOMEM;
	}
	return 0;
}

void vrms_classes_done(struct vrms_classes *classes)
{
	free(classes->parent);
	free(classes->set_of);
	free(classes->set);
	*classes = (struct vrms_classes){0};
}

int vrms_classes_root(const struct vrms_classes *classes, int vm)
{
	while (classes->parent[vm] != vm) {
		vm = classes->parent[vm];
	}
	return vm;
}

const uint64_t *vrms_classes_set(const struct vrms_classes *classes, int root)
{
	int set = classes->set_of[root];

	return set < 0 ? NULL : &classes->set[(size_t)set * classes->words];
}

/* The lower index becomes the root: the outcome does not depend on the order of rules. */
static void unite(struct vrms_classes *classes, int a, int b)
{
	a = vrms_classes_root(classes, a);
	b = vrms_classes_root(classes, b);
	if (a < b) {
		classes->parent[b] = a;
	} else {
		classes->parent[a] = b;
	}
}

static uint64_t *own_set(struct vrms_classes *classes, const struct vrms_model *model, int root)
{
	uint64_t *set;

	if (classes->set_of[root] >= 0) {
		return &classes->set[(size_t)classes->set_of[root] * classes->words];
	}
	classes->set_of[root] = classes->set_count++;
	set = &classes->set[(size_t)classes->set_of[root] * classes->words];
	memset(set, 0, classes->words * sizeof(*set));
	for (int n = 0; n < model->node_count; n++) {
		set[n / 64] |= (uint64_t)1 << (n % 64);
	}
	return set;
}

static void restrict_class(struct vrms_classes *classes, const struct vrms_model *model,
			   const struct vrms_rule *rule, int vm)
{
	uint64_t *set = own_set(classes, model, vrms_classes_root(classes, vm));
	uint64_t nodes[VRMS_NODE_LIMIT / 64 + 1] = {0};

	for (int i = 0; i < rule->node_count; i++) {
		int node = model->member[rule->node_first + i];

		nodes[node / 64] |= (uint64_t)1 << (node % 64);
	}
	for (int w = 0; w < classes->words; w++) {
		set[w] &= rule->kind == VRMS_RULE_ALLOW ? nodes[w] : ~nodes[w];
	}
}

void vrms_classes_build(struct vrms_classes *classes, const struct vrms_model *model,
			const bool *off)
{
	classes->set_count = 0;
	for (int vm = 0; vm < model->vm_count; vm++) {
		classes->parent[vm] = vm;
		classes->set_of[vm] = -1;
	}
	for (int r = 0; r < model->rule_count; r++) {
		const struct vrms_rule *rule = &model->rule[r];
		const int *vms = &model->member[rule->vm_first];

		if (rule->kind != VRMS_RULE_TOGETHER || rule->soft || (off != NULL && off[r])) {
			continue;
		}
		for (int i = 1; i < rule->vm_count; i++) {
			unite(classes, vms[0], vms[i]);
		}
	}
	for (int r = 0; r < model->rule_count; r++) {
		const struct vrms_rule *rule = &model->rule[r];

		if (!restricts(rule) || (off != NULL && off[r])) {
			continue;
		}
		for (int i = 0; i < rule->vm_count; i++) {
			restrict_class(classes, model, rule, model->member[rule->vm_first + i]);
		}
	}
}
