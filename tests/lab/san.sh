#!/bin/bash
# VMs on LUNs, SAN fencing before power, the storage network pulled: a real cluster.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
. "${srcdir:-.}/tests/lab/lib.sh"

for program in tgtd virtlockd; do
	type "$program" >/dev/null 2>&1 || [ -x "/usr/sbin/$program" ] || skip_all "$program is not installed"
done
find /usr/lib -name 'block-iscsi.so' 2>/dev/null | grep -q . || skip_all "QEMU has no iscsi:// (Debian package: qemu-block-extra)"

LUNS=$(printf 'iscsi://10.77.2.254/iqn.2026-01.local.vrms-lab:%s/%s ' "$LAB" 1 "$LAB" 2 "$LAB" 3)
scsi() { # ACTION NODE [ASKED]: its exit code in $rc, words in $words
	rc=0
	words=$(in_node "${3:-$ASK}" fence_vrms_scsi -o "$1" -n "$2" -l "$LUNS" 2>&1) || rc=$?
}
keys_of() { scsi status "$1"; [ "$rc" = "$2" ]; }
fenced_by() { # NODE DEVICE
	in_node "$ASK" stonith_admin --history "$1" --output-as=xml 2>/dev/null | grep "status=\"success\"" | grep -q "$2"
}
is_off() { lab power status "$1" | grep -q off; }

set_up() {
	online 90
	lab vm add one
	lab vm add two
	lab vm add three
	for vm in one two three; do
		wait_until 120 "$vm runs" vm_is "$vm" "" Started
		wait_until 60 "$vm counts" counts "$vm" 2
	done
	for node in node1 node2 node3; do
		keys_of "$node" 0 || fail "$node has no key: $words"
	done
}

# The victim lives on, and its guests would: only the storage stops them.
case_fenced_guest() {
	local victim ticks
	victim=$(vm_node one)
	ASK=$(node_of_others "$victim")
	lab bmc "$victim" dead # so that its power does not follow
	lab freeze "$victim"
	wait_until 90 "$victim is fenced by its storage" fenced_by "$victim" "$victim"
	wait_until 60 "its key is gone" keys_of "$victim" 2
	wait_until 90 "one runs elsewhere" booted_elsewhere one "$victim"
	lab partition "$victim"
	lab thaw "$victim"
	reason() { in_node "$victim" virsh domstate one --reason 2>&1; }
	paused() { reason | grep -q "paused (I/O error)"; }
	wait_until 60 "the guest that woke up on $victim is stopped by its first write" paused
	ticks=$(ticks one)
	wait_until 60 "one goes on counting elsewhere" counts one "$((ticks + 3))"
	same "boots of one" 2 "$(boots one)"
	lab bmc "$victim" alive
	lab power off "$victim"
	lab heal
	lab power on "$victim"
	online 120
	keys_of "$victim" 0 || fail "$victim came back without its key: $words"
}
booted_elsewhere() { [ "$(boots "$1")" -ge 2 ] && [ "$(vm_node "$1")" != "$2" ]; }

case_power_follows() {
	local victim started
	victim=$(vm_node two)
	ASK=$(node_of_others "$victim")
	started=$(boots two)
	lab freeze "$victim"
	wait_until 90 "two has booted again" booted_beyond two "$started"
	wait_until 30 "$victim was switched off behind that" is_off "$victim"
	lab power on "$victim"
	online 120
}

case_storage_cable() {
	local node ticks
	node=$(vm_node three)
	ASK=$(node_of_others "$node")
	lab unplug "$node" san
	sleep 2
	ticks=$(ticks three)
	sleep 3
	[ "$(ticks three)" -le $((ticks + 1)) ] || fail "three goes on writing without a cable"
	say "three stands still while the cable of $node is out"
	lab plug "$node" san
	wait_until 90 "three counts again" counts three "$((ticks + 2))"
}

lab_up --san iscsi --token 1000
run_case set_up "VMs run on LUNs, and every node has its key"
run_case case_fenced_guest "a fenced node's guest gets I/O errors and never writes; its VM runs elsewhere"
run_case case_power_follows "the SAN cuts first, the power follows in the background"
run_case case_storage_cable "the cable to the storage: pulled and put back"
finish
