/* The commands about a whole lab: up, down, wait.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/parse.h"
#include "lab/cluster.h"
#include "lab/command.h"
#include "lab/internal.h"
#include "lab/requirements.h"
#include "lab/wait.h"

enum { TIMEOUT_MS_MAX = 3600000 };

struct up_settings {
	int64_t node_count; /* 0: not given */
	int64_t token_ms;
	int64_t boot_delay_ms; /* given_boot_delay tells whether it was given */
	int64_t timeout_ms;
	bool has_boot_delay;
	bool without_libvirt;
	bool with_vrmsd;
	bool with_iscsi;
	bool with_locks;
	bool is_shared;
	bool without_wait;
};

static int set_timeout(const char *value, int64_t *ret_ms, struct vrms_error *error)
{
	int64_t ms = 0;
	int rc = vrms_duration_parse(value, &ms, error);

	if (rc == 0 && (ms < 1 || ms > TIMEOUT_MS_MAX)) {
		rc = vrms_error_set(error, -ERANGE, "\"%s\" is not within 1ms..1h", value);
	}
	if (rc == 0) {
		*ret_ms = ms;
	}
	return rc;
}

static int set_up_option(void *settings, const char *name, const char *value,
			 struct vrms_error *error)
{
	struct up_settings *up = settings;

	if (strcmp(name, "nodes") == 0) {
		return vrms_int_parse(value, 1, VRMS_LAB_NODES_MAX, &up->node_count, error);
	}
	if (strcmp(name, "token") == 0) {
		return vrms_int_parse(value, VRMS_LAB_TOKEN_MS_MIN, VRMS_LAB_TOKEN_MS_MAX,
				      &up->token_ms, error);
	}
	if (strcmp(name, "boot-delay") == 0) {
		up->has_boot_delay = true;
		return vrms_duration_parse(value, &up->boot_delay_ms, error);
	}
	if (strcmp(name, "timeout") == 0) {
		return set_timeout(value, &up->timeout_ms, error);
	}
	if (strcmp(name, "san") == 0) {
		up->with_iscsi = strcmp(value, "iscsi") == 0;
		return up->with_iscsi || strcmp(value, "folder") == 0
			   ? 0
			   : vrms_error_set(error, -EINVAL, "\"%s\" is neither folder nor iscsi",
					    value);
	}
	if (strcmp(name, "locks") == 0) {
		up->with_locks = true;
	} else if (strcmp(name, "no-libvirt") == 0) {
		up->without_libvirt = true;
	} else if (strcmp(name, "vrmsd") == 0) {
		up->with_vrmsd = true;
	} else if (strcmp(name, "shared") == 0) {
		up->is_shared = true;
	} else {
		up->without_wait = true;
	}
	return 0;
}

static const struct vrms_lab_option up_options[] = {
    {'n', "nodes", "N", "how many nodes, 1..32 (default: 3)"},
    {0, "token", "MS", "corosync's token time-out, with token_coefficient 0"},
    {0, "no-libvirt", NULL, "nodes without libvirtd, for many of them"},
    {0, "vrmsd", NULL, "nodes with vrmsd and beats in the shared folder"},
    {0, "san", "WHAT", "folder (default), or iscsi: VMs on LUNs of a target, SAN fencing"},
    {0, "locks", NULL, "VMs under libvirt's lock manager (virtlockd)"},
    {0, "shared", NULL, "other labs run beside this one: no real-time priority"},
    {0, "boot-delay", "TIME", "from off to on in a power cycle (default: 5s)"},
    {0, "timeout", "TIME", "gives up after this (default: 300s)"},
    {0, "no-wait", NULL, "do not wait until all nodes are online"},
};

/* One line that is rewritten. */
static void show_progress(void *context, const char *text)
{
	char *last = context;

	if (strcmp(last, text) != 0) {
		snprintf(last, 512, "%s", text);
		fprintf(stderr, "\r\033[K%s", text);
	}
}

/* What went wrong stays the error, unless the lab cannot even be taken down. */
static int give_up(struct vrms_lab *lab, struct vrms_error *error)
{
	struct vrms_error down = {.text = ""};

	if (vrms_lab_down(lab, false, &down) < 0) {
		*error = down;
	}
	return VRMS_LAB_EXIT_FAILED;
}

static int run_up(const struct vrms_lab_context *context, void *settings, int argc, char **argv,
		  struct vrms_error *error)
{
	const struct up_settings *up = settings;
	const struct vrms_clock *clock = vrms_clock_system();
	struct vrms_lab *lab VRMS_CLEANUP(vrms_lab_freep) = NULL;
	struct vrms_lab_options options;
	char last[512] = "";
	int64_t start_ms = vrms_clock_now_ms(clock);

