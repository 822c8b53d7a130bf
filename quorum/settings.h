/* settings.h - /etc/vrms/vrmsd.conf: "name = value" lines, '#' comments, nothing else.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_SETTINGS_H
#define VRMS_QUORUM_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "ocf/param.h"

#define VRMS_SETTINGS_PATH "/etc/vrms/vrmsd.conf"

/* What is done about fail-over plans; in the order of the setting's words. */
enum vrms_settings_plan {
	VRMS_SETTINGS_PLAN_OFF,
	VRMS_SETTINGS_PLAN_ADVISE,
	VRMS_SETTINGS_PLAN_KEEP,
};

struct vrms_settings {
	bool tuning;
	int64_t token_floor_ms;
	int64_t token_load_floor_ms;
	int64_t warmup_ms;
	int64_t shorten_after_ms;
	int64_t hysteresis_pct;
	int64_t false_loss_every_ms;
	int64_t false_loss_start_ms;
	bool second_opinion;
	int64_t false_loss_every_guarded_ms;
	int64_t disturbance_every_ms;
	int64_t probe_interval_ms;
	bool realtime;
	const char *beat_device; /* NULL: no beats */
	int64_t beat_interval_ms;
	int64_t silent_intervals;
	const char *journal;
	int64_t journal_mib;
	int64_t journal_keep;
	bool vm_watch;
	const char *hypervisor;
	int64_t vm_flap_count;
	int64_t vm_flap_window_ms;
	int plan; /* enum vrms_settings_plan */
	int64_t plan_interval_ms;
	void *lines; /* what the texts above point into */
};

/* The table behind it, for the manual page. */
const struct vrms_param *vrms_settings_table(size_t *ret_count);

/* Print all settings with their defaults, commented out; and as a manual page. */
void vrms_settings_print_example(void);
void vrms_settings_print_man(void);

/* Reads a file; one that is not there means all defaults when it is the default path.
 *
 * Errors name file, line and key.  -EINVAL also for a key that does not exist or comes twice.
 */
VRMS_MUST_CHECK int vrms_settings_load(const char *path, struct vrms_settings *settings,
				       struct vrms_error *error);
void vrms_settings_done(struct vrms_settings *settings);

#endif
