/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/power.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "lab/internal.h"
#include "lab/node.h"

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

int vrms_lab_power(struct vrms_lab *lab, int index, enum vrms_lab_power action,
		   enum vrms_lab_node_state *ret_state, struct vrms_error *error)
{
	enum vrms_lab_node_state state;
	int rc = 0;

	switch (action) {
	case VRMS_LAB_POWER_OFF:
		rc = vrms_lab_power_off(lab, index, NULL, error);
		break;
	case VRMS_LAB_POWER_ON:
		rc = vrms_lab_power_on(lab, index, error);
		break;
	case VRMS_LAB_POWER_CYCLE:
		rc = cycle(lab, index, error);
		break;
	case VRMS_LAB_POWER_STATUS:
		break;
	}
	rc = rc < 0 ? rc : vrms_lab_node_get_state(lab, index, &state, error);
	if (rc == 0 && ret_state != NULL) {
		*ret_state = state;
	}
	return rc;
}
