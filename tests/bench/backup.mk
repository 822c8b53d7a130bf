# SPDX-License-Identifier: GPL-2.0-or-later

bench_programs += tests/bench/bench_cost tests/bench/bench_backup_limit tests/bench/bench_backup_many

tests_bench_bench_cost_SOURCES = tests/bench/bench_cost.c \
	tests/bench/measure.c tests/bench/measure.h
tests_bench_bench_cost_LDADD = $(COMMON_LIBS)

tests_bench_bench_backup_limit_SOURCES = tests/bench/bench_backup_limit.c
tests_bench_bench_backup_limit_CFLAGS = $(AM_CFLAGS) $(BACKUP_CFLAGS)
tests_bench_bench_backup_limit_LDADD = $(BACKUP_LIBS)

tests_bench_bench_backup_many_SOURCES = tests/bench/bench_backup_many.c
tests_bench_bench_backup_many_CFLAGS = $(AM_CFLAGS) $(BACKUP_CFLAGS)
tests_bench_bench_backup_many_LDADD = $(BACKUP_LIBS)

BENCHES += tests/bench/backup.sh
