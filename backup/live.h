/* live.h - a VM as libvirt shows it: a pull backup of it, checkpoints, freezing.
 *
 * Our checkpoints are known to libvirt only while a backup runs: what libvirt does not know
 * cannot block an undefine or a migration, and the bitmap alone, in the image, is what counts.
 * Which checkpoint is worth what says the repository.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_LIVE_H
#define VRMS_BACKUP_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

struct vrms_live;

/* uri: NULL for libvirt's default.  vm: name or UUID.
 * Returns -ENOENT (no such VM), -ENOTCONN (no libvirt). */
VRMS_MUST_CHECK int vrms_live_open(const char *uri, const char *vm, struct vrms_live **ret_live,
				   struct vrms_error *error);
void vrms_live_close(struct vrms_live *live); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_live *, vrms_live_close);

/* Running or paused: QEMU has the images open. */
VRMS_MUST_CHECK int vrms_live_is_active(struct vrms_live *live, bool *ret_is_active,
					struct vrms_error *error);

/* The definition, as it runs or as it would start next time.  The caller frees *ret_xml. */
VRMS_MUST_CHECK int vrms_live_xml(struct vrms_live *live, bool is_next_start, char **ret_xml,
				  struct vrms_error *error);

/* Size of a disk as the guest sees it. */
VRMS_MUST_CHECK int vrms_live_disk_bytes(struct vrms_live *live, const char *disk,
					 uint64_t *ret_bytes, struct vrms_error *error);

/* Makes a checkpoint known to libvirt again, from its XML, and has its bitmaps checked.
 * Returns -ESTALE when a bitmap is missing or was not saved. */
VRMS_MUST_CHECK int vrms_live_announce(struct vrms_live *live, const char *xml,
				       struct vrms_error *error);

/* As announce, without the check: to remove what is broken. */
VRMS_MUST_CHECK int vrms_live_claim(struct vrms_live *live, const char *xml,
				    struct vrms_error *error);

/* Removes a checkpoint that libvirt knows: with its bitmaps, or only what libvirt knows of it.
 * One that is not there is success. */
VRMS_MUST_CHECK int vrms_live_remove(struct vrms_live *live, const char *name, bool with_bitmaps,
				     struct vrms_error *error);

/* Calls `seen` with the name of each checkpoint that libvirt knows and whose name begins with
 * prefix; it may remove them. */
VRMS_MUST_CHECK int vrms_live_each(struct vrms_live *live, const char *prefix,
				   int (*seen)(void *context, const char *name,
					       struct vrms_error *error),
				   void *context, struct vrms_error *error);

/* Freezes the guest's file systems through its agent, waiting at most wait_s.
 * Returns how many, or -errno. */
VRMS_MUST_CHECK int vrms_live_freeze(struct vrms_live *live, int wait_s, struct vrms_error *error);
/* What a freeze of this guest is worth: "application" with Windows, whose VSS has the applications
 * write first; otherwise "filesystem", for what a guest's own hooks do nobody tells us. */
const char *vrms_live_freeze_kind(struct vrms_live *live);
/* Returns how many were thawed, or -errno: -ETIMEDOUT when the agent does not answer. */
VRMS_MUST_CHECK int vrms_live_thaw(struct vrms_live *live, struct vrms_error *error);

/* Starts the job and the checkpoint in one instant. */
VRMS_MUST_CHECK int vrms_live_begin(struct vrms_live *live, const char *backup_xml,
				    const char *checkpoint_xml, struct vrms_error *error);
/* Ends the job; none is success. */
VRMS_MUST_CHECK int vrms_live_end(struct vrms_live *live, struct vrms_error *error);
/* The running job's XML; -ENOENT when there is none.  The caller frees it. */
VRMS_MUST_CHECK int vrms_live_job(struct vrms_live *live, char **ret_xml, struct vrms_error *error);

/* Defines a domain. */
VRMS_MUST_CHECK int vrms_live_define(const char *uri, const char *xml, struct vrms_error *error);

/* Starts a defined domain. */
VRMS_MUST_CHECK int vrms_live_start(struct vrms_live *live, struct vrms_error *error);
/* Forgets a domain's definition, not its NVRAM and TPM; a running one runs on. */
VRMS_MUST_CHECK int vrms_live_undefine(struct vrms_live *live, struct vrms_error *error);

/* Starts a domain that nothing remembers and that ends with *ret_live, also when this process is
 * killed. */
VRMS_MUST_CHECK int vrms_live_try(const char *uri, const char *xml, struct vrms_live **ret_live,
				  struct vrms_error *error);
/* Ends it at once; one that has ended is success. */
VRMS_MUST_CHECK int vrms_live_destroy(struct vrms_live *live, struct vrms_error *error);
/* 0 when the guest's agent answers within wait_s. */
VRMS_MUST_CHECK int vrms_live_ping(struct vrms_live *live, int wait_s, struct vrms_error *error);

/* Copies what a disk has below its top image into it, while it runs.
 * rate_mib: per second; 0: no limit. */
VRMS_MUST_CHECK int vrms_live_pull(struct vrms_live *live, const char *disk, uint64_t rate_mib,
				   struct vrms_error *error);
/* How much of it is left, as QEMU counts it; 0: done, or there is none. */
VRMS_MUST_CHECK int vrms_live_pull_left(struct vrms_live *live, const char *disk,
					uint64_t *ret_bytes, struct vrms_error *error);

#endif
