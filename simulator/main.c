/* main.c - vrms-sim: reads the command line by two tables.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"
#include "simulator/command.h"

static const struct vrms_sim_command commands[] = {
    {"run", "FILE...", "simulate scenarios, traces or folders of the Proxmox HA simulator",
     "set seed nodes vms duration exact skip-bad policy json html timing assert junit quiet bug",
     vrms_sim_command_run},
    {"sweep", "FILE...", "simulate under every combination of some settings, in parallel",
     "grid set seed nodes vms duration skip-bad json svg", vrms_sim_command_sweep},
    {"fuzz", "", "run random clusters and faults against the rules that must never break",
     "seeds output bug", vrms_sim_command_fuzz},
    {"calibrate", "FILE", "make the same failures in a lab and in the simulator, and compare",
     "lab rounds samples fit set json", vrms_sim_command_calibrate},
    {"scenario", "", "print a real cluster as a scenario file", "from-cib corosync-conf set output",
     vrms_sim_command_scenario},
    {"settings", "", "print all settings and faults with their defaults, as a scenario file", "",
     vrms_sim_command_settings},
};

/* Options that fill a text, or a list of texts, of struct vrms_sim_arguments. */
#define TEXT(member) .offset = offsetof(struct vrms_sim_arguments, member)

enum kind { TEXT_OPTION, LIST_OPTION, FLAG_OPTION, SETTING_OPTION };

static const struct {
	const char *name, *argument, *help;
	enum kind kind;
	size_t offset, count_offset;
	const char *setting; /* SETTING_OPTION: short for --set of it */
	int has_argument;
} options[] = {
    {"set", "SECTION.KEY=VALUE", "change a setting (repeatable)", LIST_OPTION, TEXT(settings),
     offsetof(struct vrms_sim_arguments, setting_count), .has_argument = required_argument},
    {"seed", "N", "of all random numbers", SETTING_OPTION, .setting = "run.seed",
     .has_argument = required_argument},
    {"nodes", "N", "at least so many nodes", SETTING_OPTION, .setting = "cluster.nodes",
     .has_argument = required_argument},
    {"vms", "N", "so many VMs, unless the scenario names them", SETTING_OPTION,
     .setting = "vm.count", .has_argument = required_argument},
    {"duration", "TIME", "simulated time", SETTING_OPTION, .setting = "run.duration",
     .has_argument = required_argument},
    {"exact", NULL, "step through quiet time", FLAG_OPTION, TEXT(exact),
     .has_argument = no_argument},
    {"skip-bad", NULL, "count broken lines of traces instead of stopping", FLAG_OPTION,
     TEXT(skip_bad), .has_argument = no_argument},
    {"json", "FILE", "write all figures; without =FILE to standard output", TEXT_OPTION, TEXT(json),
     .has_argument = optional_argument},
    {"html", "FILE", "write a page", TEXT_OPTION, TEXT(html), .has_argument = required_argument},
    {"timing", NULL, "write wall_s as well, which differs from run to run", FLAG_OPTION,
     TEXT(timing), .has_argument = no_argument},
    {"assert", "FIGURE<NUMBER", "exit 3 when it does not hold (repeatable)", LIST_OPTION,
     TEXT(assertions), offsetof(struct vrms_sim_arguments, assertion_count),
     .has_argument = required_argument},
    {"junit", "FILE", "write the assertions as a JUnit report", TEXT_OPTION, TEXT(junit),
     .has_argument = required_argument},
    {"quiet", NULL, "no text report", FLAG_OPTION, TEXT(quiet), .has_argument = no_argument},
    {"grid", "SECTION.KEY=A,B,C", "values to go through (repeatable)", LIST_OPTION, TEXT(grids),
     offsetof(struct vrms_sim_arguments, grid_count), .has_argument = required_argument},
    {"svg", "FILE", "draw the curve: time to notice against mistakes", TEXT_OPTION, TEXT(svg),
     .has_argument = required_argument},
    {"seeds", "A..B", "first and last seed", TEXT_OPTION, TEXT(seeds),
     .has_argument = required_argument},
    {"output", "PATH", "where it goes: a folder for fuzz (default: here), a file for scenario",
     TEXT_OPTION, TEXT(output), .has_argument = required_argument},
    {"bug", "NAME|all", "look for a planted bug (test builds)", TEXT_OPTION, TEXT(bug),
     .has_argument = required_argument},
    {"policy", "model|pacemaker", "who decides: the model, or the installed crm_simulate(8)",
     TEXT_OPTION, TEXT(policy), .has_argument = required_argument},
    {"from-cib", "FILE", "Pacemaker's configuration and state (cibadmin --query)", TEXT_OPTION,
     TEXT(from_cib), .has_argument = required_argument},
    {"corosync-conf", "FILE", "corosync.conf(5)", TEXT_OPTION, TEXT(corosync_conf),
     .has_argument = required_argument},
    {"lab", NULL, "measure in a real cluster of vrms-lab(8); root", FLAG_OPTION, TEXT(lab),
     .has_argument = no_argument},
    {"rounds", "N", "how often each failure is made in the lab (default: 8)", TEXT_OPTION,
     TEXT(rounds), .has_argument = required_argument},
    {"samples", "FILE", "where what was measured is written; without --lab: read", TEXT_OPTION,
     TEXT(samples), .has_argument = required_argument},
    {"fit", "FILE", "learn from odd rounds what is the machine's, write it, check the even ones",
     TEXT_OPTION, TEXT(fit), .has_argument = required_argument},
    {"help", NULL, "say this", FLAG_OPTION, .has_argument = no_argument},
};

