/* policy.h - which VM is backed up how and when: the configuration file as data.
 *
 * Pure.  The file is described in vrms_backup.conf(5).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_POLICY_H
#define VRMS_BACKUP_POLICY_H

#include "backup/calendar.h"
#include "backup/retention.h"

enum {
	VRMS_POLICY_TEXT_BYTES = 256,
	VRMS_POLICY_TIMES_MAX = 6,
	VRMS_POLICY_NAME_BYTES = 201, /* of a VM */
};

/* What is done at times; the earlier one does for the later ones too. */
enum vrms_policy_job {
	VRMS_POLICY_FULL,
	VRMS_POLICY_DIFFERENTIAL,
	VRMS_POLICY_INCREMENTAL,
	VRMS_POLICY_JOB_COUNT,
};

/* What a VM's points should be. */
enum vrms_policy_consistency {
	VRMS_POLICY_CRASH,      /* the agent is left alone */
	VRMS_POLICY_BEST,       /* frozen when it can be */
	VRMS_POLICY_FILESYSTEM, /* the same, and status complains of less */
};

struct vrms_policy_times {
	struct vrms_calendar rows[VRMS_POLICY_TIMES_MAX];
	char texts[VRMS_POLICY_TIMES_MAX][96]; /* as written */
	uint32_t count;
};

/* Seconds of a local day in which a backup may begin; from > to: over midnight. */
struct vrms_policy_window {
	int32_t from_s, to_s; /* equal: always */
};

struct vrms_policy {
	char vm[VRMS_POLICY_NAME_BYTES]; /* "*": all VMs without a policy of their own */
	uint32_t line;
	uint32_t is_set; /* bit i: key i of the table was written */
	bool is_backed_up;
	struct vrms_policy_times times[VRMS_POLICY_JOB_COUNT];
	struct vrms_policy_window window;
	uint64_t rate_bytes; /* per second; 0: no limit */
	enum vrms_policy_consistency consistency;
	int64_t self_contained_every;         /* fulls; 0: never */
	char exclude[VRMS_POLICY_TEXT_BYTES]; /* disks, between blanks */
	int64_t keep[VRMS_KEEP_COUNT];
	/* Ages in ms after which status raises an alarm; 0: never. */
	int64_t age_ms, verify_age_ms, test_age_ms;
};

struct vrms_policies {
	char repository[VRMS_POLICY_TEXT_BYTES], key_file[VRMS_POLICY_TEXT_BYTES],
	    key_command[VRMS_POLICY_TEXT_BYTES], connect[VRMS_POLICY_TEXT_BYTES],
	    scratch[VRMS_POLICY_TEXT_BYTES]; /* "" not said */
	struct vrms_policy_times prune, verify;
	int64_t verify_bytes; /* of a sample; 0: all that no verify has read yet */
	struct vrms_policy *rows;
	size_t count;
};

void vrms_policies_free(struct vrms_policies *policies); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_policies *, vrms_policies_free);

/* Reads a whole file.  The caller owns *ret_policies.
 *
 * name: of the file, for errors: "NAME:LINE: text".
 * Returns -EINVAL, or -EEXIST for a second policy of one VM.
 */
VRMS_MUST_CHECK int vrms_policies_parse(const char *text, const char *name,
					struct vrms_policies **ret_policies,
					struct vrms_error *error);

/* The policy of a VM; NULL when it has none, or is not to be backed up. */
const struct vrms_policy *vrms_policies_find(const struct vrms_policies *policies, const char *vm);

/* "full", "differential", "incremental". */
const char *vrms_policy_job_name(enum vrms_policy_job job);
bool vrms_policy_window_has(const struct vrms_policy_window *window, int64_t local_s);
bool vrms_policy_excludes(const struct vrms_policy *policy, const char *disk);
struct vrms_retention vrms_policy_retention(const struct vrms_policy *policy);

#endif
