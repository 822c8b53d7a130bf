/* points.c - the folder points/: VM/SEQUENCE.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/document.h"
#include "backup/point.h"
#include "common/parse.h"

static const char trial_suffix[] = ".trial";
static const char removed_suffix[] = ".removed";

enum { VM_BYTES_MAX = 200, PATH_BYTES = 3 * VM_BYTES_MAX + 64 };

void vrms_point_list_done(struct vrms_point_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		vrms_point_done(&list->points[i]);
	}
	for (size_t i = 0; i < list->damaged_count; i++) {
		free(list->damaged[i]);
	}
	free(list->points);
	free(list->damaged);
	memset(list, 0, sizeof(*list));
}

/* A VM's name as a folder's: everything but letters, digits and "-_." becomes %XX,
 * and so does a leading dot. */
static int folder_name(const char *vm, char *ret_path, struct vrms_error *error)
{
	size_t length = strlen(vm);
	char *to = ret_path;

	if (length == 0 || length > VM_BYTES_MAX) {
		return vrms_error_set(error, -EINVAL, "VM name '%.40s': must be 1 to %d bytes long",
				      vm, VM_BYTES_MAX);
	}
	to += sprintf(to, "points/");
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)vm[i];

		if (isascii(c) && (isalnum(c) || c == '-' || c == '_' || (c == '.' && i > 0))) {
			*to++ = (char)c;
		} else {
			to += sprintf(to, "%%%02X", c);
		}
	}
	*to = '\0';
	return 0;
}

static int point_path(const char *vm, uint64_t sequence, char *ret_path, struct vrms_error *error)
{
	int rc = folder_name(vm, ret_path, error);

	if (rc == 0) {
		sprintf(ret_path + strlen(ret_path), "/%010" PRIu64, sequence);
	}
	return rc;
}

static int read_point(struct vrms_repository *repository, const char *path,
		      struct vrms_point *ret_point, struct vrms_error *error)
{
	json_t *value VRMS_CLEANUP(json_decrefp) = NULL;
	struct vrms_point point VRMS_CLEANUP(vrms_point_done) = {0};
	char own_path[PATH_BYTES];
	int rc = vrms_document_read(vrms_repository_store(repository), path,
				    vrms_repository_master(repository), &value, error);

	if (rc < 0) {
		return rc;
	}
	rc = vrms_point_decode(value, &point, error);
	if (rc == 0) {
		rc = point_path(point.vm, point.sequence, own_path, error);
	}
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "%s", path);
	}
	if (strcmp(path, own_path) != 0) {
		return vrms_error_set(error, -EBADMSG, "%s: holds the point '%s@%" PRIu64 "'", path,
				      point.vm, point.sequence);
	}
	*ret_point = point;
	vrms_point_init(&point);
	return 0;
}

static int add_damaged(struct vrms_point_list *list, const char *text)
{
	char **damaged = realloc(list->damaged, (list->damaged_count + 1) * sizeof(char *));

	if (damaged == NULL) {
		return -ENOMEM;
	}
	list->damaged = damaged;
	list->damaged[list->damaged_count] = strdup(text);
	return list->damaged[list->damaged_count++] != NULL ? 0 : -ENOMEM;
}

/* points/VM/SEQUENCE.trial; one that cannot be read is none: the next trial replaces it. */
static void read_trial(struct vrms_repository *repository, const char *path,
		       struct vrms_trial *trial)
{
	json_t *value VRMS_CLEANUP(json_decrefp) = NULL;
	char trial_path[PATH_BYTES + 32];
	const char *text, *host;
	json_int_t time_s, took_ms;
	int is_passed;

	snprintf(trial_path, sizeof(trial_path), "%s%s", path, trial_suffix);
	if (vrms_document_read(vrms_repository_store(repository), trial_path,
			       vrms_repository_master(repository), &value, NULL) < 0 ||
	    json_unpack(value, "{s:I,s:b,s:I,s:s,s:s}", "time", &time_s, "passed", &is_passed,
			"took_ms", &took_ms, "text", &text, "host", &host) != 0) {
		return;
	}
	*trial =
	    (struct vrms_trial){.time_s = time_s, .is_passed = is_passed != 0, .took_ms = took_ms};
	snprintf(trial->text, sizeof(trial->text), "%s", text);
	snprintf(trial->host, sizeof(trial->host), "%s", host);
}

static bool is_sequence(const char *name)
{
	return name[0] != '\0' && strspn(name, "0123456789") == strlen(name);
}

static int read_folder(struct vrms_repository *repository, const char *folder,
		       struct vrms_point_list *list, struct vrms_error *error)
{
	const struct vrms_store *store = vrms_repository_store(repository);
	struct vrms_store_list rows VRMS_CLEANUP(vrms_store_list_done) = {0};
	struct vrms_point *points;
	int rc = store->list(store->context, folder, &rows, error);

