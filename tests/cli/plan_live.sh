#!/bin/sh
# vrms plan, drain, undrain, rebalance, place on a "running" cluster: the CIB is a file, and
# cibadmin and crmadmin are programs of this test that work on it with the real crm_diff.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu

command -v crm_diff >/dev/null || {
	echo "SKIP: no crm_diff (Debian package pacemaker-cli-utils)"
	exit 77
}
vrms=$(command -v "${VRMS:-./vrms}")
vrms=$(cd "$(dirname "$vrms")" && pwd)/$(basename "$vrms")
work=$(mktemp -d)
[ -n "${KEEP_WORK:-}" ] || trap 'rm -rf "$work"' EXIT
failures=0
export CIB="$work/cib.xml" IDLE="$work/idle" RACE="$work/race" MUTE="$work/mute"

# Moves are obeyed at once by whoever answers the next question: the VM's history follows its
# move constraint, as after a live migration.
mkdir "$work/bin"
cat >"$work/bin/obey.py" <<'END'
import sys
import xml.etree.ElementTree as et

path = sys.argv[1]
tree = et.parse(path)
cib = tree.getroot()
where = {}
for location in cib.iter("rsc_location"):
    if location.get("id").startswith("vrms-move-"):
        where[location.get("rsc")] = location.find("rule/expression").get("value")
for state in cib.iter("node_state"):
    for history in state.iter("lrm_resource"):
        vm = history.get("id")
        if vm in where:
            here = where[vm] == state.get("uname")
            for op in history:
                op.set("rc-code", "0" if here else "7")
if where:
    cib.set("num_updates", str(int(cib.get("num_updates")) + 1))
    tree.write(path)
END
cat >"$work/bin/cibadmin" <<'END'
#!/bin/sh
case $1 in
--query)
	[ -e "$MUTE" ] || python3 "$(dirname "$0")/obey.py" "$CIB"
	cat "$CIB" ;;
--patch)
	cat >"$CIB.patch"
	if [ -e "$RACE" ]; then # somebody else comes first
		rm "$RACE"
		sed -i 's/num_updates="[0-9]*"/num_updates="77"/; s|</constraints>|<rsc_location id="theirs" rsc="vm1" node="n1" score="1"/></constraints>|' "$CIB"
	fi
	want=$(sed -n 's/.*<source \(.*\)\/>/\1/p' "$CIB.patch")
	for part in $want; do
		grep -q "<cib .*$part" "$CIB" || exit 103
	done
	crm_diff -o "$CIB" -p "$CIB.patch" >"$CIB.new" && mv "$CIB.new" "$CIB" ;;
esac
END
cat >"$work/bin/crmadmin" <<'END'
#!/bin/sh
[ -e "$IDLE" ] && echo "Controller on $2 in state S_IDLE: ok" || echo "Controller on $2 in state S_TRANSITION_ENGINE: ok"
END
chmod +x "$work/bin/cibadmin" "$work/bin/crmadmin"
PATH="$work/bin:$PATH"

# make_cib QUORUM: three nodes of 100, six VMs of 20, two on each node.
make_cib() {
	python3 - "$1" >"$CIB" <<'END'
import sys

nodes = ["n1", "n2", "n3"]
print(f'<cib crm_feature_set="3.16.2" validate-with="pacemaker-3.9" admin_epoch="0" epoch="7" num_updates="3" have-quorum="{sys.argv[1]}" dc-uuid="1">')
print("<configuration><crm_config/><nodes>")
for i, node in enumerate(nodes, 1):
    print(f'<node id="{i}" uname="{node}"><utilization id="u{i}"><nvpair id="u{i}-m" name="memory" value="100"/></utilization></node>')
print("</nodes><resources>")
for v in range(1, 7):
    print(f'<primitive id="vm{v}" class="ocf" provider="vrms" type="VirtualMachine"><meta_attributes id="vm{v}-meta"><nvpair id="vm{v}-live" name="allow-migrate" value="true"/></meta_attributes><utilization id="vm{v}-u"><nvpair id="vm{v}-m" name="memory" value="20"/></utilization></primitive>')
print("</resources><constraints></constraints></configuration><status>")
for i, node in enumerate(nodes, 1):
    print(f'<node_state id="{i}" uname="{node}" crmd="online" in_ccm="true" join="member"><lrm id="{i}"><lrm_resources>')
    for v in range(1, 7):
        rc = 0 if (v - 1) // 2 + 1 == i else 7
        print(f'<lrm_resource id="vm{v}" class="ocf" provider="vrms" type="VirtualMachine"><lrm_rsc_op id="vm{v}_last_0" operation="monitor" call-id="{v}" rc-code="{rc}" op-status="0"/></lrm_resource>')
    print("</lrm_resources></lrm></node_state>")
print("</status></cib>")
END
	rm -f "$RACE" "$MUTE"
	: >"$IDLE"
}

