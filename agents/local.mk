# SPDX-License-Identifier: GPL-2.0-or-later

# Pure: the agent's table and what its parameters' texts mean.
noinst_LIBRARIES += agents/libvrms-vmtable.a
agents_libvrms_vmtable_a_SOURCES = \
	agents/migrate_options.c agents/migrate_options.h \
	agents/vm_params.c agents/vm_params.h \
	agents/vm_table.c agents/vm_table.h
agents_libvrms_vmtable_a_CFLAGS = $(AM_CFLAGS) $(LIBVIRT_CFLAGS)
VM_TABLE_LIBS = agents/libvrms-vmtable.a $(OCF_LIBS)

# Pure: what libvirt's states mean.
noinst_LIBRARIES += agents/libvrms-vmstate.a
agents_libvrms_vmstate_a_SOURCES = agents/vm_state.c agents/vm_state.h
agents_libvrms_vmstate_a_CFLAGS = $(AM_CFLAGS) $(LIBVIRT_CFLAGS)
PURE_ARCHIVES += agents/libvrms-vmstate.a

# An agent's front and its full half.
noinst_LIBRARIES += agents/libvrms-libexec.a
agents_libvrms_libexec_a_SOURCES = agents/libexec.c agents/libexec.h
agents_libvrms_libexec_a_CPPFLAGS = $(AM_CPPFLAGS) -DVRMS_LIBEXECDIR='"$(vrmslibexecdir)"'

# What the agent knows without libvirt.so: processes, files, one question on the wire.
noinst_LIBRARIES += agents/libvrms-vmhost.a
agents_libvrms_vmhost_a_SOURCES = \
	agents/libvirt_rpc.c agents/libvirt_rpc.h \
	agents/qemu_process.c agents/qemu_process.h \
	agents/utilization.c agents/utilization.h \
	agents/vm_cache.c agents/vm_cache.h
VM_HOST_LIBS = agents/libvrms-vmstate.a agents/libvrms-vmhost.a agents/libvrms-libexec.a

# The installed agent: links nothing but libc, or it would not be fast.
vrmsagent_PROGRAMS += agents/VirtualMachine
agents_VirtualMachine_SOURCES = agents/vm_front.c
agents_VirtualMachine_LDADD = $(VM_HOST_LIBS) $(COMMON_LIBS)

# The full agent's last step, where Pacemaker's libraries are needed.
noinst_LIBRARIES += agents/libvrms-vmutilization.a
agents_libvrms_vmutilization_a_SOURCES = agents/utilization_diff.c agents/utilization_diff.h
agents_libvrms_vmutilization_a_CFLAGS = $(AM_CFLAGS) $(XML_CFLAGS)

vrmslibexec_PROGRAMS += agents/vm-utilization
agents_vm_utilization_SOURCES = agents/vm_utilization.c
agents_vm_utilization_CFLAGS = $(AM_CFLAGS) $(PACEMAKER_CFLAGS) $(XML_CFLAGS)
agents_vm_utilization_LDADD = agents/libvrms-vmutilization.a $(VM_HOST_LIBS) $(COMMON_LIBS) \
	$(PACEMAKER_LIBS) $(XML_LIBS) $(QB_LIBS)

# What the full program adds: libvirt, libxml2 and the actions.
noinst_LIBRARIES += agents/libvrms-vm.a
agents_libvrms_vm_a_SOURCES = \
	agents/domain_xml.c agents/domain_xml.h \
	agents/hypervisor.h \
	agents/vm.c agents/vm.h \
	agents/vm_arrive.c \
	agents/vm_extras.c \
	agents/vm_image.c agents/vm_image.h \
	agents/vm_journey.c agents/vm_journey.h \
	agents/vm_memory.c agents/vm_memory.h \
	agents/vm_migrate.c \
	agents/vm_monitor.c \
	agents/vm_peers.c agents/vm_peers.h \
	agents/vm_start.c \
	agents/vm_stop.c \
	agents/vm_validate.c
agents_libvrms_vm_a_CFLAGS = $(AM_CFLAGS) $(LIBVIRT_CFLAGS) $(XML_CFLAGS) $(JANSSON_CFLAGS)
VM_LIBS = agents/libvrms-vm.a $(VM_HOST_LIBS) $(VM_TABLE_LIBS) $(XML_LIBS) $(JANSSON_LIBS)

