#!/bin/sh
# What cannot be done is said in a clear line, and nothing is changed.
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
# shellcheck source=tests/cli/lib.sh
. "${srcdir:-.}/tests/cli/lib.sh"

backup=${VRMS_BACKUP:-./vrms-backup}
work=$(mktemp -d "${TMPDIR:-/tmp}/backup-refused.XXXXXX")
trap 'rm -rf "$work"' EXIT
state() { find "$work/repository" "$work/out.d" -path '*/locks/*' -prune -o -type f -exec cksum {} + 2>/dev/null | sort; }
refused() { # PART COMMAND...: one line, and the repository is as it was
	part=$1
	before=$(state)
	shift
	if "$@" >"$work/out" 2>&1; then
		fail "not refused: $*"
	fi
	grep -q -- "$part" "$work/out" || fail "no '$part' in: $(cat "$work/out")"
	[ "$(wc -l <"$work/out")" = 1 ] || fail "more than a line: $(cat "$work/out")"
	[ "$(state)" = "$before" ] || fail "something changed after: $*"
	sed 's/^/# /' "$work/out"
}
damage() { # FILE OFFSET
	cp "$1" "$work/good"
	printf '\377' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
mend() { cp "$work/good" "$1"; }
repository=$work/repository
export VRMS_BACKUP_REPOSITORY="$repository"

truncate -s 1M "$work/vda.raw"
printf 'data' | dd of="$work/vda.raw" conv=notrunc status=none
mkdir "$work/out.d"

refused "No such file" "$backup" list
mkdir "$repository"
refused "not a backup repository" "$backup" list
"$backup" init >/dev/null
refused "already a repository" "$backup" init
echo "words" >"$work/notes"
"$backup" take vm1 --image "vda=$work/vda.raw" --file "notes=$work/notes" >/dev/null

# Names.
refused "no backup of VM 'vm2'" "$backup" restore vm2 --output "$work/out.d"
refused "no point 'vm1@7'" "$backup" restore vm1@7 --output "$work/out.d"
refused "names no point" "$backup" show vm1@x
refused "no disk 'vdz'" "$backup" restore vm1 --disk "vdz=$work/out.d/x"
refused "where to" "$backup" restore vm1
refused "no 'domain.xml'" "$backup" boot vm1 --output "$work/out.d" --connect test:///default
refused "no 'domain.xml'" "$backup" test-restore vm1 --connect test:///default
refused "knows no VM 'vm9'" "$backup" take vm9 --connect test:///default
refused "No such file" "$backup" take vm1 --image "vda=$work/none.raw"
refused "unknown mode" "$backup" take vm1 --mode some --image "vda=$work/vda.raw"
refused "not with --image" "$backup" take vm1 --image "vda=$work/vda.raw" --exclude vdb
refused "disk 'vda' twice" "$backup" take vm1 --image "vda=$work/vda.raw" --image "vda=$work/vda.raw"

# Targets.
printf 'old' >"$work/out.d/there"
refused "exists; --overwrite" "$backup" restore vm1 --disk "vda=$work/out.d/there"
refused "exists; --overwrite" "$backup" restore vm1 --disk "notes=$work/out.d/there"
refused "No such file" "$backup" restore vm1 --disk "vda=$work/none.d/x"
if unshare --mount mount -t tmpfs none "$work/out.d" 2>/dev/null; then # a read-only file system, and one that is too small
	refused_on() { # PART OPTIONS-OF-MOUNT
		refused "$1" unshare --mount sh -c 'mount -t tmpfs -o "$1" none "$2/out.d" && exec "$3" restore vm1 --disk "vda=$2/out.d/x" --format raw' sh "$2" "$work" "$backup"
	}
	refused_on "Read-only file system" ro
	refused_on "1 MiB are needed, 0 MiB are free (--force" size=16k
	# Zeros need no room, and --force tries.
	unshare --mount sh -c 'mount -t tmpfs -o size=512k none "$1/out.d" && exec "$2" restore vm1 --disk "vda=$1/out.d/x" --format raw' sh "$work" "$backup" >/dev/null ||
		fail "a sparse image is refused"
	refused "No space left" unshare --mount sh -c 'mount -t tmpfs -o size=16k none "$1/out.d" && exec "$2" restore vm1 --disk "vda=$1/out.d/x" --format raw --force' sh "$work" "$backup"
fi
mkfifo "$work/pipe"
refused "neither a file nor a block device" "$backup" restore vm1 --disk "vda=$work/pipe" --overwrite
if command -v nbdkit >/dev/null; then
	refused_nbd() { # PART NBDKIT-ARGUMENTS...: of a target that nbdkit serves
		part=$1
		shift
		rm -f "$work/nbd"
		nbdkit --exit-with-parent -f -U "$work/nbd" "$@" &
		server=$!
		for _ in $(seq 100); do
			[ -S "$work/nbd" ] && break
			sleep 0.05
		done
		refused "$part" "$backup" restore vm1 --disk "vda=nbd+unix:///?socket=$work/nbd"
		kill "$server"
		wait "$server" 2>/dev/null || :
	}
	refused_nbd "are needed" memory 512K
	refused_nbd "read-only" -r memory 2M
fi

# Damage.
damage "$repository/points/vm1/0000000001" 60
refused "points/vm1/0000000001" "$backup" restore vm1@1 --output "$work/out.d"
mend "$repository/points/vm1/0000000001"
damage "$repository/repository" 8
refused "damaged document header" "$backup" list
mend "$repository/repository"
damage "$repository/repository" 100
refused "repository" "$backup" list
mend "$repository/repository"

# A later version: of documents, and of the repository; checksums and all.
cp "$repository/repository" "$work/good"
echo VlJNU0RPQwoCAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACAAAAAAAAABZccCfhzUkTxzlTdjDL9tR7fQ== |
	base64 -d >"$repository/repository"
refused "document of format version 2, this program reads 1" "$backup" list
refused "document of format version 2" "$backup" take vm1 --image "vda=$work/vda.raw"
base64 -d >"$repository/repository" <<-END
	VlJNU0RPQwoBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAC6AAAAAAAAAP6jtS3FjKS+t+A+xHtWOD97ImZvcm1hdCI6InZy
	bXMtYmFja3VwIiwidmVyc2lvbiI6MiwiaWQiOiJlZjZmMTA1YTRlMzZkYjMxZTAzOGNjNjAyYTA5MDQ0YSIsImJsb2Nr
	X2J5dGVzIjo2NTUzNiwicGFja19ieXRlcyI6MjY4NDM1NDU2LCJoYXNoIjoic2hhMjU2IiwiY29tcHJlc3Npb24iOiJ6
	c3RkIiwibGV2ZWwiOjEsImVuY3J5cHRpb24iOiJub25lIn0=
END
refused "'vrms-backup' version 2, this program reads" "$backup" list
refused "'vrms-backup' version 2" "$backup" take vm1 --image "vda=$work/vda.raw"
mend "$repository/repository"
"$backup" list >/dev/null || fail "the repository of our version is not read any more"

# Keys.
printf 'right' >"$work/key"
printf 'wrong' >"$work/key2"
VRMS_BACKUP_REPOSITORY="$work/sealed"
refused "no key" "$backup" init --encrypt
"$backup" init --encrypt --key-file "$work/key" >/dev/null
refused "a key is needed" "$backup" list
refused "wrong key\|key is wrong\|not the key" "$backup" list --key-file "$work/key2"
refused "ended with 3" "$backup" list --key-command 'exit 3'
refused "No such file" "$backup" list --key-file "$work/nokey"
echo "all refused"
