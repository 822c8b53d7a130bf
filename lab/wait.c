/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/wait.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "lab/members.h"
#include "lab/node.h"

enum { BOOT_POLL_MS = 50, MEMBER_POLL_MS = 200, NAMES_SIZE = 384 };

int vrms_lab_wait_check(const struct vrms_lab_wait *wait, struct vrms_error *error)
{
	if (wait->interrupted != NULL && *wait->interrupted != 0) {
		return vrms_error_set(error, -EINTR, "interrupted (signal %d)",
				      (int)*wait->interrupted);
	}
	return 0;
}

static void report(const struct vrms_lab_wait *wait, const char *text)
{
	if (wait->progress != NULL) {
		wait->progress(wait->progress_context, text);
	}
}

/* Waits a little; -EINTR or -ETIMEDOUT when there is no more to wait for. */
static int pause_for(const struct vrms_lab_wait *wait, int64_t ms, struct vrms_error *error)
{
	const struct vrms_clock *clock = vrms_clock_system();
	int rc = vrms_lab_wait_check(wait, error);

	if (rc < 0) {
		return rc;
	}
	if (vrms_clock_now_ms(clock) >= wait->until_ms) {
		return -ETIMEDOUT;
	}
	vrms_clock_sleep_ms(clock, ms);
	return 0;
}

static void add_name(char names[NAMES_SIZE], const char *name)
{
	size_t length = strlen(names);

	snprintf(names + length, NAMES_SIZE - length, "%s%s", length > 0 ? " " : "", name);
}

/* Names of the nodes that still boot. */
static int list_booting(const struct vrms_lab *lab, char names[NAMES_SIZE],
			struct vrms_error *error)
{
	names[0] = '\0';
	for (int i = 0; i < vrms_lab_node_count(lab); i++) {
		enum vrms_lab_boot boot = VRMS_LAB_BOOT_GOING_ON;
		int rc = vrms_lab_node_boot_state(lab, i, &boot, error);

		if (rc == -EHOSTDOWN) {
			vrms_error_clear(error);
			continue;
		}
		if (rc < 0) {
			return rc;
		}
		if (boot == VRMS_LAB_BOOT_FAILED) {
			return -EIO;
		}
		if (boot == VRMS_LAB_BOOT_GOING_ON) {
			add_name(names, vrms_lab_node_name(lab, i));
		}
	}
	return 0;
}

int vrms_lab_wait_booted(const struct vrms_lab *lab, const struct vrms_lab_wait *wait,
			 struct vrms_error *error)
{
	char names[NAMES_SIZE];

	for (;;) {
		char text[NAMES_SIZE + 32];
		int rc = list_booting(lab, names, error);

		if (rc < 0 || names[0] == '\0') {
			return rc;
		}
		snprintf(text, sizeof(text), "booting: %s", names);
		report(wait, text);
		rc = pause_for(wait, BOOT_POLL_MS, error);
		if (rc == -ETIMEDOUT) {
			return vrms_error_set(error, rc, "still booting: %s", names);
		}
		if (rc < 0) {
			return rc;
		}
	}
}

/* -EHOSTDOWN names a node that is off or frozen, since it will never be online. */
static int check_power(const struct vrms_lab *lab, struct vrms_error *error)
{
	for (int i = 0; i < vrms_lab_node_count(lab); i++) {
		enum vrms_lab_node_state state;
		int rc = vrms_lab_node_get_state(lab, i, &state, error);

		if (rc < 0) {
			return rc;
		}
		if (state != VRMS_LAB_NODE_ON) {
			return vrms_error_set(error, -EHOSTDOWN, "%s is %s",
					      vrms_lab_node_name(lab, i),
					      vrms_lab_node_state_name(state));
		}
	}
	return 0;
}

/* Names of the nodes that are not online for the witness; all while it does not answer. */
static int list_absent(const struct vrms_lab *lab, int witness, char names[NAMES_SIZE],
		       struct vrms_error *error)
{
	struct vrms_lab_member members[VRMS_LAB_NODES_MAX] = {{.is_known = false}};
	int rc = vrms_lab_members_read(lab, witness, members, error);

	if (rc < 0 && rc != -ENOTCONN && rc != -ETIMEDOUT) {
		return rc;
	}
	vrms_error_clear(error);
	names[0] = '\0';
	for (int i = 0; i < vrms_lab_node_count(lab); i++) {
		if (!members[i].is_online || members[i].is_pending) {
			add_name(names, vrms_lab_node_name(lab, i));
		}
	}
	return 0;
}

int vrms_lab_wait_members(const struct vrms_lab *lab, const struct vrms_lab_wait *wait,
			  struct vrms_error *error)
{
	char names[NAMES_SIZE];

	/* Every node is asked: one that was quick to come back is still online for the
	 * others, who have not noticed yet that it was gone. */
	for (int witness = 0; witness < vrms_lab_node_count(lab);) {
		char text[NAMES_SIZE + 32];
		int rc = check_power(lab, error);

		rc = rc < 0 ? rc : list_absent(lab, witness, names, error);
		if (rc < 0) {
			return rc;
		}
		if (names[0] == '\0') {
			witness++;
			continue;
		}
		snprintf(text, sizeof(text), "joining: %s", names);
		report(wait, text);
		rc = pause_for(wait, MEMBER_POLL_MS, error);
		if (rc == -ETIMEDOUT) {
			return vrms_error_set(error, rc, "not online in time: %s", names);
		}
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

int vrms_lab_wait_online(struct vrms_lab *lab, int64_t timeout_ms, struct vrms_error *error)
{
	const struct vrms_lab_wait wait = {.until_ms =
					       vrms_clock_now_ms(vrms_clock_system()) + timeout_ms};
	int rc = vrms_lab_wait_booted(lab, &wait, error);

	return rc < 0 ? rc : vrms_lab_wait_members(lab, &wait, error);
}
