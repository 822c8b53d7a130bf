/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/plan_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "quorum/keeper.h"

enum {
	SETTLE_MS = 20000,
	LIMIT_MS = 1800000, /* migrations that make room take their time */
	GRACE_MS = 45000,   /* to take moves out of the CIB again */
	FINAL_MS = 3000,    /* when the daemon itself ends */
	SAID_BYTES = 4096,
};

struct vrms_plan_child {
	struct vrms_keeper keeper;
	pid_t pid; /* 0: none runs */
	int fd;    /* what it says; -1: none */
	char said[SAID_BYTES];
	size_t said_bytes;
	json_t *found; /* by the last look */
};

int vrms_plan_child_start(struct vrms_daemon *daemon, struct vrms_error *error)
{
	const struct vrms_keeper_config config = {
	    .interval_ms = daemon->settings->plan_interval_ms,
	    .settle_ms = SETTLE_MS,
	    .limit_ms = LIMIT_MS,
	    .grace_ms = GRACE_MS,
	};

	if (daemon->settings->plan == VRMS_SETTINGS_PLAN_OFF) {
		return 0;
	}
	daemon->plan = calloc(1, sizeof(*daemon->plan));
	if (daemon->plan == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	daemon->plan->fd = -1;
	vrms_keeper_init(&daemon->plan->keeper, &config);
	return 0;
}

/* The lowest number of the daemons in this partition; all of them see the same. */
static bool is_chosen(const struct vrms_daemon *daemon)
{
	uint32_t self;

	if (daemon->cluster == NULL || !daemon->quorate || daemon->is_leaving) {
		return false;
	}
	self = vrms_cluster_self(daemon->cluster);
	for (unsigned i = 0; i < daemon->group_count; i++) {
		if (daemon->group_nodes[i] < self) {
			return false;
		}
	}
	return daemon->group_count > 0;
}

/* Own process group, no signals of ours; real-time priority is not inherited. */
static int spawn(const char *const *argv, int out, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	rc = rc != 0 ? rc : posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	rc = rc != 0 ? rc : posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	rc = rc != 0 ? rc
		     : posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP |
								 POSIX_SPAWN_SETSIGMASK |
								 POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	rc = rc != 0 ? rc
		     : posix_spawnp(ret_pid, argv[0], &actions, &attributes, (char *const *)argv,
				    environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return -rc;
}

static int begin(struct vrms_plan_child *plan, bool writes)
{
	/* From the daemon's -20, without real-time priority, all the way to 19. */
	const char *const argv[] = {
	    "nice",   "-n",        "39",   VRMS_BINDIR "/vrms",         "plan",
	    "--keep", "--timeout", "5min", writes ? NULL : "--dry-run", NULL};
	int pair[2], rc;

	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0) {
		return -errno;
	}
	rc = spawn(argv, pair[1], &plan->pid);
	close(pair[1]);
	if (rc < 0) {
		close(pair[0]);
		plan->pid = 0;
		return rc;
	}
	plan->fd = pair[0];
	plan->said_bytes = 0;
	return 0;
}

static void listen(struct vrms_plan_child *plan)
{
	char drop[256];

	for (;;) {
		size_t room = SAID_BYTES - 1 - plan->said_bytes;
		ssize_t got = room > 0 ? read(plan->fd, plan->said + plan->said_bytes, room)
				       : read(plan->fd, drop, sizeof(drop));

		if (got <= 0) {
			plan->said[plan->said_bytes] = '\0';
			return;
		}
		plan->said_bytes += room > 0 ? (size_t)got : 0;
	}
}

/* What it said as an object; anything but its one line of JSON is an error message. */
static json_t *understand(const struct vrms_plan_child *plan, int status)
{
	json_t *found = json_loads(plan->said, JSON_REJECT_DUPLICATES, NULL);
	const char *text;

	if (json_is_object(found) && json_is_string(json_object_get(found, "state"))) {
		return found;
	}
	json_decref(found);
	text = plan->said[0] != '\0' ? plan->said : "it said nothing";
	return json_pack("{s:s, s:s+, s:i}", "state", "failed", "text", text, "", "status", status);
}

static const char *text_of(const json_t *found, const char *key)
{
	const char *text = json_string_value(json_object_get(found, key));

	return text == NULL ? "" : text;
}

/* The journal gets what is new, and each writing. */
static void take(struct vrms_daemon *daemon, json_t *found)
{
	struct vrms_plan_child *plan = daemon->plan;
	const char *state = text_of(found, "state");
	bool is_act = strcmp(state, "written") == 0 || strcmp(state, "room") == 0;
	json_int_t survives = json_integer_value(json_object_get(found, "survives"));

	/* "Frozen" is nothing found: what was known stays. */
	if (strcmp(state, "frozen") == 0) {
		json_decref(found);
		return;
	}
	if (is_act || !json_equal(found, plan->found)) {
		bool is_bad = strcmp(state, "failed") == 0 || survives < 1;

		vrms_log(is_bad ? LOG_WARNING : LOG_NOTICE, "plan: %s: %s%s", state,
			 text_of(found, "text"),
			 survives == 0 ? "; the loss of one node would leave VMs down" : "");
		vrms_daemon_record(daemon, "plan", json_deep_copy(found));
	}
	json_decref(plan->found);
	plan->found = found;
}

static void reap(struct vrms_daemon *daemon)
{
	struct vrms_plan_child *plan = daemon->plan;
	int status = 0;

	if (plan->pid == 0) {
		return;
	}
	listen(plan);
	if (waitpid(plan->pid, &status, WNOHANG) != plan->pid) {
		return;
	}
	listen(plan);
	vrms_closep(&plan->fd);
	plan->fd = -1;
	plan->pid = 0;
	vrms_keeper_ended(&plan->keeper);
	if (!WIFSIGNALED(status)) {
		take(daemon, understand(plan, WEXITSTATUS(status)));
	}
}

void vrms_plan_child_tick(struct vrms_daemon *daemon)
{
	struct vrms_plan_child *plan = daemon->plan;
	bool writes = daemon->settings->plan == VRMS_SETTINGS_PLAN_KEEP;
	int rc;

	if (plan == NULL) {
		return;
	}
	reap(daemon);
	switch (vrms_keeper_step(&plan->keeper,
				 &(struct vrms_keeper_event){.now_ms = vrms_daemon_now_ms(),
							     .changed_ms = daemon->ring_ms,
							     .is_chosen = is_chosen(daemon)})) {
	case VRMS_KEEPER_WAIT:
		return;
	case VRMS_KEEPER_BEGIN:
		rc = begin(plan, writes);
		if (rc < 0) {
			vrms_log(LOG_WARNING, "plan: %s/vrms: %s", VRMS_BINDIR,
				 strerrordesc_np(-rc));
			vrms_keeper_ended(&plan->keeper);
		}
		return;
	case VRMS_KEEPER_END:
		kill(plan->pid, SIGTERM);
		return;
	case VRMS_KEEPER_KILL:
		kill(-plan->pid, SIGKILL);
		return;
	}
}

void vrms_plan_child_stop(struct vrms_daemon *daemon)
{
	struct vrms_plan_child *plan = daemon->plan;

	if (plan == NULL) {
		return;
	}
	if (plan->pid > 0) {
		kill(plan->pid, SIGTERM);
		for (int waited = 0; plan->pid > 0 && waited < FINAL_MS; waited += 100) {
			vrms_clock_sleep_ms(vrms_clock_system(), 100);
			reap(daemon);
		}
	}
	/* Moves of one that is still busy are taken out by itself, or expire. */
	vrms_closep(&plan->fd);
	json_decref(plan->found);
	free(plan);
	daemon->plan = NULL;
}

json_t *vrms_plan_child_describe(const struct vrms_daemon *daemon)
{
	return daemon->plan == NULL || daemon->plan->found == NULL
		   ? NULL
		   : json_deep_copy(daemon->plan->found);
}
