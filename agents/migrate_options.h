/* migrate_options.h - the option words of "virsh migrate" as flags and typed values.
 *
 * Pure.  Source: virsh(1), "migrate", libvirt 9.0.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_MIGRATE_OPTIONS_H
#define VRMS_AGENTS_MIGRATE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

enum {
	VRMS_MIGRATE_VALUE_MAX = 24,
	VRMS_MIGRATE_TEXT_MAX = 1024,
};

enum vrms_migrate_value_type {
	VRMS_MIGRATE_STRING,
	VRMS_MIGRATE_INT,    /* VIR_TYPED_PARAM_INT */
	VRMS_MIGRATE_ULLONG, /* VIR_TYPED_PARAM_ULLONG */
	VRMS_MIGRATE_LIST,   /* strings separated by commas, one typed parameter each */
	VRMS_MIGRATE_FILE,   /* path of a file whose text is the value */
};

/* One typed parameter for virDomainMigrate3(). */
struct vrms_migrate_value {
	const char *field; /* VIR_MIGRATE_PARAM_* */
	enum vrms_migrate_value_type type;
	const char *text; /* into the owning struct's text */
	int64_t number;
};

/* What happens when a migration lasts longer than --timeout. */
enum vrms_migrate_on_timeout {
	VRMS_MIGRATE_TIMEOUT_SUSPEND,
	VRMS_MIGRATE_TIMEOUT_POSTCOPY,
};

struct vrms_migrate_options {
	unsigned int flags; /* virDomainMigrateFlags, without VIR_MIGRATE_LIVE */
	struct vrms_migrate_value values[VRMS_MIGRATE_VALUE_MAX];
	size_t value_count;
	const char *migrateuri; /* of --migrateuri, may hold %n; NULL: not given */
	int64_t timeout_ms;     /* of --timeout; 0: not given */
	enum vrms_migrate_on_timeout on_timeout;
	bool postcopy_after_precopy;
	char text[VRMS_MIGRATE_TEXT_MAX]; /* what the values point into */
};

/* Reads option words separated by blanks; a value follows as "--word value" or "--word=value".
 *
 * text: NULL or "" gives no options.
 * Words that mean nothing here (--live, --verbose) are accepted.
 * Returns 0, -EINVAL naming the word that is unknown, contradicts this agent
 * (--offline, --suspend, --dname: the VM would not run there under its name),
 * or lacks its value, or -E2BIG.
 * ret_options must not be copied afterwards: values point into its text.
 */
VRMS_MUST_CHECK int vrms_migrate_options_parse(const char *text,
					       struct vrms_migrate_options *ret_options,
					       struct vrms_error *error);

#endif
