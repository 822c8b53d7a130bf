/* cleanup.h - scope-bound release of memory, files and handles.
 *
 * The attribute is for things that a scope owns.  Where the order of undoing
 * matters, use goto and one label instead; never both in one function.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_COMMON_CLEANUP_H
#define VRMS_COMMON_CLEANUP_H

#include <stdlib.h>

#define VRMS_MUST_CHECK         __attribute__((warn_unused_result))
#define VRMS_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define VRMS_CLEANUP(function)  __attribute__((cleanup(function)))

/* Moves a pointer out of a variable that has VRMS_CLEANUP: the variable becomes NULL. */
#define VRMS_TAKE(pointer)                              \
	(__extension__({                                \
		__typeof__(pointer) taken_ = (pointer); \
		(pointer) = NULL;                       \
		taken_;                                 \
	}))

/* Declares `free_function##p(type *)` for VRMS_CLEANUP; free_function must accept NULL. */
#define VRMS_DEFINE_CLEANUP(type, free_function)            \
	static inline void free_function##p(type *variable) \
	{                                                   \
		free_function(*variable);                   \
	}                                                   \
	struct vrms_cleanup_needs_semicolon

#define VRMS_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Frees what a `char *` (or any heap pointer) variable points to. */
static inline void vrms_freep(void *variable)
{
	free(*(void **)variable);
}

#endif
