# SPDX-License-Identifier: GPL-2.0-or-later
#
# "make bench": figures, not verdicts.  Needs root: the measured agents run in nodes of a lab.

EXTRA_PROGRAMS += tests/bench/bench_agents tests/bench/plain_libvirt
CLEANFILES += tests/bench/bench_agents tests/bench/plain_libvirt

tests_bench_bench_agents_SOURCES = tests/bench/bench_agents.c \
	tests/bench/measure.c tests/bench/measure.h
tests_bench_bench_agents_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_bench_bench_agents_LDADD = $(VM_HOST_LIBS) $(COMMON_LIBS) $(JANSSON_LIBS)

tests_bench_plain_libvirt_SOURCES = tests/bench/plain_libvirt.c
tests_bench_plain_libvirt_CFLAGS = $(AM_CFLAGS) $(LIBVIRT_CFLAGS)
tests_bench_plain_libvirt_LDADD = $(COMMON_LIBS) $(LIBVIRT_LIBS)
