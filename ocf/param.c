/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ocf/param.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"

static bool is_limited(const struct vrms_param *param)
{
	return param->minimum != 0 || param->maximum != 0;
}

/* A limit as a user would write it: 3600000 ms are "1h". */
static void print_limit(const struct vrms_param *param, int64_t limit, char *buffer, size_t size)
{
	static const struct {
		int64_t ms;
		const char *unit;
	} units[] = {{3600000, "h"}, {60000, "min"}, {1000, "s"}, {1, "ms"}};

	if (param->type != VRMS_PARAM_DURATION_MS || limit == 0) {
		snprintf(buffer, size, "%" PRId64, limit);
		return;
	}
	for (size_t i = 0; i < VRMS_COUNT_OF(units); i++) {
		if (limit % units[i].ms == 0) {
			snprintf(buffer, size, "%" PRId64 "%s", limit / units[i].ms, units[i].unit);
			return;
		}
	}
}

static void print_choices(const char *const *choices, char *buffer, size_t size)
{
	size_t used = (size_t)snprintf(buffer, size, "one of");
	const char *separator = " ";

	for (; *choices != NULL && used < size; choices++) {
		if (**choices != '\0') {
			used += (size_t)snprintf(buffer + used, size - used, "%s%s", separator,
						 *choices);
			separator = ", ";
		}
	}
}

void vrms_param_limits_print(const struct vrms_param *param, char *buffer, size_t buffer_bytes)
{
	char minimum[32];
	char maximum[32];

	buffer[0] = '\0';
	if (param->type == VRMS_PARAM_CHOICE) {
		print_choices(param->choices, buffer, buffer_bytes);
	} else if (is_limited(param)) {
		print_limit(param, param->minimum, minimum, sizeof(minimum));
		print_limit(param, param->maximum, maximum, sizeof(maximum));
		if (param->maximum == INT64_MAX) {
			snprintf(buffer, buffer_bytes, "at least %s", minimum);
		} else {
			snprintf(buffer, buffer_bytes, "%s to %s", minimum, maximum);
		}
	}
}

static int say_limits(const struct vrms_param *param, const char *text, int rc,
		      struct vrms_error *error)
{
	char limits[256];

	vrms_param_limits_print(param, limits, sizeof(limits));
	return vrms_error_set(error, rc, "\"%s\" is not %s", text, limits);
}

static int check_limits(const struct vrms_param *param, const char *text, int64_t value,
			struct vrms_error *error)
{
	if (is_limited(param) && (value < param->minimum || value > param->maximum)) {
		return say_limits(param, text, -ERANGE, error);
	}
	return 0;
}

static int read_string(const struct vrms_param *param, const char *text, void *field,
		       struct vrms_error *error)
{
	(void)param;
	(void)error;
	*(const char **)field = text;
	return 0;
}

static int read_integer(const struct vrms_param *param, const char *text, void *field,
			struct vrms_error *error)
{
	int64_t value;
	int rc = vrms_int_parse(text, INT64_MIN, INT64_MAX, &value, error);

	rc = rc < 0 ? rc : check_limits(param, text, value, error);
	if (rc == 0) {
		*(int64_t *)field = value;
	}
	return rc;
}

static int read_duration(const struct vrms_param *param, const char *text, void *field,
			 struct vrms_error *error)
{
	int64_t value_ms;
	int rc = vrms_duration_parse(text, &value_ms, error);

	rc = rc < 0 ? rc : check_limits(param, text, value_ms, error);
	if (rc == 0) {
		*(int64_t *)field = value_ms;
	}
	return rc;
}

static int read_boolean(const struct vrms_param *param, const char *text, void *field,
			struct vrms_error *error)
{
	(void)param;
	return vrms_bool_parse(text, field, error);
}

static int read_choice(const struct vrms_param *param, const char *text, void *field,
		       struct vrms_error *error)
{
	for (int i = 0; param->choices[i] != NULL; i++) {
		if (strcmp(param->choices[i], text) == 0) {
			*(int *)field = i;
			return 0;
		}
	}
	return say_limits(param, text, -EINVAL, error);
}

typedef int read_function(const struct vrms_param *param, const char *text, void *field,
			  struct vrms_error *error);

static read_function *const readers[] = {
    [VRMS_PARAM_STRING] = read_string,   [VRMS_PARAM_INTEGER] = read_integer,
    [VRMS_PARAM_BOOLEAN] = read_boolean, [VRMS_PARAM_DURATION_MS] = read_duration,
    [VRMS_PARAM_CHOICE] = read_choice,
};

static int read_one(const struct vrms_param *param, const char *text, void *config,
		    struct vrms_error *error)
{
	int rc = readers[param->type](param, text, (char *)config + param->offset, error);

	return rc < 0 ? vrms_error_wrap(error, rc, "%s", param->name) : 0;
}

int vrms_params_read(const struct vrms_param *params, size_t param_count, vrms_param_lookup *lookup,
		     void *context, void *config, struct vrms_error *error)
{
	for (size_t i = 0; i < param_count; i++) {
		const struct vrms_param *param = &params[i];
		const char *text = lookup(context, param->name);

		if (text == NULL || *text == '\0') {
			text = param->fallback;
		}
		if (text == NULL && param->required) {
			return vrms_error_set(error, -EINVAL, "%s: required, not set", param->name);
		}
		if (text != NULL) {
			int rc = read_one(param, text, config, error);
			if (rc < 0) {
				return rc;
			}
		}
	}
	return 0;
}
