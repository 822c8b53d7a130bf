/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"
#include "quorum/san.h"
#include "quorum/seen.h"
#include "tests/unit/unit.h"

/* A real area in a file, real children, the real clock.  There is no corosync here. */

/* Long beside what a busy machine takes to run a child or to write one sector. */
enum { GRACE_MS = 4000, BEAT_MS = 300, READ_TIMEOUT_MS = 2000 };

static char area[64];
static char seen_path[64];

static void make_area(const char *name)
{
	struct vrms_error error;

	snprintf(area, sizeof(area), "test_quorum_witness.%d.%s", (int)getpid(), name);
	snprintf(seen_path, sizeof(seen_path), "test_quorum_witness.%d.%s.seen", (int)getpid(),
		 name);
	unlink(area);
	unlink(seen_path);
	ck_assert_msg(vrms_san_init(area, "lab", false, &error) == 0, "%s", error.text);
}

static void remove_area(void)
{
	unlink(area);
	unlink(seen_path);
}

static struct vrms_beat node2(void)
{
	return (struct vrms_beat){.node_id = 2,
				  .boot_id = {4},
				  .state = VRMS_BEAT_BEATING,
				  .interval_ms = BEAT_MS,
				  .name = "node2"};
}

static void beat_once(uint64_t sequence)
{
	struct vrms_san *san VRMS_CLEANUP(vrms_san_freep) = NULL;
	struct vrms_beat beat = node2();
	int64_t latency_us;

	beat.sequence = sequence;
	ck_assert_int_eq(vrms_san_open(area, "lab", true, &san, NULL), 0);
	ck_assert_int_eq(vrms_san_write(san, 1, &beat, &latency_us, NULL), 0);
}

static pid_t start_beating(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (uint64_t sequence = 1;; sequence++) {
			beat_once(sequence);
			vrms_clock_sleep_ms(vrms_clock_system(), BEAT_MS);
		}
	}
	vrms_clock_sleep_ms(vrms_clock_system(), 2 * BEAT_MS);
	return pid;
}

static enum vrms_verdict_answer ask(const char *device, enum vrms_reason *reason,
				    int64_t *ret_took_ms)
{
	const struct vrms_witness_config config = {.device = device,
						   .cluster = "lab",
						   .seen_path = seen_path,
						   .node = "node2",
						   .interval_ms = 20};
	const struct vrms_judge_config judge = {.grace_ms = GRACE_MS,
						.silent_count = 4,
						.read_timeout_ms = READ_TIMEOUT_MS};
	struct vrms_witness *witness VRMS_CLEANUP(vrms_witness_freep) = NULL;
	int64_t begin_ms = vrms_clock_now_ms(vrms_clock_system());

	ck_assert_int_eq(vrms_witness_start(&config, &witness, NULL), 0);
	struct vrms_witnesses port = vrms_witness_port(witness);
	enum vrms_verdict_answer answer =
	    vrms_judge_run(&judge, begin_ms, &port, vrms_clock_system(), reason);

	*ret_took_ms = vrms_clock_now_ms(vrms_clock_system()) - begin_ms;
	return answer;
}

static void expect(const char *device, enum vrms_reason reason, int64_t least_ms)
{
	enum vrms_reason got = VRMS_REASON_NONE;
	int64_t took_ms;

	ck_assert_int_eq(ask(device, &got, &took_ms), VRMS_VERDICT_DONE);
	ck_assert_str_eq(vrms_reason_name(got), vrms_reason_name(reason));
	ck_assert_int_ge(took_ms, least_ms);
	ck_assert_int_le(took_ms, GRACE_MS + 10000); /* this machine may be busy */
}

START_TEST(a_beat_that_stopped_is_silent_after_four_intervals)
{
	make_area("silent");
	beat_once(7);
	expect(area, VRMS_REASON_VERDICT_SILENT, 4 * BEAT_MS);
	remove_area();
}
END_TEST

START_TEST(what_the_daemon_knows_saves_the_wait)
{
	struct vrms_seen seen = {.read_ms = vrms_clock_now_ms(vrms_clock_system())};
	uint8_t bytes[VRMS_SEEN_BYTES];
	enum vrms_reason reason;
	int64_t took_ms;

	make_area("known");
	beat_once(7);
	seen.read_ms += 10000; /* from the future: not to be believed */
	vrms_seen_encode(&seen, bytes);
	ck_assert_int_eq(vrms_file_write(seen_path, bytes, sizeof(bytes), 0600, NULL), 0);
	expect(area, VRMS_REASON_VERDICT_SILENT, 4 * BEAT_MS);
	seen.read_ms = vrms_clock_now_ms(vrms_clock_system());
	seen.rows[1] = (struct vrms_seen_row){2, 7, seen.read_ms - 5000};
	vrms_seen_encode(&seen, bytes);
	ck_assert_int_eq(vrms_file_write(seen_path, bytes, sizeof(bytes), 0600, NULL), 0);
	ck_assert_int_eq(ask(area, &reason, &took_ms), VRMS_VERDICT_DONE);
	ck_assert_int_eq(reason, VRMS_REASON_VERDICT_SILENT);
	ck_assert_int_lt(took_ms, 4 * BEAT_MS);
	remove_area();
}
END_TEST

START_TEST(a_beating_target_takes_the_grace_and_no_more)
{
	make_area("alive");
	pid_t pid = start_beating();

	expect(area, VRMS_REASON_VERDICT_GRACE_OVER, GRACE_MS);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	remove_area();
}
END_TEST

START_TEST(an_area_that_is_not_there_delays_nothing)
{
	enum vrms_reason reason;
	int64_t took_ms;

	ck_assert_int_eq(ask("/nonexistent/area", &reason, &took_ms), VRMS_VERDICT_DONE);
	ck_assert_int_eq(reason, VRMS_REASON_VERDICT_UNREADABLE);
	ck_assert_int_lt(took_ms, READ_TIMEOUT_MS);
}
END_TEST

START_TEST(storage_that_hangs_delays_by_the_read_timeout)
{
	char fifo[64];

	/* Nobody writes to this pipe: its reader sleeps in open() for ever. */
	snprintf(fifo, sizeof(fifo), "test_quorum_witness.%d.fifo", (int)getpid());
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	expect(fifo, VRMS_REASON_VERDICT_UNREADABLE, READ_TIMEOUT_MS);
	unlink(fifo);
}
END_TEST

START_TEST(a_node_without_a_slot_is_handed_over)
{
	make_area("empty");
	expect(area, VRMS_REASON_VERDICT_NO_SLOT, 0);
	remove_area();
}
END_TEST

START_TEST(no_child_outlives_the_witness)
{
	const struct vrms_witness_config config = {.device = "/nonexistent",
						   .seen_path = "/nonexistent",
						   .node = "n",
						   .interval_ms = 20};
	struct vrms_witness *witness = NULL;

	ck_assert_int_eq(vrms_witness_start(&config, &witness, NULL), 0);
	vrms_witness_free(witness);
	while (waitpid(-1, NULL, 0) >
	       0) { /* one that lived on would be waited for until time is up */
	}
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

UNIT_MAIN("quorum_witness", a_beat_that_stopped_is_silent_after_four_intervals,
	  what_the_daemon_knows_saves_the_wait, a_beating_target_takes_the_grace_and_no_more,
	  an_area_that_is_not_there_delays_nothing, storage_that_hangs_delays_by_the_read_timeout,
	  a_node_without_a_slot_is_handed_over, no_child_outlives_the_witness)
