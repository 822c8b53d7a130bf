/* nbdkit_plugin.c - a point's disks as NBD exports, in nbdkit; each export has a disk's name.
 *
 * Source: nbdkit-plugin(3), API version 2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define NBDKIT_API_VERSION 2

#include <errno.h>
#include <fcntl.h>
#include <nbdkit-plugin.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "backup/cli.h"
#include "backup/part_reader.h"

#define THREAD_MODEL NBDKIT_THREAD_MODEL_SERIALIZE_REQUESTS

enum { EXTENTS_MAX = 4096 };

/* nbdkit gives its callbacks no context until a client is there. */
static struct {
	struct vrms_cli cli;
	const char *point_name;
	const char *disk;     /* NULL: all of them */
	const char *outlives; /* "yes": who started it may end before it; NULL: no */
	const char *patience; /* seconds to wait for the first client; NULL: for ever */
	const char *ready;    /* file to make when clients are served; NULL: none */
	atomic_bool had_client;
	struct vrms_open open;
	struct vrms_point point;
} served;

static const struct {
	const char *name;
	const char **value;
} settings[] = {
    {"repository", &served.cli.repository},
    {"key-file", &served.cli.key_file},
    {"key-command", &served.cli.key_command},
    {"point", &served.point_name},
    {"disk", &served.disk},
    {"outlives", &served.outlives},
    {"patience", &served.patience},
    {"ready", &served.ready},
};

static int served_config(const char *key, const char *value)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(settings); i++) {
		if (strcmp(settings[i].name, key) == 0) {
			*settings[i].value = value; /* stays valid: nbdkit.h, config */
			return 0;
		}
	}
	nbdkit_error("no setting '%s'", key);
	return -1;
}

static int served_config_complete(void)
{
	if (served.cli.repository == NULL || served.point_name == NULL) {
		nbdkit_error("'repository' and 'point' are required");
		return -1;
	}
	return 0;
}

/* Who started it may have been killed before there was a client, and nobody else ends it. */
static void *watch_lonely(void *argument)
{
	sleep((unsigned int)atoi(served.patience));
	if (!atomic_load(&served.had_client)) {
		nbdkit_error("no client for %s s", served.patience);
		nbdkit_shutdown();
	}
	return argument;
}

static int start_watch(void)
{
	pthread_t thread;

	if (served.patience == NULL) {
		return 0;
	}
	if (pthread_create(&thread, NULL, watch_lonely, NULL) != 0) {
		nbdkit_error("no thread");
		return -1;
	}
	pthread_detach(thread);
	return 0;
}

/* nbdkit 1.32 has itself ended with its parent, whether asked to or not, and its clients then read
 * errors. */
static int outlive_parent(void)
{
	if (served.outlives != NULL && prctl(PR_SET_PDEATHSIG, 0) < 0) {
		nbdkit_error("prctl: %s", strerror(errno));
		return -1;
	}
	return 0;
}

/* nbdkit listens before it opens the plugin, so neither its socket nor its pid file would do. */
static int tell_ready(void)
{
	int fd = served.ready != NULL
		     ? open(served.ready, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)
		     : 0;

	if (fd < 0) {
		nbdkit_error("%s: %s", served.ready, strerror(errno));
		return -1;
	}
	if (fd > 0) {
		close(fd);
	}
	return 0;
}

static bool is_served(const struct vrms_point_part *part)
{
	return part->is_disk && (served.disk == NULL || strcmp(served.disk, part->name) == 0);
}

static const struct vrms_point_part *find_disk(const char *name)
{
	for (size_t i = 0; i < served.point.part_count; i++) {
		const struct vrms_point_part *part = &served.point.parts[i];

		if (is_served(part) && (name[0] == '\0' || strcmp(part->name, name) == 0)) {
			return part;
		}
	}
	return NULL;
}

/* After nbdkit has gone into the background: the lock names the process that holds it. */
static int served_after_fork(void)
{
	struct vrms_index *index;
	struct vrms_error error = {0};
	char purpose[80];
	int rc;

	snprintf(purpose, sizeof(purpose), "serving %.50s", served.point_name);
	rc = vrms_open_repository(&served.cli, VRMS_LOCK_READER, purpose, &served.open, &error);
	if (rc == 0) {
		rc = vrms_point_read(served.open.repository, served.point_name, &served.point,
				     &error);
	}
	if (rc == 0) {
		rc = vrms_repository_index(served.open.repository, &index, &error);
	}
	if (rc == 0 && find_disk("") == NULL) {
		rc = vrms_error_set(&error, -ENOENT, "'%s' has no disk '%s'", served.point_name,
				    served.disk != NULL ? served.disk : "");
	}
	if (rc < 0) {
		nbdkit_error("%s", error.text);
		return -1;
	}
	return outlive_parent() < 0 || start_watch() < 0 ? -1 : tell_ready();
}

