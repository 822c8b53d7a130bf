/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

struct vrms_live {
	virConnectPtr connection;
	virDomainPtr domain;
};

static void stay_silent(void *context, virErrorPtr failure)
{
	(void)context;
	(void)failure;
}

static const struct {
	int code;
	int rc;
} meanings[] = {
    {VIR_ERR_NO_DOMAIN, -ENOENT},
    {VIR_ERR_NO_DOMAIN_CHECKPOINT, -ENOENT},
    {VIR_ERR_NO_DOMAIN_BACKUP, -ENOENT},
    {VIR_ERR_CHECKPOINT_INCONSISTENT, -ESTALE},
    {VIR_ERR_OPERATION_TIMEOUT, -EBUSY},
    {VIR_ERR_OPERATION_INVALID, -EINVAL},
    {VIR_ERR_AGENT_UNRESPONSIVE, -ETIMEDOUT},
    {VIR_ERR_ARGUMENT_UNSUPPORTED, -EOPNOTSUPP},
};

static int fail(struct vrms_error *error)
{
	virErrorPtr failure = virGetLastError();
	int rc = -EIO;

	for (size_t i = 0; i < VRMS_COUNT_OF(meanings) && failure != NULL; i++) {
		rc = meanings[i].code == failure->code ? meanings[i].rc : rc;
	}
	return vrms_error_set(error, rc, "libvirt: %s",
			      failure != NULL && failure->message != NULL ? failure->message
									  : "no reason given");
}

static int no_answer(struct vrms_error *error)
{
	(void)fail(error);
	return -ENOTCONN;
}

static int open_connection(const char *uri, virConnectPtr *ret_connection, struct vrms_error *error)
{
	virSetErrorFunc(NULL, stay_silent);
	*ret_connection = virConnectOpen(uri);
	return *ret_connection != NULL ? 0 : no_answer(error);
}

