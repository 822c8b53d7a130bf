/* drbd_events2.c - lines "exists KIND key:value ..." of drbdsetup.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "agents/drbd_state.h"
#include "common/parse.h"

enum { LINE_BYTES = 2048, WORDS_MAX = 64 };

/* One line, cut into its words. */
struct event {
	char text[LINE_BYTES];
	char *words[WORDS_MAX];
	size_t count;
};

static int split(const char *line, size_t size, struct event *event, struct vrms_error *error)
{
	char *rest = NULL;

	if (size >= sizeof(event->text)) {
		return vrms_error_set(error, -EPROTO, "events2: a line of %zu bytes", size);
	}
	memcpy(event->text, line, size);
	event->text[size] = '\0';
	event->count = 0;
	for (char *word = strtok_r(event->text, " \t\r", &rest);
	     word != NULL && event->count < WORDS_MAX; word = strtok_r(NULL, " \t\r", &rest)) {
		event->words[event->count++] = word;
	}
	return 0;
}

/* The text behind "key:", or NULL. */
static const char *value_of(const struct event *event, const char *key)
{
	size_t size = strlen(key);

	for (size_t i = 2; i < event->count; i++) {
		if (strncmp(event->words[i], key, size) == 0 && event->words[i][size] == ':') {
			return event->words[i] + size + 1;
		}
	}
	return NULL;
}

static const char *text_of(const struct event *event, const char *key)
{
	const char *text = value_of(event, key);

	return text == NULL ? "" : text;
}

static int number_of(const struct event *event, const char *key, int *ret_number,
		     struct vrms_error *error)
{
	int64_t number;

	if (vrms_int_parse(text_of(event, key), 0, INT_MAX, &number, NULL) < 0) {
		return vrms_error_set(error, -EPROTO, "events2: a %s without a proper %s",
				      event->words[1], key);
	}
	*ret_number = (int)number;
	return 0;
}

static unsigned int parse_suspended(const char *text)
{
	static const struct {
		const char *word;
		unsigned int bit;
	} reasons[] = {
	    {"user", VRMS_DRBD_SUSPENDED_USER},
	    {"no-data", VRMS_DRBD_SUSPENDED_NO_DATA},
	    {"fencing", VRMS_DRBD_SUSPENDED_FENCING},
	    {"quorum", VRMS_DRBD_SUSPENDED_QUORUM},
	};
	unsigned int bits = 0;

	for (const char *word = text; *word != '\0' && strcmp(text, "no") != 0;) {
		size_t size = strcspn(word, ",");
		unsigned int bit = VRMS_DRBD_SUSPENDED_OTHER;

		for (size_t i = 0; i < VRMS_COUNT_OF(reasons); i++) {
			if (strlen(reasons[i].word) == size &&
			    memcmp(reasons[i].word, word, size) == 0) {
				bit = reasons[i].bit;
			}
		}
		bits |= bit;
		word += size + (word[size] == ',');
	}
	return bits;
}

static int too_big(const struct vrms_drbd_resource *resource, struct vrms_error *error)
{
	return vrms_error_set(error, -E2BIG, "%s: more than %d volumes or %d peers", resource->name,
			      VRMS_DRBD_VOLUMES_MAX, VRMS_DRBD_PEERS_MAX);
}

static int take_resource(const struct event *event, struct vrms_drbd_resource *resource,
			 struct vrms_error *error)
{
	(void)error;
	resource->exists = true;
	resource->role = vrms_drbd_role_parse(text_of(event, "role"));
	resource->suspended = parse_suspended(text_of(event, "suspended"));
	return 0;
}

static int take_device(const struct event *event, struct vrms_drbd_resource *resource,
		       struct vrms_error *error)
{
	int number = 0, minor = 0;
	int rc = number_of(event, "volume", &number, error);

	if (rc == 0) {
		rc = number_of(event, "minor", &minor, error);
	}
	if (rc < 0) {
		return rc;
	}
	struct vrms_drbd_volume *volume = vrms_drbd_volume_at(resource, number);
	if (volume == NULL) {
		return too_big(resource, error);
	}
	volume->minor = minor;
	volume->disk = vrms_drbd_disk_parse(text_of(event, "disk"));
	volume->is_client = strcmp(text_of(event, "client"), "yes") == 0;
	volume->has_quorum = strcmp(text_of(event, "quorum"), "no") != 0;
	return 0;
}

