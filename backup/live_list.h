/* live_list.h - the VMs that libvirt of this host knows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_LIVE_LIST_H
#define VRMS_BACKUP_LIVE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

struct vrms_live_vm {
	char *name;
	bool is_active;   /* runs or is paused here */
	bool is_arriving; /* is being migrated to here: it runs elsewhere */
};

struct vrms_live_list {
	struct vrms_live_vm *rows;
	size_t count;
};

void vrms_live_list_done(struct vrms_live_list *list); /* accepts a zeroed one */

/* uri: NULL for libvirt's default.  Returns -ENOTCONN without a libvirt. */
VRMS_MUST_CHECK int vrms_live_list_read(const char *uri, struct vrms_live_list *ret_list,
					struct vrms_error *error);

/* NULL when it is not there. */
const struct vrms_live_vm *vrms_live_list_find(const struct vrms_live_list *list, const char *vm);

#endif
