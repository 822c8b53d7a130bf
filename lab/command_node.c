/* The commands about one node: exec, shell, power, freeze, thaw.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"
#include "lab/command.h"
#include "lab/internal.h"
#include "lab/network.h"
#include "lab/node.h"
#include "lab/powerd.h"
#include "lab/requirements.h"

enum { ENVIRONMENT_MAX = 16, EXIT_NOT_FOUND = 127, EXIT_NOT_RUN = 126 };

/* Opens the lab and finds the node that argv[0] names. */
static int open_node(const struct vrms_lab_context *context, const char *name,
		     struct vrms_lab **ret_lab, int *ret_index, struct vrms_error *error)
{
	int rc = vrms_lab_requirements_root(error);

	rc = rc < 0 ? rc : vrms_lab_open(&context->place, ret_lab, error);
	return rc < 0 ? rc : vrms_lab_node_index(*ret_lab, name, ret_index, error);
}

/* ---- exec, shell ---- */

/* In the child: never returns. */
static void become_program(char **argv)
{
	const char *const *standard = vrms_lab_node_environment();
	const char *environment[ENVIRONMENT_MAX] = {NULL};
	char term[64];
	size_t count = 0;

	for (; standard[count] != NULL && count + 2 < ENVIRONMENT_MAX; count++) {
		environment[count] = standard[count];
	}
	if (getenv("TERM") != NULL) {
		snprintf(term, sizeof(term), "TERM=%.50s", getenv("TERM"));
		environment[count] = term;
	}
	signal(SIGPIPE, SIG_DFL);
	if (chdir("/root") == 0) {
		/* Looked up in the node's PATH, not in that of the caller. */
		environ = (char **)environment;
		execvp(argv[0], argv);
	}
	fprintf(stderr, "vrms-lab: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN);
}

/* Waits for the program, passing on the signals that end this one. */
static int wait_for_program(pid_t pid, const volatile sig_atomic_t *interrupted)
{
	int status = 0;
	int passed_on = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
		if (*interrupted != 0 && *interrupted != passed_on) {
			passed_on = *interrupted;
			kill(pid, passed_on);
		}
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* -EBUSY for a frozen node: the program would run in it, but nothing would answer. */
static int check_awake(const struct vrms_lab *lab, int index, struct vrms_error *error)
{
	enum vrms_lab_node_state state;
	const char *name = vrms_lab_node_name(lab, index);
	int rc = vrms_lab_node_get_state(lab, index, &state, error);

	if (rc == 0 && state == VRMS_LAB_NODE_FROZEN) {
		rc = vrms_error_set(error, -EBUSY, "%s is frozen; \"vrms-lab thaw %s\" first", name,
				    name);
	}
	return rc;
}

/* In a child, because whoever has gone into a node does not come back: enters, starts the
 * program in the node's pid namespace and ends as it ends. */
static void go_in(int node_fd, char **argv, const volatile sig_atomic_t *interrupted)
{
	if (setns(node_fd, VRMS_LAB_NODE_NAMESPACES) < 0) {
		fprintf(stderr, "vrms-lab: the node cannot be entered: %s\n", strerror(errno));
		_exit(VRMS_LAB_EXIT_FAILED);
	}
	pid_t pid = fork();
	if (pid == 0) {
		become_program(argv);
	}
	if (pid < 0) {
		fprintf(stderr, "vrms-lab: fork: %s\n", strerror(errno));
		_exit(VRMS_LAB_EXIT_FAILED);
	}
	_exit(wait_for_program(pid, interrupted));
}

static int run_in_node(const struct vrms_lab_context *context, const char *name, char **argv,
		       struct vrms_error *error)
{
	struct vrms_lab *lab VRMS_CLEANUP(vrms_lab_freep) = NULL;
	int index = 0;
	int rc = open_node(context, name, &lab, &index, error);

	rc = rc < 0 ? rc : check_awake(lab, index, error);
	int fd VRMS_CLEANUP(vrms_closep) = rc < 0 ? rc : vrms_lab_node_open(lab, index, error);
	if (fd < 0) {
		return VRMS_LAB_EXIT_FAILED;
	}
	pid_t pid = fork();
	if (pid == 0) {
		go_in(fd, argv, context->interrupted);
	}
	if (pid < 0) {
		vrms_error_errno(error, -errno, "fork");
		return VRMS_LAB_EXIT_FAILED;
	}
	return wait_for_program(pid, context->interrupted);
}

static int run_exec(const struct vrms_lab_context *context, void *settings, int argc, char **argv,
		    struct vrms_error *error)
{
	(void)settings;
	(void)argc;
	return run_in_node(context, argv[0], argv + 1, error);
}

const struct vrms_lab_command *vrms_lab_exec_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "exec",
	    .arguments = "NODE PROGRAM [ARGUMENT...]",
	    .summary = "Run a program in a node; its exit status is passed on",
	    .argument_min = 2,
	    .argument_max = -1,
	    .run = run_exec,
	};

	return &command;
}

static int run_shell(const struct vrms_lab_context *context, void *settings, int argc, char **argv,
		     struct vrms_error *error)
{
	static char bash[] = "bash";
	static char sh[] = "sh";
	static char login[] = "-l";
	char *shell[] = {access("/bin/bash", X_OK) == 0 ? bash : sh, login, NULL};

