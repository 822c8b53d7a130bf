/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Location and colocation constraints as rules.
 *
 * What cannot be a rule here (expressions on dates, roles, order, constraints with clones or
 * with resources that are not VMs) is left to Pacemaker, which obeys it whatever the plan
 * says.
 */
#include <errno.h>
#include <regex.h>
#include <string.h>

#include "placement/cib.h"
#include "placement/cib_steer.h"

enum { SCORE_INFINITY = 1000000 };

static bool is_vm(const struct vrms_cib *cib, const char *name)
{
	return vrms_names_find(&cib->vms, name) >= 0;
}

static bool is_node(const struct vrms_cib *cib, const char *name)
{
	for (int n = 0; n < cib->draft->node_count; n++) {
		if (strcmp(cib->draft->node[n].name, name) == 0) {
			return true;
		}
	}
	return false;
}

static struct vrms_draft_rule *add_rule(const struct vrms_cib *cib, const xmlNode *constraint,
					enum vrms_rule_kind kind)
{
	struct vrms_draft_rule *rule = vrms_draft_add_rule(cib->draft);

	if (rule == NULL) {
		return NULL;
	}
	rule->name = vrms_cib_get(cib, constraint, "id");
	rule->name = rule->name == NULL ? "constraint without id" : rule->name;
	rule->line = vrms_cib_line(constraint);
	rule->spec.kind = kind;
	rule->spec.limit = 1;
	return rule;
}

static void drop_rule(const struct vrms_cib *cib)
{
	struct vrms_draft_rule *rule = &cib->draft->rule[--cib->draft->rule_count];

	free(rule->vms.name);
	free(rule->nodes.name);
	*rule = (struct vrms_draft_rule){0};
}

/* The VM that the resource is, or whose group it is in; NULL: none. */
static const char *vm_of(const struct vrms_cib *cib, const char *name)
{
	if (is_vm(cib, name)) {
		return name;
	}
	for (xmlNode *group = vrms_cib_child(cib->resources, "group"); group != NULL;
	     group = vrms_cib_next(group, "group")) {
		for (xmlNode *at = vrms_cib_child(group, "primitive"); at != NULL;
		     at = vrms_cib_next(at, "primitive")) {
			if (vrms_cib_is(at, "id", name)) {
				const char *id = vrms_cib_get(cib, group, "id");

				return id != NULL && is_vm(cib, id) ? id : NULL;
			}
		}
	}
	return NULL;
}

/* A name comes once, even if two members of a group are meant. */
static int add_once(const struct vrms_cib *cib, struct vrms_draft_list *list, const char *vm)
{
	for (int i = 0; i < list->count; i++) {
		if (strcmp(list->name[i], vm) == 0) {
			return 0;
		}
	}
	return vrms_draft_list_add(cib->draft, list, vm);
}

/* Those of the tag of that id, or made from the template of that id. */
static int add_many(const struct vrms_cib *cib, struct vrms_draft_list *list, const char *name)
{
	int rc = 0;

	for (xmlNode *tag = vrms_cib_child(cib->tags, "tag"); tag != NULL;
	     tag = vrms_cib_next(tag, "tag")) {
		for (xmlNode *ref = vrms_cib_child(tag, "obj_ref");
		     rc == 0 && ref != NULL && vrms_cib_is(tag, "id", name);
		     ref = vrms_cib_next(ref, "obj_ref")) {
			const char *id = vrms_cib_get(cib, ref, "id");
			const char *vm = id == NULL ? NULL : vm_of(cib, id);

			rc = vm == NULL ? 0 : add_once(cib, list, vm);
		}
	}
	for (xmlNode *at = vrms_cib_child(cib->resources, "primitive"); rc == 0 && at != NULL;
	     at = vrms_cib_next(at, "primitive")) {
		const char *id = vrms_cib_get(cib, at, "id");

		if (vrms_cib_is(at, "template", name) && id != NULL && is_vm(cib, id)) {
			rc = add_once(cib, list, id);
		}
	}
	return rc;
}

/* Adds the VM of that id, or those that a tag or template of that id stands for; others are not
 * ours.
 */
static int add_vm(const struct vrms_cib *cib, struct vrms_draft_list *list, const char *name)
{
	const char *vm = name == NULL ? NULL : vm_of(cib, name);

	return name == NULL ? 0 : vm != NULL ? add_once(cib, list, vm) : add_many(cib, list, name);
}

