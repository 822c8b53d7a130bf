/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/vm_journey.h"

#include <errno.h>
#include <libvirt/libvirt.h>

#include "common/log.h"

enum {
	CALL_MS_MAX = 10000,
	ABORT_RESERVE_MS = 15000, /* kept for ending a migration; of a short time-out a third */
	LAST_SHARE = 20,          /* of the time-out stays for what comes after its end */
	POLL_MS_MIN = 50,
	POLL_MS_MAX = 500,
	LOG_EVERY_MS = 10000,
	EXIT_RESERVE_MS = 500,
};

static int64_t now_ms(const struct vrms_vm *vm)
{
	return vrms_clock_now_ms(vm->call->clock);
}

void vrms_journey_limit_call(const struct vrms_vm *vm, struct vrms_hypervisor *hypervisor)
{
	int64_t until_ms = now_ms(vm) + CALL_MS_MAX;
	int64_t last_ms = vm->call->deadline_ms - EXIT_RESERVE_MS;

	hypervisor->deadline_ms = until_ms < last_ms ? until_ms : last_ms;
}

static int begin(struct vrms_journey *journey, struct vrms_error *error)
{
	struct vrms_vm *vm = journey->vm;
	const struct vrms_migration migration = {
	    .uuid = journey->id->uuid,
	    .target_uri = journey->target_uri,
	    .migrate_uri = journey->migrate_uri[0] == '\0' ? NULL : journey->migrate_uri,
	    .flags = journey->flags,
	    .options = &journey->options,
	    .speed_mibs = vm->config->migration_speed_mibs,
	};
	struct vrms_hypervisor *hypervisor = vm->hypervisor;

	vrms_journey_limit_call(vm, hypervisor);
	if (vm->config->migration_downtime_ms > 0) {
		int rc =
		    hypervisor->migration->set_downtime(hypervisor, journey->id->uuid,
							vm->config->migration_downtime_ms, error);
		if (rc < 0) {
			return vrms_error_wrap(error, rc, "migration_downtime=%lld",
					       (long long)vm->config->migration_downtime_ms);
		}
	}
	vrms_log(LOG_INFO, "%s: live migration to node %s by %s%s%s", journey->id->name,
		 vm->call->migrate_target, journey->target_uri,
		 migration.migrate_uri == NULL ? "" : ", data to ",
		 migration.migrate_uri == NULL ? "" : migration.migrate_uri);
	journey->started_ms = now_ms(vm);
	journey->logged_ms = journey->started_ms;

	int rc = hypervisor->migration->begin(hypervisor, &migration, error);
	journey->is_underway = rc == 0;
	return rc;
}

/* --- On the way ----------------------------------------------------------------------------- */

static void log_progress(struct vrms_journey *journey,
			 const struct vrms_migration_progress *progress)
{
	int64_t now = now_ms(journey->vm);

	if (now - journey->logged_ms < LOG_EVERY_MS) {
		return;
	}
	journey->logged_ms = now;
	vrms_log(LOG_INFO, "%s: migrating for %lld s: %llu of %llu MiB left, pass %llu%s",
		 journey->id->name, (long long)(now - journey->started_ms) / 1000,
		 (unsigned long long)progress->remaining_bytes >> 20U,
		 (unsigned long long)progress->total_bytes >> 20U,
		 (unsigned long long)progress->pass_count,
		 journey->is_post_copy ? ", post-copy" : "");
}

static void switch_to_post_copy(struct vrms_journey *journey)
{
	struct vrms_error error = {.text = ""};
	struct vrms_hypervisor *hypervisor = journey->vm->hypervisor;

	vrms_journey_limit_call(journey->vm, hypervisor);
	if (hypervisor->migration->switch_to_post_copy(hypervisor, journey->id->uuid, &error) < 0) {
		vrms_log(LOG_WARNING, "%s: no post-copy: %s", journey->id->name, error.text);
	} else {
		vrms_log(LOG_INFO, "%s: continues as post-copy", journey->id->name);
		journey->is_post_copy = true;
	}
	journey->wants_post_copy = false;
}

/* A guest that stands still is copied in one pass; the target lets it run on. */
static void suspend(struct vrms_journey *journey)
{
	struct vrms_error error = {.text = ""};
	struct vrms_hypervisor *hypervisor = journey->vm->hypervisor;

	journey->is_suspended = true;
	vrms_journey_limit_call(journey->vm, hypervisor);
	if (hypervisor->migration->suspend(hypervisor, journey->id->uuid, &error) < 0) {
		vrms_log(LOG_WARNING, "%s: not suspended: %s", journey->id->name, error.text);
	} else {
		vrms_log(LOG_INFO, "%s: suspended, it had not migrated after %lld s",
			 journey->id->name, (long long)journey->options.timeout_ms / 1000);
	}
}

