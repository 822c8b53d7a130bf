/* command_show.c - list, show, diff, stats.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backup/cli.h"
#include "backup/command_cluster.h"
#include "backup/restore.h"

static uint64_t disk_bytes(const struct vrms_point *point)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < point->part_count; i++) {
		bytes += point->parts[i].is_disk ? point->parts[i].bytes : 0;
	}
	return bytes;
}

/* The mode of all disks, or "mixed". */
static const char *overall_mode(const struct vrms_point *point)
{
	const char *mode = NULL;

	for (size_t i = 0; i < point->part_count; i++) {
		const char *own = vrms_mode_name(point->parts[i].mode);

		if (!point->parts[i].is_disk) {
			continue;
		}
		if (mode != NULL && strcmp(mode, own) != 0) {
			return "mixed";
		}
		mode = own;
	}
	return mode != NULL ? mode : "-";
}

static int print_json(const json_t *value)
{
	int rc = json_dumpf(value, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);

	printf("\n");
	return rc == 0 ? 0 : -ENOMEM;
}

/* With what is kept beside its document. */
static json_t *encode_point(const struct vrms_point *point)
{
	json_t *value = vrms_point_encode(point);

	if (value != NULL && point->trial.time_s != 0 &&
	    json_object_set_new(value, "trial", vrms_trial_encode(&point->trial)) != 0) {
		json_decref(value);
		return NULL;
	}
	return value;
}

static int list_json(const struct vrms_point_list *list)
{
	json_t *value VRMS_CLEANUP(json_decrefp) = json_array();

	for (size_t i = 0; i < list->count; i++) {
		if (json_array_append_new(value, encode_point(&list->points[i])) != 0) {
			return -ENOMEM;
		}
	}
	return print_json(value);
}

static const char *trial_word(const struct vrms_point *point)
{
	if (point->trial.time_s == 0) {
		return "";
	}
	return point->trial.is_passed ? "  tested" : "  TEST FAILED";
}

static void list_text(const struct vrms_point_list *list)
{
	printf("%-24s %-19s %-12s %-11s %10s %10s\n", "POINT", "TIME", "MODE", "CONSISTENCY",
	       "DISKS", "STORED");
	for (size_t i = 0; i < list->count; i++) {
		const struct vrms_point *point = &list->points[i];
		char name[256], time[24], disks[16], stored[16];

		snprintf(name, sizeof(name), "%s@%" PRIu64, point->vm, point->sequence);
		printf("%-24s %-19s %-12s %-11s %10s %10s%s%s\n", name,
		       vrms_time_print(point->time_s, time), overall_mode(point),
		       point->consistency, vrms_size_print(disk_bytes(point), disks),
		       vrms_size_print(point->stored_bytes, stored),
		       point->is_self_contained ? "  self-contained" : "", trial_word(point));
	}
}

void vrms_cli_tell_damaged(const struct vrms_point_list *list)
{
	for (size_t i = 0; i < list->damaged_count; i++) {
		fprintf(stderr, "vrms-backup: damaged point: %s\n", list->damaged[i]);
	}
}

int vrms_command_list(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	struct vrms_point_list list VRMS_CLEANUP(vrms_point_list_done) = {0};
	const char *vm = cli->argument_count > 0 ? cli->arguments[0] : NULL;
	int rc = vrms_open_repository(cli, VRMS_LOCK_READER, "list", &open, error);

	if (rc == 0) {
		rc = vrms_points_read(open.repository, vm, &list, error);
	}
	if (rc == 0 && vm != NULL && list.count == 0 && list.damaged_count == 0) {
		rc = vrms_error_set(error, -ENOENT, "no backup of VM '%s'", vm);
	}
	if (rc == 0 && cli->json) {
		rc = list_json(&list);
	} else if (rc == 0) {
		list_text(&list);
	}
	vrms_cli_tell_damaged(&list);
	return rc < 0 ? rc : list.damaged_count > 0;
}

static void print_part(const struct vrms_point_part *part)
{
	char size[16], read[16], changed[16], root[2 * VRMS_NAME_BYTES + 1];

	vrms_hex_print(part->tree.root.bytes, VRMS_NAME_BYTES, root);
	printf("  %s %s: %s (%" PRIu64 " bytes)\n", part->is_disk ? "disk" : "file", part->name,
	       vrms_size_print(part->bytes, size), part->bytes);
	if (part->is_disk) {
		printf("    mode        %s%s%s\n", vrms_mode_name(part->mode),
		       part->reason[0] != '\0' ? ": " : "", part->reason);
		printf("    source      %s (%s)\n", part->source, part->format);
		printf("    read        %s, %s %s\n", vrms_size_print(part->read_bytes, read),
		       part->mode == VRMS_MODE_FULL ? "data" : "changed",
		       vrms_size_print(part->changed_bytes, changed));
		printf("    bitmap      %s\n", part->bitmap[0] != '\0' ? part->bitmap : "none");
	}
	printf("    root        %s\n", root);
}

