/* drbd_json.c - what "drbdsetup status --json" of DRBD 9 says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "agents/drbd_state.h"

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL ? "" : text;
}

static int number_of(const json_t *object, const char *key)
{
	return (int)json_integer_value(json_object_get(object, key));
}

static bool is_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static unsigned int suspended_of(const json_t *resource)
{
	static const struct {
		const char *key;
		unsigned int bit;
	} reasons[] = {
	    {"suspended-user", VRMS_DRBD_SUSPENDED_USER},
	    {"suspended-no-data", VRMS_DRBD_SUSPENDED_NO_DATA},
	    {"suspended-fencing", VRMS_DRBD_SUSPENDED_FENCING},
	    {"suspended-quorum", VRMS_DRBD_SUSPENDED_QUORUM},
	};
	unsigned int bits = 0;

	for (size_t i = 0; i < VRMS_COUNT_OF(reasons); i++) {
		bits |= is_true(resource, reasons[i].key) ? reasons[i].bit : 0;
	}
	return bits == 0 && is_true(resource, "suspended") ? VRMS_DRBD_SUSPENDED_OTHER : bits;
}

static int take_device(const json_t *device, struct vrms_drbd_resource *resource)
{
	struct vrms_drbd_volume *volume =
	    vrms_drbd_volume_at(resource, number_of(device, "volume"));

	if (volume == NULL) {
		return -E2BIG;
	}
	volume->minor = number_of(device, "minor");
	volume->disk = vrms_drbd_disk_parse(text_of(device, "disk-state"));
	volume->is_client = is_true(device, "client");
	volume->has_quorum = !json_is_false(json_object_get(device, "quorum"));
	return 0;
}

static int take_connection(const json_t *connection, struct vrms_drbd_resource *resource)
{
	size_t index;
	json_t *device;
	struct vrms_drbd_peer *peer =
	    vrms_drbd_peer_at(resource, number_of(connection, "peer-node-id"));

	if (peer == NULL) {
		return -E2BIG;
	}
	(void)snprintf(peer->name, sizeof(peer->name), "%s", text_of(connection, "name"));
	peer->connection = vrms_drbd_connection_parse(text_of(connection, "connection-state"));
	peer->role = vrms_drbd_role_parse(text_of(connection, "peer-role"));
	json_array_foreach(json_object_get(connection, "peer_devices"), index, device)
	{
		struct vrms_drbd_peer_volume *volume =
		    vrms_drbd_peer_volume_at(peer, number_of(device, "volume"));

		if (volume == NULL) {
			return -E2BIG;
		}
		volume->disk = vrms_drbd_disk_parse(text_of(device, "peer-disk-state"));
		volume->replication =
		    vrms_drbd_replication_parse(text_of(device, "replication-state"));
	}
	return 0;
}

static int take_resource(const json_t *object, struct vrms_drbd_resource *resource)
{
	size_t index;
	json_t *part;
	int rc = 0;

	resource->exists = true;
	resource->role = vrms_drbd_role_parse(text_of(object, "role"));
	resource->suspended = suspended_of(object);
	json_array_foreach(json_object_get(object, "devices"), index, part)
	{
		rc = rc < 0 ? rc : take_device(part, resource);
	}
	json_array_foreach(json_object_get(object, "connections"), index, part)
	{
		rc = rc < 0 ? rc : take_connection(part, resource);
	}
	return rc;
}

int vrms_drbd_json_parse(const char *text, struct vrms_drbd_resource *resource,
			 struct vrms_error *error)
{
	json_error_t failure;
	size_t index;
	json_t *object;
	json_t *root VRMS_CLEANUP(json_decrefp) = json_loads(text, 0, &failure);
	struct vrms_drbd_resource *found VRMS_CLEANUP(vrms_freep) = malloc(sizeof(*found));

	if (found == NULL) {
		return vrms_error_set(error, -ENOMEM, "%s: out of memory", resource->name);
	}
	if (!json_is_array(root)) {
		return vrms_error_set(error, -EPROTO, "%s: status is no JSON list: %s",
				      resource->name, root == NULL ? failure.text : "not a list");
	}
	vrms_drbd_resource_init(found, resource->name);
	json_array_foreach(root, index, object)
	{
		if (strcmp(text_of(object, "name"), resource->name) == 0 &&
		    take_resource(object, found) < 0) {
			return vrms_error_set(error, -E2BIG, "%s: more than %d volumes or %d peers",
					      resource->name, VRMS_DRBD_VOLUMES_MAX,
					      VRMS_DRBD_PEERS_MAX);
		}
	}
	vrms_drbd_resource_sort(found);
	*resource = *found;
	return 0;
}
