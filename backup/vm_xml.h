/* vm_xml.h - what a backup reads in a domain's XML, and the XML it gives to libvirt.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_VM_XML_H
#define VRMS_BACKUP_VM_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct vrms_vm_disk {
	char *target;      /* "vda" */
	char *path;        /* of a file or a block device; nbd: or iscsi: URI; "" elsewhere */
	char *format;      /* of the driver: "qcow2", "raw"; "" not said */
	bool is_encrypted; /* in the image; what QEMU reads of it is plain */
};

struct vrms_vm_xml {
	char *name;
	char *uuid;  /* "" none */
	char *nvram; /* path; "" none */
	bool has_tpm;
	bool has_agent;             /* a channel to the guest's agent */
	struct vrms_vm_disk *disks; /* that can be written: no CD-ROMs, no read-only ones */
	size_t disk_count;
};

void vrms_vm_xml_done(struct vrms_vm_xml *vm); /* for VRMS_CLEANUP; accepts a zeroed one */

VRMS_MUST_CHECK int vrms_vm_xml_parse(const char *text, struct vrms_vm_xml *ret_vm,
				      struct vrms_error *error);

/* One disk in a backup job or a checkpoint. */
struct vrms_vm_xml_disk {
	const char *target;
	bool is_taken;       /* is part of it */
	bool has_bitmap;     /* gets, or has, the checkpoint's bitmap */
	const char *base;    /* checkpoint of an incremental; NULL: all of the disk */
	const char *scratch; /* path of the file for what the guest overwrites meanwhile */
};

/* The context that tells the changes of a disk with a base. */
#define VRMS_VM_XML_EXPORT_BITMAP "vrms-changed"

/* <domainbackup> of a pull over a unix socket.  The caller frees it; NULL: out of memory.
 * Source: libvirt, formatbackup. */
char *vrms_vm_xml_backup(const struct vrms_vm_xml_disk *disks, size_t count, const char *socket);

/* <domaincheckpoint> with a bitmap of the same name on disks that have one; time_s 0: a new
 * one, otherwise one to be redefined.  Source: libvirt, formatcheckpoint. */
char *vrms_vm_xml_checkpoint(const char *name, int64_t time_s, const struct vrms_vm_xml_disk *disks,
			     size_t count);

struct vrms_vm_xml_move {
	const char *target, *path, *format;
};

/* What a restored domain is to become. */
struct vrms_vm_xml_change {
	const char *name; /* NULL: the same, with its UUID and addresses; else all new */
	/* Where disks are now, in plain.  Others stay where they were; another VM goes without
	 * those that can be written. */
	const struct vrms_vm_xml_move *disks;
	size_t disk_count;
	/* For a trial beside the VM itself: nothing that others share stays, neither networks nor
	 * devices of the host, nor disks that are not among those above; what the guest says on its
	 * serial line goes to this file.  NULL: no trial. */
	const char *trial_console;
};

/* The caller frees *ret_text. */
VRMS_MUST_CHECK int vrms_vm_xml_edit(const char *text, const struct vrms_vm_xml_change *change,
				     char **ret_text, struct vrms_error *error);

#endif
