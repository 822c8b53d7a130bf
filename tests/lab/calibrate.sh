#!/bin/bash
# calibrate.sh - the simulator and a real cluster side by side: a power cut, a freeze, a killed QEMU.
#
# Half of the rounds are learned from, the other half is compared; every median must agree.
# VRMS_CALIBRATE_ROUNDS: how often each is made (4).  VRMS_SIM: the program (beside the stage's vrms-lab).
# VRMS_CALIBRATE_SAMPLES: a file that keeps what was measured, and is added to.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

LAB=calibrate # vrms-sim's name for it
DIR=/var/lib/vrms-lab/$LAB
ROUNDS=${VRMS_CALIBRATE_ROUNDS:-4}
SIM=${VRMS_SIM:-$(dirname "$PROGRAM")/vrms-sim}
SCENARIO=$(dirname "$0")/../../doc/examples/sim/lab.sim
WORK=$(mktemp -d)
SAMPLES=${VRMS_CALIBRATE_SAMPLES:-$WORK/lab.csv}
PATH=$(dirname "$PROGRAM"):$PATH

rows() { jq -r ".rows[] | select($1) | \"\(.fault) \(.step)\"" "$WORK/rows.json" | paste -sd, -; } # FILTER

side_by_side() {
	local rc=0
	"$SIM" calibrate "$SCENARIO" --lab --rounds "$ROUNDS" --samples "$SAMPLES" --fit "$WORK/fitted" \
		--json >"$WORK/rows.json" 2>"$WORK/table" || rc=$?
	sed 's/^/# /' "$WORK/table"
	case $rc in
	0 | 3) ;; # 3: a median is outside of 15 % and 100 ms
	*) fail "exit status $rc" ;;
	esac
	same "steps of a power cut, a freeze and a killed QEMU" "5 5 4" "$(jq -r \
		'[.rows[].fault] | map(select(. == ("power-cut", "freeze", "qemu-kill"))) | group_by(.) |
		"\(.[1] | length) \(.[0] | length) \(.[2] | length)"' "$WORK/rows.json")"
	[ ! -e "$DIR" ] || fail "$DIR is left"
	same "medians of the predicted times that are outside" "" "$(rows '.basis == "predicted" and (.agrees | not)')"
	same "medians that are outside of 15 % and 100 ms" "" "$(rows '.agrees | not')"
}

from_samples() {
	local rc=0
	"$SIM" calibrate "$SCENARIO" --samples "$SAMPLES" --fit "$WORK/again" --json \
		>"$WORK/again.json" 2>"$WORK/table" || rc=$?
	[ $rc = 0 ] || [ $rc = 3 ] || fail "exit status $rc: $(cat "$WORK/table")"
	sed 's/^/# /' "$WORK/again"
	contains "the calibration" "$(cat "$WORK/again")" "sync_retry_pct"
	same "what is learned from the kept samples" "$(cat "$WORK/fitted")" "$(cat "$WORK/again")"
	same "the comparison" "$(cat "$WORK/rows.json")" "$(cat "$WORK/again.json")"
}

run_case side_by_side "the same failures in a lab and in the simulator: all medians agree"
run_case from_samples "what was measured can be fitted and compared again"
rm -rf "$WORK"
finish
