#!/bin/sh
# The manual page of the format is enough to write a reader: one in another
# language, which shares nothing with ours, gives back every point.
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu

backup=${VRMS_BACKUP:-./vrms-backup}
reader=$(dirname "$0")/backup_format.py
if ! command -v python3 >/dev/null; then
	echo "skipped: no python3"
	exit 77
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/backup-format.XXXXXX")
trap 'rm -rf "$work"' EXIT
export VRMS_BACKUP_REPOSITORY="$work/repository"

"$backup" init --compression none --block-size 4K
# More than 128 blocks, so that the tree has levels; not a whole number of them.
dd if=/dev/urandom of="$work/disk" bs=1024 count=3333 status=none
truncate -s 5000123 "$work/disk"
for state in 1 2 3; do
	printf 'state %s' $state | dd of="$work/disk" bs=1 seek=$((state * 1111111)) conv=notrunc status=none
	cp "$work/disk" "$work/state$state"
	"$backup" take vm --image "vda=$work/disk" >/dev/null
done
for state in 1 2 3; do
	python3 "$reader" "$VRMS_BACKUP_REPOSITORY" vm $state vda "$work/new"
	cmp "$work/new" "$work/state$state"
done
echo "a stranger reads all points"
