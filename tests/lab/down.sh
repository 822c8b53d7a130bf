#!/bin/bash
# down.sh - a lab leaves nothing behind, however it ends; and what it refuses.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

# What of the lab can be seen from the host.  Namespaces are known by the numbers noted before.
namespaces_of() { # NODES...
	local node
	for node in "$@"; do
		in_node "$node" readlink /proc/self/ns/pid /proc/self/ns/net /proc/self/ns/mnt
	done
}
processes_in() { # FILE OF NAMESPACES: those that live; a zombie holds nothing
	find /proc -maxdepth 3 -path '/proc/[0-9]*/ns/*' \( -name pid -o -name net -o -name mnt \) \
		-printf '%h %l\n' 2>/dev/null | grep -F -f "$1" | while read -r process _; do
		if ! grep -q '^State:[[:space:]]*[ZX]' "${process%/ns}/status" 2>/dev/null; then
			echo "$process: $(tr '\0' ' ' 2>/dev/null <"${process%/ns}/cmdline")"
		fi
	done || : # find complains about processes that end meanwhile
}
processes_of_the_lab() { # the power switch and anything else that is started with the lab's name
	pgrep -af "vrms-lab.*$LAB( |\$|/)" | grep -v " up \| down" || :
}
nothing_is_left() { # FILE OF NAMESPACES
	local left try
	# One that has let go of its memory, not yet of its namespaces, is gone in a moment.
	for try in 1 2 3 4 5 6 7 8 9 10; do
		left=$(processes_in "$1")
		[ -n "$left" ] || break
		say "look $try: still there: $left"
		sleep 0.5
	done
	[ -z "$left" ] || fail "processes in the nodes' namespaces: $left"
	left=$(processes_of_the_lab)
	[ -z "$left" ] || fail "processes of the lab: $left"
	left=$(grep -F "$DIR" /proc/mounts || :)
	[ -z "$left" ] || fail "mounts: $left"
	[ ! -e "$DIR" ] || fail "its folder: $(find "$DIR" | head)"
}

init_of() { # NODE: the host's number of its pid 1
	local namespace process
	namespace=$(in_node "$1" readlink /proc/self/ns/pid)
	for process in /proc/[0-9]*; do
		if [ "$(readlink "$process/ns/pid" 2>/dev/null)" = "$namespace" ] &&
			grep -q '^NSpid:.*[[:space:]]1$' "$process/status" 2>/dev/null; then
			echo "${process#/proc/}"
		fi
	done
}

plain_down() {
	local seen
	seen=$(mktemp)
	lab up -n 2 --no-libvirt --token 1000
	namespaces_of node1 node2 >"$seen"
	[ -n "$(processes_in "$seen")" ] || fail "the check sees no process of a running lab"
	lab down
	nothing_is_left "$seen"
	rm -f "$seen"
}

down_after_a_crash() {
	local seen pid
	seen=$(mktemp)
	lab up -n 2 --no-libvirt --token 1000
	namespaces_of node1 node2 >"$seen"
	pid=$(init_of node2)
	# shellcheck disable=SC2046 # one word each
	kill -KILL "$pid" $(processes_of_the_lab | cut -d' ' -f1)
	say "killed: what of the lab runs outside the nodes, and pid 1 of node2 ($pid)"
	lab down
	nothing_is_left "$seen"
	rm -f "$seen"
}

up_killed() {
	local seen pid
	seen=$(mktemp)
	"$PROGRAM" --lab "$LAB" up "${shared[@]}" -n 3 --no-libvirt --token 1000 >/dev/null 2>&1 &
	pid=$!
	sleep 2.5
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || :
	namespaces_of node1 node2 node3 2>/dev/null >"$seen" || :
	say "killed up -9 after 2.5 s; namespaces seen: $(wc -l <"$seen")"
	lab down
	nothing_is_left "$seen"
	rm -f "$seen"
}

up_interrupted() {
	local seen pid rc moment
	seen=$(mktemp)
	for moment in 0.2 0.8 2.5; do
		rc=0
		"$PROGRAM" --lab "$LAB" up "${shared[@]}" -n 3 --no-libvirt --token 1000 >/dev/null 2>&1 &
		pid=$!
		sleep $moment
		namespaces_of node1 node2 node3 2>/dev/null >"$seen" || :
		kill -TERM "$pid"
		wait "$pid" || rc=$?
		say "interrupted after $moment s: exit status $rc"
		[ "$rc" != 0 ] || fail "an interrupted up says that it succeeded"
		nothing_is_left "$seen"
	done
	rm -f "$seen"
}

demo_interrupted() {
	local seen pid rc=0
	seen=$(mktemp)
	"$PROGRAM" --lab "$LAB" demo "${shared[@]}" >/dev/null 2>&1 &
	pid=$!
	sleep 8
	namespaces_of node1 node2 node3 2>/dev/null >"$seen" || :
	kill -INT "$pid"
	wait "$pid" || rc=$?
	[ "$rc" != 0 ] || fail "an interrupted demo says that it succeeded"
	nothing_is_left "$seen"
	rm -f "$seen"
}

run_case plain_down "down leaves no process, mount, namespace or folder"
run_case down_after_a_crash "nor after its own processes were killed"
run_case up_killed "nor after up itself was killed"
run_case up_interrupted "an interrupted up takes down what it started"
run_case demo_interrupted "and so does an interrupted demo"
finish
