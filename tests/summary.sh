#!/bin/sh
# summary.sh TEST... - the closing lines of the test programs and one line for all of them.
#
# Reads the .log and .trs files that automake's harness left for each TEST.
# Exits 1 when a test failed or left no result.
# SPDX-License-Identifier: GPL-2.0-or-later
set -u
passed=0 failed=0 skipped=0
for test in "$@"; do
	base=${test%.sh}
	result=$(sed -n 's/^:global-test-result: //p' "$base.trs" 2>/dev/null)
	case $result in
	PASS) passed=$((passed + 1)) ;;
	SKIP) skipped=$((skipped + 1)) ;;
	*) failed=$((failed + 1)); result=${result:-"NO RESULT"} ;;
	esac
	closing=$(grep -E '^[0-9]+%: Checks: |^[0-9]+ passed, [0-9]+ failed' "$base.log" 2>/dev/null | tail -n 1)
	[ -n "$closing" ] || closing=$(tail -n 2 "$base.log" 2>/dev/null | head -n 1)
	printf '%-4s %-44s %s\n' "$result" "${base#tests/}" "$closing"
done
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
