# SPDX-License-Identifier: GPL-2.0-or-later
#
# Programs that stand in for real parts in the tests.

check_PROGRAMS += tests/fakes/fence_dummy tests/fakes/ocf_dummy
tests_fakes_fence_dummy_SOURCES = tests/fakes/fence_dummy.c
tests_fakes_fence_dummy_LDADD   = $(OCF_LIBS)
tests_fakes_ocf_dummy_SOURCES   = tests/fakes/ocf_dummy.c
tests_fakes_ocf_dummy_LDADD     = $(OCF_LIBS)

# Preloaded, and built, by tests/lab/verdict.sh and tests/cli/backup_care.sh.
EXTRA_DIST += tests/fakes/clock_step.c tests/fakes/bad_disk.c
