/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/vm_memory.h"
#include "tests/fakes/vm_world.h"
#include "tests/unit/unit.h"

#define WORLD struct fake_world *world VRMS_CLEANUP(fake_world_freep) = fake_world_new()

static enum vrms_ocf_exit monitor(struct fake_world *world)
{
	return fake_world_run(world, "monitor", 30000);
}

static enum vrms_ocf_exit probe(struct fake_world *world)
{
	world->call.interval_ms = 0;
	return monitor(world);
}

static void set_state(struct fake_world *world, int state, int reason)
{
	fake_world_boot(world);
	fake_world_add(&world->local, "web", FAKE_UUID, state, reason);
}

static bool has_cache(const struct fake_world *world)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/VirtualMachine-web.state", world->folder);
	return access(path, F_OK) == 0;
}

START_TEST(running_machine_is_success_and_remembered)
{
	WORLD;
	struct vrms_vm_memory memory;

	fake_world_boot(world);
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
	ck_assert_str_eq(world->error.text, "");
	ck_assert(has_cache(world));
	ck_assert_int_eq(vrms_vm_memory_read("web", &memory, NULL), 0);
	ck_assert(memory.is_running);
	ck_assert_str_eq(memory.id.uuid, FAKE_UUID);
}
END_TEST

START_TEST(absent_and_shut_off_machines_are_not_running)
{
	WORLD;

	ck_assert_int_eq(monitor(world), VRMS_OCF_NOT_RUNNING);
	fake_world_add(&world->local, "web", FAKE_UUID, VIR_DOMAIN_SHUTOFF,
		       VIR_DOMAIN_SHUTOFF_CRASHED)
	    ->view.persistent = true;
	ck_assert_int_eq(monitor(world), VRMS_OCF_NOT_RUNNING);
	ck_assert(!has_cache(world));
}
END_TEST

