/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which node the demo cuts.
 */
#include "lab/demo_run.h"
#include "lab/members.h"

static int with_most_vms(const struct vrms_demo *demo)
{
	int victim = 0, most = -1;

	for (int node = 0; node < demo->node_count; node++) {
		int count = 0;

		for (int i = 0; i < demo->vm_count; i++) {
			count += demo->vms[i].node_before == node;
		}
		if (count > most) {
			most = count;
			victim = node;
		}
	}
	return victim;
}

/* How many of the first so many cuts are the DC's, when it is lost as often as any other. */
static int share_of_dc(const struct vrms_demo *demo, int cut_count)
{
	return (2 * cut_count + demo->node_count) / (2 * demo->node_count);
}

int vrms_demo_choose_victim(const struct vrms_demo *demo, int dc, int number)
{
	if (demo->vm_count > 0) {
		return with_most_vms(demo);
	}
	if (dc >= 0 && share_of_dc(demo, number) > share_of_dc(demo, number - 1)) {
		return dc;
	}
	int next = (demo->victim + 1) % demo->node_count;

	return next == dc ? (next + 1) % demo->node_count : next;
}

int vrms_demo_find_dc(const struct vrms_demo_run *run)
{
	struct vrms_lab_member members[VRMS_LAB_NODES_MAX];

	if (vrms_lab_members_read(run->lab, 0, members, NULL) < 0) {
		return -1;
	}
	for (int node = 0; node < run->demo.node_count; node++) {
		if (members[node].is_dc) {
			return node;
		}
	}
	return -1;
}
