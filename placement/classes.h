/* classes.h - which VMs must run together and on which nodes, derived from hard rules.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_CLASSES_H
#define VRMS_PLACEMENT_CLASSES_H

#include "placement/model_data.h"

struct vrms_classes {
	int *parent;   /* [vm] union-find forest; the root stands for the class */
	int *set_of;   /* [vm] node set of a root, -1: all nodes */
	uint64_t *set; /* [set_count][words] */
	int set_count, words;
};

/* Takes the memory for any selection of the model's rules.  Returns 0 or -ENOMEM. */
VRMS_MUST_CHECK int vrms_classes_init(struct vrms_classes *classes, const struct vrms_model *model);
void vrms_classes_done(struct vrms_classes *classes); /* accepts a zeroed one */

/* Derives the classes from the hard rules whose off[] is false; off NULL: from all. */
void vrms_classes_build(struct vrms_classes *classes, const struct vrms_model *model,
			const bool *off);

int vrms_classes_root(const struct vrms_classes *classes, int vm);

/* The node set of a root; NULL: all nodes. */
const uint64_t *vrms_classes_set(const struct vrms_classes *classes, int root);

#endif
