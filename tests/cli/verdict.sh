#!/bin/sh
# fence_vrms_verdict: for which nodes it may be used, by its status and in a fence, and that neither
# storage nor a CIB that hangs is waited for.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu

agent=$(pwd)/${FENCE_VRMS_VERDICT:-fence_vrms_verdict}
work=$(mktemp -d "${TMPDIR:-/tmp}/verdict.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0

# In place of Pacemaker's: the CIB in a file, or no cluster.
cat >"$work/cibadmin" <<END
#!/bin/sh
[ ! -e "$work/hangs" ] || exec sleep 60
[ -e "$work/cib" ] || exit 102
exec cat "$work/cib"
END
chmod 755 "$work/cibadmin"
mkfifo "$work/area" # nobody will ever answer there

cib() { # LEVELS
	cat >"$work/cib" <<END
<xpath-query>
  $1
  <primitive id="verdict" class="stonith" type="fence_vrms_verdict"/>
  <primitive id="power" class="stonith" type="fence_ipmilan"/>
</xpath-query>
END
}

answers() { # STATUS TEXT [ACTION]
	got=0
	printf 'action=%s\ndevice=%s\nnodename=node1\nread_timeout=50ms\n' "${3:-status}" "$work/area" |
		PATH="$work:$PATH" timeout 20 "$agent" >"$work/out" 2>&1 || got=$?
	if [ "$got" = "$1" ] && grep -q -- "$2" "$work/out"; then
		echo "ok: $2"
	else
		echo "FAILED: exit status $got instead of $1, or no \"$2\" in:"
		cat "$work/out"
		failed=1
	fi
}

for action in status off reboot; do
	rm -f "$work/cib"
	answers 1 'the CIB cannot be read' $action
	cib ''
	answers 1 'no fencing level of "node1"' $action
	cib '<fencing-level id="l1" target="node1" index="1" devices="verdict"/>
	     <fencing-level id="l2" target="node1" index="2" devices="power"/>'
	answers 1 'has nothing behind "verdict"' $action
done
cib '<fencing-level id="l1" target="node1" index="1" devices="verdict,power"/>'
answers 0 'which may be asked' status
answers 0 'to be fenced' off
answers 0 'to be fenced' reboot
touch "$work/hangs" # all of Pacemaker's CIB manager
for action in status off; do
	begin=$(date +%s)
	answers 1 'not finished after' $action
	took=$(($(date +%s) - begin))
	[ "$took" -le 9 ] || { echo "FAILED: a fence waits $took s for a CIB that is not there"; failed=1; }
done
exit $failed
