/* tree.h - the map of a disk: a tree of block names with 128 children a node.
 *
 * A node is 128 names, 4096 bytes, and is stored and named as a block is.  A
 * zero name stands for a subtree of zeros.  Level 0 nodes name data blocks.
 * Two disks that agree in a region share the nodes over it, so an incremental
 * writes a few nodes and still has the whole map.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_TREE_H
#define VRMS_BACKUP_TREE_H

#include "backup/session.h"

enum {
	VRMS_TREE_FAN_BITS = 7,
	VRMS_TREE_FAN = 1 << VRMS_TREE_FAN_BITS,
	VRMS_TREE_NODE_BYTES = VRMS_TREE_FAN * VRMS_NAME_BYTES,
	VRMS_TREE_DEPTH_MAX = 9,
};

struct vrms_tree {
	struct vrms_name root;
	uint64_t block_count;
	uint32_t generation; /* whose copies are read first */
};

/* Levels of nodes over so many blocks; at least 1. */
unsigned int vrms_tree_depth(uint64_t block_count);

void vrms_tree_node_encode(const struct vrms_name *names, uint8_t *ret_bytes);
void vrms_tree_node_decode(const uint8_t *bytes, struct vrms_name *ret_names);

/* Reads a tree; remembers the nodes on the way to the last block. */
struct vrms_tree_cursor;
VRMS_MUST_CHECK int vrms_tree_cursor_new(struct vrms_block_reader *reader,
					 const struct vrms_tree *tree,
					 struct vrms_tree_cursor **ret_cursor,
					 struct vrms_error *error);
void vrms_tree_cursor_free(struct vrms_tree_cursor *cursor); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_tree_cursor *, vrms_tree_cursor_free);

/* The name of the subtree `index` at `level` (0: a level 0 node); zero beyond the end.
 * Level must be below the tree's depth. */
VRMS_MUST_CHECK int vrms_tree_cursor_subtree(struct vrms_tree_cursor *cursor, unsigned int level,
					     uint64_t index, struct vrms_name *ret_name,
					     struct vrms_error *error);

/* The VRMS_TREE_FAN names of the level 0 node `index`; zeros beyond the end. Borrowed. */
VRMS_MUST_CHECK int vrms_tree_cursor_leaf(struct vrms_tree_cursor *cursor, uint64_t index,
					  const struct vrms_name **ret_names,
					  struct vrms_error *error);

/* One changed block. */
struct vrms_tree_change {
	uint64_t block;
	struct vrms_name from, to;
};

/* Calls `seen` for each block that differs, rising; a non-zero return ends it and is returned. */
VRMS_MUST_CHECK int vrms_tree_diff(struct vrms_tree_cursor *from, struct vrms_tree_cursor *to,
				   int (*seen)(void *context, const struct vrms_tree_change *),
				   void *context, struct vrms_error *error);

/* Writes a tree. */
struct vrms_tree_builder;

/* base: the tree to change, not longer than block_count; NULL: all zeros.
 * reader: of the session's repository; NULL only without base. */
VRMS_MUST_CHECK int vrms_tree_builder_new(struct vrms_session *session,
					  struct vrms_block_reader *reader,
					  const struct vrms_tree *base, uint64_t block_count,
					  struct vrms_tree_builder **ret_builder);
void vrms_tree_builder_free(struct vrms_tree_builder *builder); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_tree_builder *, vrms_tree_builder_free);

/* Sets one block's name; blocks must come in rising order.
 * ret_changed: whether the base had another one; may be NULL. */
VRMS_MUST_CHECK int vrms_tree_builder_set(struct vrms_tree_builder *builder, uint64_t block,
					  const struct vrms_name *name, bool *ret_changed,
					  struct vrms_error *error);

/* Stores what is left (the caller flushes the session). */
VRMS_MUST_CHECK int vrms_tree_builder_finish(struct vrms_tree_builder *builder,
					     struct vrms_tree *ret_tree, struct vrms_error *error);

#endif
