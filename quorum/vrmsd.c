/* vrmsd.c - the daemon's main program.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "config.h"
#include "quorum/daemon.h"
#include "quorum/guardian.h"
#include "quorum/notify.h"
#include "quorum/plan_child.h"
#include "quorum/seen.h"
#include "quorum/totem.h"
#include "quorum/verdict_line.h"
#include "quorum/vms.h"

enum {
	TICK_MS = 250,
	LEAVE_MS = 6000,
	NICE = -20, /* as corosync with "priority: max" */
	BEATER_STOP_MS = 500,
	RESTORE_STEP_MS = 1000,
};

/* One daemon a process; here, where main() is. */
static struct vrms_daemon daemon_ = {.verdict_fd = -1};
static int64_t watchdog_ms, watchdog_last_ms;
static int64_t tuner_last_ms, probe_last_ms;

static void every(qb_loop_t *loop, int64_t ms, qb_loop_timer_dispatch_fn function)
{
	qb_loop_timer_handle handle;

	if (qb_loop_timer_add(loop, QB_LOOP_HIGH, (uint64_t)ms * 1000000, &daemon_, function,
			      &handle) < 0) {
		vrms_log(LOG_ERR, "the main loop takes no timer");
		qb_loop_stop(loop);
	}
}

/* Looks often, because the wait may become shorter meanwhile. */
static void check_probe(struct vrms_daemon *daemon, int64_t now_ms)
{
	if (now_ms - probe_last_ms >= vrms_daemon_probe_wait_ms(daemon)) {
		probe_last_ms = now_ms;
		vrms_daemon_probe(daemon);
	}
}

static void start_beater(struct vrms_daemon *daemon)
{
	const struct vrms_beater_config config = {
	    .device = daemon->settings->beat_device,
	    .cluster = vrms_cluster_name(daemon->cluster),
	    .seen_path = VRMS_SEEN_PATH,
	    .node_name = daemon->node_name,
	    .node_id = vrms_cluster_self(daemon->cluster),
	    .interval_ms = daemon->settings->beat_interval_ms,
	    .silent_count = daemon->settings->silent_intervals,
	};
	struct vrms_error error;

	if (vrms_beater_start(&config, &daemon->beater, &error) < 0) {
		vrms_log(LOG_ERR, "beats: %s", error.text);
	}
}

/* A node that leaves waits for the configured token first. */
static void check_leaving(struct vrms_daemon *daemon, int64_t now_ms)
{
	if (!daemon->is_leaving) {
		return;
	}
	bool is_done = daemon->cluster == NULL || daemon->applied_ms == daemon->configured_ms;

	if (is_done || now_ms >= daemon->leave_by_ms) {
		qb_loop_stop(daemon->loop);
	}
}

static void on_tick(void *context)
{
	struct vrms_daemon *daemon = context;
	int64_t now_ms = vrms_daemon_now_ms();

	int64_t wait_ms = vrms_daemon_probe_wait_ms(daemon);

	/* libqb spins for up to a millisecond before a timer is due: few timers, few ticks. */
	every(daemon->loop, wait_ms < TICK_MS ? wait_ms : TICK_MS, on_tick);
	vrms_daemon_connect(daemon);
	vrms_daemon_check_token(daemon);
	if (daemon->beater == NULL && daemon->cluster != NULL &&
	    daemon->settings->beat_device != NULL) {
		start_beater(daemon);
	}
	vrms_daemon_check_beats(daemon);
	vrms_daemon_feed_agree(daemon, (struct vrms_agree_event){.kind = VRMS_AGREE_TICK});
	if (now_ms - tuner_last_ms >= 1000) {
		vrms_daemon_take_ring(daemon);
		vrms_daemon_check_guard(daemon);
		tuner_last_ms = now_ms;
		vrms_daemon_feed_tuner(daemon, (struct vrms_tuner_event){.kind = VRMS_TUNER_TICK});
	}
	if (watchdog_ms > 0 && now_ms - watchdog_last_ms >= watchdog_ms) {
		watchdog_last_ms = now_ms;
		vrms_notify("WATCHDOG=1");
	}
	check_probe(daemon, now_ms);
	vrms_vms_tick(daemon);
	vrms_plan_child_tick(daemon);
	check_leaving(daemon, now_ms);
}

