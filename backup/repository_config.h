/* repository_config.h - the file "repository": what was chosen at init.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_BACKUP_REPOSITORY_CONFIG_H
#define VRMS_BACKUP_REPOSITORY_CONFIG_H

#include <jansson.h>

#include "backup/repository.h"

/* Returns -EINVAL with a text for values that cannot be. */
VRMS_MUST_CHECK int vrms_repository_config_check(const struct vrms_repository_config *config,
						 struct vrms_error *error);

/* The caller owns the result; NULL when out of memory. */
json_t *vrms_repository_config_encode(const struct vrms_repository_config *config);

VRMS_MUST_CHECK int vrms_repository_config_decode(const json_t *value,
						  struct vrms_repository_config *ret_config,
						  struct vrms_error *error);

/* "sha256", "hmac-sha256", "xxh3". */
const char *vrms_hash_name(enum vrms_hash hash);
VRMS_MUST_CHECK int vrms_hash_parse(const char *text, enum vrms_hash *ret_hash,
				    struct vrms_error *error);

#endif
