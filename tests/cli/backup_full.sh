#!/bin/sh
# The repository's file system is full to the last byte: all points restore, and prune makes room.
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
# shellcheck source=tests/cli/lib.sh
. "${srcdir:-.}/tests/cli/lib.sh"

backup=${VRMS_BACKUP:-./vrms-backup}
if [ -z "${VRMS_TEST_FULL:-}" ]; then # a file system of its own
	unshare --mount true 2>/dev/null || skip "needs root"
	VRMS_TEST_FULL=yes exec unshare --mount sh "$0"
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/backup-full.XXXXXX")
mkdir "$work/fs"
trap 'umount "$work/fs"; rm -rf "$work"' EXIT
mount -t tmpfs -o size=24m none "$work/fs"
export VRMS_BACKUP_REPOSITORY="$work/fs/repository"

all_restore() {
	for state in "$work"/state.*; do
		"$backup" restore "vm@${state##*.}" --disk "vda=$work/new" --format raw --overwrite >/dev/null ||
			fail "point ${state##*.} does not restore on a full disk"
		cmp "$work/new" "$state"
	done
}
change() { head -c 6M /dev/urandom >"$work/disk"; }
take() { "$backup" take vm --image "vda=$work/disk"; }
fill() { # to the last byte
	dd if=/dev/zero of="$work/fs/ballast" bs=4k conv=notrunc oflag=append 2>/dev/null || :
	[ "$(stat -f -c %a "$work/fs")" = 0 ] || fail "$(stat -f -c %a "$work/fs") blocks are free"
}

"$backup" init >/dev/null
for state in 1 2 3; do
	change
	take >/dev/null
	cp "$work/disk" "$work/state.$state"
done
change
refused "No space left" take
[ -z "$(ls "$work/fs/repository/tmp")" ] || fail "what did not fit is still there"
fill
"$backup" list vm >/dev/null || fail "no list on a full disk"
all_restore
[ ! -e "$work/fs/repository/reserve" ] || fail "nobody needed the reserve: the disk is not full"

# Not even a lock fits: who only reads goes without, the others say why.
fill
all_restore
refused "No space left" "$backup" prune --keep-last 1
rm "$work/fs/ballast"
"$backup" check >/dev/null || fail "damaged by a full disk"
"$backup" remove vm@1 # makes the reserve anew
rm "$work/state.1"
[ -e "$work/fs/repository/reserve" ] || fail "there is no reserve"

# A writer that died leaves its part: prune takes it away, and what nobody needs.
printf 'half a pack' >"$work/fs/repository/tmp/0123456789abcdef0123456789abcdef"
fill
"$backup" prune --keep-last 1
rm "$work/state.2"
[ -z "$(ls "$work/fs/repository/tmp")" ] || fail "leftovers in tmp/"
take >/dev/null
cp "$work/disk" "$work/state.4"
all_restore
"$backup" verify
echo "a full disk costs no point"
