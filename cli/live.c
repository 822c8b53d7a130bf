/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/live.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/child.h"
#include "common/file.h"
#include "placement/cib_steer.h"

enum {
	ASK_MS = 30000,
	CIB_BYTES_MAX = 1 << 30,
	DIFFERS = 1,    /* crm_diff: there is a difference */
	OLD_DATA = 103, /* CRM_EX_OLD: the CIB is not what the patch was made for */
};

/* Runs a program of Pacemaker; `result` is valid in every case. */
static int ask(const char *const *argv, const char *input, struct vrms_child_result *result,
	       struct vrms_error *error)
{
	const struct vrms_child_spec spec = {
	    .argv = argv,
	    .input = input,
	    .timeout_ms = ASK_MS,
	    .output_max = CIB_BYTES_MAX,
	};

	return vrms_child_run(&spec, result, error);
}

/* What the program said last, without its line feed. */
static const char *last_words(struct vrms_child_result *result)
{
	char *text = result->errors, *line;
	size_t length = text == NULL ? 0 : strlen(text);

	while (length > 0 && text[length - 1] == '\n') {
		text[--length] = '\0';
	}
	line = text == NULL ? NULL : strrchr(text, '\n');
	return line != NULL ? line + 1 : text != NULL ? text : "";
}

int vrms_live_query(char **ret_text, struct vrms_error *error)
{
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	int rc = ask((const char *const[]){"cibadmin", "--query", NULL}, NULL, &result, error);

	if (rc == 0 && result.exit_code != 0) {
		rc = vrms_error_set(error, -EIO,
				    "no live cluster here (cibadmin --query: %s); a state can be "
				    "given with --state FILE",
				    last_words(&result));
	}
	if (rc == 0) {
		*ret_text = VRMS_TAKE(result.output);
	}
	return rc;
}

/* A file in memory that a child can open by the name put into path: a CIB holds secrets, and
 * nothing is left over when we are killed.
 */
static int share(const char *text, int *ret_fd, char path[32], struct vrms_error *error)
{
	int fd = memfd_create("cib", 0);

	for (size_t left = strlen(text); fd >= 0 && left > 0;) {
		ssize_t put = write(fd, text, left);

		if (put < 0) {
			int rc = -errno;

			close(fd);
			return vrms_error_errno(error, rc, "copy of the CIB");
		}
		text += put;
		left -= (size_t)put;
	}
	if (fd < 0) {
		return vrms_error_errno(error, -errno, "copy of the CIB");
	}
	*ret_fd = fd;
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return 0;
}

int vrms_live_diff(const char *before, const char *after, char **ret_patch,
		   struct vrms_error *error)
{
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	int old_fd VRMS_CLEANUP(vrms_closep) = -1, new_fd VRMS_CLEANUP(vrms_closep) = -1;
	char old_path[32], new_path[32];
	int rc = share(before, &old_fd, old_path, error);

	rc = rc < 0 ? rc : share(after, &new_fd, new_path, error);
	if (rc == 0) {
		rc = ask((const char *const[]){"crm_diff", "-o", old_path, "-n", new_path, "-c",
					       NULL},
			 NULL, &result, error);
	}
	if (rc == 0 && result.exit_code != DIFFERS) {
		rc = vrms_error_set(error, -EIO, "crm_diff: exit code %d %s", result.exit_code,
				    last_words(&result));
	}
	if (rc == 0) {
		*ret_patch = VRMS_TAKE(result.output);
	}
	return rc;
}

static int send_patch(const char *patch, struct vrms_error *error)
{
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	int rc =
	    ask((const char *const[]){"cibadmin", "--patch", "--sync-call", "--xml-pipe", NULL},
		patch, &result, error);

	if (rc < 0 || result.exit_code == 0) {
		return rc;
	}
	if (result.exit_code == OLD_DATA) {
		return vrms_error_set(error, -ESTALE, "the CIB was changed by somebody else");
	}
	return vrms_error_set(error, -EIO, "cibadmin --patch: %s", last_words(&result));
}

int vrms_live_change(const char *before, const char *after, struct vrms_error *error)
{
	char *patch VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_cib_facts facts;
	int rc = vrms_cib_facts_read(before, &facts, error);

	if (rc == 0 && !facts.has_quorum) {
		rc = vrms_error_set(error, -ENOTCONN,
				    "this partition has no quorum: nothing is changed");
	}
	rc = rc < 0 ? rc : vrms_live_diff(before, after, &patch, error);
	return rc < 0 ? rc : send_patch(patch, error);
}

int vrms_live_is_idle(const char *controller, bool *ret_idle, struct vrms_error *error)
{
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	int rc;

	if (controller[0] == '\0') {
		*ret_idle = false; /* an election is under way */
		return 0;
	}
	/* When the controller is lost meanwhile, crmadmin 2.1.5 may poll for ever without a pause.
	 * It is ended after a while; it must end with this process, too, which a change of the
	 * membership ends. */
	rc = ask((const char *const[]){"setpriv", "--pdeathsig", "KILL", "crmadmin", "--status",
				       controller, NULL},
		 NULL, &result, error);
	if (rc == 0) {
		*ret_idle = result.exit_code == 0 && strstr(result.output, "S_IDLE") != NULL;
	}
	return rc;
}
