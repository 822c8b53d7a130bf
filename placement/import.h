/* import.h - read a cluster's state from a file: Pacemaker CIB, JSON or Ganeti text.
 *
 * The format is recognised by the first character that is not blank: '<' a CIB,
 * '{' JSON (see doc/examples and vrms-plan in the manual), else Ganeti's text
 * format (htools).  Errors name file and line.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_PLACEMENT_IMPORT_H
#define VRMS_PLACEMENT_IMPORT_H

#include "placement/model.h"

/* What of the input could not be taken into account, for people; beyond the table: counted. */
enum { VRMS_IMPORT_NOTES_MAX = 16 };
struct vrms_import_notes {
	char text[VRMS_IMPORT_NOTES_MAX][160];
	int count;
};

/* Reads the file and seals the model.
 *
 * ret_notes: NULL when nobody wants to know.
 * Returns 0, an errno of open(2) and read(2), -EINVAL (not understood, an unknown
 * name, something declared twice), -EDEADLK (contradicting rules), -ENOMEM ...
 */
VRMS_MUST_CHECK int vrms_import_file(const char *path, struct vrms_import_notes *ret_notes,
				     struct vrms_model **ret_model, struct vrms_error *error);

/* The same from memory; text is NUL-terminated.  name: for error texts. */
VRMS_MUST_CHECK int vrms_import_text(const char *text, const char *name,
				     struct vrms_import_notes *ret_notes,
				     struct vrms_model **ret_model, struct vrms_error *error);

#endif
