/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/import.h"

#include <errno.h>
#include <string.h>

#include "common/file.h"
#include "placement/draft.h"

/* The CIB of 1,000 VMs on 32 nodes with its history is 17 MB. */
static const size_t SIZE_MAX_BYTES = (size_t)1 << 30;

int vrms_import_text(const char *text, const char *name, struct vrms_import_notes *ret_notes,
		     struct vrms_model **ret_model, struct vrms_error *error)
{
	struct vrms_draft draft;
	const char *start = text + strspn(text, " \t\r\n");
	int rc;

	vrms_draft_init(&draft, name);
	draft.notes = ret_notes;
	if (ret_notes != NULL) {
		ret_notes->count = 0;
	}
	if (*start == '\0') {
		vrms_error_set(error, -EINVAL, "the file is empty");
		rc = vrms_draft_fail(&draft, 0, -EINVAL, error);
	} else if (*start == '<') {
		rc = vrms_import_cib(&draft, text, error);
	} else if (*start == '{' || *start == '[') {
		rc = vrms_import_json(&draft, text, error);
	} else {
		rc = vrms_import_ganeti(&draft, text, error);
	}
	if (rc == 0) {
		rc = vrms_draft_build(&draft, ret_model, error);
	}
	vrms_draft_done(&draft);
	return rc;
}

int vrms_import_file(const char *path, struct vrms_import_notes *ret_notes,
		     struct vrms_model **ret_model, struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	size_t size;
	int rc = vrms_file_read(path, SIZE_MAX_BYTES, &text, &size, error);

	if (rc < 0) {
		return rc;
	}
	if (memchr(text, '\0', size) != NULL) {
		return vrms_error_set(error, -EINVAL, "%s: not a text file", path);
	}
	return vrms_import_text(text, path, ret_notes, ret_model, error);
}
