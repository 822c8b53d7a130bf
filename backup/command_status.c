/* command_status.c - status: of each VM the ages, sizes, verification, alarms.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backup/command_policy.h"
#include "backup/schedule_facts.h"
#include "backup/status.h"
#include "backup/status_record.h"

enum { EXIT_ALARMS = 3 };

struct report {
	const struct vrms_policy_world *world;
	const struct vrms_point_list *list; /* of all VMs */
	const json_t *record;
	json_t *rows; /* NULL: for people */
	int64_t now_s;
	size_t alarm_count, row_count;
};

/* One VM. */
struct row {
	const char *vm;
	const struct vrms_policy *policy; /* NULL none */
	const struct vrms_point *points;
	size_t count;
	const struct vrms_point *last;   /* NULL none */
	const struct vrms_point *tested; /* that was tried last, NULL none */
	struct vrms_status_facts facts;
	uint64_t disk_bytes, stored_bytes;
	uint32_t alarms;
};

static uint64_t disk_bytes(const struct vrms_point *point)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < point->part_count; i++) {
		bytes += point->parts[i].is_disk ? point->parts[i].bytes : 0;
	}
	return bytes;
}

static uint32_t count_damaged(const struct report *report, const char *vm)
{
	char folder[256];
	uint32_t count = 0;

	snprintf(folder, sizeof(folder), "points/%.200s/", vm);
	for (size_t i = 0; i < report->list->damaged_count; i++) {
		count += strstr(report->list->damaged[i], folder) != NULL;
	}
	return count;
}

/* Since when a backup is due, UTC; 0: none is. */
static int64_t find_due(const struct report *report, const struct row *row)
{
	struct vrms_schedule_done done;
	struct vrms_schedule_decision decision;
	int64_t local_s = vrms_schedule_local(report->now_s);

	if (row->policy == NULL) {
		return 0;
	}
	vrms_schedule_facts(row->points, row->count, report->record, row->vm, &done);
	vrms_schedule_decide(row->policy, &done, local_s, &decision);
	return decision.is_due && decision.since_s != VRMS_SCHEDULE_NEVER
		   ? decision.since_s - (local_s - report->now_s)
		   : 0;
}

static void look_at_care(const struct report *report, struct vrms_status_facts *facts)
{
	int64_t found, sample_found;
	int64_t verify_s = vrms_status_care(report->record, VRMS_STATUS_VERIFY, &found);
	int64_t sample_s = vrms_status_care(report->record, VRMS_STATUS_SAMPLE, &sample_found);

	facts->verify_s = verify_s;
	facts->found = sample_s > verify_s ? sample_found : found;
}

/* Of which point there is the newest trial. */
static const struct vrms_point *find_tested(const struct row *row)
{
	const struct vrms_point *tested = NULL;

	for (size_t i = 0; i < row->count; i++) {
		const struct vrms_trial *trial = &row->points[i].trial;

		if (trial->time_s > 0 &&
		    (tested == NULL || trial->time_s >= tested->trial.time_s)) {
			tested = &row->points[i];
		}
	}
	return tested;
}

static void fill_row(const struct report *report, struct row *row)
{
	struct vrms_status_attempt attempt = vrms_status_attempt(report->record, row->vm);

	row->tested = find_tested(row);
	row->policy = vrms_policies_find(report->world->policies, row->vm);
	row->last = row->count > 0 ? &row->points[row->count - 1] : NULL;
	row->facts = (struct vrms_status_facts){
	    .now_s = report->now_s,
	    .last_s = row->last != NULL ? row->last->time_s : 0,
	    .due_since_s = find_due(report, row),
	    .failed_s =
		row->last != NULL && row->last->time_s > attempt.failed_s ? 0 : attempt.failed_s,
	    .test_s = row->tested != NULL ? row->tested->trial.time_s : 0,
	    .is_test_good = row->tested != NULL && row->tested->trial.is_passed,
	    .is_frozen = row->last != NULL && strcmp(row->last->consistency, "crash") != 0,
	    .damaged_points = count_damaged(report, row->vm),
	};
	look_at_care(report, &row->facts);
	row->disk_bytes = row->last != NULL ? disk_bytes(row->last) : 0;
	for (size_t i = 0; i < row->count; i++) {
		row->stored_bytes += row->points[i].stored_bytes;
	}
	row->alarms = vrms_status_judge(row->policy, &row->facts);
}

