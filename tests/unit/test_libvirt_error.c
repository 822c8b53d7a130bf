/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/libvirt_error.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct vrms_error error;

static int from(int code, int domain, int system_errno, const char *message)
{
	const struct vrms_libvirt_failure failure = {code, domain, system_errno, message};

	vrms_error_clear(&error);
	return vrms_libvirt_error_from(&failure, &error);
}

START_TEST(codes_become_the_ports_errors)
{
	ck_assert_int_eq(from(VIR_ERR_NO_DOMAIN, VIR_FROM_QEMU, 0, "x"), -ESRCH);
	ck_assert_int_eq(from(VIR_ERR_RESOURCE_BUSY, VIR_FROM_LOCKING, 0, "x"), -EBUSY);
	ck_assert_int_eq(from(VIR_ERR_XML_ERROR, VIR_FROM_XML, 0, "x"), -EINVAL);
	ck_assert_int_eq(from(VIR_ERR_NO_CONNECT, VIR_FROM_NONE, 0, "x"), -ENOSYS);
	ck_assert_int_eq(from(VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_QEMU, 0, "x"), -ENOSYS);
	ck_assert_int_eq(from(VIR_ERR_AUTH_FAILED, VIR_FROM_QEMU, 0, "x"), -EACCES);
	ck_assert_int_eq(from(VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU, 0, "x"), -EIO);
}
END_TEST

START_TEST(lost_connections_are_told_by_where_they_come_from)
{
	ck_assert_int_eq(from(VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC, ENOENT, "no socket"), -ENOTCONN);
	ck_assert_int_eq(from(VIR_ERR_INTERNAL_ERROR, VIR_FROM_RPC, 0, "closed"), -ENOTCONN);
	ck_assert_int_eq(from(VIR_ERR_INVALID_CONN, VIR_FROM_NONE, 0, "x"), -ENOTCONN);
}
END_TEST

START_TEST(system_errors_keep_their_meaning)
{
	ck_assert_int_eq(from(VIR_ERR_SYSTEM_ERROR, VIR_FROM_STORAGE, ENOENT, "no disk"), -ENOENT);
	ck_assert_int_eq(from(VIR_ERR_SYSTEM_ERROR, VIR_FROM_STORAGE, EACCES, "no"), -EACCES);
	ck_assert_int_eq(from(VIR_ERR_SYSTEM_ERROR, VIR_FROM_STORAGE, EPERM, "no"), -EACCES);
	ck_assert_int_eq(from(VIR_ERR_SYSTEM_ERROR, VIR_FROM_STORAGE, EIO, "no"), -EIO);
}
END_TEST

START_TEST(image_locks_are_a_disk_in_use)
{
	ck_assert_int_eq(from(VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU, 0,
			      "process exited: Failed to get \"write\" lock\nIs another process "
			      "using the image [/x]?\n"),
			 -EBUSY);
	ck_assert_ptr_nonnull(strstr(error.text, "a disk is in use by another machine or node: "));
	ck_assert_ptr_null(strchr(error.text, '\n'));
	ck_assert_int_eq(error.text[strlen(error.text) - 1], '?');
}
END_TEST

START_TEST(taken_names_are_told)
{
	ck_assert_int_eq(from(VIR_ERR_OPERATION_FAILED, VIR_FROM_DOMAIN, 0,
			      "domain 'web' already exists with uuid 1"),
			 -EEXIST);
}
END_TEST

START_TEST(missing_messages_do_not_matter)
{
	ck_assert_int_eq(from(VIR_ERR_NO_DOMAIN, VIR_FROM_QEMU, 0, NULL), -ESRCH);
	ck_assert_str_ne(error.text, "");

	const struct vrms_libvirt_failure failure = {.code = VIR_ERR_NO_DOMAIN};
	ck_assert_int_eq(vrms_libvirt_error_from(&failure, NULL), -ESRCH);
}
END_TEST

UNIT_MAIN("libvirt_error", codes_become_the_ports_errors,
	  lost_connections_are_told_by_where_they_come_from, system_errors_keep_their_meaning,
	  image_locks_are_a_disk_in_use, taken_names_are_told, missing_messages_do_not_matter)
