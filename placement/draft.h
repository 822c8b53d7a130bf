/* draft.h - what an importer has read, names not yet resolved; becomes a model.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_DRAFT_H
#define VRMS_PLACEMENT_DRAFT_H

#include "placement/import.h"
#include "placement/model.h"

struct vrms_draft_node {
	const char *name;
	int line;
	int64_t capacity[VRMS_DIM_MAX], other[VRMS_DIM_MAX];
	enum vrms_node_state state;
	const char *kind[VRMS_DOMAIN_MAX], *value[VRMS_DOMAIN_MAX];
	int domain_count;
};

struct vrms_draft_vm {
	const char *name, *host; /* host NULL: runs nowhere */
	int line;
	struct vrms_vm_spec spec; /* but for name and host */
};

struct vrms_draft_list { /* of names */
	const char **name;
	int count;
};

struct vrms_draft_rule {
	const char *name;
	int line;
	struct vrms_rule_spec spec; /* but for name, vms and nodes */
	struct vrms_draft_list vms, nodes;
};

struct vrms_draft {
	const char *source; /* file name for errors */
	const char *dim_name[VRMS_DIM_MAX];
	int64_t permille[VRMS_DIM_MAX];
	int dim_count;
	struct vrms_draft_node *node;
	struct vrms_draft_vm *vm;
	struct vrms_draft_rule *rule;
	int node_count, vm_count, rule_count;
	struct vrms_import_notes *notes; /* or NULL */
	struct vrms_draft_text *texts;   /* everything kept, freed together */
};

void vrms_draft_init(struct vrms_draft *draft, const char *source);
void vrms_draft_done(struct vrms_draft *draft);

/* A copy that lives as long as the draft; NULL when out of memory. */
const char *vrms_draft_keep(struct vrms_draft *draft, const char *text);
/* Likewise of the first `size` bytes. */
const char *vrms_draft_keep_part(struct vrms_draft *draft, const char *text, size_t size);

/* Index of a dimension, added (with overcommit 1000) when it is new; -ENOSPC or -ENOMEM. */
int vrms_draft_dim(struct vrms_draft *draft, const char *name, int line, struct vrms_error *error);

/* Room for one more, zeroed; valid until the next call.  NULL when out of memory. */
struct vrms_draft_node *vrms_draft_add_node(struct vrms_draft *draft);
struct vrms_draft_vm *vrms_draft_add_vm(struct vrms_draft *draft);
struct vrms_draft_rule *vrms_draft_add_rule(struct vrms_draft *draft);
VRMS_MUST_CHECK int vrms_draft_list_add(struct vrms_draft *draft, struct vrms_draft_list *list,
					const char *name);

/* Resolves all names, builds and seals the model.  Errors begin with "source:line: ". */
VRMS_MUST_CHECK int vrms_draft_build(const struct vrms_draft *draft, struct vrms_model **ret_model,
				     struct vrms_error *error);

/* Notes what is left out, with "source:line: " before it. */
void vrms_draft_note(const struct vrms_draft *draft, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "source:line: " before the text that is in error; returns rc. */
int vrms_draft_fail(const struct vrms_draft *draft, int line, int rc, struct vrms_error *error);

/* The importers; text is NUL-terminated. */
VRMS_MUST_CHECK int vrms_import_json(struct vrms_draft *draft, const char *text,
				     struct vrms_error *error);
VRMS_MUST_CHECK int vrms_import_cib(struct vrms_draft *draft, const char *text,
				    struct vrms_error *error);
VRMS_MUST_CHECK int vrms_import_ganeti(struct vrms_draft *draft, const char *text,
				       struct vrms_error *error);

#endif
