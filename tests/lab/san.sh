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
fenced() { # NODE: without --verbose only the oldest success is told, and that is its unfencing
	local history
	history=$(in_node "$ASK" stonith_admin --history "$1" --verbose --output-as=xml 2>/dev/null)
	grep -q 'action="off".*status="success"' <<<"$history"
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
		wait_until 60 "$node has its key" keys_of "$node" 0
	done
	# Else Pacemaker itself would stop the guests of a node that wakes up alone.
	in_node node1 crm_attribute --name no-quorum-policy --update freeze
}

# The victim lives on, and its guests would: only the storage stops them.
case_fenced_guest() {
	local victim ticks
	victim=$(vm_node one)
	ASK=$(node_of_others "$victim")
	lab bmc "$victim" dead # so that its power does not follow
	lab freeze "$victim"
	wait_until 90 "$victim is fenced by its storage" fenced "$victim"
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
	wait_until 60 "$victim came back and has its key" keys_of "$victim" 0
}
booted_elsewhere() { [ "$(boots "$1")" -ge 2 ] && [ "$(vm_node "$1")" != "$2" ]; }

log_ms() { # NODE PATTERN: the time of the last such line of its Pacemaker; the logs tell no year
	date --date="$(grep -h "$2" "$DIR/nodes/$1/var/log/pacemaker/pacemaker.log" | tail -n 1 | cut -d' ' -f1-3)" +%s%3N
}
say_times() { # NODE CUT_MS: from the victim's last breath, by the log of the one that had it fenced
	local node asked proved
	for node in node1 node2 node3; do
		asked=$(log_ms "$node" "Requesting peer fencing (off) targeting $1")
		proved=$(log_ms "$node" "Operation 'off' targeting $1 .*: OK")
		[ "$asked" -gt "$2" ] || continue
		say "the storage asked after $(seconds $((asked - $2))), the proof that it refuses $((proved - asked)) ms later"
	done
}
fences_by() { # NODE DEVICE: how often
	cat "$DIR"/nodes/*/var/log/pacemaker/pacemaker.log |
		grep -c "Operation 'off' .*targeting $1 using $2 returned 0" || :
}

case_power_follows() {
	local victim started cut_ms by_san by_power
	victim=$(vm_node two)
	ASK=$(node_of_others "$victim")
	started=$(boots two)
	by_san=$(fences_by "$victim" san)
	by_power=$(fences_by "$victim" fence)
	cut_ms=$(now_ms)
	lab freeze "$victim"
	wait_until 90 "two has booted again" booted_beyond two "$started"
	say_times "$victim" "$cut_ms"
	same "fences by the storage" $((by_san + 1)) "$(fences_by "$victim" san)"
	same "fences by the power that were waited for" "$by_power" "$(fences_by "$victim" fence)"
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

# sanlun NODE ACTION [PARAM=VALUE...]: ocf:vrms:SanLun by hand
sanlun() {
	local node=$1 action=$2
	shift 2
	rc=0
	words=$(in_node "$node" env OCF_ROOT=/usr/lib/ocf OCF_RA_VERSION_MAJOR=1 OCF_RA_VERSION_MINOR=1 \
		OCF_RESOURCE_INSTANCE=storage "OCF_RESKEY_luns=$LUNS" OCF_RESKEY_register=false \
		"${@/#/OCF_RESKEY_}" /usr/lib/ocf/resource.d/vrms/SanLun "$action" 2>&1) || rc=$?
}
attribute() { # NODE NAME
	in_node "$1" attrd_updater -n "$2" -Q 2>/dev/null | sed -n 's/.*value="\([^"]*\)".*/\1/p' | head -n 1
}

health_is() { [ "$(attribute node2 '#health-vrms-storage')" = "$1" ]; } # a moment after it was told

case_slow_storage() {
	ASK=node1
	sanlun node2 start
	same "start: $words" 0 "$rc"
	wait_until 20 "health of node2 is green" health_is green
	lab slow node2 san 32
	sanlun node2 monitor latency_warn=20ms
	same "monitor of slow storage: $words" 0 "$rc"
	wait_until 20 "health of node2 is yellow" health_is yellow
	say "latency, rounded up: $(attribute node2 storage-latency-ms) ms"
	sanlun node2 monitor latency_warn=20ms latency_fail=20ms
	same "monitor with a bound: $words" 1 "$rc"
	contains "its reason" "$words" "a read took"
	lab slow node2 san off
	sanlun node2 monitor latency_warn=5s
	wait_until 20 "health of node2 is green again" health_is green
	lab unplug node2 san
	sanlun node2 monitor portal_timeout=1s
	same "monitor without a cable: $words" 1 "$rc"
	wait_until 20 "health of node2 is red" health_is red
	lab plug node2 san
	sanlun node2 stop
	same "stop: $words" 0 "$rc"
}

lab_up --san iscsi --token 1000
run_case set_up "VMs run on LUNs, and every node has its key"
run_case case_fenced_guest "a fenced node's guest gets I/O errors and never writes; its VM runs elsewhere"
run_case case_power_follows "the SAN cuts first, the power follows in the background"
run_case case_storage_cable "the cable to the storage: pulled and put back"
run_case case_slow_storage "ocf:vrms:SanLun: slow storage is yellow, then a failure; none is red"
finish
