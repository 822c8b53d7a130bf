#!/bin/bash
# backup-policy.sh - scheduled backups in a cluster: one node takes each, where the VM is; and a
# restore that does not fight with Pacemaker.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

CONFIG=/srv/backup.conf
NODES="node1 node2 node3" # that are up
backup() { in_node "$ASK" env VRMS_BACKUP_REPOSITORY=/srv/repository vrms-backup "$@"; }
points() { backup list bk --json | jq length; }
last_of() { backup list bk --json | jq -r ".[-1].$1"; } # FIELD
configure() { # LINES...: of the VM
	cat >"$SAN/backup.conf" <<-END
		repository = /srv/repository
		[vm bk]
		full = yearly
	END
	printf '%s\n' "$@" >>"$SAN/backup.conf"
}
# All nodes at once, as their timers would; what they said is in $DIR/words.NODE.
run_everywhere() {
	local node pids=()
	for node in $NODES; do
		(trap - ERR; in_node "$node" vrms-backup schedule run --config "$CONFIG" --lock-wait 60s \
			>"$DIR/words.$node" 2>&1) &
		pids+=($!)
	done
	for node in "${pids[@]}"; do
		wait "$node" || fail "schedule run failed: $(cat "$DIR"/words.*)"
	done
	for node in $NODES; do
		sed "s/^/# $node: /" "$DIR/words.$node"
	done
}
took_once() { # EXPECTED_POINTS NODE
	same "points" "$1" "$(points)"
	same "who took it" "$2" "$(last_of host)"
}
next_slot() { # until the incremental's next time has come
	local before
	before=$(backup schedule next --config "$CONFIG" --json | jq -r '.[0].next_s')
	while [ "$(date +%s)" -le "$before" ]; do
		sleep 0.5
	done
}

set_up() {
	# A disk that takes a while to restore.
	loose_vm bk
	cp "$SAN/disk/bk.raw" "$SAN/disk/big.raw"
	lab vm remove bk
	dd if=/dev/urandom bs=1M count=160 status=none >>"$SAN/disk/big.raw"
	lab vm add bk --disk /srv/disk/big.raw
	ln -sf big.raw "$SAN/disk/bk.raw" # where its record is looked for
	wait_until 60 "the guest counts" counts bk 1
	wait_until 30 "Pacemaker agrees" vm_is bk "" Started
	backup init
	configure 'incremental = *:*:0/20'
}

one_node() {
	local node
	node=$(vm_node bk)
	run_everywhere
	took_once 1 "$node"
	same "asked for" full "$(last_of mode)"
	contains "what vrmsd was told" "$(in_node "$node" vrms events --json --since 5min | grep '"load"')" "backup of bk"
	next_slot
	run_everywhere
	took_once 2 "$node"
	same "asked for" incremental "$(last_of mode)"
	configure 'incremental = Sun *-*-1..7'
	run_everywhere
	took_once 2 "$node"
	configure 'incremental = *:*:0/20'
}

follows() {
	local from
	from=$(vm_node bk)
	ASK=$(node_of_others "$from")
	lab power off "$from"
	NODES=${NODES/$from/}
	wait_until 90 "the VM runs elsewhere" vm_runs_beside "$from"
	next_slot
	run_everywhere
	took_once 3 "$(vm_node bk)"
	differs "the node" "$from" "$(last_of host)"
	lab power on "$from"
	wait_until 90 "$from is back" online 1
}
vm_runs_beside() { vm_is bk "$(vm_node bk)" Started && [ "$(vm_node bk)" != "$1" ] && [ -n "$(vm_node bk)" ]; }

moved() {
	local from to
	from=$(vm_node bk)
	to=$(node_of_others "$from")
	in_node "$ASK" crm_resource --resource bk --move --node "$to"
	wait_until 60 "the VM has moved" vm_is bk "$to" Started
	in_node "$ASK" crm_resource --resource bk --clear
	next_slot
	run_everywhere
	took_once 4 "$to"
}

failing() {
	local before code=0
	before=$(points)
	configure 'incremental = *:*:0/20' 'consistency = filesystem'
	next_slot
	if words=$(in_node "$(vm_node bk)" vrms-backup schedule run --config "$CONFIG" --scratch /nowhere 2>&1); then
		fail "a backup without scratch space succeeded: $words"
	fi
	say "$words"
	same "points" "$before" "$(points)"
	words=$(in_node "$ASK" vrms-backup status --config "$CONFIG") || code=$?
	printf '%s\n' "$words" | sed 's/^/# /'
	same "status's exit code" 3 "$code"
	contains "the alarm" "$words" "the last attempt failed, on $(vm_node bk)"
	contains "the other alarm" "$words" "less consistent than asked"
	contains "what is next" "$(backup schedule next --config "$CONFIG")" "waits after a failure"
}

