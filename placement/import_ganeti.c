/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ganeti's text format, as htools(1) documents it for its text backend.
 *
 * Sections end at an empty line: groups, nodes, instances, cluster tags, policies;
 * fields are separated by '|'.  What becomes what:
 *   node       memory and cpu; capacity is the total, "other" what is used by neither
 *              the instances here nor counted as free; offline Y: failed
 *   group      domain "group"; node tags under an htools:nlocation:X: domain X
 *   instance   disk template drbd: may run on its two nodes; plain, file: stays where it is;
 *              others (shared, ext, rbd, diskless ...): anywhere in the group
 *   tags       htools:iextags:X: instances with the same tag X:... are kept apart where possible;
 *              htools:desiredlocation:X: prefer nodes with the instance's tag X:...
 *   policy     the first vcpu ratio is the overcommit of cpu
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"
#include "placement/ganeti.h"

enum { DIM_MEMORY = 0, DIM_CPU = 1 };
enum section { GROUPS, NODES, INSTANCES, TAGS, POLICIES };

/* The ratio of virtual to physical cpus that htools assumes where no policy says one. */
enum { DEFAULT_VCPU_PERMILLE = 4000 };

static int fail(const struct vrms_ganeti *reader, int rc, struct vrms_error *error)
{
	return vrms_draft_fail(reader->draft, reader->line, rc, error);
}

static void split(struct vrms_ganeti *reader, char *line)
{
	char *rest = line, *part;

	reader->field_count = 0;
	while (reader->field_count < VRMS_GANETI_FIELDS && (part = strsep(&rest, "|")) != NULL) {
		reader->field[reader->field_count++] = part;
	}
}

static int need(const struct vrms_ganeti *reader, int count, const char *what,
		struct vrms_error *error)
{
	if (reader->field_count < count) {
		vrms_error_set(error, -EINVAL, "%s with %d fields: needs at least %d", what,
			       reader->field_count, count);
		return fail(reader, -EINVAL, error);
	}
	return 0;
}

static int number(const struct vrms_ganeti *reader, int field, const char *what, int64_t *ret,
		  struct vrms_error *error)
{
	int rc = vrms_int_parse(reader->field[field], 0, VRMS_AMOUNT_MAX, ret, error);

	if (rc < 0) {
		vrms_error_wrap(error, rc, "'%s': %s", reader->field[0], what);
		return fail(reader, rc, error);
	}
	return 0;
}

/* Appends to an array of texts that runs beside one of the draft. */
static int note(struct vrms_ganeti *reader, const char ***array, int index, const char *text)
{
	const char **bigger = reallocarray(*array, (size_t)index + 1, sizeof(**array));

	if (bigger == NULL) {
		return -ENOMEM;
	}
	*array = bigger;
	bigger[index] = vrms_draft_keep(reader->draft, text);
	return bigger[index] == NULL ? -ENOMEM : 0;
}

static int read_group(struct vrms_ganeti *reader, struct vrms_error *error)
{
	int rc = need(reader, 2, "group", error);

	if (rc == 0) {
		rc = note(reader, &reader->group_name, reader->group_count, reader->field[0]);
	}
	if (rc == 0) {
		rc = note(reader, &reader->group_uuid, reader->group_count, reader->field[1]);
	}
	reader->group_count += rc == 0;
	return rc;
}

static const char *find_group(const struct vrms_ganeti *reader, const char *uuid)
{
	for (int i = 0; i < reader->group_count; i++) {
		if (strcmp(reader->group_uuid[i], uuid) == 0) {
			return reader->group_name[i];
		}
	}
	return NULL;
}

