/* opinion.c - asks the other scheduler, and holds the model's decision against its answer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "simulator/world.h"

struct vrms_sim_opinion {
	struct vrms_sim_view_node *node;
	struct vrms_sim_view_vm *vm;
	struct vrms_sim_answer answer;
};

int vrms_sim_opinion_new(const struct vrms_sim_world *world, struct vrms_sim_opinion **ret_opinion)
{
	size_t nodes = (size_t)world->node_count + 1, vms = (size_t)world->vm_count + 1;
	struct vrms_sim_opinion *opinion = calloc(1, sizeof(*opinion));

	if (opinion == NULL) {
		return -ENOMEM;
	}
	opinion->node = calloc(nodes, sizeof(*opinion->node));
	opinion->vm = calloc(vms, sizeof(*opinion->vm));
	opinion->answer.fence = calloc(nodes, sizeof(bool));
	opinion->answer.stop = calloc(vms, sizeof(bool));
	opinion->answer.start = calloc(vms, sizeof(int32_t));
	*ret_opinion = opinion;
	return opinion->node == NULL || opinion->vm == NULL || opinion->answer.fence == NULL ||
		       opinion->answer.stop == NULL || opinion->answer.start == NULL
		   ? -ENOMEM
		   : 0;
}

void vrms_sim_opinion_free(struct vrms_sim_opinion *opinion)
{
	if (opinion != NULL) {
		free(opinion->node);
		free(opinion->vm);
		free(opinion->answer.fence);
		free(opinion->answer.stop);
		free(opinion->answer.start);
		free(opinion);
	}
}

static void show_node(const struct vrms_sim_world *world, int index, int ring,
		      struct vrms_sim_view_node *shown)
{
	static const enum vrms_sim_view_state states[] = {
	    [VRMS_SIM_OFFLINE] = VRMS_SIM_VIEW_OFFLINE,
	    [VRMS_SIM_PENDING] = VRMS_SIM_VIEW_PENDING,
	    [VRMS_SIM_MEMBER] = VRMS_SIM_VIEW_ONLINE,
	    [VRMS_SIM_UNCLEAN] = VRMS_SIM_VIEW_UNCLEAN,
	};
	const struct vrms_sim_node *node = &world->node[index];

	*shown = (struct vrms_sim_view_node){.state = states[node->state],
					     .standby = node->standby,
					     .stopping = node->stopping,
					     .stop_failed = node->fence_wanted};
	/* Lost and back before it was fenced: the round leaves it to its rejoining. */
	if (node->state == VRMS_SIM_UNCLEAN && node->ring == ring) {
		shown->state = VRMS_SIM_VIEW_PENDING;
	}
}

static void show_vm(const struct vrms_sim_world *world, int index, struct vrms_sim_view_vm *shown)
{
	const struct vrms_sim_vm *vm = &world->vm[index];

	*shown = (struct vrms_sim_view_vm){
	    .host = vm->host,
	    .wanted = vm->wanted,
	    .failed = vm->state == VRMS_SIM_VM_FAILED,
	    .starting = vm->state == VRMS_SIM_VM_STARTING,
	    .stopping = vm->state == VRMS_SIM_VM_STOPPING,
	};
	for (int i = 0; i < VRMS_SIM_VIEW_BANS; i++) {
		int node = vm->ban[i];

		shown->ban[i] = node >= 0 && vrms_sim_vm_banned(world, index, node) ? node : -1;
	}
}

static void differ(struct vrms_sim_world *world, int64_t *count, const char *what,
		   const char *subject)
{
	struct vrms_sim_agreement *agreement = &world->record.agreement;

	(*count)++;
	if (agreement->first[0] == '\0') {
		snprintf(agreement->first, sizeof(agreement->first), "at %.3f s: %s: %s",
			 (double)world->now_us / 1e6, subject, what);
	}
}

