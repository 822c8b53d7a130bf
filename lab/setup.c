/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/setup.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"

enum { FORMAT = 1 };

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

int vrms_lab_name_check(const char *name, struct vrms_error *error)
{
	size_t length = strlen(name);
	bool is_good =
	    length > 0 && length <= VRMS_LAB_NAME_MAX && name[0] >= 'a' && name[0] <= 'z';

	for (size_t i = 1; is_good && i < length; i++) {
		is_good = is_lower_or_digit(name[i]) || name[i] == '-';
	}
	if (!is_good) {
		return vrms_error_set(error, -EINVAL,
				      "\"%.64s\": the name of a lab is a lower case letter, then "
				      "letters, digits or '-', at most %d",
				      name, VRMS_LAB_NAME_MAX);
	}
	return 0;
}

int vrms_lab_dir_check(const char *dir, const char *what, struct vrms_error *error)
{
	if (dir[0] != '/') {
		return vrms_error_set(error, -EINVAL, "%s \"%.200s\" is not an absolute path", what,
				      dir);
	}
	if (strlen(dir) >= VRMS_LAB_DIR_SIZE) {
		return vrms_error_set(error, -ENAMETOOLONG, "%s \"%.64s...\" is longer than %d",
				      what, dir, VRMS_LAB_DIR_SIZE - 1);
	}
	for (const char *c = dir; *c != '\0'; c++) {
		if (iscntrl((unsigned char)*c) || strchr(":,\\\"", *c) != NULL) {
			return vrms_error_set(error, -EINVAL,
					      "%s \"%s\": no control character, colon, comma, "
					      "quote or backslash may be in it",
					      what, dir);
		}
	}
	if (strcmp(dir, "/") == 0 || strstr(dir, "/../") != NULL) {
		return vrms_error_set(error, -EINVAL, "%s \"%s\" is no place for it", what, dir);
	}
	return 0;
}

void vrms_lab_node_name_print(int index, char name[VRMS_LAB_NODE_NAME_SIZE])
{
	snprintf(name, VRMS_LAB_NODE_NAME_SIZE, "node%d", index + 1);
}

int vrms_lab_node_name_parse(const char *name, int node_count, int *ret_index,
			     struct vrms_error *error)
{
	for (int i = 0; i < node_count; i++) {
		char known[VRMS_LAB_NODE_NAME_SIZE];

		vrms_lab_node_name_print(i, known);
		if (strcmp(name, known) == 0) {
			*ret_index = i;
			return 0;
		}
	}
	return vrms_error_set(error, -EINVAL,
			      "no node \"%.64s\" in this lab: it has node1 to node%d", name,
			      node_count);
}

char *vrms_lab_setup_print(const struct vrms_lab_setup *setup)
{
	json_t *json VRMS_CLEANUP(json_decrefp) =
	    json_pack("{s:i, s:s, s:s, s:s, s:i, s:I, s:I, s:b, s:b, s:b, s:b, s:b}", "format",
		      FORMAT, "name", setup->name, "id", setup->id, "stage", setup->stage, "nodes",
		      setup->node_count, "token_ms", (json_int_t)setup->token_ms, "boot_delay_ms",
		      (json_int_t)setup->boot_delay_ms, "libvirt", setup->has_libvirt, "vrmsd",
		      setup->has_vrmsd, "iscsi", setup->has_iscsi, "locks", setup->has_locks,
		      "shared", setup->is_shared);

	return json != NULL ? json_dumps(json, JSON_INDENT(2)) : NULL;
}

static int check_id(const char *id, struct vrms_error *error)
{
	bool is_good = strlen(id) == VRMS_LAB_ID_SIZE - 1;

	for (const char *c = id; is_good && *c != '\0'; c++) {
		is_good = isxdigit((unsigned char)*c) != 0;
	}
	return is_good ? 0 : vrms_error_set(error, -EINVAL, "id \"%.64s\" is not one", id);
}

