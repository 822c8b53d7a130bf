/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/witness.h"

#include <corosync/cmap.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"
#include "common/fork.h"
#include "quorum/san.h"
#include "quorum/seen.h"

enum { BEATS, MEMBERSHIP, WITNESS_COUNT };

/* One message through a pipe: smaller than PIPE_BUF, so it arrives whole. */
struct message {
	enum vrms_verdict_beat beat;
	int64_t beat_ms;
	uint64_t sequence, boot;
	bool is_stopped;
	int64_t interval_ms, unchanged_ms;
	enum vrms_verdict_member member;
	char trouble[256];
};

struct vrms_witness {
	pid_t pids[WITNESS_COUNT];
	int fds[WITNESS_COUNT]; /* -1: it has gone */
	struct vrms_testimony heard;
	char trouble[256];
};

static int64_t now_ms(void)
{
	return vrms_clock_now_ms(vrms_clock_system());
}

static void tell(int fd, const struct message *message)
{
	if (write(fd, message, sizeof(*message)) != (ssize_t)sizeof(*message)) {
		_exit(0); /* the parent has its answer */
	}
}

static void describe(const struct vrms_witness_config *config, const struct vrms_san_view *view,
		     struct message *message)
{
	message->beat = VRMS_BEAT_ABSENT;
	for (unsigned slot = 0; slot < VRMS_BEAT_SLOTS; slot++) {
		const struct vrms_beat *beat = &view->beats[slot];
		struct vrms_seen seen;

		if (view->states[slot] != VRMS_SLOT_VALID ||
		    strcmp(beat->name, config->node) != 0) {
			continue;
		}
		message->beat = VRMS_BEAT_READ;
		message->sequence = beat->sequence;
		message->boot = vrms_beat_boot_digest(beat->boot_id);
		message->is_stopped = beat->state == VRMS_BEAT_STOPPED;
		message->interval_ms = beat->interval_ms;
		if (vrms_seen_load(config->seen_path, &seen, NULL) == 0) {
			message->unchanged_ms =
			    vrms_seen_unchanged_ms(&seen, beat->node_id, beat->sequence, now_ms(),
						   2 * beat->interval_ms);
		}
	}
}

static void watch_beats(const struct vrms_witness_config *config, int fd)
{
	struct vrms_san *san = NULL;
	struct vrms_san_view *view = calloc(1, sizeof(*view));
	struct vrms_error error = {""};
	int rc = view == NULL ? -ENOMEM
			      : vrms_san_open(config->device, config->cluster, false, &san, &error);

	for (;;) {
		struct message message = {.unchanged_ms = -1};

		rc = rc < 0 ? rc : vrms_san_read(san, view, &error);
		message.beat_ms = now_ms();
		if (rc < 0) {
			message.beat = VRMS_BEAT_UNREADABLE;
			memcpy(message.trouble, error.text, sizeof(message.trouble) - 1);
			tell(fd, &message);
			_exit(1);
		}
		describe(config, view, &message);
		tell(fd, &message);
		vrms_clock_sleep_ms(vrms_clock_system(), config->interval_ms);
	}
}

/* The node's number in the node list, by its name; 0: not there. */
static uint32_t find_node_id(cmap_handle_t handle, const char *node)
{
	char key[CMAP_KEYNAME_MAXLEN + 1];
	cmap_iter_handle_t iterator;
	uint32_t node_id = 0;

	if (cmap_iter_init(handle, "nodelist.node.", &iterator) != CS_OK) {
		return 0;
	}
	while (node_id == 0 && cmap_iter_next(handle, iterator, key, NULL, NULL) == CS_OK) {
		char *name VRMS_CLEANUP(vrms_freep) = NULL;
		char *dot = strrchr(key, '.');

		if (dot == NULL || strcmp(dot, ".name") != 0 ||
		    cmap_get_string(handle, key, &name) != CS_OK || strcmp(name, node) != 0) {
			continue;
		}
		memcpy(dot, ".nodeid", sizeof(".nodeid")); /* CMAP_KEYNAME_MAXLEN leaves room */
		if (cmap_get_uint32(handle, key, &node_id) != CS_OK) {
			break;
		}
	}
	cmap_iter_finalize(handle, iterator);
	return node_id;
}

static enum vrms_verdict_member ask_member(cmap_handle_t handle, uint32_t node_id)
{
	char *status VRMS_CLEANUP(vrms_freep) = NULL;
	char key[64];

	snprintf(key, sizeof(key), "runtime.members.%u.status", node_id);
	cs_error_t rc = cmap_get_string(handle, key, &status);

	if (rc == CS_ERR_NOT_EXIST) {
		return VRMS_VERDICT_MEMBER_OUT; /* never joined since corosync started here */
	}
	if (rc != CS_OK) {
		return VRMS_VERDICT_MEMBER_UNKNOWN;
	}
	return strcmp(status, "joined") == 0 ? VRMS_VERDICT_MEMBER_IN : VRMS_VERDICT_MEMBER_OUT;
}

