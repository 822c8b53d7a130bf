#!/bin/bash
# vmwatch.sh - vrmsd sees machines fail and Pacemaker acts at once: measured in a cluster of three.
#
# VRMS_VMWATCH_KILLS: how many QEMUs are killed (20); VRMS_VMWATCH_PAUSES: how many machines are
# paused by an I/O error, and how many panic (5).
# SPDX-License-Identifier: GPL-2.0-or-later
. "$(dirname "$0")/lib.sh"

KILLS=${VRMS_VMWATCH_KILLS:-20}
PAUSES=${VRMS_VMWATCH_PAUSES:-5}
NODES="node1 node2 node3"
JOURNAL=/run/vrms/journal.jsonl
LIMIT_MS=3000 # for 95 of 100 reactions, on a machine that others load; what is measured is printed

diagnose() { # what vrmsd saw
	local each
	lab status || :
	for each in $NODES; do
		echo "# --- $each"
		journal "$each" | jq -c 'select(.vm) | [.wall[11:23], .vm, .state, .pid, .reason]' | tail -n 30 | sed 's/^/# /'
	done
}

start_vrmsd() { # NODE SETTING...
	local node=$1
	shift
	in_node "$node" mkdir -p /run/vrms
	printf '%s\n' "tuning = no" "journal = $JOURNAL" "$@" | in_node "$node" tee /run/vrms/vrmsd.conf >/dev/null
	in_node "$node" sh -c 'PCMK_logfacility=none setsid vrmsd -c /run/vrms/vrmsd.conf -v >>/run/vrms/out 2>&1 </dev/null &'
	wait_until 30 "vrmsd of $node listens" listens "$node"
}
stop_vrmsd() { # NODE
	in_node "$1" pkill -TERM -o -x vrmsd
	wait_until 30 "vrmsd of $1 has ended" is_without_vrmsd "$1"
}
is_without_vrmsd() { ! in_node "$1" pgrep -x vrmsd; }
journal() { in_node "$1" cat $JOURNAL; } # NODE
# The last words of vm-watch about its two connections, since the daemon's last start.
listens() {
	journal "$1" | jq -se '. as $all | (map(.event) | rindex("start")) as $at | $all[$at:] |
		(map(select(.event == "libvirt")) | last.connected) and
		(map(select(.event == "pacemaker")) | last.connected)'
}

# state_ms NODE NAME STATE AFTER_MS [REASON]: when the journal first has it after that time; empty: not yet.
state_ms() {
	journal "$1" | jq -sr --arg vm "$2" --arg s "$3" --argjson after "$4" --arg r "${5:-}" '
		map(. + {ms: ((.wall[0:19] + "Z" | fromdate) * 1000 + (.wall[20:23] | tonumber))}) |
		map(select(.vm == $vm and .state == $s and .ms >= $after and ($r == "" or (.reason | test($r))))) |
		first.ms // empty'
}
# stop_ms NODE NAME AFTER_MS: when the node's controller first began a stop operation after that time.
stop_ms() {
	local line stamp
	in_node "$1" grep -h "Requesting local execution of stop operation for $2 on" /var/log/pacemaker/pacemaker.log |
		tail -n 2 | while read -r line; do
		stamp=$(date -d "$(echo "$line" | cut -d' ' -f1-3)" +%s%3N)
		[ "$stamp" -lt "$3" ] || { echo "$stamp"; break; }
	done
}
says() { in_node "$1" vrms status | grep -q "^machines.*$2"; } # NODE WORDS
has_state() { [ -n "$(state_ms "$@")" ]; }
has_stop() { [ -n "$(stop_ms "$@")" ]; }
# The cluster means it to run there and vrmsd watches its process.
is_watched() { # NAME NODE
	journal "$2" | jq -se --arg vm "$1" 'map(select(.vm == $vm)) | (last.pid > 0) and
		(map(select(.state | IN("managed", "not managed", "operation", "moving"))) | last.state == "managed")'
}
settled() { # NAME: runs and is watched; its node in $node
	wait_until 90 "$1 runs" vm_is "$1" "" Started
	node=$(vm_node "$1")
	wait_until 30 "$1 is watched on $node" is_watched "$1" "$node"
}
failures() { # NAME: reports about it in all journals
	local each
	for each in $NODES; do journal "$each"; done | jq -s --arg vm "$1" 'map(select(.vm == $vm and .state == "failed")) | length'
}
kill_qemu() { # NAME NODE: its time in ms
	in_node "$2" sh -c "pid=\$(cat /run/libvirt/qemu/$1.pid); date +%s%3N; kill -KILL \$pid"
}
# Only when nothing is under way: Pacemaker 2.1.5 takes a resource that is cleaned up out of the
# executor; a start that is on its way fails then, the node's controller ends, the node is fenced.
forget_failures() {
	quiet_cluster
	in_node node1 crm_resource --cleanup --resource "$1" >/dev/null 2>&1
}

