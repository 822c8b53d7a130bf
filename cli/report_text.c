/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "cli/report.h"

enum {
	BAR_WIDTH = 20,
	FAILURES_SHOWN = 24, /* pairs of nodes that need more than lists, beyond single nodes */
	NAMES_SHOWN = 12
};

static const char *name_of(const struct vrms_report *report, int node)
{
	return node < 0 ? "-" : vrms_model_node_name(report->model, node);
}

/* "[########............]  41 %"; more than full ends in '!'. */
static void print_bar(double share)
{
	int filled = share < 0 ? 0 : (int)(share * BAR_WIDTH + 0.5);
	char bar[BAR_WIDTH + 1];

	for (int i = 0; i < BAR_WIDTH; i++) {
		bar[i] = i < filled ? '#' : '.';
	}
	bar[BAR_WIDTH] = '\0';
	if (share > 1.0) {
		bar[BAR_WIDTH - 1] = '!';
	}
	printf("[%s] %4.0f %%", bar, 100 * share);
}

static void print_hosts(const struct vrms_report *report)
{
	const int64_t *after = report->trim != NULL ? report->trim->after : report->outcome->after;
	int dims = vrms_model_dim_count(report->model);

	for (int d = 0; d < dims; d++) {
		printf("\n%-16s %-29s  %s\n", vrms_model_dim_name(report->model, d), "before",
		       "after");
		for (int n = 0; n < vrms_model_node_count(report->model); n++) {
			double capacity = (double)vrms_model_capacity(report->model, n, d);
			double one = capacity > 0 ? 1.0 / capacity : 0;

			printf("  %-14s ", name_of(report, n));
			print_bar((double)report->outcome->before[n * dims + d] * one);
			printf("  ");
			if (vrms_planner_is_alive(report->planner, n)) {
				print_bar((double)after[n * dims + d] * one);
			} else {
				printf("lost");
			}
			printf("\n");
		}
	}
}

static void print_moves(const struct vrms_report *report, const struct vrms_outcome *outcome)
{
	int last = -1;

	for (int i = 0; outcome != NULL && i < outcome->move_count; i++) {
		const struct vrms_move *move = &outcome->moves[i];

		if (move->batch != last) {
			printf("  step %d:\n", move->batch + 1);
			last = move->batch;
		}
		printf("    %-9s %-20s %s -> %s%s\n", vrms_move_kind_name(move->kind),
		       vrms_model_vm_name(report->model, move->vm), name_of(report, move->from),
		       name_of(report, move->to),
		       move->cold ? "  (stop and start: cannot be live-migrated)" : "");
	}
}

static void print_stopped(const struct vrms_report *report)
{
	const struct vrms_outcome *outcome = report->outcome;

	if (outcome->stopped_count == 0) {
		return;
	}
	printf("\nStay down (%d):", outcome->stopped_count);
	for (int i = 0; i < outcome->stopped_count; i++) {
		printf(" %s", vrms_model_vm_name(report->model, outcome->stopped[i]));
	}
	printf("\n");
}

static void print_bounds(const struct vrms_report *report, const struct vrms_outcome *outcome)
{
	printf("\nHighest load (measured where known):");
	for (int d = 0; d < vrms_model_dim_count(report->model); d++) {
		printf("  %s %.1f %% before, %.1f %% after (no plan can get below %.1f %%)",
		       vrms_model_dim_name(report->model, d), 100 * outcome->highest_before[d],
		       100 * outcome->highest_after[d], 100 * outcome->bound[d]);
	}
	printf("\n");
}

static void print_down(const struct vrms_report *report, const struct vrms_case *found)
{
	const struct vrms_detail *detail = vrms_failover_details(report->lists, found);
	int shown = 0;

	for (int i = 0; i < found->detail_count && shown < NAMES_SHOWN; i++) {
		int vm = detail[i].to < 0 ? 0 : -1;

		for (int k = 0; vm >= 0 && shown < NAMES_SHOWN; k++) {
			vm = vrms_failover_detail_vm(report->lists, &detail[i], k);
			if (vm >= 0) {
				printf(" %s", vrms_model_vm_name(report->model, vm));
				shown++;
			}
		}
	}
	if (shown < found->down) {
		printf(" ...");
	}
}

