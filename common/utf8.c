/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/utf8.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character there; 0: it is none.  Source: RFC 3629, section 4. */
static size_t character_bytes(const unsigned char *at)
{
	size_t bytes = at[0] < 0x80   ? 1
		       : at[0] < 0xc2 ? 0
		       : at[0] < 0xe0 ? 2
		       : at[0] < 0xf0 ? 3
				      : 4;
	bool is_overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
	bool is_surrogate = at[0] == 0xed && at[1] >= 0xa0;
	bool is_beyond = at[0] > 0xf4 || (at[0] == 0xf4 && at[1] >= 0x90);

	if (is_overlong || is_surrogate || is_beyond) {
		return 0;
	}
	for (size_t i = 1; i < bytes; i++) { /* the NUL at the end is no continuation */
		if ((at[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	return bytes;
}

void vrms_utf8_mend(char *text)
{
	for (char *at = text; *at != '\0';) {
		size_t bytes = character_bytes((const unsigned char *)at);

		if (bytes == 0) {
			*at = '?';
			bytes = 1;
		}
		at += bytes;
	}
}
