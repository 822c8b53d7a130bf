/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/demo.h"

#include <errno.h>
#include <jansson.h>
#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

enum { BAR_CELLS = 24, KIND_CELLS = 19 };

enum ink { INK_NONE, INK_BOLD, INK_DIM, INK_RED, INK_GREEN, INK_YELLOW, INK_BLUE };

/* SGR parameters (source: ECMA-48, 8.3.117). */
static const char *const inks[] = {
    [INK_NONE] = "0",   [INK_BOLD] = "1",    [INK_DIM] = "2",   [INK_RED] = "1;31",
    [INK_GREEN] = "32", [INK_YELLOW] = "33", [INK_BLUE] = "34",
};

static const enum ink kind_inks[VRMS_TIMELINE_KIND_COUNT] = {
    [VRMS_TIMELINE_CUT] = INK_RED,           [VRMS_TIMELINE_TOKEN_LOST] = INK_YELLOW,
    [VRMS_TIMELINE_MEMBERSHIP] = INK_YELLOW, [VRMS_TIMELINE_FENCE_ASKED] = INK_YELLOW,
    [VRMS_TIMELINE_FENCED] = INK_BLUE,       [VRMS_TIMELINE_VM_START] = INK_DIM,
    [VRMS_TIMELINE_VM_FAILED] = INK_RED,     [VRMS_TIMELINE_GUEST_LIVES] = INK_GREEN,
};

void vrms_demo_style_init(struct vrms_demo_style *style, FILE *out)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
	bool terminal = isatty(fileno(out));

	setlocale(LC_CTYPE, "");
	style->out = out;
	style->colour = terminal && term != NULL && strcmp(term, "dumb") != 0 &&
			(no_color == NULL || no_color[0] == '\0');
	style->bars = terminal && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static void ink(const struct vrms_demo_style *style, enum ink which)
{
	if (style->colour) {
		fprintf(style->out, "\033[%sm", inks[which]);
	}
}

void vrms_demo_show_heading(const struct vrms_demo_style *style, const char *text)
{
	if (style->out != NULL) {
		fputc('\n', style->out);
		ink(style, INK_BOLD);
		fputs(text, style->out);
		ink(style, INK_NONE);
		fputc('\n', style->out);
		fflush(style->out);
	}
}

void vrms_demo_show_note(const struct vrms_demo_style *style, const char *text)
{
	if (style->out != NULL) {
		ink(style, INK_DIM);
		fprintf(style->out, "  %s", text);
		ink(style, INK_NONE);
		fputc('\n', style->out);
		fflush(style->out);
	}
}

int vrms_demo_load_mib(const struct vrms_demo *demo, int node, bool after)
{
	int sum = 0;

	for (int i = 0; i < demo->vm_count; i++) {
		const struct vrms_demo_vm *vm = &demo->vms[i];

		if ((after ? vm->node_after : vm->node_before) == node) {
			sum += vm->memory_mib;
		}
	}
	return sum;
}

static int total_mib(const struct vrms_demo *demo)
{
	int sum = 0;

	for (int i = 0; i < demo->vm_count; i++) {
		sum += demo->vms[i].memory_mib;
	}
	return sum;
}

static void show_bar(const struct vrms_demo_style *style, int share_pct)
{
	int full = (share_pct * BAR_CELLS + 50) / 100;

	ink(style, INK_BLUE);
	for (int i = 0; i < full; i++) {
		fputs(style->bars ? "\u2588" : "#", style->out);
	}
	ink(style, INK_NONE);
	fprintf(style->out, "%*s", BAR_CELLS - full, "");
}

static void show_names(const struct vrms_demo_style *style, const struct vrms_demo *demo, int node,
		       bool after)
{
	for (int i = 0; i < demo->vm_count; i++) {
		const struct vrms_demo_vm *vm = &demo->vms[i];
		bool moved = after && vm->node_before == demo->victim;

		if ((after ? vm->node_after : vm->node_before) == node) {
			ink(style, moved ? INK_GREEN : INK_NONE);
			fprintf(style->out, " %s", vm->name);
		}
	}
	ink(style, INK_NONE);
}

void vrms_demo_show_load(const struct vrms_demo_style *style, const struct vrms_demo *demo,
			 bool after)
{
	int total = total_mib(demo);

	if (style->out == NULL || demo->vm_count == 0) {
		return;
	}
	for (int node = 0; node < demo->node_count; node++) {
		int load = vrms_demo_load_mib(demo, node, after);
		int share = total > 0 ? (load * 100 + total / 2) / total : 0;

		fprintf(style->out, "  %-7s", demo->nodes[node]);
		if (after && node == demo->victim) {
			ink(style, INK_RED);
			fprintf(style->out, "%*s", 11 + BAR_CELLS + 5, "no power");
			ink(style, INK_NONE);
		} else {
			show_bar(style, share);
			fprintf(style->out, " %4d MiB %3d %% ", load, share);
		}
		show_names(style, demo, node, after);
		fputc('\n', style->out);
	}
	fflush(style->out);
}

static void show_event(const struct vrms_demo_style *style, const struct vrms_timeline_event *event)
{
	fprintf(style->out, "  %7.2f s  ", (double)event->after_ms / 1000.0);
	ink(style, kind_inks[event->kind]);
	fputs(vrms_timeline_kind_text(event->kind), style->out);
	ink(style, INK_NONE);
	if (event->subject[0] != '\0') {
		int padding = KIND_CELLS - (int)strlen(vrms_timeline_kind_text(event->kind));
		fprintf(style->out, "%*s%s", padding, "", event->subject);
	}
	if (event->node[0] != '\0') {
		fprintf(style->out, " on %s", event->node);
	}
	fputc('\n', style->out);
}

