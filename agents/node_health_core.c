/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/node_health_core.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double HALF_LIFE_MS = 600000.0;

static const struct {
	const char *name, *limits, *meaning;
	bool is_counted;
} signals[VRMS_HEALTH_COUNT] = {
#define VRMS_HEALTH_ROW(NAME, name, limits, counted, what) {#name, limits, what, counted},
    VRMS_HEALTH_SIGNALS(VRMS_HEALTH_ROW)
#undef VRMS_HEALTH_ROW
};

const char *vrms_health_name(enum vrms_health_signal signal)
{
	return signals[signal].name;
}

const char *vrms_health_default_limits(enum vrms_health_signal signal)
{
	return signals[signal].limits;
}

const char *vrms_health_meaning(enum vrms_health_signal signal)
{
	return signals[signal].meaning;
}

bool vrms_health_is_counted(enum vrms_health_signal signal)
{
	return signals[signal].is_counted;
}

const char *vrms_health_colour_name(enum vrms_health_colour colour)
{
	static const char *const names[] = {"green", "yellow", "red"};

	return names[colour];
}

/* A limit up to `end`: a number, or "-". */
static bool read_limit(const char *text, const char *end, double *ret_limit)
{
	char *stop;

	if (end == text + 1 && *text == '-') {
		*ret_limit = HUGE_VAL;
		return true;
	}
	*ret_limit = strtod(text, &stop);
	return stop == end && stop != text && *ret_limit > 0;
}

int vrms_health_limits_parse(const char *text, struct vrms_health_limits *ret_limits,
			     struct vrms_error *error)
{
	struct vrms_health_limits limits = {.is_off = strcmp(text, "off") == 0};
	const char *colon = strchr(text, ':');

	if (!limits.is_off && (colon == NULL || !read_limit(text, colon, &limits.yellow) ||
			       !read_limit(colon + 1, text + strlen(text), &limits.red) ||
			       limits.yellow > limits.red)) {
		return vrms_error_set(error, -EINVAL,
				      "\"%.32s\" is neither \"off\" nor two limits above 0, "
				      "\"yellow:red\"",
				      text);
	}
	*ret_limits = limits;
	return 0;
}

/* A limit that was reached is left only well below it. */
static bool is_reached(double value, double limit, bool is_held, double clear_pct)
{
	return value >= limit || (is_held && value >= limit * clear_pct / 100.0);
}

static enum vrms_health_colour colour_of(const struct vrms_health_state *state,
					 const struct vrms_health_limits *limits, double clear_pct,
					 double value)
{
	if (is_reached(value, limits->red, state->colour == VRMS_HEALTH_RED, clear_pct)) {
		return VRMS_HEALTH_RED;
	}
	return is_reached(value, limits->yellow, state->colour >= VRMS_HEALTH_YELLOW, clear_pct)
		   ? VRMS_HEALTH_YELLOW
		   : VRMS_HEALTH_GREEN;
}

void vrms_health_step(struct vrms_health_state *state, const struct vrms_health_limits *limits,
		      const struct vrms_health_damping *damping, double value)
{
	enum vrms_health_colour wanted = colour_of(state, limits, damping->clear_pct, value);
	bool is_worse = wanted > state->colour;
	int *count = is_worse ? &state->worse_count : &state->better_count;
	int needed = is_worse ? damping->rise : damping->fall;

	*(is_worse ? &state->better_count : &state->worse_count) = 0;
	if (wanted == state->colour) {
		*count = 0;
		return;
	}
	if (*count == 0 || (is_worse ? wanted < state->all_wanted : wanted > state->all_wanted)) {
		state->all_wanted = wanted;
	}
	if (++*count < needed) {
		return;
	}
	state->colour = state->all_wanted;
	/* A sample that wanted more is the first of the next row. */
	*count = wanted != state->colour;
	state->all_wanted = wanted;
}

double vrms_health_count(struct vrms_health_state *state, double counter, int64_t now_ms)
{
	double grown = 0;

	if (state->has_counter) {
		grown = counter >= state->counter ? counter - state->counter : counter;
		state->recent *= exp2(-(double)(now_ms - state->counter_ms) / HALF_LIFE_MS);
	}
	state->recent += grown;
	state->has_counter = true;
	state->counter = counter;
	state->counter_ms = now_ms;
	return state->recent;
}

int vrms_health_psi_parse(const char *text, double *ret_percent)
{
	const char *full = strstr(text, "full avg10=");

	return full != NULL && sscanf(full, "full avg10=%lf", ret_percent) == 1 ? 0 : -EPROTO;
}

/* The text behind "NAME:" at the begin of a line; NULL when there is none. */
static const char *find_row(const char *text, const char *name)
{
	size_t size = strlen(name);

	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		const char *word = line + strspn(line, " ");
		if (strncmp(word, name, size) == 0 && word[size] == ':') {
			return word + size + 1;
		}
		if (*line == '\0') {
			break;
		}
	}
	return NULL;
}

int vrms_health_interrupts_parse(const char *text, const char *row, double *ret_count)
{
	const char *at = find_row(text, row);
	double sum = 0;

	if (at == NULL) {
		return -EPROTO;
	}
	for (;;) {
		char *end;

		at += strspn(at, " ");
		if (*at < '0' || *at > '9') { /* the row's description */
			break;
		}
		sum += (double)strtoull(at, &end, 10);
		at = end;
	}
	*ret_count = sum;
	return 0;
}

int vrms_health_meminfo_parse(const char *text, const char *row, double *ret_mib)
{
	const char *at = find_row(text, row);
	double kib;

	if (at == NULL || sscanf(at, "%lf kB", &kib) != 1) {
		return -EPROTO;
	}
	*ret_mib = kib / 1024.0;
	return 0;
}