static int32_t on_stall(int32_t fd, int32_t revents, void *context)
{
	struct vrms_daemon *daemon = context;
	uint32_t late_us;

	(void)fd;
	(void)revents;
	while (vrms_stall_take(daemon->stall, &late_us)) {
		vrms_daemon_feed_tuner(daemon,
				       (struct vrms_tuner_event){.kind = VRMS_TUNER_SAMPLE,
								 .source = VRMS_TUNER_SCHEDULING,
								 .value_us = late_us});
	}
	return 0;
}

static int32_t on_signal(int32_t number, void *context)
{
	struct vrms_daemon *daemon = context;
	struct vrms_message bye = {.kind = VRMS_MESSAGE_BYE};

	if (daemon->is_leaving) {
		qb_loop_stop(daemon->loop); /* asked twice: now */
		return 0;
	}
	vrms_log(LOG_NOTICE, "stopping (%s)", strsignal(number));
	vrms_notify("STOPPING=1");
	daemon->is_leaving = true;
	daemon->leave_by_ms = vrms_daemon_now_ms() + LEAVE_MS;
	if (daemon->cluster != NULL) {
		(void)vrms_cluster_send(daemon->cluster, &bye);
	}
	vrms_daemon_feed_agree(daemon, (struct vrms_agree_event){.kind = VRMS_AGREE_LEAVING});
	return 0;
}

/* With real-time priority as low as it goes: before everything that is not, behind corosync. */
static void become_urgent(bool is_realtime)
{
	struct sched_param priority = {.sched_priority = 1};

	if (is_realtime && sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &priority) < 0) {
		vrms_log(LOG_WARNING, "no real-time priority: %s", strerrordesc_np(errno));
	}
	if (!is_realtime && setpriority(PRIO_PROCESS, 0, NICE) < 0) {
		vrms_log(LOG_WARNING, "no priority: %s", strerrordesc_np(errno));
	}
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0) {
		vrms_log(LOG_WARNING, "memory is not locked: %s", strerrordesc_np(errno));
	}
}

/* FNV-1a: only has to differ. */
static uint64_t mix(uint64_t digest, const char *text)
{
	for (const char *at = text; *at != '\0'; at++) {
		digest = (digest ^ (uint8_t)*at) * 1099511628211ULL;
	}
	return digest;
}

/* When pid 1 started, as text: a node that is a set of namespaces boots without its kernel.
 * Source: proc(5), /proc/pid/stat, field 22. */
static const char *find_start_of_init(char *stat)
{
	char *word = strrchr(stat, ')');

	word = word != NULL ? strtok(word, " ") : NULL;
	for (int field = 2; word != NULL && field < 22; field++) {
		word = strtok(NULL, " ");
	}
	return word != NULL ? word : "";
}

static int read_boot(struct vrms_daemon *daemon, struct vrms_error *error)
{
	char *kernel VRMS_CLEANUP(vrms_freep) = NULL;
	char *init VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_file_read("/proc/sys/kernel/random/boot_id", 64, &kernel, NULL, error);

	rc = rc < 0 ? rc : vrms_file_read("/proc/1/stat", 4096, &init, NULL, error);
	if (rc < 0) {
		return rc;
	}
	daemon->boot = mix(mix(14695981039346656037ULL, kernel), find_start_of_init(init));
	daemon->boot &= INT64_MAX;
	return 0;
}

static int open_journal(struct vrms_daemon *daemon, struct vrms_error *error)
{
	struct vrms_journal_config config = {
	    .path = daemon->settings->journal,
	    .node = daemon->node_name,
	    .size_max = (uint64_t)daemon->settings->journal_mib << 20,
	    .keep = (unsigned)daemon->settings->journal_keep,
	};

	return vrms_journal_open(&config, &daemon->journal, error);
}

