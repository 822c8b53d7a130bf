/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A live or saved CIB ("cibadmin -Q").
 *
 * VMs of the model are the primitives outside clones that are VM agents or have
 * utilization, and groups with such members as a whole; utilization of everything
 * else counts as other load where it runs.
 */
#include <errno.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <string.h>

#include "common/parse.h"
#include "placement/cib.h"

/* Node attributes that name a failure domain. */
static const char *const domain_kinds[] = {"rack", "room", "site", "zone", "row", "chassis"};

static bool is_vm_agent(const xmlNode *primitive)
{
	return vrms_cib_is(primitive, "type", "VirtualMachine") ||
	       vrms_cib_is(primitive, "type", "VirtualDomain") ||
	       vrms_cib_is(primitive, "type", "Xen");
}

/* In a status section, nodes without a state have never been seen: offline. */
static bool is_online(const struct vrms_cib *cib, const char *name)
{
	xmlNode *state = vrms_cib_child(cib->status, "node_state");

	if (state == NULL) {
		return true; /* a configuration without a status: all are meant to be there */
	}
	for (; state != NULL; state = vrms_cib_next(state, "node_state")) {
		if (vrms_cib_is(state, "uname", name)) {
			return vrms_cib_is(state, "crmd", "online") &&
			       !vrms_cib_is(state, "in_ccm", "false") &&
			       !vrms_cib_is(state, "in_ccm", "0");
		}
	}
	return false;
}

static enum vrms_node_state state_of(const struct vrms_cib *cib, const xmlNode *node,
				     const char *name)
{
	const char *standby = vrms_cib_nvpair(cib, node, "instance_attributes", "standby");
	const char *maintenance = vrms_cib_nvpair(cib, node, "instance_attributes", "maintenance");

	standby = standby != NULL ? standby : vrms_cib_transient(cib, node, "standby");

	if (!is_online(cib, name)) {
		return VRMS_NODE_OFFLINE;
	}
	if (cib->maintenance || vrms_cib_is_true(maintenance, false)) {
		return VRMS_NODE_MAINTENANCE;
	}
	/* "standby" may also be a lifetime such as "reboot"; any that is not false counts. */
	return standby != NULL && vrms_cib_is_true(standby, true) ? VRMS_NODE_STANDBY
								  : VRMS_NODE_ONLINE;
}

/* The node's domain of a kind, unless that is known already. */
static void read_domain(const struct vrms_cib *cib, const xmlNode *element,
			struct vrms_draft_node *node, const char *kind)
{
	const char *value = vrms_cib_nvpair(cib, element, "instance_attributes", kind);

	for (int i = 0; i < node->domain_count; i++) {
		if (strcmp(node->kind[i], kind) == 0) {
			return;
		}
	}
	if (value != NULL && node->domain_count < VRMS_DOMAIN_MAX) {
		node->kind[node->domain_count] = kind;
		node->value[node->domain_count++] = value;
	}
}

static int read_node(const struct vrms_cib *cib, const xmlNode *element)
{
	struct vrms_draft_node *node;

	node = vrms_draft_add_node(cib->draft);
	if (node == NULL) {
		return vrms_error_set(cib->error, -ENOMEM, "out of memory");
	}
	node->line = vrms_cib_line(element);
	node->name = vrms_cib_get(cib, element, "uname");
	if (node->name == NULL) {
		vrms_error_set(cib->error, -EINVAL, "a node has no uname");
		return vrms_cib_fail(cib, element, -EINVAL);
	}
	node->state = state_of(cib, element, node->name);
	for (size_t i = 0; i < VRMS_COUNT_OF(domain_kinds); i++) {
		read_domain(cib, element, node, domain_kinds[i]);
	}
	/* And whatever a constraint calls one. */
	for (xmlNode *at = vrms_cib_child(cib->constraints, "rsc_colocation"); at != NULL;
	     at = vrms_cib_next(at, "rsc_colocation")) {
		const char *kind = vrms_cib_get(cib, at, "node-attribute");

		if (kind != NULL && kind[0] != '#') {
			read_domain(cib, element, node, kind);
		}
	}
	return vrms_cib_utilization(cib, element, node->capacity);
}