static void help_it_converge(struct vrms_journey *journey,
			     const struct vrms_migration_progress *progress)
{
	const struct vrms_migrate_options *options = &journey->options;
	bool is_late = options->timeout_ms > 0 &&
		       now_ms(journey->vm) - journey->started_ms >= options->timeout_ms;

	if (journey->is_post_copy || journey->is_suspended) {
		return;
	}
	if (is_late && options->on_timeout == VRMS_MIGRATE_TIMEOUT_SUSPEND) {
		suspend(journey);
	} else if (is_late && (journey->flags & VIR_MIGRATE_POSTCOPY) != 0) {
		switch_to_post_copy(journey);
	} else if (journey->wants_post_copy && progress->pass_count > 1) {
		switch_to_post_copy(journey);
	}
}

/* When a migration that is still under way has to be ended. */
static int64_t abort_at_ms(const struct vrms_vm *vm)
{
	int64_t reserve_ms = vm->call->timeout_ms / 3;

	return vm->call->deadline_ms -
	       (reserve_ms < ABORT_RESERVE_MS ? reserve_ms : ABORT_RESERVE_MS);
}

/* Looks until it has ended or until_ms.  Returns 0 (succeeded), -EINPROGRESS, or its failure. */
static int follow(struct vrms_journey *journey, int64_t until_ms, struct vrms_error *error)
{
	struct vrms_vm *vm = journey->vm;
	struct vrms_hypervisor *hypervisor = vm->hypervisor;
	int64_t pause_ms = POLL_MS_MIN;

	for (;;) {
		struct vrms_migration_progress progress = {.phase = VRMS_MIGRATION_UNDERWAY};

		vrms_journey_limit_call(vm, hypervisor);
		int rc =
		    hypervisor->migration->poll(hypervisor, journey->id->uuid, &progress, error);
		if (rc == 0 && progress.phase != VRMS_MIGRATION_UNDERWAY) {
			journey->is_underway = false;
			return progress.phase == VRMS_MIGRATION_FAILED ? progress.failure : 0;
		}
		if (now_ms(vm) >= until_ms) {
			return -EINPROGRESS;
		}
		if (rc == 0) {
			log_progress(journey, &progress);
			help_it_converge(journey, &progress);
		}
		vrms_clock_sleep_ms(vm->call->clock, pause_ms);
		pause_ms = pause_ms * 2 < POLL_MS_MAX ? pause_ms * 2 : POLL_MS_MAX;
	}
}

/* Returns whether the hypervisor took the wish. */
static bool ask_to_abort(struct vrms_journey *journey)
{
	struct vrms_error error = {.text = ""};
	struct vrms_hypervisor *hypervisor = journey->vm->hypervisor;

	vrms_log(LOG_WARNING, "%s: not migrated after %lld s, aborting", journey->id->name,
		 (long long)(now_ms(journey->vm) - journey->started_ms) / 1000);
	vrms_journey_limit_call(journey->vm, hypervisor);
	if (hypervisor->migration->abort(hypervisor, journey->id->uuid, &error) < 0) {
		vrms_log(LOG_WARNING, "%s: abort: %s", journey->id->name, error.text);
		return false;
	}
	return true;
}

/* The machine stays where it is; post-copy cannot turn back and is only waited for. */
static int end_in_time(struct vrms_journey *journey, struct vrms_error *error)
{
	const struct vrms_vm *vm = journey->vm;
	int64_t last_ms = vm->call->deadline_ms - vm->call->timeout_ms / LAST_SHARE;
	bool is_aborted = !journey->is_post_copy && ask_to_abort(journey);
	int rc = follow(journey, last_ms, error);

	if (rc == -EINPROGRESS) {
		return vrms_error_set(error, -ETIMEDOUT,
				      is_aborted ? "aborted, but it has not ended"
						 : "it neither ended nor could be aborted");
	}
	if (rc < 0 && !journey->is_post_copy) {
		return vrms_error_set(error, -ETIMEDOUT, "not done after %lld s, aborted",
				      (long long)(now_ms(vm) - journey->started_ms) / 1000);
	}
	return rc;
}

int vrms_journey_travel(struct vrms_journey *journey, struct vrms_error *error)
{
	int rc = begin(journey, error);

	if (rc == 0) {
		rc = follow(journey, abort_at_ms(journey->vm), error);
	}
	return rc == -EINPROGRESS ? end_in_time(journey, error) : rc;
}