/* The amounts of a node line; memory that nobody accounts for is filled in after the instances. */
static int read_node(struct vrms_ganeti *reader, struct vrms_error *error)
{
	struct vrms_draft *draft = reader->draft;
	struct vrms_draft_node *node;
	int64_t total, own, left, cpus, own_cpus = 0;
	const char *group;
	int rc = need(reader, 9, "node", error);

	/* A '?' stands for what an offline node could not tell. */
	for (int i = 1; i <= 6 && rc == 0; i++) {
		if (strcmp(reader->field[i], "?") == 0) {
			reader->field[i][0] = '0';
		}
	}
	if (rc < 0 || (rc = number(reader, 1, "total memory", &total, error)) < 0 ||
	    (rc = number(reader, 2, "memory of the node", &own, error)) < 0 ||
	    (rc = number(reader, 3, "free memory", &left, error)) < 0 ||
	    (rc = number(reader, 6, "cpus", &cpus, error)) < 0 ||
	    (reader->field_count > 13 && reader->field[13][0] != '\0' &&
	     (rc = number(reader, 13, "cpus of the node", &own_cpus, error)) < 0)) {
		return rc;
	}
	group = find_group(reader, reader->field[8]);
	if (group == NULL) {
		vrms_error_set(error, -EINVAL, "node '%s': unknown group '%s'", reader->field[0],
			       reader->field[8]);
		return fail(reader, -EINVAL, error);
	}
	node = vrms_draft_add_node(draft);
	if (node == NULL || note(reader, &reader->node_group, draft->node_count - 1, group) < 0 ||
	    note(reader, &reader->node_tags, draft->node_count - 1,
		 reader->field_count > 10 ? reader->field[10] : "") < 0) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	node->name = vrms_draft_keep(draft, reader->field[0]);
	node->line = reader->line;
	node->state = reader->field[7][0] == 'Y' ? VRMS_NODE_OFFLINE : VRMS_NODE_ONLINE;
	node->capacity[DIM_MEMORY] = total;
	/* Used by somebody; the instances' share is taken off as they are read. */
	node->other[DIM_MEMORY] = node->state == VRMS_NODE_OFFLINE ? own : total - left;
	node->capacity[DIM_CPU] = cpus;
	node->other[DIM_CPU] = own_cpus;
	node->kind[0] = "group";
	node->value[0] = reader->node_group[draft->node_count - 1];
	node->domain_count = 1;
	return node->name == NULL ? -ENOMEM : 0;
}

static struct vrms_draft_node *find_node(const struct vrms_ganeti *reader, const char *name)
{
	for (int n = 0; n < reader->draft->node_count; n++) {
		if (strcmp(reader->draft->node[n].name, name) == 0) {
			return &reader->draft->node[n];
		}
	}
	return NULL;
}

static bool is_any_of(const char *text, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (strcmp(text, *words) == 0) {
			return true;
		}
	}
	return false;
}

/* Where the instance's disks allow it to run: its two nodes, or those of its group. */
static int add_disk_rule(struct vrms_ganeti *reader, const char *vm, const char *disks,
			 const char *primary, const char *secondary)
{
	struct vrms_draft *draft = reader->draft;
	struct vrms_draft_rule *rule = vrms_draft_add_rule(draft);
	const struct vrms_draft_node *home = find_node(reader, primary);
	int rc = rule == NULL ? -ENOMEM : 0;

	if (rc < 0) {
		return rc;
	}
	rule->name = strcmp(disks, "drbd") == 0 ? "drbd disks" : "node group";
	rule->line = reader->line;
	rule->spec.kind = VRMS_RULE_ALLOW;
	rc = vrms_draft_list_add(draft, &rule->vms, vm);
	if (strcmp(disks, "drbd") == 0) {
		rc = rc < 0 ? rc : vrms_draft_list_add(draft, &rule->nodes, primary);
		return rc < 0 || secondary[0] == '\0'
			   ? rc
			   : vrms_draft_list_add(draft, &rule->nodes, secondary);
	}
	for (int n = 0; n < draft->node_count && rc == 0 && home != NULL; n++) {
		if (strcmp(draft->node[n].value[0], home->value[0]) == 0) {
			rc = vrms_draft_list_add(draft, &rule->nodes, draft->node[n].name);
		}
	}
	return rc;
}

static int check_home(const struct vrms_ganeti *reader, const char *what, const char *node,
		      struct vrms_error *error)
{
	if (find_node(reader, node) == NULL) {
		vrms_error_set(error, -EINVAL, "vm '%s': unknown %s node '%s'", reader->field[0],
			       what, node);
		return fail(reader, -EINVAL, error);
	}
	return 0;
}

static int add_instance(struct vrms_ganeti *reader, int64_t memory, int64_t cpus)
{
	static const char *const local_disks[] = {"plain", "file", NULL};
	struct vrms_draft *draft = reader->draft;
	struct vrms_draft_vm *vm = vrms_draft_add_vm(draft);
	struct vrms_draft_node *home = find_node(reader, reader->field[6]);
	const char *disks = reader->field[8];

	if (vm == NULL || note(reader, &reader->vm_tags, draft->vm_count - 1,
			       reader->field_count > 9 ? reader->field[9] : "") < 0) {
		return -ENOMEM;
	}
	vm->name = vrms_draft_keep(draft, reader->field[0]);
	vm->host = home->name;
	vm->line = reader->line;
	vm->spec.demand[DIM_MEMORY] = memory;
	vm->spec.demand[DIM_CPU] = cpus;
	vm->spec.pinned = is_any_of(disks, local_disks);
	if (home->state != VRMS_NODE_OFFLINE) {
		home->other[DIM_MEMORY] -= memory;
	}
	return vm->name == NULL ? -ENOMEM
	       : vm->spec.pinned
		   ? 0
		   : add_disk_rule(reader, vm->name, disks, reader->field[6], reader->field[7]);
}

