#!/bin/sh
# A served point reads as the disk was, also in pieces; what a writable one is told is forgotten at the end.
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
# shellcheck source=tests/cli/lib.sh
. "${srcdir:-.}/tests/cli/lib.sh"

backup=${VRMS_BACKUP:-./vrms-backup}
needs "nbdkit nbdcopy nbdinfo qemu-img qemu-io" "nbdkit libnbd-bin qemu-utils"
# nbdkit is not built with the sanitizers, and they must come first in a process.
if ldd ./backup/nbdkit-vrms-backup-plugin.so | grep -q 'libasan\|libubsan'; then
	skip "the plugin was built with sanitizers"
fi
VRMS_LIBEXECDIR=$(pwd)/backup
export VRMS_LIBEXECDIR
work=$(mktemp -d "${TMPDIR:-/tmp}/backup-serve.XXXXXX")
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
export VRMS_BACKUP_REPOSITORY="$work/repository"

serve() { # OPTIONS...: until it listens
	"$backup" serve vm1@1 --socket "$work/nbd" "$@" >"$work/out" 2>&1 &
	server=$!
	for _ in $(seq 200); do
		[ ! -S "$work/nbd" ] || return 0
		kill -0 "$server" 2>/dev/null || break
		sleep 0.05
	done
	fail "serve did not listen: $(cat "$work/out")"
}
end() {
	kill "$server"
	wait "$server" || :
	server=
	rm -f "$work/nbd"
}

truncate -s 20000000 "$work/vda.raw" # no multiple of the block size
dd if=/dev/urandom of="$work/vda.raw" bs=1M count=3 seek=5 conv=notrunc status=none
truncate -s 1M "$work/vdb.raw"
printf 'second' | dd of="$work/vdb.raw" conv=notrunc status=none
"$backup" init
"$backup" take vm1 --image "vda=$work/vda.raw" --image "vdb=$work/vdb.raw" >/dev/null

serve
grep -q "^nbd+unix:///vda?socket=$work/nbd\$" "$work/out" || fail "no URI printed: $(cat "$work/out")"
nbdcopy "nbd+unix:///vda?socket=$work/nbd" "$work/back.raw"
cmp "$work/vda.raw" "$work/back.raw"
nbdcopy "nbd+unix:///vdb?socket=$work/nbd" "$work/back.raw"
cmp "$work/vdb.raw" "$work/back.raw"
[ "$(nbdinfo --map --totals "nbd+unix:///vda?socket=$work/nbd" | awk '/hole,zero/ && $1 > 15000000 { print 1 }')" = 1 ] ||
	fail "holes are not told"
qemu-io -r -f raw -c "read -P 0 0 4096" "nbd+unix:///vda?socket=$work/nbd" | grep -q '^read 4096' ||
	fail "no zeros at the start"
refused "read.only\|Permission denied\|Operation not permitted\|not permitted" \
	qemu-io -f raw -c "write 0 512" "nbd+unix:///vda?socket=$work/nbd"
refused "vdc" nbdinfo "nbd+unix:///vdc?socket=$work/nbd"
refused "somebody listens" "$backup" serve vm1@1 --socket "$work/nbd"
if grep -q '^nbd+unix' "$work/out"; then
	fail "a server that does not serve tells where: $(cat "$work/out")"
fi
# What is read must stay while it is served.
refused "serving vm1@1" "$backup" prune --keep-last 9
end

refused "which disk" "$backup" serve vm1@1 --writable --socket "$work/nbd"
serve --disk vda --writable
qemu-io -f raw -c "write -P 9 5M 1M" -c "read -P 9 5M 1M" "nbd+unix:///?socket=$work/nbd" | grep -q '^wrote' ||
	fail "a writable one takes no writes"
end
serve --disk vda
nbdcopy "nbd+unix:///?socket=$work/nbd" "$work/back.raw"
cmp "$work/vda.raw" "$work/back.raw" || fail "the writes are in the repository"
end

# A server for a VM outlives who started it, and ends with its last client.
# shellcheck disable=SC2016 # the inner shell's own
sh -c 'nbdkit --foreground --unix "$1/nbd" --filter=exitlast --readonly "$2" repository="$1/repository" \
	point=vm1@1 outlives=yes ready="$1/ready" 2>"$1/log" &
	while [ ! -e "$1/ready" ]; do kill -0 $! || exit 1; sleep 0.05; done
	echo $! >"$1/pid"' sh "$work" "$(pwd)/backup/nbdkit-vrms-backup-plugin.so"
server=$(cat "$work/pid")
sleep 0.3
nbdcopy "nbd+unix:///vda?socket=$work/nbd" "$work/back.raw" || fail "the server ended with who started it"
cmp "$work/vda.raw" "$work/back.raw"
is_over() { # also one whose parent has not heard of it
	! grep '^State:' "/proc/$1/status" 2>/dev/null | grep -qv Z
}
for _ in $(seq 200); do
	is_over "$server" && break
	sleep 0.05
done
is_over "$server" || fail "the server did not end with its last client"
server=
rm "$work/nbd" "$work/ready"
# One that nobody ever comes to ends by itself.
timeout 30 nbdkit --foreground --unix "$work/nbd" --filter=exitlast --readonly backup/nbdkit-vrms-backup-plugin.so \
	repository="$work/repository" point=vm1@1 patience=1 2>"$work/log" || fail "a server without clients stays"
grep -q "no client for 1 s" "$work/log" || fail "no reason: $(cat "$work/log")"
rm "$work/nbd"

# A disk on the network: read and written through QEMU's programs, in whole sectors.
serve --disk vda
uri="nbd+unix:///?socket=$work/nbd"
"$backup" take far --image "vda=$uri" >/dev/null
refused "exists; --overwrite" "$backup" restore far --disk "vda=$uri"
end
"$backup" restore far --disk "vda=$work/back.raw" --format raw --overwrite >/dev/null
cmp -n 20000000 "$work/vda.raw" "$work/back.raw" || fail "a disk on the network was taken for something else"
dd if=/dev/urandom of="$work/far.raw" bs=1M count=20 status=none # larger, and not zeroed
"$backup" restore vm1@1 --disk "vda=file://$work/far.raw" >/dev/null
cmp -n 20000000 "$work/vda.raw" "$work/far.raw" || fail "a disk on the network was not written"
refused "only raw" "$backup" restore vm1@1 --disk "vda=file://$work/far.raw" --format qcow2
truncate -s 1M "$work/far.raw"
refused "are needed" "$backup" restore vm1@1 --disk "vda=file://$work/far.raw"
refused "where they were" "$backup" restore vm1@1 --disk "vda=file://$work/far.raw" --define --connect test:///default

refused "no disk 'vdz'" "$backup" serve vm1@1 --disk vdz
refused "no point" "$backup" serve vm1@2
refused "no backup of VM" "$backup" serve vm2

# A damaged block is an error for its reader, never wrong data.
pack=$(find "$work/repository/packs" -type f -size +1M)
printf 'damage' | dd of="$pack" bs=1 seek=500000 conv=notrunc status=none
serve --disk vda
refused "error\|Input" nbdcopy "nbd+unix:///?socket=$work/nbd" null:
end
echo "what is served is what was saved"
