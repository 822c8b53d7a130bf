#!/bin/bash
# backup.sh - what backups and restores of one disk cost: ours beside virtnbdbackup, nbdcopy, qemu-img and dd, of
# the same running VM in turns.
# usage: backup.sh [--rounds N] [--size MIB] [--json]   (set by "make bench": VRMS_LAB_STAGE, VRMS_BENCH_DIR)
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lab/lib.sh"
: "${VRMS_BENCH_DIR:?is not set; run \"make bench\"}"
LAB=${LAB/#check-/bench-} DIR=/var/lib/vrms-lab/${LAB/#check-/bench-} # the lab test has the same name

rounds=5 size=2048 dirty=200 json=""
usage() {
	sed -n 's/^# usage: /usage: /p' "$0" >&2
	exit 2
}
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) rounds=$2; shift ;;
	--size) size=$2; shift ;;
	--json) json=yes ;;
	*) usage ;;
	esac
	shift
done
for program in virtnbdbackup virtnbdrestore nbdcopy qemu-img qemu-nbd; do
	command -v "$program" >/dev/null || { echo "no $program (Debian: virtnbdbackup libnbd-bin qemu-utils)" >&2; exit 1; }
done
results=$(mktemp) figures=$(mktemp)
reported=""
end() { # also when its time is up: with what there is
	[ -n "$reported" ] || [ ! -s "$results" ] || report
	rm -f "$results" "$figures"
	take_down >&2
}
trap end EXIT
give_up() { echo "backup.sh: $*" >&2; exit 1; }
node() { in_node node1 "$@"; }

# cost CASE PROGRAM...: in the node; with QEMU's CPU while it runs
cost() {
	local name=$1 pid=/run/libvirt/qemu/bench.pid words
	shift
	[ -e "$DIR/nodes/node1$pid" ] || node test -e "$pid" || pid=-
	words=$(node /srv/bench/bench_cost "$pid" /srv/bench/log "$@") || {
		tail -n 20 "$SAN/bench/log" >&2
		[ "${name#virtnbd}" != "$name" ] || give_up "$name failed: $*"
		echo "# $round $name FAILED: left out" >&2 # a peer's failure is not ours
		return 0
	}
	echo "$name $round $words" >>"$results"
	echo "# $round $name: $words" >&2
}
ours() { # CASE REPOSITORY COMMAND...
	local name=$1 repository=$2
	shift 2
	cost "$name" env "VRMS_BACKUP_REPOSITORY=/srv/bench/$repository" vrms-backup "$@"
}
bytes_in() { # FOLDER: under the bench folder
	find "$SAN/bench/$1" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%d\n", sum }'
}
figure() { echo "$1 $2" >>"$figures"; } # NAME VALUE

# Half programs and texts of this machine, half random: neither compresses very well nor not at all.
make_data() {
	local half=$((size / 2))
	tar cf - -C / usr/bin usr/lib usr/share 2>/dev/null | head -c "$((half + dirty / 2))M" >"$SAN/bench/stuff" || :
	[ "$(stat -c %s "$SAN/bench/stuff")" = $(((half + dirty / 2) << 20)) ] || give_up "/usr is too small"
	{
		head -c "${half}M" "$SAN/bench/stuff"
		head -c "${half}M" /dev/urandom
	} >"$SAN/bench/content"
	truncate -s 8G "$SAN/bench/base.raw"
	dd if="$SAN/bench/content" of="$SAN/bench/base.raw" bs=1M count="$half" seek=100 conv=notrunc status=none
	dd if="$SAN/bench/content" of="$SAN/bench/base.raw" bs=1M skip="$half" seek=5000 conv=notrunc status=none
	node qemu-img convert -O qcow2 /srv/bench/base.raw /srv/disk/bench-data.qcow2
	rm -f "$SAN/bench/base.raw"
}

