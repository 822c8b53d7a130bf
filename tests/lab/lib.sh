# lib.sh - what the lab tests share: cases, waiting, one lab that is always taken down.
#
# A test sources it, calls lab_up, then run_case for each case, then finish.
# VRMS_LAB_STAGE: the make-install tree under test (make check-lab sets it).
# VRMS_LAB_SHARED: not empty where other lab tests run beside this one (make check-lab sets it).
# VRMS_LAB_CASES: only cases whose function's name matches this pattern (and set_up).
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash

set -uo pipefail
shopt -s extglob # for VRMS_LAB_CASES="@(one|other)"
export LC_ALL=C.UTF-8

passed=0 failed=0 skipped=0 elapsed=0
began=${EPOCHREALTIME/./} # in microseconds

skip_all() { echo "SKIP: $*"; exit 77; }

[ "$(id -u)" = 0 ] || skip_all "needs root: it makes namespaces"
: "${VRMS_LAB_STAGE:?is not set; run \"make check-lab\"}"
PROGRAM=$(find "$VRMS_LAB_STAGE" -type f -name vrms-lab -perm -u+x | head -n 1)
[ -n "$PROGRAM" ] || { echo "no vrms-lab under $VRMS_LAB_STAGE"; exit 99; }

# One name for each test and build folder: what a killed run left is found again by the next one.
TEST=$(basename "$0" .sh)
LAB=check-$TEST-$(printf '%s' "$VRMS_LAB_STAGE" | cksum | cut -c1-6)
DIR=/var/lib/vrms-lab/$LAB
SAN=

shared=() # for those commands that start a lab
[ -z "${VRMS_LAB_SHARED:-}" ] || shared=(--shared)
lab() {
	case $1 in
	up | demo) "$PROGRAM" --lab "$LAB" "$1" "${shared[@]}" "${@:2}" ;;
	*) "$PROGRAM" --lab "$LAB" "$@" ;;
	esac
}
in_node() { lab exec "$@"; }
say() { printf '# %s\n' "$*"; }
fail() { printf '# FAILED: %s\n' "$*"; exit 1; }
now_ms() { local t=$EPOCHREALTIME; echo $((${t/./} / 1000)); }
seconds() { printf '%d.%01d s' $(($1 / 1000)) $(($1 % 1000 / 100)); } # MILLISECONDS

# wait_until SECONDS WHAT COMMAND...: polls; says how long it took, unless QUIET is set; fails the
# case when time is up.
wait_until() {
	local limit=$1 what=$2 start
	shift 2
	start=$(now_ms)
	until "$@" >/dev/null 2>&1; do
		if [ $(($(now_ms) - start)) -gt $((limit * 1000)) ]; then
			fail "not within $limit s: $what"
		fi
		sleep 0.2
	done
	elapsed=$(($(now_ms) - start))
	[ -n "${QUIET:-}" ] || say "$(seconds $elapsed): $what"
}

is() { [ "$1" = "$2" ]; }
same() { # WHAT EXPECTED GOT
	[ "$2" = "$3" ] || fail "$1: expected \"$2\", got \"$3\""
}
differs() { [ "$2" != "$3" ] || fail "$1: still \"$2\""; }
contains() { # WHAT TEXT PART
	case $2 in
	*"$3"*) ;;
	*) fail "$1: no \"$3\" in \"$2\"" ;;
	esac
}
below() { # WHAT MILLISECONDS LIMIT_MILLISECONDS
	say "$1 took $(seconds "$2"), $(seconds "$3") allowed"
	[ "$2" -lt "$3" ] || fail "$1 took too long"
}

running_case= # its process group
take_down() {
	if [ -n "$running_case" ]; then
		kill -TERM -- "-$running_case" 2>/dev/null
		wait "$running_case" 2>/dev/null
	fi
	if [ -e "$DIR" ] && ! lab down; then
		echo "# the lab $LAB could not be taken down"
		return 1
	fi
}
trap 'take_down' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# lab_up OPTIONS...: a fresh lab, after what an earlier run may have left.
lab_up() {
	local start
	[ ! -e "$DIR" ] || lab down || exit 99
	start=$(now_ms)
	lab up "$@" || { echo "# the lab did not come up"; exit 99; }
	say "lab up in $(seconds $(($(now_ms) - start)))"
	SAN=$DIR/san
}

