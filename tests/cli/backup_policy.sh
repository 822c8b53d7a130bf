#!/bin/sh
# Policies, schedule and status, on a host without libvirt and without a cluster.
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
# shellcheck source=tests/cli/lib.sh
. "${srcdir:-.}/tests/cli/lib.sh"

backup=${VRMS_BACKUP:-./vrms-backup}
needs "qemu-img qemu-nbd jq" "qemu-utils jq"
work=$(mktemp -d "${TMPDIR:-/tmp}/backup-policy.XXXXXX")
trap 'rm -rf "$work"' EXIT
unset VRMS_BACKUP_REPOSITORY
config=$work/backup.conf
nowhere=test+unix:///nowhere # no libvirt answers there

refused() { # PART COMMAND...
	part=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		fail "not refused: $*"
	fi
	grep -qF -- "$part" "$work/out" || fail "no \"$part\" in: $(cat "$work/out")"
}
status() { # EXPECTED_EXIT OPTIONS...
	expected=$1
	shift
	code=0
	"$backup" status --config "$config" --connect "$nowhere" "$@" >"$work/out" || code=$?
	cat "$work/out"
	[ "$code" = "$expected" ] || fail "status: exit code $code instead of $expected"
}
alarms() { jq -r ".[] | select(.vm == \"$1\") | .alarms | join(\" \")" "$work/out"; }

cat >"$config" <<END
repository = $work/repository
prune = daily
[default]
full = Sun 01:00
incremental = *:0/10
alarm_age = 2h
[vm vm1]
keep_last = 2
[vm vm2]
consistency = filesystem
END
"$backup" init --repository "$work/repository" >/dev/null
qemu-img create -q -f qcow2 "$work/vda.qcow2" 16M

# Nothing yet: both VMs are told of.
status 3
grep -q "there is no backup" "$work/out" || fail "a missing backup is not told"

for vm in vm1 vm2; do
	"$backup" take "$vm" --repository "$work/repository" --image "vda=$work/vda.qcow2" >/dev/null
done
status 0
status 0 --json
[ "$(alarms vm1)" = "" ] || fail "vm1 has alarms"
[ "$(jq length "$work/out")" = 2 ] || fail "not two VMs"
[ "$(jq '.[0].verify_s' "$work/out")" = null ] || fail "verified without a verify"
"$backup" verify --repository "$work/repository" >/dev/null
status 0 --json vm2
[ "$(jq length "$work/out")" = 1 ] || fail "not one VM"
[ "$(jq '.[0].verify_s' "$work/out")" -gt 1700000000 ] || fail "a verify is not seen"

# A damaged point.
cp "$work/repository/points/vm1/0000000001" "$work/saved"
printf 'x' | dd of="$work/repository/points/vm1/0000000001" bs=1 seek=40 conv=notrunc status=none
status 3 --json
case " $(alarms vm1) " in
*" damaged "* | *" no-backup "*) ;;
*) fail "a damaged point is not told: $(alarms vm1)" ;;
esac
cp "$work/saved" "$work/repository/points/vm1/0000000001"

# What comes next, for both.
"$backup" schedule next --config "$config" --connect "$nowhere" --json >"$work/out"
[ "$(jq -r '.[0].next' "$work/out")" = incremental ] || fail "not an incremental next"
[ "$(jq -r '.[0].next_s' "$work/out")" -gt "$(date +%s)" ] || fail "next is past"
[ "$(jq -r '.[0].next_s' "$work/out")" -le "$(($(date +%s) + 600))" ] || fail "next is too late"
refused "does not answer" "$backup" schedule run --config "$config" --connect "$nowhere"

# libvirt's own test driver has a VM "test" that runs, and can begin no backup.
cat >"$work/test.conf" <<END
repository = $work/repository
connect = test:///default
[vm test]
full = daily
END
run() { "$backup" schedule run --config "$work/test.conf" "$@"; }
run --dry-run | tee "$work/out"
grep -qx "test: full is due" "$work/out" || fail "nothing is due"
mkdir "$work/bin"
printf '#!/bin/sh\necho "$*" >>%s\n' "$work/announced" >"$work/bin/vrms"
chmod +x "$work/bin/vrms"
refused "backup of 'test'" env PATH="$work/bin:$PATH" \
	"$backup" schedule run --config "$work/test.conf"
cat "$work/out"
[ "$(cat "$work/announced")" = "announce 150s backup of test" ] || fail "vrmsd is not told of it"
code=0
"$backup" status test --config "$work/test.conf" >"$work/out" || code=$?
cat "$work/out"
[ "$code" = 3 ] || fail "status: exit code $code after a failure"
grep -q "the last attempt failed, on $(uname -n): " "$work/out" || fail "the failure is not told"
run >"$work/out" || fail "a failure is tried again at once"
[ ! -s "$work/out" ] || fail "it said: $(cat "$work/out")"
"$backup" schedule next --config "$work/test.conf" | tee "$work/out"
grep -q "waits after a failure" "$work/out" || fail "next does not say why it waits"
printf 'backup = no\n' >>"$work/test.conf"
[ -z "$(run --dry-run)" ] || fail "a VM that is not to be backed up is due"

# Timers.
"$backup" schedule install-timers --config "$config" --output "$work/units" >/dev/null
cat "$work/units/times.conf"
for line in '[Timer]' 'OnCalendar=Sun 01:00' 'OnCalendar=*:0/10' 'OnCalendar=daily'; do
	[ "$(grep -cxF "$line" "$work/units/times.conf")" = 1 ] || fail "no $line, or twice"
done

# Our bitmaps out of the way of a snapshot, then everything is read again; nobody else's.
qemu-img snapshot -c before "$work/vda.qcow2"
qemu-img bitmap --add "$work/vda.qcow2" foreign
if qemu-img snapshot -a before "$work/vda.qcow2" 2>"$work/out"; then
	fail "QEMU reverts under a bitmap now: release is needed no more"
fi
qemu-img bitmap --remove "$work/vda.qcow2" foreign
export VRMS_BACKUP_REPOSITORY="$work/repository"
"$backup" release vm1 --image "vda=$work/vda.qcow2" | tee "$work/out"
grep -q "^bitmaps removed: 1" "$work/out" || fail "not our bitmap alone"
qemu-img snapshot -a before "$work/vda.qcow2"
"$backup" take vm1 --image "vda=$work/vda.qcow2" | tee "$work/out"
grep -q "vda: full (the disk has no good bitmap" "$work/out" || fail "taken as what?"
unset VRMS_BACKUP_REPOSITORY

# Bad input: a clear line each.
refused "is none of run, next, install-timers" "$backup" schedule later --config "$config"
refused "$work/none: No such file" "$backup" schedule next --config "$work/none"
printf '[vm vm1]\nfull = daily\n' >>"$config"
refused "$config:11: VM 'vm1' has a policy in line 7 already" \
	"$backup" schedule next --config "$config" --connect "$nowhere"
refused "$config:11: VM 'vm1' has a policy in line 7 already" \
	"$backup" status --config "$config" --connect "$nowhere"
refused "was in no cluster" "$backup" show vm1 --repository "$work/repository" --cluster-config
refused "has no cluster configuration" \
	"$backup" restore vm1 --repository "$work/repository" --cluster-config --output "$work/new"
[ ! -e "$work/new/vm1-vda.qcow2" ] || fail "a refused restore wrote something"
echo "policies, schedule and status: as they should be"
