/* replay.c - plays a file of events to one decision core and prints what it decides.
 *
 * Usage: replay < NAME.events | diff NAME.expected -
 *
 * A line is "TIME_MS KIND key=value ..."; '#' begins a comment.  The first line
 * is "core NAME key=value ...", the core and its configuration.  Every decision
 * is one line, with the time of the event that led to it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/parse.h"
#include "common/random.h"
#include "quorum/agree.h"
#include "quorum/fault.h"
#include "quorum/members.h"
#include "quorum/tuner.h"
#include "quorum/verdict.h"

enum { WORDS_MAX = 24, NODES_MAX = 16 };

struct line {
	int number;
	int64_t time_ms;
	const char *kind;
	unsigned count;
	char *words[WORDS_MAX]; /* "key=value" */
};

static void fail(const struct line *line, const char *what, const char *text)
{
	fprintf(stderr, "replay: line %d: %s: \"%s\"\n", line->number, what, text);
	exit(2);
}

static const char *text_of(const struct line *line, const char *key, const char *fallback)
{
	size_t length = strlen(key);

	for (unsigned i = 0; i < line->count; i++) {
		if (strncmp(line->words[i], key, length) == 0 && line->words[i][length] == '=') {
			return line->words[i] + length + 1;
		}
	}
	return fallback;
}

static int64_t number_of(const struct line *line, const char *key, int64_t fallback)
{
	const char *text = text_of(line, key, NULL);
	int64_t value = fallback;

	if (text != NULL && vrms_int_parse(text, -1, INT64_MAX, &value, NULL) < 0) {
		fail(line, "not a number", text);
	}
	return value;
}

/* Index of a word in a list; the last line of defence against typing errors in the files. */
static int choice_of(const struct line *line, const char *word, const char *const *words)
{
	for (int i = 0; words[i] != NULL; i++) {
		if (strcmp(word, words[i]) == 0) {
			return i;
		}
	}
	fail(line, "unknown word", word);
	return -1;
}

static unsigned nodes_of(const struct line *line, const char *key, uint32_t *nodes)
{
	const char *at = text_of(line, key, "");
	unsigned count = 0;

	while (*at != '\0' && count < NODES_MAX) {
		char *end;

		nodes[count++] = (uint32_t)strtoul(at, &end, 10);
		if (end == at) {
			fail(line, "not a list of nodes", at);
		}
		at = *end == ',' ? end + 1 : end;
	}
	return count;
}

static enum vrms_reason reason_of(const struct line *line)
{
	const char *name = text_of(line, "reason", "NONE");

	for (int reason = 0; reason < VRMS_REASON_COUNT; reason++) {
		if (strcmp(name, vrms_reason_name((enum vrms_reason)reason)) == 0) {
			return (enum vrms_reason)reason;
		}
	}
	fail(line, "unknown reason", name);
	return VRMS_REASON_NONE;
}

/* verdict: "TIME look beat=read seq=1 boot=1 member=out [stopped=1] [unchanged=MS]" */
static struct vrms_verdict verdict;

static void verdict_open(const struct line *line)
{
	struct vrms_verdict_config config = {.grace_ms = number_of(line, "grace", 2000),
					     .silent_ms = number_of(line, "silent", 600)};

	vrms_verdict_begin(&verdict, &config, number_of(line, "begin", 0));
}

static void verdict_line(const struct line *line)
{
	static const char *const beats[] = {"read", "absent", "unreadable", "pending", NULL};
	static const char *const members[] = {"unknown", "out", "in", NULL};
	static const char *const answers[] = {"wait", "done", "refuse"};
	struct vrms_verdict_look look = {
	    .now_ms = line->time_ms,
	    .beat = (enum vrms_verdict_beat)choice_of(line, text_of(line, "beat", "read"), beats),
	    .sequence = (uint64_t)number_of(line, "seq", 0),
	    .boot = (uint64_t)number_of(line, "boot", 1),
	    .is_stopped = number_of(line, "stopped", 0) != 0,
	    .unchanged_ms = number_of(line, "unchanged", -1),
	    .member =
		(enum vrms_verdict_member)choice_of(line, text_of(line, "member", "out"), members),
	};
	enum vrms_reason reason = VRMS_REASON_NONE;
	enum vrms_verdict_answer answer = vrms_verdict_step(&verdict, &look, &reason);

	printf("%" PRId64 " %s", line->time_ms, answers[answer]);
	if (answer == VRMS_VERDICT_WAIT) {
		printf(" left=%" PRId64 "\n", vrms_verdict_left_ms(&verdict, line->time_ms));
	} else {
		printf(": %s\n", vrms_reason_text(reason));
	}
}