# One line of figures from a file of "seen_ms stop_ms".
summary() { # WHAT FILE
	local column what
	for column in 1 2; do
		what=$([ $column = 1 ] && echo seen || echo "stop begun")
		cut -d' ' -f$column "$2" | sort -n | awk -v what="$1: $what" '
			{ v[NR] = $1 }
			END {
				p = int(NR * 0.95); if (p < NR * 0.95) p++
				m = int((NR + 1) / 2)
				printf "# %s after ms: min %d median %d p95 %d max %d (n=%d)\n", what, v[1], v[m], v[p], v[NR], NR
			}'
	done
}

# Nothing else is under way in the cluster, as when a machine fails out of the blue.
is_quiet() {
	local dc
	dc=$(in_node node1 crmadmin --dc_lookup | grep -oE 'node[0-9]+') && in_node node1 crmadmin --status "$dc" | grep -q S_IDLE
}
quiet_cluster() { wait_until 60 "the cluster is idle" is_quiet; }

below_limit() { # FILE: the 95th percentile of its second column
	local p95
	p95=$(cut -d' ' -f2 "$1" | sort -n | head -n $((($(wc -l <"$1") * 95 + 99) / 100)) | tail -n 1)
	[ "$p95" -lt $LIMIT_MS ] || fail "too long: $(tr '\n' ';' <"$1")"
}

killed() {
	local i vm at seen stop figures QUIET=1
	figures=$(mktemp)
	for i in $(seq "$KILLS"); do
		vm=vm$((i % 3 + 1))
		settled $vm
		quiet_cluster
		at=$(kill_qemu $vm "$node")
		wait_until 20 "$vm is being stopped" has_stop "$node" $vm "$at"
		seen=$(state_ms "$node" $vm failed "$at")
		stop=$(stop_ms "$node" $vm "$at")
		[ -n "$seen" ] || fail "kill $i: $vm was stopped without a report"
		echo "$((seen - at)) $((stop - at))" >>"$figures"
	done
	summary "QEMU killed" "$figures"
	below_limit "$figures"
	rm -f "$figures"
	same "reports" "$KILLS" "$(($(failures vm1) + $(failures vm2) + $(failures vm3)))"
}

# The guest meets its full disk, or its order, at some time of its own: measured is from libvirt's event.
reaction() { # NAME NODE AFTER_MS REASON FILE
	local event seen stop
	wait_until 30 "libvirt's event about $1" has_state "$2" "$1" libvirt "$3" "$4"
	wait_until 20 "$1 is being stopped" has_stop "$2" "$1" "$3"
	event=$(state_ms "$2" "$1" libvirt "$3" "$4")
	seen=$(state_ms "$2" "$1" failed "$3")
	stop=$(stop_ms "$2" "$1" "$3")
	[ -n "$seen" ] || fail "$1 was stopped without a report"
	echo "$((seen - event)) $((stop - event))" >>"$5"
}

# What disk_fails has punched out is put back while nobody has the disk open.
mend_disk() { # NAME
	local each
	in_node node1 crm_resource --resource "$1" --meta --set-parameter target-role --parameter-value Stopped >/dev/null
	wait_until 60 "$1 is stopped" vm_is "$1" "" Stopped
	for each in $NODES; do
		disk_answers "$each"
		in_node "$each" cp /run/whole.raw "/run/small/$1.raw"
	done
	in_node node1 crm_resource --resource "$1" --meta --delete-parameter target-role >/dev/null
}