enum { OPTIONS = sizeof(options) / sizeof(options[0]) };

static bool takes(const struct vrms_sim_command *command, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = command->options; *at != '\0'; at += strspn(at, " ")) {
		size_t span = strcspn(at, " ");

		if (span == length && memcmp(at, name, length) == 0) {
			return true;
		}
		at += span;
	}
	return strcmp(name, "help") == 0;
}

static void print_usage(FILE *out)
{
	fprintf(out, "usage: vrms-sim COMMAND [OPTION]... [FILE]...\n\n");
	for (size_t i = 0; i < VRMS_COUNT_OF(commands); i++) {
		fprintf(out, "  %-9s %-9s %s\n", commands[i].name, commands[i].arguments,
			commands[i].summary);
	}
	fprintf(out, "\n\"vrms-sim COMMAND --help\" lists its options.\n");
}

static void print_help(const struct vrms_sim_command *command)
{
	printf("usage: vrms-sim %s [OPTION]... %s\n\n%s\n\n", command->name, command->arguments,
	       command->summary);
	for (int i = 0; i < OPTIONS; i++) {
		char text[64];

		if (takes(command, options[i].name)) {
			snprintf(text, sizeof(text), "--%s%s%s", options[i].name,
				 options[i].argument == NULL                    ? ""
				 : options[i].has_argument == optional_argument ? "[="
										: " ",
				 options[i].argument == NULL ? "" : options[i].argument);
			if (options[i].has_argument == optional_argument) {
				strcat(text, "]");
			}
			printf("  %-26s %s\n", text, options[i].help);
		}
	}
}

/* Appends to one of the lists of texts. */
static int append(const char **list, int *count, const char *text, struct vrms_error *error)
{
	if (*count == VRMS_SIM_LIST_MAX) {
		return vrms_error_set(error, -1, "more than %d of a kind", VRMS_SIM_LIST_MAX);
	}
	list[(*count)++] = text;
	return 0;
}

static int store(struct vrms_sim_arguments *arguments, int index, char *value,
		 struct vrms_error *error)
{
	char *base = (char *)arguments;

