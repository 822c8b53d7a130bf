# SPDX-License-Identifier: GPL-2.0-or-later
#
# Real clusters in namespaces; root.  What is tested is a staged install, which the nodes see
# over their own /usr.

# Those that take longest first, so that none runs alone for long when the others are done.
LAB_TESTS += \
	tests/lab/demo.sh \
	tests/lab/verdict.sh \
	tests/lab/plan.sh \
	tests/lab/backup.sh \
	tests/lab/vmwatch.sh \
	tests/lab/vm.sh \
	tests/lab/backup-policy.sh \
	tests/lab/backup-disks.sh \
	tests/lab/backup-agent.sh \
	tests/lab/fence.sh \
	tests/lab/san.sh \
	tests/lab/health.sh \
	tests/lab/drbd.sh \
	tests/lab/pill.sh \
	tests/lab/down.sh \
	tests/lab/locks.sh \
	tests/lab/scsi.sh \
	tests/lab/fence-libvirt.sh \
	tests/lab/tuning.sh

# Those of them that are right only with the machine to themselves:
# tuning.sh  a ring of many processes that wait for a processor forms in steps after a partition; a
#            node that lives is lost for a moment, and rightly the token stays long for ten minutes.
LAB_ALONE = tests/lab/tuning.sh

# What measures for minutes; run by hand: "make check-lab-more".
LAB_MORE_TESTS = \
	tests/lab/calibrate.sh \
	tests/lab/load.sh

EXTRA_DIST += tests/lab/lib.sh tests/lab/backup-vm.sh tests/lab/target.sh tests/lab/drbd-tool.sh \
	tests/lab/agent-guest.sh tests/lab/agent-init \
	$(LAB_TESTS) $(LAB_MORE_TESTS)

LAB_STAGE = $(abs_builddir)/stage

.PHONY: lab-stage check-lab check-lab-more
lab-stage: all
	rm -rf $(LAB_STAGE)
	$(MAKE) $(AM_MAKEFLAGS) install DESTDIR=$(LAB_STAGE) fencedir=/usr/sbin >/dev/null

# Tests that run side by side.  Each such lab is told so and does without real-time priority: with it
# three labs of three nodes, one of them stalling its corosync on purpose, were seen to starve two
# processors for minutes, for corosync spins while a ring forms.
VRMS_LAB_JOBS ?= 2

# $(call run_lab_tests,JOBS,TESTS)
run_lab_tests = VRMS_LAB_STAGE=$(LAB_STAGE) VRMS_LAB_SHARED=$(filter-out 1,$(1)) \
	$(MAKE) -j$(1) $(AM_MAKEFLAGS) check-TESTS TESTS='$(strip $(2))'

LAB_SIDE_BY_SIDE = $(filter-out $(LAB_ALONE),$(LAB_TESTS))
LAB_ONE_BY_ONE = $(filter $(LAB_ALONE),$(LAB_TESTS))

check-lab: lab-stage
	$(MKDIR_P) tests/lab
	+status=0; \
	$(if $(LAB_SIDE_BY_SIDE),$(call run_lab_tests,$(VRMS_LAB_JOBS),$(LAB_SIDE_BY_SIDE)) || status=1;) \
	$(if $(LAB_ONE_BY_ONE),$(call run_lab_tests,1,$(LAB_ONE_BY_ONE)) || status=1;) \
	exit $$status

check-lab-more: lab-stage
	$(MKDIR_P) tests/lab
	+$(call run_lab_tests,1,$(LAB_MORE_TESTS))
