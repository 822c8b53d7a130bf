/* command_run.c - vrms-sim run, vrms-sim settings.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/file.h"
#include "simulator/command.h"
#include "simulator/crm.h"
#include "simulator/input.h"
#include "simulator/report.h"
#include "simulator/settings.h"

enum { STEPS_KEPT = 20000 };

int vrms_sim_arguments_read(const struct vrms_sim_arguments *arguments,
			    struct vrms_sim_scenario *scenario, struct vrms_error *error)
{
	struct vrms_sim_input input = {
	    .paths = arguments->paths,
	    .path_count = arguments->path_count,
	    .settings = arguments->settings,
	    .setting_count = arguments->setting_count,
	    .skip_bad = arguments->skip_bad,
	};

	return vrms_sim_input_read(&input, scenario, error);
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int write_json(const char *path, const json_t *figures, struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) =
	    json_dumps(figures, JSON_INDENT(1) | JSON_REAL_PRECISION(9));

	if (text == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory for the figures");
	}
	if (path[0] == '\0' || strcmp(path, "-") == 0) {
		puts(text);
		return 0;
	}
	return vrms_file_write(path, text, strlen(text), 0644, error);
}

/* Returns the exit status of all assertions together. */
static int check_assertions(const struct vrms_sim_arguments *arguments, const json_t *figures,
			    struct vrms_error *error)
{
	struct vrms_sim_assertion assertions[VRMS_SIM_LIST_MAX];
	int status = VRMS_SIM_EXIT_OK;

	for (int i = 0; i < arguments->assertion_count; i++) {
		if (vrms_sim_assertion_parse(arguments->assertions[i], &assertions[i], error) < 0 ||
		    vrms_sim_assertion_check(&assertions[i], figures, error) < 0) {
			return VRMS_SIM_EXIT_USAGE;
		}
		if (!assertions[i].holds) {
			fprintf(stderr, "vrms-sim: broken: %s, it is %.10g\n",
				arguments->assertions[i], assertions[i].value);
			status = VRMS_SIM_EXIT_BROKEN;
		}
	}
	if (arguments->junit != NULL &&
	    vrms_sim_junit_write(arguments->junit, assertions, arguments->assertion_count, error) <
		0) {
		return VRMS_SIM_EXIT_FAILED;
	}
	return status;
}

/* All assertions must be readable before minutes are spent on a simulation. */
static int check_forms(const struct vrms_sim_arguments *arguments, struct vrms_error *error)
{
	struct vrms_sim_assertion assertion;
	int rc = 0;

	for (int i = 0; i < arguments->assertion_count && rc == 0; i++) {
		rc = vrms_sim_assertion_parse(arguments->assertions[i], &assertion, error);
	}
	return rc;
}

static int report(const struct vrms_sim_arguments *arguments,
		  const struct vrms_sim_scenario *scenario, struct vrms_sim_result *result,
		  json_t *figures, double wall_s, struct vrms_error *error)
{
	bool json_on_stdout = arguments->json != NULL &&
			      (arguments->json[0] == '\0' || strcmp(arguments->json, "-") == 0);

	if (!json_on_stdout && !arguments->quiet) {
		vrms_sim_report_text(stdout, scenario, result, figures);
	}
	if (arguments->json != NULL && write_json(arguments->json, figures, error) < 0) {
		return VRMS_SIM_EXIT_FAILED;
	}
	if (arguments->html != NULL &&
	    vrms_sim_report_html(arguments->html, scenario, result, figures, error) < 0) {
		return VRMS_SIM_EXIT_FAILED;
	}
	/* What is asserted may differ from run to run; what is written may not. */
	if (json_object_set_new(figures, "wall_s", json_real(wall_s)) < 0) {
		vrms_error_set(error, -ENOMEM, "out of memory for the figures");
		return VRMS_SIM_EXIT_FAILED;
	}
	return check_assertions(arguments, figures, error);
}

