/* status.h - what is wrong with a VM's backups: the judgement alone.
 *
 * Pure.  All times are seconds since 1970, UTC.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_STATUS_H
#define VRMS_BACKUP_STATUS_H

#include "backup/policy.h"

/* name: for programs.  text: for people. */
#define VRMS_STATUS_ALARMS(X)                                                          \
	X(NO_BACKUP, "no-backup", "there is no backup")                                \
	X(LATE, "late", "a backup is a day late")                                      \
	X(TOO_OLD, "too-old", "the last backup is older than alarm_age")               \
	X(FAILED, "failed", "the last attempt failed")                                 \
	X(CONSISTENCY, "consistency", "the last backup is less consistent than asked") \
	X(DAMAGED, "damaged", "a point cannot be read")                                \
	X(VERIFY_FOUND, "verify-found", "the last verify found damage")                \
	X(VERIFY_OLD, "verify-old", "the last verify is older than alarm_verify_age")  \
	X(TEST_FAILED, "test-failed", "the last test-restore failed")                  \
	X(TEST_OLD, "test-old", "the last test-restore is older than alarm_test_age")

enum vrms_status_alarm {
#define ROW(name, word, text) VRMS_STATUS_##name,
	VRMS_STATUS_ALARMS(ROW)
#undef ROW
	    VRMS_STATUS_ALARM_COUNT
};

enum { VRMS_STATUS_LATE_S = 86400 };

/* What is known of a VM. */
struct vrms_status_facts {
	int64_t now_s;
	int64_t last_s;      /* of the last point; 0: none */
	int64_t due_since_s; /* 0: nothing is due */
	int64_t failed_s;    /* 0: the last attempt did not fail */
	int64_t verify_s;    /* 0: never */
	int64_t found;       /* by any later verify too */
	int64_t test_s;      /* 0: never */
	bool is_test_good;
	bool is_frozen; /* the last point is better than crash-consistent */
	uint32_t damaged_points;
};

/* Bit i: alarm i.  policy: NULL for a VM without one, of which only damage is told. */
uint32_t vrms_status_judge(const struct vrms_policy *policy, const struct vrms_status_facts *facts);

const char *vrms_status_alarm_name(enum vrms_status_alarm alarm);
const char *vrms_status_alarm_text(enum vrms_status_alarm alarm);

#endif
