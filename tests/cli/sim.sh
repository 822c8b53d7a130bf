#!/bin/sh
# vrms-sim on the command line: what it prints, how it ends, that it does so twice alike.
# Environment: srcdir, and the build folder as the present one (from make).
# SPDX-License-Identifier: GPL-2.0-or-later
set -u

sim=./vrms-sim
example=$srcdir/doc/examples/sim/three-nodes.sim
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
passed=0

check() { # what, command...
	what=$1
	shift
	if "$@" >"$work/out" 2>"$work/err"; then
		passed=$((passed + 1))
	else
		echo "FAILED: $what"
		cat "$work/out" "$work/err"
		failed=$((failed + 1))
	fi
}

ends() { # status, command...
	wanted=$1
	shift
	"$@" >"$work/out" 2>"$work/err"
	status=$?
	[ "$status" = "$wanted" ] || { echo "status $status instead of $wanted"; return 1; }
}

says() { # status, pattern, command...
	pattern=$2
	wanted=$1
	shift 2
	ends "$wanted" "$@" || return 1
	grep -q -- "$pattern" "$work/err" || { echo "not said: $pattern"; cat "$work/err"; return 1; }
}

same() {
	"$sim" run "$example" --json="$work/$1.json" --html "$work/$1.html" >"$work/$1.txt"
}

twice() {
	same one && same two && cmp "$work/one.json" "$work/two.json" &&
		cmp "$work/one.html" "$work/two.html" && cmp "$work/one.txt" "$work/two.txt"
}

scenario() { # text; leaves it in $work/s.sim
	printf "$1" >"$work/s.sim"
}

check "the example runs" ends 0 "$sim" run "$example"
check "one seed, one output" twice
check "which does not tell how long it took" grep -q '"wall_s": null' "$work/one.json"
check "unless asked" ends 0 "$sim" run "$example" --timing --json="$work/timed.json" --quiet
check "then it does" grep -q '"wall_s": [0-9]' "$work/timed.json"
check "json says what it must" "$sim" run "$example" --quiet \
	--assert 'detect.count >= 2' --assert 'detect.p99_ms > 0' --assert 'recover.max_ms > 0' \
	--assert 'fence.count >= 1' --assert 'fence.needless == 1' \
	--assert 'fence.needless_per_node_year > 0' --assert 'vm.lost_s > 0' \
	--assert 'vm.availability < 1' --assert 'migrations >= 1' \
	--assert 'balance.max_over_mean >= 1' --assert 'balance.jain <= 1' \
	--assert 'balance.cv >= 0' --assert 'balance.gap >= 0' --assert 'violations == 0' \
	--assert 'events > 0' --assert 'sim_s > 3600' --assert 'wall_s >= 0' --assert 'seed == 1'
check "json splits each failure that was noticed" test "$(tr -d ' \n' <"$work/one.json" |
	grep -o '"node":"node[0-9]*","fault":"[a-z]*","detect_ms":[0-9.]*,"decide_ms":[0-9.]*,"fence_ms":[0-9.]*,"start_ms":[0-9.]*,' |
	wc -l)" = 2
check "a broken assertion ends with 3 and says the value" \
	says 3 'detect.p50_ms < 1, it is [0-9]' "$sim" run "$example" --assert 'detect.p50_ms < 1' \
	--junit "$work/junit.xml"
check "junit counts it" grep -q 'failures="1"' "$work/junit.xml"
check "an unknown figure is a usage error" says 2 'no figure "nonsense"' \
	"$sim" run "$example" --assert 'nonsense < 1'
check "a crooked assertion is one too" says 2 'is not FIGURE' "$sim" run "$example" --assert 'x'

scenario '[cluster]\ntoken = soon\n'
check "a bad value is named with its line" says 1 "s.sim:2: token: " "$sim" run "$work/s.sim"
scenario '[cluster]\n\ntoke = 3s\n'
check "so is an unknown key" says 1 's.sim:3: there is no "toke"' "$sim" run "$work/s.sim"
scenario '[clutter]\n'
check "and an unknown section" says 1 's.sim:1: there is no section' "$sim" run "$work/s.sim"
scenario '[faults]\n10s crash node9\n'
check "and an unknown node" says 1 's.sim:2: there is no node "node9"' "$sim" run "$work/s.sim"
check "a missing file is said" says 1 'nowhere' "$sim" run "$work/nowhere"
check "no file is a usage error" says 2 'needs a file' "$sim" run
check "so is an unknown command" says 2 'no command "fly"' "$sim" fly

