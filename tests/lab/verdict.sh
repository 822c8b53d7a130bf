#!/bin/bash
# verdict.sh - what becomes of nodes and machines with vrmsd: each failure, one by one.
#
# A step of the wall clock is not among them: time namespaces do not cover CLOCK_REALTIME.  vrmsd
# and the beats use the monotonic clock.
# SPDX-License-Identifier: GPL-2.0-or-later
. "$(dirname "$0")/lib.sh"

VM=vd$(printf '%s' "$LAB" | cksum | cut -c1-6) # no other lab has a machine of this name
VICTIM=node3 # in a trial: where the machine runs
RESULTS=$(mktemp)

# ---- what is looked at

diagnose() { lab status || :; } # the logs of a dozen failures would bury the table

token() { in_node "$ASK" corosync-cmapctl -g runtime.config.totem.token | sed 's/.*= //'; }
token_is_below() { [ "$(token)" -lt "$1" ]; }
copies() { pgrep -fc "guest=$VM," || :; }
is_off() { [ "$(lab power status "$1")" = "$1 off" ]; }
vm_runs() { vm_is "$VM" "" Started; }
journal_of() { in_node "$1" vrms events --json "${@:2}"; } # NODE OPTIONS...
rings_since() { # WALL_MS: "milliseconds members" of each ring that a survivor saw since then
	journal_of "$ASK" --since 5min | jq -r --argjson t "$1" 'select(.event == "ring") |
		((.wall[0:19] + "Z" | fromdate) * 1000 + (.wall[20:23] | tonumber) - $t) as $ms |
		select($ms >= 0) | "\($ms) \(.members | length)"'
}
said_by_verdict() { # WALL_MS: the last of the agent's words in the logs of the survivors
	local since
	since=$(date -d "@$(($1 / 1000))" '+%b %d %H:%M:%S')
	cat "$DIR"/nodes/*/var/log/pacemaker/pacemaker.log | sed -n '/fence_vrms_verdict *\[.*warning: off/p' |
		awk -v s="$since" 'substr($0, 1, 15) >= s' | sort | tail -n 1 | sed 's/.*warning: off [^:]*: //'
}
pid_in() { in_node "$1" pgrep -x "$2" | head -n 1; } # NODE PROGRAM

fences() { # how many there were; Pacemaker's own history keeps the last one of a node only
	cat "$DIR"/nodes/*/var/log/pacemaker/pacemaker.log |
		sed -n "s/.*Operation '[a-z]*' targeting .* OK (complete) | id=\([0-9a-f]*\).*/\1/p" |
		sort -u | wc -l
}

# Two copies of one machine at any moment, stopped processes included.
watch_copies() {
	local count
	while sleep 0.05; do
		count=$(copies)
		[ "$count" -le 1 ] || echo "$(now_ms) $count" >>"$1"
	done
}

# ---- one failure: what was done, what followed

recover() {
	local node
	VICTIM=node3 ASK=node1
	lab heal >/dev/null 2>&1 || :
	for node in node1 node2 node3; do
		lab thaw "$node" >/dev/null 2>&1 || :
		! is_off "$node" || lab power on "$node"
	done
	online 90
	for ASK in node1 node2 node3; do
		! in_node "$ASK" crm_mon -1 >/dev/null 2>&1 || break
	done
	wait_until 90 "$VM runs" vm_runs
	VICTIM=$(vm_node "$VM")
	ASK=$(node_of_others "$VICTIM")
}

# trial NAME FENCE_EXPECTED(yes|no|any) WAIT_SECONDS COMMAND...: does it, waits, tells.
trial() {
	local name=$1 expected=$2 patience=$3 start before after ring double fenced
	shift 3
	recover
	double=$(mktemp)
	watch_copies "$double" &
	local watcher=$!
	# shellcheck disable=SC2064
	trap "kill $watcher 2>/dev/null || :" EXIT
	before=$(fences)
	start=$(now_ms)
	"$@"
	sleep "$patience"
	after=$(fences)
	kill "$watcher"
	ring=$(rings_since "$start" | head -n 1)
	fenced=$((after - before))
	printf '%-44s token %5s ms  ring after %6s ms  fences %s  %s\n' "$name" "$(token)" \
		"${ring%% *}" "$fenced" "$(said_by_verdict "$start" | cut -c1-60)" | tee -a "$RESULTS"
	[ ! -s "$double" ] || fail "two copies of $VM: $(head -n 1 "$double")"
	rm -f "$double"
	case $expected in
	yes) [ "$fenced" -ge 1 ] || fail "$name: not fenced" ;;
	no) same "$name: fences" 0 "$fenced" ;;
	esac
}

