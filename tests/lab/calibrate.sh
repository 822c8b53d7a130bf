#!/bin/bash
# calibrate.sh - the simulator and a real cluster side by side: a power cut, a freeze, a killed QEMU.
#
# VRMS_CALIBRATE_ROUNDS: how often each is made (2).  VRMS_SIM: the program (beside the stage's vrms-lab).
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

LAB=calibrate # vrms-sim's name for it
DIR=/var/lib/vrms-lab/$LAB
ROUNDS=${VRMS_CALIBRATE_ROUNDS:-2}
SIM=${VRMS_SIM:-$(dirname "$PROGRAM")/vrms-sim}
SCENARIO=$(dirname "$0")/../../doc/examples/sim/lab.sim
WORK=$(mktemp -d)
PATH=$(dirname "$PROGRAM"):$PATH

side_by_side() {
	local rc=0
	"$SIM" calibrate "$SCENARIO" --lab --rounds "$ROUNDS" --samples "$WORK/lab.csv" --json \
		>"$WORK/rows.json" 2>"$WORK/table" || rc=$?
	sed 's/^/# /' "$WORK/table"
	case $rc in
	0 | 3) ;; # 3: a median is outside of 15 % and 100 ms, which a busy machine may well do
	*) fail "exit status $rc" ;;
	esac
	for fault in power-cut freeze; do
		same "$fault: the time to the new membership is predicted" true \
			"$(jq --arg f $fault '.rows[] | select(.fault == $f and .step == "membership") | .agrees' "$WORK/rows.json")"
	done
	same "steps of a killed QEMU" 4 "$(jq '[.rows[] | select(.fault == "qemu-kill")] | length' "$WORK/rows.json")"
	[ ! -e "$DIR" ] || fail "$DIR is left"
}

from_samples() {
	"$SIM" calibrate "$SCENARIO" --samples "$WORK/lab.csv" --fit "$WORK/fitted" >"$WORK/table" || [ $? = 3 ]
	sed 's/^/# /' "$WORK/table" "$WORK/fitted"
	contains "the calibration" "$(cat "$WORK/fitted")" "sync_retry_pct"
}

run_case side_by_side "the same failures in a lab and in the simulator"
run_case from_samples "what was measured can be fitted and compared again"
rm -rf "$WORK"
finish
