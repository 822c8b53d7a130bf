/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/awake.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/unit.h"

START_TEST(the_kernel_is_asked_for_no_latency)
{
	struct vrms_error error;
	char path[64];
	int32_t asked_us = -1;
	int memory = memfd_create("latency", 0);

	ck_assert_int_ge(memory, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
	int fd = vrms_lab_stay_awake(path, &error);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(memory, &asked_us, sizeof(asked_us), 0), sizeof(asked_us));
	ck_assert_int_eq(asked_us, 0);
	close(fd);
	close(memory);
}
END_TEST

START_TEST(a_kernel_without_it_is_named)
{
	struct vrms_error error;

	ck_assert_int_eq(vrms_lab_stay_awake("/dev/null/nothing", &error), -ENOTDIR);
	ck_assert_ptr_nonnull(strstr(error.text, "/dev/null/nothing"));
	ck_assert_int_eq(vrms_lab_stay_awake("/dev/full", &error), -ENOSPC);
	ck_assert_ptr_nonnull(strstr(error.text, "/dev/full"));
}
END_TEST

UNIT_MAIN("lab_awake", the_kernel_is_asked_for_no_latency, a_kernel_without_it_is_named)