static int show_cluster(struct vrms_repository *repository, const struct vrms_point *point,
			struct vrms_error *error)
{
	const struct vrms_point_part *part = vrms_point_find(point, VRMS_CLUSTER_FILE);
	uint8_t *data VRMS_CLEANUP(vrms_freep) = NULL;
	int rc;

	if (part == NULL) {
		return vrms_error_set(error, -ENOENT, "%s@%" PRIu64 ": the VM was in no cluster",
				      point->vm, point->sequence);
	}
	rc = vrms_restore_read(repository, part, &data, error);
	if (rc == 0) {
		fwrite(data, 1, part->bytes, stdout);
		printf("\n");
	}
	return rc;
}

int vrms_command_show(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	struct vrms_point point VRMS_CLEANUP(vrms_point_done) = {0};
	char time[24], stored[16];
	int rc = vrms_open_repository(cli, VRMS_LOCK_READER, "show", &open, error);

	if (rc == 0) {
		rc = vrms_point_read(open.repository, cli->arguments[0], &point, error);
	}
	if (rc < 0) {
		return rc;
	}
	if (cli->cluster_config) {
		return show_cluster(open.repository, &point, error);
	}
	if (cli->json) {
		json_t *value VRMS_CLEANUP(json_decrefp) = encode_point(&point);

		return value != NULL ? print_json(value) : -ENOMEM;
	}
	printf("%s@%" PRIu64 "\n", point.vm, point.sequence);
	printf("  taken         %s on %s, %s consistent\n", vrms_time_print(point.time_s, time),
	       point.host, point.consistency);
	printf("  asked for     %s%s\n", vrms_mode_name(point.mode),
	       point.is_self_contained ? ", self-contained" : "");
	printf("  base          %" PRIu64 ", last full %" PRIu64 "\n", point.base_sequence,
	       point.full_sequence);
	printf("  generation    %u\n", point.generation);
	printf("  stored        %s in %.1f s\n", vrms_size_print(point.stored_bytes, stored),
	       (double)point.duration_ms / 1000);
	if (point.checkpoint[0] != '\0') {
		printf("  checkpoint    %s\n", point.checkpoint);
	}
	if (point.trial.time_s != 0) {
		printf("  test-restore  %s on %s, %s after %.1f s: %s\n",
		       vrms_time_print(point.trial.time_s, time), point.trial.host,
		       point.trial.is_passed ? "works" : "FAILED",
		       (double)point.trial.took_ms / 1000, point.trial.text);
	}
	for (size_t i = 0; i < point.part_count; i++) {
		print_part(&point.parts[i]);
	}
	return 0;
}

struct comparison {
	uint64_t changed, added, removed; /* blocks */
};

static int count_change(void *context, const struct vrms_tree_change *change)
{
	struct comparison *comparison = context;

	if (vrms_name_is_zero(&change->from)) {
		comparison->added++;
	} else if (vrms_name_is_zero(&change->to)) {
		comparison->removed++;
	} else {
		comparison->changed++;
	}
	return 0;
}

static int compare_parts(struct vrms_repository *repository, const struct vrms_point_part *from,
			 const struct vrms_point_part *to, struct comparison *comparison,
			 struct vrms_error *error)
{
	struct vrms_block_reader *reader VRMS_CLEANUP(vrms_block_reader_freep) = NULL;
	struct vrms_tree_cursor *a VRMS_CLEANUP(vrms_tree_cursor_freep) = NULL;
	struct vrms_tree_cursor *b VRMS_CLEANUP(vrms_tree_cursor_freep) = NULL;
	int rc = vrms_block_reader_new(repository, &reader, error);

	if (rc == 0) {
		rc = vrms_tree_cursor_new(reader, &from->tree, &a, error);
	}
	if (rc == 0) {
		rc = vrms_tree_cursor_new(reader, &to->tree, &b, error);
	}
	return rc == 0 ? vrms_tree_diff(a, b, count_change, comparison, error) : rc;
}

