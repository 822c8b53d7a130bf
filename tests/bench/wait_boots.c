/* wait_boots.c - runs a command that takes guests down and says when each has booted again, by the
 * guests' own records on their disks: nothing of the cluster is asked.
 *
 * usage: wait_boots TIMEOUT_MS DISK... -- COMMAND [ARGUMENT...]
 *
 * Prints "<ms since the command began> <disk>" as each guest is back.  Exit status 0 when all are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/parse.h"
#include "lab/guest.h"

enum { DISKS_MAX = 64, POLL_MS = 20 };

struct disk {
	const char *path;
	uint32_t boot_count; /* before the command */
	bool is_back;
};

static int read_boots(const char *path, uint32_t *ret_count, struct vrms_error *error)
{
	struct vrms_guest_record record;

	int rc = vrms_guest_record_read(path, &record, error);
	if (rc == 0) {
		*ret_count = record.boot_count;
	}
	return rc;
}

static int look_before(struct disk *disks, int count, struct vrms_error *error)
{
	int rc = 0;

	for (int i = 0; i < count && rc == 0; i++) {
		rc = read_boots(disks[i].path, &disks[i].boot_count, error);
	}
	return rc;
}

/* Returns how many are still missing. */
static int look_again(struct disk *disks, int count, int64_t spent_ms)
{
	int missing = 0;

	for (int i = 0; i < count; i++) {
		uint32_t boots = 0;
		if (!disks[i].is_back && read_boots(disks[i].path, &boots, NULL) == 0 &&
		    boots > disks[i].boot_count) {
			disks[i].is_back = true;
			printf("%" PRId64 " %s\n", spent_ms, disks[i].path);
			(void)fflush(stdout);
		}
		missing += disks[i].is_back ? 0 : 1;
	}
	return missing;
}

static int run(struct disk *disks, int count, char **command, int64_t timeout_ms,
	       struct vrms_error *error)
{
	const struct vrms_clock *clock = vrms_clock_system();
	pid_t pid;

	int rc = look_before(disks, count, error);
	if (rc < 0) {
		return rc;
	}
	int64_t start_ms = vrms_clock_now_ms(clock);
	rc = posix_spawnp(&pid, command[0], NULL, NULL, command, environ);
	if (rc != 0) {
		return vrms_error_errno(error, -rc, "%s", command[0]);
	}
	for (;;) {
		int64_t spent_ms = vrms_clock_now_ms(clock) - start_ms;
		int missing = look_again(disks, count, spent_ms);
		if (missing == 0) {
			return 0;
		}
		if (spent_ms >= timeout_ms) {
			return vrms_error_set(error, -ETIMEDOUT, "%d of %d guests are not back",
					      missing, count);
		}
		vrms_clock_sleep_ms(clock, POLL_MS);
	}
}

int main(int argc, char **argv)
{
	struct disk disks[DISKS_MAX] = {{0}};
	struct vrms_error error = {{0}};
	int64_t timeout_ms;
	int count = 0;
	int at = 2;

	for (; at < argc && strcmp(argv[at], "--") != 0 && count < DISKS_MAX; at++) {
		disks[count++].path = argv[at];
	}
	if (count == 0 || at + 1 >= argc ||
	    vrms_int_parse(argv[1], 1, INT32_MAX, &timeout_ms, NULL) < 0) {
		fputs("usage: wait_boots TIMEOUT_MS DISK... -- COMMAND [ARGUMENT...]\n", stderr);
		return 2;
	}
	int rc = run(disks, count, argv + at + 1, timeout_ms, &error);
	if (rc < 0) {
		fprintf(stderr, "wait_boots: %s\n", error.text);
		return 1;
	}
	return 0;
}
