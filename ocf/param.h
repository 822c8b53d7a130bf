/* param.h - one row declares a parameter; reading, limits, meta-data, usage and man page follow.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_OCF_PARAM_H
#define VRMS_OCF_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

enum vrms_param_type {
	VRMS_PARAM_STRING,      /* const char *; NULL when not set and without fallback; borrowed */
	VRMS_PARAM_INTEGER,     /* int64_t */
	VRMS_PARAM_BOOLEAN,     /* bool */
	VRMS_PARAM_DURATION_MS, /* int64_t, milliseconds; written in Pacemaker's syntax */
	VRMS_PARAM_CHOICE,      /* int, the index into .choices; OCF 1.1 type "select" */
};

struct vrms_param {
	const char *name;
	enum vrms_param_type type;
	size_t offset;        /* by VRMS_PARAM_FIELD(); checked against .type */
	const char *fallback; /* the default, as a user would write it; NULL: none */
	int64_t minimum,
	    maximum; /* INTEGER, DURATION_MS; both 0: no limits but those of the type */
	const char *const *choices; /* CHOICE: NULL-terminated; "" may be the first: "not set" */
	bool required;
	bool unique;     /* must differ between instances (OCF 1.1 unique-group named after it) */
	bool reloadable; /* may change by reload-agent, without a restart */
	bool advanced;   /* documented but not shown in short usage */
	const char *shortdesc;
	const char *longdesc;

	/* Fence agents only. */
	char option; /* short option letter, 0: none; the long one is the name with '-' */
	const char *long_option; /* NULL: the name with '_' written '-' */
	const char *obsoletes;   /* name of the older parameter that this one replaces */
	bool deprecated;
};

/* Offset of a field, refusing at compile time a field whose C type is not `c_type`. */
#define VRMS_PARAM_FIELD(structure, field, c_type)                             \
	(offsetof(structure, field) +                                          \
	 0 * sizeof(char[_Generic(((structure *)0)->field, c_type : 1, default \
				  : -1)]))

/* Where values come from: returns the text of a parameter or NULL when it is not set. */
typedef const char *vrms_param_lookup(void *context, const char *name);

/* Fills *config from the table: default, or the user's text checked against type and limits.
 *
 * The user's text is borrowed by STRING fields.  An empty text means "not set".
 * Errors: -EINVAL or -ERANGE; the text names the parameter, the value and what
 * would be right.  *config may be partly filled then.
 */
VRMS_MUST_CHECK int vrms_params_read(const struct vrms_param *params, size_t param_count,
				     vrms_param_lookup *lookup, void *context, void *config,
				     struct vrms_error *error);

/* Writes what the row allows, for messages and manuals: "1s to 1h", "1 to 65535", "at least 0",
 * "one of acpi, agent"; empty when everything of the type is allowed.  Cut at the buffer's end.
 */
void vrms_param_limits_print(const struct vrms_param *param, char *buffer, size_t buffer_bytes);

#endif
