# SPDX-License-Identifier: GPL-2.0-or-later
#
# Real clusters in namespaces; root.  What is tested is a staged install, which the nodes see
# over their own /usr.

LAB_TESTS += \
	tests/lab/backup.sh \
	tests/lab/backup-policy.sh \
	tests/lab/demo.sh \
	tests/lab/down.sh \
	tests/lab/drbd.sh \
	tests/lab/fence.sh \
	tests/lab/fence-libvirt.sh \
	tests/lab/health.sh \
	tests/lab/locks.sh \
	tests/lab/pill.sh \
	tests/lab/plan.sh \
	tests/lab/san.sh \
	tests/lab/scsi.sh \
	tests/lab/vm.sh

# Longer ones, and what measures; run by hand: "make check-lab-more".
LAB_MORE_TESTS = \
	tests/lab/backup-agent.sh \
	tests/lab/backup-disks.sh \
	tests/lab/calibrate.sh \
	tests/lab/load.sh \
	tests/lab/tuning.sh \
	tests/lab/verdict.sh \
	tests/lab/vmwatch.sh

EXTRA_DIST += tests/lab/lib.sh tests/lab/backup-vm.sh tests/lab/target.sh tests/lab/drbd-tool.sh \
	tests/lab/agent-guest.sh tests/lab/agent-init \
	$(LAB_TESTS) $(LAB_MORE_TESTS)

LAB_STAGE = $(abs_builddir)/stage

.PHONY: lab-stage check-lab check-lab-more
lab-stage: all
	rm -rf $(LAB_STAGE)
	$(MAKE) $(AM_MAKEFLAGS) install DESTDIR=$(LAB_STAGE) fencedir=/usr/sbin >/dev/null

# Three labs of three nodes at a time, one of them stalling its corosync on purpose, were seen to
# starve two processors for minutes: corosync has real-time priority, and spins while a ring forms.
VRMS_LAB_JOBS ?= 1

# $(call run_lab_tests,TESTS)
run_lab_tests = VRMS_LAB_STAGE=$(LAB_STAGE) $(MAKE) -j$(VRMS_LAB_JOBS) $(AM_MAKEFLAGS) \
	check-TESTS TESTS='$(1)'

check-lab: lab-stage
	$(MKDIR_P) tests/lab
	+$(call run_lab_tests,$(LAB_TESTS))

check-lab-more: lab-stage
	$(MKDIR_P) tests/lab
	+$(call run_lab_tests,$(LAB_MORE_TESTS))
