#!/bin/bash
# demo.sh - the demo tells a true story, and nothing of it stays.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

told_for_programs() {
	local start story
	story=$(mktemp)
	start=$(now_ms)
	lab demo --json >"$story" || { cat "$story"; fail "exit status $?"; }
	below "the demo" $(($(now_ms) - start)) 180000
	[ ! -e "$DIR" ] || fail "$DIR is left"
	say "$(jq -c '[.events[] | [.event, .after_ms, .subject]]' "$story")"
	same "recovered" true "$(jq .recovered "$story")"
	same "VMs" 6 "$(jq '.vms | length' "$story")"
	same "VMs that live" 6 "$(jq '[.vms[] | select(.lives)] | length' "$story")"
	same "VMs restarted that were not on the lost node" 0 \
		"$(jq '.cut as $cut | [.vms[] | select(.restarted and .node_before != $cut)] | length' "$story")"
	same "load lost" 0 "$(jq '(.load_before_mib | add) - (.load_after_mib | add)' "$story")"
	same "survivors" 2 "$(jq '.load_after_mib | length' "$story")"
	for event in cut token_lost membership fenced vm_started guest_lives; do
		jq -e --arg e $event 'any(.events[]; .event == $e)' "$story" >/dev/null || fail "no event $event"
	done
	same "order of the story" true "$(jq '[.events[].after_ms] | . == sort' "$story")"
	same "starts before the fence" 0 "$(jq '([.events[] | select(.event == "fenced")][0].after_ms) as $f |
		[.events[] | select(.event == "vm_started" and .after_ms < $f)] | length' "$story")"
	rm -f "$story"
}

told_to_a_pipe() {
	local text
	text=$(lab demo --nodes 2 --vms 2)
	case $text in
	*$'\033'*) fail "it has escape sequences" ;;
	esac
	contains "the story" "$text" "power cut"
	contains "the story" "$text" "Every VM runs"
}

run_case told_for_programs "the demo ends with every VM running, and tells it in JSON"
run_case told_to_a_pipe "two nodes and two VMs, told without colours to a pipe"
finish
