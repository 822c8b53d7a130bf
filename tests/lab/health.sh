#!/bin/bash
# health.sh - a node that turns red loses its guests to live migration, before it dies.
# SPDX-License-Identifier: GPL-2.0-or-later
. "$(dirname "$0")/lib.sh"

# What the agent takes for /proc/pressure on each node; /run is the node's own.
pressure() { # NODE PERCENT
	in_node "$1" mkdir -p /run/trouble/pressure
	in_node "$1" sh -c "echo 'full avg10=$2 avg60=0.00 avg300=0.00 total=0' >/run/trouble/pressure/memory"
}
colour() { # NODE
	in_node "$ASK" attrd_updater --query --name '#health-vrms-memory-pressure' --node "$1" |
		sed -n 's/.*value="\([a-z]*\)".*/\1/p'
}
is_colour() { [ "$(colour "$1")" = "$2" ]; }

set_up() {
	local node
	for node in node1 node2; do
		pressure $node 0.00
	done
	in_node node1 crm configure primitive health ocf:vrms:NodeHealth \
		params proc_root=/run/trouble sys_root=/run/trouble rise=2 fall=3 \
		op monitor interval=2s timeout=30s
	in_node node1 crm configure clone health-everywhere health meta allow-unhealthy-nodes=true
	in_node node1 crm configure property node-health-strategy=migrate-on-red
	for node in node1 node2; do
		wait_until 40 "$node is green" is_colour $node green
	done
	lab vm add vm1 --monitor 5s
	wait_until 90 "vm1 runs" vm_is vm1 "" Started
	wait_until 30 "vm1 counts" counts vm1 1
}

moved_before_death() {
	local sick well before last
	sick=$(vm_node vm1)
	well=$([ "$sick" = node1 ] && echo node2 || echo node1)
	ASK=$well
	before=$(boots vm1)
	last=$(ticks vm1)
	pressure "$sick" 75.00
	wait_until 40 "$sick is red" is_colour "$sick" red
	wait_until 60 "vm1 runs on $well" vm_is vm1 "$well" Started
	same "boots of vm1" "$before" "$(boots vm1)"
	lab power off "$sick"
	last=$(ticks vm1)
	wait_until 30 "its guest counts on without the dead node" counts vm1 $((last + 3))
	same "boots of vm1" "$before" "$(boots vm1)"
	vm_is vm1 "$well" Started >/dev/null || fail "vm1 is not on $well"
	lab power on "$sick"
	online 90
}

well_again() { # after the death the pressure's file is gone with /run: no source, no colour
	local node other
	node=$(vm_node vm1)
	other=$([ "$node" = node1 ] && echo node2 || echo node1)
	pressure "$other" 0.00
	wait_until 60 "$other is green" is_colour "$other" green
	pressure "$other" 20.00
	wait_until 40 "$other is yellow" is_colour "$other" yellow
	pressure "$other" 0.00
	wait_until 40 "$other is green again" is_colour "$other" green
	lab vm remove vm1
}

shells() {
	contains "crm ra info" "$(in_node "$ASK" crm ra info ocf:vrms:NodeHealth)" "memory_pressure"
	contains "crm ra info" "$(in_node "$ASK" crm ra info ocf:vrms:Drbd)" "drbd_resource"
	contains "crm ra info" "$(in_node "$ASK" crm ra info ocf:vrms:SanLun)" "latency_fail"
	contains "crm ra info" "$(in_node "$ASK" crm ra info stonith:fence_vrms_libvirt)" "single_host"
	contains "crm ra info" "$(in_node "$ASK" crm ra info stonith:fence_vrms_scsi)" "key_format"
}

lab_up -n 2 --token 1000
run_case set_up "both nodes are green and a guest counts"
run_case moved_before_death "a red node's guest is moved away live before the node dies"
run_case well_again "a node that is well again is green again"
run_case shells "crmsh knows the agents"
finish
