# SPDX-License-Identifier: GPL-2.0-or-later
#
# "make check-drbd": two nodes of a stock Debian kernel in QEMU, without KVM; minutes.

EXTRA_DIST += \
	tests/drbd/build-node.sh \
	tests/drbd/captures \
	tests/drbd/drbd.conf \
	tests/drbd/guest-init \
	tests/drbd/live.sh \
	tests/drbd/states.expected

.PHONY: check-drbd
check-drbd: agents/Drbd agents/drbd-agent
	$(top_srcdir)/tests/drbd/live.sh $(abs_builddir)/agents