static void watch_membership(const struct vrms_witness_config *config, int fd)
{
	cmap_handle_t handle;

	if (cmap_initialize(&handle) != CS_OK) {
		_exit(1); /* unknown: nothing is refused then */
	}
	uint32_t node_id = find_node_id(handle, config->node);

	while (node_id != 0) {
		struct message message = {.member = ask_member(handle, node_id)};

		tell(fd, &message);
		vrms_clock_sleep_ms(vrms_clock_system(), config->interval_ms);
	}
	_exit(1);
}

/* In the child: nothing of the parent's stays open, so that nobody waits for this process. */
static void leave_parent(int keep_fd, pid_t parent)
{
	int null_fd = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || null_fd < 0) {
		_exit(1);
	}
	for (int fd = 0; fd <= 2; fd++) {
		dup2(null_fd, fd);
	}
	signal(SIGPIPE, SIG_IGN);
	if (keep_fd > 3) {
		close_range(3, (unsigned)keep_fd - 1, 0);
	}
	close_range((unsigned)keep_fd + 1, ~0U, 0);
}

static int start_one(const struct vrms_witness_config *config, int which,
		     struct vrms_witness *witness, struct vrms_error *error)
{
	pid_t parent = getpid();
	int fd;
	pid_t pid = vrms_fork_with_pipe(VRMS_FORK_CHILD_TO_PARENT, &fd, error);

	if (pid < 0) {
		return (int)pid;
	}
	if (pid == 0) {
		leave_parent(fd, parent);
		if (which == BEATS) {
			watch_beats(config, fd);
		} else {
			watch_membership(config, fd);
		}
		_exit(0);
	}
	witness->pids[which] = pid;
	witness->fds[which] = fd;
	return 0;
}

int vrms_witness_start(const struct vrms_witness_config *config, struct vrms_witness **ret_witness,
		       struct vrms_error *error)
{
	struct vrms_witness *witness VRMS_CLEANUP(vrms_witness_freep) = calloc(1, sizeof(*witness));

	if (witness == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	witness->heard = (struct vrms_testimony){.beat = VRMS_BEAT_PENDING, .unchanged_ms = -1};
	witness->fds[BEATS] = -1;
	witness->fds[MEMBERSHIP] = -1;
	for (int which = 0; which < WITNESS_COUNT; which++) {
		int rc = start_one(config, which, witness, error);

		if (rc < 0) {
			return rc;
		}
	}
	*ret_witness = VRMS_TAKE(witness);
	return 0;
}

void vrms_witness_free(struct vrms_witness *witness)
{
	if (witness == NULL) {
		return;
	}
	for (int which = 0; which < WITNESS_COUNT; which++) {
		if (witness->pids[which] > 0) {
			kill(witness->pids[which], SIGKILL);
			/* One that sleeps in the kernel is left to init. */
			(void)waitpid(witness->pids[which], NULL, WNOHANG);
		}
		vrms_closep(&witness->fds[which]);
	}
	free(witness);
}

static void hear(struct vrms_witness *witness, int which, const struct message *message)
{
	if (which == MEMBERSHIP) {
		witness->heard.member = message->member;
		return;
	}
	witness->heard.beat = message->beat;
	witness->heard.beat_ms = message->beat_ms;
	witness->heard.sequence = message->sequence;
	witness->heard.boot = message->boot;
	witness->heard.is_stopped = message->is_stopped;
	witness->heard.interval_ms = message->interval_ms;
	witness->heard.unchanged_ms = message->unchanged_ms;
	memcpy(witness->trouble, message->trouble, sizeof(witness->trouble) - 1);
}

static void take(struct vrms_witness *witness, int which)
{
	struct message message;
	ssize_t got = read(witness->fds[which], &message, sizeof(message));

	if (got == (ssize_t)sizeof(message)) {
		hear(witness, which, &message);
		return;
	}
	/* It has ended.  Of the beats it had said why before; of the membership nothing is known
	 * from now on. */
	vrms_closep(&witness->fds[which]);
	witness->fds[which] = -1;
	if (which == MEMBERSHIP) {
		witness->heard.member = VRMS_VERDICT_MEMBER_UNKNOWN;
	} else {
		witness->heard.beat = VRMS_BEAT_UNREADABLE;
	}
}

static void listen_to(void *context, int64_t wait_ms, struct vrms_testimony *testimony)
{
	struct vrms_witness *witness = context;
	struct pollfd polls[WITNESS_COUNT];

	for (int which = 0; which < WITNESS_COUNT; which++) {
		polls[which] = (struct pollfd){.fd = witness->fds[which], .events = POLLIN};
	}
	if (poll(polls, WITNESS_COUNT, (int)wait_ms) > 0) {
		for (int which = 0; which < WITNESS_COUNT; which++) {
			if (polls[which].revents != 0) {
				take(witness, which);
			}
		}
	}
	*testimony = witness->heard;
}

struct vrms_witnesses vrms_witness_port(struct vrms_witness *witness)
{
	return (struct vrms_witnesses){.context = witness, .listen = listen_to};
}

const char *vrms_witness_trouble(const struct vrms_witness *witness)
{
	return witness->trouble;
}
