/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/node.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "lab/furnish.h"
#include "lab/internal.h"
#include "lab/network.h"
#include "lab/render.h"

enum { SETUP_TIMEOUT_MS = 30000, BOOT_STATE_BYTES_MAX = 2048 };

/* What the starter and the two processes it makes say to each other.
 *
 * The middle process makes the namespaces and forks pid 1 into them, because a
 * process cannot move itself into a pid namespace.
 */
struct birth {
	int tell[2]; /* middle and pid 1 -> starter: "<pid>\n", then what went wrong, if anything */
	int go[2];   /* starter -> pid 1: closed by both ends when the record is written */
};

static void close_birth(struct birth *birth)
{
	vrms_closep(&birth->tell[0]);
	vrms_closep(&birth->tell[1]);
	vrms_closep(&birth->go[0]);
	vrms_closep(&birth->go[1]);
}

static void complain_and_exit(const struct birth *birth, const char *text)
{
	dprintf(birth->tell[1], "%s", text);
	_exit(EXIT_FAILURE);
}

static void redirect(const struct birth *birth, const struct vrms_lab *lab, int index)
{
	struct vrms_lab_path log =
	    vrms_lab_path(lab, "nodes/%s/var/log/boot.log", vrms_lab_node_name(lab, index));
	int input VRMS_CLEANUP(vrms_closep) = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int output VRMS_CLEANUP(vrms_closep) =
	    open(log.text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (input < 0 || output < 0 || dup2(input, STDIN_FILENO) < 0 ||
	    dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0) {
		complain_and_exit(birth, "boot.log cannot be written");
	}
}

/* Pid 1.  It goes on in a fresh image of this program, whose command line names the
 * node: that is how it is found when its record is lost. */
static void become_init(const struct vrms_lab *lab, int index, const struct birth *birth)
{
	struct vrms_error error = {.text = ""};
	char number[16];
	char go;
	/* Opened before the mounts change what the path means. */
	int self = open("/proc/self/exe", O_PATH | O_CLOEXEC);

	setsid();
	/* End of file instead of a byte: the starter died before it wrote the record. */
	if (self < 0 || read(birth->go[0], &go, 1) != 1) {
		_exit(EXIT_FAILURE);
	}
	redirect(birth, lab, index);
	if (vrms_lab_furnish(lab, index, &error) < 0) {
		complain_and_exit(birth, error.text);
	}
	snprintf(number, sizeof(number), "%d", index + 1);
	const char *const argv[] = {
	    "vrms-lab",
	    "node-init",
	    lab->setup.id,
	    vrms_lab_node_name(lab, index),
	    number,
	    lab->setup.has_libvirt ? "libvirt" : "-",
	    lab->setup.has_vrmsd ? "vrmsd" : "-",
	    lab->setup.has_iscsi ? "san" : "-",
	    lab->setup.has_locks ? "locks" : "-",
	    vrms_lab_is_crowded(&lab->setup) ? "crowded" : "-",
	    NULL,
	};
	if (chdir("/") == 0) {
		execveat(self, "", (char *const *)argv,
			 (char *const *)vrms_lab_service_environment(), AT_EMPTY_PATH);
	}
	complain_and_exit(birth, strerror(errno));
}

static void be_middle(const struct vrms_lab *lab, int index, struct birth *birth)
{
	struct pollfd released = {.fd = birth->go[0], .events = 0};

	vrms_closep(&birth->go[1]);
	vrms_closep(&birth->tell[0]);
	if (unshare(VRMS_LAB_NODE_NAMESPACES) < 0) {
		complain_and_exit(birth, "the namespaces cannot be made");
	}
	pid_t pid = fork();
	if (pid == 0) {
		become_init(lab, index, birth);
	}
	if (pid < 0) {
		complain_and_exit(birth, "no process for pid 1");
	}
	dprintf(birth->tell[1], "%d\n", (int)pid);
	vrms_closep(&birth->tell[1]);
	/* As long as its parent lives unwaiting, the number cannot belong to anybody else. */
	while (poll(&released, 1, -1) < 0 && errno == EINTR) {
	}
	_exit(EXIT_SUCCESS);
}

/* Reads one more piece of what is told, bounded; 0 at its end. */
static ssize_t hear(int fd, char *text, size_t size, int64_t until_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	int64_t left_ms = until_ms - vrms_clock_now_ms(vrms_clock_system());
	int rc = poll(&poll_fd, 1, left_ms > 0 ? (int)left_ms : 0);

	if (rc == 0) {
		return -ETIMEDOUT;
	}
	if (rc < 0) {
		return errno == EINTR ? -EAGAIN : -errno;
	}
	ssize_t got = read(fd, text, size);
	return got < 0 ? -errno : got;
}

/* Reads up to and with `stop`, or to the end of file for stop == 0. */
static int hear_text(int fd, char stop, char *text, size_t size)
{
	int64_t until_ms = vrms_clock_now_ms(vrms_clock_system()) + SETUP_TIMEOUT_MS;
	size_t length = 0;

	while (length + 1 < size) {
		ssize_t got = hear(fd, text + length, 1, until_ms);

		if (got == -EAGAIN) {
			continue;
		}
		if (got < 0) {
			return (int)got;
		}
		if (got == 0 || text[length] == stop) {
			break;
		}
		length++;
	}
	text[length] = '\0';
	return 0;
}

/* Record, cables, go, and the answer of pid 1. */
static int bring_up(const struct vrms_lab *lab, int index, struct birth *birth,
		    struct vrms_error *error)
{
	struct vrms_lab_path record =
	    vrms_lab_path(lab, "run/%s.json", vrms_lab_node_name(lab, index));
	struct vrms_lab_process init;
	char text[512];
	int rc = hear_text(birth->tell[0], '\n', text, sizeof(text));

	if (rc < 0) {
		return vrms_error_errno(error, rc, "its first process");
	}
	pid_t pid = (pid_t)strtol(text, NULL, 10);
	if (pid <= 0) {
		return vrms_error_set(error, -EIO, "%s",
				      text[0] != '\0' ? text : "its first process ended at once");
	}
	rc = vrms_lab_process_read(pid, &init);
	if (rc < 0) {
		return vrms_error_set(error, rc, "its first process ended at once");
	}
	rc = vrms_lab_process_save(record.text, &init, error);
	rc = rc < 0 ? rc : vrms_lab_network_plug(lab, index, pid, error);
	if (rc < 0) {
		return rc;
	}
	if (write(birth->go[1], "g", 1) != 1) {
		return vrms_error_errno(error, -errno, "its first process");
	}
	rc = hear_text(birth->tell[0], 0, text, sizeof(text));
	if (rc < 0) {
		return vrms_error_errno(error, rc, "its first process");
	}
	return text[0] == '\0' ? 0 : vrms_error_set(error, -EIO, "%s", text);
}

static int give_birth(const struct vrms_lab *lab, int index, struct vrms_error *error)
{
	struct birth birth VRMS_CLEANUP(close_birth) = {{-1, -1}, {-1, -1}};

	if (pipe2(birth.tell, O_CLOEXEC) < 0 || pipe2(birth.go, O_CLOEXEC) < 0) {
		return vrms_error_errno(error, -errno, "pipe");
	}
	pid_t middle = fork();
	if (middle == 0) {
		be_middle(lab, index, &birth);
	}
	if (middle < 0) {
		return vrms_error_errno(error, -errno, "fork");
	}
	vrms_closep(&birth.tell[1]);
	vrms_closep(&birth.go[0]);
	int rc = bring_up(lab, index, &birth, error);
	vrms_closep(&birth.go[1]);
	while (waitpid(middle, NULL, 0) < 0 && errno == EINTR) {
	}
	return rc;
}

int vrms_lab_node_start(const struct vrms_lab *lab, int index, struct vrms_error *error)
{
	const char *name = vrms_lab_node_name(lab, index);
	struct vrms_lab_process init;
	int rc = vrms_lab_node_find(lab, index, &init, error);

	if (rc != -ESRCH) {
		return rc;
	}
	vrms_error_clear(error);
	rc = vrms_lab_check_open(lab, error);
	rc = rc < 0 ? rc : vrms_lab_network_unplug(lab, index, error);
	if (rc < 0) {
		return rc;
	}
	rc = give_birth(lab, index, error);
	if (rc < 0) {
		vrms_error_wrap(error, rc, "%s does not start", name);
		/* Half a node is worse than none; the first error is the one to tell. */
		if (vrms_lab_node_kill(lab, index, NULL) < 0) {
			return vrms_error_wrap(error, rc, "%s is left half started", name);
		}
	}
	return rc;
}

int vrms_lab_node_boot_state(const struct vrms_lab *lab, int index, enum vrms_lab_boot *ret_boot,
			     struct vrms_error *error)
{
	struct vrms_lab_process init;
	char path[64];
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_lab_node_find(lab, index, &init, error);

	if (rc < 0) {
		return rc == -ESRCH ? vrms_error_set(error, -EHOSTDOWN, "%s is off",
						     vrms_lab_node_name(lab, index))
				    : rc;
	}
	snprintf(path, sizeof(path), "/proc/%d/root" VRMS_LAB_BOOT_STATE, (int)init.pid);
	rc = vrms_file_read(path, BOOT_STATE_BYTES_MAX, &text, NULL, NULL);
	if (rc < 0) {
		*ret_boot = VRMS_LAB_BOOT_GOING_ON;
	} else if (strcmp(text, "booted") == 0) {
		*ret_boot = VRMS_LAB_BOOT_DONE;
	} else {
		*ret_boot = VRMS_LAB_BOOT_FAILED;
		vrms_error_set(error, -EIO, "%s: boot %s", vrms_lab_node_name(lab, index), text);
	}
	return 0;
}
