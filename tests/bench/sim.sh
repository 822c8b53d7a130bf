#!/bin/sh
# How fast the simulator is.  Environment: VRMS_BENCH_DIR (from make bench).
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
echo "bare queue, processor time of one core (goal at 10000 pending: 10 M events/s)"
"$VRMS_BENCH_DIR/bench_sim_queue"
