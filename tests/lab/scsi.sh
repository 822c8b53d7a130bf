#!/bin/bash
# fence_vrms_scsi and the keys of QEMU's own sessions, against a real target (tgtd) in a network
# namespace of its own: no cluster, no guest.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

. "${srcdir:-.}/tests/lab/target.sh"

refused() { # WHAT WORDS
	[ "$rc" = 1 ] || fail "$1: exit code $rc instead of 1: $words"
	contains "$1" "$words" "$2"
}
went() { [ "$rc" = "${2:-0}" ] || fail "$1: exit code $rc instead of ${2:-0}: $words"; }

case_keys() {
	fence list node1
	went list
	contains "list" "$words" "node1,0x"
	fence validate-all node1
	went validate-all
	fence validate-all node1 --keys "node3=0xa1 node2=0xa1"
	refused "two nodes with one key" "key collision: node2 and node3 both have 0xa1"
	fence off node9
	refused "a node that is not there" 'no node "node9" in the cluster "lab"'
	for LUNS in "#naa.1" "|" "iscsi://127.0.0.1/$T:t1" "iscsi://127.0.0.1/$T:t1/x" "iscsi:///$T:t1/1"; do
		fence validate-all node1
		refused "no LUN: $LUNS" "luns: number 1: "
	done
	LUNS="iscsi://vrms%sec/ret@127.0.0.9/$T:t1/1"
	fence off node1
	refused "a portal that is not there" "127.0.0.9/$T:t1/1"
	case $words in *sec*) fail "the password is in the message: $words" ;; esac
}

case_unfence() {
	fence monitor node1
	went "monitor before anybody has joined"
	for node in node1 node2 node3; do
		hostname $node
		fence on $node
		went "unfencing $node"
		fence status $node
		went "status of $node"
		contains status "$words" "Status: ON"
	done
	hostname node2
	fence on node1
	went "unfencing again"
}

case_guest_writes() {
	local out
	out=$(io node1 "write -P 0x11 0 64k")
	contains "the guest of node1 writes" "$out" "wrote 65536/65536"
	out=$(io node3 "read -P 0x11 0 64k")
	contains "another node reads it" "$out" "read 65536/65536"
	# The one without a key is a stranger to the LUN.
	rm -f "$work/none.key"
	out=$(io none "write -P 0x22 0 64k" || :)
	contains "without a key" "$out" "failed"
	out=$(io node3 "read -P 0x11 0 64k")
	contains "what was there is there" "$out" "read 65536/65536"
}

# A guest with two disks takes both of its keys along when it ends.
case_two_disks() {
	local lun out options=driver=quorum,vote-threshold=1
	for lun in 1 2; do
		options=$options,children.$((lun - 1)).driver=iscsi,children.$((lun - 1)).transport=tcp
		options=$options,children.$((lun - 1)).portal=127.0.0.1:3260,children.$((lun - 1)).target=$T:t1
		options=$options,children.$((lun - 1)).lun=$lun
		options=$options,children.$((lun - 1)).initiator-name=iqn.2026-01.local.vrms:node1
	done
	out=$(VRMS_SAN_KEY_FILE=$work/node1.key LD_PRELOAD=$GUEST qemu-io --image-opts "$options" \
		-c "write -P 0x12 1M 64k" 2>&1)
	contains "it writes to both" "$out" "wrote 65536/65536"
	fence monitor node2
	went monitor
	# The key of node1's guests: 2, and the node's number.
	case $words in *0200000001*) fail "a key of the guest stays: $words" ;; esac
}

open_guest() { # NODE: a session that stays open; its commands through fd 5
	mkfifo "$work/commands"
	VRMS_SAN_KEY_FILE=$work/$1.key LD_PRELOAD=$GUEST qemu-io --image-opts \
		"driver=iscsi,transport=tcp,portal=127.0.0.1:3260,target=$T:t1,lun=1,initiator-name=iqn.2026-01.local.vrms:$1" \
		<"$work/commands" >"$work/guest.log" 2>&1 &
	exec 5>"$work/commands"
}
guest_said() { grep -q "$1" "$work/guest.log"; }