# What this round changes: new content, 64 KiB at 64 KiB offsets and pieces of up to 512 KiB, all over the disk.
make_dirt() {
	local half=$((dirty / 2)) at=0 blocks step=0
	{
		tail -c "${half}M" "$SAN/bench/stuff" | tr '\000-\377' "\\00$((round % 7 + 1))-\\377\\000-\\00$((round % 7))"
		head -c "${half}M" /dev/urandom
	} >"$SAN/bench/blob"
	rm -rf "$SAN/bench/pieces"
	mkdir "$SAN/bench/pieces"
	split -b 256K -a 4 -d "$SAN/bench/blob" "$SAN/bench/pieces/"
	for at in "$SAN"/bench/pieces/*; do
		blocks=$((step * 7919 % 31000))
		step=$((step + 1))
		echo "qemu-monitor-command bench --hmp 'qemu-io -d /machine/peripheral/virtio-disk1/virtio-backend \"write -q -s /srv/bench/pieces/${at##*/} $((blocks * 262144)) 256k\"'"
	done >"$SAN/bench/commands"
	# Else QEMU alone knows where it wrote.
	echo "qemu-monitor-command bench --hmp 'qemu-io -d /machine/peripheral/virtio-disk1/virtio-backend flush'" >>"$SAN/bench/commands"
	node sh -c 'virsh -q </srv/bench/commands' >"$SAN/bench/log" 2>&1
	! grep -i 'error\|fail' "$SAN/bench/log" >&2 || give_up "the disk was not changed"
}

vm_stop() { node virsh -q destroy bench >/dev/null 2>&1 || :; }
# Without anybody's checkpoints and bitmaps.
vm_fresh() {
	local bitmap
	vm_stop
	node virsh -q undefine bench --checkpoints-metadata >/dev/null 2>&1 || :
	for bitmap in $(node qemu-img info --output=json /srv/disk/bench-data.qcow2 |
		jq -r '."format-specific".data.bitmaps // [] | .[].name'); do
		node qemu-img bitmap --remove /srv/disk/bench-data.qcow2 "$bitmap"
	done
	node virsh -q define /srv/vm/bench.xml
	node virsh -q start bench
}

limit() { # what hashing and compressing costs two processors, with nothing else to do
	# shellcheck disable=SC2046 # two words
	set -- $("$VRMS_BENCH_DIR/bench_backup_limit" "$SAN/bench/content")
	figure limit-s "$1"
}

to_null() { # what reading alone costs, through the same export
	node sh -c 'echo "<domainbackup mode=\"pull\"><server transport=\"unix\" socket=\"/run/bench.nbd\"/><disks>
		<disk name=\"vda\" backup=\"no\"/><disk name=\"vdb\" backup=\"yes\" type=\"file\" exportname=\"vdb\">
		<scratch file=\"/srv/disk/bench.scratch\"/></disk></disks></domainbackup>" >/run/bench.backup
		virsh -q backup-begin bench /run/bench.backup' >/dev/null
	cost nbdcopy-null nbdcopy 'nbd+unix:///vdb?socket=/run/bench.nbd' null:
	node virsh -q domjobabort bench
}

