/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/fault.h"

#include <stdio.h>
#include <string.h>

#include "common/random.h"
#include "tests/unit/unit.h"

static const struct vrms_fault_config config = {.vm_count_max = 4,
						.flap_count = 3,
						.flap_window_ms = 60000,
						.retry_ms = 1000};

static struct vrms_fault_plan plan;

static bool tell(struct vrms_fault *fault, int64_t now_ms, enum vrms_fault_event_kind kind,
		 const char *vm, bool yes)
{
	struct vrms_fault_event event = {.now_ms = now_ms, .kind = kind, .vm = vm, .yes = yes};

	return vrms_fault_step(fault, &event, &plan);
}

static void evidence(struct vrms_fault *fault, int64_t now_ms, const char *vm,
		     enum vrms_reason reason)
{
	struct vrms_fault_event event = {.now_ms = now_ms,
					 .kind = VRMS_FAULT_EVIDENCE,
					 .vm = vm,
					 .reason = reason};

	ck_assert(vrms_fault_step(fault, &event, &plan));
}

static struct vrms_fault *one_running(void)
{
	struct vrms_fault *fault = vrms_fault_new(&config);

	ck_assert_ptr_nonnull(fault);
	tell(fault, 0, VRMS_FAULT_MANAGED, "vm1", true);
	tell(fault, 0, VRMS_FAULT_RUNNING, "vm1", true);
	return fault;
}

static void expect_one(enum vrms_fault_step_kind kind, enum vrms_reason reason)
{
	ck_assert_uint_eq(plan.count, 1);
	ck_assert_int_eq(plan.steps[0].kind, kind);
	ck_assert_str_eq(vrms_reason_name(plan.steps[0].reason), vrms_reason_name(reason));
}

START_TEST(a_dead_process_is_reported_at_once)
{
	struct vrms_fault *fault VRMS_CLEANUP(vrms_fault_freep) = one_running();

	evidence(fault, 100, "vm1", VRMS_REASON_VM_DIED);
	expect_one(VRMS_FAULT_REPORT, VRMS_REASON_VM_DIED);
	ck_assert_str_eq(plan.steps[0].vm, "vm1");
}
END_TEST

START_TEST(the_second_source_confirms_and_is_not_reported)
{
	struct vrms_fault *fault VRMS_CLEANUP(vrms_fault_freep) = one_running();

	evidence(fault, 100, "vm1", VRMS_REASON_VM_DIED);
	evidence(fault, 310, "vm1", VRMS_REASON_VM_STOPPED_CRASHED);
	expect_one(VRMS_FAULT_NOTE, VRMS_REASON_VM_CONFIRMED);
	evidence(fault, 320, "vm1", VRMS_REASON_VM_STOPPED_FAILED);
	ck_assert_uint_eq(plan.count, 0);
}
END_TEST

START_TEST(a_stop_operation_is_no_failure)
{
	struct vrms_fault *fault VRMS_CLEANUP(vrms_fault_freep) = one_running();

	tell(fault, 50, VRMS_FAULT_OPERATION, "vm1", true);
	evidence(fault, 100, "vm1", VRMS_REASON_VM_DIED);
	expect_one(VRMS_FAULT_NOTE, VRMS_REASON_VM_BUSY);
	evidence(fault, 120, "vm1", VRMS_REASON_VM_STOPPED_DESTROYED);
	expect_one(VRMS_FAULT_NOTE, VRMS_REASON_VM_BUSY);
}
END_TEST

START_TEST(a_machine_of_somebody_else_is_left_alone)
{
	struct vrms_fault *fault VRMS_CLEANUP(vrms_fault_freep) = one_running();

	tell(fault, 50, VRMS_FAULT_MANAGED, "vm1", false);
	evidence(fault, 100, "vm1", VRMS_REASON_VM_DIED);
	expect_one(VRMS_FAULT_NOTE, VRMS_REASON_VM_NOT_MANAGED);
}
END_TEST

START_TEST(a_recovered_machine_is_a_new_incident)
{
	struct vrms_fault *fault VRMS_CLEANUP(vrms_fault_freep) = one_running();

	evidence(fault, 100, "vm1", VRMS_REASON_VM_IO_ERROR);
	tell(fault, 110, VRMS_FAULT_DELIVERED, "vm1", true);
	tell(fault, 200, VRMS_FAULT_OPERATION, "vm1", true); /* stop, then start */
	tell(fault, 900, VRMS_FAULT_OPERATION, "vm1", false);
	tell(fault, 900, VRMS_FAULT_RUNNING, "vm1", true);
	evidence(fault, 5000, "vm1", VRMS_REASON_VM_PANICKED);
	expect_one(VRMS_FAULT_REPORT, VRMS_REASON_VM_PANICKED);
	ck_assert_uint_eq(plan.steps[0].incident, 2);
}
END_TEST

