# SPDX-License-Identifier: GPL-2.0-or-later
#
# One Check program per module: tests/unit/test_<module>.c.  To add one, add its
# name to UNIT_TESTS and, when it needs more than COMMON_LIBS, a _LDADD line.

UNIT_TESTS = \
	tests/unit/test_parse

check_PROGRAMS += $(UNIT_TESTS)
TESTS          += $(UNIT_TESTS)
EXTRA_DIST     += tests/unit/unit.h

UNIT_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
UNIT_LIBS   = $(COMMON_LIBS) $(QB_LIBS) $(CHECK_LIBS)

tests_unit_test_parse_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_parse_LDADD  = $(UNIT_LIBS)
