/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which hard rules contradict each other, whatever the load. */
#include <errno.h>
#include <string.h>

#include "placement/classes.h"

enum { SMALL_SETS_UP_TO = 3, SMALL_SETS_OF_RULES = 40 };

struct check {
	const struct vrms_model *model;
	struct vrms_classes classes;
	bool *off;       /* [rule] left out of this look */
	int *seen;       /* [vm] root -> how many members the rule has in it */
	int *roots;      /* the distinct roots of one rule */
	int *seat_of;    /* [root's place] matching: the domain value it got, -1: none */
	int *taken;      /* [value] how many sit there */
	int seated;      /* how many roots are in the matching so far */
	bool *tried;     /* [values] in this search for a place */
	const char *why; /* what a contradiction amounts to */
	int vm;          /* and for whom */
};

static void check_done(struct check *check)
{
	vrms_classes_done(&check->classes);
	free(check->off);
	free(check->seen);
	free(check->roots);
	free(check->seat_of);
	free(check->taken);
	free(check->tried);
}

static int check_init(struct check *check, const struct vrms_model *model)
{
	size_t vms = (size_t)model->vm_count + 1, nodes = (size_t)model->node_count + 1;

	*check = (struct check){.model = model};
	check->off = calloc((size_t)model->rule_count + 1, sizeof(bool));
	check->seen = calloc(vms, sizeof(int));
	check->roots = calloc(vms, sizeof(int));
	check->seat_of = calloc(vms, sizeof(int));
	check->taken = calloc(nodes, sizeof(int));
	check->tried = calloc(nodes, sizeof(bool));
	if (check->off == NULL || check->seen == NULL || check->roots == NULL ||
	    check->seat_of == NULL || check->taken == NULL || check->tried == NULL) {
		return -ENOMEM;
	}
	return vrms_classes_init(&check->classes, model);
}

static bool set_is_empty(const uint64_t *set, int words)
{
	uint64_t any = 0;

	for (int w = 0; w < words; w++) {
		any |= set[w];
	}
	return any == 0;
}

static bool every_class_has_a_node(struct check *check)
{
	for (int vm = 0; vm < check->model->vm_count; vm++) {
		const uint64_t *set = vrms_classes_set(&check->classes, vm);

		if (set != NULL && set_is_empty(set, check->classes.words)) {
			check->why = "leave no node for vm";
			check->vm = vm;
			return false;
		}
	}
	return true;
}

/* Collects the distinct roots of a rule; false when one class has more members than the limit. */
static bool collect_roots(struct check *check, const struct vrms_rule *rule, int *ret_count)
{
	bool fits = true;
	int count = 0;

	for (int i = 0; i < rule->vm_count; i++) {
		int vm = check->model->member[rule->vm_first + i];
		int root = vrms_classes_root(&check->classes, vm);

		if (check->seen[root]++ == 0) {
			check->roots[count++] = root;
		}
		if (check->seen[root] > rule->limit) {
			check->why = "keep together and apart vm";
			check->vm = vm;
			fits = false;
		}
	}
	for (int i = 0; i < count; i++) {
		check->seen[check->roots[i]] = 0;
	}
	*ret_count = count;
	return fits;
}

/* May the class run on some node of the domain value?  Value -1: on a node in no domain. */
static bool reaches(const struct check *check, const struct vrms_rule *rule, int root, int value)
{
	const struct vrms_model *model = check->model;
	const uint64_t *set = vrms_classes_set(&check->classes, root);

	if (rule->domain < 0) {
		return value >= 0 && (set == NULL || vrms_set_has(set, value));
	}
	for (int n = 0; n < model->node_count; n++) {
		if (model->node_value[n * VRMS_DOMAIN_MAX + rule->domain] == value &&
		    (set == NULL || vrms_set_has(set, n))) {
			return true;
		}
	}
	return false;
}

static bool may_sit(struct check *check, const struct vrms_rule *rule, int index, int value)
{
	return !check->tried[value] && reaches(check, rule, check->roots[index], value);
}

/* Augmenting path of bipartite matching (Kuhn): seats a class, moving others if it must. */
static bool seat(struct check *check, const struct vrms_rule *rule, int values, int index)
{
	for (int value = 0; value < values; value++) {
		if (check->taken[value] < rule->limit && may_sit(check, rule, index, value)) {
			check->taken[value]++;
			check->seat_of[index] = value;
			return true;
		}
	}
	for (int value = 0; value < values; value++) {
		if (!may_sit(check, rule, index, value)) {
			continue;
		}
		check->tried[value] = true;
		for (int other = 0; other < check->seated; other++) {
			if (check->seat_of[other] == value && other != index &&
			    seat(check, rule, values, other)) {
				check->seat_of[index] = value;
				return true;
			}
		}
	}
	return false;
}

