/* demo.h - the story of one power cut: what the demo knows, and how it tells it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_DEMO_H
#define VRMS_LAB_DEMO_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "lab/guest.h"
#include "lab/lab.h"
#include "lab/timeline.h"
#include "lab/vm.h"

enum { VRMS_DEMO_VMS_MAX = 32 };

struct vrms_demo_vm {
	char name[VRMS_LAB_VM_NAME_MAX + 1];
	int memory_mib;
	int node_before, node_after;                  /* indexes; -1: nowhere */
	struct vrms_guest_record before, first, last; /* first: of its new life */
	bool lives; /* counts again after the cut, or never stopped counting */
};

struct vrms_demo {
	struct vrms_demo_vm vms[VRMS_DEMO_VMS_MAX];
	int vm_count;
	int node_count;
	const char *const *nodes; /* their names, borrowed */
	int victim;               /* index of the node that is cut */
	bool is_dc;               /* it is the DC: Pacemaker elects another one first */
	struct vrms_timeline timeline;
	bool recovered; /* every VM counts on a living node, none was started again needlessly */
};

/* Memory in MiB of the VMs on a node, before or after the cut. */
int vrms_demo_load_mib(const struct vrms_demo *demo, int node, bool after);

/* The node to cut: the first with most VMs; without VMs each in its turn.  In these turns the DC is
 * cut as often as any other node.  Left to itself the next in turn would be the DC nearly every
 * time: of equals Pacemaker elects the one whose controller has run longest.
 *
 * dc:     its index; -1: not known.
 * number: of the cut in its setting, from 1.
 */
int vrms_demo_choose_victim(const struct vrms_demo *demo, int dc, int number);

/* How it is shown: colours and bars on a terminal, plain text elsewhere. */
struct vrms_demo_style {
	FILE *out;   /* NULL: be silent */
	bool colour; /* SGR sequences */
	bool bars;   /* block characters; '#' otherwise */
};

/* Looks at the stream, TERM, NO_COLOR and the locale. */
void vrms_demo_style_init(struct vrms_demo_style *style, FILE *out);

void vrms_demo_show_heading(const struct vrms_demo_style *style, const char *text);
void vrms_demo_show_note(const struct vrms_demo_style *style, const char *text);
void vrms_demo_show_load(const struct vrms_demo_style *style, const struct vrms_demo *demo,
			 bool after);
/* Shows the events older than `until_ms` that have not been shown. */
void vrms_demo_show_events(const struct vrms_demo_style *style, struct vrms_demo *demo,
			   int64_t until_ms);
void vrms_demo_show_verdict(const struct vrms_demo_style *style, const struct vrms_demo *demo);

/* The story for programs; NULL only when out of memory. */
json_t *vrms_demo_json(const struct vrms_demo *demo);

#endif
