# SPDX-License-Identifier: GPL-2.0-or-later
#
# One Check program per module: tests/unit/test_<module>.c.  To add one, add its
# name to UNIT_TESTS and, when it needs more than COMMON_LIBS, a _LDADD line.

UNIT_TESTS = \
	tests/unit/test_agent \
	tests/unit/test_child \
	tests/unit/test_error \
	tests/unit/test_fence \
	tests/unit/test_file \
	tests/unit/test_guest_record \
	tests/unit/test_log \
	tests/unit/test_ocf \
	tests/unit/test_param \
	tests/unit/test_parse \
	tests/unit/test_random \
	tests/unit/test_timeline \
	tests/unit/test_view \
	tests/unit/test_vm_xml

check_PROGRAMS += $(UNIT_TESTS)
TESTS          += $(UNIT_TESTS)
EXTRA_DIST     += tests/unit/unit.h

UNIT_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
UNIT_LIBS   = $(COMMON_LIBS) $(QB_LIBS) $(CHECK_LIBS)

tests_unit_test_agent_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_agent_LDADD  = $(UNIT_LIBS)
tests_unit_test_child_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_child_LDADD  = $(UNIT_LIBS)
tests_unit_test_error_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_error_LDADD  = $(UNIT_LIBS)
tests_unit_test_fence_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fence_LDADD  = $(UNIT_LIBS)
tests_unit_test_file_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_file_LDADD  = $(UNIT_LIBS)
tests_unit_test_log_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_log_LDADD  = $(UNIT_LIBS)
tests_unit_test_ocf_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_ocf_LDADD  = $(OCF_LIBS) $(CHECK_LIBS)
tests_unit_test_param_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_param_LDADD  = $(OCF_LIBS) $(CHECK_LIBS)
tests_unit_test_parse_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_parse_LDADD  = $(UNIT_LIBS)
tests_unit_test_random_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_random_LDADD  = $(UNIT_LIBS)
tests_unit_test_guest_record_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_guest_record_LDADD  = lab/libvrms-story.a $(UNIT_LIBS)
tests_unit_test_vm_xml_CFLAGS = $(UNIT_CFLAGS) $(XML_CFLAGS)
tests_unit_test_vm_xml_LDADD  = $(LAB_VM_LIBS) $(UNIT_LIBS) $(XML_LIBS)
tests_unit_test_timeline_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_timeline_LDADD  = lab/libvrms-story.a $(UNIT_LIBS)
tests_unit_test_view_CFLAGS = $(UNIT_CFLAGS) $(XML_CFLAGS)
tests_unit_test_view_LDADD  = $(LAB_VM_LIBS) $(UNIT_LIBS) $(XML_LIBS)