# The full agent.
noinst_LIBRARIES += agents/libvrms-vmlibvirt.a
agents_libvrms_vmlibvirt_a_SOURCES = \
	agents/hypervisor_libvirt.c agents/hypervisor_libvirt.h \
	agents/hypervisor_libvirt_migration.c \
	agents/hypervisor_libvirt_storage.c \
	agents/libvirt_call.c agents/libvirt_call.h \
	agents/libvirt_error.c agents/libvirt_error.h \
	agents/vm_host.c agents/vm_host.h \
	agents/worker.c agents/worker.h
agents_libvrms_vmlibvirt_a_CFLAGS = $(AM_CFLAGS) $(LIBVIRT_CFLAGS) $(LIBVIRT_QEMU_CFLAGS) -pthread
VM_LIBVIRT_LIBS = agents/libvrms-vmlibvirt.a $(LIBVIRT_QEMU_LIBS) $(LIBVIRT_LIBS)

vrmslibexec_PROGRAMS += agents/vm-agent
OCF_AGENTS += agents/vm-agent
agents_vm_agent_SOURCES = agents/vm_agent_main.c
agents_vm_agent_CFLAGS = $(AM_CFLAGS) $(LIBVIRT_CFLAGS) -pthread
agents_vm_agent_LDADD = agents/libvrms-vm.a $(VM_LIBVIRT_LIBS) $(VM_LIBS)

# Fencing where the disks are.
noinst_LIBRARIES += agents/libvrms-sanagent.a
agents_libvrms_sanagent_a_SOURCES = agents/san_params.h agents/san_settings.c agents/san_settings.h
SAN_AGENT_LIBS = agents/libvrms-sanagent.a $(SAN_LIBS) $(OCF_LIBS) -lpthread

fence_PROGRAMS += agents/fence_vrms_scsi
agents_fence_vrms_scsi_SOURCES = agents/fence_scsi.c
agents_fence_vrms_scsi_LDADD   = $(SAN_AGENT_LIBS)

vrmsagent_PROGRAMS += agents/SanLun
agents_SanLun_SOURCES = agents/san_lun.c agents/san_lun.h agents/san_lun_look.c \
	agents/san_marks.c agents/san_marks.h
agents_SanLun_LDADD   = $(SAN_AGENT_LIBS)
OCF_AGENTS += agents/SanLun
nodist_man_MANS += agents/ocf_vrms_SanLun.7
CLEANFILES      += agents/ocf_vrms_SanLun.7

agents/ocf_vrms_SanLun.7: agents/SanLun$(EXEEXT)
	$(AM_V_GEN)./agents/SanLun$(EXEEXT) --man > $@.tmp && mv $@.tmp $@

nodist_man_MANS += agents/fence_vrms_scsi.8
CLEANFILES      += agents/fence_vrms_scsi.8

agents/fence_vrms_scsi.8: agents/fence_vrms_scsi$(EXEEXT)
	$(AM_V_GEN)./agents/fence_vrms_scsi$(EXEEXT) --man > $@.tmp && mv $@.tmp $@

nodist_man_MANS += agents/ocf_vrms_VirtualMachine.7
CLEANFILES      += agents/ocf_vrms_VirtualMachine.7

agents/ocf_vrms_VirtualMachine.7: agents/vm-agent$(EXEEXT)
	$(AM_V_GEN)./agents/vm-agent$(EXEEXT) --man > $@.tmp && mv $@.tmp $@

# Pure: one model of DRBD's state, and what it means.
noinst_LIBRARIES += agents/libvrms-drbdcore.a
agents_libvrms_drbdcore_a_SOURCES = \
	agents/drbd_events2.c \
	agents/drbd_judge.c agents/drbd_judge.h \
	agents/drbd_proc.c \
	agents/drbd_state.c agents/drbd_state.h \
	agents/drbd_version.c agents/drbd_version.h
PURE_ARCHIVES += agents/libvrms-drbdcore.a

# What the installed agent needs beside it; it links libc only.
noinst_LIBRARIES += agents/libvrms-drbdtold.a
agents_libvrms_drbdtold_a_SOURCES = agents/drbd_told.c agents/drbd_told.h

