/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/draft.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct vrms_draft_text {
	struct vrms_draft_text *next;
	char text[];
};

void vrms_draft_init(struct vrms_draft *draft, const char *source)
{
	*draft = (struct vrms_draft){.source = source};
}

void vrms_draft_done(struct vrms_draft *draft)
{
	for (int r = 0; r < draft->rule_count; r++) {
		free(draft->rule[r].vms.name);
		free(draft->rule[r].nodes.name);
	}
	while (draft->texts != NULL) {
		struct vrms_draft_text *next = draft->texts->next;

		free(draft->texts);
		draft->texts = next;
	}
	free(draft->node);
	free(draft->vm);
	free(draft->rule);
}

const char *vrms_draft_keep_part(struct vrms_draft *draft, const char *text, size_t size)
{
	struct vrms_draft_text *kept = malloc(sizeof(*kept) + size + 1);

	if (kept == NULL) {
		return NULL;
	}
	memcpy(kept->text, text, size);
	kept->text[size] = '\0';
	kept->next = draft->texts;
	draft->texts = kept;
	return kept->text;
}

const char *vrms_draft_keep(struct vrms_draft *draft, const char *text)
{
	return vrms_draft_keep_part(draft, text, strlen(text));
}

void vrms_draft_note(const struct vrms_draft *draft, int line, const char *format, ...)
{
	struct vrms_import_notes *notes = draft->notes;
	va_list arguments;
	char *text;
	int length;

	if (notes != NULL && notes->count < VRMS_IMPORT_NOTES_MAX) {
		text = notes->text[notes->count];
		length = snprintf(text, sizeof(notes->text[0]), "%.60s:%d: ", draft->source, line);
		va_start(arguments, format);
		vsnprintf(text + length, sizeof(notes->text[0]) - (size_t)length, format,
			  arguments);
		va_end(arguments);
	}
	if (notes != NULL) {
		notes->count++;
	}
}

int vrms_draft_fail(const struct vrms_draft *draft, int line, int rc, struct vrms_error *error)
{
	return line > 0 ? vrms_error_wrap(error, rc, "%s:%d", draft->source, line)
			: vrms_error_wrap(error, rc, "%s", draft->source);
}

int vrms_draft_dim(struct vrms_draft *draft, const char *name, int line, struct vrms_error *error)
{
	for (int d = 0; d < draft->dim_count; d++) {
		if (strcmp(draft->dim_name[d], name) == 0) {
			return d;
		}
	}
	if (draft->dim_count == VRMS_DIM_MAX) {
		vrms_error_set(error, -ENOSPC, "'%s': more than %d dimensions", name, VRMS_DIM_MAX);
		return vrms_draft_fail(draft, line, -ENOSPC, error);
	}
	draft->dim_name[draft->dim_count] = vrms_draft_keep(draft, name);
	draft->permille[draft->dim_count] = 1000;
	return draft->dim_name[draft->dim_count] == NULL ? -ENOMEM : draft->dim_count++;
}

/* Makes room in an array that grows by doubling; the new element is zeroed. */
static void *grow(void *array, int count, size_t size)
{
	char *bigger = array;

	if ((count & (count - 1)) == 0) { /* 0, 1, 2, 4 ...: full */
		bigger = reallocarray(array, count == 0 ? 1 : 2 * (size_t)count, size);
	}
	if (bigger != NULL) {
		memset(bigger + (size_t)count * size, 0, size);
	}
	return bigger;
}

struct vrms_draft_node *vrms_draft_add_node(struct vrms_draft *draft)
{
	struct vrms_draft_node *bigger = grow(draft->node, draft->node_count, sizeof(*bigger));

	if (bigger == NULL) {
		return NULL;
	}
	draft->node = bigger;
	return &bigger[draft->node_count++];
}

struct vrms_draft_vm *vrms_draft_add_vm(struct vrms_draft *draft)
{
	struct vrms_draft_vm *bigger = grow(draft->vm, draft->vm_count, sizeof(*bigger));

	if (bigger == NULL) {
		return NULL;
	}
	draft->vm = bigger;
	return &bigger[draft->vm_count++];
}

struct vrms_draft_rule *vrms_draft_add_rule(struct vrms_draft *draft)
{
	struct vrms_draft_rule *bigger = grow(draft->rule, draft->rule_count, sizeof(*bigger));

	if (bigger == NULL) {
		return NULL;
	}
	draft->rule = bigger;
	return &bigger[draft->rule_count++];
}

int vrms_draft_list_add(struct vrms_draft *draft, struct vrms_draft_list *list, const char *name)
{
	const char **bigger = grow(list->name, list->count, sizeof(*bigger));
	const char *kept = vrms_draft_keep(draft, name);

	if (bigger != NULL) {
		list->name = bigger;
	}
	if (bigger == NULL || kept == NULL) {
		return -ENOMEM;
	}
	list->name[list->count++] = kept;
	return 0;
}

static size_t size_of(const char *text)
{
	return strlen(text) + 1;
}

static struct vrms_model *new_model(const struct vrms_draft *draft)
{
	struct vrms_model_limits limits = {
	    .nodes = draft->node_count,
	    .vms = draft->vm_count,
	    .rules = draft->rule_count,
	};

