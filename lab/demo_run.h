/* demo_run.h - what the files of the demo share about a run: one lab after the other, cut after
 * cut.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_DEMO_RUN_H
#define VRMS_LAB_DEMO_RUN_H

#include <jansson.h>

#include "lab/command.h"
#include "lab/demo.h"
#include "lab/figures.h"
#include "lab/tail.h"

enum { VRMS_DEMO_SIZES_MAX = 4 };

struct vrms_demo_settings {
	/* Clusters, one after the other.  The first has the VMs; without any there is no libvirtd.
	 */
	int64_t node_counts[VRMS_DEMO_SIZES_MAX];
	int64_t cut_counts[VRMS_DEMO_SIZES_MAX]; /* in each setting */
	size_t size_count, cut_count_count;
	int64_t vm_count, token_ms;
	enum vrms_lab_agent agent;
	bool has_vm_count, json, keep;
	bool is_shared; /* other labs run beside these */
};

struct vrms_demo_run {
	const struct vrms_lab_context *context;
	const struct vrms_demo_settings *settings;
	struct vrms_demo_style style;
	struct vrms_lab *lab;
	struct vrms_demo demo; /* the present cut */
	const char *node_names[VRMS_LAB_NODES_MAX];
	struct vrms_lab_tail tails[2 * VRMS_LAB_NODES_MAX];
	int tail_count;
	int64_t cut_ms;    /* monotonic */
	char progress[80]; /* shown last */
	json_t *stories;   /* of all cuts; NULL: not wanted */
};

int64_t vrms_demo_now_ms(void);

/* Sleeps a little; -EINTR when the user wants to end it. */
VRMS_MUST_CHECK int vrms_demo_pause(const struct vrms_demo_run *run, int64_t ms,
				    struct vrms_error *error);

/* Shows a line of progress unless it is the last one again. */
void vrms_demo_progress(void *run, const char *text);

/* A lab with its VMs, all of them running. */
VRMS_MUST_CHECK int vrms_demo_bring_up(struct vrms_demo_run *run, int node_count, int vm_count,
				       struct vrms_error *error);

/* Everything is on, and every VM runs: whatever was before. */
VRMS_MUST_CHECK int vrms_demo_settle(struct vrms_demo_run *run, struct vrms_error *error);

/* The index of the DC; -1: there is none, or nobody says. */
int vrms_demo_find_dc(const struct vrms_demo_run *run);

/* Chooses a victim, cuts its power and watches until all is well again, or time is up.
 *
 * number: of the cut in its setting, from 1.
 */
VRMS_MUST_CHECK int vrms_demo_cut(struct vrms_demo_run *run, int number, struct vrms_error *error);

/* The victim has power again and is back. */
VRMS_MUST_CHECK int vrms_demo_rejoin(struct vrms_demo_run *run, struct vrms_error *error);

/* Nothing of the lab stays. */
VRMS_MUST_CHECK int vrms_demo_take_down(struct vrms_demo_run *run, int rc,
					struct vrms_error *error);

/* Switches vrmsd's tuning on every node, and waits for the token that it leads to.
 *
 * Off: until the configured token is in force everywhere.  On: until one shorter is, and has stayed
 * for some seconds; after a time limit it goes on with what there is.
 */
VRMS_MUST_CHECK int vrms_demo_tune(struct vrms_demo_run *run, enum vrms_figures_setting setting,
				   int64_t *ret_token_ms, struct vrms_error *error);

/* The figures of one cluster; side by side where there are both settings. */
void vrms_demo_show_figures(const struct vrms_demo_style *style,
			    const struct vrms_figures *figures);
void vrms_demo_show_cut(const struct vrms_demo_style *style, const struct vrms_figures *figures,
			const struct vrms_figures_cut *cut);
json_t *vrms_demo_json_figures(const struct vrms_figures *figures); /* NULL: no memory */

#endif