/* Other resources start too: the fence device. */
static bool is_of_story(const struct vrms_demo *demo, const struct vrms_timeline_event *event)
{
	if (event->node[0] == '\0') {
		return true;
	}
	for (int i = 0; i < demo->vm_count; i++) {
		if (strcmp(demo->vms[i].name, event->subject) == 0) {
			return true;
		}
	}
	return false;
}

void vrms_demo_show_events(const struct vrms_demo_style *style, struct vrms_demo *demo,
			   int64_t until_ms)
{
	for (size_t i = 0; style->out != NULL && i < demo->timeline.count; i++) {
		struct vrms_timeline_event *event = &demo->timeline.events[i];

		if (!event->told && event->after_ms <= until_ms) {
			if (is_of_story(demo, event) && event->kind != VRMS_TIMELINE_VM_START) {
				show_event(style, event);
			}
			event->told = true;
		}
	}
	if (style->out != NULL) {
		fflush(style->out);
	}
}

static int64_t last_life_ms(const struct vrms_demo *demo)
{
	int64_t last_ms = 0;

	for (size_t i = 0; i < demo->timeline.count; i++) {
		if (demo->timeline.events[i].kind == VRMS_TIMELINE_GUEST_LIVES) {
			last_ms = demo->timeline.events[i].after_ms;
		}
	}
	return last_ms;
}

static void show_fate(const struct vrms_demo_style *style, const struct vrms_demo *demo,
		      const struct vrms_demo_vm *vm)
{
	bool lost = vm->node_before == demo->victim;

	ink(style, vm->lives ? INK_GREEN : INK_RED);
	fprintf(style->out, "  %-6s", vm->lives ? "ok" : "LOST");
	ink(style, INK_NONE);
	fprintf(style->out, "%-6s", vm->name);
	if (!vm->lives) {
		fputs("its guest does not count\n", style->out);
	} else if (lost) {
		fprintf(style->out, "%s -> %s, boot %u, counts again at %u\n",
			demo->nodes[vm->node_before],
			vm->node_after >= 0 ? demo->nodes[vm->node_after] : "?",
			vm->last.boot_count, vm->last.tick_count);
	} else {
		fprintf(style->out, "stays on %s, never restarted, counted on from %u to %u\n",
			demo->nodes[vm->node_before], vm->before.tick_count, vm->last.tick_count);
	}
}

void vrms_demo_show_verdict(const struct vrms_demo_style *style, const struct vrms_demo *demo)
{
	if (style->out == NULL) {
		return;
	}
	for (int i = 0; i < demo->vm_count; i++) {
		show_fate(style, demo, &demo->vms[i]);
	}
	fputc('\n', style->out);
	if (demo->vm_count == 0) {
		return;
	}
	ink(style, demo->recovered ? INK_GREEN : INK_RED);
	if (demo->recovered) {
		fprintf(style->out, "Every VM runs: the last guest was back %.1f s after the cut.",
			(double)last_life_ms(demo) / 1000.0);
	} else {
		fputs("Not every VM came back.", style->out);
	}
	ink(style, INK_NONE);
	fputc('\n', style->out);
	fflush(style->out);
}

static const char *name_of(const struct vrms_demo *demo, int node)
{
	return node >= 0 ? demo->nodes[node] : NULL;
}

static json_t *json_events(const struct vrms_demo *demo)
{
	json_t *list = json_array();

	for (size_t i = 0; i < demo->timeline.count; i++) {
		const struct vrms_timeline_event *event = &demo->timeline.events[i];

		if (!is_of_story(demo, event)) {
			continue;
		}
		json_array_append_new(list,
				      json_pack("{s:s, s:I, s:s, s:s}", "event",
						vrms_timeline_kind_word(event->kind), "after_ms",
						(json_int_t)event->after_ms, "subject",
						event->subject, "node", event->node));
	}
	return list;
}

static json_t *json_vms(const struct vrms_demo *demo)
{
	json_t *list = json_array();

	for (int i = 0; i < demo->vm_count; i++) {
		const struct vrms_demo_vm *vm = &demo->vms[i];

		json_array_append_new(
		    list,
		    json_pack("{s:s, s:i, s:s?, s:s?, s:b, s:b}", "name", vm->name, "memory_mib",
			      vm->memory_mib, "node_before", name_of(demo, vm->node_before),
			      "node_after", name_of(demo, vm->node_after), "restarted",
			      vrms_guest_record_is_restart(&vm->before, &vm->last), "lives",
			      vm->lives));
	}
	return list;
}

static json_t *json_load(const struct vrms_demo *demo, bool after)
{
	json_t *load = json_object();

	for (int node = 0; node < demo->node_count; node++) {
		if (!after || node != demo->victim) {
			json_object_set_new(load, demo->nodes[node],
					    json_integer(vrms_demo_load_mib(demo, node, after)));
		}
	}
	return load;
}

json_t *vrms_demo_json(const struct vrms_demo *demo)
{
	return json_pack("{s:i, s:s, s:o, s:o, s:o, s:o, s:b}", "nodes", demo->node_count, "cut",
			 demo->nodes[demo->victim], "events", json_events(demo), "vms",
			 json_vms(demo), "load_before_mib", json_load(demo, false),
			 "load_after_mib", json_load(demo, true), "recovered", demo->recovered);
}
