#!/bin/bash
# plan.sh - the plan in a real cluster: four nodes, 24 VMs of unequal size.
#
# VRMS_PLAN_CUTS: how many nodes are cut, one after the other (2; all: 4).
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

CUTS=${VRMS_PLAN_CUTS:-2}
VMS=24
NODES="node1 node2 node3 node4"
CAPACITY=4096 # of each node's hv_memory, see lab/cluster.c

vrms() { in_node "$ASK" vrms "$@"; } # COMMAND ...
vms() { seq -f 'vm%g' $VMS; }
cib() { in_node "$ASK" cibadmin --query; }
epoch() { cib | sed -n 's/^<cib .* epoch="\([0-9]*\)".*/\1/p'; }

# Logs of 24 VMs would bury what went wrong.
diagnose() {
	lab vm list || :
	cib >"$SAN/failed.xml" && vrms plan --state /srv/failed.xml || :
}

# Where everything runs, one "vm node" a line.
placed() { lab vm list --json | jq -r '.[] | select(.state == "Started") | "\(.name) \(.node)"' | sort; }
all_run() { is "$(placed | wc -l)" $VMS; }
all_run_without() { is "$(placed | grep -vc " $1\$")" $VMS; }
on() { placed | grep -c " $1\$" || :; } # NODE
all_boots() { local vm; for vm in $(vms); do echo "$vm $(boots "$vm")"; done; }
all_ticks() { local vm; for vm in $(vms); do echo "$vm $(ticks "$vm")"; done; }

# Of hv_memory on living hosts, from JSON of vrms plan: "max/mean highest-in-percent".
spread() {
	jq -r --argjson c $CAPACITY '[.hosts[] | select(.alive) | .before.hv_memory] |
		"\(max * length / add * 1000 | round / 1000) (fullest \(100 * max / $c | round) %)"'
}

idle() { in_node "$ASK" crmadmin --status "$(in_node "$ASK" crmadmin --dc_lookup --quiet 2>/dev/null |
	sed 's/.* //')" 2>/dev/null | grep -q S_IDLE; }

# No guest has started again and all count on: MIGRATED_FROM_BOOTS OLD_TICKS
none_restarted() { # BOOTS TICKS
	local vm before
	same "boots" "$1" "$(all_boots)"
	while read -r vm before; do
		QUIET=1 wait_until 30 "$vm counts on" counts "$vm" "$before"
	done <<<"$2"
}

sizes() { # the resources section's part with a size for each VM, 75 to 625
	local i
	echo "<resources>"
	for i in $(seq $VMS); do
		echo "<primitive id=\"vm$i\"><utilization id=\"vm$i-size\">"
		echo "<nvpair id=\"vm$i-size-hv_memory\" name=\"hv_memory\" value=\"$(((i * 137 % 23 + 3) * 25))\"/>"
		echo "<nvpair id=\"vm$i-size-cpu\" name=\"cpu\" value=\"$((i % 3 + 1))\"/></utilization></primitive>"
	done
	echo "</resources>"
}

set_up() {
	local vm
	for vm in $(vms); do
		lab vm add "$vm" --memory 16
	done
	sizes >"$SAN/sizes.xml"
	in_node node1 cibadmin --modify --allow-create --scope resources --xml-file /srv/sizes.xml
	wait_until 120 "all $VMS VMs run" all_run
	wait_until 60 "the cluster is idle" idle
}

apply_moves_nothing() {
	local before boots_before ticks_before at
	before=$(placed)
	boots_before=$(all_boots)
	ticks_before=$(all_ticks)
	vrms plan --apply --dry-run >"$SAN/plan.txt"
	contains "what would be written" "$(cat "$SAN/plan.txt")" "vrms-plan-"
	same "constraints after --dry-run" 0 "$(cib | grep -c vrms-plan- || :)"
	vrms plan --apply >"$SAN/plan.txt"
	sed -n '/^Loss of/,/^Survives/s/^/# /p' "$SAN/plan.txt"
	contains "the plan" "$(cat "$SAN/plan.txt")" "Written to the CIB"
	wait_until 60 "the cluster is idle" idle
	at=$(epoch)
	vrms plan --apply >"$SAN/plan.txt"
	contains "the plan again" "$(cat "$SAN/plan.txt")" "nothing is written"
	same "epoch" "$at" "$(epoch)"
	same "where VMs run" "$before" "$(placed)"
	none_restarted "$boots_before" "$ticks_before"
}