static struct vrms_drbd_peer *peer_of(const struct event *event,
				      struct vrms_drbd_resource *resource, int *ret_rc,
				      struct vrms_error *error)
{
	int node_id = 0;

	*ret_rc = number_of(event, "peer-node-id", &node_id, error);
	if (*ret_rc < 0) {
		return NULL;
	}
	struct vrms_drbd_peer *peer = vrms_drbd_peer_at(resource, node_id);
	if (peer == NULL) {
		*ret_rc = too_big(resource, error);
	}
	return peer;
}

static int take_connection(const struct event *event, struct vrms_drbd_resource *resource,
			   struct vrms_error *error)
{
	int rc;
	struct vrms_drbd_peer *peer = peer_of(event, resource, &rc, error);
	const char *name = value_of(event, "conn-name");

	if (peer == NULL) {
		return rc;
	}
	if (name != NULL) { /* 8.4 leaves it out when StandAlone */
		(void)snprintf(peer->name, sizeof(peer->name), "%s", name);
	}
	peer->connection = vrms_drbd_connection_parse(text_of(event, "connection"));
	peer->role = vrms_drbd_role_parse(text_of(event, "role"));
	return 0;
}

static int take_peer_device(const struct event *event, struct vrms_drbd_resource *resource,
			    struct vrms_error *error)
{
	int rc, number = 0;
	struct vrms_drbd_peer *peer = peer_of(event, resource, &rc, error);

	if (peer != NULL) {
		rc = number_of(event, "volume", &number, error);
	}
	if (rc < 0) {
		return rc;
	}
	struct vrms_drbd_peer_volume *volume = vrms_drbd_peer_volume_at(peer, number);
	if (volume == NULL) {
		return too_big(resource, error);
	}
	volume->disk = vrms_drbd_disk_parse(text_of(event, "peer-disk"));
	volume->replication = vrms_drbd_replication_parse(text_of(event, "replication"));
	return 0;
}

/* Kinds that are not listed, "path" among them, say nothing about the data. */
static int take(const struct event *event, struct vrms_drbd_resource *resource,
		struct vrms_error *error)
{
	static const struct {
		const char *kind;
		int (*take)(const struct event *, struct vrms_drbd_resource *, struct vrms_error *);
	} kinds[] = {
	    {"resource", take_resource},
	    {"device", take_device},
	    {"connection", take_connection},
	    {"peer-device", take_peer_device},
	};

	for (size_t i = 0; i < VRMS_COUNT_OF(kinds); i++) {
		if (strcmp(event->words[1], kinds[i].kind) == 0 &&
		    strcmp(text_of(event, "name"), resource->name) == 0) {
			return kinds[i].take(event, resource, error);
		}
	}
	return 0;
}

int vrms_drbd_events2_parse(const char *text, struct vrms_drbd_resource *resource,
			    struct vrms_error *error)
{
	struct event event;
	struct vrms_drbd_resource *found VRMS_CLEANUP(vrms_freep) = malloc(sizeof(*found));

	if (found == NULL) {
		return vrms_error_set(error, -ENOMEM, "%s: out of memory", resource->name);
	}
	vrms_drbd_resource_init(found, resource->name);
	for (const char *line = text; *line != '\0';) {
		size_t size = strcspn(line, "\n");
		int rc = split(line, size, &event, error);

		if (rc < 0) {
			return rc;
		}
		if (event.count >= 2 && strcmp(event.words[0], "exists") == 0) {
			if (strcmp(event.words[1], "-") == 0) {
				vrms_drbd_resource_sort(found);
				*resource = *found;
				return 0;
			}
			rc = take(&event, found, error);
			if (rc < 0) {
				return rc;
			}
		}
		line += size + (line[size] == '\n');
	}
	return vrms_error_set(error, -EPROTO, "%s: events2 ends without \"exists -\"",
			      resource->name);
}
