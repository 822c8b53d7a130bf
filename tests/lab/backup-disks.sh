#!/bin/bash
# backup-disks.sh - what snapshots and other hands do to a disk between two backups, on two hosts:
# the rows of doc/backup-checkpoints.md that need neither a migration nor a power cut; and a disk that
# QEMU itself reaches over the network.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/backup-vm.sh
. "$(dirname "$0")/backup-vm.sh"

start() { vm_exec virsh -q start bk; }
stop() { vm_exec virsh -q destroy bk --graceful; }
on_other_host() { # a VM that is off
	local xml=/srv/vm/moved.xml
	vm_exec sh -c "virsh -q dumpxml --inactive --security-info bk >$xml; virsh -q undefine bk"
	host=$(node_of_others "$host")
	vm_exec virsh -q define "$xml"
}
where() { in_node node1 virsh -q domuuid bk >/dev/null 2>&1 && echo node1 || echo node2; }
took() { # HOW: the next auto backup; what it restores to is what must be there
	take auto
	taken_as "$1"
	last_point_restores
}
remember() { cp --sparse=always "$SAN/expected" "$SAN/remembered"; }
recall() { cp --sparse=always "$SAN/remembered" "$SAN/expected"; }
seen() { "$@" 2>&1 | sed 's/^/# /' || :; } # what is tried may fail: the case says what follows

# All disks are qcow2, for an internal snapshot needs that.
set_up() {
	lab vm add bk --files-only
	add_data_disk
	qemu-img convert -f raw -O qcow2 "$SAN/disk/bk.raw" "$SAN/disk/bk.qcow2"
	sed -i 's|type="raw" cache="none"|type="qcow2" cache="none"|; s|/srv/disk/bk.raw|/srv/disk/bk.qcow2|' "$SAN/vm/bk.xml"
	vm_exec virsh -q define /srv/vm/bk.xml
	start
	wait_until 60 "the guest counts" console_shows_more bk 1
	backup init
	change "write -P 7 10M 20M"
	take full
}

larger_and_smaller() {
	stop
	qemu-img resize -q "$SAN/disk/bk-data.qcow2" 320M
	truncate -s 320M "$SAN/expected"
	start
	change "write -P 8 300M 2M"
	took "incremental, read"
	stop
	qemu-img resize -q --shrink "$SAN/disk/bk-data.qcow2" 256M
	truncate -s 256M "$SAN/expected"
	start
	change "write -P 9 40M 1M"
	took "full (the disk became smaller"
	change "write -P 10 42M 1M"
	took "incremental, read"
}

older_copy() {
	stop
	remember
	cp --sparse=always "$SAN/disk/bk-data.qcow2" "$SAN/disk/older.qcow2"
	start
	change "write -P 11 50M 4M"
	took "incremental, read"
	stop
	mv "$SAN/disk/older.qcow2" "$SAN/disk/bk-data.qcow2"
	recall
	on_other_host
	start
	change "write -P 12 60M 1M"
	took "full (the disk has no good bitmap"
}

deleted() {
	local name
	stop
	for name in $(qemu-img info --output=json "$SAN/disk/bk-data.qcow2" |
		jq -r '."format-specific".data.bitmaps[].name'); do
		qemu-img bitmap --remove -f qcow2 "$SAN/disk/bk-data.qcow2" "$name"
	done
	start
	change "write -P 13 62M 1M"
	took "full (the disk has no good bitmap"
}

internal() {
	change "write -P 14 64M 1M"
	vm_exec virsh -q snapshot-create-as bk inside >/dev/null
	remember
	change "write -P 15 66M 1M"
	took "incremental, read"
}

# QEMU refuses, and libvirt leaves the VM off; nothing is taken for what it is not.
internal_reverted() {
	change "write -P 16 68M 1M" flush
	seen vm_exec virsh -q snapshot-revert bk inside
	say "the VM is $(vm_exec virsh -q domstate bk --reason), good bitmaps of ours: $(good_bitmaps)"
	[ "$(vm_exec virsh -q domstate bk)" = running ] || start
	took "full (the disk has no good bitmap"
}
good_bitmaps() {
	qemu-img info -U --output=json "$SAN/disk/bk-data.qcow2" |
		jq '[."format-specific".data.bitmaps // [] | .[] | select(.flags | index("in-use") | not)] | length'
}