one_round() {
	local repository peer=(-d bench -i vdb -S /srv/disk -n)
	limit
	vm_fresh
	node sh -c 'cat /srv/disk/bench-data.qcow2 >/dev/null' # in memory, for whoever comes first
	cost dd-direct dd if=/srv/disk/bench-data.qcow2 of=/srv/bench/copy bs=4M oflag=direct conv=fsync
	rm -f "$SAN/bench/copy"
	cost dd-direct-both dd if=/srv/disk/bench-data.qcow2 of=/srv/bench/copy bs=4M iflag=direct oflag=direct conv=fsync
	rm -f "$SAN/bench/copy"
	to_null
	if [ "$round" = 1 ]; then # to have seen them: no goal is about these two
		cost qemu-img-convert qemu-img convert -U -W -O qcow2 /srv/disk/bench-data.qcow2 /srv/bench/copy
		rm -f "$SAN/bench/copy"
		cost virtnbdbackup-full virtnbdbackup -l full "${peer[@]}" -o /srv/bench/peer.plain
	fi
	for repository in none fast plain; do
		case $repository in
		none) set -- --hash xxh3 --compression none ;;
		fast) set -- --fast ;;
		plain) set -- ;;
		esac
		node vrms-backup init --repository "/srv/bench/$repository" "$@" >/dev/null
		ours "full-$repository" "$repository" take bench --mode full
		figure "full-$repository-bytes" "$(bytes_in "$repository")"
		[ "$repository" = plain ] || rm -rf "$SAN/bench/$repository"
	done
	rm -rf "$SAN/bench/peer.plain"
	cost virtnbdbackup-full-z virtnbdbackup -l full -z "${peer[@]}" -o /srv/bench/peer
	figure virtnbdbackup-full-z-bytes "$(bytes_in peer)"

	make_dirt
	local before_peer before_ours
	before_peer=$(bytes_in peer) before_ours=$(bytes_in plain)
	cost virtnbdbackup-inc-z virtnbdbackup -l inc -z "${peer[@]}" -o /srv/bench/peer
	ours incremental plain take bench --mode incremental
	grep -q 'vdb: incremental, read' "$SAN/bench/log" || give_up "not incremental: $(cat "$SAN/bench/log")"
	figure virtnbdbackup-inc-z-bytes $(($(bytes_in peer) - before_peer))
	figure incremental-bytes $(($(bytes_in plain) - before_ours))
	# shellcheck disable=SC2046 # two words
	set -- $("$VRMS_BENCH_DIR/bench_backup_limit" "$SAN/bench/blob")
	figure changed-compressed-bytes "$2"

	mkdir "$SAN/bench/back"
	cost virtnbdrestore virtnbdrestore -a restore -i /srv/bench/peer -o /srv/bench/back -d vdb -n
	[ "$round" != 1 ] || cp --sparse=always "$(find "$SAN/bench/back" -size +1M -type f | head -n 1)" "$SAN/bench/peers"
	rm -rf "$SAN/bench/back"
	ours restore-raw plain restore bench --disk vdb=/srv/bench/back.raw --format raw
	ours restore-qcow2 plain restore bench --disk vdb=/srv/bench/back.qcow2 --format qcow2
	if [ "$round" = 1 ]; then
		node qemu-img compare -U -f qcow2 -F raw /srv/disk/bench-data.qcow2 /srv/bench/back.raw >&2 &&
			node qemu-img compare -U -f qcow2 -F qcow2 /srv/disk/bench-data.qcow2 /srv/bench/back.qcow2 >&2 ||
			give_up "what was restored differs"
	fi
	rm -f "$SAN/bench/back.raw" "$SAN/bench/back.qcow2" "$SAN/bench/peers"

	ours boot plain boot bench --name quick --output /srv/bench/quick --no-copy
	node virsh -q destroy quick
	node virsh -q undefine quick
	rm -rf "$SAN/bench/quick"

	node sh -c 'kill -KILL "$(cat /run/libvirt/qemu/bench.pid)"'
	QUIET=yes wait_until 30 "libvirt knows that the VM is gone" node sh -c '! virsh domstate bench | grep -q running'
	node virsh -q start bench
	before_ours=$(bytes_in plain)
	ours after-a-crash plain take bench
	grep -q 'vdb: full (' "$SAN/bench/log" || give_up "not full: $(cat "$SAN/bench/log")"
	figure after-a-crash-bytes $(($(bytes_in plain) - before_ours))
	rm -rf "$SAN/bench/plain" "$SAN/bench/peer"
}

# A repository of 10,000 points of 1 TB disks, without the disks.
large_repository() {
	local folder round
	folder=$(mktemp -d /var/tmp/bench-backup.XXXXXX)
	"$VRMS_BENCH_DIR/bench_backup_many" make "$folder" 10000 18000000 24000 || give_up "no large repository"
	for round in 1 2 3; do
		# shellcheck disable=SC2046 # two words
		set -- $("$VRMS_BENCH_DIR/bench_backup_many" open "$folder")
		figure large-open-s "$1"
		figure large-open-mib "$2"
		# shellcheck disable=SC2046 # four words
		set -- $("$VRMS_BENCH_DIR/bench_cost" - "$folder/log" "$(dirname "$VRMS_BENCH_DIR")/../vrms-backup" list --repository "$folder")
		[ "$(wc -l <"$folder/log")" = 10001 ] || give_up "list: $(tail -n 1 "$folder/log")"
		figure large-list-s "$1"
		figure large-list-mib "$4"
	done
	rm -rf "$folder"
}

set_up() {
	large_repository
	lab_up -n 1
	lab vm add bench --files-only
	mkdir -p "$SAN/bench"
	cp "$VRMS_BENCH_DIR/bench_cost" "$SAN/bench/"
	make_data
	sed -i 's|^  <serial type="file">|  <disk type="file" device="disk"><driver name="qemu" type="qcow2" cache="none" discard="unmap"/><source file="/srv/disk/bench-data.qcow2"/><target dev="vdb" bus="virtio"/></disk>\n&|' "$SAN/vm/bench.xml"
}

# middle FILE NAME COLUMN: the median
middle() {
	awk -v name="$2" -v column="$3" '$1 == name { print $column }' "$1" | sort -g |
		awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}
