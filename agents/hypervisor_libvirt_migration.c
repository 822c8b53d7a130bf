/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agents/hypervisor_libvirt.h"
#include "agents/libvirt_call.h"
#include "common/file.h"

/* --- The migration, in a thread of its own ------------------------------------------------- */

struct migration_job {
	struct vrms_job job; /* first */
	char *local_uri;     /* NULL: libvirt's default */
	struct vrms_domain_id id;
	char *target_uri;
	unsigned int flags;
	virTypedParameterPtr params;
	int param_count;
	int param_max;
};

static void free_migration(struct vrms_job *job)
{
	struct migration_job *migration = (struct migration_job *)job;

	virTypedParamsFree(migration->params, migration->param_count);
	free(migration->local_uri);
	free(migration->target_uri);
	free(migration);
}

/* The agent connects to both and stands between them. */
static int migrate_managed(struct migration_job *migration, virDomainPtr domain)
{
	virConnectPtr target = virConnectOpen(migration->target_uri);
	if (target == NULL) {
		int rc = vrms_libvirt_take_error(&migration->job.error);
		return vrms_error_wrap(&migration->job.error, rc, "%s", migration->target_uri);
	}

	virDomainPtr arrived =
	    virDomainMigrate3(domain, target, migration->params,
			      (unsigned int)migration->param_count, migration->flags);
	/* Closing would overwrite the error. */
	int rc = arrived == NULL ? vrms_libvirt_take_error(&migration->job.error) : 0;
	if (arrived != NULL) {
		(void)virDomainFree(arrived);
	}
	(void)virConnectClose(target);
	return rc;
}

static int migrate_peer_to_peer(struct migration_job *migration, virDomainPtr domain)
{
	if (virDomainMigrateToURI3(domain, migration->target_uri, migration->params,
				   (unsigned int)migration->param_count, migration->flags) < 0) {
		return vrms_libvirt_take_error(&migration->job.error);
	}
	return 0;
}

static int migrate(struct migration_job *migration, virConnectPtr connection)
{
	virDomainPtr domain = vrms_libvirt_lookup(connection, &migration->id);

	if (domain == NULL) {
		return vrms_libvirt_take_error(&migration->job.error);
	}
	int rc = (migration->flags & VIR_MIGRATE_PEER2PEER) != 0
		     ? migrate_peer_to_peer(migration, domain)
		     : migrate_managed(migration, domain);
	(void)virDomainFree(domain);
	return rc;
}

/* On a connection of its own: where two threads share one and no event loop runs, libvirt 9.0 can
 * lose the wake-up of the second, whose calls then wait for the end of the first's. */
static int run_migration(struct vrms_job *job)
{
	struct migration_job *migration = (struct migration_job *)job;
	virConnectPtr connection = virConnectOpen(migration->local_uri);

	if (connection == NULL) {
		return vrms_libvirt_take_error(&job->error);
	}
	int rc = migrate(migration, connection);
	(void)virConnectClose(connection);
	return rc;
}

/* --- Its parameters --------------------------------------------------------------------------- */

static int add_string(struct migration_job *job, const char *field, const char *text)
{
	return virTypedParamsAddString(&job->params, &job->param_count, &job->param_max, field,
				       text);
}

static int add_list(struct migration_job *job, const struct vrms_migrate_value *value)
{
	char *list VRMS_CLEANUP(vrms_freep) = strdup(value->text);
	char *rest = NULL;

	if (list == NULL) {
		return -ENOMEM;
	}
	for (char *item = strtok_r(list, ",", &rest); item != NULL;
	     item = strtok_r(NULL, ",", &rest)) {
		if (add_string(job, value->field, item) < 0) {
			return -1;
		}
	}
	return 0;
}

static int add_file(struct migration_job *job, const struct vrms_migrate_value *value,
		    struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_file_read(value->text, VRMS_DOMAIN_XML_BYTES_MAX, &text, NULL, error);

	return rc < 0 ? rc : add_string(job, value->field, text);
}

static int add_value(struct migration_job *job, const struct vrms_migrate_value *value,
		     struct vrms_error *error)
{
	switch (value->type) {
	case VRMS_MIGRATE_STRING:
		return add_string(job, value->field, value->text);
	case VRMS_MIGRATE_INT:
		return virTypedParamsAddInt(&job->params, &job->param_count, &job->param_max,
					    value->field, (int)value->number);
	case VRMS_MIGRATE_ULLONG:
		return virTypedParamsAddULLong(&job->params, &job->param_count, &job->param_max,
					       value->field, (unsigned long long)value->number);
	case VRMS_MIGRATE_LIST:
		return add_list(job, value);
	case VRMS_MIGRATE_FILE:
		return add_file(job, value, error);
	}
	return -EINVAL;
}

