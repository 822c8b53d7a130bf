/* random.h - seeded pseudo-random numbers: same seed, same series, on every machine.
 *
 * xoshiro256** seeded by splitmix64 (Blackman, Vigna 2018).  Pure.  Not for secrets.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_COMMON_RANDOM_H
#define VRMS_COMMON_RANDOM_H

#include <stdint.h>

struct vrms_random {
	uint64_t state[4];
};

void vrms_random_init(struct vrms_random *random, uint64_t seed);
uint64_t vrms_random_next(struct vrms_random *random);

/* Uniform in 0..bound-1, without modulo bias; bound > 0. */
uint64_t vrms_random_below(struct vrms_random *random, uint64_t bound);

/* Uniform in [0, 1). */
double vrms_random_unit(struct vrms_random *random);

#endif
