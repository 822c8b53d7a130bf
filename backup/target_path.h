/* target_path.h - a restored image appears whole: written beside its name, then renamed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_TARGET_PATH_H
#define VRMS_BACKUP_TARGET_PATH_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/error.h"

#define VRMS_TARGET_PARTIAL ".vrms-partial" /* behind the name of what is not complete yet */

struct vrms_target_path {
	char *final;
	char *partial; /* NULL for a device */
	bool is_device;
	bool has_old; /* whose owner and mode the new file gets */
	mode_t mode;
	uid_t owner;
	gid_t group;
	bool is_published;
};

/* Returns -EEXIST when something is there and is_overwriting is false. */
VRMS_MUST_CHECK int vrms_target_path_init(struct vrms_target_path *path, const char *final,
					  bool is_overwriting, struct vrms_error *error);

/* Gives a synced file its name, durably. */
VRMS_MUST_CHECK int vrms_target_path_publish(struct vrms_target_path *path,
					     struct vrms_error *error);

/* Removes what was not published. */
void vrms_target_path_done(struct vrms_target_path *path);

#endif