/* Words of migrate_options win over parameters of our own. */
static int add_params(struct migration_job *job, const struct vrms_migration *migration,
		      struct vrms_error *error)
{
	bool has_bandwidth = false;
	int rc = 0;

	for (size_t i = 0; i < migration->options->value_count && rc == 0; i++) {
		const struct vrms_migrate_value *value = &migration->options->values[i];

		has_bandwidth =
		    has_bandwidth || strcmp(value->field, VIR_MIGRATE_PARAM_BANDWIDTH) == 0;
		rc = add_value(job, value, error);
	}
	if (rc == 0 && migration->migrate_uri != NULL) {
		rc = add_string(job, VIR_MIGRATE_PARAM_URI, migration->migrate_uri);
	}
	if (rc == 0 && migration->speed_mibs > 0 && !has_bandwidth) {
		rc = virTypedParamsAddULLong(&job->params, &job->param_count, &job->param_max,
					     VIR_MIGRATE_PARAM_BANDWIDTH,
					     (unsigned long long)migration->speed_mibs);
	}
	return rc == -1 ? vrms_libvirt_take_error(error) : rc;
}

static int prepare(const char *local_uri, const struct vrms_migration *migration,
		   struct migration_job *job, struct vrms_error *error)
{
	job->job.run = run_migration;
	job->job.free = free_migration;
	job->flags = migration->flags;
	job->target_uri = strdup(migration->target_uri);
	(void)snprintf(job->id.uuid, sizeof(job->id.uuid), "%s", migration->uuid);
	job->local_uri = local_uri == NULL ? NULL : strdup(local_uri);
	if (job->target_uri == NULL || (local_uri != NULL && job->local_uri == NULL)) {
		return vrms_error_errno(error, -ENOMEM, "migration");
	}
	return add_params(job, migration, error);
}

static int begin(struct vrms_hypervisor *hypervisor, const struct vrms_migration *migration,
		 struct vrms_error *error)
{
	struct vrms_libvirt *libvirt = vrms_libvirt_of(hypervisor);
	struct migration_job *job = calloc(1, sizeof(*job));

	if (job == NULL) {
		return vrms_error_errno(error, -ENOMEM, "migration");
	}
	int rc = prepare(libvirt->uri, migration, job, error);
	if (rc == 0) {
		rc = vrms_worker_begin(libvirt->migrations, &job->job);
		if (rc < 0) {
			(void)vrms_error_errno(error, rc, "a thread for the migration");
		}
	}
	if (rc < 0) {
		free_migration(&job->job);
		return rc;
	}
	libvirt->migration = &job->job;
	return 0;
}

/* --- Watching and steering it ------------------------------------------------------------------
 */

static void take_count(virTypedParameterPtr params, int count, const char *name, uint64_t *ret)
{
	unsigned long long value = 0;

	if (virTypedParamsGetULLong(params, count, name, &value) == 1) {
		*ret = value;
	}
}

static int on_job_stats(struct vrms_libvirt_call *call, virDomainPtr domain)
{
	virTypedParameterPtr params = NULL;
	int count = 0;
	int type = 0;

	if (virDomainGetJobStats(domain, &type, &params, &count, 0) < 0) {
		return -1;
	}
	take_count(params, count, VIR_DOMAIN_JOB_DATA_TOTAL, &call->progress.total_bytes);
	take_count(params, count, VIR_DOMAIN_JOB_DATA_REMAINING, &call->progress.remaining_bytes);
	take_count(params, count, VIR_DOMAIN_JOB_MEMORY_ITERATION, &call->progress.pass_count);
	virTypedParamsFree(params, count);
	return 0;
}

/* True when it has ended; then its outcome is in *ret_progress. */
static bool take_outcome(struct vrms_libvirt *libvirt, struct vrms_migration_progress *ret_progress,
			 struct vrms_error *error)
{
	if (libvirt->migration == NULL ||
	    vrms_worker_wait(libvirt->migrations, libvirt->clock, 0, false) < 0) {
		return false;
	}
	struct vrms_job *job = libvirt->migration;
	libvirt->migration = NULL;
	*ret_progress = (struct vrms_migration_progress){
	    .phase = job->rc < 0 ? VRMS_MIGRATION_FAILED : VRMS_MIGRATION_SUCCEEDED,
	    .failure = job->rc,
	};
	if (job->rc < 0) {
		*error = job->error;
	}
	job->free(job);
	return true;
}

