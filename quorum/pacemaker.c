/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/pacemaker.h"

#include <crm/cib.h>
#include <crm/common/ipc_controld.h>
#include <crm/common/xml.h>
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/domain_xml.h"
#include "common/file.h"
#include "quorum/cib_vms.h"
#include "quorum/vm_line.h"

enum { RETRY_MS = 500 };

/* Where a notification holds the change (source: libcib of Pacemaker 2.1). */
static const char PATCH_FIELD[] = "cib_update_result";

struct row {
	struct vrms_cib_vm vm;
	char domain[VRMS_FAULT_NAME_MAX]; /* "": not known */
	bool is_told;                     /* the main loop knows `vm` and `domain` */
	bool is_there;
	unsigned incident; /* the last one that the controller was told of */
};

struct vrms_pacemaker {
	int fd;
	cib_t *cib;
	bool is_signed_on;
	xmlNode *tree; /* a copy of the CIB; NULL: to be asked for */
	pcmk_ipc_api_t *controller;
	char node[VRMS_VM_RESOURCE_MAX]; /* this one's name; "": not known yet */
	bool is_retrying;
	GArray *rows; /* of struct row */
	guint next;   /* where the next resource is likely to be */
};

/* Pacemaker's notifications of the CIB carry no context, so there can be one only. */
static struct vrms_pacemaker *listener;

static gboolean on_connect_time(void *context);

static void put(struct vrms_pacemaker *pacemaker, const struct row *row,
		enum vrms_vm_word_kind kind, bool yes, const char *text)
{
	struct vrms_vm_word word = {.kind = kind, .yes = yes};

	if (row != NULL) {
		memcpy(word.domain, row->domain, sizeof(word.domain));
		word.resource = row->vm.resource;
	}
	snprintf(word.text, sizeof(word.text), "%s", text);
	/* Fails only when vrmsd is gone, and then this process ends. */
	(void)vrms_vm_line_send(pacemaker->fd, &word);
}

/* ---- resources */

static int read_domain(const char *config, char *name, size_t bytes, struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_domain_xml *xml VRMS_CLEANUP(vrms_domain_xml_freep) = NULL;
	size_t text_bytes = 0;
	int rc = vrms_file_read(config, VRMS_DOMAIN_XML_BYTES_MAX, &text, &text_bytes, error);

	rc = rc < 0 ? rc : vrms_domain_xml_parse(text, text_bytes, config, &xml, error);
	if (rc < 0) {
		return rc;
	}
	if (strlen(xml->name) >= bytes) {
		return vrms_error_set(error, -ENAMETOOLONG, "%s: its name is too long", config);
	}
	snprintf(name, bytes, "%s", xml->name);
	return 0;
}

/* Read when the resource becomes active, not before: the agent has just read it here, too. */
static void find_domain(struct vrms_pacemaker *pacemaker, struct row *row)
{
	struct vrms_error error;
	char domain[VRMS_FAULT_NAME_MAX];

	if (read_domain(row->vm.config, domain, sizeof(domain), &error) < 0) {
		put(pacemaker, row, VRMS_VM_WORD_NOTE, false, error.text);
		return;
	}
	if (strcmp(domain, row->domain) != 0) {
		memcpy(row->domain, domain, sizeof(domain));
		row->is_told = false;
	}
}

static struct row *row_at(const struct vrms_pacemaker *pacemaker, guint index)
{
	return &g_array_index(pacemaker->rows, struct row, index);
}

/* Resources come in the order of the last time, nearly always. */
static struct row *row_of(struct vrms_pacemaker *pacemaker, const char *id)
{
	guint count = pacemaker->rows->len;

	for (guint i = 0; i < count; i++) {
		guint at = (pacemaker->next + i) % count;

		if (strcmp(row_at(pacemaker, at)->vm.resource.id, id) == 0) {
			pacemaker->next = at + 1;
			return row_at(pacemaker, at);
		}
	}
	const struct row empty = {.vm = {.call = -1}};

	g_array_append_val(pacemaker->rows, empty);
	return row_at(pacemaker, count);
}

static void tell(struct vrms_pacemaker *pacemaker, struct row *row)
{
	if (!row->is_told && row->domain[0] != '\0') {
		put(pacemaker, row, VRMS_VM_WORD_RESOURCE, true, "");
		row->is_told = true;
	}
}

static bool is_same(const struct vrms_vm_resource *one, const struct vrms_vm_resource *other)
{
	return strcmp(one->id, other->id) == 0 && strcmp(one->provider, other->provider) == 0 &&
	       strcmp(one->type, other->type) == 0 && one->is_meant == other->is_meant &&
	       one->is_busy == other->is_busy && one->is_moving == other->is_moving &&
	       one->io_policy == other->io_policy;
}

