#!/bin/sh
# vrms plan, drain, undrain, rebalance on a "running" cluster: the CIB is a file, patched by the
# real cibadmin, and before each question Pacemaker's real scheduler does what the CIB asks for.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
. "${srcdir:-.}/tests/cli/lib.sh"

needs "crm_diff crm_simulate cibadmin" "pacemaker pacemaker-cli-utils"
vrms=$(command -v "${VRMS:-./vrms}")
vrms=$(cd "$(dirname "$vrms")" && pwd)/$(basename "$vrms")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CIB_shadow_dir="$work" CIB="$work/cib.xml" IDLE="$work/idle" RACE="$work/race" MUTE="$work/mute" HANG="$work/hang"

mkdir "$work/bin"
cat >"$work/bin/cibadmin" <<END
#!/bin/sh
case \$1 in
--query)
	[ -e "$MUTE" ] || crm_simulate -x "$CIB" -X >"$work/simulated" 2>&1
	cat "$CIB" ;;
--patch)
	cat >"$CIB.patch"
	if [ -e "$RACE" ]; then # somebody else comes first
		rm "$RACE"
		CIB_file="$CIB" $(command -v cibadmin) --create --scope constraints --xml-text \
			'<rsc_location id="theirs" rsc="vm1" node="n1" score="1"/>'
	fi
	CIB_file="$CIB" $(command -v cibadmin) --patch -x "$CIB.patch" ;;
esac
END
cat >"$work/bin/crmadmin" <<'END'
#!/bin/sh
[ ! -e "$HANG" ] || {
	echo $$ >"$HANG"
	exec sleep 60
}
[ -e "$IDLE" ] && echo "Controller on $2 in state S_IDLE: ok" || echo "Controller on $2 in state S_TRANSITION_ENGINE: ok"
END
chmod +x "$work/bin/cibadmin" "$work/bin/crmadmin"
PATH="$work/bin:$PATH"

# make_cib QUORUM: three nodes of 100, six VMs of 20, two on each node.
make_cib() {
	python3 - "$1" >"$CIB" <<'END'
import sys

nodes = ["n1", "n2", "n3"]
key = "11111111-2222-3333-4444-555555555555"
print(f'<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.7" admin_epoch="0" epoch="7" num_updates="3" have-quorum="{sys.argv[1]}" dc-uuid="1">')
print('<configuration><crm_config><cluster_property_set id="p"><nvpair id="p-s" name="stonith-enabled" value="false"/></cluster_property_set></crm_config><nodes>')
for i, node in enumerate(nodes, 1):
    print(f'<node id="{i}" uname="{node}"><utilization id="u{i}"><nvpair id="u{i}-m" name="memory" value="100"/></utilization></node>')
print("</nodes><resources>")
for v in range(1, 7):
    print(f'<primitive id="vm{v}" class="ocf" provider="vrms" type="VirtualMachine"><meta_attributes id="vm{v}-meta"><nvpair id="vm{v}-live" name="allow-migrate" value="true"/></meta_attributes><utilization id="vm{v}-u"><nvpair id="vm{v}-m" name="memory" value="20"/></utilization></primitive>')
print('</resources><constraints></constraints><rsc_defaults><meta_attributes id="d"><nvpair id="d-s" name="resource-stickiness" value="100"/></meta_attributes></rsc_defaults></configuration><status>')
for i, node in enumerate(nodes, 1):
    print(f'<node_state id="{i}" uname="{node}" crmd="online" in_ccm="true" join="member" expected="member"><lrm id="{i}"><lrm_resources>')
    for v in range(1, 7):
        rc, op = (0, "start") if (v - 1) // 2 + 1 == i else (7, "monitor")
        print(f'<lrm_resource id="vm{v}" class="ocf" provider="vrms" type="VirtualMachine"><lrm_rsc_op id="vm{v}_last_0" operation_key="vm{v}_{op}_0" operation="{op}" crm_feature_set="3.16.1" transition-key="1:1:{rc}:{key}" transition-magic="0:{rc};1:1:{rc}:{key}" on_node="{node}" call-id="{v}" rc-code="{rc}" op-status="0" interval="0" op-digest="f2317cad3d54cec5d7d7aa7d0bf35cf8"/></lrm_resource>')
    print("</lrm_resources></lrm></node_state>")
print("</status></cib>")
END
	rm -f "$RACE" "$MUTE"
	: >"$IDLE"
}

epoch() { sed -n 's/^<cib .* epoch="\([0-9]*\)".*/\1/p' "$CIB"; }
unchanged() { # WHAT EPOCH: nobody has changed the configuration since
	[ "$(epoch)" = "$2" ] || {
		echo "FAILED: $1: epoch $(epoch) instead of $2"
		failures=$((failures + 1))
	}
}
# cib_has COUNT PATTERN
cib_has() {
	count=$(grep -o -- "$2" "$CIB" | wc -l)
	[ "$count" = "$1" ] || {
		echo "FAILED: the CIB has '$2' $count times, not $1, after:"
		cat "$work/output"
		failures=$((failures + 1))
	}
}

