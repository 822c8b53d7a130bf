/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/cluster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#include "backup/cluster_xml.h"
#include "common/child.h"

enum { ASK_MS = 30000 };

struct vrms_cluster {
	xmlDocPtr cib, state;
	char *node;
	char *found; /* last answers, ours */
	char *active_on;
	char *managed;
};

static int ask(const char *const *argv, char **ret_text, struct vrms_error *error)
{
	struct vrms_child_spec spec = {.argv = argv, .timeout_ms = ASK_MS};
	struct vrms_child_result result = {0};
	int rc = vrms_child_run(&spec, &result, error);

	if (rc == 0 && result.exit_code != 0) {
		rc =
		    vrms_error_set(error, -ENOTCONN, "%s: exit code %d", argv[0], result.exit_code);
	}
	if (rc == 0) {
		*ret_text = VRMS_TAKE(result.output);
	}
	vrms_child_result_done(&result);
	return rc == -ENOENT ? vrms_error_set(error, -ENOTCONN, "no %s on this host", argv[0]) : rc;
}

int vrms_cluster_open(struct vrms_cluster **ret_cluster, struct vrms_error *error)
{
	char *cib VRMS_CLEANUP(vrms_freep) = NULL;
	char *state VRMS_CLEANUP(vrms_freep) = NULL;
	char *node VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = ask((const char *const[]){"crm_node", "--name", NULL}, &node, error);

	if (rc == 0) {
		node[strcspn(node, "\n")] = '\0';
		rc = ask((const char *const[]){"cibadmin", "--query", NULL}, &cib, error);
	}
	if (rc == 0) {
		rc = ask((const char *const[]){"crm_mon", "--one-shot", "--output-as=xml",
					       "--inactive", NULL},
			 &state, error);
	}
	return rc < 0 ? rc : vrms_cluster_parse(cib, state, node, ret_cluster, error);
}

int vrms_cluster_parse(const char *cib, const char *state, const char *node,
		       struct vrms_cluster **ret_cluster, struct vrms_error *error)
{
	struct vrms_cluster *cluster VRMS_CLEANUP(vrms_cluster_closep) =
	    calloc(1, sizeof(*cluster));
	int rc;

