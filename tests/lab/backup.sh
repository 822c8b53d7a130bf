#!/bin/bash
# backup.sh - backups of a running VM that moves, dies and is restored, on two hosts.
#
# The guest's own disk is raw and counts on while it is backed up.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lab/backup-vm.sh
. "$(dirname "$0")/backup-vm.sh"

set_up() {
	lab vm add bk --files-only
	add_data_disk
	vm_exec virsh -q create /srv/vm/bk.xml
	wait_until 60 "the guest counts" counts bk 1
	backup init
}

modes() {
	change "write -P 7 10M 20M"
	take full
	taken_as "full, read"
	change "write -P 9 100M 1M" "discard 12M 2M"
	take incremental
	taken_as "incremental, read"
	change "write -P 10 50M 1M" "write -P 11 100M 64k"
	take differential
	taken_as "differential, read"
	change "write -P 12 200M 512k"
	take auto
	taken_as "incremental, read"
	contains "how the raw disk was taken" "$words" "vda: full (the image's format keeps no bitmap"
	last_point_restores
}

killed() {
	local pid
	# Far from what the bitmap of the run to be killed will hold: its loss would be seen.
	change "write -P 20 30M 8M"
	(trap - ERR; backup take bk --mode incremental --rate 1M >/dev/null 2>&1) &
	wait_until 30 "the backup's job runs" job_runs
	change "write -P 21 60M 2M"
	pid=$(vm_exec pgrep -f 'vrms-backup take bk' | tail -n 1)
	vm_exec kill -KILL "$pid"
	wait || :
	(wait_until 60 "its guard has put the VM right" nothing_left_quietly) || nothing_left
	take incremental
	taken_as "incremental, read"
	last_point_restores
}
job_runs() { vm_exec virsh -q domjobinfo bk | grep -qi backup; }
nothing_left_quietly() { (nothing_left) >/dev/null; }

ended_by_signal() {
	local pid
	change "write -P 22 40M 8M"
	(trap - ERR; backup take bk --mode incremental --rate 1M >"$DIR/words" 2>&1) &
	wait_until 30 "the backup's job runs" job_runs
	pid=$(vm_exec pgrep -f 'vrms-backup take bk' | head -n 1)
	vm_exec kill -TERM "$pid"
	wait $! && fail "a cancelled backup succeeded"
	say "$(cat "$DIR/words")"
	nothing_left
	take incremental
	taken_as "incremental, read"
	last_point_restores
}

migrated() {
	local count
	change "write -P 30 70M 1M"
	count=$(ticks bk)
	in_node node1 virsh -q migrate --live --unsafe bk qemu+tcp://node2/system
	host=node2
	wait_until 30 "the guest counts on" counts bk "$count"
	change "write -P 31 90M 1M"
	take incremental
	taken_as "incremental, read"
	last_point_restores
}

clean_fail_over() {
	host=node2
	change "write -P 40 110M 1M"
	vm_exec virsh -q destroy bk --graceful
	[ "$(bitmaps)" -le 2 ] || fail "$(bitmaps) bitmaps of ours in the image"
	host=node1
	vm_exec virsh -q create /srv/vm/bk.xml
	change "write -P 41 120M 1M"
	take incremental
	taken_as "incremental, read"
	change "write -P 42 130M 1M"
	take differential
	taken_as "differential, read"
	last_point_restores
}

# In the middle of a backup, whose lock is then nobody's.
power_cut() {
	host=node1
	change "write -P 49 142M 8M"
	(trap - ERR; backup take bk --mode incremental --rate 1M >/dev/null 2>&1) &
	wait_until 30 "the backup's job runs" job_runs
	# Only what the guest has flushed must survive.
	change "write -P 50 140M 1M" flush
	lab power off node1
	wait || :
	host=node2 ASK=node2
	vm_exec virsh -q create /srv/vm/bk.xml
	change "write -P 51 150M 1M"
	take auto --lock-wait 60s
	taken_as "full (the disk has no good bitmap"
	change "write -P 52 160M 1M"
	take auto
	taken_as "incremental, read"
	all_points_restore
	lab power on node1
}