/* fault: "TIME managed|operation|running|evidence|delivered|tick vm=NAME yes=1 reason=NAME" */
static struct vrms_fault *fault;

static void fault_open(const struct line *line)
{
	struct vrms_fault_config config = {
	    .vm_count_max = (unsigned)number_of(line, "vms", 8),
	    .flap_count = (unsigned)number_of(line, "flaps", 3),
	    .flap_window_ms = number_of(line, "window", 60000),
	    .retry_ms = number_of(line, "retry", 1000),
	};

	fault = vrms_fault_new(&config);
}

static void fault_line(const struct line *line)
{
	static const char *const kinds[] = {"managed",   "operation", "running", "evidence",
					    "delivered", "tick",      NULL};
	struct vrms_fault_plan plan;
	struct vrms_fault_event event = {
	    .now_ms = line->time_ms,
	    .kind = (enum vrms_fault_event_kind)choice_of(line, line->kind, kinds),
	    .vm = text_of(line, "vm", ""),
	    .yes = number_of(line, "yes", 1) != 0,
	    .reason = reason_of(line),
	};

	if (!vrms_fault_step(fault, &event, &plan)) {
		printf("%" PRId64 " dropped\n", line->time_ms);
	}
	for (unsigned i = 0; i < plan.count; i++) {
		printf("%" PRId64 " %s %s: %s\n", line->time_ms,
		       plan.steps[i].kind == VRMS_FAULT_REPORT ? "report" : "note",
		       plan.steps[i].vm, vrms_reason_text(plan.steps[i].reason));
	}
}

/* members: "TIME ring|quorum|hello|bye|fenced|tokens nodes=1,2 seq=4 quorate=1 node=2 boot=7
 * lost=1" */
static struct vrms_members *members;

static void members_open(const struct line *line)
{
	(void)line;
	members = vrms_members_new();
}

static void members_line(const struct line *line)
{
	static const char *const kinds[] = {"ring",   "quorum", "hello", "bye",
					    "fenced", "tokens", NULL};
	struct vrms_members_plan plan;
	uint32_t nodes[NODES_MAX];
	struct vrms_members_event event = {
	    .now_ms = line->time_ms,
	    .kind = (enum vrms_members_event_kind)choice_of(line, line->kind, kinds),
	    .nodes = nodes,
	    .node_count = nodes_of(line, "nodes", nodes),
	    .ring = {.node = 1, .sequence = (uint64_t)number_of(line, "seq", 0)},
	    .quorate = number_of(line, "quorate", 0) != 0,
	    .node = (uint32_t)number_of(line, "node", 0),
	    .boot = (uint64_t)number_of(line, "boot", 1),
	    .tokens_lost = number_of(line, "lost", -1),
	};

	vrms_members_step(members, &event, &plan);
	for (unsigned i = 0; i < plan.count; i++) {
		printf("%" PRId64 " node %" PRIu32 ": %s", line->time_ms, plan.notes[i].node,
		       vrms_reason_text(plan.notes[i].reason));
		if (plan.notes[i].away_ms > 0) {
			printf(" (away for %" PRId64 " ms)", plan.notes[i].away_ms);
		}
		printf("\n");
	}
}

/* agree: "TIME members|group nodes=1,2 [quorate=1]", "TIME report|own node=2 need=300
 * configured=3650 applied=3650 reason=NAME", "TIME proposal node=1 token=300", "TIME applied
 * token=300", "TIME detached|leaving|tick" */
