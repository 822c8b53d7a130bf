/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/vm_image.h"
#include "agents/vm_memory.h"
#include "tests/fakes/vm_world.h"
#include "tests/unit/unit.h"

#define WORLD struct fake_world *world VRMS_CLEANUP(fake_world_freep) = fake_world_new()

static enum vrms_ocf_exit start(struct fake_world *world)
{
	return fake_world_run(world, "start", 90000);
}

static void refused(struct fake_world *world, const char *expected)
{
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, expected);
	ck_assert(!fake_world_has_called(&world->local, "create"));
}

START_TEST(start_creates_and_remembers)
{
	WORLD;
	struct vrms_vm_memory memory;

	ck_assert_int_eq(start(world), VRMS_OCF_SUCCESS);
	ck_assert_str_eq(world->error.text, "");
	ck_assert(fake_world_has_called(&world->local, "create"));
	ck_assert(!fake_world_has_called(&world->local, "undefine"));
	ck_assert_int_eq(vrms_vm_memory_read("web", &memory, NULL), 0);
	ck_assert(memory.is_running);
}
END_TEST

START_TEST(what_runs_is_left_alone)
{
	WORLD;

	fake_world_boot(world);
	ck_assert_int_eq(start(world), VRMS_OCF_SUCCESS);
	ck_assert(!fake_world_has_called(&world->local, "create"));
}
END_TEST

START_TEST(failed_machine_is_not_a_started_one)
{
	WORLD;

	fake_world_boot(world);
	fake_world_add(&world->local, "web", FAKE_UUID, VIR_DOMAIN_PAUSED,
		       VIR_DOMAIN_PAUSED_IOERROR);
	refused(world, "I/O error");
}
END_TEST

START_TEST(another_machine_of_the_name_is_a_refusal)
{
	WORLD;

	fake_world_add(&world->local, "web", FAKE_OTHER_UUID, VIR_DOMAIN_RUNNING, 0);
	refused(
	    world,
	    "another machine named \"web\" is active on this node: it has UUID " FAKE_OTHER_UUID);
	fake_world_add(&world->local, "web", FAKE_OTHER_UUID, VIR_DOMAIN_SHUTOFF, 0);
	refused(world, "is defined on this node");
}
END_TEST

START_TEST(process_that_libvirt_forgot_is_a_refusal)
{
	WORLD;

	world->has_process = true;
	refused(world, "not started twice");
}
END_TEST

START_TEST(disk_in_use_elsewhere_is_the_reason)
{
	WORLD;

	fake_world_fail(&world->local, "create", -EBUSY, "a disk is in use: lock");
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "start of \"web\": a disk is in use: lock");
}
END_TEST

