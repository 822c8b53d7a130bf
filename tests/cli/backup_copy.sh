#!/bin/sh
# A copy in a second repository, of other hash and key too, gives back every state; a second run sends nothing,
# one that was killed goes on.
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
. "${srcdir:-.}/tests/cli/lib.sh"

backup=${VRMS_BACKUP:-./vrms-backup}
work=$(mktemp -d "${TMPDIR:-/tmp}/backup-copy.XXXXXX")
trap 'rm -rf "$work"' EXIT
take() { # NUMBER OPTIONS...
	number=$1
	shift
	cp "$work/vda.raw" "$work/state.$number"
	"$backup" take vm1 --image "vda=$work/vda.raw" "$@" >/dev/null
}
restored() { # REPOSITORY NUMBER
	"$backup" restore "vm1@$2" --repository "$1" --disk "vda=$work/back" --overwrite >/dev/null
	cmp "$work/back" "$work/state.$2" || fail "state $2 differs in $1"
}
stored() { du -sb "$work/$1/packs" | cut -f1; }
export VRMS_BACKUP_REPOSITORY="$work/one"

dd if=/dev/urandom of="$work/vda.raw" bs=64k count=64 status=none
"$backup" init
take 1
printf 'second' | dd of="$work/vda.raw" bs=64k seek=9 conv=notrunc status=none
take 2
truncate -s 6M "$work/vda.raw"
printf 'third' | dd of="$work/vda.raw" bs=64k seek=70 conv=notrunc status=none
take 3 --self-contained
printf 'other' >"$work/vdb.raw"
truncate -s 1M "$work/vdb.raw"
"$backup" take vm2 --image "vda=$work/vdb.raw" >/dev/null

# Of the same kind.
"$backup" init --repository "$work/two"
"$backup" copy --to "$work/two" vm1@2 >"$work/out"
restored "$work/two" 2
"$backup" copy --to "$work/two" vm1 vm2 >"$work/out"
grep -q 'vm1@2: is there already' "$work/out" || fail "copied twice: $(cat "$work/out")"
for number in 1 2 3; do
	restored "$work/two" $number
done
size=$(stored two)
"$backup" copy --to "$work/two" >"$work/out"
[ "$(grep -c 'is there already' "$work/out")" = 4 ] || fail "a second run: $(cat "$work/out")"
[ "$(stored two)" = "$size" ] || fail "a second run stored something"
"$backup" verify --repository "$work/two" >/dev/null || fail "the copy is damaged"
"$backup" check --repository "$work/two" >/dev/null || fail "the copy lacks something"
# Two generations: what the self-contained full has is there twice, as at home.
[ "$size" -gt $(($(stored one) * 9 / 10)) ] || fail "the copy's generations share blocks"
# A copy is no base: the next backup there reads all.
"$backup" show vm1@3 --json --repository "$work/two" | grep -q '"bitmap": ""' || fail "a bitmap is named"

# Encrypted, compressed otherwise; killed on the way.
printf 'secret' >"$work/key"
"$backup" init --repository "$work/three" --encrypt --key-file "$work/key" --level 5
timeout -s KILL 0.05 "$backup" copy --to "$work/three" --to-key-file "$work/key" >/dev/null 2>&1 || :
"$backup" copy --to "$work/three" --to-key-file "$work/key" --lock-wait 5s >/dev/null
export VRMS_BACKUP_KEY_FILE="$work/key"
for number in 1 2 3; do
	restored "$work/three" $number
done
unset VRMS_BACKUP_KEY_FILE

refused "to which repository" "$backup" copy
refused "the same repository" "$backup" copy --to "$work/one" --lock-wait 0
refused "not a backup repository" "$backup" copy --to "$work"
refused "a key is needed" "$backup" copy --to "$work/three"
refused "no backup of VM" "$backup" copy --to "$work/two" vm7
refused "no point" "$backup" copy --to "$work/two" vm1@9
"$backup" init --repository "$work/four" --block-size 128K
refused "blocks of 131072" "$backup" copy --to "$work/four"
"$backup" init --repository "$work/five"
"$backup" take vm1 --repository "$work/five" --image "vda=$work/vdb.raw" >/dev/null
refused "has another 'vm1@1'" "$backup" copy --to "$work/five" vm1
"$backup" check --repository "$work/five" >/dev/null || fail "a refused copy changed the other repository"

# What is damaged is not copied as if it were good.
"$backup" init --repository "$work/six"
pack=$(find "$work/one/packs" -type f -size +3M | head -n 1)
printf 'damage' | dd of="$pack" bs=1 seek=500000 conv=notrunc status=none
if "$backup" copy --to "$work/six" >"$work/out" 2>&1; then
	# The other generation may have had a good copy of the block.
	for number in 1 2 3; do
		restored "$work/six" $number
	done
fi
"$backup" check --repository "$work/six" >/dev/null || fail "a point with missing blocks was copied"
echo "every copy gives back what was saved"
