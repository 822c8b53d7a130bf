/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backup/vm_xml.h"
#include "common/cleanup.h"
#include "tests/unit/unit.h"

static const char domain[] =
    "<domain type='kvm'><name>web &amp; mail</name><uuid>11111111-2222</uuid>"
    "<os><nvram>/var/nvram</nvram></os><devices>"
    "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
    "<source file='/srv/a.qcow2'/><target dev='vda'/></disk>"
    "<disk type='file' device='cdrom'><source file='/iso'/><target dev='sda'/></disk>"
    "<disk type='block'><driver type='raw'/><source dev='/dev/x'/><target dev='vdb'/></disk>"
    "<disk type='file'><source file='/ro'/><target dev='vdc'/><readonly/></disk>"
    "<disk type='network' device='disk'><source protocol='rbd' name='p/i'/>"
    "<target dev='vdd'/></disk>"
    "<interface type='bridge'><mac address='52:54:00:00:00:01'/></interface>"
    "<tpm model='tpm-crb'/></devices></domain>";

START_TEST(only_disks_that_can_be_written_are_taken)
{
	struct vrms_vm_xml vm VRMS_CLEANUP(vrms_vm_xml_done) = {0};
	struct vrms_error error = {0};

	ck_assert_msg(vrms_vm_xml_parse(domain, &vm, &error) == 0, "%s", error.text);
	ck_assert_str_eq(vm.name, "web & mail");
	ck_assert_str_eq(vm.uuid, "11111111-2222");
	ck_assert_str_eq(vm.nvram, "/var/nvram");
	ck_assert(vm.has_tpm);
	ck_assert_uint_eq(vm.disk_count, 3);
	ck_assert_str_eq(vm.disks[0].target, "vda");
	ck_assert_str_eq(vm.disks[0].path, "/srv/a.qcow2");
	ck_assert_str_eq(vm.disks[0].format, "qcow2");
	ck_assert_str_eq(vm.disks[1].path, "/dev/x");
	ck_assert_str_eq(vm.disks[2].target, "vdd");
	ck_assert_str_eq(vm.disks[2].path, "");
}
END_TEST

START_TEST(disks_on_the_network_have_a_uri_where_one_does)
{
	static const struct {
		const char *source, *path;
	} rows[] = {
	    {"protocol='iscsi' name='iqn.2026-01.x:disks/3'><host name='10.0.0.9' port='3261'/>",
	     "iscsi://10.0.0.9:3261/iqn.2026-01.x:disks/3"},
	    {"protocol='iscsi' name='iqn.2026-01.x:disk'><host name='san'/>",
	     "iscsi://san:3260/iqn.2026-01.x:disk/0"},
	    {"protocol='nbd' name='disk'><host name='fd00::9'/>", "nbd://[fd00::9]:10809/disk"},
	    {"protocol='nbd' name='disk'><host transport='unix' socket='/run/n'/>",
	     "nbd+unix:///disk?socket=/run/n"},
	    {"protocol='nbd' name='d' tls='yes'><host name='h'/>", ""},
	    {"protocol='iscsi' name='i/1'><host name='h'/><auth username='u'/>", ""},
	    {"protocol='rbd' name='p/i'><host name='h'/>", ""},
	};

	for (size_t i = 0; i < VRMS_COUNT_OF(rows); i++) {
		struct vrms_vm_xml vm VRMS_CLEANUP(vrms_vm_xml_done) = {0};
		struct vrms_error error = {0};
		char text[400];

		snprintf(text, sizeof(text),
			 "<domain><name>n</name><devices><disk type='network'><source %s</source>"
			 "<target dev='vda'/></disk></devices></domain>",
			 rows[i].source);
		ck_assert_msg(vrms_vm_xml_parse(text, &vm, &error) == 0, "%s", error.text);
		ck_assert_str_eq(vm.disks[0].path, rows[i].path);
	}
}
END_TEST

