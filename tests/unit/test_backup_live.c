/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <unistd.h>

#include "backup/live.h"
#include "backup/live_guard.h"
#include "tests/unit/unit.h"

static const char DRIVER[] = "test:///default"; /* libvirt's own; has one domain, "test" */

/* In the place of libvirt's: fails for another reason than that there is no such domain. */
static bool is_broken = false;

virDomainPtr virDomainLookupByName(virConnectPtr connection, const char *name)
{
	virDomainPtr (*lookup)(virConnectPtr, const char *);

	*(void **)&lookup = dlsym(RTLD_NEXT, "virDomainLookupByName");
	return lookup(is_broken ? NULL : connection, name);
}

static int open_vm(const char *vm, struct vrms_error *error)
{
	struct vrms_live *live VRMS_CLEANUP(vrms_live_closep) = NULL;

	return vrms_live_open(DRIVER, vm, &live, error);
}

START_TEST(vm_is_found_by_name_and_uuid)
{
	struct vrms_error error = {.text = ""};

	ck_assert_int_eq(open_vm("test", &error), 0);
	ck_assert_int_eq(open_vm("6695eb01-f6a4-8304-79aa-97f2502e193f", &error), 0);
}
END_TEST

START_TEST(vm_that_libvirt_does_not_know_is_no_vm)
{
	struct vrms_error error = {.text = ""};

	ck_assert_int_eq(open_vm("web1", &error), -ENOENT);
	ck_assert_int_eq(open_vm("6695eb01-f6a4-8304-79aa-97f2502e1930", &error), -ENOENT);
	ck_assert_ptr_nonnull(strstr(error.text, "knows no VM"));
}
END_TEST

/* Else a guard would leave it frozen, and a restore write on the disks of one that runs. */
START_TEST(lookup_that_fails_is_no_answer)
{
	struct vrms_error error = {.text = ""};

	is_broken = true;
	ck_assert_int_eq(open_vm("test", &error), -ENOTCONN);
	ck_assert_ptr_nonnull(strstr(error.text, "libvirt: "));
	is_broken = false;
}
END_TEST

static void make_file(const char *path)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fclose(file);
}

/* Else the watch over the space of a backup that runs would be blind, and its guest stand still. */
START_TEST(old_scratch_files_go_and_those_in_use_stay)
{
	char folder[] = "/tmp/vrms-scratch.XXXXXX", old[80], held[80], other[80], own[80];
	struct flock lock = {.l_type = F_RDLCK, .l_start = 100, .l_len = 1}; /* as QEMU's */
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(old, sizeof(old), "%s/.vrms-1111.vm.vda.scratch", folder);
	snprintf(held, sizeof(held), "%s/.vrms-2222.vm.vda.scratch", folder);
	snprintf(other, sizeof(other), "%s/.vrms-3333.other.vda.scratch", folder);
	snprintf(own, sizeof(own), "%s/.vrms-4444.vm.vda.scratch", folder);
	make_file(old);
	make_file(held);
	make_file(other);
	fd = open(held, O_RDWR);
	ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &lock), 0);
	vrms_live_guard_clear_old(own);
	ck_assert_int_eq(access(old, F_OK), -1);
	ck_assert_int_eq(access(held, F_OK), 0);
	ck_assert_int_eq(access(other, F_OK), 0);
	close(fd);
	vrms_live_guard_clear_old(own);
	ck_assert_int_eq(access(held, F_OK), -1);
	ck_assert_int_eq(unlink(other), 0);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

UNIT_MAIN("backup_live", vm_is_found_by_name_and_uuid, vm_that_libvirt_does_not_know_is_no_vm,
	  lookup_that_fails_is_no_answer, old_scratch_files_go_and_those_in_use_stay)
