/* test_san_wire.c - what a job says to a target, word by word: libiscsi's calls end at a made-up
 * LUN.
 *
 * The lab's target has no PREEMPT AND ABORT; this one has.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <stdlib.h>
#include <string.h>

#include "san/lun.h"
#include "tests/unit/unit.h"

enum { CLUSTER = 0xc0, NODE1 = 0xa1, GUESTS1 = 0xb1, NODE2 = 0xa2, SETTLE_MS = 1500 };
enum { KEYS_MAX = 8, SAID_MAX = 32, ASCQ_INVALID_FIELD = 0x2400 };

/* One PERSISTENT RESERVE OUT. */
struct said {
	int action, scope, type;
	uint64_t key, subject;
};

static struct {
	uint64_t keys[KEYS_MAX];
	size_t key_count;
	bool has_abort;
	int busy_count;  /* of answers to PREEMPT AND ABORT */
	bool is_cut_off; /* the answer to READ KEYS ends after the first of them */
	struct said said[SAID_MAX];
	size_t said_count;
	unsigned probe_count;
} target;

static void put_number(unsigned char *at, uint64_t number, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		at[i] = (unsigned char)(number >> (8 * (bytes - 1 - i)));
	}
}

static void add_key(uint64_t key)
{
	ck_assert_uint_lt(target.key_count, KEYS_MAX);
	target.keys[target.key_count++] = key;
}

static bool remove_key(uint64_t key)
{
	size_t kept = 0, before = target.key_count;

	for (size_t i = 0; i < before; i++) {
		if (target.keys[i] != key) {
			target.keys[kept++] = target.keys[i];
		}
	}
	target.key_count = kept;
	return kept < before;
}

/* ---- in the place of libiscsi's */

int iscsi_full_connect_async(struct iscsi_context *iscsi, const char *portal, int lun,
			     iscsi_command_cb done, void *context)
{
	(void)portal;
	(void)lun;
	done(iscsi, SCSI_STATUS_GOOD, NULL, context);
	return 0;
}

struct scsi_task *iscsi_persistent_reserve_in_task(struct iscsi_context *iscsi, int lun, int action,
						   uint16_t size, iscsi_command_cb done,
						   void *context)
{
	struct scsi_task *task =
	    scsi_cdb_persistent_reserve_in((enum scsi_persistent_in_sa)action, size);
	unsigned char *data = calloc(1, 8 + KEYS_MAX * 8);
	bool reads_keys = action == SCSI_PERSISTENT_RESERVE_READ_KEYS;

	(void)lun;
	ck_assert(task != NULL && data != NULL);
	put_number(data + 4, reads_keys ? target.key_count * 8 : 16, 4);
	for (size_t i = 0; reads_keys && i < target.key_count; i++) {
		put_number(data + 8 + 8 * i, target.keys[i], 8);
	}
	if (!reads_keys) {
		put_number(data + 8, CLUSTER, 8);
		data[21] = VRMS_PR_WERO;
	}
	task->datain.data = data;
	task->datain.size = reads_keys && target.is_cut_off ? 16 : 8 + KEYS_MAX * 8;
	done(iscsi, SCSI_STATUS_GOOD, task, context);
	return task;
}

static int answer(const struct said *said, struct scsi_task *task)
{
	switch (said->action) {
	case SCSI_PERSISTENT_RESERVE_REGISTER_AND_IGNORE_EXISTING_KEY:
		add_key(said->subject);
		return SCSI_STATUS_GOOD;
	case SCSI_PERSISTENT_RESERVE_PREEMPT_AND_ABORT:
		if (target.busy_count-- > 0) {
			return SCSI_STATUS_BUSY;
		}
		if (!target.has_abort) {
			task->sense.key = SCSI_SENSE_ILLEGAL_REQUEST;
			task->sense.ascq = ASCQ_INVALID_FIELD;
			return SCSI_STATUS_CHECK_CONDITION;
		}
		return remove_key(said->subject) ? SCSI_STATUS_GOOD
						 : SCSI_STATUS_RESERVATION_CONFLICT;
	case SCSI_PERSISTENT_RESERVE_PREEMPT:
		return remove_key(said->subject) ? SCSI_STATUS_GOOD
						 : SCSI_STATUS_RESERVATION_CONFLICT;
	default:
		return SCSI_STATUS_GOOD;
	}
}

struct scsi_task *iscsi_persistent_reserve_out_task(struct iscsi_context *iscsi, int lun,
						    int action, int scope, int type, void *data_,
						    iscsi_command_cb done, void *context)
{
	const struct scsi_persistent_reserve_out_basic *data = data_;
	struct scsi_task *task = scsi_create_task(0, NULL, SCSI_XFER_NONE, 0);
	struct said *said = &target.said[target.said_count++];

	(void)lun;
	ck_assert(task != NULL && target.said_count < SAID_MAX);
	*said = (struct said){.action = action,
			      .scope = scope,
			      .type = type,
			      .key = data->reservation_key,
			      .subject = data->service_action_reservation_key};
	done(iscsi, answer(said, task), task, context);
	return task;
}

