# SPDX-License-Identifier: GPL-2.0-or-later
#
# "make bench": figures, not verdicts.  Needs root: the measured agents run in nodes of a lab.

bench_programs = tests/bench/bench_agents tests/bench/plain_libvirt tests/bench/wait_boots
include tests/bench/simulator.mk
include tests/bench/placement.mk
include tests/bench/backup.mk
EXTRA_PROGRAMS += $(bench_programs)
CLEANFILES += $(bench_programs)

tests_bench_bench_agents_SOURCES = tests/bench/bench_agents.c \
	tests/bench/measure.c tests/bench/measure.h
tests_bench_bench_agents_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_bench_bench_agents_LDADD = $(VM_HOST_LIBS) $(COMMON_LIBS) $(JANSSON_LIBS)

tests_bench_plain_libvirt_SOURCES = tests/bench/plain_libvirt.c
tests_bench_plain_libvirt_CFLAGS = $(AM_CFLAGS) $(LIBVIRT_CFLAGS)
tests_bench_plain_libvirt_LDADD = $(COMMON_LIBS) $(LIBVIRT_LIBS)

tests_bench_wait_boots_SOURCES = tests/bench/wait_boots.c
tests_bench_wait_boots_LDADD = $(LAB_LIBS)

bench_programs += tests/bench/drbd_tool
tests_bench_drbd_tool_SOURCES = tests/bench/drbd_tool.c
tests_bench_drbd_tool_LDADD = $(COMMON_LIBS)

BENCHES += tests/bench/agents.sh tests/bench/detection.sh tests/bench/drbd.sh \
	tests/bench/recovery.sh tests/bench/san.sh
EXTRA_DIST += $(BENCHES) tests/bench/fence_scsi_off.sh

# One after the other: they measure time.  BENCH_FLAGS=--json for programs.
.PHONY: bench
bench: lab-stage $(bench_programs)
	@for bench in $(BENCHES); do \
		echo "== $$bench"; \
		VRMS_LAB_STAGE=$(LAB_STAGE) VRMS_BENCH_DIR=$(abs_builddir)/tests/bench \
			$(top_srcdir)/$$bench $(BENCH_FLAGS) || exit 1; \
	done