make_cib 1
expect 0 'Survives the loss of any 1 node' -- "$vrms" plan
at=$(epoch)
expect 0 'Would be written' 'rsc_location id="vrms-plan-' -- "$vrms" plan --apply --dry-run
unchanged "--dry-run" "$at"
expect 0 'Written to the CIB' -- "$vrms" plan --apply
[ "$(epoch)" -gt "$at" ] || failures=$((failures + 1))
cib_has 1 'value="utilization"'
at=$(epoch)
expect 0 'nothing is written' -- "$vrms" plan --apply
unchanged "a second --apply" "$at"
expect 0 '"changed": false' -- "$vrms" plan --apply --json
expect 0 '"state":"good"' '"survives":1' -- "$vrms" plan --keep
expect 2 -- "$vrms" plan --apply --survive 2

# Exit 2, and written all the same: the best there is.
cib_has 1 'obj_ref id="vrms-plan-n1-rank1"'

# Without quorum, and while somebody else is at work.
make_cib 0
expect 1 'no quorum' -- "$vrms" plan --apply
expect 1 'no quorum' -- "$vrms" drain n1
expect 0 '"state":"frozen"' 'no quorum' -- "$vrms" plan --keep
cib_has 0 vrms-
make_cib 1
: >"$RACE"
expect 0 'Written to the CIB' -- "$vrms" plan --apply
cib_has 1 'id="theirs"'
cib_has 1 'vrms-plan-tag'

# The keeper waits until nothing goes on.
make_cib 1
rm "$IDLE"
expect 0 '"state":"frozen"' 'not idle' -- "$vrms" plan --keep
: >"$IDLE"
expect 0 '"state":"stale"' 'no lists yet' -- "$vrms" plan --keep --dry-run
cib_has 0 vrms-
expect 0 '"state":"written"' -- "$vrms" plan --keep
expect 0 '"state":"good"' -- "$vrms" plan --keep

# Drain, twice, and back.
expect 0 'drain vm1: n1 -> ' 'drain vm2: n1 -> ' -- "$vrms" drain n1
cib_has 0 vrms-move-
cib_has 1 'name="standby" value="on"'
at=$(epoch)
expect 0 -- "$vrms" drain n1
unchanged "a second drain" "$at"
expect 0 'leaves standby' -- "$vrms" undrain n1
cib_has 0 standby
expect 0 'is not in standby' -- "$vrms" undrain n1
expect 0 -- "$vrms" rebalance --dry-run
expect 0 'rebalance vm' -- "$vrms" rebalance
cib_has 0 vrms-move-
at=$(epoch)
expect 0 -- "$vrms" rebalance
unchanged "a second rebalance" "$at"
expect 1 "unknown node 'oak'" -- "$vrms" drain oak
expect 0 -- "$vrms" plan --clear
cib_has 0 'vrms-plan-n'

# Pacemaker does otherwise: the constraints are out again and the node is open.
make_cib 1
: >"$MUTE"
expect 1 'Pacemaker is idle and has not done all moves' -- "$vrms" drain n2
cib_has 0 vrms-move-
cib_has 0 standby

# Stopped half-way: likewise.
make_cib 1
: >"$MUTE"
rm "$IDLE"
: >"$IDLE"
timeout --signal=TERM 3 "$vrms" drain n2 >"$work/output" 2>&1 && failures=$((failures + 1))
grep -q interrupted "$work/output" || {
	echo "FAILED: no word of the interruption"
	cat "$work/output"
	failures=$((failures + 1))
}
cib_has 0 vrms-move-

# Moves of somebody else that have not expired.
make_cib 1
sed -i 's|</constraints>|<rsc_location id="vrms-move-vm1" rsc="vm1"><rule id="rr" score="INFINITY"><expression id="ee" attribute="#uname" operation="eq" value="n1"/><date_expression id="dd" operation="lt" end="2999-01-01T00:00:00Z"/></rule></rsc_location></constraints>|' "$CIB"
expect 1 'being moved already' -- "$vrms" drain n2
expect 0 'being moved' -- "$vrms" plan --keep
expect 0 -- "$vrms" plan --clear
cib_has 0 vrms-move-

# VMs that nothing holds where they are moved to.
make_cib 1
sed -i 's/name="resource-stickiness" value="100"/name="resource-stickiness" value="0"/' "$CIB"
expect 1 'would go back to' -- "$vrms" drain n2
cib_has 0 vrms-move-

# Ended while crmadmin hangs, as vrmsd does at a change of the membership: nothing stays behind.
make_cib 1
: >"$HANG"
"$vrms" plan --keep --dry-run >"$work/output" 2>&1 &
for _ in $(seq 100); do
	[ ! -s "$HANG" ] || break
	sleep 0.1
done
kill $!
wait $! && failures=$((failures + 1))
sleep 0.2
case $(ps -o stat= -p "$(cat "$HANG")") in
"" | Z*) ;; # gone, or not buried yet
*)
	echo "FAILED: crmadmin outlives who has asked it"
	kill "$(cat "$HANG")"
	failures=$((failures + 1))
	;;
esac
[ -s "$HANG" ] || failures=$((failures + 1))
rm "$HANG"

# Combinations that mean nothing.
expect 1 'one of --apply' -- "$vrms" plan --apply --clear
expect 1 'not with --state' -- "$vrms" plan --apply --state "$CIB"
expect 1 '--dry-run is for' -- "$vrms" plan --dry-run
expect 1 '--timeout' -- "$vrms" drain n1 --timeout soon

[ "$failures" -eq 0 ] || exit 1
echo "all as expected"
