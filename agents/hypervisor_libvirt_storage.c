/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agents/libvirt_call.h"

static int on_save(struct vrms_libvirt_call *call, virDomainPtr domain)
{
	return virDomainSaveFlags(domain, call->text, NULL, 0) < 0 ? -1 : 0;
}

static int save(struct vrms_hypervisor *hypervisor, const char *uuid, const char *path,
		struct vrms_error *error)
{
	struct vrms_libvirt_call *call VRMS_CLEANUP(vrms_libvirt_call_freep) =
	    vrms_libvirt_call_new(hypervisor, uuid, path);

	if (call != NULL) {
		call->on_domain = on_save;
	}
	return vrms_libvirt_call_run(&call, error);
}

static int on_restore(struct vrms_libvirt_call *call, virConnectPtr connection)
{
	return virDomainRestoreFlags(connection, call->text, NULL, VIR_DOMAIN_SAVE_RUNNING) < 0 ? -1
												: 0;
}

static int restore(struct vrms_hypervisor *hypervisor, const char *path, struct vrms_error *error)
{
	struct vrms_libvirt_call *call VRMS_CLEANUP(vrms_libvirt_call_freep) =
	    vrms_libvirt_call_new(hypervisor, NULL, path);

	if (call != NULL) {
		call->on_connection = on_restore;
	}
	return vrms_libvirt_call_run(&call, error);
}

static int on_start_pool(struct vrms_libvirt_call *call, virConnectPtr connection)
{
	virStoragePoolPtr pool = virStoragePoolLookupByName(connection, call->text);

	if (pool == NULL) {
		return -1;
	}
	int rc = virStoragePoolIsActive(pool) == 1 ? virStoragePoolRefresh(pool, 0)
						   : virStoragePoolCreate(pool, 0);
	(void)virStoragePoolFree(pool);
	return rc < 0 ? -1 : 0;
}

static int start_pool(struct vrms_hypervisor *hypervisor, const char *name,
		      struct vrms_error *error)
{
	struct vrms_libvirt_call *call VRMS_CLEANUP(vrms_libvirt_call_freep) =
	    vrms_libvirt_call_new(hypervisor, NULL, name);

	if (call != NULL) {
		call->on_connection = on_start_pool;
	}
	int rc = vrms_libvirt_call_run(&call, error);
	return rc < 0 ? vrms_error_wrap(error, rc, "storage pool \"%s\"", name) : 0;
}

static int on_start_network(struct vrms_libvirt_call *call, virConnectPtr connection)
{
	virNetworkPtr network = virNetworkLookupByName(connection, call->text);

	if (network == NULL) {
		return -1;
	}
	int rc = virNetworkIsActive(network) == 1 ? 0 : virNetworkCreate(network);
	(void)virNetworkFree(network);
	return rc < 0 ? -1 : 0;
}

static int start_network(struct vrms_hypervisor *hypervisor, const char *name,
			 struct vrms_error *error)
{
	struct vrms_libvirt_call *call VRMS_CLEANUP(vrms_libvirt_call_freep) =
	    vrms_libvirt_call_new(hypervisor, NULL, name);

	if (call != NULL) {
		call->on_connection = on_start_network;
	}
	int rc = vrms_libvirt_call_run(&call, error);
	return rc < 0 ? vrms_error_wrap(error, rc, "network \"%s\"", name) : 0;
}

enum { DISK_COUNT_MAX = 64, DISK_TEXT_BYTES = 1024 };

static int on_get_disk_errors(struct vrms_libvirt_call *call, virDomainPtr domain)
{
	virDomainDiskError errors[DISK_COUNT_MAX];
	int count = virDomainGetDiskErrors(domain, errors, DISK_COUNT_MAX, 0);
	size_t used = 0;

	call->result = calloc(1, DISK_TEXT_BYTES);
	if (count < 0 || call->result == NULL) {
		return count < 0 ? -1 : -ENOMEM;
	}
	for (int i = 0; i < count; i++) {
		int size = snprintf(call->result + used, DISK_TEXT_BYTES - used, "%s%s: %s",
				    i == 0 ? "" : ", ", errors[i].disk,
				    errors[i].error == VIR_DOMAIN_DISK_ERROR_NO_SPACE ? "no space"
										      : "error");
		if (size > 0 && (size_t)size < DISK_TEXT_BYTES - used) {
			used += (size_t)size;
		}
		free(errors[i].disk);
	}
	return 0;
}

static int get_disk_errors(struct vrms_hypervisor *hypervisor, const char *uuid, char *buffer,
			   size_t buffer_bytes, struct vrms_error *error)
{
	struct vrms_libvirt_call *call VRMS_CLEANUP(vrms_libvirt_call_freep) =
	    vrms_libvirt_call_new(hypervisor, uuid, NULL);

	if (call != NULL) {
		call->on_domain = on_get_disk_errors;
	}
	int rc = vrms_libvirt_call_run(&call, error);
	if (rc == 0) {
		(void)snprintf(buffer, buffer_bytes, "%s", call->result);
	}
	return rc;
}

static const struct vrms_hypervisor_storage_ops ops = {
    .save = save,
    .restore = restore,
    .start_pool = start_pool,
    .start_network = start_network,
    .get_disk_errors = get_disk_errors,
};

const struct vrms_hypervisor_storage_ops *vrms_libvirt_storage_ops(void)
{
	return &ops;
}