static void compare_fences(struct vrms_sim_world *world, int ring)
{
	for (int i = 0; i < world->node_count; i++) {
		const struct vrms_sim_node *node = &world->node[i];
		bool lost = node->state == VRMS_SIM_UNCLEAN && node->ring != ring;
		bool fences = world->settings->stonith && (lost || node->fence_wanted);

		if (fences != world->opinion->answer.fence[i]) {
			differ(world, &world->record.agreement.fences,
			       fences ? "only the model fences it" : "only the scheduler fences it",
			       world->scenario->node[i].name);
		}
	}
}

/* What has failed or is not wanted is stopped, on members only. */
static bool model_stops(const struct vrms_sim_world *world, int ring, int vm)
{
	const struct vrms_sim_vm *item = &world->vm[vm];

	return item->host >= 0 && world->node[item->host].ring == ring &&
	       world->node[item->host].state == VRMS_SIM_MEMBER &&
	       !world->node[item->host].fence_wanted &&
	       (item->state == VRMS_SIM_VM_FAILED ||
		(item->state == VRMS_SIM_VM_RUNNING && !item->wanted));
}

static void compare_stops(struct vrms_sim_world *world, int ring)
{
	for (int vm = 0; vm < world->vm_count; vm++) {
		const struct vrms_sim_vm *item = &world->vm[vm];
		bool settled = item->host >= 0 && (item->state == VRMS_SIM_VM_FAILED ||
						   item->state == VRMS_SIM_VM_RUNNING);
		const struct vrms_sim_node *host = settled ? &world->node[item->host] : NULL;

		/* Moves off a node that is left, or lost, are compared as places. */
		if (!settled || host->ring != ring || host->state != VRMS_SIM_MEMBER ||
		    host->standby || host->stopping || host->fence_wanted) {
			continue;
		}
		bool stops = model_stops(world, ring, vm);

		if (stops != world->opinion->answer.stop[vm]) {
			differ(world, &world->record.agreement.stops,
			       stops ? "only the model stops it" : "only the scheduler stops it",
			       world->scenario->vm[vm].name);
		}
	}
}

void vrms_sim_opinion_ask(struct vrms_sim_world *world, int ring)
{
	struct vrms_sim_opinion *opinion = world->opinion;
	struct vrms_sim_view view = {.scenario = world->scenario,
				     .node = opinion->node,
				     .vm = opinion->vm,
				     .dc = world->ring[ring].dc,
				     .quorate = true};

	for (int i = 0; i < world->node_count; i++) {
		show_node(world, i, ring, &opinion->node[i]);
		opinion->answer.fence[i] = false;
	}
	for (int vm = 0; vm < world->vm_count; vm++) {
		show_vm(world, vm, &opinion->vm[vm]);
		opinion->answer.stop[vm] = false;
		opinion->answer.start[vm] = -1;
	}
	int rc = world->scheduler->decide(world->scheduler->context, &view, &opinion->answer,
					  world->error);

	if (rc < 0) {
		world->rc = rc;
		return;
	}
	world->record.agreement.asked++;
	compare_fences(world, ring);
	compare_stops(world, ring);
}

/* The scheduler's targets win; where the model has others, that is written down. */
void vrms_sim_opinion_place(struct vrms_sim_world *world, const int32_t *vms, int count,
			    int32_t *target)
{
	for (int i = 0; i < count; i++) {
		int wanted = world->opinion->answer.start[vms[i]];
		char text[64];

		if ((wanted >= 0) != (target[i] >= 0)) {
			differ(world, &world->record.agreement.starts,
			       wanted >= 0 ? "only the scheduler starts it"
					   : "only the model starts it",
			       world->scenario->vm[vms[i]].name);
		} else if (wanted != target[i]) {
			snprintf(text, sizeof(text), "%.24s, not %.24s",
				 world->scenario->node[wanted].name,
				 world->scenario->node[target[i]].name);
			differ(world, &world->record.agreement.places, text,
			       world->scenario->vm[vms[i]].name);
		}
		target[i] = wanted;
	}
}

int vrms_sim_opinion_move(struct vrms_sim_world *world, int vm, int target)
{
	int32_t list = vm, chosen = target;

	vrms_sim_opinion_place(world, &list, 1, &chosen);
	return chosen;
}