	if (cluster == NULL || (cluster->node = strdup(node)) == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = vrms_cluster_xml_read(cib, "cib", &cluster->cib, error);
	if (rc == 0) {
		rc = vrms_cluster_xml_read(state, "pacemaker-result", &cluster->state, error);
	}
	if (rc == 0) {
		*ret_cluster = VRMS_TAKE(cluster);
	}
	return rc;
}

void vrms_cluster_close(struct vrms_cluster *cluster)
{
	if (cluster != NULL) {
		xmlFreeDoc(cluster->cib);
		xmlFreeDoc(cluster->state);
		free(cluster->node);
		free(cluster->found);
		free(cluster->active_on);
		free(cluster->managed);
		free(cluster);
	}
}

const char *vrms_cluster_node(const struct vrms_cluster *cluster)
{
	return cluster->node;
}

/* Keeps a text that libxml2 made, so that it can be lent. */
static const char *lend(char **place, char *text)
{
	free(*place);
	*place = text;
	return text;
}

static bool is_quorum(const struct vrms_cluster *cluster, const char *word)
{
	char *text VRMS_CLEANUP(vrms_freep) =
	    vrms_cluster_xml_text(cluster->state, "string(//summary/current_dc/@with_quorum)",
				  NULL);

	return text != NULL && strcmp(text, word) == 0;
}

bool vrms_cluster_has_quorum(const struct vrms_cluster *cluster)
{
	return is_quorum(cluster, "true");
}

bool vrms_cluster_lacks_quorum(const struct vrms_cluster *cluster)
{
	return is_quorum(cluster, "false");
}

bool vrms_cluster_is_coordinator(const struct vrms_cluster *cluster)
{
	char *text VRMS_CLEANUP(vrms_freep) =
	    vrms_cluster_xml_text(cluster->state, "string(//summary/current_dc/@name)", NULL);

	return text != NULL && strcmp(text, cluster->node) == 0;
}

const char *vrms_cluster_resource(const struct vrms_cluster *cluster, const char *vm)
{
	struct vrms_cluster *own = (struct vrms_cluster *)(uintptr_t)cluster;

	return lend(&own->found, vrms_cluster_xml_find_vm(cluster->cib, vm));
}

const char *vrms_cluster_active_on(const struct vrms_cluster *cluster, const char *resource)
{
	struct vrms_cluster *own = (struct vrms_cluster *)(uintptr_t)cluster;

	return lend(&own->active_on,
		    vrms_cluster_xml_text(
			cluster->state,
			"string(//resources//resource[@id=$id and @active='true']/node/@name)",
			resource));
}

const char *vrms_cluster_managed(const struct vrms_cluster *cluster, const char *resource)
{
	struct vrms_cluster *own = (struct vrms_cluster *)(uintptr_t)cluster;

	return lend(&own->managed,
		    vrms_cluster_xml_text(cluster->cib,
					  "string(//primitive[@id=$id]/meta_attributes/"
					  "nvpair[@name='is-managed']/@value)",
					  resource));
}

int vrms_cluster_config(const struct vrms_cluster *cluster, const char *vm, const char *resource,
			char **ret_text, struct vrms_error *error)
{
	return vrms_cluster_xml_extract(cluster->cib, vm, resource, ret_text, error);
}

static int tell(const char *const *argv, struct vrms_error *error)
{
	struct vrms_child_spec spec = {.argv = argv, .timeout_ms = 3 * ASK_MS};

	return vrms_child_check(&spec, error);
}

int vrms_cluster_hold(const char *resource, struct vrms_error *error)
{
	int rc = tell((const char *const[]){"crm_resource", "--resource", resource, "--meta",
					    "--set-parameter", "is-managed", "--parameter-value",
					    "false", NULL},
		      error);

	return rc < 0
		   ? rc
		   : tell((const char *const[]){"crm_resource", "--wait", "--timeout", "60s", NULL},
			  error);
}

int vrms_cluster_release(const char *resource, const char *managed, struct vrms_error *error)
{
	return managed == NULL
		   ? tell((const char *const[]){"crm_resource", "--resource", resource, "--meta",
						"--delete-parameter", "is-managed", NULL},
			  error)
		   : tell((const char *const[]){"crm_resource", "--resource", resource, "--meta",
						"--set-parameter", "is-managed",
						"--parameter-value", managed, NULL},
			  error);
}

/* A section at once, so that Pacemaker sees the old or the new one. */
static int put_section(xmlDocPtr doc, const char *section, struct vrms_error *error)
{
	char path[64];
	char *text VRMS_CLEANUP(vrms_freep) = NULL;

	snprintf(path, sizeof(path), "/vrms-cluster-config/%s[*]", section);
	text = vrms_cluster_xml_dump(doc, path);
	if (text == NULL) {
		return 0; /* it has none */
	}
	return tell((const char *const[]){"cibadmin", "--modify", "--allow-create", "--scope",
					  section, "--xml-text", text, NULL},
		    error);
}

int vrms_cluster_put_config(const char *text, bool *ret_says_managed, struct vrms_error *error)
{
	xmlDocPtr doc = NULL;
	char *managed VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_cluster_xml_read(text, "vrms-cluster-config", &doc, error);

	if (rc == 0) {
		rc = put_section(doc, "resources", error);
	}
	if (rc == 0) {
		rc = put_section(doc, "constraints", error);
	}
	if (rc == 0) {
		managed = vrms_cluster_xml_text(doc,
						"string(//primitive/meta_attributes/"
						"nvpair[@name='is-managed']/@value)",
						NULL);
		*ret_says_managed = managed != NULL;
	}
	xmlFreeDoc(doc);
	return rc < 0 ? vrms_error_wrap(error, rc, "cluster configuration") : 0;
}
