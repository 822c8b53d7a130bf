#!/bin/sh
# The README's walk: full, change, incremental, change, differential, change,
# incremental; each of the four states restored into new disks and compared with
# the image saved at that moment.  A qcow2 and a raw disk.
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
# shellcheck source=tests/cli/lib.sh
. "${srcdir:-.}/tests/cli/lib.sh"

backup=${VRMS_BACKUP:-./vrms-backup}
needs "qemu-img qemu-nbd qemu-io" "qemu-utils"
work=$(mktemp -d "${TMPDIR:-/tmp}/backup-walk.XXXXXX")
trap 'rm -rf "$work"' EXIT
export VRMS_BACKUP_REPOSITORY="$work/repository"

dirty() { # seed: some scattered writes, one discard
	for i in 1 2 3 4 5 6; do
		offset=$((($1 * 7919 + i * 104729) % 60))
		qemu-io -f qcow2 -c "write -P $((($1 * 31 + i) % 255 + 1)) ${offset}M $((i * 37))k" \
			"$work/vda.qcow2" >/dev/null
		qemu-io -f raw -c "write -P $((($1 * 17 + i) % 255 + 1)) $((offset % 15))M 100k" \
			"$work/vdb.raw" >/dev/null
	done
	qemu-io -f qcow2 -c "discard $((($1 * 13) % 50))M 3M" "$work/vda.qcow2" >/dev/null
}
save() {
	qemu-img convert -O raw "$work/vda.qcow2" "$work/state$1.vda"
	cp "$work/vdb.raw" "$work/state$1.vdb"
}
take() {
	"$backup" take vm1 --mode "$1" --image "vda=$work/vda.qcow2" --image "vdb=$work/vdb.raw" \
		--file "domain.xml=$work/domain.xml" >"$work/out"
	cat "$work/out"
}
restored() { # state format
	rm -rf "$work/new"
	"$backup" restore "vm1@$1" --output "$work/new" --format "$2" >/dev/null
	qemu-img compare -q -f "$2" -F raw "$work/new/vm1-vda.$2" "$work/state$1.vda" ||
		fail "state $1 of vda differs ($2)"
	qemu-img compare -q -f "$2" -F raw "$work/new/vm1-vdb.$2" "$work/state$1.vdb" ||
		fail "state $1 of vdb differs ($2)"
	cmp "$work/new/vm1-domain.xml" "$work/domain.xml"
}

# --help is answered wherever it stands.
for command in $("$backup" --help | sed -n 's/^  \([a-z][a-z-]*\)  *[A-Za-z[].*/\1/p'); do
	for place in "--help" "vm1@1 --help" "vm1@1 --repository /nowhere --help more"; do
		# shellcheck disable=SC2086 # words
		"$backup" $command $place >"$work/out" 2>&1 || fail "$command $place: $(cat "$work/out")"
		grep -q "^Usage: vrms-backup $command " "$work/out" || fail "$command $place: $(cat "$work/out")"
	done
done

echo "<domain/>" >"$work/domain.xml"
qemu-img create -q -f qcow2 "$work/vda.qcow2" 64M
truncate -s 16M "$work/vdb.raw"
dd if=/dev/urandom of="$work/random" bs=1M count=12 status=none
qemu-io -f qcow2 -c "write -s $work/random 8M 12M" "$work/vda.qcow2" >/dev/null
"$backup" init

number=0
for mode in full incremental differential incremental; do
	number=$((number + 1))
	dirty $number
	save $number
	take $mode
	grep -q "vda: $mode," "$work/out" || fail "vda was not taken as $mode"
done
grep -q "vdb: full (the image's format keeps no bitmap" "$work/out" || fail "raw disk: no reason"
"$backup" list
[ "$(qemu-img info --output=json "$work/vda.qcow2" | grep -c '"name": "vrms-')" -le 2 ] ||
	fail "more than two bitmaps left"
for state in 1 2 3 4; do
	restored $state raw
	restored $state qcow2
done
"$backup" diff vm1@1 vm1@4

# The same states as a chain of images for those without our program, also when it is moved.
"$backup" export vm1@4 --chain --output "$work/made"
mv "$work/made" "$work/chain"
for state in 1 2 3 4; do
	for disk in vda vdb; do
		qemu-img compare -q -f qcow2 -F raw "$work/chain/vm1-$disk-$state.qcow2" "$work/state$state.$disk" ||
			fail "state $state of $disk differs in the chain"
	done
done
qemu-img info "$work/chain/vm1-vda-3.qcow2" | grep -q '^backing file: vm1-vda-2.qcow2' || fail "no chain"
[ "$(stat -c %b "$work/chain/vm1-vda-4.qcow2")" -lt "$(stat -c %b "$work/chain/vm1-vda-1.qcow2")" ] ||
	fail "the chain's images are all as large as the disk"
cmp "$work/chain/vm1-domain.xml" "$work/domain.xml"
"$backup" verify

# Any point may go; the others stay whole.
"$backup" remove vm1@1
"$backup" remove vm1@3
"$backup" prune --dry-run --keep-last 9 >/dev/null
"$backup" prune --keep-last 9 --min-live 100
restored 2 raw
restored 4 raw
"$backup" check
"$backup" stats

# A self-contained full holds a second copy of everything that it names: with nothing changed
# since, and no older point left, any block may be hit and heals.
"$backup" remove vm1@2
"$backup" prune --keep-last 9 --min-live 100
save 5
"$backup" take vm1 --self-contained --image "vda=$work/vda.qcow2" --image "vdb=$work/vdb.raw" \
	--file "domain.xml=$work/domain.xml"
first=$(ls -S "$work"/repository/packs/*/* | head -1)
printf 'damage' | dd of="$first" bs=1 seek=5000 conv=notrunc status=none
restored 5 raw
restored 4 raw
if "$backup" verify >"$work/out"; then
	fail "verify did not find the damage"
fi
cat "$work/out"
"$backup" repair
"$backup" check || fail "still damaged after repair"
restored 4 raw

# `vrms backup` is the same program.
PATH=$(cd "$(dirname "$backup")" && pwd):$PATH
"$backup" list >"$work/out"
"${VRMS:-./vrms}" backup list >"$work/out2" || fail "vrms backup list"
cmp "$work/out" "$work/out2" || fail "vrms backup list says something else"
got=0
"${VRMS:-./vrms}" backup show vm9@1 2>"$work/out" || got=$?
[ "$got" = 1 ] || fail "vrms backup of no VM: exit $got"

echo "all states came back"
