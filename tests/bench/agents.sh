#!/bin/bash
# agents.sh - what start, monitor and stop of one guest cost: ours beside VirtualDomain, in a lab node.
# usage: agents.sh [--rounds N] [--json]   (set by "make bench": VRMS_LAB_STAGE, VRMS_BENCH_DIR)
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lab/lib.sh"
: "${VRMS_BENCH_DIR:?is not set; run \"make bench\"}"

quietly() { # the lab's own words go to the standard error: the standard output is the report
	"$@" >&2
}

# No cluster beside it: Pacemaker's monitors of other guests would be measured, too.
quietly lab_up -n 1
quietly lab vm add bench --files-only
mkdir -p "$SAN/bench"
cp "$VRMS_BENCH_DIR/bench_agents" "$VRMS_BENCH_DIR/plain_libvirt" "$SAN/bench/"
rc=0
in_node node1 /srv/bench/bench_agents --config /srv/vm/bench.xml --name bench \
	--plain /srv/bench/plain_libvirt --vrms /usr/lib/ocf/resource.d/vrms/VirtualMachine "$@" || rc=$?
quietly take_down || rc=1
trap - EXIT
exit "$rc"
