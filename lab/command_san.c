/* The commands about storage and controllers: unplug, plug, slow, bmc.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <string.h>

#include "common/parse.h"
#include "lab/command.h"
#include "lab/network.h"
#include "lab/powerd.h"
#include "lab/requirements.h"

/* Opens the lab and finds argv[0], a node; argv[1], when `what` is not NULL, has to be that. */
static int open_node(const struct vrms_lab_context *context, char **argv, const char *what,
		     struct vrms_lab **ret_lab, int *ret_index, struct vrms_error *error)
{
	int rc = vrms_lab_requirements_root(error);

	if (rc == 0 && what != NULL && strcmp(argv[1], what) != 0) {
		rc = vrms_error_set(error, -EINVAL, "\"%s\" is not \"%s\"", argv[1], what);
	}
	rc = rc < 0 ? rc : vrms_lab_open(&context->place, ret_lab, error);
	return rc < 0 ? rc : vrms_lab_node_index(*ret_lab, argv[0], ret_index, error);
}

static int set_cable(const struct vrms_lab_context *context, char **argv, bool is_plugged,
		     struct vrms_error *error)
{
	struct vrms_lab *lab VRMS_CLEANUP(vrms_lab_freep) = NULL;
	int index;
	int rc = open_node(context, argv, "san", &lab, &index, error);

	rc = rc < 0 ? rc : vrms_lab_network_san_set(lab, index, is_plugged, error);
	return rc < 0 ? VRMS_LAB_EXIT_FAILED : VRMS_LAB_EXIT_OK;
}

static int run_unplug(const struct vrms_lab_context *context, void *settings, int argc, char **argv,
		      struct vrms_error *error)
{
	(void)settings;
	(void)argc;
	return set_cable(context, argv, false, error);
}

static int run_plug(const struct vrms_lab_context *context, void *settings, int argc, char **argv,
		    struct vrms_error *error)
{
	(void)settings;
	(void)argc;
	return set_cable(context, argv, true, error);
}

const struct vrms_lab_command *vrms_lab_unplug_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "unplug",
	    .arguments = "NODE san",
	    .summary = "Pull a node's cable to the storage network",
	    .details = "Of a lab with --san iscsi.  The node and its cluster links go on.",
	    .argument_min = 2,
	    .argument_max = 2,
	    .run = run_unplug,
	};

	return &command;
}

const struct vrms_lab_command *vrms_lab_plug_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "plug",
	    .arguments = "NODE san",
	    .summary = "Put the cable to the storage network back",
	    .argument_min = 2,
	    .argument_max = 2,
	    .run = run_plug,
	};

	return &command;
}

static int run_slow(const struct vrms_lab_context *context, void *settings, int argc, char **argv,
		    struct vrms_error *error)
{
	struct vrms_lab *lab VRMS_CLEANUP(vrms_lab_freep) = NULL;
	int64_t rate_kbit = 0;
	int index;
	int rc = open_node(context, argv, "san", &lab, &index, error);

	(void)settings;
	(void)argc;
	if (rc == 0 && strcmp(argv[2], "off") != 0) {
		rc = vrms_int_parse(argv[2], 1, 10000000, &rate_kbit, error);
	}
	rc = rc < 0 ? rc : vrms_lab_network_san_slow(lab, index, rate_kbit, error);
	return rc < 0 ? VRMS_LAB_EXIT_FAILED : VRMS_LAB_EXIT_OK;
}

const struct vrms_lab_command *vrms_lab_slow_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "slow",
	    .arguments = "NODE san KBIT|off",
	    .summary = "Let a node have so many kbit/s from the storage",
	    .details = "A read of a block takes long then: 32 kbit/s are about 150 ms.",
	    .argument_min = 3,
	    .argument_max = 3,
	    .run = run_slow,
	};

	return &command;
}

static int run_bmc(const struct vrms_lab_context *context, void *settings, int argc, char **argv,
		   struct vrms_error *error)
{
	struct vrms_lab *lab VRMS_CLEANUP(vrms_lab_freep) = NULL;
	bool is_dead = strcmp(argv[1], "dead") == 0;
	int index;

	(void)settings;
	(void)argc;
	if (!is_dead && strcmp(argv[1], "alive") != 0) {
		vrms_error_set(error, -EINVAL, "\"%s\" is neither dead nor alive", argv[1]);
		return VRMS_LAB_EXIT_USAGE;
	}
	int rc = open_node(context, argv, NULL, &lab, &index, error);
	rc = rc < 0 ? rc : vrms_lab_powerd_set_dead(lab, index, is_dead, error);
	return rc < 0 ? VRMS_LAB_EXIT_FAILED : VRMS_LAB_EXIT_OK;
}

const struct vrms_lab_command *vrms_lab_bmc_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "bmc",
	    .arguments = "NODE dead|alive",
	    .summary = "Let a node's power controller die: fencing by power gets no answer",
	    .argument_min = 2,
	    .argument_max = 2,
	    .run = run_bmc,
	};

	return &command;
}