	(void)settings;
	(void)argc;
	return run_in_node(context, argv[0], shell, error);
}

const struct vrms_lab_command *vrms_lab_shell_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "shell",
	    .arguments = "NODE",
	    .summary = "Open a shell in a node",
	    .argument_min = 1,
	    .argument_max = 1,
	    .run = run_shell,
	};

	return &command;
}

/* ---- power ---- */

static const struct {
	const char *name;
	enum vrms_lab_power action;
} buttons[] = {
    {"off", VRMS_LAB_POWER_OFF},
    {"on", VRMS_LAB_POWER_ON},
    {"cycle", VRMS_LAB_POWER_CYCLE},
    {"status", VRMS_LAB_POWER_STATUS},
};

static int find_button(const char *name, enum vrms_lab_power *ret_action, struct vrms_error *error)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(buttons); i++) {
		if (strcmp(buttons[i].name, name) == 0) {
			*ret_action = buttons[i].action;
			return 0;
		}
	}
	return vrms_error_set(error, -EINVAL, "power \"%.32s\": it knows off, on, cycle and status",
			      name);
}

/* The switch may have been killed, and then nothing in the lab can be fenced: somebody who
 * works the buttons by hand gets it back. */
static int revive_switch(const struct vrms_lab *lab, struct vrms_error *error)
{
	if (vrms_lab_powerd_is_running(lab) || !vrms_lab_network_is_there(lab)) {
		return 0;
	}
	fputs("vrms-lab: the power switch was not running and is started again\n", stderr);
	return vrms_lab_powerd_start(lab, error);
}

static int press(struct vrms_lab *lab, const char *name, enum vrms_lab_power action,
		 struct vrms_error *error)
{
	enum vrms_lab_node_state state;
	int index = 0;
	int rc = vrms_lab_node_index(lab, name, &index, error);

	rc = rc < 0 ? rc : vrms_lab_power(lab, index, action, &state, error);
	if (rc == 0 && action == VRMS_LAB_POWER_STATUS) {
		printf("%s %s\n", name, vrms_lab_node_state_name(state));
	}
	return rc;
}

static int run_power(const struct vrms_lab_context *context, void *settings, int argc, char **argv,
		     struct vrms_error *error)
{
	struct vrms_lab *lab VRMS_CLEANUP(vrms_lab_freep) = NULL;
	enum vrms_lab_power action = VRMS_LAB_POWER_STATUS;

	(void)settings;
	(void)argc;
	if (find_button(argv[0], &action, error) < 0) {
		return VRMS_LAB_EXIT_USAGE;
	}
	int rc = vrms_lab_requirements_root(error);
	rc = rc < 0 ? rc : vrms_lab_open(&context->place, &lab, error);
	rc = rc < 0 ? rc : revive_switch(lab, error);
	for (char **name = argv + 1; rc == 0 && *name != NULL; name++) {
		rc = press(lab, *name, action, error);
	}
	return rc < 0 ? VRMS_LAB_EXIT_FAILED : VRMS_LAB_EXIT_OK;
}

const struct vrms_lab_command *vrms_lab_power_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "power",
	    .arguments = "off|on|cycle|status NODE...",
	    .summary = "Work the power button of nodes",
	    .details =
		"off is a power cut: the network first, then every process, and it returns\n"
		"when none is left.  cycle waits for the lab's boot delay between off and on.",
	    .argument_min = 2,
	    .argument_max = -1,
	    .run = run_power,
	};

	return &command;
}

/* ---- freeze, thaw ---- */

static int change_nodes(const struct vrms_lab_context *context, char **names,
			int (*change)(struct vrms_lab *lab, int index, struct vrms_error *error),
			struct vrms_error *error)
{
	struct vrms_lab *lab VRMS_CLEANUP(vrms_lab_freep) = NULL;

	for (; *names != NULL; names++) {
		int index = 0;
		int rc = lab == NULL ? open_node(context, *names, &lab, &index, error)
				     : vrms_lab_node_index(lab, *names, &index, error);

		rc = rc < 0 ? rc : change(lab, index, error);
		if (rc < 0) {
			return VRMS_LAB_EXIT_FAILED;
		}
	}
	return VRMS_LAB_EXIT_OK;
}

static int run_freeze(const struct vrms_lab_context *context, void *settings, int argc, char **argv,
		      struct vrms_error *error)
{
	(void)settings;
	(void)argc;
	return change_nodes(context, argv, vrms_lab_freeze, error);
}

const struct vrms_lab_command *vrms_lab_freeze_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "freeze",
	    .arguments = "NODE...",
	    .summary = "Stop every process of a node: a hung host",
	    .argument_min = 1,
	    .argument_max = -1,
	    .run = run_freeze,
	};

	return &command;
}

static int run_thaw(const struct vrms_lab_context *context, void *settings, int argc, char **argv,
		    struct vrms_error *error)
{
	(void)settings;
	(void)argc;
	return change_nodes(context, argv, vrms_lab_thaw, error);
}

const struct vrms_lab_command *vrms_lab_thaw_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "thaw",
	    .arguments = "NODE...",
	    .summary = "Let a frozen node go on",
	    .argument_min = 1,
	    .argument_max = -1,
	    .run = run_thaw,
	};

	return &command;
}
