/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <unistd.h>

#include "agents/vm_memory.h"
#include "tests/fakes/vm_world.h"
#include "tests/unit/unit.h"

#define WORLD struct fake_world *world VRMS_CLEANUP(fake_world_freep) = fake_world_new()

static enum vrms_ocf_exit stop(struct fake_world *world)
{
	return fake_world_run(world, "stop", 90000);
}

START_TEST(guest_is_asked_and_given_its_time)
{
	WORLD;
	int64_t start_ms = world->now_ms;

	fake_world_boot(world);
	world->local.shutdown_ms = 60000;
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert(fake_world_has_called(&world->local, "shutdown"));
	ck_assert(!fake_world_has_called(&world->local, "destroy"));
	ck_assert_int_lt(world->now_ms - start_ms, 61000);
	ck_assert_int_eq(world->end_process_count, 0);
}
END_TEST

START_TEST(guest_that_missed_the_request_is_asked_again)
{
	WORLD;
	int64_t start_ms = world->now_ms;

	fake_world_boot(world);
	world->local.deaf_count = 2;
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert_str_eq(world->local.shutdown_flags, "0 0 0 ");
	ck_assert(!fake_world_has_called(&world->local, "destroy"));
	ck_assert_int_lt(world->now_ms - start_ms, 25000);
}
END_TEST

START_TEST(deaf_guest_is_destroyed_with_the_reserve_left)
{
	WORLD;
	int64_t start_ms = world->now_ms;

	fake_world_boot(world);
	world->local.shutdown_ms = FAKE_NEVER;
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert(fake_world_has_called(&world->local, "destroy"));
	ck_assert_int_ge(world->now_ms - start_ms, 72000);
	ck_assert_int_le(world->now_ms - start_ms, 74000);
}
END_TEST

START_TEST(short_timeout_keeps_half_for_destroying)
{
	WORLD;
	int64_t start_ms = world->now_ms;

	fake_world_boot(world);
	world->local.shutdown_ms = FAKE_NEVER;
	ck_assert_int_eq(fake_world_run(world, "stop", 10000), VRMS_OCF_SUCCESS);
	ck_assert_int_ge(world->now_ms - start_ms, 4900);
	ck_assert_int_le(world->now_ms - start_ms, 6000);
}
END_TEST

START_TEST(what_is_off_is_success)
{
	WORLD;

	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	fake_world_add(&world->local, "web", FAKE_UUID, VIR_DOMAIN_SHUTOFF, 0)->view.persistent =
	    true;
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert(!fake_world_has_called(&world->local, "shutdown"));
	ck_assert(!fake_world_has_called(&world->local, "undefine"));
}
END_TEST

START_TEST(force_stop_does_not_ask)
{
	WORLD;

	fake_world_boot(world);
	world->config.force_stop = true;
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert(!fake_world_has_called(&world->local, "shutdown"));
	ck_assert(fake_world_has_called(&world->local, "destroy"));
}
END_TEST

START_TEST(shutdown_mode_takes_effect_and_falls_back)
{
	WORLD;

	fake_world_boot(world);
	world->config.shutdown_mode = "agent,acpi";
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert_str_eq(world->local.shutdown_flags, "3 ");

	fake_world_boot(world);
	world->local.shutdown_flags[0] = '\0';
	fake_world_fail(&world->local, "shutdown", -EIO, "agent is not connected");
	world->local.faults[0].count = 1;
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert_str_eq(world->local.shutdown_flags, "3 0 ");
	ck_assert(!fake_world_has_called(&world->local, "destroy"));
}
END_TEST

START_TEST(guest_that_cannot_be_asked_is_destroyed_at_once)
{
	WORLD;
	int64_t start_ms = world->now_ms;

	fake_world_boot(world);
	fake_world_fail(&world->local, "shutdown", -EIO, "no ACPI");
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert_int_lt(world->now_ms - start_ms, 1000);

	fake_world_boot(world);
	fake_world_add(&world->local, "web", FAKE_UUID, VIR_DOMAIN_PAUSED,
		       VIR_DOMAIN_PAUSED_IOERROR);
	start_ms = world->now_ms;
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert_int_lt(world->now_ms - start_ms, 1000);
}
END_TEST

