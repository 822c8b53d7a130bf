/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/vm_memory.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "agents/vm_cache.h"
#include "common/file.h"

/* The file is three lines: a word, UUID (may be empty), name.  A name cannot hold a line break. */
static const struct {
	const char *word;
	bool is_running, is_starting;
} words[] = {
    {"off", false, false},
    {"running", true, false},
    {"starting", false, true},
};
enum { MEMORY_BYTES_MAX = VRMS_UUID_TEXT_BYTES + VRMS_DOMAIN_NAME_BYTES + sizeof("starting") };

static int make_path(const char *instance, char path[PATH_MAX], struct vrms_error *error)
{
	int rc = vrms_vm_cache_path(NULL, instance, "domain", path, PATH_MAX);

	return rc == 0 ? 0
		       : vrms_error_errno(error, rc, "path of what resource \"%s\" runs", instance);
}

/* Cuts one line off; NULL when there is no whole line. */
static char *take_line(char **rest)
{
	char *line = *rest;
	char *end = strchr(line, '\n');

	if (end == NULL) {
		return NULL;
	}
	*end = '\0';
	*rest = end + 1;
	return line;
}

static int take_word(const char *word, struct vrms_vm_memory *memory)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(words); i++) {
		if (strcmp(word, words[i].word) == 0) {
			memory->is_running = words[i].is_running;
			memory->is_starting = words[i].is_starting;
			return 0;
		}
	}
	return -EBADMSG;
}

static const char *word_for(const struct vrms_vm_memory *memory)
{
	return memory->is_running ? "running" : memory->is_starting ? "starting" : "off";
}

static int parse(char *text, struct vrms_vm_memory *memory)
{
	const char *word = take_line(&text);
	const char *uuid = word == NULL ? NULL : take_line(&text);
	const char *name = uuid == NULL ? NULL : take_line(&text);

	if (name == NULL || *text != '\0' || name[0] == '\0' ||
	    strlen(name) >= sizeof(memory->id.name) || take_word(word, memory) < 0) {
		return -EBADMSG;
	}
	memcpy(memory->id.name, name, strlen(name) + 1);
	memory->id.uuid[0] = '\0';
	return uuid[0] == '\0' || vrms_uuid_normalise(uuid, memory->id.uuid) == 0 ? 0 : -EBADMSG;
}

int vrms_vm_memory_read(const char *instance, struct vrms_vm_memory *ret_memory,
			struct vrms_error *error)
{
	char path[PATH_MAX];
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_vm_memory memory;
	int rc = make_path(instance, path, error);

	if (rc == 0) {
		rc = vrms_file_read(path, MEMORY_BYTES_MAX, &text, NULL, error);
	}
	if (rc < 0) {
		return rc;
	}
	if (parse(text, &memory) < 0) {
		return vrms_error_set(error, -EBADMSG, "%s: not a domain's state, UUID and name",
				      path);
	}
	*ret_memory = memory;
	return 0;
}

static int make_folder(const char *path, struct vrms_error *error)
{
	char folder[PATH_MAX];

	memcpy(folder, path, strlen(path) + 1);
	*strrchr(folder, '/') = '\0';
	return vrms_file_mkdir_all(folder, 0755, error);
}

int vrms_vm_memory_write(const char *instance, const struct vrms_vm_memory *memory,
			 struct vrms_error *error)
{
	char path[PATH_MAX];
	char text[MEMORY_BYTES_MAX + 1];
	struct vrms_vm_memory old;

	if (vrms_vm_memory_read(instance, &old, NULL) == 0 &&
	    strcmp(word_for(&old), word_for(memory)) == 0 &&
	    strcmp(old.id.uuid, memory->id.uuid) == 0 &&
	    strcmp(old.id.name, memory->id.name) == 0) {
		return 0;
	}

	int rc = make_path(instance, path, error);
	if (rc < 0) {
		return rc;
	}
	int size = snprintf(text, sizeof(text), "%s\n%s\n%s\n", word_for(memory), memory->id.uuid,
			    memory->id.name);
	rc = vrms_file_write(path, text, (size_t)size, 0600, error);
	if (rc == -ENOENT) {
		rc = make_folder(path, error);
		if (rc == 0) {
			rc = vrms_file_write(path, text, (size_t)size, 0600, error);
		}
	}
	return rc;
}
