#!/bin/sh
# Each header compiles alone, and twice in one file.
# Environment: srcdir, CC, HEADER_CFLAGS (from make).
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compile() { # top folder, header
	printf '#include "%s"\n#include "%s"\nint vrms_not_empty;\n' "$2" "$2" >"$work/one.c"
	# shellcheck disable=SC2086 # lists of words
	$CC $HEADER_CFLAGS -I"$1" -fsyntax-only "$work/one.c"
}

must_refuse() { # what, text of the header
	mkdir -p "$work/tree/common"
	printf '%s\n' "$2" >"$work/tree/common/planted.h"
	if compile "$work/tree" common/planted.h 2>"$work/found"; then
		echo "self-test: $1 was let through"
		exit 1
	fi
	grep -q planted.h "$work/found" || { echo "self-test: $1: another error:"; cat "$work/found"; exit 1; }
}

must_refuse "a header that needs another one first" 'size_t planted(void);'
must_refuse "a header without a guard" 'struct planted { int x; };'

bad=0
count=0
for header in $(cd "$srcdir" && find . -mindepth 2 -name '*.h' ! -path './build*' ! -path './_build/*' ! -path './vrms-*' |
	sed 's,^\./,,' | sort); do
	count=$((count + 1))
	compile "$srcdir" "$header" || { echo "$header does not compile alone"; bad=1; }
done
if [ "$count" = 0 ]; then
	echo "no headers in $srcdir"
	exit 1
fi
echo "headers: $count"
exit $bad
