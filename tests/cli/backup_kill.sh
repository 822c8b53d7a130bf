#!/bin/sh
# Real kill -9 at many moments of backups and prunes on a real file system: all
# earlier points restore, the repository stays usable, the next run cleans up.
# Includes the sequence that corrupts other tools silently: an incremental is
# killed midway, the next incremental succeeds, its restore must be right.
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
# shellcheck source=tests/cli/lib.sh
. "${srcdir:-.}/tests/cli/lib.sh"

backup=${VRMS_BACKUP:-./vrms-backup}
rounds=${ROUNDS:-4}
needs "qemu-img qemu-nbd qemu-io" "qemu-utils"
work=$(mktemp -d "${TMPDIR:-/tmp}/backup-kill.XXXXXX")
trap 'rm -rf "$work"' EXIT
export VRMS_BACKUP_REPOSITORY="$work/repository"

take() {
	"$backup" take vm1 --mode "$1" --image "vda=$work/vda.qcow2"
}
latest() {
	"$backup" list vm1 | tail -n +2 | sed 's/^vm1@\([0-9]*\) .*/\1/' | tail -1
}
# The children of a killed backup die with it, but not in the same instant; an image that
# can be opened for writing is held by nobody.
wait_closed() {
	tries=0
	until qemu-io -f qcow2 -c length "$work/vda.qcow2" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || fail "somebody still holds the image 60 s after the kill"
		sleep 0.1
	done
}
check_all() {
	for point in $("$backup" list vm1 | tail -n +2 | sed 's/^vm1@\([0-9]*\) .*/\1/'); do
		"$backup" restore "vm1@$point" --disk "vda=$work/new.raw" --format raw --overwrite \
			>/dev/null || fail "point $point does not restore"
		cmp -s "$work/new.raw" "$work/state.$point" || fail "point $point differs"
	done
}

qemu-img create -q -f qcow2 "$work/vda.qcow2" 48M
dd if=/dev/urandom of="$work/random" bs=1M count=8 status=none
qemu-io -f qcow2 -c "write -s $work/random 4M 8M" "$work/vda.qcow2" >/dev/null
"$backup" init >/dev/null
qemu-img convert -O raw "$work/vda.qcow2" "$work/state.1"
take full >/dev/null

killed=0
round=0
while [ $round -lt "$rounds" ]; do
	round=$((round + 1))
	dd if=/dev/urandom of="$work/random" bs=64k count=40 status=none
	qemu-io -f qcow2 -c "write -s $work/random $((round * 1500 % 40000))k 2560k" \
		-c "write -P $round $((round * 977 % 40))M 300k" "$work/vda.qcow2" >/dev/null
	number=$(latest)
	# What the next point must be, should it be committed after all.
	qemu-img convert -O raw "$work/vda.qcow2" "$work/state.$((number + 1))"
	case $((round % 4)) in
	0) set -- prune --keep-last 4 --min-live 95 ;;
	1) set -- take vm1 --mode differential --image "vda=$work/vda.qcow2" ;;
	*) set -- take vm1 --mode incremental --image "vda=$work/vda.qcow2" ;;
	esac
	"$backup" "$@" >/dev/null 2>"$work/errors" &
	pid=$!
	# From the first milliseconds to beyond the usual end.
	sleep "0.$(printf '%03d' $((round * 53 % 150)))"
	kill -9 $pid 2>/dev/null || : # may have ended
	status=0
	wait $pid 2>/dev/null || status=$?
	if [ $status = 137 ]; then
		killed=$((killed + 1))
	fi
	# At once, while what was killed may still be ending: take must wait for it itself.
	number=$(latest)
	# The next incremental goes on from the last committed point.
	take incremental >"$work/out" 2>&1 ||
		fail "the next run: $(cat "$work/out")"
	wait_closed
	qemu-img convert -O raw "$work/vda.qcow2" "$work/state.$((number + 1))"
	check_all
	[ -z "$(ls "$work/repository/tmp")" ] || fail "leftovers in tmp/"
done
"$backup" verify >/dev/null || fail "verify"
[ $killed -gt 0 ] || fail "nothing was killed in time: the test proves nothing"
echo "killed $killed times in $rounds rounds; every point came back"