/* The resources whose ids match; a '!' before it means those that do not. */
static int add_matching(const struct vrms_cib *cib, struct vrms_draft_list *list,
			const xmlNode *constraint, const char *pattern)
{
	bool inverted = pattern[0] == '!';
	regex_t expression;
	int rc = 0;

	if (regcomp(&expression, pattern + inverted, REG_EXTENDED | REG_NOSUB) != 0) {
		vrms_error_set(cib->error, -EINVAL, "constraint '%s': rsc-pattern '%s'",
			       vrms_cib_get(cib, constraint, "id"), pattern);
		return vrms_cib_fail(cib, constraint, -EINVAL);
	}
	for (int v = 0; v < cib->draft->vm_count && rc == 0; v++) {
		const char *name = cib->draft->vm[v].name;

		if ((regexec(&expression, name, 0, NULL, 0) == 0) != inverted) {
			rc = add_once(cib, list, name);
		}
	}
	regfree(&expression);
	return rc;
}

/* The VMs of rsc="..." and of all resource sets of a constraint. */
static int add_vms(const struct vrms_cib *cib, struct vrms_draft_list *list,
		   const xmlNode *constraint)
{
	const char *pattern = vrms_cib_peek(constraint, "rsc-pattern");
	int rc = pattern != NULL ? add_matching(cib, list, constraint, pattern)
				 : add_vm(cib, list, vrms_cib_get(cib, constraint, "rsc"));

	for (xmlNode *set = vrms_cib_child(constraint, "resource_set"); set != NULL && rc == 0;
	     set = vrms_cib_next(set, "resource_set")) {
		for (xmlNode *ref = vrms_cib_child(set, "resource_ref"); ref != NULL && rc == 0;
		     ref = vrms_cib_next(ref, "resource_ref")) {
			rc = add_vm(cib, list, vrms_cib_get(cib, ref, "id"));
		}
	}
	return rc;
}

/* One location with a plain node and score. */
static int locate(const struct vrms_cib *cib, const xmlNode *constraint, const char *node,
		  int64_t score)
{
	struct vrms_draft_rule *rule;
	int rc;

	if (node == NULL || !is_node(cib, node)) {
		vrms_error_set(cib->error, -EINVAL, "constraint '%s': unknown node '%s'",
			       vrms_cib_get(cib, constraint, "id"), node == NULL ? "" : node);
		return vrms_cib_fail(cib, constraint, -EINVAL);
	}
	rule =
	    add_rule(cib, constraint, score <= -SCORE_INFINITY ? VRMS_RULE_DENY : VRMS_RULE_PREFER);
	rc = rule == NULL ? -ENOMEM : add_vms(cib, &rule->vms, constraint);
	if (rc == 0) {
		rule->spec.score = rule->spec.kind == VRMS_RULE_PREFER ? score : 0;
		rc = vrms_draft_list_add(cib->draft, &rule->nodes, node);
	}
	if (rc == 0 && rule->vms.count == 0) {
		drop_rule(cib);
	}
	return rc == -ENOMEM ? vrms_error_set(cib->error, rc, "out of memory") : rc;
}

/* A rule: its score counts on each node for which it holds. */
static int locate_by_rule(const struct vrms_cib *cib, const xmlNode *constraint,
			  const xmlNode *rule)
{
	const char *id = vrms_cib_get(cib, constraint, "id");
	int64_t score;
	int rc = vrms_cib_score(cib, rule, &score);

	for (xmlNode *node = vrms_cib_child(cib->nodes, "node"); rc == 0 && node != NULL;
	     node = vrms_cib_next(node, "node")) {
		bool holds = false;

		rc = vrms_cib_peek(rule, "score-attribute") != NULL
			 ? -ENOTSUP
			 : vrms_cib_rule_holds(cib, rule, node, &holds);
		if (rc == 0 && holds) {
			rc = locate(cib, constraint, vrms_cib_get(cib, node, "uname"), score);
		}
	}
	if (rc != -ENOTSUP) {
		return rc;
	}
	vrms_draft_note(cib->draft, vrms_cib_line(rule),
			"constraint '%s': a rule with dates, roles or scores from attributes",
			id == NULL ? "" : id);
	return 0;
}

static int read_location(const struct vrms_cib *cib, const xmlNode *constraint)
{
	const char *id = vrms_cib_get(cib, constraint, "id");
	int64_t score;
	int rc;

	/* What was planned before must not pin down what is planned now. */
	if (id != NULL && (strncmp(id, VRMS_CIB_PREFIX, strlen(VRMS_CIB_PREFIX)) == 0 ||
			   strncmp(id, VRMS_CIB_MOVE_PREFIX, strlen(VRMS_CIB_MOVE_PREFIX)) == 0)) {
		return 0;
	}
	for (xmlNode *rule = vrms_cib_child(constraint, "rule"); rule != NULL;
	     rule = vrms_cib_next(rule, "rule")) {
		rc = locate_by_rule(cib, constraint, rule);
		if (rc < 0) {
			return rc;
		}
	}
	rc = vrms_cib_score(cib, constraint, &score);
	return rc < 0 || vrms_cib_child(constraint, "rule") != NULL
		   ? rc
		   : locate(cib, constraint, vrms_cib_get(cib, constraint, "node"), score);
}

