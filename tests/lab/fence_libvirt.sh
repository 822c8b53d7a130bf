#!/bin/bash
# fence_libvirt.sh - fence_vrms_libvirt at real domains, from another node.
# SPDX-License-Identifier: GPL-2.0-or-later
. "$(dirname "$0")/lib.sh"

URIS=qemu+tcp://10.77.0.1/system,qemu+tcp://10.77.0.2/system
fence() { in_node node1 fence_vrms_libvirt --uri="${uris:-$URIS}" "$@" 2>&1; }
pid_on() { in_node "$1" sh -c 'cat /run/libvirt/qemu/guest.pid 2>/dev/null || :'; }
state_is() { same "status of guest" "Status: $1" "$(fence -o status -n guest || :)"; }

set_up() {
	loose_vm guest
	in_node node2 virsh -q define /srv/vm/guest.xml
	in_node node2 virsh -q start guest
	[ -n "$(pid_on node2)" ] || fail "no QEMU"
}

on_and_off() {
	local pid
	fence -o monitor
	contains "list" "$(fence -o list)" "guest,"
	contains "list-status" "$(fence -o list-status)" ",ON"
	state_is ON
	pid=$(pid_on node2)
	fence -o off -n guest
	in_node node2 sh -c "! kill -0 $pid 2>/dev/null" || fail "QEMU $pid lives"
	state_is OFF
	fence -o off -n guest
	fence -o on -n guest
	state_is ON
	pid=$(pid_on node2)
	fence -o reboot -n guest
	state_is ON
	differs "QEMU's pid" "$pid" "$(pid_on node2)"
}

paused_is_on() {
	in_node node2 virsh -q suspend guest
	state_is ON
	fence -o off -n guest
	state_is OFF
	fence -o on -n guest
}

silent_host() {
	local rc=0 words pid
	pid=$(libvirtd_pid node1)
	in_node node1 kill -STOP "$pid"
	fence -o off -n guest # it was on at node2: the deed is proof
	words=$(fence -o off -n guest --power-timeout=4s) || rc=$?
	in_node node1 kill -CONT "$pid"
	same "exit status when a host may run it" 1 "$rc"
	contains "what it says" "$words" "guest: not known to be off: qemu+tcp://10.77.0.1/system"
	rc=0
	words=$(fence -o off -n stranger) || rc=$?
	same "exit status for a domain that nobody knows" 1 "$rc"
	contains "what it says" "$words" 'no domain "stranger"'
	in_node node2 virsh -q undefine guest
	lab vm remove guest
}

lab_up -n 2 --token 1000
run_case set_up "a domain runs on node2"
run_case on_and_off "off ends QEMU, on starts it, reboot does both"
run_case paused_is_on "a paused domain is on"
run_case silent_host "a host that does not answer is no proof"
finish
