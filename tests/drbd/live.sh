#!/bin/bash
# live.sh - ocf:vrms:Drbd on two real nodes: stock Debian kernels with their DRBD 8.4 in QEMU.
#
# usage: live.sh AGENTS [FOLDER]   ("make check-drbd")
# AGENTS: the build's folder of agents.  FOLDER keeps the downloaded kernel; default /var/cache/vrms-lab/drbd.
# SPDX-License-Identifier: GPL-2.0-or-later
set -uo pipefail
agents=${1:?usage: live.sh AGENTS [FOLDER]}
cache=${2:-/var/cache/vrms-lab/drbd}
here=$(cd "$(dirname "$0")" && pwd)
DISK_MIB=24

command -v qemu-system-x86_64 >/dev/null ||
	{ echo "SKIP: qemu-system-x86_64 not found (Debian package: qemu-system-x86)"; exit 77; }
start_s=$EPOCHSECONDS
say() { printf '%4d s  %s\n' $((EPOCHSECONDS - start_s)) "$*"; }
fail() { say "FAILED: $*"; exit 1; }

"$here/build-node.sh" "$cache" "$agents" || exit
work=$(mktemp -d)
declare -A pid=()
take_down() {
	for node in "${!pid[@]}"; do
		kill -KILL "${pid[$node]}" 2>/dev/null
		wait "${pid[$node]}" 2>/dev/null
	done
	rm -rf "$work"
}
trap take_down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

other() { [ "$1" = node1 ] && echo node2 || echo node1; }

boot() { # NODE: returns once it obeys
	local node=$1 dir=$work/$1 in out
	mkdir -p "$dir"
	rm -f "$dir"/port.* "$dir/net"
	mkfifo "$dir/port.in" "$dir/port.out"
	[ -e "$dir/disk" ] || truncate -s ${DISK_MIB}M "$dir/disk"
	qemu-system-x86_64 -accel tcg -m 256 -display none -nodefaults -no-user-config -no-reboot \
		-kernel "$cache/vmlinuz" -initrd "$cache/initrd.gz" \
		-append "console=ttyS0 quiet panic=-1 node=$node" \
		-serial "file:$dir/console" -serial "pipe:$dir/port" \
		-drive "file=$dir/disk,format=raw,if=virtio,cache=unsafe" \
		-netdev "dgram,id=n,local.type=unix,local.path=$dir/net,remote.type=unix,remote.path=$work/$(other "$node")/net" \
		-device "virtio-net-pci,netdev=n,mac=52:54:00:99:00:0${node#node}" \
		>"$dir/qemu.log" 2>&1 </dev/null &
	pid[$node]=$!
	exec {in}<>"$dir/port.in" {out}<>"$dir/port.out"
	declare -g "in_$node=$in" "out_$node=$out"
	answer "$node" 120 >/dev/null || { tail -n 20 "$dir/console"; fail "$node does not boot"; }
	say "$node is up"
}
answer() { # NODE SECONDS: prints what it says; its exit code
	local line fd=out_$1
	while read -r -t "$2" -u "${!fd}" line; do
		case $line in
		"@@END "*) return "${line#@@END }" ;;
		esac
		printf '%s\n' "$line"
	done
	return 124
}
on() { # NODE COMMAND: on one line
	local fd=in_$1
	printf '%s\n' "$2" >&"${!fd}"
	answer "$1" 120
}
power_cut() {
	kill -KILL "${pid[$1]}"
	wait "${pid[$1]}" 2>/dev/null
	unset "pid[$1]"
	say "power of $1 is cut"
}