# A machine whose disk can fail, for two cases; the lab's end takes it away.
need_vmio() {
	local each
	[ ! -e "$SAN/vm/vmio.xml" ] || return 0
	# shellcheck disable=SC2086
	io_setup $NODES
	for each in $NODES; do
		in_node "$each" cp /run/small/vmio.raw /run/whole.raw
	done
	lab vm add vmio --disk /run/small/vmio.raw --monitor 60s --deadline 20s
}

io_error() {
	local i at figures shown QUIET=1
	figures=$(mktemp)
	need_vmio
	for i in $(seq "$PAUSES"); do
		settled vmio
		shown=$(console_ticks vmio)
		wait_until 20 "the guest counts" console_shows_more vmio "$shown"
		quiet_cluster
		at=$(now_ms)
		disk_fails "$node"
		reaction vmio "$node" "$at" VM_IO "$figures"
		mend_disk vmio
	done
	summary "paused by an I/O error, from libvirt's event" "$figures"
	below_limit "$figures"
	rm -f "$figures"
}

panic() {
	local i at before figures
	local QUIET=1 # for wait_until
	figures=$(mktemp)
	for i in $(seq "$PAUSES"); do
		settled vm1
		before=$(boots vm1)
		wait_until 20 "the guest counts" booted_beyond vm1 $((before - 1))
		quiet_cluster
		at=$(now_ms)
		lab vm order vm1 panic
		reaction vm1 "$node" "$at" "VM_PANICKED|VM_STOPPED_CRASHED" "$figures"
	done
	summary "panic, from libvirt's event" "$figures"
	below_limit "$figures"
	rm -f "$figures"
}

no_false_report() {
	local before other
	settled vm2
	forget_failures vm2
	settled vm2
	before=$(failures vm2)
	other=$(node_of_others "$node")
	in_node node1 crm_resource --resource vm2 --move --node "$other"
	wait_until 60 "vm2 runs on $other" vm_is vm2 "$other" Started
	in_node node1 crm_resource --resource vm2 --clear
	settled vm2
	in_node node1 crm_resource --resource vm2 --restart --timeout 60s
	settled vm2
	in_node node1 crm_resource --resource vm2 --meta --set-parameter target-role --parameter-value Stopped
	wait_until 60 "vm2 is stopped" vm_is vm2 "" Stopped
	in_node node1 crm_resource --resource vm2 --meta --delete-parameter target-role
	settled vm2
	same "reports after a migration, a restart, a stop and a start" "$before" "$(failures vm2)"
	same "failures in the CIB" 0 "$(fail_count vm2 "$node")"
}

unmanaged() {
	local before at
	settled vm3
	before=$(failures vm3)
	in_node node1 crm_resource --resource vm3 --meta --set-parameter is-managed --parameter-value false
	wait_until 20 "vrmsd knows" is_unmanaged vm3 "$node"
	at=$(kill_qemu vm3 "$node")
	wait_until 20 "it is noted" has_state "$node" vm3 VM_NOT_MANAGED "$at"
	sleep 1
	same "reports" "$before" "$(failures vm3)"
	quiet_cluster
	in_node node1 crm_resource --refresh --resource vm3 >/dev/null 2>&1 # see forget_failures
	quiet_cluster
	in_node node1 crm_resource --resource vm3 --meta --delete-parameter is-managed
	settled vm3
}
is_unmanaged() { journal "$2" | jq -se --arg vm "$1" 'map(select(.vm == $vm)) | last | .state == "not managed"'; }

libvirtd_killed() {
	local at
	settled vm1
	in_node "$node" kill -KILL "$(libvirtd_pid "$node")"
	at=$(kill_qemu vm1 "$node")
	wait_until 10 "the death is reported without libvirtd" has_state "$node" vm1 failed "$at"
	say "after $(($(state_ms "$node" vm1 failed "$at") - at)) ms"
	start_libvirtd "$node"
	wait_until 30 "vrmsd of $node is connected again" listens "$node"
	forget_failures vm1
	settled vm1
}

# What happens while nobody can listen is found when somebody can.
libvirtd_missed_it() {
	local at shown
	need_vmio
	settled vmio
	shown=$(console_ticks vmio)
	wait_until 20 "the guest counts" console_shows_more vmio "$shown"
	in_node "$node" kill -KILL "$(libvirtd_pid "$node")"
	disk_fails "$node"
	wait_until 20 "status says that libvirtd is missing" says "$node" "libvirt does not answer"
	sleep 3 # it is paused by now
	at=$(now_ms)
	start_libvirtd "$node"
	wait_until 20 "the pause is found" has_state "$node" vmio failed "$at"
	disk_answers "$node"
	forget_failures vmio
	settled vmio
}

