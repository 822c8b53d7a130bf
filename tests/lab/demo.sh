#!/bin/bash
# demo.sh - the demo tells a true story, and nothing of it stays.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

told_for_programs() {
	local start story cut
	story=$(mktemp)
	start=$(now_ms)
	lab demo --json >"$story" || { cat "$story"; fail "exit status $?"; }
	below "the demo" $(($(now_ms) - start)) 300000
	[ ! -e "$DIR" ] || fail "$DIR is left"
	same "settings" '["defaults","vrmsd"]' "$(jq -c '[.cuts[].setting]' "$story")"
	same "recovered" true "$(jq .recovered "$story")"
	for cut in 0 1; do
		jq -c ".cuts[$cut]" "$story" >"$story.cut"
		check_cut "$story.cut"
	done
	same "the token of Corosync's defaults" 3650 "$(jq '.cuts[0].token_ms' "$story")"
	[ "$(jq '.cuts[1].token_ms' "$story")" -lt 3650 ] || fail "vrmsd has not shortened the token"
	same "medians" '[1,1]' "$(jq -c '.clusters[0] | [.defaults.cuts, .vrmsd.cuts]' "$story")"
	[ "$(jq '.clusters[0] | .defaults.membership_ms > .vrmsd.membership_ms' "$story")" = true ] ||
		fail "vrmsd was not sooner"
	say "$(jq -c '.clusters[0]' "$story")"
	rm -f "$story" "$story.cut"
}

check_cut() { # FILE
	local event
	say "$(jq -c '[.setting, .token_ms, (.events[] | [.event, .after_ms, .subject])]' "$1")"
	same "recovered" true "$(jq .recovered "$1")"
	same "VMs" 6 "$(jq '.vms | length' "$1")"
	same "VMs that live" 6 "$(jq '[.vms[] | select(.lives)] | length' "$1")"
	same "VMs restarted that were not on the lost node" 0 \
		"$(jq '.cut as $cut | [.vms[] | select(.restarted and .node_before != $cut)] | length' "$1")"
	same "load lost" 0 "$(jq '(.load_before_mib | add) - (.load_after_mib | add)' "$1")"
	same "survivors" 2 "$(jq '.load_after_mib | length' "$1")"
	for event in cut token_lost membership fenced vm_started guest_lives; do
		jq -e --arg e $event 'any(.events[]; .event == $e)' "$1" >/dev/null || fail "no event $event"
	done
	same "order of the story" true "$(jq '[.events[].after_ms] | . == sort' "$1")"
	same "starts before the fence" 0 "$(jq '([.events[] | select(.event == "fenced")][0].after_ms) as $f |
		[.events[] | select(.event == "vm_started" and .after_ms < $f)] | length' "$1")"
}

told_to_a_pipe() {
	local text
	text=$(lab demo --nodes 2 --vms 2)
	case $text in
	*$'\033'*) fail "it has escape sequences" ;;
	esac
	contains "the story" "$text" "power cut"
	contains "the story" "$text" "Every VM runs"
	contains "the story" "$text" "Side by side"
	printf '%s\n' "$text" | sed -n '/^Side by side/,$s/^/# /p'
}

# Where the kernel groups by session, a nice process in a plain session is a plain one.
session_nice() { # NODE PROGRAM
	in_node "$1" sh -c "cat /proc/\$(pgrep -o -x $2)/autogroup" | sed 's/.* nice //'
}
without_real_time() { # OPTIONS...: of a lab
	local node
	[ -e /proc/self/autogroup ] || exit 77
	lab up --no-libvirt --vrmsd "$@" >/dev/null
	for node in node1 node2; do
		same "$node: threads with real-time priority" 0 "$(in_node $node ps -eLo cls= | grep -c RR || :)"
		same "$node: corosync's session" -20 "$(session_nice $node corosync)"
		same "$node: vrmsd's session" -20 "$(session_nice $node vrmsd)"
		same "$node: pacemakerd's session" -10 "$(session_nice $node pacemakerd)"
	done
	lab down
}
many_nodes() { without_real_time -n 5; }
side_by_side() { without_real_time -n 2 --shared; }

run_case told_for_programs "the demo ends with every VM running, and tells it in JSON"
run_case told_to_a_pipe "two nodes and two VMs, told without colours to a pipe"
run_case many_nodes "what has no real-time priority among many nodes is nice instead, session and all"
run_case side_by_side "nor has anything in a lab that others run beside"
finish