START_TEST(peers_are_asked)
{
	WORLD;

	world->config.peers = "node1 node2";
	world->config.migration_transport = "tcp";
	fake_world_add(&world->target, "web", FAKE_UUID, VIR_DOMAIN_RUNNING, 0);
	refused(world, "is active on node \"node2\": not started twice");
	ck_assert_str_eq(world->peer_uri, "qemu+tcp://node2/system ");

	fake_world_add(&world->target, "web", FAKE_UUID, VIR_DOMAIN_SHUTOFF, 0);
	ck_assert_int_eq(start(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(peers_that_do_not_answer_are_not_waited_for)
{
	WORLD;
	int64_t start_ms = world->now_ms;

	world->config.peers = "node2 node3 node4 node5 node6 node7 node8 node9 node10 node11";
	world->target.is_stuck = true;
	ck_assert_int_eq(start(world), VRMS_OCF_SUCCESS);
	ck_assert_int_le(world->now_ms - start_ms, 25000);
}
END_TEST

START_TEST(peers_need_a_uri)
{
	WORLD;

	world->config.peers = "node2";
	world->config.hypervisor = "nonsense";
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_CONFIGURED);
	fake_world_says(world, "\"nonsense\" is not a URI");

	world->config.hypervisor = NULL;
	fake_world_fail(&world->local, "get_uri", -EIO, "no URI");
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_GENERIC);
	world->config.hypervisor = "qemu:///system";
	fake_world_fail(&world->local, "open_peer", -ENOMEM, "no memory");
	ck_assert_int_eq(start(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(persistent_definition_is_removed_and_its_file_kept)
{
	WORLD;

	fake_world_add(&world->local, "web", FAKE_UUID, VIR_DOMAIN_SHUTOFF, 0)->view.persistent =
	    true;
	ck_assert_int_eq(start(world), VRMS_OCF_SUCCESS);
	ck_assert(fake_world_has_called(&world->local, "undefine"));
	ck_assert_int_eq(access(world->config_path, F_OK), 0);
}
END_TEST

START_TEST(definition_that_must_stay_does_not_hinder)
{
	WORLD;

	fake_world_add(&world->local, "web", FAKE_UUID, VIR_DOMAIN_SHUTOFF, 0)->view.persistent =
	    true;
	fake_world_fail(&world->local, "undefine", -EBUSY, "has snapshots");
	ck_assert_int_eq(start(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(libvirt_that_comes_back_is_waited_for)
{
	WORLD;

	world->local.is_down = true;
	world->local.back_at_ms = world->now_ms + 20000;
	ck_assert_int_eq(start(world), VRMS_OCF_SUCCESS);

	world->local.is_down = true;
	world->local.back_at_ms = 0;
	fake_domain_end(&world->local.domains[0]);
	world->has_process = false;
	int64_t start_ms = world->now_ms;
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "connection refused");
	ck_assert_int_le(world->now_ms - start_ms, 40000);
}
END_TEST

START_TEST(nothing_is_started_when_nobody_can_tell)
{
	WORLD;

	world->local.is_stuck = true;
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_GENERIC);
	world->local.is_stuck = false;
	world->find_process_rc = -EIO;
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_GENERIC);
	fake_world_fail(&world->local, "find", -EIO, "broken");
	world->local.faults[0].skip = 1;
	world->find_process_rc = 0;
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_GENERIC);
	ck_assert(!fake_world_has_called(&world->local, "create"));
}
END_TEST

START_TEST(unusable_config_is_the_right_code)
{
	WORLD;

	fake_world_write_config(world, "<domain/>");
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_CONFIGURED);
	fake_world_says(world, "no <name>");
	(void)unlink(world->config_path);
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_INSTALLED);
	fake_world_says(world, world->config_path);

	/* Though memory knows who it is. */
	const struct vrms_vm_memory memory = {.id = {"web", FAKE_UUID}, .is_running = true};
	ck_assert_int_eq(vrms_vm_memory_write("web", &memory, NULL), 0);
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_INSTALLED);
}
END_TEST

START_TEST(config_that_libvirt_keeps_outlives_its_definition)
{
	WORLD;

	fake_world_add(&world->local, "web", FAKE_UUID, VIR_DOMAIN_SHUTOFF, 0)->view.persistent =
	    true;
	world->local.undefine_removes_config = true;
	ck_assert_int_eq(start(world), VRMS_OCF_SUCCESS);
	ck_assert_int_eq(access(world->config_path, F_OK), 0);
}
END_TEST

START_TEST(machine_that_stays_paused_was_not_started)
{
	WORLD;
	int64_t start_ms = world->now_ms;

	world->local.created_state = VIR_DOMAIN_PAUSED;
	world->local.created_reason = VIR_DOMAIN_PAUSED_STARTING_UP;
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "was started but stays paused");
	ck_assert_int_le(world->now_ms - start_ms, 90000);
}
END_TEST

START_TEST(machine_that_dies_at_once_is_a_failure)
{
	WORLD;

	world->local.created_state = VIR_DOMAIN_CRASHED;
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "did not stay up after its start");
	fake_domain_end(&world->local.domains[0]);
	world->has_process = false;
	world->local.created_state = 0;

	fake_world_fail(&world->local, "find", -EIO, "lost");
	world->local.faults[0].skip = 2;
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "lost");
}
END_TEST