# expect STATUS WORD... -- COMMAND...
expect() {
	status=$1
	shift
	: >"$work/words"
	while [ "$1" != -- ]; do
		printf '%s\n' "$1" >>"$work/words"
		shift
	done
	shift
	got=0
	"$@" >"$work/output" 2>&1 || got=$?
	if [ "$got" != "$status" ]; then
		echo "FAILED: $*: exit $got, not $status"
		cat "$work/output"
		failures=$((failures + 1))
	fi
	while read -r word; do
		grep -qF -- "$word" "$work/output" || {
			echo "FAILED: $*: no '$word' in:"
			cat "$work/output"
			failures=$((failures + 1))
		}
	done <"$work/words"
}
# cib_has COUNT PATTERN
cib_has() {
	count=$(grep -o -- "$2" "$CIB" | wc -l)
	[ "$count" = "$1" ] || {
		echo "FAILED: the CIB has '$2' $count times, not $1"
		failures=$((failures + 1))
	}
}

make_cib 1
expect 0 'Survives the loss of any 1 node' -- "$vrms" plan
cp "$CIB" "$work/untouched.xml"
expect 0 'Would be written' 'rsc_location id="vrms-plan-' -- "$vrms" plan --apply --dry-run
cmp "$CIB" "$work/untouched.xml" || failures=$((failures + 1))
expect 0 'Written to the CIB' -- "$vrms" plan --apply
cib_has 1 'epoch="8"'
cib_has 1 'value="utilization"'
cp "$CIB" "$work/applied.xml"
expect 0 'nothing is written' -- "$vrms" plan --apply
cmp "$CIB" "$work/applied.xml" || failures=$((failures + 1))
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
cp "$CIB" "$work/drained.xml"
expect 0 -- "$vrms" drain n1
cmp "$CIB" "$work/drained.xml" || failures=$((failures + 1))
expect 0 'leaves standby' -- "$vrms" undrain n1
cib_has 0 standby
expect 0 'is not in standby' -- "$vrms" undrain n1
expect 0 -- "$vrms" rebalance --dry-run
expect 0 'rebalance vm' -- "$vrms" rebalance
cib_has 0 vrms-move-
cp "$CIB" "$work/level.xml"
expect 0 -- "$vrms" rebalance
cmp "$CIB" "$work/level.xml" || failures=$((failures + 1))
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
sed -i 's|</constraints>|<rsc_location id="vrms-move-vm1" rsc="vm1"><rule id="r" score="INFINITY"><expression id="e" attribute="#uname" operation="eq" value="n1"/><date_expression id="d" operation="lt" end="2999-01-01T00:00:00Z"/></rule></rsc_location></constraints>|' "$CIB"
expect 1 'being moved already' -- "$vrms" drain n2
expect 0 'being moved' -- "$vrms" plan --keep
expect 0 -- "$vrms" plan --clear
cib_has 0 vrms-move-

# Combinations that mean nothing.
expect 1 'one of --apply' -- "$vrms" plan --apply --clear
expect 1 'not with --state' -- "$vrms" plan --apply --state "$CIB"
expect 1 '--dry-run is for' -- "$vrms" plan --dry-run
expect 1 '--timeout' -- "$vrms" drain n1 --timeout soon

[ "$failures" -eq 0 ] || exit 1
echo "all as expected"
