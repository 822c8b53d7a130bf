#!/bin/sh
# vrms plan, drain, rebalance and place on files: exit statuses, formats, what is written.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
. "${srcdir:-.}/tests/cli/lib.sh"

vrms=${VRMS:-./vrms}
example=${srcdir:-.}/doc/examples/state.json
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT


expect 0 'Survives the loss of any 2 nodes' -- "$vrms" plan --state "$example"
expect 0 'recover' 'lost' 'no plan can get below' -- "$vrms" plan --state "$example" --fail cedar
expect 2 'Survives the loss of any 2 nodes' -- "$vrms" plan --state "$example" --survive 3
expect 1 "unknown node 'oak'" -- "$vrms" plan --state "$example" --fail oak
expect 1 'No such file' -- "$vrms" plan --state "$work/missing"
expect 1 "unexpected 'word'" -- "$vrms" plan --state "$example" word
expect 1 '--survive' -- "$vrms" plan --state "$example" --survive many
expect 0 'drain' 'birch -> ' 'cannot be live-migrated' -- "$vrms" drain birch --state "$example"
expect 0 'rebalance' -- "$vrms" rebalance --state "$example" --max-moves 3
expect 1 "already runs on 'ash'" -- "$vrms" place db1 --state "$example"
expect 1 'unknown command' -- "$vrms" frobnicate
expect 0 'plan' 'drain' -- "$vrms" --help

# A state cut off in the middle names line and key.
head -c 700 "$example" >"$work/cut.json"
expect 1 "$work/cut.json:" 'after key' -- "$vrms" plan --state "$work/cut.json"

# The JSON has what scripts rely on.
for key in hosts capacity before after vms from to kind stopped bound survives rules_broken; do
	set -- "$@" "\"$key\""
done
expect 0 "$@" -- "$vrms" plan --state "$example" --json --survive 1 --max-moves 2

# One full node and one that is down: somebody stays down.
cat >"$work/full.json" <<'END'
{ "version": 1, "dimensions": [ { "name": "memory" } ],
  "nodes": [ { "name": "a", "capacity": { "memory": 10 } },
             { "name": "b", "capacity": { "memory": 10 }, "state": "offline" } ],
  "vms": [ { "name": "x", "host": "a", "demand": { "memory": 8 } },
           { "name": "y", "host": "b", "demand": { "memory": 8 } } ] }
END
expect 2 'Stay down (1): y' -- "$vrms" plan --state "$work/full.json"
expect 2 '"stopped": [' '"y"' -- "$vrms" plan --state "$work/full.json" --json

# Ganeti's text, and others' files when they are here.
for data in ../shared/data/ganeti/*.data "${srcdir:-.}"/../shared/data/ganeti/*.data; do
	[ -e "$data" ] || continue
	got=0
	"$vrms" plan --state "$data" >"$work/output" 2>&1 || got=$?
	case $got in
	0 | 2) ;;
	1) grep -qE "^vrms plan: $data:[0-9]+: " "$work/output" || failures=$((failures + 1)) ;;
	*)
		echo "FAILED: $data: exit $got"
		failures=$((failures + 1))
		;;
	esac
done
[ "$failures" -eq 0 ] || exit 1
echo "all as expected"
