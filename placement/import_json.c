/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The JSON state format, version 1; doc/examples/state.json shows all of it. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "placement/draft.h"

struct reader {
	struct vrms_draft *draft;
	const char *text;
	const char *cursor; /* in the text: the last name found */
	int cursor_line;
	const char *what; /* "node", "vm", "rule": the object at hand */
	const char *name;
	int line;
	struct vrms_error *error;
};

static int fail(const struct reader *reader, int rc)
{
	if (reader->name != NULL) {
		vrms_error_wrap(reader->error, rc, "%s '%s'", reader->what, reader->name);
	} else if (reader->what != NULL) {
		vrms_error_wrap(reader->error, rc, "%s", reader->what);
	}
	return vrms_draft_fail(reader->draft, reader->line, rc, reader->error);
}

static int out_of_memory(const struct reader *reader)
{
	return vrms_error_set(reader->error, -ENOMEM, "%s: out of memory", reader->draft->source);
}

/* Where the next object with "name": "..." stands, after the last one found; 0: not found.
 * Jansson keeps no positions of values.
 */
static int line_of_name(struct reader *reader, const char *name)
{
	static const char key[] = "\"name\"";
	size_t size = strlen(name);

	for (const char *at = strstr(reader->cursor, key); at != NULL; at = strstr(at, key)) {
		at += strlen(key);
		at += strspn(at, " \t\r\n:");
		if (*at != '"' || strncmp(at + 1, name, size) != 0 || at[1 + size] != '"') {
			continue;
		}
		for (; reader->cursor < at; reader->cursor++) {
			reader->cursor_line += *reader->cursor == '\n';
		}
		return reader->cursor_line;
	}
	return 0;
}

/* Every key must be known: a misspelt one would silently change the plan. */
static int check_keys(const struct reader *reader, json_t *object, const char *const *known)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object)) {
		vrms_error_set(reader->error, -EINVAL, "must be an object");
		return fail(reader, -EINVAL);
	}
	json_object_foreach(object, key, value)
	{
		size_t i = 0;

		while (known[i] != NULL && strcmp(known[i], key) != 0) {
			i++;
		}
		if (known[i] == NULL) {
			vrms_error_set(reader->error, -EINVAL, "unknown key '%s'", key);
			return fail(reader, -EINVAL);
		}
	}
	return 0;
}

/* Optional values: what is absent or null leaves *ret as it is. */
static int get_text(const struct reader *reader, json_t *object, const char *key, const char **ret)
{
	json_t *value = json_object_get(object, key);

	if (value == NULL || json_is_null(value)) {
		return 0;
	}
	if (!json_is_string(value)) {
		vrms_error_set(reader->error, -EINVAL, "%s: must be a text", key);
		return fail(reader, -EINVAL);
	}
	*ret = vrms_draft_keep(reader->draft, json_string_value(value));
	return *ret == NULL ? out_of_memory(reader) : 0;
}

static int get_whole(const struct reader *reader, json_t *object, const char *key, int64_t *ret)
{
	json_t *value = json_object_get(object, key);

	if (value == NULL || json_is_null(value)) {
		return 0;
	}
	if (!json_is_integer(value)) {
		vrms_error_set(reader->error, -EINVAL, "%s: must be a whole number", key);
		return fail(reader, -EINVAL);
	}
	*ret = json_integer_value(value);
	return 0;
}

static int get_truth(const struct reader *reader, json_t *object, const char *key, bool *ret)
{
	json_t *value = json_object_get(object, key);

	if (value == NULL || json_is_null(value)) {
		return 0;
	}
	if (!json_is_boolean(value)) {
		vrms_error_set(reader->error, -EINVAL, "%s: must be true or false", key);
		return fail(reader, -EINVAL);
	}
	*ret = json_is_true(value);
	return 0;
}