/* "3 h", "2 d", "never" */
static const char *age_print(int64_t now_s, int64_t time_s, char text[32])
{
	int64_t age_s = now_s > time_s ? now_s - time_s : 0;

	if (time_s == 0) {
		return "never";
	}
	if (age_s < 2 * 3600) {
		snprintf(text, 32, "%" PRId64 " min", age_s / 60);
	} else if (age_s < 2 * 86400) {
		snprintf(text, 32, "%" PRId64 " h", age_s / 3600);
	} else {
		snprintf(text, 32, "%" PRId64 " d", age_s / 86400);
	}
	return text;
}

static void print_row(const struct report *report, const struct row *row)
{
	struct vrms_status_attempt attempt = vrms_status_attempt(report->record, row->vm);
	char age[32], verify[32], tested[32], disks[16], stored[16];

	printf("%-20s %6zu %-8s %-11s %10s %10s %-8s %-8s %s\n", row->vm, row->count,
	       age_print(report->now_s, row->facts.last_s, age),
	       row->last != NULL ? row->last->consistency : "-",
	       vrms_size_print(row->disk_bytes, disks), vrms_size_print(row->stored_bytes, stored),
	       age_print(report->now_s, row->facts.verify_s, verify),
	       age_print(report->now_s, row->facts.test_s, tested),
	       row->alarms != 0      ? "ALARM"
	       : row->policy == NULL ? "no policy"
				     : "good");
	for (int i = 0; i < VRMS_STATUS_ALARM_COUNT; i++) {
		if ((row->alarms & 1U << i) != 0) {
			printf("    %s%s%s%s%s\n",
			       vrms_status_alarm_text((enum vrms_status_alarm)i),
			       i == VRMS_STATUS_FAILED ? ", on " : "",
			       i == VRMS_STATUS_FAILED ? attempt.host : "",
			       i == VRMS_STATUS_FAILED || i == VRMS_STATUS_TEST_FAILED ? ": " : "",
			       i == VRMS_STATUS_FAILED        ? attempt.text
			       : i == VRMS_STATUS_TEST_FAILED ? row->tested->trial.text
							      : "");
		}
	}
}

static json_t *time_json(int64_t time_s)
{
	return time_s > 0 ? json_integer((json_int_t)time_s) : json_null();
}

static int row_json(const struct report *report, const struct row *row)
{
	struct vrms_status_attempt attempt = vrms_status_attempt(report->record, row->vm);
	const struct vrms_trial never = {0};
	const struct vrms_trial *test = row->tested != NULL ? &row->tested->trial : &never;
	json_t *alarms = json_array();
	json_t *value;

	for (int i = 0; i < VRMS_STATUS_ALARM_COUNT; i++) {
		if ((row->alarms & 1U << i) != 0) {
			json_array_append_new(alarms, json_string(vrms_status_alarm_name(
							  (enum vrms_status_alarm)i)));
		}
	}
	value =
	    json_pack("{s:s,s:b,s:I,s:o,s:s,s:I,s:I,s:o,s:o,s:I,s:b,s:s,s:o,s:s,s:o}", "vm",
		      row->vm, "has_policy", row->policy != NULL, "points", (json_int_t)row->count,
		      "last_s", time_json(row->facts.last_s), "consistency",
		      row->last != NULL ? row->last->consistency : "", "disk_bytes",
		      (json_int_t)row->disk_bytes, "stored_bytes", (json_int_t)row->stored_bytes,
		      "verify_s", time_json(row->facts.verify_s), "test_s", time_json(test->time_s),
		      "test_point", (json_int_t)(row->tested != NULL ? row->tested->sequence : 0),
		      "test_good", (int)test->is_passed, "test_text", test->text, "failed_s",
		      time_json(attempt.failed_s), "failure", attempt.text, "alarms", alarms);
	return value != NULL && json_array_append_new(report->rows, value) == 0 ? 0 : -ENOMEM;
}

