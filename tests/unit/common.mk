# SPDX-License-Identifier: GPL-2.0-or-later

UNIT_TESTS += \
	tests/unit/test_child \
	tests/unit/test_error \
	tests/unit/test_file \
	tests/unit/test_fork \
	tests/unit/test_log \
	tests/unit/test_parse \
	tests/unit/test_random \
	tests/unit/test_thread

tests_unit_test_child_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_child_LDADD  = $(UNIT_LIBS)

tests_unit_test_error_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_error_LDADD  = $(UNIT_LIBS)

tests_unit_test_file_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_file_LDADD  = $(UNIT_LIBS)

tests_unit_test_fork_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fork_LDADD  = $(UNIT_LIBS)

tests_unit_test_log_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_log_LDADD  = $(UNIT_LIBS)

tests_unit_test_parse_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_parse_LDADD  = $(UNIT_LIBS)

tests_unit_test_random_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_random_LDADD  = $(UNIT_LIBS)

tests_unit_test_thread_CFLAGS = $(UNIT_CFLAGS) -pthread
tests_unit_test_thread_LDADD  = $(UNIT_LIBS)
