#!/bin/bash
# backup-agent.sh - backups of a Linux guest with QEMU's own guest agent, under TCG: frozen for
# the instant, thawed on every exit, and marked for what they are.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"

HERE=$(dirname "$0")
CACHE=/var/cache/vrms-lab
on() { in_node node1 "$@"; }
backup() { on env VRMS_BACKUP_REPOSITORY=/srv/repository vrms-backup "$@"; }
console() { cat "$SAN/disk/bk.serial"; }
ticks_shown() { console | grep -ac '^DATA' || :; } # none is an answer
ticks_beyond() { [ "$(ticks_shown)" -gt "$1" ]; }
agent_answers() { on virsh -q qemu-agent-command bk '{"execute":"guest-ping"}'; }
frozen_status() { on virsh -q qemu-agent-command bk '{"execute":"guest-fsfreeze-status"}'; }
# A frozen file system has its journal empty; one that is in use, or lost its power, does not.
needs_recovery() { dumpe2fs -h "$1" 2>/dev/null | grep -q needs_recovery; }
take() { # OPTIONS...: into $words
	words=$(backup take bk "$@" 2>&1) || fail "take $*: $words"
	printf '%s\n' "$words" | sed 's/^/# /'
}
restored() { # into new.raw
	backup restore bk --disk vda=/srv/new.raw --format raw --overwrite >/dev/null
}
goes_on() {
	local before
	before=$(ticks_shown)
	wait_until 30 "the guest writes on" ticks_beyond $((before + 2))
}

set_up() {
	local said
	if ! said=$(lab vm add bk --guest linux --memory 160 --files-only 2>&1); then
		case $said in
		*"linux guest"*) say "skipped: $said"; exit 77 ;; # no network, no packages
		esac
		fail "$said"
	fi
	if [ ! -e "$CACHE/agent.gz" ] || [ "$HERE/agent-init" -nt "$CACHE/agent.gz" ] ||
		[ "$CACHE/linux/initrd.gz" -nt "$CACHE/agent.gz" ]; then
		"$HERE/agent-guest.sh" "$CACHE/linux/vmlinuz" "$CACHE/linux/initrd.gz" "$CACHE/agent.gz" ||
			exit 77
	fi
	cp "$CACHE/agent.gz" "$SAN/guest/agent.gz"
	rm "$SAN/disk/bk.raw"
	truncate -s 64M "$SAN/disk/bk.raw"
	mkfs.ext4 -q "$SAN/disk/bk.raw"
	sed -i 's|/srv/guest/initrd.gz|/srv/guest/agent.gz|
		s|^  <serial type="file">|  <channel type="unix"><target type="virtio" name="org.qemu.guest_agent.0"/></channel>\n&|' \
		"$SAN/vm/bk.xml"
	on virsh -q create /srv/vm/bk.xml
	wait_until 120 "the guest's agent answers" agent_answers
	wait_until 30 "the guest writes" ticks_beyond 2
	backup init
}

frozen() {
	take
	contains "consistency" "$words" "consistency: filesystem"
	restored
	! needs_recovery "$SAN/new.raw" || fail "the file system was not frozen"
	goes_on
	take --no-freeze
	contains "consistency" "$words" "consistency: crash"
	restored
	needs_recovery "$SAN/new.raw" || fail "a file system in use looks as if it was frozen"
}

freezes_called() { console | grep -ac 'read data.*guest-fsfreeze-freeze' || :; } # none is an answer
# Stops the backup that runs as soon as it has asked for a freeze beyond that many; says its pid.
stop_at_freeze() { # COUNT
	on sh -c "for try in \$(seq 20000); do
			[ \"\$(grep -ac 'read data.*guest-fsfreeze-freeze' /srv/disk/bk.serial)\" -le $1 ] || break
		done
		pid=\$(pgrep -f 'vrms-backup take b[k]' | tail -n 1)
		kill -STOP \$pid && echo \$pid"
}
# Stopped right after the freeze: the guest stands still until the backup is killed.  The freeze is so
# short that it may be over by then; what came too late is done again.
killed_while_frozen() {
	local pid='' shown try
	for try in 1 2 3 4 5 6 7 8 9 10; do
		(trap - ERR; backup take bk >/dev/null 2>&1) &
		pid=$(stop_at_freeze "$(freezes_called)") || :
		sleep 1
		case $(frozen_status) in *frozen*) break ;; esac
		say "try $try: too late, it is thawed"
		[ -z "$pid" ] || on kill -CONT "$pid"
		wait || :
		pid=
	done
	[ -n "$pid" ] || fail "the backup could not be stopped while the guest is frozen"
	shown=$(ticks_shown)
	sleep 3
	same "ticks of a guest that stands still" "$shown" "$(ticks_shown)"
	on kill -KILL "$pid"
	wait_until 60 "the guard has thawed the guest" ticks_beyond $((shown + 2))
	wait || :
	contains "the agent's own word" "$(frozen_status)" thawed
	same "jobs left" "" "$(on virsh -q domjobinfo bk | grep -i backup || :)"
}

# The agent stands still for 25 s: the backup waits 10 s, is marked, and nothing stays frozen.
agent_hangs() {
	local start took
	on virsh -q qemu-agent-command bk \
		'{"execute":"guest-exec","arguments":{"path":"/bin/sh","arg":["-c","(sleep 25; kill -CONT $(cat /run/pid)) & sleep 1; kill -STOP $(cat /run/pid)"]}}' >/dev/null
	sleep 2
	start=$(now_ms)
	take
	took=$(($(now_ms) - start))
	contains "consistency" "$words" "consistency: crash"
	contains "why" "$words" "only crash-consistent"
	below "a backup with an agent that hangs" "$took" 60000
	wait_until 90 "the agent answers again" agent_answers
	wait_until 90 "and nothing is frozen" goes_on_quietly
	contains "the agent's own word" "$(frozen_status)" thawed
	take
	contains "consistency afterwards" "$words" "consistency: filesystem"
}
goes_on_quietly() {
	local before
	before=$(ticks_shown)
	sleep 3
	ticks_beyond "$before"
}

command -v mkfs.ext4 >/dev/null || skip_all "no mkfs.ext4 (Debian package: e2fsprogs)"
lab_up -n 1
run_case set_up "a Linux guest with its agent runs"
# shellcheck disable=SC2154 # counted by lib.sh
[ "$skipped" = 0 ] || finish
run_case frozen "frozen for the instant: the restored file system is clean; not so without"
run_case killed_while_frozen "kill -9 while the guest is frozen: it is thawed"
run_case agent_hangs "an agent that hangs: a bounded wait, an honest mark, nothing stays frozen"
finish
