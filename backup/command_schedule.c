/* command_schedule.c - schedule: run what is due of the VMs here, say what is next.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backup/announce.h"
#include "backup/command_policy.h"
#include "backup/command_take.h"
#include "backup/command_timers.h"
#include "backup/live.h"
#include "backup/schedule_facts.h"
#include "backup/status_record.h"
#include "backup/vm_xml.h"

enum { LOCK_WAIT_MS = 3600 * 1000, PRUNE_WAIT_MS = 300 * 1000 };

/* What the repository says and what follows. */
struct judged {
	struct vrms_schedule_done done;
	struct vrms_schedule_decision decision;
};

static int judge(struct vrms_repository *repository, const struct vrms_policy *policy,
		 const char *vm, struct judged *ret_judged, struct vrms_error *error)
{
	struct vrms_point_list list VRMS_CLEANUP(vrms_point_list_done) = {0};
	json_t *record VRMS_CLEANUP(json_decrefp) = NULL;
	int rc = vrms_points_read(repository, vm, &list, error);

	if (rc == 0) {
		rc = vrms_status_read(repository, &record, error);
	}
	if (rc == 0) {
		vrms_schedule_facts(list.points, list.count, record, vm, &ret_judged->done);
		vrms_schedule_decide(policy, &ret_judged->done, vrms_schedule_local(time(NULL)),
				     &ret_judged->decision);
	}
	return rc;
}

static enum vrms_mode mode_of(enum vrms_policy_job job)
{
	static const enum vrms_mode modes[] = {VRMS_MODE_FULL, VRMS_MODE_DIFFERENTIAL,
					       VRMS_MODE_INCREMENTAL};

	return modes[job];
}

/* The policy as if it had been written on the command line.  disks: holds the names. */
static int apply_policy(const struct vrms_policy *policy, const char *vm, struct vrms_cli *cli,
			struct vrms_vm_xml *disks, struct vrms_error *error)
{
	struct vrms_live *live VRMS_CLEANUP(vrms_live_closep) = NULL;
	char *xml VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_live_open(cli->connect, vm, &live, error);

	if (rc == 0) {
		rc = vrms_live_xml(live, false, &xml, error);
	}
	if (rc == 0) {
		rc = vrms_vm_xml_parse(xml, disks, error);
	}
	cli->no_freeze = policy->consistency == VRMS_POLICY_CRASH;
	cli->excluded.count = 0;
	for (size_t i = 0; rc == 0 && i < disks->disk_count; i++) {
		if (vrms_policy_excludes(policy, disks->disks[i].target)) {
			cli->excluded.rows[cli->excluded.count++] = disks->disks[i].target;
		}
		if (cli->excluded.count == VRMS_CLI_LIST_MAX) {
			break;
		}
	}
	return rc;
}

static int take(const struct vrms_cli *base, struct vrms_repository *repository,
		const struct vrms_policy *policy, const struct vrms_take *take,
		struct vrms_error *error)
{
	struct vrms_take_files files VRMS_CLEANUP(vrms_take_files_done) = {0};
	struct vrms_point point VRMS_CLEANUP(vrms_point_done) = {0};
	struct vrms_vm_xml disks VRMS_CLEANUP(vrms_vm_xml_done) = {0};
	struct vrms_announce *announce VRMS_CLEANUP(vrms_announce_endp) = NULL;
	struct vrms_cli cli = *base;
	char what[80];
	int rc = apply_policy(policy, take->vm, &cli, &disks, error);

	/* Not before the lock is ours: that may take an hour. */
	snprintf(what, sizeof(what), "backup of %.60s", take->vm);
	announce = rc == 0 ? vrms_announce_begin(what) : NULL;

	if (rc == 0) {
		rc = vrms_take_vm(&cli, repository, take, &files, &point, error);
	}
	if (rc == 0) {
		vrms_take_print(&point);
	}
	return rc;
}