static int check_numbers(const struct vrms_lab_setup *setup, struct vrms_error *error)
{
	if (setup->node_count < 1 || setup->node_count > VRMS_LAB_NODES_MAX) {
		return vrms_error_set(error, -ERANGE, "nodes: %d is not within 1..%d",
				      setup->node_count, VRMS_LAB_NODES_MAX);
	}
	if (setup->token_ms != 0 &&
	    (setup->token_ms < VRMS_LAB_TOKEN_MS_MIN || setup->token_ms > VRMS_LAB_TOKEN_MS_MAX)) {
		return vrms_error_set(error, -ERANGE, "token_ms: %lld is not within %d..%d",
				      (long long)setup->token_ms, VRMS_LAB_TOKEN_MS_MIN,
				      VRMS_LAB_TOKEN_MS_MAX);
	}
	if (setup->boot_delay_ms < 0) {
		return vrms_error_set(error, -ERANGE, "boot_delay_ms: %lld is negative",
				      (long long)setup->boot_delay_ms);
	}
	return 0;
}

/* The texts of a parsed file; borrowed from its json_t. */
struct texts {
	const char *name;
	const char *id;
	const char *stage;
};

static int check_texts(const struct texts *texts, struct vrms_error *error)
{
	int rc = vrms_lab_name_check(texts->name, error);

	if (rc == 0) {
		rc = check_id(texts->id, error);
	}
	if (rc == 0 && texts->stage[0] != '\0') {
		rc = vrms_lab_dir_check(texts->stage, "stage", error);
	}
	return rc;
}

int vrms_lab_setup_parse(const char *text, struct vrms_lab_setup *ret_setup,
			 struct vrms_error *error)
{
	struct vrms_lab_setup setup = {.name = ""};
	struct texts texts = {.name = ""};
	json_error_t why;
	json_int_t token_ms = 0;
	json_int_t boot_delay_ms = 0;
	int format = 0;
	int has_libvirt = 0;
	int has_vrmsd = 0;
	int has_iscsi = 0;
	int has_locks = 0;
	int is_shared = 0;
	json_t *json VRMS_CLEANUP(json_decrefp) = json_loads(text, JSON_REJECT_DUPLICATES, &why);

	if (json == NULL ||
	    json_unpack_ex(json, &why, 0,
			   "{s:i, s:s, s:s, s:s, s:i, s:I, s:I, s:b, s?b, s?b, s?b, s?b}", "format",
			   &format, "name", &texts.name, "id", &texts.id, "stage", &texts.stage,
			   "nodes", &setup.node_count, "token_ms", &token_ms, "boot_delay_ms",
			   &boot_delay_ms, "libvirt", &has_libvirt, "vrmsd", &has_vrmsd, "iscsi",
			   &has_iscsi, "locks", &has_locks, "shared", &is_shared) < 0) {
		return vrms_error_set(error, -EINVAL, "line %d: %s", why.line, why.text);
	}
	if (format != FORMAT) {
		return vrms_error_set(error, -EINVAL, "format %d, this program knows %d", format,
				      FORMAT);
	}
	setup.token_ms = token_ms;
	setup.boot_delay_ms = boot_delay_ms;
	setup.has_libvirt = has_libvirt != 0;
	setup.has_vrmsd = has_vrmsd != 0;
	setup.has_iscsi = has_iscsi != 0;
	setup.has_locks = has_locks != 0;
	setup.is_shared = is_shared != 0;
	int rc = check_texts(&texts, error);
	if (rc == 0) {
		rc = check_numbers(&setup, error);
	}
	if (rc < 0) {
		return rc;
	}
	/* All three were checked to fit. */
	strcpy(setup.name, texts.name);
	strcpy(setup.id, texts.id);
	strcpy(setup.stage, texts.stage);
	*ret_setup = setup;
	return 0;
}
