/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/crowd.h"

#include "tests/unit/unit.h"

static cpu_set_t set_of(int first, int count)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < count; i++) {
		CPU_SET(first + i, &set);
	}
	return set;
}

static void check_split(const cpu_set_t *all, const cpu_set_t *ring, const cpu_set_t *rest)
{
	cpu_set_t got;

	vrms_lab_crowd_split(all, VRMS_LAB_SHARE_RING, &got);
	ck_assert(CPU_EQUAL(&got, ring));
	vrms_lab_crowd_split(all, VRMS_LAB_SHARE_REST, &got);
	ck_assert(CPU_EQUAL(&got, rest));
	vrms_lab_crowd_split(all, VRMS_LAB_SHARE_ALL, &got);
	ck_assert(CPU_EQUAL(&got, all));
}

START_TEST(the_ring_has_the_last_of_two_processors)
{
	cpu_set_t all = set_of(0, 2), ring = set_of(1, 1), rest = set_of(0, 1);

	check_split(&all, &ring, &rest);
}
END_TEST

START_TEST(the_ring_has_a_quarter_of_many_processors)
{
	cpu_set_t all = set_of(3, 9), ring = set_of(10, 2), rest = set_of(3, 7);

	check_split(&all, &ring, &rest);
}
END_TEST

START_TEST(one_processor_is_everybodys)
{
	cpu_set_t all = set_of(5, 1);

	check_split(&all, &all, &all);
}
END_TEST

UNIT_MAIN("lab_crowd", the_ring_has_the_last_of_two_processors,
	  the_ring_has_a_quarter_of_many_processors, one_processor_is_everybodys)