/* {"memory": 1, "cpu": 2}: a dimension that is not named is 0. */
static int get_amounts(const struct reader *reader, json_t *object, const char *key,
		       int64_t amounts[VRMS_DIM_MAX], uint32_t *ret_given)
{
	json_t *list = json_object_get(object, key), *value;
	const char *name;

	if (list == NULL || json_is_null(list)) {
		return 0;
	}
	if (!json_is_object(list)) {
		vrms_error_set(reader->error, -EINVAL, "%s: must be an object", key);
		return fail(reader, -EINVAL);
	}
	json_object_foreach(list, name, value)
	{
		int dim = 0;

		while (dim < reader->draft->dim_count &&
		       strcmp(reader->draft->dim_name[dim], name) != 0) {
			dim++;
		}
		if (dim == reader->draft->dim_count || !json_is_integer(value)) {
			vrms_error_set(reader->error, -EINVAL, "%s: '%s': %s", key, name,
				       json_is_integer(value) ? "unknown dimension"
							      : "must be a whole number");
			return fail(reader, -EINVAL);
		}
		amounts[dim] = json_integer_value(value);
		if (ret_given != NULL) {
			*ret_given |= 1u << dim;
		}
	}
	return 0;
}

/* Every object of a list has a name; sets what errors say from here on. */
static int get_name(struct reader *reader, json_t *object, const char *what, size_t index)
{
	int rc;

	reader->what = what;
	reader->name = NULL;
	reader->line = 0;
	rc = json_is_object(object) ? get_text(reader, object, "name", &reader->name) : 0;
	if (rc == 0 && reader->name == NULL) {
		vrms_error_set(reader->error, -EINVAL, "number %zu has no name", index + 1);
		return fail(reader, -EINVAL);
	}
	reader->line = rc == 0 ? line_of_name(reader, reader->name) : 0;
	return rc;
}

static int read_dimension(struct reader *reader, json_t *object, size_t index)
{
	static const char *const known[] = {"name", "overcommit", NULL};
	json_t *ratio = json_object_get(object, "overcommit");
	int rc = get_name(reader, object, "dimension", index), dim;

	if (rc < 0 || (rc = check_keys(reader, object, known)) < 0) {
		return rc;
	}
	dim = vrms_draft_dim(reader->draft, reader->name, reader->line, reader->error);
	if (dim < 0) {
		return dim;
	}
	if ((size_t)dim != index) {
		vrms_error_set(reader->error, -EINVAL, "declared twice");
		return fail(reader, -EINVAL);
	}
	if (ratio != NULL && (!json_is_number(ratio) || !(json_number_value(ratio) >= 0.001) ||
			      !(json_number_value(ratio) <= 100))) {
		vrms_error_set(reader->error, -ERANGE, "overcommit: must be 0.001 to 100");
		return fail(reader, -ERANGE);
	}
	reader->draft->permille[dim] =
	    ratio == NULL ? 1000 : (int64_t)(json_number_value(ratio) * 1000 + 0.5);
	return 0;
}

static int read_state(const struct reader *reader, json_t *object, enum vrms_node_state *ret)
{
	static const char *const names[] = {
	    [VRMS_NODE_ONLINE] = "online",
	    [VRMS_NODE_STANDBY] = "standby",
	    [VRMS_NODE_MAINTENANCE] = "maintenance",
	    [VRMS_NODE_OFFLINE] = "offline",
	};
	const char *text = "online";
	int rc = get_text(reader, object, "state", &text);

	for (size_t i = 0; rc == 0 && i < VRMS_COUNT_OF(names); i++) {
		if (strcmp(names[i], text) == 0) {
			*ret = (enum vrms_node_state)i;
			return 0;
		}
	}
	if (rc == 0) {
		vrms_error_set(reader->error, -EINVAL,
			       "state '%s': must be online, standby, maintenance or offline", text);
		rc = fail(reader, -EINVAL);
	}
	return rc;
}

static int read_domains(const struct reader *reader, json_t *list, struct vrms_draft_node *node)
{
	const char *kind;
	json_t *value;

	if (list != NULL && !json_is_object(list)) {
		vrms_error_set(reader->error, -EINVAL, "domains: must be an object");
		return fail(reader, -EINVAL);
	}
	json_object_foreach(list, kind, value)
	{
		if (!json_is_string(value) || node->domain_count == VRMS_DOMAIN_MAX) {
			vrms_error_set(reader->error, -EINVAL,
				       "domains: '%s': must be a text, and one of at most %d", kind,
				       VRMS_DOMAIN_MAX);
			return fail(reader, -EINVAL);
		}
		node->kind[node->domain_count] = vrms_draft_keep(reader->draft, kind);
		node->value[node->domain_count] =
		    vrms_draft_keep(reader->draft, json_string_value(value));
		if (node->kind[node->domain_count] == NULL ||
		    node->value[node->domain_count] == NULL) {
			return out_of_memory(reader);
		}
		node->domain_count++;
	}
	return 0;
}

