/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/drbd_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const disk_names[VRMS_DRBD_DISK_COUNT] = {
    [VRMS_DRBD_DISK_OTHER] = "unknown",
    [VRMS_DRBD_DISKLESS] = "Diskless",
    [VRMS_DRBD_ATTACHING] = "Attaching",
    [VRMS_DRBD_DETACHING] = "Detaching",
    [VRMS_DRBD_FAILED] = "Failed",
    [VRMS_DRBD_NEGOTIATING] = "Negotiating",
    [VRMS_DRBD_INCONSISTENT] = "Inconsistent",
    [VRMS_DRBD_OUTDATED] = "Outdated",
    [VRMS_DRBD_DISK_UNKNOWN] = "DUnknown",
    [VRMS_DRBD_CONSISTENT] = "Consistent",
    [VRMS_DRBD_UPTODATE] = "UpToDate",
};

static const char *const connection_names[VRMS_DRBD_CONNECTION_COUNT] = {
    [VRMS_DRBD_CONNECTION_OTHER] = "unknown",
    [VRMS_DRBD_STANDALONE] = "StandAlone",
    [VRMS_DRBD_DISCONNECTING] = "Disconnecting",
    [VRMS_DRBD_UNCONNECTED] = "Unconnected",
    [VRMS_DRBD_TIMEOUT] = "Timeout",
    [VRMS_DRBD_BROKEN_PIPE] = "BrokenPipe",
    [VRMS_DRBD_NETWORK_FAILURE] = "NetworkFailure",
    [VRMS_DRBD_PROTOCOL_ERROR] = "ProtocolError",
    [VRMS_DRBD_TEAR_DOWN] = "TearDown",
    [VRMS_DRBD_CONNECTING] = "Connecting",
    [VRMS_DRBD_CONNECTED] = "Connected",
};

static const char *const replication_names[VRMS_DRBD_REPLICATION_COUNT] = {
    [VRMS_DRBD_REPLICATION_OTHER] = "unknown",
    [VRMS_DRBD_OFF] = "Off",
    [VRMS_DRBD_ESTABLISHED] = "Established",
    [VRMS_DRBD_STARTING_SYNC_S] = "StartingSyncS",
    [VRMS_DRBD_STARTING_SYNC_T] = "StartingSyncT",
    [VRMS_DRBD_WF_BITMAP_S] = "WFBitMapS",
    [VRMS_DRBD_WF_BITMAP_T] = "WFBitMapT",
    [VRMS_DRBD_WF_SYNC_UUID] = "WFSyncUUID",
    [VRMS_DRBD_SYNC_SOURCE] = "SyncSource",
    [VRMS_DRBD_SYNC_TARGET] = "SyncTarget",
    [VRMS_DRBD_PAUSED_SYNC_S] = "PausedSyncS",
    [VRMS_DRBD_PAUSED_SYNC_T] = "PausedSyncT",
    [VRMS_DRBD_VERIFY_S] = "VerifyS",
    [VRMS_DRBD_VERIFY_T] = "VerifyT",
    [VRMS_DRBD_AHEAD] = "Ahead",
    [VRMS_DRBD_BEHIND] = "Behind",
};

/* Index of the word, or 0: the first name of each table is no word of DRBD's. */
static size_t index_of(const char *word, const char *const *names, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (strcmp(word, names[i]) == 0) {
			return i;
		}
	}
	return 0;
}

enum vrms_drbd_role vrms_drbd_role_parse(const char *word)
{
	static const char *const names[] = {"Unknown", "Secondary", "Primary"};

	return (enum vrms_drbd_role)index_of(word, names, VRMS_COUNT_OF(names));
}

enum vrms_drbd_disk vrms_drbd_disk_parse(const char *word)
{
	return (enum vrms_drbd_disk)index_of(word, disk_names, VRMS_DRBD_DISK_COUNT);
}

