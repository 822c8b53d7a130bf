/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/vm_line.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 1 << 20 };

/* Room for one descriptor. */
union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/* In the child: nothing of the daemon is left but the line and the standard streams. */
static void become(const char *program, const char *uri, int fd)
{
	const char *const argv[] = {program, uri, NULL};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid(); /* a terminal's Ctrl-C is the daemon's affair */
	if (getpriority(PRIO_PROCESS, 0) < 0) {
		(void)setpriority(PRIO_PROCESS, 0, 0); /* and so is its urgency */
	}
	/* Two steps: dup2() onto itself would keep the close-on-exec flag. */
	int copy = fcntl(fd, F_DUPFD, VRMS_VM_LINE_FD + 1);

	if (copy < 0 || dup2(copy, VRMS_VM_LINE_FD) < 0) {
		_exit(127);
	}
	(void)close_range(VRMS_VM_LINE_FD + 1, ~0U, 0);
	execv(program, (char *const *)argv);
	_exit(127);
}

int vrms_vm_line_start(const char *program, const char *uri, pid_t *ret_pid, int *ret_fd,
		       struct vrms_error *error)
{
	static const int bytes = BUFFER_BYTES;
	int fds[2];

	if (access(program, X_OK) < 0) {
		return vrms_error_errno(error, -errno, "%s", program);
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
		return vrms_error_errno(error, -errno, "socket");
	}
	(void)setsockopt(fds[1], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	pid_t pid = fork();

	if (pid == 0) {
		become(program, uri, fds[1]);
	}
	int rc = pid < 0 ? -errno : 0;

	close(fds[1]);
	if (rc < 0 || fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
		rc = rc < 0 ? rc : -errno;
		close(fds[0]);
		return vrms_error_errno(error, rc, "%s", program);
	}
	*ret_pid = pid;
	*ret_fd = fds[0];
	return 0;
}

int vrms_vm_line_send(int fd, const struct vrms_vm_word *word)
{
	union control control = {.head = {.cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS,
					  .cmsg_len = CMSG_LEN(sizeof(int))}};
	struct iovec part = {.iov_base = (void *)word, .iov_len = sizeof(*word)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t sent;

	if (word->process.pid > 0) {
		memcpy(CMSG_DATA(&control.head), &word->process.pidfd, sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	do {
		sent = sendmsg(fd, &message, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

static int take_descriptor(struct msghdr *message)
{
	int fd = -1;

	for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at != NULL;
	     at = CMSG_NXTHDR(message, at)) {
		if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SCM_RIGHTS) {
			memcpy(&fd, CMSG_DATA(at), sizeof(fd));
		}
	}
	return fd;
}

/* Bytes of the character there; 0: it is none.  Source: RFC 3629, section 4. */
static size_t character_bytes(const unsigned char *at)
{
	size_t bytes = at[0] < 0x80   ? 1
		       : at[0] < 0xc2 ? 0
		       : at[0] < 0xe0 ? 2
		       : at[0] < 0xf0 ? 3
				      : 4;
	bool is_overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
	bool is_surrogate = at[0] == 0xed && at[1] >= 0xa0;
	bool is_beyond = at[0] > 0xf4 || (at[0] == 0xf4 && at[1] >= 0x90);

	if (is_overlong || is_surrogate || is_beyond) {
		return 0;
	}
	for (size_t i = 1; i < bytes; i++) { /* the NUL at the end is no continuation */
		if ((at[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	return bytes;
}

/* A text that was too long was cut, perhaps within a character, and JSON would refuse it whole. */
static void mend_text(char *text)
{
	for (char *at = text; *at != '\0';) {
		size_t bytes = character_bytes((const unsigned char *)at);

		if (bytes == 0) {
			*at = '?';
			bytes = 1;
		}
		at += bytes;
	}
}

static void terminate_texts(struct vrms_vm_word *word)
{
	word->domain[sizeof(word->domain) - 1] = '\0';
	word->text[sizeof(word->text) - 1] = '\0';
	mend_text(word->text);
	word->resource.id[sizeof(word->resource.id) - 1] = '\0';
	word->resource.provider[sizeof(word->resource.provider) - 1] = '\0';
	word->resource.type[sizeof(word->resource.type) - 1] = '\0';
}

int vrms_vm_line_receive(int fd, struct vrms_vm_word *ret_word)
{
	union control control;
	struct iovec part = {.iov_base = ret_word, .iov_len = sizeof(*ret_word)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	ssize_t got;

	do {
		got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got <= 0) {
		return got == 0 || errno == ECONNRESET ? -EPIPE : -errno;
	}
	int descriptor = take_descriptor(&message);

	if (got != sizeof(*ret_word) || (message.msg_flags & MSG_TRUNC) != 0) {
		if (descriptor >= 0) {
			close(descriptor);
		}
		return -EBADMSG;
	}
	ret_word->process.pidfd = descriptor; /* a number of this process, or none */
	terminate_texts(ret_word);
	return 0;
}
