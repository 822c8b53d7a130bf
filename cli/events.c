/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vrms events, explain: what the flight recorder holds. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "common/parse.h"
#include "quorum/settings.h"

enum {
	FOLLOW_MS = 200,
	OLD_FILES_MAX = 9,
	CONTEXT_AFTER_MS = 60000,
	CONTEXT_BEFORE_MS = 5000,
	HELD_MAX = 16,
};

struct reader {
	char path[4096];
	bool as_json, follow;
	int64_t since_ms; /* wall clock; 0: everything */
	/* Prints the lines that are wanted.  NULL: all are. */
	void (*take)(struct reader *reader, json_t *line);
	void *context;
	bool has_steps; /* a column with the time since the line before */
	int64_t last_ms;
};

static int64_t wall_ms_of(const json_t *line)
{
	const char *text = json_string_value(json_object_get(line, "wall"));
	struct tm parts = {0};
	const char *rest = text == NULL ? NULL : strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);

	if (rest == NULL) {
		return 0;
	}
	int64_t ms = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;

	return (int64_t)timegm(&parts) * 1000 + ms;
}

static bool is_frame(const char *key)
{
	static const char *const frame[] = {"v",    "seq",   "mono_ms", "wall",
					    "node", "event", "text",    "reason"};

	for (size_t i = 0; i < VRMS_COUNT_OF(frame); i++) {
		if (strcmp(frame[i], key) == 0) {
			return true;
		}
	}
	return false;
}

static const char *text_of(const json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));

	return text == NULL ? "" : text;
}

static void print_step(struct reader *reader, const json_t *line)
{
	int64_t at_ms = wall_ms_of(line);

	if (!reader->has_steps) {
		return;
	}
	if (reader->last_ms == 0 || at_ms - reader->last_ms > CONTEXT_AFTER_MS) {
		printf("%11s ", "");
	} else {
		printf("%+8" PRId64 " ms ", at_ms - reader->last_ms);
	}
	reader->last_ms = at_ms;
}

static void print_line(struct reader *reader, const json_t *line)
{
	const char *text = json_string_value(json_object_get(line, "text"));
	const char *wall = json_string_value(json_object_get(line, "wall"));
	const char *key;
	json_t *value;

	if (reader->as_json) {
		json_dumpf(line, stdout, JSON_COMPACT);
		putchar('\n');
		return;
	}
	printf("%s ", wall == NULL ? "" : wall);
	print_step(reader, line);
	printf("%-8s %-10s %s", text_of(line, "node"), text_of(line, "event"),
	       text == NULL ? "" : text);
	json_object_foreach((json_t *)line, key, value)
	{
		if (!is_frame(key)) {
			printf(" %s=", key);
			json_dumpf(value, stdout, JSON_ENCODE_ANY | JSON_COMPACT);
		}
	}
	putchar('\n');
}

static void take_line(struct reader *reader, const char *text)
{
	json_t *line = json_loads(text, 0, NULL);

	/* A line cut off by a crash is no reason to hide the others. */
	if (json_is_object(line) && wall_ms_of(line) >= reader->since_ms) {
		if (reader->take == NULL) {
			print_line(reader, line);
		} else {
			reader->take(reader, line);
		}
	}
	json_decref(line);
}

/* Every whole line from here on. */
static void read_lines(struct reader *reader, FILE *in)
{
	char *text = NULL;
	size_t size = 0;

	for (long at = ftell(in); getline(&text, &size, in) > 0; at = ftell(in)) {
		if (strchr(text, '\n') == NULL) {
			fseek(in, at, SEEK_SET); /* it is still being written */
			break;
		}
		take_line(reader, text);
	}
	free(text);
	clearerr(in);
	fflush(stdout);
}

static void read_old_files(struct reader *reader)
{
	for (int number = OLD_FILES_MAX; number > 0; number--) {
		char path[4100];

		snprintf(path, sizeof(path), "%s.%d", reader->path, number);
		FILE *in = fopen(path, "re");

		if (in != NULL) {
			read_lines(reader, in);
			fclose(in);
		}
	}
}

static bool was_rotated(const struct reader *reader, FILE *in)
{
	struct stat there, here;

	return stat(reader->path, &there) == 0 && fstat(fileno(in), &here) == 0 &&
	       (there.st_ino != here.st_ino || there.st_dev != here.st_dev);
}

static int read_journal(struct reader *reader, struct vrms_error *error)
{
	const struct timespec pause = {.tv_nsec = FOLLOW_MS * 1000000L};
	FILE *in = fopen(reader->path, "re");

	if (in == NULL) {
		return vrms_error_errno(error, -errno, "%s", reader->path);
	}
	read_old_files(reader);
	read_lines(reader, in);
	while (reader->follow && ferror(stdout) == 0) {
		nanosleep(&pause, NULL);
		if (was_rotated(reader, in)) {
			read_lines(reader, in);
			in = freopen(reader->path, "re", in);
			if (in == NULL) {
				return vrms_error_errno(error, -errno, "%s", reader->path);
			}
		}
		read_lines(reader, in);
	}
	fclose(in);
	return 0;
}

static int find_journal(struct reader *reader, struct vrms_error *error)
{
	struct vrms_settings settings;
	int rc = 0;

	if (reader->path[0] == '\0') {
		rc = vrms_settings_load(VRMS_SETTINGS_PATH, &settings, error);
		if (rc == 0) {
			snprintf(reader->path, sizeof(reader->path), "%s", settings.journal);
			vrms_settings_done(&settings);
		}
	}
	return rc;
}

