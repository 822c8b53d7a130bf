/* iscsi.h - one session with one LUN, spoken in user space; every call ends within its time.
 *
 * A session is closed, not logged in again, when the connection breaks: its registration would
 * not be the same any more.  ISIDs are random, so a session never takes the place of another one
 * of the same initiator (RFC 7143, 6.3.5).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SAN_ISCSI_H
#define VRMS_SAN_ISCSI_H

#include "common/error.h"
#include "san/pr.h"

enum { VRMS_ISCSI_ID_BYTES = 128, VRMS_ISCSI_BLOCK_MAX = 4096 };

struct vrms_iscsi_login {
	const char *url;       /* iscsi://[user%password@]host[:port]/target/lun */
	const char *initiator; /* its name */
	const char *user;      /* CHAP; NULL: none, or the url's */
	const char *password;
	int64_t timeout_ms; /* for the login and each command */
};

struct vrms_iscsi; /* opaque */

/* -EINVAL: the url; -ETIMEDOUT: no answer; -EACCES: refused by CHAP or an access list;
 * -ECONNREFUSED, -EHOSTUNREACH ...: no connection; -ENODEV: the target has no such LUN; -EIO:
 * anything else. */
VRMS_MUST_CHECK int vrms_iscsi_open(const struct vrms_iscsi_login *login,
				    struct vrms_iscsi **ret_session, struct vrms_error *error);
void vrms_iscsi_close(struct vrms_iscsi *session); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_iscsi *, vrms_iscsi_close);

/* READ KEYS and READ RESERVATION; *ret_view is complete when GOOD is returned. */
enum vrms_pr_answer vrms_iscsi_pr_read(struct vrms_iscsi *session, struct vrms_pr_view *ret_view,
				       struct vrms_error *error);

/* REGISTER, RESERVE, PREEMPT, UNREGISTER. */
enum vrms_pr_answer vrms_iscsi_pr_write(struct vrms_iscsi *session, const struct vrms_pr_step *step,
					struct vrms_error *error);

/* WRITE (10) of no blocks: changes nothing, and is refused like any other write. */
enum vrms_pr_answer vrms_iscsi_probe(struct vrms_iscsi *session, struct vrms_error *error);

/* The LUN's name in the world: "naa.6001405...", "eui.0123...", "t10.IET 00010001"
 * (VPD page 83h, associated with the LUN; the strongest form that it has). */
VRMS_MUST_CHECK int vrms_iscsi_identify(struct vrms_iscsi *session, char id[VRMS_ISCSI_ID_BYTES],
					struct vrms_error *error);

/* Reads the first block past any cache of this machine; the bytes are not kept. */
VRMS_MUST_CHECK int vrms_iscsi_read(struct vrms_iscsi *session, struct vrms_error *error);

#endif
