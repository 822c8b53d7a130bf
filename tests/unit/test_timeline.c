/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/timeline.h"

#include <string.h>

#include "tests/unit/unit.h"

/* Nov 23 03:10:20.500 */
static const struct tm cut = {
    .tm_year = 126, .tm_mon = 10, .tm_mday = 23, .tm_hour = 3, .tm_min = 10, .tm_sec = 20};

static struct vrms_timeline started(void)
{
	struct vrms_timeline timeline;

	vrms_timeline_init(&timeline, &cut, 500, "node2");
	return timeline;
}

static int64_t after_ms(const struct vrms_timeline *timeline, enum vrms_timeline_kind kind,
			const char *subject)
{
	const struct vrms_timeline_event *event = vrms_timeline_find(timeline, kind, subject);

	return event != NULL ? event->after_ms : -1;
}

/* Lines as corosync 3.1.7 and Pacemaker 2.1.5 wrote them in a lab. */
static const char TOKEN[] =
    "Nov 23 03:10:21.285 [4] node1 corosync notice  [TOTEM ] A processor failed, forming new "
    "configuration: token timed out (1000ms), waiting 1200ms for consensus.";
static const char MEMBERSHIP[] = "Nov 23 03:10:22.493 [4] node3 corosync notice  [TOTEM ] A new "
				 "membership (1.d) was formed. Members left: 2";
static const char ASKED[] =
    "Nov 23 03:10:23.557 node1 pacemaker-fenced    [44] (initiate_remote_stonith_op) \tnotice: "
    "Requesting peer fencing (off) targeting node2 | id=6ced3da6 state=querying base_timeout=60";
static const char FENCED[] =
    "Nov 23 03:10:23.601 node3 pacemaker-fenced    [44] (finalize_op) \tnotice: Operation 'off' "
    "targeting node2 by node1 for pacemaker-controld.48@node1: OK (complete) | id=4c367349";
static const char NOT_FENCED[] =
    "Nov 23 03:10:23.581 node1 pacemaker-fenced    [44] (finalize_op) \terror: Operation 'off' "
    "targeting node2 by node1 for pacemaker-controld.48@node1: Not installed (Not installed: "
    "/usr/sbin/fence_vrms_lab: No such file or directory) | id=6ced3da6";
static const char START[] =
    "Nov 23 03:10:23.621 node1 pacemaker-controld  [48] (execute_rsc_action) \tnotice: Initiating "
    "start operation vm1_start_0 on node3 | action 7";
static const char START_HERE[] =
    "Nov 23 03:10:23.622 node1 pacemaker-controld  [48] (execute_rsc_action) \tnotice: Initiating "
    "start operation my_vm_start_0 locally on node1 | action 8";
static const char STARTED[] =
    "Nov 23 03:10:24.565 node3 pacemaker-controld  [48] (log_executor_event) \tnotice: Result of "
    "start operation for vm1 on node3: ok | CIB update 33, graph action confirmed; call=21 "
    "key=vm1_start_0 rc=0";
static const char NOT_STARTED[] =
    "Nov 23 03:10:24.377 node3 pacemaker-controld  [48] (log_executor_event) \terror: Result of "
    "start operation for vm1 on node3: Not installed (no such file) | CIB update 23, graph action "
    "confirmed; call=12 key=vm1_start_0";

START_TEST(a_fail_over_is_read_from_the_logs)
{
	struct vrms_timeline timeline = started();

	ck_assert(vrms_timeline_read(&timeline, TOKEN));
	ck_assert(vrms_timeline_read(&timeline, MEMBERSHIP));
	ck_assert(vrms_timeline_read(&timeline, ASKED));
	ck_assert(vrms_timeline_read(&timeline, FENCED));
	ck_assert(vrms_timeline_read(&timeline, START));
	ck_assert(vrms_timeline_read(&timeline, STARTED));

	ck_assert_int_eq(after_ms(&timeline, VRMS_TIMELINE_CUT, "node2"), 0);
	ck_assert_int_eq(after_ms(&timeline, VRMS_TIMELINE_TOKEN_LOST, NULL), 785);
	ck_assert_int_eq(after_ms(&timeline, VRMS_TIMELINE_MEMBERSHIP, NULL), 1993);
	ck_assert_int_eq(after_ms(&timeline, VRMS_TIMELINE_FENCE_ASKED, "node2"), 3057);
	ck_assert_int_eq(after_ms(&timeline, VRMS_TIMELINE_FENCED, "node2"), 3101);
	ck_assert_int_eq(after_ms(&timeline, VRMS_TIMELINE_VM_START, "vm1"), 3121);
	ck_assert_int_eq(after_ms(&timeline, VRMS_TIMELINE_VM_STARTED, "vm1"), 4065);
}
END_TEST