static int simulate(const struct vrms_sim_arguments *arguments,
		    const struct vrms_sim_scenario *scenario, struct vrms_error *error)
{
	struct vrms_sim_options options = {.exact = arguments->exact, .step_limit = STEPS_KEPT};
	int bug = vrms_sim_arguments_bug(arguments, error);
	struct vrms_sim_result result;
	double begin_s = now_s();
	int status = VRMS_SIM_EXIT_FAILED;
	struct vrms_sim_crm *crm VRMS_CLEANUP(vrms_sim_crm_freep) = NULL;
	struct vrms_sim_scheduler scheduler;

	if (bug < 0) {
		return VRMS_SIM_EXIT_USAGE;
	}
	options.plant = bug;
	if (arguments->policy != NULL && strcmp(arguments->policy, "pacemaker") == 0) {
		crm = vrms_sim_crm_new();
		if (crm == NULL) {
			vrms_error_set(error, -ENOMEM, "out of memory for the scheduler");
			return VRMS_SIM_EXIT_FAILED;
		}
		scheduler = vrms_sim_crm_scheduler(crm);
		options.scheduler = &scheduler;
	} else if (arguments->policy != NULL && strcmp(arguments->policy, "model") != 0) {
		vrms_error_set(error, -EINVAL, "policy \"%s\" is neither model nor pacemaker",
			       arguments->policy);
		return VRMS_SIM_EXIT_USAGE;
	}
	if (vrms_sim_run(scenario, &options, &result, error) < 0) {
		return VRMS_SIM_EXIT_FAILED;
	}
	double wall_s = now_s() - begin_s;
	json_t *figures = vrms_sim_report_json(scenario, &result, arguments->timing ? wall_s : -1);

	if (figures == NULL) {
		vrms_error_set(error, -ENOMEM, "out of memory for the figures");
	} else {
		status = report(arguments, scenario, &result, figures, wall_s, error);
	}
	json_decref(figures);
	vrms_sim_result_done(&result);
	return status;
}

int vrms_sim_command_run(const struct vrms_sim_arguments *arguments, struct vrms_error *error)
{
	struct vrms_sim_scenario scenario;
	int status;

	if (check_forms(arguments, error) < 0) {
		return VRMS_SIM_EXIT_USAGE;
	}
	if (vrms_sim_arguments_read(arguments, &scenario, error) < 0) {
		return VRMS_SIM_EXIT_FAILED;
	}
	status = simulate(arguments, &scenario, error);
	vrms_sim_scenario_done(&scenario);
	return status;
}

static void print_table(const struct vrms_sim_setting *table, size_t count, const char *section)
{
	for (size_t i = 0; i < count; i++) {
		const char *name = section != NULL ? section : table[i].section;

		if (i == 0 || (section == NULL && strcmp(name, table[i - 1].section) != 0)) {
			printf("%s[%s]\n", i == 0 && section == NULL ? "" : "\n", name);
		}
		printf("# %s", table[i].text);
		if (table[i].words != NULL) {
			printf(" (one of: %s)", table[i].words);
		}
		printf("\n%s = %s\n", table[i].key, table[i].fallback);
	}
}

int vrms_sim_command_settings(const struct vrms_sim_arguments *arguments, struct vrms_error *error)
{
	const struct vrms_sim_setting *table;
	size_t count;

	(void)arguments;
	(void)error;
	table = vrms_sim_settings_table(&count);
	print_table(table, count, NULL);
	table = vrms_sim_device_table(&count);
	print_table(table, count, "device NAME");
	table = vrms_sim_node_table(&count);
	print_table(table, count, "node NAME");
	table = vrms_sim_vm_table(&count);
	print_table(table, count, "vm NAME");
	printf(
	    "\n# [rule NAME]\n# kind: of nodes prefer, only, avoid, never; of VMs together, apart\n"
	    "# kind = apart\n# vms = VM VM\n# nodes = NODE:PRIORITY NODE\n");
	printf("\n[faults]\n# TIME FAULT SUBJECT [for TIME] [network NUMBER]\n");
	for (int i = 0; i < VRMS_SIM_FAULT_COUNT; i++) {
		const char *subject = vrms_sim_fault_subject((enum vrms_sim_fault_kind)i);

		printf("# 10s %-14s %-10s  %s\n", vrms_sim_fault_word((enum vrms_sim_fault_kind)i),
		       strcmp(subject, "n") == 0    ? "NODE"
		       : strcmp(subject, "nn") == 0 ? "NODE NODE"
		       : strcmp(subject, "v") == 0  ? "VM"
		       : strcmp(subject, "vn") == 0 ? "VM NODE"
		       : strcmp(subject, "g") == 0  ? "A B / C"
						    : "",
		       vrms_sim_fault_text((enum vrms_sim_fault_kind)i));
	}
	return VRMS_SIM_EXIT_OK;
}
