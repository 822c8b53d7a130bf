/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Would a VM that runs leave its host for one of its list?  Then the lists must not be written. */
#include <errno.h>
#include <string.h>

#include "common/parse.h"
#include "placement/cib_edit.h"
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

int vrms_cib_check_stickiness(const struct vrms_cib_edit *edit, const struct vrms_model *model,
			      const struct vrms_failover *lists, struct vrms_error *error)
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
		rc = vm < 0 ? 0 : check_vm(model, lists, vm, score_of(own), error);
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}
