#!/bin/sh
# Each source file names its licence, is not long, holds no words of unfinished work, and if it is a
# script it parses and, where it begins with "#!", may be executed.
# Environment: srcdir (from make).
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu

lines_max=600
# In brackets, so that this file does not find itself.
words='(^|[^[:alnum:]_])(TO[D]O|FIX[M]E|XX[X]|place[h]older)([^[:alnum:]_]|$)'
# Sometimes right, then a comment on the line says why.
hidden='\|\| tru[e][^#]*$'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Looks at a source tree; prints what is wrong; status 1 when something is.
check() {
	(
		cd "$1"
		find . -type f \( -name '*.[ch]' -o -name '*.sh' -o -name '*.mk' -o -name '*.py' \
			-o -name Makefile.am -o -name configure.ac \) \
			! -path './build*' ! -path './_build/*' ! -path './vrms-*' ! -path './.git/*' ! -name config.h |
			sort
	) >"$work/files"
	if [ ! -s "$work/files" ]; then
		echo "no source files in $1"
		return 1
	fi
	wrong=0
	while read -r file; do
		path=$1/$file
		grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' "$path" ||
			{ echo "$file: no SPDX line"; wrong=1; }
		lines=$(wc -l <"$path")
		[ "$lines" -le $lines_max ] || { echo "$file: $lines lines, at most $lines_max"; wrong=1; }
		if grep -nHE "$words" "$path"; then
			wrong=1
		fi
		case $file in
		*.sh | *.mk)
			if grep -nHE "$hidden" "$path"; then
				echo "$file: hides a failure (or say why in a comment on that line)"
				wrong=1
			fi
			;;
		esac
		case $file in
		*.sh)
			bash -n "$path" || { echo "$file: bash does not understand it"; wrong=1; }
			if [ "$(head -c 2 "$path")" = '#!' ] && [ ! -x "$path" ]; then
				echo "$file: is a program, and not executable"
				wrong=1
			fi
			;;
		esac
	done <"$work/files"
	return $wrong
}

must_refuse() { # what, file, text
	mkdir -p "$work/tree"
	printf '%s\n' "$3" >"$work/tree/$2"
	if check "$work/tree" >"$work/found"; then
		echo "self-test: $1 was let through"
		exit 1
	fi
	rm "$work/tree/$2"
}

spdx='SPDX-License-Identifier: GPL-2.0-or-later'
must_refuse "a file without a licence" a.c 'int a;'
must_refuse "an unfinished file" a.c "/* $spdx TO""DO */"
must_refuse "a hidden failure" a.sh "# $spdx
false || tr""ue"
must_refuse "a hidden failure with a text" a.sh "# $spdx
false || tr""ue; echo"
must_refuse "a long file" a.c "/* $spdx */
$(seq $lines_max)"
must_refuse "a script that does not parse" a.sh "# $spdx
a() {"
must_refuse "a script that no one may run" a.sh "#!/bin/sh
# $spdx"
printf '/* %s mkstemp("XXXXXX") */\n' "$spdx" >"$work/tree/a.c"
printf '# %s\ngrep -c x || tr''ue # none is an answer\n' "$spdx" >"$work/tree/a.sh"
check "$work/tree" || { echo "self-test: a right file was refused"; exit 1; }

if ! check "$srcdir"; then
	exit 1
fi
echo "style: $(wc -l <"$work/files") files"
