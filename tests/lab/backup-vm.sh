# backup-vm.sh - what the tests of backups share: a VM "bk" whose data disk vdb is known.
#
# What that disk must hold is kept beside it in a raw file that gets the same writes.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

host=node1 # where the VM is
vm_exec() { in_node "$host" "$@"; }
backup() { vm_exec env VRMS_BACKUP_REPOSITORY=/srv/repository vrms-backup "$@"; }

is_running() { # VM; else with what can say why
	local state
	state=$(vm_exec virsh -q domstate "$1" --reason)
	case $state in
	running*) return ;;
	esac
	vm_exec virsh domblkerror "$1" | sed 's/^/# /' || :
	vm_exec sh -c 'pgrep -a nbdkit; ls -l /run/vrms-backup* /srv/repository/locks' | sed 's/^/# /' || :
	vm_exec tail -n 5 "/var/log/libvirt/qemu/$1.log" | sed 's/^/# /' || :
	fail "VM $1: $state"
}
vm_host() { vm_absent_from bk node1 && echo node2 || echo node1; }

add_data_disk() { # to the VM's XML file, and what it must hold
	qemu-img create -q -f qcow2 "$SAN/disk/bk-data.qcow2" 256M
	truncate -s 256M "$SAN/expected"
	sed -i 's|^  <serial type="file">|  <disk type="file" device="disk"><driver name="qemu" type="qcow2" cache="none" discard="unmap"/><source file="/srv/disk/bk-data.qcow2"/><target dev="vdb" bus="virtio"/></disk>\n&|' "$SAN/vm/bk.xml"
}
# change COMMAND...: qemu-io commands, through the VM's QEMU and on the file to compare with
change() {
	local command
	for command in "$@"; do
		vm_exec virsh -q qemu-monitor-command bk --hmp \
			"qemu-io -d /machine/peripheral/virtio-disk1/virtio-backend \"$command\"" >/dev/null
		qemu-io -f raw -d unmap -c "${command/discard/write -z}" "$SAN/expected" >/dev/null
	done
}
# take MODE [OPTIONS...]: into $words; keeps what the point must hold
take() {
	local mode=$1 number
	shift
	words=$(backup take bk --mode "$mode" "$@" 2>&1) || fail "take $mode: $words"
	printf '%s\n' "$words" | sed 's/^/# /'
	number=$(printf '%s\n' "$words" | sed -n 's/^bk@\([0-9]*\):.*/\1/p')
	cp --sparse=always "$SAN/expected" "$SAN/state.$number"
	nothing_left
}
taken_as() { contains "how vdb was taken" "$words" "vdb: $1"; } # MODE...
nothing_left() {
	same "jobs left" "" "$(vm_exec virsh -q domjobinfo bk | grep -i backup || :)"
	same "checkpoints left" "" "$(vm_exec virsh -q checkpoint-list bk)"
	same "sockets left" "" "$(vm_exec sh -c 'ls -d /run/vrms-backup.* 2>/dev/null || :')"
	same "scratch files left" "" "$(ls -A "$SAN/disk" | grep scratch || :)"
}
restores() { # NUMBER
	backup restore "bk@$1" --disk vdb=/srv/new.raw --format raw --overwrite >/dev/null ||
		fail "point $1 does not restore"
	cmp "$SAN/new.raw" "$SAN/state.$1" || fail "point $1 differs"
}
last_point_restores() {
	restores "$(ls "$SAN"/state.* | sed 's/.*\.//' | sort -n | tail -n 1)"
}
all_points_restore() {
	local state
	for state in "$SAN"/state.*; do
		restores "${state##*.}"
	done
	say "$(ls "$SAN"/state.* | wc -l) points restored and compared"
}
bitmaps() { # of ours in the image, of a VM that is off
	qemu-img info --output=json "$SAN/disk/bk-data.qcow2" |
		jq -r '."format-specific".data.bitmaps // [] | .[].name | select(startswith("vrms-"))' | wc -l
}
change_off() { # the same for a VM that is off
	qemu-io -f qcow2 -c "$1" "$SAN/disk/bk-data.qcow2" >/dev/null
	qemu-io -f raw -c "$1" "$SAN/expected" >/dev/null
}
refused() { # WHAT PART COMMAND...
	local what=$1 part=$2
	shift 2
	if words=$("$@" 2>&1); then
		fail "$what was not refused: $words"
	fi
	say "$words"
	contains "why $what was refused" "$words" "$part"
}
