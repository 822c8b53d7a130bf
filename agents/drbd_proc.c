/* drbd_proc.c - lines of /proc/drbd, as the 8.4 module writes them:
 *
 *    0: cs:Connected ro:Primary/Secondary ds:UpToDate/UpToDate C r-----
 *
 * The letters at the end: the first is r (I/O runs) or s (suspended).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agents/drbd_state.h"

struct line {
	int minor;
	char connection[32];
	char role[32], peer_role[32];
	char disk[32], peer_disk[32];
	char flags[16];
};

/* True for the first line of a configured minor. */
static bool read_line(const char *text, struct line *line)
{
	int end = 0;

	*line = (struct line){.minor = -1};
	if (sscanf(text, " %d: cs:%31s ro:%31[^/ ]/%31s ds:%31[^/ ]/%31s%n", &line->minor,
		   line->connection, line->role, line->peer_role, line->disk, line->peer_disk,
		   &end) != 6) {
		return false;
	}
	/* The protocol's letter is not there without a peer. */
	if (sscanf(text + end, " %*1[ABC] %15s", line->flags) != 1) {
		(void)sscanf(text + end, " %15s", line->flags);
	}
	return true;
}

/* 8.4 has one word for connection and replication. */
static void read_connection(const char *word, enum vrms_drbd_connection *ret_connection,
			    enum vrms_drbd_replication *ret_replication)
{
	enum vrms_drbd_connection connection = vrms_drbd_connection_parse(word);

	if (strcmp(word, "WFConnection") == 0 || strcmp(word, "WFReportParams") == 0) {
		connection = VRMS_DRBD_CONNECTING;
	}
	if (strcmp(word, "Connected") == 0) {
		*ret_replication = VRMS_DRBD_ESTABLISHED;
	} else if (connection != VRMS_DRBD_CONNECTION_OTHER) {
		*ret_replication = VRMS_DRBD_OFF;
	} else {
		*ret_replication = vrms_drbd_replication_parse(word);
		connection = *ret_replication == VRMS_DRBD_REPLICATION_OTHER
				 ? VRMS_DRBD_CONNECTION_OTHER
				 : VRMS_DRBD_CONNECTED;
	}
	*ret_connection = connection;
}

static int take(const struct line *line, int number, struct vrms_drbd_resource *resource)
{
	struct vrms_drbd_volume *volume = vrms_drbd_volume_at(resource, number);
	struct vrms_drbd_peer *peer = vrms_drbd_peer_at(resource, 0);
	struct vrms_drbd_peer_volume *theirs = vrms_drbd_peer_volume_at(peer, number);

	if (volume == NULL || theirs == NULL) {
		return -E2BIG;
	}
	resource->exists = true;
	resource->role = vrms_drbd_role_parse(line->role);
	resource->suspended |= line->flags[0] == 's' ? VRMS_DRBD_SUSPENDED_OTHER : 0;
	volume->minor = line->minor;
	volume->disk = vrms_drbd_disk_parse(line->disk);
	peer->role = vrms_drbd_role_parse(line->peer_role);
	theirs->disk = vrms_drbd_disk_parse(line->peer_disk);
	read_connection(line->connection, &peer->connection, &theirs->replication);
	return 0;
}

static int take_if_ours(const struct line *line, const struct vrms_drbd_minor *minors,
			size_t minor_count, struct vrms_drbd_resource *resource)
{
	for (size_t i = 0; i < minor_count; i++) {
		if (minors[i].minor == line->minor) {
			return take(line, minors[i].volume, resource);
		}
	}
	return 0;
}

int vrms_drbd_proc_parse(const char *text, const struct vrms_drbd_minor *minors, size_t minor_count,
			 struct vrms_drbd_resource *resource, struct vrms_error *error)
{
	struct vrms_drbd_resource *found VRMS_CLEANUP(vrms_freep) = malloc(sizeof(*found));

	if (found == NULL) {
		return vrms_error_set(error, -ENOMEM, "%s: out of memory", resource->name);
	}
	if (strncmp(text, "version: 8.4.", strlen("version: 8.4.")) != 0) {
		return vrms_error_set(error, -EPROTO, "/proc/drbd is not of version 8.4");
	}
	vrms_drbd_resource_init(found, resource->name);
	for (const char *at = text; at != NULL; at = strchr(at, '\n')) {
		struct line line;

		at += *at == '\n';
		if (read_line(at, &line) && take_if_ours(&line, minors, minor_count, found) < 0) {
			return vrms_error_set(error, -E2BIG, "%s: more than %d volumes",
					      resource->name, VRMS_DRBD_VOLUMES_MAX);
		}
	}
	vrms_drbd_resource_sort(found);
	*resource = *found;
	return 0;
}