static bool is_domain(const struct vrms_cib *cib, const char *kind)
{
	for (int n = 0; n < cib->draft->node_count; n++) {
		const struct vrms_draft_node *node = &cib->draft->node[n];

		for (int i = 0; i < node->domain_count; i++) {
			if (strcmp(node->kind[i], kind) == 0) {
				return true;
			}
		}
	}
	return false;
}

static int read_colocation(const struct vrms_cib *cib, const xmlNode *constraint)
{
	const char *domain = vrms_cib_get(cib, constraint, "node-attribute");
	struct vrms_draft_rule *rule;
	int64_t score;
	int rc = vrms_cib_score(cib, constraint, &score);

	if (rc < 0 || score == 0) {
		return rc;
	}
	domain = domain != NULL && strcmp(domain, "#uname") == 0 ? NULL : domain;
	if (score > 0 && domain != NULL) {
		return 0; /* together in one domain is not a rule here */
	}
	rule = add_rule(cib, constraint,
			score > 0        ? VRMS_RULE_TOGETHER
			: domain != NULL ? VRMS_RULE_SPREAD
					 : VRMS_RULE_APART);
	rc = rule == NULL ? -ENOMEM : add_vms(cib, &rule->vms, constraint);
	if (rc == 0) {
		rc = add_vm(cib, &rule->vms, vrms_cib_get(cib, constraint, "with-rsc"));
	}
	if (rc < 0) {
		return vrms_error_set(cib->error, rc, "out of memory");
	}
	if (domain != NULL && !is_domain(cib, domain)) {
		vrms_draft_note(cib->draft, vrms_cib_line(constraint),
				"constraint '%s': no node has the attribute '%s'", rule->name,
				domain);
		drop_rule(cib);
		return 0;
	}
	rule->spec.domain = domain;
	rule->spec.soft = score > -SCORE_INFINITY && score < SCORE_INFINITY;
	rule->spec.score = score > 0 ? score : -score;
	if (rule->vms.count < 2) {
		drop_rule(cib);
	}
	return 0;
}

/* Does some location speak for the VM on the node? */
static bool is_wanted(const struct vrms_draft *draft, int rules, const char *vm, const char *node)
{
	for (int r = 0; r < rules; r++) {
		const struct vrms_draft_rule *rule = &draft->rule[r];
		bool vm_named = false, node_named = false;

		for (int i = 0; rule->spec.kind == VRMS_RULE_PREFER && i < rule->vms.count; i++) {
			vm_named = vm_named || strcmp(rule->vms.name[i], vm) == 0;
		}
		for (int i = 0; vm_named && i < rule->nodes.count; i++) {
			node_named = node_named || strcmp(rule->nodes.name[i], node) == 0;
		}
		if (node_named && rule->spec.score >= 0) {
			return true;
		}
	}
	return false;
}

/* symmetric-cluster=false: a resource runs only where a location speaks for it. */
static int allow_only_wanted(const struct vrms_cib *cib)
{
	struct vrms_draft *draft = cib->draft;
	int rules = draft->rule_count;

	for (int v = 0; v < draft->vm_count; v++) {
		struct vrms_draft_rule *rule = vrms_draft_add_rule(draft);
		int rc = rule == NULL ? -ENOMEM
				      : vrms_draft_list_add(draft, &rule->vms, draft->vm[v].name);

		for (int n = 0; n < draft->node_count && rc == 0; n++) {
			if (is_wanted(draft, rules, draft->vm[v].name, draft->node[n].name)) {
				rc = vrms_draft_list_add(draft, &rule->nodes, draft->node[n].name);
			}
		}
		if (rc < 0) {
			return vrms_error_set(cib->error, rc, "out of memory");
		}
		rule->name = "symmetric-cluster=false";
		rule->line = draft->vm[v].line;
		rule->spec.kind = VRMS_RULE_ALLOW;
	}
	return 0;
}

int vrms_cib_rules(const struct vrms_cib *cib)
{
	int rc = 0;

	for (xmlNode *at = vrms_cib_child(cib->constraints, "rsc_location"); at != NULL && rc == 0;
	     at = vrms_cib_next(at, "rsc_location")) {
		rc = read_location(cib, at);
	}
	for (xmlNode *at = vrms_cib_child(cib->constraints, "rsc_colocation");
	     at != NULL && rc == 0; at = vrms_cib_next(at, "rsc_colocation")) {
		rc = read_colocation(cib, at);
	}
	return rc < 0 || cib->symmetric ? rc : allow_only_wanted(cib);
}
