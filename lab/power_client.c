/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/power_client.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"

enum { REQUEST_SIZE = 128 };

/* A socket's address holds 107 bytes only; a folder's descriptor stands for a longer path. */
static int open_folder(const char *path, struct sockaddr_un *ret_address)
{
	char *folder VRMS_CLEANUP(vrms_freep) = strdup(path);
	char *name VRMS_CLEANUP(vrms_freep) = strdup(path);

	if (folder == NULL || name == NULL) {
		return -ENOMEM;
	}
	int fd = open(dirname(folder), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	int length = snprintf(ret_address->sun_path, sizeof(ret_address->sun_path),
			      "/proc/self/fd/%d/%s", fd, basename(name));
	if (length < 0 || (size_t)length >= sizeof(ret_address->sun_path)) {
		vrms_closep(&fd);
		return -ENAMETOOLONG;
	}
	return fd;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address;
	int folder VRMS_CLEANUP(vrms_closep) = open_folder(path, &address);

	if (folder < 0) {
		return folder;
	}
	int fd VRMS_CLEANUP(vrms_closep) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		return -errno;
	}
	int taken = fd;
	fd = -1; /* ownership leaves this function */
	return taken;
}

/* Reads to the end of file, bounded by time and room. */
static int read_answer(int fd, int64_t until_ms, char *text, size_t size)
{
	size_t length = 0;

	for (;;) {
		struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
		int64_t left_ms = until_ms - vrms_clock_now_ms(vrms_clock_system());
		int rc = poll(&poll_fd, 1, left_ms > 0 ? (int)left_ms : 0);

		if (rc < 0 && errno == EINTR) {
			continue;
		}
		if (rc <= 0) {
			return rc == 0 ? -ETIMEDOUT : -errno;
		}
		ssize_t got = read(fd, text + length, size - 1 - length);
		if (got < 0) {
			return -errno;
		}
		if (got == 0) {
			text[length] = '\0';
			return 0;
		}
		length += (size_t)got;
		if (length == size - 1) {
			return -EPROTO;
		}
	}
}

static int judge(char *text, char answer[VRMS_LAB_ANSWER_SIZE], struct vrms_error *error)
{
	size_t length = strlen(text);

	/* An answer without its newline was cut off, and proves nothing. */
	if (length == 0 || text[length - 1] != '\n') {
		return vrms_error_set(error, -EPROTO, "the power switch ended without an answer");
	}
	text[length - 1] = '\0';
	if (strncmp(text, "error ", 6) == 0) {
		return vrms_error_set(error, -EIO, "the power switch: %s", text + 6);
	}
	if (strcmp(text, "ok") != 0 && strncmp(text, "ok\n", 3) != 0) {
		return vrms_error_set(error, -EPROTO, "the power switch answers \"%.64s\"", text);
	}
	snprintf(answer, VRMS_LAB_ANSWER_SIZE, "%s", text[2] == '\0' ? "" : text + 3);
	return 0;
}

int vrms_lab_power_ask(const char *socket_path, const char *verb, const char *node,
		       int64_t timeout_ms, char answer[VRMS_LAB_ANSWER_SIZE],
		       struct vrms_error *error)
{
	int64_t until_ms = vrms_clock_now_ms(vrms_clock_system()) + timeout_ms;
	char request[REQUEST_SIZE];
	char text[VRMS_LAB_ANSWER_SIZE];
	int fd VRMS_CLEANUP(vrms_closep) = connect_to(socket_path);

	if (fd < 0) {
		return vrms_error_errno(error, fd, "no power switch at %s", socket_path);
	}
	int length = snprintf(request, sizeof(request), "%s%s%s\n", verb, node != NULL ? " " : "",
			      node != NULL ? node : "");
	if (length < 0 || (size_t)length >= sizeof(request)) {
		return vrms_error_set(error, -EINVAL, "\"%.64s\" is no name of a node", node);
	}
	if (send(fd, request, (size_t)length, MSG_NOSIGNAL) != length) {
		return vrms_error_errno(error, -errno, "%s", socket_path);
	}
	int rc = read_answer(fd, until_ms, text, sizeof(text));
	if (rc < 0) {
		return vrms_error_errno(error, rc, "no answer from the power switch");
	}
	return judge(text, answer, error);
}
