/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "placement/ganeti.h"

enum { PREFER_SCORE = 100 };

int vrms_ganeti_read_tag(struct vrms_ganeti *reader, const char *line, struct vrms_error *error)
{
	static const char apart[] = "htools:iextags:", domain[] = "htools:nlocation:",
			  wish[] = "htools:desiredlocation:";
	struct {
		const char *prefix, **list;
		int *count;
	} const kinds[] = {{apart, reader->apart_tag, &reader->apart_count},
			   {domain, reader->domain_tag, &reader->domain_count},
			   {wish, reader->wish_tag, &reader->wish_count}};

	for (size_t i = 0; i < VRMS_COUNT_OF(kinds); i++) {
		size_t size = strlen(kinds[i].prefix);

		if (strncmp(line, kinds[i].prefix, size) == 0 &&
		    *kinds[i].count < VRMS_GANETI_TAGS) {
			const char *kept = vrms_draft_keep(reader->draft, line + size);

			if (kept == NULL) {
				return vrms_error_set(error, -ENOMEM, "out of memory");
			}
			kinds[i].list[(*kinds[i].count)++] = kept;
		}
	}
	return 0;
}

/* Calls `use` with each tag of a comma-separated list that begins with "prefix:". */
static int each_tag(const char *tags, const char *prefix,
		    int (*use)(struct vrms_ganeti *, const char *tag, size_t size, int index),
		    struct vrms_ganeti *reader, int index)
{
	size_t length = strlen(prefix);

	for (const char *tag = tags; *tag != '\0';) {
		size_t size = strcspn(tag, ",");

		if (size > length && strncmp(tag, prefix, length) == 0 && tag[length] == ':') {
			int rc = use(reader, tag, size, index);

			if (rc < 0) {
				return rc;
			}
		}
		tag += size + (tag[size] == ',');
	}
	return 0;
}

static bool has_tag(const char *tags, const char *tag)
{
	size_t length = strlen(tag);

	for (const char *at = tags; *at != '\0';) {
		size_t size = strcspn(at, ",");

		if (size == length && strncmp(at, tag, size) == 0) {
			return true;
		}
		at += size + (at[size] == ',');
	}
	return false;
}

static int add_domain(struct vrms_ganeti *reader, const char *tag, size_t size, int index)
{
	struct vrms_draft_node *node = &reader->draft->node[index];
	size_t colon = strcspn(tag, ":");
	const char *kind = vrms_draft_keep_part(reader->draft, tag, colon);
	const char *value = vrms_draft_keep_part(reader->draft, tag, size);

	if (kind == NULL || value == NULL) {
		return -ENOMEM;
	}
	for (int i = 0; i < node->domain_count; i++) {
		if (strcmp(node->kind[i], kind) == 0) {
			return 0; /* the first one counts */
		}
	}
	if (node->domain_count < VRMS_DOMAIN_MAX) {
		node->kind[node->domain_count] = kind;
		node->value[node->domain_count++] = value;
	}
	return 0;
}

/* Instances that share an exclusion tag: told once, by the first that has it. */
static int add_apart(struct vrms_ganeti *reader, const char *tag, size_t size, int index)
{
	struct vrms_draft *draft = reader->draft;
	const char *name = vrms_draft_keep_part(draft, tag, size);
	struct vrms_draft_rule *rule;
	int rc = 0;

	for (int v = 0; name != NULL && v < index; v++) {
		if (has_tag(reader->vm_tags[v], name)) {
			return 0;
		}
	}
	rule = name == NULL ? NULL : vrms_draft_add_rule(draft);
	if (rule == NULL) {
		return -ENOMEM;
	}
	rule->name = name;
	rule->line = draft->vm[index].line;
	rule->spec = (struct vrms_rule_spec){.kind = VRMS_RULE_APART, .soft = true, .limit = 1};
	for (int v = index; v < draft->vm_count && rc == 0; v++) {
		if (has_tag(reader->vm_tags[v], name)) {
			rc = vrms_draft_list_add(draft, &rule->vms, draft->vm[v].name);
		}
	}
	return rc;
}

static int add_wish(struct vrms_ganeti *reader, const char *tag, size_t size, int index)
{
	struct vrms_draft *draft = reader->draft;
	const char *name = vrms_draft_keep_part(draft, tag, size);
	struct vrms_draft_rule *rule = name == NULL ? NULL : vrms_draft_add_rule(draft);
	int rc;

	if (rule == NULL) {
		return -ENOMEM;
	}
	rule->name = name;
	rule->line = draft->vm[index].line;
	rule->spec = (struct vrms_rule_spec){.kind = VRMS_RULE_PREFER, .score = PREFER_SCORE};
	rc = vrms_draft_list_add(draft, &rule->vms, draft->vm[index].name);
	for (int n = 0; n < draft->node_count && rc == 0; n++) {
		if (has_tag(reader->node_tags[n], name)) {
			rc = vrms_draft_list_add(draft, &rule->nodes, draft->node[n].name);
		}
	}
	return rc;
}

int vrms_ganeti_apply_tags(struct vrms_ganeti *reader)
{
	const struct vrms_draft *draft = reader->draft;
	int rc = 0;

	for (int i = 0; i < reader->domain_count; i++) {
		for (int n = 0; n < draft->node_count && rc == 0; n++) {
			rc = each_tag(reader->node_tags[n], reader->domain_tag[i], add_domain,
				      reader, n);
		}
	}
	for (int i = 0; i < reader->apart_count; i++) {
		for (int v = 0; v < draft->vm_count && rc == 0; v++) {
			rc = each_tag(reader->vm_tags[v], reader->apart_tag[i], add_apart, reader,
				      v);
		}
	}
	for (int i = 0; i < reader->wish_count; i++) {
		for (int v = 0; v < draft->vm_count && rc == 0; v++) {
			rc = each_tag(reader->vm_tags[v], reader->wish_tag[i], add_wish, reader, v);
		}
	}
	return rc;
}
