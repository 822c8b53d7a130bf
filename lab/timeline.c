/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/timeline.h"

#include <stdio.h>
#include <string.h>

enum { DAY_SECONDS = 86400, HALF_A_YEAR_DAYS = 183 };

struct kind_row {
	const char *text, *word;
};

static const struct kind_row kinds[VRMS_TIMELINE_KIND_COUNT] = {
    [VRMS_TIMELINE_CUT] = {"power cut", "cut"},
    [VRMS_TIMELINE_TOKEN_LOST] = {"token lost", "token_lost"},
    [VRMS_TIMELINE_MEMBERSHIP] = {"new membership", "membership"},
    [VRMS_TIMELINE_FENCE_ASKED] = {"fencing asked for", "fence_asked"},
    [VRMS_TIMELINE_FENCED] = {"fenced", "fenced"},
    [VRMS_TIMELINE_VM_START] = {"start ordered", "vm_start"},
    [VRMS_TIMELINE_VM_STARTED] = {"started", "vm_started"},
    [VRMS_TIMELINE_VM_FAILED] = {"start failed", "vm_failed"},
    [VRMS_TIMELINE_GUEST_LIVES] = {"guest lives", "guest_lives"},
};

/* A line that has `marker` and, somewhere behind it, `also` is such an event; the subject is the
 * word behind `before_subject`, the node the one behind `before_node`.  Source: the messages of
 * corosync 3.1 (exec/totemsrp.c) and Pacemaker 2.1 (controld_te_actions.c, controld_fencing.c,
 * controld_execd.c, fenced_remote.c). */
struct rule {
	enum vrms_timeline_kind kind;
	const char *marker, *also;
	const char *before_subject; /* NULL: there is none; "": right behind the marker */
	const char *before_node;    /* NULL: there is none */
};

static const struct rule rules[] = {
    {VRMS_TIMELINE_TOKEN_LOST, "A processor failed, forming new configuration", "", NULL, NULL},
    {VRMS_TIMELINE_MEMBERSHIP, "A new membership (", " left:", NULL, NULL},
    {VRMS_TIMELINE_FENCE_ASKED, "Requesting peer fencing (", ")", " targeting ", NULL},
    {VRMS_TIMELINE_FENCED, "Operation '", ": OK", " targeting ", NULL},
    {VRMS_TIMELINE_VM_START, "Initiating start operation ", "_start_0 ", "", " on "},
    {VRMS_TIMELINE_VM_STARTED, "Result of start operation for ", ": ok", "", " on "},
    {VRMS_TIMELINE_VM_FAILED, "Result of start operation for ", ": ", "", " on "},
};

static int day_of_year(int month, int day, bool leap)
{
	static const int days_before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};

	return days_before[month] + day + (leap && month > 1 ? 1 : 0);
}

static int month_from_name(const char *name)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *found = strlen(name) == 3 ? strstr(names, name) : NULL;

	return found != NULL && (found - names) % 3 == 0 ? (int)(found - names) / 3 : -1;
}

/* Reads "Nov 23 02:57:28.123"; the logs leave out the year. */
static bool read_time(const struct vrms_timeline *timeline, const char *line, int64_t *ret_after_ms)
{
	const struct tm *cut = &timeline->cut;
	int year = cut->tm_year + 1900;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	char name[4];
	int day, hour, minute, second, ms = 0;

	if (sscanf(line, "%3s %2d %2d:%2d:%2d.%3d", name, &day, &hour, &minute, &second, &ms) < 5) {
		return false;
	}
	int month = month_from_name(name);
	if (month < 0) {
		return false;
	}
	int64_t days = day_of_year(month, day, leap) - day_of_year(cut->tm_mon, cut->tm_mday, leap);
	if (days < -HALF_A_YEAR_DAYS) {
		days += leap ? 366 : 365;
	}
	int64_t seconds = days * DAY_SECONDS + (hour - cut->tm_hour) * 3600 +
			  (minute - cut->tm_min) * 60 + (second - cut->tm_sec);
	*ret_after_ms = seconds * 1000 + ms - timeline->cut_ms;
	return true;
}

static struct vrms_timeline_event *find(const struct vrms_timeline *timeline,
					const struct vrms_timeline_event *like)
{
	for (size_t i = 0; i < timeline->count; i++) {
		const struct vrms_timeline_event *event = &timeline->events[i];

		if (event->kind == like->kind && strcmp(event->subject, like->subject) == 0 &&
		    strcmp(event->node, like->node) == 0) {
			return (struct vrms_timeline_event *)event;
		}
	}
	return NULL;
}

