#!/bin/sh
# An encrypted repository over its life: verified as a whole, in samples and what is new; other keys;
# locks of the dead; points removed and pruned for each VM; a damaged block is found and heals at
# the next backup.
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
# shellcheck source=tests/cli/lib.sh
. "${srcdir:-.}/tests/cli/lib.sh"

backup=${VRMS_BACKUP:-./vrms-backup}
work=$(mktemp -d "${TMPDIR:-/tmp}/backup-care.XXXXXX")
trap 'rm -rf "$work"' EXIT
says() { # PART COMMAND...
	part=$1
	shift
	"$@" >"$work/out" 2>&1 || fail "$*: $(cat "$work/out")"
	grep -q -- "$part" "$work/out" || fail "no '$part' in: $(cat "$work/out")"
	sed 's/^/# /' "$work/out"
}
change() { dd if=/dev/urandom of="$work/$1.raw" bs=64k seek="$2" count=10 conv=notrunc status=none; }
take() { "$backup" take "$1" --image "vda=$work/$1.raw" >/dev/null; }
restores() { # POINT FILE
	"$backup" restore "$1" --disk "vda=$work/new.raw" --overwrite >/dev/null
	cmp "$work/new.raw" "$2" || fail "$1 differs"
}
points() { "$backup" list | tail -n +2 | cut -d' ' -f1 | tr '\n' ' '; }

export VRMS_BACKUP_REPOSITORY="$work/repository" VRMS_BACKUP_KEY_FILE="$work/key"
printf 'first' >"$work/key"
"$backup" init --encrypt >/dev/null
for vm in one two; do
	truncate -s 8M "$work/$vm.raw"
	change $vm 3
	printf 'a secret that nobody may read' | dd of="$work/$vm.raw" bs=64k seek=20 conv=notrunc status=none
	take $vm
	cp "$work/$vm.raw" "$work/$vm.1"
	change $vm 50
	take $vm
done
if grep -rqa "a secret that nobody" "$work/repository"; then
	fail "plain text in an encrypted repository"
fi

says "0 damaged" "$backup" verify
read_bytes() { sed -n 's/^read [0-9]* blocks (\(.*\)) in.*/\1/p' "$work/out"; }
whole=$(read_bytes)
says "read 0 blocks" "$backup" verify --new
take one
change one 90
take one
says "0 damaged" "$backup" verify --new
[ "$(read_bytes)" != "$whole" ] || fail "--new reads everything"
for _ in 1 2 3; do # two threads may each end the block that they are at
	says "0 damaged" "$backup" verify --budget 128K
	kib=$(read_bytes | sed -n 's/\([0-9]*\).* KiB/\1/p')
	[ "${kib:-9999}" -ge 128 ] && [ "$kib" -le 256 ] || fail "a budget of 128 KiB reads $(read_bytes)"
done
refused "--budget" "$backup" verify --budget nothing

# A bad sector is seen although the page cache still has what stood there.
if command -v "${CC:-cc}" >/dev/null && ! ldd "$backup" | grep -q libasan; then
	${CC:-cc} -shared -fPIC -O2 -D_GNU_SOURCE -o "$work/bad_disk.so" "${srcdir:-.}/tests/fakes/bad_disk.c"
	BAD_FILE=$(ls -S "$work"/repository/packs/*/* | head -n 1)
	cp -r "$work/repository" "$work/kept"
	for offset in 20 3000 500000; do
		export BAD_FILE BAD_OFFSET=$offset
		refused "damaged: .*\(Input/output error\|cannot\)" env LD_PRELOAD="$work/bad_disk.so" "$backup" verify --threads 1
		rm -r "$work/repository"
		cp -r "$work/kept" "$work/repository"
	done
fi

# Another key: the old one is good for nothing, the content stays.
printf 'second' >"$work/key2"
refused "wrong key" "$backup" rekey --key-file "$work/key2" --new-key-file "$work/key"
says "" "$backup" rekey --new-key-file "$work/key2"
refused "wrong key" "$backup" list
VRMS_BACKUP_KEY_FILE=$work/key2
restores one@1 "$work/one.1"
says "" "$backup" rekey --new-key-command "printf third"
unset VRMS_BACKUP_KEY_FILE
refused "a key is needed" "$backup" list
"$backup" list --key-command "printf third" >/dev/null || fail "a key of a command is not taken"
printf 'third' >"$work/key"
export VRMS_BACKUP_KEY_FILE="$work/key"

# Rules hold for each VM; a number is never given again.
says "one@1 .*" "$backup" prune --dry-run --keep-last 1
[ "$(points)" = "one@1 one@2 one@3 one@4 two@1 two@2 " ] || fail "a dry run removes: $(points)"
says "freed" "$backup" prune one --keep-last 2
[ "$(points)" = "one@3 one@4 two@1 two@2 " ] || fail "left: $(points)"
"$backup" remove one@4 >/dev/null
take one
[ "$(points)" = "one@3 one@5 two@1 two@2 " ] || fail "a number is given again: $(points)"
restores two@1 "$work/two.1"
says "0 blocks lost" "$backup" check

# Locks whose holders are known to be dead.
"$backup" take one --image "vda=$work/one.raw" --rate 64K >/dev/null 2>&1 &
pid=$!
for _ in $(seq 200); do
	[ -e "$work/repository/locks/writer" ] && break
	sleep 0.05
done
refused "in use by" "$backup" prune --keep-last 1
kill -9 $pid
wait $pid 2>/dev/null || :
sed -i 's/"host":"[^"]*"/"host":"gone.example"/; s/"machine":"[^"]*"/"machine":"another"/' "$work/repository/locks/writer"
refused "on gone.example" "$backup" prune --keep-last 9
says "1" "$backup" unlock
says "keep" "$backup" prune --keep-last 9

# A damaged block that is nowhere else: told, with its points; the next backup that reads it heals.
damaged=$(ls -S "$work"/repository/packs/*/* | head -n 1)
printf 'damage' | dd of="$damaged" bs=1 seek=200000 conv=notrunc status=none
refused "1 damaged" "$backup" verify
refused "lost" "$backup" repair
take one
take two
says ", 0 lost" "$backup" repair
says "1 rewritten" "$backup" prune --keep-last 9 --min-live 0
says "0 damaged" "$backup" verify
restores two@latest "$work/two.raw"
restores one@latest "$work/one.raw"
echo "cared for"
