#!/bin/sh
# vrms events and explain on journals in files: what is shown, in which order, and while it grows.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu

vrms=${VRMS:-./vrms}
work=$(mktemp -d)
journal=$work/journal.jsonl
follower=
end() {
	[ -z "$follower" ] || kill "$follower" 2>/dev/null || :
	rm -rf "$work"
}
trap end EXIT
failures=0
seq=0

fail() {
	echo "FAILED: $1"
	shift
	[ $# = 0 ] || cat "$@"
	failures=$((failures + 1))
}
now=$(date +%s) # once: on a busy machine lines would get a second between them
# line SECONDS_AGO EVENT FIELDS: one line of the format, at a time with .250 s.
line() {
	seq=$((seq + 1))
	printf '{"v":1,"seq":%d,"mono_ms":%d,"wall":"%s.250Z","node":"node1","event":"%s"%s}\n' \
		"$seq" "$((1000000 - $1 * 1000))" "$(date -u -d "@$((now - $1))" +%Y-%m-%dT%H:%M:%S)" "$2" "${3:+,$3}"
}
count() { grep -c "$1" "$2" || :; } # PATTERN FILE
same() { # WHAT EXPECTED GOT FILE
	[ "$2" = "$3" ] || fail "$1: \"$3\", not \"$2\"" "$4"
}

line 7200 start '"version":"1","pid":3' >"$journal.2"
line 900 vm '"vm":"web1","resource":"r-web1","state":"managed","text":"","pid":7' >"$journal.1"
{
	line 100 ring '"representative":1,"ring":40,"members":[1,2,3]'
	line 13 token '"token_ms":300,"from_ms":400,"reason":"TUNER_BUDGET","text":"shorter"'
	line 10 ring '"representative":1,"ring":44,"members":[1,2]'
	line 10 member '"id":3,"name":"node3","reason":"MEMBER_LOST","text":"left the membership without a word"'
	line 9 vm '"vm":"node3x","resource":"r","state":"managed","text":"","pid":7'
	line 9 beat '"id":3,"name":"node3","state":"silent","unchanged_ms":700'
	line 8 verdict '"target":"node3","state":"asked","text":"is it to be fenced?"'
	line 7 verdict '"target":"node3","state":"done","reason":"VERDICT_SILENT","text":"the beat is silent"'
	line 6 vm '"vm":"web1","resource":"r-web1","state":"failed","reason":"VM_DIED","text":"its QEMU process ended","pid":7'
	printf '{"v":1,"seq":99,"wall":"20'
} >"$journal"

# ---- events
"$vrms" events --file "$journal" >"$work/out"
same "all, old files first" 11 "$(wc -l <"$work/out")" "$work/out"
head -n 1 "$work/out" | grep -q ' start ' || fail "the oldest file is not first" "$work/out"
"$vrms" events --file "$journal" --since 5min --json >"$work/out"
same "since 5 min" 9 "$(wc -l <"$work/out")" "$work/out"
same "each a line of JSON as it was written" 9 "$(count '^{"v":1,.*}$' "$work/out")" "$work/out"
same "the torn line is not shown" 0 "$(count '"seq":99' "$work/out")" "$work/out"
if "$vrms" events --file "$journal" --since soon >"$work/out" 2>&1; then fail "--since soon is taken"; fi
grep -qF soon "$work/out" || fail "the wrong time is not named" "$work/out"
if "$vrms" events --file "$work/none" >"$work/out" 2>&1; then fail "a missing journal is no error"; fi
grep -qF "$work/none" "$work/out" || fail "the missing journal is not named" "$work/out"

# ---- explain
"$vrms" explain fence node3 --file "$journal" >"$work/out"
same "a fence's story" "token ring member beat verdict verdict" \
	"$(awk '{ for (i = 2; i <= NF; i++) if ($i == "node1") { print $(i + 1); break } }' "$work/out" | xargs)" "$work/out"
grep -q '+1000 ms node1 *verdict *the beat is silent' "$work/out" || fail "no time between steps" "$work/out"
"$vrms" explain vm web1 --file "$journal" >"$work/out"
same "a machine's story" 2 "$(wc -l <"$work/out")" "$work/out"
"$vrms" explain vm r-web1 --json --file "$journal" >"$work/json"
same "the same by its resource, as JSON" 2 "$(count '"vm":"web1"' "$work/json")" "$work/json"
got=0
"$vrms" explain vm nobody --file "$journal" >"$work/out" || got=$?
same "exit status about an unknown machine" 2 "$got" "$work/out"
if "$vrms" explain web1 --file "$journal" >/dev/null 2>&1; then fail "explain takes a bare name"; fi

# ---- follow: a line is shown when it is whole, also after a rotation
wait_for() { # PATTERN
	for _ in $(seq 100); do
		! grep -q "$1" "$work/follow" || return 0
		sleep 0.1
	done
	fail "--follow does not show $1 within 10 s" "$work/follow"
}
now=$(date +%s)
"$vrms" events --file "$journal" --follow --json --since 1min >"$work/follow" &
follower=$!
wait_for VM_DIED
line 0 load '"what":"in two halves"' >"$work/line"
{
	printf '26-01-01T00:00:00.000Z"}\n' # the end of an old one: not wanted
	head -c 60 "$work/line"
} >>"$journal"
sleep 0.5
same "half a line" 0 "$(count 'in two' "$work/follow")" "$work/follow"
tail -c +61 "$work/line" >>"$journal"
wait_for 'in two halves'
line 0 load '"what":"before the rotation"' >>"$journal"
wait_for 'before the rotation'
line 0 load '"what":"last of the old file"' >>"$journal"
{
	line 0 load '"what":"after the rotation"'
	for i in $(seq 60); do line 0 load "\"what\":\"filler $i\""; done
} >"$work/new" # at once longer than the old one
mv "$journal" "$journal.1"
mv "$work/new" "$journal"
wait_for 'last of the old file'
wait_for 'filler 60'
wait_for 'after the rotation'
same "nothing twice" 1 "$(count 'before the rotation' "$work/follow")" "$work/follow"

[ "$failures" = 0 ] || exit 1
