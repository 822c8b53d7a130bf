#!/bin/bash
# verdict.sh - what becomes of nodes and machines with vrmsd: each failure, one by one.
#
# The step of a clock is what corosync, Pacemaker and vrmsd of one node see of it, by a preloaded
# library: time namespaces do not cover CLOCK_REALTIME, and the kernel's clock is everybody's.
# SPDX-License-Identifier: GPL-2.0-or-later
. "$(dirname "$0")/lib.sh"

VM=vd$(printf '%s' "$LAB" | cksum | cut -c1-6) # no other lab has a machine of this name
VICTIM=node3                                   # in a trial: where the machine runs
NODES="node1 node2 node3"
RESULTS=$(mktemp)
NEEDLESS=$(mktemp) # fences of nodes that lived and would have come back
# The configured token is the tuner's upper bound: what is lost, is lost after 2.2 times as long.
TOKEN_MS=600
BACK_S=1.9 # lost by then, and back within the grace of 2 s

# ---- what is looked at

diagnose() { # the logs of a dozen failures would bury the table
	local node
	lab status || :
	for node in $NODES; do
		echo "# --- $node"
		in_node "$node" vrms events --since 1min 2>&1 | grep -v ' need ' | tail -n 40 | sed 's/^/# /'
	done
}

token() { in_node "$ASK" corosync-cmapctl -g runtime.config.totem.token | sed 's/.*= //'; }
copies() { pgrep -fc "guest=$VM," || :; }
is_off() { [ "$(lab power status "$1")" = "$1 off" ]; }
vm_runs() { vm_is "$VM" "" Started; }
pid_in() { in_node "$1" pgrep -x "$2" | head -n 1; } # NODE PROGRAM

# journal_since WALL_MS FILTER: of all survivors, in the order of time; each line has .ms since then.
journal_since() {
	local node
	for node in $NODES; do
		[ "$node" = "$VICTIM" ] || in_node "$node" vrms events --json --since 5min || :
	done | jq -rs --argjson t "$1" 'map(. + {ms:
		(((.wall[0:19] + "Z" | fromdate) * 1000 + (.wall[20:23] | tonumber)) - $t)}) |
		map(select(.ms >= 0)) | sort_by(.ms) | .[] | '"$2"
}
lost_ms() { # WALL_MS: until the first ring without the victim
	journal_since "$1" 'select(.event == "ring" and (.members | length) < 3) | .ms' | head -n 1
}
reformed() { # WALL_MS: rings with nobody missing, as one survivor counts
	journal_since "$1" "select(.event == \"ring\" and (.members | length) == 3 and .node == \"$ASK\") | .ms" | wc -l
}
fenced_ms() { # WALL_MS
	journal_since "$1" 'select(.event == "fence" and .state == "fenced") | .ms' | head -n 1
}
is_fenced_since() { [ -n "$(fenced_ms "$1")" ]; }
asked_ms() { # WALL_MS: when the second opinion was first asked for
	journal_since "$1" 'select(.event == "verdict" and .state == "asked") | .ms' | head -n 1
}
course_of() { # WALL_MS: rings, opinions and fences, one a line
	journal_since "$1" 'select(.event == "ring" or .event == "fence" or
		(.event == "verdict" and .state != "seen")) |
		"\(.ms) ms \(.node): \(.event) \(.state // .members) \(.target // "") \(.text // "")"'
}
verdict_since() { # WALL_MS: the first decision
	journal_since "$1" 'select(.event == "verdict" and (.state == "done" or .state == "refused")) |
		"\(.state) after \(.after_ms) ms: \(.text)"' | head -n 1
}
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

# Nothing has happened to the ring for a while.  Where that does not come about the machine stalls.
is_settled() {
	in_node "$ASK" vrms status --json | jq -e '(.members | map(select(.token_ms)) | length) == 3 and .ring_age_ms > 2500'
}

recover() {
	local node
	VICTIM=node3 ASK=node1
	lab heal >/dev/null 2>&1 || :
	for node in $NODES; do
		lab thaw "$node" >/dev/null 2>&1 || :
		! is_off "$node" || lab power on "$node"
	done
	online 120
	for ASK in $NODES; do
		! in_node "$ASK" crm_mon -1 >/dev/null 2>&1 || break
	done
	QUIET=1 wait_until 120 "$VM runs" vm_runs
	QUIET=1 wait_until 120 "the ring is at rest and vrmsd runs everywhere" is_settled
	VICTIM=$(vm_node "$VM")
	ASK=$(node_of_others "$VICTIM")
}

# The node has been fenced, or is back and Pacemaker wants nothing more of it.
is_over() { is_fenced_since "$1" || { is_settled && is_idle; }; } # WALL_MS
is_idle() {
	local dc
	dc=$(in_node "$ASK" crmadmin --dc_lookup | grep -oE 'node[0-9]+') && in_node "$ASK" crmadmin --status "$dc" | grep -q S_IDLE
}

has_moved() { vm_runs && [ "$(vm_node "$VM")" != "$VICTIM" ]; }