# vrms_moves WHAT COMMAND...: VMs move, and none starts again.
vrms_moves() {
	local what=$1 boots_before ticks_before start before
	shift
	before=$(placed)
	boots_before=$(all_boots)
	ticks_before=$(all_ticks)
	start=$(now_ms)
	vrms "$@" >"$SAN/moves.txt" 2>"$SAN/moves.log" || fail "$what: $(cat "$SAN/moves.log")"
	say "$what: $(wc -l <"$SAN/moves.log") moves told, $(diff <(echo "$before") <(placed) |
		grep -c '^>' || :) VMs elsewhere, $(seconds $(($(now_ms) - start)))"
	same "moves left in the CIB" 0 "$(cib | grep -c vrms-move- || :)"
	same "VMs that run" $VMS "$(placed | wc -l)"
	none_restarted "$boots_before" "$ticks_before"
}

rebalance() {
	local before
	before=$(vrms plan --json | spread)
	vrms_moves "rebalance" rebalance
	say "hv_memory max/mean before $before, after $(vrms plan --json | spread)"
	vrms rebalance --dry-run >"$SAN/moves.txt"
	same "moves of a second rebalance" 0 "$(grep -c ' -> ' "$SAN/moves.txt" || :)"
}

# What the scheduler does with `balanced` and without our constraints from the same moment on.
balanced_instead() { # NODE
	vrms plan --state /srv/before.xml --write /srv/clear.xml --clear >/dev/null
	sed -i 's/name="placement-strategy" value="utilization"/name="placement-strategy" value="balanced"/' "$SAN/clear.xml"
	in_node "$ASK" crm_simulate --xml-file /srv/clear.xml --simulate --node-fail "$1" \
		--save-output /srv/after.xml >/dev/null 2>&1
	vrms plan --state /srv/after.xml --json | spread
}

# Each VM of the node on the first host of its list, all others where they were.
expected() { # NODE
	jq -r --arg lost "$1" '.lists as $lists | $at[] |
		if .node == $lost then "\(.name) \($lists[.name][0])" else "\(.name) \(.node)" end' \
		--argjson at "$(lab vm list --json)" "$SAN/plan.json" | grep -v '^fence ' | sort
}
is_as_planned() { is "$(placed)" "$1"; }

cut_node() { # NODE
	local lost=$1 want count start boots_before
	ASK=$(node_of_others "$lost")
	vrms plan --apply --json >"$SAN/plan.json" || fail "no plan for the loss of one node"
	wait_until 60 "the cluster is idle" idle
	cib >"$SAN/before.xml"
	want=$(expected "$lost")
	count=$(on "$lost")
	boots_before=$(all_boots | grep -vf <(placed | sed -n "s/ $lost\$//p" | sed 's/$/ /'))
	start=$(now_ms)
	lab power off "$lost"
	QUIET=1 wait_until 120 "all VMs run again" all_run_without "$lost"
	say "$lost cut with $count VMs: all run after $(seconds $(($(now_ms) - start)))"
	wait_until 60 "the cluster is idle" idle
	is_as_planned "$want" || {
		diff <(echo "$want") <(placed) | sed 's/^/# /'
		fail "not every VM is where its list says"
	}
	same "boots of survivors" "$boots_before" \
		"$(all_boots | grep -Ff <(echo "$boots_before" | sed 's/ .*/ /'))"
	say "hv_memory max/mean on the survivors: $(vrms plan --json | spread) by plan, $(balanced_instead "$lost") by Pacemaker's balanced"
	lab power on "$lost"
	wait_until 120 "$lost is back" online 1
	wait_until 60 "the cluster is idle" idle
	vrms_moves "rebalance after the return of $lost" rebalance
}

