/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/placement_cluster.h"
#include "tests/unit/unit.h"

struct desk {
	struct cluster cluster;
	struct vrms_planner *planner;
	struct vrms_outcome *outcome;
};

static void open_desk(struct desk *desk)
{
	desk->planner = vrms_planner_new(desk->cluster.model);
	desk->outcome = vrms_outcome_new(desk->cluster.model);
}

static void close_desk(struct desk *desk)
{
	vrms_planner_free(desk->planner);
	vrms_outcome_free(desk->outcome);
	cluster_done(&desk->cluster);
}

START_TEST(displaced_vms_go_where_the_load_stays_level)
{
	struct desk desk;

	cluster_plain(&desk.cluster, 3, 100, (int64_t[]){20, 20, 20, 10}, (int[]){0, 0, 1, 2}, 4);
	open_desk(&desk);
	vrms_planner_fail(desk.planner, (int[]){0}, 1, desk.outcome);
	ck_assert_int_eq(desk.outcome->move_count, 2);
	ck_assert_int_eq(desk.outcome->stopped_count, 0);
	ck_assert_int_ne(desk.outcome->moves[0].to, desk.outcome->moves[1].to);
	ck_assert_int_eq(desk.outcome->moves[0].kind, VRMS_MOVE_RECOVER);
	ck_assert_int_eq(desk.outcome->after[1], 40);
	ck_assert_int_eq(desk.outcome->after[2], 30);
	close_desk(&desk);
}
END_TEST

START_TEST(survivors_move_only_when_they_must)
{
	struct desk desk;

	/* 50 is displaced; n1 has 40 free, n2 has 45: one survivor of 10 must make room. */
	cluster_plain(&desk.cluster, 3, 100, (int64_t[]){50, 10, 50, 55}, (int[]){0, 1, 1, 2}, 4);
	open_desk(&desk);
	vrms_planner_fail(desk.planner, (int[]){0}, 1, desk.outcome);
	ck_assert_int_eq(desk.outcome->stopped_count, 0);
	ck_assert_int_eq(desk.outcome->move_count, 2);
	ck_assert_int_eq(desk.outcome->moves[0].kind, VRMS_MOVE_ROOM);
	ck_assert_int_eq(desk.outcome->moves[0].vm, 1);
	ck_assert_int_eq(desk.outcome->moves[0].to, 2);
	ck_assert_int_lt(desk.outcome->moves[0].batch, desk.outcome->moves[1].batch);
	ck_assert(desk.outcome->fewest);
	close_desk(&desk);
}
END_TEST

START_TEST(a_vm_that_cannot_migrate_makes_no_room)
{
	struct desk desk;
	struct vrms_error error = {""};

	cluster_plain(&desk.cluster, 3, 100, (int64_t[]){50, 10, 50, 55}, (int[]){0, 1, 1, 2}, 4);
	desk.cluster.cold[1] = true;
	ck_assert_int_eq(cluster_build(&desk.cluster, &error), 0);
	open_desk(&desk);
	vrms_planner_fail(desk.planner, (int[]){0}, 1, desk.outcome);
	ck_assert_int_eq(desk.outcome->stopped_count, 1);
	ck_assert_int_eq(desk.outcome->stopped[0], 0);
	close_desk(&desk);
}
END_TEST

START_TEST(the_least_important_stay_down)
{
	struct desk desk;
	struct vrms_error error = {""};

	/* 40 free for 60 displaced in three: the one of lowest priority stays down. */
	cluster_plain(&desk.cluster, 2, 100, (int64_t[]){20, 20, 20, 60}, (int[]){0, 0, 0, 1}, 4);
	desk.cluster.priority[0] = desk.cluster.priority[2] = desk.cluster.priority[3] = 5;
	ck_assert_int_eq(cluster_build(&desk.cluster, &error), 0);
	open_desk(&desk);
	vrms_planner_fail(desk.planner, (int[]){0}, 1, desk.outcome);
	ck_assert_int_eq(desk.outcome->stopped_count, 1);
	ck_assert_int_eq(desk.outcome->stopped[0], 1);
	ck_assert_int_eq(desk.outcome->move_count, 2);
	close_desk(&desk);
}
END_TEST

