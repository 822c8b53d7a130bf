#!/bin/sh
# vrmsd and vrms san with wrong input, and vrmsd where corosync, libvirtd and Pacemaker are missing.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu

here=$(pwd)
vrmsd=$here/${VRMSD:-vrmsd}
vrms=$here/${VRMS:-vrms}

# ---- part two, in namespaces of its own: this script again, as "inside"
if [ "${1:-}" = inside ]; then
	work=$2
	for folder in /run /dev/shm; do mount -t tmpfs none "$folder"; done
	ip link set lo up 2>/dev/null || :
	"$vrmsd" --restore -c "$work/bad" && echo 0 >"$work/restore.rc" || echo $? >"$work/restore.rc"
	printf 'journal = %s/journal\nbeat_device = %s/area\n' "$work" "$work" >"$work/conf"
	"$vrmsd" -c "$work/conf" -v 2>"$work/log" &
	pid=$!
	trap 'kill "$pid" 2>/dev/null || :' EXIT
	for _ in $(seq 100); do
		! "$vrms" status >"$work/status" 2>&1 || break
		! grep -q '^node' "$work/status" || break
		sleep 0.1
	done
	got=0
	"$vrms" status >"$work/status" || got=$?
	echo "$got" >"$work/status.rc"
	"$vrms" status --json >"$work/status.json" || :
	"$vrmsd" -c "$work/conf" -v 2>"$work/second" && echo 0 >"$work/second.rc" || echo $? >"$work/second.rc"
	sleep 2.5 # two more attempts to connect
	kill -TERM "$pid"
	got=0
	wait "$pid" || got=$?
	echo "$got" >"$work/rc"
	exit 0
fi

work=$(mktemp -d "$here/test_vrmsd.XXXXXX") # a tmpfs may not know O_DIRECT
trap 'rm -rf "$work"' EXIT
failures=0
fail() {
	echo "FAILED: $1"
	shift
	[ $# = 0 ] || cat "$@"
	failures=$((failures + 1))
}
# refused STATUS WORD COMMAND...: it ends with that status and names the word.
refused() {
	status=$1 word=$2 got=0
	shift 2
	"$@" >"$work/out" 2>&1 || got=$?
	[ "$got" = "$status" ] || fail "$*: exit $got, not $status" "$work/out"
	grep -qF -- "$word" "$work/out" || fail "$*: no \"$word\"" "$work/out"
}

# ---- settings
printf 'tuning = yes\ntokne_floor = 200ms\n' >"$work/bad"
refused 2 "$work/bad: line 2: no such setting: \"tokne_floor\"" "$vrmsd" -t -c "$work/bad"
refused 2 "$work/bad: line 2: no such setting: \"tokne_floor\"" "$vrmsd" -c "$work/bad"
printf 'beat_interval = soon\n' >"$work/bad"
refused 2 beat_interval "$vrmsd" -t -c "$work/bad"
refused 2 "$work/none" "$vrmsd" -t -c "$work/none"
"$vrmsd" --example >"$work/example"
"$vrmsd" -t -c "$work/example" || fail "its own example is refused" "$work/example"
sed 's/^# *\([a-z_]* = \)/\1/' "$work/example" | grep -v ' = $' >"$work/full"
grep -q '^token_floor = 200ms' "$work/full" || fail "the example has no defaults" "$work/full"
"$vrmsd" -t -c "$work/full" || fail "its own defaults are refused" "$work/full"

# ---- areas: what is not ours stays as it is
unchanged() { cmp -s "$work/disk" "$work/before" || fail "$1 has been written to"; }
head -c 1048576 /dev/zero >"$work/disk"
printf 'LABELONE' | dd of="$work/disk" bs=1 seek=512 conv=notrunc status=none
cp "$work/disk" "$work/before"
refused 1 "looks used" "$vrms" san init "$work/disk" --cluster lab
unchanged "a used disk"
refused 1 "$work/disk" "$vrms" san show "$work/disk"
head -c 65536 /dev/zero >"$work/disk"
cp "$work/disk" "$work/before"
refused 1 "65536 bytes" "$vrms" san init "$work/disk" --cluster lab
unchanged "a small disk"
refused 1 "longer than" "$vrms" san init "$work/new" --cluster "$(printf '%080d' 0)"
[ ! -e "$work/new" ] || fail "a refused area has left a file"
"$vrms" san init "$work/area" --cluster lab >"$work/out" || fail "an area cannot be made" "$work/out"
cp "$work/area" "$work/disk"
cp "$work/area" "$work/before"
refused 1 '"lab"' "$vrms" san init "$work/disk" --cluster other
unchanged "the area of a cluster"
"$vrms" san init "$work/disk" --cluster other --force >"$work/out" || fail "--force is refused" "$work/out"
"$vrms" san show "$work/disk" | grep -q '"other"' || fail "the forced area is not another cluster's"

# ---- nothing to connect to
if [ "$(id -u)" = 0 ] && unshare --net --mount true 2>/dev/null; then
	unshare --net --mount --propagation private "$0" inside "$work" || fail "the part in namespaces"
	[ "$(cat "$work/rc")" = 0 ] || fail "SIGTERM: exit $(cat "$work/rc")" "$work/log"
	[ "$(cat "$work/restore.rc")" = 0 ] || fail "a wrong setting keeps the token from being put back"
	[ "$(cat "$work/status.rc")" = 2 ] || fail "vrms status without a quorum: exit $(cat "$work/status.rc")" "$work/status"
	grep -q 'not connected to corosync' "$work/status" || fail "status does not say so" "$work/status"
	[ "$(grep -c 'waiting for corosync' "$work/log")" = 1 ] || fail "not said once that corosync is missing" "$work/log"
	jq -e '.attached == false and .tuning.token_ms == 0 and (.members | length) == 0' "$work/status.json" >/dev/null ||
		fail "the JSON is not that of a lonely node" "$work/status.json"
	[ "$(cat "$work/second.rc")" != 0 ] || fail "two daemons run" "$work/second"
	! grep -q token "$work/second" || fail "the second daemon sets the token" "$work/second"
	[ "$(grep -c 'machines are not watched' "$work/log")" -le 1 ] || fail "said more than once" "$work/log"
	grep -q '"vrmsd"' "$work/second" || fail "the second daemon does not say why" "$work/second"
	cmp -s "$work/area" "$work/before" || fail "beats were written without a cluster"
else
	echo "not tested: vrmsd without corosync needs root and namespaces"
fi

[ "$failures" = 0 ] || exit 1
