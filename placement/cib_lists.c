/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads back what cib_write.c has written. */
#include <errno.h>
#include <string.h>

#include "common/parse.h"
#include "placement/cib_edit.h"
#include "placement/cib_write.h"

/* The rank that a score stands for, or -1. */
static int rank_of(const xmlNode *location)
{
	const char *text = vrms_cib_peek(location, "score");
	int64_t score;

	if (text == NULL || vrms_int_parse(text, VRMS_CIB_SCORE_STEP,
					   VRMS_CIB_SCORE_STEP * VRMS_LIST_MAX, &score, NULL) < 0) {
		return -1;
	}
	return VRMS_LIST_MAX - (int)(score / VRMS_CIB_SCORE_STEP);
}

static void read_members(const xmlNode *location, const struct vrms_model *model, int node,
			 int rank, int *lists)
{
	xmlNode *set = vrms_cib_child(location, "resource_set");

	for (xmlNode *ref = vrms_cib_child(set, "resource_ref"); ref != NULL;
	     ref = vrms_cib_next(ref, "resource_ref")) {
		const char *name = vrms_cib_peek(ref, "id");
		int vm = name == NULL ? -ENOENT : vrms_model_find_vm(model, name);

		if (vm >= 0) {
			lists[(size_t)vm * VRMS_LIST_MAX + rank] = node;
		}
	}
}

/* Hosts that are gone leave holes. */
static void close_holes(const struct vrms_model *model, int *lists)
{
	for (int v = 0; v < vrms_model_vm_count(model); v++) {
		int *list = &lists[(size_t)v * VRMS_LIST_MAX], kept = 0;

		for (int i = 0; i < VRMS_LIST_MAX; i++) {
			if (list[i] >= 0) {
				list[kept++] = list[i];
			}
		}
		for (int i = kept; i < VRMS_LIST_MAX; i++) {
			list[i] = VRMS_NODE_NONE;
		}
	}
}

int vrms_cib_read_lists(const char *cib_text, const struct vrms_model *model, int *lists,
			struct vrms_error *error)
{
	struct vrms_cib_edit edit;
	int rc = vrms_cib_edit_open(&edit, cib_text, error);

	for (size_t i = 0; i < (size_t)vrms_model_vm_count(model) * VRMS_LIST_MAX; i++) {
		lists[i] = VRMS_NODE_NONE;
	}
	for (xmlNode *at =
		 vrms_cib_child(vrms_cib_child(edit.configuration, "constraints"), "rsc_location");
	     at != NULL; at = vrms_cib_next(at, "rsc_location")) {
		const char *name = vrms_cib_peek(at, "node");
		int node = name == NULL ? -ENOENT : vrms_model_find_node(model, name);

		if (vrms_cib_edit_begins(at, VRMS_CIB_PREFIX) && node >= 0 && rank_of(at) >= 0) {
			read_members(at, model, node, rank_of(at), lists);
		}
	}
	close_holes(model, lists);
	vrms_cib_edit_done(&edit);
	return rc;
}
