/* lun.h - LUNs as an admin writes them, and the jobs of pr.h done on them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SAN_LUN_H
#define VRMS_SAN_LUN_H

#include "common/clock.h"
#include "common/error.h"
#include "san/iscsi.h"
#include "san/pr.h"

enum { VRMS_SAN_LUNS_MAX = 32, VRMS_SAN_PATHS_MAX = 8 };

struct vrms_san_lun {
	const char *paths[VRMS_SAN_PATHS_MAX]; /* URLs of the same LUN */
	unsigned path_count;
	const char *id; /* as vrms_iscsi_identify() says; NULL: not given */
};

struct vrms_san_luns {
	char *text; /* what the others point into */
	size_t count;
	struct vrms_san_lun luns[VRMS_SAN_LUNS_MAX];
};

/* Reads "URL URL|URL#ID ...": blanks or commas between LUNs, | between the portals of one, its
 * identifier behind #.  -EINVAL (with the LUN's number), -E2BIG. */
VRMS_MUST_CHECK int vrms_san_luns_parse(const char *text, struct vrms_san_luns *ret_luns,
					struct vrms_error *error);
void vrms_san_luns_done(struct vrms_san_luns *luns);

/* How to reach them, and as whom. */
struct vrms_san_access {
	const char *initiators[3]; /* by enum vrms_pr_party */
	const char *user;
	const char *password;
	int64_t timeout_ms;  /* for one login or command */
	int64_t settle_ms;   /* VRMS_PR_SETTLE */
	int64_t deadline_ms; /* of everything, on `clock`; 0: none */
	const struct vrms_clock *clock;
	/* Every command and its answer as a line; NULL: nobody listens. */
	void (*note)(const char *line);
};

/* Logs in to one path.  -ESTALE: it is another LUN than `id` says; else as vrms_iscsi_open(). */
VRMS_MUST_CHECK int vrms_san_open(const struct vrms_san_lun *lun, unsigned path,
				  const struct vrms_san_access *access, enum vrms_pr_party party,
				  struct vrms_iscsi **ret_session, struct vrms_error *error);

/* READ KEYS and READ RESERVATION, past unit attentions.
 * -ENOTSUP: the target has no persistent reservations; -EIO: anything else. */
VRMS_MUST_CHECK int vrms_san_look(struct vrms_iscsi *session, struct vrms_pr_view *ret_view,
				  struct vrms_error *error);

/* Does a job (its goal and keys are set) to its end.
 *
 * Returns 0, or: -EBUSY (a stranger's reservation, or of a wrong type), -ENOTSUP (no persistent
 * reservations), -EHOSTUNREACH (no portal), -ESTALE (another LUN), -ETIMEDOUT (the deadline),
 * -EPERM (a foreign key that may be the victim's),
 * -EIO (refused, not proved).  The text names the reason, not the LUN.
 */
VRMS_MUST_CHECK int vrms_san_run(const struct vrms_san_lun *lun,
				 const struct vrms_san_access *access, struct vrms_pr_job *job,
				 struct vrms_error *error);

/* Behind iscsi://[user%password@]: "host[:port]/target/lun". */
const char *vrms_san_url_address(const char *url);

/* "10.0.0.1/iqn.../1": the first path without a password; valid until the next call. */
const char *vrms_san_lun_name(const struct vrms_san_lun *lun, char *buffer, size_t size);

#endif