static const xmlNode *find_template(const struct vrms_cib *cib, const xmlNode *primitive)
{
	const char *name = vrms_cib_get(cib, primitive, "template");
	xmlNode *template = vrms_cib_child(cib->resources, "template");

	while (template != NULL && name != NULL && !vrms_cib_is(template, "id", name)) {
		template = vrms_cib_next(template, "template");
	}
	return name == NULL ? NULL : template;
}

/* A meta attribute of the resource, its template, or the defaults. */
static const char *meta(const struct vrms_cib *cib, const xmlNode *resource, const char *name)
{
	const char *value = vrms_cib_nvpair(cib, resource, "meta_attributes", name);

	if (value == NULL) {
		value = vrms_cib_nvpair(cib, find_template(cib, resource), "meta_attributes", name);
	}
	return value != NULL ? value : vrms_cib_nvpair(cib, cib->defaults, "meta_attributes", name);
}

static int sum_utilization(const struct vrms_cib *cib, const xmlNode *resource,
			   int64_t amounts[VRMS_DIM_MAX])
{
	int rc = vrms_cib_utilization(cib, resource, amounts);

	if (rc == 0 && vrms_cib_child(resource, "utilization") == NULL) {
		rc = vrms_cib_utilization(cib, find_template(cib, resource), amounts);
	}
	for (xmlNode *member = vrms_cib_child(resource, "primitive"); member != NULL && rc == 0;
	     member = vrms_cib_next(member, "primitive")) {
		rc = sum_utilization(cib, member, amounts);
	}
	return rc;
}

static bool is_needed(const int64_t amounts[VRMS_DIM_MAX])
{
	for (int d = 0; d < VRMS_DIM_MAX; d++) {
		if (amounts[d] != 0) {
			return true;
		}
	}
	return false;
}

/* A primitive or a group that the plan may place. */
static int read_vm(const struct vrms_cib *cib, const xmlNode *resource)
{
	const xmlNode *first = vrms_cib_child(resource, "primitive");
	const char *role = meta(cib, resource, "target-role"), *priority, *name, *host;
	struct vrms_vm_spec spec = {.host = VRMS_NODE_NONE};
	struct vrms_draft_vm *vm;
	int rc = sum_utilization(cib, resource, spec.demand);

	first = first != NULL ? first : resource;
	name = vrms_cib_get(cib, resource, "id");
	if (rc < 0 || name == NULL || (!is_needed(spec.demand) && !is_vm_agent(first))) {
		return rc;
	}
	host = vrms_cib_host(cib, vrms_cib_get(cib, first, "id"));
	if (role != NULL && strcasecmp(role, "Stopped") == 0 && host == NULL) {
		return 0; /* is meant to be down and uses nothing */
	}
	priority = meta(cib, resource, "priority");
	if (priority != NULL && strcmp(priority, "INFINITY") == 0) {
		spec.priority = 1000000;
	} else if (priority != NULL &&
		   vrms_int_parse(priority, INT32_MIN, INT32_MAX, &spec.priority, cib->error) < 0) {
		vrms_error_wrap(cib->error, -EINVAL, "vm '%s': priority", name);
		return vrms_cib_fail(cib, resource, -EINVAL);
	}
	spec.cold = !vrms_cib_is_true(meta(cib, first, "allow-migrate"), false);
	spec.pinned = host != NULL && !vrms_cib_is_true(meta(cib, resource, "is-managed"), true);
	vm = vrms_draft_add_vm(cib->draft);
	if (vm == NULL) {
		return vrms_error_set(cib->error, -ENOMEM, "out of memory");
	}
	*vm = (struct vrms_draft_vm){.name = name,
				     .host = host,
				     .line = vrms_cib_line(resource),
				     .spec = spec};
	return 0;
}

/* Every node that is up carries an instance of a clone: its utilization is not ours to place. */
static int read_clone(const struct vrms_cib *cib, const xmlNode *clone)
{
	int64_t amounts[VRMS_DIM_MAX] = {0};
	xmlNode *inner = vrms_cib_child(clone, "group");
	int rc = sum_utilization(cib, inner != NULL ? inner : clone, amounts);

	for (int n = 0; n < cib->draft->node_count; n++) {
		for (int d = 0; d < VRMS_DIM_MAX; d++) {
			cib->draft->node[n].other[d] += amounts[d];
		}
	}
	return rc;
}

