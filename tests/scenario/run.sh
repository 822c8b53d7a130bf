#!/bin/sh
# run.sh - plays every recorded history to the decision cores and compares what they decide.
# To accept a new decision, look at the difference first, then: replay < X.events > X.expected
# SPDX-License-Identifier: GPL-2.0-or-later
set -u
here=${srcdir:-.}/tests/scenario
failed=0
count=0
for events in "$here"/*.events; do
	count=$((count + 1))
	if ! tests/scenario/replay < "$events" | diff -u "${events%.events}.expected" -; then
		echo "FAIL: $events"
		failed=$((failed + 1))
	fi
done
echo "$count histories, $failed failed"
[ "$count" -gt 0 ] && [ "$failed" -eq 0 ]
