/* drbd_state.h - one model of a DRBD resource, for all versions and all the ways to ask for it.
 *
 * Pure.  Words of DRBD 9 are used throughout; what 8.4 calls otherwise is translated.
 * A word that is not known becomes OTHER, which never counts as good.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_DRBD_STATE_H
#define VRMS_AGENTS_DRBD_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

enum vrms_drbd_role { VRMS_DRBD_ROLE_UNKNOWN, VRMS_DRBD_SECONDARY, VRMS_DRBD_PRIMARY };

/* Source: drbd.conf(5) and drbdsetup(8), "disk states". */
enum vrms_drbd_disk {
	VRMS_DRBD_DISK_OTHER,
	VRMS_DRBD_DISKLESS,
	VRMS_DRBD_ATTACHING,
	VRMS_DRBD_DETACHING,
	VRMS_DRBD_FAILED,
	VRMS_DRBD_NEGOTIATING,
	VRMS_DRBD_INCONSISTENT,
	VRMS_DRBD_OUTDATED,
	VRMS_DRBD_DISK_UNKNOWN, /* DUnknown: a peer that cannot be asked */
	VRMS_DRBD_CONSISTENT,
	VRMS_DRBD_UPTODATE,
	VRMS_DRBD_DISK_COUNT,
};

/* Source: drbdsetup(8), "connection states". */
enum vrms_drbd_connection {
	VRMS_DRBD_CONNECTION_OTHER,
	VRMS_DRBD_STANDALONE,
	VRMS_DRBD_DISCONNECTING,
	VRMS_DRBD_UNCONNECTED,
	VRMS_DRBD_TIMEOUT,
	VRMS_DRBD_BROKEN_PIPE,
	VRMS_DRBD_NETWORK_FAILURE,
	VRMS_DRBD_PROTOCOL_ERROR,
	VRMS_DRBD_TEAR_DOWN,
	VRMS_DRBD_CONNECTING,
	VRMS_DRBD_CONNECTED,
	VRMS_DRBD_CONNECTION_COUNT,
};

/* Source: drbdsetup(8), "replication states". */
enum vrms_drbd_replication {
	VRMS_DRBD_REPLICATION_OTHER,
	VRMS_DRBD_OFF,
	VRMS_DRBD_ESTABLISHED,
	VRMS_DRBD_STARTING_SYNC_S,
	VRMS_DRBD_STARTING_SYNC_T,
	VRMS_DRBD_WF_BITMAP_S,
	VRMS_DRBD_WF_BITMAP_T,
	VRMS_DRBD_WF_SYNC_UUID,
	VRMS_DRBD_SYNC_SOURCE,
	VRMS_DRBD_SYNC_TARGET,
	VRMS_DRBD_PAUSED_SYNC_S,
	VRMS_DRBD_PAUSED_SYNC_T,
	VRMS_DRBD_VERIFY_S,
	VRMS_DRBD_VERIFY_T,
	VRMS_DRBD_AHEAD,
	VRMS_DRBD_BEHIND,
	VRMS_DRBD_REPLICATION_COUNT,
};

/* Why I/O stands still; bits.  /proc/drbd tells only that it does: OTHER. */
enum vrms_drbd_suspended {
	VRMS_DRBD_SUSPENDED_USER = 1,
	VRMS_DRBD_SUSPENDED_NO_DATA = 2,
	VRMS_DRBD_SUSPENDED_FENCING = 4,
	VRMS_DRBD_SUSPENDED_QUORUM = 8,
	VRMS_DRBD_SUSPENDED_OTHER = 16,
};

enum { VRMS_DRBD_VOLUMES_MAX = 64, VRMS_DRBD_PEERS_MAX = 31, VRMS_DRBD_NAME_BYTES = 128 };

struct vrms_drbd_peer_volume {
	int number;
	enum vrms_drbd_disk disk;
	enum vrms_drbd_replication replication;
};

struct vrms_drbd_peer {
	char name[VRMS_DRBD_NAME_BYTES]; /* "peer" with 8.4, which knows none */
	int node_id;                     /* 0 with 8.4 */
	enum vrms_drbd_role role;
	enum vrms_drbd_connection connection;
	size_t volume_count;
	struct vrms_drbd_peer_volume volumes[VRMS_DRBD_VOLUMES_MAX];
};

struct vrms_drbd_volume {
	int number;
	int minor;
	enum vrms_drbd_disk disk;
	bool is_client;  /* without a disk on purpose; never with 8.4 */
	bool has_quorum; /* true with 8.4, which has no quorum */
};

struct vrms_drbd_resource {
	char name[VRMS_DRBD_NAME_BYTES];
	bool exists; /* false: the kernel knows no such resource */
	enum vrms_drbd_role role;
	unsigned int suspended; /* bits of vrms_drbd_suspended */
	size_t volume_count, peer_count;
	struct vrms_drbd_volume volumes[VRMS_DRBD_VOLUMES_MAX]; /* by number */
	struct vrms_drbd_peer peers[VRMS_DRBD_PEERS_MAX];       /* by node id */
};

/* What a resource's volume is called by the kernel; /proc/drbd of 8.4 knows no other name. */
struct vrms_drbd_minor {
	int volume;
	int minor;
};

/* DRBD's words.  Unknown words are OTHER (role: UNKNOWN); "of" texts are never NULL. */
enum vrms_drbd_role vrms_drbd_role_parse(const char *word);
enum vrms_drbd_disk vrms_drbd_disk_parse(const char *word);
enum vrms_drbd_connection vrms_drbd_connection_parse(const char *word);
enum vrms_drbd_replication vrms_drbd_replication_parse(const char *word);
const char *vrms_drbd_disk_name(enum vrms_drbd_disk disk);
const char *vrms_drbd_connection_name(enum vrms_drbd_connection connection);

/* Makes an empty model of that name, which does not exist. */
void vrms_drbd_resource_init(struct vrms_drbd_resource *resource, const char *name);

/* Finds or adds; NULL when there is no more room. */
struct vrms_drbd_volume *vrms_drbd_volume_at(struct vrms_drbd_resource *resource, int number);
struct vrms_drbd_peer *vrms_drbd_peer_at(struct vrms_drbd_resource *resource, int node_id);
struct vrms_drbd_peer_volume *vrms_drbd_peer_volume_at(struct vrms_drbd_peer *peer, int number);

/* The order that the model promises. */
void vrms_drbd_resource_sort(struct vrms_drbd_resource *resource);

/* Reads "drbdsetup events2 --now [--statistics]" of either version.
 *
 * Sets *resource to what is said about the resource of its name (by _init).
 * Returns 0, -EPROTO (not such an output, or cut short: it ends with "exists -"), or -E2BIG.
 */
VRMS_MUST_CHECK int vrms_drbd_events2_parse(const char *text, struct vrms_drbd_resource *resource,
					    struct vrms_error *error);

/* Reads "drbdsetup status --json" (9 only); results as above. */
VRMS_MUST_CHECK int vrms_drbd_json_parse(const char *text, struct vrms_drbd_resource *resource,
					 struct vrms_error *error);

/* Reads /proc/drbd of 8.4; `minors` says which lines are this resource's.  Results as above. */
VRMS_MUST_CHECK int vrms_drbd_proc_parse(const char *text, const struct vrms_drbd_minor *minors,
					 size_t minor_count, struct vrms_drbd_resource *resource,
					 struct vrms_error *error);

#endif
