/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/parse.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

int vrms_int_parse(const char *text, int64_t minimum, int64_t maximum, int64_t *ret_value,
		   struct vrms_error *error)
{
	const char *digits = text + (*text == '-' || *text == '+');
	char *end = NULL;

	/* strtoll() skips blanks and accepts an empty text; we do not. */
	if (!isdigit((unsigned char)*digits)) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not an integer", text);
	}
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (*end != '\0') {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not an integer", text);
	}
	if (errno == ERANGE || value < minimum || value > maximum) {
		return vrms_error_set(error, -ERANGE,
				      "\"%s\" is not between %" PRId64 " and %" PRId64, text,
				      minimum, maximum);
	}
	*ret_value = value;
	return 0;
}

int vrms_bool_parse(const char *text, bool *ret_value, struct vrms_error *error)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
	    {"yes", true},  {"true", true}, {"on", true},  {"1", true},
	    {"y", true},    {"t", true},    {"no", false}, {"false", false},
	    {"off", false}, {"0", false},   {"n", false},  {"f", false},
	};

	for (size_t i = 0; i < VRMS_COUNT_OF(words); i++) {
		if (strcasecmp(text, words[i].word) == 0) {
			*ret_value = words[i].value;
			return 0;
		}
	}
	return vrms_error_set(error, -EINVAL, "\"%s\" is neither true nor false", text);
}

/* Reads the digits at *cursor and moves it behind them.
 * Returns 0, -EINVAL (no digit there) or -ERANGE (above UINT64_MAX).
 */
static int take_number(const char **cursor, uint64_t *ret_number)
{
	const char *at = *cursor;
	uint64_t number = 0;

	if (!isdigit((unsigned char)*at)) {
		return -EINVAL;
	}
	for (; isdigit((unsigned char)*at); at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, digit, &number)) {
			return -ERANGE;
		}
	}
	*cursor = at;
	*ret_number = number;
	return 0;
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* A unit is a fraction, so that microseconds fit: value * multiply / divide. */
struct duration_unit {
	const char *name;
	uint32_t multiply;
	uint32_t divide;
};

/* Adds number * unit to *total_ms; false when the sum does not fit into int64_t. */
static bool add_duration(int64_t *total_ms, uint64_t number, const struct duration_unit *unit)
{
	uint64_t product;

	if (__builtin_mul_overflow(number, unit->multiply, &product)) {
		return false;
	}
	product /= unit->divide;
	return !__builtin_add_overflow(*total_ms, product, total_ms);
}

/* Reads "1M30S" against units that come largest first, each at most once; stops at 'T' or the end.
 * Returns the count of parts read, -EINVAL or -ERANGE.
 */
static int take_iso_parts(const char **cursor, const struct duration_unit *unit, int64_t *total_ms)
{
	int parts = 0;

	while (**cursor != '\0' && **cursor != 'T') {
		uint64_t number;
		int rc = take_number(cursor, &number);

		if (rc < 0) {
			return rc;
		}
		while (unit->name != NULL && **cursor != unit->name[0]) {
			unit++;
		}
		if (unit->name == NULL) {
			return -EINVAL;
		}
		if (!add_duration(total_ms, number, unit)) {
			return -ERANGE;
		}
		unit++;
		(*cursor)++;
		parts++;
	}
	return parts;
}

/* "PT1M30S", "P1DT2H", "P2W".  Years and months are refused: they have no fixed length.
 * text: behind the "P".
 */
static int parse_iso_duration(const char *text, int64_t *ret_ms)
{
	static const struct duration_unit of_date[] = {{"W", 7 * 86400 * 1000U, 1},
						       {"D", 86400 * 1000, 1},
						       {NULL, 0, 1}};
	static const struct duration_unit of_time[] = {{"H", 3600 * 1000, 1},
						       {"M", 60 * 1000, 1},
						       {"S", 1000, 1},
						       {NULL, 0, 1}};
	int64_t total_ms = 0;
	int parts = take_iso_parts(&text, of_date, &total_ms);

	if (parts >= 0 && *text == 'T') {
		text++;
		parts = take_iso_parts(&text, of_time, &total_ms);
	}
	if (parts < 0) {
		return parts;
	}
	if (parts == 0 || *text != '\0') {
		return -EINVAL;
	}
	*ret_ms = total_ms;
	return 0;
}

static int parse_plain_duration(const char *text, int64_t *ret_ms)
{
	static const struct duration_unit units[] = {
	    {"", 1000, 1},     {"s", 1000, 1},    {"sec", 1000, 1},   {"ms", 1, 1},
	    {"msec", 1, 1},    {"us", 1, 1000},   {"usec", 1, 1000},  {"m", 60000, 1},
	    {"min", 60000, 1}, {"h", 3600000, 1}, {"hr", 3600000, 1},
	};
	uint64_t number;
	int64_t total_ms = 0;
	int rc = take_number(&text, &number);

	if (rc < 0) {
		return rc;
	}
	text = skip_blanks(text);
	for (size_t i = 0; i < VRMS_COUNT_OF(units); i++) {
		if (strcasecmp(text, units[i].name) == 0) {
			if (!add_duration(&total_ms, number, &units[i])) {
				return -ERANGE;
			}
			*ret_ms = total_ms;
			return 0;
		}
	}
	return -EINVAL;
}

int vrms_duration_parse(const char *text, int64_t *ret_ms, struct vrms_error *error)
{
	int rc = *text == 'P' ? parse_iso_duration(text + 1, ret_ms)
			      : parse_plain_duration(text, ret_ms);

	if (rc == -EINVAL) {
		return vrms_error_set(error, rc, "\"%s\" is not a duration such as \"90s\"", text);
	}
	if (rc == -ERANGE) {
		return vrms_error_set(error, rc, "\"%s\" is too long a duration", text);
	}
	return rc;
}

/* Reads the unit of a size; 0 when it is none, else its bytes. */
static uint64_t size_unit_bytes(const char *unit)
{
	static const char prefixes[] = "KMGTPE";
	uint64_t base = 1024;
	uint64_t bytes = 1;

	if (*unit == '\0' || strcasecmp(unit, "B") == 0 || strcasecmp(unit, "bytes") == 0) {
		return 1;
	}
	const char *prefix = strchr(prefixes, toupper((unsigned char)*unit));
	if (prefix == NULL) {
		return 0;
	}
	if (strcasecmp(unit + 1, "B") == 0) {
		base = 1000;
	} else if (unit[1] != '\0' && strcasecmp(unit + 1, "iB") != 0) {
		return 0;
	}
	for (const char *p = prefixes; p <= prefix; p++) {
		bytes *= base;
	}
	return bytes;
}

int vrms_size_parse(const char *text, uint64_t *ret_bytes, struct vrms_error *error)
{
	const char *at = text;
	uint64_t number;
	uint64_t bytes;
	int rc = take_number(&at, &number);
	uint64_t unit_bytes = rc == 0 ? size_unit_bytes(skip_blanks(at)) : 0;

	if (rc == -EINVAL || (rc == 0 && unit_bytes == 0)) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not a size such as \"10GiB\"",
				      text);
	}
	if (rc == -ERANGE || __builtin_mul_overflow(number, unit_bytes, &bytes)) {
		return vrms_error_set(error, -ERANGE, "\"%s\" is too large a size", text);
	}
	*ret_bytes = bytes;
	return 0;
}