static int read_node(struct reader *reader, json_t *object, size_t index)
{
	static const char *const known[] = {"name", "capacity", "other", "state", "domains", NULL};
	struct vrms_draft_node *node;
	int rc = get_name(reader, object, "node", index);

	if (rc < 0 || (rc = check_keys(reader, object, known)) < 0) {
		return rc;
	}
	node = vrms_draft_add_node(reader->draft);
	if (node == NULL) {
		return out_of_memory(reader);
	}
	node->name = reader->name;
	node->line = reader->line;
	rc = get_amounts(reader, object, "capacity", node->capacity, NULL);
	if (rc == 0) {
		rc = get_amounts(reader, object, "other", node->other, NULL);
	}
	if (rc == 0) {
		rc = read_state(reader, object, &node->state);
	}
	return rc < 0 ? rc : read_domains(reader, json_object_get(object, "domains"), node);
}

static int read_vm(struct reader *reader, json_t *object, size_t index)
{
	static const char *const known[] = {"name",           "host",     "demand",
					    "measured",       "priority", "pinned",
					    "live_migration", "dirty",    NULL};
	struct vrms_draft_vm *vm;
	struct vrms_vm_spec *spec;
	bool live = true;
	int rc = get_name(reader, object, "vm", index);

	if (rc < 0 || (rc = check_keys(reader, object, known)) < 0) {
		return rc;
	}
	vm = vrms_draft_add_vm(reader->draft);
	if (vm == NULL) {
		return out_of_memory(reader);
	}
	vm->name = reader->name;
	vm->line = reader->line;
	spec = &vm->spec;
	if ((rc = get_text(reader, object, "host", &vm->host)) < 0 ||
	    (rc = get_amounts(reader, object, "demand", spec->demand, NULL)) < 0 ||
	    (rc = get_amounts(reader, object, "measured", spec->measured, &spec->measured_bits)) <
		0 ||
	    (rc = get_whole(reader, object, "priority", &spec->priority)) < 0 ||
	    (rc = get_whole(reader, object, "dirty", &spec->dirty)) < 0 ||
	    (rc = get_truth(reader, object, "pinned", &spec->pinned)) < 0 ||
	    (rc = get_truth(reader, object, "live_migration", &live)) < 0) {
		return rc;
	}
	spec->cold = !live;
	return 0;
}

static int read_names(const struct reader *reader, json_t *object, const char *key,
		      struct vrms_draft_list *list)
{
	json_t *names = json_object_get(object, key), *value;
	size_t i;

	if (names != NULL && !json_is_array(names)) {
		vrms_error_set(reader->error, -EINVAL, "%s: must be a list of names", key);
		return fail(reader, -EINVAL);
	}
	json_array_foreach(names, i, value)
	{
		if (!json_is_string(value)) {
			vrms_error_set(reader->error, -EINVAL, "%s: must be a list of names", key);
			return fail(reader, -EINVAL);
		}
		if (vrms_draft_list_add(reader->draft, list, json_string_value(value)) < 0) {
			return out_of_memory(reader);
		}
	}
	return 0;
}

static int read_kind(const struct reader *reader, json_t *object, enum vrms_rule_kind *ret)
{
	static const char *const names[] = {
	    [VRMS_RULE_ALLOW] = "allow",   [VRMS_RULE_DENY] = "deny",
	    [VRMS_RULE_PREFER] = "prefer", [VRMS_RULE_TOGETHER] = "together",
	    [VRMS_RULE_APART] = "apart",   [VRMS_RULE_SPREAD] = "spread",
	};
	const char *text = "";
	int rc = get_text(reader, object, "type", &text);

	for (size_t i = 0; rc == 0 && i < VRMS_COUNT_OF(names); i++) {
		if (strcmp(names[i], text) == 0) {
			*ret = (enum vrms_rule_kind)i;
			return 0;
		}
	}
	if (rc == 0) {
		vrms_error_set(reader->error, -EINVAL,
			       "type '%s': must be allow, deny, prefer, together, apart or spread",
			       text);
		rc = fail(reader, -EINVAL);
	}
	return rc;
}

