/* scenario_read.c - the scenario file.  Its form is vrms-sim-scenario(5).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "simulator/reader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"
#include "simulator/line.h"
#include "simulator/settings.h"

/* What the section at hand fills. */
struct section {
	char name[64];
	const struct vrms_sim_setting *table;
	size_t count;
	const char *table_section; /* NULL: the rows have none */
	void *base;
	struct vrms_sim_vm_spec *vm; /* [vm NAME]: "host" is not in the table */
	bool is_faults, is_files;
	bool is_rule; /* read by rule_read.c, once all VMs are known */
};

/* [device NAME] makes a device and its defaults. */
static int open_device(struct vrms_sim_scenario *scenario, const char *name,
		       struct section *section, struct vrms_error *error)
{
	struct vrms_sim_device *device;

	section->table = vrms_sim_device_table(&section->count);
	for (int i = 0; i < scenario->device_count; i++) {
		if (strcmp(scenario->device[i].name, name) == 0) {
			return vrms_error_set(error, -EEXIST, "device \"%s\" is there twice", name);
		}
	}
	if (scenario->device_count == VRMS_SIM_DEVICES_MAX) {
		return vrms_error_set(error, -ENOSPC, "more than %d devices", VRMS_SIM_DEVICES_MAX);
	}
	if (strlen(name) >= sizeof(device->name)) {
		return vrms_error_set(error, -ENAMETOOLONG, "the name \"%s\" is too long", name);
	}
	device = &scenario->device[scenario->device_count++];
	vrms_sim_settings_default(section->table, section->count, device);
	snprintf(device->name, sizeof(device->name), "%s", name);
	section->base = device;
	return 0;
}

static int open_named(struct vrms_sim_scenario *scenario, const char *kind, const char *name,
		      struct section *section, struct vrms_error *error)
{
	int index;

	if (strcmp(kind, "device") == 0) {
		return open_device(scenario, name, section, error);
	}
	if (strcmp(kind, "node") == 0) {
		index = vrms_sim_scenario_add_node(scenario, name, error);
		section->table = vrms_sim_node_table(&section->count);
		section->base = index < 0 ? NULL : &scenario->node[index];
	} else if (strcmp(kind, "vm") == 0) {
		index = vrms_sim_scenario_add_vm(scenario, name, error);
		section->table = vrms_sim_vm_table(&section->count);
		section->vm = index < 0 ? NULL : &scenario->vm[index];
		section->base = section->vm;
	} else if (strcmp(kind, "rule") == 0) {
		section->is_rule = true;
		return 0;
	} else {
		return vrms_error_set(error, -ENOENT, "there is no section [%s NAME]", kind);
	}
	return index < 0 ? index : 0;
}

static bool has_section(const struct vrms_sim_setting *table, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(table[i].section, name) == 0) {
			return true;
		}
	}
	return false;
}

/* text: "[name]" or "[kind NAME]", changed. */
static int open_section(struct vrms_sim_scenario *scenario, char *text, struct section *section,
			struct vrms_error *error)
{
	size_t length = strlen(text);
	char *rest = text + 1, *kind, *name;

	memset(section, 0, sizeof(*section));
	if (text[length - 1] != ']') {
		return vrms_error_set(error, -EINVAL, "\"%s\" does not end in ]", text);
	}
	text[length - 1] = '\0';
	kind = vrms_sim_word(&rest, " \t");
	name = vrms_sim_word(&rest, " \t");
	if (kind == NULL || vrms_sim_word(&rest, " \t") != NULL) {
		return vrms_error_set(error, -EINVAL, "a section is [name] or [kind NAME]");
	}
	snprintf(section->name, sizeof(section->name), "%s", kind);
	if (name != NULL) {
		return open_named(scenario, kind, name, section, error);
	}
	section->is_faults = strcmp(kind, "faults") == 0;
	section->is_files = strcmp(kind, "files") == 0;
	section->table = vrms_sim_settings_table(&section->count);
	section->table_section = section->name;
	section->base = &scenario->settings;
	if (!section->is_faults && !section->is_files &&
	    !has_section(section->table, section->count, kind)) {
		return vrms_error_set(error, -ENOENT, "there is no section [%s]", kind);
	}
	return 0;
}

