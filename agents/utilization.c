/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/utilization.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/libexec.h"
#include "agents/vm_cache.h"
#include "common/file.h"
#include "common/parse.h"

enum { RECORD_BYTES_MAX = 512 };

static const char *const names[VRMS_UTILIZATION_COUNT] = {
    [VRMS_UTILIZATION_CPU] = "cpu",
    [VRMS_UTILIZATION_HOST_MEMORY] = "host_memory",
    [VRMS_UTILIZATION_HV_MEMORY] = "hv_memory",
};

const char *vrms_utilization_name(enum vrms_utilization_what what)
{
	assert(what < VRMS_UTILIZATION_COUNT);
	return names[what];
}

void vrms_utilization_word(const struct vrms_utilization *wanted, enum vrms_utilization_what what,
			   char word[VRMS_UTILIZATION_WORD_BYTES])
{
	word[0] = '\0';
	switch (wanted->items[what].wish) {
	case VRMS_UTILIZATION_SET:
		(void)snprintf(word, VRMS_UTILIZATION_WORD_BYTES, "%s=%" PRIu64, names[what],
			       wanted->items[what].value);
		break;
	case VRMS_UTILIZATION_UNSET:
		(void)snprintf(word, VRMS_UTILIZATION_WORD_BYTES, "%s=", names[what]);
		break;
	case VRMS_UTILIZATION_LEAVE:
		break;
	}
}

int vrms_utilization_parse_word(const char *word, struct vrms_utilization *wanted,
				struct vrms_error *error)
{
	for (size_t i = 0; i < VRMS_UTILIZATION_COUNT; i++) {
		size_t length = strlen(names[i]);
		int64_t value = 0;

		if (strncmp(word, names[i], length) != 0 || word[length] != '=') {
			continue;
		}
		const char *text = word + length + 1;
		if (text[0] == '\0') {
			wanted->items[i].wish = VRMS_UTILIZATION_UNSET;
			return 0;
		}
		int rc = vrms_int_parse(text, 0, INT64_MAX, &value, error);
		if (rc < 0) {
			return vrms_error_wrap(error, rc, "%s", names[i]);
		}
		wanted->items[i].wish = VRMS_UTILIZATION_SET;
		wanted->items[i].value = (uint64_t)value;
		return 0;
	}
	return vrms_error_set(error, -EINVAL, "\"%s\" is no utilization attribute", word);
}

/* --- The record of what has been proved ---------------------------------------------- */

/* One word a line; empty: nothing is wished. */
static void print_record(const struct vrms_utilization *wanted, char record[RECORD_BYTES_MAX])
{
	size_t used = 0;

	record[0] = '\0';
	for (int i = 0; i < VRMS_UTILIZATION_COUNT; i++) {
		char word[VRMS_UTILIZATION_WORD_BYTES];
		vrms_utilization_word(wanted, (enum vrms_utilization_what)i, word);
		if (word[0] != '\0') {
			used +=
			    (size_t)snprintf(record + used, RECORD_BYTES_MAX - used, "%s\n", word);
		}
	}
}

static int record_path(const struct vrms_utilization *wanted, char path[PATH_MAX])
{
	return vrms_vm_cache_path(NULL, wanted->resource, "utilization", path, PATH_MAX);
}

bool vrms_utilization_is_due(const struct vrms_utilization *wanted, int64_t now_s)
{
	char record[RECORD_BYTES_MAX];
	char path[PATH_MAX];
	char *old VRMS_CLEANUP(vrms_freep) = NULL;
	struct stat attributes;

	print_record(wanted, record);
	if (record[0] == '\0') {
		return false;
	}
	if (record_path(wanted, path) < 0 || stat(path, &attributes) < 0 ||
	    vrms_file_read(path, RECORD_BYTES_MAX, &old, NULL, NULL) < 0) {
		return true;
	}
	int64_t age_s = now_s - attributes.st_mtim.tv_sec;
	return age_s < 0 || age_s > VRMS_VM_CACHE_AGE_MAX_S || strcmp(old, record) != 0;
}

int vrms_utilization_record(const struct vrms_utilization *wanted, struct vrms_error *error)
{
	char record[RECORD_BYTES_MAX];
	char path[PATH_MAX];

	print_record(wanted, record);
	int rc = record_path(wanted, path);
	if (rc < 0) {
		return vrms_error_set(error, rc, "\"%s\" is no resource's name", wanted->resource);
	}
	return vrms_file_write(path, record, strlen(record), 0600, error);
}

/* --- Becoming the program --------------------------------------------------------------- */

/* vm-utilization --resource ID --exit CODE --timeout MS WORD... */
enum { FIXED_ARGUMENTS = 7 };

int vrms_utilization_exec(const struct vrms_utilization *wanted, int exit_code, int64_t timeout_ms,
			  struct vrms_error *error)
{
	char words[VRMS_UTILIZATION_COUNT][VRMS_UTILIZATION_WORD_BYTES];
	char program[PATH_MAX], exit_text[16], timeout_text[32];

	vrms_libexec_path("vm-utilization", program);
	(void)snprintf(exit_text, sizeof(exit_text), "%d", exit_code);
	(void)snprintf(timeout_text, sizeof(timeout_text), "%" PRId64, timeout_ms);

	const char *argv[FIXED_ARGUMENTS + VRMS_UTILIZATION_COUNT + 1] = {
	    program, "--resource", wanted->resource, "--exit", exit_text, "--timeout", timeout_text,
	};
	size_t count = FIXED_ARGUMENTS;
	for (int i = 0; i < VRMS_UTILIZATION_COUNT; i++) {
		vrms_utilization_word(wanted, (enum vrms_utilization_what)i, words[i]);
		if (words[i][0] != '\0') {
			argv[count++] = words[i];
		}
	}
	/* execv() takes no const for historical reasons; it does not write. */
	execv(program, (char *const *)(uintptr_t)argv);
	return vrms_error_errno(error, -errno, "%s", program);
}
