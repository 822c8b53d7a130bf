#!/bin/sh
# Includes point one way, are written by full path, and a file's own header comes first.
# Environment: srcdir (from make).
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# folder: folders and single headers that it may include
cat >"$work/rules" <<'END'
common: common
ocf: common ocf
san: common san
agents: common ocf san agents
placement: common placement
quorum: common ocf/fence.h ocf/param.h placement quorum agents/vm_state.h agents/domain_xml.h agents/qemu_process.h agents/vm_cache.h
simulator: common placement quorum simulator agents/vm_state.h
backup: common backup
lab: common ocf san agents placement quorum simulator backup lab
cli: common ocf san agents placement quorum simulator backup lab cli
tests: common ocf san agents placement quorum simulator backup lab cli tests
END

# Looks at a source tree; prints what is wrong; status 1 when something is.
check() {
	(
		cd "$1"
		find . -mindepth 2 -name '*.[ch]' ! -path './build*' ! -path './_build/*' ! -path './vrms-*' |
			sed 's,^\./,,' | sort >"$work/files"
	)
	if [ ! -s "$work/files" ]; then
		echo "no source files in $1"
		return 1
	fi
	awk -v top="$1" '
		FILENAME == ARGV[1] {
			folder = $1
			sub(/:$/, "", folder)
			known[folder] = 1
			for (i = 2; i <= NF; i++) may[folder, $i] = 1
			next
		}
		{ look($0) }
		function complain(text) { print text; bad = 1 }
		function look(file,    folder, line, number, target, head, own, first, seen) {
			folder = file
			sub(/\/.*/, "", folder)
			if (!(folder in known)) complain(file ": no rule for folder " folder)
			own = file
			if (sub(/\.c$/, ".h", own) && (getline line < (top "/" own)) >= 0) {
				first = own
				close(top "/" own)
			}
			number = 0
			while ((getline line < (top "/" file)) > 0) {
				number++
				if (line !~ /^[ \t]*#[ \t]*include/) continue
				if (first != "" && !seen && index(line, "\"" first "\"") == 0)
					complain(file ":" number ": " first " is not included first")
				seen = 1
				if (line !~ /"/) continue
				target = line
				sub(/^[^"]*"/, "", target)
				sub(/".*/, "", target)
				if (target == "config.h") continue
				head = target
				if (!sub(/\/.*/, "", head)) {
					complain(file ":" number ": \"" target "\" is not a path from the top folder")
					continue
				}
				if (!((folder, head) in may) && !((folder, target) in may))
					complain(file ":" number ": " folder "/ may not include " target)
			}
			close(top "/" file)
		}
		END { exit bad }
	' "$work/rules" "$work/files"
}

plant() { # file, text
	mkdir -p "$work/tree/$(dirname "$1")"
	printf '%s\n' "$2" >"$work/tree/$1"
}

must_refuse() { # what, pattern of the message
	if check "$work/tree" >"$work/found"; then
		echo "self-test: $1 was let through"
		exit 1
	fi
	grep -q "$2" "$work/found" || { echo "self-test: $1: not said:"; cat "$work/found"; exit 1; }
}

# The check itself must be able to fail, for each of its reasons.
plant common/a.h 'int a;'
plant common/a.c '#include "common/a.h"'
check "$work/tree" || { echo "self-test: a right tree was refused"; exit 1; }
plant common/b.c '#include "ocf/agent.h"'
must_refuse "an include that points up" 'common/b.c:1: common/ may not include ocf/agent.h'
plant common/b.c '#include "a.h"'
must_refuse "an include without its folder" '"a.h" is not a path'
rm "$work/tree/common/b.c"
plant common/a.c '#include <stdio.h>
#include "common/a.h"'
must_refuse "an own header that is not first" 'common/a.c:1: common/a.h is not included first'
rm "$work/tree/common/a.c"
plant stranger/c.c 'int c;'
must_refuse "an unknown folder" 'no rule for folder stranger'

if ! check "$srcdir"; then
	exit 1
fi
echo "includes: $(wc -l <"$work/files") files"
