/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hosts further down a list: the best that is left when all before them are lost too. */
#include <string.h>

#include "placement/failover_data.h"

struct ranking {
	struct vrms_failover *failover;
	const struct vrms_model *model;
	int64_t *extra; /* [node][dim] sent there as second hosts by units of the same two nodes */
	int unit, host;
	const int *list;
	int length; /* of the list so far */
};

/* What the node carries once the host and all of the list are lost, with the unit on it. */
static double level_there(const struct ranking *ranking, int n, bool *ret_fits)
{
	const struct vrms_failover *failover = ranking->failover;
	const struct vrms_model *model = ranking->model;
	int dims = model->dim_count;
	double level = 0;

	*ret_fits = true;
	for (int d = 0; d < dims; d++) {
		size_t at = (size_t)n * dims + d, cell = (size_t)ranking->unit * dims + d;
		int64_t used = failover->state->used[at] + model->unit_demand[cell] +
			       vrms_arrivals(failover, failover->used, ranking->host, n)[d];
		int64_t weight = failover->state->weight[at] + model->unit_weight[cell] +
				 vrms_arrivals(failover, failover->weight, ranking->host, n)[d];
		double share;

		for (int i = 0; i < ranking->length; i++) {
			used += vrms_arrivals(failover, failover->used, ranking->list[i], n)[d];
			weight += vrms_arrivals(failover, failover->weight, ranking->list[i], n)[d];
		}
		share = (double)(weight + ranking->extra[at]) * model->inverse[at];
		level = share > level ? share : level;
		*ret_fits =
		    *ret_fits && (model->unit_demand[cell] == 0 || used <= model->capacity[at]);
	}
	return level;
}

/* Would the unit, on n, meet too many of a hard group there as things are now? */
static bool rules_allow(const struct ranking *ranking, int n)
{
	const struct vrms_model *model = ranking->model;
	struct vrms_state *state = ranking->failover->state;
	const struct vrms_unit *unit = &model->unit[ranking->unit];
	bool allowed;

	if (!vrms_unit_allowed(model, ranking->unit, n)) {
		return false;
	}
	if (unit->group_count == 0) {
		return true;
	}
	vrms_state_take(state, ranking->unit);
	allowed = vrms_state_keeps_rules(state, ranking->unit, n);
	vrms_state_put(state, ranking->unit, ranking->host);
	return allowed;
}

static bool is_listed(const struct ranking *ranking, int n)
{
	for (int i = 0; i < ranking->length; i++) {
		if (ranking->list[i] == n) {
			return true;
		}
	}
	return false;
}

/* Lower is better: first whether rules and room allow it, then preferences, then load. */
static int best_next(const struct ranking *ranking)
{
	const struct vrms_model *model = ranking->model;
	int best = VRMS_NODE_NONE, best_flaw = 0;
	int64_t best_dislike = 0;
	double best_level = 0;

	for (int i = 1; i <= model->node_count; i++) {
		int n = (ranking->host + i) % model->node_count, flaw;
		bool fits;
		double level;
		int64_t dislike;

		if (n == ranking->host || !ranking->failover->state->open[n] ||
		    is_listed(ranking, n) || !vrms_unit_allowed(model, ranking->unit, n)) {
			continue;
		}
		level = level_there(ranking, n, &fits);
		flaw = (rules_allow(ranking, n) ? 0 : 2) + (fits ? 0 : 1);
		dislike = model->unit[ranking->unit].like_count > 0
			      ? vrms_state_dislike(ranking->failover->state, ranking->unit, n)
			      : 0;
		if (best < 0 || flaw < best_flaw ||
		    (flaw == best_flaw &&
		     (dislike < best_dislike || (dislike == best_dislike && level < best_level)))) {
			best = n;
			best_flaw = flaw;
			best_dislike = dislike;
			best_level = level;
		}
	}
	return best;
}

/* Units of one host, those with the same first host next to each other. */
static void order_by_first(const struct vrms_failover *failover, int *units, int count)
{
	for (int at = 1; at < count; at++) {
		int unit = units[at], to = at;

		for (; to > 0 &&
		       vrms_list_of(failover, units[to - 1])[0] > vrms_list_of(failover, unit)[0];
		     to--) {
			units[to] = units[to - 1];
		}
		units[to] = unit;
	}
}

static void note_extra(struct ranking *ranking, int node)
{
	const struct vrms_model *model = ranking->model;

	for (int d = 0; d < model->dim_count; d++) {
		ranking->extra[(size_t)node * model->dim_count + d] +=
		    model->unit_weight[(size_t)ranking->unit * model->dim_count + d];
	}
}

static void fill_list(struct ranking *ranking, int *list)
{
	ranking->list = list;
	for (int k = 0; k < ranking->failover->config.list_length; k++) {
		ranking->length = k;
		if (list[k] < 0) {
			list[k] = best_next(ranking);
		} else if (k == 1) {
			continue; /* chosen with its pair */
		}
		if (list[k] < 0) {
			break;
		}
		if (k == 1) {
			note_extra(ranking, list[k]);
		}
	}
}

void vrms_ranks_fill(struct vrms_failover *failover)
{
	const struct vrms_model *model = failover->model;
	size_t cells = (size_t)(model->node_count + 1) * (size_t)(model->dim_count + 1);
	struct ranking ranking = {.failover = failover, .model = model};
	int64_t *extra = failover->extra;

	ranking.extra = extra;
	for (int h = 0; h < model->node_count; h++) {
		int *units = &failover->resident[failover->first[h]];
		int count = failover->first[h + 1] - failover->first[h], last = -2;

		order_by_first(failover, units, count);
		for (int i = 0; i < count; i++) {
			int first = vrms_list_of(failover, units[i])[0];

			if (first != last) {
				memset(extra, 0, cells * sizeof(*extra));
				last = first;
			}
			ranking.unit = units[i];
			ranking.host = h;
			if (!model->unit[units[i]].pinned) {
				fill_list(&ranking, vrms_list_of(failover, units[i]));
			}
		}
	}
}