of() { middle "$results" "$1" 3; } # NAME: seconds
least() { awk -v name="$1" '$1 == name { print $3 }' "$results" | sort -g | head -n 1; }
value() { middle "$figures" "$1" 2; } # NAME
goal() { # TEXT OURS THEIRS LIMIT [OURS_LEAST THEIRS_LEAST]
	awk -v text="$1" -v a="$2" -v b="$3" -v limit="$4" -v c="${5:-}" -v d="${6:-}" 'BEGIN {
		if (a == "" || b == "" || b == 0) exit
		least = c != "" && d > 0 ? sprintf("%6.2f", c / d) : "      "
		printf "%-62s %6.2f %s  asked: %.2f  %s\n", text, a / b, least, limit, a / b <= limit ? "reached" : "NOT REACHED" }'
}
wall() { # TEXT OURS THEIRS LIMIT: names of cases
	goal "$1" "$(of "$2")" "$(of "$3")" "$4" "$(least "$2")" "$(least "$3")"
}

report() {
	local name
	printf 'one disk of 8 GiB with %s MiB in it, %s MiB of changes; median of %s rounds; CPU with that of QEMU; RSS of the largest process\n\n' \
		"$size" "$dirty" "$rounds"
	printf '%-24s %8s %8s %8s %8s %8s\n' "" "wall s" "least" "CPU s" "RSS MiB" "MiB"
	for name in $(awk '!seen[$1]++ { print $1 }' "$results"); do
		printf '%-24s %8.2f %8.2f %8.2f %8.0f %8s\n' "$name" "$(of "$name")" \
			"$(least "$name")" \
			"$(middle "$results" "$name" 4)" "$(middle "$results" "$name" 6)" \
			"$(v=$(value "$name-bytes"); [ -z "$v" ] || awk -v v="$v" 'BEGIN { printf "%.0f", v / 1048576 }')"
	done
	printf '\nhash and compress alone, two threads, in memory: %.2f s; a full is %.0f %% of that speed\n\n' "$(value limit-s)" \
		"$(awk -v a="$(value limit-s)" -v b="$(of full-plain)" 'BEGIN { print 100 * a / b }')"
	printf '%-62s %6s %6s\n' "wall time" medians least
	wall "full, sha256 + zstd / virtnbdbackup -z" full-plain virtnbdbackup-full-z 0.4
	goal "  its size" "$(value full-plain-bytes)" "$(value virtnbdbackup-full-z-bytes)" 1
	wall "full, --fast / virtnbdbackup -z" full-fast virtnbdbackup-full-z 0.3
	goal "  its size" "$(value full-fast-bytes)" "$(value virtnbdbackup-full-z-bytes)" 1
	wall "full, uncompressed / dd O_DIRECT" full-none dd-direct 1.5
	wall "  / dd O_DIRECT that reads as QEMU does, around the page cache" full-none dd-direct-both 1.5
	wall "incremental / virtnbdbackup -z" incremental virtnbdbackup-inc-z 0.5
	goal "  stored / compressed size of what changed" "$(value incremental-bytes)" "$(value changed-compressed-bytes)" 1.1
	wall "after a crash of QEMU / virtnbdbackup full -z" after-a-crash virtnbdbackup-full-z 0.35
	wall "restore to raw / virtnbdrestore" restore-raw virtnbdrestore 0.5
	wall "restore to raw / dd O_DIRECT" restore-raw dd-direct 4
	wall "restore to qcow2 / virtnbdrestore" restore-qcow2 virtnbdrestore 0.5
	wall "restore to qcow2 / dd O_DIRECT" restore-qcow2 dd-direct 4
	goal "a VM runs from a point, s / 2 s" "$(of boot)" 2 1
	goal "10,000 points listed, s / 1 s" "$(value large-list-s)" 1 1
	goal "index of 18 million blocks in 24,000 packs opened, s / 2 s" "$(value large-open-s)" 2 1
	goal "  memory of both, of 64 MiB" "$(awk '/^large-.*-mib / { print $2 }' "$figures" | sort -g | tail -n 1)" 64 1
	goal "memory, the most of any of ours, of 64 MiB" "$(awk '$1 ~ /^(full-|incremental|after|restore-|boot)/ { print $6 }' "$results" | sort -g | tail -n 1)" 64 1
}

set_up >&2
for round in $(seq "$rounds"); do
	one_round
done
reported=yes
if [ -n "$json" ]; then
	jq -R -n --argjson size "$size" '{size_mib: $size, runs: [inputs | split(" ") |
		{case: .[0], round: (.[1] | tonumber), wall_s: (.[2] | tonumber), cpu_s: (.[3] | tonumber), rss_mib: (.[5] | tonumber)}]}' <"$results"
else
	report
fi
