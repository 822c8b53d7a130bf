#!/bin/sh
# Placement beside Pacemaker's scheduler and Ganeti's hbal and hail; --quick leaves out what takes minutes.
# SPDX-License-Identifier: GPL-2.0-or-later
exec "${VRMS_BENCH_DIR:-tests/bench}/bench_placement" "$@"
