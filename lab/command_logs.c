/* The command logs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/parse.h"
#include "lab/command.h"
#include "lab/internal.h"
#include "lab/log_line.h"
#include "lab/requirements.h"

enum {
	LINES_DEFAULT = 50,
	LINES_MAX = 1000000,
	TAIL_BYTES_MAX = 1048576, /* of each log */
	SOURCES_MAX = VRMS_LAB_NODES_MAX * 2 + 1,
	SOURCE_NAME_SIZE = 32,
};

/* "libvirtd" and "boot" are left to those who look for them: they tell of one node only. */
static const char *const shown[] = {"corosync", "pacemaker"};

struct source {
	char name[SOURCE_NAME_SIZE];
	struct vrms_lab_path path;
	char *text;
};

struct sources {
	struct source items[SOURCES_MAX];
	size_t count;
};

static void close_sources(struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		free(sources->items[i].text);
	}
}

static void add_source(struct sources *sources, const char *node, const char *log, const char *path)
{
	struct source *source = &sources->items[sources->count++];

	snprintf(source->name, sizeof(source->name), "%s %s", node, log);
	snprintf(source->path.text, sizeof(source->path.text), "%s", path);
	source->text = NULL;
}

/* index -1: all nodes and the power switch. */
static void list_sources(const struct vrms_lab *lab, int index, struct sources *sources)
{
	for (int i = 0; i < vrms_lab_node_count(lab); i++) {
		for (size_t k = 0; (index < 0 || index == i) && k < VRMS_COUNT_OF(shown); k++) {
			add_source(sources, vrms_lab_node_name(lab, i), shown[k],
				   vrms_lab_node_log_path(lab, i, shown[k]));
		}
	}
	if (index < 0) {
		add_source(sources, "lab", "power", vrms_lab_path(lab, "log/powerd.log").text);
	}
}

/* The end of a log; "" when there is none yet. */
static int read_tail(const char *path, char **ret_text, struct vrms_error *error)
{
	struct stat status;
	int fd VRMS_CLEANUP(vrms_closep) = open(path, O_RDONLY | O_CLOEXEC);
	char *text VRMS_CLEANUP(vrms_freep) = malloc(TAIL_BYTES_MAX + 1);
	ssize_t got = 0;

	if (text == NULL) {
		return vrms_error_errno(error, -ENOMEM, "%s", path);
	}
	if (fd < 0 && errno != ENOENT) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	if (fd >= 0) {
		off_t from = fstat(fd, &status) == 0 && status.st_size > TAIL_BYTES_MAX
				 ? status.st_size - TAIL_BYTES_MAX
				 : 0;
		got = pread(fd, text, TAIL_BYTES_MAX, from);
	}
	if (got < 0) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	text[got] = '\0';
	*ret_text = VRMS_TAKE(text);
	return 0;
}

static int gather(struct sources *sources, struct vrms_lab_log_lines *lines,
		  struct vrms_error *error)
{
	for (size_t i = 0; i < sources->count; i++) {
		struct source *source = &sources->items[i];
		int rc = read_tail(source->path.text, &source->text, error);

		if (rc == 0) {
			rc = vrms_lab_log_lines_add(lines, source->name, source->text);
		}
		if (rc < 0) {
			return rc;
		}
	}
	vrms_lab_log_lines_sort(lines);
	return 0;
}

/* Goes on as tail(1), which does this well.  Returns only when that fails. */
static void follow(const struct sources *sources, struct vrms_error *error)
{
	const char *argv[SOURCES_MAX + 4] = {"tail", "-n0", "-F"};
	size_t count = 3;

	for (size_t i = 0; i < sources->count; i++) {
		argv[count++] = sources->items[i].path.text;
	}
	argv[count] = NULL;
	fflush(stdout);
	execvp(argv[0], (char *const *)argv);
	vrms_error_errno(error, -errno, "tail");
}

struct logs_settings {
	int64_t line_count; /* 0: not given */
	bool is_following;
};

static int set_logs_option(void *settings, const char *name, const char *value,
			   struct vrms_error *error)
{
	struct logs_settings *logs = settings;

	if (strcmp(name, "lines") == 0) {
		return vrms_int_parse(value, 1, LINES_MAX, &logs->line_count, error);
	}
	logs->is_following = true;
	return 0;
}

static const struct vrms_lab_option logs_options[] = {
    {'n', "lines", "N", "the last N lines (default: 50)"},
    {'f', "follow", NULL, "go on with what is written from now on"},
};

static int run_logs(const struct vrms_lab_context *context, void *settings, int argc, char **argv,
		    struct vrms_error *error)
{
	const struct logs_settings *logs = settings;
	struct vrms_lab *lab VRMS_CLEANUP(vrms_lab_freep) = NULL;
	struct sources sources VRMS_CLEANUP(close_sources) = {.count = 0};
	struct vrms_lab_log_lines lines VRMS_CLEANUP(vrms_lab_log_lines_done) = {.items = NULL};
	size_t wanted = logs->line_count > 0 ? (size_t)logs->line_count : LINES_DEFAULT;
	int index = -1;
	int rc = vrms_lab_requirements_root(error);

	rc = rc < 0 ? rc : vrms_lab_open(&context->place, &lab, error);
	if (rc == 0 && argc > 0) {
		rc = vrms_lab_node_index(lab, argv[0], &index, error);
	}
	if (rc < 0) {
		return VRMS_LAB_EXIT_FAILED;
	}
	list_sources(lab, index, &sources);
	if (gather(&sources, &lines, error) < 0) {
		return VRMS_LAB_EXIT_FAILED;
	}
	for (size_t i = lines.count > wanted ? lines.count - wanted : 0; i < lines.count; i++) {
		printf("%-16s %s\n", lines.items[i].source, lines.items[i].text);
	}
	if (logs->is_following) {
		follow(&sources, error);
	}
	return error->text[0] != '\0' ? VRMS_LAB_EXIT_FAILED : VRMS_LAB_EXIT_OK;
}

const struct vrms_lab_command *vrms_lab_logs_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "logs",
	    .arguments = "[NODE]",
	    .summary = "Show the logs of corosync, pacemaker and the power switch, by time",
	    .options = logs_options,
	    .option_count = VRMS_COUNT_OF(logs_options),
	    .argument_max = 1,
	    .run = run_logs,
	    .set_option = set_logs_option,
	    .settings_size = sizeof(struct logs_settings),
	};

	return &command;
}
