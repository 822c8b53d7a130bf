# SPDX-License-Identifier: GPL-2.0-or-later

bench_programs += tests/bench/bench_placement
tests_bench_bench_placement_SOURCES = tests/bench/bench_placement.c \
	tests/bench/placement_cluster.c tests/bench/placement_cluster.h \
	tests/bench/placement_peers.c tests/bench/placement_peers.h
tests_bench_bench_placement_CFLAGS = $(AM_CFLAGS) $(XML_CFLAGS)
tests_bench_bench_placement_LDADD = $(PLACEMENT_IO_LIBS) $(COMMON_LIBS) $(QB_LIBS) $(XML_LIBS) $(JANSSON_LIBS)
BENCHES += tests/bench/placement.sh