# trial NAME FENCE_EXPECTED(yes|no|any) WAIT_SECONDS COMMAND...: does it, waits, tells.  What is to be
# fenced is waited for until the machine runs elsewhere.
trial() {
	local name=$1 expected=$2 patience=$3 start before double fenced lost off asked
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
	if [ "$expected" = yes ]; then
		QUIET=1 wait_until 60 "$name: fenced" is_fenced_since "$start"
		QUIET=1 wait_until 60 "$name: $VM runs elsewhere" has_moved
	fi
	sleep "$patience"
	[ "$expected" != any ] || QUIET=1 wait_until 120 "$name: over" is_over "$start"
	kill "$watcher"
	fenced=$(($(fences) - before))
	lost=$(lost_ms "$start") off=$(fenced_ms "$start") asked=$(asked_ms "$start")
	printf '%-38s lost %5s ms  asked %5s ms  fenced %5s ms  fences %s  rings in vain %s  %s\n' "$name" \
		"${lost:--}" "${asked:--}" "${off:--}" "$fenced" \
		"$(reformed "$start")" "$(verdict_since "$start")" | tee -a "$RESULTS"
	# Of which there may be good cause: the node has come and gone meanwhile.
	[ "$expected" = any ] || [ -z "$off" ] || [ $((off - ${asked:-$off})) -le 10000 ] || course_of "$start" | sed 's/^/# slow: /'
	[ ! -s "$double" ] || fail "two copies of $VM: $(head -n 1 "$double")"
	rm -f "$double"
	case $expected in
	yes) [ "$fenced" -ge 1 ] || fail "$name: not fenced" ;;
	no) same "$name: fences" 0 "$fenced" ;;
	any)
		course_of "$start" | sed 's/^/# /'
		[ "$fenced" = 0 ] || echo "$name: $fenced" >>"$NEEDLESS"
		;;
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
start_vrmsd() { # NODE; a case's end kills what it has left behind, so it waits for the daemon
	in_node "$1" sh -c 'pgrep -x vrmsd >/dev/null || setsid vrmsd -c /etc/corosync/vrmsd.conf </dev/null >/dev/null 2>&1 &'
	wait_until 30 "vrmsd of $1 answers" in_node "$1" vrms status
}

# ---- the table

nothing() { trial "nothing is done for 8 s" no 8 true; }
power_cut() { trial "power cut" yes 1 power_off; }
freeze_short() { trial "freeze of everything, 0.2 s" no 5 freeze_for 0.2; }
freeze_long() { trial "freeze of everything, 15 s" yes 1 freeze_for 15; }
network_short() { trial "network cut $BACK_S s, SAN alive" no 6 partition_for $BACK_S; }
network_long() { trial "network cut 10 s, SAN alive" yes 1 partition_for 10; }
san_silent() {
	trial "beats stop 5 s, network alive" no 5 stop_beats
	in_node "$VICTIM" pkill -CONT -x vrmsd
}
both() { trial "network and SAN cut" yes 1 both_gone; }
corosync_killed() { trial "corosync killed" yes 1 kill_in_victim corosync; }
corosync_stalled() {
	trial "corosync stalled 300 ms" no 4 stall corosync 0.3
	trial "corosync stalled 700 ms" any 6 stall corosync 0.7
	trial "corosync stalled 1500 ms" any 6 stall corosync 1.5
}
is_without_budget() { ! in_node "$ASK" vrms tune status | grep -q '^token.*budget'; }
vrmsd_killed() {
	trial "vrmsd killed" no 6 kill_in_victim vrmsd
	wait_until 20 "the configured token is back" is_without_budget
	same "the victim's token" "$(in_node "$VICTIM" corosync-cmapctl -g runtime.config.totem.token | sed 's/.*= //')" "$(token)"
	start_vrmsd "$VICTIM"
}
asymmetric() { trial "asymmetric partition 6 s" any 6 one_way 6; }