printf 'time_s,node,event\n1,a,down\n2,b,sideways\n3,a,up\n' >"$work/t.csv"
check "a broken line of a trace is named" says 1 't.csv:3: "sideways"' "$sim" run "$work/t.csv"
check "or skipped and counted" "$sim" run "$work/t.csv" --skip-bad --assert 'skipped_lines == 1' \
	--assert 'nodes == 1'
printf 'node,down_s,up_s,cause\na,100,200,x\nb,150,150,y\nc,1e3,,z\n' >"$work/o.csv"
check "outages are read" "$sim" run "$work/o.csv" --assert 'failures == 3' --assert 'nodes == 3'
printf '1\t1\tn1\t1\thost1\t0\t1000000000.5\t1000000900\t0\n2\t1\tn1\t1\thost1\t1\t1000000900\t1000009999\t0\n' \
	>"$work/event_trace.tab"
check "a Failure Trace Archive file is read" "$sim" run "$work/event_trace.tab" \
	--assert 'failures == 1' --assert 'sim_s < 10000'
record() { # system, node, from, to
	echo "$1,cluster,16,64,4,$2,$2,5-Apr,5-Jun,current,part,80,1,1,0,compute,$3,$4,6,,\"Disk, SCSI\",,,,,No"
}
{
	printf 'System,machine type,nodes,procstot,procsinnode,nodenum,nodenumz,node install,node prod,node decom,fru type,mem,'
	echo 'cputype,memtype,num intercon,purpose,Prob Started,Prob Fixed,Down Time,Facilities,Hardware,Human Error,Network,Undetermined,Software,Same Event'
	record 16 0 "2/28/2004 23:50" "3/1/2004 0:10" # a leap year: a day and 20 minutes
	record 16 11 "3/1/2004 0:00" ""
	record 16 0 "3/2/2004 0:00" "3/2/2004 1:00"
} >"$work/lanl.csv"
check "records of LANL are read as they were published" "$sim" run "$work/lanl.csv" --html "$work/lanl.html" \
	--assert 'failures == 3' --assert 'nodes == 2' --assert 'sim_s > 173400' --assert 'sim_s < 180000'
check "by system and node" grep -q 's16n11' "$work/lanl.html"
check "and to the minute, over a 29th of February" grep -q '87000.000 s: down of s16n11' "$work/lanl.html"
record 2 1 "3/1/2004 0:00" "3/1/2004 0:10" >>"$work/lanl.csv"
check "of one system only" says 1 'lanl.csv:5: system 2, ' "$sim" run "$work/lanl.csv"
record 16 1 "13/1/2004 0:00" "" >>"$work/lanl.csv"
check "and what is no time is skipped or named" "$sim" run "$work/lanl.csv" --skip-bad --assert 'skipped_lines == 2'

lab=$srcdir/doc/examples/sim/lab.sim
check "calibrate needs a lab or its samples" says 2 'needs --lab, or --samples' "$sim" calibrate "$lab"
printf 'round,fault,step,vm,ms\n' >"$work/lab.csv"
for round in 1 2 3 4 5 6; do # the membership, and a start that takes this machine a second and a half
	start=1500 # and much longer once
	[ $round != 3 ] || start=9000
	printf "$round,power-cut,membership,0,2110\n$round,power-cut,scheduler,0,2200\n$round,power-cut,fenced,0,2300\n" >>"$work/lab.csv"
	printf "$round,power-cut,start-ordered,3,2310\n$round,power-cut,vm-running,3,$((2310 + start))\n" >>"$work/lab.csv"
	printf "$round,freeze,membership,0,2110\n$round,freeze,scheduler,0,2200\n$round,freeze,fenced,0,3100,3.5\n" >>"$work/lab.csv"
	printf "$round,qemu-kill,noticed,1,20\n$round,qemu-kill,scheduler,1,90\n$round,qemu-kill,start-ordered,1,200\n$round,qemu-kill,vm-running,1,$((start - 100))\n" >>"$work/lab.csv"
