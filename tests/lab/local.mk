# SPDX-License-Identifier: GPL-2.0-or-later
#
# Real clusters in namespaces; root.  What is tested is a staged install, which the nodes see
# over their own /usr.

LAB_TESTS += \
	tests/lab/backup-policy.sh \
	tests/lab/demo.sh \
	tests/lab/down.sh \
	tests/lab/fence.sh \
	tests/lab/health.sh \
	tests/lab/plan.sh \
	tests/lab/scsi.sh \
	tests/lab/vm.sh

# Of parts that are not finished, run by hand: "make check-lab-more".
LAB_MORE_TESTS = \
	tests/lab/calibrate.sh \
	tests/lab/backup.sh \
	tests/lab/backup-agent.sh \
	tests/lab/backup-disks.sh \
	tests/lab/load.sh \
	tests/lab/locks.sh \
	tests/lab/san.sh \
	tests/lab/tuning.sh \
	tests/lab/verdict.sh \
	tests/lab/fence-libvirt.sh \
	tests/lab/vmwatch.sh

EXTRA_DIST += tests/lab/lib.sh tests/lab/backup-vm.sh tests/lab/target.sh \
	tests/lab/agent-guest.sh tests/lab/agent-init $(LAB_TESTS) $(LAB_MORE_TESTS)

LAB_STAGE = $(abs_builddir)/stage

.PHONY: lab-stage check-lab check-lab-more
lab-stage: all
	rm -rf $(LAB_STAGE)
	$(MAKE) $(AM_MAKEFLAGS) install DESTDIR=$(LAB_STAGE) fencedir=/usr/sbin >/dev/null

# One at a time: each is a cluster of its own.
run_lab_tests = VRMS_LAB_STAGE=$(LAB_STAGE) $(MAKE) -j1 $(AM_MAKEFLAGS) check-TESTS

check-lab: lab-stage
	$(MKDIR_P) tests/lab
	$(run_lab_tests) TESTS='$(LAB_TESTS)'

check-lab-more: lab-stage
	$(MKDIR_P) tests/lab
	$(run_lab_tests) TESTS='$(LAB_MORE_TESTS)'