	for (int d = 0; d < draft->dim_count; d++) {
		limits.name_bytes += size_of(draft->dim_name[d]);
	}
	for (int n = 0; n < draft->node_count; n++) {
		const struct vrms_draft_node *node = &draft->node[n];

		limits.name_bytes += size_of(node->name);
		for (int i = 0; i < node->domain_count; i++) {
			limits.name_bytes += size_of(node->kind[i]) + size_of(node->value[i]);
		}
	}
	for (int v = 0; v < draft->vm_count; v++) {
		limits.name_bytes += size_of(draft->vm[v].name) + sizeof("pinned");
		limits.rules += draft->vm[v].spec.pinned;
		limits.members += 2 * draft->vm[v].spec.pinned;
	}
	for (int r = 0; r < draft->rule_count; r++) {
		limits.name_bytes += size_of(draft->rule[r].name);
		limits.members += draft->rule[r].vms.count + draft->rule[r].nodes.count;
	}
	return vrms_model_new(&limits);
}

static int add_dims_and_nodes(const struct vrms_draft *draft, struct vrms_model *model,
			      struct vrms_error *error)
{
	int rc = 0;

	for (int d = 0; d < draft->dim_count && rc >= 0; d++) {
		rc = vrms_model_add_dim(model, draft->dim_name[d], draft->permille[d], error);
	}
	if (rc < 0) {
		return vrms_draft_fail(draft, 0, rc, error);
	}
	for (int n = 0; n < draft->node_count; n++) {
		const struct vrms_draft_node *node = &draft->node[n];
		struct vrms_node_spec spec = {.name = node->name, .state = node->state};
		int index;

		memcpy(spec.capacity, node->capacity, sizeof(spec.capacity));
		memcpy(spec.other, node->other, sizeof(spec.other));
		rc = index = vrms_model_add_node(model, &spec, error);
		for (int i = 0; i < node->domain_count && rc >= 0; i++) {
			rc = vrms_model_set_domain(model, index, node->kind[i], node->value[i],
						   error);
		}
		if (rc < 0) {
			return vrms_draft_fail(draft, node->line, rc, error);
		}
	}
	return 0;
}

static int add_vms(const struct vrms_draft *draft, struct vrms_model *model,
		   struct vrms_error *error)
{
	for (int v = 0; v < draft->vm_count; v++) {
		const struct vrms_draft_vm *vm = &draft->vm[v];
		struct vrms_vm_spec spec = vm->spec;
		int rc;

		spec.name = vm->name;
		spec.host = VRMS_NODE_NONE;
		if (vm->host != NULL) {
			spec.host = vrms_model_find_node(model, vm->host);
		}
		rc = vm->host != NULL && spec.host < 0
			 ? vrms_error_set(error, -EINVAL, "vm '%s': unknown node '%s'", vm->name,
					  vm->host)
			 : vrms_model_add_vm(model, &spec, error);
		if (rc < 0) {
			return vrms_draft_fail(draft, vm->line, rc, error);
		}
	}
	return 0;
}

/* Indices of the names; find is one of vrms_model_find_*(). */
static int resolve(const struct vrms_model *model, const struct vrms_draft_list *list,
		   int (*find)(const struct vrms_model *, const char *), int *indices,
		   const char **ret_unknown)
{
	for (int i = 0; i < list->count; i++) {
		indices[i] = find(model, list->name[i]);
		if (indices[i] < 0) {
			*ret_unknown = list->name[i];
			return -EINVAL;
		}
	}
	return 0;
}

static int add_rule(const struct vrms_draft_rule *rule, struct vrms_model *model,
		    struct vrms_error *error)
{
	int *vms VRMS_CLEANUP(vrms_freep) = calloc((size_t)rule->vms.count + 1, sizeof(int));
	int *nodes VRMS_CLEANUP(vrms_freep) = calloc((size_t)rule->nodes.count + 1, sizeof(int));
	struct vrms_rule_spec spec = rule->spec;
	const char *unknown;

	if (vms == NULL || nodes == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	if (resolve(model, &rule->vms, vrms_model_find_vm, vms, &unknown) < 0) {
		return vrms_error_set(error, -EINVAL, "rule '%s': unknown vm '%s'", rule->name,
				      unknown);
	}
	if (resolve(model, &rule->nodes, vrms_model_find_node, nodes, &unknown) < 0) {
		return vrms_error_set(error, -EINVAL, "rule '%s': unknown node '%s'", rule->name,
				      unknown);
	}
	spec.name = rule->name;
	spec.vms = vms;
	spec.vm_count = rule->vms.count;
	spec.nodes = nodes;
	spec.node_count = rule->nodes.count;
	return vrms_model_add_rule(model, &spec, error);
}

int vrms_draft_build(const struct vrms_draft *draft, struct vrms_model **ret_model,
		     struct vrms_error *error)
{
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = new_model(draft);
	int rc;

	if (model == NULL) {
		vrms_error_set(error, -ENOMEM, "%d nodes and %d vms: too many, or out of memory",
			       draft->node_count, draft->vm_count);
		return vrms_draft_fail(draft, 0, -ENOMEM, error);
	}
	rc = add_dims_and_nodes(draft, model, error);
	if (rc == 0) {
		rc = add_vms(draft, model, error);
	}
	if (rc < 0) {
		return rc;
	}
	for (int r = 0; r < draft->rule_count; r++) {
		rc = add_rule(&draft->rule[r], model, error);
		if (rc < 0) {
			return vrms_draft_fail(draft, draft->rule[r].line, rc, error);
		}
	}
	rc = vrms_model_seal(model, error);
	if (rc < 0) {
		return vrms_draft_fail(draft, 0, rc, error);
	}
	*ret_model = VRMS_TAKE(model);
	return 0;
}
