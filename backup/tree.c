/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct node {
	bool is_loaded;
	bool is_dirty;
	uint64_t index; /* among the nodes of its level */
	struct vrms_name names[VRMS_TREE_FAN];
};

struct vrms_tree_cursor {
	struct vrms_block_reader *reader;
	struct vrms_tree tree;
	unsigned int depth;
	struct node *nodes; /* one per level */
};

struct vrms_tree_builder {
	struct vrms_session *session;
	struct vrms_block_reader *reader;
	struct vrms_tree base;
	unsigned int base_depth; /* 0 without base */
	uint64_t block_count;
	unsigned int depth;
	struct node *nodes;
};

unsigned int vrms_tree_depth(uint64_t block_count)
{
	unsigned int depth = 1;

	while (depth < VRMS_TREE_DEPTH_MAX && block_count > (uint64_t)1
								<< (depth * VRMS_TREE_FAN_BITS)) {
		depth++;
	}
	return depth;
}

void vrms_tree_node_encode(const struct vrms_name *names, uint8_t *ret_bytes)
{
	for (size_t i = 0; i < VRMS_TREE_FAN; i++) {
		memcpy(ret_bytes + i * VRMS_NAME_BYTES, names[i].bytes, VRMS_NAME_BYTES);
	}
}

void vrms_tree_node_decode(const uint8_t *bytes, struct vrms_name *ret_names)
{
	for (size_t i = 0; i < VRMS_TREE_FAN; i++) {
		memcpy(ret_names[i].bytes, bytes + i * VRMS_NAME_BYTES, VRMS_NAME_BYTES);
	}
}

static int read_node(struct vrms_block_reader *reader, const struct vrms_name *name,
		     uint32_t generation, struct node *node, struct vrms_error *error)
{
	struct vrms_want want = {
	    .name = *name,
	    .generation = generation,
	    .raw_bytes = VRMS_TREE_NODE_BYTES,
	};
	uint8_t bytes[VRMS_TREE_NODE_BYTES];
	int rc = vrms_block_reader_get(reader, &want, bytes, error);

	if (rc == 0) {
		vrms_tree_node_decode(bytes, node->names);
	}
	return rc;
}

int vrms_tree_cursor_new(struct vrms_block_reader *reader, const struct vrms_tree *tree,
			 struct vrms_tree_cursor **ret_cursor, struct vrms_error *error)
{
	struct vrms_tree_cursor *cursor VRMS_CLEANUP(vrms_tree_cursor_freep) =
	    calloc(1, sizeof(*cursor));

	if (cursor != NULL) {
		cursor->reader = reader;
		cursor->tree = *tree;
		cursor->depth = vrms_tree_depth(tree->block_count);
		cursor->nodes = calloc(cursor->depth, sizeof(*cursor->nodes));
	}
	if (cursor == NULL || cursor->nodes == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	*ret_cursor = VRMS_TAKE(cursor);
	return 0;
}

void vrms_tree_cursor_free(struct vrms_tree_cursor *cursor)
{
	if (cursor != NULL) {
		free(cursor->nodes);
		free(cursor);
	}
}

static int seek_node(struct vrms_tree_cursor *cursor, unsigned int level, uint64_t index,
		     struct vrms_error *error)
{
	struct node *node = &cursor->nodes[level];
	struct vrms_name name = cursor->tree.root;
	int rc;

	if (node->is_loaded && node->index == index) {
		return 0;
	}
	if (level + 1 < cursor->depth) {
		const struct node *parent = &cursor->nodes[level + 1];

		rc = seek_node(cursor, level + 1, index >> VRMS_TREE_FAN_BITS, error);
		if (rc < 0) {
			return rc;
		}
		name = parent->names[index % VRMS_TREE_FAN];
	}
	node->is_loaded = false;
	rc = read_node(cursor->reader, &name, cursor->tree.generation, node, error);
	node->index = index;
	node->is_loaded = rc == 0;
	return rc;
}

/* Nodes of one level. */
static uint64_t node_count(uint64_t block_count, unsigned int level)
{
	unsigned int bits = (level + 1) * VRMS_TREE_FAN_BITS;
	uint64_t mask = ((uint64_t)1 << bits) - 1;

	return (block_count >> bits) + ((block_count & mask) != 0);
}

int vrms_tree_cursor_subtree(struct vrms_tree_cursor *cursor, unsigned int level, uint64_t index,
			     struct vrms_name *ret_name, struct vrms_error *error)
{
	int rc;

