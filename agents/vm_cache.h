/* vm_cache.h - what the full agent knows and a cheap monitor may rely on.
 *
 * One small file per resource in HA_RSCTMP, gone after a reboot.  The full
 * agent writes it after a start, migrate_from or monitor that found the domain
 * healthy and the parameters valid; the front end reads it.  It holds the
 * parameters it was made for: a call with any other parameter, with a changed
 * configuration file, or long after it was written does not get it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_VM_CACHE_H
#define VRMS_AGENTS_VM_CACHE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* A monitor by the full agent at least this often: it also refreshes utilization attributes. */
#define VRMS_VM_CACHE_AGE_MAX_S (15 * 60)

/* Which file, and which state of it. */
struct vrms_vm_config_id {
	uint64_t device, inode, bytes;
	int64_t modified_ns, changed_ns; /* since the epoch */
};

struct vrms_vm_cache {
	char domain[256];
	char uuid[37];         /* lower case, with dashes */
	char uri[256];         /* of the hypervisor, resolved: "qemu:///system" */
	char config[PATH_MAX]; /* path of the domain's XML */
	struct vrms_vm_config_id config_id;
};

/* Takes a file's identity; call it *before* reading the file's content.
 *
 * Never asks a file server for fresh attributes when the kernel has some.
 * Errors: -errno of statx(2).
 */
VRMS_MUST_CHECK int vrms_vm_config_identify(const char *path, struct vrms_vm_config_id *ret_id,
					    struct vrms_error *error);

/* Path of a resource's file: "<folder>/VirtualMachine-<instance>.<kind>".
 *
 * folder: NULL or "": $HA_RSCTMP, else /run/resource-agents.
 * kind:   "state" for this file, "utilization" for utilization.h's.
 * Returns 0, -EINVAL (an instance with '/') or -ENAMETOOLONG.
 */
VRMS_MUST_CHECK int vrms_vm_cache_path(const char *folder, const char *instance, const char *kind,
				       char *buffer, size_t buffer_bytes);

/* Writes the file atomically (mode 0600), with every OCF_RESKEY_ parameter of `environment`.
 *
 * Parameters whose names start with CRM_meta_ (they differ from call to call),
 * OCF_CHECK_LEVEL and crm_feature_set do not count.  A missing folder is made.
 * Returns 0, -EINVAL (a text with a line break) or -errno of writing.
 */
VRMS_MUST_CHECK int vrms_vm_cache_write(const char *path, const struct vrms_vm_cache *cache,
					char *const *environment, struct vrms_error *error);

/* Reads the file, for a call with this environment at this time.
 *
 * now_s:     seconds since the epoch (CLOCK_REALTIME, what file times are in).
 * ret_cache: untouched on failure.
 * Returns 0, -ENOENT (no file), -ESTALE (other parameters, another
 * configuration file, or too old), -EBADMSG (not such a file, or not root's
 * and ours alone), or -errno of reading.
 */
VRMS_MUST_CHECK int vrms_vm_cache_read(const char *path, char *const *environment, int64_t now_s,
				       struct vrms_vm_cache *ret_cache, struct vrms_error *error);

/* Removes the file: before a stop, before a migration away, and when the domain is not healthy.
 * A missing one is success. */
VRMS_MUST_CHECK int vrms_vm_cache_remove(const char *path, struct vrms_error *error);

#endif