static void served_cleanup(void)
{
	vrms_point_done(&served.point);
	vrms_open_done(&served.open);
}

static int served_list_exports(int readonly, int is_default_only, struct nbdkit_exports *exports)
{
	(void)readonly;
	for (size_t i = 0; i < served.point.part_count; i++) {
		const struct vrms_point_part *part = &served.point.parts[i];

		if (is_served(part) && nbdkit_add_export(exports, part->name, NULL) < 0) {
			return -1;
		}
		if (is_served(part) && is_default_only) {
			break;
		}
	}
	return 0;
}

static const char *served_default_export(int readonly, int is_tls)
{
	const struct vrms_point_part *part = find_disk("");

	(void)readonly;
	(void)is_tls;
	return part != NULL ? part->name : NULL;
}

struct client {
	const struct vrms_point_part *part;
	struct vrms_part_reader *reader;
};

static int fail(int rc, const struct vrms_error *error)
{
	nbdkit_error("%s", error->text);
	nbdkit_set_error(rc == -ENOMEM || rc == -EINVAL ? -rc : EIO);
	return -1;
}

static void *served_open(int readonly)
{
	const char *name = nbdkit_export_name();
	struct client *client = calloc(1, sizeof(*client));
	struct vrms_error error = {0};
	int rc;

	(void)readonly;
	atomic_store(&served.had_client, true);
	if (client == NULL || name == NULL) {
		free(client);
		return NULL;
	}
	client->part = find_disk(name);
	if (client->part == NULL) {
		nbdkit_error("'%s' has no disk '%s'", served.point_name, name);
		free(client);
		return NULL;
	}
	rc = vrms_part_reader_new(served.open.repository, client->part, &client->reader, &error);
	if (rc < 0) {
		(void)fail(rc, &error);
		free(client);
		return NULL;
	}
	return client;
}

static void served_close(void *handle)
{
	struct client *client = handle;

	vrms_part_reader_free(client->reader);
	free(client);
}

static int64_t served_size(void *handle)
{
	const struct client *client = handle;

	return (int64_t)client->part->bytes;
}

static int served_is_possible(void *handle)
{
	(void)handle;
	return 1;
}

static int served_pread(void *handle, void *buffer, uint32_t count, uint64_t offset, uint32_t flags)
{
	struct client *client = handle;
	struct vrms_error error = {0};
	int rc = vrms_part_reader_read(client->reader, buffer, count, offset, &error);

	(void)flags;
	return rc < 0 ? fail(rc, &error) : 0;
}

static int served_extents(void *handle, uint32_t count, uint64_t offset, uint32_t flags,
			  struct nbdkit_extents *extents)
{
	struct client *client = handle;
	uint64_t end = offset + count;
	struct vrms_error error = {0};

	for (int i = 0; i < EXTENTS_MAX && offset < end; i++) {
		bool is_zero;
		uint64_t bytes;
		int rc = vrms_part_reader_extent(client->reader, offset, end - offset, &is_zero,
						 &bytes, &error);

		if (rc < 0) {
			return fail(rc, &error);
		}
		if (nbdkit_add_extent(extents, offset, bytes,
				      is_zero ? NBDKIT_EXTENT_HOLE | NBDKIT_EXTENT_ZERO : 0) < 0) {
			return -1;
		}
		if ((flags & NBDKIT_FLAG_REQ_ONE) != 0) {
			break;
		}
		offset += bytes;
	}
	return 0;
}

static struct nbdkit_plugin plugin = {
    .name = "vrmsbackup",
    .longname = "a point of a VRMS backup repository",
    .config = served_config,
    .config_complete = served_config_complete,
    .after_fork = served_after_fork,
    .cleanup = served_cleanup,
    .list_exports = served_list_exports,
    .default_export = served_default_export,
    .open = served_open,
    .close = served_close,
    .get_size = served_size,
    .can_multi_conn = served_is_possible,
    .can_extents = served_is_possible,
    .pread = served_pread,
    .extents = served_extents,
};

/* The macro defines it without a prototype, which clang warns of. */
struct nbdkit_plugin *plugin_init(void);

NBDKIT_REGISTER_PLUGIN(plugin)
