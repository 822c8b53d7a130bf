/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/lock_watch.h"

#include <string.h>

static struct vrms_lock_watched *find(struct vrms_lock_watch *watch, const char *name)
{
	for (size_t i = 0; i < watch->count; i++) {
		if (strcmp(watch->rows[i].name, name) == 0) {
			return &watch->rows[i];
		}
	}
	return NULL;
}

bool vrms_lock_watch_stood_still(struct vrms_lock_watch *watch, const char *name, uint64_t beat,
				 int64_t now_ms, int64_t lease_ms)
{
	struct vrms_lock_watched *row = find(watch, name);

	if (row == NULL) {
		if (watch->count == VRMS_LOCK_WATCHED_MAX || strlen(name) >= sizeof(row->name)) {
			return false;
		}
		row = &watch->rows[watch->count++];
		strcpy(row->name, name);
		row->beat = beat;
		row->since_ms = now_ms;
	}
	if (row->beat != beat) {
		row->beat = beat;
		row->since_ms = now_ms;
	}
	return now_ms - row->since_ms >= lease_ms;
}