done
check "a model that does not know the machine is outside" ends 3 "$sim" calibrate "$lab" --samples "$work/lab.csv"
check "one that has learned it is not" "$sim" calibrate "$lab" --samples "$work/lab.csv" --fit "$work/lab.calibration"
{ cat "$lab"; printf '\n[files]\ncalibration = lab.calibration\n'; } >"$work/fitted.sim"
check "it has learned that a host that runs takes a switch longer" grep -qx 'power_off = 800ms' "$work/lab.calibration"
check "and a scenario can name what was learned" "$sim" calibrate "$work/fitted.sim" --samples "$work/lab.csv"
echo 'x,power-cut,membership,0,1' >>"$work/lab.csv"
check "a bad sample is named with its line" says 1 'lab.csv:74: ' "$sim" calibrate "$lab" --samples "$work/lab.csv"

# A start that needs 380 ms, and 410 times the wait of a woken thread: 0.1 ms in one round, 1.5 in the next.
starts() { # file, with the waits?
	printf 'round,fault,step,vm,ms,load,wait_us\n' >"$1"
	for round in 1 2 3 4 5 6; do
		took=421 wait=,9,100
		[ $((round % 2)) = 1 ] || { took=995 wait=,9,1500; }
		[ "$2" = yes ] || wait=
		printf "$round,qemu-kill,%s$wait\n" noticed,1,20 scheduler,1,90 start-ordered,1,200 \
			vm-running,1,$((200 + took)) >>"$1"
	done
}
starts "$work/busy.csv" yes
check "a start on a busy machine is foretold from a quiet one's" "$sim" calibrate "$lab" --samples "$work/busy.csv" --fit "$work/busy"
check "for what the load added is not learned" grep -qx 'start = 380ms' "$work/busy"
starts "$work/blind.csv" no
check "without the waits it is not" ends 3 "$sim" calibrate "$lab" --samples "$work/blind.csv" --fit "$work/blind"

decide() { # transition-delay, assertion: from the membership to the fence, if it were always found syncing
	"$sim" run "$lab" "$recorded" --set pacemaker.sync_retry_pct=100 --set pacemaker.transition_delay="$1" --assert "$2"
}
recorded=$srcdir/doc/examples/sim/recorded.jsonl
check "without transition-delay the controller sleeps" decide 0 'split.decide.p50_ms > 900'
check "with it it does not" decide 50ms 'split.decide.max_ms < 200'

# Load over time: two VMs on one node are busy in turn, and a third is never.
printf 'vm,t0,t300,t600\na,100,0,0\nb,0,100,0\nc,0,0,0\n' >"$work/load.csv"
check "load traces make VMs and their demand" "$sim" run "$work/load.csv" --nodes 1 \
	--set host.cores=4 --set vm.cores=2 --duration 600s --assert 'vms == 3' --assert 'load.looks == 3' \
	--assert 'load.peak == 0.5' --assert 'load.mean > 0.33' --assert 'load.mean < 0.34' --assert 'load.overloaded == 0'
check "demand beyond the cores is overload" "$sim" run "$work/load.csv" --nodes 1 \
	--set host.cores=1 --set vm.cores=2 --duration 600s --assert 'load.peak == 2' \
	--assert 'load.overloaded > 0.6'
printf '[cluster]\nnodes = 3\ntoken = 1s\n[vm]\ncores = 2\n[host]\nboot = 1h\n[faults]\n400s down node2\n' >"$work/s.sim"
check "and level what a failure has left" "$sim" run "$work/s.sim" "$work/load.csv" \
	--assert 'balance.count == 1' --assert 'balance.max_over_mean == 2'
printf 'vm,t0,t300\na,1,2\nb,1,much\nc,1,2,3\nd,3,4\n' >"$work/load.csv"
check "a bad load is named with its line" says 1 'load.csv:3: "much" is not a number' "$sim" run "$work/load.csv"
check "or skipped and counted" "$sim" run "$work/load.csv" --skip-bad --assert 'skipped_lines == 2'
printf 'end_s,vm,duration_s,cpu_mhz\n300,7,300,1300\n600,7,300,2600\n' >"$work/mhz.csv"
check "MHz without a machine are said" says 1 'mhz.csv:2: the capacity of "7"' "$sim" run "$work/mhz.csv"
printf 'vm,vcpu,cpu_capacity_mhz,mem_kb,start_s,stop_s\n7,1,2600,1048576,0,9\n' >"$work/vms.csv"
check "with one they are read" "$sim" run "$work/vms.csv" "$work/mhz.csv" --nodes 1 --duration 600s \
	--set host.cores=1 --assert 'load.peak == 1' --assert 'vms == 1'
