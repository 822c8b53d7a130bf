/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/model.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "placement/model_data.h"

enum { SCORE_MAX = 1000000, PERMILLE_MAX = 100000 };

static bool limits_are_sane(const struct vrms_model_limits *limits)
{
	return limits->nodes >= 0 && limits->nodes <= VRMS_NODE_LIMIT && limits->vms >= 0 &&
	       limits->vms <= VRMS_VM_LIMIT && limits->rules >= 0 && limits->members >= 0;
}

static bool allocate(struct vrms_model *model)
{
	const struct vrms_model_limits *limits = &model->limits;
	size_t nodes = (size_t)limits->nodes + 1, vms = (size_t)limits->vms + 1;
	size_t members = (size_t)limits->members + 1;

	model->name_text = malloc(limits->name_bytes + 1);
	model->node_state = calloc(nodes, sizeof(*model->node_state));
	model->physical = calloc(nodes * VRMS_DIM_MAX, sizeof(*model->physical));
	model->capacity = calloc(nodes * VRMS_DIM_MAX, sizeof(*model->capacity));
	model->other = calloc(nodes * VRMS_DIM_MAX, sizeof(*model->other));
	model->node_value = malloc(nodes * VRMS_DOMAIN_MAX * sizeof(*model->node_value));
	model->value_name = calloc(nodes * VRMS_DOMAIN_MAX, sizeof(*model->value_name));
	model->vm = calloc(vms, sizeof(*model->vm));
	model->demand = calloc(vms * VRMS_DIM_MAX, sizeof(*model->demand));
	model->weight = calloc(vms * VRMS_DIM_MAX, sizeof(*model->weight));
	model->rule = calloc((size_t)limits->rules + 1, sizeof(*model->rule));
	model->member = calloc(members, sizeof(*model->member));
	model->mark = calloc(nodes > vms ? nodes : vms, sizeof(*model->mark));
	if (model->node_value != NULL) {
		memset(model->node_value, 0xff,
		       nodes * VRMS_DOMAIN_MAX * sizeof(*model->node_value));
	}
	return vrms_names_init(&model->node_names, limits->nodes) == 0 &&
	       vrms_names_init(&model->vm_names, limits->vms) == 0 && model->name_text != NULL &&
	       model->node_state != NULL && model->physical != NULL && model->capacity != NULL &&
	       model->other != NULL && model->node_value != NULL && model->value_name != NULL &&
	       model->vm != NULL && model->demand != NULL && model->weight != NULL &&
	       model->rule != NULL && model->member != NULL && model->mark != NULL;
}

struct vrms_model *vrms_model_new(const struct vrms_model_limits *limits)
{
	struct vrms_model *model VRMS_CLEANUP(vrms_model_freep) = NULL;

	if (!limits_are_sane(limits)) {
		return NULL;
	}
	model = calloc(1, sizeof(*model));
	if (model == NULL) {
		return NULL;
	}
	model->limits = *limits;
	return allocate(model) ? VRMS_TAKE(model) : NULL;
}

void vrms_model_free(struct vrms_model *model)
{
	if (model == NULL) {
		return;
	}
	vrms_names_done(&model->node_names);
	vrms_names_done(&model->vm_names);
	free(model->name_text);
	free(model->node_state);
	free(model->physical);
	free(model->capacity);
	free(model->other);
	free(model->node_value);
	free(model->value_name);
	free(model->vm);
	free(model->demand);
	free(model->weight);
	free(model->rule);
	free(model->member);
	free(model->mark);
	free(model->unit);
	free(model->unit_vm);
	free(model->unit_demand);
	free(model->unit_weight);
	free(model->group);
	free(model->unit_group);
	free(model->unit_like);
	free(model->set);
	free(model->inverse);
	free(model->size);
	free(model);
}

/* Copies a name into the model; NULL when the room given at creation is used up. */
static const char *keep_name(struct vrms_model *model, const char *name)
{
	size_t size = strlen(name) + 1;
	char *kept = model->name_text + model->name_used;

	if (size > model->limits.name_bytes - model->name_used) {
		return NULL;
	}
	memcpy(kept, name, size);
	model->name_used += size;
	return kept;
}

static int names_full(const char *what, const char *name, struct vrms_error *error)
{
	return vrms_error_set(error, -ENOSPC, "%s '%s': no room left for names", what, name);
}

int vrms_model_add_dim(struct vrms_model *model, const char *name, int64_t permille,
		       struct vrms_error *error)
{
	const char *kept;

	assert(!model->sealed && model->node_count == 0);
	if (vrms_model_find_dim(model, name) >= 0) {
		return vrms_error_set(error, -EEXIST, "dimension '%s': declared twice", name);
	}
	if (model->dim_count == VRMS_DIM_MAX) {
		return vrms_error_set(error, -ENOSPC, "dimension '%s': more than %d dimensions",
				      name, VRMS_DIM_MAX);
	}
	if (permille < 1 || permille > PERMILLE_MAX) {
		return vrms_error_set(error, -ERANGE,
				      "dimension '%s': overcommit of %" PRId64
				      "/1000: must be 1 to %d",
				      name, permille, PERMILLE_MAX);
	}
	kept = keep_name(model, name);
	if (kept == NULL) {
		return names_full("dimension", name, error);
	}
	model->dim_name[model->dim_count] = kept;
	model->permille[model->dim_count] = permille;
	return model->dim_count++;
}

