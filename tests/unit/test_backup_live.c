/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dlfcn.h>
#include <errno.h>
#include <libvirt/libvirt.h>
#include <string.h>

#include "backup/live.h"
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

UNIT_MAIN("backup_live", vm_is_found_by_name_and_uuid, vm_that_libvirt_does_not_know_is_no_vm,
	  lookup_that_fails_is_no_answer)
