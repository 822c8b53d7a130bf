/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/libvirt_error.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <string.h>

static const struct {
	int code;
	int rc;
} by_code[] = {
    {VIR_ERR_NO_DOMAIN, -ESRCH},
    {VIR_ERR_RESOURCE_BUSY, -EBUSY},
    {VIR_ERR_DOM_EXIST, -EEXIST},
    {VIR_ERR_XML_ERROR, -EINVAL},
    {VIR_ERR_XML_DETAIL, -EINVAL},
    {VIR_ERR_XML_INVALID_SCHEMA, -EINVAL},
    {VIR_ERR_INVALID_ARG, -EINVAL},
    {VIR_ERR_NO_CONNECT, -ENOSYS}, /* no driver for this URI */
    {VIR_ERR_CONFIG_UNSUPPORTED, -ENOSYS},
    {VIR_ERR_ARGUMENT_UNSUPPORTED, -ENOSYS},
    {VIR_ERR_NO_SUPPORT, -ENOSYS},
    {VIR_ERR_UNKNOWN_HOST, -EHOSTUNREACH},
    {VIR_ERR_INVALID_CONN, -ENOTCONN},
    {VIR_ERR_AUTH_FAILED, -EACCES},
    {VIR_ERR_AUTH_CANCELLED, -EACCES},
    {VIR_ERR_AUTH_UNAVAILABLE, -EACCES},
    {VIR_ERR_ACCESS_DENIED, -EACCES},
    {VIR_ERR_OPERATION_DENIED, -EACCES},
};

/* What has no code of its own.  QEMU's texts are never translated. */
static const struct {
	const char *part;
	int rc;
	const char *reason; /* NULL: the message says it */
} by_text[] = {
    {"Failed to get \"write\" lock", -EBUSY, "a disk is in use by another machine or node"},
    {"Failed to get \"consistent read\" lock", -EBUSY,
     "a disk is in use by another machine or node"},
    {"Is another process using the image", -EBUSY, "a disk is in use by another machine or node"},
    {"does not include a driver name", -EINVAL, NULL},
    {" URI path '", -EINVAL, NULL},
    {"already exists with uuid", -EEXIST, NULL},
    {"already defined with uuid", -EEXIST, NULL},
    {"already active as", -EEXIST, NULL},
};

static int store(const struct vrms_libvirt_failure *failure, int rc, const char *reason,
		 struct vrms_error *error)
{
	const char *message =
	    failure->message == NULL ? "libvirt gives no reason" : failure->message;

	if (error == NULL) {
		return rc;
	}
	if (reason == NULL) {
		(void)vrms_error_set(error, rc, "%s", message);
	} else {
		(void)vrms_error_set(error, rc, "%s: %s", reason, message);
	}
	for (char *c = error->text; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ') {
			*c = ' ';
		}
	}
	size_t size = strlen(error->text);
	while (size > 0 && error->text[size - 1] == ' ') {
		error->text[--size] = '\0';
	}
	return rc;
}

static int from_system_errno(int number)
{
	switch (number) {
	case ENOENT:
		return -ENOENT;
	case EACCES:
	case EPERM:
		return -EACCES;
	default:
		return -EIO;
	}
}

int vrms_libvirt_error_from(const struct vrms_libvirt_failure *failure, struct vrms_error *error)
{
	if (failure->domain == VIR_FROM_RPC && failure->code != VIR_ERR_UNKNOWN_HOST) {
		return store(failure, -ENOTCONN, NULL, error);
	}
	for (size_t i = 0; failure->message != NULL && i < VRMS_COUNT_OF(by_text); i++) {
		if (strstr(failure->message, by_text[i].part) != NULL) {
			return store(failure, by_text[i].rc, by_text[i].reason, error);
		}
	}
	for (size_t i = 0; i < VRMS_COUNT_OF(by_code); i++) {
		if (by_code[i].code == failure->code) {
			return store(failure, by_code[i].rc, NULL, error);
		}
	}
	if (failure->code == VIR_ERR_SYSTEM_ERROR) {
		return store(failure, from_system_errno(failure->system_errno), NULL, error);
	}
	return store(failure, -EIO, NULL, error);
}
