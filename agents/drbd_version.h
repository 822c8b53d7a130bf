/* drbd_version.h - which DRBD runs here, and whether its module and its tools belong together.
 *
 * Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_DRBD_VERSION_H
#define VRMS_AGENTS_DRBD_VERSION_H

#include "common/error.h"

struct vrms_drbd_version {
	int major, minor, patch; /* 8.4.11 */
};

/* Reads the module's version from the text of /proc/drbd; -EPROTO when it tells none. */
VRMS_MUST_CHECK int vrms_drbd_module_version_parse(const char *text,
						   struct vrms_drbd_version *ret_version,
						   struct vrms_error *error);

/* Reads the tools' version from "drbdadm --version" (DRBDADM_VERSION=9.22.0); -EPROTO. */
VRMS_MUST_CHECK int vrms_drbd_tools_version_parse(const char *text,
						  struct vrms_drbd_version *ret_version,
						  struct vrms_error *error);

/* Whether the module is one that this agent knows: 8.4 or 9.  -ENOSYS. */
VRMS_MUST_CHECK int vrms_drbd_module_check(const struct vrms_drbd_version *module,
					   struct vrms_error *error);

/* Whether the tools can drive the module: those of 9 drive 8.4 and 9, older ones their own.
 * -ENOSYS names both.  Source: drbd-utils' README.md ("compatibility").
 */
VRMS_MUST_CHECK int vrms_drbd_versions_check(const struct vrms_drbd_version *module,
					     const struct vrms_drbd_version *tools,
					     struct vrms_error *error);

#endif
