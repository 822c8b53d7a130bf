# SPDX-License-Identifier: GPL-2.0-or-later

noinst_LIBRARIES += lab/libvrms-lab.a
lab_libvrms_lab_a_SOURCES = \
	lab/awake.c lab/awake.h \
	lab/command.c lab/command.h \
	lab/command_lab.c \
	lab/command_logs.c \
	lab/command_network.c \
	lab/command_node.c \
	lab/command_san.c \
	lab/command_status.c \
	lab/crowd.c lab/crowd.h \
	lab/disk.c lab/disk.h \
	lab/down.c lab/down.h \
	lab/enter.c lab/enter.h \
	lab/furnish.c lab/furnish.h \
	lab/internal.h \
	lab/iscsi.c lab/iscsi.h \
	lab/lab.c lab/lab.h \
	lab/log_line.c lab/log_line.h \
	lab/members.c lab/members.h \
	lab/network.c lab/network.h \
	lab/node.c lab/node.h \
	lab/node_boot.c \
	lab/node_init.c \
	lab/partition.c lab/partition.h \
	lab/power.c lab/power.h \
	lab/power_client.c lab/power_client.h \
	lab/powerd.c lab/powerd.h \
	lab/process.c lab/process.h \
	lab/render.c lab/render.h \
	lab/requirements.c lab/requirements.h \
	lab/setup.c lab/setup.h \
	lab/up.c \
	lab/wait.c lab/wait.h
lab_libvrms_lab_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(XML_CFLAGS)

LAB_LIBS = $(LAB_VM_LIBS) lab/libvrms-lab.a $(COMMON_LIBS) $(JANSSON_LIBS) $(XML_LIBS) $(QB_LIBS)

bin_PROGRAMS += vrms-lab
vrms_lab_SOURCES = lab/main.c
vrms_lab_LDADD   = $(LAB_LIBS)

fence_PROGRAMS += lab/fence_vrms_lab
lab_fence_vrms_lab_SOURCES = lab/fence_vrms_lab.c lab/power_client.c lab/power_client.h
lab_fence_vrms_lab_LDADD   = $(OCF_LIBS)

dist_man_MANS   += lab/vrms-lab.8
nodist_man_MANS += lab/fence_vrms_lab.8
CLEANFILES      += lab/fence_vrms_lab.8

lab/fence_vrms_lab.8: lab/fence_vrms_lab$(EXEEXT)
	$(AM_V_GEN)./lab/fence_vrms_lab$(EXEEXT) --man > $@.tmp && mv $@.tmp $@