check "published failure data are presets" "$sim" run /dev/null --nodes 16 --vms 32 \
	--set generate.preset=lanl16 --duration 8766h --set cluster.token=1s --assert 'failures > 300' \
	--assert 'failures < 700'

# Two nodes' journals of half a minute in the lab: node2 was frozen and fenced, node3's power was cut.
# The rings without them came 2.2 and 2.3 s after their last beats.
recorded=$srcdir/doc/examples/sim/recorded.jsonl
check "what vrmsd has recorded is run" "$sim" run "$recorded" --assert 'nodes == 3' --assert 'vms == 6' \
	--assert 'failures == 2' --assert 'detect.count == 2' --assert 'detect.p50_ms > 1900' \
	--assert 'detect.max_ms < 2400' --assert 'fence.count == 2' --assert 'fence.needless == 0' \
	--assert 'violations == 0' --json="$work/recorded.json" --html "$work/recorded.html"
check "and asserted to be faster it fails" says 3 'detect.max_ms < 1000, it is' \
	"$sim" run "$recorded" --assert 'detect.max_ms < 1000'
check "a scenario says what a journal does not" "$sim" run "$srcdir/doc/examples/sim/lab.sim" "$recorded" \
	--assert 'detect.count == 2' --assert 'split.fence.max_ms < 100'
journal='"v":1,"mono_ms":1,"node":"a","event"'
printf '{%s:"attached","wall":"2026-01-01T00:00:00.000Z","id":1,"name":"a","configured_ms":1000}\n{%s:"x","wall":"noon"}\n' \
	"$journal" "$journal" >"$work/j.jsonl"
check "a broken line of a journal is named" says 1 'j.jsonl:2: "noon" is not a time' "$sim" run "$work/j.jsonl"
check "or skipped and counted" "$sim" run "$work/j.jsonl" --skip-bad --assert 'skipped_lines == 1'
# b is lost twice without losing a beat (the network), then frozen, then leaves; b has an announced load.
{
	line() { # second, event and its fields
		printf '{"v":1,"seq":0,"mono_ms":1,"wall":"2026-01-01T00:%02d:%02d.000Z","node":"%s",%s}\n' \
			$(($1 / 60)) $(($1 % 60)) "$2" "$3"
	}
	line 0 a '"event":"attached","id":1,"name":"a","configured_ms":1000'
	line 0 b '"event":"attached","id":2,"name":"b","configured_ms":1000'
	line 0 c '"event":"attached","id":3,"name":"c","configured_ms":1000'
	line 60 a '"event":"member","id":2,"name":"b","reason":"MEMBER_LOST"'
	line 70 a '"event":"member","id":2,"name":"b","reason":"MEMBER_BACK_SAME_BOOT","away_ms":10000'
	line 200 a '"event":"beat","id":2,"name":"b","state":"silent","unchanged_ms":600'
	line 202 a '"event":"member","id":2,"name":"b","reason":"MEMBER_LOST"'
	line 203 a '"event":"beat","id":2,"name":"b","state":"fresh","unchanged_ms":1'
	line 204 a '"event":"member","id":2,"name":"b","reason":"MEMBER_BACK_SAME_BOOT","away_ms":2000'
	line 300 b '"event":"load","for_ms":60000,"what":"backup"'
	line 400 a '"event":"member","id":2,"name":"b","reason":"MEMBER_LEFT"'
	line 500 a '"event":"member","id":2,"name":"b","reason":"MEMBER_JOINED"'
} >"$work/j.jsonl"
"$sim" run "$work/j.jsonl" --html "$work/j.html" --quiet
check "a cut of the network is told from a freeze" grep -q '57.800 s: isolate of b' "$work/j.html"
check "and that from its last beat on" grep -q '199.400 s: freeze of b' "$work/j.html"

mkdir "$work/pve"
echo '{"node1":{"power":"on"},"node2":{"power":"on"},"node3":{"power":"on"}}' \
	>"$work/pve/hardware_status"
