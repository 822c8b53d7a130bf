#!/bin/sh
# autogen.sh - bootstrap; or, as root on Debian 12, everything up to the demo or the tests.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
cd "$(dirname "$0")"

usage() {
	cat <<'EOF'
usage: ./autogen.sh            make ./configure (needs autoconf and automake)
       ./autogen.sh deps       install the packages this needs (root, Debian 12)
       ./autogen.sh build      deps, bootstrap, configure and build in ./build
       ./autogen.sh demo [OPTION...]
                               build, then the fail-over demo on a three-node lab (root); with
                               --full many cuts at 3 and 8 nodes: medians and goals (25 minutes)
       ./autogen.sh check      build, then all tests: unit, CLI, lab (root)

Environment: CC (compiler), VRMS_CONFIGURE (more arguments for configure),
VRMS_BUILD (build folder; default "build"), JOBS (default: number of cores).
EOF
}

BUILD=${VRMS_BUILD:-build}
JOBS=${JOBS:-$(nproc)}
PACKAGES=packaging/debian-12.packages

say() { printf '== %s\n' "$*"; }
die() { printf 'autogen.sh: %s\n' "$*" >&2; exit 1; }
package_names() { sed -n 's/^\([a-z0-9][^ ]*\) .*/\1/p' "$PACKAGES"; }

# What the user owns is built as the user, also under sudo.
as_owner() {
	if [ "$(id -u)" = 0 ] && [ -n "${SUDO_USER:-}" ] && [ "$(stat -c %U .)" = "$SUDO_USER" ]; then
		runuser -u "$SUDO_USER" -- "$@"
	else
		"$@"
	fi
}

need_root() {
	[ "$(id -u)" = 0 ] || die "'$1' needs root: it installs packages and makes namespaces; try: sudo ./autogen.sh $1"
}

known_distribution() {
	[ -r /etc/os-release ] || return 1
	# shellcheck source=/dev/null
	( . /etc/os-release; [ "${ID:-}" = debian ] && [ "${VERSION_ID:-}" = 12 ] )
}

missing_packages() {
	for name in $(package_names); do
		dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q '^install ok installed$' || echo "$name"
	done
}

# Installs without starting the services that the packages bring: the lab has its own,
# and a cluster node is not made by a build.
deps() {
	if ! known_distribution; then
		echo "autogen.sh: this is not Debian 12; install the equivalents of these, then run ./autogen.sh, configure and make by hand:" >&2
		package_names | sed 's/^/  /' >&2
		exit 1
	fi
	missing=$(missing_packages)
	[ -n "$missing" ] || return 0
	need_root deps
	say "installing: $(echo $missing)"
	log=$(mktemp)
	# shellcheck disable=SC2086
	if ! install_quietly $missing >"$log" 2>&1 </dev/null; then
		tail -n 30 "$log" >&2
		die "apt-get failed; its whole output is in $log"
	fi
	rm -f "$log"
}

# In a subshell, so that the policy is gone when it ends, whatever this script does afterwards:
# demo ends in an exec, which runs no traps.
install_quietly() (
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		trap 'rm -f "$policy"' EXIT
		trap 'exit 130' INT
		trap 'exit 143' TERM
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	apt-get update -q &&
		DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
)

build() {
	deps
	if [ ! -x configure ] || [ configure.ac -nt configure ]; then
		say "bootstrapping"
		as_owner ./autogen.sh
	fi
	as_owner mkdir -p "$BUILD"
	if [ ! -f "$BUILD/Makefile" ] || [ configure -nt "$BUILD/config.status" ]; then
		say "configuring in $BUILD"
		# shellcheck disable=SC2086
		(cd "$BUILD" && as_owner "$OLDPWD/configure" -q --prefix=/usr --sysconfdir=/etc \
			--localstatedir=/var ${VRMS_CONFIGURE:-})
	fi
	say "building"
	as_owner make -s -C "$BUILD" -j "$JOBS"
}

stage() {
	as_owner rm -rf "$BUILD/stage"
	as_owner make -s -C "$BUILD" install DESTDIR="$PWD/$BUILD/stage" >/dev/null
}

demo() {
	need_root demo
	build
	stage
	say "demo: power cuts under Corosync's defaults and under vrmsd"
	exec "$BUILD/stage/usr/bin/vrms-lab" --stage "$PWD/$BUILD/stage" demo "$@"
}

# Runs one tier and shows the closing lines of its programs.
tier() {
	status=0
	as=$1; shift
	$as make -s -C "$BUILD" "$@" || status=$?
	return "$status"
}

check() {
	need_root check
	build
	failed=0
	say "unit, golden and CLI tests (make check)"
	tier as_owner -j "$JOBS" check VERBOSE=1 || failed=1
	say "lab tests (make check-lab)"
	tier "" check-lab VERBOSE=1 || failed=1
	as_owner make -s -C "$BUILD" check-summary || failed=1
	[ "$failed" = 0 ] || die "some tests failed; see the logs under $BUILD/tests"
}

case ${1:-} in
'') exec autoreconf --install --force --warnings=all ;;
deps) deps ;;
build) build ;;
demo) shift; demo "$@" ;;
check) check ;;
-h | --help | help) usage ;;
*) usage >&2; die "unknown command '$1'" ;;
esac
