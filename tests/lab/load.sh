#!/bin/bash
# load.sh - a cluster under load with the tuner on: no node is lost; what became of the token.
#
# CPU hogs on all cores, disk writes and VMs that start and stop, for LOAD_MINUTES (default: 10).
# The budgets are vrmsd's defaults.  Nothing is announced: what the tuner does, it does by itself.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

MINUTES=${LOAD_MINUTES:-10}
NODES="node1 node2 node3"

token() { in_node "$1" corosync-cmapctl -g runtime.config.totem.token | sed 's/.*= //'; }
is_short() { [ "$(token node1)" -lt 3650 ]; }
journal_of() { in_node "$1" vrms events --json "${@:2}"; } # NODE OPTIONS...

# One shell for each core in each node, and one that writes 16 MiB to the disk again and again.
start_load() {
	local node core
	for node in $NODES; do
		for core in $(seq "$(nproc)"); do
			in_node "$node" sh -c "setsid sh -c ': hog $core; while :; do :; done' >/dev/null 2>&1 & echo \$!" >>"$PIDS.$node"
		done
		in_node "$node" sh -c "setsid sh -c 'while :; do dd if=/dev/zero of=/var/log/filler bs=1M count=16 conv=fsync; sleep 0.2; done' >/dev/null 2>&1 & echo \$!" >>"$PIDS.$node"
	done
}
stop_load() {
	local node
	for node in $NODES; do
		[ -s "$PIDS.$node" ] || continue
		# shellcheck disable=SC2046 # several
		in_node "$node" kill $(cat "$PIDS.$node") || :
		: >"$PIDS.$node"
		in_node "$node" rm -f /var/log/filler
	done
}

# A line for each token that was in force on a node, with the time since the start.
history_since() { # WALL_MS
	journal_of node1 --since 60min | jq -r --argjson t "$1" '
		select(.event == "token" or .event == "ring") |
		((.wall[0:19] + "Z" | fromdate) * 1000 + (.wall[20:23] | tonumber) - $t) as $ms |
		select($ms >= 0) | "\($ms / 1000 | floor) s: " +
			(if .event == "token" then "token \(.from_ms) -> \(.token_ms) ms: \(.text)"
			else "ring of \(.members | length)" end)'
}
# How long each token was in force on node1, in seconds.
tokens_in_force() { # WALL_MS
	say "tokens in force: $(journal_of node1 --since 60min | jq -rs --argjson t "$1" --argjson e "$(now_ms)" '
		def ms: (.wall[0:19] + "Z" | fromdate) * 1000 + (.wall[20:23] | tonumber);
		[.[] | select(.event == "token") | {at: ([ms, $t] | max), token: .token_ms}] as $all |
		[range(0; $all | length) as $i | {token: $all[$i].token, s: ((($all[$i + 1].at // $e) - $all[$i].at) / 1000 | floor)}
			| select(.s > 0) | "\(.token) ms \(.s) s"] | join(", ")')"
}
rings_without_all() { # WALL_MS
	history_since "$1" | grep -c 'ring of [12]$' || :
}
fences() {
	cat "$DIR"/nodes/*/var/log/pacemaker/pacemaker.log |
		sed -n "s/.*Operation '[a-z]*' targeting .* OK (complete) | id=\([0-9a-f]*\).*/\1/p" |
		sort -u | wc -l
}

under_load() {
	local start end round=0 vm node
	PIDS=$(mktemp -d)/pids
	wait_until 240 "the token is shorter than configured" is_short
	say "token $(token node1) ms when the load begins"
	start=$(now_ms)
	end=$((start + MINUTES * 60000))
	start_load
	trap stop_load EXIT
	while [ "$(now_ms)" -lt "$end" ]; do
		round=$((round + 1))
		vm=load$((round % 4 + 1))
		lab vm add "$vm" >/dev/null 2>&1 || say "$vm was not added"
		sleep 12
		[ $((round % 4)) != 0 ] || for vm in load1 load2 load3 load4; do
			lab vm remove "$vm" >/dev/null 2>&1 || say "$vm was not removed"
		done
	done
	stop_load
	say "load for $MINUTES min, $round VM starts; the token's history on node1:"
	history_since "$start" | sed 's/^/#   /'
	for node in $NODES; do
		in_node "$node" vrms tune status | sed "s/^/#   $node /"
	done
	tokens_in_force "$start"
	same "rings without all nodes" 0 "$(rings_without_all "$start")"
	same "fences" 0 "$(fences)"
	online 60
}

# The daemon's own budgets instead of a lab's.
use_defaults() {
	local node
	for node in $NODES; do
		in_node "$node" sh -c 'printf "beat_device = /srv/beat/area\nsecond_opinion = yes\n" >/etc/corosync/vrmsd.conf'
		in_node "$node" pkill -TERM -o -x vrmsd
		wait_until 30 "vrmsd of $node has stopped" sh -c "! \"$PROGRAM\" --lab $LAB exec $node pgrep -x vrmsd"
		in_node "$node" sh -c 'setsid vrmsd -c /etc/corosync/vrmsd.conf </dev/null >/dev/null 2>&1 &'
	done
}

lab_up -n 3 --vrmsd
use_defaults
run_case under_load "no node is lost in $MINUTES minutes of load"
finish