diagnose() {
	local log
	lab status || :
	for log in "$DIR"/nodes/*/var/log/pacemaker/pacemaker.log; do
		echo "# --- ${log#"$DIR"/}"
		grep -E 'warning|error|VirtualMachine|Requesting|Operation|Result' "$log" | grep -v cib_perform_op | tail -n 25 | sed 's/^/# /'
	done
}

recover() { :; } # after a failed case: a test that has something to put right says how

case_in_a_shell() (
	set -eEu
	trap - EXIT
	# Not in command substitutions: there a failure may be an answer.
	level=$BASH_SUBSHELL
	trap '[ "$BASH_SUBSHELL" != "$level" ] ||
		say "FAILED: ${FUNCNAME[*]:0:2}, line ${BASH_LINENO[0]}: $BASH_COMMAND" >&2' ERR
	"$1"
)

# run_case FUNCTION DESCRIPTION
run_case() {
	local start rc
	# shellcheck disable=SC2254 # it is a pattern
	case $1 in
	set_up | ${VRMS_LAB_CASES:-*}) ;;
	*) return ;;
	esac
	start=$(now_ms)
	# In the background, so that a signal is heard at once; with a process group of its own, so
	# that it can be ended with all it started.
	set -m
	case_in_a_shell "$1" &
	running_case=$!
	set +m
	wait "$running_case"
	rc=$?
	kill -TERM -- "-$running_case" 2>/dev/null # what it left running
	running_case=
	case $rc in
	0) passed=$((passed + 1)); echo "ok $((passed + failed + skipped)) - $2 ($(seconds $(($(now_ms) - start))))" ;;
	77) skipped=$((skipped + 1)); echo "ok $((passed + failed + skipped)) - $2 # SKIP" ;;
	*)
		failed=$((failed + 1))
		echo "not ok $((passed + failed + skipped)) - $2 ($(seconds $(($(now_ms) - start))))"
		diagnose
		recover
		;;
	esac
}

finish() {
	take_down || failed=$((failed + 1))
	trap - EXIT
	say "$(seconds $(($(now_ms) - began / 1000))) in all"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] || exit 1
	exit 0
}

# ---- the cluster

online() { lab wait --timeout "${1:-60}"; }
vm_is() { # NAME NODE STATE: as Pacemaker says; an empty NODE means any
	lab vm list --json | jq -e --arg n "$1" --arg w "$2" --arg s "$3" \
		'.[] | select(.name == $n and .state == $s and ($w == "" or .node == $w))'
}
vm_node() { lab vm list --json | jq -r --arg n "$1" '.[] | select(.name == $n) | .node // ""'; }
vm_absent_from() { ! in_node "$2" test -e "/run/libvirt/qemu/$1.pid"; }
qemu_pid() { in_node "$2" cat "/run/libvirt/qemu/$1.pid"; } # NAME NODE
fail_count() { # NAME: over all nodes
	in_node "$ASK" crm_failcount --query -r "$1" -N "$2" 2>/dev/null | sed 's/.*value=//'
}
node_of_others() { # NODE: the first node that is another one
	local node
	for node in node1 node2 node3; do
		[ "$node" = "$1" ] || { echo "$node"; return; }
	done
}
fence_count() { # how often any node was fenced, as the survivors remember; without --verbose, once at most
	in_node "$ASK" stonith_admin --history '*' --verbose --output-as=xml 2>/dev/null |
		grep -c '<fence_event .*status="success"' || :
}
ASK=node1 # a node that is up

# ---- the guests: what is on their disks

record() { # NAME: "boot tick fail"
	dd if="$SAN/disk/$1.raw" bs=512 skip=1 count=1 status=none | tr -d '\000' |
		sed -n 's/^VRMS boot 0*\([0-9]\{1,\}\) tick 0*\([0-9]\{1,\}\) fail 0*\([0-9]\{1,\}\).*/\1 \2 \3/p'
}
boots() { record "$1" | cut -d' ' -f1; }
ticks() { record "$1" | cut -d' ' -f2; }
counts() { # NAME TICKS: has counted beyond that
	[ "$(ticks "$1")" -gt "$2" ]
}
booted_beyond() { [ "$(boots "$1")" -gt "$2" ] && [ "$(ticks "$1")" -ge 2 ]; }

