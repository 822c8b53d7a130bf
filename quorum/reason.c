/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/reason.h"

#define NAME(name, text) #name,
#define TEXT(name, text) text,

static const char *const names[] = {VRMS_REASONS(NAME)};
static const char *const texts[] = {VRMS_REASONS(TEXT)};

const char *vrms_reason_name(enum vrms_reason reason)
{
	return (unsigned)reason < VRMS_REASON_COUNT ? names[reason] : "UNKNOWN";
}

const char *vrms_reason_text(enum vrms_reason reason)
{
	return (unsigned)reason < VRMS_REASON_COUNT ? texts[reason] : "unknown reason";
}
