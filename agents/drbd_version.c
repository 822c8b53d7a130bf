/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/drbd_version.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int parse(const char *text, const char *key, const char *what,
		 struct vrms_drbd_version *ret_version, struct vrms_error *error)
{
	struct vrms_drbd_version version = {0};
	const char *at = strstr(text, key);

	if (at == NULL || sscanf(at + strlen(key), "%d.%d.%d", &version.major, &version.minor,
				 &version.patch) < 2) {
		return vrms_error_set(error, -EPROTO, "%s tells no version", what);
	}
	*ret_version = version;
	return 0;
}

int vrms_drbd_module_version_parse(const char *text, struct vrms_drbd_version *ret_version,
				   struct vrms_error *error)
{
	return parse(text, "version: ", "/proc/drbd", ret_version, error);
}

int vrms_drbd_tools_version_parse(const char *text, struct vrms_drbd_version *ret_version,
				  struct vrms_error *error)
{
	return parse(text, "DRBDADM_VERSION=", "drbdadm --version", ret_version, error);
}

int vrms_drbd_module_check(const struct vrms_drbd_version *module, struct vrms_error *error)
{
	if (module->major == 9 || (module->major == 8 && module->minor == 4)) {
		return 0;
	}
	return vrms_error_set(error, -ENOSYS,
			      "the kernel's drbd module is version %d.%d.%d; 8.4 or 9 is needed",
			      module->major, module->minor, module->patch);
}

int vrms_drbd_versions_check(const struct vrms_drbd_version *module,
			     const struct vrms_drbd_version *tools, struct vrms_error *error)
{
	int rc = vrms_drbd_module_check(module, error);

	if (rc < 0 || tools->major >= 9 ||
	    (tools->major == module->major && tools->minor == module->minor)) {
		return rc;
	}
	return vrms_error_set(error, -ENOSYS,
			      "drbd-utils %d.%d.%d cannot drive the kernel's drbd module %d.%d.%d",
			      tools->major, tools->minor, tools->patch, module->major,
			      module->minor, module->patch);
}