put_back() {
	host=node2
	is_running bk
	refused "a restore of a VM that runs" "is running" backup restore bk@2 --define --overwrite
	refused "a restore over a disk in use" "another process using" \
		backup restore bk@2 --disk vdb=/srv/disk/bk-data.qcow2 --overwrite
	vm_exec virsh -q destroy bk --graceful
	backup restore bk@2 --define --overwrite | sed 's/^/# /'
	cp --sparse=always "$SAN/state.2" "$SAN/expected"
	change_off "write -P 60 180M 1M"
	take auto # of a VM that is off
	taken_as "full (the disk has no good bitmap"
	contains "consistency" "$words" "consistency: offline"
	vm_exec virsh -q start bk
	change "write -P 61 190M 1M"
	take auto
	taken_as "incremental, read"
	last_point_restores
}

# A file system for scratch files that the guest's writes would fill: given up before that.  What
# they overwrite must be data, for zeros take no scratch space; the last steps are small, so that
# one fits when the watch is late.
scratch_fills() {
	local at pid
	host=$(vm_host)
	change "write -P 3 10M 60M"
	vm_exec mkdir -p /run/tiny
	vm_exec mount -t tmpfs -o size=24m tiny /run/tiny
	(trap - ERR; backup take bk --mode full --rate 1M --scratch /run/tiny >"$DIR/words" 2>&1) &
	pid=$!
	wait_until 30 "the backup's job runs" job_runs
	change "write -P 10 10M 8M" "write -P 11 18M 8M"
	for at in $(seq 26624 512 71168); do # KiB
		change "write -P 12 ${at}k 512k"
		is_running bk
		kill -0 "$pid" 2>/dev/null || break
	done
	wait "$pid" && fail "a backup outlived its scratch space"
	say "given up before the guest wrote at $((at / 1024)) MiB: $(cat "$DIR/words")"
	contains "why it was given up" "$(cat "$DIR/words")" "the space for scratch files runs out"
	nothing_left
	same "scratch files left" "" "$(vm_exec ls -A /run/tiny)"
	vm_exec umount /run/tiny
	take incremental
	taken_as "incremental, read"
	last_point_restores
}

nobody_serves() { ! vm_exec pgrep -x nbdkit; }

tried() {
	host=node2
	words=$(backup test-restore bk@2 --scratch /srv --wait-for "VRMS boot" 2>&1) || fail "test-restore: $words"
	say "$words"
	contains "the result" "$words" "bk@2: works"
	words=$(backup test-restore bk@3 --whole --scratch /srv --wait-for "VRMS boot" 2>&1) || fail "test-restore: $words"
	say "$words"
	same "points that are proved" 2 "$(backup list | grep -c "  tested")"
	is_running bk
	if words=$(backup test-restore bk@4 --scratch /srv --wait-for "no such words" --timeout 4s 2>&1); then
		fail "a guest that says nothing passed: $words"
	fi
	say "$words"
	contains "the result" "$words" "bk@4: FAILED"
	contains "the point" "$(backup show bk@4)" "FAILED after"
	refused "a trial with nothing to wait for" "no guest agent" backup test-restore bk@2
	same "VMs left" "bk" "$(vm_exec virsh -q list --all --name | grep .)"
	same "what is left in scratch" "" "$(ls -d "$SAN"/vrms-trial.* 2>/dev/null || :)"
	nobody_serves || fail "nbdkit still serves"
}

