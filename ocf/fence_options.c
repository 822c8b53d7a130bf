/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ocf/fence_options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <string.h>

enum { LONG_NAME_BYTES = 48 };

#define FIELD(field, c_type) VRMS_PARAM_FIELD(struct vrms_fence_standard, field, c_type)

static const struct vrms_param standard_params[] = {
    {.name = "action",
     .type = VRMS_PARAM_STRING,
     .offset = FIELD(action, const char *),
     .option = 'o',
     .shortdesc = "Fencing action",
     .longdesc = "What to do."},
    {.name = "plug",
     .type = VRMS_PARAM_STRING,
     .offset = FIELD(plug, const char *),
     .option = 'n',
     .obsoletes = "port",
     .shortdesc = "Name of the node as the device knows it",
     .longdesc = "The node to act on.\nThe cluster passes it as plug, port or nodename."},
    {.name = "verbose",
     .type = VRMS_PARAM_BOOLEAN,
     .offset = FIELD(verbose, bool),
     .option = 'v',
     .shortdesc = "Say more on standard error",
     .longdesc = "Log lines go to standard error too."},
    {.name = "debug_file",
     .type = VRMS_PARAM_STRING,
     .offset = FIELD(debug_file, const char *),
     .option = 'D',
     .shortdesc = "Write debug lines to this file",
     .longdesc = "This file gets all log lines, those for debugging included."},
    {.name = "version",
     .type = VRMS_PARAM_BOOLEAN,
     .offset = FIELD(version, bool),
     .option = 'V',
     .shortdesc = "Show the version and exit",
     .longdesc = "Shows the version and exits."},
    {.name = "help",
     .type = VRMS_PARAM_BOOLEAN,
     .offset = FIELD(help, bool),
     .option = 'h',
     .shortdesc = "Show the options and exit",
     .longdesc = "Shows the options and exits."},
    {.name = "delay",
     .type = VRMS_PARAM_DURATION_MS,
     .offset = FIELD(delay_ms, int64_t),
     .fallback = "0",
     .shortdesc = "Time to wait before off and reboot",
     .longdesc = "In a cluster of two nodes the one without a delay wins."},
    {.name = "power_timeout",
     .type = VRMS_PARAM_DURATION_MS,
     .offset = FIELD(power_timeout_ms, int64_t),
     .fallback = "20",
     .shortdesc = "Time that one request to the device may take",
     .longdesc = "After this time a request has failed; 0 waits for ever."},
    {.name = "power_wait",
     .type = VRMS_PARAM_DURATION_MS,
     .offset = FIELD(power_wait_ms, int64_t),
     .fallback = "0",
     .shortdesc = "Time to wait after on and off",
     .longdesc = "For devices that answer before they are done."},
    {.name = "retry_on",
     .type = VRMS_PARAM_INTEGER,
     .offset = FIELD(retry_on, int64_t),
     .fallback = "1",
     .minimum = 1,
     .maximum = 100,
     .shortdesc = "Attempts to power on in a reboot",
     .longdesc = "A reboot whose power off worked succeeds even when all of them fail."},
};

struct vrms_fence_tables vrms_fence_tables_of(const struct vrms_fence_agent *agent)
{
	return (struct vrms_fence_tables){{
	    {standard_params, VRMS_COUNT_OF(standard_params)},
	    {agent->params, agent->param_count},
	}};
}

void vrms_fence_options_done(struct vrms_fence_options *options)
{
	free(options->text);
	options->text = NULL;
	options->count = 0;
}

void vrms_fence_long_option_print(const struct vrms_param *param, char *buffer, size_t size)
{
	snprintf(buffer, size, "%s", param->long_option != NULL ? param->long_option : param->name);
	for (char *c = buffer; *c != '\0'; c++) {
		*c = *c == '_' ? '-' : *c;
	}
}

/* The name of the parameter that goes by this name now, or NULL. */
static const char *find_name(const struct vrms_fence_agent *agent, const char *name)
{
	struct vrms_fence_tables all = vrms_fence_tables_of(agent);

	for (size_t t = 0; t < VRMS_COUNT_OF(all.tables); t++) {
		for (size_t i = 0; i < all.tables[t].count; i++) {
			const struct vrms_param *param = &all.tables[t].params[i];

			if (strcmp(param->name, name) == 0 ||
			    (param->obsoletes != NULL && strcmp(param->obsoletes, name) == 0)) {
				return param->name;
			}
		}
	}
	/* Not in the meta-data: Pacemaker passes it to every agent. */
	return strcmp(name, "nodename") == 0 ? "nodename" : NULL;
}

static int add(struct vrms_fence_options *options, const struct vrms_fence_option *option,
	       struct vrms_error *error)
{
	if (options->count == VRMS_FENCE_OPTIONS_MAX) {
		return vrms_error_set(error, -E2BIG, "more than %d options",
				      VRMS_FENCE_OPTIONS_MAX);
	}
	options->options[options->count++] = *option;
	return 0;
}

