/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "common/thread.h"

enum { VERSION = 1, WALL_BYTES = 40, QUEUE_MAX = 1024, CLOSE_MS = 2000, STACK_BYTES = 128 * 1024 };

#define READERS "haclient"

struct vrms_journal {
	char *path;
	char *node;
	uint64_t size_max;
	unsigned keep;
	uint64_t sequence;

	pthread_t thread;
	bool has_thread;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t wake;
	char *queue[QUEUE_MAX];
	unsigned first, count;
	bool is_ending;

	int fd; /* the thread's own */
};

/* A daemon that lost its power in the middle of a line: the next one must not be glued to it. */
static void end_torn_line(int fd)
{
	struct stat status;
	char last = '\n';

	if (fstat(fd, &status) == 0 && status.st_size > 0 &&
	    pread(fd, &last, 1, status.st_size - 1) == 1 && last != '\n') {
		(void)!write(fd, "\n", 1);
	}
}

static int open_file(struct vrms_journal *journal, struct vrms_error *error)
{
	const struct group *group = getgrnam(READERS);

	journal->fd = open(journal->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (journal->fd < 0) {
		return vrms_error_errno(error, -errno, "%s", journal->path);
	}
	/* Not root's own machine: whoever may ask the daemon may read what it wrote. */
	if (group != NULL) {
		(void)!fchown(journal->fd, (uid_t)-1, group->gr_gid);
	}
	end_torn_line(journal->fd);
	return 0;
}

static void write_line(struct vrms_journal *journal, char *text);

static void *run(void *context)
{
	struct vrms_journal *journal = context;

	pthread_mutex_lock(&journal->mutex);
	while (journal->count > 0 || !journal->is_ending) {
		if (journal->count == 0) {
			pthread_cond_wait(&journal->wake, &journal->mutex);
			continue;
		}
		char *text = journal->queue[journal->first];

		journal->first = (journal->first + 1) % QUEUE_MAX;
		journal->count--;
		pthread_mutex_unlock(&journal->mutex);
		write_line(journal, text);
		free(text);
		pthread_mutex_lock(&journal->mutex);
	}
	pthread_mutex_unlock(&journal->mutex);
	return NULL;
}

static int start_thread(struct vrms_journal *journal, struct vrms_error *error)
{
	const struct vrms_thread_job job = {.run = run,
					    .context = journal,
					    .stack_bytes = STACK_BYTES};

	pthread_mutex_init(&journal->mutex, NULL);
	pthread_cond_init(&journal->wake, NULL);
	int rc = vrms_thread_start(&job, NULL, &journal->thread, error);

	journal->has_thread = rc == 0;
	return rc;
}

int vrms_journal_open(const struct vrms_journal_config *config, struct vrms_journal **ret_journal,
		      struct vrms_error *error)
{
	struct vrms_journal *journal VRMS_CLEANUP(vrms_journal_freep) = calloc(1, sizeof(*journal));
	char *folder VRMS_CLEANUP(vrms_freep) = strdup(config->path);

	if (journal == NULL || folder == NULL) {
		return vrms_error_set(error, -ENOMEM, "%s: out of memory", config->path);
	}
	journal->fd = -1;
	journal->path = strdup(config->path);
	journal->node = strdup(config->node);
	journal->size_max = config->size_max;
	journal->keep = config->keep;
	if (journal->path == NULL || journal->node == NULL) {
		return vrms_error_set(error, -ENOMEM, "%s: out of memory", config->path);
	}
	int rc = vrms_file_mkdir_all(dirname(folder), 0755, error);

	rc = rc < 0 ? rc : open_file(journal, error);
	rc = rc < 0 ? rc : start_thread(journal, error);
	if (rc < 0) {
		return rc;
	}
	*ret_journal = VRMS_TAKE(journal);
	return 0;
}

/* False: the thread hangs with the disk, and keeps the journal. */
static bool end_thread(struct vrms_journal *journal)
{
	if (!journal->has_thread) {
		return true;
	}
	pthread_mutex_lock(&journal->mutex);
	journal->is_ending = true;
	pthread_cond_signal(&journal->wake);
	pthread_mutex_unlock(&journal->mutex);
	if (vrms_thread_join_within(journal->thread, CLOSE_MS) < 0) {
		return false;
	}
	pthread_mutex_destroy(&journal->mutex);
	pthread_cond_destroy(&journal->wake);
	return true;
}

void vrms_journal_free(struct vrms_journal *journal)
{
	if (journal != NULL && end_thread(journal)) {
		vrms_closep(&journal->fd);
		free(journal->path);
		free(journal->node);
		free(journal);
	}
}

/* Old ones move up by one; the last falls off.  A failure leaves a larger file, nothing worse. */
static void rotate(struct vrms_journal *journal)
{
	struct stat status;
	char from[4096], to[4096];

	if (fstat(journal->fd, &status) < 0 || (uint64_t)status.st_size < journal->size_max) {
		return;
	}
	for (unsigned number = journal->keep; number > 0; number--) {
		snprintf(to, sizeof(to), "%s.%u", journal->path, number);
		if (number == 1) {
			snprintf(from, sizeof(from), "%s", journal->path);
		} else {
			snprintf(from, sizeof(from), "%s.%u", journal->path, number - 1);
		}
		(void)rename(from, to);
	}
	vrms_closep(&journal->fd);
	(void)open_file(journal, NULL);
}

static void format_wall(char text[WALL_BYTES])
{
	struct timespec now;
	struct tm parts;
	size_t length;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	length = strftime(text, WALL_BYTES, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text + length, WALL_BYTES - length, ".%03ldZ", now.tv_nsec / 1000000);
}

int vrms_journal_write(struct vrms_journal *journal, int64_t now_ms, const char *event,
		       json_t *fields)
{
	char wall[WALL_BYTES];

	format_wall(wall);
	json_t *line = json_pack("{s:i, s:I, s:I, s:s, s:s, s:s}", "v", VERSION, "seq",
				 (json_int_t)journal->sequence++, "mono_ms", (json_int_t)now_ms,
				 "wall", wall, "node", journal->node, "event", event);

	if (line != NULL && fields != NULL) {
		json_object_update(line, fields);
	}
	char *text VRMS_CLEANUP(vrms_freep) = line == NULL ? NULL : json_dumps(line, JSON_COMPACT);

	json_decref(fields);
	json_decref(line);
	if (text == NULL) {
		return -ENOMEM;
	}
	pthread_mutex_lock(&journal->mutex);
	bool is_full = journal->count == QUEUE_MAX;

	if (!is_full) {
		journal->queue[(journal->first + journal->count++) % QUEUE_MAX] = VRMS_TAKE(text);
		pthread_cond_signal(&journal->wake);
	}
	pthread_mutex_unlock(&journal->mutex);
	return is_full ? -ENOBUFS : 0;
}

/* A failure loses the line: its number shows.  The part of it that a full disk took is taken back,
 * or it would spoil the next one. */
static void write_line(struct vrms_journal *journal, char *text)
{
	size_t length = strlen(text);
	struct stat status;

	rotate(journal);
	if (journal->fd < 0 && open_file(journal, NULL) < 0) {
		return;
	}
	text[length] = '\n'; /* over the NUL: one write, so that lines never mix */
	ssize_t put = write(journal->fd, text, length + 1);

	if (put > 0 && (size_t)put <= length && fstat(journal->fd, &status) == 0) {
		(void)!ftruncate(journal->fd, status.st_size - put);
	}
}
