# SPDX-License-Identifier: GPL-2.0-or-later

UNIT_TESTS += \
	tests/unit/test_quorum_agree \
	tests/unit/test_quorum_beat \
	tests/unit/test_quorum_daemon \
	tests/unit/test_quorum_fault \
	tests/unit/test_quorum_ipc \
	tests/unit/test_quorum_judge \
	tests/unit/test_quorum_keeper \
	tests/unit/test_quorum_latency \
	tests/unit/test_quorum_members \
	tests/unit/test_quorum_pacemaker \
	tests/unit/test_quorum_series \
	tests/unit/test_quorum_tail \
	tests/unit/test_quorum_told \
	tests/unit/test_quorum_topology \
	tests/unit/test_quorum_tuner \
	tests/unit/test_quorum_verdict \
	tests/unit/test_quorum_vm_rows \
	tests/unit/test_quorum_vm_watch \
	tests/unit/test_quorum_vms \
	tests/unit/test_quorum_witness

tests_unit_test_quorum_agree_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_quorum_agree_LDADD  = $(QUORUM_CORE_LIBS) $(UNIT_LIBS)

tests_unit_test_quorum_fault_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_quorum_fault_LDADD  = $(QUORUM_CORE_LIBS) $(UNIT_LIBS)

tests_unit_test_quorum_keeper_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_quorum_keeper_LDADD  = $(QUORUM_CORE_LIBS) $(UNIT_LIBS)

tests_unit_test_quorum_latency_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_quorum_latency_LDADD  = $(QUORUM_CORE_LIBS) $(UNIT_LIBS)

tests_unit_test_quorum_members_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_quorum_members_LDADD  = $(QUORUM_CORE_LIBS) $(UNIT_LIBS)

tests_unit_test_quorum_tail_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_quorum_tail_LDADD  = $(QUORUM_CORE_LIBS) $(UNIT_LIBS)

tests_unit_test_quorum_tuner_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_quorum_tuner_LDADD  = $(QUORUM_CORE_LIBS) $(UNIT_LIBS)

tests_unit_test_quorum_verdict_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_quorum_verdict_LDADD  = $(QUORUM_CORE_LIBS) $(UNIT_LIBS)

tests_unit_test_quorum_beat_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_quorum_beat_LDADD  = $(QUORUM_BEAT_LIBS) $(UNIT_LIBS)

tests_unit_test_quorum_judge_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_quorum_judge_LDADD  = $(QUORUM_JUDGE_LIBS) $(UNIT_LIBS)

tests_unit_test_quorum_witness_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_quorum_witness_LDADD  = $(QUORUM_JUDGE_LIBS) $(UNIT_LIBS)

tests_unit_test_quorum_series_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_quorum_series_LDADD  = $(QUORUM_CORE_LIBS) $(UNIT_LIBS)

tests_unit_test_quorum_daemon_CFLAGS = $(UNIT_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_quorum_daemon_LDADD  = $(QUORUM_DAEMON_LIBS) $(UNIT_LIBS)

tests_unit_test_quorum_ipc_CFLAGS = $(UNIT_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_quorum_ipc_LDADD  = $(QUORUM_DAEMON_LIBS) $(UNIT_LIBS)

tests_unit_test_quorum_vm_rows_CFLAGS = $(UNIT_CFLAGS) $(JANSSON_CFLAGS) $(QB_CFLAGS)
tests_unit_test_quorum_vm_rows_LDADD  = $(QUORUM_DAEMON_LIBS) $(UNIT_LIBS)

# Without Pacemaker's daemons: they are in the test.
tests_unit_test_quorum_pacemaker_SOURCES = tests/unit/test_quorum_pacemaker.c quorum/pacemaker.c
tests_unit_test_quorum_pacemaker_CFLAGS  = $(UNIT_CFLAGS) $(PACEMAKER_CFLAGS) $(XML_CFLAGS)
tests_unit_test_quorum_pacemaker_LDADD   = agents/libvrms-vm.a $(QUORUM_VM_LIBS) $(QUORUM_CORE_LIBS) \
	$(PACEMAKER_LIBS) $(XML_LIBS) $(UNIT_LIBS)

# Without libvirt: it is in the test.
tests_unit_test_quorum_vm_watch_SOURCES = tests/unit/test_quorum_vm_watch.c quorum/vm_watch.c
tests_unit_test_quorum_vm_watch_CFLAGS  = $(UNIT_CFLAGS) $(LIBVIRT_CFLAGS)
tests_unit_test_quorum_vm_watch_LDADD   = $(QUORUM_VM_LIBS) $(QUORUM_CORE_LIBS) $(XML_LIBS) $(UNIT_LIBS) \
	-lpthread

tests_unit_test_quorum_vms_CFLAGS = $(UNIT_CFLAGS) $(LIBVIRT_CFLAGS) $(XML_CFLAGS)
tests_unit_test_quorum_vms_LDADD  = $(QUORUM_VM_LIBS) $(QUORUM_CORE_LIBS) $(XML_LIBS) $(UNIT_LIBS)

tests_unit_test_quorum_told_CFLAGS = $(UNIT_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_quorum_told_LDADD  = $(QUORUM_JUDGE_LIBS) $(UNIT_LIBS)

tests_unit_test_quorum_topology_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_quorum_topology_LDADD  = $(QUORUM_TOPOLOGY_LIBS) $(UNIT_LIBS)
