#!/bin/sh
# The page of vrms-sim in a real browser: it is drawn, on a desk, on a phone and in print, without
# an error and without the network.
# Environment: srcdir, and the build folder as the present one (from make).
# SPDX-License-Identifier: GPL-2.0-or-later
set -u

browser=$(command -v chromium || command -v chromium-browser) ||
	{ echo "skipped: there is no chromium (package chromium)"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work"
failed=0

check() { # what, command...
	what=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		echo "ok: $what"
	else
		echo "FAILED: $what"
		tail -n 5 "$work/out"
		failed=1
	fi
}

# No name is resolved: a page that asks for anything would say so.
look() { # option...
	timeout 100 "$browser" --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage \
		--no-first-run --hide-scrollbars --user-data-dir="$work/profile" \
		--host-resolver-rules='MAP * ~NOTFOUND' --enable-logging=stderr "$@" "file://$work/page.html"
}

# How many colours a picture has: one that is blank has one.
colours() { # PNG
	python3 - "$1" <<'END'
import struct, sys, zlib
data = open(sys.argv[1], "rb").read()
width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
assert depth == 8 and kind in (2, 6), (depth, kind)
size, at, packed = (3 if kind == 2 else 4), 8, b""
while at < len(data):
    length, name = struct.unpack(">I4s", data[at:at + 8])
    if name == b"IDAT":
        packed += data[at + 8:at + 8 + length]
    at += length + 12
raw = zlib.decompress(packed)
line = width * size + 1
# Rows that are not equal in their filtered form are not of one colour throughout.
print(len({raw[i * line:(i + 1) * line] for i in range(height)}))
END
}

drawn() { # picture, option...
	picture=$work/$1.png
	shift
	look --screenshot="$picture" "$@" >"$work/log" 2>&1 || { cat "$work/log"; return 1; }
	! grep -q 'CONSOLE' "$work/log" || { grep CONSOLE "$work/log"; return 1; }
	rows=$(colours "$picture")
	echo "$rows different rows"
	[ "$rows" -gt 100 ]
}

./vrms-sim run "$srcdir/doc/examples/sim/three-nodes.sim" --quiet --html "$work/page.html" || exit 1
check "drawn at the width of a desk, without an error" drawn desk --window-size=1200,1600
check "drawn at the width of a phone" drawn phone --window-size=500,2400
check "its document is read" look --dump-dom
cp "$work/out" "$work/dom"
for text in 'timeline of the hosts' 'timeline of the VMs' 'detection latency' 'downtime of each VM' \
	'Failures, step by step' 'power of node3' 'host lost: noticed' 'How level the load is'; do
	check "it has \"$text\"" grep -q "$text" "$work/dom"
done
check "a row for each host and VM" test "$(grep -c '^<text x="0"' "$work/dom")" -ge 15
check "printed" look --print-to-pdf="$work/page.pdf"
check "as a document" test "$(head -c 5 "$work/page.pdf")" = %PDF-
# The page must not be wider than a phone: what is, scrolls within itself.
sed 's,</body>,<script>document.title="width "+document.documentElement.scrollWidth</script></body>,' \
	"$work/page.html" >"$work/wide.html" && mv "$work/wide.html" "$work/page.html"
look --window-size=500,900 --dump-dom >"$work/dom" 2>/dev/null
check "no wider than a phone" grep -q '<title>width \(500\|4[0-9][0-9]\)</title>' "$work/dom"
# The checks can fail: an empty page is not drawn.
echo '<html></html>' >"$work/page.html"
if drawn empty --window-size=500,500 >/dev/null 2>&1; then
	echo "FAILED: an empty page counts as drawn"
	failed=1
fi
exit $failed
