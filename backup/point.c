/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/point.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const modes[] = {
    [VRMS_MODE_AUTO] = "auto",
    [VRMS_MODE_FULL] = "full",
    [VRMS_MODE_INCREMENTAL] = "incremental",
    [VRMS_MODE_DIFFERENTIAL] = "differential",
};

const char *vrms_mode_name(enum vrms_mode mode)
{
	return modes[mode];
}

int vrms_mode_parse(const char *text, enum vrms_mode *ret_mode, struct vrms_error *error)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(modes); i++) {
		if (strcmp(text, modes[i]) == 0) {
			*ret_mode = (enum vrms_mode)i;
			return 0;
		}
	}
	return vrms_error_set(error, -EINVAL,
			      "unknown mode '%s' (full, incremental, differential, auto)", text);
}

void vrms_point_init(struct vrms_point *point)
{
	memset(point, 0, sizeof(*point));
}

void vrms_point_done(struct vrms_point *point)
{
	for (size_t i = 0; i < point->part_count; i++) {
		struct vrms_point_part *part = &point->parts[i];

		free(part->name);
		free(part->reason);
		free(part->format);
		free(part->source);
		free(part->bitmap);
	}
	free(point->parts);
	free(point->vm);
	free(point->uuid);
	free(point->consistency);
	free(point->host);
	free(point->checkpoint);
	vrms_point_init(point);
}

struct vrms_point_part *vrms_point_add(struct vrms_point *point, const char *name, bool is_disk)
{
	struct vrms_point_part *parts =
	    realloc(point->parts, (point->part_count + 1) * sizeof(*parts));
	struct vrms_point_part part = {.is_disk = is_disk};

	if (parts == NULL) {
		return NULL;
	}
	point->parts = parts;
	part.name = strdup(name);
	part.reason = strdup("");
	part.format = strdup("");
	part.source = strdup("");
	part.bitmap = strdup("");
	parts[point->part_count++] = part;
	return part.name != NULL && part.reason != NULL && part.format != NULL &&
		       part.source != NULL && part.bitmap != NULL
		   ? &parts[point->part_count - 1]
		   : NULL;
}

const struct vrms_point_part *vrms_point_find(const struct vrms_point *point, const char *name)
{
	for (size_t i = 0; i < point->part_count; i++) {
		if (strcmp(point->parts[i].name, name) == 0) {
			return &point->parts[i];
		}
	}
	return NULL;
}

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static json_t *encode_part(const struct vrms_point_part *part)
{
	char root[2 * VRMS_NAME_BYTES + 1];

	vrms_hex_print(part->tree.root.bytes, VRMS_NAME_BYTES, root);
	return json_pack("{s:s,s:s,s:I,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I}", "name", part->name,
			 "kind", part->is_disk ? "disk" : "file", "bytes", (json_int_t)part->bytes,
			 "blocks", (json_int_t)part->tree.block_count, "root", root, "mode",
			 vrms_mode_name(part->mode), "reason", or_empty(part->reason), "format",
			 or_empty(part->format), "source", or_empty(part->source), "bitmap",
			 or_empty(part->bitmap), "read_bytes", (json_int_t)part->read_bytes,
			 "changed_bytes", (json_int_t)part->changed_bytes);
}

json_t *vrms_point_encode(const struct vrms_point *point)
{
	json_t *value VRMS_CLEANUP(json_decrefp) =
	    json_pack("{s:s,s:s,s:I,s:I,s:I,s:b,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:[]}", "vm",
		      point->vm, "uuid", or_empty(point->uuid), "sequence",
		      (json_int_t)point->sequence, "time", (json_int_t)point->time_s, "generation",
		      (json_int_t)point->generation, "self_contained",
		      (int)point->is_self_contained, "mode", vrms_mode_name(point->mode),
		      "consistency", or_empty(point->consistency), "host", or_empty(point->host),
		      "checkpoint", or_empty(point->checkpoint), "base",
		      (json_int_t)point->base_sequence, "full", (json_int_t)point->full_sequence,
		      "stored_bytes", (json_int_t)point->stored_bytes, "duration_ms",
		      (json_int_t)point->duration_ms, "parts");

	for (size_t i = 0; i < point->part_count; i++) {
		if (json_array_append_new(json_object_get(value, "parts"),
					  encode_part(&point->parts[i])) != 0) {
			return NULL;
		}
	}
	return VRMS_TAKE(value);
}