vrmsagent_PROGRAMS += agents/Drbd
agents_Drbd_SOURCES = agents/drbd_front.c
agents_Drbd_LDADD = agents/libvrms-drbdtold.a agents/libvrms-drbdcore.a agents/libvrms-libexec.a \
	$(COMMON_LIBS)

# The full agent: JSON, this node's tools, the actions.
noinst_LIBRARIES += agents/libvrms-drbd.a
agents_libvrms_drbd_a_SOURCES = \
	agents/drbd_json.c \
	agents/drbd_node.c agents/drbd_node.h
agents_libvrms_drbd_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
DRBD_LIBS = agents/libvrms-drbd.a agents/libvrms-drbdtold.a agents/libvrms-drbdcore.a $(OCF_LIBS) \
	$(JANSSON_LIBS)

vrmslibexec_PROGRAMS += agents/drbd-agent
OCF_AGENTS += agents/drbd-agent
agents_drbd_agent_SOURCES = agents/drbd_agent_main.c
agents_drbd_agent_LDADD = $(DRBD_LIBS)

nodist_man_MANS += agents/ocf_vrms_Drbd.7
CLEANFILES      += agents/ocf_vrms_Drbd.7

agents/ocf_vrms_Drbd.7: agents/drbd-agent$(EXEEXT)
	$(AM_V_GEN)./agents/drbd-agent$(EXEEXT) --man > $@.tmp && mv $@.tmp $@

# Power of nodes that are guests.
noinst_LIBRARIES += agents/libvrms-fencelibvirt.a
agents_libvrms_fencelibvirt_a_SOURCES = agents/fence_libvirt.c agents/fence_libvirt.h
agents_libvrms_fencelibvirt_a_CFLAGS = $(AM_CFLAGS) $(LIBVIRT_CFLAGS) -pthread
FENCE_LIBVIRT_LIBS = agents/libvrms-fencelibvirt.a agents/libvrms-vmlibvirt.a $(COMMON_LIBS) \
	$(LIBVIRT_LIBS)

fence_PROGRAMS += agents/fence_vrms_libvirt
agents_fence_vrms_libvirt_SOURCES = agents/fence_vrms_libvirt.c
agents_fence_vrms_libvirt_CFLAGS = $(AM_CFLAGS) $(LIBVIRT_CFLAGS) -pthread
agents_fence_vrms_libvirt_LDADD = $(FENCE_LIBVIRT_LIBS) $(OCF_LIBS)

nodist_man_MANS += agents/fence_vrms_libvirt.8
CLEANFILES      += agents/fence_vrms_libvirt.8

agents/fence_vrms_libvirt.8: agents/fence_vrms_libvirt$(EXEEXT)
	$(AM_V_GEN)./agents/fence_vrms_libvirt$(EXEEXT) --man > $@.tmp && mv $@.tmp $@

# Pure: samples to colours.
noinst_LIBRARIES += agents/libvrms-healthcore.a
agents_libvrms_healthcore_a_SOURCES = agents/node_health_core.c agents/node_health_core.h
PURE_ARCHIVES += agents/libvrms-healthcore.a

noinst_LIBRARIES += agents/libvrms-health.a
agents_libvrms_health_a_SOURCES = \
	agents/node_health_memory.c agents/node_health_memory.h \
	agents/node_health_sample.c agents/node_health_sample.h
agents_libvrms_health_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) -pthread
HEALTH_LIBS = agents/libvrms-health.a agents/libvrms-healthcore.a agents/libvrms-vmlibvirt.a \
	agents/libvrms-vmhost.a $(OCF_LIBS) $(JANSSON_LIBS) -lm

vrmsagent_PROGRAMS += agents/NodeHealth
OCF_AGENTS += agents/NodeHealth
agents_NodeHealth_SOURCES = agents/node_health.c
agents_NodeHealth_CFLAGS = $(AM_CFLAGS) -pthread
agents_NodeHealth_LDADD = $(HEALTH_LIBS)

nodist_man_MANS += agents/ocf_vrms_NodeHealth.7
CLEANFILES      += agents/ocf_vrms_NodeHealth.7

agents/ocf_vrms_NodeHealth.7: agents/NodeHealth$(EXEEXT)
	$(AM_V_GEN)./agents/NodeHealth$(EXEEXT) --man > $@.tmp && mv $@.tmp $@
