/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/verdict_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/file.h"

static int make_socket(const char *path, struct sockaddr_un *address, int *ret_fd)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address->sun_path)) {
		return -ENAMETOOLONG;
	}
	memcpy(address->sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		return -errno;
	}
	*ret_fd = fd;
	return 0;
}

int vrms_verdict_line_open(const char *path, int *ret_fd)
{
	int fd VRMS_CLEANUP(vrms_closep) = -1;
	struct sockaddr_un address;
	int rc = make_socket(path, &address, &fd);

	if (rc < 0) {
		return rc;
	}
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		return -errno;
	}
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int vrms_verdict_line_send(int fd, json_t *object)
{
	char *text VRMS_CLEANUP(vrms_freep) =
	    object == NULL ? NULL : json_dumps(object, JSON_COMPACT);

	json_decref(object);
	if (text == NULL) {
		return -ENOMEM;
	}
	if (strlen(text) > VRMS_VERDICT_LINE_BYTES_MAX) {
		return -EMSGSIZE;
	}
	return send(fd, text, strlen(text), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int vrms_verdict_line_listen(const char *path, int *ret_fd, struct vrms_error *error)
{
	int fd VRMS_CLEANUP(vrms_closep) = -1;
	struct sockaddr_un address;
	int rc = make_socket(path, &address, &fd);

	if (rc < 0) {
		return vrms_error_errno(error, rc, "%s", path);
	}
	unlink(path);
	mode_t old_mask = umask(0177);

	rc = bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(old_mask);
	if (rc < 0) {
		return vrms_error_errno(error, rc, "%s", path);
	}
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int vrms_verdict_line_receive(int fd, json_t **ret_object)
{
	char text[VRMS_VERDICT_LINE_BYTES_MAX + 1];
	ssize_t got = recv(fd, text, sizeof(text), MSG_TRUNC);

	if (got < 0) {
		return -errno;
	}
	json_t *object =
	    got > VRMS_VERDICT_LINE_BYTES_MAX ? NULL : json_loadb(text, (size_t)got, 0, NULL);

	if (!json_is_object(object)) {
		json_decref(object);
		return -EBADMSG;
	}
	*ret_object = object;
	return 0;
}
