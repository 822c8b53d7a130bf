/* san_settings.h - what fence_vrms_scsi and ocf:vrms:SanLun are told about the SAN, made ready.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_SAN_SETTINGS_H
#define VRMS_AGENTS_SAN_SETTINGS_H

#include "san/keys.h"
#include "san/lun.h"

/* What a key means that belongs to no node: fence_vrms_scsi's foreign_keys. */
enum vrms_san_foreign {
	VRMS_SAN_FOREIGN_REFUSE, /* it may be the victim's: not fenced */
	VRMS_SAN_FOREIGN_ALLOW,  /* the admin says that it is not */
};

/* As in the parameter tables. */
struct vrms_san_settings {
	const char *luns;
	const char *initiator;          /* with %n and %c */
	const char *chap_user;          /* NULL: none */
	const char *chap_password;      /* NULL: in the file */
	const char *chap_password_file; /* NULL: none */
	const char *cluster;            /* NULL: as corosync says */
	const char *nodes;              /* NULL: as corosync says */
	const char *keys;               /* NULL: all derived */
	int key_format;                 /* enum vrms_san_key_format */
	int64_t portal_timeout_ms;
	int64_t settle_ms;
	int foreign_keys; /* enum vrms_san_foreign */
	const char *key_file;
	const char *behind; /* NULL: nothing */
};

struct vrms_san {
	struct vrms_san_luns luns;
	struct vrms_san_cluster cluster;
	const struct vrms_san_node *node; /* the one that this is about; NULL: none */
	char initiator_self[VRMS_ISCSI_ID_BYTES * 2];
	char initiator_node[VRMS_ISCSI_ID_BYTES * 2];
	char *password;
	bool lets_foreign_be;
	struct vrms_san_access access;
};

/* The name of this machine in the cluster: uname's nodename. */
void vrms_san_self(char name[VRMS_SAN_NAME_BYTES]);

/* Reads everything; node_name may be NULL.
 * -EINVAL, -EEXIST (key collision), -ENOENT (no such node, no password file), -ENOTCONN. */
VRMS_MUST_CHECK int vrms_san_make(const struct vrms_san_settings *settings, const char *node_name,
				  struct vrms_san *ret_san, struct vrms_error *error);
void vrms_san_done(struct vrms_san *san);

/* Work on the LUN san->luns.luns[index], in a thread of its own. */
typedef int vrms_san_work(const struct vrms_san *san, size_t index, void *context,
			  struct vrms_error *error);

/* Does the work for every LUN, also after one has failed, side by side: the slowest LUN is how long
 * it takes, not their sum.  The error of the first that failed; its text names the LUN and counts
 * the others. */
VRMS_MUST_CHECK int vrms_san_each(const struct vrms_san *san, vrms_san_work *work, void *context,
				  struct vrms_error *error);

/* A job about the keys of san->node (none without a node); not begun. */
struct vrms_pr_job vrms_san_job(const struct vrms_san *san, enum vrms_pr_goal goal);

/* Keys and reservation of one LUN, over the first path that works.
 * -EHOSTUNREACH, or as vrms_san_open() and vrms_san_look() say of the last path. */
VRMS_MUST_CHECK int vrms_san_look_at(const struct vrms_san *san, const struct vrms_san_lun *lun,
				     struct vrms_pr_view *ret_view, struct vrms_error *error);

/* A job of this goal about the keys of san->node, on every LUN, as vrms_san_each() does it. */
VRMS_MUST_CHECK int vrms_san_run_all(const struct vrms_san *san, enum vrms_pr_goal goal,
				     struct vrms_error *error);

/* Starts a shell command with VRMS_FENCE_NODE in its environment, and does not wait for it. */
VRMS_MUST_CHECK int vrms_san_start_behind(const char *command, const char *node,
					  struct vrms_error *error);

/* The file that tells this host's guests which keys are theirs (san/iscsi_guest.c). */
VRMS_MUST_CHECK int vrms_san_key_file_write(const struct vrms_san *san, const char *path,
					    struct vrms_error *error);

#endif
