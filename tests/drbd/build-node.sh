#!/bin/sh
# build-node.sh FOLDER AGENTS: make FOLDER/vmlinuz and FOLDER/initrd.gz, a node with DRBD's module,
# drbd-utils and the agent of the build folder AGENTS.  The kernel is Debian's, downloaded once and unpacked, never installed.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
folder=$1
agents=$2
here=$(cd "$(dirname "$0")" && pwd)
missing() { # PROGRAM PACKAGE
	echo "SKIP: $1 not found (Debian package: $2)"
	exit 77
}
for pair in apt-get:apt dpkg-deb:dpkg busybox:busybox-static cpio:cpio drbdadm:drbd-utils; do
	command -v "${pair%:*}" >/dev/null || missing "${pair%:*}" "${pair#*:}"
done

fetch_kernel() { # into FOLDER/kernel
	kernel=$(apt-cache depends linux-image-amd64 |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1)
	work=$(mktemp -d "$folder/fetch.XXXXXX")
	(cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$kernel" &&
		dpkg-deb -x "$kernel"_*.deb tree) >&2 || {
		rm -rf "$work"
		echo "SKIP: ${kernel:-linux-image-amd64} cannot be downloaded"
		exit 77
	}
	mv "$work/tree" "$folder/kernel"
	rm -rf "$work"
}

with_libraries() { # FILE TARGET: and what it is linked with
	install -D "$1" "$root$2"
	ldd "$1" | sed -n 's/^.*[[:space:]]\(\/[^ ]*\) (.*$/\1/p' | while read -r library; do
		[ -e "$root$library" ] || install -D "$library" "$root$library"
	done
}

mkdir -p "$folder"
[ -d "$folder/kernel" ] || fetch_kernel
root=$(mktemp -d "$folder/root.XXXXXX")
trap 'rm -rf "$root"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/usr/lib64" "$root/etc" \
	"$root/proc" "$root/sys" "$root/dev" "$root/root" "$root/var"
for name in bin sbin lib lib64; do
	ln -s "usr/$name" "$root/$name"
done
install "$(command -v busybox)" "$root/bin/busybox"
"$root/bin/busybox" --list | while read -r applet; do
	[ -e "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet"
done

ln -s ../bin/busybox "$root/usr/sbin/modprobe" # where the kernel looks for it

version=$(ls "$folder/kernel/lib/modules")
modules=lib/modules/$version
mkdir -p "$root/$modules"
(cd "$folder/kernel/$modules" &&
	find kernel/drivers/virtio kernel/drivers/block/virtio_blk.ko kernel/drivers/block/drbd \
		kernel/drivers/net/virtio_net.ko kernel/drivers/net/net_failover.ko \
		kernel/net/core/failover.ko kernel/lib kernel/crypto kernel/arch/x86/crypto -name '*.ko' |
	cpio --quiet -pdL "$root/$modules")
"$root/bin/busybox" depmod -b "$root" "$version"

for program in drbdadm drbdsetup drbdmeta; do
	with_libraries "$(command -v $program)" "/usr/sbin/$program"
done
for program in drbdadm-84 drbdsetup-84; do
	with_libraries "/usr/lib/drbd/$program" "/usr/lib/drbd/$program"
done
with_libraries "$agents/Drbd" /usr/lib/ocf/resource.d/vrms/Drbd
with_libraries "$agents/drbd-agent" /usr/lib/vrms/drbd-agent
install "$here/guest-init" "$root/init"
install -m 644 "$here/drbd.conf" "$root/etc/drbd.conf"
# Stands for Pacemaker's: keeps the score.
cat >"$root/usr/sbin/crm_attribute" <<'END'
#!/bin/sh
score=none
while [ $# -gt 0 ]; do
	[ "$1" != --update ] || score=$2
	shift
done
echo $score >/tmp/score
END
chmod 755 "$root/usr/sbin/crm_attribute"
(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) | gzip -1 >"$folder/initrd.new"
mv "$folder/initrd.new" "$folder/initrd.gz"
cp "$folder"/kernel/boot/vmlinuz-* "$folder/vmlinuz"
