# SPDX-License-Identifier: GPL-2.0-or-later
#
# Tests of backup/.

UNIT_TESTS += \
	tests/unit/test_backup_calendar \
	tests/unit/test_backup_care \
	tests/unit/test_backup_cluster \
	tests/unit/test_backup_extent \
	tests/unit/test_backup_format \
	tests/unit/test_backup_history \
	tests/unit/test_backup_live \
	tests/unit/test_backup_lock \
	tests/unit/test_backup_pack \
	tests/unit/test_backup_plan \
	tests/unit/test_backup_policy \
	tests/unit/test_backup_record \
	tests/unit/test_backup_retention \
	tests/unit/test_backup_schedule \
	tests/unit/test_backup_status \
	tests/unit/test_backup_vm_xml

check_LIBRARIES += tests/fakes/libbackup-fakes.a

tests_fakes_libbackup_fakes_a_SOURCES = \
	tests/fakes/backup_world.c tests/fakes/backup_world.h \
	tests/fakes/source_memory.c tests/fakes/source_memory.h \
	tests/fakes/store_memory.c tests/fakes/store_memory.h
tests_fakes_libbackup_fakes_a_CFLAGS = $(UNIT_CFLAGS) $(BACKUP_CFLAGS)
BACKUP_UNIT_CFLAGS = $(UNIT_CFLAGS) $(BACKUP_CFLAGS)
BACKUP_UNIT_LIBS   = tests/fakes/libbackup-fakes.a $(BACKUP_LIBS) $(CHECK_LIBS)

tests_unit_test_backup_calendar_CFLAGS = $(BACKUP_UNIT_CFLAGS)
tests_unit_test_backup_calendar_LDADD  = $(BACKUP_UNIT_LIBS)
tests_unit_test_backup_policy_CFLAGS = $(BACKUP_UNIT_CFLAGS)
tests_unit_test_backup_policy_LDADD  = $(BACKUP_UNIT_LIBS)
tests_unit_test_backup_schedule_CFLAGS = $(BACKUP_UNIT_CFLAGS)
tests_unit_test_backup_schedule_LDADD  = $(BACKUP_UNIT_LIBS)
tests_unit_test_backup_cluster_CFLAGS = $(UNIT_CFLAGS) $(XML_CFLAGS)
tests_unit_test_backup_cluster_LDADD  = $(BACKUP_LIVE_LIBS) $(CHECK_LIBS)
tests_unit_test_backup_status_CFLAGS = $(BACKUP_UNIT_CFLAGS)
tests_unit_test_backup_status_LDADD  = $(BACKUP_UNIT_LIBS)
tests_unit_test_backup_record_CFLAGS = $(BACKUP_UNIT_CFLAGS)
tests_unit_test_backup_record_LDADD  = $(BACKUP_UNIT_LIBS)
tests_unit_test_backup_history_CFLAGS = $(BACKUP_UNIT_CFLAGS)
tests_unit_test_backup_history_LDADD  = $(BACKUP_UNIT_LIBS)
tests_unit_test_backup_extent_CFLAGS = $(BACKUP_UNIT_CFLAGS)
tests_unit_test_backup_extent_LDADD  = $(BACKUP_UNIT_LIBS)
tests_unit_test_backup_format_CFLAGS = $(BACKUP_UNIT_CFLAGS)
tests_unit_test_backup_format_LDADD  = $(BACKUP_UNIT_LIBS)
tests_unit_test_backup_pack_CFLAGS = $(BACKUP_UNIT_CFLAGS)
tests_unit_test_backup_pack_LDADD  = $(BACKUP_UNIT_LIBS)
tests_unit_test_backup_plan_CFLAGS = $(BACKUP_UNIT_CFLAGS)
tests_unit_test_backup_plan_LDADD  = $(BACKUP_UNIT_LIBS)
tests_unit_test_backup_retention_CFLAGS = $(BACKUP_UNIT_CFLAGS)
tests_unit_test_backup_retention_LDADD  = $(BACKUP_UNIT_LIBS)
tests_unit_test_backup_lock_CFLAGS = $(BACKUP_UNIT_CFLAGS)
tests_unit_test_backup_lock_LDADD  = $(BACKUP_UNIT_LIBS)
tests_unit_test_backup_live_CFLAGS = $(UNIT_CFLAGS) $(LIBVIRT_CFLAGS)
tests_unit_test_backup_live_LDADD  = $(BACKUP_LIVE_LIBS) $(CHECK_LIBS)
tests_unit_test_backup_vm_xml_CFLAGS = $(UNIT_CFLAGS) $(XML_CFLAGS)
tests_unit_test_backup_vm_xml_LDADD  = $(BACKUP_LIVE_LIBS) $(CHECK_LIBS)
tests_unit_test_backup_care_CFLAGS = $(BACKUP_UNIT_CFLAGS)
tests_unit_test_backup_care_LDADD  = $(BACKUP_UNIT_LIBS)

BACKUP_CLI_TESTS = \
	tests/cli/backup_care.sh \
	tests/cli/backup_cluster.sh \
	tests/cli/backup_copy.sh \
	tests/cli/backup_device.sh \
	tests/cli/backup_format.sh \
	tests/cli/backup_full.sh \
	tests/cli/backup_kill.sh \
	tests/cli/backup_policy.sh \
	tests/cli/backup_refused.sh \
	tests/cli/backup_serve.sh \
	tests/cli/backup_trust.sh \
	tests/cli/backup_walk.sh
TESTS      += $(BACKUP_CLI_TESTS)
EXTRA_DIST += $(BACKUP_CLI_TESTS) tests/cli/backup_format.py
