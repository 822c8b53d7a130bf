#!/bin/bash
# fence_scsi_off.sh - times fence_scsi -o off on three LUNs that are made up: sg_persist and sg_turs cost
# next to nothing and reach no disk, so that what is measured is less than it costs.
# usage: fence_scsi_off.sh ROUNDS, in a mount namespace of its own (unshare --mount)
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
rounds=$1
mount -t tmpfs tmpfs /run
mkdir -p /run/cluster /run/made-up
cd /run/made-up
for file in /run/cluster.key /run/cluster/fence_scsi.key; do # its versions differ
	echo 1111 >$file
done
devices=
for lun in 1 2 3; do
	mknod /run/made-up/$lun b 7 250 # looked at, never opened
	devices=$devices${devices:+,}/run/made-up/$lun
done
cat >sg_persist <<'EOF'
#!/bin/sh
echo "$*" >>/run/made-up/calls
for device in "$@"; do :; done
case $* in
*" -k "*)
	echo "  PR generation=0x2, 2 registered reservation keys follow:"
	echo "    0x1111"
	[ -e "$device.off" ] || echo "    0x2222"
	;;
*" -r "*) echo "  PR generation=0x2, Reservation follows:
    Key=0x1111 
    scope: LU_SCOPE,  type: Write Exclusive, registrants only" ;;
*" -A "*) : >"$device.off" ;;
esac
EOF
printf '#!/bin/sh\n' >sg_turs
chmod 755 sg_persist sg_turs
off() {
	rm -f ./*.off
	fence_scsi -o off --key=2222 --devices=$devices --sg_persist-path=/run/made-up/sg_persist \
		--sg_turs-path=/run/made-up/sg_turs >said 2>&1 || { cat said; exit 1; }
}
off
TIMEFORMAT='%R %U %S'
calls=$(wc -l <calls)
times=$({ time for ((i = 0; i < rounds; i++)); do off; done; } 2>&1)
printf '%s\n' "$times" | awk -v n="$rounds" -v calls="$calls" \
	'{ printf "%-56s %8.1f ms %8.1f ms CPU\n", "fence_scsi off, 3 LUNs made up: " calls " sg_persist", $1 * 1000 / n, ($2 + $3) * 1000 / n }'
