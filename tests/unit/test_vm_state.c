/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/vm_state.h"

#include <libvirt/libvirt.h>
#include <string.h>

#include "common/cleanup.h"
#include "tests/unit/unit.h"

START_TEST(a_will_is_no_failure)
{
	static const int reasons[] = {
	    VIR_DOMAIN_PAUSED_UNKNOWN,     VIR_DOMAIN_PAUSED_USER,
	    VIR_DOMAIN_PAUSED_MIGRATION,   VIR_DOMAIN_PAUSED_SAVE,
	    VIR_DOMAIN_PAUSED_DUMP,        VIR_DOMAIN_PAUSED_FROM_SNAPSHOT,
	    VIR_DOMAIN_PAUSED_SNAPSHOT,    VIR_DOMAIN_PAUSED_SHUTTING_DOWN,
	    VIR_DOMAIN_PAUSED_STARTING_UP, VIR_DOMAIN_PAUSED_POSTCOPY,
	};

	for (size_t i = 0; i < VRMS_COUNT_OF(reasons); i++) {
		ck_assert_int_eq(vrms_vm_health_from(VIR_DOMAIN_PAUSED, reasons[i]),
				 VRMS_VM_HEALTHY);
	}
	ck_assert_int_eq(vrms_vm_health_from(VIR_DOMAIN_PMSUSPENDED, 0), VRMS_VM_HEALTHY);
	ck_assert_int_eq(vrms_vm_health_from(VIR_DOMAIN_SHUTDOWN, VIR_DOMAIN_SHUTDOWN_USER),
			 VRMS_VM_HEALTHY);
}
END_TEST

START_TEST(a_pause_by_a_fault_is_a_failure)
{
	ck_assert_int_eq(vrms_vm_health_from(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR),
			 VRMS_VM_IO_ERROR);
	ck_assert_int_eq(vrms_vm_health_from(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_WATCHDOG),
			 VRMS_VM_WATCHDOG);
	ck_assert_int_eq(vrms_vm_health_from(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_CRASHED),
			 VRMS_VM_PANICKED);
	ck_assert_int_eq(vrms_vm_health_from(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY_FAILED),
			 VRMS_VM_POSTCOPY_FAILED);
	ck_assert_int_eq(vrms_vm_health_from(VIR_DOMAIN_RUNNING,
					     VIR_DOMAIN_RUNNING_POSTCOPY_FAILED),
			 VRMS_VM_POSTCOPY_FAILED);
	ck_assert_int_eq(vrms_vm_health_from(VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED),
			 VRMS_VM_PANICKED);
	ck_assert_int_eq(vrms_vm_health_from(VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_UNKNOWN),
			 VRMS_VM_CRASHED);
	ck_assert_int_eq(vrms_vm_health_from(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED),
			 VRMS_VM_CRASHED);
}
END_TEST

START_TEST(off_is_off_for_any_other_reason)
{
	for (int reason = 0; reason < 100; reason++) {
		if (reason != VIR_DOMAIN_SHUTOFF_CRASHED) {
			ck_assert_int_eq(vrms_vm_health_from(VIR_DOMAIN_SHUTOFF, reason),
					 VRMS_VM_OFF);
		}
	}
}
END_TEST

START_TEST(states_of_a_newer_libvirt_count_as_running)
{
	ck_assert_int_eq(vrms_vm_health_from(99, 0), VRMS_VM_HEALTHY);
	ck_assert_int_eq(vrms_vm_health_from(VIR_DOMAIN_RUNNING, 99), VRMS_VM_HEALTHY);
	ck_assert_int_eq(vrms_vm_health_from(VIR_DOMAIN_PAUSED, 99), VRMS_VM_HEALTHY);
}
END_TEST

START_TEST(every_health_has_a_text_and_only_two_are_no_failure)
{
	int failures = 0;

	for (int health = 0; health < VRMS_VM_HEALTH_COUNT; health++) {
		const char *text = vrms_vm_health_text((enum vrms_vm_health)health);
		ck_assert_ptr_nonnull(text);
		ck_assert_uint_gt(strlen(text), 3);
		failures += vrms_vm_health_is_failure((enum vrms_vm_health)health) ? 1 : 0;
	}
	ck_assert_int_eq(failures, VRMS_VM_HEALTH_COUNT - 2);
	ck_assert(!vrms_vm_health_is_failure(VRMS_VM_OFF));
	ck_assert(!vrms_vm_health_is_failure(VRMS_VM_HEALTHY));
}
END_TEST

UNIT_MAIN("vm_state", a_will_is_no_failure, a_pause_by_a_fault_is_a_failure,
	  off_is_off_for_any_other_reason, states_of_a_newer_libvirt_count_as_running,
	  every_health_has_a_text_and_only_two_are_no_failure)