static int take_since(struct reader *reader, const char *text, struct vrms_error *error)
{
	struct timespec now;
	int64_t ago_ms;
	int rc = vrms_duration_parse(text, &ago_ms, error);

	if (rc == 0) {
		clock_gettime(CLOCK_REALTIME, &now);
		reader->since_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - ago_ms;
	}
	return rc;
}

/* 0; 1: a usage error, which has been told. */
static int take_options(int argc, char **argv, struct reader *reader, struct vrms_error *error)
{
	static const struct option options[] = {
	    {"since", required_argument, NULL, 's'},
	    {"file", required_argument, NULL, 'F'},
	    {"follow", no_argument, NULL, 'f'},
	    {"json", no_argument, NULL, 'j'},
	    {NULL, 0, NULL, 0},
	};
	int rc = 0;

	for (int option; rc == 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case 's':
			rc = take_since(reader, optarg, error);
			break;
		case 'F':
			snprintf(reader->path, sizeof(reader->path), "%s", optarg);
			break;
		case 'f':
			reader->follow = true;
			break;
		case 'j':
			reader->as_json = true;
			break;
		default:
			vrms_command_usage(argv[0]);
			return 1;
		}
	}
	return rc;
}

int vrms_command_events(int argc, char **argv)
{
	struct reader reader = {0};
	struct vrms_error error;
	int rc = take_options(argc, argv, &reader, &error);

	if (rc > 0) {
		return VRMS_EXIT_ERROR;
	}
	rc = rc < 0 ? rc : find_journal(&reader, &error);
	rc = rc < 0 ? rc : read_journal(&reader, &error);
	return rc < 0 ? vrms_command_fail(argv[0], &error) : VRMS_EXIT_OK;
}

/* A line is part of the story when it names the node or VM, or happened around one that does and
 * is about the whole cluster. */
struct story {
	const char *name;
	bool is_fence;
	int64_t until_ms; /* wall clock: the last line that named it, and some time */
	unsigned count;
	json_t *held[HELD_MAX]; /* about the cluster: told when a line that names it follows soon */
	unsigned held_count;
};

static bool names(const struct story *story, const json_t *line)
{
	return strcmp(text_of(line, story->is_fence ? "name" : "vm"), story->name) == 0 ||
	       strcmp(text_of(line, story->is_fence ? "target" : "resource"), story->name) == 0;
}

static bool is_of_cluster(const json_t *line)
{
	static const char *const events[] = {"ring", "token", "member", "beats", "configured"};

	for (size_t i = 0; i < VRMS_COUNT_OF(events); i++) {
		if (strcmp(text_of(line, "event"), events[i]) == 0) {
			return true;
		}
	}
	return false;
}

static void hold(struct story *story, json_t *line)
{
	if (story->held_count == HELD_MAX) {
		json_decref(story->held[0]);
		memmove(story->held, story->held + 1, sizeof(story->held) - sizeof(json_t *));
		story->held_count--;
	}
	story->held[story->held_count++] = json_incref(line);
}

static void let_go(struct reader *reader, struct story *story, int64_t since_ms)
{
	for (unsigned i = 0; i < story->held_count; i++) {
		if (wall_ms_of(story->held[i]) >= since_ms) {
			print_line(reader, story->held[i]);
		}
		json_decref(story->held[i]);
	}
	story->held_count = 0;
}

static void take_of_story(struct reader *reader, json_t *line)
{
	struct story *story = reader->context;
	int64_t at_ms = wall_ms_of(line);

	if (names(story, line)) {
		let_go(reader, story, at_ms - CONTEXT_BEFORE_MS);
		story->until_ms = at_ms + CONTEXT_AFTER_MS;
		story->count++;
		print_line(reader, line);
	} else if (story->is_fence && is_of_cluster(line)) {
		if (at_ms <= story->until_ms) {
			print_line(reader, line);
		} else {
			hold(story, line);
		}
	}
}

int vrms_command_explain(int argc, char **argv)
{
	struct story story = {0};
	struct reader reader = {.take = take_of_story, .context = &story, .has_steps = true};
	struct vrms_error error;
	int rc = take_options(argc, argv, &reader, &error);

	if (rc > 0) {
		return VRMS_EXIT_ERROR;
	}
	if (rc == 0 && argc - optind == 2 && strcmp(argv[optind], "fence") == 0) {
		story.is_fence = true;
	} else if (rc == 0 && (argc - optind != 2 || strcmp(argv[optind], "vm") != 0)) {
		vrms_command_usage(argv[0]);
		return VRMS_EXIT_ERROR;
	}
	story.name = rc == 0 ? argv[optind + 1] : NULL;
	rc = rc < 0 ? rc : find_journal(&reader, &error);
	rc = rc < 0 ? rc : read_journal(&reader, &error);
	let_go(&reader, &story, INT64_MAX);
	if (rc < 0) {
		return vrms_command_fail(argv[0], &error);
	}
	if (story.count == 0) {
		printf("this node's flight recorder knows nothing of %s\n", story.name);
		return VRMS_EXIT_NOT_SO;
	}
	return VRMS_EXIT_OK;
}
