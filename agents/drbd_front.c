/* drbd_front.c - main() of the installed ocf:vrms:Drbd: answers the frequent monitor of a healthy
 * resource itself and turns into the full agent (exec, no fork) for everything else.
 *
 * It links libc only: loading what the full agent links costs more than all it does here, which is
 * one question to drbdsetup.  Bad news, and scores that are new, are always the full agent's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agents/drbd_judge.h"
#include "agents/drbd_state.h"
#include "agents/drbd_told.h"
#include "agents/drbd_version.h"
#include "agents/libexec.h"
#include "common/child.h"
#include "common/file.h"
#include "ocf/exit.h"

static const char FULL_AGENT[] = "drbd-agent";

enum { QUICK_MS = 2000, PROC_BYTES_MAX = 4 << 20 };

/* The value of a variable; NULL when it is not set or empty. */
static const char *value_of(const char *name)
{
	const char *text = getenv(name);

	return text != NULL && text[0] != '\0' ? text : NULL;
}

/* A repeated monitor: a probe asks something else. */
static bool is_plain_monitor(int argc, char **argv)
{
	const char *interval = value_of("OCF_RESKEY_CRM_meta_interval");
	const char *name = value_of("OCF_RESKEY_drbd_resource");

	return argc == 2 && strcmp(argv[1], "monitor") == 0 && name != NULL && name[0] != '-' &&
	       strlen(name) < VRMS_DRBD_NAME_BYTES && interval != NULL &&
	       strcmp(interval, "0") != 0 && value_of("OCF_RESOURCE_INSTANCE") != NULL;
}

static bool is_known_module(void)
{
	const char *path = value_of("VRMS_PROC_DRBD"); /* for tests */
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_drbd_version module;

	return vrms_file_read(path != NULL ? path : "/proc/drbd", PROC_BYTES_MAX, &text, NULL,
			      NULL) == 0 &&
	       vrms_drbd_module_version_parse(text, &module, NULL) == 0 &&
	       vrms_drbd_module_check(&module, NULL) == 0;
}

/* The exit code of a resource that is well and whose score is known; -1: who knows. */
static int quick_monitor(void)
{
	const char *name = getenv("OCF_RESKEY_drbd_resource");
	const char *const argv[] = {"drbdsetup", "events2", "--now", name, NULL};
	const struct vrms_child_spec spec = {.argv = argv, .timeout_ms = QUICK_MS};
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	struct vrms_drbd_resource state;
	struct vrms_drbd_judgement judgement;

	vrms_drbd_resource_init(&state, name);
	if (!is_known_module() || vrms_child_run(&spec, &result, NULL) < 0 ||
	    result.exit_code != 0 || vrms_drbd_events2_parse(result.output, &state, NULL) < 0) {
		return -1;
	}
	vrms_drbd_judge(&state, false, &judgement);
	bool is_well =
	    judgement.code == VRMS_OCF_SUCCESS || judgement.code == VRMS_OCF_RUNNING_PROMOTED;
	return is_well && vrms_drbd_was_told(getenv("OCF_RESOURCE_INSTANCE"), (int)judgement.score)
		   ? (int)judgement.code
		   : -1;
}

int main(int argc, char **argv)
{
	if (is_plain_monitor(argc, argv)) {
		int code = quick_monitor();

		if (code >= 0) {
			return code;
		}
	}
	return vrms_libexec_become(FULL_AGENT, argv);
}