static int store_path(struct vrms_sim_sources *sources, const char *key, const char *value,
		      struct vrms_error *error)
{
	char *path = strcmp(key, "trace") == 0         ? sources->trace
		     : strcmp(key, "calibration") == 0 ? sources->calibration
						       : NULL;

	if (path == NULL) {
		return vrms_error_set(error, -ENOENT, "there is no \"%s\" in [files]", key);
	}
	if (strlen(value) >= VRMS_SIM_PATH_BYTES) {
		return vrms_error_set(error, -ENAMETOOLONG, "\"%s\" is too long", value);
	}
	snprintf(path, VRMS_SIM_PATH_BYTES, "%s", value);
	return 0;
}

static int store_host(struct vrms_sim_scenario *scenario, struct vrms_sim_vm_spec *vm,
		      const char *name, struct vrms_error *error)
{
	ptrdiff_t index = vm - scenario->vm;
	int host = vrms_sim_scenario_add_node(scenario, name, error);

	if (host >= 0) {
		scenario->vm[index].host = host;
	}
	return host < 0 ? host : 0;
}

static int store_line(struct vrms_sim_scenario *scenario, struct section *section, char *text,
		      struct vrms_sim_sources *sources, struct vrms_error *error)
{
	const char *key, *value;

	if (section->base == NULL) {
		return vrms_error_set(error, -EINVAL, "\"%s\" stands before the first section",
				      text);
	}
	if (!vrms_sim_key_value(text, &key, &value)) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not key = value", text);
	}
	if (section->is_files) {
		return store_path(sources, key, value, error);
	}
	if (section->vm != NULL && strcmp(key, "host") == 0) {
		return store_host(scenario, section->vm, value, error);
	}
	const struct vrms_sim_setting *setting =
	    vrms_sim_setting_find(section->table, section->count, section->table_section, key);

	if (setting == NULL) {
		return vrms_error_set(error, -ENOENT, "there is no \"%s\" in [%s]", key,
				      section->name);
	}
	return vrms_sim_setting_store(setting, section->base, value, error);
}

int vrms_sim_scenario_read(struct vrms_sim_scenario *scenario, const char *path, const char *text,
			   struct vrms_sim_sources *sources, struct vrms_error *error)
{
	struct vrms_sim_lines lines = {.next = text};
	struct section section = {0};
	int rc = 0;

	while (rc == 0 && vrms_sim_lines_next(&lines)) {
		vrms_sim_drop_comment(lines.text);
		if (lines.is_cut) {
			rc = vrms_error_set(error, -EINVAL, "the line is too long");
		} else if (lines.text[0] == '[') {
			rc = open_section(scenario, lines.text, &section, error);
		} else if (lines.text[0] != '\0' && !section.is_faults && !section.is_rule) {
			rc = store_line(scenario, &section, lines.text, sources, error);
		}
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "%s:%d", path, lines.number) : 0;
}

int vrms_sim_scenario_read_faults(struct vrms_sim_scenario *scenario, const char *path,
				  const char *text, struct vrms_error *error)
{
	struct vrms_sim_lines lines = {.next = text};
	bool is_faults = false;
	int rc = 0;

	while (rc == 0 && vrms_sim_lines_next(&lines)) {
		vrms_sim_drop_comment(lines.text);
		if (lines.text[0] == '[') {
			is_faults = strcmp(lines.text, "[faults]") == 0;
		} else if (lines.text[0] != '\0' && is_faults) {
			rc = vrms_sim_fault_parse(scenario, lines.text, error);
		}
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "%s:%d", path, lines.number) : 0;
}
