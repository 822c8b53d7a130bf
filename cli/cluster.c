/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "cli/command.h"
#include "common/child.h"
#include "placement/import.h"

enum { CIB_TIMEOUT_MS = 20000 };

/* The live cluster's CIB, as Pacemaker's own tool gives it. */
static int load_live(struct vrms_model **ret_model, struct vrms_error *error)
{
	const struct vrms_child_spec spec = {
	    .argv = (const char *const[]){"cibadmin", "--query", NULL},
	    .timeout_ms = CIB_TIMEOUT_MS,
	};
	struct vrms_child_result result = {0};
	int rc = vrms_child_run(&spec, &result, error);

	if (rc == 0 && result.exit_code != 0) {
		rc = vrms_error_set(error, -EIO,
				    "no state of a live cluster (cibadmin --query: exit %d); give "
				    "one with --state FILE",
				    result.exit_code);
	}
	if (rc == 0) {
		rc = vrms_import_text(result.output, "live CIB", ret_model, error);
	}
	vrms_child_result_done(&result);
	return rc;
}

int vrms_cluster_load(const char *path, struct vrms_model **ret_model, struct vrms_error *error)
{
	return path == NULL ? load_live(ret_model, error)
			    : vrms_import_file(path, ret_model, error);
}