released() {
	change "write -P 17 70M 1M"
	backup release bk | sed 's/^/# /'
	vm_exec virsh -q snapshot-revert bk inside
	recall
	is_running bk
	change "write -P 18 72M 1M"
	took "full (the disk has no good bitmap"
	change "write -P 19 74M 1M"
	took "incremental, read"
	vm_exec virsh -q snapshot-delete bk inside
	change "write -P 20 76M 1M"
	took "incremental, read"
}

snapshot_outside() {
	remember
	vm_exec sh -c 'virsh -q dumpxml --inactive --security-info bk >/srv/vm/before.xml'
	vm_exec virsh -q snapshot-create-as bk outside --disk-only --no-metadata \
		--diskspec vda,snapshot=no --diskspec vdb,file=/srv/disk/over.qcow2 >/dev/null
}
throw_away() { # the overlay
	stop
	vm_exec virsh -q define /srv/vm/before.xml
	rm "$SAN/disk/over.qcow2"
	recall
	on_other_host
	start
}

external() {
	change "write -P 21 78M 1M"
	snapshot_outside
	change "write -P 22 80M 1M"
	throw_away
	change "write -P 23 82M 1M"
	took "incremental, read"
}

external_backed_up() {
	change "write -P 24 84M 1M"
	snapshot_outside
	change "write -P 25 86M 1M"
	took "incremental, read"
	throw_away
	change "write -P 26 88M 1M"
	took "full (the disk has no good bitmap"
}

external_committed() {
	change "write -P 27 90M 1M"
	snapshot_outside
	change "write -P 28 92M 1M"
	took "incremental, read"
	change "write -P 29 94M 1M"
	vm_exec virsh -q blockcommit bk vdb --active --pivot >/dev/null
	rm "$SAN/disk/over.qcow2"
	change "write -P 30 96M 1M"
	took "incremental, read"
}

saved() {
	vm_exec virsh -q managedsave bk >/dev/null
	start
	change "write -P 31 98M 1M"
	took "incremental, read"
}

job_runs() { vm_exec virsh -q domjobinfo bk | grep -qi backup; }
slow_backup() { # in the background; what it said is in $DIR/words
	change "write -P 32 100M 6M"
	(trap - ERR; backup take bk --rate 1M >"$DIR/words" 2>&1) &
	wait_until 30 "the backup's job runs" job_runs
}
powered_off() {
	slow_backup
	vm_exec virsh -q shutdown bk
	wait $! && fail "a backup of a VM that ended succeeded: $(cat "$DIR/words")"
	say "$(cat "$DIR/words")"
	wait_until 30 "the VM is off" is_off
	start
	change "write -P 33 108M 1M"
	took "incremental, read"
}
is_off() { [ "$(vm_exec virsh -q domstate bk)" = "shut off" ]; }

libvirtd_killed() {
	slow_backup
	vm_exec pkill -KILL -x libvirtd
	start_libvirtd "$host"
	wait $! || fail "the backup: $(cat "$DIR/words")"
	say "$(cat "$DIR/words")"
	contains "what comes of it" "$(cat "$DIR/words")" "the next backup reads the disks in full and stores only changes"
	wait_until 60 "what it left is put right" nothing_left_quietly
	change "write -P 34 110M 1M"
	# The guard, which cannot know that the point was kept, has removed its bitmap.
	took "full (the disk has no good bitmap"
	took "incremental, read"
}
nothing_left_quietly() { (nothing_left) >/dev/null; }

# Its newest bitmap was only in memory.
qemu_killed() {
	change "write -P 35 112M 1M"
	take full
	change "write -P 36 114M 1M" flush
	vm_exec sh -c 'kill -KILL "$(cat /run/libvirt/qemu/bk.pid)"'
	wait_until 30 "the VM is off" is_off
	start
	took "full (the disk has no good bitmap"
	took "incremental, read"
}

all_of_them() { all_points_restore; }

