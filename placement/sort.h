/* sort.h - sorts indices by a key, the same way everywhere.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_SORT_H
#define VRMS_PLACEMENT_SORT_H

/* Sorts the indices by descending key[index]; equal keys by ascending index.  No memory is taken
 * (heap sort), so that the order never depends on a library's choice of algorithm.
 */
void vrms_sort_by(int *items, int count, const double *key);

#endif
