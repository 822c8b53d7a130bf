/* The commands about the lab's two networks: partition, heal.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"
#include "lab/command.h"
#include "lab/requirements.h"

struct partition_settings {
	int64_t network;
	bool has_network;
};

static int set_partition_option(void *settings, const char *name, const char *value,
				struct vrms_error *error)
{
	struct partition_settings *partition = settings;

	(void)name;
	partition->has_network = true;
	return vrms_int_parse(value, 0, VRMS_LAB_NETWORKS - 1, &partition->network, error);
}

static const struct vrms_lab_option partition_options[] = {
    {0, "network", "0|1", "only this one of the two networks"},
};

/* The arguments joined with blanks. */
static char *join(char **argv)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL) {
		return NULL;
	}
	for (; *argv != NULL; argv++) {
		fprintf(out, "%s ", *argv);
	}
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int open_lab(const struct vrms_lab_context *context, struct vrms_lab **ret_lab,
		    struct vrms_error *error)
{
	int rc = vrms_lab_requirements_root(error);

	return rc < 0 ? rc : vrms_lab_open(&context->place, ret_lab, error);
}

static int run_partition(const struct vrms_lab_context *context, void *settings, int argc,
			 char **argv, struct vrms_error *error)
{
	const struct partition_settings *partition = settings;
	struct vrms_lab *lab VRMS_CLEANUP(vrms_lab_freep) = NULL;
	char *spec VRMS_CLEANUP(vrms_freep) = join(argv);

	(void)argc;
	if (spec == NULL) {
		vrms_error_errno(error, -ENOMEM, "partition");
		return VRMS_LAB_EXIT_FAILED;
	}
	int rc = open_lab(context, &lab, error);
	rc = rc < 0
		 ? rc
		 : vrms_lab_partition(lab, spec,
				      partition->has_network ? (int)partition->network : -1, error);
	return rc < 0 ? VRMS_LAB_EXIT_FAILED : VRMS_LAB_EXIT_OK;
}

const struct vrms_lab_command *vrms_lab_partition_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "partition",
	    .arguments = "NODE[,NODE...] [/ NODE[,NODE...]]...",
	    .summary = "Split the networks into groups that do not hear each other",
	    .details = "Nodes that are not named form one more group.  The shared folder stays\n"
		       "reachable from everywhere.  A new partition replaces the one before.",
	    .options = partition_options,
	    .option_count = VRMS_COUNT_OF(partition_options),
	    .argument_min = 1,
	    .argument_max = -1,
	    .run = run_partition,
	    .set_option = set_partition_option,
	    .settings_size = sizeof(struct partition_settings),
	};

	return &command;
}

static int run_heal(const struct vrms_lab_context *context, void *settings, int argc, char **argv,
		    struct vrms_error *error)
{
	struct vrms_lab *lab VRMS_CLEANUP(vrms_lab_freep) = NULL;

	(void)settings;
	(void)argc;
	(void)argv;
	int rc = open_lab(context, &lab, error);
	rc = rc < 0 ? rc : vrms_lab_heal(lab, error);
	return rc < 0 ? VRMS_LAB_EXIT_FAILED : VRMS_LAB_EXIT_OK;
}

const struct vrms_lab_command *vrms_lab_heal_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "heal",
	    .arguments = "",
	    .summary = "Undo the partition",
	    .run = run_heal,
	};

	return &command;
}