managed() { in_node "$ASK" cibadmin --query --xpath "//primitive[@id='bk']" | grep -c "is-managed" || :; }
constraint() { in_node "$ASK" cibadmin --query --scope constraints | grep -o 'id="bk-likes[^"]*"' || :; }

refused_on() { # NODE WORDS: a VM that runs is not restored over, wherever one asks for it
	local words
	words=$(in_node "$1" env VRMS_BACKUP_REPOSITORY=/srv/repository vrms-backup restore bk \
		--disk vda=/srv/disk/big.raw --overwrite 2>&1) && fail "a VM that runs was restored over"
	say "$1: $words"
	contains "why it was refused" "$words" "$2"
}
put_back() {
	local state host
	in_node "$ASK" cibadmin --create --scope constraints --xml-text \
		'<rsc_location id="bk-likes-node2" rsc="bk" node="node2" score="50"/>'
	backup take bk >/dev/null 2>&1 || in_node "$(vm_node bk)" env VRMS_BACKUP_REPOSITORY=/srv/repository vrms-backup take bk
	contains "what was saved" "$(backup show bk --cluster-config)" 'id="bk-likes-node2"'
	contains "what was saved" "$(backup show bk --cluster-config)" '<primitive id="bk"'
	host=$(vm_node bk)
	refused_on "$host" "is running"
	refused_on "$(node_of_others "$host")" "runs on node '$host'"
	same "is-managed entries" 0 "$(managed)"

	in_node "$ASK" crm_resource --resource bk --meta --set-parameter target-role --parameter-value Stopped
	wait_until 60 "the VM has stopped" vm_is bk "" Stopped
	in_node "$ASK" cibadmin --delete --scope constraints --xml-text '<rsc_location id="bk-likes-node2"/>'
	same "the constraint" "" "$(constraint)"
	# Somebody starts it in the middle: Pacemaker must not before the end.
	(trap - ERR; backup restore bk --disk vda=/srv/disk/big.raw --overwrite --cluster-config >"$DIR/words" 2>&1) &
	wait_until 30 "Pacemaker leaves it alone" is_held
	in_node "$ASK" crm_resource --resource bk --meta --delete-parameter target-role
	wait $! || fail "the restore failed: $(cat "$DIR/words")"
	sed 's/^/# /' "$DIR/words"
	same "is-managed entries" 0 "$(managed)"
	same "the constraint" 'id="bk-likes-node2"' "$(constraint)"
	wait_until 60 "Pacemaker starts the VM" vm_is bk "" Started
	state=$(boots bk)
	say "boot $state of its disk"
}
is_held() { [ "$(managed)" != 0 ]; }

# What is half restored must not be started: the resource stays unmanaged, and that is said.
broken_off() {
	in_node "$ASK" crm_resource --resource bk --meta --set-parameter target-role --parameter-value Stopped
	wait_until 60 "the VM has stopped" vm_is bk "" Stopped
	in_node "$ASK" mkdir -p /run/tiny
	in_node "$ASK" mount -t tmpfs -o size=64k tiny /run/tiny
	# --force, for the room is looked at before.
	words=$(backup restore bk --define --disk vda=/run/tiny/disk --format raw --force 2>&1) &&
		fail "a target that is too small was enough: $words"
	say "$words"
	contains "what is said" "$words" "stays unmanaged"
	same "is-managed entries" 1 "$(managed)"
	in_node "$ASK" crm_resource --resource bk --meta --delete-parameter is-managed
	in_node "$ASK" umount /run/tiny
}

recover() { # a case that failed may have left a node without power
	local node
	for node in $NODES; do
		lab power on "$node"
	done
	online
}

lab_up -n 3 --vrmsd
run_case set_up "a VM runs in a cluster of three nodes"
run_case one_node "all nodes' timers at once: the node where the VM is takes it, once"
run_case follows "after a power cut the node where the VM is now catches up"
run_case moved "after a live migration the next one is the other node's"
run_case failing "a failure is told by status, and not tried again at once"
run_case put_back "cluster configuration saved and restored; Pacemaker waits until the disk is whole"
run_case broken_off "a restore that breaks off leaves the VM to nobody"
finish
