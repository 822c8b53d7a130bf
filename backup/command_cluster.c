/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/command_cluster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"

#define CIB_PATH "/var/lib/pacemaker/cib/cib.xml"

enum { CIB_BYTES_MAX = 256 << 20 };

int vrms_cluster_save(const char *vm, char **ret_text, struct vrms_error *error)
{
	struct vrms_cluster *cluster VRMS_CLEANUP(vrms_cluster_closep) = NULL;
	struct vrms_error why = {0};
	const char *resource;
	int rc = vrms_cluster_open(&cluster, &why);

	*ret_text = NULL;
	if (rc < 0) {
		return rc == -ENOTCONN ? 0 : vrms_error_set(error, rc, "%s", why.text);
	}
	resource = vrms_cluster_resource(cluster, vm);
	return resource != NULL ? vrms_cluster_config(cluster, vm, resource, ret_text, error) : 0;
}

static int refuse_on(const struct vrms_cluster *cluster, const char *vm, const char *resource,
		     struct vrms_error *error)
{
	const char *node = vrms_cluster_active_on(cluster, resource);

	if (node != NULL) {
		return vrms_error_set(error, -EREMOTE, "VM '%s' runs on node '%s' (resource '%s')",
				      vm, node, resource);
	}
	return !vrms_cluster_lacks_quorum(cluster)
		   ? 0
		   : vrms_error_set(error, -EREMOTE,
				    "VM '%s' may run elsewhere (resource '%s'): this partition has "
				    "no quorum",
				    vm, resource);
}

/* Pacemaker does not answer: there is none, or it is stopped on this host only and the VM runs on
 * another.  The CIB that it left on the disk tells whether the VM is its. */
static int refuse_unanswered(const char *vm, struct vrms_error *error)
{
	struct vrms_cluster *cluster VRMS_CLEANUP(vrms_cluster_closep) = NULL;
	char *cib VRMS_CLEANUP(vrms_freep) = NULL;
	const char *path = getenv("VRMS_CIB"); /* for tests */
	const char *resource = NULL;

	path = path != NULL ? path : CIB_PATH;
	if (vrms_file_read(path, CIB_BYTES_MAX, &cib, NULL, NULL) == 0 &&
	    vrms_cluster_parse(cib, "<pacemaker-result/>", "", &cluster, NULL) == 0) {
		resource = vrms_cluster_resource(cluster, vm);
	}
	return resource == NULL
		   ? 0
		   : vrms_error_set(error, -EREMOTE,
				    "VM '%s' may run elsewhere (resource '%s'): Pacemaker does not "
				    "answer on this host",
				    vm, resource);
}

int vrms_cluster_refuse_active(const char *vm, struct vrms_error *error)
{
	struct vrms_cluster *cluster VRMS_CLEANUP(vrms_cluster_closep) = NULL;
	struct vrms_error why = {0};
	const char *resource;
	int rc = vrms_cluster_open(&cluster, &why);

	if (rc < 0) {
		return rc == -ENOTCONN ? refuse_unanswered(vm, error)
				       : vrms_error_set(error, rc, "%s", why.text);
	}
	resource = vrms_cluster_resource(cluster, vm);
	return resource != NULL ? refuse_on(cluster, vm, resource, error) : 0;
}

/* Asks anew: what was begun before the hold may have ended in a running VM. */
static int refuse_active(struct vrms_cluster_pause *pause, const char *vm, struct vrms_error *error)
{
	int rc;

	vrms_cluster_close(pause->cluster);
	pause->cluster = NULL;
	rc = vrms_cluster_open(&pause->cluster, error);
	if (rc == 0) {
		rc = refuse_on(pause->cluster, vm, pause->resource, error);
	}
	return rc == -EREMOTE
		   ? vrms_error_set(error, rc, "%.300s: stop it first, or restore to another name",
				    error->text)
		   : rc;
}

static int find(const char *vm, struct vrms_cluster_pause *pause, struct vrms_error *error)
{
	const char *resource, *managed;
	int rc = vrms_cluster_open(&pause->cluster, error);

	if (rc == -ENOTCONN) {
		vrms_error_clear(error);
		return refuse_unanswered(vm, error);
	}
	if (rc < 0) {
		return rc;
	}
	resource = vrms_cluster_resource(pause->cluster, vm);
	if (resource == NULL) {
		return 0;
	}
	managed = vrms_cluster_managed(pause->cluster, resource);
	pause->resource = strdup(resource);
	pause->managed = managed != NULL ? strdup(managed) : NULL;
	if (pause->resource == NULL || (managed != NULL && pause->managed == NULL)) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	return 0;
}

int vrms_cluster_pause_begin(const char *vm, struct vrms_cluster_pause *ret_pause,
			     struct vrms_error *error)
{
	struct vrms_cluster_pause pause = {0};
	int rc = find(vm, &pause, error);

	if (rc == 0 && pause.resource != NULL) {
		rc = refuse_active(&pause, vm, error);
	}
	if (rc == 0 && pause.resource != NULL) {
		pause.is_held = true;
		rc = vrms_cluster_hold(pause.resource, error);
	}
	if (rc == 0 && pause.resource != NULL) {
		rc = refuse_active(&pause, vm, error);
	}
	if (rc < 0) {
		vrms_cluster_pause_fail(&pause, true);
		vrms_cluster_pause_done(&pause);
		return rc;
	}
	if (pause.is_held) {
		printf("Pacemaker leaves resource '%s' alone meanwhile\n", pause.resource);
	}
	*ret_pause = pause;
	return 0;
}

int vrms_cluster_pause_end(struct vrms_cluster_pause *pause, const char *config,
			   struct vrms_error *error)
{
	bool says_managed = false;
	int rc = config != NULL ? vrms_cluster_put_config(config, &says_managed, error) : 0;

	if (rc == 0 && config != NULL) {
		printf("cluster configuration written\n");
	}
	if (rc == 0 && pause->is_held && !says_managed) {
		rc = vrms_cluster_release(pause->resource, pause->managed, error);
	}
	if (rc == 0 && pause->is_held) {
		pause->is_held = false;
		printf("resource '%s' is Pacemaker's again\n", pause->resource);
	}
	return rc;
}

void vrms_cluster_pause_fail(struct vrms_cluster_pause *pause, bool is_untouched)
{
	if (!pause->is_held) {
		return;
	}
	if (!is_untouched || vrms_cluster_release(pause->resource, pause->managed, NULL) < 0) {
		fprintf(stderr,
			"vrms-backup: note: resource '%s' stays unmanaged, so that Pacemaker does "
			"not start what is half restored (crm_resource --resource %s --meta "
			"--delete-parameter is-managed)\n",
			pause->resource, pause->resource);
	}
	pause->is_held = false;
}

void vrms_cluster_pause_done(struct vrms_cluster_pause *pause)
{
	vrms_cluster_close(pause->cluster);
	free(pause->resource);
	free(pause->managed);
	memset(pause, 0, sizeof(*pause));
}