/* The lock may have been waited for: what another node did meanwhile is not done again. */
static int take_if_still_due(const struct vrms_cli *cli, const struct vrms_policy *policy,
			     const char *vm, struct vrms_error *error)
{
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	struct judged judged;
	struct vrms_take request = {
	    .vm = vm,
	    .thread_count = vrms_take_thread_count(cli),
	    .rate_bytes = policy->rate_bytes,
	    .stop = cli->stop,
	};
	char purpose[80];
	int rc;

	snprintf(purpose, sizeof(purpose), "a backup of %.50s", vm);
	rc = vrms_open_repository(cli, VRMS_LOCK_WRITER, purpose, &open, error);
	if (rc == 0) {
		rc = judge(open.repository, policy, vm, &judged, error);
	}
	if (rc < 0 || judged.decision.hold != VRMS_SCHEDULE_GO) {
		return rc;
	}
	request.mode = mode_of(judged.decision.job);
	request.is_self_contained = judged.decision.is_self_contained;
	rc = take(cli, open.repository, policy, &request, error);
	/* One that moved or ended meanwhile is no failure: whoever has it now takes it. */
	if (rc != -ECANCELED && rc != -ENOENT && rc != -EREMOTE) {
		struct vrms_error why = {0};

		if (vrms_status_note_attempt(open.repository, vm, rc < 0 ? error->text : NULL,
					     &why) < 0) {
			fprintf(stderr, "vrms-backup: note: %s\n", why.text);
		}
	}
	return rc < 0 ? vrms_error_wrap(error, rc, "backup of '%s'", vm) : 0;
}

/* Looks first as a reader: most of the time nothing is due. */
static int run_vm(const struct vrms_policy_world *world, const struct vrms_policy *policy,
		  const char *vm, struct vrms_error *error)
{
	struct judged judged;
	int rc;

	{
		struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};

		rc = vrms_open_repository(&world->cli, VRMS_LOCK_READER, "schedule", &open, error);
		if (rc == 0) {
			rc = judge(open.repository, policy, vm, &judged, error);
		}
	}
	if (rc < 0 || judged.decision.hold != VRMS_SCHEDULE_GO) {
		return rc;
	}
	printf("%s: %s is due\n", vm, vrms_policy_job_name(judged.decision.job));
	fflush(stdout);
	if (world->cli.dry_run) {
		return 0;
	}
	return take_if_still_due(&world->cli, policy, vm, error);
}

static bool is_stopped(const struct vrms_cli *cli)
{
	return atomic_load(cli->stop);
}

/* Looks where the VM is now: the backups before it may have taken hours. */
static int visit_vm(struct vrms_policy_world *world, const char *vm, struct vrms_error *error)
{
	const struct vrms_policy *policy = vrms_policies_find(world->policies, vm);
	enum vrms_place place;
	const char *node;
	int rc;

	if (policy == NULL) {
		return 0;
	}
	rc = vrms_policy_world_look(world, error);
	if (rc < 0) {
		return rc;
	}
	place = vrms_policy_place(world, vm, &node);
	return place == VRMS_PLACE_HERE || place == VRMS_PLACE_OFF
		   ? run_vm(world, policy, vm, error)
		   : 0;
}

/* One VM's failure is not another's.  Returns how many failed. */
static int run_vms(struct vrms_policy_world *world)
{
	struct vrms_live_list vms VRMS_CLEANUP(vrms_live_list_done) = world->vms;
	int failed = 0;

	memset(&world->vms, 0, sizeof(world->vms)); /* each visit looks anew */
	for (size_t i = 0; i < vms.count && !is_stopped(&world->cli); i++) {
		struct vrms_error error = {0};

		if (visit_vm(world, vms.rows[i].name, &error) < 0) {
			fprintf(stderr, "vrms-backup: %s\n", error.text);
			failed++;
		}
	}
	return failed;
}