case_off() {
	open_guest node1
	echo "write -P 0x33 0 64k" >&5
	wait_until 20 "the running guest of node1 writes" guest_said "wrote 65536"
	hostname node2
	fence off node1
	went "off"
	say "off of node1 on 3 LUNs took $took ms (500 ms of each are the settle time without PREEMPT AND ABORT)"
	contains "proof" "$words" "WRITE of 0 blocks without a key"
	echo "write -P 0x44 0 64k" >&5
	wait_until 20 "the next write of the running guest is refused" guest_said "write failed"
	exec 5>&-
	local out
	out=$(io node1 "write -P 0x55 0 64k" || :)
	contains "a new guest of node1" "$out" "this node has no key there, it is fenced"
	out=$(io node3 "read -P 0x33 0 64k")
	contains "nothing was written after the fence" "$out" "read 65536/65536"
	out=$(io node3 "write -P 0x66 64k 64k")
	contains "node3 goes on writing" "$out" "wrote 65536/65536"
	fence status node1
	went "status" 2
	fence off node1
	went "off again: no key is success"
	say "off of a node without a key took $took ms"
}

case_unfence_again() {
	hostname node1
	fence on node1
	went "on"
	hostname node2
	local out
	out=$(io node1 "write -P 0x77 0 64k")
	contains "the guest of node1 writes again" "$out" "wrote 65536/65536"
}

case_portals() {
	LUNS="iscsi://127.0.0.9:3260/$T:t1/1|$LUN1"
	fence monitor node1
	went "one portal of two"
	contains "the lost portal is named" "$words" "1 of 2 portals: 127.0.0.9:3260/$T:t1/1"
	fence off node1
	went "off over the second portal"
	LUNS="$LUN1 iscsi://127.0.0.9:3260/$T:t1/2"
	fence off node3
	refused "one LUN of two is out of reach" "no portal can be used"
	fence monitor node1
	refused "monitor" "127.0.0.9"
	LUNS="$LUN1|iscsi://127.0.0.2/$T:t1/2"
	fence monitor node1
	refused "portals of two LUNs" "its portals lead to different LUNs"
}

# What a switch that died leaves: the connection is made, or is not even that, and nothing comes.
case_silent_portals() {
	local all lun silent=iscsi://127.0.0.7:3260
	python3 -c 'import socket, time; s = socket.socket(); s.bind(("127.0.0.7", 3260)); s.listen(64); time.sleep(600)' &
	wait_until 90 "a portal is there that says nothing" sh -c "ss -ltn | grep -q 127.0.0.7:3260"
	LUNS=
	for lun in 1 2 3 1 2 3; do
		LUNS="$LUNS $silent/$T:t1/$lun|iscsi://127.0.0.1/$T:t1/$lun"
	done
	fence monitor node1 --portal-timeout 2s
	went "monitor with one portal of each LUN left"
	contains "the silent portal is named" "$words" "1 of 2 portals: 127.0.0.7:3260/$T:t1/3: no answer within 2000 ms"
	[ "$took" -lt 9000 ] || fail "six LUNs were waited for one after the other: $took ms"
	fence status node1 --portal-timeout 2s
	[ "$took" -lt 9000 ] || fail "six LUNs were waited for one after the other: $took ms"
	lun start portal_timeout=2s reads=1
	took=$(now_ms)
	lun monitor portal_timeout=2s reads=1 paths_min=2
	lun_says "SanLun: half of the portals are silent" 1 "1 of 2 paths, 2 needed: 127.0.0.7"
	took=$(($(now_ms) - took))
	[ "$took" -lt 9000 ] || fail "six LUNs were waited for one after the other: $took ms"
	all=$LUNS
	LUNS="$silent/$T:t1/1|$silent/$T:t1/1|$silent/$T:t1/1"
	took=$(now_ms)
	lun stop portal_timeout=2s
	lun_says "a stop without the storage is no failure" 0
	took=$(($(now_ms) - took))
	[ "$took" -lt 11000 ] || fail "three portals were waited for more than once: $took ms"
	LUNS=$all
	lun start portal_timeout=2s
	lun stop portal_timeout=2s
}

