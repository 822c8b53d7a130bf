/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stickiness: does a VM stay where it runs when lists are written, and where it was moved? */
#include <errno.h>
#include <string.h>

#include "common/parse.h"
#include "placement/cib_edit.h"
#include "placement/cib_steer.h"
#include "placement/cib_write.h"

enum { SCORE_INFINITY = 1000000 };

static int64_t score_of(const char *text)
{
	int64_t score;

	if (strcmp(text, "INFINITY") == 0 || strcmp(text, "+INFINITY") == 0) {
		return SCORE_INFINITY;
	}
	return vrms_int_parse(text, -SCORE_INFINITY, SCORE_INFINITY, &score, NULL) < 0 ? 0 : score;
}

/* The resource's own, or its template's; NULL: the default counts. */
static const char *own_stickiness(const struct vrms_cib_edit *edit, xmlNode *resource)
{
	xmlNode *pair = vrms_cib_edit_find_pair(resource, "meta_attributes", "resource-stickiness");
	const char *name = vrms_cib_peek(resource, "template");
	xmlNode *template =
	    vrms_cib_child(vrms_cib_child(edit->configuration, "resources"), "template");

	while (pair == NULL && name != NULL && template != NULL &&
	       !vrms_cib_is(template, "id", name)) {
		template = vrms_cib_next(template, "template");
	}
	if (pair == NULL && name != NULL) {
		pair = vrms_cib_edit_find_pair(template, "meta_attributes", "resource-stickiness");
	}
	return pair == NULL ? NULL : vrms_cib_peek(pair, "value");
}

static int check_vm(const struct vrms_model *model, const struct vrms_failover *lists, int vm,
		    int64_t stickiness, struct vrms_error *error)
{
	int host = vrms_model_vm_host(model, vm), count;
	const int *list = vrms_failover_list(lists, vm, &count);

	for (int i = 0; i < count && host >= 0 && stickiness < SCORE_INFINITY; i++) {
		int64_t pull = (int64_t)VRMS_CIB_SCORE_STEP * (VRMS_LIST_MAX - i) +
			       vrms_model_vm_like(model, vm, list[i]) -
			       vrms_model_vm_like(model, vm, host);

		if (stickiness <= pull) {
			return vrms_error_set(
			    error, -EINVAL,
			    "vm '%s': resource-stickiness of %lld: must be above %lld, or it would "
			    "leave '%s' for '%s' while it runs",
			    vrms_model_vm_name(model, vm), (long long)stickiness, (long long)pull,
			    vrms_model_node_name(model, host),
			    vrms_model_node_name(model, list[i]));
		}
	}
	return 0;
}

/* The value that counts for each VM of the model, in turn. */
static int each_vm(const struct vrms_cib_edit *edit, const struct vrms_model *model,
		   int (*check)(void *context, int vm, int64_t stickiness), void *context)
{
	xmlNode *defaults = vrms_cib_child(edit->configuration, "rsc_defaults");
	xmlNode *pair = vrms_cib_edit_find_pair(defaults, "meta_attributes", "resource-stickiness");
	const char *fallback = pair == NULL ? NULL : vrms_cib_peek(pair, "value");
	xmlNode *resources = vrms_cib_child(edit->configuration, "resources");

	for (xmlNode *at = resources == NULL ? NULL : resources->children; at != NULL;
	     at = at->next) {
		const char *id = at->type != XML_ELEMENT_NODE ? NULL : vrms_cib_peek(at, "id");
		int vm = id == NULL ? -ENOENT : vrms_model_find_vm(model, id), rc;
		const char *own = vm < 0 ? NULL : own_stickiness(edit, at);

		own = own != NULL ? own : fallback != NULL ? fallback : "0";
		rc = vm < 0 ? 0 : check(context, vm, score_of(own));
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

struct checker {
	const struct vrms_model *model;
	const struct vrms_failover *lists;
	const struct vrms_outcome *outcome;
	struct vrms_error *error;
};

static int check_listed(void *context, int vm, int64_t stickiness)
{
	const struct checker *checker = context;

	return check_vm(checker->model, checker->lists, vm, stickiness, checker->error);
}

static int check_moved(void *context, int vm, int64_t stickiness)
{
	const struct checker *checker = context;
	const struct vrms_model *model = checker->model;

	for (int i = 0; i < checker->outcome->move_count; i++) {
		const struct vrms_move *move = &checker->outcome->moves[i];
		int64_t pull;

		if (move->vm != vm || move->from < 0) {
			continue;
		}
		pull = vrms_model_vm_like(model, vm, move->from) -
		       vrms_model_vm_like(model, vm, move->to);
		pull = pull > 0 ? pull : 0;
		if (stickiness <= pull) {
			return vrms_error_set(
			    checker->error, -EINVAL,
			    "vm '%s': resource-stickiness of %lld: must be above %lld, or it would "
			    "go back to '%s' after its move; \"vrms plan --apply\" sets a default",
			    vrms_model_vm_name(model, vm), (long long)stickiness, (long long)pull,
			    vrms_model_node_name(model, move->from));
		}
	}
	return 0;
}

int vrms_cib_check_moves(const char *cib_text, const struct vrms_model *model,
			 const struct vrms_outcome *outcome, struct vrms_error *error)
{
	struct checker checker = {.model = model, .outcome = outcome, .error = error};
	struct vrms_cib_edit edit;
	int rc = vrms_cib_edit_open(&edit, cib_text, error);

	rc = rc < 0 ? rc : each_vm(&edit, model, check_moved, &checker);
	vrms_cib_edit_done(&edit);
	return rc;
}

int vrms_cib_check_stickiness(const struct vrms_cib_edit *edit, const struct vrms_model *model,
			      const struct vrms_failover *lists, struct vrms_error *error)
{
	struct checker checker = {.model = model, .lists = lists, .error = error};

	return each_vm(edit, model, check_listed, &checker);
}