static int poll_migration(struct vrms_hypervisor *hypervisor, const char *uuid,
			  struct vrms_migration_progress *ret_progress, struct vrms_error *error)
{
	if (take_outcome(vrms_libvirt_of(hypervisor), ret_progress, error)) {
		return 0;
	}
	struct vrms_libvirt_call *call VRMS_CLEANUP(vrms_libvirt_call_freep) =
	    vrms_libvirt_call_new(hypervisor, uuid, NULL);
	if (call != NULL) {
		call->on_domain = on_job_stats;
	}
	int rc = vrms_libvirt_call_run(&call, error);
	if (rc == 0) {
		*ret_progress = call->progress;
	}
	/* At its very end the source's domain vanishes before the call returns. */
	return rc == -ESRCH ? 0 : rc;
}

static int on_abort(struct vrms_libvirt_call *call, virDomainPtr domain)
{
	(void)call;
	return virDomainAbortJob(domain) < 0 ? -1 : 0;
}

/* Another connection, for when the first one hangs in a question: nothing is more urgent. */
static int abort_afresh(struct vrms_hypervisor *hypervisor, const char *uuid,
			struct vrms_error *error)
{
	const struct vrms_libvirt *libvirt = vrms_libvirt_of(hypervisor);
	struct vrms_hypervisor *fresh VRMS_CLEANUP(vrms_hypervisor_libvirt_freep) = NULL;
	int rc = vrms_hypervisor_libvirt_new(libvirt->uri, libvirt->clock, &fresh, error);

	if (rc < 0) {
		return rc;
	}
	fresh->deadline_ms = hypervisor->deadline_ms;
	return vrms_libvirt_do(fresh, uuid, on_abort, error);
}

static int abort_migration(struct vrms_hypervisor *hypervisor, const char *uuid,
			   struct vrms_error *error)
{
	return vrms_worker_is_stuck(vrms_libvirt_of(hypervisor)->calls)
		   ? abort_afresh(hypervisor, uuid, error)
		   : vrms_libvirt_do(hypervisor, uuid, on_abort, error);
}

static int on_post_copy(struct vrms_libvirt_call *call, virDomainPtr domain)
{
	(void)call;
	return virDomainMigrateStartPostCopy(domain, 0) < 0 ? -1 : 0;
}

static int switch_to_post_copy(struct vrms_hypervisor *hypervisor, const char *uuid,
			       struct vrms_error *error)
{
	return vrms_libvirt_do(hypervisor, uuid, on_post_copy, error);
}

static int on_set_downtime(struct vrms_libvirt_call *call, virDomainPtr domain)
{
	return virDomainMigrateSetMaxDowntime(domain, (unsigned long long)call->number, 0) < 0 ? -1
											       : 0;
}

static int set_downtime(struct vrms_hypervisor *hypervisor, const char *uuid, int64_t ms,
			struct vrms_error *error)
{
	struct vrms_libvirt_call *call VRMS_CLEANUP(vrms_libvirt_call_freep) =
	    vrms_libvirt_call_new(hypervisor, uuid, NULL);

	if (call != NULL) {
		call->number = ms;
		call->on_domain = on_set_downtime;
	}
	return vrms_libvirt_call_run(&call, error);
}

static int on_suspend(struct vrms_libvirt_call *call, virDomainPtr domain)
{
	(void)call;
	return virDomainSuspend(domain) < 0 ? -1 : 0;
}

static int suspend(struct vrms_hypervisor *hypervisor, const char *uuid, struct vrms_error *error)
{
	return vrms_libvirt_do(hypervisor, uuid, on_suspend, error);
}

static int open_peer(struct vrms_hypervisor *hypervisor, const char *uri,
		     struct vrms_hypervisor **ret_peer, struct vrms_error *error)
{
	return vrms_hypervisor_libvirt_new(uri, vrms_libvirt_of(hypervisor)->clock, ret_peer,
					   error);
}

static const struct vrms_hypervisor_migration_ops ops = {
    .open_peer = open_peer,
    .close_peer = vrms_hypervisor_libvirt_free,
    .begin = begin,
    .poll = poll_migration,
    .abort = abort_migration,
    .switch_to_post_copy = switch_to_post_copy,
    .set_downtime = set_downtime,
    .suspend = suspend,
};

const struct vrms_hypervisor_migration_ops *vrms_libvirt_migration_ops(void)
{
	return &ops;
}
