/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/lock_holder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <jansson.h>

#include "backup/crypto.h"
#include "common/file.h"

enum { FILE_MAX = 4096, STAT_MAX = 4096 };

/* Start time of a process; -ENOENT when there is none.
 * Source: proc(5), /proc/PID/stat, field 22; the name in field 2 may hold anything. */
static int process_start(int64_t pid, uint64_t *ret_start)
{
	char path[64];
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	const char *at;
	unsigned long long start;
	int rc;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/stat", pid);
	rc = vrms_file_read(path, STAT_MAX, &text, NULL, NULL);
	if (rc < 0) {
		return rc == -ESRCH ? -ENOENT : rc;
	}
	at = strrchr(text, ')');
	if (at == NULL || sscanf(at + 1,
				 " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
				 "%*d %*d %*d %llu",
				 &start) != 1) {
		return -EBADMSG;
	}
	*ret_start = start;
	return 0;
}

/* First line of a small file, cut; empty when it cannot be read. */
static void read_line(const char *path, char *ret_text, size_t size)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;

	ret_text[0] = '\0';
	if (vrms_file_read(path, FILE_MAX, &text, NULL, NULL) == 0) {
		text[strcspn(text, "\n")] = '\0';
		snprintf(ret_text, size, "%s", text);
	}
}

static void describe_machine(char *ret_text, size_t size)
{
	char machine[40], boot[40], space[40];
	ssize_t length = readlink("/proc/self/ns/pid", space, sizeof(space) - 1);

	space[length > 0 ? length : 0] = '\0';
	read_line("/etc/machine-id", machine, sizeof(machine));
	read_line("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
	snprintf(ret_text, size, "%s %s %s", machine, boot, space);
}

int vrms_lock_holder_fill(struct vrms_lock_holder *holder, struct vrms_error *error)
{
	struct vrms_id id;
	struct utsname names;
	int rc = vrms_random_fill(&id, sizeof(id), error);

	if (rc < 0) {
		return rc;
	}
	vrms_id_print(&id, holder->id);
	holder->pid = getpid();
	holder->beat = 1;
	rc = process_start(holder->pid, &holder->start);
	if (rc < 0 || uname(&names) < 0) {
		return vrms_error_errno(error, rc < 0 ? rc : -errno, "lock");
	}
	snprintf(holder->host, sizeof(holder->host), "%s", names.nodename);
	describe_machine(holder->machine, sizeof(holder->machine));
	return 0;
}

char *vrms_lock_holder_print(const struct vrms_lock_holder *holder)
{
	json_t *value =
	    json_pack("{s:i,s:s,s:s,s:s,s:s,s:I,s:I,s:I}", "kind", (int)holder->kind, "id",
		      holder->id, "purpose", holder->purpose, "host", holder->host, "machine",
		      holder->machine, "pid", (json_int_t)holder->pid, "start",
		      (json_int_t)holder->start, "beat", (json_int_t)holder->beat);
	char *text = value != NULL ? json_dumps(value, JSON_COMPACT) : NULL;

	json_decref(value);
	return text;
}

int vrms_lock_holder_read(const char *path, struct vrms_lock_holder *ret_holder)
{
	json_t *value VRMS_CLEANUP(json_decrefp) = NULL;
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	const char *id, *purpose, *host, *machine;
	json_int_t pid, start, beat;
	int kind, rc = vrms_file_read(path, FILE_MAX, &text, NULL, NULL);

	memset(ret_holder, 0, sizeof(*ret_holder));
	if (rc < 0) {
		return rc;
	}
	value = json_loads(text, 0, NULL);
	if (value == NULL ||
	    json_unpack(value, "{s:i,s:s,s:s,s:s,s:s,s:I,s:I,s:I}", "kind", &kind, "id", &id,
			"purpose", &purpose, "host", &host, "machine", &machine, "pid", &pid,
			"start", &start, "beat", &beat) != 0) {
		return -EBADMSG;
	}
	ret_holder->kind = (enum vrms_lock_kind)kind;
	snprintf(ret_holder->id, sizeof(ret_holder->id), "%s", id);
	snprintf(ret_holder->purpose, sizeof(ret_holder->purpose), "%s", purpose);
	snprintf(ret_holder->host, sizeof(ret_holder->host), "%s", host);
	snprintf(ret_holder->machine, sizeof(ret_holder->machine), "%s", machine);
	ret_holder->pid = pid;
	ret_holder->start = (uint64_t)start;
	ret_holder->beat = (uint64_t)beat;
	return 0;
}

/* Same machine but another boot: the process cannot have survived. */
static bool is_earlier_boot(const char *theirs, const char *ours)
{
	size_t machine = strcspn(ours, " ");
	size_t boot = strcspn(ours + machine + 1, " ");

	return machine > 0 && boot > 0 && strncmp(theirs, ours, machine + 1) == 0 &&
	       strncmp(theirs + machine + 1, ours + machine + 1, boot + 1) != 0;
}

bool vrms_lock_holder_is_dead(const struct vrms_lock_holder *holder)
{
	char machine[sizeof(holder->machine)];
	uint64_t start;
	int rc;

	describe_machine(machine, sizeof(machine));
	if (is_earlier_boot(holder->machine, machine)) {
		return true;
	}
	if (strcmp(holder->machine, machine) != 0 || holder->pid <= 0) {
		return false;
	}
	rc = process_start(holder->pid, &start);
	return rc == -ENOENT || (rc == 0 && start != holder->start);
}