set_clock() { printf '%s\n' "$1" | in_node "$VICTIM" tee /run/clock >/dev/null; } # SECONDS_AHEAD
has_none_of() { # NODE PROGRAM...
	local node=$1 program
	shift
	for program; do ! in_node "$node" pgrep -x "$program" || return 1; done
}
# The node's cluster programs, anew and with a wall clock that can be set.
start_with_own_clock() { # NODE
	in_node "$1" timeout 60 pacemakerd --shutdown >/dev/null 2>&1 || in_node "$1" pkill -TERM -x pacemakerd
	wait_until 60 "Pacemaker of $1 is down" has_none_of "$1" pacemakerd
	in_node "$1" pkill -TERM -o -x vrmsd
	in_node "$1" corosync-cfgtool -H
	wait_until 30 "$1 has left" has_none_of "$1" vrmsd corosync
	in_node "$1" sh -c 'export LD_PRELOAD=/srv/clock_step.so CLOCK_STEP=/run/clock \
			PCMK_logfile=/var/log/pacemaker/pacemaker.log PCMK_logfacility=none
		corosync
		setsid vrmsd -c /etc/corosync/vrmsd.conf </dev/null >/dev/null 2>&1 &
		setsid pacemakerd -f </dev/null >/dev/null 2>&1 &'
	online 90
}
ahead_s() { # NODE: by which vrmsd's wall clock is ahead of ours
	local wall
	in_node "$1" vrms announce 1s clock >/dev/null
	wall=$(in_node "$1" vrms events --json | jq -r 'select(.event == "load") | .wall' | tail -n 1)
	echo $(($(date -d "$wall" +%s) - $(date +%s)))
}
is_about() { [ $(($1 - $2)) -ge -30 ] && [ $(($1 - $2)) -le 30 ]; } # SECONDS SECONDS
clock_stepped() {
	local node=node3 ahead
	recover # what the case before has fenced
	${CC:-cc} -shared -fPIC -O2 -D_GNU_SOURCE -o "$SAN/clock_step.so" "${srcdir:-.}/tests/fakes/clock_step.c"
	start_with_own_clock $node
	in_node node1 crm_resource --resource "$VM" --move --node $node >/dev/null 2>&1
	wait_until 90 "$VM is on $node" vm_is "$VM" $node Started
	in_node node1 crm_resource --resource "$VM" --clear >/dev/null
	trial "clock stepped 1 h ahead" no 8 set_clock 3600
	ahead=$(ahead_s $node)
	is_about "$ahead" 3600 || fail "the clock is $ahead s ahead"
	trial "clock stepped 1 h back" no 8 set_clock 0
	ahead=$(ahead_s $node)
	is_about "$ahead" 0 || fail "the clock is $ahead s ahead"
}
area_broken() { trial "beat area unreadable, then a power cut" yes 1 no_area_no_power; }

# "node3: verdict fence" in crmsh are two levels; "verdict,fence" would be one.  With the list of
# hosts that it has here its off finds that out, and without one its status.
level_alone() {
	local hosts asked
	hosts=$(in_node "$ASK" crm_resource --resource verdict --get-parameter pcmk_host_list)
	for asked in off status; do
		recover
		in_node "$ASK" cibadmin --modify --xml-text "<fencing-level id=\"level-$VICTIM-1\" devices=\"verdict\"/>"
		in_node "$ASK" cibadmin --create --scope fencing-topology \
			--xml-text "<fencing-level id=\"second\" target=\"$VICTIM\" index=\"2\" devices=\"fence\"/>"
		[ $asked = off ] || in_node "$ASK" crm_resource --resource verdict --delete-parameter pcmk_host_list
		in_node "$ASK" stonith_admin --fence "$VICTIM" --timeout 60
		is_off "$VICTIM" || fail "it counts as fenced and is on ($asked)"
		in_node "$ASK" cibadmin --delete --xml-text '<fencing-level id="second"/>'
		in_node "$ASK" cibadmin --modify --xml-text "<fencing-level id=\"level-$VICTIM-1\" devices=\"verdict,fence\"/>"
	done
	in_node "$ASK" crm_resource --resource verdict --set-parameter pcmk_host_list --parameter-value "$hosts"
}

# The node whose fencer ran the agent knows all of it; every survivor knows how it ended.
story() {
	local node told='' start
	recover
	start=$(now_ms)
	lab partition "$VICTIM"
	QUIET=1 wait_until 60 "fenced" is_fenced_since "$start"
	for node in $NODES; do
		[ "$node" != "$VICTIM" ] || continue
		in_node "$node" vrms explain fence "$VICTIM" --since $((($(now_ms) - start) / 1000 + 1))s >"$RESULTS.story" || fail "$node knows nothing"
		contains "$node's story" "$(cat "$RESULTS.story")" "left the membership without a word"
		contains "$node's story" "$(cat "$RESULTS.story")" "off by "
		! grep -q 'verdict .*is it to be fenced' "$RESULTS.story" || {
			told=$node
			contains "the verdict" "$(cat "$RESULTS.story")" "its beat moves; it is no member"
			contains "the verdict" "$(cat "$RESULTS.story")" "$(printf '%s' "the beat is fresh but the target did not return in time")"
			sed 's/^/# /' "$RESULTS.story"
		}
	done
	rm -f "$RESULTS.story"
	[ -n "$told" ] || fail "no survivor's flight recorder has the verdict"
}

lab_up -n 3 --vrmsd --token $TOKEN_MS
lab vm add "$VM"
in_node node1 crm configure location "prefers-$VM" "$VM" 50: "$VICTIM" >/dev/null 2>&1 || :
wait_until 60 "$VM runs" vm_runs
run_case nothing "left alone nothing happens"
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
run_case level_alone "alone in its level it does not pass for a fence"
run_case clock_stepped "a step of the wall clock is no event"
run_case story "the flight recorder tells a fence from the first silence to its end"
run_case area_broken "an unreadable area delays no fence that is needed"
echo "# ---- what was seen"
sed 's/^/# /' "$RESULTS"
echo "# ---- fences that were not needed$([ -s "$NEEDLESS" ] || echo ": none")"
sed 's/^/# /' "$NEEDLESS"
rm -f "$RESULTS" "$NEEDLESS"
finish
