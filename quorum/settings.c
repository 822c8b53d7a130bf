/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"

enum { LINES_MAX = 64, FILE_BYTES_MAX = 65536 };

#define FIELD(field, type) VRMS_PARAM_FIELD(struct vrms_settings, field, type)

static const char *const plan_words[] = {"off", "advise", "keep", NULL};

static const struct vrms_param table[] = {
    {
	.name = "tuning",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(tuning, bool),
	.fallback = "yes",
	.shortdesc = "Tune corosync's token",
	.longdesc = "With no, every node of the cluster keeps the token of corosync.conf.",
    },
    {
	.name = "token_floor",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = FIELD(token_floor_ms, int64_t),
	.fallback = "200ms",
	.minimum = 150,
	.maximum = 60000,
	.shortdesc = "Shortest token",
	.longdesc = "Never shorter, whatever is measured.",
    },
    {
	.name = "token_load_floor",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = FIELD(token_load_floor_ms, int64_t),
	.fallback = "1s",
	.minimum = 150,
	.maximum = 60000,
	.shortdesc = "Shortest token under announced load",
	.longdesc = "During migrations, backups and drains that were announced.",
    },
    {
	.name = "warmup",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = FIELD(warmup_ms, int64_t),
	.fallback = "45s",
	.minimum = 1000,
	.maximum = 86400000,
	.shortdesc = "Measure this long first",
	.longdesc = "At least 45 seconds of measurements are needed in any case.",
    },
    {
	.name = "shorten_after",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = FIELD(shorten_after_ms, int64_t),
	.fallback = "15s",
	.minimum = 1000,
	.maximum = 86400000,
	.shortdesc = "Patience before a shorter token",
	.longdesc = "A shorter token must have been enough for this long.",
    },
    {
	.name = "hysteresis",
	.type = VRMS_PARAM_INTEGER,
	.offset = FIELD(hysteresis_pct, int64_t),
	.fallback = "15",
	.minimum = 0,
	.maximum = 50,
	.shortdesc = "Smallest shortening in percent",
	.longdesc = "A shorter token must be shorter by this much.",
    },
    {
	.name = "false_loss_every",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = FIELD(false_loss_every_ms, int64_t),
	.fallback = "87660h",
	.minimum = 60000,
	.maximum = 3155760000000,
	.shortdesc = "Budget: a live node may be dropped once in this time",
	.longdesc = "For each node, as the model estimates it. The default is ten years.",
    },
    {
	.name = "false_loss_start",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = FIELD(false_loss_start_ms, int64_t),
	.fallback = "720h",
	.minimum = 60000,
	.maximum = 3155760000000,
	.shortdesc = "The same budget at the start",
	.longdesc = "Minutes of measurements cannot vouch for years. A node starts with this "
		    "budget (30 days) and asks for a thousand times the time it has measured, "
		    "until that reaches false_loss_every.",
    },
    {
	.name = "second_opinion",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(second_opinion, bool),
	.fallback = "no",
	.shortdesc = "fence_vrms_verdict stands before the fence devices",
	.longdesc = "Say yes only when each level of this node's fencing topology begins with it: "
		    "then a live node that is dropped comes back without a reboot, and "
		    "false_loss_every_guarded is the budget, as long as this node's beats are "
		    "written.",
    },
    {
	.name = "false_loss_every_guarded",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = FIELD(false_loss_every_guarded_ms, int64_t),
	.fallback = "720h",
	.minimum = 60000,
	.maximum = 3155760000000,
	.shortdesc = "Budget under the second opinion",
	.longdesc = "What it costs is a change of the membership. The default is 30 days.",
    },
    {
	.name = "disturbance_every",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = FIELD(disturbance_every_ms, int64_t),
	.fallback = "1h",
	.minimum = 10000,
	.maximum = 3155760000000,
	.shortdesc = "Budget: the ring may break in vain once in this time",
	.longdesc = "The ring forms again with the same members; messages wait for about a "
		    "token meanwhile, and nobody is fenced.",
    },
    {
	.name = "probe_interval",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = FIELD(probe_interval_ms, int64_t),
	.fallback = "3s",
	.minimum = 20,
	.maximum = 60000,
	.shortdesc = "Time between two round trips over the ring",
	.longdesc = "Of all nodes together: a node waits this long times the number of members, at "
		    "most 60 s. A message makes corosync's token rotate some thirty times, so it "
		    "is not free. While nodes have tokens that differ much, the node with the "
		    "lowest number sends often enough to keep the token moving.",
    },
    {
	.name = "realtime",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(realtime, bool),
	.fallback = "yes",
	.shortdesc = "Run with real-time priority",
	.longdesc = "As corosync's own system.sched_rr (yes unless it was changed): what vrmsd "
		    "measures of scheduling shall hold for corosync too. Without it load on the "
		    "host is measured as trouble of the ring.",
    },
    {
	.name = "beat_device",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(beat_device, const char *),
	.shortdesc = "Beat area",
	.longdesc = "Device or file made by vrms san init. Not set: no beats are written.",
    },
    {
	.name = "beat_interval",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = FIELD(beat_interval_ms, int64_t),
	.fallback = "150ms",
	.minimum = 50,
	.maximum = 10000,
	.shortdesc = "Time between two beats",
	.longdesc = "100 to 250 ms are sensible.",
    },
    {
	.name = "silent_intervals",
	.type = VRMS_PARAM_INTEGER,
	.offset = FIELD(silent_intervals, int64_t),
	.fallback = "4",
	.minimum = 2,
	.maximum = 100,
	.shortdesc = "Missed beats that mean silence",
	.longdesc = "As in fence_vrms_verdict.",
    },
    {
	.name = "journal",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(journal, const char *),
	.fallback = "/var/log/vrms/journal.jsonl",
	.shortdesc = "Flight recorder",
	.longdesc = "One JSON object a line.",
    },
    {
	.name = "journal_size",
	.type = VRMS_PARAM_INTEGER,
	.offset = FIELD(journal_mib, int64_t),
	.fallback = "16",
	.minimum = 1,
	.maximum = 1024,
	.shortdesc = "Size of one journal file in MiB",
	.longdesc = "A larger one is renamed.",
    },
    {
	.name = "journal_keep",
	.type = VRMS_PARAM_INTEGER,
	.offset = FIELD(journal_keep, int64_t),
	.fallback = "4",
	.minimum = 1,
	.maximum = 9,
	.shortdesc = "How many old journal files stay",
	.longdesc = "The oldest is removed.",
    },
    {
	.name = "vm_watch",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(vm_watch, bool),
	.fallback = "yes",
	.shortdesc = "Watch virtual machines",
	.longdesc = "A failure is told to Pacemaker when it happens. With no, monitors find it.",
    },
    {
	.name = "hypervisor",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(hypervisor, const char *),
	.fallback = "qemu:///system",
	.shortdesc = "libvirt URI of this host",
	.longdesc = "Watched through a read-only connection.",
    },
    {
	.name = "vm_flap_count",
	.type = VRMS_PARAM_INTEGER,
	.offset = FIELD(vm_flap_count, int64_t),
	.fallback = "5",
	.minimum = 1,
	.maximum = 16,
	.shortdesc = "Failures of one machine told within the flap window",
	.longdesc = "Further ones are left to its monitor operation.",
    },
    {
	.name = "vm_flap_window",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = FIELD(vm_flap_window_ms, int64_t),
	.fallback = "10min",
	.minimum = 1000,
	.maximum = 86400000,
	.shortdesc = "Flap window",
	.longdesc = "See vm_flap_count.",
    },
    {
	.name = "plan",
	.type = VRMS_PARAM_CHOICE,
	.offset = FIELD(plan, int),
	.choices = plan_words,
	.fallback = "advise",
	.shortdesc = "Fail-over plan: off, advise or keep",
	.longdesc = "With advise, the member with the lowest number looks at the running cluster "
		    "and records when the lists of vrms plan are missing or not good any more, or "
		    "when the loss of one node would leave virtual machines down; it changes "
		    "nothing, and so it is the default. With keep it also writes the lists, and "
		    "migrates others where a machine that failed over finds no room.",
    },
    {
	.name = "plan_interval",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = FIELD(plan_interval_ms, int64_t),
	.fallback = "1min",
	.minimum = 5000,
	.maximum = 86400000,
	.shortdesc = "Time between two looks at the plan",
	.longdesc = "None is taken in the 20 seconds after a change of the membership, nor while "
		    "Pacemaker has anything to do.",
    },
};