	if (rc < 0) {
		return rc;
	}
	points = realloc(list->points, (list->count + rows.count + 1) * sizeof(*points));
	if (points == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	list->points = points;
	for (size_t i = 0; i < rows.count && rc == 0; i++) {
		char path[PATH_BYTES + 32];

		if (!is_sequence(rows.rows[i].name)) {
			continue;
		}
		snprintf(path, sizeof(path), "%s/%.20s", folder, rows.rows[i].name);
		rc = read_point(repository, path, &list->points[list->count], error);
		if (rc == 0) {
			/* Sorted, a point's trial comes right behind it. */
			if (i + 1 < rows.count && strstr(rows.rows[i + 1].name, trial_suffix)) {
				read_trial(repository, path, &list->points[list->count].trial);
			}
			list->count++;
		} else if (vrms_store_is_damage(rc) && error != NULL) {
			rc = add_damaged(list, error->text);
		} else if (rc == -ENOENT) { /* pruned since */
			rc = 0;
		}
	}
	return rc;
}

static int read_all(struct vrms_repository *repository, struct vrms_point_list *list,
		    struct vrms_error *error)
{
	const struct vrms_store *store = vrms_repository_store(repository);
	struct vrms_store_list folders VRMS_CLEANUP(vrms_store_list_done) = {0};
	int rc = store->list(store->context, "points", &folders, error);

	for (size_t i = 0; i < folders.count && rc == 0; i++) {
		char path[PATH_BYTES];

		snprintf(path, sizeof(path), "points/%.*s", 3 * VM_BYTES_MAX, folders.rows[i].name);
		rc = read_folder(repository, path, list, error);
	}
	return rc;
}

int vrms_points_read(struct vrms_repository *repository, const char *vm,
		     struct vrms_point_list *ret_list, struct vrms_error *error)
{
	struct vrms_point_list list = {0};
	struct vrms_error text = {0};
	char folder[PATH_BYTES];
	int rc = vm != NULL ? folder_name(vm, folder, error) : 0;

	if (rc == 0) {
		rc = vm != NULL ? read_folder(repository, folder, &list, &text)
				: read_all(repository, &list, &text);
		if (rc < 0) {
			rc = vrms_error_set(error, rc, "%s", text.text);
		}
	}
	if (rc < 0) {
		vrms_point_list_done(&list);
		return rc;
	}
	*ret_list = list;
	return 0;
}

/* Splits "VM@7"; sequence 0 means the latest. */
static int parse_name(const char *name, char *ret_vm, uint64_t *ret_sequence,
		      struct vrms_error *error)
{
	const char *at = strrchr(name, '@');
	size_t length = at != NULL ? (size_t)(at - name) : strlen(name);
	int64_t sequence = 0;
	int rc = 0;

	if (length == 0 || length > VM_BYTES_MAX) {
		return vrms_error_set(error, -EINVAL, "'%.60s' names no point (VM@NUMBER, or VM)",
				      name);
	}
	memcpy(ret_vm, name, length);
	ret_vm[length] = '\0';
	if (at != NULL && strcmp(at + 1, "latest") != 0) {
		rc = vrms_int_parse(at + 1, 1, INT64_MAX, &sequence, NULL);
	}
	if (rc < 0) {
		return vrms_error_set(error, -EINVAL,
				      "'%.60s' names no point (VM@NUMBER, VM@latest, or VM)", name);
	}
	*ret_sequence = (uint64_t)sequence;
	return 0;
}

/* The highest sequence in a folder, 0 when it is empty.
 * ever: also of points that are gone. */
static int last_sequence(struct vrms_repository *repository, const char *vm, bool ever,
			 uint64_t *ret_sequence, struct vrms_error *error)
{
	const struct vrms_store *store = vrms_repository_store(repository);
	struct vrms_store_list rows VRMS_CLEANUP(vrms_store_list_done) = {0};
	char folder[PATH_BYTES];
	uint64_t last = 0;
	int rc = folder_name(vm, folder, error);

	if (rc == 0) {
		rc = store->list(store->context, folder, &rows, error);
	}
	for (size_t i = 0; i < rows.count && rc == 0; i++) {
		uint64_t sequence = ever || is_sequence(rows.rows[i].name)
					? strtoull(rows.rows[i].name, NULL, 10)
					: 0;

		last = sequence > last ? sequence : last;
	}
	*ret_sequence = last;
	return rc;
}

int vrms_point_read(struct vrms_repository *repository, const char *name,
		    struct vrms_point *ret_point, struct vrms_error *error)
{
	char vm[VM_BYTES_MAX + 1], path[PATH_BYTES];
	uint64_t sequence = 0;
	int rc = parse_name(name, vm, &sequence, error);

