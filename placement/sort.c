/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/sort.h"

#include <stdbool.h>

/* Does a belong behind b? */
static bool behind(const double *key, int a, int b)
{
	return key[a] != key[b] ? key[a] < key[b] : a > b;
}

static void sink(int *items, int count, int at, const double *key)
{
	int item = items[at];

	for (;;) {
		int child = 2 * at + 1;

		if (child >= count) {
			break;
		}
		if (child + 1 < count && behind(key, items[child + 1], items[child])) {
			child++;
		}
		if (!behind(key, items[child], item)) {
			break;
		}
		items[at] = items[child];
		at = child;
	}
	items[at] = item;
}

void vrms_sort_by(int *items, int count, const double *key)
{
	for (int at = count / 2 - 1; at >= 0; at--) {
		sink(items, count, at, key);
	}
	for (int last = count - 1; last > 0; last--) {
		int item = items[last];

		items[last] = items[0];
		items[0] = item;
		sink(items, last, 0, key);
	}
}