struct pair {
	const char *key;
	const char *value;
	int number;
};

struct lines {
	char *text;
	unsigned count;
	struct pair pairs[LINES_MAX];
};

const struct vrms_param *vrms_settings_table(size_t *ret_count)
{
	*ret_count = VRMS_COUNT_OF(table);
	return table;
}

static char *trim(char *text)
{
	text += strspn(text, " \t");
	size_t length = strlen(text);

	while (length > 0 && strchr(" \t\r", text[length - 1]) != NULL) {
		text[--length] = '\0';
	}
	return text;
}

static const char *look_up(void *context, const char *name)
{
	const struct lines *lines = context;

	for (unsigned i = 0; i < lines->count; i++) {
		if (strcmp(lines->pairs[i].key, name) == 0) {
			return lines->pairs[i].value;
		}
	}
	return NULL;
}

static bool is_known(const char *key)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(table); i++) {
		if (strcmp(table[i].name, key) == 0) {
			return true;
		}
	}
	return false;
}

static int take_line(struct lines *lines, char *text, int number, struct vrms_error *error)
{
	text = trim(text);
	if (text[0] == '\0' || text[0] == '#') {
		return 0;
	}
	char *equals = strchr(text, '=');

	if (equals == NULL) {
		return vrms_error_set(error, -EINVAL, "line %d: \"%s\" is not \"name = value\"",
				      number, text);
	}
	*equals = '\0';
	const char *key = trim(text);

	if (!is_known(key)) {
		return vrms_error_set(error, -EINVAL, "line %d: no such setting: \"%s\"", number,
				      key);
	}
	if (look_up(lines, key) != NULL || lines->count == LINES_MAX) {
		return vrms_error_set(error, -EINVAL, "line %d: \"%s\" is set twice", number, key);
	}
	lines->pairs[lines->count++] = (struct pair){key, trim(equals + 1), number};
	return 0;
}

