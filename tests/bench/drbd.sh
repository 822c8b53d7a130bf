#!/bin/bash
# drbd.sh - what a monitor of a healthy DRBD resource costs: ours beside ocf:linbit:drbd.
# usage: drbd.sh [--rounds N] [--json]   (set by "make bench": VRMS_LAB_STAGE, VRMS_BENCH_DIR)
#
# Both agents are given the same made-up drbd-utils, which cost next to nothing and say what real
# ones said, and run in a mount namespace where there is a /dev/drbd0.  linbit's agent is a copy in
# which /proc/drbd is another file; nothing else is changed.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
: "${VRMS_BENCH_DIR:?is not set; run \"make bench\"}"
: "${VRMS_LAB_STAGE:?is not set; run \"make bench\"}"
here=$(cd "$(dirname "$0")" && pwd)
linbit=/usr/lib/ocf/resource.d/linbit
rounds=100 json=
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) rounds=$2; shift ;;
	--json) json=1 ;;
	*) echo "usage: drbd.sh [--rounds N] [--json]" >&2; exit 2 ;;
	esac
	shift
done
[ "$(id -u)" = 0 ] || { echo "SKIP: needs root: it makes a mount namespace"; exit 77; }
[ -e $linbit/drbd ] || { echo "SKIP: no $linbit/drbd (Debian package: drbd-utils)"; exit 77; }

if [ -z "${VRMS_BENCH_INSIDE:-}" ]; then
	set -- --rounds "$rounds" ${json:+--json}
	VRMS_BENCH_INSIDE=1 exec unshare --mount --propagation private "$0" "$@"
fi
mount -t tmpfs tmpfs /mnt
mkdir /mnt/bin /mnt/linbit /mnt/tmp
for name in drbdsetup drbdadm crm_master crm_attribute; do
	cp "$VRMS_BENCH_DIR/drbd_tool" /mnt/bin/$name
done
for name in crm_master crm_attribute; do
	mount --bind /mnt/bin/$name /usr/sbin/$name # it names them by their full path
done
cp $linbit/drbd $linbit/drbd.shellfuncs.sh /mnt/linbit/
echo "version: 9.2.16 (api:2/proto:118-123)" >/mnt/proc-drbd
sed -i 's,/proc/drbd,/mnt/proc-drbd,g' /mnt/linbit/drbd
mknod /mnt/drbd0 b 147 0
if [ ! -b /dev/drbd0 ]; then
	mkdir /mnt/dev
	mount --rbind /dev /mnt/dev
	mount -t tmpfs tmpfs /dev
	cp -a /mnt/dev/null /mnt/dev/zero /mnt/dev/urandom /dev/
	ln -s /proc/self/fd /dev/fd
	mknod /dev/drbd0 b 147 0
fi
ours=$(find "$VRMS_LAB_STAGE" -path '*resource.d/vrms/Drbd' -type f)
[ -n "$ours" ] || { echo "no Drbd under $VRMS_LAB_STAGE"; exit 99; }
VRMS_LIBEXECDIR=$(dirname "$(find "$VRMS_LAB_STAGE" -name drbd-agent -type f)")
export VRMS_LIBEXECDIR

export PATH=/mnt/bin:$PATH OCF_ROOT=/usr/lib/ocf HA_RSCTMP=/mnt/tmp PCMK_logfile=none \
	PCMK_logfacility=none OCF_RESOURCE_INSTANCE=disk OCF_RESKEY_drbd_resource=r0 \
	OCF_RESOURCE_TYPE=drbd OCF_RESOURCE_PROVIDER=linbit OCF_RA_VERSION_MAJOR=1 \
	OCF_RA_VERSION_MINOR=0 HA_LOGFACILITY=none OCF_RESKEY_crm_feature_set=3.16.2 \
	OCF_RESKEY_CRM_meta_interval=10000 OCF_RESKEY_CRM_meta_timeout=20000 \
	OCF_RESKEY_CRM_meta_clone_max=2 OCF_RESKEY_CRM_meta_clone_node_max=1 \
	OCF_RESKEY_CRM_meta_master_max=1 OCF_RESKEY_CRM_meta_master_node_max=1 \
	OCF_RESKEY_CRM_meta_promoted_max=1 OCF_RESKEY_CRM_meta_promoted_node_max=1 \
	OCF_RESKEY_CRM_meta_notify=true VRMS_PROC_DRBD=/mnt/proc-drbd \
	VRMS_BENCH_CAPTURE="$here/../drbd/captures/9/05-Connected-UpToDate-Primary-Secondary/node1/events.txt"

TIMEFORMAT='%U %S %R'
measure() { # AGENT: "CPU_MS WALL_MS" of one monitor
	local i rc=0
	"$1" monitor >/mnt/said 2>&1 || rc=$?
	[ "$rc" = 8 ] || { cat /mnt/said >&2; echo "$1 monitor: exit code $rc instead of 8" >&2; exit 1; }
	{ time for ((i = 0; i < rounds; i++)); do
		"$1" monitor >/dev/null 2>&1 || [ $? = 8 ]
	done; } 2>&1 | awk -v n="$rounds" '{ printf "%.2f %.2f\n", ($1 + $2) * 1000 / n, $3 * 1000 / n }'
}
read -r our_cpu our_wall <<<"$(measure "$ours")"
read -r their_cpu their_wall <<<"$(measure /mnt/linbit/drbd)"
ratio=$(awk -v a="$their_cpu" -v b="$our_cpu" 'BEGIN { printf "%.1f", a / b }')
if [ -n "$json" ]; then
	printf '{"rounds": %d, "vrms_cpu_ms": %s, "vrms_wall_ms": %s, "linbit_cpu_ms": %s, "linbit_wall_ms": %s, "ratio": %s}\n' \
		"$rounds" "$our_cpu" "$our_wall" "$their_cpu" "$their_wall" "$ratio"
else
	printf '%-22s %10s %10s\n' "monitor of DRBD" "CPU ms" "wall ms"
	printf '%-22s %10s %10s\n' "ocf:vrms:Drbd" "$our_cpu" "$our_wall"
	printf '%-22s %10s %10s\n' "ocf:linbit:drbd" "$their_cpu" "$their_wall"
	printf '%s times less CPU (mean of %d each)\n' "$ratio" "$rounds"
fi
