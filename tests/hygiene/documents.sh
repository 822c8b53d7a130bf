#!/bin/sh
# What the documents name is there: files and folders, targets of make, options of configure; and
# the journal's events are those of the manual.
# Environment: srcdir (from make).
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu

srcdir=${srcdir:-.}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Words with a slash that begin in a folder of ours; what has a "*" or ends as a beginning names more
# than one.
paths_of() { # DOCUMENT
	grep -oE '(^|[^A-Za-z0-9_./$-])[a-z]+/[A-Za-z0-9_./*-]+' "$1" | sed 's/^[^a-z]//; s/[.]$//' | sort -u
}

check_paths() { # DOCUMENT: what it names and nobody has
	paths_of "$1" | while read -r path; do
		[ -d "$srcdir/${path%%/*}" ] || continue # dev/, etc/ and the like
		# A program of the build, or one of many: then its source or the first of them.
		# shellcheck disable=SC2086 # patterns
		ls -d "$srcdir"/$path "$srcdir"/$path* "$path" >"$work/ls" 2>"$work/errors" || :
		[ -s "$work/ls" ] || grep -qF "$path" Makefile || echo "$1: there is no $path"
	done
}

check_targets() { # DOCUMENT
	grep -oE '`make [a-z-]+`' "$1" | sed 's/`make //; s/`//' | sort -u | while read -r target; do
		grep -qE "^$target:" Makefile || echo "$1: make has no target $target"
	done
	grep -oE -- '--(en|dis)able-[a-z]+|--with-[a-z]+' "$1" | sort -u | while read -r option; do
		"$srcdir/configure" --help | grep -qF -- "$option" ||
			echo "$1: configure has no option $option"
	done
}

# Both ways: an event that the manual does not know, and one that nobody writes.
check_events() { # SOURCES... MANUAL
	grep -ohE 'vrms_daemon_record\([^,]*, "[a-z-]+"|say_connected\(daemon, "[a-z-]+"' "$srcdir"/quorum/*.c |
		sed 's/.*"\(.*\)"/\1/' | sort -u >"$work/written"
	sed -n '/^Events:/,/^\.El/s/^\.It Va //p' "$1" | tr -d ' ' | tr , '\n' | sort -u >"$work/told"
	[ -s "$work/written" ] || echo "no event is written in $srcdir/quorum"
	comm -23 "$work/written" "$work/told" | sed "s|^|$1: not among its events: |"
	comm -13 "$work/written" "$work/told" | sed "s|^|$1: nobody writes the event |"
}

check() {
	for document in "$srcdir/README.md" "$srcdir/HACKING.md"; do
		check_paths "$document"
		check_targets "$document"
	done
	check_events "$1"
}

check "$srcdir/quorum/vrmsd.8" >"$work/found"

# The check itself must be able to fail.
printf 'See quorum/nothing.c, `make nothing` and --enable-nothing.\n' >"$work/wrong.md"
{
	check_paths "$work/wrong.md"
	check_targets "$work/wrong.md"
	sed '/^\.It Va vm-watch/d; s/^\.It Va load/.It Va burden/' "$srcdir/quorum/vrmsd.8" >"$work/wrong.8"
	check_events "$work/wrong.8"
} >"$work/self-test"
for wanted in 'no quorum/nothing.c' 'no target nothing' 'no option --enable-nothing' \
	'not among its events: vm-watch' 'not among its events: load' 'writes the event burden'; do
	if ! grep -qF -- "$wanted" "$work/self-test"; then
		echo "self-test: not seen: $wanted"
		exit 1
	fi
done
cat "$work/found"
[ ! -s "$work/found" ] || exit 1
echo "documents: $(paths_of "$srcdir/README.md" | wc -l) paths in README.md, $(paths_of "$srcdir/HACKING.md" | wc -l) in HACKING.md, $(wc -l <"$work/written") events"
