/* list.c - VMs in lists: of a host, of a node in the cluster's belief, waiting, to be decided on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/world.h"

void vrms_sim_resident_add(struct vrms_sim_world *world, int vm, int node)
{
	struct vrms_sim_vm *item = &world->vm[vm];
	struct vrms_sim_list *list = &world->node[node].residents;

	item->host = node;
	item->prev = list->tail;
	item->next = -1;
	if (list->tail >= 0) {
		world->vm[list->tail].next = vm;
	} else {
		list->head = vm;
	}
	list->tail = vm;
	list->count++;
	world->node[node].used_memory += world->scenario->vm[vm].memory;
	world->node[node].used_cores += world->scenario->vm[vm].cores;
	if (world->plan != NULL) {
		vrms_sim_plan_put(world->plan, vm, node);
	}
}

static void unlink_item(struct vrms_sim_world *world, int vm, struct vrms_sim_list *list)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	if (item->prev >= 0) {
		world->vm[item->prev].next = item->next;
	} else {
		list->head = item->next;
	}
	if (item->next >= 0) {
		world->vm[item->next].prev = item->prev;
	} else {
		list->tail = item->prev;
	}
	list->count--;
}

void vrms_sim_resident_remove(struct vrms_sim_world *world, int vm)
{
	struct vrms_sim_vm *item = &world->vm[vm];
	struct vrms_sim_node *node = &world->node[item->host];

	unlink_item(world, vm, &node->residents);
	node->used_memory -= world->scenario->vm[vm].memory;
	node->used_cores -= world->scenario->vm[vm].cores;
	item->host = -1;
	if (world->plan != NULL) {
		vrms_sim_plan_take(world->plan, vm);
	}
}

static void append_waiting(struct vrms_sim_world *world, int vm, struct vrms_sim_list *list)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	item->waiting_prev = list->tail;
	item->waiting_next = -1;
	if (list->tail >= 0) {
		world->vm[list->tail].waiting_next = vm;
	} else {
		list->head = vm;
	}
	list->tail = vm;
	list->count++;
}

static void unlink_waiting(struct vrms_sim_world *world, int vm, struct vrms_sim_list *list)
{
	struct vrms_sim_vm *item = &world->vm[vm];

	if (item->waiting_prev >= 0) {
		world->vm[item->waiting_prev].waiting_next = item->waiting_next;
	} else {
		list->head = item->waiting_next;
	}
	if (item->waiting_next >= 0) {
		world->vm[item->waiting_next].waiting_prev = item->waiting_prev;
	} else {
		list->tail = item->waiting_prev;
	}
	list->count--;
}

void vrms_sim_todo_add(struct vrms_sim_world *world, int vm)
{
	if (!world->vm[vm].in_todo) {
		world->vm[vm].in_todo = true;
		append_waiting(world, vm, &world->todo);
	}
}

void vrms_sim_todo_add_idle(struct vrms_sim_world *world, int vm)
{
	enum vrms_sim_vm_state state = world->vm[vm].state;

	/* An operation looks at what is wanted when it ends. */
	if (state == VRMS_SIM_VM_STOPPED || state == VRMS_SIM_VM_RUNNING ||
	    state == VRMS_SIM_VM_FAILED) {
		vrms_sim_todo_add(world, vm);
	}
}

void vrms_sim_todo_remove(struct vrms_sim_world *world, int vm)
{
	if (world->vm[vm].in_todo) {
		world->vm[vm].in_todo = false;
		unlink_waiting(world, vm, &world->todo);
	}
}

void vrms_sim_guest_add(struct vrms_sim_world *world, int vm, int node)
{
	struct vrms_sim_vm *item = &world->vm[vm];
	struct vrms_sim_list *list = &world->node[node].guests;

	item->on = node;
	item->guest_prev = list->tail;
	item->guest_next = -1;
	if (list->tail >= 0) {
		world->vm[list->tail].guest_next = vm;
	} else {
		list->head = vm;
	}
	list->tail = vm;
	list->count++;
}

void vrms_sim_guest_remove(struct vrms_sim_world *world, int vm)
{
	struct vrms_sim_vm *item = &world->vm[vm];
	struct vrms_sim_list *list = &world->node[item->on].guests;

	if (item->guest_prev >= 0) {
		world->vm[item->guest_prev].guest_next = item->guest_next;
	} else {
		list->head = item->guest_next;
	}
	if (item->guest_next >= 0) {
		world->vm[item->guest_next].guest_prev = item->guest_prev;
	} else {
		list->tail = item->guest_prev;
	}
	list->count--;
	item->on = -1;
}

void vrms_sim_waiting_add(struct vrms_sim_world *world, int vm, int node)
{
	append_waiting(world, vm, &world->node[node].waiting);
}

void vrms_sim_waiting_remove(struct vrms_sim_world *world, int vm, int node)
{
	unlink_waiting(world, vm, &world->node[node].waiting);
}
