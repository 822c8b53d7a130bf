/* settings.h - the table of all scalar settings: names, limits, defaults, texts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_SETTINGS_H
#define VRMS_SIMULATOR_SETTINGS_H

#include "simulator/scenario.h"

enum vrms_sim_setting_type {
	VRMS_SIM_INT,    /* int64_t */
	VRMS_SIM_TIME,   /* int64_t, microseconds; written "300ms", "2min", "150us" */
	VRMS_SIM_SIZE,   /* int64_t, bytes; written "64GiB" */
	VRMS_SIM_SHARE,  /* double, percent */
	VRMS_SIM_NUMBER, /* double */
	VRMS_SIM_YES_NO, /* bool */
	VRMS_SIM_CHOICE, /* int, index in `words` */
};

struct vrms_sim_setting {
	const char *section, *key;
	enum vrms_sim_setting_type type;
	size_t offset;        /* in the struct that the section fills */
	const char *fallback; /* as a user would write it */
	int64_t minimum, maximum;
	const char *words; /* CHOICE: "stop freeze ignore" */
	const char *text;
};

/* Rows of struct vrms_sim_settings, of [device NAME], [node NAME] and [vm NAME]. */
const struct vrms_sim_setting *vrms_sim_settings_table(size_t *ret_count);
const struct vrms_sim_setting *vrms_sim_device_table(size_t *ret_count);
const struct vrms_sim_setting *vrms_sim_node_table(size_t *ret_count);
const struct vrms_sim_setting *vrms_sim_vm_table(size_t *ret_count);

/* The row of a key, or NULL. section NULL: of any section. */
const struct vrms_sim_setting *vrms_sim_setting_find(const struct vrms_sim_setting *table,
						     size_t count, const char *section,
						     const char *key);

/* Reads a value into the struct at base.  -EINVAL or -ERANGE; the text names the key. */
VRMS_MUST_CHECK int vrms_sim_setting_store(const struct vrms_sim_setting *setting, void *base,
					   const char *value, struct vrms_error *error);

/* Writes the present value as a user would, NUL-terminated. */
void vrms_sim_setting_print(const struct vrms_sim_setting *setting, const void *base, char *text,
			    size_t size);

/* Stores all fallbacks of a table. */
void vrms_sim_settings_default(const struct vrms_sim_setting *table, size_t count, void *base);

/* Applies "section.key=value" to the settings.  -EINVAL, -ERANGE, -ENOENT (no such key). */
VRMS_MUST_CHECK int vrms_sim_settings_assign(struct vrms_sim_settings *settings, const char *text,
					     struct vrms_error *error);

/* Reads "10s", "300ms", "150us" ... into microseconds. -EINVAL, -ERANGE. */
VRMS_MUST_CHECK int vrms_sim_time_parse(const char *text, int64_t *ret_us,
					struct vrms_error *error);

#endif
