/* setting_value.c - reads and writes the values of settings.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"

const struct vrms_sim_setting *vrms_sim_setting_find(const struct vrms_sim_setting *table,
						     size_t count, const char *section,
						     const char *key)
{
	for (size_t i = 0; i < count; i++) {
		if ((section == NULL || strcmp(table[i].section, section) == 0) &&
		    strcmp(table[i].key, key) == 0) {
			return &table[i];
		}
	}
	return NULL;
}

int vrms_sim_time_parse(const char *text, int64_t *ret_us, struct vrms_error *error)
{
	size_t length = strlen(text);
	int64_t value;
	int rc;

	/* Milliseconds are too coarse for a network. */
	if (length > 2 && length < 32 && strcmp(text + length - 2, "us") == 0) {
		char digits[32];

		memcpy(digits, text, length - 2);
		digits[length - 2] = '\0';
		return vrms_int_parse(digits, 0, INT64_MAX, ret_us, error);
	}
	rc = vrms_duration_parse(text, &value, error);
	if (rc < 0) {
		return rc;
	}
	if (value > INT64_MAX / 2000) {
		return vrms_error_set(error, -ERANGE, "\"%s\" is too long", text);
	}
	*ret_us = value * 1000;
	return 0;
}

static int store_choice(const struct vrms_sim_setting *setting, void *field, const char *value,
			struct vrms_error *error)
{
	const char *word = setting->words;
	size_t length = strlen(value);

	for (int index = 0; *word != '\0'; index++) {
		size_t span = strcspn(word, " ");

		if (span == length && memcmp(word, value, span) == 0) {
			memcpy(field, &index, sizeof(index));
			return 0;
		}
		word += span;
		word += strspn(word, " ");
	}
	return vrms_error_set(error, -EINVAL, "\"%s\" is not one of: %s", value, setting->words);
}

static int store_double(const struct vrms_sim_setting *setting, void *field, const char *value,
			struct vrms_error *error)
{
	char *end;
	double number = strtod(value, &end);

	if (end == value || (*end != '\0' && strcmp(end, "%") != 0)) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not a number", value);
	}
	if (!(number >= (double)setting->minimum && number <= (double)setting->maximum)) {
		return vrms_error_set(error, -ERANGE,
				      "\"%s\" is not within %" PRId64 " and %" PRId64, value,
				      setting->minimum, setting->maximum);
	}
	memcpy(field, &number, sizeof(number));
	return 0;
}

static int store_size(const char *value, int64_t *ret_bytes, struct vrms_error *error)
{
	uint64_t bytes;
	int rc = vrms_size_parse(value, &bytes, error);

	if (rc == 0 && bytes > INT64_MAX) {
		rc = vrms_error_set(error, -ERANGE, "\"%s\" is too large", value);
	}
	if (rc == 0) {
		*ret_bytes = (int64_t)bytes;
	}
	return rc;
}

static int store_integer(const struct vrms_sim_setting *setting, void *field, const char *value,
			 struct vrms_error *error)
{
	int64_t number = 0;
	int rc;

	if (setting->type == VRMS_SIM_TIME) {
		rc = vrms_sim_time_parse(value, &number, error);
	} else if (setting->type == VRMS_SIM_SIZE) {
		rc = store_size(value, &number, error);
	} else {
		rc = vrms_int_parse(value, setting->minimum, setting->maximum, &number, error);
	}
	if (rc < 0) {
		return rc;
	}
	if (number < setting->minimum || number > setting->maximum) {
		return vrms_error_set(error, -ERANGE, "\"%s\" is outside its limits", value);
	}
	memcpy(field, &number, sizeof(number));
	return 0;
}

int vrms_sim_setting_store(const struct vrms_sim_setting *setting, void *base, const char *value,
			   struct vrms_error *error)
{
	void *field = (char *)base + setting->offset;
	int rc;

	switch (setting->type) {
	case VRMS_SIM_YES_NO:
		rc = vrms_bool_parse(value, field, error);
		break;
	case VRMS_SIM_CHOICE:
		rc = store_choice(setting, field, value, error);
		break;
	case VRMS_SIM_SHARE:
	case VRMS_SIM_NUMBER:
		rc = store_double(setting, field, value, error);
		break;
	default:
		rc = store_integer(setting, field, value, error);
		break;
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "%s", setting->key) : 0;
}

static void print_integer(const struct vrms_sim_setting *setting, const void *field, char *text,
			  size_t size)
{
	int64_t number;

	memcpy(&number, field, sizeof(number));
	if (setting->type != VRMS_SIM_TIME || number == 0) {
		snprintf(text, size, "%" PRId64, number);
	} else if (number % 1000 != 0) {
		snprintf(text, size, "%" PRId64 "us", number);
	} else if (number % 1000000 != 0) {
		snprintf(text, size, "%" PRId64 "ms", number / 1000);
	} else {
		snprintf(text, size, "%" PRId64 "s", number / 1000000);
	}
}

