/* utf8.h - texts of others that go into JSON, which takes whole characters only.
 *
 * Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_COMMON_UTF8_H
#define VRMS_COMMON_UTF8_H

/* Puts a question mark for each byte that is part of no character, such as what is left of one
 * where a text was cut to length.  Source: RFC 3629, section 4. */
void vrms_utf8_mend(char *text);

#endif
