#!/bin/bash
# fence.sh - the power switch and its fence agent: what they say is off, is off.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

power_is() { same "power of $1" "$1 $2" "$(lab power status "$1")"; } # NODE STATE
fence() { in_node node1 fence_vrms_lab "$@" 2>&1; }
namespace_of() { in_node "$1" readlink /proc/self/ns/pid; }
is_on() { [ "$(lab power status "$1")" = "$1 on" ]; }
living_in() { # NAMESPACE: processes that are no zombies
	local process
	for process in /proc/[0-9]*; do
		if [ "$(readlink "$process/ns/pid" 2>/dev/null)" = "$1" ] &&
			! grep -q '^State:[[:space:]]*[ZX]' "$process/status" 2>/dev/null; then
			echo "${process#/proc/}"
		fi
	done
}
outer_pid() { # NODE PATTERN: the host's number of a process in a node
	local namespace process
	namespace=$(namespace_of "$1")
	for process in $(pgrep -f "$2"); do
		[ "$(readlink "/proc/$process/ns/pid")" != "$namespace" ] || echo "$process"
	done
}

agent_answers() {
	same "monitor" "" "$(fence -o monitor)"
	same "list" "node1, node2, node3," "$(fence -o list | tr '\n' ' ' | sed 's/ $//')"
	contains "list-status" "$(fence -o list-status)" "node2,,ON"
	contains "status" "$(fence -o status -n node2)" "ON"
	contains "a node that is not there" "$(fence -o off -n node9 || :)" 'no node "node9"'
	contains "no node" "$(fence -o off || :)" "plug"
	contains "Pacemaker's list of agents" "$(in_node node1 stonith_admin -I 2>/dev/null)" fence_vrms_lab
}

fenced_by_the_cluster() {
	local namespace
	in_node node1 crm configure property stonith-enabled=true
	in_node node1 crm configure primitive fencing stonith:fence_vrms_lab \
		op monitor interval=60s timeout=20s
	wait_until 20 "the fence device is there" \
		in_node node1 stonith_admin -l node3 --timeout 5
	namespace=$(namespace_of node3)
	[ -n "$(living_in "$namespace")" ] || fail "the check sees no process of a running node"
	in_node node1 stonith_admin --fence node3 --timeout 20
	same "processes of the fenced node" "" "$(living_in "$namespace")"
	power_is node3 off
	same "its cables" "" "$(nsenter --net="$DIR/run/switch.net" ip -o link show | grep -o 'n3-[01]')"
	in_node node1 stonith_admin --unfence node3 --timeout 20
	power_is node3 on
	wait_until 60 "it is a member again" lab wait --timeout 1s
}

frozen_is_fenced_too() {
	local namespace
	namespace=$(namespace_of node3)
	lab freeze node3
	power_is node3 frozen
	contains "status" "$(fence -o status -n node3)" "ON"
	fence -o off -n node3
	same "processes of the fenced node" "" "$(living_in "$namespace")"
	lab power on node3
	online
}

# A tracer that never takes note of the death of its tracee keeps the node's pid 1 from ending:
# for the kernel the node is not gone yet.
never_off_too_early() {
	local namespace sleeper tracer rc=0 words
	namespace=$(namespace_of node3)
	lab exec node3 sleep 4711 &
	wait_until 30 "a process in the node" in_node node3 pgrep -fx "sleep 4711"
	sleeper=$(outer_pid node3 '^sleep 4711$')
	python3 -c '
import ctypes, sys, time
libc = ctypes.CDLL(None, use_errno=True)
PTRACE_SEIZE = 0x4206
if libc.ptrace(PTRACE_SEIZE, int(sys.argv[1]), 0, 0) != 0:
    sys.exit("ptrace: %d" % ctypes.get_errno())
print("traced", flush=True)
time.sleep(60)' "$sleeper" >"$DIR/traced" &
	tracer=$!
	# shellcheck disable=SC2064
	trap "kill $tracer 2>/dev/null || :" EXIT
	wait_until 30 "it is traced" grep -q traced "$DIR/traced"
	words=$(fence -o off -n node3) || rc=$?
	same "exit status of a fence that is not done" 1 "$rc"
	contains "what it says" "$words" "not off"
	say "the switch says: $words"
	kill "$tracer"
	wait "$tracer" || :
	fence -o off -n node3
	power_is node3 off
	same "processes of the fenced node" "" "$(living_in "$namespace")"
	lab power on node3
	online
}

reboot_takes_its_time() {
	fence -o reboot -n node3
	power_is node3 off
	wait_until 12 "it boots again" is_on node3
	fence -o reboot -n node3
	fence -o off -n node3
	sleep 7
	power_is node3 off
	lab power on node3
	online
}

strangers_are_refused() {
	local words rc=0
	"$PROGRAM" --lab "$LAB-other" up "${shared[@]}" -n 1 --no-libvirt --no-wait >/dev/null
	words=$("$PROGRAM" --lab "$LAB-other" exec node1 \
		fence_vrms_lab -o off -n node2 --socket="$DIR/san/.power" 2>&1) || rc=$?
	"$PROGRAM" --lab "$LAB-other" down
	same "exit status for a node of another lab" 1 "$rc"
	contains "what it is told" "$words" "in no node of this lab"
	power_is node2 on
}

without_a_switch() {
	local words rc=0
	pkill -KILL -f "vrms-lab --lab $LAB --dir $DIR powerd"
	sleep 0.2
	words=$(fence -o off -n node2) || rc=$?
	same "exit status without a power switch" 1 "$rc"
	contains "what it says" "$words" "no power switch at /srv/.power"
	power_is node2 on 2>/dev/null # which starts it again
	contains "monitor" "$(fence -o status -n node2)" "ON"
}

# The stranger's lab too, however this ends.
trap 'take_down; [ ! -e "$DIR-other" ] || "$PROGRAM" --lab "$LAB-other" down' EXIT

lab_up -n 3 --no-libvirt --token 1000
# Until its own case, the cluster must not fence whom a case has just switched off.
in_node node1 crm configure property stonith-enabled=false
run_case agent_answers "the agent answers from inside a node, and names what is wrong"
run_case frozen_is_fenced_too "a frozen node is fenced too"
run_case never_off_too_early "no fence is reported before the node is gone"
run_case reboot_takes_its_time "a reboot boots after the delay, unless the node is switched off again"
run_case strangers_are_refused "a node of another lab is refused"
run_case fenced_by_the_cluster "stonith_admin fences a node: nothing in it lives, and it comes back"
run_case without_a_switch "without the power switch no fence succeeds; a power button revives it"
finish