/* So that constraints find them by name; a name that comes twice is reported by the model. */
static int index_vms(struct vrms_cib *cib)
{
	if (vrms_names_init(&cib->vms, cib->draft->vm_count) < 0) {
		return vrms_error_set(cib->error, -ENOMEM, "out of memory");
	}
	for (int v = 0; v < cib->draft->vm_count; v++) {
		if (vrms_names_find(&cib->vms, cib->draft->vm[v].name) < 0) {
			vrms_names_add(&cib->vms, cib->draft->vm[v].name);
		}
	}
	return 0;
}

static int read_all(struct vrms_cib *cib)
{
	int rc = vrms_cib_read_status(cib);

	for (xmlNode *node = vrms_cib_child(cib->nodes, "node"); node != NULL && rc == 0;
	     node = vrms_cib_next(node, "node")) {
		rc = read_node(cib, node);
	}
	for (xmlNode *resource = cib->resources == NULL ? NULL : cib->resources->children;
	     resource != NULL && rc == 0; resource = resource->next) {
		const char *kind = (const char *)resource->name;

		if (resource->type != XML_ELEMENT_NODE) {
			continue;
		}
		if (strcmp(kind, "primitive") == 0 || strcmp(kind, "group") == 0) {
			rc = read_vm(cib, resource);
		} else if (strcmp(kind, "clone") == 0 || strcmp(kind, "master") == 0) {
			rc = read_clone(cib, resource);
		}
	}
	if (rc == 0) {
		rc = index_vms(cib);
	}
	return rc < 0 ? rc : vrms_cib_rules(cib);
}

static int open_cib(struct vrms_cib *cib, xmlNode *root)
{
	xmlNode *configuration = vrms_cib_child(root, "configuration");

	if (root == NULL || strcmp((const char *)root->name, "cib") != 0 || configuration == NULL) {
		vrms_error_set(cib->error, -EINVAL, "not a CIB: <%s> where <cib> is expected",
			       root == NULL ? "" : (const char *)root->name);
		return vrms_cib_fail(cib, root, -EINVAL);
	}
	cib->nodes = vrms_cib_child(configuration, "nodes");
	cib->resources = vrms_cib_child(configuration, "resources");
	cib->constraints = vrms_cib_child(configuration, "constraints");
	cib->tags = vrms_cib_child(configuration, "tags");
	cib->status = vrms_cib_child(root, "status");
	cib->config = vrms_cib_child(configuration, "crm_config");
	cib->defaults = vrms_cib_child(configuration, "rsc_defaults");
	cib->symmetric = vrms_cib_is_true(vrms_cib_nvpair(cib, cib->config, "cluster_property_set",
							  "symmetric-cluster"),
					  true);
	cib->maintenance = vrms_cib_is_true(
	    vrms_cib_nvpair(cib, cib->config, "cluster_property_set", "maintenance-mode"), false);
	return 0;
}

/* libxml2's message without its line feed. */
static int report_xml(const struct vrms_cib *cib)
{
	const xmlError *last = xmlGetLastError();
	const char *text = last == NULL || last->message == NULL ? "not XML" : last->message;

	vrms_error_set(cib->error, -EINVAL, "%.*s", (int)strcspn(text, "\n"), text);
	return vrms_draft_fail(cib->draft, last == NULL ? 0 : last->line, -EINVAL, cib->error);
}

int vrms_import_cib(struct vrms_draft *draft, const char *text, struct vrms_error *error)
{
	struct vrms_cib cib = {.draft = draft, .error = error};
	xmlDoc *document;
	int rc;

	if (strlen(text) > INT32_MAX) {
		return vrms_error_set(error, -EFBIG, "%s: larger than 2 GiB", draft->source);
	}
	document = xmlReadMemory(text, (int)strlen(text), draft->source, NULL,
				 XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NONET |
				     XML_PARSE_HUGE | XML_PARSE_BIG_LINES);
	if (document == NULL) {
		return report_xml(&cib);
	}
	rc = open_cib(&cib, xmlDocGetRootElement(document));
	if (rc == 0) {
		rc = read_all(&cib);
	}
	vrms_names_done(&cib.active);
	vrms_names_done(&cib.vms);
	free(cib.host);
	free(cib.past);
	xmlFreeDoc(document);
	return rc;
}
