# build-linux.sh FOLDER: make FOLDER/vmlinuz and FOLDER/initrd.gz from Debian's packages.
# SPDX-License-Identifier: GPL-2.0-or-later
#
# shellcheck shell=sh
# vrms-lab feeds this to "sh -s".  The kernel is downloaded and unpacked, never installed.
# The text of the guest's init comes in the variable GUEST_INIT.
set -eu
folder=$1
need() { # PROGRAM PACKAGE
	command -v "$1" >/dev/null || { echo "$1 not found (Debian package: $2)" >&2; exit 1; }
}
need apt-get apt
need dpkg-deb dpkg
need busybox busybox-static
need cpio cpio

mkdir -p "$folder"
work=$(mktemp -d "$folder/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"

kernel=$(apt-cache depends linux-image-cloud-amd64 |
	sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1)
[ -n "$kernel" ] ||
	{ echo "linux-image-cloud-amd64 is unknown to apt (run: apt-get update)" >&2; exit 1; }
apt-get -q -o APT::Sandbox::User=root download "$kernel" >&2
dpkg-deb -x "$kernel"_*.deb tree

mkdir -p root/bin root/proc root/sys root/dev
cp "$(command -v busybox)" root/bin/busybox
./root/bin/busybox --list | while read -r applet; do
	[ "$applet" = busybox ] || ln -s busybox "root/bin/$applet"
done
printf '%s\n' "$GUEST_INIT" >root/init
chmod 755 root/init
modules=root/lib/modules
mkdir -p "$modules"
version=$(ls tree/lib/modules)
mkdir "$modules/$version"
(cd "tree/lib/modules/$version" && find kernel/drivers/virtio kernel/drivers/block/virtio_blk.ko \
	kernel/drivers/input/evdev.ko kernel/drivers/acpi/button.ko -name '*.ko' |
	cpio --quiet -pd "$work/$modules/$version")
busybox depmod -b root "$version"
(cd root && find . | cpio --quiet -o -H newc -R 0:0) | gzip -1 >initrd.gz
cp tree/boot/vmlinuz-* vmlinuz
mv vmlinuz initrd.gz "$folder/"
