/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/calendar.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "backup/civil.h"

enum {
	TEXT_BYTES = 120,
	YEAR_MIN = 1970,
	YEAR_MAX = 2199,   /* as systemd */
	DAYS_MAX = 146097, /* of 400 years: then everything comes again */
};

static const struct {
	const char *word, *meaning;
} words[] = {
    {"minutely", "*:*"},
    {"hourly", "*:00"},
    {"daily", "*-*-*"},
    {"weekly", "Mon"},
    {"monthly", "*-*-01"},
    {"quarterly", "*-01,04,07,10-01"},
    {"semiannually", "*-01,07-01"},
    {"semi-annually", "*-01,07-01"},
    {"yearly", "*-01-01"},
    {"annually", "*-01-01"},
};

static const char *const weekday_names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
					    "Friday", "Saturday", "Sunday"};

/* One field of a date or a time: its bounds, and how the bits of `1,3..7/2` are set. */
struct field {
	const char *name;
	int minimum, maximum;
};

static const struct field year_field = {"year", YEAR_MIN, YEAR_MAX};
static const struct field month_field = {"month", 1, 12};
static const struct field day_field = {"day", 1, 31};
static const struct field hour_field = {"hour", 0, 23};
static const struct field minute_field = {"minute", 0, 59};
static const struct field second_field = {"second", 0, 59};

struct range {
	int from, to, step;
};

static int bad_field(const struct field *field, const char *text, struct vrms_error *error)
{
	return vrms_error_set(error, -EINVAL, "%s \"%s\" is not *, or %d to %d, lists and steps",
			      field->name, text, field->minimum, field->maximum);
}

/* Digits at *at, at most four. */
static int take_number(const char **at, int *ret_number)
{
	int number = 0, count = 0;

	while (isdigit((unsigned char)**at) && count < 5) {
		number = number * 10 + (*(*at)++ - '0');
		count++;
	}
	*ret_number = number;
	return count > 0 && count < 5 ? 0 : -EINVAL;
}

/* "3", "3..7", "3/2", "3..7/2" at *at. */
static int take_range(const char **at, const struct field *field, struct range *ret_range)
{
	int rc = take_number(at, &ret_range->from);

	ret_range->to = ret_range->from;
	ret_range->step = 1;
	if (rc == 0 && strncmp(*at, "..", 2) == 0) {
		*at += 2;
		rc = take_number(at, &ret_range->to);
	} else if (**at == '/') {
		ret_range->to = field->maximum;
	}
	if (rc == 0 && **at == '/') {
		(*at)++;
		rc = take_number(at, &ret_range->step);
	}
	return rc == 0 && ret_range->from >= field->minimum && ret_range->to <= field->maximum &&
		       ret_range->from <= ret_range->to && ret_range->step > 0
		   ? 0
		   : -EINVAL;
}

static int parse_bits(const char *text, const struct field *field, uint64_t *ret_bits,
		      struct vrms_error *error)
{
	const char *at = text;
	struct range range;

	*ret_bits = 0;
	if (strcmp(text, "*") == 0) {
		for (int i = field->minimum; i <= field->maximum; i++) {
			*ret_bits |= 1ULL << i;
		}
		return 0;
	}
	do {
		at += at > text;
		if (take_range(&at, field, &range) < 0) {
			return bad_field(field, text, error);
		}
		for (int i = range.from; i <= range.to; i += range.step) {
			*ret_bits |= 1ULL << i;
		}
	} while (*at == ',');
	return *at == '\0' ? 0 : bad_field(field, text, error);
}

static int parse_years(const char *text, struct vrms_calendar *calendar, struct vrms_error *error)
{
	const char *at = text;
	struct range range;

	if (strcmp(text, "*") == 0) {
		return 0;
	}
	do {
		at += at > text;
		if (calendar->year_count == VRMS_CALENDAR_YEARS_MAX ||
		    take_range(&at, &year_field, &range) < 0) {
			return bad_field(&year_field, text, error);
		}
		calendar->years[calendar->year_count].from = (uint16_t)range.from;
		calendar->years[calendar->year_count].to = (uint16_t)range.to;
		calendar->years[calendar->year_count++].step = (uint16_t)range.step;
	} while (*at == ',');
	return *at == '\0' ? 0 : bad_field(&year_field, text, error);
}

