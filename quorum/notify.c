/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/parse.h"

void vrms_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (path == NULL || strlen(path) >= sizeof(address.sun_path)) {
		return;
	}
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		return;
	}
	memcpy(address.sun_path, path, strlen(path));
	if (path[0] == '@') {
		address.sun_path[0] = '\0'; /* an abstract name */
	}
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
		     (struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
	close(fd);
}

int64_t vrms_notify_watchdog_ms(void)
{
	const char *text = getenv("WATCHDOG_USEC");
	int64_t value_us = 0;

	if (text == NULL || vrms_int_parse(text, 1, INT64_MAX, &value_us, NULL) < 0) {
		return 0;
	}
	return value_us / 2000;
}