START_TEST(an_encrypted_image_is_restored_in_plain)
{
	static const char text[] =
	    "<domain><name>n</name><devices>"
	    "<disk><driver type='qcow2'/><source file='/a'><encryption format='luks'/></source>"
	    "<target dev='vda'/></disk>"
	    "<disk><driver type='qcow2'/><source file='/b'/><encryption format='luks'/>"
	    "<target dev='vdb'/></disk></devices></domain>";
	const struct vrms_vm_xml_move moves[] = {{"vda", "/a", "qcow2"}, {"vdb", "/b", "qcow2"}};
	struct vrms_vm_xml_change change = {.disks = moves, .disk_count = 2};
	struct vrms_vm_xml vm VRMS_CLEANUP(vrms_vm_xml_done) = {0};
	char *edited VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_error error = {0};

	ck_assert_int_eq(vrms_vm_xml_parse(text, &vm, &error), 0);
	ck_assert(vm.disks[0].is_encrypted && vm.disks[1].is_encrypted);
	ck_assert_int_eq(vrms_vm_xml_edit(text, &change, &edited, &error), 0);
	ck_assert_ptr_null(strstr(edited, "encryption"));
}
END_TEST

START_TEST(what_is_no_domain_is_refused)
{
	static const char *const texts[] = {"", "<domain>", "<network><name>x</name></network>",
					    "<domain/>"};
	struct vrms_vm_xml vm;
	struct vrms_error error;

	for (size_t i = 0; i < VRMS_COUNT_OF(texts); i++) {
		ck_assert_int_eq(vrms_vm_xml_parse(texts[i], &vm, &error), -EINVAL);
	}
}
END_TEST

START_TEST(each_disk_of_a_job_has_its_own_base)
{
	const struct vrms_vm_xml_disk disks[] = {
	    {.target = "vda",
	     .is_taken = true,
	     .has_bitmap = true,
	     .base = "c1",
	     .scratch = "/s&1"},
	    {.target = "vdb", .is_taken = true, .scratch = "/s2"},
	    {.target = "vdc"},
	};
	char *backup VRMS_CLEANUP(vrms_freep) = vrms_vm_xml_backup(disks, 3, "/run/x/nbd");
	char *checkpoint VRMS_CLEANUP(vrms_freep) = vrms_vm_xml_checkpoint("c2", 0, disks, 3);
	char *again VRMS_CLEANUP(vrms_freep) = vrms_vm_xml_checkpoint("c1", 7, disks, 3);

	ck_assert_ptr_nonnull(strstr(backup, "<domainbackup mode=\"pull\">"));
	ck_assert_ptr_nonnull(strstr(backup, "socket=\"/run/x/nbd\""));
	ck_assert_ptr_nonnull(
	    strstr(backup, "exportname=\"vda\" backupmode=\"incremental\" incremental=\"c1\" "
			   "exportbitmap=\"vrms-changed\""));
	ck_assert_ptr_nonnull(strstr(backup, "<scratch file=\"/s&amp;1\"/>"));
	ck_assert_ptr_nonnull(strstr(backup, "exportname=\"vdb\" backupmode=\"full\">"));
	ck_assert_ptr_nonnull(strstr(backup, "<disk name=\"vdc\" backup=\"no\"/>"));
	ck_assert_ptr_nonnull(
	    strstr(checkpoint, "name=\"vda\" checkpoint=\"bitmap\" bitmap=\"c2\""));
	ck_assert_ptr_nonnull(strstr(checkpoint, "name=\"vdb\" checkpoint=\"no\""));
	ck_assert_ptr_null(strstr(checkpoint, "creationTime"));
	ck_assert_ptr_nonnull(strstr(again, "<creationTime>7</creationTime>"));
}
END_TEST

