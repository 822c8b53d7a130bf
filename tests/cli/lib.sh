# lib.sh - what the CLI tests share. Each has its own folder $work.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

skip() {
	echo "skipped: $*"
	exit 77
}

# needs PROGRAMS PACKAGES (each one word, blanks between): skips where a program is not installed.
needs() {
	for program in $1; do
		command -v "$program" >/dev/null || skip "no $program (Debian packages: $2)"
	done
}

# refused PART COMMAND...: it fails, and says PART (a basic regular expression).
refused() {
	part=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		fail "not refused: $*"
	fi
	grep -q -- "$part" "$work/out" || fail "no '$part' in: $(cat "$work/out")"
	sed 's/^/# /' "$work/out"
}

# expect STATUS WORDS... -- COMMAND...: the exit status, and texts that the output must have.
# Counts in $failures and goes on.
failures=0
expect() {
	status=$1
	shift
	: >"$work/words"
	while [ "$1" != -- ]; do
		printf '%s\n' "$1" >>"$work/words"
		shift
	done
	shift
	got=0
	"$@" >"$work/output" 2>&1 || got=$?
	if [ "$got" != "$status" ]; then
		echo "FAILED: $*: exit $got, not $status"
		cat "$work/output"
		failures=$((failures + 1))
	fi
	while read -r word; do
		grep -qF -- "$word" "$work/output" || {
			echo "FAILED: $*: no '$word' in:"
			cat "$work/output"
			failures=$((failures + 1))
		}
	done <"$work/words"
}
