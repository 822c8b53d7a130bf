/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ocf/exit.h"

#include <errno.h>
#include <stddef.h>

#include "common/cleanup.h"

enum vrms_ocf_exit vrms_ocf_exit_from_errno(int rc)
{
	static const struct {
		int rc;
		enum vrms_ocf_exit code;
	} rows[] = {
	    {0, VRMS_OCF_SUCCESS},
	    {-EINVAL, VRMS_OCF_ERR_CONFIGURED},
	    {-ERANGE, VRMS_OCF_ERR_CONFIGURED},
	    {-EACCES, VRMS_OCF_ERR_PERM},
	    {-EPERM, VRMS_OCF_ERR_PERM},
	    {-ENOENT, VRMS_OCF_ERR_INSTALLED},
	    {-ENOSYS, VRMS_OCF_ERR_INSTALLED},
	    {-EOPNOTSUPP, VRMS_OCF_ERR_UNIMPLEMENTED},
	};

	for (size_t i = 0; i < VRMS_COUNT_OF(rows); i++) {
		if (rows[i].rc == rc) {
			return rows[i].code;
		}
	}
	return VRMS_OCF_ERR_GENERIC;
}

const char *vrms_ocf_exit_name(int code)
{
	static const struct {
		enum vrms_ocf_exit code;
		const char *name;
	} rows[] = {
	    {VRMS_OCF_SUCCESS, "OCF_SUCCESS"},
	    {VRMS_OCF_ERR_GENERIC, "OCF_ERR_GENERIC"},
	    {VRMS_OCF_ERR_ARGS, "OCF_ERR_ARGS"},
	    {VRMS_OCF_ERR_UNIMPLEMENTED, "OCF_ERR_UNIMPLEMENTED"},
	    {VRMS_OCF_ERR_PERM, "OCF_ERR_PERM"},
	    {VRMS_OCF_ERR_INSTALLED, "OCF_ERR_INSTALLED"},
	    {VRMS_OCF_ERR_CONFIGURED, "OCF_ERR_CONFIGURED"},
	    {VRMS_OCF_NOT_RUNNING, "OCF_NOT_RUNNING"},
	    {VRMS_OCF_RUNNING_PROMOTED, "OCF_RUNNING_PROMOTED"},
	    {VRMS_OCF_FAILED_PROMOTED, "OCF_FAILED_PROMOTED"},
	    {VRMS_OCF_DEGRADED, "OCF_DEGRADED"},
	    {VRMS_OCF_DEGRADED_PROMOTED, "OCF_DEGRADED_PROMOTED"},
	};

	for (size_t i = 0; i < VRMS_COUNT_OF(rows); i++) {
		if ((int)rows[i].code == code) {
			return rows[i].name;
		}
	}
	return "unknown";
}