/* What is done once for the whole repository. */
static int run_care(const struct vrms_policy_world *world, enum vrms_status_care care,
		    const struct vrms_policy_times *times, struct vrms_error *error)
{
	struct vrms_cli cli = world->cli;
	int64_t last_s, now_s = vrms_schedule_local(time(NULL));
	int rc;

	if (times->count == 0 || !vrms_policy_is_keeper(world) || is_stopped(&cli)) {
		return 0;
	}
	{
		struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
		json_t *record VRMS_CLEANUP(json_decrefp) = NULL;

		rc = vrms_open_repository(&cli, VRMS_LOCK_READER, "schedule", &open, error);
		if (rc == 0) {
			rc = vrms_status_read(open.repository, &record, error);
		}
		last_s = rc == 0 ? vrms_status_care(record, care, NULL) : 0;
	}
	last_s = last_s > 0 ? vrms_schedule_local(last_s) : VRMS_SCHEDULE_NEVER;
	if (rc < 0 || !vrms_schedule_is_due(times, last_s, now_s)) {
		return rc;
	}
	printf("%s is due\n", care == VRMS_STATUS_PRUNE ? "prune" : "verify");
	fflush(stdout);
	if (cli.dry_run) {
		return 0;
	}
	if (care == VRMS_STATUS_PRUNE) {
		/* Somebody may read for days; the VMs' next backups must not wait for that. */
		cli.lock_wait_ms =
		    cli.lock_wait_ms < PRUNE_WAIT_MS ? cli.lock_wait_ms : PRUNE_WAIT_MS;
		return vrms_care_prune(&cli, world->policies, error);
	}
	cli.budget_bytes = (uint64_t)world->policies->verify_bytes;
	cli.only_new = cli.budget_bytes == 0;
	return vrms_command_verify(&cli, error);
}

static int run(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_policy_world world VRMS_CLEANUP(vrms_policy_world_done) = {0};
	int failed, rc = vrms_policy_world_read(cli, false, &world, error);

	if (rc == 0) {
		rc = vrms_policy_world_look(&world, error);
	}
	if (rc < 0) {
		return rc;
	}
	if (!world.has_libvirt) {
		return vrms_error_set(error, -ENOTCONN, "libvirt of this host does not answer");
	}
	if (world.cli.lock_wait_ms == 0) {
		world.cli.lock_wait_ms = LOCK_WAIT_MS;
	}
	failed = run_vms(&world);
	rc = run_care(&world, VRMS_STATUS_PRUNE, &world.policies->prune, error);
	if (rc >= 0) {
		int found = run_care(&world,
				     world.policies->verify_bytes > 0 ? VRMS_STATUS_SAMPLE
								      : VRMS_STATUS_VERIFY,
				     &world.policies->verify, error);

		rc = found < 0 ? found : rc | found;
	}
	if (rc >= 0 && is_stopped(cli)) {
		rc = vrms_error_set(error, -ECANCELED, "cancelled");
	}
	return rc < 0 ? rc : failed > 0 || rc > 0;
}

static const char *place_text(enum vrms_place place, const char *node)
{
	switch (place) {
	case VRMS_PLACE_HERE:
		return "here";
	case VRMS_PLACE_OFF:
		return "off";
	case VRMS_PLACE_OFF_OTHERS:
		return "off, another node's";
	case VRMS_PLACE_NO_QUORUM:
		return "no quorum";
	default:
		return node[0] != '\0' ? node : "not here";
	}
}

static json_t *time_json(int64_t local_s)
{
	int64_t now_s = time(NULL);

	/* Back from local time with today's offset. */
	return local_s == VRMS_SCHEDULE_NEVER
		   ? json_null()
		   : json_integer((json_int_t)(local_s - (vrms_schedule_local(now_s) - now_s)));
}