static int check_amounts(const struct vrms_model *model, const int64_t *amounts, const char *owner,
			 struct vrms_error *error)
{
	for (int d = 0; d < model->dim_count; d++) {
		if (amounts[d] < 0 || amounts[d] > VRMS_AMOUNT_MAX) {
			return vrms_error_set(error, -ERANGE,
					      "%s: %s of %" PRId64 ": must be 0 to %" PRId64, owner,
					      model->dim_name[d], amounts[d], VRMS_AMOUNT_MAX);
		}
	}
	return 0;
}

/* Overcommitted capacity, without the overflow of a plain product. */
static int64_t overcommit(int64_t amount, int64_t permille)
{
	return amount / 1000 * permille + amount % 1000 * permille / 1000;
}

static int check_new(const struct vrms_names *names, const char *what, const char *name,
		     struct vrms_error *error)
{
	if (name[0] == '\0') {
		return vrms_error_set(error, -EINVAL, "%s without a name", what);
	}
	if (vrms_names_find(names, name) >= 0) {
		return vrms_error_set(error, -EEXIST, "%s '%s': declared twice", what, name);
	}
	if (names->count == names->limit) {
		return vrms_error_set(error, -ENOSPC, "%s '%s': more than %d", what, name,
				      names->limit);
	}
	return 0;
}

int vrms_model_add_node(struct vrms_model *model, const struct vrms_node_spec *spec,
			struct vrms_error *error)
{
	int node = model->node_count;
	int rc = check_new(&model->node_names, "node", spec->name, error);
	const char *kept;

	assert(!model->sealed && model->vm_count == 0);
	if (rc < 0) {
		return rc;
	}
	rc = check_amounts(model, spec->capacity, "capacity", error);
	if (rc == 0) {
		rc = check_amounts(model, spec->other, "other load", error);
	}
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "node '%s'", spec->name);
	}
	kept = keep_name(model, spec->name);
	if (kept == NULL) {
		return names_full("node", spec->name, error);
	}
	vrms_names_add(&model->node_names, kept);
	model->node_state[node] = spec->state;
	for (int d = 0; d < model->dim_count; d++) {
		model->physical[node * model->dim_count + d] = spec->capacity[d];
		model->capacity[node * model->dim_count + d] =
		    overcommit(spec->capacity[d], model->permille[d]);
		model->other[node * model->dim_count + d] = spec->other[d];
	}
	model->node_count++;
	return node;
}

static int find_domain(const struct vrms_model *model, const char *kind)
{
	for (int i = 0; i < model->domain_count; i++) {
		if (strcmp(model->domain_name[i], kind) == 0) {
			return i;
		}
	}
	return -ENOENT;
}

/* Index of a text in a short list, appended when missing; -ENOSPC. */
static int intern(struct vrms_model *model, const char **list, int *count, int limit,
		  const char *text)
{
	for (int i = 0; i < *count; i++) {
		if (strcmp(list[i], text) == 0) {
			return i;
		}
	}
	if (*count == limit) {
		return -ENOSPC;
	}
	list[*count] = keep_name(model, text);
	return list[*count] == NULL ? -ENOSPC : (*count)++;
}

int vrms_model_set_domain(struct vrms_model *model, int node, const char *kind, const char *value,
			  struct vrms_error *error)
{
	int domain = intern(model, model->domain_name, &model->domain_count, VRMS_DOMAIN_MAX, kind);
	int index, *slot;

	assert(!model->sealed && node >= 0 && node < model->node_count);
	if (domain < 0) {
		return vrms_error_set(error, domain,
				      "domain '%s': more than %d kinds, or no room for its name",
				      kind, VRMS_DOMAIN_MAX);
	}
	index = intern(model, &model->value_name[(size_t)domain * model->limits.nodes],
		       &model->value_count[domain], model->limits.nodes, value);
	if (index < 0) {
		return names_full(kind, value, error);
	}
	slot = &model->node_value[node * VRMS_DOMAIN_MAX + domain];
	if (*slot >= 0 && *slot != index) {
		return vrms_error_set(error, -EEXIST, "node '%s': in two domains of kind '%s'",
				      vrms_model_node_name(model, node), kind);
	}
	*slot = index;
	return 0;
}

/* A pinned VM is one with a rule of its own, so that contradictions can name it. */
static int add_pin(struct vrms_model *model, const struct vrms_vm_spec *spec, int vm,
		   struct vrms_error *error)
{
	struct vrms_rule_spec rule = {
	    .kind = VRMS_RULE_ALLOW,
	    .name = "pinned",
	    .vms = &vm,
	    .vm_count = 1,
	    .nodes = &spec->host,
	    .node_count = 1,
	};

	return vrms_model_add_rule(model, &rule, error);
}

