#!/bin/bash
# san.sh - what a look at the storage and a fence there cost, beside what can run of fence_scsi here.
# usage: san.sh   (set by "make bench": VRMS_LAB_STAGE)
#
# There is no SCSI device on a machine without a kernel initiator, so fence_scsi cannot fence here.
# What it costs without its disks can be measured: its own start (metadata), and a whole off with a
# sg_persist that answers at once and reaches no disk.  Ours is one process, and its disks are there.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
srcdir=$(cd "$(dirname "$0")/../.." && pwd)
export srcdir
. "$srcdir/tests/lab/target.sh"

TIMEFORMAT='%R %U %S'
ROUNDS=20
# measure WHAT ROUNDS COMMAND...: milliseconds of time and CPU of one call
measure() {
	local what=$1 rounds=$2 i times
	shift 2
	times=$({ time for ((i = 0; i < rounds; i++)); do "$@" >/dev/null 2>&1; done; } 2>&1)
	printf '%s\n' "$times" | awk -v what="$what" -v n="$rounds" \
		'{ printf "%-56s %8.1f ms %8.1f ms CPU\n", what, $1 * 1000 / n, ($2 + $3) * 1000 / n }'
}
ours() { "$AGENT" -o "$1" -n "$2" --luns "$LUNS" --cluster lab --nodes "node1:1 node2:2" --key-file "$work/key" "${@:3}"; }
off_and_on() { ours on node1 && ours off node1 --settle 0; }

start_target
ours on node1 >/dev/null
measure "fence_vrms_scsi off + on, 3 LUNs, proof included" $ROUNDS off_and_on
measure "fence_vrms_scsi off of an absent key, 3 LUNs" $ROUNDS ours off node1 --settle 0
measure "fence_vrms_scsi monitor, 3 LUNs, 4 portals" $ROUNDS ours monitor node1
if type fence_scsi >/dev/null 2>&1; then
	measure "fence_scsi: start only (metadata), no LUN touched" 5 fence_scsi -o metadata
	unshare --mount "$srcdir/tests/bench/fence_scsi_off.sh" 5
fi
lun start >/dev/null
measure "ocf:vrms:SanLun monitor, 3 LUNs, 4 portals" $ROUNDS lun monitor

# From the order to the first refused write of a guest that writes all the time.
hostname node1
ours on node1 >/dev/null # writes node1's keys for its guests
hostname node2
{
	for ((i = 0; i < 20000; i++)); do echo "write -q 0 4k"; done
} >"$work/writes"
VRMS_SAN_KEY_FILE=$work/key LD_PRELOAD=$GUEST qemu-io --image-opts \
	"driver=iscsi,transport=tcp,portal=127.0.0.1:3260,target=$T:t1,lun=1,initiator-name=iqn.2026-01.local.vrms:node1" \
	<"$work/writes" 2>&1 | while read -r line; do
	case $line in *failed*) now_ms; break ;; esac
done >"$work/refused" &
sleep 0.5
ordered=$(now_ms)
ours off node1 >/dev/null
done_at=$(now_ms)
wait_until 30 "a write is refused" test -s "$work/refused" >/dev/null
printf '%-56s %8d ms\n' "from the order to the first refused write" $(($(cat "$work/refused") - ordered)) \
	"from the order to the proof (settle 500 ms, tgt)" $((done_at - ordered))
stop_target
rm -rf "$work"
trap - EXIT