# A key that belongs to nobody may be the victim's own.
case_foreign_keys() {
	LUNS="iscsi://127.0.0.1/$T:t1/3"
	start_target
	fence on node1
	fence on node9 --nodes node9:9
	went "a node that has left the cluster"
	fence off node1
	went "its key is no stranger's"
	fence monitor node1
	went monitor
	fence on node1
	fence on node3 --keys "node3=0xee"
	fence off node1
	refused "off beside a key of nobody" "a key that belongs to no node of this cluster is registered: 0xee"
	fence status node1
	went "it may be that of node1"
	contains status "$words" "Status: ON"
	fence monitor node1
	refused monitor "a key that belongs to no node of this cluster is registered: 0xee"
	fence off node1 --foreign-keys allow
	went "the admin knows it"
	fence status node1 --foreign-keys allow
	went status 2
	fence off node3 --keys "node3=0xee"
	went "the admin says whose it is"
	fence monitor node1
	went "monitor when it is gone"
}

case_identity() {
	local id
	LUNS=$LUN1
	fence monitor node1
	id=$(printf '%s\n' "$words" | sed -n 's/.*path 0: \([^,]*\),.*/\1/p')
	[ -n "$id" ] || fail "no identifier in: $words"
	LUNS="$LUN1#$id"
	fence monitor node1
	went "the LUN that is meant"
	LUNS="iscsi://127.0.0.1/$T:t1/2#$id"
	fence off node2
	refused "another LUN" "not $id"
	fence status node2
	refused "another LUN" "not $id"
	LUNS="iscsi://127.0.0.1/$T:t1/2"
	fence status node2
	went "and nothing was done there"
}

case_stranger() {
	local rule
	LUNS="iscsi://127.0.0.1/$T:t1/2"
	start_target # a target that has lost everything
	fence on node1 --cluster another
	went "another cluster takes the LUN"
	for rule in on off; do
		fence $rule node1
		refused "$rule" "the reservation is held by a key that belongs to no node of this cluster"
	done
	fence status node1 --cluster another
	went "it has kept it"
	contains "status" "$words" "Status: ON"
}

case_without_reservations() {
	LUNS="iscsi://127.0.0.1/$T:t2/1"
	fence monitor node1
	refused monitor "the target has no persistent reservations"
	fence off node1
	refused off "the target has no persistent reservations"
}

case_chap() {
	LUNS="iscsi://127.0.0.1/$T:t3/1"
	fence off node1
	refused "no password" "uthenti"
	fence off node1 --chap-user vrms --chap-password wrong-wrong-12
	refused "wrong password" "uthenti"
	echo "not-a-secret-12" >"$work/password"
	fence on node1 --chap-user vrms --chap-password-file "$work/password"
	went "right password"
	LUNS="iscsi://vrms%not-a-secret-12@127.0.0.1/$T:t3/1"
	fence off node1
	went "password in the url"
	LUNS="iscsi://vrms%not-a-secret-12@127.0.0.1/$T:t3/7"
	fence off node1
	[ "$rc" = 1 ] || fail "a LUN that is not there: $words"
	case $words in *secret*) fail "the password is in the message: $words" ;; esac
}

lun_says() { # WHAT RC [WORDS]
	[ "$rc" = "$2" ] || fail "$1: exit code $rc instead of $2: $words"
	[ -z "${3:-}" ] || contains "$1" "$words" "$3"
}