/* Moves the event to its place among the earlier ones. */
static void sift(struct vrms_timeline *timeline, size_t at)
{
	struct vrms_timeline_event event = timeline->events[at];

	while (at > 0 && timeline->events[at - 1].after_ms > event.after_ms) {
		timeline->events[at] = timeline->events[at - 1];
		at--;
	}
	timeline->events[at] = event;
}

static bool take(struct vrms_timeline *timeline, const struct vrms_timeline_event *event)
{
	struct vrms_timeline_event *known = find(timeline, event);

	if (known != NULL) {
		if (known->after_ms <= event->after_ms) {
			return false;
		}
		known->after_ms = event->after_ms;
		sift(timeline, (size_t)(known - timeline->events));
		return true;
	}
	if (timeline->count == VRMS_TIMELINE_EVENTS_MAX) {
		return false;
	}
	timeline->events[timeline->count++] = *event;
	sift(timeline, timeline->count - 1);
	return true;
}

static void copy_name(char *to, const char *from)
{
	snprintf(to, VRMS_TIMELINE_NAME_SIZE, "%s", from != NULL ? from : "");
}

void vrms_timeline_init(struct vrms_timeline *timeline, const struct tm *cut, int cut_ms,
			const char *victim)
{
	memset(timeline, 0, sizeof(*timeline));
	timeline->cut = *cut;
	timeline->cut_ms = cut_ms;
	copy_name(timeline->victim, victim);
	vrms_timeline_add(timeline, VRMS_TIMELINE_CUT, 0, victim, NULL);
}

bool vrms_timeline_add(struct vrms_timeline *timeline, enum vrms_timeline_kind kind,
		       int64_t after_ms, const char *subject, const char *node)
{
	struct vrms_timeline_event event = {.kind = kind, .after_ms = after_ms};

	copy_name(event.subject, subject);
	copy_name(event.node, node);
	return take(timeline, &event);
}

static const char *match(const struct rule *rule, const char *line)
{
	const char *marker = strstr(line, rule->marker);

	if (marker == NULL) {
		return NULL;
	}
	marker += strlen(rule->marker);
	return strstr(marker, rule->also) != NULL ? marker : NULL;
}

/* Copies the word that stands behind `key`. */
static bool read_word(const char *text, const char *key, char *to)
{
	const char *word = strstr(text, key);

	if (word == NULL) {
		return false;
	}
	word += strlen(key);
	size_t length = strcspn(word, " :");
	if (length == 0 || length >= VRMS_TIMELINE_NAME_SIZE) {
		return false;
	}
	memcpy(to, word, length);
	to[length] = '\0';
	return true;
}

/* "vm1_start_0" is Pacemaker's key of the operation. */
static void strip_operation(char *subject)
{
	size_t length = strlen(subject), suffix = strlen("_start_0");

	if (length > suffix && strcmp(subject + length - suffix, "_start_0") == 0) {
		subject[length - suffix] = '\0';
	}
}

static bool read_event(struct vrms_timeline *timeline, const struct rule *rule, const char *line,
		       const char *rest)
{
	char subject[VRMS_TIMELINE_NAME_SIZE] = "", node[VRMS_TIMELINE_NAME_SIZE] = "";
	int64_t after_ms;

	if (!read_time(timeline, line, &after_ms) || after_ms < 0) {
		return false;
	}
	if (rule->before_subject != NULL && !read_word(rest, rule->before_subject, subject)) {
		return false;
	}
	if (rule->before_node != NULL && !read_word(rest, rule->before_node, node)) {
		return false;
	}
	/* Only the fencing of the node that was cut belongs to the story. */
	if (rule->before_subject != NULL && rule->before_node == NULL &&
	    strcmp(subject, timeline->victim) != 0) {
		return false;
	}
	strip_operation(subject);
	return vrms_timeline_add(timeline, rule->kind, after_ms, subject, node);
}

bool vrms_timeline_read(struct vrms_timeline *timeline, const char *line)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const char *rest = match(&rules[i], line);

		if (rest != NULL) {
			return read_event(timeline, &rules[i], line, rest);
		}
	}
	return false;
}

const struct vrms_timeline_event *vrms_timeline_find(const struct vrms_timeline *timeline,
						     enum vrms_timeline_kind kind,
						     const char *subject)
{
	for (size_t i = 0; i < timeline->count; i++) {
		const struct vrms_timeline_event *event = &timeline->events[i];

		if (event->kind == kind &&
		    (subject == NULL || strcmp(event->subject, subject) == 0)) {
			return event;
		}
	}
	return NULL;
}

const char *vrms_timeline_kind_text(enum vrms_timeline_kind kind)
{
	return kinds[kind].text;
}

const char *vrms_timeline_kind_word(enum vrms_timeline_kind kind)
{
	return kinds[kind].word;
}