static void print_failure(const struct vrms_report *report, const struct vrms_case *found)
{
	char nodes[96];

	snprintf(nodes, sizeof(nodes), "%s%s%s", name_of(report, found->node[0]),
		 found->node[1] < 0 ? "" : " + ",
		 found->node[1] < 0 ? "" : name_of(report, found->node[1]));
	printf("  %-24s", nodes);
	for (int d = 0; d < vrms_model_dim_count(report->model); d++) {
		printf("  %6.1f %% (%5.1f)", 100 * found->highest[d], 100 * found->bound[d]);
	}
	if (found->down > 0) {
		printf("  %d down:", found->down);
		print_down(report, found);
	} else if (found->shifts > 0) {
		printf("  after %d live migration%s%s", found->shifts,
		       found->shifts == 1 ? "" : "s", found->fewest ? ", the fewest possible" : "");
	} else {
		printf("  %s", found->by_list ? "by list" : "by plan");
	}
	printf("\n");
}

static void print_failures(const struct vrms_report *report)
{
	int shown = 0, hidden = 0;

	printf("\n%-26s", "Loss of");
	for (int d = 0; d < vrms_model_dim_count(report->model); d++) {
		printf("  %-16s", vrms_model_dim_name(report->model, d));
	}
	printf("  VMs\n%-26s", "");
	for (int d = 0; d < vrms_model_dim_count(report->model); d++) {
		printf("  %-16s", "highest (bound)");
	}
	printf("\n");
	for (int i = 0; i < vrms_failover_case_count(report->lists); i++) {
		const struct vrms_case *found = vrms_failover_case(report->lists, i);
		bool pair = found->node[1] >= 0;

		if (pair && (found->by_list || shown >= FAILURES_SHOWN)) {
			hidden++;
			continue;
		}
		shown += pair;
		print_failure(report, found);
	}
	if (hidden > 0) {
		printf("  and %d pairs of nodes%s\n", hidden,
		       shown >= FAILURES_SHOWN ? "" : " by list");
	}
}

static void print_broken(void *context, const char *what, const char *name)
{
	(void)context;
	printf("Broken: %s '%s'\n", what, name);
}

static void print_survival(const struct vrms_report *report)
{
	const struct vrms_survival *survival = report->survival;

	if (survival->survives == 0) {
		printf("\nDoes not survive the loss of every single node");
	} else {
		printf("\nSurvives the loss of any %d node%s", survival->survives,
		       survival->survives == 1 ? "" : "s");
	}
	if (survival->fatal > 0) {
		printf("; %lld of %lld losses leave VMs down, the worst %d (",
		       (long long)survival->fatal, (long long)survival->checked,
		       survival->worst.down);
		for (int i = 0; i < survival->worst.count; i++) {
			printf("%s%s", i == 0 ? "" : " + ",
			       name_of(report, survival->worst.node[i]));
		}
		printf(")");
	}
	printf(".\n");
}

static void print_notes(const struct vrms_import_notes *notes)
{
	int count = notes == NULL ? 0 : notes->count;

	for (int i = 0; i < count && i < VRMS_IMPORT_NOTES_MAX; i++) {
		printf("%sNot taken into account: %s\n", i == 0 ? "\n" : "", notes->text[i]);
	}
	if (count > VRMS_IMPORT_NOTES_MAX) {
		printf("... and %d more\n", count - VRMS_IMPORT_NOTES_MAX);
	}
}

static void print_change(const struct vrms_report *report)
{
	switch (report->change) {
	case VRMS_REPORT_NOT_ASKED:
		return;
	case VRMS_REPORT_UNCHANGED:
		printf("\nThe CIB says so already: nothing is written.\n");
		return;
	case VRMS_REPORT_CHANGED:
		printf("\nWritten to the CIB, in one change.\n");
		return;
	case VRMS_REPORT_WOULD_CHANGE:
		printf("\nWould be written to the CIB:\n%s", report->patch);
		return;
	}
}

void vrms_report_print(const struct vrms_report *report)
{
	const struct vrms_outcome *last = report->trim != NULL ? report->trim : report->outcome;

	printf("%d nodes, %d VMs\n", vrms_model_node_count(report->model),
	       vrms_model_vm_count(report->model));
	print_hosts(report);
	if (report->outcome->move_count > 0 || report->trim != NULL) {
		printf("\nMoves:\n");
		print_moves(report, report->outcome);
		print_moves(report, report->trim);
	}
	print_stopped(report);
	print_bounds(report, last);
	if (report->lists != NULL) {
		print_failures(report);
	}
	if (report->survival != NULL) {
		print_survival(report);
	}
	vrms_planner_broken(report->planner, print_broken, NULL);
	print_notes(report->notes);
	print_change(report);
}