START_TEST(a_running_vm_stops_for_a_more_important_one)
{
	struct desk desk;
	struct vrms_error error = {""};

	cluster_plain(&desk.cluster, 2, 100, (int64_t[]){60, 60, 20}, (int[]){0, 1, 1}, 3);
	desk.cluster.priority[0] = 9;
	desk.cluster.priority[2] = 9;
	ck_assert_int_eq(cluster_build(&desk.cluster, &error), 0);
	open_desk(&desk);
	vrms_planner_fail(desk.planner, (int[]){0}, 1, desk.outcome);
	ck_assert_int_eq(desk.outcome->stopped_count, 1);
	ck_assert_int_eq(desk.outcome->stopped[0], 1);
	ck_assert_int_eq(vrms_planner_where(desk.planner, 0), 1);
	close_desk(&desk);
}
END_TEST

START_TEST(a_second_host_is_chosen_for_the_loss_of_the_first)
{
	struct desk desk;
	struct vrms_failover_config config;
	struct vrms_failover *lists;
	int count;

	cluster_plain(&desk.cluster, 4, 100, (int64_t[]){20, 20, 20, 20}, (int[]){0, 1, 2, 3}, 4);
	open_desk(&desk);
	vrms_failover_config_default(&config, desk.cluster.model);
	lists = vrms_planner_lists(desk.planner, &config);
	ck_assert_int_eq(vrms_failover_case_count(lists), 4 + 6);
	for (int v = 0; v < 4; v++) {
		const int *list = vrms_failover_list(lists, v, &count);

		ck_assert_int_eq(count, 3);
		ck_assert_int_ne(list[0], list[1]);
		ck_assert_int_ne(list[1], list[2]);
	}
	for (int i = 0; i < 10; i++) { /* 80 on the survivors: one pair of VMs must share */
		const struct vrms_case *found = vrms_failover_case(lists, i);

		ck_assert(found->by_list);
		ck_assert_double_eq_tol(found->highest[0], 0.4, 1e-9);
	}
	vrms_failover_free(lists);
	close_desk(&desk);
}
END_TEST

START_TEST(looking_up_equals_planning)
{
	struct desk desk;

	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct vrms_failover_config config;
		struct vrms_failover *lists;

		cluster_random(&desk.cluster, seed);
		open_desk(&desk);
		vrms_failover_config_default(&config, desk.cluster.model);
		config.steps = 500;
		lists = vrms_planner_lists(desk.planner, &config);
		for (int i = 0; i < vrms_failover_case_count(lists); i++) {
			const struct vrms_case *found = vrms_failover_case(lists, i);
			int nodes = found->node[1] < 0 ? 1 : 2;
			int down = vrms_planner_decide(desk.planner, lists, found->node, nodes,
						       desk.outcome);

			ck_assert_msg(found->cut || down <= found->down,
				      "seed %d case %d: %d down, %d planned", (int)seed, i, down,
				      found->down);
			for (int d = 0; found->by_list && d < desk.cluster.dim_count; d++) {
				ck_assert_double_eq_tol(desk.outcome->highest_after[d],
							found->highest[d], 1e-9);
			}
			vrms_planner_reset(desk.planner);
		}
		vrms_failover_free(lists);
		close_desk(&desk);
	}
}
END_TEST

