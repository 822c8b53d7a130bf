/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "backup/status.h"
#include "tests/unit/unit.h"

enum { HOUR = 3600, DAY = 86400 };
static const int64_t now_s = 1769853600;

static struct vrms_policies *policies;
static const struct vrms_policy *policy;

static void setup(const char *text)
{
	char whole[300];
	struct vrms_error error = {0};

	snprintf(whole, sizeof(whole), "[vm a]\nfull = daily\n%s", text);
	ck_assert_msg(vrms_policies_parse(whole, "f", &policies, &error) == 0, "%s", error.text);
	policy = vrms_policies_find(policies, "a");
}
static void teardown(void)
{
	vrms_policies_free(policies);
	policies = NULL;
}

/* Taken an hour ago, verified and tested yesterday. */
static struct vrms_status_facts good(void)
{
	return (struct vrms_status_facts){
	    .now_s = now_s,
	    .last_s = now_s - HOUR,
	    .verify_s = now_s - DAY,
	    .test_s = now_s - DAY,
	    .is_test_good = true,
	    .is_frozen = true,
	};
}

START_TEST(a_good_vm_raises_nothing)
{
	struct vrms_status_facts facts = good();

	setup("consistency = filesystem\nalarm_age = 2h\nalarm_verify_age = 25h\n"
	      "alarm_test_age = 25h\n");
	ck_assert_uint_eq(vrms_status_judge(policy, &facts), 0);
	teardown();
}
END_TEST

static void raises(struct vrms_status_facts facts, uint32_t alarm)
{
	ck_assert_uint_eq(vrms_status_judge(policy, &facts), 1U << alarm);
}

START_TEST(each_fault_raises_its_alarm_and_no_other)
{
	struct vrms_status_facts facts;

	setup("consistency = filesystem\nalarm_age = 2h\nalarm_verify_age = 25h\n"
	      "alarm_test_age = 25h\n");
	facts = good();
	facts.last_s = 0;
	raises(facts, VRMS_STATUS_NO_BACKUP);
	facts = good();
	facts.due_since_s = now_s - DAY - 1;
	raises(facts, VRMS_STATUS_LATE);
	facts.due_since_s = now_s - DAY;
	ck_assert_uint_eq(vrms_status_judge(policy, &facts), 0);
	facts = good();
	facts.last_s = now_s - 2 * HOUR - 1;
	raises(facts, VRMS_STATUS_TOO_OLD);
	facts = good();
	facts.failed_s = now_s - 60;
	raises(facts, VRMS_STATUS_FAILED);
	facts = good();
	facts.is_frozen = false;
	raises(facts, VRMS_STATUS_CONSISTENCY);
	facts = good();
	facts.damaged_points = 1;
	raises(facts, VRMS_STATUS_DAMAGED);
	facts = good();
	facts.found = 3;
	raises(facts, VRMS_STATUS_VERIFY_FOUND);
	facts = good();
	facts.verify_s = 0;
	raises(facts, VRMS_STATUS_VERIFY_OLD);
	facts = good();
	facts.is_test_good = false;
	raises(facts, VRMS_STATUS_TEST_FAILED);
	facts = good();
	facts.test_s = now_s - 26 * HOUR;
	raises(facts, VRMS_STATUS_TEST_OLD);
	teardown();
}
END_TEST

START_TEST(without_limits_age_is_no_alarm)
{
	struct vrms_status_facts facts = good();

	setup("");
	facts.last_s = now_s - 400 * (int64_t)DAY;
	facts.verify_s = facts.test_s = 0;
	facts.is_frozen = false;
	ck_assert_uint_eq(vrms_status_judge(policy, &facts), 0);
	teardown();
}
END_TEST

START_TEST(of_a_vm_without_a_policy_only_damage_is_told)
{
	struct vrms_status_facts facts = {.now_s = now_s, .failed_s = now_s, .due_since_s = 1};

	ck_assert_uint_eq(vrms_status_judge(NULL, &facts), 0);
	facts.damaged_points = 1;
	ck_assert_uint_eq(vrms_status_judge(NULL, &facts), 1U << VRMS_STATUS_DAMAGED);
}
END_TEST

UNIT_MAIN("backup_status", a_good_vm_raises_nothing, each_fault_raises_its_alarm_and_no_other,
	  without_limits_age_is_no_alarm, of_a_vm_without_a_policy_only_damage_is_told)