/* A name, or its first three letters, at *at. */
static int take_weekday(const char **at, int *ret_weekday)
{
	size_t length = strspn(*at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	for (int i = 0; i < 7; i++) {
		const char *name = weekday_names[i];

		if ((length == 3 || length == strlen(name)) &&
		    strncasecmp(*at, name, length) == 0) {
			*at += length;
			*ret_weekday = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_weekdays(const char *text, uint8_t *ret_weekdays, struct vrms_error *error)
{
	const char *at = text;

	*ret_weekdays = 0;
	do {
		int from, to, rc;

		at += at > text;
		rc = take_weekday(&at, &from);
		to = from;
		if (rc == 0 && strncmp(at, "..", 2) == 0) {
			at += 2;
			rc = take_weekday(&at, &to);
		}
		if (rc < 0 || from > to) {
			return vrms_error_set(error, -EINVAL, "\"%s\" names no days of the week",
					      text);
		}
		for (int i = from; i <= to; i++) {
			*ret_weekdays |= (uint8_t)(1U << i);
		}
	} while (*at == ',');
	return *at == '\0'
		   ? 0
		   : vrms_error_set(error, -EINVAL, "\"%s\" names no days of the week", text);
}

/* Splits at `separator` into at most `most` parts; returns how many, 0 when there are more. */
static int split(char *text, char separator, char **parts, int most)
{
	int count = 0;

	for (char *at = text; at != NULL;) {
		char *end = strchr(at, separator);

		if (count == most) {
			return 0;
		}
		parts[count++] = at;
		if (end != NULL) {
			*end++ = '\0';
		}
		at = end;
	}
	return count;
}

static int parse_date(char *text, struct vrms_calendar *calendar, struct vrms_error *error)
{
	char *parts[3];
	uint64_t days = 0, months = 0;
	int count = split(text, '-', parts, 3), rc = 0;

	if (count < 2) {
		return vrms_error_set(error, -EINVAL, "not a date of two or three parts");
	}
	if (count == 3) {
		rc = parse_years(parts[0], calendar, error);
	}
	if (rc == 0) {
		rc = parse_bits(parts[count - 2], &month_field, &months, error);
	}
	if (rc == 0) {
		rc = parse_bits(parts[count - 1], &day_field, &days, error);
	}
	calendar->months = (uint16_t)months;
	calendar->days = (uint32_t)days;
	return rc;
}

static int parse_time(char *text, struct vrms_calendar *calendar, struct vrms_error *error)
{
	char *parts[3];
	uint64_t hours = 0;
	int count = split(text, ':', parts, 3), rc;

	if (count < 2) {
		return vrms_error_set(error, -EINVAL, "not a time of two or three parts");
	}
	rc = parse_bits(parts[0], &hour_field, &hours, error);
	if (rc == 0) {
		rc = parse_bits(parts[1], &minute_field, &calendar->minutes, error);
	}
	if (rc == 0 && count == 3) {
		rc = parse_bits(parts[2], &second_field, &calendar->seconds, error);
	}
	calendar->hours = (uint32_t)hours;
	return rc;
}

/* Which of the three parts a word is: they come in this order, each at most once. */
enum kind { WEEKDAYS, DATE, TIME, KIND_COUNT };

static enum kind kind_of(const char *word)
{
	return isalpha((unsigned char)word[0]) ? WEEKDAYS : strchr(word, ':') != NULL ? TIME : DATE;
}

static int parse_word(char *word, struct vrms_calendar *calendar, struct vrms_error *error)
{
	switch (kind_of(word)) {
	case WEEKDAYS:
		return parse_weekdays(word, &calendar->weekdays, error);
	case DATE:
		return parse_date(word, calendar, error);
	default:
		return parse_time(word, calendar, error);
	}
}

static const char *meaning_of(const char *text)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(words); i++) {
		if (strcasecmp(words[i].word, text) == 0) {
			return words[i].meaning;
		}
	}
	return text;
}

int vrms_calendar_parse(const char *text, struct vrms_calendar *ret_calendar,
			struct vrms_error *error)
{
	struct vrms_calendar calendar = {.seconds = 1,
					 .minutes = 1,
					 .hours = 1,
					 .days = 0xfffffffe,
					 .months = 0x1ffe,
					 .weekdays = 0x7f};
	const char *meaning = meaning_of(text);
	char copy[TEXT_BYTES];
	char *word, *rest = copy;
	int least = WEEKDAYS, rc = 0;

	if (strlen(meaning) >= sizeof(copy) || meaning[0] == '\0') {
		return vrms_error_set(error, -EINVAL, "\"%.40s\" is not a calendar expression",
				      text);
	}
	strcpy(copy, meaning);
	while (rc == 0 && (word = strsep(&rest, " ")) != NULL) {
		int kind = word[0] != '\0' ? (int)kind_of(word) : KIND_COUNT;

		if (kind == KIND_COUNT && least > WEEKDAYS && rest != NULL) {
			continue; /* several blanks */
		}
		rc = kind < least || kind == KIND_COUNT
			 ? vrms_error_set(error, -EINVAL, "not [WEEKDAYS] [DATE] [TIME]")
			 : parse_word(word, &calendar, error);
		least = kind + 1;
	}
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "calendar expression \"%s\"", text);
	}
	*ret_calendar = calendar;
	return 0;
}