	(void)argc;
	(void)argv;
	vrms_lab_options_init(&options);
	options.place = context->place;
	options.node_count = up->node_count > 0 ? (int)up->node_count : options.node_count;
	options.token_ms = up->token_ms;
	options.boot_delay_ms = up->has_boot_delay ? up->boot_delay_ms : options.boot_delay_ms;
	options.timeout_ms = up->timeout_ms > 0 ? up->timeout_ms : options.timeout_ms;
	options.without_libvirt = up->without_libvirt;
	options.with_vrmsd = up->with_vrmsd;
	options.with_iscsi = up->with_iscsi;
	options.with_locks = up->with_locks;
	options.is_shared = up->is_shared;
	options.without_wait = up->without_wait;
	options.interrupted = context->interrupted;
	options.progress = isatty(STDERR_FILENO) ? show_progress : NULL;
	options.progress_context = last;
	int rc = vrms_lab_up(&options, &lab, error);
	if (last[0] != '\0') {
		fputs("\r\033[K", stderr);
	}
	if (rc < 0) {
		return VRMS_LAB_EXIT_FAILED;
	}
	if (!options.without_wait && vrms_lab_cluster_configure(lab, error) < 0) {
		return give_up(lab, error);
	}
	printf("lab %s: %d node%s %s after %.1f s\n", vrms_lab_name(lab), options.node_count,
	       options.node_count > 1 ? "s" : "", options.without_wait ? "booted" : "online",
	       (double)(vrms_clock_now_ms(clock) - start_ms) / 1000);
	return VRMS_LAB_EXIT_OK;
}

const struct vrms_lab_command *vrms_lab_up_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "up",
	    .arguments = "",
	    .summary = "Start a lab and wait until its nodes are online",
	    .details = "A lab that was taken down with --keep starts with the disks it had.\n"
		       "Interrupted, it takes down what it started.",
	    .options = up_options,
	    .option_count = VRMS_COUNT_OF(up_options),
	    .run = run_up,
	    .set_option = set_up_option,
	    .settings_size = sizeof(struct up_settings),
	};

	return &command;
}

struct down_settings {
	bool keep;
};

static int set_down_option(void *settings, const char *name, const char *value,
			   struct vrms_error *error)
{
	(void)name;
	(void)value;
	(void)error;
	((struct down_settings *)settings)->keep = true;
	return 0;
}

static const struct vrms_lab_option down_options[] = {
    {0, "keep", NULL, "keep the folder: the nodes' disks, the shared folder, the logs"},
};

static int run_down(const struct vrms_lab_context *context, void *settings, int argc, char **argv,
		    struct vrms_error *error)
{
	const struct down_settings *down = settings;
	struct vrms_lab *lab VRMS_CLEANUP(vrms_lab_freep) = NULL;

	(void)argc;
	(void)argv;
	int rc = vrms_lab_requirements_root(error);
	rc = rc < 0 ? rc : vrms_lab_open(&context->place, &lab, error);
	rc = rc < 0 ? rc : vrms_lab_down(lab, down->keep, error);
	return rc < 0 ? VRMS_LAB_EXIT_FAILED : VRMS_LAB_EXIT_OK;
}

const struct vrms_lab_command *vrms_lab_down_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "down",
	    .arguments = "",
	    .summary = "Switch all nodes off and remove every trace of the lab",
	    .details = "It also cleans up after a crash of any part of the lab.",
	    .options = down_options,
	    .option_count = VRMS_COUNT_OF(down_options),
	    .run = run_down,
	    .set_option = set_down_option,
	    .settings_size = sizeof(struct down_settings),
	};

	return &command;
}

struct wait_settings {
	int64_t timeout_ms;
};

static int set_wait_option(void *settings, const char *name, const char *value,
			   struct vrms_error *error)
{
	(void)name;
	return set_timeout(value, &((struct wait_settings *)settings)->timeout_ms, error);
}

static const struct vrms_lab_option wait_options[] = {
    {0, "timeout", "TIME", "gives up after this (default: 120s)"},
};

static int run_wait(const struct vrms_lab_context *context, void *settings, int argc, char **argv,
		    struct vrms_error *error)
{
	const struct wait_settings *given = settings;
	struct vrms_lab *lab VRMS_CLEANUP(vrms_lab_freep) = NULL;
	struct vrms_lab_wait wait = {.interrupted = context->interrupted};

	(void)argc;
	(void)argv;
	wait.until_ms = vrms_clock_now_ms(vrms_clock_system()) +
			(given->timeout_ms > 0 ? given->timeout_ms : 120000);
	int rc = vrms_lab_requirements_root(error);
	rc = rc < 0 ? rc : vrms_lab_open(&context->place, &lab, error);
	rc = rc < 0 ? rc : vrms_lab_wait_booted(lab, &wait, error);
	rc = rc < 0 ? rc : vrms_lab_wait_members(lab, &wait, error);
	return rc < 0 ? VRMS_LAB_EXIT_FAILED : VRMS_LAB_EXIT_OK;
}

const struct vrms_lab_command *vrms_lab_wait_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "wait",
	    .arguments = "",
	    .summary = "Wait until all nodes are online",
	    .options = wait_options,
	    .option_count = VRMS_COUNT_OF(wait_options),
	    .run = run_wait,
	    .set_option = set_wait_option,
	    .settings_size = sizeof(struct wait_settings),
	};

	return &command;
}