START_TEST(scripts_are_awaited_to_the_deadline)
{
	WORLD;
	int64_t start_ms = world->now_ms;

	world->config.monitor_scripts = "/opt/check";
	world->exit_codes[0] = world->exit_codes[1] = 1;
	world->exit_count = 3;
	ck_assert_int_eq(start(world), VRMS_OCF_SUCCESS);
	ck_assert_uint_eq(world->program_count, 3);
	ck_assert_int_ge(world->now_ms - start_ms, 2000);

	world->exit_count = 1;
	start_ms = world->now_ms;
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "/opt/check");
	ck_assert_int_le(world->now_ms - start_ms, 90000);
	ck_assert_int_ge(world->now_ms - start_ms, 80000);
}
END_TEST

START_TEST(pools_and_networks_are_started_first)
{
	WORLD;

	fake_world_write_config(world, "<domain><name>web</name><uuid>" FAKE_UUID
				       "</uuid><devices><disk><source pool='p'/></disk>"
				       "<interface><source network='n'/></interface></devices>"
				       "</domain>");
	ck_assert_int_eq(start(world), VRMS_OCF_SUCCESS);
	ck_assert(!fake_world_has_called(&world->local, "start_pool"));

	fake_domain_end(&world->local.domains[0]);
	world->has_process = false;
	world->config.start_resources = true;
	ck_assert_int_eq(start(world), VRMS_OCF_SUCCESS);
	ck_assert_ptr_nonnull(strstr(world->local.calls, "start_pool start_network create"));

	fake_domain_end(&world->local.domains[0]);
	world->has_process = false;
	fake_world_fail(&world->local, "start_network", -EIO, "network \"n\": no");
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "network \"n\"");
}
END_TEST

START_TEST(emulated_tpm_outlives_the_domain)
{
	WORLD;

	fake_world_write_config(world, "<domain><name>web</name><uuid>" FAKE_UUID
				       "</uuid><devices><tpm><backend type='emulator'/></tpm>"
				       "</devices></domain>");
	ck_assert_int_eq(start(world), VRMS_OCF_SUCCESS);
	ck_assert_ptr_nonnull(strstr(world->local.created, "persistent_state=\"yes\""));
}
END_TEST

START_TEST(saved_memory_is_restored_once)
{
	WORLD;
	char path[128];

	world->config.snapshot = world->folder;
	(void)snprintf(path, sizeof(path), "%s/web.state", world->folder);
	fclose(fopen(path, "w"));
	ck_assert_int_eq(start(world), VRMS_OCF_SUCCESS);
	ck_assert(fake_world_has_called(&world->local, "restore"));
	ck_assert(!fake_world_has_called(&world->local, "create"));
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(memory_that_cannot_be_restored_is_kept)
{
	WORLD;
	char path[128];
	static char long_folder[5000];

	world->config.snapshot = world->folder;
	(void)snprintf(path, sizeof(path), "%s/web.state", world->folder);
	fclose(fopen(path, "w"));
	fake_world_fail(&world->local, "restore", -EIO, "not this version");
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "restoring ");
	ck_assert_int_eq(access(path, F_OK), 0);

	memset(long_folder, '/', sizeof(long_folder) - 1);
	world->config.snapshot = long_folder;
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_CONFIGURED);
}
END_TEST

/* The guest may have run on from it, and its disks with it. */
START_TEST(memory_that_may_have_been_restored_is_not_restored_again)
{
	WORLD;
	char path[128];

	world->config.snapshot = world->folder;
	(void)snprintf(path, sizeof(path), "%s/web.state", world->folder);
	fclose(fopen(path, "w"));
	fake_world_fail(&world->local, "restore", -ETIMEDOUT, "no answer");
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_GENERIC);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_eq(start(world), VRMS_OCF_SUCCESS);
	ck_assert(fake_world_has_called(&world->local, "create"));
}
END_TEST