static void take_resource(void *context, const struct vrms_cib_vm *vm)
{
	struct vrms_pacemaker *pacemaker = context;
	struct row *row = row_of(pacemaker, vm->resource.id);
	bool is_new_config = strcmp(row->vm.config, vm->config) != 0;
	bool is_new_run = !row->vm.resource.is_meant && row->vm.call != vm->call;

	row->is_there = true;
	row->is_told = row->is_told && is_same(&row->vm.resource, &vm->resource);
	row->vm = *vm;
	/* Never when it has just failed: its storage may hang, and others wait to be reported. */
	if (vm->resource.is_meant && (is_new_run || is_new_config)) {
		find_domain(pacemaker, row);
	}
	tell(pacemaker, row);
}

static void look_again(struct vrms_pacemaker *pacemaker)
{
	if (pacemaker->tree == NULL || pacemaker->node[0] == '\0') {
		return;
	}
	for (guint i = 0; i < pacemaker->rows->len; i++) {
		row_at(pacemaker, i)->is_there = false;
	}
	pacemaker->next = 0;
	vrms_cib_vms_each(pacemaker->tree, pacemaker->node, take_resource, pacemaker);
	for (guint i = pacemaker->rows->len; i-- > 0;) {
		struct row *row = row_at(pacemaker, i);

		if (!row->is_there) { /* it was deleted from the CIB */
			row->vm.resource.is_meant = row->vm.resource.is_busy = false;
			row->is_told = false;
			tell(pacemaker, row);
			g_array_remove_index(pacemaker->rows, i);
		}
	}
}

/* ---- connections */

static void disconnect(struct vrms_pacemaker *pacemaker)
{
	if (pacemaker->cib != NULL) {
		if (pacemaker->is_signed_on) {
			pacemaker->cib->cmds->signoff(pacemaker->cib);
		}
		cib_delete(pacemaker->cib);
		pacemaker->cib = NULL;
		pacemaker->is_signed_on = false;
	}
	if (pacemaker->controller != NULL) {
		pcmk_ipc_api_t *controller = pacemaker->controller;

		pacemaker->controller = NULL; /* its farewell is no loss */
		pcmk_disconnect_ipc(controller);
		pcmk_free_ipc_api(controller);
	}
	free_xml(pacemaker->tree);
	pacemaker->tree = NULL;
}

/* In the callback of a library that is still using it: taken apart at the next attempt. */
static void lose(struct vrms_pacemaker *pacemaker, const char *what)
{
	if (pacemaker->is_retrying) {
		return;
	}
	pacemaker->is_retrying = true;
	put(pacemaker, NULL, VRMS_VM_WORD_CLUSTER, false, what);
	g_timeout_add(RETRY_MS, on_connect_time, pacemaker);
}

static void on_cib_lost(void *cib)
{
	if (listener != NULL && listener->cib == cib) {
		listener->is_signed_on = false;
		lose(listener, "the connection to the CIB is lost");
	}
}

static int query(struct vrms_pacemaker *pacemaker)
{
	free_xml(pacemaker->tree);
	pacemaker->tree = NULL;
	return pacemaker->cib->cmds->query(pacemaker->cib, NULL, &pacemaker->tree,
					   cib_scope_local | cib_sync_call);
}

static void on_cib_change(const char *event, xmlNode *message)
{
	xmlNode *patch = get_message_xml(message, PATCH_FIELD);

	(void)event;
	if (listener == NULL || listener->cib == NULL) {
		return;
	}
	/* A change that does not fit its predecessor: one was missed, or the CIB was replaced. */
	if (listener->tree == NULL || patch == NULL ||
	    xml_apply_patchset(listener->tree, patch, true) != 0) {
		if (query(listener) < 0) {
			return; /* the connection's end follows, or the next change */
		}
	}
	look_again(listener);
}

static void on_controller(pcmk_ipc_api_t *api, enum pcmk_ipc_event event, crm_exit_t status,
			  void *data, void *context)
{
	struct vrms_pacemaker *pacemaker = context;
	const pcmk_controld_api_reply_t *reply = data;

	if (api != pacemaker->controller) {
		return;
	}
	if (event == pcmk_ipc_event_disconnect) {
		lose(pacemaker, "the connection to the controller is lost");
	} else if (event == pcmk_ipc_event_reply && status == CRM_EX_OK && reply != NULL &&
		   reply->reply_type == pcmk_controld_reply_info &&
		   reply->data.node_info.uname != NULL && pacemaker->node[0] == '\0') {
		snprintf(pacemaker->node, sizeof(pacemaker->node), "%s",
			 reply->data.node_info.uname);
		put(pacemaker, NULL, VRMS_VM_WORD_CLUSTER, true, pacemaker->node);
		look_again(pacemaker);
	}
}