LUN=iscsi://127.0.0.1:3261/iqn.2026-01.local.test:far/1
target() { vm_exec tgtadm -C 7 --lld iscsi "$@"; }
guest_writes() { # COMMAND: of qemu-io
	vm_exec virsh -q qemu-monitor-command far --hmp \
		"qemu-io -d /machine/peripheral/virtio-disk1/virtio-backend \"$1\"" >/dev/null
}
on_the_network() {
	for program in tgtd tgtadm; do
		vm_exec sh -c "command -v $program" >/dev/null || { say "no $program (Debian package: tgt)"; exit 77; }
	done
	vm_exec sh -c 'setsid tgtd -f -C 7 --iscsi portal=127.0.0.1:3261 >/run/tgtd.log 2>&1 &'
	wait_until 20 "tgtd answers" target --mode sys --op show
	truncate -s 64M "$SAN/disk/lun.img"
	target --mode target --op new --tid 1 -T iqn.2026-01.local.test:far
	target --mode target --op bind --tid 1 -I ALL
	target --mode logicalunit --op new --tid 1 --lun 1 -b /srv/disk/lun.img
	lab vm add far --files-only
	sed -i 's|^  <serial type="file">|  <disk type="network" device="disk"><driver name="qemu" type="raw" cache="none"/><source protocol="iscsi" name="iqn.2026-01.local.test:far/1"><host name="127.0.0.1" port="3261"/></source><target dev="vdb" bus="virtio"/></disk>\n&|' "$SAN/vm/far.xml"
	vm_exec virsh -q define /srv/vm/far.xml
	vm_exec virsh -q start far

	guest_writes "write -P 5 1M 4M"
	words=$(backup take far 2>&1) || fail "take: $words"
	taken_as full
	guest_writes "write -P 6 8M 1M"
	guest_writes flush
	words=$(backup take far 2>&1) || fail "take: $words"
	taken_as "full (the image's format keeps no bitmap"
	cp --sparse=always "$SAN/disk/lun.img" "$SAN/state.lun"
	refused "a restore over a disk in use" "is running" backup restore far --disk "vdb=$LUN" --overwrite

	vm_exec virsh -q destroy far
	words=$(backup take far 2>&1) || fail "take of a VM that is off: $words"
	printf '%s\n' "$words" | sed 's/^/# /'
	contains "consistency" "$words" "consistency: offline"
	refused "a restore over what is there" "exists; --overwrite" backup restore far --disk "vdb=$LUN"
	for point in 2 3; do
		dd if=/dev/zero of="$SAN/disk/lun.img" bs=1M count=16 conv=notrunc status=none
		vm_exec virsh -q undefine far
		backup restore "far@$point" --define --overwrite | sed 's/^/# /'
		cmp "$SAN/disk/lun.img" "$SAN/state.lun" || fail "the LUN differs after point $point"
	done
	refused "to a stranger's disk" "where they were" backup restore far --define --name other --output /srv/other --disk vda --disk "vdb=$LUN"
	vm_exec virsh -q start far
	is_running far
	vm_exec virsh -q destroy far
	vm_exec virsh -q undefine far
}

lab_up -n 2
run_case set_up "a VM with two qcow2 disks runs"
host=$(where) run_case larger_and_smaller "a disk that grew: incremental; one that shrank: full with the reason"
host=$(where) run_case older_copy "an older copy of the image in its place: full with the reason"
host=$(where) run_case deleted "somebody removed the bitmaps: full with the reason"
host=$(where) run_case internal "an internal snapshot is in nobody's way"
host=$(where) run_case internal_reverted "reverting one while our bitmaps are there: full with the reason"
host=$(where) run_case released "released, then reverted: full with the reason, then incremental again"
host=$(where) run_case external "an external snapshot thrown away: incremental"
host=$(where) run_case external_backed_up "thrown away after a backup of it: full with the reason"
host=$(where) run_case external_committed "committed back: incremental"
host=$(where) run_case saved "managed save and start: incremental"
host=$(where) run_case powered_off "the guest powers off in a backup: that one fails, then incremental"
host=$(where) run_case libvirtd_killed "libvirtd is killed in a backup: the point is kept, the next is full, then incremental"
host=$(where) run_case qemu_killed "QEMU is killed before it stored a bitmap: full with the reason"
run_case all_of_them "every point restores what was there at its moment"
run_case on_the_network "a disk on iSCSI is taken from a VM that runs and one that is off, and put back"
finish
