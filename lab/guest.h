/* guest.h - the lab's guests: what they write on their disk, how they are ordered about, their
 * images.
 *
 * A guest counts once a second into LBA 1 of its disk and takes orders from LBA 2; see
 * lab/guest/bootsector.S.  So the host can tell, without asking anything that runs in the
 * cluster, whether a guest lives, whether it was started anew, and whether it could write.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_GUEST_H
#define VRMS_LAB_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

enum { VRMS_GUEST_SECTOR_BYTES = 512, VRMS_GUEST_DISK_BYTES = 1 << 20 };

enum vrms_guest_kind {
	VRMS_GUEST_BOOTSECTOR, /* boots at once, needs 8 MiB */
	VRMS_GUEST_LINUX,      /* Debian's cloud kernel and busybox: some seconds, 96 MiB */
	VRMS_GUEST_KIND_COUNT
};

const char *vrms_guest_kind_text(enum vrms_guest_kind kind);
VRMS_MUST_CHECK int vrms_guest_kind_parse(const char *text, enum vrms_guest_kind *ret_kind,
					  struct vrms_error *error);

/* Least memory in MiB that such a guest boots in, and what it gets when nothing is said. */
int vrms_guest_memory_mib_min(enum vrms_guest_kind kind);
int vrms_guest_memory_mib_default(enum vrms_guest_kind kind);

struct vrms_guest_record {
	uint32_t boot_count; /* starts of this disk, this one included */
	uint32_t tick_count; /* seconds counted since this start */
	uint32_t fail_count; /* writes that the disk refused, ever */
};

/* Reads the line that a guest wrote.  Pure.
 *
 * sector: VRMS_GUEST_SECTOR_BYTES bytes of LBA 1.
 * Returns 0, or -ENODATA when no guest has written there.
 */
VRMS_MUST_CHECK int vrms_guest_record_decode(const char *sector,
					     struct vrms_guest_record *ret_record);

/* The same from a disk (host path).  -ENODATA: no guest has written to it yet. */
VRMS_MUST_CHECK int vrms_guest_record_read(const char *path, struct vrms_guest_record *ret_record,
					   struct vrms_error *error);

/* True when `later` cannot come from a guest that just went on since `earlier`. */
bool vrms_guest_record_is_restart(const struct vrms_guest_record *earlier,
				  const struct vrms_guest_record *later);

enum vrms_guest_order {
	VRMS_GUEST_OBEY,     /* takes back DEAF */
	VRMS_GUEST_DEAF,     /* ignore the power button from now on, over reboots too */
	VRMS_GUEST_PANIC,    /* tell the panic device (Linux: crash) */
	VRMS_GUEST_WATCHDOG, /* let the watchdog bite in two seconds */
	VRMS_GUEST_REBOOT,   /* reset the machine */
	VRMS_GUEST_OFF,      /* switch it off */
	VRMS_GUEST_HANG,     /* count no more and hear nothing */
	VRMS_GUEST_ORDER_COUNT
};

VRMS_MUST_CHECK int vrms_guest_order_parse(const char *text, enum vrms_guest_order *ret_order,
					   struct vrms_error *error);
const char *vrms_guest_order_text(enum vrms_guest_order order);

/* Leaves an order on a disk (host path); a running guest obeys within about a second. */
VRMS_MUST_CHECK int vrms_guest_order_write(const char *path, enum vrms_guest_order order,
					   struct vrms_error *error);

/* Makes a guest's disk; an existing one is kept as it is. */
VRMS_MUST_CHECK int vrms_guest_disk_create(const char *path, struct vrms_error *error);

/* Makes folder/vmlinuz and folder/initrd.gz from Debian packages unless they are there.
 *
 * Needs the network the first time.  -ENOENT: a needed program is missing, the
 * text names its package.
 */
VRMS_MUST_CHECK int vrms_guest_linux_build(const char *folder, struct vrms_error *error);

#endif
