/* internal.h - what the files of the lab's library share about an open lab.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_INTERNAL_H
#define VRMS_LAB_INTERNAL_H

#include "lab/setup.h"

enum { VRMS_LAB_LOGS = 4, VRMS_LAB_PATH_SIZE = 512 };

/* Big enough for every path made of a checked folder and names of this program, so making
 * one cannot fail. */
struct vrms_lab_path {
	char text[VRMS_LAB_PATH_SIZE];
};

struct vrms_lab {
	struct vrms_lab_setup setup;
	char dir[VRMS_LAB_DIR_SIZE];
	struct vrms_lab_path san;
	char node_names[VRMS_LAB_NODES_MAX][VRMS_LAB_NODE_NAME_SIZE];
	struct vrms_lab_path logs[VRMS_LAB_NODES_MAX][VRMS_LAB_LOGS];
};

/* "<folder of the lab>/<formatted>". */
struct vrms_lab_path vrms_lab_path(const struct vrms_lab *lab, const char *format, ...)
    VRMS_PRINTF(2, 3);

/* A lab from its parts, without looking at the disk.  NULL only when out of memory. */
struct vrms_lab *vrms_lab_new(const struct vrms_lab_setup *setup, const char *dir);

/* Fills in the default name and folder and checks both. */
VRMS_MUST_CHECK int vrms_lab_place_resolve(const struct vrms_lab_place *place,
					   char name[VRMS_LAB_NAME_MAX + 1],
					   char dir[VRMS_LAB_DIR_SIZE], struct vrms_error *error);

/* A lock file, held until its descriptor is closed.
 *
 * timeout_ms: 0 does not wait.  -EBUSY: somebody else holds it.
 */
VRMS_MUST_CHECK int vrms_lab_lock(const char *path, int64_t timeout_ms, int *ret_fd,
				  struct vrms_error *error);

/* -ESHUTDOWN once somebody has begun to take the lab down: from then on nothing is started. */
VRMS_MUST_CHECK int vrms_lab_check_open(const struct vrms_lab *lab, struct vrms_error *error);

/* PATH with the folders of root's programs, for programs started outside the nodes too. */
#define VRMS_LAB_PROGRAM_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The environment of what an admin runs in a node, and that of the node's own services. */
const char *const *vrms_lab_node_environment(void);
const char *const *vrms_lab_service_environment(void);

#endif
