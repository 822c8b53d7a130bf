/* parse.h - strict readers for what users write: the whole text is meant, or it is an error.
 *
 * Pure.  Every function leaves its output untouched on failure and says in
 * `error` what was wrong, quoting the text.  -EINVAL: not of this form;
 * -ERANGE: of this form but outside the limits.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_COMMON_PARSE_H
#define VRMS_COMMON_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

/* Reads a decimal integer with an optional sign; no leading or trailing blanks. */
VRMS_MUST_CHECK int vrms_int_parse(const char *text, int64_t minimum, int64_t maximum,
				   int64_t *ret_value, struct vrms_error *error);

/* Reads yes/no, true/false, on/off, 1/0, y/n, t/f in any case.
 * Source: OCF 1.1 "boolean"; crm_is_true() of Pacemaker and ocf_is_true of resource-agents.
 */
VRMS_MUST_CHECK int vrms_bool_parse(const char *text, bool *ret_value, struct vrms_error *error);

/* Reads a duration such as "90", "90s", "500ms", "250us", "2min", "1h" or ISO 8601 "PT1M30S".
 *
 * A bare number means seconds.  Blanks between number and unit are allowed.
 * ret_ms: milliseconds, >= 0, rounded down.
 * Source: crm_get_msec() and crm_parse_interval_spec() of Pacemaker 2.1.
 */
VRMS_MUST_CHECK int vrms_duration_parse(const char *text, int64_t *ret_ms,
					struct vrms_error *error);

/* Reads a size such as "512", "64K", "64KiB", "10M", "2GiB", "1TB" into bytes.
 *
 * K, M, G, T, P and KiB, MiB... are powers of 1024; KB, MB... are powers of 1000.
 * Source: libvirt's "scaled integers" (formatdomain, <memory unit=...>).
 */
VRMS_MUST_CHECK int vrms_size_parse(const char *text, uint64_t *ret_bytes,
				    struct vrms_error *error);

#endif