static int report_vm(struct report *report, const char *vm, const struct vrms_point *points,
		     size_t count, struct vrms_error *error)
{
	const struct vrms_cli *cli = &report->world->cli;
	struct row row = {.vm = vm, .points = points, .count = count};

	if (cli->argument_count > 0 && strcmp(cli->arguments[0], vm) != 0) {
		return 0;
	}
	fill_row(report, &row);
	report->row_count++;
	report->alarm_count += row.alarms != 0;
	if (report->rows == NULL) {
		print_row(report, &row);
		return 0;
	}
	return row_json(report, &row) == 0 ? 0 : vrms_error_set(error, -ENOMEM, "out of memory");
}

static bool has_points(const struct vrms_point_list *list, const char *vm)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->points[i].vm, vm) == 0) {
			return true;
		}
	}
	return false;
}

/* Those with backups, then those that should have some. */
static int report_all(struct report *report, struct vrms_error *error)
{
	const struct vrms_point_list *list = report->list;
	const struct vrms_policies *policies = report->world->policies;
	int rc = 0;

	for (size_t i = 0, count; i < list->count && rc == 0; i += count) {
		for (count = 1; i + count < list->count &&
				strcmp(list->points[i + count].vm, list->points[i].vm) == 0;) {
			count++;
		}
		rc = report_vm(report, list->points[i].vm, &list->points[i], count, error);
	}
	for (size_t i = 0; i < policies->count && rc == 0; i++) {
		const char *vm = policies->rows[i].vm;

		if (strcmp(vm, "*") != 0 && policies->rows[i].is_backed_up &&
		    !has_points(list, vm)) {
			rc = report_vm(report, vm, NULL, 0, error);
		}
	}
	for (size_t i = 0; i < report->world->vms.count && rc == 0; i++) {
		const char *vm = report->world->vms.rows[i].name;
		const struct vrms_policy *policy = vrms_policies_find(policies, vm);

		if (policy != NULL && strcmp(policy->vm, "*") == 0 && !has_points(list, vm)) {
			rc = report_vm(report, vm, NULL, 0, error);
		}
	}
	return rc;
}

int vrms_command_status(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_policy_world world VRMS_CLEANUP(vrms_policy_world_done) = {0};
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	struct vrms_point_list list VRMS_CLEANUP(vrms_point_list_done) = {0};
	json_t *record VRMS_CLEANUP(json_decrefp) = NULL;
	json_t *rows VRMS_CLEANUP(json_decrefp) = cli->json ? json_array() : NULL;
	struct report report = {&world, &list, NULL, rows, time(NULL), 0, 0};
	int rc = vrms_policy_world_read(cli, true, &world, error);

	if (rc == 0) {
		rc = vrms_policy_world_look(&world, error);
	}
	if (rc == 0) {
		rc = vrms_open_repository(&world.cli, VRMS_LOCK_READER, "status", &open, error);
	}
	if (rc == 0) {
		rc = vrms_points_read(open.repository, NULL, &list, error);
	}
	if (rc == 0) {
		rc = vrms_status_read(open.repository, &record, error);
	}
	if (rc < 0) {
		return rc;
	}
	report.record = record;
	if (rows == NULL) {
		printf("%-20s %6s %-8s %-11s %10s %10s %-8s %-8s %s\n", "VM", "POINTS", "AGE",
		       "CONSISTENCY", "DISKS", "STORED", "VERIFIED", "TESTED", "STATE");
	}
	rc = report_all(&report, error);
	if (rc == 0 && cli->argument_count > 0 && report.row_count == 0) {
		rc = vrms_error_set(error, -ENOENT, "no backup and no policy of VM '%s'",
				    cli->arguments[0]);
	}
	vrms_cli_tell_damaged(&list);
	report.alarm_count += list.damaged_count;
	if (rc == 0 && rows != NULL) {
		json_dumpf(rows, stdout, JSON_INDENT(1));
		printf("\n");
	}
	return rc < 0 ? rc : report.alarm_count > 0 ? EXIT_ALARMS : 0;
}
