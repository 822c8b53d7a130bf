/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "lab/command.h"

static vrms_lab_command_row *const rows[] = {
    vrms_lab_up_command,        vrms_lab_down_command,      vrms_lab_status_command,
    vrms_lab_wait_command,      vrms_lab_exec_command,      vrms_lab_shell_command,
    vrms_lab_power_command,     vrms_lab_freeze_command,    vrms_lab_thaw_command,
    vrms_lab_partition_command, vrms_lab_heal_command,      vrms_lab_logs_command,
    vrms_lab_powerd_command,    vrms_lab_node_init_command, vrms_lab_vm_command,
    vrms_lab_demo_command,      vrms_lab_unplug_command,    vrms_lab_plug_command,
    vrms_lab_slow_command,      vrms_lab_bmc_command,       vrms_lab_demo_san_command,
};

static volatile sig_atomic_t interrupted;

static void note_signal(int number)
{
	interrupted = number;
}

static void watch_signals(void)
{
	struct sigaction action = {.sa_handler = note_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void print_summary(FILE *out)
{
	fputs("usage: vrms-lab [--lab NAME] [--dir DIR] [--stage DIR] COMMAND ...\n\n"
	      "A real cluster on one machine: each node has its own corosync, pacemaker,\n"
	      "libvirtd and disks inside namespaces.\n\nCommands:\n",
	      out);
	for (size_t i = 0; i < VRMS_COUNT_OF(rows); i++) {
		const struct vrms_lab_command *command = rows[i]();

		if (!command->internal) {
			fprintf(out, "  %-10s %s\n", command->name, command->summary);
		}
	}
	fputs("\n\"vrms-lab COMMAND --help\" tells more.\n\nGlobal options:\n"
	      "  --lab NAME    which lab, several can run side by side (default: lab)\n"
	      "  --dir DIR     its folder (default: /var/lib/vrms-lab/NAME)\n"
	      "  --stage DIR   the nodes see this make-install tree over their /usr\n"
	      "                (default: $VRMS_LAB_STAGE)\n"
	      "  --version, --help\n",
	      out);
}

static const struct vrms_lab_command *find_command(const char *name)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(rows); i++) {
		if (strcmp(rows[i]()->name, name) == 0) {
			return rows[i]();
		}
	}
	return NULL;
}

/* Returns -1 to go on, else the exit status. */
static int read_global_options(int argc, char **argv, struct vrms_lab_place *place)
{
	static const struct option options[] = {
	    {"lab", required_argument, NULL, 'l'},   {"dir", required_argument, NULL, 'd'},
	    {"stage", required_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},     {NULL, 0, NULL, 0},
	};

	for (;;) {
		switch (getopt_long(argc, argv, "+h", options, NULL)) {
		case -1:
			return -1;
		case 'l':
			place->name = optarg;
			break;
		case 'd':
			place->dir = optarg;
			break;
		case 's':
			place->stage = optarg;
			break;
		case 'h':
			print_summary(stdout);
			return VRMS_LAB_EXIT_OK;
		case 'V':
			puts("vrms-lab " PACKAGE_VERSION);
			return VRMS_LAB_EXIT_OK;
		default: /* getopt has said what is wrong */
			return VRMS_LAB_EXIT_USAGE;
		}
	}
}

int main(int argc, char **argv)
{
	struct vrms_lab_context context = {
	    .place.stage = getenv("VRMS_LAB_STAGE"),
	    .interrupted = &interrupted,
	};

	int status = read_global_options(argc, argv, &context.place);
	if (status >= 0) {
		return status;
	}
	if (optind >= argc) {
		print_summary(stderr);
		return VRMS_LAB_EXIT_USAGE;
	}

	const struct vrms_lab_command *command = find_command(argv[optind]);
	if (command == NULL) {
		fprintf(stderr, "vrms-lab: unknown command \"%s\"; try \"vrms-lab --help\"\n",
			argv[optind]);
		return VRMS_LAB_EXIT_USAGE;
	}
	watch_signals();
	int first = optind;
	return vrms_lab_command_run(command, &context, argc - first, argv + first);
}
