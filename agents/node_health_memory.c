/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/node_health_memory.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "common/file.h"

enum { FILE_BYTES_MAX = 65536 };

void vrms_health_memory_init(struct vrms_health_memory *memory)
{
	memset(memory, 0, sizeof(*memory));
	for (size_t i = 0; i < VRMS_HEALTH_COUNT; i++) {
		memory->told[i] = -1;
	}
}

static void read_signal(json_t *object, enum vrms_health_signal signal,
			struct vrms_health_memory *memory)
{
	struct vrms_health_state *state = &memory->states[signal];
	int colour = 0, all_wanted = 0, told = -1, has_counter = 0;
	json_int_t counter_ms = 0, told_ms = 0;

	/* What is missing keeps its beginning: files of other versions are read, too. */
	(void)json_unpack(object, "{s?i, s?i, s?i, s?i, s?b, s?F, s?F, s?I, s?i, s?I}", "colour",
			  &colour, "all_wanted", &all_wanted, "worse", &state->worse_count,
			  "better", &state->better_count, "has_counter", &has_counter, "counter",
			  &state->counter, "recent", &state->recent, "counter_ms", &counter_ms,
			  "told", &told, "told_ms", &told_ms);
	if (colour >= VRMS_HEALTH_GREEN && colour <= VRMS_HEALTH_RED) {
		state->colour = (enum vrms_health_colour)colour;
	}
	if (all_wanted >= VRMS_HEALTH_GREEN && all_wanted <= VRMS_HEALTH_RED) {
		state->all_wanted = (enum vrms_health_colour)all_wanted;
	}
	state->has_counter = has_counter != 0;
	state->counter_ms = counter_ms;
	memory->told[signal] = told;
	memory->told_ms[signal] = told_ms;
}

int vrms_health_memory_read(const char *path, struct vrms_health_memory *ret_memory,
			    struct vrms_error *error)
{
	json_error_t failure;
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_file_read(path, FILE_BYTES_MAX, &text, NULL, error);

	if (rc < 0) {
		return rc;
	}
	json_t *root VRMS_CLEANUP(json_decrefp) = json_loads(text, 0, &failure);
	if (!json_is_object(root)) {
		return vrms_error_set(error, -EPROTO, "%s: %s", path, failure.text);
	}
	vrms_health_memory_init(ret_memory);
	for (int i = 0; i < VRMS_HEALTH_COUNT; i++) {
		json_t *object =
		    json_object_get(root, vrms_health_name((enum vrms_health_signal)i));

		if (object != NULL) {
			read_signal(object, (enum vrms_health_signal)i, ret_memory);
		}
	}
	ret_memory->told_cpu_count = json_integer_value(json_object_get(root, "told_cpu_count"));
	ret_memory->told_memory_mib = json_integer_value(json_object_get(root, "told_memory_mib"));
	return 0;
}

static json_t *print_signal(const struct vrms_health_memory *memory, size_t index)
{
	const struct vrms_health_state *state = &memory->states[index];

	return json_pack("{s:i, s:i, s:i, s:i, s:b, s:f, s:f, s:I, s:i, s:I}", "colour",
			 (int)state->colour, "all_wanted", (int)state->all_wanted, "worse",
			 state->worse_count, "better", state->better_count, "has_counter",
			 (int)state->has_counter, "counter", state->counter, "recent",
			 state->recent, "counter_ms", (json_int_t)state->counter_ms, "told",
			 memory->told[index], "told_ms", (json_int_t)memory->told_ms[index]);
}

int vrms_health_memory_write(const char *path, const struct vrms_health_memory *memory,
			     struct vrms_error *error)
{
	json_t *root VRMS_CLEANUP(json_decrefp) =
	    json_pack("{s:I, s:I}", "told_cpu_count", (json_int_t)memory->told_cpu_count,
		      "told_memory_mib", (json_int_t)memory->told_memory_mib);
	int failed = root == NULL;

	for (int i = 0; i < VRMS_HEALTH_COUNT && !failed; i++) {
		failed = json_object_set_new(root, vrms_health_name((enum vrms_health_signal)i),
					     print_signal(memory, (size_t)i)) < 0;
	}
	char *text VRMS_CLEANUP(vrms_freep) = failed ? NULL : json_dumps(root, JSON_INDENT(1));
	return text == NULL ? vrms_error_errno(error, -ENOMEM, "%s", path)
			    : vrms_file_write(path, text, strlen(text), 0600, error);
}
