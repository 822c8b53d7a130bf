#!/bin/bash
# vm.sh - ocf:vrms:VirtualMachine in a real cluster of three nodes.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

RUNNING=0 GENERIC=1 STOPPED=7

is_gone() { # NAME NODE: no QEMU of that name lives there
	! in_node "$2" pgrep -f "guest=$1[,]"
}
domstate() { in_node "$2" virsh -q domstate "$1"; }

power_cut() {
	local node others before after other
	node=$(vm_node vm1)
	before=$(boots vm1)
	others=$(lab vm list --json | jq -r --arg w "$node" '.[] | select(.node != $w) | .name')
	for other in $others; do
		eval "before_$other=\$(boots $other)"
	done
	ASK=$(node_of_others "$node")
	lab power off "$node"
	wait_until 90 "vm1 runs on another node than $node" booted_beyond vm1 "$before"
	wait_until 30 "Pacemaker agrees" vm_is vm1 "" Started
	differs "the node of vm1" "$node" "$(vm_node vm1)"
	for other in $others; do
		eval "after=\$before_$other"
		same "boots of $other" "$after" "$(boots "$other")"
	done
	lab power on "$node"
	wait_until 90 "$node is back" online 1
	ASK=node1
}

sample_ticks() { # NAME: one line of "boot tick" each 0.1 s until killed
	while :; do
		record "$1" | cut -d' ' -f1,2
		sleep 0.1
	done
}
move() { # NAME NODE
	in_node node1 crm_resource --resource "$1" --move --node "$2"
	wait_until 60 "$1 runs on $2" vm_is "$1" "$2" Started
	in_node node1 crm_resource --resource "$1" --clear
}
migration_there_and_back() {
	local from to sampler samples
	from=$(vm_node vm1)
	to=$(node_of_others "$from")
	samples=$(mktemp)
	sample_ticks vm1 >"$samples" &
	sampler=$!
	move vm1 "$to"
	is_gone vm1 "$from" || fail "vm1 is left on $from"
	move vm1 "$from"
	wait_until 20 "the guest counts on" counts vm1 "$(($(ticks vm1) + 1))"
	kill "$sampler"
	wait "$sampler" || :
	same "different boots seen" 1 "$(cut -d' ' -f1 "$samples" | sort -u | wc -l)"
	cut -d' ' -f2 "$samples" | sort -n -c || fail "a tick was counted twice"
	say "ticks $(head -n 1 "$samples" | cut -d' ' -f2) to $(tail -n 1 "$samples" | cut -d' ' -f2), $(wc -l <"$samples") samples"
	rm -f "$samples"
	grep -h "migrate_to operation for vm1" "$DIR"/nodes/*/var/log/pacemaker/pacemaker.log |
		tail -n 2 | sed 's/^/# /'
}

qemu_killed() {
	local node before fences
	node=$(vm_node vm2)
	before=$(boots vm2)
	fences=$(fence_count)
	in_node "$node" kill -KILL "$(qemu_pid vm2 "$node")"
	wait_until 60 "vm2 counts again" booted_beyond vm2 "$before"
	wait_until 30 "Pacemaker agrees" vm_is vm2 "" Started
	same "boots of vm2" $((before + 1)) "$(boots vm2)"
	same "fences" "$fences" "$(fence_count)"
	in_node node1 crm_resource --cleanup --resource vm2
}

self_made_reboot() {
	local node pid before
	wait_until 30 "vm2 runs" vm_is vm2 "" Started
	node=$(vm_node vm2)
	pid=$(qemu_pid vm2 "$node")
	before=$(boots vm2)
	lab vm order vm2 reboot
	wait_until 30 "the guest has rebooted" booted_beyond vm2 "$before"
	agent "$node" monitor vm2 20000
	expect "monitor of a guest that rebooted itself" $RUNNING
	same "QEMU's pid" "$pid" "$(qemu_pid vm2 "$node")"
}

is_paused() { is "$(domstate "$1" "$2")" paused; }

io_error() {
	local shown
	io_setup node1
	lab vm add vmio --files-only --disk /run/small/vmio.raw
	agent node1 start vmio 60000
	expect "start" 0
	wait_until 20 "the guest counts" console_shows_more vmio 1
	agent node1 monitor vmio 20000
	expect "monitor before the fault" $RUNNING
	disk_fails node1
	wait_until 20 "QEMU has paused the guest" is_paused vmio node1
	agent node1 monitor vmio 20000 on_io_error=fail
	expect "monitor of the paused guest" $GENERIC
	say "its reason: $words"
	contains "its reason" "$words" "I/O error"
	agent node1 monitor vmio 20000 on_io_error=ignore
	expect "monitor with on_io_error=ignore" $RUNNING
	agent node1 monitor vmio 20000 on_io_error=resume io_error_wait=2s
	expect "monitor with on_io_error=resume while the disk still fails" $GENERIC
	disk_answers node1
	shown=$(console_ticks vmio)
	agent node1 monitor vmio 20000 on_io_error=resume
	expect "monitor with on_io_error=resume" $RUNNING
	same "state after the disk answers again" running "$(domstate vmio node1)"
	wait_until 20 "the guest counts on" console_shows_more vmio "$((shown + 1))"
	agent node1 stop vmio 30000
	expect "stop" 0
	io_teardown node1
}

io_error_in_the_cluster() {
	local node
	io_setup node1 node2 node3
	lab vm add vmio --disk /run/small/vmio.raw --monitor 2s --deadline 20s
	wait_until 60 "vmio runs" vm_is vmio "" Started
	node=$(vm_node vmio)
	wait_until 20 "the guest counts" console_shows_more vmio 1
	disk_fails "$node"
	wait_until 60 "Pacemaker counts the failure" is_counted_as_failed vmio "$node"
	in_node "$node" grep -h "vmio.*I/O error" /var/log/pacemaker/pacemaker.log | tail -n 1 | sed 's/^/# /'
	disk_answers "$node"
	wait_until 60 "vmio runs again" vm_is vmio "" Started
	io_teardown node1 node2 node3
}
is_counted_as_failed() { [ "$(fail_count "$1" "$2")" != 0 ]; }

libvirtd_stopped() {
	local pid
	loose_vm vmx
	agent node2 start vmx 60000
	expect "start" 0
	pid=$(qemu_pid vmx node2)
	in_node node2 kill -TERM "$(libvirtd_pid node2)"
	wait_until 20 "libvirtd is gone" is_without_libvirtd node2
	agent node2 monitor vmx 20000
	expect "monitor without libvirtd" $RUNNING
	agent node2 stop vmx 30000
	expect "stop without libvirtd" 0
	below "stop without libvirtd" "$took" 30000
	! in_node node2 test -e "/proc/$pid" || fail "QEMU $pid lives"
	agent node2 monitor vmx 20000
	expect "monitor afterwards" $STOPPED
	start_libvirtd node2
	agent node2 monitor vmx 20000
	expect "monitor with libvirtd back" $STOPPED
}
is_without_libvirtd() { ! libvirtd_pid "$1"; }

libvirtd_stuck() {
	local pid stuck fences
	loose_vm vmx
	agent node2 start vmx 60000
	expect "start" 0
	pid=$(qemu_pid vmx node2)
	stuck=$(libvirtd_pid node2)
	fences=$(fence_count)
	in_node node2 kill -STOP "$stuck"
	agent node2 monitor vmx 20000
	expect "monitor with a stuck libvirtd" $RUNNING
	below "monitor with a stuck libvirtd" "$took" 20000
	agent node2 stop vmx 30000
	expect "stop with a stuck libvirtd" 0
	below "stop with a stuck libvirtd" "$took" 30000
	! in_node node2 test -e "/proc/$pid" || fail "QEMU $pid lives"
	in_node node2 kill -CONT "$stuck"
	wait_until 30 "libvirtd answers" libvirtd_answers node2
	agent node2 monitor vmx 20000
	expect "monitor afterwards" $STOPPED
	same "fences" "$fences" "$(fence_count)"
}

libvirtd_stuck_in_the_cluster() {
	local node stuck fences
	lab vm add vmy --deadline 30s --monitor 5s
	wait_until 60 "vmy runs" vm_is vmy "" Started
	node=$(vm_node vmy)
	fences=$(fence_count)
	stuck=$(libvirtd_pid "$node")
	in_node "$node" kill -STOP "$stuck"
	in_node node1 crm_resource --resource vmy --meta --set-parameter target-role --parameter-value Stopped
	wait_until 60 "Pacemaker has stopped vmy" vm_is vmy "" Stopped
	same "fences" "$fences" "$(fence_count)"
	is_gone vmy "$node" || fail "its QEMU lives"
	in_node "$node" kill -CONT "$stuck"
	wait_until 30 "libvirtd of $node answers" libvirtd_answers "$node"
	wait_until 60 "all nodes are online" online 1
	wait_until 60 "vm1 is undisturbed" vm_is vm1 "" Started
	lab vm remove vmy
}

never_two() {
	local node other before
	node=$(vm_node vm1)
	other=$(node_of_others "$node")
	before=$(boots vm1)
	agent "$other" start vm1 30000
	[ "$rc" != 0 ] || fail "start on $other succeeded while vm1 runs on $node"
	say "exit code $rc: $words"
	is_gone vm1 "$other" || fail "a second QEMU runs on $other"
	wait_until 10 "the guest on $node counts on" counts vm1 "$(($(ticks vm1) + 1))"
	same "boots of vm1" "$before" "$(boots vm1)"
	agent "$other" monitor vm1 20000
	expect "monitor on $other" $STOPPED
}

short_stop() {
	local pid
	loose_vm vmx
	agent node3 start vmx 60000
	expect "start" 0
	lab vm order vmx deaf
	wait_until 10 "the guest counts" counts vmx 2
	pid=$(qemu_pid vmx node3)
	agent node3 stop vmx 8000
	expect "stop of a deaf guest" 0
	below "stop of a deaf guest" "$took" 8000
	! in_node node3 test -e "/proc/$pid" || fail "QEMU $pid lives"
	lab vm remove vmx
}

panic_and_watchdog() {
	local what
	for what in panic watchdog; do
		loose_vm vmx
		agent node3 start vmx 60000
		expect "start" 0
		wait_until 20 "the guest counts" counts vmx 1
		lab vm order vmx $what
		wait_until 20 "libvirt knows" is_not_running vmx node3
		agent node3 monitor vmx 20000
		expect "monitor after $what" $GENERIC
		contains "its reason" "$words" $what
		agent node3 stop vmx 30000
		expect "stop after $what" 0
		lab vm remove vmx
	done
}
is_not_running() { ! is "$(domstate "$1" "$2")" running; }

linux_guest() {
	local node other before said
	if ! said=$(lab vm add vml --guest linux 2>&1); then
		case $said in
		*"linux guest"*) say "skipped: $said"; exit 77 ;; # no network, no packages
		esac
		fail "$said"
	fi
	wait_until 120 "the Linux guest counts" counts vml 1
	node=$(vm_node vml)
	other=$(node_of_others "$node")
	before=$(boots vml)
	move vml "$other"
	wait_until 30 "it counts on" counts vml "$(($(ticks vml) + 1))"
	same "boots of vml" "$before" "$(boots vml)"
	wait_until 60 "it obeys the power button" remove_vm vml
	is_gone vml "$other" || fail "its QEMU lives"
}

tester() {
	loose_vm vmt
	in_node node3 timeout 300 ocf-tester -n vmt -o config=/srv/vm/vmt.xml \
		-o hypervisor=qemu:///system -o autoset_utilization_cpu=false \
		-o autoset_utilization_hv_memory=false -o autoset_utilization_host_memory=false \
		/usr/lib/ocf/resource.d/vrms/VirtualMachine >"$DIR/tester.log" 2>&1 || {
		sed 's/^/# /' "$DIR/tester.log"
		fail "ocf-tester is not content"
	}
	tail -n 3 "$DIR/tester.log" | sed 's/^/# /'
	grep -q "passed all tests" "$DIR/tester.log" || fail "ocf-tester did not say so"
	lab vm remove vmt
}

shells() {
	local text
	text=$(in_node node1 crm ra info ocf:vrms:VirtualMachine)
	contains "crm ra info" "$text" "on_io_error"
	contains "crm ra info" "$text" "migrate_to"
	text=$(in_node node1 crm_resource --show-metadata ocf:vrms:VirtualMachine)
	contains "crm_resource --show-metadata" "$text" 'parameter name="config"'
	text=$(in_node node1 crm ra info stonith:fence_vrms_lab)
	contains "crm ra info stonith" "$text" "pcmk_host_list"
	contains "crm ra info stonith" "$text" "socket"
	lab vm add vmc --files-only
	in_node node1 crm configure primitive vmc ocf:vrms:VirtualMachine \
		params config=/srv/vm/vmc.xml migration_transport=tcp \
		op start timeout=60s op stop timeout=60s op monitor interval=10s timeout=30s \
		meta allow-migrate=true
	wait_until 60 "vmc runs" vm_is vmc "" Started
	# With its defaults the agent sets utilization in the CIB: the nodes must have the capacity.
	in_node node1 crm_resource --wait --timeout 60s
	wait_until 20 "vmc still runs and its guest counts" counts vmc 1
	same "utilization set by the agent" 3 "$(in_node node1 cibadmin --query --xpath "//primitive[@id='vmc']/utilization" | grep -c '<nvpair')"
	in_node node1 crm resource stop vmc
	wait_until 60 "vmc is stopped" vm_is vmc "" Stopped
	in_node node1 crm configure delete vmc
	lab vm remove vmc
}

one_word() {
	local node pid before
	lab vm add vmh --agent heartbeat --param force_stop=false --param migration_downtime=100
	wait_until 90 "VirtualDomain runs vmh" vm_is vmh "" Started
	wait_until 20 "the guest counts" counts vmh 1
	node=$(vm_node vmh)
	pid=$(qemu_pid vmh "$node")
	before=$(boots vmh)
	same "parameters in use" 9 "$(in_node node1 cibadmin --query --xpath "//primitive[@id='vmh']/instance_attributes" | grep -c '<nvpair')"
	in_node node1 crm_attribute --name maintenance-mode --update true
	in_node node1 crm configure show vmh >"$DIR/vmh.before"
	sed 's/ocf:heartbeat:VirtualDomain/ocf:vrms:VirtualMachine/; s/^\(primitive vmh \)VirtualDomain/\1ocf:vrms:VirtualMachine/' "$DIR/vmh.before" >"$SAN/vmh.crm"
	differs "the configuration" "$(cat "$DIR/vmh.before")" "$(cat "$SAN/vmh.crm")"
	diff "$DIR/vmh.before" "$SAN/vmh.crm" | sed 's/^/# /' || :
	in_node node1 crm configure load update /srv/vmh.crm
	in_node node1 crm_resource --refresh --resource vmh
	in_node node1 crm_attribute --name maintenance-mode --update false
	wait_until 60 "VirtualMachine manages vmh" is_managed_by_ours vmh "$node"
	sleep 3
	same "QEMU's pid" "$pid" "$(qemu_pid vmh "$node")"
	same "boots of vmh" "$before" "$(boots vmh)"
	wait_until 60 "vmh is stopped by VirtualMachine" remove_vm vmh
}
is_managed_by_ours() {
	lab vm list --json | jq -e --arg n "$1" --arg w "$2" '.[] | select(.name == $n and
		.node == $w and .state == "Started" and .agent == "ocf:vrms:VirtualMachine")'
}
remove_vm() { lab vm remove "$1"; }

set_up() {
	local vm
	for vm in vm1 vm2 vm3; do
		lab vm add $vm --monitor 5s
	done
	for vm in vm1 vm2 vm3; do
		wait_until 90 "$vm runs" vm_is $vm "" Started
		wait_until 30 "$vm counts" counts $vm 1
	done
}

recover() { # what the cases leave behind when they fail half-way
	local node vm
	ASK=node1
	lab power on node1 node2 node3 >/dev/null
	for vm in vmio vmx vmy vmt vmc vmh vml; do
		for node in node1 node2 node3; do
			in_node $node sh -c 'pkill -CONT -x libvirtd; timeout 5 virsh -q destroy $0;
				umount /run/small' $vm >/dev/null 2>&1
		done
		[ ! -e "$SAN/vm/$vm.xml" ] || lab vm remove $vm
	done
	lab power on node1 node2 node3 >/dev/null # what could not be stopped was fenced
	lab wait
	in_node node1 crm_attribute --name maintenance-mode --delete >/dev/null 2>&1
	in_node node1 crm_resource --cleanup >/dev/null 2>&1
}

lab_up -n 3 --token 1000
run_case set_up "three VMs run and their guests count"
run_case power_cut "a power cut: the VM runs again elsewhere, the others go on"
run_case migration_there_and_back "live migration there and back: the guest's counter never restarts"
run_case qemu_killed "QEMU killed: found by the monitor and recovered, no fence"
run_case self_made_reboot "a guest that reboots itself is no failure"
run_case io_error "a pause by an I/O error is a failure with its reason, ignored or resumed on demand"
run_case io_error_in_the_cluster "a pause by an I/O error is noticed by the cluster"
run_case panic_and_watchdog "a panic and a watchdog's bite are failures with their reason"
run_case libvirtd_stopped "libvirtd stopped: monitor and stop tell the truth"
run_case libvirtd_stuck "libvirtd stuck: monitor answers, stop ends within its deadline"
run_case libvirtd_stuck_in_the_cluster "libvirtd stuck: Pacemaker stops the VM without a fence"
run_case never_two "start is refused while the VM runs on another node"
run_case short_stop "a deaf guest is stopped within a short timeout"
run_case linux_guest "a Linux guest migrates and obeys the power button"
run_case tester "ocf-tester passes"
run_case shells "crmsh and crm_resource know the agents"
run_case one_word "VirtualDomain becomes VirtualMachine by one word, without a restart"
finish