	switch (options[index].kind) {
	case FLAG_OPTION:
		*(bool *)(base + options[index].offset) = true;
		return 0;
	case TEXT_OPTION:
		*(const char **)(base + options[index].offset) = value == NULL ? "" : value;
		return 0;
	case LIST_OPTION:
		return append((const char **)(base + options[index].offset),
			      (int *)(base + options[index].count_offset), value, error);
	default:
		break;
	}
	char *text = NULL;

	if (asprintf(&text, "%s=%s", options[index].setting, value) < 0) {
		return vrms_error_set(error, -1, "out of memory");
	}
	int rc = append(arguments->settings, &arguments->setting_count, text, error);
	if (rc < 0) {
		free(text);
		return rc;
	}
	arguments->own_text[arguments->own_text_count++] = text; /* no more of them than settings */
	return 0;
}

static void free_texts(struct vrms_sim_arguments *arguments)
{
	for (int i = 0; i < arguments->own_text_count; i++) {
		free(arguments->own_text[i]);
	}
}

static int complain(const struct vrms_error *error, int status)
{
	fprintf(stderr, "vrms-sim: %s\n", error->text);
	return status;
}

/* Returns an exit status, or -1: go on. */
static int read_arguments(const struct vrms_sim_command *command, int argc, char **argv,
			  struct vrms_sim_arguments *arguments)
{
	struct option longs[OPTIONS + 1] = {0};
	struct vrms_error error = {""};
	int index, letter;

	for (int i = 0; i < OPTIONS; i++) {
		longs[i].name = options[i].name;
		longs[i].has_arg = options[i].has_argument;
	}
	while ((letter = getopt_long(argc, argv, "", longs, &index)) != -1) {
		if (letter != 0) {
			return VRMS_SIM_EXIT_USAGE;
		}
		if (!takes(command, options[index].name)) {
			vrms_error_set(&error, -1, "%s takes no --%s", command->name,
				       options[index].name);
			return complain(&error, VRMS_SIM_EXIT_USAGE);
		}
		if (strcmp(options[index].name, "help") == 0) {
			print_help(command);
			return VRMS_SIM_EXIT_OK;
		}
		if (store(arguments, index, optarg, &error) < 0) {
			return complain(&error, VRMS_SIM_EXIT_USAGE);
		}
	}
	for (int i = optind; i < argc; i++) {
		if (append(arguments->paths, &arguments->path_count, argv[i], &error) < 0) {
			return complain(&error, VRMS_SIM_EXIT_USAGE);
		}
	}
	return -1;
}

static int run(const struct vrms_sim_command *command, int argc, char **argv)
{
	struct vrms_sim_arguments arguments VRMS_CLEANUP(free_texts) = {0};
	struct vrms_error error = {""};
	int status = read_arguments(command, argc, argv, &arguments);

	if (status >= 0) {
		return status;
	}
	if (command->arguments[0] == '\0' && arguments.path_count > 0) {
		vrms_error_set(&error, -1, "%s takes no file", command->name);
		return complain(&error, VRMS_SIM_EXIT_USAGE);
	}
	if (strncmp(command->arguments, "FILE", 4) == 0 && arguments.path_count == 0) {
		vrms_error_set(&error, -1, "%s needs a file", command->name);
		return complain(&error, VRMS_SIM_EXIT_USAGE);
	}
	status = command->run(&arguments, &error);
	if (error.text[0] != '\0') {
		return complain(&error, status);
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		vrms_error_set(&error, -1, "standard output cannot be written");
		return complain(&error, VRMS_SIM_EXIT_FAILED);
	}
	return status;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_usage(stderr);
		return VRMS_SIM_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		print_usage(stdout);
		return VRMS_SIM_EXIT_OK;
	}
	for (size_t i = 0; i < VRMS_COUNT_OF(commands); i++) {
		if (strcmp(commands[i].name, argv[1]) == 0) {
			return run(&commands[i], argc - 1, argv + 1);
		}
	}
	fprintf(stderr, "vrms-sim: there is no command \"%s\"\n", argv[1]);
	print_usage(stderr);
	return VRMS_SIM_EXIT_USAGE;
}
