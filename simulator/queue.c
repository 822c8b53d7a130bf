/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/queue.h"

#include <assert.h>
#include <errno.h>

enum { DIGIT_BITS = 6, DAYS = 1 << DIGIT_BITS, LEVELS = 11, NONE = 0, FIRST_CAPACITY = 1024 };

struct entry {
	struct vrms_sim_event event;
	uint32_t next; /* in the same day, or in the free list; NONE ends it */
};

struct day {
	uint32_t head, tail;
};

struct vrms_sim_queue {
	int64_t now_us;
	size_t count;
	struct entry *entry; /* entry[0] is never used: its index means "none" */
	uint32_t capacity, used, free;
	uint32_t level_bits;       /* levels that have a day in use */
	uint64_t day_bits[LEVELS]; /* days in use */
	struct day day[LEVELS][DAYS];
};

struct vrms_sim_queue *vrms_sim_queue_new(void)
{
	struct vrms_sim_queue *queue = calloc(1, sizeof(*queue));

	if (queue == NULL) {
		return NULL;
	}
	queue->entry = malloc(FIRST_CAPACITY * sizeof(queue->entry[0]));
	if (queue->entry == NULL) {
		free(queue);
		return NULL;
	}
	queue->capacity = FIRST_CAPACITY;
	queue->used = 1;
	return queue;
}

void vrms_sim_queue_free(struct vrms_sim_queue *queue)
{
	if (queue != NULL) {
		free(queue->entry);
		free(queue);
	}
}

size_t vrms_sim_queue_count(const struct vrms_sim_queue *queue)
{
	return queue->count;
}

/* Appends an entry to the day that its time belongs to as seen from now. */
static inline void file_entry(struct vrms_sim_queue *queue, uint32_t index)
{
	struct entry *entry = &queue->entry[index];
	uint64_t at = (uint64_t)entry->event.at_us;
	uint64_t differs = at ^ (uint64_t)queue->now_us;
	int level = differs == 0 ? 0 : (63 - __builtin_clzll(differs)) / DIGIT_BITS;
	int digit = (int)(at >> (level * DIGIT_BITS)) & (DAYS - 1);
	struct day *day = &queue->day[level][digit];
	uint64_t bit = (uint64_t)1 << digit;

	entry->next = NONE;
	if ((queue->day_bits[level] & bit) != 0) {
		queue->entry[day->tail].next = index;
	} else {
		day->head = index;
		queue->day_bits[level] |= bit;
		queue->level_bits |= (uint32_t)1 << level;
	}
	day->tail = index;
}

/* Returns the index of an unused entry, or NONE when out of memory. */
static uint32_t take_unused(struct vrms_sim_queue *queue)
{
	uint32_t index = queue->free;

	if (index != NONE) {
		queue->free = queue->entry[index].next;
		return index;
	}
	if (queue->used == queue->capacity) {
		uint32_t capacity = queue->capacity * 2;
		struct entry *entry = NULL;

		if (capacity > queue->capacity) {
			entry = reallocarray(queue->entry, capacity, sizeof(entry[0]));
		}
		if (entry == NULL) {
			return NONE;
		}
		queue->entry = entry;
		queue->capacity = capacity;
	}
	return queue->used++;
}

int vrms_sim_queue_push(struct vrms_sim_queue *queue, const struct vrms_sim_event *event)
{
	assert(event->at_us >= queue->now_us);
	uint32_t index = take_unused(queue);

	if (index == NONE) {
		return -ENOMEM;
	}
	queue->entry[index].event = *event;
	file_entry(queue, index);
	queue->count++;
	return 0;
}

/* Takes the whole list out of a day. */
static uint32_t empty_day(struct vrms_sim_queue *queue, int level, int digit)
{
	queue->day_bits[level] &= ~((uint64_t)1 << digit);
	if (queue->day_bits[level] == 0) {
		queue->level_bits &= ~((uint32_t)1 << level);
	}
	return queue->day[level][digit].head;
}

/* Makes the earliest time of the list the present and files the list anew: below its old level. */
static void spread(struct vrms_sim_queue *queue, uint32_t list)
{
	int64_t first_us = INT64_MAX;

	for (uint32_t index = list; index != NONE; index = queue->entry[index].next) {
		int64_t at_us = queue->entry[index].event.at_us;

		first_us = at_us < first_us ? at_us : first_us;
	}
	queue->now_us = first_us;
	while (list != NONE) {
		uint32_t index = list;

		list = queue->entry[index].next;
		file_entry(queue, index);
	}
}

static void release(struct vrms_sim_queue *queue, uint32_t index, struct vrms_sim_event *ret_event)
{
	*ret_event = queue->entry[index].event;
	queue->now_us = ret_event->at_us;
	queue->entry[index].next = queue->free;
	queue->free = index;
	queue->count--;
}

bool vrms_sim_queue_pop(struct vrms_sim_queue *queue, struct vrms_sim_event *ret_event)
{
	if (queue->count == 0) {
		return false;
	}
	int level = __builtin_ctz(queue->level_bits);
	int digit = __builtin_ctzll(queue->day_bits[level]);
	struct day *day = &queue->day[level][digit];

	/* More than one: they may differ in time, unless this is the level of single microseconds.
	 */
	if (level > 0 && day->head != day->tail) {
		spread(queue, empty_day(queue, level, digit));
		level = 0;
		digit = __builtin_ctzll(queue->day_bits[0]);
		day = &queue->day[0][digit];
	}
	uint32_t index = day->head;

	if (day->head == day->tail) {
		empty_day(queue, level, digit);
	} else {
		day->head = queue->entry[index].next;
	}
	release(queue, index, ret_event);
	return true;
}