echo '{"vm:101":{"node":"node1","state":"started"},"vm:102":{"node":"node3","state":"started"}}' \
	>"$work/pve/service_config"
echo '[["power node1 on"],["network node3 off"],["service vm:101 migrate node2"]]' \
	>"$work/pve/cmdlist"
check "a folder of the Proxmox HA simulator is run" "$sim" run "$work/pve" \
	--assert 'fence.count == 1' --assert 'migrations == 1' --assert 'recover.count == 1'
# Rules: vm:101 likes node1 best, then node2, where vm:102 runs that must not be with it and may not
# go to node1; vm:103 and vm:104 go together; vm:105 stays where it has gone.
mkdir "$work/rules"
cp "$work/pve/hardware_status" "$work/rules/"
cat >"$work/rules/service_config" <<'END'
{"vm:101":{"node":"node1","state":"started"},"vm:102":{"node":"node2","state":"started"},
 "vm:103":{"node":"node3","state":"started"},"vm:104":{"node":"node3","state":"started"},
 "vm:105":{"node":"node1","state":"started","failback":"0"}}
END
echo '[["power node1 off"],["power node1 on"],["delay 200"],["power node3 off"]]' >"$work/rules/cmdlist"
cat >"$work/rules/rules_config" <<'END'
# the home of one
node-affinity: home
	resources vm:101
	nodes node1:2,node2

node-affinity: only
	nodes node2,node3
	strict 1
	resources vm:102
resource-affinity: two
	resources vm:103,vm:104
	affinity positive

resource-affinity: apart
	resources vm:101,vm:102
	affinity negative

node-affinity: weak
	resources vm:105
	nodes node1

node-affinity: off
	resources vm:103
	nodes node1
	disable
END
check "rules of Proxmox are read" "$sim" run "$work/rules" --assert 'migrations == 1' --assert 'violations == 0'
cp "$work/out" "$work/rules.txt"
for step in 'start begun vm:101 node3' 'migrated vm:101 node1'; do
	check "and kept: $step" grep -q "$step" "$work/rules.txt"
done
check "and those that go together do" test "$(sed -n 's/.*start begun vm:10[34] //p' "$work/rules.txt" | uniq -c | sed 's/ *\([0-9]*\) .*/\1/')" = 2
! command -v crm_simulate >/dev/null ||
	check "also by Pacemaker, whose names have no colons" ends 0 "$sim" run "$work/rules" --policy pacemaker
sed -i 's/strict 1/strength 1/' "$work/rules/rules_config"
check "a rule that is not understood is named with its line" says 1 'rules_config:8: "strength 1"' "$sim" run "$work/rules"
check "or skipped and counted" "$sim" run "$work/rules" --skip-bad --assert 'skipped_lines == 1'
echo '[["power node1 on"],["dance node2"]]' >"$work/pve/cmdlist"
check "what it does not understand is named" says 1 'round 2, command 1' "$sim" run "$work/pve"

rules=$srcdir/doc/examples/sim/rules.sim
check "rules stand in scenarios as well" "$sim" run "$rules" --assert 'violations == 0' --assert 'migrations == 3'
cp "$work/out" "$work/rules.txt"
for step in 'start begun vm1 node4' 'start begun vm3 node1' 'start begun vm4 node1' 'start begun vm5 node2' \
	'start begun vm6 node4' 'migrated vm6 node2'; do
	check "and are kept: $step" grep -q "$step" "$work/rules.txt"
done
sed 's/^vms = vm3 vm4/vms = vm3 vm9/' "$rules" >"$work/s.sim"
check "a rule of an unknown VM is named where it begins" says 1 's.sim:48: there is no VM "vm9"' "$sim" run "$work/s.sim"
sed 's/^nodes = node3/nodes = node3:high/' "$rules" >"$work/s.sim"
check "so is a bad priority" says 1 's.sim:62: the priority of node3: "high"' "$sim" run "$work/s.sim"
sed 's/^kind = together/kind = close/' "$rules" >"$work/s.sim"
check "and a bad kind with its line" says 1 's.sim:49: kind: "close" is none of prefer' "$sim" run "$work/s.sim"
# 16 GiB take a second and a half at least; the target of the second migration leaves before it begins.
scenario '[cluster]\nnodes = 3\n[pacemaker]\nmigration_limit = 1\n[vm]\nmemory = 16GiB\n[vm a]\nhost = node1\n[vm b]\nhost = node1\n[faults]\n10s vm-migrate a node3\n11s vm-stop a\n'
check "a VM that is not wanted any more when it has moved is stopped" "$sim" run "$work/s.sim" \
	--assert 'migrations == 1' --assert 'rules.left-up == 0' --assert 'violations == 0'
