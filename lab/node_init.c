/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/parse.h"
#include "lab/command.h"
#include "lab/crowd.h"
#include "lab/furnish.h"
#include "lab/internal.h"
#include "lab/render.h"

enum { SERVICE_TIMEOUT_MS = 60000, PROBE_TIMEOUT_MS = 5000, PROBE_POLL_MS = 50 };

struct order {
	int index;
	bool with_libvirt, with_vrmsd, with_san, with_locks;
	bool is_crowded; /* lab/render.h */
};

struct service {
	const char *name;
	const char *const *argv;
	/* Is it ready?  NULL: it is ready once started. */
	bool (*is_ready)(void);
	/* Where many nodes share the machine: */
	enum vrms_lab_share crowd_share;
	int crowd_nice; /* of its session */
	pid_t pid;
};

static bool is_corosync_ready(void)
{
	static const char *const argv[] = {"corosync-cfgtool", "-s", NULL};
	struct vrms_child_spec spec = {.argv = argv, .timeout_ms = PROBE_TIMEOUT_MS};
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};

	return vrms_child_run(&spec, &result, NULL) == 0 && result.exit_code == 0;
}

static bool is_listening(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int fd VRMS_CLEANUP(vrms_closep) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool is_libvirtd_ready(void)
{
	return is_listening("/run/libvirt/libvirt-sock");
}

static bool is_virtlockd_ready(void)
{
	return is_listening("/run/libvirt/virtlockd-sock");
}

static int set_addresses(const struct order *order, struct vrms_error *error)
{
	static const char *const argv[] = {"ip", "-batch", "-", NULL};
	char *batch VRMS_CLEANUP(vrms_freep) =
	    vrms_lab_render_addresses(&(struct vrms_lab_setup){.has_iscsi = order->with_san},
				      order->index);
	struct vrms_child_spec spec = {.argv = argv,
				       .input = batch,
				       .timeout_ms = SERVICE_TIMEOUT_MS};

	if (batch == NULL) {
		return vrms_error_errno(error, -ENOMEM, "addresses");
	}
	return vrms_child_check(&spec, error);
}

/* What this program ignores, its daemons must not. */
static void forget_signals(void)
{
	for (int number = 1; number < NSIG; number++) {
		signal(number, SIG_DFL); /* fails for KILL and STOP, which cannot be ignored */
	}
}

/* Starts a daemon in the foreground of its own session; pid 1 inherits it. */
static int start(const struct order *order, struct service *service, struct vrms_error *error)
{
	service->pid = fork();
	if (service->pid < 0) {
		return vrms_error_errno(error, -errno, "%s", service->name);
	}
	if (service->pid == 0) {
		setsid();
		if (order->is_crowded) {
			vrms_lab_crowd_join(service->crowd_share, service->crowd_nice);
		}
		forget_signals();
		execvp(service->argv[0], (char *const *)service->argv);
		dprintf(STDERR_FILENO, "%s: %s\n", service->name, strerror(errno));
		_exit(127);
	}
	return 0;
}

static int wait_ready(const struct service *service, struct vrms_error *error)
{
	const struct vrms_clock *clock = vrms_clock_system();
	int64_t until_ms = vrms_clock_now_ms(clock) + SERVICE_TIMEOUT_MS;

	while (service->is_ready != NULL && !service->is_ready()) {
		if (waitpid(service->pid, NULL, WNOHANG) == service->pid) {
			return vrms_error_set(error, -ECHILD,
					      "%s ended while it started; its log and boot.log "
					      "tell why",
					      service->name);
		}
		if (vrms_clock_now_ms(clock) >= until_ms) {
			return vrms_error_set(error, -ETIMEDOUT, "%s is not ready after %d s",
					      service->name, SERVICE_TIMEOUT_MS / 1000);
		}
		vrms_clock_sleep_ms(clock, PROBE_POLL_MS);
	}
	return 0;
}

/* The first node makes the beat area; the others' daemons find it as soon as it is there. */
static int prepare_vrmsd(int index, struct vrms_error *error)
{
	static const char *const argv[] = {"vrms", "san", "init", VRMS_LAB_BEAT_AREA, NULL};
	struct vrms_child_spec spec = {.argv = argv, .timeout_ms = SERVICE_TIMEOUT_MS};

	if (index != 0 || access(VRMS_LAB_BEAT_AREA, F_OK) == 0) {
		return 0;
	}
	int rc = vrms_file_mkdir_all("/srv/beat", 0755, error);
	return rc < 0 ? rc : vrms_child_check(&spec, error);
}

static int start_services(const struct order *order, struct vrms_error *error)
{
	bool with_libvirt = order->with_libvirt;
	static const char *const corosync[] = {"corosync", "-f", NULL};
	static const char *const libvirtd[] = {"libvirtd", "--listen", NULL};
	static const char *const vrmsd[] = {"vrmsd", "-c", VRMS_LAB_VRMSD_SETTINGS, NULL};
	static const char *const virtlockd[] = {"virtlockd", NULL};
	static const char *const pacemakerd[] = {"pacemakerd", "-f", NULL};
	/* Two start side by side; Pacemaker needs both. */
	struct service services[] = {
	    {"corosync", corosync, is_corosync_ready, VRMS_LAB_SHARE_RING, -20, 0},
	    {"libvirtd", libvirtd, is_libvirtd_ready, VRMS_LAB_SHARE_ALL, -10, 0},
	    {"pacemakerd", pacemakerd, NULL, VRMS_LAB_SHARE_REST, -10, 0},
	    /* It measures what corosync gets. */
	    {"vrmsd", vrmsd, NULL, VRMS_LAB_SHARE_RING, -20, 0},
	    {"virtlockd", virtlockd, is_virtlockd_ready, VRMS_LAB_SHARE_ALL, -10, 0},
	};
	int rc = start(order, &services[0], error);

	if (rc == 0 && with_libvirt && order->with_locks) {
		rc = start(order, &services[4], error);
		rc = rc < 0 ? rc : wait_ready(&services[4], error);
	}
	if (rc == 0 && with_libvirt) {
		rc = start(order, &services[1], error);
	}
	rc = rc < 0 ? rc : wait_ready(&services[0], error);
	if (rc == 0 && with_libvirt) {
		rc = wait_ready(&services[1], error);
	}
	if (rc == 0 && order->with_vrmsd) {
		rc = prepare_vrmsd(order->index, error);
		rc = rc < 0 ? rc : start(order, &services[3], error);
	}
	return rc < 0 ? rc : start(order, &services[2], error);
}

static void tell(const char *state)
{
	struct vrms_error error;

	if (vrms_file_write(VRMS_LAB_BOOT_STATE, state, strlen(state), 0644, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
	}
}

/* The boot, in a child of pid 1. */
static int boot(const struct order *order)
{
	struct vrms_error error = {.text = ""};
	int rc = set_addresses(order, &error);

	if (rc == 0) {
		rc = start_services(order, &error);
	}
	if (rc < 0) {
		char state[sizeof(error.text) + 16];

		fprintf(stderr, "boot failed: %s\n", error.text);
		snprintf(state, sizeof(state), "failed: %s", error.text);
		tell(state);
		return EXIT_FAILURE;
	}
	tell("booted");
	return EXIT_SUCCESS;
}

/* What pid 1 is for: it takes in orphans and buries them, and never ends by itself. */
static void reap_for_ever(const sigset_t *signals, pid_t boot_pid)
{
	for (;;) {
		int status = 0;

		sigwaitinfo(signals, NULL);
		for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0;
		     pid = waitpid(-1, &status, WNOHANG)) {
			if (pid == boot_pid && WIFSIGNALED(status)) {
				tell("failed: the boot was killed");
			}
		}
	}
}

static int run_init(const struct vrms_lab_context *context, void *settings, int argc, char **argv,
		    struct vrms_error *error)
{
	int64_t number = 0;
	sigset_t all;
	sigset_t none;

	(void)context;
	(void)settings;
	if (getpid() != 1 || vrms_int_parse(argv[2], 1, VRMS_LAB_NODES_MAX, &number, error) < 0) {
		vrms_error_set(error, -EPERM,
			       "only the lab itself starts this, as pid 1 of a node");
		return VRMS_LAB_EXIT_FAILED;
	}
	prctl(PR_SET_NAME, "vrms-lab-init");
	sigfillset(&all);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &all, NULL);
	pid_t boot_pid = fork();
	if (boot_pid == 0) {
		sigprocmask(SIG_SETMASK, &none, NULL);
		const struct order order = {
		    .index = (int)number - 1,
		    .with_libvirt = argc > 3 && strcmp(argv[3], "libvirt") == 0,
		    .with_vrmsd = argc > 4 && strcmp(argv[4], "vrmsd") == 0,
		    .with_san = argc > 5 && strcmp(argv[5], "san") == 0,
		    .with_locks = argc > 6 && strcmp(argv[6], "locks") == 0,
		    .is_crowded = argc > 7 && strcmp(argv[7], "crowded") == 0,
		};

		_exit(boot(&order));
	}
	if (boot_pid < 0) {
		tell("failed: the boot could not be started");
	}
	reap_for_ever(&all, boot_pid);
	return VRMS_LAB_EXIT_FAILED;
}

const struct vrms_lab_command *vrms_lab_node_init_command(void)
{
	static const struct vrms_lab_command command = {
	    .name = "node-init",
	    .arguments = "LAB-ID NODE NUMBER [libvirt|- [vrmsd|- [san|- [locks|- [crowded|-]]]]]",
	    .summary = "Is pid 1 of a node; started by the lab itself",
	    .argument_min = 3,
	    .argument_max = 8,
	    .run = run_init,
	    .internal = true,
	};

	return &command;
}