static int diff_part(const struct vrms_open *open, const struct vrms_point *from,
		     const struct vrms_point_part *to, json_t *rows, struct vrms_error *error)
{
	uint64_t block = vrms_repository_config(open->repository)->block_bytes;
	const struct vrms_point_part *old = vrms_point_find(from, to->name);
	struct comparison comparison = {0};
	char changed[16], added[16], removed[16];
	int rc;

	if (old == NULL) {
		if (rows == NULL) {
			printf("%s: only in the second point\n", to->name);
		}
		return 0;
	}
	rc = compare_parts(open->repository, old, to, &comparison, error);
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "'%s'", to->name);
	}
	if (rows != NULL) {
		json_array_append_new(
		    rows, json_pack("{s:s,s:I,s:I,s:I,s:I,s:I}", "name", to->name, "from_bytes",
				    (json_int_t)old->bytes, "to_bytes", (json_int_t)to->bytes,
				    "changed_bytes", (json_int_t)(comparison.changed * block),
				    "added_bytes", (json_int_t)(comparison.added * block),
				    "removed_bytes", (json_int_t)(comparison.removed * block)));
		return 0;
	}
	printf("%s: %" PRIu64 " blocks: changed %s, added %s, removed %s%s\n", to->name,
	       comparison.changed + comparison.added + comparison.removed,
	       vrms_size_print(comparison.changed * block, changed),
	       vrms_size_print(comparison.added * block, added),
	       vrms_size_print(comparison.removed * block, removed),
	       old->bytes != to->bytes ? ", another size" : "");
	return 0;
}

int vrms_command_diff(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	struct vrms_point from VRMS_CLEANUP(vrms_point_done) = {0};
	struct vrms_point to VRMS_CLEANUP(vrms_point_done) = {0};
	json_t *rows VRMS_CLEANUP(json_decrefp) = cli->json ? json_array() : NULL;
	int rc = vrms_open_repository(cli, VRMS_LOCK_READER, "diff", &open, error);

	if (rc == 0) {
		rc = vrms_point_read(open.repository, cli->arguments[0], &from, error);
	}
	if (rc == 0) {
		rc = vrms_point_read(open.repository, cli->arguments[1], &to, error);
	}
	for (size_t i = 0; i < to.part_count && rc == 0; i++) {
		rc = diff_part(&open, &from, &to.parts[i], rows, error);
	}
	for (size_t i = 0; i < from.part_count && rc == 0; i++) {
		if (vrms_point_find(&to, from.parts[i].name) == NULL && rows == NULL) {
			printf("%s: only in the first point\n", from.parts[i].name);
		}
	}
	return rc == 0 && rows != NULL ? print_json(rows) : rc;
}

struct totals {
	uint64_t packs, pack_bytes, points, disk_bytes, stored_bytes, vms;
};

static int add_up(struct vrms_repository *repository, struct totals *totals,
		  struct vrms_error *error)
{
	struct vrms_point_list list VRMS_CLEANUP(vrms_point_list_done) = {0};
	struct vrms_index *index;
	int rc = vrms_points_read(repository, NULL, &list, error);

	if (rc == 0) {
		rc = vrms_repository_index(repository, &index, error);
	}
	for (uint32_t i = 0; rc == 0 && i < vrms_index_pack_count(index); i++) {
		if (!vrms_index_pack_is_missing(index, i)) {
			totals->packs++;
			totals->pack_bytes += vrms_index_pack(index, i).pack_bytes;
		}
	}
	for (size_t i = 0; i < list.count && rc == 0; i++) {
		totals->points++;
		totals->disk_bytes += disk_bytes(&list.points[i]);
		totals->stored_bytes += list.points[i].stored_bytes;
		totals->vms += i == 0 || strcmp(list.points[i].vm, list.points[i - 1].vm) != 0;
	}
	return rc;
}

int vrms_command_stats(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	struct totals totals = {0};
	char packs[16], disks[16];
	int rc = vrms_open_repository(cli, VRMS_LOCK_READER, "stats", &open, error);

	if (rc == 0) {
		rc = add_up(open.repository, &totals, error);
	}
	if (rc < 0) {
		return rc;
	}
	if (cli->json) {
		json_t *value VRMS_CLEANUP(json_decrefp) =
		    json_pack("{s:I,s:I,s:I,s:I,s:I}", "vms", (json_int_t)totals.vms, "points",
			      (json_int_t)totals.points, "disk_bytes",
			      (json_int_t)totals.disk_bytes, "packs", (json_int_t)totals.packs,
			      "pack_bytes", (json_int_t)totals.pack_bytes);

		return value != NULL ? print_json(value) : -ENOMEM;
	}
	printf("%" PRIu64 " points of %" PRIu64 " VMs, together %s of disks, in %" PRIu64
	       " packs of %s\n",
	       totals.points, totals.vms, vrms_size_print(totals.disk_bytes, disks), totals.packs,
	       vrms_size_print(totals.pack_bytes, packs));
	return 0;
}
