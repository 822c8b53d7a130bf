/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/status.h"

static const char *const names[] = {
#define ROW(name, word, text) [VRMS_STATUS_##name] = word,
    VRMS_STATUS_ALARMS(ROW)
#undef ROW
};

static const char *const texts[] = {
#define ROW(name, word, text) [VRMS_STATUS_##name] = text,
    VRMS_STATUS_ALARMS(ROW)
#undef ROW
};

const char *vrms_status_alarm_name(enum vrms_status_alarm alarm)
{
	return names[alarm];
}

const char *vrms_status_alarm_text(enum vrms_status_alarm alarm)
{
	return texts[alarm];
}

static uint32_t when(bool is_so, enum vrms_status_alarm alarm)
{
	return is_so ? 1U << alarm : 0;
}

/* limit_ms 0: any age will do. */
static bool is_older(const struct vrms_status_facts *facts, int64_t time_s, int64_t limit_ms)
{
	return limit_ms > 0 && facts->now_s - time_s > limit_ms / 1000;
}

uint32_t vrms_status_judge(const struct vrms_policy *policy, const struct vrms_status_facts *facts)
{
	bool is_any = facts->last_s > 0;
	uint32_t alarms = when(facts->damaged_points > 0, VRMS_STATUS_DAMAGED) |
			  when(facts->found > 0, VRMS_STATUS_VERIFY_FOUND) |
			  when(facts->test_s > 0 && !facts->is_test_good, VRMS_STATUS_TEST_FAILED);

	if (policy == NULL) {
		return alarms;
	}
	return alarms | when(!is_any, VRMS_STATUS_NO_BACKUP) |
	       when(facts->due_since_s > 0 &&
			facts->now_s - facts->due_since_s > VRMS_STATUS_LATE_S,
		    VRMS_STATUS_LATE) |
	       when(is_any && is_older(facts, facts->last_s, policy->age_ms), VRMS_STATUS_TOO_OLD) |
	       when(facts->failed_s > 0, VRMS_STATUS_FAILED) |
	       when(is_any && policy->consistency == VRMS_POLICY_FILESYSTEM && !facts->is_frozen,
		    VRMS_STATUS_CONSISTENCY) |
	       when(is_any && is_older(facts, facts->verify_s, policy->verify_age_ms),
		    VRMS_STATUS_VERIFY_OLD) |
	       when(is_any && is_older(facts, facts->test_s, policy->test_age_ms),
		    VRMS_STATUS_TEST_OLD);
}
