# SPDX-License-Identifier: GPL-2.0-or-later
#
# One Check program per module: tests/unit/test_<module>.c.  To add one, add its
# name to UNIT_TESTS and, when it needs more than COMMON_LIBS, a _LDADD line.

UNIT_TESTS = \
	tests/unit/test_agent \
	tests/unit/test_child \
	tests/unit/test_domain_xml \
	tests/unit/test_error \
	tests/unit/test_file \
	tests/unit/test_libvirt_rpc \
	tests/unit/test_log \
	tests/unit/test_migrate_options \
	tests/unit/test_ocf \
	tests/unit/test_param \
	tests/unit/test_parse \
	tests/unit/test_qemu_process \
	tests/unit/test_random \
	tests/unit/test_utilization \
	tests/unit/test_vm_cache \
	tests/unit/test_vm_front \
	tests/unit/test_vm_state

check_PROGRAMS += $(UNIT_TESTS)
TESTS          += $(UNIT_TESTS)
EXTRA_DIST     += tests/unit/unit.h

UNIT_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
UNIT_LIBS   = $(COMMON_LIBS) $(QB_LIBS) $(CHECK_LIBS)

tests_unit_test_agent_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_agent_LDADD  = $(UNIT_LIBS)
tests_unit_test_child_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_child_LDADD  = $(UNIT_LIBS)
tests_unit_test_error_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_error_LDADD  = $(UNIT_LIBS)
tests_unit_test_file_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_file_LDADD  = $(UNIT_LIBS)
tests_unit_test_log_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_log_LDADD  = $(UNIT_LIBS)
tests_unit_test_ocf_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_ocf_LDADD  = $(OCF_LIBS) $(CHECK_LIBS)
tests_unit_test_param_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_param_LDADD  = $(OCF_LIBS) $(CHECK_LIBS)
tests_unit_test_parse_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_parse_LDADD  = $(UNIT_LIBS)
tests_unit_test_random_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_random_LDADD  = $(UNIT_LIBS)
tests_unit_test_domain_xml_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_domain_xml_LDADD  = $(VM_LIBS) $(UNIT_LIBS)
tests_unit_test_migrate_options_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_migrate_options_LDADD  = $(VM_TABLE_LIBS) $(UNIT_LIBS)

tests_unit_test_libvirt_rpc_SOURCES = tests/unit/test_libvirt_rpc.c tests/fakes/libvirtd.c \
	tests/fakes/libvirtd.h
tests_unit_test_libvirt_rpc_CFLAGS = $(UNIT_CFLAGS) -pthread
tests_unit_test_libvirt_rpc_LDADD  = $(VM_HOST_LIBS) $(UNIT_LIBS)
tests_unit_test_qemu_process_CFLAGS = $(UNIT_CFLAGS) -pthread
tests_unit_test_qemu_process_LDADD  = $(VM_HOST_LIBS) $(UNIT_LIBS)
tests_unit_test_utilization_CFLAGS = $(UNIT_CFLAGS) $(XML_CFLAGS)
tests_unit_test_utilization_LDADD  = agents/libvrms-vmutilization.a $(VM_HOST_LIBS) $(UNIT_LIBS) \
	$(XML_LIBS)
tests_unit_test_vm_cache_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_vm_cache_LDADD  = $(VM_HOST_LIBS) $(UNIT_LIBS)
tests_unit_test_vm_front_SOURCES = tests/unit/test_vm_front.c tests/fakes/libvirtd.c \
	tests/fakes/libvirtd.h
tests_unit_test_vm_front_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFRONT_PROGRAM='"$(abs_top_builddir)/agents/VirtualMachine"'
tests_unit_test_vm_front_CFLAGS = $(UNIT_CFLAGS) -pthread
tests_unit_test_vm_front_LDADD  = $(VM_HOST_LIBS) $(UNIT_LIBS)
tests_unit_test_vm_front_DEPENDENCIES = agents/VirtualMachine
tests_unit_test_vm_state_CFLAGS = $(UNIT_CFLAGS) $(LIBVIRT_CFLAGS)
tests_unit_test_vm_state_LDADD  = $(VM_HOST_LIBS) $(UNIT_LIBS)