case_lun() {
	LUNS="$LUN1|iscsi://127.0.0.2/$T:t1/1"
	lun validate-all
	lun_says validate 0
	lun monitor
	lun_says "a probe before start" 7
	lun start
	lun_says start 0
	lun monitor
	lun_says monitor 0
	fence status node2
	went "the key is there"
	contains status "$words" "Status: ON"
	lun monitor latency_warn=1ms latency_fail=1ms reads=100
	case $rc in 0) ;; *) lun_says "a bound of 1 ms" 1 "a read took" ;; esac
	LUNS="iscsi://127.0.0.9/$T:t1/1|$LUN1"
	lun monitor
	lun_says "one path of two" 0
	lun monitor paths_min=2
	lun_says "two are needed" 1 "1 of 2 paths, 2 needed"
	LUNS="$LUN1#naa.1234"
	lun monitor
	lun_says "another LUN" 1 "not naa.1234"
	LUNS=$LUN1
	hostname node1
	fence off node2
	hostname node2
	lun monitor
	lun_says "after a fence" 1 "this node's key is not registered: it is fenced here"
	fence status node2
	went "the monitor does not register again" 2
	lun monitor register=false
	lun_says "whoever registers it, the key is needed" 1 "this node's key is not registered: it is fenced here"
	lun stop
	lun_says stop 0
	lun start
	lun_says "a fenced node does not let itself in" 4 "this node was fenced here: reboot it, or let it in with fence_vrms_scsi"
	fence status node2
	went "nothing was registered" 2
	hostname node1
	fence on node2
	hostname node2
	lun start
	lun_says "it was let in" 0
	fence status node2
	contains "status" "$words" "Status: ON"
	lun stop
	lun_says stop 0
	fence status node2
	went "stop removes the key, the reservation stays" 2
	lun monitor
	lun_says "a probe after stop" 7
	lun start
	lun_says "its own stop was no fence" 0
	fence status node2
	contains "status" "$words" "Status: ON"
	lun stop
	LUNS="$LUN1|iscsi://127.0.0.2/$T:t1/2"
	lun start
	lun monitor paths_min=2
	lun_says "portals of two LUNs" 1 "1 of 2 paths, 2 needed: the LUN is"
	lun stop
}

# A target that has forgotten everything has fenced nobody.
case_lun_forgotten() {
	LUNS=$LUN1
	lun start
	lun_says start 0
	start_target
	fence off node1
	lun monitor
	lun_says "the reservation is there again, the key is not" 1
	lun stop
	lun start
	lun_says "start registers again" 0
	lun stop
}

# What could not be told is told the next time.
case_lun_publish() {
	LUNS=$LUN1
	mkdir -p "$work/attrd"
	cat >"$work/attrd/attrd_updater" <<-'EOF'
		#!/bin/sh
		[ ! -e "$0.broken" ] || exit 1
		echo "$*" >>"$0.calls"
	EOF
	chmod 755 "$work/attrd/attrd_updater"
	touch "$work/attrd/attrd_updater.broken"
	PATH=$work/attrd:$PATH lun start publish=true latency_warn=60s latency_fail=60s
	lun_says "start while Pacemaker does not listen" 0
	rm "$work/attrd/attrd_updater.broken"
	PATH=$work/attrd:$PATH lun monitor publish=true latency_warn=60s latency_fail=60s
	lun_says monitor 0
	contains "what was told" "$(cat "$work/attrd/attrd_updater.calls")" "-n #health-vrms-check-scsi -U green"
	PATH=$work/attrd:$PATH lun reload-agent
	lun_says "a reload that publishes nothing more" 0
	contains "what was told" "$(cat "$work/attrd/attrd_updater.calls")" "-n #health-vrms-check-scsi -D"
	lun stop
	lun reload-agent
	lun_says "a reload of what does not run" 7
}

