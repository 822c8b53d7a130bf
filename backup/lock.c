/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "backup/crypto.h"
#include "backup/format.h"
#include "backup/lock_holder.h"
#include "backup/lock_watch.h"
#include "backup/reserve.h"
#include "common/clock.h"
#include "common/file.h"

enum { BEAT_MS = 5000, LOOK_MS = 200 };

struct vrms_lock {
	char *folder; /* ROOT/locks */
	char *path;
	struct vrms_lock_holder holder;
	pthread_t thread;
	bool has_thread;
	bool is_phantom; /* a read-only repository needs none */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool is_ending;
};

static int path_of(const struct vrms_lock *lock, const char *name, char **ret_path)
{
	return asprintf(ret_path, "%s/%s", lock->folder, name) < 0 ? -ENOMEM : 0;
}

/* The file gets its content before its name: others never see half of it. */
static int put_file(struct vrms_lock *lock, struct vrms_error *error)
{
	char *temporary VRMS_CLEANUP(vrms_freep) = NULL;
	char *text VRMS_CLEANUP(vrms_freep) = vrms_lock_holder_print(&lock->holder);
	char name[8 + VRMS_ID_TEXT_BYTES];
	int rc;

	snprintf(name, sizeof(name), ".%s", lock->holder.id);
	rc = text == NULL ? -ENOMEM : path_of(lock, name, &temporary);
	if (rc < 0) {
		return vrms_error_errno(error, rc, "lock");
	}
	rc = vrms_file_write(temporary, text, strlen(text), 0600, error);
	if (rc < 0) {
		return rc;
	}
	rc = link(temporary, lock->path) < 0 ? -errno : 0;
	unlink(temporary);
	return rc < 0 && rc != -EEXIST ? vrms_error_errno(error, rc, "%s", lock->path) : rc;
}

static void *beat_thread(void *argument)
{
	struct vrms_lock *lock = argument;

	pthread_mutex_lock(&lock->lock);
	while (!lock->is_ending) {
		struct timespec until;
		char *text;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += BEAT_MS / 1000;
		pthread_cond_timedwait(&lock->wake, &lock->lock, &until);
		lock->holder.beat++;
		text = lock->is_ending ? NULL : vrms_lock_holder_print(&lock->holder);
		if (text != NULL && vrms_lock_check(lock, NULL) == 0) {
			/* A beat that cannot be written is told by vrms_lock_check(). */
			(void)!vrms_file_write(lock->path, text, strlen(text), 0600, NULL);
		}
		free(text);
	}
	pthread_mutex_unlock(&lock->lock);
	return NULL;
}

static int start_beat(struct vrms_lock *lock, struct vrms_error *error)
{
	pthread_condattr_t attributes;
	int rc;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&lock->lock, NULL);
	pthread_cond_init(&lock->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	rc = pthread_create(&lock->thread, NULL, beat_thread, lock);
	lock->has_thread = rc == 0;
	return rc != 0 ? vrms_error_errno(error, -rc, "lock") : 0;
}

int vrms_lock_check(const struct vrms_lock *lock, struct vrms_error *error)
{
	struct vrms_lock_holder now;
	int rc;

	if (lock->is_phantom) {
		return 0;
	}
	rc = vrms_lock_holder_read(lock->path, &now);
	if (rc == -ENOENT || (rc == 0 && strcmp(now.id, lock->holder.id) != 0)) {
		return vrms_error_set(error, -ESTALE,
				      "the repository's lock was taken away: this program stood "
				      "still too long");
	}
	return rc < 0 ? vrms_error_errno(error, rc, "%s", lock->path) : 0;
}

void vrms_lock_release(struct vrms_lock *lock)
{
	if (lock == NULL) {
		return;
	}
	if (lock->has_thread) {
		pthread_mutex_lock(&lock->lock);
		lock->is_ending = true;
		pthread_cond_broadcast(&lock->wake);
		pthread_mutex_unlock(&lock->lock);
		pthread_join(lock->thread, NULL);
		if (vrms_lock_check(lock, NULL) == 0 && !lock->is_phantom) {
			unlink(lock->path);
		}
	}
	free(lock->folder);
	free(lock->path);
	free(lock);
}

/* Takes a stale lock out of the way.  Two may try: the rename lets one win, and
 * who finds that it moved a living lock puts it back. */
static void remove_stale(const struct vrms_lock *lock, const char *path, const char *id)
{
	char *aside VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_lock_holder moved;
	char name[8 + VRMS_ID_TEXT_BYTES];

	snprintf(name, sizeof(name), ".stale%s", lock->holder.id);
	if (path_of(lock, name, &aside) < 0 || rename(path, aside) < 0) {
		return;
	}
	if (vrms_lock_holder_read(aside, &moved) == 0 && strcmp(moved.id, id) != 0 &&
	    link(aside, path) < 0) {
		return; /* keeps the evidence */
	}
	unlink(aside);
}

/* 1 when that lock is in our way and alive, 0 when not. */
static int is_in_the_way(struct vrms_lock *lock, const char *name, struct vrms_lock_watch *watch,
			 struct vrms_error *error)
{
	char *path VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_lock_holder other;
	bool is_dead;
	int rc;