START_TEST(rebalance_levels_and_then_rests)
{
	struct desk desk;
	struct vrms_rebalance_config config = {.moves_max = 10,
					       .parallel = 2,
					       .gain_min = 0.2,
					       .only_to = VRMS_NODE_NONE};

	cluster_plain(&desk.cluster, 3, 100, (int64_t[]){20, 20, 20, 20, 20, 20},
		      (int[]){0, 0, 0, 0, 1, 1}, 6);
	open_desk(&desk);
	vrms_planner_rebalance(desk.planner, &config, desk.outcome);
	ck_assert_int_eq(desk.outcome->move_count, 2);
	ck_assert_double_eq_tol(desk.outcome->highest_after[0], 0.4, 1e-9);
	ck_assert_double_eq_tol(desk.outcome->bound[0], 0.4, 1e-6);
	ck_assert_int_eq(desk.outcome->moves[0].kind, VRMS_MOVE_REBALANCE);
	vrms_planner_rebalance(desk.planner, &config, desk.outcome);
	ck_assert_int_eq(desk.outcome->move_count, 0);
	close_desk(&desk);
}
END_TEST

START_TEST(a_returning_node_fills_up)
{
	struct desk desk;
	struct vrms_rebalance_config config = {.moves_max = 10,
					       .parallel = 2,
					       .gain_min = 0.2,
					       .only_to = 2};

	cluster_plain(&desk.cluster, 3, 100, (int64_t[]){20, 20, 20, 20, 20, 20},
		      (int[]){0, 0, 0, 1, 1, 1}, 6);
	open_desk(&desk);
	vrms_planner_rebalance(desk.planner, &config, desk.outcome);
	ck_assert_int_eq(desk.outcome->move_count, 2);
	ck_assert_int_eq(desk.outcome->after[2], 40);
	close_desk(&desk);
}
END_TEST

START_TEST(drain_empties_a_node_in_batches)
{
	struct desk desk;
	struct vrms_error error = {""};

	cluster_plain(&desk.cluster, 3, 100, (int64_t[]){10, 20, 10, 10, 20, 20},
		      (int[]){0, 0, 0, 0, 1, 2}, 6);
	desk.cluster.cold[2] = true;
	ck_assert_int_eq(cluster_build(&desk.cluster, &error), 0);
	open_desk(&desk);
	vrms_planner_drain(desk.planner, 0, 2, desk.outcome);
	ck_assert_int_eq(desk.outcome->move_count, 4);
	ck_assert(desk.outcome->ordered);
	ck_assert_int_eq(desk.outcome->after[0], 0);
	ck_assert_int_eq(desk.outcome->moves[0].batch, 0);
	ck_assert_int_eq(desk.outcome->moves[1].batch, 0);
	ck_assert_int_eq(desk.outcome->moves[2].batch, 1);
	ck_assert_int_eq(desk.outcome->moves[3].vm, 2);
	ck_assert(desk.outcome->moves[3].cold);
	close_desk(&desk);
}
END_TEST

START_TEST(new_vms_get_hosts_and_others_stay)
{
	struct desk desk;

	cluster_plain(&desk.cluster, 2, 100, (int64_t[]){30, 20, 20}, (int[]){0, -1, -1}, 3);
	open_desk(&desk);
	vrms_planner_place(desk.planner, (int[]){1}, 1, desk.outcome);
	ck_assert_int_eq(desk.outcome->move_count, 1);
	ck_assert_int_eq(desk.outcome->moves[0].to, 1);
	ck_assert_int_eq(desk.outcome->moves[0].from, VRMS_NODE_NONE);
	ck_assert_int_eq(vrms_planner_where(desk.planner, 2), VRMS_NODE_NONE);
	close_desk(&desk);
}
END_TEST

UNIT_MAIN("placement_planner", displaced_vms_go_where_the_load_stays_level,
	  survivors_move_only_when_they_must, a_vm_that_cannot_migrate_makes_no_room,
	  the_least_important_stay_down, a_running_vm_stops_for_a_more_important_one,
	  a_second_host_is_chosen_for_the_loss_of_the_first, looking_up_equals_planning,
	  rebalance_levels_and_then_rests, a_returning_node_fills_up,
	  drain_empties_a_node_in_batches, new_vms_get_hosts_and_others_stay)
