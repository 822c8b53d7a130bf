/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement/survive.h"

#include <errno.h>

#include "placement/planner_data.h"

struct proof {
	struct vrms_planner *planner;
	const struct vrms_failover *lists;
	struct vrms_outcome *scratch;
	struct vrms_state *base; /* the cluster before each loss */
	struct vrms_survival *survival;
	struct vrms_loss at;
};

static void note(struct vrms_survival *survival, const struct vrms_loss *loss)
{
	survival->checked++;
	if (loss->down == 0) {
		return;
	}
	survival->fatal++;
	if (loss->count <= survival->survives) {
		survival->survives = loss->count - 1;
	}
	if (loss->down > survival->worst.down ||
	    (survival->worst.count == 0 && survival->worst.down == 0)) {
		survival->worst = *loss;
	}
}

static void back_to_base(struct proof *proof)
{
	vrms_state_copy(proof->planner->state, proof->base);
	for (int u = 0; u < proof->planner->model->unit_count; u++) {
		proof->planner->last[u] = proof->base->where[u];
	}
}

/* Decides the loss in proof->at: by look-up, and where that is not enough by a plan. */
static void decide(struct proof *proof)
{
	back_to_base(proof);
	proof->at.down = vrms_planner_decide(proof->planner, proof->lists, proof->at.node,
					     proof->at.count, proof->scratch);
	if (proof->at.down > 0) {
		back_to_base(proof);
		vrms_planner_fail(proof->planner, proof->at.node, proof->at.count, proof->scratch);
		proof->at.down = proof->scratch->stopped_count;
	}
	note(proof->survival, &proof->at);
}

/* All ways to lose `left` more nodes from `from` up. */
static void lose_more(struct proof *proof, int from, int left)
{
	if (left == 0) {
		decide(proof);
		return;
	}
	for (int n = from; n < proof->planner->model->node_count; n++) {
		if (!proof->base->alive[n]) {
			continue;
		}
		proof->at.node[proof->at.count++] = n;
		lose_more(proof, n + 1, left - 1);
		proof->at.count--;
	}
}

static int64_t count_losses(const struct vrms_planner *planner, int k)
{
	int64_t losses = 1, alive = 0;

	for (int n = 0; n < planner->model->node_count; n++) {
		alive += planner->state->alive[n];
	}
	for (int i = 0; i < k; i++) {
		losses = losses * (alive - i) / (i + 1);
	}
	return losses;
}

static void read_cases(struct proof *proof, int k)
{
	for (int i = 0; i < vrms_failover_case_count(proof->lists); i++) {
		const struct vrms_case *found = vrms_failover_case(proof->lists, i);
		struct vrms_loss loss = {.node = {found->node[0], found->node[1]},
					 .count = found->node[1] < 0 ? 1 : 2,
					 .down = found->down};

		if (loss.count <= k) {
			note(proof->survival, &loss);
		}
	}
}

int vrms_survive(struct vrms_planner *planner, const struct vrms_failover *lists, int k,
		 struct vrms_outcome *scratch, struct vrms_survival *ret_survival)
{
	struct proof proof = {.planner = planner,
			      .lists = lists,
			      .scratch = scratch,
			      .survival = ret_survival};

	if (k > VRMS_SURVIVE_MAX || (k > 2 && count_losses(planner, k) > VRMS_SURVIVE_LOSSES)) {
		return -E2BIG;
	}
	*ret_survival = (struct vrms_survival){.survives = k};
	read_cases(&proof, k);
	if (k <= 2) {
		return 0;
	}
	proof.base = vrms_state_new(planner->model);
	if (proof.base == NULL) {
		return -ENOMEM;
	}
	vrms_state_copy(proof.base, planner->state);
	for (int losses = 3; losses <= k; losses++) {
		lose_more(&proof, 0, losses);
	}
	back_to_base(&proof);
	vrms_state_free(proof.base);
	return 0;
}
