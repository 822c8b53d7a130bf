/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/totem.h"

#include <errno.h>
#include <sys/random.h>

#include "common/clock.h"
#include "quorum/agree.h"

#define KEY_RUNTIME     "runtime.config.totem.token"
#define KEY_TOKEN       "totem.token"
#define KEY_COEFFICIENT "totem.token_coefficient"
/* What the admin had; 0 in the last two: the key was absent. */
#define KEY_KEPT             "vrms.totem.configured"
#define KEY_KEPT_TOKEN       "vrms.totem.token"
#define KEY_KEPT_COEFFICIENT "vrms.totem.token_coefficient"
/* A number that lives as long as this corosync. */
#define KEY_LIFE "vrms.life"

int vrms_corosync_errno(cs_error_t code)
{
	switch (code) {
	case CS_OK:
		return 0;
	case CS_ERR_TRY_AGAIN:
		return -EAGAIN;
	case CS_ERR_NOT_EXIST:
		return -ENOENT;
	case CS_ERR_ACCESS:
		return -EACCES;
	case CS_ERR_NO_MEMORY:
		return -ENOMEM;
	case CS_ERR_INVALID_PARAM:
		return -EINVAL;
	default:
		return -ENOTCONN;
	}
}

static int check(cs_error_t code, const char *what, const char *key, struct vrms_error *error)
{
	int rc = vrms_corosync_errno(code);

	return rc == 0
		   ? 0
		   : vrms_error_set(error, rc, "corosync: %s %s: %s", what, key, cs_strerror(code));
}

int vrms_totem_read(cmap_handle_t cmap, int64_t *ret_token_ms, struct vrms_error *error)
{
	uint32_t value;
	int rc = check(cmap_get_uint32(cmap, KEY_RUNTIME, &value), "get", KEY_RUNTIME, error);

	if (rc == 0) {
		*ret_token_ms = value;
	}
	return rc;
}

int vrms_totem_configured(cmap_handle_t cmap, int64_t *ret_token_ms, struct vrms_error *error)
{
	uint32_t value;

	if (cmap_get_uint32(cmap, KEY_KEPT, &value) == CS_OK) {
		*ret_token_ms = value;
		return 0;
	}
	return vrms_totem_read(cmap, ret_token_ms, error);
}

static int set(cmap_handle_t cmap, const char *key, uint32_t value, struct vrms_error *error)
{
	return check(cmap_set_uint32(cmap, key, value), "set", key, error);
}

static uint32_t get_or_zero(cmap_handle_t cmap, const char *key)
{
	uint32_t value;

	return cmap_get_uint32(cmap, key, &value) == CS_OK ? value : 0;
}

/* The configured value goes last: once it is there, all of it is there. */
static int keep(cmap_handle_t cmap, struct vrms_error *error)
{
	uint32_t value;
	int64_t token_ms = 0;

	if (cmap_get_uint32(cmap, KEY_KEPT, &value) == CS_OK) {
		return 0;
	}
	int rc = vrms_totem_read(cmap, &token_ms, error);

	rc = rc != 0 ? rc : set(cmap, KEY_KEPT_TOKEN, get_or_zero(cmap, KEY_TOKEN), error);
	/* An absent coefficient counts 650; only a present one may be 0. */
	if (rc == 0 && cmap_get_uint32(cmap, KEY_COEFFICIENT, &value) == CS_OK) {
		rc = set(cmap, KEY_KEPT_COEFFICIENT, value, error);
	}
	return rc != 0 ? rc : set(cmap, KEY_KEPT, (uint32_t)token_ms, error);
}

void vrms_totem_forget(cmap_handle_t cmap)
{
	cmap_delete(cmap, KEY_KEPT);
	cmap_delete(cmap, KEY_KEPT_TOKEN);
	cmap_delete(cmap, KEY_KEPT_COEFFICIENT);
}

uint64_t vrms_totem_life(cmap_handle_t cmap)
{
	uint64_t life = 0;

	if (cmap_get_uint64(cmap, KEY_LIFE, &life) == CS_OK) {
		return life;
	}
	if (getrandom(&life, sizeof(life), 0) != sizeof(life) ||
	    cmap_set_uint64(cmap, KEY_LIFE, life) != CS_OK) {
		return 0;
	}
	return life;
}

static int put_back(cmap_handle_t cmap, struct vrms_error *error)
{
	enum { TOKEN_DEFAULT = 3000, COEFFICIENT_DEFAULT = 650 };
	uint32_t token = get_or_zero(cmap, KEY_KEPT_TOKEN);
	uint32_t coefficient;
	bool has_coefficient = cmap_get_uint32(cmap, KEY_KEPT_COEFFICIENT, &coefficient) == CS_OK;

	if (cmap_get_uint32(cmap, KEY_KEPT, &(uint32_t){0}) != CS_OK) {
		return 0; /* nothing was ever changed */
	}
	/* First by value, so that corosync takes it up; then as it was, when it was absent. */
	int rc = set(cmap, KEY_TOKEN, token != 0 ? token : TOKEN_DEFAULT, error);

	rc = rc != 0 ? rc
		     : set(cmap, KEY_COEFFICIENT,
			   has_coefficient ? coefficient : COEFFICIENT_DEFAULT, error);
	if (rc != 0) {
		return rc;
	}
	if (token == 0) {
		cmap_delete(cmap, KEY_TOKEN);
	}
	if (!has_coefficient) {
		cmap_delete(cmap, KEY_COEFFICIENT);
	}
	vrms_totem_forget(cmap);
	return 0;
}

int vrms_totem_apply(cmap_handle_t cmap, int64_t token_ms, struct vrms_error *error)
{
	int64_t configured_ms;
	int rc = vrms_totem_configured(cmap, &configured_ms, error);

	if (rc < 0) {
		return rc;
	}
	if (token_ms < 1 || token_ms > INT32_MAX) {
		return vrms_error_set(error, -EINVAL, "token: %lld ms", (long long)token_ms);
	}
	if (token_ms == configured_ms) {
		return put_back(cmap, error);
	}
	rc = keep(cmap, error);
	rc = rc != 0 ? rc : set(cmap, KEY_TOKEN, (uint32_t)token_ms, error);
	return rc != 0 ? rc : set(cmap, KEY_COEFFICIENT, 0, error);
}

int vrms_totem_restore(int64_t step_ms, struct vrms_error *error)
{
	cmap_handle_t cmap;
	int64_t configured_ms = 0, token_ms = 0;
	int rc = check(cmap_initialize(&cmap), "connect to", "cmap", error);

	if (rc < 0) {
		return rc;
	}
	rc = vrms_totem_configured(cmap, &configured_ms, error);
	rc = rc != 0 ? rc : vrms_totem_read(cmap, &token_ms, error);
	while (rc == 0 && token_ms != configured_ms) {
		token_ms = vrms_agree_rung_ms(token_ms, token_ms, configured_ms);
		rc = vrms_totem_apply(cmap, token_ms, error);
		if (rc == 0 && token_ms != configured_ms) {
			vrms_clock_sleep_ms(vrms_clock_system(), step_ms);
		}
	}
	cmap_finalize(cmap);
	return rc;
}
