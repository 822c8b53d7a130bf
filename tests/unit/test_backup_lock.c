/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backup/lock.h"
#include "backup/lock_holder.h"
#include "backup/lock_watch.h"
#include "common/file.h"
#include "tests/unit/unit.h"

static char root[64];

static void make_root(void)
{
	char folder[80];

	strcpy(root, "/tmp/test-lock.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(folder, sizeof(folder), "%s/locks", root);
	ck_assert_int_eq(mkdir(folder, 0700), 0);
}

static void remove_root(void)
{
	char folder[80];

	ck_assert_int_ge(vrms_lock_break_all(root, NULL), 0);
	snprintf(folder, sizeof(folder), "%s/locks", root);
	ck_assert_int_eq(rmdir(folder), 0);
	ck_assert_int_eq(rmdir(root), 0);
}

static int take(enum vrms_lock_kind kind, struct vrms_lock **ret_lock, struct vrms_error *error)
{
	return vrms_lock_take(root, kind, "a test", 0, ret_lock, error);
}

/* Leaves the lock of a holder that `change` has made out of this process. */
static void leave_lock(enum vrms_lock_kind kind, void (*change)(struct vrms_lock_holder *))
{
	struct vrms_lock_holder holder = {.kind = kind, .purpose = "a backup of vm9"};
	struct vrms_error error = {0};
	char path[160];
	char *text;

	ck_assert_int_eq(vrms_lock_holder_fill(&holder, &error), 0);
	change(&holder);
	text = vrms_lock_holder_print(&holder);
	snprintf(path, sizeof(path), "%s/locks/%s%s", root,
		 kind == VRMS_LOCK_READER ? "reader-" : "writer",
		 kind == VRMS_LOCK_READER ? holder.id : "");
	ck_assert_int_eq(vrms_file_write(path, text, strlen(text), 0600, &error), 0);
	free(text);
}

START_TEST(readers_and_one_writer_go_together)
{
	struct vrms_lock *readers[2], *writer, *other = NULL;
	struct vrms_error error = {0};

	make_root();
	ck_assert_int_eq(take(VRMS_LOCK_READER, &readers[0], &error), 0);
	ck_assert_int_eq(take(VRMS_LOCK_READER, &readers[1], &error), 0);
	ck_assert_int_eq(take(VRMS_LOCK_WRITER, &writer, &error), 0);
	ck_assert_int_eq(take(VRMS_LOCK_WRITER, &other, &error), -EBUSY);
	ck_assert_ptr_nonnull(strstr(error.text, "in use by a test (process "));
	ck_assert_int_eq(vrms_lock_check(writer, &error), 0);
	vrms_lock_release(writer);
	ck_assert_int_eq(take(VRMS_LOCK_WRITER, &writer, &error), 0);
	vrms_lock_release(writer);
	vrms_lock_release(readers[0]);
	vrms_lock_release(readers[1]);
	remove_root();
}
END_TEST

START_TEST(a_prune_waits_for_readers_and_readers_for_a_prune)
{
	struct vrms_lock *reader, *prune = NULL;
	struct vrms_error error = {0};

	make_root();
	ck_assert_int_eq(take(VRMS_LOCK_READER, &reader, &error), 0);
	ck_assert_int_eq(take(VRMS_LOCK_EXCLUSIVE, &prune, &error), -EBUSY);
	/* The refused one leaves nothing behind. */
	vrms_lock_release(reader);
	ck_assert_int_eq(take(VRMS_LOCK_EXCLUSIVE, &prune, &error), 0);
	ck_assert_int_eq(take(VRMS_LOCK_READER, &reader, &error), -EBUSY);
	ck_assert_int_eq(take(VRMS_LOCK_WRITER, &reader, &error), -EBUSY);
	vrms_lock_release(prune);
	ck_assert_int_eq(take(VRMS_LOCK_READER, &reader, &error), 0);
	vrms_lock_release(reader);
	remove_root();
}
END_TEST

static void die(struct vrms_lock_holder *holder)
{
	pid_t pid = fork();

	if (pid == 0) {
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	holder->pid = pid;
}

static void be_another_process_of_that_number(struct vrms_lock_holder *holder)
{
	holder->start--;
}

static void be_of_an_earlier_boot(struct vrms_lock_holder *holder)
{
	char *boot = strchr(holder->machine, ' ') + 1;

	boot[0] = boot[0] == '0' ? '1' : '0';
}

START_TEST(locks_of_the_dead_are_taken_over)
{
	static void (*const changes[])(
	    struct vrms_lock_holder *) = {die, be_another_process_of_that_number,
					  be_of_an_earlier_boot};
	struct vrms_error error = {0};
	struct vrms_lock *lock;

	make_root();
	for (size_t i = 0; i < VRMS_COUNT_OF(changes); i++) {
		leave_lock(VRMS_LOCK_WRITER, changes[i]);
		ck_assert_msg(take(VRMS_LOCK_WRITER, &lock, &error) == 0, "%s", error.text);
		vrms_lock_release(lock);
		leave_lock(VRMS_LOCK_READER, changes[i]);
		ck_assert_msg(take(VRMS_LOCK_EXCLUSIVE, &lock, &error) == 0, "%s", error.text);
		vrms_lock_release(lock);
	}
	remove_root();
}
END_TEST

static void be_elsewhere(struct vrms_lock_holder *holder)
{
	strcpy(holder->machine, "another-machine another-boot pid:[1]");
	strcpy(holder->host, "node2");
}

static void stay(struct vrms_lock_holder *holder)
{
	(void)holder;
}

START_TEST(locks_of_the_living_and_of_other_hosts_are_respected)
{
	static void (*const changes[])(struct vrms_lock_holder *) = {stay, be_elsewhere};
	struct vrms_error error = {0};
	struct vrms_lock *lock = NULL;

	for (size_t i = 0; i < VRMS_COUNT_OF(changes); i++) {
		make_root();
		leave_lock(VRMS_LOCK_WRITER, changes[i]);
		ck_assert_int_eq(take(VRMS_LOCK_WRITER, &lock, &error), -EBUSY);
		ck_assert_ptr_nonnull(strstr(error.text, "a backup of vm9"));
		ck_assert_int_eq(take(VRMS_LOCK_EXCLUSIVE, &lock, &error), -EBUSY);
		remove_root();
	}
	ck_assert_ptr_nonnull(strstr(error.text, "on node2"));
}
END_TEST

START_TEST(a_beat_that_stands_still_for_the_lease_is_dead)
{
	struct vrms_lock_watch watch = {0};
	const int64_t lease = VRMS_LOCK_LEASE_MS;

	ck_assert(!vrms_lock_watch_stood_still(&watch, "writer", 5, 1000, lease));
	ck_assert(!vrms_lock_watch_stood_still(&watch, "writer", 5, 999 + lease, lease));
	ck_assert(!vrms_lock_watch_stood_still(&watch, "writer", 6, 1000 + lease, lease));
	ck_assert(!vrms_lock_watch_stood_still(&watch, "writer", 6, 999 + 2 * lease, lease));
	ck_assert(!vrms_lock_watch_stood_still(&watch, "reader-1", 6, 1000 + 2 * lease, lease));
	ck_assert(vrms_lock_watch_stood_still(&watch, "writer", 6, 1000 + 2 * lease, lease));
}
END_TEST

START_TEST(who_lost_its_lock_knows_and_leaves_the_next_holders_alone)
{
	struct vrms_lock *slow, *next, *third = NULL;
	struct vrms_error error = {0};

	make_root();
	ck_assert_int_eq(take(VRMS_LOCK_WRITER, &slow, &error), 0);
	ck_assert_int_eq(vrms_lock_break_all(root, &error), 1);
	ck_assert_int_eq(vrms_lock_check(slow, &error), -ESTALE);
	ck_assert_int_eq(take(VRMS_LOCK_WRITER, &next, &error), 0);
	ck_assert_int_eq(vrms_lock_check(slow, &error), -ESTALE);
	vrms_lock_release(slow);
	ck_assert_int_eq(vrms_lock_check(next, &error), 0);
	ck_assert_int_eq(take(VRMS_LOCK_WRITER, &third, &error), -EBUSY);
	vrms_lock_release(next);
	remove_root();
}
END_TEST

UNIT_MAIN("backup_lock", readers_and_one_writer_go_together,
	  a_prune_waits_for_readers_and_readers_for_a_prune, locks_of_the_dead_are_taken_over,
	  locks_of_the_living_and_of_other_hosts_are_respected,
	  a_beat_that_stands_still_for_the_lease_is_dead,
	  who_lost_its_lock_knows_and_leaves_the_next_holders_alone)
