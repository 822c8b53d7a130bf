/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "common/child.h"
#include "common/clock.h"

/* A process that held the image may just be ending: a killed backup's, a VM's. */
enum { QEMU_IMG_MS = 60000, CONNECTIONS = 2, LOCK_WAIT_MS = 5000, LOCK_LOOK_MS = 100 };

static void free_names(char **names)
{
	for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
		free(names[i]);
	}
	free(names);
}

void vrms_image_done(struct vrms_image *image)
{
	free_names(image->bitmaps);
	free_names(image->broken);
	free(image->path);
	free(image->format);
	memset(image, 0, sizeof(*image));
}

bool vrms_image_is_uri(const char *path)
{
	return strstr(path, "://") != NULL;
}

bool vrms_image_is_same(const char *path, const char *other)
{
	struct stat a, b;

	if (strcmp(path, other) == 0) {
		return true;
	}
	if (vrms_image_is_uri(path) || stat(path, &a) < 0 || stat(other, &b) < 0) {
		return false;
	}
	return (a.st_dev == b.st_dev && a.st_ino == b.st_ino) ||
	       (S_ISBLK(a.st_mode) && S_ISBLK(b.st_mode) && a.st_rdev == b.st_rdev);
}

static bool has_flag(const json_t *bitmap, const char *wanted)
{
	json_t *flag;
	size_t i;

	json_array_foreach(json_object_get(bitmap, "flags"), i, flag)
	{
		if (json_is_string(flag) && strcmp(json_string_value(flag), wanted) == 0) {
			return true;
		}
	}
	return false;
}

/* "in-use": QEMU was killed, what the bitmap holds is not all; without "auto" it
 * was not recording. */
static int take_bitmaps(const json_t *info, struct vrms_image *image)
{
	json_t *data = json_object_get(json_object_get(info, "format-specific"), "data");
	json_t *list = json_object_get(data, "bitmaps");
	const char *compat = json_string_value(json_object_get(data, "compat"));
	json_t *bitmap;
	size_t i, good_count = 0, broken_count = 0;

	image->can_bitmap =
	    strcmp(image->format, "qcow2") == 0 && compat != NULL && strcmp(compat, "0.10") != 0;
	image->bitmaps = calloc(json_array_size(list) + 1, sizeof(char *));
	image->broken = calloc(json_array_size(list) + 1, sizeof(char *));
	if (image->bitmaps == NULL || image->broken == NULL) {
		return -ENOMEM;
	}
	json_array_foreach(list, i, bitmap)
	{
		const char *name = json_string_value(json_object_get(bitmap, "name"));
		bool is_good = !has_flag(bitmap, "in-use") && has_flag(bitmap, "auto");
		char **place = is_good ? &image->bitmaps[good_count] : &image->broken[broken_count];

		if (name == NULL) {
			continue;
		}
		*place = strdup(name);
		if (*place == NULL) {
			return -ENOMEM;
		}
		good_count += is_good;
		broken_count += !is_good;
	}
	return 0;
}

static int take_info(const char *text, struct vrms_image *image, struct vrms_error *error)
{
	json_error_t problem;
	json_t *info VRMS_CLEANUP(json_decrefp) = json_loads(text, 0, &problem);
	const char *format;
	json_int_t bytes;

	if (info == NULL) {
		return vrms_error_set(error, -EPROTO, "qemu-img: %s", problem.text);
	}
	if (json_unpack(info, "{s:s,s:I}", "format", &format, "virtual-size", &bytes) != 0 ||
	    bytes < 0) {
		return vrms_error_set(error, -EPROTO, "qemu-img says neither format nor size");
	}
	image->bytes = (uint64_t)bytes;
	image->format = strdup(format);
	if (image->format == NULL || take_bitmaps(info, image) < 0) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	return 0;
}

/* The last line of what a program said, which is the one with the reason. */
static int say_why(const struct vrms_child_result *result, struct vrms_error *error)
{
	char *text = result->errors != NULL ? result->errors : result->output;
	size_t length = text != NULL ? strlen(text) : 0;

	while (length > 0 && text[length - 1] == '\n') {
		text[--length] = '\0';
	}
	if (length == 0) {
		return vrms_error_set(error, -EIO, "qemu-img ended with %d", result->exit_code);
	}
	return vrms_error_set(error, -EIO, "%s",
			      strrchr(text, '\n') != NULL ? strrchr(text, '\n') + 1 : text);
}

/* QEMU's texts are never translated. */
static bool is_about_lock(const struct vrms_error *error)
{
	return strstr(error->text, "another process using") != NULL ||
	       strstr(error->text, "\" lock") != NULL;
}

/* Whether it is worth trying again: QEMU says that somebody holds the image, for less
 * than LOCK_WAIT_MS so far. */
static bool wait_for_lock(const struct vrms_error *error, int64_t end_ms)
{
	const struct vrms_clock *clock = vrms_clock_system();

	if (!is_about_lock(error)) {
		return false;
	}
	if (vrms_clock_now_ms(clock) >= end_ms) {
		return false;
	}
	vrms_clock_sleep_ms(clock, LOCK_LOOK_MS);
	return true;
}

