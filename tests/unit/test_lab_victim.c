/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/demo.h"
#include "tests/unit/unit.h"

/* Cuts as many as the demo does, the DC being elected as by Pacemaker: of the others the one whose
 * controller has run longest.  Returns how often the DC was cut. */
static int cut(int node_count, int cut_count, int last[])
{
	struct vrms_demo demo = {.node_count = node_count, .victim = 0};
	int dc = node_count - 1, dc_cuts = 0;

	memset(last, 0, sizeof(*last) * (size_t)node_count);
	for (int number = 1; number <= cut_count; number++) {
		demo.victim = vrms_demo_choose_victim(&demo, dc, number);
		ck_assert_int_ge(demo.victim, 0);
		ck_assert_int_lt(demo.victim, node_count);
		last[demo.victim] = number;
		if (demo.victim != dc) {
			continue;
		}
		dc_cuts++;
		for (int node = 0; node < node_count; node++) {
			dc = last[node] < last[dc] ? node : dc;
		}
	}
	return dc_cuts;
}

START_TEST(the_dc_is_cut_as_often_as_any_node)
{
	int last[16];

	ck_assert_int_eq(cut(8, 3, last), 0);
	ck_assert_int_eq(cut(8, 4, last), 1);
	ck_assert_int_eq(cut(8, 5, last), 1);
	ck_assert_int_eq(cut(8, 64, last), 8);
	ck_assert_int_eq(cut(3, 8, last), 3);
	ck_assert_int_eq(cut(2, 10, last), 5);
}
END_TEST

START_TEST(every_node_has_its_turn)
{
	int last[16];

	cut(8, 24, last);
	for (int node = 0; node < 8; node++) {
		ck_assert_int_gt(last[node], 0);
	}
}
END_TEST

START_TEST(without_a_known_dc_it_goes_round)
{
	struct vrms_demo demo = {.node_count = 3, .victim = 2};

	ck_assert_int_eq(vrms_demo_choose_victim(&demo, -1, 2), 0);
}
END_TEST

START_TEST(with_machines_the_fullest_node_goes)
{
	struct vrms_demo demo = {.node_count = 3, .vm_count = 3, .victim = 0};

	demo.vms[0].node_before = 1;
	demo.vms[1].node_before = 2;
	demo.vms[2].node_before = 2;
	ck_assert_int_eq(vrms_demo_choose_victim(&demo, 0, 2), 2);
}
END_TEST

UNIT_MAIN("lab_victim", the_dc_is_cut_as_often_as_any_node, every_node_has_its_turn,
	  without_a_known_dc_it_goes_round, with_machines_the_fullest_node_goes)