freeze_for() { lab freeze "$VICTIM"; sleep "$1"; lab thaw "$VICTIM" 2>/dev/null || :; }
partition_for() { lab partition "$VICTIM"; sleep "$1"; lab heal; }
stall() { # PROGRAM SECONDS
	local pid
	pid=$(pid_in "$VICTIM" "$1")
	in_node "$VICTIM" sh -c "kill -STOP $pid; sleep $2; kill -CONT $pid"
}
stop_beats() { in_node "$VICTIM" pkill -STOP -x vrmsd; }
both_gone() { stop_beats; lab partition "$VICTIM"; }
one_way() { # the victim does not hear one node; everybody else hears everybody
	local deaf=${ASK#node}
	in_node "$VICTIM" sh -c "nft add table inet t && nft add chain inet t in '{ type filter hook input priority 0; }' &&
		nft add rule inet t in ip saddr '{ 10.77.0.$deaf, 10.77.1.$deaf }' drop"
	sleep "$1"
	in_node "$VICTIM" nft delete table inet t 2>/dev/null || :
}
power_off() { lab power off "$VICTIM"; }
kill_in_victim() { in_node "$VICTIM" pkill -KILL -o -x "$1"; }
no_area_no_power() {
	: >"$SAN/beat/area"
	# Pacemaker must be able to start the device without an area, or its level would fail.
	in_node "$ASK" fence_vrms_verdict -o monitor -d /srv/beat/area || fail "its monitor fails"
	power_off
}
start_vrmsd() { in_node "$1" sh -c 'pgrep -x vrmsd >/dev/null || setsid vrmsd -c /etc/corosync/vrmsd.conf </dev/null >/dev/null 2>&1 &'; }

# ---- the table

power_cut() { trial "power cut" yes 8 power_off; }
freeze_short() { trial "freeze of everything, 0.2 s" no 5 freeze_for 0.2; }
freeze_long() { trial "freeze of everything, 15 s" yes 3 freeze_for 15; }
network_short() { trial "network cut 1.2 s, SAN alive" no 8 partition_for 1.2; }
network_long() { trial "network cut 10 s, SAN alive" yes 3 partition_for 10; }
san_silent() {
	trial "beats stop 5 s, network alive" no 5 stop_beats
	in_node "$VICTIM" pkill -CONT -x vrmsd
}
both() { trial "network and SAN cut" yes 10 both_gone; }
corosync_killed() { trial "corosync killed" yes 12 kill_in_victim corosync; }
corosync_stalled() {
	trial "corosync stalled 300 ms" no 4 stall corosync 0.3
	trial "corosync stalled 700 ms" any 6 stall corosync 0.7
	trial "corosync stalled 1500 ms" any 8 stall corosync 1.5
}
vrmsd_killed() {
	trial "vrmsd killed" no 8 kill_in_victim vrmsd
	wait_until 20 "the configured token is back" sh -c "! \"$PROGRAM\" --lab $LAB exec node1 vrms tune status | grep -q '^token.*budget'"
	same "the victim's token" "$(in_node "$VICTIM" corosync-cmapctl -g runtime.config.totem.token | sed 's/.*= //')" "$(token)"
	start_vrmsd "$VICTIM"
}
asymmetric() { trial "asymmetric partition 6 s" any 8 one_way 6; }
area_broken() { trial "beat area unreadable, then a power cut" yes 8 no_area_no_power; }

# The configured token is the tuner's upper bound: what it chooses is short on any machine.
lab_up -n 3 --vrmsd --token 400
lab vm add "$VM"
in_node node1 crm configure location "prefers-$VM" "$VM" 50: "$VICTIM" >/dev/null 2>&1 || :
wait_until 60 "$VM runs" vm_runs
run_case power_cut "a power cut is fenced, the machine runs once"
run_case freeze_short "a short freeze costs nothing"
run_case freeze_long "a long freeze is fenced"
run_case network_short "a short loss of the network costs no reboot"
run_case network_long "a long loss of the network is fenced, at most the grace later"
run_case san_silent "silent beats alone fence nobody"
run_case both "both gone: fenced at once"
run_case corosync_killed "a killed corosync is fenced"
run_case corosync_stalled "stalls of corosync"
run_case vrmsd_killed "a killed vrmsd: the configured token comes back, nobody is fenced"
run_case asymmetric "an asymmetric partition starts no second copy"
run_case area_broken "an unreadable area delays no fence that is needed"
echo "# ---- what was seen"
sed 's/^/# /' "$RESULTS"
rm -f "$RESULTS"
finish
