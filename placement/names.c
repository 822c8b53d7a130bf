/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/names.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* FNV-1a (Fowler, Noll, Vo): short strings, no need to resist an attacker. */
static uint32_t hash(const char *text)
{
	uint32_t value = 2166136261u;

	for (; *text != '\0'; text++) {
		value = (value ^ (unsigned char)*text) * 16777619u;
	}
	return value;
}

int vrms_names_init(struct vrms_names *names, int limit)
{
	uint32_t slots = 16;

	while (slots < 2u * (uint32_t)limit) {
		slots *= 2;
	}
	*names = (struct vrms_names){.limit = limit, .slot_mask = slots - 1};
	names->name = calloc((size_t)limit + 1, sizeof(*names->name));
	names->slot = malloc(slots * sizeof(*names->slot));
	if (names->name == NULL || names->slot == NULL) {
		vrms_names_done(names);
		return -ENOMEM;
	}
	memset(names->slot, 0xff, slots * sizeof(*names->slot));
	return 0;
}

void vrms_names_done(struct vrms_names *names)
{
	free(names->name);
	free(names->slot);
	*names = (struct vrms_names){0};
}

/* The slot that holds the name, or the free one where it would go. */
static uint32_t locate(const struct vrms_names *names, const char *name)
{
	uint32_t at = hash(name) & names->slot_mask;

	while (names->slot[at] >= 0 && strcmp(names->name[names->slot[at]], name) != 0) {
		at = (at + 1) & names->slot_mask;
	}
	return at;
}

int vrms_names_find(const struct vrms_names *names, const char *name)
{
	int index = names->slot[locate(names, name)];

	return index < 0 ? -ENOENT : index;
}

int vrms_names_add(struct vrms_names *names, const char *name)
{
	uint32_t at = locate(names, name);

	assert(names->count < names->limit && names->slot[at] < 0);
	names->slot[at] = names->count;
	names->name[names->count] = name;
	return names->count++;
}