case_lun_files() {
	LUNS=
	lun start "paths=$work/1.img" register=false
	lun_says "a file" 0
	lun monitor "paths=$work/1.img $work/none.img" register=false
	lun_says "a file that is gone" 1 "none.img: open: No such file or directory"
	: >"$work/empty.img"
	lun monitor "paths=$work/empty.img" register=false
	lun_says "a file without anything in it" 1 "empty.img: it is empty"
	lun monitor "paths=$work/1.img#0123" register=false
	lun_says "a file has no identifier" 1 "not a block device"
	lun stop "paths=$work/1.img" register=false
	lun_says stop 0
	lun monitor
	lun_says "nothing to look at" 6 "neither luns nor paths"
}

# There is no kernel initiator here: what open-iscsi is asked, by a made-up iscsiadm.
case_login() {
	local calls
	LUNS="iscsi://user%sec/ret@127.0.0.1:3260/$T:t1/1|iscsi://127.0.0.2/$T:t1/1"
	mkdir -p "$work/bin"
	cat >"$work/bin/iscsiadm" <<-'EOF'
		#!/bin/sh
		echo "$*" >>"$0.calls"
		case $* in *--login) exit "$(cat "$0.code")" ;; esac
	EOF
	chmod 755 "$work/bin/iscsiadm"
	echo 0 >"$work/bin/iscsiadm.code"
	PATH=$work/bin:$PATH lun start login=true
	lun_says "start with a login" 0
	calls=$(cat "$work/bin/iscsiadm.calls")
	same "what iscsiadm was asked" "-m discovery -t sendtargets -p 127.0.0.1:3260
-m node -T $T:t1 -p 127.0.0.1:3260 --login
-m discovery -t sendtargets -p 127.0.0.2
-m node -T $T:t1 -p 127.0.0.2 --login" "$calls"
	lun stop
	lun_says stop 0
	echo 15 >"$work/bin/iscsiadm.code"
	PATH=$work/bin:$PATH lun start login=true
	lun_says "a session that exists" 0
	lun stop
	echo 8 >"$work/bin/iscsiadm.code"
	PATH=$work/bin:$PATH lun start login=true
	lun_says "a login that fails" 1 "iscsiadm --login $T:t1 127.0.0.1:3260: exit code 8"
	rm "$work/bin/iscsiadm"
	if ! type iscsiadm >/dev/null 2>&1; then
		lun start login=true
		lun_says "without open-iscsi" 5 "iscsiadm is not installed"
	fi
	lun monitor
	lun_says "nothing was started" 7
}

# A disk with the lab's boot sector; no lab is started for it.
make_guest() {
	mkdir -p "$work/lab"
	echo '{"format": 1, "name": "scsi", "id": "0123456789abcdef", "stage": "", "nodes": 1, "token_ms": 0,
		"boot_delay_ms": 0, "libvirt": true}' >"$work/lab/lab.json"
	"$PROGRAM" --dir "$work/lab" vm add guest --files-only
	SAN=$work/lab/san
	adm --mode logicalunit --op new --tid 1 --lun 4 -b "$SAN/disk/guest.raw"
}

# boot_guest NODE: QEMU connects to the LUN itself; its monitor's words go to a file
boot_guest() {
	rm -f "$work/monitor".*
	mkfifo "$work/monitor.in" "$work/monitor.out"
	cat "$work/monitor.out" >"$work/monitor.log" &
	VRMS_SAN_KEY_FILE=$work/$1.key LD_PRELOAD=$GUEST qemu-system-x86_64 -nodefaults -display none -machine pc,accel=tcg \
		-m 16 -pidfile "$work/qemu.pid" \
		-blockdev "driver=iscsi,node-name=d,transport=tcp,portal=127.0.0.1:3260,target=$T:t1,lun=4,initiator-name=iqn.2026-01.local.vrms:$1" \
		-device virtio-blk-pci,drive=d,werror=stop,rerror=stop -chardev "pipe,id=m,path=$work/monitor" \
		-mon chardev=m,mode=readline >"$work/qemu.log" 2>&1 &
	exec 6>"$work/monitor.in"
}
guest_is() {
	echo "info status" >&6
	sleep 0.3
	tail -n 3 "$work/monitor.log" | grep -q "$1"
}