ocf() { # NODE ACTION [RESOURCE]: the agent's words in $words, its exit code in $rc
	local interval=0
	[ "$2" != monitor ] || interval=10000
	words=$(on "$1" "OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=disk OCF_RESKEY_CRM_meta_timeout=60000 OCF_RESKEY_CRM_meta_interval=$interval OCF_RESKEY_CRM_meta_notify_type=post VRMS_LIBEXECDIR=/usr/lib/vrms HA_RSCTMP=/tmp PCMK_logfile=none PCMK_logfacility=none OCF_RESKEY_wfc_timeout=3 OCF_RESKEY_drbd_resource=${3:-r0} /usr/lib/ocf/resource.d/vrms/Drbd $2")
	rc=$?
	say "$1: Drbd $2${3:+ $3}: exit $rc${words:+: ${words#ocf-exit-reason:}}"
}
expect() { # EXIT NODE ACTION [RESOURCE]
	ocf "${@:2}"
	[ "$rc" = "$1" ] || { show; fail "exit $rc instead of $1"; }
}
reason() { # PART: of the last reason
	case $words in
	*"$1"*) ;;
	*) fail "no \"$1\" in \"$words\"" ;;
	esac
}
score() { on "$1" "cat /tmp/score"; }
expect_score() { # NODE SCORE
	local now
	ocf "$1" monitor
	now=$(score "$1")
	[ "$now" = "$2" ] || { show; fail "$1: promotion score $now instead of $2"; }
	say "$1: promotion score $now"
}
show() {
	local node
	for node in "${!pid[@]}"; do
		on "$node" "cat /proc/drbd; dmesg | grep -i drbd | tail -n 15" | sed "s/^/        $node: /"
	done
}
wait_for() { # NODE SECONDS PATTERN: in /proc/drbd
	local end=$((EPOCHSECONDS + $2))
	# All of the answer is read: what is left would be taken for the next one.
	until grep -q -- "$3" <<<"$(on "$1" "cat /proc/drbd")"; do
		[ $EPOCHSECONDS -lt $end ] || { show; fail "$1 is not $3 within $2 s"; }
		sleep 0.3
	done
	say "$1: $(on "$1" "cat /proc/drbd" | grep -o 'cs:.* ds:[^ ]*')"
}
write_mark() { # NODE TEXT BLOCK
	on "$1" "printf '%-512s' '$2' | dd of=/dev/drbd0 bs=512 seek=$3 count=1 conv=fsync 2>/dev/null" ||
		fail "$1: write"
}
expect_mark() { # NODE TEXT BLOCK
	local got
	got=$(on "$1" "dd if=/dev/drbd0 bs=512 skip=$3 count=1 2>/dev/null | sed 's/ *\$//'; echo")
	[ "$got" = "$2" ] || fail "$1: \"$got\" on the disk instead of \"$2\""
	say "$1: reads \"$got\""
}

boot node1
boot node2

say "--- bad input, before and after the module is there"
expect 7 node1 monitor
on node1 "modprobe drbd"
expect 5 node1 start r9
reason '"r9" is not in this node'
expect 6 node1 start all
expect 0 node1 validate-all

say "--- first start and synchronization"
for node in node1 node2; do
	on $node "drbdadm create-md --force r0" >/dev/null || fail "create-md"
	expect 7 $node monitor
	expect 0 $node start
done
wait_for node1 30 "cs:Connected"
expect 190 node1 monitor
reason Inconsistent
[ "$(score node1)" = none ] || fail "data that were never written to have a score"
ocf node1 promote
[ "$rc" = 1 ] || fail "promoted without data"
reason "not promoted"
on node1 "drbdadm primary --force r0" || fail "primary --force"
expect_score node1 10000
wait_for node1 240 "ds:UpToDate/UpToDate"
expect 0 node1 demote
expect 0 node2 notify
expect_score node1 10000
expect_score node2 10000

say "--- promote, power cut, promote the survivor"
expect 0 node1 promote
expect 8 node1 monitor
expect 0 node2 monitor
write_mark node1 "written before the power cut" 8
power_cut node1
wait_for node2 60 "cs:WFConnection"
expect_score node2 1000
expect 0 node2 promote
expect 8 node2 monitor
expect_mark node2 "written before the power cut" 8
write_mark node2 "written by the survivor" 16

say "--- the dead node comes back"
boot node1
expect 0 node1 start
wait_for node1 60 "ds:UpToDate/UpToDate"
expect 0 node1 monitor
expect_score node1 10000
expect 8 node2 monitor

say "--- suspended I/O and a lost disk"
on node2 "drbdadm suspend-io r0"
expect 191 node2 monitor
reason "suspended by an administrator"
on node2 "drbdadm resume-io r0"
on node1 "drbdadm detach r0"
expect 190 node1 monitor
reason Diskless
[ "$(score node1)" = 10 ] || fail "score of a diskless node: $(score node1)"
on node1 "drbdadm attach r0"
wait_for node1 60 "ds:UpToDate/UpToDate"

say "--- split brain"
on node1 "ip link set eth0 down"
wait_for node1 60 "cs:WFConnection"
wait_for node2 60 "cs:WFConnection"
expect 0 node1 promote
write_mark node1 "written on one side" 24
write_mark node2 "written on the other side" 24
on node1 "ip link set eth0 up"
wait_for node1 90 "cs:StandAlone"
expect 191 node1 monitor
reason "split brain"
wait_for node2 90 "cs:StandAlone\|cs:WFConnection"
expect 0 node1 demote
expect_score node1 none
expect 190 node1 monitor
reason "split brain"
ocf node2 monitor
on node2 "drbdadm disconnect r0; drbdadm connect r0"
on node1 "drbdadm connect --discard-my-data r0"
wait_for node1 120 "ds:UpToDate/UpToDate"
expect 0 node1 monitor
expect 8 node2 monitor
expect 0 node2 demote
expect 0 node1 promote
expect_mark node1 "written on the other side" 24

say "--- stop"
expect 0 node1 stop
expect 7 node1 monitor
expect 0 node2 stop
expect 7 node2 monitor
expect 0 node2 stop
say "passed"
