/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/cib_write.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "placement/cib_edit.h"

enum { STICKINESS = 1000 };

struct writer {
	struct vrms_cib_edit edit;
	const struct vrms_model *model;
	const struct vrms_failover *lists;
	const struct vrms_cib_write_config *config;
	struct vrms_error *error;
};

/* Rank of the node in the VM's list, 0 = first; -1 when it is not there. */
static int rank_of(const struct writer *writer, int vm, int node, int *ret_count)
{
	const int *list = vrms_failover_list(writer->lists, vm, ret_count);

	for (int i = 0; i < *ret_count; i++) {
		if (list[i] == node) {
			return i;
		}
	}
	return -1;
}

/* One constraint: all VMs that have the node at this rank (rank -1: that run there now). */
static void write_location(struct writer *writer, xmlNode *constraints, int node, int rank)
{
	const char *name = vrms_model_node_name(writer->model, node);
	xmlNode *location = NULL, *members = NULL;
	char id[256], score[16];

	for (int vm = 0; vm < vrms_model_vm_count(writer->model); vm++) {
		int count, found = rank_of(writer, vm, node, &count);
		bool here = vrms_model_vm_host(writer->model, vm) == node;

		if (count == 0 || (rank < 0 ? !here : found != rank)) {
			continue;
		}
		if (location == NULL) {
			snprintf(id, sizeof(id), "%s%s-%s%d", VRMS_CIB_PREFIX, name,
				 rank < 0 ? "host" : "rank", rank + 1);
			snprintf(score, sizeof(score), "%d",
				 rank < 0 ? 0 : VRMS_CIB_SCORE_STEP * (VRMS_LIST_MAX - rank));
			location = vrms_cib_edit_add(constraints, "rsc_location", id);
			vrms_cib_edit_set(location, "node", name);
			vrms_cib_edit_set(location, "score", score);
			if (writer->config->exclusive) {
				vrms_cib_edit_set(location, "resource-discovery", "exclusive");
			}
			snprintf(id, sizeof(id), "%s%s-%s%d-vms", VRMS_CIB_PREFIX, name,
				 rank < 0 ? "host" : "rank", rank + 1);
			members = vrms_cib_edit_add(location, "resource_set", id);
		}
		vrms_cib_edit_add(members, "resource_ref", vrms_model_vm_name(writer->model, vm));
	}
}

static void write_locations(struct writer *writer, xmlNode *constraints)
{
	for (int n = 0; n < vrms_model_node_count(writer->model); n++) {
		/* In exclusive mode the host itself has to be named too. */
		for (int rank = writer->config->exclusive ? -1 : 0; rank < VRMS_LIST_MAX; rank++) {
			write_location(writer, constraints, n, rank);
		}
	}
}

static void write_tag(struct writer *writer, xmlNode *constraints)
{
	xmlNode *tag = NULL;

	for (xmlNode *at = vrms_cib_child(constraints, "rsc_location"); at != NULL;
	     at = vrms_cib_next(at, "rsc_location")) {
		if (!vrms_cib_edit_begins(at, VRMS_CIB_PREFIX)) {
			continue;
		}
		if (tag == NULL) {
			tag = vrms_cib_edit_add(vrms_cib_edit_section(&writer->edit, "tags",
								      "alerts"),
						"tag", VRMS_CIB_PREFIX "tag");
		}
		vrms_cib_edit_add(tag, "obj_ref", vrms_cib_peek(at, "id"));
	}
}

/* Replaces our constraints and tag when they are not what they should be. */
static int write_lists(struct writer *writer)
{
	xmlNode *constraints =
	    vrms_cib_edit_section(&writer->edit, "constraints", "fencing-topology");
	char *before VRMS_CLEANUP(vrms_freep) = vrms_cib_edit_text_of(constraints, VRMS_CIB_PREFIX);
	char *after VRMS_CLEANUP(vrms_freep) = NULL;

	vrms_cib_edit_remove(constraints, VRMS_CIB_PREFIX);
	vrms_cib_edit_remove(vrms_cib_child(writer->edit.configuration, "tags"), VRMS_CIB_PREFIX);
	if (!writer->config->clear) {
		write_locations(writer, constraints);
		write_tag(writer, constraints);
	}
	after = vrms_cib_edit_text_of(constraints, VRMS_CIB_PREFIX);
	if (before == NULL || after == NULL) {
		return vrms_error_set(writer->error, -ENOMEM, "out of memory");
	}
	writer->edit.changed = writer->edit.changed || strcmp(before, after) != 0;
	return 0;
}

static void write_strategy(struct writer *writer)
{
	xmlNode *config = vrms_cib_edit_section(&writer->edit, "crm_config", "nodes");
	xmlNode *pair =
	    vrms_cib_edit_find_pair(config, "cluster_property_set", "placement-strategy");

	if (pair == NULL) {
		vrms_cib_edit_add_pair(config, "cluster_property_set", VRMS_CIB_PREFIX "properties",
				       "placement-strategy", "utilization");
	} else if (!vrms_cib_is(pair, "value", "utilization")) {
		vrms_cib_edit_set(pair, "value", "utilization");
	} else {
		return;
	}
	writer->edit.changed = true;
}

static void write_stickiness(struct writer *writer)
{
	xmlNode *defaults = vrms_cib_edit_section(&writer->edit, "rsc_defaults", NULL);
	char text[16];

	if (vrms_cib_edit_find_pair(defaults, "meta_attributes", "resource-stickiness") == NULL) {
		snprintf(text, sizeof(text), "%d", STICKINESS);
		vrms_cib_edit_add_pair(defaults, "meta_attributes", VRMS_CIB_PREFIX "defaults",
				       "resource-stickiness", text);
		writer->edit.changed = true;
	}
}

static int write_all(struct writer *writer)
{
	int rc = 0;

	if (!writer->config->clear) {
		write_stickiness(writer);
		write_strategy(writer);
		rc = vrms_cib_check_stickiness(&writer->edit, writer->model, writer->lists,
					       writer->error);
	}
	return rc < 0 ? rc : write_lists(writer);
}

int vrms_cib_write(const char *cib_text, const struct vrms_model *model,
		   const struct vrms_failover *lists, const struct vrms_cib_write_config *config,
		   char **ret_text, struct vrms_error *error)
{
	struct writer writer = {.model = model, .lists = lists, .config = config, .error = error};
	int rc = vrms_cib_edit_open(&writer.edit, cib_text, error);

	rc = rc < 0 ? rc : write_all(&writer);
	rc = rc < 0 ? rc : vrms_cib_edit_text(&writer.edit, ret_text, error);
	vrms_cib_edit_done(&writer.edit);
	return rc;
}
