#!/bin/sh
# A bitmap is trusted only where nothing speaks against it; otherwise the disk is read in full, and
# that is said.  Also what a run that is slowed down or ended leaves behind: nothing.
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
# shellcheck source=tests/cli/lib.sh
. "${srcdir:-.}/tests/cli/lib.sh"

backup=${VRMS_BACKUP:-./vrms-backup}
needs "qemu-img qemu-nbd qemu-io" "qemu-utils"
work=$(mktemp -d "${TMPDIR:-/tmp}/backup-trust.XXXXXX")
trap 'rm -rf "$work"' EXIT
export VRMS_BACKUP_REPOSITORY="$work/repository"
image=$work/vda.qcow2

write() { qemu-io -f qcow2 -c "$1" "$image" >/dev/null; } # COMMAND
bitmaps() { qemu-img info "$image" | sed -n 's/^ *name: \(vrms-[0-9a-f]*\)$/\1/p'; }
# took EXPECTED [OPTIONS...]: and what the point restores to is what was there
took() {
	expected=$1
	shift
	"$backup" take vm1 --image "vda=$image" "$@" >"$work/out" 2>&1 || fail "take: $(cat "$work/out")"
	grep -q "  vda: $expected" "$work/out" || fail "not taken as \"$expected\": $(cat "$work/out")"
	sed 's/^/# /' "$work/out"
	"$backup" restore vm1 --disk "vda=$work/new.raw" --format raw --overwrite >/dev/null
	qemu-img compare -q -f qcow2 -F raw "$image" "$work/new.raw" || fail "it restores to something else"
	[ "$(bitmaps | wc -l)" -le 2 ] || fail "bitmaps: $(bitmaps)"
}

qemu-img create -q -f qcow2 "$image" 64M
dd if=/dev/urandom of="$work/random" bs=1M count=12 status=none
write "write -s $work/random 4M 12M"
"$backup" init >/dev/null
took "full (no earlier backup" --mode auto
write "write -P 1 30M 1M"
took "incremental, read"

# Somebody wrote past the bitmap: the sample of what it calls clean finds that.
for bitmap in $(bitmaps); do
	qemu-img bitmap --disable -f qcow2 "$image" "$bitmap"
done
write "write -P 2 0 28M"
write "write -P 2 32M 32M"
for bitmap in $(bitmaps); do
	qemu-img bitmap --enable -f qcow2 "$image" "$bitmap"
done
took "full (.* of .* sampled blocks had changed though the bitmap calls them clean" --mode incremental
took "incremental, read"

# A bitmap that is not recording says nothing.
for bitmap in $(bitmaps); do
	qemu-img bitmap --disable -f qcow2 "$image" "$bitmap"
done
write "write -P 3 31M 64k"
took "full (the disk has no good bitmap" --mode incremental
[ "$(bitmaps | wc -l)" = 1 ] || fail "what is good for nothing stays: $(bitmaps)"

# A program that had the image open was killed: its bitmaps are marked in-use.
rm -f "$work/pipe"
mkfifo "$work/pipe"
qemu-io -f qcow2 "$image" <"$work/pipe" >"$work/io" 2>&1 &
writer=$!
exec 9>"$work/pipe"
echo "write -P 4 32M 64k" >&9
echo "flush" >&9
for _ in $(seq 200); do
	grep -q wrote "$work/io" && break
	sleep 0.05
done
kill -9 $writer
wait $writer 2>/dev/null || :
exec 9>&-
took "full (the disk has no good bitmap"
took "incremental, read"

# Converted: another image in the same place.
qemu-img convert -f qcow2 -O qcow2 "$image" "$work/other.qcow2"
mv "$work/other.qcow2" "$image"
took "full (the disk has no good bitmap"

# A bitmap of somebody else is left alone.
qemu-img bitmap --add -f qcow2 "$image" theirs
write "write -P 5 33M 64k"
took "incremental, read"
qemu-img info "$image" | grep -q "name: theirs" || fail "somebody else's bitmap is gone"

# Slowed down: 12 MiB at 4 MiB a second.
write "write -s $work/random 40M 12M"
start=$(date +%s%N)
took "incremental, read" --rate 4M
took_ms=$((($(date +%s%N) - start) / 1000000))
[ $took_ms -ge 2000 ] || fail "12 MiB at 4 MiB a second took only $took_ms ms"

# Ended by a signal: no point, no bitmap of its own, no socket.
write "write -P 6 40M 12M"
for signal in TERM INT HUP; do
	before=$(bitmaps)
	points=$("$backup" list vm1 | wc -l)
	"$backup" take vm1 --image "vda=$image" --rate 1M >"$work/out" 2>&1 &
	pid=$!
	# It has begun when it has made its bitmap.
	for _ in $(seq 200); do
		[ "$(qemu-img info -U "$image" 2>/dev/null | grep -c 'name: vrms-')" = "$(echo "$before" | wc -l)" ] || break
		sleep 0.05
	done
	kill -s $signal $pid
	status=0
	wait $pid || status=$?
	[ $status = 1 ] || fail "ended by $signal: exit status $status: $(cat "$work/out")"
	[ "$(bitmaps)" = "$before" ] || fail "$signal leaves a bitmap: $(bitmaps)"
	[ "$("$backup" list vm1 | wc -l)" = "$points" ] || fail "$signal leaves a point"
	[ -z "$(find "$work/repository/tmp" "$work/repository/locks" -type f)" ] || fail "$signal leaves files"
done
took "incremental, read"

"$backup" verify >/dev/null || fail "verify"
echo "nothing is trusted that should not be"
