/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/guest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct kind_row {
	const char *text;
	int memory_mib_min, memory_mib_default;
};

static const struct kind_row kinds[VRMS_GUEST_KIND_COUNT] = {
    [VRMS_GUEST_BOOTSECTOR] = {"bootsector", 4, 16},
    [VRMS_GUEST_LINUX] = {"linux", 80, 96},
};

static const char *const orders[VRMS_GUEST_ORDER_COUNT] = {
    [VRMS_GUEST_OBEY] = "obey",     [VRMS_GUEST_DEAF] = "deaf",
    [VRMS_GUEST_PANIC] = "panic",   [VRMS_GUEST_WATCHDOG] = "watchdog",
    [VRMS_GUEST_REBOOT] = "reboot", [VRMS_GUEST_OFF] = "off",
    [VRMS_GUEST_HANG] = "hang",
};

const char *vrms_guest_kind_text(enum vrms_guest_kind kind)
{
	return kinds[kind].text;
}

int vrms_guest_memory_mib_min(enum vrms_guest_kind kind)
{
	return kinds[kind].memory_mib_min;
}

int vrms_guest_memory_mib_default(enum vrms_guest_kind kind)
{
	return kinds[kind].memory_mib_default;
}

int vrms_guest_kind_parse(const char *text, enum vrms_guest_kind *ret_kind,
			  struct vrms_error *error)
{
	for (int kind = 0; kind < VRMS_GUEST_KIND_COUNT; kind++) {
		if (strcmp(text, kinds[kind].text) == 0) {
			*ret_kind = (enum vrms_guest_kind)kind;
			return 0;
		}
	}
	return vrms_error_set(error, -EINVAL, "\"%s\" is not a guest (bootsector, linux)", text);
}

const char *vrms_guest_order_text(enum vrms_guest_order order)
{
	return orders[order];
}

int vrms_guest_order_parse(const char *text, enum vrms_guest_order *ret_order,
			   struct vrms_error *error)
{
	for (int order = 0; order < VRMS_GUEST_ORDER_COUNT; order++) {
		if (strcmp(text, orders[order]) == 0) {
			*ret_order = (enum vrms_guest_order)order;
			return 0;
		}
	}
	return vrms_error_set(error, -EINVAL,
			      "\"%s\" is not an order (obey, deaf, panic, watchdog, reboot, off, "
			      "hang)",
			      text);
}

int vrms_guest_record_decode(const char *sector, struct vrms_guest_record *ret_record)
{
	char line[64];
	struct vrms_guest_record record;

	memcpy(line, sector, sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	if (sscanf(line, "VRMS boot %6u tick %8u fail %4u", &record.boot_count, &record.tick_count,
		   &record.fail_count) != 3) {
		return -ENODATA;
	}
	*ret_record = record;
	return 0;
}

bool vrms_guest_record_is_restart(const struct vrms_guest_record *earlier,
				  const struct vrms_guest_record *later)
{
	return later->boot_count != earlier->boot_count || later->tick_count < earlier->tick_count;
}
