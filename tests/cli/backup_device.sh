#!/bin/sh
# A block device is saved and written back like an image; never one that is too small or in use.
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
. "${srcdir:-.}/tests/cli/lib.sh"

backup=${VRMS_BACKUP:-./vrms-backup}
work=$(mktemp -d "${TMPDIR:-/tmp}/backup-device.XXXXXX")
device= small=
end() {
	for loop in $device $small; do
		losetup -d "$loop"
	done
	rm -rf "$work"
}
trap end EXIT
export VRMS_BACKUP_REPOSITORY="$work/repository"

dd if=/dev/urandom of="$work/disk" bs=64k count=40 status=none
truncate -s 8M "$work/disk"
truncate -s 4M "$work/small"
if ! device=$(losetup --find --show "$work/disk" 2>"$work/why"); then
	echo "skipped: no block device to be had: $(cat "$work/why")"
	exit 77
fi
small=$(losetup --find --show "$work/small")
cp "$work/disk" "$work/state"

"$backup" init
"$backup" take vm1 --image "vda=$device" >"$work/out"
grep -q 'vda: full (.*), read 8.0 MiB' "$work/out" || fail "taken as: $(cat "$work/out")"
"$backup" restore vm1 --disk "vda=$work/back" >/dev/null
cmp "$work/state" "$work/back"

dd if=/dev/urandom of="$device" bs=64k seek=60 count=60 conv=fsync,notrunc status=none
refused "exists" "$backup" restore vm1 --disk "vda=$device"
refused "as raw" "$backup" restore vm1 --disk "vda=$device" --format qcow2 --overwrite
refused "are needed" "$backup" restore vm1 --disk "vda=$small" --overwrite
"$backup" restore vm1 --disk "vda=$device" --overwrite >/dev/null
cmp "$work/state" "$device" || fail "what the device had before is still there"
"$backup" take vm1 --image "vda=$device" >"$work/out"
grep -q 'stored [0-9]* B in\|stored 0 B' "$work/out" || fail "stored again: $(cat "$work/out")"
echo "a device comes back as it was"
