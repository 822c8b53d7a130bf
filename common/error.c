/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The arguments may point into error->text, so every text is built aside and copied at the end. */

int vrms_error_set(struct vrms_error *error, int rc, const char *format, ...)
{
	struct vrms_error made;
	va_list args;

	if (error != NULL) {
		va_start(args, format);
		vsnprintf(made.text, sizeof(made.text), format, args);
		va_end(args);
		*error = made;
	}
	return rc;
}

/* Appends text, cut at the buffer's end. */
static void append(struct vrms_error *error, const char *text)
{
	size_t length = strlen(error->text);
	size_t room = sizeof(error->text) - 1 - length;
	size_t size = strnlen(text, room);

	memcpy(error->text + length, text, size);
	error->text[length + size] = '\0';
}

int vrms_error_wrap(struct vrms_error *error, int rc, const char *format, ...)
{
	struct vrms_error made;
	va_list args;

	if (error != NULL) {
		va_start(args, format);
		vsnprintf(made.text, sizeof(made.text), format, args);
		va_end(args);
		append(&made, ": ");
		append(&made, error->text);
		*error = made;
	}
	return rc;
}

int vrms_error_errno(struct vrms_error *error, int rc, const char *format, ...)
{
	struct vrms_error made;
	va_list args;

	if (error != NULL) {
		/* Not strerror(): it is translated and shares its buffer between threads. */
		const char *reason = strerrordesc_np(-rc);

		va_start(args, format);
		vsnprintf(made.text, sizeof(made.text), format, args);
		va_end(args);
		append(&made, ": ");
		append(&made, reason != NULL ? reason : "unknown error");
		*error = made;
	}
	return rc;
}

void vrms_error_clear(struct vrms_error *error)
{
	if (error != NULL) {
		error->text[0] = '\0';
	}
}
