/* libvirt_error.h - libvirt's errors as the hypervisor port's.
 *
 * Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_LIBVIRT_ERROR_H
#define VRMS_AGENTS_LIBVIRT_ERROR_H

#include "common/error.h"

/* What libvirt says about a failure: the fields of virError that matter here. */
struct vrms_libvirt_failure {
	int code;            /* virErrorNumber */
	int domain;          /* virErrorDomain */
	int system_errno;    /* errno of the system call behind it; 0: none */
	const char *message; /* NULL: none */
};

/* Returns the errno of agents/hypervisor.h and stores the message, on one line, with the reason
 * put before it where libvirt's own does not say it to an admin. */
int vrms_libvirt_error_from(const struct vrms_libvirt_failure *failure, struct vrms_error *error);

#endif
