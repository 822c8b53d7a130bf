/* What fence_vrms_verdict saw and decided on this node goes into the journal.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "common/log.h"
#include "quorum/daemon.h"
#include "quorum/verdict_line.h"

enum { AT_ONCE_MAX = 32 };

/* The agent's own words, and none of the journal's frame. */
static json_t *without_frame(const json_t *object)
{
	static const char *const keys[] = {"target",   "action", "state",    "at_ms",
					   "after_ms", "beat",   "sequence", "unchanged_ms",
					   "member",   "reason", "trouble",  "text"};
	json_t *fields = json_object();

	for (size_t i = 0; fields != NULL && i < VRMS_COUNT_OF(keys); i++) {
		json_object_set(fields, keys[i], json_object_get(object, keys[i])); /* or nothing */
	}
	return fields;
}

static int32_t on_verdict(int32_t fd, int32_t revents, void *context)
{
	struct vrms_daemon *daemon = context;
	json_t *object = NULL;

	(void)revents;
	for (int i = 0; i < AT_ONCE_MAX; i++) {
		int rc = vrms_verdict_line_receive(fd, &object);

		if (rc == 0) {
			vrms_daemon_record(daemon, "verdict", without_frame(object));
			json_decref(object);
		} else if (rc != -EBADMSG) {
			break;
		}
	}
	return 0;
}

void vrms_daemon_hear_verdicts(struct vrms_daemon *daemon, const char *path)
{
	struct vrms_error error;

	if (vrms_verdict_line_listen(path, &daemon->verdict_fd, &error) < 0) {
		vrms_log(LOG_WARNING, "verdicts are not recorded: %s", error.text);
		return;
	}
	if (qb_loop_poll_add(daemon->loop, QB_LOOP_LOW, daemon->verdict_fd, POLLIN, daemon,
			     on_verdict) < 0) {
		vrms_log(LOG_WARNING, "verdicts are not recorded: the main loop takes no more");
		vrms_daemon_hear_no_verdicts(daemon);
	}
}

void vrms_daemon_hear_no_verdicts(struct vrms_daemon *daemon)
{
	if (daemon->verdict_fd >= 0) {
		(void)qb_loop_poll_del(daemon->loop, daemon->verdict_fd);
		close(daemon->verdict_fd);
		daemon->verdict_fd = -1;
	}
}
