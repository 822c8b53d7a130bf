#!/bin/sh
# Archives of pure code may call memory, text and number functions, and one another; nothing else.
# Environment: PURE_ARCHIVES, NM, CC, AR, SANITIZE_CFLAGS (all from make).
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One name a line.  The compiler adds forms of them: __memcpy_chk, __isoc99_sscanf.
cat >"$work/allowed" <<'END'
malloc
calloc
realloc
reallocarray
free
memcpy
memmove
memset
memcmp
bcmp
memchr
memrchr
memmem
strlen
strnlen
strcmp
strncmp
strcasecmp
strncasecmp
strcpy
strncpy
stpcpy
strcat
strncat
strchr
strchrnul
strrchr
strstr
strcasestr
strverscmp
strspn
strcspn
strpbrk
strsep
strtok_r
strdup
strndup
strerrordesc_np
snprintf
vsnprintf
sscanf
strtol
strtoll
strtoul
strtoull
strtod
toupper
tolower
__ctype_b_loc
__ctype_tolower_loc
__ctype_toupper_loc
__errno_location
qsort
qsort_r
bsearch
abs
labs
llabs
ceil
floor
round
trunc
lround
llround
fabs
fmin
fmax
fmod
sqrt
cbrt
pow
exp
exp2
expm1
log
log2
log10
log1p
sin
cos
atan2
erf
erfc
lgamma
tgamma
__assert_fail
abort
__stack_chk_fail
_GLOBAL_OFFSET_TABLE_
END

# Prints "archive[member]: symbol" for each call that is not allowed; status 1 when there is one.
check() {
	"$NM" -P -g --defined-only "$@" >"$work/defined"
	"$NM" -P -u -A "$@" >"$work/undefined"
	awk '
		FILENAME == ARGV[1] { allowed[$1] = 1; next }
		FILENAME == ARGV[2] { if (NF > 1) allowed[$1] = 1; next }
		NF < 3 { next }
		{
			name = $2
			sub(/^__isoc[0-9]+_/, "", name)
			if (name ~ /^__.*_chk$/) { sub(/^__/, "", name); sub(/_chk$/, "", name) }
			if (name ~ /^__gcov_/ || $2 in allowed || name in allowed) next
			print $1, $2
			bad = 1
		}
		END { exit bad }
	' "$work/allowed" "$work/defined" "$work/undefined"
}

plant() { # name, C text
	printf '%s\n' "$2" >"$work/$1.c"
	$CC -O0 -c -o "$work/$1.o" "$work/$1.c"
	"$AR" cr "$work/$1.a" "$work/$1.o"
}

if [ -n "${SANITIZE_CFLAGS:-}" ]; then
	echo "skipped: the sanitizers put their own calls into every archive"
	exit 77
fi
if [ -z "${PURE_ARCHIVES:-}" ]; then
	echo "no archive is declared pure: PURE_ARCHIVES is empty"
	exit 1
fi

# The check itself must be able to fail, and for the right reason only.
plant clock '#include <time.h>
long planted_clock(void); long planted_clock(void) { return (long)time(0); }'
plant good '#include <string.h>
unsigned long planted_good(const char *t); unsigned long planted_good(const char *t) { return strlen(t); }'
plant user 'unsigned long planted_good(const char *t);
unsigned long planted_user(void); unsigned long planted_user(void) { return planted_good(""); }'
if check "$work/clock.a" >"$work/found"; then
	echo "self-test: an archive that asks for the time was let through"
	exit 1
fi
grep -q 'clock.o.: time$' "$work/found" || { echo "self-test: time() was not named:"; cat "$work/found"; exit 1; }
check "$work/good.a" "$work/user.a" || { echo "self-test: a pure archive was refused"; exit 1; }
if check "$work/user.a" >"$work/found"; then
	echo "self-test: a call into an archive that is not pure was let through"
	exit 1
fi

# shellcheck disable=SC2086 # a list of words
if ! check $PURE_ARCHIVES; then
	echo "these calls are not pure (allowed: $(basename "$0"))"
	exit 1
fi
echo "pure: $PURE_ARCHIVES"
