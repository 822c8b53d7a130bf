/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/keeper.h"

#include "tests/unit/unit.h"

static const struct vrms_keeper_config config = {.interval_ms = 60000,
						 .settle_ms = 20000,
						 .limit_ms = 100000,
						 .grace_ms = 5000};

static struct vrms_keeper keeper;

static enum vrms_keeper_step at(int64_t now_ms, int64_t changed_ms, bool is_chosen)
{
	return vrms_keeper_step(&keeper,
				&(struct vrms_keeper_event){now_ms, changed_ms, is_chosen});
}

START_TEST(only_the_chosen_member_looks)
{
	vrms_keeper_init(&keeper, &config);
	ck_assert_int_eq(at(50000, 0, false), VRMS_KEEPER_WAIT);
	ck_assert_int_eq(at(50001, 0, true), VRMS_KEEPER_BEGIN);
	ck_assert_int_eq(at(50002, 0, true), VRMS_KEEPER_WAIT);
}
END_TEST

START_TEST(a_change_of_the_membership_is_left_to_settle)
{
	vrms_keeper_init(&keeper, &config);
	ck_assert_int_eq(at(19999, 0, true), VRMS_KEEPER_WAIT);
	ck_assert_int_eq(at(39999, 20000, true), VRMS_KEEPER_WAIT);
	ck_assert_int_eq(at(40000, 20000, true), VRMS_KEEPER_BEGIN);
}
END_TEST

START_TEST(looks_begin_no_more_often_than_told)
{
	vrms_keeper_init(&keeper, &config);
	ck_assert_int_eq(at(20000, 0, true), VRMS_KEEPER_BEGIN);
	vrms_keeper_ended(&keeper);
	ck_assert_int_eq(at(79999, 0, true), VRMS_KEEPER_WAIT);
	ck_assert_int_eq(at(80000, 0, true), VRMS_KEEPER_BEGIN);
}
END_TEST

START_TEST(losing_quorum_or_the_office_ends_a_look)
{
	vrms_keeper_init(&keeper, &config);
	ck_assert_int_eq(at(20000, 0, true), VRMS_KEEPER_BEGIN);
	ck_assert_int_eq(at(21000, 0, false), VRMS_KEEPER_END);
	ck_assert_int_eq(at(22000, 0, false), VRMS_KEEPER_WAIT);
	vrms_keeper_ended(&keeper);
	ck_assert_int_eq(at(200000, 0, false), VRMS_KEEPER_WAIT);
}
END_TEST

START_TEST(a_lost_node_ends_a_look)
{
	vrms_keeper_init(&keeper, &config);
	ck_assert_int_eq(at(20000, 0, true), VRMS_KEEPER_BEGIN);
	ck_assert_int_eq(at(30000, 29000, true), VRMS_KEEPER_END);
}
END_TEST

START_TEST(a_look_over_its_time_is_ended_and_then_killed)
{
	vrms_keeper_init(&keeper, &config);
	ck_assert_int_eq(at(20000, 0, true), VRMS_KEEPER_BEGIN);
	ck_assert_int_eq(at(120000, 0, true), VRMS_KEEPER_WAIT);
	ck_assert_int_eq(at(120001, 0, true), VRMS_KEEPER_END);
	ck_assert_int_eq(at(125001, 0, true), VRMS_KEEPER_WAIT);
	ck_assert_int_eq(at(125002, 0, true), VRMS_KEEPER_KILL);
	ck_assert_int_eq(at(125003, 0, true), VRMS_KEEPER_WAIT);
	ck_assert_int_eq(at(130003, 0, true), VRMS_KEEPER_KILL);
}
END_TEST

UNIT_MAIN("quorum_keeper", only_the_chosen_member_looks,
	  a_change_of_the_membership_is_left_to_settle, looks_begin_no_more_often_than_told,
	  losing_quorum_or_the_office_ends_a_look, a_lost_node_ends_a_look,
	  a_look_over_its_time_is_ended_and_then_killed)