START_TEST(an_undelivered_report_is_repeated_until_it_arrives)
{
	struct vrms_fault *fault VRMS_CLEANUP(vrms_fault_freep) = one_running();

	evidence(fault, 100, "vm1", VRMS_REASON_VM_DIED);
	tell(fault, 105, VRMS_FAULT_DELIVERED, "vm1", false);
	expect_one(VRMS_FAULT_NOTE, VRMS_REASON_VM_REPORT_FAILED);
	tell(fault, 1000, VRMS_FAULT_TICK, NULL, false);
	ck_assert_uint_eq(plan.count, 0);
	tell(fault, 1100, VRMS_FAULT_TICK, NULL, false);
	expect_one(VRMS_FAULT_REPORT, VRMS_REASON_VM_DIED);
	ck_assert(plan.steps[0].is_repeated); /* nothing new for the journal */
	ck_assert_uint_eq(plan.steps[0].incident, 1);
	tell(fault, 1105, VRMS_FAULT_DELIVERED, "vm1", false);
	ck_assert_uint_eq(plan.count, 0);
	tell(fault, 2100, VRMS_FAULT_TICK, NULL, false);
	expect_one(VRMS_FAULT_REPORT, VRMS_REASON_VM_DIED);
	tell(fault, 2105, VRMS_FAULT_DELIVERED, "vm1", true);
	expect_one(VRMS_FAULT_NOTE, VRMS_REASON_VM_REPORT_LATE);
	tell(fault, 2106, VRMS_FAULT_DELIVERED, "vm1", false); /* an earlier attempt's */
	ck_assert_uint_eq(plan.count, 0);
	tell(fault, 9000, VRMS_FAULT_TICK, NULL, false);
	ck_assert_uint_eq(plan.count, 0);
}
END_TEST

START_TEST(a_flapping_machine_is_left_to_its_monitor_and_said_so_once)
{
	struct vrms_fault *fault VRMS_CLEANUP(vrms_fault_freep) = one_running();

	for (int64_t i = 0; i < 3; i++) {
		evidence(fault, i * 1000, "vm1", VRMS_REASON_VM_DIED);
		expect_one(VRMS_FAULT_REPORT, VRMS_REASON_VM_DIED);
		tell(fault, i * 1000 + 500, VRMS_FAULT_RUNNING, "vm1", true);
	}
	evidence(fault, 4000, "vm1", VRMS_REASON_VM_DIED);
	expect_one(VRMS_FAULT_NOTE, VRMS_REASON_VM_FLAPPING);
	tell(fault, 4500, VRMS_FAULT_RUNNING, "vm1", true);
	evidence(fault, 5000, "vm1", VRMS_REASON_VM_DIED);
	ck_assert_uint_eq(plan.count, 0);
	tell(fault, 9500, VRMS_FAULT_TICK, NULL, false);
	ck_assert_uint_eq(plan.count, 0);
	tell(fault, 9600, VRMS_FAULT_RUNNING, "vm1", true);
	evidence(fault, 60001, "vm1", VRMS_REASON_VM_DIED); /* the first one is out of the window */
	expect_one(VRMS_FAULT_REPORT, VRMS_REASON_VM_DIED);
}
END_TEST

START_TEST(the_status_says_until_when_failures_are_left_to_the_monitor)
{
	struct vrms_fault *fault VRMS_CLEANUP(vrms_fault_freep) = one_running();
	struct vrms_fault_status status;

	for (int64_t i = 0; i < 3; i++) {
		ck_assert(vrms_fault_status(fault, "vm1", &status));
		ck_assert_int_eq(status.limited_until_ms, INT64_MIN);
		evidence(fault, 1000 + i * 1000, "vm1", VRMS_REASON_VM_DIED);
		tell(fault, 1500 + i * 1000, VRMS_FAULT_RUNNING, "vm1", true);
	}
	ck_assert(vrms_fault_status(fault, "vm1", &status));
	ck_assert_int_eq(status.limited_until_ms, 61000); /* a window after the first of three */
	ck_assert_int_eq(status.since_ms, 3500);
	ck_assert(status.is_running && !status.is_failed);
	evidence(fault, 61000, "vm1", VRMS_REASON_VM_DIED);
	expect_one(VRMS_FAULT_REPORT, VRMS_REASON_VM_DIED);
	ck_assert(vrms_fault_status(fault, "vm1", &status));
	ck_assert_int_eq(status.limited_until_ms, 62000);
	ck_assert(!vrms_fault_status(fault, "vm2", &status));
}
END_TEST

