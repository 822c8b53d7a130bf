# SPDX-License-Identifier: GPL-2.0-or-later

# Pure: the agent's table and what its parameters' texts mean.
noinst_LIBRARIES += agents/libvrms-vmtable.a
agents_libvrms_vmtable_a_SOURCES = \
	agents/migrate_options.c agents/migrate_options.h \
	agents/vm_params.c agents/vm_params.h \
	agents/vm_table.c agents/vm_table.h
agents_libvrms_vmtable_a_CFLAGS = $(AM_CFLAGS) $(LIBVIRT_CFLAGS)
VM_TABLE_LIBS = agents/libvrms-vmtable.a $(OCF_LIBS)

# What the full program adds: libvirt, libxml2 and the actions.
noinst_LIBRARIES += agents/libvrms-vm.a
agents_libvrms_vm_a_SOURCES = \
	agents/domain_xml.c agents/domain_xml.h
agents_libvrms_vm_a_CFLAGS = $(AM_CFLAGS) $(LIBVIRT_CFLAGS) $(LIBVIRT_QEMU_CFLAGS) $(XML_CFLAGS)
VM_LIBS = agents/libvrms-vm.a $(VM_TABLE_LIBS) $(LIBVIRT_QEMU_LIBS) $(LIBVIRT_LIBS) $(XML_LIBS)