case_guest() {
	type qemu-system-x86_64 >/dev/null 2>&1 || exit 77
	local before
	make_guest
	LUNS="iscsi://127.0.0.1/$T:t1/4"
	for node in node1 node3; do
		hostname $node
		fence on $node
		went "unfencing $node"
	done
	hostname node2
	boot_guest node1
	wait_until 60 "the guest of node1 writes once a second" counts guest 2
	fence off node1
	went off
	wait_until 30 "its next write stops it: paused (io-error)" guest_is "io-error"
	before=$(record guest)
	sleep 3
	same "what it has written since" "$before" "$(record guest)"
	boot_guest2
	same "boots" 2 "$(boots guest)"
	guest_is "io-error" || fail "the old guest runs again"
	before=$(ticks guest)
	echo "cont" >&6
	wait_until 30 "an admin who lets the old guest go on changes nothing" guest_is "io-error"
	wait_until 30 "the new one goes on alone" counts guest "$((before + 2))"
	same "boots" 2 "$(boots guest)"
	kill "$(cat "$work/qemu.pid")" "$(cat "$work/qemu2.pid")"
}

# The same guest on another node, which has its key.
boot_guest2() {
	VRMS_SAN_KEY_FILE=$work/node3.key LD_PRELOAD=$GUEST qemu-system-x86_64 -nodefaults -display none -machine pc,accel=tcg \
		-m 16 -pidfile "$work/qemu2.pid" -monitor none \
		-blockdev "driver=iscsi,node-name=d,transport=tcp,portal=127.0.0.1:3260,target=$T:t1,lun=4,initiator-name=iqn.2026-01.local.vrms:node3" \
		-device virtio-blk-pci,drive=d,werror=stop,rerror=stop >"$work/qemu2.log" 2>&1 &
	wait_until 60 "it boots on node3" booted_beyond guest 1
}

case_restarted_target() {
	LUNS=$LUN1
	fence on node1
	start_target
	fence status node1
	went "a LUN that has forgotten its reservation keeps nobody out"
	fence off node1
	went "off reserves it"
	fence status node1
	went "status" 2
}

start_target
run_case case_keys "keys, collisions and unknown nodes"
run_case case_unfence "nodes register, and the LUNs are reserved"
run_case case_guest_writes "QEMU's own sessions have the key of their node's guests"
run_case case_two_disks "a guest with two LUNs leaves no key behind on either"
run_case case_off "off: a running guest of the victim is refused, a new one does not start, others go on"
run_case case_unfence_again "on lets the node in again"
run_case case_portals "portals: one is enough, none is failure, one LUN of two is failure"
run_case case_identity "a LUN of another identity is refused"
run_case case_stranger "a stranger's reservation is named and kept"
run_case case_foreign_keys "a key of no node is named, and nothing is proved beside it"
run_case case_without_reservations "a target without reservations is named"
run_case case_chap "CHAP"
run_case case_guest "a running guest of a fenced node stops at its next write and never writes again"
run_case case_lun "ocf:vrms:SanLun: registers, sees paths, identity, latency and a fence, unregisters"
run_case case_silent_portals "portals that say nothing are waited for together, not one after the other"
run_case case_lun_forgotten "ocf:vrms:SanLun: a target that has forgotten its keys has fenced nobody"
run_case case_lun_publish "ocf:vrms:SanLun: what Pacemaker did not hear is said again"
run_case case_lun_files "ocf:vrms:SanLun: files"
run_case case_login "ocf:vrms:SanLun: the kernel is logged in through open-iscsi when asked"
run_case case_restarted_target "a target that has forgotten everything"
stop_target
rm -rf "$work"
trap - EXIT
# shellcheck disable=SC2154 # counted by lib.sh
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