reads() { # COMMAND: of qemu-io, through the VM's QEMU
	contains "$1" "$(vm_exec virsh -q qemu-monitor-command bk --hmp \
		"qemu-io -d /machine/peripheral/virtio-disk1/virtio-backend \"$1\"")" "read 1048576/1048576"
}
copies() { vm_exec virsh -q blockjob bk vda --info || vm_exec virsh -q blockjob bk vdb --info; }
booted() {
	local at pid
	host=node2
	refused "booting a VM that runs" "is running" backup boot bk@2 --output /srv/quick
	vm_exec virsh -q destroy bk --graceful
	words=$(backup boot bk@2 --output /srv/quick --no-copy 2>&1) || fail "boot: $words"
	say "$words"
	is_running bk
	wait_until 60 "the guest has booted and counts" console_shows_more bk 2
	refused "a prune under a VM that reads" "serving bk@2" backup prune --keep-last 1
	# Who has started it has gone; what the guest never touched is read all the same.
	reads "read -P 7 15M 1M"
	reads "read -P 9 100M 1M"
	is_running bk
	vm_exec virsh -q destroy bk
	wait_until 20 "the server has ended with its last client" nobody_serves
	rm -r "$SAN/quick"

	# Killed while it copies: QEMU goes on by itself, and the server until then.
	(trap - ERR; backup boot bk@4 --output /srv/quick --rate 8M >"$DIR/words" 2>&1) &
	wait_until 60 "QEMU copies" copies
	pid=$(vm_exec pgrep -f 'vrms-backup boot bk' | tail -n 1)
	vm_exec kill -KILL "$pid"
	wait || :
	reads "read -P 10 50M 1M"
	is_running bk
	wait_until 120 "the server has ended with its last client" nobody_serves
	is_running bk
	vm_exec virsh -q destroy bk
	rm -r "$SAN/quick"

	words=$(backup boot bk@4 --output /srv/quick 2>&1) || fail "boot: $words"
	printf '%s\n' "$words" | sed 's/^/# /'
	contains "the copy" "$words" "vdb: copied"
	wait_until 20 "the server has ended with its last client" nobody_serves
	at=$(console_ticks bk)
	wait_until 60 "the guest counts on without the repository" console_shows_more bk "$at"
	vm_exec virsh -q destroy bk --graceful
	same "what it still stands on" null "$(qemu-img info --output=json "$SAN/quick/bk-vdb.qcow2" |
		jq -r '."backing-filename"')"
	qemu-img compare -q -f qcow2 -F raw "$SAN/quick/bk-vdb.qcow2" "$SAN/state.4" ||
		fail "the disk that was copied differs"
	vm_exec virsh -q start bk
}

strangers() {
	host=node2
	vm_exec virsh -q checkpoint-create-as bk theirs --diskspec vda,checkpoint=no \
		--diskspec vdb,checkpoint=bitmap >/dev/null
	words=$(backup take bk --mode auto 2>&1) || fail "take beside a stranger's checkpoint: $words"
	printf '%s\n' "$words" | sed 's/^/# /'
	words=$(backup take bk --mode incremental 2>&1) || fail "take beside a stranger's checkpoint: $words"
	taken_as "incremental, read"
	same "checkpoints" theirs "$(vm_exec virsh -q checkpoint-list bk --name | grep .)"
	vm_exec virsh -q checkpoint-delete bk theirs
}

copied() {
	host=node2
	backup restore bk@4 --define --name copy --output /srv/copy --format qcow2 | sed 's/^/# /'
	differs "its UUID" "$(vm_exec virsh -q domuuid bk)" "$(vm_exec virsh -q domuuid copy)"
	qemu-img compare -q -f qcow2 -F raw "$SAN/copy/copy-vdb.qcow2" "$SAN/state.4" ||
		fail "the copy's disk differs"
	vm_exec virsh -q start copy
	is_running copy
	is_running bk
	vm_exec virsh -q destroy copy
	vm_exec virsh -q undefine copy
	# Nothing of ours that libvirt knows is in the way of an undefine.
	vm_exec virsh -q destroy bk
	vm_exec virsh -q undefine bk
}

