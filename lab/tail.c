/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/tail.h"

#include <errno.h>
#include <string.h>

int vrms_lab_tail_open(const char *path, struct vrms_lab_tail *ret_tail, struct vrms_error *error)
{
	struct vrms_lab_tail tail = {.file = fopen(path, "re")};

	if (tail.file == NULL || fseeko(tail.file, 0, SEEK_END) < 0) {
		int rc = -errno;
		vrms_lab_tail_close(&tail);
		return vrms_error_errno(error, rc, "%s", path);
	}
	*ret_tail = tail;
	return 0;
}

void vrms_lab_tail_close(struct vrms_lab_tail *tail)
{
	if (tail->file != NULL) {
		fclose(tail->file);
	}
	free(tail->line);
	memset(tail, 0, sizeof(*tail));
}

const char *vrms_lab_tail_next(struct vrms_lab_tail *tail)
{
	off_t start = ftello(tail->file);
	ssize_t length = getline(&tail->line, &tail->size, tail->file);

	if (length <= 0 || tail->line[length - 1] != '\n') {
		clearerr(tail->file);
		/* Half a line is read again when its writer has written the rest. */
		fseeko(tail->file, start, SEEK_SET);
		return NULL;
	}
	tail->line[length - 1] = '\0';
	return tail->line;
}