static void print_next(const char *vm, const char *where,
		       const struct vrms_schedule_decision *decision)
{
	int64_t now_s = time(NULL), offset_s = vrms_schedule_local(now_s) - now_s;
	char next[24] = "never";

	if (decision->next_s != VRMS_SCHEDULE_NEVER) {
		vrms_time_print(decision->next_s - offset_s, next);
	}
	printf("%-20s %-14s %-26s %-12s %s\n", vm, where, vrms_schedule_hold_text(decision->hold),
	       vrms_policy_job_name(decision->is_due ? decision->job : decision->next_job), next);
}

static int next_vm(const struct vrms_policy_world *world, struct vrms_repository *repository,
		   const char *vm, json_t *rows, struct vrms_error *error)
{
	const struct vrms_policy *policy = vrms_policies_find(world->policies, vm);
	const struct vrms_schedule_decision *decision;
	struct judged judged;
	const char *node, *where;
	enum vrms_place place;
	int rc;

	if (policy == NULL) {
		return 0;
	}
	place = vrms_policy_place(world, vm, &node);
	where = place_text(place, node);
	rc = judge(repository, policy, vm, &judged, error);
	if (rc < 0) {
		return rc;
	}
	decision = &judged.decision;
	if (rows == NULL) {
		print_next(vm, where, decision);
		return 0;
	}
	return json_array_append_new(
		   rows, json_pack("{s:s,s:s,s:s,s:s,s:o,s:s,s:o}", "vm", vm, "where", where,
				   "state", vrms_schedule_hold_text(decision->hold), "due",
				   decision->is_due ? vrms_policy_job_name(decision->job) : "",
				   "since_s", time_json(decision->since_s), "next",
				   vrms_policy_job_name(decision->next_job), "next_s",
				   time_json(decision->next_s))) == 0
		   ? 0
		   : vrms_error_set(error, -ENOMEM, "out of memory");
}

/* The VMs here, then those that only the file names. */
static int next_all(const struct vrms_policy_world *world, struct vrms_repository *repository,
		    json_t *rows, struct vrms_error *error)
{
	int rc = 0;

	for (size_t i = 0; i < world->vms.count && rc == 0; i++) {
		rc = next_vm(world, repository, world->vms.rows[i].name, rows, error);
	}
	for (size_t i = 0; i < world->policies->count && rc == 0; i++) {
		const char *vm = world->policies->rows[i].vm;

		if (strcmp(vm, "*") != 0 && vrms_live_list_find(&world->vms, vm) == NULL) {
			rc = next_vm(world, repository, vm, rows, error);
		}
	}
	return rc;
}

static int next(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_policy_world world VRMS_CLEANUP(vrms_policy_world_done) = {0};
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	json_t *rows VRMS_CLEANUP(json_decrefp) = cli->json ? json_array() : NULL;
	int rc = vrms_policy_world_read(cli, false, &world, error);

	if (rc == 0) {
		rc = vrms_policy_world_look(&world, error);
	}
	if (rc == 0) {
		rc = vrms_open_repository(&world.cli, VRMS_LOCK_READER, "schedule", &open, error);
	}
	if (rc == 0 && rows == NULL) {
		printf("%-20s %-14s %-26s %-12s %s\n", "VM", "WHERE", "STATE", "NEXT", "AT");
	}
	if (rc == 0) {
		rc = next_all(&world, open.repository, rows, error);
	}
	if (rc == 0 && rows != NULL) {
		json_dumpf(rows, stdout, JSON_INDENT(1));
		printf("\n");
	}
	return rc;
}

int vrms_command_schedule(const struct vrms_cli *cli, struct vrms_error *error)
{
	static const struct {
		const char *word;
		int (*run)(const struct vrms_cli *cli, struct vrms_error *error);
	} words[] = {{"run", run}, {"next", next}, {"install-timers", vrms_install_timers}};

	for (size_t i = 0; i < VRMS_COUNT_OF(words); i++) {
		if (strcmp(words[i].word, cli->arguments[0]) == 0) {
			return words[i].run(cli, error);
		}
	}
	return vrms_error_set(error, -EINVAL, "schedule: '%s' is none of run, next, install-timers",
			      cli->arguments[0]);
}
