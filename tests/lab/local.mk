# SPDX-License-Identifier: GPL-2.0-or-later
#
# Real clusters in namespaces; root.  What is tested is a staged install, which the nodes see
# over their own /usr.

# Those that have the machine to themselves: they measure, or need a quiet one.
LAB_TESTS_ALONE = \
	tests/lab/demo.sh

# Several at a time; the longest first, so that the last one is a short one.
LAB_TESTS += \
	tests/lab/verdict.sh \
	tests/lab/vmwatch.sh \
	tests/lab/vm.sh \
	tests/lab/plan.sh \
	tests/lab/backup.sh \
	tests/lab/backup-policy.sh \
	tests/lab/backup-disks.sh \
	tests/lab/backup-agent.sh \
	tests/lab/fence.sh \
	tests/lab/down.sh \
	tests/lab/health.sh \
	tests/lab/san.sh \
	tests/lab/pill.sh \
	tests/lab/locks.sh \
	tests/lab/drbd.sh \
	tests/lab/scsi.sh \
	tests/lab/fence-libvirt.sh

# Longer ones, run by hand: "make check-lab-more".
LAB_MORE_TESTS = \
	tests/lab/calibrate.sh \
	tests/lab/load.sh \
	tests/lab/tuning.sh

EXTRA_DIST += tests/lab/lib.sh tests/lab/backup-vm.sh tests/lab/target.sh tests/lab/drbd-tool.sh \
	tests/lab/agent-guest.sh tests/lab/agent-init \
	$(LAB_TESTS_ALONE) $(LAB_TESTS) $(LAB_MORE_TESTS)

LAB_STAGE = $(abs_builddir)/stage

.PHONY: lab-stage check-lab check-lab-more
lab-stage: all
	rm -rf $(LAB_STAGE)
	$(MAKE) $(AM_MAKEFLAGS) install DESTDIR=$(LAB_STAGE) fencedir=/usr/sbin >/dev/null

# Labs wait more than they compute; each is a cluster of its own, under a name of its own.
VRMS_LAB_JOBS ?= 3

# $(call run_lab_tests,JOBS,TESTS)
run_lab_tests = VRMS_LAB_STAGE=$(LAB_STAGE) $(MAKE) -j$(1) $(AM_MAKEFLAGS) check-TESTS TESTS='$(2)'

check-lab: lab-stage
	$(MKDIR_P) tests/lab
	+failed=0; \
	$(call run_lab_tests,1,$(LAB_TESTS_ALONE)) || failed=1; \
	$(call run_lab_tests,$(VRMS_LAB_JOBS),$(LAB_TESTS)) || failed=1; \
	exit $$failed

check-lab-more: lab-stage
	$(MKDIR_P) tests/lab
	+$(call run_lab_tests,1,$(LAB_MORE_TESTS))