cut_each() {
	local node
	for node in $(echo $NODES | tr ' ' '\n' | head -n "$CUTS"); do
		cut_node "$node"
	done
	ASK=node1
}

drain_and_back() {
	local at
	vrms_moves "drain of node3" drain node3
	same "VMs on node3" 0 "$(on node3)"
	at=$(epoch)
	vrms drain node3 >/dev/null || fail "drain of a drained node"
	same "epoch after a second drain" "$at" "$(epoch)"
	same "lists with node3" 0 "$(vrms plan --json | jq '[.lists[] | select(index("node3"))] | length')"
	vrms undrain node3
	wait_until 60 "the cluster is idle" idle
	same "VMs on node3 after undrain" 0 "$(on node3)"
	vrms_moves "rebalance" rebalance
	[ "$(on node3)" -gt 0 ] || fail "node3 got no VMs back"
	say "hv_memory max/mean $(vrms plan --json | spread)"
}

JOURNAL=/run/vrms/journal.jsonl
start_vrmsd() { # NODE
	in_node "$1" mkdir -p /run/vrms
	printf '%s\n' "tuning = no" "vm_watch = no" "plan = keep" "plan_interval = 5s" "journal = $JOURNAL" |
		in_node "$1" tee /run/vrms/vrmsd.conf >/dev/null
	in_node "$1" sh -c 'PCMK_logfacility=none setsid vrmsd -c /run/vrms/vrmsd.conf >>/run/vrms/out 2>&1 </dev/null &'
}
has_ended() { ! in_node "$1" pgrep -x vrmsd; } # NODE
stop_vrmsd() { # NODE
	in_node "$1" pkill -TERM -o -x vrmsd
	wait_until 30 "vrmsd of $1 has ended" has_ended "$1"
}
writings() { in_node "$1" jq -s '[.[] | select(.event == "plan" and .state == "written")] | length' $JOURNAL; } # NODE
# No grep -q here: it would end the pipe before the CIB does.
has_lists() { [ "$(cib | grep -c vrms-plan-tag)" -gt 0 ]; }
has_list() { # VM
	[ "$(cib | sed -n '/<rsc_location id="vrms-plan-/,/<\/rsc_location>/p' |
		grep -c "resource_ref id=\"$1\"")" -gt 0 ]
}

# Started without lists, the member with the lowest number writes them; the next one when it is gone.
keeper() {
	local node before
	vrms plan --clear >/dev/null
	for node in node1 node2; do
		start_vrmsd $node
	done
	wait_until 90 "vrmsd has written lists" has_lists
	wait_until 30 "the cluster is idle" idle
	before=$(placed)
	lab vm add vm25 --memory 16
	wait_until 90 "the new VM has a list" has_list vm25
	differs "writings of node1" 0 "$(writings node1)"
	same "writings of node2" 0 "$(writings node2)"
	stop_vrmsd node1
	vrms plan --clear >/dev/null
	wait_until 90 "vrmsd of another node has written lists" has_lists
	differs "writings of node2" 0 "$(writings node2)"
	stop_vrmsd node2
	vrms plan --clear >/dev/null # crm_resource refuses to delete what a constraint names
	lab vm remove vm25
	wait_until 30 "the cluster is idle" idle
	same "where VMs run" "$before" "$(placed)"
}

take_out() {
	local before
	before=$(placed)
	vrms plan --clear
	same "constraints of ours" 0 "$(cib | grep -c 'rsc_location id="vrms-' || :)"
	wait_until 60 "the cluster is idle" idle
	same "where VMs run" "$before" "$(placed)"
}

lab_up -n 4 --token 1000
run_case set_up "24 VMs of unequal size run on four nodes"
run_case apply_moves_nothing "plan --apply writes lists once and moves nothing that runs"
run_case rebalance "rebalance levels the load by live migration and stops"
run_case cut_each "after a power cut every VM is where its list says"
run_case drain_and_back "drain, undrain and rebalance with running guests"
run_case keeper "vrmsd keeps the lists current"
run_case take_out "plan --clear takes everything out and moves nothing"
finish