	if (index >= node_count(cursor->tree.block_count, level)) {
		memset(ret_name, 0, sizeof(*ret_name));
		return 0;
	}
	if (level + 1 == cursor->depth) {
		*ret_name = cursor->tree.root;
		return 0;
	}
	rc = seek_node(cursor, level + 1, index >> VRMS_TREE_FAN_BITS, error);
	if (rc == 0) {
		*ret_name = cursor->nodes[level + 1].names[index % VRMS_TREE_FAN];
	}
	return rc;
}

int vrms_tree_cursor_leaf(struct vrms_tree_cursor *cursor, uint64_t index,
			  const struct vrms_name **ret_names, struct vrms_error *error)
{
	static const struct vrms_name zeros[VRMS_TREE_FAN];
	int rc;

	if (index >= node_count(cursor->tree.block_count, 0)) {
		*ret_names = zeros;
		return 0;
	}
	rc = seek_node(cursor, 0, index, error);
	*ret_names = cursor->nodes[0].names;
	return rc;
}

/* Skips the largest equal subtrees that start at this block; a level 0 node at least must be
 * aligned.  Returns 1 when it moved, 0 when the node here differs, or -errno. */
static int skip_equal(struct vrms_tree_cursor *from, struct vrms_tree_cursor *to, uint64_t *block,
		      struct vrms_error *error)
{
	unsigned int depth = from->depth < to->depth ? from->depth : to->depth;

	for (unsigned int level = depth; level-- > 0;) {
		unsigned int bits = (level + 1) * VRMS_TREE_FAN_BITS;
		struct vrms_name a, b;
		int rc;

		if ((*block & (((uint64_t)1 << bits) - 1)) != 0) {
			continue;
		}
		rc = vrms_tree_cursor_subtree(from, level, *block >> bits, &a, error);
		if (rc == 0) {
			rc = vrms_tree_cursor_subtree(to, level, *block >> bits, &b, error);
		}
		if (rc < 0) {
			return rc;
		}
		if (vrms_name_compare(&a, &b) == 0) {
			*block += (uint64_t)1 << bits;
			return 1;
		}
	}
	return 0;
}

static int diff_leaf(struct vrms_tree_cursor *from, struct vrms_tree_cursor *to, uint64_t block,
		     int (*seen)(void *, const struct vrms_tree_change *), void *context,
		     struct vrms_error *error)
{
	const struct vrms_name *a, *b;
	int rc = vrms_tree_cursor_leaf(from, block >> VRMS_TREE_FAN_BITS, &a, error);

	if (rc == 0) {
		rc = vrms_tree_cursor_leaf(to, block >> VRMS_TREE_FAN_BITS, &b, error);
	}
	for (size_t i = 0; i < VRMS_TREE_FAN && rc == 0; i++) {
		struct vrms_tree_change change = {.block = block + i, .from = a[i], .to = b[i]};

		if (vrms_name_compare(&a[i], &b[i]) != 0) {
			rc = seen(context, &change);
		}
	}
	return rc;
}

int vrms_tree_diff(struct vrms_tree_cursor *from, struct vrms_tree_cursor *to,
		   int (*seen)(void *context, const struct vrms_tree_change *), void *context,
		   struct vrms_error *error)
{
	uint64_t count = from->tree.block_count > to->tree.block_count ? from->tree.block_count
								       : to->tree.block_count;
	uint64_t block = 0;
	int rc = 0;

	while (block < count && rc == 0) {
		rc = skip_equal(from, to, &block, error);
		if (rc == 0) {
			rc = diff_leaf(from, to, block, seen, context, error);
			block += VRMS_TREE_FAN;
		} else if (rc > 0) {
			rc = 0;
		}
	}
	return rc;
}

/* Building. */

/* A node above the base tree's root has the base as its first child; everything
 * else there is new.  Such a node must be written, whatever is set later. */
static int load_node(struct vrms_tree_builder *builder, unsigned int level, uint64_t index,
		     struct vrms_error *error)
{
	struct node *node = &builder->nodes[level];
	struct vrms_name name = builder->base.root;