static bool members_have_seats(struct check *check, const struct vrms_rule *rule, int count)
{
	const struct vrms_model *model = check->model;
	int values = rule->domain < 0 ? model->node_count : model->value_count[rule->domain];

	memset(check->taken, 0, (size_t)values * sizeof(int));
	for (check->seated = 0; check->seated < count; check->seated++) {
		int root = check->roots[check->seated];

		check->seat_of[check->seated] = -1;
		memset(check->tried, 0, (size_t)values * sizeof(bool));
		if (!(rule->domain >= 0 && reaches(check, rule, root, -1)) &&
		    !seat(check, rule, values, check->seated)) {
			check->why = "leave too few places for vm";
			check->vm = root;
			return false;
		}
	}
	return true;
}

/* Do the rules that are not off allow any placement, load aside? */
static bool consistent(struct check *check)
{
	const struct vrms_model *model = check->model;

	vrms_classes_build(&check->classes, model, check->off);
	if (!every_class_has_a_node(check)) {
		return false;
	}
	for (int r = 0; r < model->rule_count; r++) {
		const struct vrms_rule *rule = &model->rule[r];
		int count;

		if (check->off[r] || rule->soft ||
		    (rule->kind != VRMS_RULE_APART && rule->kind != VRMS_RULE_SPREAD)) {
			continue;
		}
		if (!collect_roots(check, rule, &count) ||
		    !members_have_seats(check, rule, count)) {
			return false;
		}
	}
	return true;
}

/* Leaves out ever smaller runs of rules for as long as the rest still contradicts. */
static void shrink(struct check *check)
{
	int count = check->model->rule_count;

	for (int run = count / 2 > 0 ? count / 2 : 1; run > 0; run /= 2) {
		for (int first = 0; first < count; first += run) {
			int last = first + run < count ? first + run : count;
			bool any = false;

			for (int r = first; r < last; r++) {
				any = any || !check->off[r];
			}
			if (!any || run == count) {
				continue;
			}
			bool *kept = malloc((size_t)run * sizeof(bool));

			if (kept == NULL) {
				return; /* a larger set than need be is still true */
			}
			memcpy(kept, &check->off[first], (size_t)(last - first));
			memset(&check->off[first], true, (size_t)(last - first));
			if (consistent(check)) {
				memcpy(&check->off[first], kept, (size_t)(last - first));
			}
			free(kept);
		}
	}
}

static int count_on(const struct check *check)
{
	int on = 0;

	for (int r = 0; r < check->model->rule_count; r++) {
		on += !check->off[r];
	}
	return on;
}

/* Turns on `left` more rules from `first` up so that they contradict. */
static bool find_small(struct check *check, int first, int left)
{
	if (left == 0) {
		return !consistent(check);
	}
	for (int r = first; r < check->model->rule_count; r++) {
		if (check->model->rule[r].soft || check->model->rule[r].kind == VRMS_RULE_PREFER) {
			continue;
		}
		check->off[r] = false;
		if (find_small(check, r + 1, left - 1)) {
			return true;
		}
		check->off[r] = true;
	}
	return false;
}

/* A set none can leave may still be larger than another: try all the small ones. */
static void find_smaller(struct check *check, int on)
{
	int count = check->model->rule_count;
	bool *found = malloc((size_t)count * sizeof(bool));

	if (found == NULL) {
		return;
	}
	memcpy(found, check->off, (size_t)count * sizeof(bool));
	for (int size = 1; size < on && size <= SMALL_SETS_UP_TO; size++) {
		memset(check->off, true, (size_t)count * sizeof(bool));
		if (find_small(check, 0, size)) {
			free(found);
			return;
		}
	}
	memcpy(check->off, found, (size_t)count * sizeof(bool));
	free(found);
}

/* Appends as much of the text as there is room for. */
static void append(char *list, size_t size, const char *text)
{
	size_t used = strlen(list), more = strlen(text);

	more = more < size - used - 1 ? more : size - used - 1;
	memcpy(list + used, text, more);
	list[used + more] = '\0';
}

static int name_them(struct check *check, struct vrms_error *error)
{
	const struct vrms_model *model = check->model;
	char list[320] = "";

	for (int r = 0; r < model->rule_count; r++) {
		if (!check->off[r]) {
			append(list, sizeof(list), list[0] == '\0' ? "'" : ", '");
			append(list, sizeof(list), model->rule[r].name);
			append(list, sizeof(list), "'");
		}
	}
	(void)consistent(check); /* the reason that goes with just these rules */
	return vrms_error_set(error, -EDEADLK, "rules contradict each other: %s %s '%s'", list,
			      check->why, vrms_model_vm_name(model, check->vm));
}

int vrms_rules_check(const struct vrms_model *model, struct vrms_error *error)
{
	struct check check;
	int rc = check_init(&check, model);

	if (rc < 0) {
		vrms_error_set(error, rc, "out of memory for %d rules", model->rule_count);
	} else if (!consistent(&check)) {
		shrink(&check);
		if (model->rule_count <= SMALL_SETS_OF_RULES) {
			find_smaller(&check, count_on(&check));
		}
		rc = name_them(&check, error);
	}
	check_done(&check);
	return rc;
}