static int prepare(struct vrms_daemon *daemon, struct vrms_error *error)
{
	qb_loop_signal_handle handle;
	int rc = read_boot(daemon, error);

	gethostname(daemon->node_name, sizeof(daemon->node_name) - 1);
	rc = rc < 0 ? rc : vrms_file_mkdir_all("/run/vrms", 0755, error);
	rc = rc < 0 ? rc : open_journal(daemon, error);
	if (rc < 0) {
		return rc;
	}
	daemon->loop = qb_loop_create();
	daemon->members = vrms_members_new();
	if (daemon->loop == NULL || daemon->members == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	rc = vrms_ipc_serve(VRMS_IPC_NAME, vrms_daemon_answer, daemon, &daemon->server, error);
	if (rc < 0) {
		return rc;
	}
	vrms_daemon_hear_verdicts(daemon, VRMS_VERDICT_LINE_PATH);
	daemon->stall_is_realtime = daemon->settings->realtime;
	rc = vrms_stall_start(&daemon->stall, &daemon->stall_is_realtime, error);
	if (rc < 0) {
		return rc;
	}
	if (daemon->settings->realtime && !daemon->stall_is_realtime) {
		vrms_log(LOG_WARNING, "scheduling is measured without real-time priority");
	}
	rc = vrms_ringwatch_start(&daemon->ringwatch, daemon->settings->realtime, error);
	if (rc < 0) {
		return rc;
	}
	rc = qb_loop_poll_add(daemon->loop, QB_LOOP_MED, vrms_stall_fd(daemon->stall), POLLIN,
			      daemon, on_stall);
	rc = rc < 0 ? rc
		    : qb_loop_signal_add(daemon->loop, QB_LOOP_HIGH, SIGTERM, daemon, on_signal,
					 &handle);
	rc = rc < 0 ? rc
		    : qb_loop_signal_add(daemon->loop, QB_LOOP_HIGH, SIGINT, daemon, on_signal,
					 &handle);
	return rc < 0 ? vrms_error_errno(error, rc, "main loop") : 0;
}

static void finish(struct vrms_daemon *daemon)
{
	vrms_ipc_server_free(daemon->server);
	vrms_vms_stop(daemon);
	vrms_plan_child_stop(daemon);
	vrms_daemon_hear_no_verdicts(daemon);
	vrms_beater_stop(daemon->beater, BEATER_STOP_MS);
	vrms_stall_free(daemon->stall);
	vrms_ringwatch_free(daemon->ringwatch);
	vrms_cluster_free(daemon->cluster);
	vrms_agree_free(daemon->agree);
	vrms_tuner_free(daemon->tuner);
	vrms_members_free(daemon->members);
	vrms_daemon_record(daemon, "stop", NULL);
	vrms_journal_free(daemon->journal);
	if (daemon->loop != NULL) {
		qb_loop_destroy(daemon->loop);
	}
}

static int run(const struct vrms_settings *settings)
{
	struct vrms_error error;
	int guardian_fd = -1;
	int rc = vrms_guardian_start(&guardian_fd, &error);

	daemon_.settings = settings;
	daemon_.is_tuning = settings->tuning;
	vrms_log_start_thread(); /* after the fork */
	become_urgent(settings->realtime);
	rc = rc < 0 ? rc : prepare(&daemon_, &error);
	if (rc < 0) {
		vrms_log(LOG_ERR, "%s", error.text);
		finish(&daemon_);
		if (guardian_fd >= 0) {
			/* Nothing was changed; another daemon may be at work. */
			vrms_guardian_dismiss(guardian_fd);
		}
		return EXIT_FAILURE;
	}
	vrms_daemon_record(&daemon_, "start",
			   json_pack("{s:s, s:i}", "version", PACKAGE_VERSION, "pid",
				     (int)getpid()));
	watchdog_ms = vrms_notify_watchdog_ms();
	if (settings->vm_watch && vrms_vms_start(&daemon_, &error) < 0) {
		vrms_log(LOG_ERR, "%s", error.text); /* the token is tuned all the same */
	}
	if (vrms_plan_child_start(&daemon_, &error) < 0) {
		vrms_log(LOG_ERR, "%s", error.text);
	}
	on_tick(&daemon_);
	vrms_notify("READY=1");
	qb_loop_run(daemon_.loop);
	bool is_clean = daemon_.cluster == NULL || daemon_.applied_ms == daemon_.configured_ms;

	finish(&daemon_);
	if (is_clean) {
		vrms_guardian_dismiss(guardian_fd);
	}
	return EXIT_SUCCESS;
}

static int restore(void)
{
	struct vrms_error error;

	if (vrms_totem_restore(RESTORE_STEP_MS, &error) < 0) {
		/* No corosync, no token: nothing to put back. */
		vrms_log(LOG_INFO, "%s", error.text);
	}
	return EXIT_SUCCESS;
}

static void usage(FILE *out)
{
	fputs("usage: vrmsd [-c FILE] [-t] [-v]\n"
	      "       vrmsd --restore\n\n"
	      "  -c, --config=FILE  settings (default " VRMS_SETTINGS_PATH ")\n"
	      "  -t, --test         check the settings and exit\n"
	      "  -v, --verbose      log to standard error, too\n"
	      "      --restore      put the configured token back into force and exit\n"
	      "      --example      print a settings file with all defaults\n"
	      "      --man          print vrmsd.conf(5)\n"
	      "  -V, --version\n"
	      "  -h, --help\n",
	      out);
}

struct call {
	const char *path;
	bool is_test, is_verbose, is_restore;
};

/* Returns GO_ON, or the status to exit with. */
enum { GO_ON = -1 };

static int take_option(int option, struct call *call)
{
	switch (option) {
	case 'c':
		call->path = optarg;
		return GO_ON;
	case 't':
		call->is_test = true;
		return GO_ON;
	case 'v':
		call->is_verbose = true;
		return GO_ON;
	case 'r':
		call->is_restore = true;
		return GO_ON;
	case 'e':
		vrms_settings_print_example();
		return EXIT_SUCCESS;
	case 'm':
		vrms_settings_print_man();
		return EXIT_SUCCESS;
	case 'V':
		puts("vrmsd " PACKAGE_VERSION);
		return EXIT_SUCCESS;
	case 'h':
		usage(stdout);
		return EXIT_SUCCESS;
	default:
		usage(stderr);
		return 2;
	}
}

static int take_options(int argc, char **argv, struct call *call)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"test", no_argument, NULL, 't'},
	    {"verbose", no_argument, NULL, 'v'},
	    {"restore", no_argument, NULL, 'r'},
	    {"example", no_argument, NULL, 'e'},
	    {"man", no_argument, NULL, 'm'},
	    {"version", no_argument, NULL, 'V'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};

	for (int option; (option = getopt_long(argc, argv, "c:tvVh", options, NULL)) != -1;) {
		int status = take_option(option, call);

		if (status != GO_ON) {
			return status;
		}
	}
	if (optind != argc) {
		usage(stderr);
		return 2;
	}
	return GO_ON;
}

int main(int argc, char **argv)
{
	struct call call = {.path = VRMS_SETTINGS_PATH};
	struct vrms_settings settings;
	struct vrms_error error;
	int status = take_options(argc, argv, &call);

	if (status != GO_ON) {
		return status;
	}
	if (call.is_restore) { /* whatever the settings have become */
		vrms_log_open("vrmsd", call.is_verbose);
		status = restore();
		vrms_log_close();
		return status;
	}
	if (vrms_settings_load(call.path, &settings, &error) < 0) {
		fprintf(stderr, "vrmsd: %s\n", error.text);
		return 2;
	}
	if (call.is_test) {
		vrms_settings_done(&settings);
		return EXIT_SUCCESS;
	}
	vrms_log_open("vrmsd", call.is_verbose);
	status = run(&settings);
	vrms_log_close();
	vrms_settings_done(&settings);
	return status;
}