# Firmware variables, the TPM's state and a disk that is a block device.
firmware() {
	local loop uuid tpm try before
	host=node2
	[ -e /usr/share/OVMF/OVMF_VARS_4M.fd ] || { say "no OVMF (Debian package: ovmf)"; exit 77; }
	lab vm add fw --files-only
	loop=$(losetup --find --show "$SAN/disk/fw.raw") || { say "no block device to be had"; exit 77; }
	trap "losetup -d $loop" EXIT # now: it is this function's
	vm_exec test -b "$loop" || { say "the node does not see $loop"; exit 77; }
	sed -i -e 's|<type arch="x86_64" machine="pc">hvm</type>|<type arch="x86_64" machine="q35">hvm</type><loader readonly="yes" type="pflash">/usr/share/OVMF/OVMF_CODE_4M.fd</loader><nvram template="/usr/share/OVMF/OVMF_VARS_4M.fd">/srv/disk/fw.nvram</nvram>|' \
		-e '/<disk type=/s|type="file"|type="block"|' -e "s|<source file=\"/srv/disk/fw.raw\"|<source dev=\"$loop\"|" \
		-e '/<memory /s|>[0-9]*<|>256<|' -e '/<watchdog/d; /<panic/d; /controller type="usb"/d' "$SAN/vm/fw.xml"
	vm_exec virsh -q define /srv/vm/fw.xml
	vm_exec virsh -q start fw
	wait_until 90 "the firmware has written its variables" firmware_wrote
	words=$(backup take fw 2>&1) || fail "take: $words"
	printf '%s\n' "$words" | sed 's/^/# /'
	contains "how the device was taken" "$words" "vda: full"
	contains "what was saved" "$(backup show fw)" "file nvram"
	vm_exec virsh -q destroy fw
	backup restore fw --disk vda=/srv/fw.back --format raw >/dev/null
	cmp "$SAN/fw.back" "$SAN/disk/fw.raw" || fail "the device's content differs"

	# Running, with a TPM that the firmware fills.
	command -v swtpm swtpm_setup >/dev/null || { say "no TPM (Debian packages: swtpm, swtpm-tools)"; exit 77; }
	vm_exec virsh -q dumpxml --inactive fw | sed 's|</devices>|<tpm model="tpm-crb"><backend type="emulator" version="2.0"/></tpm></devices>|' >"$SAN/vm/fw.xml"
	vm_exec virsh -q define /srv/vm/fw.xml
	uuid=$(vm_exec virsh -q domuuid fw | head -n 1)
	tpm=/var/lib/libvirt/swtpm/$uuid/tpm2
	vm_exec virsh -q start fw
	wait_until 90 "the TPM has a state" vm_exec test -s "$tpm/tpm2-00.permall"
	for try in 1 2 3 4 5; do # while it changes nothing can be compared
		before=$(vm_exec cksum "$tpm/tpm2-00.permall")
		words=$(backup take fw 2>&1) || fail "take: $words"
		[ "$(vm_exec cksum "$tpm/tpm2-00.permall")" != "$before" ] || break
	done
	contains "what was saved" "$(backup show fw)" "file tpm"
	rm -f "$SAN/fw.back"
	backup restore fw --disk tpm=/srv/fw.tpm --overwrite >/dev/null
	vm_exec cmp "$tpm/tpm2-00.permall" /srv/fw.tpm || fail "the running TPM's state differs, try $try"
	backup restore fw --disk vda=/srv/fw.back --format raw >/dev/null
	vm_exec virsh -q destroy fw
	# Off, with a TPM that somebody else has filled.
	vm_exec sh -c "head -c 5000 /dev/urandom >$tpm/tpm2-00.permall; cp $tpm/tpm2-00.permall /srv/fw.tpm"
	cp "$SAN/disk/fw.nvram" "$SAN/fw.nvram"
	words=$(backup take fw 2>&1) || fail "take: $words"
	contains "what was saved" "$(backup show fw)" "file tpm"
	vm_exec rm -r "/var/lib/libvirt/swtpm/$uuid"
	vm_exec virsh -q undefine fw --nvram
	dd if=/dev/zero of="$SAN/disk/fw.raw" bs=64k count=4 conv=notrunc,fsync status=none
	backup restore fw --define --overwrite | sed 's/^/# /'
	cmp "$SAN/fw.back" "$SAN/disk/fw.raw" || fail "the device was not put back"
	cmp "$SAN/fw.nvram" "$SAN/disk/fw.nvram" || fail "the firmware's variables differ"
	vm_exec cmp "$tpm/tpm2-00.permall" /srv/fw.tpm || fail "the TPM's state differs"
	same "its UUID" "$uuid" "$(vm_exec virsh -q domuuid fw | head -n 1)"
	vm_exec virsh -q undefine fw --nvram
}
firmware_wrote() { ! cmp -s /usr/share/OVMF/OVMF_VARS_4M.fd "$SAN/disk/fw.nvram"; }

lab_up -n 2
run_case set_up "a VM with a raw and a qcow2 disk runs"
run_case modes "full, incremental, differential and auto of a running guest"
run_case killed "kill -9 in an incremental: nothing stays, the next incremental is right"
run_case ended_by_signal "a cancelled backup leaves nothing"
host=node1 run_case migrated "incremental after a live migration"
run_case clean_fail_over "incremental after a clean stop and a start on the other host"
run_case power_cut "a power cut: full with the reason, storing only changes, then incremental again"
run_case put_back "a VM is put back where it was: never while it runs; its chain starts anew"
run_case scratch_fills "scratch space runs out: the backup is given up, the guest never stands still"
run_case tried "a point is proved by a VM that comes up, beside the one that runs; the result is kept"
run_case booted "a VM runs from the repository at once, and is copied back while it runs"
run_case strangers "a checkpoint of somebody else is left alone and in nobody's way"
run_case copied "a point becomes another VM beside the first; libvirt undefines both"
run_case firmware "firmware variables, the TPM's state and a block device come back"
finish