START_TEST(guest_paused_by_an_admin_continues_to_shut_down)
{
	WORLD;

	fake_world_boot(world);
	fake_world_add(&world->local, "web", FAKE_UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert(fake_world_has_called(&world->local, "resume"));
	ck_assert(!fake_world_has_called(&world->local, "destroy"));

	fake_world_boot(world);
	fake_world_add(&world->local, "web", FAKE_UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
	fake_world_fail(&world->local, "resume", -EIO, "no");
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert(fake_world_has_called(&world->local, "destroy"));
}
END_TEST

START_TEST(process_is_ended_when_destroy_fails)
{
	WORLD;

	fake_world_boot(world);
	world->config.force_stop = true;
	fake_world_fail(&world->local, "destroy", -EIO, "device or resource busy");
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert_int_eq(world->end_process_count, 1);
}
END_TEST

START_TEST(process_that_outlives_destroy_is_ended)
{
	WORLD;

	fake_world_boot(world);
	world->config.force_stop = true;
	world->destroy_leaves_process = true;
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert_int_eq(world->end_process_count, 1);
}
END_TEST

START_TEST(process_that_does_not_die_is_never_success)
{
	WORLD;
	int64_t start_ms = world->now_ms;

	fake_world_boot(world);
	world->local.is_down = true;
	world->process_hangs = true;
	ck_assert_int_eq(stop(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "QEMU does not die");
	ck_assert_int_le(world->now_ms - start_ms, 90000);
}
END_TEST

START_TEST(success_needs_libvirts_word_too_when_it_answers)
{
	WORLD;
	int64_t start_ms = world->now_ms;

	fake_world_boot(world);
	world->config.force_stop = true;
	world->libvirt_keeps_the_dead = true;
	fake_world_fail(&world->local, "destroy", -EIO, "busy");
	ck_assert_int_eq(stop(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "it still runs");
	ck_assert_int_le(world->now_ms - start_ms, 90000);
}
END_TEST

START_TEST(sleeping_guest_is_destroyed_at_once)
{
	WORLD;
	int64_t start_ms = world->now_ms;

	fake_world_boot(world);
	fake_world_add(&world->local, "web", FAKE_UUID, VIR_DOMAIN_PMSUSPENDED, 0);
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert_int_lt(world->now_ms - start_ms, 1000);
}
END_TEST

START_TEST(libvirt_down_ends_the_process_after_a_moment)
{
	WORLD;
	int64_t start_ms = world->now_ms;

	fake_world_boot(world);
	world->local.is_down = true;
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert_int_eq(world->end_process_count, 1);
	ck_assert_int_ge(world->now_ms - start_ms, 4000);
	ck_assert_int_le(world->now_ms - start_ms, 6000);
}
END_TEST

START_TEST(restarting_libvirt_is_waited_for)
{
	WORLD;

	fake_world_boot(world);
	world->local.is_down = true;
	world->local.back_at_ms = world->now_ms + 3000;
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert(fake_world_has_called(&world->local, "shutdown"));
	ck_assert_int_eq(world->end_process_count, 0);
}
END_TEST

START_TEST(libvirt_lost_during_the_shutdown_is_waited_for_too)
{
	WORLD;

	fake_world_boot(world);
	world->local.shutdown_ms = 10000;
	fake_world_fail(&world->local, "find", -ENOTCONN, "connection reset");
	world->local.faults[0].skip = 3;
	world->local.faults[0].count = 5;
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert_int_eq(world->end_process_count, 0);
}
END_TEST

START_TEST(stuck_libvirt_ends_the_process_before_the_deadline)
{
	WORLD;
	int64_t start_ms = world->now_ms;

	fake_world_boot(world);
	world->local.is_stuck = true;
	ck_assert_int_eq(fake_world_run(world, "stop", 20000), VRMS_OCF_SUCCESS);
	ck_assert_int_eq(world->end_process_count, 1);
	ck_assert_int_le(world->now_ms - start_ms, 19500);
}
END_TEST

START_TEST(libvirt_that_hangs_in_the_shutdown_ends_the_process)
{
	WORLD;

	fake_world_boot(world);
	fake_world_fail(&world->local, "find", -ETIMEDOUT, "no answer");
	world->local.faults[0].skip = 1;
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	fake_world_boot(world);
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert(!world->has_process);
}
END_TEST

static void start_in_vain(struct fake_world *world, int code, const char *text)
{
	fake_world_fail(&world->local, "create", code, text);
	ck_assert_int_eq(fake_world_run(world, "start", 90000), VRMS_OCF_ERR_GENERIC);
}

/* Libvirt's lookups wait for the machine's lock, which a start that hangs in the storage holds. */
START_TEST(start_that_libvirt_may_still_carry_out_is_never_success)
{
	WORLD;

	start_in_vain(world, -ETIMEDOUT, "no answer");
	world->local.is_stuck = true;
	int64_t start_ms = world->now_ms;
	ck_assert_int_eq(stop(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "may still do so");
	ck_assert_int_le(world->now_ms - start_ms, 89000);

	/* The process that it became: nothing is left once it is ended. */
	world->has_process = true;
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert(!world->has_process);
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(start_that_was_cut_off_is_over_when_libvirt_says_so)
{
	WORLD;

	start_in_vain(world, -ETIMEDOUT, "no answer");
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	world->local.is_stuck = true;
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(start_that_libvirt_refused_is_over)
{
	WORLD;

	start_in_vain(world, -EIO, "no such disk");
	world->local.is_stuck = true;
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(libvirt_that_does_not_run_starts_nothing)
{
	WORLD;

	start_in_vain(world, -ETIMEDOUT, "no answer");
	world->local.is_down = true;
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(process_that_libvirt_forgot_is_ended)
{
	WORLD;

	world->has_process = true;
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert_int_eq(world->end_process_count, 1);
}
END_TEST

START_TEST(not_known_is_not_stopped)
{
	WORLD;

	world->local.is_down = true;
	world->find_process_rc = -EIO;
	ck_assert_int_eq(stop(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "stop of \"web\"");
}
END_TEST

START_TEST(other_hypervisors_are_proved_off_by_libvirt)
{
	WORLD;

	world->config.hypervisor = "lxc:///system";
	world->config.force_stop = true;
	fake_world_boot(world);
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);

	fake_world_boot(world);
	fake_world_fail(&world->local, "destroy", -EIO, "busy");
	ck_assert_int_eq(stop(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "still runs");
	ck_assert_int_eq(world->end_process_count, 0);

	fake_world_fail(&world->local, "find", -EIO, "broken");
	world->local.faults[1].skip = 1;
	ck_assert_int_eq(stop(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "broken");
}
END_TEST

START_TEST(wrong_uri_neither_fails_a_stop_nor_hides_a_process)
{
	WORLD;

	world->config.hypervisor = "foo:///bar";
	fake_world_fail(&world->local, "find", -ENOSYS, "no connection driver");
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	world->has_process = true;
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert_int_eq(world->end_process_count, 1);
}
END_TEST

START_TEST(memory_stops_what_config_no_longer_names)
{
	WORLD;
	const struct vrms_vm_memory memory = {.id = {"web", FAKE_UUID}, .is_running = true};

	ck_assert_int_eq(vrms_vm_memory_write("web", &memory, NULL), 0);
	fake_world_boot(world);
	(void)unlink(world->config_path);
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert(!world->has_process);

	ck_assert_int_eq(vrms_vm_memory_write("web", &memory, NULL), 0);
	fake_world_boot(world);
	fake_world_write_config(world, "<broken");
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert(!world->has_process);
}
END_TEST

START_TEST(both_candidates_are_stopped)
{
	WORLD;
	const struct vrms_vm_memory memory = {.id = {"web", FAKE_OTHER_UUID}, .is_running = true};

	ck_assert_int_eq(vrms_vm_memory_write("web", &memory, NULL), 0);
	fake_world_boot(world);
	fake_world_add(&world->local, "web-old", FAKE_OTHER_UUID, VIR_DOMAIN_RUNNING, 0);
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert(!world->local.domains[0].view.present);
	ck_assert(!world->local.domains[1].view.present);
}
END_TEST

START_TEST(nothing_known_is_nothing_started)
{
	WORLD;

	(void)unlink(world->config_path);
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	fake_world_write_config(world, "<broken");
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert_str_eq(world->local.calls, "");
}
END_TEST

START_TEST(what_was_off_is_remembered_for_a_time_without_config)
{
	WORLD;
	struct vrms_vm_memory memory;

	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert_int_eq(vrms_vm_memory_read("web", &memory, NULL), 0);
	ck_assert(!memory.is_running);
	ck_assert_str_eq(memory.id.uuid, FAKE_UUID);
}
END_TEST

START_TEST(snapshot_saves_instead_of_asking)
{
	WORLD;
	char path[128];

	world->config.snapshot = world->folder;
	(void)snprintf(path, sizeof(path), "%s/web.state", world->folder);
	fake_world_boot(world);
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert(!fake_world_has_called(&world->local, "shutdown"));
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(snapshot_that_fails_leads_to_a_shutdown)
{
	WORLD;
	static char long_folder[5000];

	fake_world_boot(world);
	world->config.snapshot = world->folder;
	fake_world_fail(&world->local, "save", -EIO, "no space");
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	ck_assert(fake_world_has_called(&world->local, "shutdown"));

	memset(long_folder, '/', sizeof(long_folder) - 1);
	world->config.snapshot = long_folder;
	fake_world_boot(world);
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(running_definition_is_written_back)
{
	WORLD;
	char text[512] = "";

	world->config.sync_config_on_stop = true;
	world->local.xml = "<domain><name>web</name><uuid>" FAKE_UUID "</uuid><x/></domain>";
	fake_world_boot(world);
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	FILE *file = fopen(world->config_path, "r");
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
	fclose(file);
	ck_assert_str_eq(text, world->local.xml);
	ck_assert_ptr_nonnull(strstr(world->programs, "csync2 -x "));
}
END_TEST

START_TEST(foreign_or_missing_definition_is_not_written)
{
	WORLD;
	char text[512] = "";

	world->config.save_config_on_stop = true;
	world->local.xml = "<domain><name>web</name><uuid>" FAKE_OTHER_UUID "</uuid></domain>";
	fake_world_boot(world);
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	world->local.xml = "<domain>";
	fake_world_boot(world);
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	fake_world_fail(&world->local, "get_xml", -EIO, "no");
	fake_world_boot(world);
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
	FILE *file = fopen(world->config_path, "r");
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
	fclose(file);
	ck_assert_str_eq(text, FAKE_CONFIG);
	ck_assert_str_eq(world->programs, "");
}
END_TEST

START_TEST(sync_that_fails_does_not_fail_the_stop)
{
	WORLD;

	world->config.sync_config_on_stop = true;
	world->local.xml = "<domain><name>web</name><uuid>" FAKE_UUID "</uuid><x/></domain>";
	world->exit_codes[0] = 1;
	world->exit_count = 1;
	fake_world_boot(world);
	ck_assert_int_eq(stop(world), VRMS_OCF_SUCCESS);
}
END_TEST

UNIT_MAIN("vm_stop", guest_is_asked_and_given_its_time,
	  guest_that_missed_the_request_is_asked_again,
	  deaf_guest_is_destroyed_with_the_reserve_left, short_timeout_keeps_half_for_destroying,
	  what_is_off_is_success, force_stop_does_not_ask,
	  shutdown_mode_takes_effect_and_falls_back,
	  guest_that_cannot_be_asked_is_destroyed_at_once,
	  guest_paused_by_an_admin_continues_to_shut_down, process_is_ended_when_destroy_fails,
	  process_that_outlives_destroy_is_ended, process_that_does_not_die_is_never_success,
	  success_needs_libvirts_word_too_when_it_answers, sleeping_guest_is_destroyed_at_once,
	  libvirt_down_ends_the_process_after_a_moment, restarting_libvirt_is_waited_for,
	  libvirt_lost_during_the_shutdown_is_waited_for_too,
	  stuck_libvirt_ends_the_process_before_the_deadline,
	  libvirt_that_hangs_in_the_shutdown_ends_the_process,
	  start_that_libvirt_may_still_carry_out_is_never_success,
	  start_that_was_cut_off_is_over_when_libvirt_says_so, start_that_libvirt_refused_is_over,
	  libvirt_that_does_not_run_starts_nothing, process_that_libvirt_forgot_is_ended,
	  not_known_is_not_stopped, other_hypervisors_are_proved_off_by_libvirt,
	  wrong_uri_neither_fails_a_stop_nor_hides_a_process,
	  memory_stops_what_config_no_longer_names, both_candidates_are_stopped,
	  nothing_known_is_nothing_started, what_was_off_is_remembered_for_a_time_without_config,
	  snapshot_saves_instead_of_asking, snapshot_that_fails_leads_to_a_shutdown,
	  running_definition_is_written_back, foreign_or_missing_definition_is_not_written,
	  sync_that_fails_does_not_fail_the_stop)
