/* test_ocf.c - the pieces of ocf/ that need no process: exit codes, XML and mdoc text.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ocf/exit.h"
#include "ocf/mdoc.h"
#include "ocf/xml.h"
#include "tests/unit/unit.h"

static char printed[2000];

static FILE *begin(void)
{
	FILE *out = fmemopen(printed, sizeof(printed), "w");

	ck_assert_ptr_nonnull(out);
	return out;
}

START_TEST(each_errno_has_one_exit_code)
{
	ck_assert_int_eq(vrms_ocf_exit_from_errno(0), VRMS_OCF_SUCCESS);
	ck_assert_int_eq(vrms_ocf_exit_from_errno(-EINVAL), VRMS_OCF_ERR_CONFIGURED);
	ck_assert_int_eq(vrms_ocf_exit_from_errno(-ERANGE), VRMS_OCF_ERR_CONFIGURED);
	ck_assert_int_eq(vrms_ocf_exit_from_errno(-EACCES), VRMS_OCF_ERR_PERM);
	ck_assert_int_eq(vrms_ocf_exit_from_errno(-EPERM), VRMS_OCF_ERR_PERM);
	ck_assert_int_eq(vrms_ocf_exit_from_errno(-ENOENT), VRMS_OCF_ERR_INSTALLED);
	ck_assert_int_eq(vrms_ocf_exit_from_errno(-ENOSYS), VRMS_OCF_ERR_INSTALLED);
	ck_assert_int_eq(vrms_ocf_exit_from_errno(-EOPNOTSUPP), VRMS_OCF_ERR_UNIMPLEMENTED);
	ck_assert_int_eq(vrms_ocf_exit_from_errno(-ETIMEDOUT), VRMS_OCF_ERR_GENERIC);
	ck_assert_str_eq(vrms_ocf_exit_name(7), "OCF_NOT_RUNNING");
	ck_assert_str_eq(vrms_ocf_exit_name(42), "unknown");
}
END_TEST

START_TEST(xml_text_is_escaped)
{
	FILE *out = begin();

	vrms_xml_text_print(out, "a<b>&\"c\" ]]>\n\td\x01\xc3\xa4");
	fclose(out);
	ck_assert_str_eq(printed, "a&lt;b&gt;&amp;&quot;c&quot; ]]&gt;\n\td?\xc3\xa4");
}
END_TEST

START_TEST(xml_attributes_keep_line_ends_and_null_is_left_out)
{
	FILE *out = begin();

	vrms_xml_attribute_print(out, "default", "a\"\n\tb'");
	vrms_xml_attribute_print(out, "none", NULL);
	vrms_xml_flag_print(out, "unique", true);
	fclose(out);
	ck_assert_str_eq(printed, " default=\"a&quot;&#10;&#9;b'\" unique=\"1\"");
}
END_TEST

START_TEST(mdoc_sentences_and_paragraphs)
{
	FILE *out = begin();

	vrms_mdoc_text_print(out, "One here.  Two\nthere.\n\n.Third 'x a\\b \"q\" -v\n");
	fclose(out);
	ck_assert_str_eq(printed,
			 "One here.\nTwo there.\n.Pp\n\\&.Third 'x a\\eb \\(dqq\\(dq \\-v\n");
}
END_TEST

START_TEST(mdoc_lines_are_filled)
{
	char text[600];
	FILE *out = begin();

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		text[i] = i % 8 == 7 ? ' ' : 'w';
	}
	text[sizeof(text) - 1] = '\0';
	vrms_mdoc_text_print(out, text);
	fclose(out);
	for (char *line = printed; *line != '\0'; line = strchr(line, '\n') + 1) {
		ck_assert_uint_le(strcspn(line, "\n"), 72);
	}
}
END_TEST

UNIT_MAIN("ocf", each_errno_has_one_exit_code, xml_text_is_escaped,
	  xml_attributes_keep_line_ends_and_null_is_left_out, mdoc_sentences_and_paragraphs,
	  mdoc_lines_are_filled)
