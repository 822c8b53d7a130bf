/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/sim_help.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "simulator/settings.h"

void sim_make(struct vrms_sim_scenario *scenario, const char *settings)
{
	struct vrms_error error = {""};
	char word[128];

	vrms_sim_scenario_init(scenario);
	while (*settings != '\0') {
		size_t length = strcspn(settings, " ");

		snprintf(word, sizeof(word), "%.*s", (int)length, settings);
		ck_assert_msg(vrms_sim_settings_assign(&scenario->settings, word, &error) == 0,
			      "%s", error.text);
		settings += length;
		settings += strspn(settings, " ");
	}
	/* Nodes are known by number from here on. */
	for (int i = 1; i <= scenario->settings.nodes; i++) {
		snprintf(word, sizeof(word), "node%d", i);
		ck_assert_int_ge(vrms_sim_scenario_add_node(scenario, word, &error), 0);
	}
}

void sim_fault(struct vrms_sim_scenario *scenario, int64_t at_ms, enum vrms_sim_fault_kind kind,
	       int first, int64_t for_ms)
{
	struct vrms_sim_fault fault = {.at_us = at_ms * 1000,
				       .for_us = for_ms * 1000,
				       .kind = (uint16_t)kind,
				       .link = -1,
				       .first = first};

	ck_assert_int_eq(vrms_sim_scenario_add_fault(scenario, &fault), 0);
}

void sim_cut(struct vrms_sim_scenario *scenario, int64_t at_ms, unsigned second_bits)
{
	int row = vrms_sim_scenario_add_cut(scenario);

	ck_assert_int_ge(row, 0);
	for (int i = 0; i < scenario->node_count; i++) {
		scenario->group[row * scenario->node_count + i] = (second_bits >> i) & 1;
	}
	sim_fault(scenario, at_ms, VRMS_SIM_FAULT_CUT, row, 0);
}

void sim_run(struct vrms_sim_scenario *scenario, bool exact, struct vrms_sim_result *result)
{
	struct vrms_error error = {""};
	struct vrms_sim_options options = {.exact = exact, .step_limit = 100000};

	ck_assert_msg(vrms_sim_scenario_complete(scenario, &error) == 0, "%s", error.text);
	ck_assert_msg(vrms_sim_run(scenario, &options, result, &error) == 0, "%s", error.text);
	vrms_sim_scenario_done(scenario);
}

int64_t sim_when(const struct vrms_sim_result *result, enum vrms_sim_step_kind kind, int node,
		 int vm)
{
	for (size_t i = 0; i < result->record.step_count; i++) {
		const struct vrms_sim_step *step = &result->record.step[i];

		if (step->kind == (int16_t)kind && (node < 0 || step->node == node) &&
		    (vm < 0 || step->vm == vm)) {
			return step->at_us / 1000;
		}
	}
	return -1;
}

int sim_count(const struct vrms_sim_result *result, enum vrms_sim_step_kind kind, int node)
{
	int count = 0;

	for (size_t i = 0; i < result->record.step_count; i++) {
		const struct vrms_sim_step *step = &result->record.step[i];

		count += step->kind == (int16_t)kind && (node < 0 || step->node == node) ? 1 : 0;
	}
	return count;
}

bool sim_same_step(const struct vrms_sim_step *one, const struct vrms_sim_step *other)
{
	return one->at_us == other->at_us && one->failure == other->failure &&
	       one->node == other->node && one->vm == other->vm && one->kind == other->kind &&
	       one->fault == other->fault && one->detail == other->detail;
}
