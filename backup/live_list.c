/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/live_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

void vrms_live_list_done(struct vrms_live_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->rows[i].name);
	}
	free(list->rows);
	memset(list, 0, sizeof(*list));
}

static void stay_silent(void *context, virErrorPtr failure)
{
	(void)context;
	(void)failure;
}

static int fail(int rc, struct vrms_error *error)
{
	virErrorPtr failure = virGetLastError();

	return vrms_error_set(error, rc, "libvirt: %s",
			      failure != NULL && failure->message != NULL ? failure->message
									  : "no reason given");
}

/* One that ends meanwhile is left out. */
static int add(struct vrms_live_list *list, virDomainPtr domain)
{
	struct vrms_live_vm *vm = &list->rows[list->count];
	int state, reason;

	if (virDomainGetState(domain, &state, &reason, 0) < 0) {
		return 0;
	}
	vm->name = strdup(virDomainGetName(domain));
	vm->is_active = state != VIR_DOMAIN_SHUTOFF && state != VIR_DOMAIN_CRASHED;
	vm->is_arriving = state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_MIGRATION;
	list->count += vm->name != NULL;
	return vm->name != NULL ? 0 : -ENOMEM;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct vrms_live_vm *)a)->name,
		      ((const struct vrms_live_vm *)b)->name);
}

int vrms_live_list_read(const char *uri, struct vrms_live_list *ret_list, struct vrms_error *error)
{
	struct vrms_live_list list VRMS_CLEANUP(vrms_live_list_done) = {0};
	virConnectPtr connection;
	virDomainPtr *domains = NULL;
	int count, rc = 0;

	virSetErrorFunc(NULL, stay_silent);
	connection = virConnectOpenReadOnly(uri);
	if (connection == NULL) {
		return fail(-ENOTCONN, error);
	}
	count = virConnectListAllDomains(connection, &domains, 0);
	rc = count < 0 ? fail(-EIO, error) : 0;
	list.rows = calloc((size_t)(count > 0 ? count : 0) + 1, sizeof(*list.rows));
	for (int i = 0; i < count; i++) {
		if (rc == 0 && (list.rows == NULL || add(&list, domains[i]) < 0)) {
			rc = vrms_error_set(error, -ENOMEM, "out of memory");
		}
		virDomainFree(domains[i]);
	}
	free(domains);
	virConnectClose(connection);
	if (rc < 0) {
		return rc;
	}
	qsort(list.rows, list.count, sizeof(*list.rows), compare);
	*ret_list = list;
	memset(&list, 0, sizeof(list));
	return 0;
}

const struct vrms_live_vm *vrms_live_list_find(const struct vrms_live_list *list, const char *vm)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->rows[i].name, vm) == 0) {
			return &list->rows[i];
		}
	}
	return NULL;
}
