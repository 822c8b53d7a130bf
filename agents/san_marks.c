/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/san_marks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

enum { MARKS_BYTES_MAX = 65536, NAME_BYTES = 256 };

/* What is known of one LUN. */
struct lun_now {
	bool is_known;
	struct vrms_pr_view view;
};

static int look_at_one(const struct vrms_san *san, size_t index, void *all,
		       struct vrms_error *error)
{
	struct lun_now *now = (struct lun_now *)all + index;
	int rc = vrms_san_look_at(san, &san->luns.luns[index], &now->view, error);

	now->is_known = rc == 0;
	return rc;
}

static bool has_key(const struct vrms_san *san, const struct lun_now *now)
{
	return now->is_known && vrms_pr_view_has(&now->view, san->node->key);
}

/* The generation that was marked for a LUN; -1: there is no mark. */
static int64_t find_mark(const char *marks, const char *name)
{
	for (const char *line = marks; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
		uint32_t generation;
		char marked[NAME_BYTES];

		line += *line == '\n';
		if (sscanf(line, "%" SCNu32 " %255s", &generation, marked) == 2 &&
		    strcmp(marked, name) == 0) {
			return generation;
		}
	}
	return -1;
}

static int read_marks(const char *path, char **ret_marks, struct vrms_error *error)
{
	int rc = vrms_file_read(path, MARKS_BYTES_MAX, ret_marks, NULL, error);

	if (rc == -ENOENT) {
		*ret_marks = strdup("");
		return *ret_marks != NULL ? 0 : -ENOMEM;
	}
	return rc;
}

static int check_one(const struct vrms_san *san, size_t index, void *marks,
		     struct vrms_error *error)
{
	struct lun_now now = {.is_known = false};
	char name[NAME_BYTES];
	const struct vrms_san_lun *lun = &san->luns.luns[index];
	int64_t marked = find_mark(marks, vrms_san_lun_name(lun, name, sizeof(name)));

	if (marked < 0) {
		return 0;
	}
	int rc = vrms_san_look_at(san, lun, &now.view, error);
	now.is_known = rc == 0;
	if (rc == 0 && !has_key(san, &now) && vrms_pr_view_shuts_out(&now.view) &&
	    now.view.generation >= marked) {
		rc = vrms_error_set(error, -EACCES,
				    "this node was fenced here: reboot it, or let it in with "
				    "fence_vrms_scsi --action=on --plug=%s",
				    san->node->name);
	}
	return rc;
}

int vrms_san_marks_check(const struct vrms_san *san, const char *path, struct vrms_error *error)
{
	char *marks VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = read_marks(path, &marks, error);

	return rc < 0 ? rc : vrms_san_each(san, check_one, marks, error);
}

/* Keeps a line for those LUNs that are to be marked. */
static int write_lines(const struct vrms_san *san, const char *path, const int64_t *generations,
		       struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; out != NULL && i < san->luns.count; i++) {
		char name[NAME_BYTES];

		if (generations[i] >= 0) {
			fprintf(out, "%" PRId64 " %s\n", generations[i],
				vrms_san_lun_name(&san->luns.luns[i], name, sizeof(name)));
		}
	}
	if (out == NULL || fclose(out) != 0) {
		return vrms_error_errno(error, -ENOMEM, "%s", path);
	}
	return vrms_file_write(path, text, size, 0600, error);
}

int vrms_san_marks_write(const struct vrms_san *san, const char *path, struct vrms_error *error)
{
	struct lun_now *all VRMS_CLEANUP(vrms_freep) = calloc(VRMS_SAN_LUNS_MAX, sizeof(*all));
	int64_t generations[VRMS_SAN_LUNS_MAX];

	if (all == NULL) {
		return vrms_error_errno(error, -ENOMEM, "%s", path);
	}
	int rc = vrms_san_each(san, look_at_one, all, error);
	for (size_t i = 0; i < san->luns.count; i++) {
		generations[i] = all[i].view.generation;
	}
	return rc < 0 ? rc : write_lines(san, path, generations, error);
}

struct release {
	const char *marks;
	int64_t generations[VRMS_SAN_LUNS_MAX]; /* to be marked from now on; -1: none */
};

static bool sees_key(const struct vrms_san *san, size_t index, bool if_unknown,
		     struct vrms_error *error)
{
	struct vrms_pr_view view;

	return vrms_san_look_at(san, &san->luns.luns[index], &view, error) < 0
		   ? if_unknown
		   : vrms_pr_view_has(&view, san->node->key);
}

/* A LUN that gives no answer is waited for once: a stop that takes too long is a fence. */
static int release_one(const struct vrms_san *san, size_t index, void *release_,
		       struct vrms_error *error)
{
	struct release *release = release_;
	const struct vrms_san_lun *lun = &san->luns.luns[index];
	struct vrms_pr_job job = vrms_san_job(san, VRMS_PR_RELEASE);
	struct vrms_pr_view view;
	struct vrms_error ignored;
	char name[NAME_BYTES];

	release->generations[index] =
	    find_mark(release->marks, vrms_san_lun_name(lun, name, sizeof(name)));
	int rc = vrms_san_look_at(san, lun, &view, error);
	if (rc < 0) {
		return rc;
	}
	rc = vrms_san_run(lun, &san->access, &job, error);
	bool is_left = rc < 0 && sees_key(san, index, true, &ignored);
	if (vrms_pr_view_has(&view, san->node->key) && !is_left) {
		release->generations[index] = -1;
	}
	return rc;
}

int vrms_san_marks_release(const struct vrms_san *san, const char *path, struct vrms_error *error)
{
	char *marks VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = read_marks(path, &marks, error);

	if (rc < 0) {
		return rc;
	}
	struct release release = {.marks = marks};
	rc = vrms_san_each(san, release_one, &release, error);
	if (rc < 0) {
		struct vrms_error ignored;

		(void)!write_lines(san, path, release.generations, &ignored);
		return rc;
	}
	return write_lines(san, path, release.generations, error);
}