static int read_instance(struct vrms_ganeti *reader, struct vrms_error *error)
{
	static const char *const down[] = {"ADMIN_down", "ADMIN_offline", "USER_down", NULL};
	int64_t memory, cpus;
	int rc = need(reader, 9, "instance", error);

	if (rc < 0 || (rc = number(reader, 1, "memory", &memory, error)) < 0 ||
	    (rc = number(reader, 3, "vcpus", &cpus, error)) < 0 ||
	    (rc = check_home(reader, "primary", reader->field[6], error)) < 0 ||
	    (reader->field[7][0] != '\0' &&
	     (rc = check_home(reader, "secondary", reader->field[7], error)) < 0)) {
		return rc;
	}
	if (is_any_of(reader->field[4], down)) {
		return 0; /* is down on purpose and uses nothing */
	}
	rc = add_instance(reader, memory, cpus);
	return rc < 0 ? vrms_error_set(error, rc, "out of memory") : 0;
}

/* Whole thousandths of a ratio such as "4.0". */
static int read_policy(struct vrms_ganeti *reader, struct vrms_error *error)
{
	char *end;
	double ratio;
	int rc = need(reader, 5, "policy", error);

	if (rc < 0 || reader->ratio_known) {
		return rc;
	}
	ratio = strtod(reader->field[4], &end);
	if (end == reader->field[4] || *end != '\0' || !(ratio >= 0.001 && ratio <= 100)) {
		vrms_error_set(error, -EINVAL, "vcpu ratio '%s': must be 0.001 to 100",
			       reader->field[4]);
		return fail(reader, -EINVAL, error);
	}
	reader->draft->permille[DIM_CPU] = (int64_t)(ratio * 1000 + 0.5);
	reader->ratio_known = true;
	return 0;
}

static int read_line(struct vrms_ganeti *reader, enum section section, char *line,
		     struct vrms_error *error)
{
	if (section == TAGS) {
		return vrms_ganeti_read_tag(reader, line, error);
	}
	split(reader, line);
	switch (section) {
	case GROUPS:
		return read_group(reader, error);
	case NODES:
		return read_node(reader, error);
	case INSTANCES:
		return read_instance(reader, error);
	default:
		return read_policy(reader, error);
	}
}

static int read_lines(struct vrms_ganeti *reader, char *text, struct vrms_error *error)
{
	enum section section = GROUPS;
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		int rc;

		reader->line++;
		line[strcspn(line, "\r")] = '\0';
		if (line[0] == '\0') {
			section += section < POLICIES;
			continue;
		}
		rc = read_line(reader, section, line, error);
		if (rc < 0) {
			return rc;
		}
	}
	if (section < INSTANCES) {
		vrms_error_set(error, -EINVAL,
			       "ends before its instances: cut off, or not a cluster state");
		return fail(reader, -EINVAL, error);
	}
	return 0;
}

/* Lines say nothing about how many follow, but the last one has an end. */
static int check_end(const struct vrms_draft *draft, const char *text, struct vrms_error *error)
{
	size_t length = strlen(text);
	int line = 1;

	if (text[length - 1] == '\n') {
		return 0;
	}
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++) {
		line++;
	}
	vrms_error_set(error, -EINVAL, "cut off: the line has no end");
	return vrms_draft_fail(draft, line, -EINVAL, error);
}

int vrms_import_ganeti(struct vrms_draft *draft, const char *text, struct vrms_error *error)
{
	struct vrms_ganeti reader = {.draft = draft};
	char *copy VRMS_CLEANUP(vrms_freep) = strdup(text);
	int rc = copy == NULL ? -ENOMEM : vrms_draft_dim(draft, "memory", 0, error);

	if (rc >= 0) {
		rc = vrms_draft_dim(draft, "cpu", 0, error);
		draft->permille[DIM_CPU] = DEFAULT_VCPU_PERMILLE;
	}
	rc = rc < 0 ? rc : check_end(draft, text, error);
	if (rc >= 0) {
		rc = read_lines(&reader, copy, error);
	}
	if (rc >= 0) {
		rc = vrms_ganeti_apply_tags(&reader);
	}
	for (int n = 0; n < draft->node_count; n++) {
		int64_t *other = &draft->node[n].other[DIM_MEMORY];

		*other = *other > 0 ? *other : 0; /* ballooned guests: more is free than adds up */
	}
	free(reader.node_tags);
	free(reader.vm_tags);
	free(reader.node_group);
	free(reader.group_name);
	free(reader.group_uuid);
	return rc < 0 ? rc : 0;
}
