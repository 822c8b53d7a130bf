# SPDX-License-Identifier: GPL-2.0-or-later

bench_programs += tests/bench/bench_sim_queue
tests_bench_bench_sim_queue_SOURCES = tests/bench/bench_sim_queue.c
tests_bench_bench_sim_queue_LDADD   = $(SIM_LIBS)

BENCHES += tests/bench/sim.sh
