/* status_record.h - the document "status": what was done beside taking points, and what failed.
 *
 * Only a log: a damaged one is begun anew, no restore depends on it.  In the repository, so that
 * every host reads the same.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_STATUS_RECORD_H
#define VRMS_BACKUP_STATUS_RECORD_H

#include <jansson.h>

#include "backup/repository.h"

/* What was done to the whole repository. */
enum vrms_status_care {
	VRMS_STATUS_VERIFY, /* everything that no verify had read before */
	VRMS_STATUS_SAMPLE, /* verify with a budget */
	VRMS_STATUS_PRUNE,
	VRMS_STATUS_CARE_COUNT,
};

struct vrms_status_attempt {
	int64_t failed_s; /* since 1970; 0: the last one did not fail */
	uint32_t failed_count;
	const char *host, *text; /* borrowed from the document; "" */
};

/* The caller owns *ret_record, which is an object in every case of success. */
VRMS_MUST_CHECK int vrms_status_read(struct vrms_repository *repository, json_t **ret_record,
				     struct vrms_error *error);

/* ret_findings may be NULL.  Returns the time, since 1970; 0: never. */
int64_t vrms_status_care(const json_t *record, enum vrms_status_care care, int64_t *ret_findings);
struct vrms_status_attempt vrms_status_attempt(const json_t *record, const char *vm);

/* These write.  They need the write lock. */
VRMS_MUST_CHECK int vrms_status_note_care(struct vrms_repository *repository,
					  enum vrms_status_care care, int64_t findings,
					  struct vrms_error *error);
/* failure: NULL when it went well. */
VRMS_MUST_CHECK int vrms_status_note_attempt(struct vrms_repository *repository, const char *vm,
					     const char *failure, struct vrms_error *error);

#endif
