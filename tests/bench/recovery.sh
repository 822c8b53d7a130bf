#!/bin/bash
# recovery.sh - twelve guests on a node whose power is cut: seconds until each has booted elsewhere, under
# VirtualDomain and under ours, in fresh labs of the same settings, in turns.
# usage: recovery.sh [--rounds N] [--guests N] [--token MS] [--throttle PERCENT] [--param NAME=VALUE]... [--json]
#        (set by "make bench": VRMS_LAB_STAGE, VRMS_BENCH_DIR)
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lab/lib.sh"
: "${VRMS_BENCH_DIR:?is not set; run \"make bench\"}"

rounds=3 guests=12 token=1000 throttle="" json="" params=()
usage() {
	sed -n 's/^# usage: /usage: /p' "$0" >&2
	exit 2
}
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) rounds=$2; shift ;;
	--guests) guests=$2; shift ;;
	--token) token=$2; shift ;;
	--throttle) throttle=$2; shift ;;
	--param) params+=(--param "$2"); shift ;;
	--json) json=yes ;;
	*) usage ;;
	esac
	shift
done
results=$(mktemp)
trap 'rm -f "$results"; take_down >&2' EXIT

all_run_on() { # NODE: every guest, and it counts
	lab vm list --json | jq -e --arg node "$1" --argjson guests "$guests" \
		'map(select(.node == $node and .state == "Started" and .tick_count > 0)) | length == $guests'
}

# The twelve start on node1 and nothing draws them anywhere else afterwards.  One guest each on the
# survivors: their libvirtd has asked QEMU for its capabilities before, as it has on a real host.
prefer_nodes() {
	in_node node2 cibadmin --modify --allow-create --scope constraints --xml-text \
		'<constraints>
		<rsc_location id="home" rsc-pattern="^g[0-9]+$" node="node1" score="100"/>
		<rsc_location id="home-warm2" rsc-pattern="^warm2$" node="node2" score="INFINITY"/>
		<rsc_location id="home-warm3" rsc-pattern="^warm3$" node="node3" score="INFINITY"/>
		</constraints>'
}

# For --param autoset_utilization_...=true: a node without the attribute has no room at all.
make_room() {
	local node what
	for node in node1 node2 node3; do
		for what in cpu host_memory hv_memory; do
			in_node node2 crm_attribute --node "$node" --utilization --name "$what" --update 1000000
		done
	done
}

# Until Pacemaker has looked at a node's load, up to 30 s after it joined, it starts two guests at a time
# there instead of four.
knows_load() { # NODE...
	local node
	for node; do
		grep -q 'New throttle mode' "$DIR/nodes/$node/var/log/pacemaker/pacemaker.log" || return 1
	done
}

# one_cut AGENT ROUND: appends "AGENT ROUND MS" for each guest
one_cut() {
	local agent=$1 round=$2 number disks=() times
	lab_up -n 3 --token "$token"
	[ -z "$throttle" ] || in_node node2 crm_attribute --name load-threshold --update "$throttle"
	prefer_nodes
	[ "${#params[@]}" = 0 ] || make_room
	for number in 2 3; do
		lab vm add "warm$number" --agent "$agent" "${params[@]}" || return 1
	done
	for number in $(seq "$guests"); do
		lab vm add "g$number" --agent "$agent" "${params[@]}" || return 1
		disks+=("$SAN/disk/g$number.raw")
	done
	wait_until 180 "$guests guests of $agent run on node1" all_run_on node1
	wait_until 90 "Pacemaker knows the survivors' load" knows_load node2 node3
	sleep 2
	times=$("$VRMS_BENCH_DIR/wait_boots" 180000 "${disks[@]}" -- "$PROGRAM" --lab "$LAB" power off node1) ||
		return 1
	printf '%s\n' "$times" | while read -r ms _; do
		case $ms in
		*[!0-9]*) ;; # the lab's own words
		*) echo "$agent $round $ms" >>"$results" ;;
		esac
	done
	say "$agent: $(awk -v a="$agent" -v r="$round" '$1 == a && $2 == r { printf " %.2f", $3 / 1000 }' "$results")"
	lab down
}

# of AGENT KIND: the median over the rounds of the first, middle or last guest's time
of() {
	awk -v agent="$1" -v kind="$2" '
		$1 == agent { n[$2]++; t[$2, n[$2]] = $3 }
		END {
			for (r in n) {
				k = kind == "first" ? 1 : kind == "last" ? n[r] : int((n[r] + 1) / 2)
				v[++m] = t[r, k]
			}
			for (i = 1; i <= m; i++) for (j = i + 1; j <= m; j++) if (v[j] < v[i]) { x = v[i]; v[i] = v[j]; v[j] = x }
			print v[int((m + 1) / 2)]
		}' "$results"
}

for round in $(seq "$rounds"); do
	for agent in heartbeat vrms; do
		one_cut "$agent" "$round" >&2 || { echo "the round failed" >&2; exit 1; }
	done
done

if [ -n "$json" ]; then
	jq -R -n --argjson guests "$guests" --argjson token "$token" '
		{guests: $guests, token_ms: $token,
		 cuts: [inputs | split(" ") | {agent: .[0], round: (.[1] | tonumber), ms: (.[2] | tonumber)}]
			| group_by([.agent, .round])
			| map({agent: .[0].agent, round: .[0].round, running_ms: map(.ms)})}' <"$results"
else
	printf '%s guests on the node whose power is cut, three nodes, token %s ms, median of %s cuts; s until running\n\n' \
		"$guests" "$token" "$rounds"
	printf '%-16s %8s %8s %8s\n' '' first middle last
	for agent in vrms heartbeat; do
		awk -v name="$agent" -v a="$(of "$agent" first)" -v b="$(of "$agent" middle)" -v c="$(of "$agent" last)" \
			'BEGIN { printf "%-16s %8.2f %8.2f %8.2f\n", name == "vrms" ? "VirtualMachine" : "VirtualDomain", a / 1000, b / 1000, c / 1000 }'
	done
	awk -v ours="$(of vrms last)" -v theirs="$(of heartbeat last)" \
		'BEGIN { printf "\nlast guest, VirtualMachine / VirtualDomain: %.2f; asked: at most 0.5: %s\n", ours / theirs, ours / theirs <= 0.5 ? "reached" : "NOT REACHED" }'
fi
