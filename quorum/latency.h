/* latency.h - the undisturbed round trip of a knet link, from what knet tells of it.
 *
 * Pure.  knet gives the running average of a link's round trips and how many it rests on, and
 * calls the smallest value that this average ever had latency_min: the first pings to a host that
 * boots take a second and more, and spoil both for half an hour.  What two looks differ by gives
 * the mean of the pings between them; the smallest of these means is what a packet needs when
 * nothing is in its way.
 * Source: libknet 1.25, measured: latency_min equals latency_ave as long as that falls.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_LATENCY_H
#define VRMS_QUORUM_LATENCY_H

#include <stdint.h>

struct vrms_latency {     /* zeroed: nothing known */
	uint32_t count;   /* of pings, at the last look */
	uint32_t mean_us; /* of all of them */
	uint32_t least_us;
};

/* Takes in one look.
 *
 * count:   pings that the average rests on; knet stops counting some time and goes on averaging.
 * mean_us: the average, rounded down at every ping.  Of more than VRMS_LATENCY_COUNT_MAX pings it
 *          is too coarse to tell the last ones from, and counts as it is.
 */
void vrms_latency_take(struct vrms_latency *latency, uint32_t count, uint32_t mean_us);

/* Shortest round trip so far; 0 when there was no ping. */
uint32_t vrms_latency_least_us(const struct vrms_latency *latency);

enum { VRMS_LATENCY_COUNT_MAX = 512 };

#endif
