/* node_health_core.h - from samples of trouble to colours that do not flicker.
 *
 * Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_NODE_HEALTH_CORE_H
#define VRMS_AGENTS_NODE_HEALTH_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* One row: X(NAME, name, default limits "yellow:red", counted, what the value is).
 * counted: the source is a counter; the value is how much it has grown of late (half-life of ten
 * minutes).  A limit "-" is never reached.
 */
#define VRMS_HEALTH_SIGNALS(X)                                                                     \
	X(MEMORY_PRESSURE, memory_pressure, "10:40", false,                                        \
	  "percent of the last 10 s in which all work waited for memory (PSI, full avg10)")        \
	X(IO_PRESSURE, io_pressure, "30:80", false,                                                \
	  "percent of the last 10 s in which all work waited for disks (PSI, full avg10)")         \
	X(EDAC_CORRECTED, edac_corrected, "10:1000", true, "recent corrected memory errors")       \
	X(EDAC_UNCORRECTED, edac_uncorrected, "0.5:0.5", true, "recent uncorrected memory errors") \
	X(MACHINE_CHECKS, machine_checks, "0.5:5", true, "recent machine check exceptions")        \
	X(THERMAL_THROTTLE, thermal_throttle, "5:500", true,                                       \
	  "recent throttlings of processors by heat")                                              \
	X(DISK_ERRORS, disk_errors, "0.5:20", true, "recent errors of local SCSI disks")           \
	X(SAN_LATENCY, san_latency, "200:2000", false,                                             \
	  "milliseconds of one read of 4 KiB from san_device, past all caches")                    \
	X(LIBVIRTD, libvirtd, "1:-", false, "1 when libvirtd does not answer within two seconds")  \
	X(FAILOVER_MEMORY, failover_memory, "1:-", false,                                          \
	  "percent of failover_need that is not available")

enum vrms_health_signal {
#define VRMS_HEALTH_ENUM(NAME, name, limits, counted, what) VRMS_HEALTH_##NAME,
	VRMS_HEALTH_SIGNALS(VRMS_HEALTH_ENUM)
#undef VRMS_HEALTH_ENUM
	    VRMS_HEALTH_COUNT
};

/* Source: Pacemaker Explained, "Tracking Node Health"; the worst is the largest. */
enum vrms_health_colour { VRMS_HEALTH_GREEN, VRMS_HEALTH_YELLOW, VRMS_HEALTH_RED };

struct vrms_health_limits {
	bool is_off;
	double yellow, red; /* reached: >=; HUGE_VAL: never */
};

/* How slow a colour changes. */
struct vrms_health_damping {
	int rise;         /* samples in a row before it gets worse; >= 1 */
	int fall;         /* samples in a row before it gets better; >= 1 */
	double clear_pct; /* a limit is left only below this part of it; 1..100 */
};

/* Of one signal, from one sample to the next. */
struct vrms_health_state {
	enum vrms_health_colour colour;
	int worse_count, better_count;      /* of samples in a row */
	enum vrms_health_colour all_wanted; /* the smallest change that all of them wanted */
	bool has_counter;                   /* `counter` was read at `counter_ms` */
	double counter;
	double recent; /* its growth of late */
	int64_t counter_ms;
};

const char *vrms_health_name(enum vrms_health_signal signal);
const char *vrms_health_default_limits(enum vrms_health_signal signal);
const char *vrms_health_meaning(enum vrms_health_signal signal);
bool vrms_health_is_counted(enum vrms_health_signal signal);
const char *vrms_health_colour_name(enum vrms_health_colour colour);

/* Reads "10:40", "1:-" (never red) or "off".  -EINVAL; yellow must not be above red. */
VRMS_MUST_CHECK int vrms_health_limits_parse(const char *text,
					     struct vrms_health_limits *ret_limits,
					     struct vrms_error *error);

/* Takes one sample of a value. */
void vrms_health_step(struct vrms_health_state *state, const struct vrms_health_limits *limits,
		      const struct vrms_health_damping *damping, double value);

/* Takes the reading of a counter and returns the value to step with.  A counter that has gone back
 * was reset: it counts from 0. */
double vrms_health_count(struct vrms_health_state *state, double counter, int64_t now_ms);

/* The sources' texts.  -EPROTO when they are not what they should be. */

/* "full avg10=1.23 avg60=..." of /proc/pressure/NAME: percent. */
VRMS_MUST_CHECK int vrms_health_psi_parse(const char *text, double *ret_percent);
/* A row of /proc/interrupts, such as "MCE": the sum over all processors. */
VRMS_MUST_CHECK int vrms_health_interrupts_parse(const char *text, const char *row,
						 double *ret_count);
/* A row of /proc/meminfo, such as "MemAvailable": MiB. */
VRMS_MUST_CHECK int vrms_health_meminfo_parse(const char *text, const char *row, double *ret_mib);

#endif