static int64_t lock_end_ms(void)
{
	return vrms_clock_now_ms(vrms_clock_system()) + LOCK_WAIT_MS;
}

static int run_info(const struct vrms_child_spec *spec, struct vrms_child_result *result,
		    struct vrms_error *error)
{
	struct vrms_error why = {0};
	int64_t end_ms = lock_end_ms();
	int rc;

	do {
		vrms_child_result_done(result);
		rc = vrms_child_run(spec, result, &why);
		if (rc == 0 && result->exit_code != 0) {
			rc = say_why(result, &why);
		}
	} while (rc < 0 && wait_for_lock(&why, end_ms));
	if (rc < 0 && is_about_lock(&why)) {
		rc = -EBUSY;
	}
	return rc < 0 ? vrms_error_set(error, rc, "%s", why.text) : 0;
}

int vrms_image_inspect(const char *path, const char *format, struct vrms_image *ret_image,
		       struct vrms_error *error)
{
	const char *argv[8] = {"qemu-img", "info", "--output=json"};
	struct vrms_child_spec spec = {.argv = argv, .timeout_ms = QEMU_IMG_MS};
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	struct vrms_image image VRMS_CLEANUP(vrms_image_done) = {0};
	size_t count = 3;
	int rc;

	if (format != NULL) {
		argv[count++] = "-f";
		argv[count++] = format;
	}
	argv[count] = path;
	rc = run_info(&spec, &result, error);
	if (rc == 0) {
		image.path = strdup(path);
		rc = image.path == NULL ? vrms_error_set(error, -ENOMEM, "out of memory")
					: take_info(result.output, &image, error);
	}
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "image '%s'", path);
	}
	*ret_image = image;
	memset(&image, 0, sizeof(image));
	return 0;
}

static int change_bitmap(const struct vrms_image *image, const char *action, const char *bitmap,
			 struct vrms_error *error)
{
	const char *const argv[] = {"qemu-img",    "bitmap",    action, "-f",
				    image->format, image->path, bitmap, NULL};
	struct vrms_child_spec spec = {.argv = argv, .timeout_ms = QEMU_IMG_MS};
	struct vrms_error why = {0};
	int64_t end_ms = lock_end_ms();
	int rc;

	do {
		rc = vrms_child_check(&spec, &why);
	} while (rc < 0 && wait_for_lock(&why, end_ms));
	return rc < 0 ? vrms_error_set(error, rc, "image '%s': %s", image->path, why.text) : 0;
}

int vrms_image_bitmap_add(const struct vrms_image *image, const char *bitmap,
			  struct vrms_error *error)
{
	return change_bitmap(image, "--add", bitmap, error);
}

int vrms_image_bitmap_remove(const struct vrms_image *image, const char *bitmap,
			     struct vrms_error *error)
{
	return change_bitmap(image, "--remove", bitmap, error);
}

static int start_server(const struct vrms_image *image, const char *bitmap,
			struct vrms_nbd_server **ret_server, struct vrms_error *error)
{
	char format[64], bitmap_option[128];
	const char *argv[12] = {"qemu-nbd", "--persistent", "--shared=8", "--read-only"};
	struct vrms_error why = {0};
	int64_t end_ms = lock_end_ms();
	size_t count = 4;
	int rc;

	snprintf(format, sizeof(format), "--format=%s", image->format);
	argv[count++] = format;
	if (bitmap != NULL) {
		snprintf(bitmap_option, sizeof(bitmap_option), "--bitmap=%s", bitmap);
		argv[count++] = bitmap_option;
	}
	argv[count] = image->path;
	do {
		rc = vrms_nbd_server_start(argv, ret_server, &why);
	} while (rc < 0 && wait_for_lock(&why, end_ms));
	return rc < 0 ? vrms_error_set(error, rc, "%s", why.text) : 0;
}

int vrms_image_open(const struct vrms_image *image, const char *bitmap,
		    struct vrms_source *ret_source, struct vrms_nbd_server **ret_server,
		    struct vrms_error *error)
{
	struct vrms_nbd_server *server VRMS_CLEANUP(vrms_nbd_server_stopp) = NULL;
	char context[160];
	struct vrms_nbd_options options = {.connections = CONNECTIONS};
	int rc;

	*ret_server = NULL;
	if (strcmp(image->format, "raw") == 0 && bitmap == NULL &&
	    !vrms_image_is_uri(image->path)) {
		return vrms_source_file_open(image->path, ret_source, error);
	}
	rc = start_server(image, bitmap, &server, error);
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "image '%s'", image->path);
	}
	options.uri = vrms_nbd_server_uri(server);
	if (bitmap != NULL) {
		snprintf(context, sizeof(context), "qemu:dirty-bitmap:%s", bitmap);
		options.dirty_bitmap = context;
	}
	rc = vrms_source_nbd_open(&options, ret_source, error);
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "image '%s'", image->path);
	}
	*ret_server = VRMS_TAKE(server);
	return 0;
}
