/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/command.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { OPTIONS_MAX = 16, HELP_VALUE = 1, OPTION_BASE = 256 };

/* getopt's view of a command's table. */
struct option_view {
	struct option longs[OPTIONS_MAX + 2];
	char letters[3 * OPTIONS_MAX + 4];
};

void vrms_lab_complain(const char *text)
{
	fprintf(stderr, "vrms-lab: %s\n", text);
}

static void print_option_usage(const struct vrms_lab_option *option, FILE *out)
{
	fputs(" [", out);
	if (option->letter != 0) {
		fprintf(out, "-%c", option->letter);
	} else {
		fprintf(out, "--%s", option->name);
	}
	if (option->argument != NULL) {
		fprintf(out, " %s", option->argument);
	}
	fputc(']', out);
}

static void print_usage(const struct vrms_lab_command *command, FILE *out)
{
	fprintf(out, "usage: vrms-lab [--lab NAME] [--dir DIR] %s", command->name);
	for (size_t i = 0; i < command->option_count; i++) {
		print_option_usage(&command->options[i], out);
	}
	fprintf(out, "%s%s\n", command->arguments[0] != '\0' ? " " : "", command->arguments);
}

static void print_help(const struct vrms_lab_command *command)
{
	print_usage(command, stdout);
	printf("\n%s\n", command->summary);
	if (command->details != NULL) {
		printf("\n%s\n", command->details);
	}
	if (command->option_count > 0) {
		puts("\nOptions:");
	}
	for (size_t i = 0; i < command->option_count; i++) {
		const struct vrms_lab_option *option = &command->options[i];
		char left[64];

		if (option->letter != 0) {
			snprintf(left, sizeof(left), "-%c, --%s %s", option->letter, option->name,
				 option->argument != NULL ? option->argument : "");
		} else {
			snprintf(left, sizeof(left), "    --%s %s", option->name,
				 option->argument != NULL ? option->argument : "");
		}
		printf("  %-26s %s\n", left, option->help);
	}
}

static void view_options(const struct vrms_lab_command *command, struct option_view *view)
{
	char *letter = view->letters;

	assert(command->option_count <= OPTIONS_MAX);
	memset(view, 0, sizeof(*view));
	if (!command->options_anywhere) {
		*letter++ = '+'; /* what follows the first argument belongs to the program there */
	}
	*letter++ = ':';
	for (size_t i = 0; i < command->option_count; i++) {
		const struct vrms_lab_option *option = &command->options[i];

		view->longs[i].name = option->name;
		view->longs[i].has_arg = option->argument != NULL ? required_argument : no_argument;
		view->longs[i].val = OPTION_BASE + (int)i;
		if (option->letter != 0) {
			*letter++ = option->letter;
			if (option->argument != NULL) {
				*letter++ = ':';
			}
		}
	}
	view->longs[command->option_count].name = "help";
	view->longs[command->option_count].val = HELP_VALUE;
}

static const struct vrms_lab_option *find_option(const struct vrms_lab_command *command, int value)
{
	if (value >= OPTION_BASE) {
		return &command->options[value - OPTION_BASE];
	}
	for (size_t i = 0; i < command->option_count; i++) {
		if (command->options[i].letter == value && value != 0) {
			return &command->options[i];
		}
	}
	return NULL;
}

/* Why getopt stopped. */
static int complain_option(int value, char **argv, struct vrms_error *error)
{
	const char *given = argv[optind - 1];

	if (value == ':') {
		return vrms_error_set(error, -EINVAL, "option \"%s\" needs a value", given);
	}
	if (optopt >= OPTION_BASE || optopt == HELP_VALUE) {
		return vrms_error_set(error, -EINVAL, "option \"%s\" takes no value", given);
	}
	if (optopt != 0) {
		return vrms_error_set(error, -EINVAL, "unknown option \"-%c\"", optopt);
	}
	return vrms_error_set(error, -EINVAL, "unknown option \"%s\"", given);
}

/* Returns 1 when help was asked for. */
static int read_options(const struct vrms_lab_command *command, void *settings, int argc,
			char **argv, struct vrms_error *error)
{
	struct option_view view;

	view_options(command, &view);
	optind = 0; /* getopt starts anew: the global options were read before */
	opterr = 0;
	for (;;) {
		int value = getopt_long(argc, argv, view.letters, view.longs, NULL);

		if (value == -1) {
			return 0;
		}
		if (value == HELP_VALUE) {
			return 1;
		}

		const struct vrms_lab_option *option = find_option(command, value);
		if (option == NULL) {
			return complain_option(value, argv, error);
		}
		int rc = command->set_option(settings, option->name, optarg, error);
		if (rc < 0) {
			return vrms_error_wrap(error, rc, "--%s", option->name);
		}
	}
}

static int check_argument_count(const struct vrms_lab_command *command, int count, char **argv,
				struct vrms_error *error)
{
	if (count < command->argument_min) {
		return vrms_error_set(error, -EINVAL, "%s: it takes %s", command->name,
				      command->arguments);
	}
	if (command->argument_max >= 0 && count > command->argument_max) {
		return vrms_error_set(error, -EINVAL, "%s: unexpected \"%s\"", command->name,
				      argv[command->argument_max]);
	}
	return 0;
}

int vrms_lab_command_run(const struct vrms_lab_command *command,
			 const struct vrms_lab_context *context, int argc, char **argv)
{
	alignas(max_align_t) char settings[VRMS_LAB_SETTINGS_MAX] = {0};
	struct vrms_error error = {.text = ""};

	assert(command->settings_size <= sizeof(settings));
	int rc = read_options(command, settings, argc, argv, &error);
	if (rc == 1) {
		print_help(command);
		return VRMS_LAB_EXIT_OK;
	}
	if (rc == 0) {
		rc = check_argument_count(command, argc - optind, argv + optind, &error);
	}
	if (rc < 0) {
		vrms_lab_complain(error.text);
		print_usage(command, stderr);
		return VRMS_LAB_EXIT_USAGE;
	}

	int status = command->run(context, settings, argc - optind, argv + optind, &error);
	if (error.text[0] != '\0') {
		vrms_lab_complain(error.text);
	}
	return status;
}