	if (name[0] == '.' || path_of(lock, name, &path) < 0) {
		return 0;
	}
	rc = vrms_lock_holder_read(path, &other);
	if (rc == -ENOENT || strcmp(other.id, lock->holder.id) == 0) {
		return 0;
	}
	if (rc < 0) { /* half written by nobody we know: its age decides */
		memset(&other, 0, sizeof(other));
		snprintf(other.host, sizeof(other.host), "unknown");
	} else if (lock->holder.kind == VRMS_LOCK_READER
		       ? other.kind != VRMS_LOCK_EXCLUSIVE
		       : lock->holder.kind == VRMS_LOCK_WRITER && other.kind == VRMS_LOCK_READER) {
		return 0;
	}
	is_dead =
	    vrms_lock_holder_is_dead(&other) ||
	    vrms_lock_watch_stood_still(watch, name, other.beat,
					vrms_clock_now_ms(vrms_clock_system()), VRMS_LOCK_LEASE_MS);
	if (is_dead) {
		remove_stale(lock, path, other.id);
		return 0;
	}
	vrms_error_set(error, -EBUSY, "the repository is in use by %s (process %lld on %s)",
		       other.purpose, (long long)other.pid, other.host);
	return 1;
}

static int look(struct vrms_lock *lock, struct vrms_lock_watch *watch, struct vrms_error *error)
{
	DIR *stream = opendir(lock->folder);
	int found = 0;

	if (stream == NULL) {
		return vrms_error_errno(error, -errno, "%s", lock->folder);
	}
	for (const struct dirent *row = readdir(stream); row != NULL; row = readdir(stream)) {
		found |= is_in_the_way(lock, row->d_name, watch, error);
	}
	closedir(stream);
	return found;
}

/* First our file, then the look at the others: of two that start together at
 * least one sees the other. */
static int try_once(struct vrms_lock *lock, struct vrms_lock_watch *watch, struct vrms_error *error)
{
	int rc = put_file(lock, error);

	if (rc == -EEXIST) { /* another writer, dead or alive */
		rc = look(lock, watch, error);
		return rc > 0 ? -EBUSY : rc < 0 ? rc : -EAGAIN;
	}
	if (rc < 0) {
		return rc;
	}
	rc = look(lock, watch, error);
	if (rc != 0) {
		unlink(lock->path);
		return rc > 0 ? -EBUSY : rc;
	}
	return 0;
}

static int wait_for(struct vrms_lock *lock, int64_t wait_ms, struct vrms_error *error)
{
	const struct vrms_clock *clock = vrms_clock_system();
	int64_t end_ms = vrms_clock_now_ms(clock) + wait_ms;
	struct vrms_lock_watch *watch VRMS_CLEANUP(vrms_freep) = calloc(1, sizeof(*watch));
	int rc = watch == NULL ? -ENOMEM : -EAGAIN;

	while (rc == -EAGAIN || rc == -EBUSY) {
		rc = try_once(lock, watch, error);
		if (rc == -EBUSY) {
			if (vrms_clock_now_ms(clock) >= end_ms) {
				return rc;
			}
			vrms_clock_sleep_ms(clock, LOOK_MS);
		}
	}
	return rc;
}

static int prepare(struct vrms_lock *lock, const char *root, struct vrms_error *error)
{
	char name[16 + VRMS_ID_TEXT_BYTES];
	int rc;

	if (asprintf(&lock->folder, "%s/locks", root) < 0) {
		lock->folder = NULL;
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = vrms_lock_holder_fill(&lock->holder, error);
	if (rc < 0) {
		return rc;
	}
	snprintf(name, sizeof(name), "%s%s",
		 lock->holder.kind == VRMS_LOCK_READER ? "reader-" : "writer",
		 lock->holder.kind == VRMS_LOCK_READER ? lock->holder.id : "");
	rc = path_of(lock, name, &lock->path);
	return rc < 0 ? vrms_error_errno(error, rc, "lock") : 0;
}

static bool is_full(int rc)
{
	return rc == -ENOSPC || rc == -EDQUOT;
}

int vrms_lock_take(const char *root, enum vrms_lock_kind kind, const char *purpose, int64_t wait_ms,
		   struct vrms_lock **ret_lock, struct vrms_error *error)
{
	struct vrms_lock *lock VRMS_CLEANUP(vrms_lock_releasep) = calloc(1, sizeof(*lock));
	int rc;

	if (lock == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	lock->holder.kind = kind;
	snprintf(lock->holder.purpose, sizeof(lock->holder.purpose), "%s", purpose);
	rc = prepare(lock, root, error);
	if (rc == 0) {
		rc = wait_for(lock, wait_ms, error);
		if (is_full(rc) && vrms_reserve_give(root)) {
			vrms_error_clear(error);
			rc = wait_for(lock, wait_ms, error);
		}
		/* Who cannot write, nobody knows of: then a prune may end a restore, with an error.
		 */
		if ((rc == -EROFS || is_full(rc)) && kind == VRMS_LOCK_READER) {
			vrms_error_clear(error);
			lock->is_phantom = true;
			rc = 0;
		} else if (rc == 0) {
			rc = start_beat(lock, error);
		}
	}
	if (rc == 0) {
		*ret_lock = VRMS_TAKE(lock);
	}
	return rc;
}

int vrms_lock_break_all(const char *root, struct vrms_error *error)
{
	char *folder VRMS_CLEANUP(vrms_freep) = NULL;
	DIR *stream;
	int count = 0;

	if (asprintf(&folder, "%s/locks", root) < 0) {
		folder = NULL;
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	stream = opendir(folder);
	if (stream == NULL) {
		return vrms_error_errno(error, -errno, "%s", folder);
	}
	for (const struct dirent *row = readdir(stream); row != NULL; row = readdir(stream)) {
		if (strcmp(row->d_name, ".") != 0 && strcmp(row->d_name, "..") != 0 &&
		    unlinkat(dirfd(stream), row->d_name, 0) == 0) {
			count += row->d_name[0] != '.';
		}
	}
	closedir(stream);
	return count;
}
