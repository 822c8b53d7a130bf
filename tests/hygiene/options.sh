#!/bin/sh
# Every option that --help tells of is in the program's man page, and the other way round.
# Environment: srcdir, MANDOC (from make); the programs are in the present folder.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

options() { grep -oE -- '--[a-z][a-z0-9-]*[a-z0-9]' | sort -u; }

# check PROGRAM "COMMAND..." PAGE...: "vm+add" is two words.
check() {
	program=$1 commands=$2
	shift 2
	"./$program" --help >"$work/help"
	for command in $commands; do
		# shellcheck disable=SC2046 # words
		"./$program" $(echo "$command" | tr + ' ') --help >>"$work/help"
	done
	: >"$work/page"
	for page in "$@"; do
		"$MANDOC" -T ascii -O width=300 "$srcdir/$page" | sed 's/.\x08//g' >>"$work/page"
	done
	options <"$work/help" | grep -vxF -e --help -e --version >"$work/helped"
	options <"$work/page" >"$work/paged"
	comm -23 "$work/helped" "$work/paged" | sed "s|^|$program: not in its man page: |" >"$work/found"
	# Pages also name options of other programs.
	comm -13 "$work/helped" "$work/paged" | grep -vxF -e --help -e --version -e --patch -e --delete \
		-e --ro -e --name -e --update -e --nodes -e --cuts -e --vms |
		sed "s|^|$program: not in its --help: |" >>"$work/found" || :
	cat "$work/found"
	[ ! -s "$work/found" ] || bad=1
}

commands_of() { # PROGRAM: two blanks, a word, its arguments, two blanks, what it does
	"./$1" --help | sed -n 's/^  \([a-z][a-z-]*\)  *[A-Za-z[].*/\1/p' | sort -u
}

check vrms "plan drain undrain rebalance place status tune announce events explain san" \
	cli/vrms.8 cli/vrms-plan.8 cli/vrms-drain.8
check vrms-lab "$(commands_of vrms-lab) vm+add vm+list vm+remove vm+order" lab/vrms-lab.8
check vrms-backup "$(commands_of vrms-backup)" backup/vrms-backup.8
check vrms-sim "$(commands_of vrms-sim)" simulator/vrms-sim.1
check vrmsd "" quorum/vrmsd.8

# The check itself must be able to fail.
seen=$bad
check vrms-lab "vm+add" backup/vrms-backup.8 >"$work/self-test"
if ! grep -q 'not in its man page: --agent' "$work/self-test" ||
	! grep -q 'not in its --help: --mode' "$work/self-test"; then
	echo "self-test: a wrong page was let through"
	exit 1
fi
[ "$seen" = 0 ] || exit 1
echo "options: vrms vrms-lab vrms-backup vrms-sim vrmsd"
