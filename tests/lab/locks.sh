#!/bin/bash
# Leases: libvirt's lock manager refuses a second start, also when Pacemaker believes a lie.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
. "${srcdir:-.}/tests/lab/lib.sh"

[ -x /usr/sbin/virtlockd ] || skip_all "virtlockd is not installed (Debian package: libvirt-daemon)"
find /usr/lib -name 'block-iscsi.so' 2>/dev/null | grep -q . || skip_all "QEMU has no iscsi:// (Debian package: qemu-block-extra)"
type tgtd >/dev/null 2>&1 || [ -x /usr/sbin/tgtd ] || skip_all "tgtd is not installed (Debian package: tgt)"

set_up() {
	online 90
	lab vm add one
	wait_until 120 "one runs" vm_is one "" Started
	wait_until 60 "one counts" counts one 2
}

# LUNs know no locks of the image file: only the lease is in the way.
case_by_hand() {
	local here there out
	here=$(vm_node one)
	there=$(node_of_others "$here")
	out=$(in_node "$there" virsh create /srv/vm/one.xml 2>&1) && fail "the second start on $there was not refused: $out"
	say "$(printf '%s' "$out" | head -n 1)"
	contains "refused by the lease" "$out" "is locked"
	vm_absent_from one "$there"
	same "boots" 1 "$(boots one)"
}

case_migration() {
	local here there
	here=$(vm_node one)
	there=$(node_of_others "$here")
	in_node "$here" crm_resource --resource one --move --node "$there"
	wait_until 120 "one is on $there" vm_is one "$there" Started
	same "boots" 1 "$(boots one)"
	in_node "$there" crm_resource --resource one --clear
}

# The host hangs, no fence device can reach it, and an admin says that it is off.
case_told_wrong() {
	local here there before
	here=$(vm_node one)
	there=$(node_of_others "$here")
	# shellcheck disable=SC2034 # lib.sh asks it
	ASK=$there
	in_node "$there" cibadmin --delete-all --force --xpath '//fencing-topology'
	in_node "$there" cibadmin --delete-all --force --xpath '//primitive[@id="san"]'
	lab bmc "$here" dead
	# Pacemaker asks the silent controller twice before it looks at what the admin said.
	in_node "$there" crm_attribute --name stonith-timeout --update 5s
	before=$(boots one)
	lab freeze "$here"
	refused() {
		in_node "$there" crm_mon --one-shot --output-as=xml | grep -q 'exitreason="[^"]*is locked'
	}
	gone() { in_node "$there" crm_mon --one-shot | grep -q "$here.*\(UNCLEAN\|pending\|OFFLINE\)"; }
	wait_until 60 "$here is lost" gone
	in_node "$there" stonith_admin --confirm "$here"
	wait_until 150 "the start elsewhere is refused by the lease" refused
	lab thaw "$here"
	same "boots" "$before" "$(boots one)"
	lab bmc "$here" alive
}

lab_up --san iscsi --locks --token 1000
run_case set_up "a VM with a lease runs"
run_case case_by_hand "a second start by hand is refused"
run_case case_migration "the lease moves with a live migration"
run_case case_told_wrong "a second start is refused when Pacemaker was told wrong"
finish