void vrms_sim_setting_print(const struct vrms_sim_setting *setting, const void *base, char *text,
			    size_t size)
{
	const void *field = (const char *)base + setting->offset;
	double number;
	int choice;

	switch (setting->type) {
	case VRMS_SIM_YES_NO:
		snprintf(text, size, "%s", *(const bool *)field ? "yes" : "no");
		break;
	case VRMS_SIM_CHOICE: {
		const char *word = setting->words;

		memcpy(&choice, field, sizeof(choice));
		for (; choice > 0; choice--) {
			word += strcspn(word, " ");
			word += strspn(word, " ");
		}
		snprintf(text, size, "%.*s", (int)strcspn(word, " "), word);
		break;
	}
	case VRMS_SIM_SHARE:
	case VRMS_SIM_NUMBER:
		memcpy(&number, field, sizeof(number));
		snprintf(text, size, "%.17g", number);
		break;
	default:
		print_integer(setting, field, text, size);
		break;
	}
}

void vrms_sim_settings_default(const struct vrms_sim_setting *table, size_t count, void *base)
{
	struct vrms_error error;

	for (size_t i = 0; i < count; i++) {
		int rc = vrms_sim_setting_store(&table[i], base, table[i].fallback, &error);

		/* A table whose default is outside its own limits is a bug that each test sees. */
		if (rc < 0) {
			abort();
		}
	}
}

int vrms_sim_settings_assign(struct vrms_sim_settings *settings, const char *text,
			     struct vrms_error *error)
{
	char section[64], key[64];
	const char *dot = strchr(text, '.');
	const char *equals = strchr(text, '=');
	size_t count;
	const struct vrms_sim_setting *table = vrms_sim_settings_table(&count);

	if (dot == NULL || equals == NULL || equals < dot || dot - text >= (int)sizeof(section) ||
	    equals - dot > (int)sizeof(key)) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not section.key=value", text);
	}
	snprintf(section, sizeof(section), "%.*s", (int)(dot - text), text);
	snprintf(key, sizeof(key), "%.*s", (int)(equals - dot - 1), dot + 1);

	const struct vrms_sim_setting *setting = vrms_sim_setting_find(table, count, section, key);

	if (setting == NULL) {
		return vrms_error_set(error, -ENOENT, "there is no setting \"%s.%s\"", section,
				      key);
	}
	return vrms_sim_setting_store(setting, settings, equals + 1, error);
}

void vrms_sim_scenario_default_device(struct vrms_sim_scenario *scenario)
{
	size_t count;
	const struct vrms_sim_setting *table = vrms_sim_device_table(&count);

	if (scenario->device_count == 0) {
		struct vrms_sim_device *device = &scenario->device[scenario->device_count++];

		vrms_sim_settings_default(table, count, device);
		snprintf(device->name, sizeof(device->name), "fence");
	}
}

/* text: "NAME.key=value" */
static int assign_device(struct vrms_sim_scenario *scenario, const char *text,
			 struct vrms_error *error)
{
	const char *equals = strchr(text, '='), *dot = strchr(text, '.');
	char key[64];
	size_t count;
	const struct vrms_sim_setting *table = vrms_sim_device_table(&count);

	if (equals == NULL || dot == NULL || dot > equals || equals - dot > (int)sizeof(key)) {
		return vrms_error_set(error, -EINVAL, "\"device.%s\" is not device.NAME.key=value",
				      text);
	}
	snprintf(key, sizeof(key), "%.*s", (int)(equals - dot - 1), dot + 1);
	vrms_sim_scenario_default_device(scenario);

	const struct vrms_sim_setting *setting = vrms_sim_setting_find(table, count, NULL, key);

	for (int i = 0; i < scenario->device_count; i++) {
		struct vrms_sim_device *device = &scenario->device[i];

		if (strlen(device->name) == (size_t)(dot - text) &&
		    strncmp(device->name, text, (size_t)(dot - text)) == 0) {
			return setting == NULL
				   ? vrms_error_set(error, -ENOENT,
						    "there is no \"%s\" of a device", key)
				   : vrms_sim_setting_store(setting, device, equals + 1, error);
		}
	}
	return vrms_error_set(error, -ENOENT, "there is no device \"%.*s\"", (int)(dot - text),
			      text);
}

int vrms_sim_scenario_assign(struct vrms_sim_scenario *scenario, const char *text,
			     struct vrms_error *error)
{
	static const char prefix[] = "device.";

	return strncmp(text, prefix, strlen(prefix)) == 0
		   ? assign_device(scenario, text + strlen(prefix), error)
		   : vrms_sim_settings_assign(&scenario->settings, text, error);
}