static void set_vm(struct vrms_model *model, const struct vrms_vm_spec *spec, int vm)
{
	model->vm[vm] = (struct vrms_vm){
	    .priority = spec->priority,
	    .dirty = spec->dirty,
	    .host = spec->host,
	    .pinned = spec->pinned,
	    .cold = spec->cold,
	};
	for (int d = 0; d < model->dim_count; d++) {
		size_t at = (size_t)vm * model->dim_count + d;
		int64_t demand = spec->demand[d], permille = model->permille[d];

		model->demand[at] = demand;
		/* What n overcommitted units weigh on the physical host when nobody measured. */
		model->weight[at] = demand / permille * 1000 + demand % permille * 1000 / permille;
		if ((spec->measured_bits >> d & 1) != 0) {
			model->weight[at] = spec->measured[d];
		}
	}
}

int vrms_model_add_vm(struct vrms_model *model, const struct vrms_vm_spec *spec,
		      struct vrms_error *error)
{
	int vm = model->vm_count;
	int rc = check_new(&model->vm_names, "vm", spec->name, error);
	const char *kept;

	assert(!model->sealed && spec->host < model->node_count);
	if (rc < 0) {
		return rc;
	}
	rc = check_amounts(model, spec->demand, "demand", error);
	if (rc == 0) {
		rc = check_amounts(model, spec->measured, "measured", error);
	}
	if (rc == 0 && (spec->dirty < 0 || spec->dirty > VRMS_AMOUNT_MAX)) {
		rc = vrms_error_set(error, -ERANGE, "dirty rate of %" PRId64, spec->dirty);
	}
	if (rc == 0 && spec->pinned && spec->host < 0) {
		rc = vrms_error_set(error, -EINVAL, "pinned, but runs on no node");
	}
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "vm '%s'", spec->name);
	}
	kept = keep_name(model, spec->name);
	if (kept == NULL) {
		return names_full("vm", spec->name, error);
	}
	vrms_names_add(&model->vm_names, kept);
	set_vm(model, spec, vm);
	model->vm_count++;
	rc = spec->pinned ? add_pin(model, spec, vm, error) : 0;
	return rc < 0 ? rc : vm;
}

static int check_rule(const struct vrms_model *model, const struct vrms_rule_spec *spec,
		      struct vrms_error *error)
{
	bool has_limit = spec->kind == VRMS_RULE_APART || spec->kind == VRMS_RULE_SPREAD;

	if (model->rule_count == model->limits.rules ||
	    spec->vm_count + spec->node_count > model->limits.members - model->member_count) {
		return vrms_error_set(error, -ENOSPC, "more rules than there is room for");
	}
	if (has_limit && spec->limit < 1) {
		return vrms_error_set(error, -ERANGE, "limit of %d: must be at least 1",
				      spec->limit);
	}
	if (spec->score < -SCORE_MAX || spec->score > SCORE_MAX) {
		return vrms_error_set(error, -ERANGE, "score of %" PRId64 ": must be within +-%d",
				      spec->score, SCORE_MAX);
	}
	if (spec->kind == VRMS_RULE_SPREAD && find_domain(model, spec->domain) < 0) {
		return vrms_error_set(error, -ENOENT, "no node is in a domain of kind '%s'",
				      spec->domain);
	}
	return 0;
}

/* Members are sets: a VM or node named twice counts once. */
static int add_members(struct vrms_model *model, const int *members, int count)
{
	int first = model->member_count;

	model->stamp++;
	for (int i = 0; i < count; i++) {
		if (model->mark[members[i]] != model->stamp) {
			model->mark[members[i]] = model->stamp;
			model->member[model->member_count++] = members[i];
		}
	}
	return model->member_count - first;
}

int vrms_model_add_rule(struct vrms_model *model, const struct vrms_rule_spec *spec,
			struct vrms_error *error)
{
	int rc = check_rule(model, spec, error);
	struct vrms_rule *rule = &model->rule[model->rule_count];
	const char *kept;

	assert(!model->sealed);
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "rule '%s'", spec->name);
	}
	kept = keep_name(model, spec->name);
	if (kept == NULL) {
		return names_full("rule", spec->name, error);
	}
	*rule = (struct vrms_rule){
	    .kind = spec->kind,
	    .soft = spec->soft,
	    .name = kept,
	    .domain = spec->kind == VRMS_RULE_SPREAD ? find_domain(model, spec->domain) : -1,
	    .limit = spec->limit,
	    .score = spec->score,
	    .vm_first = model->member_count,
	};
	rule->vm_count = add_members(model, spec->vms, spec->vm_count);
	rule->node_first = model->member_count;
	rule->node_count = add_members(model, spec->nodes, spec->node_count);
	model->rule_count++;
	return 0;
}

int vrms_model_seal(struct vrms_model *model, struct vrms_error *error)
{
	int rc;

	assert(!model->sealed);
	rc = vrms_rules_check(model, error);
	if (rc == 0) {
		rc = vrms_units_build(model, error);
	}
	model->sealed = rc == 0;
	return rc;
}