START_TEST(copy_on_write_disk_is_made_once_or_each_time)
{
	WORLD;
	char disk[128];
	char half_made[160];

	world->config.backingfile = "/srv/base.img";
	world->program_output = "{\"format\": \"raw\"}";
	(void)snprintf(disk, sizeof(disk), "%s/web.qcow2", world->folder);
	(void)snprintf(half_made, sizeof(half_made), "%s.new", disk);
	FILE *file = fopen(half_made, "w"); /* what qemu-img would make */
	fputs("QFI", file);
	fclose(file);
	ck_assert_int_eq(start(world), VRMS_OCF_SUCCESS);
	ck_assert_ptr_nonnull(strstr(world->programs, "-b /srv/base.img -F raw -- "));
	ck_assert_int_eq(access(disk, F_OK), 0);

	fake_domain_end(&world->local.domains[0]);
	world->has_process = false;
	world->programs[0] = '\0';
	ck_assert_int_eq(start(world), VRMS_OCF_SUCCESS);
	ck_assert_str_eq(world->programs, "");

	fake_domain_end(&world->local.domains[0]);
	world->has_process = false;
	world->config.stateless = true;
	world->config.copyindirs = "/etc/a /etc/b";
	fclose(fopen(half_made, "w"));
	ck_assert_int_eq(start(world), VRMS_OCF_SUCCESS);
	ck_assert_ptr_nonnull(strstr(world->programs, "virt-copy-in -a "));
	ck_assert_ptr_nonnull(strstr(world->programs, " /etc/a /etc/b /|"));
}
END_TEST

START_TEST(copy_on_write_disk_that_fails_is_a_failed_start)
{
	WORLD;
	static char many[400];

	world->config.backingfile = "/srv/base.img";
	world->config.stateless = true;
	world->exit_codes[0] = 1;
	world->exit_count = 1;
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "qemu-img exited with 1: said on stderr");

	world->exit_count = 0;
	world->program_output = "not json";
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "format");

	world->program_output = "{\"format\": \"raw\"}";
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_INSTALLED); /* nothing to rename */

	for (int i = 0; i < 100; i++) {
		strcat(many, "/x ");
	}
	world->config.copyindirs = many;
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_CONFIGURED);
	fake_world_says(world, "copyindirs");

	world->program_rc = -ENOENT;
	ck_assert_int_eq(start(world), VRMS_OCF_ERR_INSTALLED);
}
END_TEST

START_TEST(disk_path_replaces_the_extension_only)
{
	char path[64];

	ck_assert_int_eq(vrms_vm_image_path("/srv/vm.d/web.xml", path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/srv/vm.d/web.qcow2");
	ck_assert_int_eq(vrms_vm_image_path("web", path, sizeof(path)), 0);
	ck_assert_str_eq(path, "web.qcow2");
	ck_assert_int_eq(vrms_vm_image_path("/srv/web.xml", path, 8), -ENAMETOOLONG);
}
END_TEST

UNIT_MAIN("vm_start", start_creates_and_remembers, what_runs_is_left_alone,
	  failed_machine_is_not_a_started_one, another_machine_of_the_name_is_a_refusal,
	  process_that_libvirt_forgot_is_a_refusal, disk_in_use_elsewhere_is_the_reason,
	  peers_are_asked, peers_that_do_not_answer_are_not_waited_for, peers_need_a_uri,
	  persistent_definition_is_removed_and_its_file_kept,
	  definition_that_must_stay_does_not_hinder, libvirt_that_comes_back_is_waited_for,
	  nothing_is_started_when_nobody_can_tell, unusable_config_is_the_right_code,
	  config_that_libvirt_keeps_outlives_its_definition,
	  machine_that_stays_paused_was_not_started, machine_that_dies_at_once_is_a_failure,
	  scripts_are_awaited_to_the_deadline, pools_and_networks_are_started_first,
	  emulated_tpm_outlives_the_domain, saved_memory_is_restored_once,
	  memory_that_cannot_be_restored_is_kept,
	  memory_that_may_have_been_restored_is_not_restored_again,
	  copy_on_write_disk_is_made_once_or_each_time,
	  copy_on_write_disk_that_fails_is_a_failed_start, disk_path_replaces_the_extension_only)