int iscsi_scsi_command_async(struct iscsi_context *iscsi, int lun, struct scsi_task *task,
			     iscsi_command_cb done, struct iscsi_data *data, void *context)
{
	(void)lun;
	(void)data;
	target.probe_count += task->cdb[0] == SCSI_OPCODE_WRITE10;
	done(iscsi, SCSI_STATUS_RESERVATION_CONFLICT, task, context);
	return 0;
}

/* ---- */

static int off(int64_t *ret_took_ms)
{
	static const uint64_t known[] = {NODE1, GUESTS1, NODE2};
	struct vrms_san_luns luns VRMS_CLEANUP(vrms_san_luns_done) = {NULL};
	struct vrms_error error = {""};
	const struct vrms_san_access access = {.initiators = {"iqn.a", "iqn.b", "iqn.c"},
					       .timeout_ms = 1000,
					       .settle_ms = SETTLE_MS,
					       .clock = vrms_clock_system()};
	struct vrms_pr_job job = {.goal = VRMS_PR_OFF,
				  .cluster_key = CLUSTER,
				  .subjects = {NODE1, GUESTS1},
				  .known = known,
				  .known_count = VRMS_COUNT_OF(known)};
	int64_t begin_ms = vrms_clock_now_ms(access.clock);

	ck_assert_int_eq(vrms_san_luns_parse("iscsi://a/t/1", &luns, &error), 0);
	int rc = vrms_san_run(&luns.luns[0], &access, &job, &error);
	*ret_took_ms = vrms_clock_now_ms(access.clock) - begin_ms;
	return rc;
}

static void begin(bool has_abort)
{
	memset(&target, 0, sizeof(target));
	target.has_abort = has_abort;
	add_key(CLUSTER);
	add_key(NODE1);
	add_key(GUESTS1);
	add_key(NODE2);
}

/* The n-th command of this service action. */
static const struct said *nth(int action, unsigned n)
{
	for (size_t i = 0; i < target.said_count; i++) {
		if (target.said[i].action == action && n-- == 0) {
			return &target.said[i];
		}
	}
	ck_abort_msg("service action %d was not asked for", action);
}

START_TEST(a_target_with_abort_is_told_whose_commands_to_abort)
{
	static const uint64_t subjects[] = {NODE1, GUESTS1};
	int64_t took_ms;

	begin(true);
	ck_assert_int_eq(off(&took_ms), 0);
	for (unsigned i = 0; i < VRMS_COUNT_OF(subjects); i++) {
		const struct said *said = nth(SCSI_PERSISTENT_RESERVE_PREEMPT_AND_ABORT, i);

		ck_assert_int_eq(said->type, VRMS_PR_WERO);
		ck_assert_int_eq(said->scope, SCSI_PERSISTENT_RESERVE_SCOPE_LU);
		ck_assert_uint_eq(said->key, CLUSTER);
		ck_assert_uint_eq(said->subject, subjects[i]);
	}
	ck_assert_uint_eq(target.probe_count, 1);
	ck_assert_int_lt(took_ms, SETTLE_MS); /* nothing is left to wait for */
}
END_TEST

START_TEST(a_target_without_abort_is_asked_without_and_waited_for)
{
	int64_t took_ms;

	begin(false);
	ck_assert_int_eq(off(&took_ms), 0);
	ck_assert_uint_eq(nth(SCSI_PERSISTENT_RESERVE_PREEMPT, 0)->subject, NODE1);
	ck_assert_uint_eq(nth(SCSI_PERSISTENT_RESERVE_PREEMPT, 1)->subject, GUESTS1);
	ck_assert_uint_eq(target.probe_count, 1);
	ck_assert_int_ge(took_ms, SETTLE_MS);
}
END_TEST

START_TEST(a_busy_target_is_asked_for_the_abort_again)
{
	int64_t took_ms;

	begin(true);
	target.busy_count = 3;
	ck_assert_int_eq(off(&took_ms), 0);
	ck_assert_uint_eq(nth(SCSI_PERSISTENT_RESERVE_PREEMPT_AND_ABORT, 3)->subject, NODE1);
	ck_assert_uint_eq(nth(SCSI_PERSISTENT_RESERVE_PREEMPT_AND_ABORT, 4)->subject, GUESTS1);
	ck_assert_int_lt(took_ms, SETTLE_MS);
}
END_TEST

/* The keys that did not come may be the victim's. */
START_TEST(an_answer_that_is_cut_off_proves_nothing)
{
	int64_t took_ms;

	begin(true);
	target.is_cut_off = true;
	ck_assert_int_eq(off(&took_ms), -EIO);
	ck_assert_uint_eq(target.probe_count, 0);
}
END_TEST

UNIT_MAIN("san_wire", a_target_with_abort_is_told_whose_commands_to_abort,
	  a_target_without_abort_is_asked_without_and_waited_for,
	  a_busy_target_is_asked_for_the_abort_again, an_answer_that_is_cut_off_proves_nothing)
