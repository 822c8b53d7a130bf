/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "san/health.h"

static int64_t whole_ms(int64_t us)
{
	return (us + 999) / 1000;
}

static enum vrms_lun_health judge_latency(const struct vrms_lun_reading *reading,
					  const struct vrms_lun_limits *limits,
					  struct vrms_error *error)
{
	int64_t latency_ms = whole_ms(reading->latency_us);

	if (latency_ms > limits->fail_ms) {
		vrms_error_set(error, 0, "%s: a read took %lld ms, more than %lld", reading->name,
			       (long long)latency_ms, (long long)limits->fail_ms);
		return VRMS_LUN_RED;
	}
	if (latency_ms > limits->warn_ms) {
		vrms_error_set(error, 0, "%s: a read took %lld ms, more than %lld", reading->name,
			       (long long)latency_ms, (long long)limits->warn_ms);
		return VRMS_LUN_YELLOW;
	}
	return VRMS_LUN_GREEN;
}

enum vrms_lun_health vrms_lun_judge(const struct vrms_lun_reading *reading,
				    const struct vrms_lun_limits *limits, struct vrms_error *error)
{
	const char *trouble = reading->trouble != NULL ? reading->trouble : "no path works";

	if (reading->good_count == 0 || reading->latency_us < 0) {
		vrms_error_set(error, 0, "%s: %s", reading->name, trouble);
		return VRMS_LUN_RED;
	}
	if (reading->good_count < limits->paths_min) {
		vrms_error_set(error, 0, "%.100s: %u of %u paths, %lld needed: %.200s",
			       reading->name, reading->good_count, reading->path_count,
			       (long long)limits->paths_min, trouble);
		return VRMS_LUN_RED;
	}
	if (reading->needs_key && reading->has_reservation && !reading->has_key) {
		vrms_error_set(error, 0, "%s: this node's key is not registered: it is fenced here",
			       reading->name);
		return VRMS_LUN_RED;
	}
	enum vrms_lun_health health = judge_latency(reading, limits, error);
	if (health != VRMS_LUN_GREEN) {
		return health;
	}
	if (reading->needs_key && !reading->has_reservation) {
		vrms_error_set(error, 0, "%s: not reserved: it keeps no fenced node out",
			       reading->name);
		return VRMS_LUN_YELLOW;
	}
	if (reading->good_count < reading->path_count) {
		vrms_error_set(error, 0, "%.100s: %u of %u paths: %.200s", reading->name,
			       reading->good_count, reading->path_count, trouble);
		return VRMS_LUN_YELLOW;
	}
	return VRMS_LUN_GREEN;
}

const char *vrms_lun_health_name(enum vrms_lun_health health)
{
	static const char *const names[] = {"green", "yellow", "red"};

	return names[health];
}