START_TEST(pauses_by_somebodys_will_are_no_failure)
{
	WORLD;

	set_state(world, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
	set_state(world, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION);
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
	set_state(world, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SAVE);
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
	set_state(world, VIR_DOMAIN_PMSUSPENDED, 0);
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(panic_watchdog_and_crash_are_failures_with_their_reason)
{
	WORLD;

	set_state(world, VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED);
	ck_assert_int_eq(monitor(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "panic");
	set_state(world, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_WATCHDOG);
	ck_assert_int_eq(monitor(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "watchdog");
	ck_assert(!has_cache(world));
}
END_TEST

START_TEST(io_error_fails_and_names_the_disk)
{
	WORLD;

	set_state(world, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR);
	(void)strcpy(world->local.disk_errors, "vda: no space");
	ck_assert_int_eq(monitor(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "(vda: no space)");
	fake_world_fail(&world->local, "get_disk_errors", -EIO, "no");
	ck_assert_int_eq(monitor(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "I/O error");
	ck_assert(!fake_world_has_called(&world->local, "resume"));
}
END_TEST

START_TEST(io_error_can_be_ignored)
{
	WORLD;

	world->config.on_io_error = VRMS_ON_IO_ERROR_IGNORE;
	set_state(world, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR);
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(io_error_is_resumed_when_the_disks_answer)
{
	WORLD;

	world->config.on_io_error = VRMS_ON_IO_ERROR_RESUME;
	set_state(world, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR);
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
	ck_assert(fake_world_has_called(&world->local, "resume"));
}
END_TEST

START_TEST(resuming_is_bounded_by_its_parameter_and_the_deadline)
{
	WORLD;
	int64_t start_ms = world->now_ms;

	world->config.on_io_error = VRMS_ON_IO_ERROR_RESUME;
	world->config.io_error_wait_ms = 8000;
	world->local.resume_fails_again = true;
	set_state(world, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR);
	ck_assert_int_eq(monitor(world), VRMS_OCF_ERR_GENERIC);
	ck_assert_int_ge(world->now_ms - start_ms, 6000);
	ck_assert_int_le(world->now_ms - start_ms, 10000);

	start_ms = world->now_ms;
	world->config.io_error_wait_ms = 3600000;
	fake_world_fail(&world->local, "resume", -EIO, "not now");
	ck_assert_int_eq(monitor(world), VRMS_OCF_ERR_GENERIC);
	ck_assert_int_le(world->now_ms - start_ms, 30000);
}
END_TEST

START_TEST(level_ten_asks_the_guest_agent)
{
	WORLD;
	static const char with_agent[] =
	    "<domain type='kvm'><name>web</name><uuid>" FAKE_UUID "</uuid><devices><channel>"
	    "<target name='org.qemu.guest_agent.0'/></channel></devices></domain>";

	fake_world_boot(world);
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
	ck_assert(!fake_world_has_called(&world->local, "ping_agent"));

	world->call.check_level = 10;
	ck_assert_int_eq(monitor(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "no guest agent channel");

	fake_world_write_config(world, with_agent);
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
	ck_assert(fake_world_has_called(&world->local, "ping_agent"));

	fake_world_fail(&world->local, "ping_agent", -EIO, "not connected");
	ck_assert_int_eq(monitor(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "guest agent of \"web\" does not answer: not connected");

	set_state(world, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(monitor_scripts_run_in_order_until_one_fails)
{
	WORLD;

	fake_world_boot(world);
	world->config.monitor_scripts = "/opt/a  /opt/b /opt/c";
	world->exit_codes[1] = 3;
	world->exit_count = 2;
	world->program_output = "no answer\nfrom it\n";
	ck_assert_int_eq(monitor(world), VRMS_OCF_ERR_GENERIC);
	ck_assert_str_eq(world->programs, "/opt/a|/opt/b|");
	fake_world_says(world, "\"/opt/b\" exited with 3: no answer from it");

	world->program_output = NULL;
	ck_assert_int_eq(monitor(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "said on stderr");

	world->exit_count = 0;
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
	world->program_rc = -ENOENT;
	ck_assert_int_eq(monitor(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "\"/opt/a\"");
}
END_TEST

START_TEST(process_answers_when_libvirt_is_down)
{
	WORLD;

	world->local.is_down = true;
	ck_assert_int_eq(monitor(world), VRMS_OCF_NOT_RUNNING);
	world->has_process = true;
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
	world->process_state = VRMS_QEMU_STOPPED;
	ck_assert_int_eq(monitor(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "stopped by a signal");
	world->process_state = VRMS_QEMU_DEAD;
	ck_assert_int_eq(monitor(world), VRMS_OCF_NOT_RUNNING);
}
END_TEST

START_TEST(stuck_libvirt_leaves_time_to_look_at_the_process)
{
	WORLD;
	int64_t start_ms = world->now_ms;

	fake_world_boot(world);
	world->local.is_stuck = true;
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
	ck_assert_int_le(world->now_ms - start_ms, 10000);
}
END_TEST

START_TEST(never_not_running_when_nobody_can_tell)
{
	WORLD;

	world->local.is_down = true;
	world->find_process_rc = -EIO;
	ck_assert_int_eq(monitor(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "cannot tell whether \"web\" runs");

	/* A remote hypervisor's processes are not here. */
	world->find_process_rc = 0;
	world->config.hypervisor = "qemu+ssh://far/system";
	ck_assert_int_eq(monitor(world), VRMS_OCF_ERR_GENERIC);

	world->local.is_down = false;
	world->config.hypervisor = "qemu:///system";
	world->find_process_rc = -EACCES;
	ck_assert_int_eq(monitor(world), VRMS_OCF_ERR_PERM);
}
END_TEST

START_TEST(no_such_hypervisor_here_is_not_running_unless_a_process_says_so)
{
	WORLD;

	world->config.hypervisor = "foo:///bar";
	fake_world_fail(&world->local, "find", -ENOSYS, "no connection driver");
	ck_assert_int_eq(probe(world), VRMS_OCF_NOT_RUNNING);
	world->has_process = true;
	ck_assert_int_eq(probe(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(process_that_libvirt_forgot_is_a_failure)
{
	WORLD;

	world->has_process = true;
	ck_assert_int_eq(monitor(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "process 4711, runs, but libvirt does not know it");
}
END_TEST

START_TEST(missing_config_at_a_probe_is_not_running)
{
	WORLD;

	(void)unlink(world->config_path);
	ck_assert_int_eq(probe(world), VRMS_OCF_NOT_RUNNING);
	ck_assert_str_eq(world->error.text, "");
	world->call.interval_ms = 10000;
	ck_assert_int_eq(monitor(world), VRMS_OCF_ERR_INSTALLED);
	fake_world_says(world, world->config_path);
}
END_TEST

START_TEST(memory_tells_when_config_has_vanished)
{
	WORLD;

	fake_world_boot(world);
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
	(void)unlink(world->config_path);
	ck_assert_int_eq(probe(world), VRMS_OCF_SUCCESS);
	fake_world_write_config(world, "<domain><name>");
	ck_assert_int_eq(probe(world), VRMS_OCF_SUCCESS);

	fake_domain_end(&world->local.domains[0]);
	world->has_process = false;
	ck_assert_int_eq(probe(world), VRMS_OCF_NOT_RUNNING);
}
END_TEST

START_TEST(unusable_config_is_an_error_that_names_it)
{
	WORLD;

	fake_world_write_config(world, "<domain><name>");
	ck_assert_int_eq(probe(world), VRMS_OCF_ERR_CONFIGURED);
	fake_world_says(world, world->config_path);

	(void)unlink(world->config_path);
	(void)mkdir(world->config_path, 0700);
	ck_assert_int_eq(probe(world), VRMS_OCF_ERR_GENERIC); /* EISDIR */
	fake_world_says(world, world->config_path);
	(void)rmdir(world->config_path);

	world->config.config = NULL;
	ck_assert_int_eq(probe(world), VRMS_OCF_ERR_CONFIGURED);
	fake_world_says(world, "config: required");
}
END_TEST

START_TEST(changed_uuid_in_config_does_not_hide_the_running_machine)
{
	WORLD;

	fake_world_boot(world);
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
	fake_world_write_config(world, "<domain><name>web</name><uuid>" FAKE_OTHER_UUID
				       "</uuid></domain>");
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(machine_of_the_same_name_is_another_one)
{
	WORLD;

	fake_world_add(&world->local, "web", FAKE_OTHER_UUID, VIR_DOMAIN_RUNNING, 0);
	ck_assert_int_eq(monitor(world), VRMS_OCF_NOT_RUNNING);
}
END_TEST

START_TEST(config_without_uuid_goes_by_name)
{
	WORLD;

	fake_world_write_config(world, "<domain><name>web</name></domain>");
	ck_assert_int_eq(monitor(world), VRMS_OCF_NOT_RUNNING);
	fake_world_boot(world);
	world->local.is_down = true;
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
	world->local.is_down = false;
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(other_errors_of_libvirt_are_not_a_state)
{
	WORLD;

	fake_world_boot(world);
	fake_world_fail(&world->local, "find", -EIO, "internal error");
	/* The process is looked at, as when it does not answer. */
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
	world->has_process = false;
	ck_assert_int_eq(monitor(world), VRMS_OCF_NOT_RUNNING);
}
END_TEST

START_TEST(spoiled_memory_is_not_believed)
{
	WORLD;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/VirtualMachine-web.domain", world->folder);
	FILE *file = fopen(path, "w");
	fputs("running\n" FAKE_OTHER_UUID "\nevil\nmore\n", file);
	fclose(file);
	fake_world_boot(world);
	ck_assert_int_eq(monitor(world), VRMS_OCF_SUCCESS);
}
END_TEST

UNIT_MAIN("vm_monitor", running_machine_is_success_and_remembered,
	  absent_and_shut_off_machines_are_not_running, pauses_by_somebodys_will_are_no_failure,
	  panic_watchdog_and_crash_are_failures_with_their_reason,
	  io_error_fails_and_names_the_disk, io_error_can_be_ignored,
	  io_error_is_resumed_when_the_disks_answer,
	  resuming_is_bounded_by_its_parameter_and_the_deadline, level_ten_asks_the_guest_agent,
	  monitor_scripts_run_in_order_until_one_fails, process_answers_when_libvirt_is_down,
	  stuck_libvirt_leaves_time_to_look_at_the_process, never_not_running_when_nobody_can_tell,
	  process_that_libvirt_forgot_is_a_failure,
	  no_such_hypervisor_here_is_not_running_unless_a_process_says_so,
	  missing_config_at_a_probe_is_not_running, memory_tells_when_config_has_vanished,
	  unusable_config_is_an_error_that_names_it,
	  changed_uuid_in_config_does_not_hide_the_running_machine,
	  machine_of_the_same_name_is_another_one, config_without_uuid_goes_by_name,
	  other_errors_of_libvirt_are_not_a_state, spoiled_memory_is_not_believed)
