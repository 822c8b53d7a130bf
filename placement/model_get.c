/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "placement/model_data.h"

int vrms_model_dim_count(const struct vrms_model *model)
{
	return model->dim_count;
}

int vrms_model_node_count(const struct vrms_model *model)
{
	return model->node_count;
}

int vrms_model_vm_count(const struct vrms_model *model)
{
	return model->vm_count;
}

const char *vrms_model_dim_name(const struct vrms_model *model, int dim)
{
	return model->dim_name[dim];
}

const char *vrms_model_node_name(const struct vrms_model *model, int node)
{
	return model->node_names.name[node];
}

const char *vrms_model_vm_name(const struct vrms_model *model, int vm)
{
	return model->vm_names.name[vm];
}

enum vrms_node_state vrms_model_node_state(const struct vrms_model *model, int node)
{
	return model->node_state[node];
}

int vrms_model_vm_host(const struct vrms_model *model, int vm)
{
	return model->vm[vm].host;
}

int64_t vrms_model_vm_demand(const struct vrms_model *model, int vm, int dim)
{
	return model->demand[(size_t)vm * model->dim_count + dim];
}

int64_t vrms_model_vm_priority(const struct vrms_model *model, int vm)
{
	return model->vm[vm].priority;
}

int64_t vrms_model_capacity(const struct vrms_model *model, int node, int dim)
{
	return model->physical[node * model->dim_count + dim];
}

int vrms_model_find_dim(const struct vrms_model *model, const char *name)
{
	for (int d = 0; d < model->dim_count; d++) {
		if (strcmp(model->dim_name[d], name) == 0) {
			return d;
		}
	}
	return -ENOENT;
}

int vrms_model_find_node(const struct vrms_model *model, const char *name)
{
	return vrms_names_find(&model->node_names, name);
}

int vrms_model_find_vm(const struct vrms_model *model, const char *name)
{
	return vrms_names_find(&model->vm_names, name);
}

int64_t vrms_model_vm_like(const struct vrms_model *model, int vm, int node)
{
	const struct vrms_unit *unit = &model->unit[model->vm[vm].unit];
	int64_t score = 0;

	for (int i = 0; i < unit->like_count; i++) {
		const struct vrms_unit_like *like = &model->unit_like[unit->like_first + i];

		score += like->node == node ? like->score : 0;
	}
	return score;
}