helper_killed() {
	local at pid
	settled vm2
	pid=$(in_node "$node" pgrep -o -x vrmsd)
	in_node "$node" pkill -KILL -x vm-watch
	at=$(kill_qemu vm2 "$node")
	wait_until 20 "the failure is seen" has_state "$node" vm2 failed "$at"
	wait_until 20 "vm2 is being stopped" has_stop "$node" vm2 "$at"
	same "vrmsd's pid" "$pid" "$(in_node "$node" pgrep -o -x vrmsd)"
	forget_failures vm2
	settled vm2
}

flapping() {
	local i at
	lab vm add flap --monitor 5s
	wait_until 60 "flap runs" vm_is flap "" Started
	node=$(vm_node flap)
	for i in $NODES; do
		[ "$i" = "$node" ] || in_node node1 crm_resource --resource flap --ban --node "$i" >/dev/null 2>&1
	done
	in_node node1 crm_resource --resource flap --meta --set-parameter migration-threshold --parameter-value 1000 >/dev/null
	stop_vrmsd "$node"
	start_vrmsd "$node" "vm_flap_count = 2" "vm_flap_window = 10min"
	for i in 1 2 3; do
		settled flap
		at=$(kill_qemu flap "$node")
		if [ "$i" = 3 ]; then
			wait_until 20 "vrmsd says so" has_state "$node" flap VM_FLAPPING "$at"
			wait_until 90 "its monitor finds it" has_stop "$node" flap "$at"
			[ -z "$(state_ms "$node" flap failed "$at")" ] || fail "it was reported"
			settled flap
			in_node "$node" vrms status >"$OUT" || fail "no status"
			contains "the status" "$(cat "$OUT")" "has failed too often: left to its monitor for another"
			same "limited" true "$(in_node "$node" vrms status --json | jq '.machines.vms[] | select(.vm == "flap") | .limited_ms > 0')"
			same "vm1 limited" 0 "$(in_node "$node" vrms status --json | jq '[.machines.vms[] | select(.vm != "flap") | .limited_ms] | max // 0')"
		else
			wait_until 20 "flap is being stopped" has_stop "$node" flap "$at"
		fi
	done
}

nobody_is_busy() {
	local each
	for each in $NODES; do
		in_node "$each" vrms status --json | jq -e '[.machines.vms[] | select(.state == "operation")] == []' || return
	done
}
# The words of an admin: the state now, the past, one machine's story.
told() {
	local at follower
	settled vm1
	quiet_cluster
	wait_until 10 "no operation is shown where nothing is under way" nobody_is_busy
	in_node "$node" vrms status >"$OUT" || fail "no status"
	grep -qE '^node +node[123], in the cluster, with quorum' "$OUT" || fail "no node: $(cat "$OUT")"
	grep -qE '^membership ring [0-9]+, 3 members, formed .* ago' "$OUT" || fail "no membership: $(cat "$OUT")"
	grep -qE '^token +[0-9]+ ms in force' "$OUT" || fail "no token: $(cat "$OUT")"
	grep -qE '^machines +libvirt connected, Pacemaker connected' "$OUT" || fail "no machines: $(cat "$OUT")"
	grep -qE '^vm +vm1 +running for [0-9.]+ (ms|s|min); vm1' "$OUT" || fail "no vm1: $(cat "$OUT")"
	sed 's/^/# /' "$OUT"
	in_node "$node" vrms events --file $JOURNAL --follow --json --since 1s >"$OUT.follow" &
	follower=$!
	sleep 1
	at=$(kill_qemu vm1 "$node")
	wait_until 20 "--follow shows it" grep -q '"state":"failed"' "$OUT.follow"
	kill "$follower"
	rm -f "$OUT.follow"
	wait_until 20 "vm1 is being stopped" has_stop "$node" vm1 "$at"
	settled vm1
	in_node "$node" vrms explain vm vm1 --file $JOURNAL --since 1min >"$OUT" || fail "nothing is known"
	sed 's/^/# /' "$OUT"
	# In order: the death, from one source or both; the report; the cluster's operation.
	grep -oE '"(process ended|failed|operation)"' "$OUT" | uniq | tr -d '\n' |
		grep -qE '("process ended""failed"|"failed""process ended")"operation"' ||
		fail "not the story of a death"
	forget_failures vm1
}

