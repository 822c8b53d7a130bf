#!/bin/sh
# Every rule of a decision core is one that its test would miss: each is broken in turn, and the
# test has to fail.  Environment: CC, SANITIZE_CFLAGS (from make).
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu

srcdir=${srcdir:-.}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
count=0

# trim TEXT: without spaces around it; a tab is part of an expression.
trim() { printf '%s' "$1" | sed 's/^ *//; s/ *$//'; }

# build FILE TEST: links the test with that file instead of the archive's.
build() {
	# shellcheck disable=SC2046,SC2086 # flags are several words
	${CC:-cc} -D_GNU_SOURCE -std=gnu11 -O1 -w ${SANITIZE_CFLAGS:-} -I. -I"$srcdir" \
		$(pkg-config --cflags libxml-2.0) -o "$work/test" \
		"$1" "$work/$2.o" quorum/libvrms-quorum-core.a common/libvrms-system.a common/libvrms-base.a \
		$(pkg-config --libs check libqb libxml-2.0) -lm
}

# prepare TEST FILE: its own object, and the test as it is.
prepare() {
	[ ! -e "$work/$1.o" ] || return 0
	# shellcheck disable=SC2086
	${CC:-cc} -D_GNU_SOURCE -std=gnu11 -O1 -w ${SANITIZE_CFLAGS:-} -I. -I"$srcdir" -c -o "$work/$1.o" \
		"$srcdir/tests/unit/test_$1.c"
	build "$srcdir/$2" "$1"
	mv "$work/test" "$work/$1.unbroken"
}

# passes_unbroken TEST FACT: the proof, which also knows a fact that is not there any more.
passes_unbroken() {
	UNIT_ONLY=$2 "$work/$1.unbroken" >"$work/out" 2>&1 || {
		echo "FAILED: test_$1 $2 fails with the rules unbroken:"
		cat "$work/out"
		exit 1
	}
}

while IFS='|' read -r file test expression rule; do
	case $file in '#'* | '') continue ;; esac
	file=$(trim "$file") test=$(trim "$test") expression=$(trim "$expression") rule=$(trim "$rule")
	fact=
	case $test in *:*) fact=${test#*:} test=${test%%:*} ;; esac
	prepare "$test" "$file"
	passes_unbroken "$test" "$fact"
	sed "$expression" "$srcdir/$file" >"$work/broken.c"
	count=$((count + 1))
	if cmp -s "$srcdir/$file" "$work/broken.c"; then
		echo "FAILED: $file: nothing to change by \"$expression\": the list is behind the code"
		failures=$((failures + 1))
		continue
	fi
	build "$work/broken.c" "$test"
	if UNIT_ONLY=$fact timeout 60 "$work/test" >"$work/out" 2>&1; then
		echo "FAILED: $file: test_$test does not see that this is broken: $rule"
		failures=$((failures + 1))
	fi
done <"$srcdir/tests/hygiene/mutations.list"

[ "$count" -gt 0 ] || { echo "FAILED: the list is empty"; exit 1; }
echo "$count broken rules, $failures not seen"
[ "$failures" = 0 ] || exit 1
