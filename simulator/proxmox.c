/* proxmox.c - scenario folders of the Proxmox HA simulator (pve-ha-manager, src/test).
 *
 * cmdlist is a list of rounds of commands; a round follows every 100 seconds, the
 * first after 20.  Understood: power, network, delay, reboot, shutdown, crm
 * maintenance, service started/stopped/disabled/migrate/relocate; and rules_config,
 * where there is one.  "ct:" and "fa:" services are guests like any other here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/input.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"
#include "common/parse.h"
#include "simulator/line.h"
#include "simulator/reader.h"

enum { FIRST_US = 20000000, ROUND_US = 100000000, PATH_BYTES = 1024, RULES_BYTES_MAX = 1 << 20 };

bool vrms_sim_proxmox_is(const char *path)
{
	struct stat status;
	char name[PATH_BYTES];

	snprintf(name, sizeof(name), "%s/cmdlist", path);
	return stat(path, &status) == 0 && S_ISDIR(status.st_mode) && stat(name, &status) == 0;
}

static int load(const char *folder, const char *file, json_t **ret_json, struct vrms_error *error)
{
	char path[PATH_BYTES];
	json_error_t where;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	*ret_json = json_load_file(path, 0, &where);
	if (*ret_json == NULL) {
		return vrms_error_set(error, -EINVAL, "%s:%d: %s", path, where.line, where.text);
	}
	return 0;
}

static int add_nodes(struct vrms_sim_scenario *scenario, const json_t *hardware,
		     struct vrms_error *error)
{
	const char *name;
	json_t *status;

	json_object_foreach((json_t *)hardware, name, status)
	{
		const char *power = json_string_value(json_object_get(status, "power"));
		int node = vrms_sim_scenario_add_node(scenario, name, error);

		if (node < 0) {
			return node;
		}
		scenario->node[node].off = power == NULL || strcmp(power, "on") != 0;
	}
	return 0;
}

/* 0, "0" or false. */
static bool is_no(const json_t *value)
{
	const char *text = json_string_value(value);

	return json_is_false(value) || (text != NULL && strcmp(text, "0") == 0) ||
	       (json_is_integer(value) && json_integer_value(value) == 0);
}

static int add_services(struct vrms_sim_scenario *scenario, const json_t *services,
			struct vrms_error *error)
{
	const char *name;
	json_t *service;

	json_object_foreach((json_t *)services, name, service)
	{
		const char *node = json_string_value(json_object_get(service, "node"));
		const char *state = json_string_value(json_object_get(service, "state"));
		int vm = vrms_sim_scenario_add_vm(scenario, name, error);

		if (vm < 0) {
			return vm;
		}
		if (node == NULL || vrms_sim_scenario_node(scenario, node) < 0) {
			return vrms_error_set(error, -ENOENT,
					      "service_config: %s has no known node", name);
		}
		scenario->vm[vm].host = vrms_sim_scenario_node(scenario, node);
		scenario->vm[vm].stays = is_no(json_object_get(service, "failback"));
		scenario->vm[vm].stopped = state == NULL || (strcmp(state, "started") != 0 &&
							     strcmp(state, "enabled") != 0);
	}
	return 0;
}

static int add(struct vrms_sim_scenario *scenario, int64_t at_us, int kind, int first)
{
	struct vrms_sim_fault fault = {.at_us = at_us,
				       .kind = (uint16_t)kind,
				       .link = -1,
				       .first = first};

	return vrms_sim_scenario_add_fault(scenario, &fault);
}

/* "service SID WORD [NODE]" */
static int read_service(struct vrms_sim_scenario *scenario, int64_t at_us, char **rest,
			struct vrms_error *error)
{
	const char *name = vrms_sim_word(rest, " \t"), *what = vrms_sim_word(rest, " \t");
	const char *target = vrms_sim_word(rest, " \t");
	int vm = name == NULL ? -ENOENT : vrms_sim_scenario_vm(scenario, name);
	struct vrms_sim_fault fault = {.at_us = at_us, .link = -1, .first = vm};

	if (what != NULL && strcmp(what, "add") == 0 && vm < 0 && target != NULL) {
		vm = vrms_sim_scenario_add_vm(scenario, name, error);
		if (vm < 0) {
			return vm;
		}
		scenario->vm[vm].stopped = true;
		return add(scenario, at_us, VRMS_SIM_FAULT_VM_START, vm);
	}
	if (vm < 0 || what == NULL) {
		return vrms_error_set(error, -ENOENT, "there is no service \"%s\"",
				      name == NULL ? "" : name);
	}
	if (strcmp(what, "migrate") == 0 || strcmp(what, "relocate") == 0) {
		fault.second = target == NULL ? -ENOENT : vrms_sim_scenario_node(scenario, target);
		if (fault.second < 0) {
			return vrms_error_set(error, -ENOENT, "%s has no known target", what);
		}
		fault.kind = strcmp(what, "migrate") == 0 ? VRMS_SIM_FAULT_VM_MIGRATE
							  : VRMS_SIM_FAULT_VM_RELOCATE;
		return vrms_sim_scenario_add_fault(scenario, &fault);
	}
	if (strcmp(what, "started") == 0 || strcmp(what, "enabled") == 0) {
		return add(scenario, at_us, VRMS_SIM_FAULT_VM_START, vm);
	}
	if (strcmp(what, "stopped") == 0 || strcmp(what, "disabled") == 0 ||
	    strcmp(what, "stop") == 0 || strcmp(what, "delete") == 0) {
		return add(scenario, at_us, VRMS_SIM_FAULT_VM_STOP, vm);
	}
	return vrms_error_set(error, -EINVAL, "\"service %s\" is not understood", what);
}

