/* san_lun.h - what ocf:vrms:SanLun is told, and its one look at all LUNs and paths.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_SAN_LUN_H
#define VRMS_AGENTS_SAN_LUN_H

#include "agents/san_settings.h"
#include "san/health.h"

struct vrms_san_lun_config {
	struct vrms_san_settings san;
	const char *paths; /* devices and files; NULL: none */
	bool registers;
	bool logs_in;
	int64_t reads;
	struct vrms_lun_limits limits;
	bool publishes;
};

/* The worst of all LUNs. */
struct vrms_san_lun_look {
	enum vrms_lun_health health;
	struct vrms_error why;
	int64_t latency_us;
	unsigned good_count, path_count;
};

/* Settings made ready, about this node.  Keys are needed for LUNs only: without any, *san is empty.
 * Errors: those of vrms_san_make(). */
VRMS_MUST_CHECK int vrms_san_lun_make(const struct vrms_san_lun_config *config,
				      struct vrms_san *san, struct vrms_error *error);

/* Reads every LUN over every path, and every device and file.  What is wrong with them is in the
 * look, not an error. */
VRMS_MUST_CHECK int vrms_san_lun_take_look(const struct vrms_san_lun_config *config,
					   struct vrms_san_lun_look *look,
					   struct vrms_error *error);

#endif
