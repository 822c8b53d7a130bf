# SPDX-License-Identifier: GPL-2.0-or-later
#
# One Check program per module: tests/unit/test_<module>.c.  To add one, add its name and its
# _CFLAGS and _LDADD lines to the .mk file of the folder that it tests.

UNIT_TESTS  =
UNIT_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
UNIT_LIBS   = $(COMMON_LIBS) $(QB_LIBS) $(CHECK_LIBS)

include tests/unit/common.mk
include tests/unit/ocf.mk
include tests/unit/san.mk
include tests/unit/agents.mk
include tests/unit/lab.mk
include tests/unit/lab_vms.mk
include tests/unit/placement.mk
include tests/unit/quorum.mk
include tests/unit/simulator.mk
include tests/unit/backup.mk
include tests/unit/cli.mk

check_PROGRAMS += $(UNIT_TESTS)
TESTS          += $(UNIT_TESTS)
EXTRA_DIST     += tests/unit/unit.h