enum vrms_drbd_connection vrms_drbd_connection_parse(const char *word)
{
	return (enum vrms_drbd_connection)index_of(word, connection_names,
						   VRMS_DRBD_CONNECTION_COUNT);
}

enum vrms_drbd_replication vrms_drbd_replication_parse(const char *word)
{
	return (enum vrms_drbd_replication)index_of(word, replication_names,
						    VRMS_DRBD_REPLICATION_COUNT);
}

const char *vrms_drbd_disk_name(enum vrms_drbd_disk disk)
{
	return disk_names[disk];
}

const char *vrms_drbd_connection_name(enum vrms_drbd_connection connection)
{
	return connection_names[connection];
}

void vrms_drbd_resource_init(struct vrms_drbd_resource *resource, const char *name)
{
	memset(resource, 0, sizeof(*resource));
	(void)snprintf(resource->name, sizeof(resource->name), "%s", name);
}

struct vrms_drbd_volume *vrms_drbd_volume_at(struct vrms_drbd_resource *resource, int number)
{
	for (size_t i = 0; i < resource->volume_count; i++) {
		if (resource->volumes[i].number == number) {
			return &resource->volumes[i];
		}
	}
	if (resource->volume_count == VRMS_DRBD_VOLUMES_MAX) {
		return NULL;
	}
	struct vrms_drbd_volume *volume = &resource->volumes[resource->volume_count++];
	*volume = (struct vrms_drbd_volume){.number = number, .minor = -1, .has_quorum = true};
	return volume;
}

struct vrms_drbd_peer *vrms_drbd_peer_at(struct vrms_drbd_resource *resource, int node_id)
{
	for (size_t i = 0; i < resource->peer_count; i++) {
		if (resource->peers[i].node_id == node_id) {
			return &resource->peers[i];
		}
	}
	if (resource->peer_count == VRMS_DRBD_PEERS_MAX) {
		return NULL;
	}
	struct vrms_drbd_peer *peer = &resource->peers[resource->peer_count++];
	memset(peer, 0, sizeof(*peer));
	strcpy(peer->name, "peer");
	peer->node_id = node_id;
	return peer;
}

struct vrms_drbd_peer_volume *vrms_drbd_peer_volume_at(struct vrms_drbd_peer *peer, int number)
{
	for (size_t i = 0; i < peer->volume_count; i++) {
		if (peer->volumes[i].number == number) {
			return &peer->volumes[i];
		}
	}
	if (peer->volume_count == VRMS_DRBD_VOLUMES_MAX) {
		return NULL;
	}
	struct vrms_drbd_peer_volume *volume = &peer->volumes[peer->volume_count++];
	*volume = (struct vrms_drbd_peer_volume){.number = number, .disk = VRMS_DRBD_DISK_UNKNOWN};
	return volume;
}

static int by_volume(const void *left, const void *right)
{
	const struct vrms_drbd_volume *a = left, *b = right;

	return (a->number > b->number) - (a->number < b->number);
}

static int by_peer_volume(const void *left, const void *right)
{
	const struct vrms_drbd_peer_volume *a = left, *b = right;

	return (a->number > b->number) - (a->number < b->number);
}

static int by_node_id(const void *left, const void *right)
{
	const struct vrms_drbd_peer *a = left, *b = right;

	return (a->node_id > b->node_id) - (a->node_id < b->node_id);
}

void vrms_drbd_resource_sort(struct vrms_drbd_resource *resource)
{
	qsort(resource->volumes, resource->volume_count, sizeof(resource->volumes[0]), by_volume);
	qsort(resource->peers, resource->peer_count, sizeof(resource->peers[0]), by_node_id);
	for (size_t i = 0; i < resource->peer_count; i++) {
		struct vrms_drbd_peer *peer = &resource->peers[i];

		qsort(peer->volumes, peer->volume_count, sizeof(peer->volumes[0]), by_peer_volume);
	}
}