	if (rc == 0 && sequence == 0) {
		rc = last_sequence(repository, vm, false, &sequence, error);
		if (rc == 0 && sequence == 0) {
			return vrms_error_set(error, -ENOENT, "no backup of VM '%s'", vm);
		}
	}
	if (rc == 0) {
		rc = point_path(vm, sequence, path, error);
	}
	if (rc == 0) {
		rc = read_point(repository, path, ret_point, error);
	}
	if (rc == 0) {
		read_trial(repository, path, &ret_point->trial);
	}
	return rc == -ENOENT ? vrms_error_set(error, rc, "no point '%s'", name) : rc;
}

int vrms_point_commit(struct vrms_repository *repository, struct vrms_point *point,
		      struct vrms_error *error)
{
	const struct vrms_store *store = vrms_repository_store(repository);
	json_t *value VRMS_CLEANUP(json_decrefp) = NULL;
	char path[PATH_BYTES];
	uint64_t sequence = point->sequence;
	int rc = vrms_repository_guard(repository, error);

	if (rc == 0 && sequence == 0) {
		rc = last_sequence(repository, point->vm, true, &sequence, error);
		sequence++;
	}
	if (rc == 0) {
		rc = folder_name(point->vm, path, error);
	}
	if (rc == 0) {
		rc = store->folder(store->context, path, error);
	}
	if (rc == 0) {
		rc = point_path(point->vm, sequence, path, error);
	}
	if (rc < 0) {
		return rc;
	}
	point->sequence = sequence;
	if (point->full_sequence == 0) {
		point->full_sequence = sequence;
	}
	value = vrms_point_encode(point);
	if (value == NULL) {
		return vrms_error_set(error, -ENOMEM, "%s: cannot be encoded", path);
	}
	return vrms_document_write(store, path, vrms_repository_master(repository), value, error);
}

json_t *vrms_trial_encode(const struct vrms_trial *trial)
{
	return json_pack("{s:I,s:b,s:I,s:s,s:s}", "time", (json_int_t)trial->time_s, "passed",
			 (int)trial->is_passed, "took_ms", (json_int_t)trial->took_ms, "text",
			 trial->text, "host", trial->host);
}

int vrms_trial_write(struct vrms_repository *repository, const struct vrms_point *point,
		     const struct vrms_trial *trial, struct vrms_error *error)
{
	json_t *value VRMS_CLEANUP(json_decrefp) = vrms_trial_encode(trial);
	char path[PATH_BYTES];
	int rc = vrms_repository_guard(repository, error);

	if (rc == 0) {
		rc = point_path(point->vm, point->sequence, path, error);
	}
	if (rc < 0) {
		return rc;
	}
	if (value == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	strcat(path, trial_suffix);
	return vrms_document_write(vrms_repository_store(repository), path,
				   vrms_repository_master(repository), value, error);
}

static bool is_mark_before(const char *name, uint64_t sequence)
{
	size_t digits = strspn(name, "0123456789");

	return digits > 0 && strcmp(name + digits, removed_suffix) == 0 &&
	       strtoull(name, NULL, 10) < sequence;
}

/* A file whose name says that this number was given out: else the next point would have it when
 * the newest one goes.  Nothing in it can be damaged.  Older marks go. */
static int mark_removed(struct vrms_repository *repository, const struct vrms_point *point,
			struct vrms_error *error)
{
	const struct vrms_store *store = vrms_repository_store(repository);
	struct vrms_store_list rows VRMS_CLEANUP(vrms_store_list_done) = {0};
	char folder[PATH_BYTES], path[PATH_BYTES + 32];
	uint64_t last;
	int rc = last_sequence(repository, point->vm, true, &last, error);

	if (rc < 0 || last > point->sequence) {
		return rc;
	}
	rc = point_path(point->vm, point->sequence, path, error);
	if (rc == 0) {
		rc = folder_name(point->vm, folder, error);
	}
	if (rc == 0) {
		rc = store->list(store->context, folder, &rows, error);
	}
	if (rc == 0) {
		strcat(path, removed_suffix);
		rc = vrms_store_put(store, path, "", 0, error);
	}
	for (size_t i = 0; i < rows.count && rc == 0; i++) {
		if (is_mark_before(rows.rows[i].name, point->sequence)) {
			snprintf(path, sizeof(path), "%s/%.30s", folder, rows.rows[i].name);
			rc = store->remove(store->context, path, error);
		}
	}
	return rc;
}

int vrms_point_remove(struct vrms_repository *repository, const struct vrms_point *point,
		      struct vrms_error *error)
{
	const struct vrms_store *store = vrms_repository_store(repository);
	char path[PATH_BYTES];
	int rc = vrms_repository_guard(repository, error);

	if (rc == 0) {
		rc = mark_removed(repository, point, error);
	}
	if (rc == 0) {
		rc = point_path(point->vm, point->sequence, path, error);
	}
	if (rc == 0) {
		rc = store->remove(store->context, path, error);
	}
	if (rc < 0) {
		return rc;
	}
	strcat(path, trial_suffix);
	return store->remove(store->context, path, error);
}

uint32_t vrms_points_generation_max(const struct vrms_point_list *list)
{
	uint32_t generation = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (list->points[i].generation > generation) {
			generation = list->points[i].generation;
		}
	}
	return generation;
}