/* Connected, with no domain yet. */
static int connect_live(const char *uri, struct vrms_live **ret_live, struct vrms_error *error)
{
	struct vrms_live *live VRMS_CLEANUP(vrms_live_closep) = calloc(1, sizeof(*live));
	int rc;

	if (live == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = open_connection(uri, &live->connection, error);
	if (rc == 0) {
		*ret_live = VRMS_TAKE(live);
	}
	return rc;
}

/* -ENOENT is only what libvirt says to be no domain.  A lookup that failed for another reason,
 * since libvirtd ended just now for one, is no answer: the VM may run. */
static int find_domain(struct vrms_live *live, const char *vm, struct vrms_error *error)
{
	int by_name, by_uuid;

	live->domain = virDomainLookupByName(live->connection, vm);
	by_name = live->domain == NULL ? virGetLastErrorCode() : VIR_ERR_OK;
	if (by_name == VIR_ERR_NO_DOMAIN) {
		live->domain = virDomainLookupByUUIDString(live->connection, vm);
	}
	if (live->domain != NULL) {
		return 0;
	}
	by_uuid = virGetLastErrorCode(); /* INVALID_ARG: it is a name */
	return by_name == VIR_ERR_NO_DOMAIN &&
		       (by_uuid == VIR_ERR_NO_DOMAIN || by_uuid == VIR_ERR_INVALID_ARG)
		   ? vrms_error_set(error, -ENOENT, "libvirt of this host knows no VM '%s'", vm)
		   : no_answer(error);
}

int vrms_live_open(const char *uri, const char *vm, struct vrms_live **ret_live,
		   struct vrms_error *error)
{
	struct vrms_live *live VRMS_CLEANUP(vrms_live_closep) = NULL;
	int rc = connect_live(uri, &live, error);

	if (rc < 0) {
		return rc;
	}
	rc = find_domain(live, vm, error);
	if (rc < 0) {
		return rc;
	}
	*ret_live = VRMS_TAKE(live);
	return 0;
}

void vrms_live_close(struct vrms_live *live)
{
	if (live == NULL) {
		return;
	}
	if (live->domain != NULL) {
		virDomainFree(live->domain);
	}
	if (live->connection != NULL) {
		virConnectClose(live->connection);
	}
	free(live);
}

int vrms_live_is_active(struct vrms_live *live, bool *ret_is_active, struct vrms_error *error)
{
	int active = virDomainIsActive(live->domain);

	*ret_is_active = active == 1;
	return active < 0 ? fail(error) : 0;
}

int vrms_live_xml(struct vrms_live *live, bool is_next_start, char **ret_xml,
		  struct vrms_error *error)
{
	unsigned int flags = VIR_DOMAIN_XML_SECURE;

	if (is_next_start) {
		flags |= VIR_DOMAIN_XML_INACTIVE;
	}
	*ret_xml = virDomainGetXMLDesc(live->domain, flags);
	return *ret_xml == NULL ? fail(error) : 0;
}

int vrms_live_disk_bytes(struct vrms_live *live, const char *disk, uint64_t *ret_bytes,
			 struct vrms_error *error)
{
	virDomainBlockInfo info;

	if (virDomainGetBlockInfo(live->domain, disk, &info, 0) < 0) {
		return fail(error);
	}
	*ret_bytes = info.capacity;
	return 0;
}

static int redefine(struct vrms_live *live, const char *xml, unsigned int flags,
		    struct vrms_error *error)
{
	virDomainCheckpointPtr checkpoint =
	    virDomainCheckpointCreateXML(live->domain, xml,
					 VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE | flags);

	if (checkpoint == NULL) {
		return fail(error);
	}
	virDomainCheckpointFree(checkpoint);
	return 0;
}

int vrms_live_announce(struct vrms_live *live, const char *xml, struct vrms_error *error)
{
	return redefine(live, xml, VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE, error);
}

int vrms_live_claim(struct vrms_live *live, const char *xml, struct vrms_error *error)
{
	return redefine(live, xml, 0, error);
}

int vrms_live_remove(struct vrms_live *live, const char *name, bool with_bitmaps,
		     struct vrms_error *error)
{
	virDomainCheckpointPtr checkpoint = virDomainCheckpointLookupByName(live->domain, name, 0);
	unsigned int flags = with_bitmaps ? 0 : VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY;
	int rc = 0;

	if (checkpoint == NULL) {
		rc = fail(error);
		return rc == -ENOENT ? 0 : rc;
	}
	if (virDomainCheckpointDelete(checkpoint, flags) < 0) {
		rc = fail(error);
		/* A bitmap that was never saved is not there to be removed. */
		if (with_bitmaps &&
		    virDomainCheckpointDelete(checkpoint,
					      VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY) == 0) {
			rc = 0;
		}
	}
	virDomainCheckpointFree(checkpoint);
	return rc;
}

int vrms_live_each(struct vrms_live *live, const char *prefix,
		   int (*seen)(void *context, const char *name, struct vrms_error *error),
		   void *context, struct vrms_error *error)
{
	virDomainCheckpointPtr *list = NULL;
	int count = virDomainListAllCheckpoints(live->domain, &list, 0);
	int rc = count < 0 ? fail(error) : 0;

	for (int i = 0; i < count; i++) {
		const char *name = virDomainCheckpointGetName(list[i]);

		if (rc == 0 && name != NULL && strncmp(name, prefix, strlen(prefix)) == 0) {
			rc = seen(context, name, error);
		}
		virDomainCheckpointFree(list[i]);
	}
	free(list);
	return rc;
}

int vrms_live_freeze(struct vrms_live *live, int wait_s, struct vrms_error *error)
{
	int count;

	if (virDomainAgentSetResponseTimeout(live->domain, wait_s, 0) < 0) {
		return fail(error);
	}
	count = virDomainFSFreeze(live->domain, NULL, 0, 0);
	return count < 0 ? fail(error) : count;
}

const char *vrms_live_freeze_kind(struct vrms_live *live)
{
	virTypedParameterPtr params = NULL;
	const char *id = NULL, *kind = "filesystem";
	int count = 0;

	if (virDomainGetGuestInfo(live->domain, VIR_DOMAIN_GUEST_INFO_OS, &params, &count, 0) ==
		0 &&
	    virTypedParamsGetString(params, count, "os.id", &id) == 1 &&
	    strcmp(id, "mswindows") == 0) {
		kind = "application";
	}
	virTypedParamsFree(params, count);
	return kind;
}

int vrms_live_thaw(struct vrms_live *live, struct vrms_error *error)
{
	int count = virDomainFSThaw(live->domain, NULL, 0, 0);

	return count < 0 ? fail(error) : count;
}

int vrms_live_begin(struct vrms_live *live, const char *backup_xml, const char *checkpoint_xml,
		    struct vrms_error *error)
{
	return virDomainBackupBegin(live->domain, backup_xml, checkpoint_xml, 0) < 0 ? fail(error)
										     : 0;
}

int vrms_live_job(struct vrms_live *live, char **ret_xml, struct vrms_error *error)
{
	*ret_xml = virDomainBackupGetXMLDesc(live->domain, 0);
	return *ret_xml == NULL ? fail(error) : 0;
}

int vrms_live_end(struct vrms_live *live, struct vrms_error *error)
{
	char *xml VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_live_job(live, &xml, error);

	/* No VM any more: its job ended with it.  Never abort what is no backup. */
	if (rc < 0) {
		return rc == -ENOENT || rc == -EINVAL ? 0 : rc;
	}
	return virDomainAbortJob(live->domain) < 0 ? fail(error) : 0;
}

int vrms_live_define(const char *uri, const char *xml, struct vrms_error *error)
{
	virConnectPtr connection;
	virDomainPtr domain;
	int rc = open_connection(uri, &connection, error);

	if (rc < 0) {
		return rc;
	}
	domain = virDomainDefineXML(connection, xml);
	rc = domain == NULL ? fail(error) : 0;
	if (domain != NULL) {
		virDomainFree(domain);
	}
	virConnectClose(connection);
	return rc;
}

int vrms_live_start(struct vrms_live *live, struct vrms_error *error)
{
	return virDomainCreate(live->domain) < 0 ? fail(error) : 0;
}

int vrms_live_undefine(struct vrms_live *live, struct vrms_error *error)
{
	unsigned int flags = VIR_DOMAIN_UNDEFINE_KEEP_NVRAM | VIR_DOMAIN_UNDEFINE_KEEP_TPM;

	return virDomainUndefineFlags(live->domain, flags) < 0 ? fail(error) : 0;
}

int vrms_live_try(const char *uri, const char *xml, struct vrms_live **ret_live,
		  struct vrms_error *error)
{
	struct vrms_live *live VRMS_CLEANUP(vrms_live_closep) = NULL;
	int rc = connect_live(uri, &live, error);

	if (rc < 0) {
		return rc;
	}
	live->domain = virDomainCreateXML(live->connection, xml, VIR_DOMAIN_START_AUTODESTROY);
	if (live->domain == NULL) {
		return fail(error);
	}
	*ret_live = VRMS_TAKE(live);
	return 0;
}

int vrms_live_destroy(struct vrms_live *live, struct vrms_error *error)
{
	int rc = virDomainDestroy(live->domain) < 0 ? fail(error) : 0;

	return rc == -ENOENT || rc == -EINVAL ? 0 : rc;
}

int vrms_live_ping(struct vrms_live *live, int wait_s, struct vrms_error *error)
{
	char *answer =
	    virDomainQemuAgentCommand(live->domain, "{\"execute\":\"guest-ping\"}", wait_s, 0);

	if (answer == NULL) {
		return fail(error);
	}
	free(answer);
	return 0;
}

int vrms_live_pull(struct vrms_live *live, const char *disk, uint64_t rate_mib,
		   struct vrms_error *error)
{
	return virDomainBlockPull(live->domain, disk, rate_mib, 0) < 0 ? fail(error) : 0;
}

int vrms_live_pull_left(struct vrms_live *live, const char *disk, uint64_t *ret_bytes,
			struct vrms_error *error)
{
	virDomainBlockJobInfo info;
	int found = virDomainGetBlockJobInfo(live->domain, disk, &info, 0);

	if (found < 0) {
		return fail(error);
	}
	/* A job that is about to end has nothing left, but is still there. */
	*ret_bytes = found == 0 ? 0 : info.end > info.cur ? info.end - info.cur : 1;
	return 0;
}
