/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/power.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "lab/internal.h"
#include "lab/node.h"

void vrms_lab_power_note(const struct vrms_lab *lab, const char *format, ...)
{
	char text[512];
	char moment[32];
	struct timespec now;
	struct tm local;
	va_list arguments;
	int fd VRMS_CLEANUP(vrms_closep) = open(vrms_lab_path(lab, "log/powerd.log").text,
						O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	clock_gettime(CLOCK_REALTIME, &now);
	strftime(moment, sizeof(moment), "%F %T", localtime_r(&now.tv_sec, &local));
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (fd >= 0) {
		/* One write: lines of several processes do not mix. */
		dprintf(fd, "%s.%03ld %s\n", moment, now.tv_nsec / 1000000, text);
	}
}

/* The moment of the last "off" is kept as the time of the node's lock file: written and
 * compared under that lock, and nothing else touches it. */
static int set_moment(int lock_fd, struct timespec *ret_moment, struct vrms_error *error)
{
	struct stat status;

	if (futimens(lock_fd, NULL) < 0 || fstat(lock_fd, &status) < 0) {
		return vrms_error_errno(error, -errno, "its lock file");
	}
	if (ret_moment != NULL) {
		*ret_moment = status.st_mtim;
	}
	return 0;
}

static bool is_moment(int lock_fd, const struct timespec *moment)
{
	struct stat status;

	return fstat(lock_fd, &status) == 0 && status.st_mtim.tv_sec == moment->tv_sec &&
	       status.st_mtim.tv_nsec == moment->tv_nsec;
}

int vrms_lab_power_off(const struct vrms_lab *lab, int index, struct timespec *ret_moment,
		       struct vrms_error *error)
{
	int lock VRMS_CLEANUP(vrms_closep) = -1;
	int rc = vrms_lab_node_lock(lab, index, &lock, error);

	rc = rc < 0 ? rc : set_moment(lock, ret_moment, error);
	return rc < 0 ? rc : vrms_lab_node_kill(lab, index, error);
}

int vrms_lab_power_on(const struct vrms_lab *lab, int index, struct vrms_error *error)
{
	int lock VRMS_CLEANUP(vrms_closep) = -1;
	int rc = vrms_lab_node_lock(lab, index, &lock, error);

	return rc < 0 ? rc : vrms_lab_node_start(lab, index, error);
}

int vrms_lab_power_on_later(const struct vrms_lab *lab, int index, const struct timespec *moment,
			    struct vrms_error *error)
{
	int lock VRMS_CLEANUP(vrms_closep) = -1;

	vrms_clock_sleep_ms(vrms_clock_system(), lab->setup.boot_delay_ms);
	int rc = vrms_lab_node_lock(lab, index, &lock, error);
	if (rc < 0) {
		return rc;
	}
	if (!is_moment(lock, moment)) {
		return vrms_error_set(error, -ECANCELED, "%s was switched off again and stays off",
				      vrms_lab_node_name(lab, index));
	}
	return vrms_lab_node_start(lab, index, error);
}

static int cycle(const struct vrms_lab *lab, int index, struct vrms_error *error)
{
	struct timespec moment;
	int rc = vrms_lab_power_off(lab, index, &moment, error);

	return rc < 0 ? rc : vrms_lab_power_on_later(lab, index, &moment, error);
}

static int press(const struct vrms_lab *lab, int index, enum vrms_lab_power action,
		 struct vrms_error *error)
{
	switch (action) {
	case VRMS_LAB_POWER_OFF:
		return vrms_lab_power_off(lab, index, NULL, error);
	case VRMS_LAB_POWER_ON:
		return vrms_lab_power_on(lab, index, error);
	case VRMS_LAB_POWER_CYCLE:
		return cycle(lab, index, error);
	case VRMS_LAB_POWER_STATUS:
		break;
	}
	return 0;
}

int vrms_lab_power(struct vrms_lab *lab, int index, enum vrms_lab_power action,
		   enum vrms_lab_node_state *ret_state, struct vrms_error *error)
{
	static const char *const names[] = {
	    [VRMS_LAB_POWER_OFF] = "off",
	    [VRMS_LAB_POWER_ON] = "on",
	    [VRMS_LAB_POWER_CYCLE] = "cycle",
	    [VRMS_LAB_POWER_STATUS] = "status",
	};
	enum vrms_lab_node_state state;
	int64_t start_ms = vrms_clock_now_ms(vrms_clock_system());
	int rc = press(lab, index, action, error);

	if (action != VRMS_LAB_POWER_STATUS) {
		vrms_lab_power_note(lab, "%s %s, by hand: %s (%lld ms)",
				    vrms_lab_node_name(lab, index), names[action],
				    rc < 0 && error != NULL ? error->text
				    : rc < 0                ? "failed"
							    : "done",
				    (long long)(vrms_clock_now_ms(vrms_clock_system()) - start_ms));
	}
	rc = rc < 0 ? rc : vrms_lab_node_get_state(lab, index, &state, error);
	if (rc == 0 && ret_state != NULL) {
		*ret_state = state;
	}
	return rc;
}
