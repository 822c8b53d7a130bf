#!/bin/bash
# sbd's poison pill on a shared block device as the second fencing level, behind a power controller
# that does not answer: real sbd daemons, without the watchdog that they have on real hosts.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
. "${srcdir:-.}/tests/lab/lib.sh"

for program in sbd fence_sbd losetup; do
	type "$program" >/dev/null 2>&1 || skip_all "$program is not installed (Debian packages: sbd, fence-agents)"
done
FILE=$DIR/san/pill

# What a killed run left is given back by the next one.
detach() {
	local device
	for device in $(losetup --associated "$FILE" --noheadings --output NAME 2>/dev/null); do
		losetup --detach "$device"
	done
}
trap 'detach; take_down' EXIT

# It lets the kernel reset the node it is in: reboot(2) in a node ends its pid 1 and nothing else.
# The other way would reset this machine, so the lab must have covered it.
start_sbd() { # NODE
	in_node "$1" sh -c '[ ! -e /proc/sysrq-trigger ] || grep -q " /proc/sysrq-trigger " /proc/self/mounts' ||
		fail "$1 could reset this machine"
	# Apart from this case, which takes with it what it leaves running.
	in_node "$1" env SBD_SYNC_RESOURCE_STARTUP=no setsid --fork sbd -R -d "$PILL" -W -W -P -P -n "$1" watch
	wait_until 20 "sbd of $1 watches its slot" watches "$1"
}
watches() { in_node "$1" pgrep -f "sbd: watcher: $PILL"; }
slot() { sbd -d "$PILL" list | awk -v node="$1" '$2 == node { print $3 }'; }
slot_is() { [ "$(slot "$1")" = "$2" ]; }
is_off() { lab power status "$1" | grep -q off; }
elsewhere() { [ "$(boots "$1")" -ge 2 ] && [ "$(vm_node "$1")" != "$2" ]; }

set_up() {
	local node
	for node in node1 node2 node3; do
		start_sbd "$node"
	done
	lab vm add one
	in_node node1 crm configure primitive pill stonith:fence_sbd \
		params devices="$PILL" pcmk_host_list="node1 node2 node3" pcmk_off_retries=1
	in_node node1 crm resource param fence set power_timeout 2s
	in_node node1 crm resource param fence set pcmk_off_retries 1
	in_node node1 crm configure fencing_topology fence pill
	wait_until 120 "one runs" vm_is one "" Started
	wait_until 60 "one counts" counts one 2
}

case_poisoned() {
	local victim cut_ms
	victim=$(vm_node one)
	ASK=$(node_of_others "$victim")
	lab bmc "$victim" dead
	cut_ms=$(now_ms)
	lab partition "$victim"
	wait_until 60 "$victim has taken the pill: it is off" is_off "$victim"
	wait_until 90 "one runs elsewhere" elsewhere one "$victim"
	say "from the cut to the second boot: $(seconds $(($(now_ms) - cut_ms)))"
	same "the message in its slot" off "$(slot "$victim")"
	lab heal
	lab bmc "$victim" alive
	lab power on "$victim"
	start_sbd "$victim"
	wait_until 20 "the slot of $victim is clear again" slot_is "$victim" clear
	online 120
}

# Nobody takes a pill that was written for somebody else, nor one of a node that is not there.
case_others() {
	local node
	for node in node1 node2 node3; do
		watches "$node" >/dev/null || fail "sbd of $node is gone"
	done
	! sbd -d "$PILL" message node9 off 2>/dev/null || fail "a pill for a node without a slot"
}

detach
lab_up --token 1000
truncate -s 4M "$FILE"
PILL=$(losetup --find --show "$FILE") || skip_all "no loop device"
sbd -d "$PILL" -1 2 -4 4 create >/dev/null || fail "sbd create"
run_case set_up "sbd watches on every node, and a VM runs"
run_case case_poisoned "the power controller is silent, the pill is taken, the VM runs elsewhere"
run_case case_others "the pill is for one node only"
detach
finish
