/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/report.h"

/* jansson reports lack of memory by NULL, and its _new setters accept NULL as failure: one flag. */
static void set(json_t *object, const char *key, json_t *value, bool *ok)
{
	*ok = json_object_set_new(object, key, value) == 0 && *ok;
}

static void append(json_t *list, json_t *value, bool *ok)
{
	*ok = json_array_append_new(list, value) == 0 && *ok;
}

static const int64_t *after_of(const struct vrms_report *report)
{
	return report->trim != NULL ? report->trim->after : report->outcome->after;
}

static json_t *amounts(const struct vrms_model *model, const int64_t *from, int node, bool *ok)
{
	json_t *object = json_object();
	int dims = vrms_model_dim_count(model);

	for (int d = 0; d < dims; d++) {
		set(object, vrms_model_dim_name(model, d),
		    json_integer(from != NULL ? from[node * dims + d]
					      : vrms_model_capacity(model, node, d)),
		    ok);
	}
	return object;
}

static json_t *shares(const struct vrms_model *model, const double *from, bool *ok)
{
	json_t *object = json_object();

	for (int d = 0; d < vrms_model_dim_count(model); d++) {
		set(object, vrms_model_dim_name(model, d), json_real(from[d]), ok);
	}
	return object;
}

static json_t *node_name(const struct vrms_model *model, int node)
{
	return node < 0 ? json_null() : json_string(vrms_model_node_name(model, node));
}

static json_t *hosts_of(const struct vrms_report *report, bool *ok)
{
	json_t *list = json_array();

	for (int n = 0; n < vrms_model_node_count(report->model); n++) {
		json_t *host = json_object();

		set(host, "name", node_name(report->model, n), ok);
		set(host, "alive", json_boolean(vrms_planner_is_alive(report->planner, n)), ok);
		set(host, "capacity", amounts(report->model, NULL, n, ok), ok);
		set(host, "before", amounts(report->model, report->outcome->before, n, ok), ok);
		set(host, "after", amounts(report->model, after_of(report), n, ok), ok);
		append(list, host, ok);
	}
	return list;
}

static void add_moves(json_t *list, const struct vrms_report *report,
		      const struct vrms_outcome *outcome, bool *ok)
{
	for (int i = 0; outcome != NULL && i < outcome->move_count; i++) {
		const struct vrms_move *move = &outcome->moves[i];
		json_t *vm = json_object();

		set(vm, "name", json_string(vrms_model_vm_name(report->model, move->vm)), ok);
		set(vm, "from", node_name(report->model, move->from), ok);
		set(vm, "to", node_name(report->model, move->to), ok);
		set(vm, "kind", json_string(vrms_move_kind_name(move->kind)), ok);
		set(vm, "batch", json_integer(move->batch), ok);
		set(vm, "live", json_boolean(move->kind != VRMS_MOVE_RECOVER && !move->cold), ok);
		append(list, vm, ok);
	}
}

static json_t *lists_of(const struct vrms_report *report, bool *ok)
{
	json_t *lists = json_object();

	for (int v = 0; v < vrms_model_vm_count(report->model); v++) {
		json_t *list = json_array();
		int count;
		const int *nodes = vrms_failover_list(report->lists, v, &count);

		for (int i = 0; i < count; i++) {
			append(list, node_name(report->model, nodes[i]), ok);
		}
		set(lists, vrms_model_vm_name(report->model, v), list, ok);
	}
	return lists;
}

static json_t *failures_of(const struct vrms_report *report, bool *ok)
{
	json_t *list = json_array();

	for (int i = 0; i < vrms_failover_case_count(report->lists); i++) {
		const struct vrms_case *found = vrms_failover_case(report->lists, i);
		json_t *failure = json_object(), *nodes = json_array();

		for (int k = 0; k < 2 && found->node[k] >= 0; k++) {
			append(nodes, node_name(report->model, found->node[k]), ok);
		}
		set(failure, "nodes", nodes, ok);
		set(failure, "by_list", json_boolean(found->by_list), ok);
		set(failure, "moves", json_integer(found->shifts), ok);
		set(failure, "down", json_integer(found->down), ok);
		set(failure, "highest", shares(report->model, found->highest, ok), ok);
		set(failure, "bound", shares(report->model, found->bound, ok), ok);
		append(list, failure, ok);
	}
	return list;
}

struct broken_list {
	json_t *list;
	bool *ok;
};

static void add_broken(void *context, const char *what, const char *name)
{
	struct broken_list *broken = context;

	append(broken->list, json_sprintf("%s %s", what, name), broken->ok);
}

static json_t *stopped_of(const struct vrms_report *report, bool *ok)
{
	json_t *list = json_array();

	for (int i = 0; i < report->outcome->stopped_count; i++) {
		append(list,
		       json_string(vrms_model_vm_name(report->model, report->outcome->stopped[i])),
		       ok);
	}
	return list;
}

static json_t *notes_of(const struct vrms_report *report, bool *ok)
{
	json_t *list = json_array();

	for (int i = 0;
	     report->notes != NULL && i < report->notes->count && i < VRMS_IMPORT_NOTES_MAX; i++) {
		/* A name may have been cut within a character. */
		append(list,
		       json_stringn_nocheck(report->notes->text[i], strlen(report->notes->text[i])),
		       ok);
	}
	return list;
}

int vrms_report_json(const struct vrms_report *report, struct vrms_error *error)
{
	const struct vrms_outcome *last = report->trim != NULL ? report->trim : report->outcome;
	json_t *root = json_object(), *moves = json_array();
	bool ok = true;
	struct broken_list broken = {json_array(), &ok};

	add_moves(moves, report, report->outcome, &ok);
	add_moves(moves, report, report->trim, &ok);
	vrms_planner_broken(report->planner, add_broken, &broken);
	set(root, "hosts", hosts_of(report, &ok), &ok);
	set(root, "vms", moves, &ok);
	set(root, "stopped", stopped_of(report, &ok), &ok);
	set(root, "bound", shares(report->model, last->bound, &ok), &ok);
	set(root, "highest", shares(report->model, last->highest_after, &ok), &ok);
	set(root, "rules_broken", broken.list, &ok);
	if (report->survival != NULL) {
		set(root, "survives", json_integer(report->survival->survives), &ok);
	}
	if (report->lists != NULL) {
		set(root, "failures", failures_of(report, &ok), &ok);
		set(root, "lists", lists_of(report, &ok), &ok);
	}
	set(root, "not_considered", notes_of(report, &ok), &ok);
	set(root, "holds", json_boolean(report->holds), &ok);
	if (report->change != VRMS_REPORT_NOT_ASKED) {
		set(root, "changed", json_boolean(report->change == VRMS_REPORT_CHANGED), &ok);
		set(root, "patch", report->patch != NULL ? json_string(report->patch) : json_null(),
		    &ok);
	}
	ok = ok && json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) == 0;
	putchar('\n');
	json_decref(root);
	return ok ? 0 : vrms_error_set(error, -ENOMEM, "the JSON could not be written");
}
