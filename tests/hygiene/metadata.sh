#!/bin/sh
# Meta-data of every agent is valid where it will be read, and its man page is clean; a page of every
# program is installed.
# Environment: OCF_AGENTS, FENCE_AGENTS, INSTALLED, MAN_PAGES, XMLLINT, MANDOC (from make).
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu

ocf_rng=/usr/share/pcs/data/ocf-1.1.rng
fence_ocf_rng=/usr/share/pcs/data/ocf-1.0.rng
fence_rng=/usr/share/cluster/relaxng/metadata.rng

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
missing=

complain() {
	echo "$*"
	bad=1
}

# Status 0: valid, or the schema is not on this machine (remembered).
valid() { # file, schema, Debian package
	if [ ! -e "$2" ]; then
		missing="$2 (Debian package: $3)"
		return 0
	fi
	"$XMLLINT" --noout --relaxng "$2" "$1" 2>"$work/lint" || { cat "$work/lint"; return 1; }
}

check_man() { # agent, section
	# mandoc compares the section with the name of the file.
	"$1" --man >"$work/page.$2" || complain "$1: --man fails"
	"$MANDOC" -Tlint -W warning "$work/page.$2" || complain "$1: man page"
}

check_ocf() { # agent
	"$1" meta-data >"$work/ocf.xml" || complain "$1: meta-data fails"
	"$XMLLINT" --noout --valid "$work/ocf.xml" || complain "$1: not valid by its own DTD"
	valid "$work/ocf.xml" $ocf_rng pcs || complain "$1: not valid by $ocf_rng"
	# crmsh hands it to lxml as a string, which then refuses an encoding.
	if grep -q 'encoding=' "$work/ocf.xml"; then
		complain "$1: declares an encoding"
	fi
	for action in start stop monitor meta-data validate-all; do
		grep -q "<action name=\"$action\"" "$work/ocf.xml" || complain "$1: no action $action"
	done
	check_man "$1" 7
}

check_fence() { # agent
	"$1" -o metadata >"$work/fence.xml" || complain "$1: metadata fails"
	valid "$work/fence.xml" $fence_rng fence-agents || complain "$1: not valid by $fence_rng"
	valid "$work/fence.xml" $fence_ocf_rng pcs || complain "$1: not valid by $fence_ocf_rng"
	for action in monitor metadata validate-all; do
		grep -q "<action name=\"$action\"" "$work/fence.xml" || complain "$1: no action $action"
	done
	check_man "$1" 8
}

has_page() { # program
	name=${1##*/}
	case " $MAN_PAGES " in
	*"/$name."[18]" "* | *"/ocf_vrms_$name.7 "*) ;;
	*) return 1 ;;
	esac
}

# The check itself must be able to fail.
must_refuse() { # what, file, schema
	if [ -e "$3" ] && valid "$2" "$3" "" >"$work/found"; then
		echo "self-test: $1 was let through"
		exit 1
	fi
}

if [ -z "$OCF_AGENTS" ] || [ -z "$FENCE_AGENTS" ]; then
	echo "no agents to look at"
	exit 1
fi
for agent in $OCF_AGENTS; do
	check_ocf "./$agent"
done
for agent in $FENCE_AGENTS; do
	check_fence "./$agent"
done
for program in $INSTALLED; do
	has_page "$program" || complain "$program: no man page is installed"
done
if has_page tests/fakes/fence_dummy; then
	echo "self-test: a page that nobody installs was found"
	exit 1
fi

sed 's/required="1"/required="maybe"/' "$work/ocf.xml" >"$work/planted.xml"
must_refuse "a required that is neither 0 nor 1" "$work/planted.xml" $ocf_rng
if "$XMLLINT" --noout --valid "$work/planted.xml" 2>"$work/found"; then
	echo "self-test: the DTD let a required that is neither 0 nor 1 through"
	exit 1
fi
sed 's/<getopt.*//' "$work/fence.xml" >"$work/planted.xml"
must_refuse "a fence parameter without its option" "$work/planted.xml" $fence_rng

if [ $bad = 0 ] && [ -n "$missing" ]; then
	echo "skipped in part: no $missing"
	exit 77
fi
echo "metadata: $OCF_AGENTS $FENCE_AGENTS"
exit $bad
