/* iscsi_guest.c - registers the LUN sessions that QEMU opens itself (iscsi:// disks).
 *
 * Preloaded into QEMU (LD_PRELOAD).  Such a session is a path of its own, and a LUN reserved for
 * registrants would refuse its writes for ever.  It gets the key of this node's guests, as long
 * as the node's own key is there: a node that was fenced can start no guest that writes.
 *
 * The order is what makes that safe: register, then look for the node's key.  A fence removes the
 * node's key first and the guests' keys after it, so either the fence finds this registration, or
 * this session finds that the node's key is gone, and leaves.  QEMU writes only after both.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define KEY_FILE "/run/vrms/san.key"

enum { PRIN_BYTES = 4096, ATTENTIONS_MAX = 20, WERO = 5 };

struct keys {
	uint64_t node, guests;
};

/* The file may be missing: then this is no host of a fenced SAN. */
static bool read_keys(struct keys *keys)
{
	const char *path = getenv("VRMS_SAN_KEY_FILE");
	FILE *file = fopen(path != NULL ? path : KEY_FILE, "re");
	bool is_read =
	    file != NULL && fscanf(file, "%" SCNx64 " %" SCNx64, &keys->node, &keys->guests) == 2;

	if (file != NULL) {
		fclose(file);
	}
	return is_read;
}

static bool is_attention(const struct scsi_task *task)
{
	return task != NULL && task->status == SCSI_STATUS_CHECK_CONDITION &&
	       task->sense.key == SCSI_SENSE_UNIT_ATTENTION;
}

static bool set_key(struct iscsi_context *iscsi, int lun, uint64_t key, bool aptpl)
{
	struct scsi_persistent_reserve_out_basic data = {.service_action_reservation_key = key,
							 .aptpl = aptpl};
	struct scsi_task *task = NULL;

	for (int i = 0; i < ATTENTIONS_MAX && (i == 0 || is_attention(task)); i++) {
		if (task != NULL) {
			scsi_free_scsi_task(task);
		}
		task = iscsi_persistent_reserve_out_sync(
		    iscsi, lun, SCSI_PERSISTENT_RESERVE_REGISTER_AND_IGNORE_EXISTING_KEY,
		    SCSI_PERSISTENT_RESERVE_SCOPE_LU, WERO, &data);
	}
	bool is_done = task != NULL && task->status == SCSI_STATUS_GOOD;
	if (task != NULL) {
		scsi_free_scsi_task(task);
	}
	return is_done;
}

/* True when READ KEYS works and has the key. */
static bool has_key(struct iscsi_context *iscsi, int lun, uint64_t key)
{
	struct scsi_task *task = NULL;
	bool is_found = false;

	for (int i = 0; i < ATTENTIONS_MAX && (i == 0 || is_attention(task)); i++) {
		if (task != NULL) {
			scsi_free_scsi_task(task);
		}
		task =
		    iscsi_persistent_reserve_in_sync(iscsi, lun, SCSI_PERSISTENT_RESERVE_READ_KEYS,
						     PRIN_BYTES);
	}
	if (task != NULL && task->status == SCSI_STATUS_GOOD) {
		const struct scsi_persistent_reserve_in_read_keys *found =
		    scsi_datain_unmarshall(task);

		for (int i = 0; found != NULL && i < found->num_keys; i++) {
			is_found = is_found || found->keys[i] == key;
		}
	}
	if (task != NULL) {
		scsi_free_scsi_task(task);
	}
	return is_found;
}

/* QEMU's sessions have one LUN each; it says which only when it connects.  A guest with many disks
 * has many sessions. */
struct connected {
	struct iscsi_context *iscsi;
	int lun;
	struct connected *next;
};
static struct connected *sessions;
static pthread_mutex_t sessions_lock = PTHREAD_MUTEX_INITIALIZER;

static void remember(struct iscsi_context *iscsi, int lun)
{
	struct connected *session = malloc(sizeof(*session));

	if (session == NULL) {
		return; /* a key too many does no harm */
	}
	pthread_mutex_lock(&sessions_lock);
	*session = (struct connected){.iscsi = iscsi, .lun = lun, .next = sessions};
	sessions = session;
	pthread_mutex_unlock(&sessions_lock);
}

/* The LUN of a session, which is forgotten; -1: it has no key. */
static int forget(const struct iscsi_context *iscsi)
{
	struct connected *found = NULL;
	int lun = -1;

	pthread_mutex_lock(&sessions_lock);
	for (struct connected **at = &sessions; *at != NULL; at = &(*at)->next) {
		if ((*at)->iscsi == iscsi) {
			found = *at;
			*at = found->next;
			break;
		}
	}
	pthread_mutex_unlock(&sessions_lock);
	if (found != NULL) {
		lun = found->lun;
		free(found);
	}
	return lun;
}

int iscsi_full_connect_sync(struct iscsi_context *iscsi, const char *portal, int lun)
{
	int (*next)(struct iscsi_context *, const char *, int) =
	    (int (*)(struct iscsi_context *, const char *, int))dlsym(RTLD_NEXT,
								      "iscsi_full_connect_sync");
	struct keys keys;
	int rc = next(iscsi, portal, lun);

	if (rc != 0 || !read_keys(&keys)) {
		return rc;
	}
	if (!set_key(iscsi, lun, keys.guests, true) && !set_key(iscsi, lun, keys.guests, false)) {
		fprintf(stderr, "vrms: LUN %d at %s: no key can be registered\n", lun, portal);
		return 0; /* no persistent reservations: nothing is fenced there */
	}
	if (!has_key(iscsi, lun, keys.node)) {
		set_key(iscsi, lun, 0, false);
		fprintf(stderr, "vrms: LUN %d at %s: this node has no key there, it is fenced\n",
			lun, portal);
		return -1;
	}
	remember(iscsi, lun);
	return 0;
}

int iscsi_logout_sync(struct iscsi_context *iscsi)
{
	int (*next)(struct iscsi_context *) =
	    (int (*)(struct iscsi_context *))dlsym(RTLD_NEXT, "iscsi_logout_sync");
	int lun = forget(iscsi);

	/* Its key would stay on the LUN for ever. */
	if (lun >= 0) {
		set_key(iscsi, lun, 0, false);
	}
	return next(iscsi);
}
