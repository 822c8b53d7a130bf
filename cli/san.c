/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vrms san init, show: the area that the nodes beat in. */
#include <corosync/cmap.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "quorum/san.h"

static const struct option options[] = {
    {"cluster", required_argument, NULL, 'c'},
    {"force", no_argument, NULL, 'f'},
    {NULL, 0, NULL, 0},
};

/* totem.cluster_name; NULL: corosync does not run, or has none.  The caller frees it. */
static char *find_cluster_name(void)
{
	cmap_handle_t cmap;
	char *name = NULL;

	if (cmap_initialize(&cmap) != CS_OK) {
		return NULL;
	}
	if (cmap_get_string(cmap, "totem.cluster_name", &name) != CS_OK) {
		name = NULL;
	}
	cmap_finalize(cmap);
	return name;
}

static int init(const char *device, const char *cluster, bool force, struct vrms_error *error)
{
	char *found VRMS_CLEANUP(vrms_freep) = cluster == NULL ? find_cluster_name() : NULL;

	cluster = cluster != NULL ? cluster : found;
	if (cluster == NULL || cluster[0] == '\0') {
		return vrms_error_set(error, -ENOENT,
				      "corosync tells no cluster name here: give --cluster");
	}
	int rc = vrms_san_init(device, cluster, force, error);

	if (rc == 0) {
		printf("%s: an empty beat area of the cluster \"%s\"\n", device, cluster);
	}
	return rc;
}

static void print_slot(const struct vrms_san_view *view, unsigned slot)
{
	const struct vrms_beat *beat = &view->beats[slot];

	switch (view->states[slot]) {
	case VRMS_SLOT_FREE:
		break;
	case VRMS_SLOT_FOREIGN:
		printf("%4u  of another area\n", slot);
		break;
	case VRMS_SLOT_BROKEN:
		printf("%4u  broken\n", slot);
		break;
	case VRMS_SLOT_VALID:
		printf("%4u  node %" PRIu32 " \"%s\": %s, beat %" PRIu64 ", every %" PRId64
		       " ms, last write %.1f ms\n",
		       slot, beat->node_id, beat->name,
		       beat->state == VRMS_BEAT_STOPPED ? "stopped" : "beating", beat->sequence,
		       (int64_t)beat->interval_ms, (double)beat->last_us / 1000);
		break;
	}
}

static int show(const char *device, struct vrms_error *error)
{
	struct vrms_san *san VRMS_CLEANUP(vrms_san_freep) = NULL;
	struct vrms_san_view *view VRMS_CLEANUP(vrms_freep) = calloc(1, sizeof(*view));

	if (view == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	int rc = vrms_san_open(device, NULL, false, &san, error);

	rc = rc < 0 ? rc : vrms_san_read(san, view, error);
	if (rc < 0) {
		return rc;
	}
	printf("%s: beat area of the cluster \"%s\", read in %.1f ms\n", device,
	       vrms_san_header(san)->cluster, (double)view->latency_us / 1000);
	for (unsigned slot = 0; slot < VRMS_BEAT_SLOTS; slot++) {
		print_slot(view, slot);
	}
	return 0;
}

int vrms_command_san(int argc, char **argv)
{
	const char *cluster = NULL;
	bool force = false;
	struct vrms_error error;
	int rc;

	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option == 'c') {
			cluster = optarg;
		} else if (option == 'f') {
			force = true;
		} else {
			vrms_command_usage(argv[0]);
			return VRMS_EXIT_ERROR;
		}
	}
	if (argc - optind != 2) {
		vrms_command_usage(argv[0]);
		return VRMS_EXIT_ERROR;
	}
	if (strcmp(argv[optind], "init") == 0) {
		rc = init(argv[optind + 1], cluster, force, &error);
	} else if (strcmp(argv[optind], "show") == 0) {
		rc = show(argv[optind + 1], &error);
	} else {
		vrms_command_usage(argv[0]);
		return VRMS_EXIT_ERROR;
	}
	return rc < 0 ? vrms_command_fail(argv[0], &error) : VRMS_EXIT_OK;
}