START_TEST(a_vm_event_says_where)
{
	struct vrms_timeline timeline = started();

	vrms_timeline_read(&timeline, START_HERE);
	vrms_timeline_read(&timeline, STARTED);
	const struct vrms_timeline_event *event =
	    vrms_timeline_find(&timeline, VRMS_TIMELINE_VM_START, "my_vm");
	ck_assert_ptr_nonnull(event);
	ck_assert_str_eq(event->node, "node1");
	event = vrms_timeline_find(&timeline, VRMS_TIMELINE_VM_STARTED, "vm1");
	ck_assert_ptr_nonnull(event);
	ck_assert_str_eq(event->node, "node3");
}
END_TEST

START_TEST(a_fence_that_failed_is_not_a_fence)
{
	struct vrms_timeline timeline = started();

	ck_assert(!vrms_timeline_read(&timeline, NOT_FENCED));
	ck_assert_ptr_null(vrms_timeline_find(&timeline, VRMS_TIMELINE_FENCED, NULL));
}
END_TEST

START_TEST(a_start_that_failed_is_not_a_start)
{
	struct vrms_timeline timeline = started();

	ck_assert(vrms_timeline_read(&timeline, NOT_STARTED));
	ck_assert_ptr_null(vrms_timeline_find(&timeline, VRMS_TIMELINE_VM_STARTED, NULL));
	ck_assert_int_eq(after_ms(&timeline, VRMS_TIMELINE_VM_FAILED, "vm1"), 3877);
}
END_TEST

START_TEST(the_fencing_of_another_node_is_another_story)
{
	struct vrms_timeline timeline;

	vrms_timeline_init(&timeline, &cut, 500, "node3");
	ck_assert(!vrms_timeline_read(&timeline, ASKED));
	ck_assert(!vrms_timeline_read(&timeline, FENCED));
}
END_TEST

START_TEST(the_earliest_sight_of_an_event_counts)
{
	struct vrms_timeline timeline = started();
	char later[sizeof(TOKEN)];

	memcpy(later, TOKEN, sizeof(later));
	memcpy(later, "Nov 23 03:10:21.399", 19);
	ck_assert(vrms_timeline_read(&timeline, later));
	ck_assert(vrms_timeline_read(&timeline, TOKEN));
	ck_assert(!vrms_timeline_read(&timeline, later));
	ck_assert_int_eq(after_ms(&timeline, VRMS_TIMELINE_TOKEN_LOST, NULL), 785);
}
END_TEST

START_TEST(events_stand_in_order_of_time)
{
	struct vrms_timeline timeline = started();

	vrms_timeline_read(&timeline, STARTED);
	vrms_timeline_read(&timeline, FENCED);
	vrms_timeline_add(&timeline, VRMS_TIMELINE_GUEST_LIVES, 5000, "vm1", "node3");
	vrms_timeline_read(&timeline, TOKEN);
	ck_assert_uint_eq(timeline.count, 5);
	for (size_t i = 1; i < timeline.count; i++) {
		ck_assert_int_le(timeline.events[i - 1].after_ms, timeline.events[i].after_ms);
	}
}
END_TEST

START_TEST(what_came_before_the_cut_is_left_out)
{
	struct vrms_timeline timeline = started();
	char earlier[sizeof(TOKEN)];

	memcpy(earlier, TOKEN, sizeof(earlier));
	memcpy(earlier, "Nov 23 03:10:20.499", 19);
	ck_assert(!vrms_timeline_read(&timeline, earlier));
	ck_assert(!vrms_timeline_read(&timeline, "no log line at all"));
	ck_assert(!vrms_timeline_read(&timeline, "A processor failed, forming new configuration"));
}
END_TEST

START_TEST(a_new_year_may_come_between)
{
	const struct tm eve = {
	    .tm_year = 126, .tm_mon = 11, .tm_mday = 31, .tm_hour = 23, .tm_min = 59, .tm_sec = 59};
	struct vrms_timeline timeline;

	vrms_timeline_init(&timeline, &eve, 900, "node2");
	ck_assert(vrms_timeline_read(&timeline, "Jan  1 00:00:01.100 [4] node1 corosync notice  "
						"[TOTEM ] A processor failed, forming new "
						"configuration: token timed out"));
	ck_assert_int_eq(after_ms(&timeline, VRMS_TIMELINE_TOKEN_LOST, NULL), 1200);
}
END_TEST

UNIT_MAIN("timeline", a_fail_over_is_read_from_the_logs, a_vm_event_says_where,
	  a_fence_that_failed_is_not_a_fence, a_start_that_failed_is_not_a_start,
	  the_fencing_of_another_node_is_another_story, the_earliest_sight_of_an_event_counts,
	  events_stand_in_order_of_time, what_came_before_the_cut_is_left_out,
	  a_new_year_may_come_between)