static char *trim(char *text)
{
	text += strspn(text, " \t\r");
	for (char *end = text + strlen(text); end > text && isspace((unsigned char)end[-1]) != 0;) {
		*--end = '\0';
	}
	return text;
}

static int take_line(const struct vrms_fence_agent *agent, char *line,
		     struct vrms_fence_options *options, struct vrms_error *error)
{
	line = trim(line);
	if (*line == '\0' || *line == '#') {
		return 0;
	}
	char *equals = strchr(line, '=');
	if (equals == NULL) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not name=value", line);
	}
	*equals = '\0';
	const char *name = trim(line);
	const char *known = find_name(agent, name);
	return add(options,
		   &(struct vrms_fence_option){.name = known != NULL ? known : name,
					       .value = trim(equals + 1),
					       .is_known = known != NULL},
		   error);
}

int vrms_fence_options_read_lines(const struct vrms_fence_agent *agent, FILE *in,
				  struct vrms_fence_options *options, struct vrms_error *error)
{
	size_t capacity = 0;
	char *rest = NULL;

	/* Lines have no NUL, so this is everything to the end of the input. */
	errno = 0;
	if (getdelim(&options->text, &capacity, '\0', in) < 0) {
		return ferror(in) ? vrms_error_errno(error, -errno, "standard input") : 0;
	}
	for (char *line = strtok_r(options->text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		int rc = take_line(agent, line, options, error);
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

/* What getopt_long(3) wants to know, and the rows it is about; row i has the value
 * FIRST_VALUE + i in both the long and the short form.
 */
struct getopt_tables {
	struct option longs[VRMS_FENCE_OPTIONS_MAX + 1];
	char names[VRMS_FENCE_OPTIONS_MAX][LONG_NAME_BYTES];
	const struct vrms_param *rows[VRMS_FENCE_OPTIONS_MAX];
	char shorts[2 * VRMS_FENCE_OPTIONS_MAX + 1];
	size_t count;
};

enum { FIRST_VALUE = 256 };

static void build_getopt_tables(const struct vrms_fence_agent *agent, struct getopt_tables *made)
{
	struct vrms_fence_tables all = vrms_fence_tables_of(agent);
	char *letters = made->shorts;

	memset(made, 0, sizeof(*made));
	for (size_t t = 0; t < VRMS_COUNT_OF(all.tables); t++) {
		for (size_t i = 0; i < all.tables[t].count && made->count < VRMS_FENCE_OPTIONS_MAX;
		     i++) {
			const struct vrms_param *param = &all.tables[t].params[i];
			bool is_flag = param->type == VRMS_PARAM_BOOLEAN;
			size_t n = made->count++;

			vrms_fence_long_option_print(param, made->names[n], LONG_NAME_BYTES);
			made->rows[n] = param;
			made->longs[n] = (struct option){
			    .name = made->names[n],
			    .has_arg = is_flag ? no_argument : required_argument,
			    .val = FIRST_VALUE + (int)n,
			};
			if (param->option != '\0') {
				*letters++ = param->option;
			}
			if (param->option != '\0' && !is_flag) {
				*letters++ = ':';
			}
		}
	}
}

/* The row of what getopt_long() returned; NULL when it was no option of ours. */
static const struct vrms_param *row_of(const struct getopt_tables *tables, int value)
{
	if (value >= FIRST_VALUE) {
		return tables->rows[value - FIRST_VALUE];
	}
	for (size_t i = 0; i < tables->count; i++) {
		if (tables->rows[i]->option != '\0' && tables->rows[i]->option == value) {
			return tables->rows[i];
		}
	}
	return NULL;
}

int vrms_fence_options_read_argv(const struct vrms_fence_agent *agent, int argc, char **argv,
				 struct vrms_fence_options *options, struct vrms_error *error)
{
	struct getopt_tables tables;
	int value;

	build_getopt_tables(agent, &tables);
	while ((value = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1) {
		const struct vrms_param *row = value == '?' ? NULL : row_of(&tables, value);

		if (row == NULL) {
			return vrms_error_set(error, -EINVAL, "try --help");
		}
		int rc = add(options,
			     &(struct vrms_fence_option){.name = row->name,
							 .value = optarg != NULL ? optarg : "1",
							 .is_known = true},
			     error);
		if (rc < 0) {
			return rc;
		}
	}
	if (optind < argc) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not an option; try --help",
				      argv[optind]);
	}
	return 0;
}

const char *vrms_fence_options_lookup(void *context, const char *name)
{
	const struct vrms_fence_options *options = context;

	for (size_t i = options->count; i > 0; i--) {
		if (strcmp(options->options[i - 1].name, name) == 0) {
			return options->options[i - 1].value;
		}
	}
	return NULL;
}
