/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/random.h"

static uint64_t rotate_left(uint64_t value, int bits)
{
	return (value << bits) | (value >> (64 - bits));
}

static uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

void vrms_random_init(struct vrms_random *random, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		random->state[i] = splitmix64(&seed);
	}
}

uint64_t vrms_random_next(struct vrms_random *random)
{
	uint64_t *s = random->state;
	uint64_t result = rotate_left(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate_left(s[3], 45);
	return result;
}

uint64_t vrms_random_below(struct vrms_random *random, uint64_t bound)
{
	/* 2^64 mod bound: values below it would make the first remainders more likely. */
	uint64_t threshold = (0 - bound) % bound;
	uint64_t value;

	do {
		value = vrms_random_next(random);
	} while (value < threshold);
	return value % bound;
}

double vrms_random_unit(struct vrms_random *random)
{
	/* A double holds 53 bits exactly. */
	return (double)(vrms_random_next(random) >> 11) * 0x1.0p-53;
}
