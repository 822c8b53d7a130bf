#!/bin/bash
# drbd-tool.sh - drbdsetup and drbdadm of DRBD 9 for a resource "r0" that is made up: two nodes,
# node1 and node2, whose state is files in /srv/drbd, which all nodes of a lab share.
#   NODE.role Primary|Secondary, NODE.disk UpToDate|Outdated; both are there while it is up on NODE
#   link      up|down: the replication network
#   handlers  what the fence-peer handler has answered, a line each
# As DRBD does with "fencing resource-and-stonith", it does not promote past an unknown peer before the
# handler has said that the peer is fenced.
# SPDX-License-Identifier: GPL-2.0-or-later
state=/srv/drbd
me=$(uname -n)
case $me in
node1) peer=node2 ;;
*) peer=node1 ;;
esac
id=${me#node} peer_id=${peer#node}

of() { cat "$state/$1" 2>/dev/null; }
put() { printf '%s\n' "$2" >"$state/$1"; }
is_up() { [ -e "$state/$1.role" ]; }
is_connected() { is_up "$peer" && [ "$(of link)" = up ]; }

events() {
	local connection=Connecting role=Unknown disk=DUnknown replication=Off
	if is_up "$me"; then
		if is_connected; then
			connection=Connected role=$(of "$peer.role") disk=$(of "$peer.disk") replication=Established
		elif [ "$(of "$me.knows")" = Outdated ]; then
			disk=Outdated
		fi
		echo "exists resource name:r0 role:$(of "$me.role") suspended:no force-io-failures:no may_promote:no promotion_score:10101"
		echo "exists connection name:r0 peer-node-id:$peer_id conn-name:$peer connection:$connection role:$role"
		echo "exists device name:r0 volume:0 minor:0 backing_dev:/dev/vdb disk:$(of "$me.disk") client:no quorum:yes"
		echo "exists peer-device name:r0 peer-node-id:$peer_id conn-name:$peer volume:0 replication:$replication peer-disk:$disk peer-client:no resync-suspended:no"
	fi
	echo "exists -"
}

# handler WORDS...: one of drbd-utils' own, with the variables that drbdadm gives it; traced, because
# it would else speak to a syslog that is not there
handler() {
	env DRBD_RESOURCE=r0 DRBD_VOLUME=0 DRBD_MINOR=0 DRBD_MY_NODE_ID="$id" DRBD_PEER_NODE_ID="$peer_id" \
		DRBD_NODE_ID_1=node1 DRBD_NODE_ID_2=node2 UP_TO_DATE_NODES="0x$((1 << id))" HOSTNAME="$me" \
		bash -x "$@" >"$state/$me.trace" 2>&1
}
fence_peer() {
	local rc=0
	handler /usr/lib/drbd/crm-fence-peer.9.sh --timeout 20 --dc-timeout 10 || rc=$?
	echo "$me: $rc" >>"$state/handlers"
	case $rc in
	3 | 4 | 7) put "$me.knows" Outdated ;;
	esac
	return $rc
}

promote() {
	[ "$(of "$me.disk")" = UpToDate ] || { echo "State change failed: (-2) Need access to UpToDate data" >&2; return 17; }
	if is_connected; then
		[ "$(of "$peer.role")" != Primary ] || { echo "State change failed: (-1) Multiple primaries not allowed" >&2; return 11; }
	elif [ "$(of "$me.knows")" != Outdated ]; then
		fence_peer
		[ "$(of "$me.knows")" = Outdated ] || { echo "State change failed: (-7) Refusing to be Primary while peer is not outdated" >&2; return 17; }
	fi
	put "$me.role" Primary
}

case $1 in
--version) printf 'DRBDADM_API_VERSION=2\nDRBD_KERNEL_VERSION_CODE=0x090210\nDRBDADM_VERSION=9.22.0\n' ;;
sh-dev) echo /dev/drbd0 ;;
sh-minor) echo 0 ;;
events2) events ;;
adjust | up)
	is_up "$me" || put "$me.role" Secondary
	[ -e "$state/$me.disk" ] || put "$me.disk" UpToDate
	;;
down) rm -f "$state/$me.role" ;;
primary) promote ;;
secondary) put "$me.role" Secondary ;;
fence-peer) fence_peer ;;
unfence-peer) handler /usr/lib/drbd/crm-unfence-peer.9.sh ;;
*) echo "$0: $1 is not made up" >&2; exit 20 ;;
esac
