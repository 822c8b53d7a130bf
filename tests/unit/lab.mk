# SPDX-License-Identifier: GPL-2.0-or-later

UNIT_TESTS += \
	tests/unit/test_lab_awake \
	tests/unit/test_lab_command \
	tests/unit/test_lab_crowd \
	tests/unit/test_lab_log_line \
	tests/unit/test_lab_members \
	tests/unit/test_lab_partition \
	tests/unit/test_lab_power \
	tests/unit/test_lab_process \
	tests/unit/test_lab_render \
	tests/unit/test_lab_setup \
	tests/unit/test_lab_victim

tests_unit_test_lab_awake_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_lab_awake_LDADD  = $(LAB_LIBS) $(CHECK_LIBS)
tests_unit_test_lab_command_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_lab_command_LDADD  = $(LAB_LIBS) $(CHECK_LIBS)
tests_unit_test_lab_crowd_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_lab_crowd_LDADD  = $(LAB_LIBS) $(CHECK_LIBS)
tests_unit_test_lab_log_line_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_lab_log_line_LDADD  = $(LAB_LIBS) $(CHECK_LIBS)
tests_unit_test_lab_members_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_lab_members_LDADD  = $(LAB_LIBS) $(CHECK_LIBS)
tests_unit_test_lab_partition_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_lab_partition_LDADD  = $(LAB_LIBS) $(CHECK_LIBS)
tests_unit_test_lab_power_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_lab_power_LDADD  = $(LAB_LIBS) $(CHECK_LIBS)
tests_unit_test_lab_process_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_lab_process_LDADD  = $(LAB_LIBS) $(CHECK_LIBS)
tests_unit_test_lab_render_CFLAGS = $(UNIT_CFLAGS) $(XML_CFLAGS)
tests_unit_test_lab_render_LDADD  = $(LAB_LIBS) $(CHECK_LIBS)
tests_unit_test_lab_setup_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_lab_setup_LDADD  = $(LAB_LIBS) $(CHECK_LIBS)
tests_unit_test_lab_victim_CFLAGS = $(UNIT_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_lab_victim_LDADD  = $(LAB_LIBS) $(CHECK_LIBS)