static int read_rule(struct reader *reader, json_t *object, size_t index)
{
	static const char *const known[] = {"name",  "type",  "vms",  "nodes", "domain",
					    "limit", "score", "soft", NULL};
	struct vrms_draft_rule *rule;
	int64_t limit = 1;
	int rc = get_name(reader, object, "rule", index);

	if (rc < 0 || (rc = check_keys(reader, object, known)) < 0) {
		return rc;
	}
	rule = vrms_draft_add_rule(reader->draft);
	if (rule == NULL) {
		return out_of_memory(reader);
	}
	rule->name = reader->name;
	rule->line = reader->line;
	if ((rc = read_kind(reader, object, &rule->spec.kind)) < 0 ||
	    (rc = read_names(reader, object, "vms", &rule->vms)) < 0 ||
	    (rc = read_names(reader, object, "nodes", &rule->nodes)) < 0 ||
	    (rc = get_text(reader, object, "domain", &rule->spec.domain)) < 0 ||
	    (rc = get_whole(reader, object, "limit", &limit)) < 0 ||
	    (rc = get_whole(reader, object, "score", &rule->spec.score)) < 0 ||
	    (rc = get_truth(reader, object, "soft", &rule->spec.soft)) < 0) {
		return rc;
	}
	if (rule->spec.kind == VRMS_RULE_SPREAD && rule->spec.domain == NULL) {
		vrms_error_set(reader->error, -EINVAL, "spread needs a domain");
		return fail(reader, -EINVAL);
	}
	rule->spec.limit = limit < 0 || limit > INT32_MAX ? 0 : (int)limit;
	return 0;
}

static int read_list(struct reader *reader, json_t *root, const char *key,
		     int (*read)(struct reader *, json_t *, size_t))
{
	json_t *list = json_object_get(root, key), *value;
	size_t i;

	if (list != NULL && !json_is_array(list)) {
		vrms_error_set(reader->error, -EINVAL, "%s: must be a list", key);
		return vrms_draft_fail(reader->draft, 0, -EINVAL, reader->error);
	}
	reader->cursor = reader->text;
	reader->cursor_line = 1;
	json_array_foreach(list, i, value)
	{
		int rc = read(reader, value, i);

		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

/* The last key before the place where the text broke off: what was being read. */
static void name_last_key(const struct reader *reader, const json_error_t *broken, int rc)
{
	size_t end = strlen(reader->text), size = 0;
	const char *key = NULL;

	end =
	    broken->position > 0 && (size_t)broken->position < end ? (size_t)broken->position : end;
	for (size_t at = 0; at < end; at++) {
		size_t close;

		if (reader->text[at] != '"') {
			continue;
		}
		close = at + 1;
		while (close < end && reader->text[close] != '"') {
			close += reader->text[close] == '\\' ? 2 : 1;
		}
		if (close < end &&
		    reader->text[close + 1 + strspn(&reader->text[close + 1], " \t\r\n")] == ':') {
			key = &reader->text[at + 1];
			size = close - at - 1;
		}
		at = close;
	}
	vrms_error_set(reader->error, rc, "%s", broken->text);
	if (key != NULL) {
		vrms_error_wrap(reader->error, rc, "after key '%.*s'", (int)size, key);
	}
	vrms_draft_fail(reader->draft, broken->line, rc, reader->error);
}

static int read_root(struct reader *reader, json_t *root)
{
	static const char *const known[] = {"version", "dimensions", "nodes", "vms",
					    "rules",   "comment",    NULL};
	int64_t version = 0;
	int rc = check_keys(reader, root, known);

	if (rc == 0) {
		rc = get_whole(reader, root, "version", &version);
	}
	if (rc == 0 && version != 1) {
		vrms_error_set(reader->error, -EINVAL, "version: must be 1");
		rc = fail(reader, -EINVAL);
	}
	if (rc < 0 || (rc = read_list(reader, root, "dimensions", read_dimension)) < 0 ||
	    (rc = read_list(reader, root, "nodes", read_node)) < 0 ||
	    (rc = read_list(reader, root, "vms", read_vm)) < 0) {
		return rc;
	}
	return read_list(reader, root, "rules", read_rule);
}

int vrms_import_json(struct vrms_draft *draft, const char *text, struct vrms_error *error)
{
	struct reader reader = {.draft = draft, .text = text, .error = error};
	json_error_t broken;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &broken);
	int rc;

	if (root == NULL) {
		name_last_key(&reader, &broken, -EINVAL);
		return -EINVAL;
	}
	rc = read_root(&reader, root);
	json_decref(root);
	return rc;
}