/* Commands about a node: the words and what they are here. */
static const struct {
	const char *command, *argument;
	int kind;
} node_commands[] = {
    {"power", "on", VRMS_SIM_FAULT_UP},
    {"power", "off", VRMS_SIM_FAULT_DOWN},
    {"network", "off", VRMS_SIM_FAULT_ISOLATE},
    {"network", "on", VRMS_SIM_FAULT_HEAL},
    {"reboot", NULL, VRMS_SIM_FAULT_RESTART},
    {"shutdown", NULL, VRMS_SIM_FAULT_SHUTDOWN},
    {"crm", "enable-node-maintenance", VRMS_SIM_FAULT_STANDBY},
    {"crm", "disable-node-maintenance", VRMS_SIM_FAULT_ONLINE},
};

static int read_command(struct vrms_sim_scenario *scenario, int64_t *at_us, const char *command,
			struct vrms_error *error)
{
	char text[VRMS_SIM_LINE_BYTES];
	char *rest = text;
	int64_t seconds;

	snprintf(text, sizeof(text), "%s", command);
	const char *word = vrms_sim_word(&rest, " \t");

	if (word != NULL && strcmp(word, "service") == 0) {
		return read_service(scenario, *at_us, &rest, error);
	}
	const char *name = word == NULL ? NULL : vrms_sim_word(&rest, " \t");

	if (name != NULL && strcmp(word, "delay") == 0) {
		int rc = vrms_int_parse(name, 0, 1000000, &seconds, error);

		*at_us += rc == 0 ? seconds * 1000000 : 0;
		return rc;
	}
	const char *argument = vrms_sim_word(&rest, " \t");
	int node = name == NULL ? -ENOENT : vrms_sim_scenario_node(scenario, name);

	for (size_t i = 0; node >= 0 && i < VRMS_COUNT_OF(node_commands); i++) {
		const char *wanted = node_commands[i].argument;

		if (strcmp(node_commands[i].command, word) == 0 &&
		    (wanted == NULL || (argument != NULL && strcmp(wanted, argument) == 0))) {
			return add(scenario, *at_us, node_commands[i].kind, node);
		}
	}
	return vrms_error_set(error, -EINVAL, "\"%s\" is not understood", command);
}

static int read_commands(struct vrms_sim_scenario *scenario, const char *folder,
			 const json_t *rounds, bool skip_bad, struct vrms_error *error)
{
	int64_t at_us = FIRST_US;
	size_t number, place;
	json_t *round, *command;

	json_array_foreach((json_t *)rounds, number, round)
	{
		json_array_foreach(round, place, command)
		{
			int rc =
			    json_is_string(command)
				? read_command(scenario, &at_us, json_string_value(command), error)
				: vrms_error_set(error, -EINVAL, "it is no text");

			if (rc < 0 && !skip_bad) {
				return vrms_error_wrap(error, rc,
						       "%s/cmdlist: round %zu, command %zu", folder,
						       number + 1, place + 1);
			}
			scenario->skipped_lines += rc < 0 ? 1 : 0;
		}
		at_us += ROUND_US;
	}
	return 0;
}

static int read_rules(struct vrms_sim_scenario *scenario, const char *folder, bool skip_bad,
		      struct vrms_error *error)
{
	char path[PATH_BYTES], *text VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_sim_trace_options options = {.path = path, .skip_bad = skip_bad};
	struct stat status;

	snprintf(path, sizeof(path), "%s/rules_config", folder);
	if (stat(path, &status) < 0 && errno == ENOENT) {
		return 0;
	}
	int rc = vrms_file_read(path, RULES_BYTES_MAX, &text, NULL, error);

	return rc < 0 ? rc : vrms_sim_proxmox_rules_read(scenario, text, &options, error);
}

int vrms_sim_proxmox_read(struct vrms_sim_scenario *scenario, const char *folder, bool skip_bad,
			  struct vrms_error *error)
{
	json_t *hardware VRMS_CLEANUP(json_decrefp) = NULL;
	json_t *services VRMS_CLEANUP(json_decrefp) = NULL;
	json_t *rounds VRMS_CLEANUP(json_decrefp) = NULL;
	int rc = load(folder, "hardware_status", &hardware, error);

	rc = rc < 0 ? rc : load(folder, "service_config", &services, error);
	rc = rc < 0 ? rc : load(folder, "cmdlist", &rounds, error);
	rc = rc < 0 ? rc : add_nodes(scenario, hardware, error);
	rc = rc < 0 ? rc : add_services(scenario, services, error);
	rc = rc < 0 ? rc : read_commands(scenario, folder, rounds, skip_bad, error);
	return rc < 0 ? rc : read_rules(scenario, folder, skip_bad, error);
}
