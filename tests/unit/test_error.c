/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/error.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

START_TEST(set_keeps_the_text_and_returns_the_number)
{
	struct vrms_error error = {"old"};

	ck_assert_int_eq(vrms_error_set(&error, -EINVAL, "%s: required, not set", "config"),
			 -EINVAL);
	ck_assert_str_eq(error.text, "config: required, not set");
}
END_TEST

START_TEST(wrap_puts_the_object_before_the_text)
{
	struct vrms_error error = {"\"x\" is not an integer"};

	ck_assert_int_eq(vrms_error_wrap(&error, -EINVAL, "port %d", 7), -EINVAL);
	ck_assert_str_eq(error.text, "port 7: \"x\" is not an integer");
}
END_TEST

START_TEST(errno_text_is_appended_untranslated)
{
	struct vrms_error error = {""};

	ck_assert_int_eq(vrms_error_errno(&error, -ENOENT, "/a/b"), -ENOENT);
	ck_assert_str_eq(error.text, "/a/b: No such file or directory");
	vrms_error_errno(&error, -4095, "x");
	ck_assert_str_eq(error.text, "x: unknown error");
}
END_TEST

START_TEST(no_error_struct_is_fine_everywhere)
{
	ck_assert_int_eq(vrms_error_set(NULL, -EIO, "x"), -EIO);
	ck_assert_int_eq(vrms_error_wrap(NULL, -EIO, "x"), -EIO);
	ck_assert_int_eq(vrms_error_errno(NULL, -EIO, "x"), -EIO);
	vrms_error_clear(NULL);
}
END_TEST

START_TEST(long_texts_are_cut_not_overrun)
{
	struct vrms_error error;
	char text[2000];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	vrms_error_set(&error, -EIO, "%s", text);
	ck_assert_uint_eq(strlen(error.text), sizeof(error.text) - 1);
	vrms_error_wrap(&error, -EIO, "object");
	ck_assert_uint_eq(strlen(error.text), sizeof(error.text) - 1);
	ck_assert_int_eq(strncmp(error.text, "object: aaa", 11), 0);
	vrms_error_errno(&error, -EIO, "%s", text);
	ck_assert_uint_eq(strlen(error.text), sizeof(error.text) - 1);
}
END_TEST

START_TEST(the_old_text_may_be_an_argument)
{
	struct vrms_error error = {"inner"};

	vrms_error_set(&error, -EIO, "outer, %s", error.text);
	ck_assert_str_eq(error.text, "outer, inner");
}
END_TEST

START_TEST(clear_makes_it_empty)
{
	struct vrms_error error = {"x"};

	vrms_error_clear(&error);
	ck_assert_str_eq(error.text, "");
}
END_TEST

UNIT_MAIN("error", set_keeps_the_text_and_returns_the_number, wrap_puts_the_object_before_the_text,
	  errno_text_is_appended_untranslated, no_error_struct_is_fine_everywhere,
	  long_texts_are_cut_not_overrun, the_old_text_may_be_an_argument, clear_makes_it_empty)
