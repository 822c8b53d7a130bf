/* ganeti.h - the inside of the importer of Ganeti's text format.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_GANETI_H
#define VRMS_PLACEMENT_GANETI_H

#include "placement/draft.h"

enum { VRMS_GANETI_FIELDS = 24, VRMS_GANETI_TAGS = 16 };

struct vrms_ganeti {
	struct vrms_draft *draft;
	int line;
	char *field[VRMS_GANETI_FIELDS];
	int field_count;
	/* per node and VM of the draft: its tags, kept text */
	const char **node_tags, **vm_tags, **node_group, **group_name, **group_uuid;
	int group_count;
	const char *apart_tag[VRMS_GANETI_TAGS], *domain_tag[VRMS_GANETI_TAGS],
	    *wish_tag[VRMS_GANETI_TAGS];
	int apart_count, domain_count, wish_count;
	bool ratio_known;
};

/* Takes in a cluster tag; most mean nothing here. */
VRMS_MUST_CHECK int vrms_ganeti_read_tag(struct vrms_ganeti *reader, const char *line,
					 struct vrms_error *error);

/* Makes domains and rules of the tags of nodes and instances that the cluster tags announce. */
VRMS_MUST_CHECK int vrms_ganeti_apply_tags(struct vrms_ganeti *reader);

#endif