	node->index = index;
	node->is_dirty = false;
	node->is_loaded = true;
	if (level >= builder->base_depth) {
		memset(node->names, 0, sizeof(node->names));
		if (index == 0 && builder->base_depth > 0) {
			node->is_dirty = true;
			if (level == builder->base_depth) {
				node->names[0] = builder->base.root;
			}
		}
		return 0;
	}
	if (level + 1 < builder->depth) {
		name = builder->nodes[level + 1].names[index % VRMS_TREE_FAN];
	}
	if (vrms_name_is_zero(&name)) {
		memset(node->names, 0, sizeof(node->names));
		return 0;
	}
	return read_node(builder->reader, &name, builder->base.generation, node, error);
}

/* Stores a changed node and tells its parent. */
static int flush_node(struct vrms_tree_builder *builder, unsigned int level,
		      struct vrms_error *error)
{
	struct node *node = &builder->nodes[level];
	uint8_t bytes[VRMS_TREE_NODE_BYTES];
	struct vrms_name name;
	int rc;

	if (!node->is_dirty) {
		return 0;
	}
	vrms_tree_node_encode(node->names, bytes);
	rc = vrms_session_put_raw(builder->session, VRMS_PACK_NODES, bytes, sizeof(bytes), &name,
				  error);
	if (rc < 0) {
		return rc;
	}
	node->is_dirty = false;
	if (level + 1 < builder->depth) {
		struct node *parent = &builder->nodes[level + 1];

		parent->names[node->index % VRMS_TREE_FAN] = name;
		parent->is_dirty = true;
	} else {
		builder->base.root = name;
	}
	return 0;
}

static int seek_block(struct vrms_tree_builder *builder, uint64_t block, struct vrms_error *error)
{
	unsigned int moved = 0; /* levels whose node changes */
	int rc = 0;

	while (moved < builder->depth &&
	       (!builder->nodes[moved].is_loaded ||
		builder->nodes[moved].index != block >> ((moved + 1) * VRMS_TREE_FAN_BITS))) {
		moved++;
	}
	for (unsigned int level = 0; level < moved && rc == 0; level++) {
		rc = flush_node(builder, level, error);
	}
	for (unsigned int level = moved; level-- > 0 && rc == 0;) {
		rc = load_node(builder, level, block >> ((level + 1) * VRMS_TREE_FAN_BITS), error);
	}
	return rc;
}

int vrms_tree_builder_new(struct vrms_session *session, struct vrms_block_reader *reader,
			  const struct vrms_tree *base, uint64_t block_count,
			  struct vrms_tree_builder **ret_builder)
{
	struct vrms_tree_builder *builder VRMS_CLEANUP(vrms_tree_builder_freep) =
	    calloc(1, sizeof(*builder));

	if (builder == NULL) {
		return -ENOMEM;
	}
	if (base != NULL && base->block_count > block_count) {
		return -EINVAL;
	}
	builder->session = session;
	builder->reader = reader;
	builder->block_count = block_count;
	builder->depth = vrms_tree_depth(block_count);
	if (base != NULL) {
		builder->base = *base;
		builder->base_depth = vrms_tree_depth(base->block_count);
	}
	builder->nodes = calloc(builder->depth, sizeof(*builder->nodes));
	if (builder->nodes == NULL) {
		return -ENOMEM;
	}
	*ret_builder = VRMS_TAKE(builder);
	return 0;
}

void vrms_tree_builder_free(struct vrms_tree_builder *builder)
{
	if (builder != NULL) {
		free(builder->nodes);
		free(builder);
	}
}

int vrms_tree_builder_set(struct vrms_tree_builder *builder, uint64_t block,
			  const struct vrms_name *name, bool *ret_changed, struct vrms_error *error)
{
	struct node *leaf = &builder->nodes[0];
	struct vrms_name *slot;
	bool is_changed;
	int rc = seek_block(builder, block, error);

	if (rc < 0) {
		return rc;
	}
	slot = &leaf->names[block % VRMS_TREE_FAN];
	is_changed = vrms_name_compare(slot, name) != 0;
	if (is_changed) {
		*slot = *name;
		leaf->is_dirty = true;
	}
	if (ret_changed != NULL) {
		*ret_changed = is_changed;
	}
	return 0;
}

int vrms_tree_builder_finish(struct vrms_tree_builder *builder, struct vrms_tree *ret_tree,
			     struct vrms_error *error)
{
	/* A tree that only grew has its new upper nodes to write. */
	int rc = builder->nodes[0].is_loaded ? 0 : seek_block(builder, 0, error);

	for (unsigned int level = 0; level < builder->depth && rc == 0; level++) {
		rc = flush_node(builder, level, error);
	}
	if (rc < 0) {
		return rc;
	}
	ret_tree->root = builder->base.root;
	ret_tree->block_count = builder->block_count;
	ret_tree->generation = vrms_session_generation(builder->session);
	return 0;
}