sed -i 's/^11s .*/10s vm-migrate b node3\n12s standby node3/' "$work/s.sim"
check "and a migration does not begin when its target has left" "$sim" run "$work/s.sim" --assert 'migrations == 2'

cat >"$work/corosync.conf" <<'END'
totem {
	version: 2
	token: 1500
	token_coefficient: 0
	interface {
		linknumber: 0
	}
}
nodelist {
	node {
		ring0_addr: 10.0.0.1
		ring1_addr: 10.0.1.1
		nodeid: 1
	}
}
quorum {
	provider: corosync_votequorum
	last_man_standing: 1
	device {
		model: net
		net {
			algorithm: ffsplit
		}
	}
}
END
cat >"$work/cib.xml" <<'END'
<cib><configuration>
<crm_config><cluster_property_set id="o">
<nvpair id="o1" name="no-quorum-policy" value="freeze"/>
<nvpair id="o2" name="batch-limit" value="7"/>
<nvpair id="o3" name="load-threshold" value="70%"/>
<nvpair id="o4" name="transition-delay" value="50ms"/>
</cluster_property_set></crm_config>
<nodes>
<node id="1" uname="alpha"><utilization id="u1"><nvpair id="u1m" name="hv_memory" value="65536"/><nvpair id="u1c" name="cpu" value="24"/></utilization></node>
<node id="2" uname="beta"><utilization id="u2"><nvpair id="u2m" name="hv_memory" value="65536"/><nvpair id="u2c" name="cpu" value="24"/></utilization></node>
</nodes>
<resources>
<primitive id="ipmi-alpha" class="stonith" type="fence_ipmilan"><instance_attributes id="i1"><nvpair id="i1d" name="pcmk_delay_base" value="3s"/></instance_attributes></primitive>
<primitive id="ipmi-beta" class="stonith" type="fence_ipmilan"/>
<primitive id="pdu" class="stonith" type="fence_apc"/>
<primitive id="web" class="ocf" provider="heartbeat" type="VirtualDomain">
<operations><op id="m" name="monitor" interval="20s"/><op id="s" name="start" interval="0" timeout="120s"/></operations>
<utilization id="w1"><nvpair id="w1m" name="hv_memory" value="8192"/><nvpair id="w1c" name="cpu" value="4"/></utilization></primitive>
<primitive id="db" class="ocf" provider="vrms" type="VirtualMachine"/>
<primitive id="spare" class="ocf" provider="vrms" type="VirtualMachine"/>
</resources>
<constraints>
<rsc_location id="home" rsc="web" node="beta" score="500"/>
<rsc_location id="no" rsc="db" node="alpha" score="-INFINITY"/>
<rsc_colocation id="apart" rsc="db" with-rsc="spare" score="-INFINITY"/>
<rsc_colocation id="soft" rsc="web" with-rsc="spare" score="-100"/>
</constraints>
<fencing-topology><fencing-level id="l" index="2" target="alpha" devices="pdu"/></fencing-topology>
<rsc_defaults><meta_attributes id="d"><nvpair id="d1" name="migration-threshold" value="5"/><nvpair id="d2" name="resource-stickiness" value="100"/></meta_attributes></rsc_defaults>
</configuration>
<status>
<node_state id="1" uname="alpha" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="1"><lrm_resources>
<lrm_resource id="web" class="ocf" provider="heartbeat" type="VirtualDomain"><lrm_rsc_op id="web_last_0" operation="start" operation_key="web_start_0" call-id="3" rc-code="0" op-status="0" interval="0"/></lrm_resource>
</lrm_resources></lrm></node_state>
<node_state id="2" uname="beta" in_ccm="true" crmd="online" join="member" expected="member"/>
</status></cib>
END
check "a real cluster becomes a scenario" "$sim" scenario --from-cib "$work/cib.xml" \
	--corosync-conf "$work/corosync.conf" --output "$work/real.sim"