static int take_text(char **ret_text, const char *text)
{
	free(*ret_text);
	*ret_text = strdup(text);
	return *ret_text != NULL ? 0 : -ENOMEM;
}

static int decode_part(json_t *value, struct vrms_point *point, struct vrms_error *error)
{
	const char *name, *kind, *root, *mode, *reason, *format, *source, *bitmap;
	json_int_t bytes, blocks, read_bytes, changed_bytes;
	struct vrms_point_part *part;
	json_error_t problem;
	int rc;

	if (json_unpack_ex(value, &problem, 0, "{s:s,s:s,s:I,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I}",
			   "name", &name, "kind", &kind, "bytes", &bytes, "blocks", &blocks, "root",
			   &root, "mode", &mode, "reason", &reason, "format", &format, "source",
			   &source, "bitmap", &bitmap, "read_bytes", &read_bytes, "changed_bytes",
			   &changed_bytes) != 0) {
		return vrms_error_set(error, -EBADMSG, "%s", problem.text);
	}
	part = vrms_point_add(point, name, strcmp(kind, "disk") == 0);
	if (part == NULL || take_text(&part->reason, reason) < 0 ||
	    take_text(&part->format, format) < 0 || take_text(&part->source, source) < 0 ||
	    take_text(&part->bitmap, bitmap) < 0) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = vrms_mode_parse(mode, &part->mode, error);
	if (rc < 0 || bytes < 0 || blocks < 0 ||
	    vrms_hex_parse(root, part->tree.root.bytes, VRMS_NAME_BYTES) < 0) {
		return vrms_error_set(error, -EBADMSG, "part '%s': impossible values", name);
	}
	part->bytes = (uint64_t)bytes;
	part->tree.block_count = (uint64_t)blocks;
	part->tree.generation = point->generation;
	part->read_bytes = (uint64_t)read_bytes;
	part->changed_bytes = (uint64_t)changed_bytes;
	return 0;
}

struct texts {
	const char *vm, *uuid, *mode, *consistency, *host, *checkpoint;
};

static int take_texts(struct vrms_point *point, const struct texts *texts)
{
	return take_text(&point->vm, texts->vm) < 0 || take_text(&point->uuid, texts->uuid) < 0 ||
		       take_text(&point->consistency, texts->consistency) < 0 ||
		       take_text(&point->host, texts->host) < 0 ||
		       take_text(&point->checkpoint, texts->checkpoint) < 0
		   ? -ENOMEM
		   : 0;
}

static int decode(json_t *value, struct vrms_point *point, struct vrms_error *error)
{
	json_int_t sequence, time_s, generation, base, full, stored, duration;
	struct texts texts;
	json_t *parts, *part;
	json_error_t problem;
	int is_self_contained, rc;
	size_t i;

	if (json_unpack_ex(value, &problem, 0,
			   "{s:s,s:s,s:I,s:I,s:I,s:b,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:o}", "vm",
			   &texts.vm, "uuid", &texts.uuid, "sequence", &sequence, "time", &time_s,
			   "generation", &generation, "self_contained", &is_self_contained, "mode",
			   &texts.mode, "consistency", &texts.consistency, "host", &texts.host,
			   "checkpoint", &texts.checkpoint, "base", &base, "full", &full,
			   "stored_bytes", &stored, "duration_ms", &duration, "parts",
			   &parts) != 0) {
		return vrms_error_set(error, -EBADMSG, "%s", problem.text);
	}
	if (take_texts(point, &texts) < 0) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = vrms_mode_parse(texts.mode, &point->mode, error);
	point->sequence = (uint64_t)sequence;
	point->time_s = time_s;
	point->generation = (uint32_t)generation;
	point->is_self_contained = is_self_contained != 0;
	point->base_sequence = (uint64_t)base;
	point->full_sequence = (uint64_t)full;
	point->stored_bytes = (uint64_t)stored;
	point->duration_ms = duration;
	json_array_foreach(parts, i, part)
	{
		if (rc == 0) {
			rc = decode_part(part, point, error);
		}
	}
	return rc;
}

int vrms_point_decode(const json_t *value, struct vrms_point *ret_point, struct vrms_error *error)
{
	struct vrms_point point VRMS_CLEANUP(vrms_point_done) = {0};
	int rc = decode((json_t *)(uintptr_t)value, &point, error);

	if (rc == 0) {
		*ret_point = point;
		vrms_point_init(&point);
	}
	return rc;
}
