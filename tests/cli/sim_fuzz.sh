#!/bin/sh
# vrms-sim fuzz: the rules hold, each planted bug is found, and what is found replays.
# Environment: srcdir, and the build folder as the present one (from make).
# SPDX-License-Identifier: GPL-2.0-or-later
set -u

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
passed=0

check() { # what, command...
	what=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		passed=$((passed + 1))
	else
		echo "FAILED: $what"
		cat "$work/out"
		failed=$((failed + 1))
	fi
}

replays() { # bug
	./vrms-sim-planted fuzz --seeds 1..500 --bug "$1" --output "$work"
	[ $? = 3 ] || return 1
	file=$(ls "$work"/fuzz-*.sim) || return 1
	./vrms-sim-planted run "$file" --bug "$1" --quiet --assert 'violations >= 1' &&
		./vrms-sim-planted run "$file" --quiet --assert 'violations == 0' || return 1
	[ "$1" != no-affinity ] || grep -q '^\[rule ' "$file" || { echo "its rules are lost"; return 1; }
	faults=$(sed '1,/^\[faults\]/d' "$file" | grep -c .)
	echo "$faults faults"
	rm "$file"
	[ "$faults" -le 8 ]
}

check "a thousand seeds break no rule" ./vrms-sim fuzz --seeds 1..1000 --output "$work"
check "each planted bug is found" ./vrms-sim-planted fuzz --seeds 1..500 --bug all
cat "$work/out"
check "a scenario of a start without a fence replays" replays no-fence
check "and one of a fence that had to be refused" replays no-verdict
check "and one of a start that failed and was forgotten" replays forgotten-vm
check "and one of a VM put where a rule forbids it, rules and all" replays no-affinity
check "and one of a stop that was forgotten" replays forgotten-stop

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
