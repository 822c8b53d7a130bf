/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/scenario_write.h"

#include <inttypes.h>
#include <string.h>

#include "simulator/settings.h"

static void print_rows(FILE *out, const struct vrms_sim_setting *table, size_t count,
		       const void *base)
{
	const char *section = "";

	for (size_t i = 0; i < count; i++) {
		char text[64];

		vrms_sim_setting_print(&table[i], base, text, sizeof(text));
		if (table[i].section != NULL && strcmp(table[i].section, section) != 0) {
			section = table[i].section;
			fprintf(out, "\n[%s]\n", section);
		}
		fprintf(out, "%s = %s\n", table[i].key, text);
	}
}

static void print_parts(FILE *out, const struct vrms_sim_scenario *scenario)
{
	size_t count;
	const struct vrms_sim_setting *table = vrms_sim_device_table(&count);

	for (int i = 0; i < scenario->device_count; i++) {
		fprintf(out, "\n[device %s]\n", scenario->device[i].name);
		print_rows(out, table, count, &scenario->device[i]);
	}
	table = vrms_sim_node_table(&count);
	for (int i = 0; i < scenario->node_count; i++) {
		fprintf(out, "\n[node %s]\n", scenario->node[i].name);
		print_rows(out, table, count, &scenario->node[i]);
	}
	table = vrms_sim_vm_table(&count);
	for (int i = 0; i < scenario->vm_count; i++) {
		fprintf(out, "\n[vm %s]\n", scenario->vm[i].name);
		print_rows(out, table, count, &scenario->vm[i]);
		if (scenario->vm[i].host >= 0) {
			fprintf(out, "host = %s\n", scenario->node[scenario->vm[i].host].name);
		}
	}
}

static void print_members(FILE *out, const struct vrms_sim_scenario *scenario, const char *kind,
			  int number)
{
	bool apart = kind[0] == 'a';
	const char *before = "vms =";

	for (int i = 0; i < scenario->ruled_count; i++) {
		const struct vrms_sim_vm_spec *vm = &scenario->vm[scenario->ruled[i]];

		if (!(apart ? (vm->apart >> number & 1) != 0 : vm->together == number + 1)) {
			continue;
		}
		if (before[0] != '\0') {
			fprintf(out, "\n[rule %s-%d]\nkind = %s\n%s", kind, number + 1, kind,
				before);
			before = "";
		}
		fprintf(out, " %s", vm->name);
	}
	fputs(before[0] == '\0' ? "\n" : "", out);
}

static void print_nodes(FILE *out, const struct vrms_sim_scenario *scenario, int vm)
{
	const char *name = scenario->vm[vm].name;
	const char *kind = scenario->vm[vm].strict ? "only" : "prefer";
	bool any = false;

	for (int i = 0; i < scenario->preference_count; i++) {
		const struct vrms_sim_preference *liked = &scenario->preference[i];

		if (liked->vm != vm) {
			continue;
		}
		if (!any) {
			fprintf(out, "\n[rule %s-%s]\nkind = %s\nvms = %s\nnodes =", kind, name,
				kind, name);
		}
		any = true;
		fprintf(out, " %s:%" PRId64, scenario->node[liked->node].name, liked->priority);
	}
	/* One that may run nowhere: a rule that named all nodes. */
	if (!any && scenario->vm[vm].strict) {
		any = true;
		fprintf(out, "\n[rule never-%s]\nkind = never\nvms = %s\nnodes =", name, name);
		for (int node = 0; node < scenario->node_count; node++) {
			fprintf(out, " %s", scenario->node[node].name);
		}
	}
	fputs(any ? "\n" : "", out);
}

static void print_rules(FILE *out, const struct vrms_sim_scenario *scenario)
{
	for (int i = 0; i < scenario->apart_rules; i++) {
		print_members(out, scenario, "apart", i);
	}
	for (int i = 0; i < scenario->together_rules; i++) {
		print_members(out, scenario, "together", i);
	}
	for (int i = 0; i < scenario->ruled_count; i++) {
		print_nodes(out, scenario, scenario->ruled[i]);
	}
}

static void print_groups(FILE *out, const struct vrms_sim_scenario *scenario, int row)
{
	const int16_t *group = &scenario->group[row * scenario->node_count];
	int16_t most = 0;

	for (int i = 0; i < scenario->node_count; i++) {
		most = group[i] > most ? group[i] : most;
	}
	for (int16_t wanted = 0; wanted <= most; wanted++) {
		fputs(wanted > 0 ? " /" : "", out);
		for (int i = 0; i < scenario->node_count; i++) {
			if (group[i] == wanted) {
				fprintf(out, " %s", scenario->node[i].name);
			}
		}
	}
}

static void print_fault(FILE *out, const struct vrms_sim_scenario *scenario,
			const struct vrms_sim_fault *fault)
{
	enum vrms_sim_fault_kind kind = (enum vrms_sim_fault_kind)fault->kind;
	const char *subject = vrms_sim_fault_subject(kind);

	fprintf(out, "%" PRId64 "us %s", fault->at_us, vrms_sim_fault_word(kind));
	if (subject[0] == 'g') {
		print_groups(out, scenario, fault->first);
	} else if (subject[0] == 'v') {
		fprintf(out, " %s", scenario->vm[fault->first].name);
	} else if (subject[0] == 'n') {
		fprintf(out, " %s", scenario->node[fault->first].name);
	}
	if (subject[0] != '0' && subject[1] == 'n') {
		fprintf(out, " %s", scenario->node[fault->second].name);
	}
	if (fault->for_us > 0) {
		fprintf(out, " for %" PRId64 "us", fault->for_us);
	}
	if (fault->link >= 0) {
		fprintf(out, " network %d", fault->link);
	}
	fputc('\n', out);
}

void vrms_sim_scenario_print(FILE *out, const struct vrms_sim_scenario *scenario)
{
	size_t count;
	const struct vrms_sim_setting *table = vrms_sim_settings_table(&count);

	print_rows(out, table, count, &scenario->settings);
	print_parts(out, scenario);
	print_rules(out, scenario);
	fputs("\n[faults]\n", out);
	for (size_t i = 0; i < scenario->fault_count; i++) {
		print_fault(out, scenario, &scenario->fault[i]);
	}
}
