# target.sh - a real iSCSI target (tgtd) in namespaces of this script's own, and the SAN's programs
# with it; what scsi.sh and the benchmark share.  No cluster, no lab.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

# A pid namespace too: however this ends, nothing of it stays.
if [ "${VRMS_SCSI_NAMESPACE:-}" != yes ] && [ "$(id -u)" = 0 ]; then
	exec env VRMS_SCSI_NAMESPACE=yes unshare --net --uts --mount --pid --mount-proc --kill-child --fork -- "$0" "$@"
fi
. "${srcdir:-.}/tests/lab/lib.sh"

for program in tgtd tgtadm qemu-io; do
	type "$program" >/dev/null 2>&1 || skip_all "$program is not installed (Debian packages: tgt qemu-utils)"
done
AGENT=$(find "$VRMS_LAB_STAGE" -type f -name fence_vrms_scsi -perm -u+x | head -n 1)
GUEST=$(find "$VRMS_LAB_STAGE" -type f -name iscsi-guest.so | head -n 1)
LUN_AGENT=$(find "$VRMS_LAB_STAGE" -type f -name SanLun -perm -u+x | head -n 1)
[ -n "$AGENT" ] && [ -n "$GUEST" ] && [ -n "$LUN_AGENT" ] || { echo "no fence_vrms_scsi, SanLun or iscsi-guest.so under $VRMS_LAB_STAGE"; exit 99; }
qemu-io --image-opts driver=iscsi,transport=tcp,portal=127.0.0.1:1,target=x,lun=1 2>&1 |
	grep -q "Unknown driver\|unknown driver" && skip_all "QEMU has no iscsi:// (Debian package: qemu-block-extra)"

work=$(mktemp -d)
export TGT_IPC_SOCKET=$work/tgtd
export PCMK_logfacility=none
hostname node2 # of the new uts namespace: who fences
mount -t tmpfs none /run # of this mount namespace: the agents' state
ip link set lo up
ip address add 127.0.0.2/8 dev lo 2>/dev/null || :

# Also within a case, whose process group ends with it.  tgtd hears no SIGTERM while it has targets.
stop_target() {
	local pid
	[ -e "$work/tgtd.pid" ] || return 0
	pid=$(cat "$work/tgtd.pid")
	rm "$work/tgtd.pid"
	kill -KILL "$pid" 2>/dev/null || :
	while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
}
diagnose() { tail -n 5 "$work/tgtd.log" | sed 's/^/# tgtd: /'; }
trap 'stop_target; rm -rf "$work"' EXIT

adm() { tgtadm -C 0 --lld iscsi "$@"; }
T=iqn.2026-01.local.test
start_target() {
	local tid lun
	stop_target
	setsid sh -c 'echo $$ >"$1/tgtd.pid"; exec tgtd -f -C 0 --iscsi portal=127.0.0.1:3260,portal=127.0.0.2:3260 >"$1/tgtd.log" 2>&1' \
		tgtd "$work" &
	disown
	QUIET=1 wait_until 20 "tgtd answers" adm --mode sys --op show
	for tid in 1 2 3; do
		adm --mode target --op new --tid $tid -T $T:t$tid
		adm --mode target --op bind --tid $tid -I ALL
	done
	for lun in 1 2 3; do
		truncate -s 16M "$work/$lun.img"
		adm --mode logicalunit --op new --tid 1 --lun $lun -b "$work/$lun.img"
	done
	truncate -s 16M "$work/cd.img" "$work/chap.img"
	adm --mode logicalunit --op new --tid 2 --lun 1 --device-type cd -b "$work/cd.img"
	adm --mode logicalunit --op new --tid 3 --lun 1 -b "$work/chap.img"
	adm --mode account --op new --user vrms --password "not-a-secret-12"
	adm --mode account --op bind --tid 3 --user vrms
}

LUN1=iscsi://127.0.0.1/$T:t1/1
LUNS="$LUN1|iscsi://127.0.0.2/$T:t1/1 iscsi://127.0.0.1/$T:t1/2 iscsi://127.0.0.1/$T:t1/3"
# fence ACTION NODE [OPTION...]: exit code in $rc, words in $words, time in $took
fence() {
	local start action=$1 node=$2
	shift 2
	start=$(now_ms)
	rc=0
	words=$("$AGENT" -o "$action" -n "$node" --luns "$LUNS" --cluster lab --nodes "node1:1 node2:2 node3:3" \
		--key-file "$work/$node.key" -v "$@" 2>&1) || rc=$?
	# shellcheck disable=SC2034 # for the caller
	took=$(($(now_ms) - start))
	printf '%s\n' "$words" | sed 's/^/#   /'
}
io() { # NODE WHAT...: as QEMU on that node would
	local node=$1
	shift
	VRMS_SAN_KEY_FILE=$work/$node.key LD_PRELOAD=$GUEST qemu-io --image-opts \
		"driver=iscsi,transport=tcp,portal=127.0.0.1:3260,target=$T:t1,lun=1,initiator-name=iqn.2026-01.local.vrms:$node" \
		"${@/#/-c}" 2>&1
}

# lun ACTION [PARAM=VALUE...]: ocf:vrms:SanLun on this node; exit code in $rc, words in $words
lun() {
	local action=$1
	shift
	rc=0
	words=$(env OCF_ROOT=/usr/lib/ocf OCF_RA_VERSION_MAJOR=1 OCF_RESOURCE_INSTANCE=check-scsi \
		OCF_RESKEY_publish=false "OCF_RESKEY_luns=$LUNS" OCF_RESKEY_cluster=lab \
		"OCF_RESKEY_nodes=node1:1 node2:2 node3:3" "OCF_RESKEY_key_file=$work/lun.key" \
		OCF_RESKEY_portal_timeout=1s "${@/#/OCF_RESKEY_}" "$LUN_AGENT" "$action" 2>&1) || rc=$?
	[ -z "$words" ] || printf '%s\n' "$words" | sed 's/^/#   /'
}
