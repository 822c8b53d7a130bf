/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"

/* A node's name and the generation it was met in. */
struct met {
	struct vrms_name name;
	uint32_t generation;
};

struct vrms_walk {
	struct vrms_block_reader *reader;
	struct met *slots; /* open addressing; a zero name is free */
	size_t slot_count; /* a power of two */
	size_t used;
};

int vrms_walk_new(struct vrms_repository *repository, struct vrms_walk **ret_walk,
		  struct vrms_error *error)
{
	struct vrms_walk *walk VRMS_CLEANUP(vrms_walk_freep) = calloc(1, sizeof(*walk));
	int rc;

	if (walk == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	walk->slot_count = 1024;
	walk->slots = calloc(walk->slot_count, sizeof(*walk->slots));
	if (walk->slots == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = vrms_block_reader_new(repository, &walk->reader, error);
	if (rc == 0) {
		*ret_walk = VRMS_TAKE(walk);
	}
	return rc;
}

void vrms_walk_free(struct vrms_walk *walk)
{
	if (walk != NULL) {
		vrms_block_reader_free(walk->reader);
		free(walk->slots);
		free(walk);
	}
}

static struct met *find_slot(struct met *slots, size_t slot_count, const struct met *met)
{
	size_t at = vrms_le32_get(met->name.bytes) & (slot_count - 1);

	while (!vrms_name_is_zero(&slots[at].name) &&
	       (slots[at].generation != met->generation ||
		vrms_name_compare(&slots[at].name, &met->name) != 0)) {
		at = (at + 1) & (slot_count - 1);
	}
	return &slots[at];
}

static int grow(struct vrms_walk *walk)
{
	size_t slot_count = walk->slot_count * 2;
	struct met *slots = calloc(slot_count, sizeof(*slots));

	if (slots == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < walk->slot_count; i++) {
		if (!vrms_name_is_zero(&walk->slots[i].name)) {
			*find_slot(slots, slot_count, &walk->slots[i]) = walk->slots[i];
		}
	}
	free(walk->slots);
	walk->slots = slots;
	walk->slot_count = slot_count;
	return 0;
}

/* 1 when it was met before, 0 when it is new (and is now remembered). */
static int meet(struct vrms_walk *walk, const struct met *met)
{
	struct met *slot;
	int rc = 0;

	if (walk->used * 2 > walk->slot_count) {
		rc = grow(walk);
	}
	if (rc < 0) {
		return rc;
	}
	slot = find_slot(walk->slots, walk->slot_count, met);
	if (!vrms_name_is_zero(&slot->name)) {
		return 1;
	}
	*slot = *met;
	walk->used++;
	return 0;
}

struct descent {
	struct vrms_walk *walk;
	const struct vrms_walk_calls *calls;
	uint32_t generation;
	struct vrms_error *error;
};

static int read_names(struct descent *descent, const struct vrms_walk_step *step,
		      struct vrms_name *ret_names, bool *ret_lost)
{
	struct vrms_want want = {step->name, step->generation, VRMS_TREE_NODE_BYTES};
	uint8_t bytes[VRMS_TREE_NODE_BYTES];
	struct vrms_error text = {0};
	int rc = vrms_block_reader_get(descent->walk->reader, &want, bytes, &text);

	*ret_lost = rc < 0;
	if (rc == 0) {
		vrms_tree_node_decode(bytes, ret_names);
		return 0;
	}
	if (descent->calls->lost != NULL && (rc == -ENOENT || rc == -EBADMSG)) {
		return descent->calls->lost(descent->calls->context, step, text.text);
	}
	return vrms_error_set(descent->error, rc, "%s", text.text);
}

/* Depth is at most VRMS_TREE_DEPTH_MAX, so the recursion is bounded. */
static int descend(struct descent *descent, const struct vrms_name *name, unsigned int level)
{
	struct vrms_name names[VRMS_TREE_FAN];
	struct vrms_walk_step step = {*name, descent->generation, VRMS_PACK_NODES};
	struct met met = {*name, descent->generation};
	bool is_lost;
	int rc;

	if (vrms_name_is_zero(name)) {
		return 0;
	}
	rc = meet(descent->walk, &met);
	if (rc != 0) {
		return rc < 0 ? vrms_error_errno(descent->error, rc, "walk") : 0;
	}
	rc = read_names(descent, &step, names, &is_lost);
	if (rc != 0 || is_lost) {
		return rc;
	}
	rc = descent->calls->seen(descent->calls->context, &step);
	for (size_t i = 0; i < VRMS_TREE_FAN && rc == 0; i++) {
		struct vrms_walk_step block = {names[i], descent->generation, VRMS_PACK_DATA};

		if (level > 0) {
			rc = descend(descent, &names[i], level - 1);
		} else if (!vrms_name_is_zero(&names[i])) {
			rc = descent->calls->seen(descent->calls->context, &block);
		}
	}
	return rc;
}

int vrms_walk_point(struct vrms_walk *walk, const struct vrms_point *point,
		    const struct vrms_walk_calls *calls, struct vrms_error *error)
{
	struct descent descent = {walk, calls, point->generation, error};
	int rc = 0;

	for (size_t i = 0; i < point->part_count && rc == 0; i++) {
		const struct vrms_tree *tree = &point->parts[i].tree;

		rc = descend(&descent, &tree->root, vrms_tree_depth(tree->block_count) - 1);
	}
	return rc;
}
