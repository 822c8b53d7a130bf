#!/bin/bash
# ocf:vrms:Drbd under Pacemaker with the fence-peer handlers of drbd-utils: a real cluster, the real
# handlers and agent; only the kernel's DRBD is made up (drbd-tool.sh).
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
. "${srcdir:-.}/tests/lab/lib.sh"

for handler in crm-fence-peer.9.sh crm-unfence-peer.9.sh; do
	[ -x /usr/lib/drbd/$handler ] || skip_all "no /usr/lib/drbd/$handler (Debian package: drbd-utils)"
done
TOOL=$(cd "$(dirname "$0")" && pwd)/drbd-tool.sh

promoted() { # the node, or nothing
	in_node "$ASK" crm_mon --one-shot --output-as=xml |
		sed -n '/<resource id="disk"/,/<\/resource>/{/role="\(Promoted\|Master\)"/,/<\/resource>/s/.*<node name="\([^"]*\)".*/\1/p}' | head -n 1
}
any_promoted() { [ -n "$(promoted)" ]; }
is_promoted() { [ "$(promoted)" = "$1" ]; }
runs_unpromoted() {
	in_node "$ASK" crm_mon --one-shot --output-as=xml |
		sed -n '/<resource id="disk"/,/<\/resource>/p' | tr -d '\n' | sed 's/<\/resource>/&\n/g' |
		grep 'role="\(Unpromoted\|Slave\)"' | grep -q "<node name=\"$1\""
}
score() { in_node "$ASK" crm_attribute --promotion=disk --node "$1" --lifetime reboot --query --quiet 2>/dev/null || echo none; }
score_is() { [ "$(score "$1")" = "$2" ]; }
constraint() { in_node "$ASK" cibadmin --query --scope constraints | grep -A3 'id="drbd-fence-by-handler' || :; }
other() { [ "$1" = node1 ] && echo node2 || echo node1; }
tool() { in_node "$1" drbdadm "$2" r0; } # NODE VERB
settle() { in_node "$ASK" crm_resource --wait --timeout 60s; }

# The peers are connected again and NODE has caught up: what DRBD's after-resync-target handler does.
resync() { # NODE
	echo up >"$SAN/drbd/link"
	rm -f "$SAN"/drbd/node?.knows
	tool "$1" unfence-peer || fail "crm-unfence-peer on $1: $?"
	same "constraints of the handler" "" "$(constraint)"
}

dress() { # NODE: the made-up DRBD over the programs of drbd-utils
	in_node "$1" mount --bind /srv/drbd/tool /usr/sbin/drbdadm
	in_node "$1" mount --bind /srv/drbd/tool /usr/sbin/drbdsetup
	in_node "$1" mount --bind /srv/drbd/Drbd /usr/lib/ocf/resource.d/vrms/Drbd
}

set_up() {
	local node
	mkdir -p "$SAN/drbd"
	install -m 755 "$TOOL" "$SAN/drbd/tool"
	install -m 755 "$(find "$VRMS_LAB_STAGE" -path '*/resource.d/vrms/Drbd' -type f)" "$SAN/drbd/real"
	printf '#!/bin/sh\nVRMS_PROC_DRBD=/srv/drbd/proc exec /srv/drbd/real "$@"\n' >"$SAN/drbd/Drbd"
	chmod 755 "$SAN/drbd/Drbd"
	echo "version: 9.2.16 (api:2/proto:118-123)" >"$SAN/drbd/proc"
	echo up >"$SAN/drbd/link"
	for node in node1 node2; do
		dress $node
	done
	# At once: an instance that started on node3 for a moment would fail there.
	cat >"$SAN/drbd/crm" <<-'EOF'
		primitive disk ocf:vrms:Drbd params drbd_resource=r0 wfc_timeout=2 \
			op monitor interval=3s role=Unpromoted timeout=20s op monitor interval=2s role=Promoted timeout=20s
		clone disks disk meta promotable=true notify=true clone-max=2 interleave=true
		location disks-not-on-node3 disks -inf: node3
	EOF
	in_node node1 crm configure load update /srv/drbd/crm
	for node in node1 node2; do
		wait_until 60 "the score of $node is 10000" score_is $node 10000
	done
	wait_until 60 "one node is promoted" any_promoted
	settle
	same "constraints of the handler" "" "$(constraint)"
}

# The replication link is lost, the nodes see each other: the handler keeps the peer from promotion.
case_link_lost() {
	local primary peer
	primary=$(promoted)
	peer=$(other "$primary")
	ASK=$primary
	echo down >"$SAN/drbd/link"
	tool "$primary" fence-peer || [ $? = 4 ] || fail "the handler: $(tail -n 1 "$SAN/drbd/handlers")"
	same "the handler's answer" "$primary: 4" "$(tail -n 1 "$SAN/drbd/handlers")"
	say "$(constraint | tr -s ' \n' ' ')"
	contains "the constraint" "$(constraint)" 'id="drbd-fence-by-handler-r0-disks"'
	contains "the constraint" "$(constraint)" "operation=\"ne\" value=\"$primary\""
	wait_until 30 "$primary without a peer: its score" score_is "$primary" 10000
	wait_until 30 "$peer, whose data may be old: its score" score_is "$peer" 1000
	same "promoted" "$primary" "$(promoted)"
	in_node "$ASK" crm node standby "$primary"
	wait_until 60 "$primary is not promoted any more" is_promoted ""
	sleep 5 # two monitors, and what Pacemaker would make of them
	same "promoted although it must not be" "" "$(promoted)"
	runs_unpromoted "$peer" || fail "$peer does not run"
	in_node "$ASK" crm node online "$primary"
	wait_until 60 "$primary, which the constraint names, is promoted again" is_promoted "$primary"
}

# The link is back and the peer has caught up: after-resync-target takes the constraint away.
case_resynced() {
	local primary peer
	primary=$(promoted)
	peer=$(other "$primary")
	ASK=$primary
	resync "$peer"
	wait_until 30 "the score of $peer is 10000" score_is "$peer" 10000
	in_node "$ASK" crm node standby "$primary"
	wait_until 60 "$peer is promoted now" is_promoted "$peer"
	in_node "$ASK" crm node online "$primary"
	wait_until 60 "$primary follows" runs_unpromoted "$primary"
	# It was away when its peer was promoted: the handler was asked then, too.
	contains "the constraint" "$(constraint)" "operation=\"ne\" value=\"$peer\""
	resync "$primary"
}

# The promoted node dies: it is fenced, and the survivor's promotion asks the handler.
case_power_cut() {
	local primary peer
	settle
	primary=$(promoted)
	peer=$(other "$primary")
	ASK=$peer
	lab power off "$primary"
	rm -f "$SAN/drbd/$primary.role"
	wait_until 90 "$peer is promoted" is_promoted "$peer"
	same "the handler's answer: the peer was fenced" "$peer: 7" "$(tail -n 1 "$SAN/drbd/handlers")"
	contains "the constraint" "$(constraint)" "operation=\"ne\" value=\"$peer\""
}

lab_up --no-libvirt --token 1000
run_case set_up "a promotable clone of ocf:vrms:Drbd: one node is promoted"
run_case case_link_lost "crm-fence-peer: the peer is not promoted while the link is lost"
run_case case_resynced "crm-unfence-peer: the peer may be promoted again"
run_case case_power_cut "a power cut: the survivor is promoted, the handler says that the peer is fenced"
finish
