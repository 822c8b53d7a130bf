/* queue.h - the pending events of a simulation, in order of time.
 *
 * Pure.  A calendar of calendars: eleven levels of 64 days each.  Level 0 tells
 * single microseconds apart, level n spans of 64^n; an event lies on the level of
 * the highest digit (base 64) in which its time differs from the present.  To push is to
 * append to a day; to pop is to take from the first day that is not empty,
 * and to spread that day over the levels below it when it holds more than one.
 * No digit is ever looked at twice, so an event is moved at most once a level,
 * whatever the mixture of microseconds and years.
 *
 * Events of equal time come out in the order in which they went in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_QUEUE_H
#define VRMS_SIMULATOR_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"

struct vrms_sim_event {
	int64_t at_us; /* >= the time of the event popped last */
	uint16_t kind;
	uint16_t extra;
	int32_t subject; /* node, VM, ring: what the kind says */
	uint32_t stamp;  /* of the subject when this was pushed: an older stamp means "no longer" */
};

struct vrms_sim_queue; /* opaque */

/* Returns NULL when out of memory. */
struct vrms_sim_queue *vrms_sim_queue_new(void);
void vrms_sim_queue_free(struct vrms_sim_queue *queue); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_sim_queue *, vrms_sim_queue_free);

/* Copies the event in.  Returns 0 or -ENOMEM; a time before the present is an error of the program.
 */
VRMS_MUST_CHECK int vrms_sim_queue_push(struct vrms_sim_queue *queue,
					const struct vrms_sim_event *event);

/* Takes the earliest event out; false when there is none. */
bool vrms_sim_queue_pop(struct vrms_sim_queue *queue, struct vrms_sim_event *ret_event);

/* How many are pending. */
size_t vrms_sim_queue_count(const struct vrms_sim_queue *queue);

#endif