# ---- the agent, run by hand as Pacemaker would

# agent NODE ACTION NAME TIMEOUT_MS [PARAM=VALUE...]: its exit code in $rc, time in $took, words in
# $words.  One that overruns its time is ended, as Pacemaker would: exit code 124.
rc=0 took=0 words=
# shellcheck disable=SC2034 # for the caller
agent() {
	local node=$1 action=$2 name=$3 timeout=$4 start
	shift 4
	start=$(now_ms)
	rc=0
	words=$(in_node "$node" timeout -k 1 $((timeout / 1000 + 2)) env OCF_ROOT=/usr/lib/ocf OCF_RA_VERSION_MAJOR=1 \
		OCF_RA_VERSION_MINOR=1 OCF_RESOURCE_INSTANCE="$name" OCF_RESOURCE_PROVIDER=vrms \
		OCF_RESOURCE_TYPE=VirtualMachine OCF_RESKEY_crm_feature_set=3.16.2 \
		"OCF_RESKEY_CRM_meta_timeout=$timeout" "OCF_RESKEY_config=/srv/vm/$name.xml" \
		OCF_RESKEY_hypervisor=qemu:///system OCF_RESKEY_migration_transport=tcp \
		OCF_RESKEY_migrate_options=--unsafe OCF_RESKEY_autoset_utilization_cpu=false \
		OCF_RESKEY_autoset_utilization_hv_memory=false \
		OCF_RESKEY_autoset_utilization_host_memory=false \
		"${@/#/OCF_RESKEY_}" \
		/usr/lib/ocf/resource.d/vrms/VirtualMachine "$action" 2>&1) || rc=$?
	took=$(($(now_ms) - start))
}
expect() { # WHAT RC: of the last agent call
	[ "$rc" = "$2" ] || fail "$1: exit code $rc instead of $2: $words"
}

# ---- what guests and libvirtd suffer

# A domain that no cluster looks after, for running the agent by hand.
loose_vm() { # NAME OPTIONS...
	[ ! -e "$SAN/vm/$1.xml" ] || lab vm remove "$1"
	lab vm add "$@" --files-only
}

# A disk on a file system that can be filled: the guest's next write fails with "no space".  The
# nodes have one each, so the VM must not move; what the guest says is read from its console.
io_setup() { # NODES...
	local node
	loose_vm vmio
	for node in "$@"; do
		in_node "$node" mkdir -p /run/small
		in_node "$node" mount -t tmpfs -o size=2m small /run/small
		in_node "$node" cp /srv/disk/vmio.raw /run/small/vmio.raw
	done
	lab vm remove vmio
}
io_teardown() { # NODES...
	local node
	lab vm remove vmio
	for node in "$@"; do
		in_node "$node" umount /run/small
	done
}
# A write of the guest between the hole and the filler gets its block back: then once more.
disk_fails() {
	in_node "$1" sh -c 'cd /run/small && size=$(stat -c %s vmio.raw) && for i in $(seq 50); do
			fallocate --punch-hole --offset 0 --length "$size" vmio.raw
			! cat /dev/zero 2>/dev/null >>filler
			[ "$(stat -c %b vmio.raw)" != 0 ] || exit 0
		done
		exit 1'
}
disk_answers() { in_node "$1" rm -f /run/small/filler; }
console_ticks() { # NAME: how many ticks its console has shown
	grep -c '^VRMS boot' "$SAN/disk/$1.serial"
}
console_shows_more() { [ "$(console_ticks "$1")" -gt "$2" ]; }

libvirtd_pid() { in_node "$1" pgrep -x libvirtd; }
libvirtd_answers() { in_node "$1" timeout 5 virsh -q list; }
start_libvirtd() {
	in_node "$1" libvirtd --daemon --listen
	wait_until 30 "libvirtd of $1 answers" libvirtd_answers "$1"
}