static bool has_year(const struct vrms_calendar *calendar, int64_t year)
{
	for (int i = 0; i < calendar->year_count; i++) {
		if (year >= calendar->years[i].from && year <= calendar->years[i].to &&
		    (year - calendar->years[i].from) % calendar->years[i].step == 0) {
			return true;
		}
	}
	return calendar->year_count == 0;
}

static bool has_day(const struct vrms_calendar *calendar, int64_t days)
{
	struct vrms_civil_day day = vrms_civil_from_days(days);

	return (calendar->weekdays >> vrms_civil_weekday(days) & 1) != 0 &&
	       (calendar->days >> day.day & 1) != 0 && (calendar->months >> day.month & 1) != 0 &&
	       has_year(calendar, day.year);
}

/* The lowest bit at `from` or above; -1 none. */
static int bit_up(uint64_t bits, int from)
{
	bits = from > 63 ? 0 : bits >> from << from;
	return bits != 0 ? __builtin_ctzll(bits) : -1;
}

/* The highest bit at `from` or below; -1 none. */
static int bit_down(uint64_t bits, int from)
{
	bits = from < 0 ? 0 : bits << (63 - from) >> (63 - from);
	return bits != 0 ? 63 - __builtin_clzll(bits) : -1;
}

/* The first time of day at second `from` or later, -1 none. */
static int time_up(const struct vrms_calendar *calendar, int from)
{
	for (int hour = bit_up(calendar->hours, from / VRMS_HOUR_S); hour >= 0;
	     hour = bit_up(calendar->hours, hour + 1)) {
		int rest = from - hour * VRMS_HOUR_S > 0 ? from - hour * VRMS_HOUR_S : 0;

		for (int minute = bit_up(calendar->minutes, rest / 60); minute >= 0;
		     minute = bit_up(calendar->minutes, minute + 1)) {
			int second =
			    bit_up(calendar->seconds, rest > minute * 60 ? rest - minute * 60 : 0);

			if (second >= 0) {
				return hour * VRMS_HOUR_S + minute * 60 + second;
			}
		}
	}
	return -1;
}

/* The last time of day at second `from` or before, -1 none. */
static int time_down(const struct vrms_calendar *calendar, int from)
{
	for (int hour = bit_down(calendar->hours, from / VRMS_HOUR_S); hour >= 0;
	     hour = bit_down(calendar->hours, hour - 1)) {
		int rest = from - hour * VRMS_HOUR_S;

		rest = rest < VRMS_HOUR_S ? rest : VRMS_HOUR_S - 1;
		for (int minute = bit_down(calendar->minutes, rest / 60); minute >= 0;
		     minute = bit_down(calendar->minutes, minute - 1)) {
			int left = rest - minute * 60;
			int second = bit_down(calendar->seconds, left < 60 ? left : 59);

			if (second >= 0) {
				return hour * VRMS_HOUR_S + minute * 60 + second;
			}
		}
	}
	return -1;
}

bool vrms_calendar_next(const struct vrms_calendar *calendar, int64_t local_s, int64_t *ret_local_s)
{
	int64_t day = vrms_civil_divide(local_s + 1, VRMS_DAY_S);
	int from = (int)(local_s + 1 - day * VRMS_DAY_S);

	for (int i = 0; i <= DAYS_MAX; i++, day++, from = 0) {
		int time = has_day(calendar, day) ? time_up(calendar, from) : -1;

		if (time >= 0) {
			*ret_local_s = day * VRMS_DAY_S + time;
			return true;
		}
	}
	return false;
}

bool vrms_calendar_previous(const struct vrms_calendar *calendar, int64_t local_s,
			    int64_t *ret_local_s)
{
	int64_t day = vrms_civil_divide(local_s, VRMS_DAY_S);
	int from = (int)(local_s - day * VRMS_DAY_S);

	for (int i = 0; i <= DAYS_MAX; i++, day--, from = VRMS_DAY_S - 1) {
		int time = has_day(calendar, day) ? time_down(calendar, from) : -1;

		if (time >= 0) {
			*ret_local_s = day * VRMS_DAY_S + time;
			return true;
		}
	}
	return false;
}
