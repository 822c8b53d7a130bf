/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/vm_memory.h"
#include "tests/fakes/vm_world.h"
#include "tests/unit/unit.h"

#define WORLD struct fake_world *world VRMS_CLEANUP(fake_world_freep) = fake_world_new()

static enum vrms_ocf_exit validate(struct fake_world *world)
{
	return fake_world_run(world, "validate-all", 5000);
}

START_TEST(good_parameters_are_success_without_asking_libvirt)
{
	WORLD;

	ck_assert_int_eq(validate(world), VRMS_OCF_SUCCESS);
	ck_assert_int_eq(fake_world_run(world, "reload-agent", 5000), VRMS_OCF_SUCCESS);
	ck_assert_str_eq(world->local.calls, "");
}
END_TEST

START_TEST(config_must_be_there_and_be_a_domain)
{
	WORLD;
	const struct vrms_vm_memory memory = {.id = {"web", FAKE_UUID}, .is_running = true};

	fake_world_write_config(world, "<network/>");
	ck_assert_int_eq(validate(world), VRMS_OCF_ERR_CONFIGURED);
	fake_world_says(world, "<network>");
	(void)unlink(world->config_path);
	ck_assert_int_eq(vrms_vm_memory_write("web", &memory, NULL), 0);
	ck_assert_int_eq(validate(world), VRMS_OCF_ERR_INSTALLED);
	fake_world_says(world, world->config_path);
}
END_TEST

START_TEST(hypervisor_must_be_a_uri)
{
	WORLD;

	world->config.hypervisor = "qemu system";
	ck_assert_int_eq(validate(world), VRMS_OCF_ERR_CONFIGURED);
	fake_world_says(world, "hypervisor: \"qemu system\" is not a URI");
}
END_TEST

START_TEST(folders_and_files_must_be_there)
{
	WORLD;

	world->config.snapshot = "/nowhere/snap";
	ck_assert_int_eq(validate(world), VRMS_OCF_ERR_INSTALLED);
	fake_world_says(world, "snapshot: /nowhere/snap");
	world->config.snapshot = world->config_path;
	ck_assert_int_eq(validate(world), VRMS_OCF_ERR_INSTALLED);
	fake_world_says(world, "is not a folder");
	world->config.snapshot = world->folder;
	world->config.backingfile = "/nowhere/base";
	ck_assert_int_eq(validate(world), VRMS_OCF_ERR_INSTALLED);
	fake_world_says(world, "backingfile: /nowhere/base");
}
END_TEST

START_TEST(programs_must_be_installed)
{
	WORLD;

	ck_assert_int_eq(setenv("PATH", "/nowhere:/neither", 1), 0);
	world->config.sync_config_on_stop = true;
	ck_assert_int_eq(validate(world), VRMS_OCF_ERR_INSTALLED);
	fake_world_says(world, "csync2");
	world->config.sync_config_on_stop = false;
	world->config.backingfile = world->config_path;
	ck_assert_int_eq(validate(world), VRMS_OCF_ERR_INSTALLED);
	fake_world_says(world, "qemu-img");
	world->config.backingfile = NULL;
	world->config.monitor_scripts = "check-web";
	ck_assert_int_eq(validate(world), VRMS_OCF_ERR_INSTALLED);
	fake_world_says(world, "check-web");
	world->config.monitor_scripts = "/nowhere/check";
	ck_assert_int_eq(validate(world), VRMS_OCF_ERR_INSTALLED);
	fake_world_says(world, "/nowhere/check");
	ck_assert_int_eq(setenv("PATH", "/nowhere:/bin", 1), 0);
	world->config.monitor_scripts = "/bin/true true";
	ck_assert_int_eq(validate(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(copying_in_needs_its_program)
{
	WORLD;
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/qemu-img", world->folder);
	fclose(fopen(path, "w"));
	ck_assert_int_eq(chmod(path, 0755), 0);
	ck_assert_int_eq(setenv("PATH", world->folder, 1), 0);
	world->config.backingfile = world->config_path;
	ck_assert_int_eq(validate(world), VRMS_OCF_SUCCESS);
	world->config.copyindirs = "/etc";
	ck_assert_int_eq(validate(world), VRMS_OCF_ERR_INSTALLED);
	fake_world_says(world, "virt-copy-in");
	(void)unlink(path);
}
END_TEST

START_TEST(unknown_actions_are_unimplemented)
{
	WORLD;

	ck_assert_int_eq(fake_world_run(world, "promote", 5000), VRMS_OCF_ERR_UNIMPLEMENTED);
	fake_world_says(world, "\"promote\"");
}
END_TEST

START_TEST(memory_makes_its_folder_and_reads_only_its_own)
{
	WORLD;
	char folder[128];
	char path[200];
	struct vrms_vm_memory memory = {.id = {"web", FAKE_UUID}, .is_running = true};
	struct vrms_vm_memory read;
	struct vrms_error error;

	(void)snprintf(folder, sizeof(folder), "%s/deeper", world->folder);
	(void)snprintf(path, sizeof(path), "%s/VirtualMachine-web.domain", folder);
	ck_assert_int_eq(setenv("HA_RSCTMP", folder, 1), 0);
	ck_assert_int_eq(vrms_vm_memory_read("web", &read, &error), -ENOENT);
	ck_assert_int_eq(vrms_vm_memory_write("web", &memory, &error), 0);
	ck_assert_int_eq(vrms_vm_memory_read("web", &read, &error), 0);
	ck_assert_str_eq(read.id.name, "web");
	memory.id.uuid[0] = '\0';
	memory.is_running = false;
	ck_assert_int_eq(vrms_vm_memory_write("web", &memory, &error), 0);
	ck_assert_int_eq(vrms_vm_memory_read("web", &read, &error), 0);
	ck_assert_str_eq(read.id.uuid, "");

	static const char *const spoiled[] = {
	    "", "running\n", "running\nx\nweb\n", "up\n\nweb\n", "off\n\n\n", "off\n\nweb\nmore"};
	for (size_t i = 0; i < VRMS_COUNT_OF(spoiled); i++) {
		FILE *file = fopen(path, "w");
		fputs(spoiled[i], file);
		fclose(file);
		ck_assert_int_eq(vrms_vm_memory_read("web", &read, &error), -EBADMSG);
	}
	ck_assert_int_lt(vrms_vm_memory_write("a/b", &memory, &error), 0);
	ck_assert_int_lt(vrms_vm_memory_read("a/b", &read, &error), 0);
	(void)unlink(path);
	(void)rmdir(folder);
}
END_TEST

UNIT_MAIN("vm_validate", good_parameters_are_success_without_asking_libvirt,
	  config_must_be_there_and_be_a_domain, hypervisor_must_be_a_uri,
	  folders_and_files_must_be_there, programs_must_be_installed, copying_in_needs_its_program,
	  unknown_actions_are_unimplemented, memory_makes_its_folder_and_reads_only_its_own)
