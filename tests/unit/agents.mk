# SPDX-License-Identifier: GPL-2.0-or-later

UNIT_TESTS += \
	tests/unit/test_domain_xml \
	tests/unit/test_libvirt_error \
	tests/unit/test_libvirt_rpc \
	tests/unit/test_migrate_options \
	tests/unit/test_qemu_process \
	tests/unit/test_utilization \
	tests/unit/test_vm_cache \
	tests/unit/test_vm_front \
	tests/unit/test_vm_migrate \
	tests/unit/test_vm_start \
	tests/unit/test_vm_monitor \
	tests/unit/test_vm_stop \
	tests/unit/test_vm_state \
	tests/unit/test_vm_table \
	tests/unit/test_vm_utilization \
	tests/unit/test_vm_validate \
	tests/unit/test_worker

tests_unit_test_domain_xml_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_domain_xml_LDADD  = $(VM_LIBS) $(UNIT_LIBS)

tests_unit_test_libvirt_rpc_SOURCES = tests/unit/test_libvirt_rpc.c tests/fakes/libvirtd.c \
	tests/fakes/libvirtd.h
tests_unit_test_libvirt_rpc_CFLAGS = $(UNIT_CFLAGS) -pthread
tests_unit_test_libvirt_rpc_LDADD  = $(VM_HOST_LIBS) $(UNIT_LIBS)

tests_unit_test_migrate_options_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_migrate_options_LDADD  = $(VM_TABLE_LIBS) $(UNIT_LIBS)

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

tests_unit_test_vm_utilization_CPPFLAGS = $(AM_CPPFLAGS) \
	-DUTILIZATION_PROGRAM='"$(abs_top_builddir)/agents/vm-utilization"'
tests_unit_test_vm_utilization_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_vm_utilization_LDADD  = $(UNIT_LIBS)
tests_unit_test_vm_utilization_DEPENDENCIES = agents/vm-utilization

# The actions, on a made-up node.
VM_WORLD = tests/fakes/hypervisor.c tests/fakes/hypervisor.h tests/fakes/vm_world.c \
	tests/fakes/vm_world.h
VM_WORLD_CFLAGS = $(UNIT_CFLAGS) $(LIBVIRT_CFLAGS)

tests_unit_test_vm_monitor_SOURCES = tests/unit/test_vm_monitor.c $(VM_WORLD)
tests_unit_test_vm_monitor_CFLAGS = $(VM_WORLD_CFLAGS)
tests_unit_test_vm_monitor_LDADD  = $(VM_LIBS) $(UNIT_LIBS)

tests_unit_test_vm_stop_SOURCES = tests/unit/test_vm_stop.c $(VM_WORLD)
tests_unit_test_vm_stop_CFLAGS = $(VM_WORLD_CFLAGS)
tests_unit_test_vm_stop_LDADD  = $(VM_LIBS) $(UNIT_LIBS)

tests_unit_test_vm_migrate_SOURCES = tests/unit/test_vm_migrate.c $(VM_WORLD)
tests_unit_test_vm_migrate_CFLAGS = $(VM_WORLD_CFLAGS)
tests_unit_test_vm_migrate_LDADD  = $(VM_LIBS) $(UNIT_LIBS)

tests_unit_test_vm_start_SOURCES = tests/unit/test_vm_start.c $(VM_WORLD)
tests_unit_test_vm_start_CFLAGS = $(VM_WORLD_CFLAGS)
tests_unit_test_vm_start_LDADD  = $(VM_LIBS) $(UNIT_LIBS)

tests_unit_test_vm_validate_SOURCES = tests/unit/test_vm_validate.c $(VM_WORLD)
tests_unit_test_vm_validate_CFLAGS = $(VM_WORLD_CFLAGS)
tests_unit_test_vm_validate_LDADD  = $(VM_LIBS) $(UNIT_LIBS)

tests_unit_test_vm_table_CFLAGS = $(UNIT_CFLAGS) $(LIBVIRT_CFLAGS)
tests_unit_test_vm_table_LDADD  = $(VM_TABLE_LIBS) $(UNIT_LIBS)

tests_unit_test_worker_CFLAGS = $(UNIT_CFLAGS) -pthread
tests_unit_test_worker_LDADD  = agents/libvrms-vmlibvirt.a $(UNIT_LIBS)
tests_unit_test_libvirt_error_CFLAGS = $(UNIT_CFLAGS) $(LIBVIRT_CFLAGS)
tests_unit_test_libvirt_error_LDADD  = agents/libvrms-vmlibvirt.a $(UNIT_LIBS)

# DRBD.
UNIT_TESTS += tests/unit/test_drbd_score tests/unit/test_drbd_state

tests_unit_test_drbd_score_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_drbd_score_LDADD  = $(DRBD_LIBS) $(UNIT_LIBS)

tests_unit_test_drbd_state_CPPFLAGS = $(AM_CPPFLAGS) \
	-DCAPTURES='"$(abs_top_srcdir)/tests/drbd/captures"' \
	-DSTATES_EXPECTED='"$(abs_top_srcdir)/tests/drbd/states.expected"'
tests_unit_test_drbd_state_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_drbd_state_LDADD  = $(DRBD_LIBS) $(UNIT_LIBS)

UNIT_TESTS += tests/unit/test_drbd_agent
tests_unit_test_drbd_agent_CPPFLAGS = $(AM_CPPFLAGS) \
	-DCAPTURES='"$(abs_top_srcdir)/tests/drbd/captures"' \
	-DAGENT='"$(abs_top_builddir)/agents/Drbd"' \
	-DFULL_AGENT_FOLDER='"$(abs_top_builddir)/agents"'
tests_unit_test_drbd_agent_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_drbd_agent_LDADD  = $(UNIT_LIBS)
tests_unit_test_drbd_agent_DEPENDENCIES = agents/Drbd agents/drbd-agent

UNIT_TESTS += tests/unit/test_fence_libvirt
tests_unit_test_fence_libvirt_CFLAGS = $(UNIT_CFLAGS) $(LIBVIRT_CFLAGS) -pthread
tests_unit_test_fence_libvirt_LDADD  = $(FENCE_LIBVIRT_LIBS) $(UNIT_LIBS)

UNIT_TESTS += tests/unit/test_node_health
tests_unit_test_node_health_CPPFLAGS = $(AM_CPPFLAGS) \
	-DAGENT='"$(abs_top_builddir)/agents/NodeHealth"'
tests_unit_test_node_health_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_node_health_LDADD  = $(HEALTH_LIBS) $(UNIT_LIBS)
tests_unit_test_node_health_DEPENDENCIES = agents/NodeHealth