static const char *connect_cib(struct vrms_pacemaker *pacemaker)
{
	cib_t *cib = cib_new_no_shadow();

	pacemaker->cib = cib;
	if (cib == NULL) {
		return "out of memory";
	}
	int rc = cib->cmds->signon(cib, "vrmsd", cib_query);

	pacemaker->is_signed_on = rc >= 0;
	rc = rc < 0 ? rc : cib->cmds->set_connection_dnotify(cib, on_cib_lost);
	rc = rc < 0 ? rc : cib->cmds->add_notify_callback(cib, T_CIB_DIFF_NOTIFY, on_cib_change);
	rc = rc < 0 ? rc : query(pacemaker);
	return rc < 0 ? pcmk_strerror(rc) : NULL;
}

static const char *connect_controller(struct vrms_pacemaker *pacemaker)
{
	int rc = pcmk_new_ipc_api(&pacemaker->controller, pcmk_ipc_controld);

	if (rc == 0) {
		pcmk_register_ipc_callback(pacemaker->controller, on_controller, pacemaker);
		rc = pcmk_connect_ipc(pacemaker->controller, pcmk_ipc_dispatch_main);
	}
	rc = rc != 0 ? rc : pcmk_controld_api_node_info(pacemaker->controller, 0);
	return rc != 0 ? pcmk_rc_str(rc) : NULL;
}

static gboolean on_connect_time(void *context)
{
	struct vrms_pacemaker *pacemaker = context;

	disconnect(pacemaker);
	pacemaker->node[0] = '\0';
	const char *trouble = connect_controller(pacemaker);

	trouble = trouble != NULL ? trouble : connect_cib(pacemaker);
	if (trouble == NULL) {
		pacemaker->is_retrying = false;
		look_again(pacemaker);
		return G_SOURCE_REMOVE;
	}
	disconnect(pacemaker);
	if (!pacemaker->is_retrying) {
		put(pacemaker, NULL, VRMS_VM_WORD_CLUSTER, false, trouble);
		pacemaker->is_retrying = true;
		g_timeout_add(RETRY_MS, on_connect_time, pacemaker);
		return G_SOURCE_REMOVE;
	}
	return G_SOURCE_CONTINUE;
}

/* ---- reports */

struct report {
	struct vrms_pacemaker *pacemaker;
	char domain[VRMS_FAULT_NAME_MAX];
	unsigned incident;
};

static struct row *find_row(const struct vrms_pacemaker *pacemaker, const char *domain)
{
	for (guint i = 0; i < pacemaker->rows->len; i++) {
		struct row *row = row_at(pacemaker, i);

		if (strcmp(row->domain, domain) == 0 && row->vm.resource.is_meant) {
			return row;
		}
	}
	return NULL;
}

/* Pacemaker's return code. */
static int fail(const struct vrms_pacemaker *pacemaker, const struct vrms_vm_resource *resource)
{
	if (pacemaker->controller == NULL || pacemaker->node[0] == '\0') {
		return ENOTCONN;
	}
	return pcmk_controld_api_fail(pacemaker->controller, pacemaker->node, NULL, resource->id,
				      NULL, "ocf", resource->provider, resource->type);
}

static gboolean on_report(void *context)
{
	const struct report *report = context;
	struct vrms_pacemaker *pacemaker = report->pacemaker;
	struct row *row = find_row(pacemaker, report->domain);

	if (row == NULL || row->vm.resource.is_busy) {
		return G_SOURCE_REMOVE; /* the word about that is on its way */
	}
	int rc = row->incident == report->incident ? 0 : fail(pacemaker, &row->vm.resource);

	row->incident = rc == 0 ? report->incident : row->incident;
	put(pacemaker, row, VRMS_VM_WORD_REPORTED, rc == 0, rc == 0 ? "" : pcmk_rc_str(rc));
	return G_SOURCE_REMOVE;
}

void vrms_pacemaker_fail(struct vrms_pacemaker *pacemaker, const char *domain, unsigned incident)
{
	struct report *report = g_new0(struct report, 1);

	report->pacemaker = pacemaker;
	report->incident = incident;
	snprintf(report->domain, sizeof(report->domain), "%s", domain);
	/* Behind what the CIB has to say already: that may be the beginning of a stop. */
	g_idle_add_full(G_PRIORITY_DEFAULT, on_report, report, g_free);
}

int vrms_pacemaker_start(int fd, struct vrms_pacemaker **ret_pacemaker, struct vrms_error *error)
{
	struct vrms_pacemaker *pacemaker = calloc(1, sizeof(*pacemaker));

	if (pacemaker == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	/* Its trees need Pacemaker's mark on each node, and libxml2 keeps that hook by thread. */
	crm_xml_init();
	pacemaker->fd = fd;
	pacemaker->rows = g_array_new(FALSE, TRUE, sizeof(struct row));
	listener = pacemaker;
	g_idle_add(on_connect_time, pacemaker);
	*ret_pacemaker = pacemaker;
	return 0;
}
