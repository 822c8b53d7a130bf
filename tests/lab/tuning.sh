#!/bin/bash
# tuning.sh - one token for the whole cluster, and the admin's one back whenever the tuner goes.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

NODES="node1 node2 node3"
CONFIGURED=3650 # 3000 + 650 * (3 - 2)

cmap() { in_node "$1" corosync-cmapctl -g "$2" 2>/dev/null | sed 's/.*= //'; } # NODE KEY
token() { cmap "$1" runtime.config.totem.token; }
tokens() { local node; for node in $NODES; do token "$node"; done | sort -u | tr '\n' ' '; }
are_configured() { [ "$(tokens)" = "$CONFIGURED " ]; }
are_short() {
	local all
	all=$(tokens)
	[ "$(printf '%s' "$all" | wc -w)" = 1 ] && [ "$all" -lt "$CONFIGURED" ]
}
have_configured() { # NODES...
	local node
	for node; do [ "$(token "$node")" = "$CONFIGURED" ] || return 1; done
}
is_attached() { in_node "$1" vrms status --json | jq -e '.attached and .quorate'; }
vrmsd_pid() { in_node "$1" pgrep -x -o vrmsd; }
has_no_vrmsd() { ! in_node "$1" pgrep -x vrmsd >/dev/null; }
answers() { in_node "$1" vrms tune status; }
start_vrmsd() { # NODE; a case's end kills what it has left behind, so it waits for the daemon
	in_node "$1" sh -c 'setsid vrmsd -c /etc/corosync/vrmsd.conf </dev/null >/dev/null 2>&1 &'
	wait_until 30 "vrmsd of $1 answers" answers "$1"
}

becomes_short() { wait_until 240 "the token is shorter than configured, and the same everywhere" are_short; say "token $(tokens)ms"; }
becomes_configured() { wait_until 60 "the configured token is in force everywhere" are_configured; }
keys_are_the_admins() { # NODE: as in corosync.conf, where neither is set
	same "$1: totem.token" "" "$(cmap "$1" totem.token)"
	same "$1: totem.token_coefficient" "" "$(cmap "$1" totem.token_coefficient)"
	same "$1: what was kept" "" "$(cmap "$1" vrms.totem.configured)"
}

chosen() {
	becomes_short
	in_node node1 vrms tune status | sed 's/^/# /'
}
off_and_on() {
	in_node node2 vrms tune off
	becomes_configured
	keys_are_the_admins node1
	in_node node2 vrms tune on
	becomes_short
}
leaving() {
	in_node node3 pkill -TERM -o -x vrmsd
	wait_until 30 "vrmsd of node3 is gone" has_no_vrmsd node3
	same "node3's token when its vrmsd has gone" "$CONFIGURED" "$(token node3)"
	keys_are_the_admins node3
	becomes_configured # two of three would be glad of less
	sleep 5
	are_configured || fail "a node without vrmsd, and tokens $(tokens)"
	start_vrmsd node3
	becomes_short
}
crashing() {
	in_node node3 pkill -KILL -o -x vrmsd
	becomes_configured
	wait_until 30 "the guardian of node3 is gone" has_no_vrmsd node3
	keys_are_the_admins node3
	start_vrmsd node3
	becomes_short
}
are_without_quorum() {
	local node
	for node in $NODES; do
		jq -e '.quorate | not' <<<"$(in_node "$node" vrms status --json)" || return # it ends with 2
	done
}
are_together() { in_node node1 vrms status --json | jq -e '.quorate and (.members | map(select(.token_ms)) | length == 3)'; }
# A partition so long that the configured token had noticed it too is no false alarm: the short one
# comes back.
without_quorum() {
	local node
	becomes_short
	lab partition node1 / node2 / node3
	wait_until 60 "each is without quorum" are_without_quorum
	wait_until 60 "each alone: the configured token" have_configured node1 node2 node3
	for node in $NODES; do
		keys_are_the_admins "$node"
	done
	lab heal
	wait_until 60 "together again" are_together
	becomes_short
}
has_no_corosync() { ! in_node "$1" pgrep -x corosync >/dev/null; }
restarted_corosync() {
	local pid
	pid=$(vrmsd_pid node3)
	in_node node3 timeout 60 pacemakerd --shutdown >/dev/null 2>&1 || in_node node3 pkill -TERM -x pacemakerd
	wait_until 60 "pacemaker of node3 is down" has_no_pacemaker node3
	in_node node3 corosync-cfgtool -H
	wait_until 30 "corosync of node3 is down" has_no_corosync node3
	in_node node3 corosync
	wait_until 60 "vrmsd is connected again" is_attached node3
	same "vrmsd's process" "$pid" "$(vrmsd_pid node3)"
	start_pacemaker node3
	becomes_short
}
start_pacemaker() {
	in_node "$1" sh -c 'PCMK_logfile=/var/log/pacemaker/pacemaker.log PCMK_logfacility=none \
		setsid pacemakerd -f </dev/null >/dev/null 2>&1 &'
}
has_no_pacemaker() { ! in_node "$1" pgrep -x pacemakerd >/dev/null; }
diagnose() { # why a token is what it is
	local node
	for node in $NODES; do
		echo "# --- $node"
		in_node "$node" vrms status 2>&1 | sed 's/^/# /'
		in_node "$node" vrms events --since 5min 2>&1 | grep -v ' need ' | tail -n 15 | sed 's/^/# /'
	done
}
recover() {
	local node
	lab heal >/dev/null 2>&1 || :
	for node in $NODES; do
		[ "$(lab power status "$node")" != "$node off" ] || lab power on "$node"
	done
	for node in $NODES; do
		! has_no_pacemaker "$node" || start_pacemaker "$node"
	done
	online 90
	for node in $NODES; do
		! has_no_vrmsd "$node" || start_vrmsd "$node"
	done
}

# What is tested is who sets which token and when, not how short it may be: with budgets like these
# a machine that others load allows one that is shorter than configured, too.
set_up() {
	local node
	for node in $NODES; do
		in_node "$node" sed -i 's/^\(false_loss_[a-z_]*\) *=.*/\1 = 1min/; s/^\(disturbance_every\) *=.*/\1 = 10s/' \
			/etc/corosync/vrmsd.conf
		in_node "$node" pkill -TERM -o -x vrmsd
		wait_until 30 "vrmsd of $node is gone" has_no_vrmsd "$node"
		start_vrmsd "$node"
	done
}

lab_up -n 3 --vrmsd
run_case set_up "vrmsd starts with budgets of its own"
run_case chosen "three daemons agree on a shorter token"
run_case off_and_on "switched off on one node, the cluster has the configured token"
run_case leaving "a daemon that leaves, and a node without one"
run_case crashing "a daemon that is killed: its guardian puts the token back"
run_case restarted_corosync "corosync is restarted under vrmsd"
run_case without_quorum "without quorum every node has the configured token"
finish