# Pacemaker and libvirtd are restarted together under running machines: both are found again, and
# what happens next is seen.
pacemaker_restarted() {
	local at
	settled vm2
	in_node node1 crm_attribute --name maintenance-mode --update true >/dev/null
	wait_until 20 "vrmsd knows" is_unmanaged vm2 "$node"
	at=$(now_ms)
	in_node "$node" pkill -TERM -x pacemakerd
	wait_until 60 "Pacemaker has ended" is_without_pacemaker "$node"
	wait_until 20 "vrmsd has noticed" is_disconnected "$node" pacemaker
	says "$node" "Pacemaker does not answer" || fail "status does not say that Pacemaker is missing"
	in_node "$node" sh -c 'PCMK_logfile=/var/log/pacemaker/pacemaker.log PCMK_logfacility=none setsid pacemakerd -f >>/var/log/pacemakerd.out 2>&1 </dev/null &'
	online 90
	wait_until 60 "vrmsd of $node is connected again" listens "$node"
	in_node node1 crm_attribute --name maintenance-mode --delete >/dev/null
	settled vm2
	at=$(kill_qemu vm2 "$node")
	wait_until 20 "the death is reported" has_state "$node" vm2 failed "$at"
	wait_until 20 "vm2 is being stopped" has_stop "$node" vm2 "$at"
	forget_failures vm2
	settled vm2
}
is_without_pacemaker() { ! in_node "$1" pgrep -x pacemakerd; }
is_disconnected() { journal "$1" | jq -se --arg e "$2" 'map(select(.event == $e)) | last.connected == false'; }

# A resource of the old agent is watched like one of ours.
virtual_domain() {
	local at
	lab vm add vmold --agent heartbeat --monitor 60s
	settled vmold
	quiet_cluster
	at=$(kill_qemu vmold "$node")
	wait_until 20 "the death is reported" has_state "$node" vmold failed "$at"
	wait_until 20 "vmold is being stopped" has_stop "$node" vmold "$at"
	say "stop begun after $(($(stop_ms "$node" vmold "$at") - at)) ms"
	settled vmold
	at=$(failures vmold)
	in_node node1 crm_resource --resource vmold --move --node "$(node_of_others "$node")" >/dev/null 2>&1
	wait_until 60 "vmold has moved" vm_is vmold "$(node_of_others "$node")" Started
	in_node node1 crm_resource --resource vmold --clear >/dev/null
	in_node node1 crm_resource --resource vmold --restart --timeout 60s >/dev/null
	settled vmold
	same "reports after a migration and a restart" "$at" "$(failures vmold)"
}

OUT=$(mktemp)
lab_up -n 3 --token 1000
for node in $NODES; do
	(start_vrmsd "$node" "vm_flap_count = 16" "vm_flap_window = 1s") || exit 99
done
for vm in vm1 vm2 vm3; do
	lab vm add $vm --monitor 60s || exit 99
	in_node node1 crm_resource --resource $vm --meta --set-parameter migration-threshold --parameter-value 1000 >/dev/null || exit 99
done

run_case killed "QEMU killed $KILLS times: Pacemaker stops it at once"
run_case io_error "a pause by an I/O error: Pacemaker stops it at once"
run_case panic "a guest's panic: Pacemaker stops it at once"
run_case no_false_report "a migration, a restart and a stop by the cluster are no failures"
run_case unmanaged "a machine that the cluster does not manage is not reported"
run_case libvirtd_killed "libvirtd killed: a death is reported all the same"
run_case libvirtd_missed_it "what libvirtd could not tell is found when it is back"
run_case helper_killed "vm-watch killed: vrmsd lives, the report arrives late but once"
run_case told "status, events and explain tell of a machine"
run_case pacemaker_restarted "Pacemaker restarted: vrmsd is connected again and sees the next death"
run_case virtual_domain "machines of ocf:heartbeat:VirtualDomain are watched as well"
run_case flapping "a flapping machine is left to its monitor, said so"
rm -f "$OUT"
finish
