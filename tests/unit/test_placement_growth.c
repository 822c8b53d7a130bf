/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/growth.h"

#include "common/random.h"
#include "placement/model_data.h"
#include "tests/unit/unit.h"

enum { NODES = 100, DIMS = 2 };

static double inverse[NODES * DIMS];
static int64_t weight[NODES * DIMS];
static struct vrms_model model = {.node_count = NODES, .dim_count = DIMS, .inverse = inverse};
static struct vrms_state state = {.model = &model, .weight = weight};

/* The first one from there on, one by one. */
static int look_at_each(const struct vrms_growth *growth, const struct vrms_growth_weights *weights,
			const struct vrms_growth_range *range)
{
	int node = range->from;

	while (node < range->end && vrms_growth_with(growth, weights, node) >= range->limit) {
		node++;
	}
	return node;
}

/* A block is passed over only when none of its nodes would do: the answer is the same. */
START_TEST(blocks_hide_no_node)
{
	static const double scale[DIMS] = {1.5, 0.7};
	struct vrms_growth *growth = vrms_growth_new(&model);
	struct vrms_random random;

	ck_assert_ptr_nonnull(growth);
	vrms_random_init(&random, 7);
	for (int i = 0; i < NODES * DIMS; i++) { /* a few without capacity, in one block */
		inverse[i] =
		    i < 60 && i % 17 == 0 ? 0 : 1.0 / (double)(1 + vrms_random_below(&random, 500));
		weight[i] = (int64_t)vrms_random_below(&random, 400);
	}
	vrms_growth_note_all(growth, &state, scale);
	for (int round = 0; round < 2000; round++) {
		struct vrms_growth_weights weights = {{(double)vrms_random_below(&random, 50),
						       (double)vrms_random_below(&random, 50)}};
		struct vrms_growth_range range = {.from = (int)vrms_random_below(&random, NODES),
						  .end = NODES};
		int like = (int)vrms_random_below(&random, NODES);

		range.limit = vrms_growth_with(growth, &weights, like); /* ties, too */
		ck_assert_int_eq(vrms_growth_next(growth, &weights, &range),
				 look_at_each(growth, &weights, &range));
		weight[like * DIMS] = (int64_t)vrms_random_below(&random, 400);
		vrms_growth_note(growth, &state, scale, like);
	}
	vrms_growth_free(growth);
}
END_TEST

UNIT_MAIN("placement_growth", blocks_hide_no_node)
