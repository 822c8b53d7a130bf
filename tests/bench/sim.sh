#!/bin/bash
# How fast the simulator is.  Environment: VRMS_BENCH_DIR (from make bench); VRMS_SHARED_DATA:
# a folder with lanl/sys16.events.csv and lanl/sys20.events.csv, without which those rows are left out.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
echo "bare queue, processor time of one core (goal at 10000 pending: 10 M events/s)"
"$VRMS_BENCH_DIR/bench_sim_queue"

sim=$VRMS_BENCH_DIR/../../vrms-sim
data=${VRMS_SHARED_DATA:-$VRMS_BENCH_DIR/../../../../shared/data}
fast="--set cluster.token=1s --set cluster.token_coefficient=0 --set pacemaker.scheduler_per_vm_node_ns=10"

ulimit -v $((4 * 1024 * 1024)) # goal: the largest needs no more than 4 GiB

row() { # label, goal, arguments: wall time for the goal, processor time for the rate
	label=$1
	goal=$2
	shift 2
	work=$(mktemp -d)
	TIMEFORMAT='%R %U %S'
	{ time "$sim" run "$@" --json="$work/json"; } 2>"$work/time" >/dev/null
	events=$(sed -n 's/^ "events": \([0-9]*\).*/\1/p' "$work/json")
	read -r wall user system <"$work/time"
	rm -r "$work"
	echo "$label $goal $events $wall $user $system" | awk '{ s = $5 + $6
		printf "%-40s %7.2f s (goal %s), %6.2f s of a core, %9d events %6.2f M/s\n", $1, $4, $2, s, $3, $3 / s / 1e6 }'
}

echo "whole simulations, each kept to 4 GiB (goal: 2 M events a second of one core)"
for system in 16:160:2s 20:5000:60s; do
	number=${system%%:*}
	rest=${system#*:}
	trace=$data/lanl/sys$number.events.csv
	nodes=16
	[ "$number" = 16 ] || nodes=512
	if [ -e "$trace" ]; then
		# shellcheck disable=SC2086 # a list of options
		row "lanl-system-$number,${rest%:*}-vms" "${rest#*:}" "$trace" --nodes $nodes \
			--vms "${rest%:*}" $fast
	else
		echo "lanl system $number: left out, no $trace"
	fi
done
for policy in balanced plan; do
	# shellcheck disable=SC2086 # a list of options
	row "1000-nodes,50000-vms,one-year,$policy" 300s /dev/null --nodes 1000 --vms 50000 $fast \
		--set generate.model=weibull --set generate.mtbf=2000h --set host.memory=512GiB \
		--duration 8766h --set placement.policy=$policy
done
# shellcheck disable=SC2086 # a list of options
row "8-nodes,one-hour,every-token-hop" - /dev/null --nodes 8 --exact $fast --duration 1h \
	--set cluster.token=100ms
begin=$(date +%s.%N)
"$sim" fuzz --seeds 1..1000 >/dev/null
end=$(date +%s.%N)
echo "$begin $end" | awk '{ printf "%-44s %8.2f s (goal 60s)\n", "fuzz, 1000 seeds", $2 - $1 }'
