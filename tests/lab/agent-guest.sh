#!/bin/bash
# agent-guest.sh KERNEL INITRD OUTPUT: the lab's small Linux guest with QEMU's own guest agent.
#
# OUTPUT is INITRD and, behind it, a second archive with the agent, its libraries, the kernel's
# virtio_console and another init: the kernel unpacks both.  The packages are downloaded and
# unpacked, never installed.
# SPDX-License-Identifier: GPL-2.0-or-later
set -euo pipefail
kernel=$1 initrd=$2 output=$3
here=$(dirname "$(readlink -f "$0")")
work=$(mktemp -d "$output.XXXXXX")
trap 'rm -rf "$work"' EXIT

version=$(zcat "$initrd" | cpio -t --quiet | sed -n 's|^lib/modules/\([^/]*\)$|\1|p' | head -n 1)
[ -n "$version" ] && [ -r "$kernel" ] || { echo "no kernel version in $initrd" >&2; exit 1; }
cd "$work"
apt-get -q -o APT::Sandbox::User=root download qemu-guest-agent "linux-image-$version" >&2
for package in *.deb; do
	dpkg-deb -x "$package" tree
done
cmp -s tree/boot/vmlinuz-* "$kernel" || { echo "apt has another $version than the lab" >&2; exit 1; }
mkdir -p root/agent/lib
cp tree/usr/sbin/qemu-ga root/agent/
ldd tree/usr/sbin/qemu-ga >libraries
! grep 'not found' libraries || exit 1
sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' libraries | xargs -I{} cp -L {} root/agent/lib/
cp -L /lib64/ld-linux-x86-64.so.2 root/agent/lib/ld.so
find tree/lib/modules -name virtio_console.ko -exec cp {} root/agent/ \;
install -m 755 "$here/agent-init" root/init
(cd root && find . | cpio --quiet -o -H newc -R 0:0) | gzip -1 >second.gz
cat "$initrd" second.gz >whole
mv whole "$output"