START_TEST(a_renamed_domain_is_another_machine)
{
	const struct vrms_vm_xml_move moved = {"vda", "/new/a.raw", "raw"};
	struct vrms_vm_xml_change change = {"copy <1>", &moved, 1};
	struct vrms_vm_xml vm VRMS_CLEANUP(vrms_vm_xml_done) = {0};
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_error error = {0};

	ck_assert_int_eq(vrms_vm_xml_edit(domain, &change, &text, &error), 0);
	ck_assert_ptr_null(strstr(text, "52:54"));
	ck_assert_int_eq(vrms_vm_xml_parse(text, &vm, &error), 0);
	ck_assert_str_eq(vm.name, "copy <1>");
	ck_assert_str_eq(vm.uuid, "");
	ck_assert_str_eq(vm.nvram, "");
	ck_assert_str_eq(vm.disks[0].path, "/new/a.raw");
	ck_assert_str_eq(vm.disks[0].format, "raw");
	/* Nor does it write to the first one's disks; both may read the same CD. */
	ck_assert_uint_eq(vm.disk_count, 1);
	ck_assert_ptr_nonnull(strstr(text, "/iso"));
}
END_TEST

START_TEST(a_restored_domain_stays_itself)
{
	struct vrms_vm_xml_change change = {0};
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_error error = {0};

	ck_assert_int_eq(vrms_vm_xml_edit(domain, &change, &text, &error), 0);
	ck_assert_ptr_nonnull(strstr(text, "52:54:00:00:00:01"));
	ck_assert_ptr_nonnull(strstr(text, "11111111-2222"));
	ck_assert_ptr_nonnull(strstr(text, "web &amp; mail"));
}
END_TEST

START_TEST(a_trial_shares_nothing_with_the_vm_or_its_host)
{
	static const char busy[] =
	    "<domain type='kvm'><name>web</name><uuid>11111111-2222</uuid><devices>"
	    "<disk type='file'><source file='/srv/a.qcow2'/><target dev='vda'/></disk>"
	    "<disk type='block'><source dev='/dev/left-out'/><target dev='vdb'/></disk>"
	    "<interface type='bridge'><source bridge='br0'/></interface>"
	    "<hostdev mode='subsystem' type='pci'/><filesystem type='mount'/>"
	    "<graphics type='vnc' port='5900'/><serial type='pty'/><console type='pty'/>"
	    "<channel type='spicevmc'/>"
	    "<channel type='unix'><source mode='bind' path='/run/the-vms-own'/>"
	    "<target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
	    "<rng model='virtio'/></devices></domain>";
	static const char *const gone[] = {"11111111", "left-out",    "interface", "hostdev",
					   "graphics", "filesystem",  "spicevmc",  "the-vms-own",
					   "pty",      "/srv/a.qcow2"};
	struct vrms_vm_xml_move moves[] = {{"vda", "/tmp/trial.qcow2", "qcow2"}};
	struct vrms_vm_xml_change change = {
	    .name = "web-trial-1",
	    .disks = moves,
	    .disk_count = 1,
	    .trial_console = "/tmp/said",
	};
	struct vrms_vm_xml vm VRMS_CLEANUP(vrms_vm_xml_done) = {0};
	char *text VRMS_CLEANUP(vrms_freep) = NULL;

	ck_assert_int_eq(vrms_vm_xml_edit(busy, &change, &text, NULL), 0);
	for (size_t i = 0; i < VRMS_COUNT_OF(gone); i++) {
		ck_assert_msg(strstr(text, gone[i]) == NULL, "still there: %s", gone[i]);
	}
	ck_assert_ptr_nonnull(strstr(text, "/tmp/said"));
	ck_assert_ptr_nonnull(strstr(text, "<rng"));
	ck_assert_int_eq(vrms_vm_xml_parse(text, &vm, NULL), 0);
	ck_assert(vm.has_agent);
	ck_assert_uint_eq(vm.disk_count, 1);
	ck_assert_str_eq(vm.disks[0].path, "/tmp/trial.qcow2");
}
END_TEST

UNIT_MAIN("backup_vm_xml", a_trial_shares_nothing_with_the_vm_or_its_host,
	  only_disks_that_can_be_written_are_taken, disks_on_the_network_have_a_uri_where_one_does,
	  an_encrypted_image_is_restored_in_plain, what_is_no_domain_is_refused,
	  each_disk_of_a_job_has_its_own_base, a_renamed_domain_is_another_machine,
	  a_restored_domain_stays_itself)