START_TEST(one_machine_too_many_is_refused_and_hurts_nobody)
{
	struct vrms_fault *fault VRMS_CLEANUP(vrms_fault_freep) = one_running();

	ck_assert(tell(fault, 0, VRMS_FAULT_MANAGED, "vm2", true));
	ck_assert(tell(fault, 0, VRMS_FAULT_MANAGED, "vm3", true));
	ck_assert(tell(fault, 0, VRMS_FAULT_MANAGED, "vm4", true));
	ck_assert(!tell(fault, 0, VRMS_FAULT_MANAGED, "vm5", true));
	evidence(fault, 100, "vm1", VRMS_REASON_VM_DIED);
	expect_one(VRMS_FAULT_REPORT, VRMS_REASON_VM_DIED);
	tell(fault, 200, VRMS_FAULT_MANAGED, "vm4", false);
	ck_assert(tell(fault, 200, VRMS_FAULT_MANAGED, "vm5", true)); /* its row is free now */
	tell(fault, 200, VRMS_FAULT_RUNNING, "vm5", true);
	evidence(fault, 300, "vm5", VRMS_REASON_VM_DIED);
	expect_one(VRMS_FAULT_REPORT, VRMS_REASON_VM_DIED);
	ck_assert_uint_eq(plan.steps[0].incident, 2); /* and not vm1's number */
}
END_TEST

/* Model of one machine, to hold the core against. */
struct model {
	bool managed, busy, incident_reported;
	int64_t reports_ms[1000];
	unsigned report_count;
};

static void check_reports(struct model *model, int64_t now_ms, uint64_t seed, bool is_tick)
{
	for (unsigned i = 0; i < plan.count; i++) {
		if (plan.steps[i].kind != VRMS_FAULT_REPORT) {
			continue;
		}
		ck_assert_msg(model->managed && !model->busy,
			      "seed %lu: reported what is not the cluster's, or in its hands",
			      seed);
		ck_assert_msg(is_tick == model->incident_reported,
			      "seed %lu: one incident, two reports", seed);
		model->incident_reported = true;
		if (!is_tick) {
			unsigned count = model->report_count;

			ck_assert_msg(count < config.flap_count ||
					  now_ms - model->reports_ms[count - config.flap_count] >=
					      config.flap_window_ms,
				      "seed %lu: more reports than the limit allows", seed);
			model->reports_ms[model->report_count++] = now_ms;
		}
	}
}

static void one_event(struct vrms_fault *fault, struct vrms_random *random, struct model *model,
		      int64_t now_ms, uint64_t seed)
{
	uint64_t dice = vrms_random_below(random, 12);
	bool yes = vrms_random_below(random, 2) == 1;

	if (dice < 4) {
		evidence(fault, now_ms, "vm1",
			 VRMS_REASON_VM_DIED + (enum vrms_reason)vrms_random_below(random, 10));
	} else if (dice < 6) {
		tell(fault, now_ms, VRMS_FAULT_OPERATION, "vm1", yes);
		model->busy = yes;
		model->incident_reported = model->incident_reported && !yes;
	} else if (dice < 7) {
		tell(fault, now_ms, VRMS_FAULT_MANAGED, "vm1", yes);
		model->managed = yes;
		model->incident_reported = model->incident_reported && yes;
	} else if (dice < 9) {
		tell(fault, now_ms, VRMS_FAULT_RUNNING, "vm1", true);
		model->incident_reported = false;
	} else if (dice < 10) {
		tell(fault, now_ms, VRMS_FAULT_DELIVERED, "vm1", yes);
	} else {
		tell(fault, now_ms, VRMS_FAULT_TICK, NULL, false);
	}
	check_reports(model, now_ms, seed, dice >= 10);
}

START_TEST(random_histories_keep_the_rules)
{
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct vrms_fault *fault VRMS_CLEANUP(vrms_fault_freep) = vrms_fault_new(&config);
		struct vrms_random random;
		struct model model = {0};
		int64_t now_ms = 0;

		vrms_random_init(&random, seed);
		for (int i = 0; i < 800; i++) {
			one_event(fault, &random, &model, now_ms, seed);
			now_ms += (int64_t)vrms_random_below(&random, 5000);
		}
		ck_assert_uint_gt(model.report_count, 0);
	}
}
END_TEST

UNIT_MAIN("quorum_fault", a_dead_process_is_reported_at_once,
	  the_second_source_confirms_and_is_not_reported, a_stop_operation_is_no_failure,
	  a_machine_of_somebody_else_is_left_alone, a_recovered_machine_is_a_new_incident,
	  an_undelivered_report_is_repeated_until_it_arrives,
	  a_flapping_machine_is_left_to_its_monitor_and_said_so_once,
	  the_status_says_until_when_failures_are_left_to_the_monitor,
	  one_machine_too_many_is_refused_and_hurts_nobody, random_histories_keep_the_rules)