static int split(struct lines *lines, struct vrms_error *error)
{
	int number = 1;

	for (char *at = lines->text; at != NULL; number++) {
		char *end = strchr(at, '\n');

		if (end != NULL) {
			*end++ = '\0';
		}
		int rc = take_line(lines, at, number, error);

		if (rc < 0) {
			return rc;
		}
		at = end;
	}
	return 0;
}

static void free_lines(struct lines *lines)
{
	if (lines != NULL) {
		free(lines->text);
		free(lines);
	}
}
VRMS_DEFINE_CLEANUP(struct lines *, free_lines);

int vrms_settings_load(const char *path, struct vrms_settings *settings, struct vrms_error *error)
{
	struct lines *lines VRMS_CLEANUP(free_linesp) = calloc(1, sizeof(*lines));

	if (lines == NULL) {
		return vrms_error_set(error, -ENOMEM, "%s: out of memory", path);
	}
	int rc = vrms_file_read(path, FILE_BYTES_MAX, &lines->text, NULL, error);

	if (rc == -ENOENT && strcmp(path, VRMS_SETTINGS_PATH) == 0) {
		lines->text = strdup("");
		rc = lines->text == NULL ? -ENOMEM : 0;
	}
	if (rc < 0) {
		return rc;
	}
	memset(settings, 0, sizeof(*settings));
	rc = split(lines, error);
	rc = rc < 0
		 ? rc
		 : vrms_params_read(table, VRMS_COUNT_OF(table), look_up, lines, settings, error);
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "%s", path);
	}
	settings->lines = VRMS_TAKE(lines);
	return 0;
}

void vrms_settings_done(struct vrms_settings *settings)
{
	free_lines(settings->lines);
	settings->lines = NULL;
}
