/* point.h - a restore point: one VM at one moment, complete by itself.
 *
 * It exists exactly when its document is in points/.  Order is the sequence
 * number, which only the holder of the write lock gives out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_POINT_H
#define VRMS_BACKUP_POINT_H

#include <jansson.h>

#include "backup/repository.h"
#include "backup/tree.h"

enum vrms_mode {
	VRMS_MODE_AUTO, /* asked for only; a point has one of the others */
	VRMS_MODE_FULL,
	VRMS_MODE_INCREMENTAL,
	VRMS_MODE_DIFFERENTIAL,
};

const char *vrms_mode_name(enum vrms_mode mode);
VRMS_MUST_CHECK int vrms_mode_parse(const char *text, enum vrms_mode *ret_mode,
				    struct vrms_error *error);

/* A disk, or a file that belongs to the VM ("domain.xml", "nvram", "tpm"...). */
struct vrms_point_part {
	char *name; /* of a disk: its target, such as "vda" */
	bool is_disk;
	uint64_t bytes;
	struct vrms_tree tree;
	enum vrms_mode mode; /* how this part was taken */
	char *reason;        /* why in this mode, "" when as asked */
	char *format;        /* of the image: "qcow2", "raw"; "" unknown */
	char *source;        /* where it was; "" unknown */
	char *bitmap;        /* that starts at this point, so that it can be a base; "" none */
	uint64_t read_bytes; /* from the disk */
	uint64_t
	    changed_bytes; /* blocks that differ from the base's, or that hold data in a full */
};

/* The last time somebody started the VM from a point to see whether it works. */
struct vrms_trial {
	int64_t time_s; /* since 1970; 0: never */
	bool is_passed;
	int64_t took_ms;
	char text[160]; /* what was seen, or why not */
	char host[80];
};

struct vrms_point {
	char *vm;
	char *uuid; /* "" unknown */
	uint64_t sequence;
	int64_t time_s;      /* since 1970, as the host believed */
	uint32_t generation; /* whose packs hold everything the point needs */
	bool is_self_contained;
	enum vrms_mode mode; /* asked for */
	char *consistency;   /* "application", "filesystem", "crash", "offline" */
	char *host;
	char *checkpoint;       /* libvirt's, "" none */
	uint64_t base_sequence; /* 0 none */
	uint64_t full_sequence; /* of the last full, itself when it is one */
	uint64_t stored_bytes;  /* added to the repository */
	int64_t duration_ms;
	struct vrms_point_part *parts;
	size_t part_count;
	struct vrms_trial trial; /* beside its document: not set by _decode */
};

void vrms_point_init(struct vrms_point *point);
void vrms_point_done(struct vrms_point *point); /* for VRMS_CLEANUP; accepts a zeroed one */

/* Adds a zeroed part with empty texts; NULL when out of memory. */
struct vrms_point_part *vrms_point_add(struct vrms_point *point, const char *name, bool is_disk);
/* NULL when there is none. */
const struct vrms_point_part *vrms_point_find(const struct vrms_point *point, const char *name);

/* The caller owns the result; NULL when out of memory. */
json_t *vrms_point_encode(const struct vrms_point *point);
VRMS_MUST_CHECK int vrms_point_decode(const json_t *value, struct vrms_point *ret_point,
				      struct vrms_error *error);

/* All points of a VM (vm: NULL for all VMs), by VM, then by sequence. */
struct vrms_point_list {
	struct vrms_point *points;
	size_t count;
	char **damaged; /* "vm@7: text" of those that could not be read */
	size_t damaged_count;
};
void vrms_point_list_done(struct vrms_point_list *list);

/* Damaged ones are listed, not an error. */
VRMS_MUST_CHECK int vrms_points_read(struct vrms_repository *repository, const char *vm,
				     struct vrms_point_list *ret_list, struct vrms_error *error);

/* Reads one point by its name: "VM@7", "VM@latest", or "VM" for the latest.
 * Returns -ENOENT when there is no such point, -EINVAL when it is no name. */
VRMS_MUST_CHECK int vrms_point_read(struct vrms_repository *repository, const char *name,
				    struct vrms_point *ret_point, struct vrms_error *error);

/* Keeps a trial's result with its point, in place of the last one.  Needs the write lock. */
VRMS_MUST_CHECK int vrms_trial_write(struct vrms_repository *repository,
				     const struct vrms_point *point, const struct vrms_trial *trial,
				     struct vrms_error *error);
/* NULL when out of memory. */
json_t *vrms_trial_encode(const struct vrms_trial *trial);

/* Makes a point visible, durably.  What it names must have been flushed.
 * sequence: 0 takes the next one, and sets it: one that no point of this VM ever had. */
VRMS_MUST_CHECK int vrms_point_commit(struct vrms_repository *repository, struct vrms_point *point,
				      struct vrms_error *error);

/* Removes it; what only it used is freed by the next prune. */
VRMS_MUST_CHECK int vrms_point_remove(struct vrms_repository *repository,
				      const struct vrms_point *point, struct vrms_error *error);

/* The highest generation of any point, 0 when there is none. */
uint32_t vrms_points_generation_max(const struct vrms_point_list *list);

#endif
