/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/awake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

int vrms_lab_stay_awake(const char *path, struct vrms_error *error)
{
	static const int32_t latency_us = 0;
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0) {
		return vrms_error_errno(error, -errno,
					"the processors may sleep: %s cannot be opened", path);
	}
	if (write(fd, &latency_us, sizeof(latency_us)) < 0) { /* all of it, or nothing */
		int rc = -errno;

		close(fd);
		return vrms_error_errno(error, rc,
					"the processors may sleep: %s does not take %zu bytes",
					path, sizeof(latency_us));
	}
	return fd;
}