static struct vrms_agree *agree;

static void agree_open(const struct line *line)
{
	struct vrms_agree_config config = {.self = (uint32_t)number_of(line, "self", 1),
					   .step_timeout_ms = number_of(line, "step", 1000)};

	agree = vrms_agree_new(&config);
}

static void agree_line(const struct line *line)
{
	static const char *const kinds[] = {"members", "group",    "report",  "proposal", "own",
					    "applied", "detached", "leaving", "tick",     NULL};
	struct vrms_agree_plan plan;
	uint32_t nodes[NODES_MAX];
	struct vrms_agree_event event = {
	    .now_ms = line->time_ms,
	    .kind = (enum vrms_agree_event_kind)choice_of(line, line->kind, kinds),
	    .nodes = nodes,
	    .node_count = nodes_of(line, "nodes", nodes),
	    .quorate = number_of(line, "quorate", 1) != 0,
	    .token_ms = number_of(line, "token", 0),
	    .reason = reason_of(line),
	    .report = {.node = (uint32_t)number_of(line, "node", 0),
		       .need_ms = number_of(line, "need", 0),
		       .configured_ms = number_of(line, "configured", 3650),
		       .applied_ms = number_of(line, "applied", 0),
		       .reason = reason_of(line)},
	};

	vrms_agree_step(agree, &event, &plan);
	for (unsigned i = 0; i < plan.count; i++) {
		const struct vrms_agree_step *step = &plan.steps[i];

		if (step->kind == VRMS_AGREE_SEND_REPORT) {
			printf("%" PRId64 " report need=%" PRId64 " applied=%" PRId64 "\n",
			       line->time_ms, step->report.need_ms, step->report.applied_ms);
		} else {
			printf("%" PRId64 " %s %" PRId64 ": %s\n", line->time_ms,
			       step->kind == VRMS_AGREE_APPLY ? "apply" : "propose", step->token_ms,
			       vrms_reason_text(step->reason));
		}
	}
}

/* tuner: "TIME sample source=scheduling us=300", "TIME
 * load|configured|enable|guard|links|disturbed|false-loss ms=N", "TIME run seconds=60
 * scheduling=LARGEST_US ring=LARGEST_US": that many seconds with ten measurements of each source in
 * each, uniform up to the largest. */
static struct vrms_tuner *tuner;
static struct vrms_random tuner_random;

static void tuner_open(const struct line *line)
{
	struct vrms_tuner_config config = {
	    .configured_ms = number_of(line, "configured", 3650),
	    .floor_ms = number_of(line, "floor", 200),
	    .load_floor_ms = number_of(line, "load_floor", 1000),
	    .warmup_ms = number_of(line, "warmup", 120000),
	    .stale_ms = 5000,
	    .shorten_after_ms = number_of(line, "shorten_after", 60000),
	    .hysteresis_pct = 15,
	    .penalty_ms = 600000,
	    .loss_per_year = 0.1,
	    .loss_guarded_per_year = 8766,
	    .disturbances_per_year = (double)number_of(line, "disturbances", 365),
	    .source_bits = 1 << VRMS_TUNER_SCHEDULING | 1 << VRMS_TUNER_RING,
	};

	vrms_random_init(&tuner_random, 1);
	tuner = vrms_tuner_new(&config);
}

static void tuner_feed(const struct vrms_tuner_event *event)
{
	struct vrms_tuner_need need;

	vrms_tuner_step(tuner, event, &need);
	if (need.changed) {
		printf("%" PRId64 " need %" PRId64 ": %s\n", event->now_ms, need.token_ms,
		       vrms_reason_text(need.reason));
	}
}

static void tuner_run(const struct line *line)
{
	uint64_t largest[] = {(uint64_t)number_of(line, "scheduling", 300),
			      (uint64_t)number_of(line, "ring", 3000)};

	for (int64_t i = 0; i < number_of(line, "seconds", 1) * 10; i++) {
		struct vrms_tuner_event event = {.now_ms = line->time_ms + i * 100};

		for (unsigned source = 0; source < 2; source++) {
			event.source = (enum vrms_tuner_source)source;
			event.value_us =
			    (uint32_t)vrms_random_below(&tuner_random, largest[source] + 1);
			tuner_feed(&event);
		}
		event.kind = VRMS_TUNER_TICK;
		tuner_feed(&event);
	}
}

