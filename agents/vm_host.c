/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/vm_host.h"

#include <errno.h>

#include "common/clock.h"

static int find_process(void *context, const struct vrms_domain_id *id, pid_t *ret_pid,
			enum vrms_qemu_process_state *ret_state, struct vrms_error *error)
{
	const struct vrms_qemu_roots *roots = vrms_qemu_roots_system();
	struct vrms_qemu_process process VRMS_CLEANUP(vrms_qemu_process_done) =
	    VRMS_QEMU_PROCESS_NONE;
	int rc = vrms_qemu_process_find(roots, id->name, id->uuid, &process, error);

	(void)context;
	if (rc == 0) {
		rc = vrms_qemu_process_state(roots, &process, ret_state, error);
	}
	if (rc == 0) {
		*ret_pid = process.pid;
	}
	return rc;
}

/* More than one would be a bug of somebody's; none may stay all the same. */
static int end_process(void *context, const struct vrms_domain_id *id, int64_t grace_ms,
		       int64_t deadline_ms, struct vrms_error *error)
{
	const struct vrms_clock *clock = vrms_clock_system();

	(void)context;
	for (;;) {
		struct vrms_qemu_process process VRMS_CLEANUP(vrms_qemu_process_done) =
		    VRMS_QEMU_PROCESS_NONE;
		int rc = vrms_qemu_process_find(vrms_qemu_roots_system(), id->name, id->uuid,
						&process, error);

		if (rc == -ESRCH) {
			return 0;
		}
		if (rc == 0) {
			rc = vrms_qemu_process_end(&process, clock, grace_ms, deadline_ms, error);
		}
		if (rc < 0) {
			return rc;
		}
	}
}

static int run_program(void *context, const struct vrms_child_spec *spec,
		       struct vrms_child_result *result, struct vrms_error *error)
{
	(void)context;
	return vrms_child_run(spec, result, error);
}

const struct vrms_vm_host *vrms_vm_host_system(void)
{
	static const struct vrms_vm_host host = {
	    .find_process = find_process,
	    .end_process = end_process,
	    .run_program = run_program,
	};

	return &host;
}