for line in "token = 1500ms" "token_coefficient = 0" "links = 2" "last_man_standing = yes" \
	"qdevice = ffsplit" "no_quorum_policy = freeze" "batch_limit = 7" "load_threshold = 70" "transition_delay = 50ms" \
	"migration_threshold = 5" "monitor_interval = 20s" "start_timeout = 120s" "kind = ipmi" \
	"delay = 3s" "level = 2" "host = alpha" "memory = 8589934592" "cores = 24" \
	"\[rule prefer-web\]" "nodes = beta:499" "\[rule only-db\]" "nodes = beta:0" "\[rule apart-1\]" "vms = db spare"; do
	check "with $line" grep -qx "$line" "$work/real.sim"
done
check "one device for the same of each node" test "$(grep -c '^\[device' "$work/real.sim")" = 2
check "which runs" "$sim" run "$work/real.sim" --assert 'nodes == 2' --assert 'vms == 3' --assert 'violations == 0'
check "what holds a VM where it is more than it likes another node" sh -c "sed 's/name=\"resource-stickiness\" value=\"100\"/name=\"resource-stickiness\" value=\"900\"/' \
	'$work/cib.xml' >'$work/sticky.xml' && $sim scenario --from-cib '$work/sticky.xml' | grep -qx 'stays = yes'"
sed -i 's/token: 1500/token: soon/' "$work/corosync.conf"
check "a bad value of corosync.conf is named with its line" says 1 'corosync.conf:3: token: ' \
	"$sim" scenario --corosync-conf "$work/corosync.conf"
echo '}' >>"$work/corosync.conf"
sed -i 's/token: soon/token: 99/' "$work/corosync.conf"
check "so is a brace too many" says 1 'without a section' "$sim" scenario --corosync-conf "$work/corosync.conf"

stalls=$srcdir/doc/examples/sim/stalls.sim
check "an unknown policy is a usage error" says 2 'neither model nor pacemaker' \
	"$sim" run "$example" --policy dice
mkdir "$work/empty"
check "without crm_simulate its package is named" says 1 'pacemaker-cli-utils' \
	env PATH="$work/empty" "$sim" run "$example" --policy pacemaker
grid() {
	"$sim" sweep "$stalls" --duration 500h --grid cluster.token=300ms,2s \
		--grid vrmsd.enabled=no,yes --json="$work/$1.json" --svg "$work/$1.svg" >"$work/$1.txt"
}
grids() {
	grid one && grid two && cmp "$work/one.json" "$work/two.json" && cmp "$work/one.txt" "$work/two.txt"
}
check "a sweep gives the same rows whatever core is first" grids
check "it has a row for each combination" test "$(grep -c '^token=' "$work/one.txt")" = 4
check "and draws them" grep -q '<circle' "$work/one.svg"
check "fence devices and the number of nodes may be on the grid" ends 0 "$sim" sweep "$example" \
	--grid device.bmc.time=1s,9s --grid cluster.nodes=3,6 --json="$work/fence.json"
check "and change what comes out" test "$(grep availability "$work/fence.json" | sort -u | wc -l)" = 4
check "a device that is not there is said" says 1 'there is no device "ups"' \
	"$sim" sweep "$example" --grid device.ups.time=1s
check "a grid without a setting is a usage error" says 2 'not section.key' \
	"$sim" sweep "$stalls" --grid token
check "so is none" says 2 'at least one --grid' "$sim" sweep "$stalls"
check "a value outside its limits is said" says 1 'outside its limits' \
	"$sim" sweep "$stalls" --grid cluster.token=1us

"$sim" settings >"$work/settings.sim"
check "the printed settings are a scenario" "$sim" run "$work/settings.sim"
for page in vrms-sim-scenario.5; do
	for key in $(sed -n 's/^\([a-z_]*\) = .*/\1/p' "$work/settings.sim" | sort -u); do
		check "$page names $key" grep -q "$key" "$srcdir/simulator/$page"
	done
	for fault in $(sed -n 's/^# 10s \([a-z-]*\) .*/\1/p' "$work/settings.sim"); do
		check "$page names $fault" grep -q -- "$fault" "$srcdir/simulator/$page"
	done
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