static void tuner_line(const struct line *line)
{
	/* In the order of enum vrms_tuner_event_kind, and of enum vrms_tuner_source. */
	enum { KIND_RUN = VRMS_TUNER_FALSE_LOSS + 1 };
	static const char *const kinds[] = {[VRMS_TUNER_SAMPLE] = "sample",
					    [VRMS_TUNER_TICK] = "tick",
					    [VRMS_TUNER_LOAD] = "load",
					    [VRMS_TUNER_CONFIGURED] = "configured",
					    [VRMS_TUNER_ENABLE] = "enable",
					    [VRMS_TUNER_GUARD] = "guard",
					    [VRMS_TUNER_LINKS] = "links",
					    [VRMS_TUNER_KNOCK] = "knock",
					    [VRMS_TUNER_DISTURBED] = "disturbed",
					    [VRMS_TUNER_FALSE_LOSS] = "false-loss",
					    [KIND_RUN] = "run",
					    [KIND_RUN + 1] = NULL};
	static const char *const sources[] = {"scheduling", "ring", "answer", "link", NULL};
	int kind = choice_of(line, line->kind, kinds);

	if (kind == KIND_RUN) {
		tuner_run(line);
		return;
	}
	struct vrms_tuner_event event = {
	    .now_ms = line->time_ms,
	    .kind = (enum vrms_tuner_event_kind)kind,
	    .source = (enum vrms_tuner_source)choice_of(line, text_of(line, "source", "scheduling"),
							sources),
	    .value_us = (uint32_t)number_of(line, "us", 0),
	    .value_ms = number_of(line, "ms", 0),
	};

	tuner_feed(&event);
}

static const struct {
	const char *name;
	void (*open)(const struct line *line);
	void (*play)(const struct line *line);
} cores[] = {
    {"agree", agree_open, agree_line},       {"fault", fault_open, fault_line},
    {"members", members_open, members_line}, {"tuner", tuner_open, tuner_line},
    {"verdict", verdict_open, verdict_line},
};

/* Splits the text; false for an empty line. */
static bool split(char *text, struct line *line, char **ret_first)
{
	char *state;

	text[strcspn(text, "#\n")] = '\0';
	*ret_first = strtok_r(text, " \t", &state);
	line->count = 0;
	if (*ret_first == NULL) {
		return false;
	}
	line->kind = strtok_r(NULL, " \t", &state);
	if (line->kind == NULL) {
		fail(line, "nothing after", *ret_first);
	}
	for (char *word; (word = strtok_r(NULL, " \t", &state)) != NULL;) {
		if (line->count == WORDS_MAX) {
			fail(line, "too many words", word);
		}
		line->words[line->count++] = word;
	}
	return true;
}

int main(void)
{
	struct line line = {0};
	char text[512];
	int core = -1;

	while (fgets(text, sizeof(text), stdin) != NULL) {
		char *first;

		line.number++;
		if (!split(text, &line, &first)) {
			continue;
		}
		if (strcmp(first, "core") == 0 && core < 0) {
			for (int i = 0; i < (int)VRMS_COUNT_OF(cores); i++) {
				core = strcmp(line.kind, cores[i].name) == 0 ? i : core;
			}
			if (core < 0) {
				fail(&line, "unknown core", line.kind);
			}
			cores[core].open(&line);
			continue;
		}
		if (core < 0 || vrms_int_parse(first, 0, INT64_MAX, &line.time_ms, NULL) < 0) {
			fail(&line, "neither a time nor the core", first);
		}
		cores[core].play(&line);
	}
	vrms_agree_free(agree);
	vrms_fault_free(fault);
	vrms_members_free(members);
	vrms_tuner_free(tuner);
	return 0;
}
