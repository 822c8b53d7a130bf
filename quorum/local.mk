# SPDX-License-Identifier: GPL-2.0-or-later

# Pure: the daemon and the simulator link the same decisions.  Needs -lm.
noinst_LIBRARIES += quorum/libvrms-quorum-core.a
quorum_libvrms_quorum_core_a_SOURCES = \
	quorum/agree.c quorum/agree.h \
	quorum/fault.c quorum/fault.h \
	quorum/keeper.c quorum/keeper.h \
	quorum/latency.c quorum/latency.h \
	quorum/members.c quorum/members.h \
	quorum/reason.c quorum/reason.h \
	quorum/sketch.c quorum/sketch.h \
	quorum/tail.c quorum/tail.h \
	quorum/tuner.c quorum/tuner.h \
	quorum/verdict.c quorum/verdict.h
PURE_ARCHIVES += quorum/libvrms-quorum-core.a

QUORUM_CORE_LIBS = quorum/libvrms-quorum-core.a $(COMMON_LIBS) -lm

# The beat area and what is known of it.
noinst_LIBRARIES += quorum/libvrms-quorum-beat.a
quorum_libvrms_quorum_beat_a_SOURCES = \
	quorum/beat.c quorum/beat.h \
	quorum/san.c quorum/san.h \
	quorum/seen.c quorum/seen.h
quorum_libvrms_quorum_beat_a_CFLAGS = $(AM_CFLAGS) $(ZLIB_CFLAGS)
QUORUM_BEAT_LIBS = quorum/libvrms-quorum-beat.a $(COMMON_LIBS) $(ZLIB_LIBS)

# The second opinion before a fence.
noinst_LIBRARIES += quorum/libvrms-quorum-judge.a
quorum_libvrms_quorum_judge_a_SOURCES = \
	quorum/judge.c quorum/judge.h \
	quorum/verdict_line.c quorum/verdict_line.h \
	quorum/verdict_teller.c quorum/verdict_teller.h \
	quorum/witness.c quorum/witness.h
quorum_libvrms_quorum_judge_a_CFLAGS = $(AM_CFLAGS) $(CMAP_CFLAGS) $(JANSSON_CFLAGS)
QUORUM_JUDGE_LIBS = quorum/libvrms-quorum-judge.a $(QUORUM_CORE_LIBS) $(QUORUM_BEAT_LIBS) \
	$(CMAP_LIBS) $(JANSSON_LIBS)

noinst_LIBRARIES += quorum/libvrms-quorum-topology.a
quorum_libvrms_quorum_topology_a_SOURCES = quorum/topology.c quorum/topology.h
quorum_libvrms_quorum_topology_a_CFLAGS = $(AM_CFLAGS) $(XML_CFLAGS)
QUORUM_TOPOLOGY_LIBS = quorum/libvrms-quorum-topology.a $(COMMON_LIBS) $(XML_LIBS)

fence_PROGRAMS += fence_vrms_verdict
fence_vrms_verdict_SOURCES = quorum/fence_verdict.c
fence_vrms_verdict_CFLAGS  = $(AM_CFLAGS) $(JANSSON_CFLAGS)
fence_vrms_verdict_LDADD   = $(QUORUM_JUDGE_LIBS) $(QUORUM_TOPOLOGY_LIBS) $(OCF_LIBS)
dist_man5_MANS = quorum/vrms_beat_area.5
nodist_man_MANS += quorum/fence_vrms_verdict.8
CLEANFILES      += quorum/fence_vrms_verdict.8

quorum/fence_vrms_verdict.8: fence_vrms_verdict$(EXEEXT)
	$(AM_V_GEN)./fence_vrms_verdict$(EXEEXT) --man > $@.tmp && mv $@.tmp $@

# Questions to the daemon.
noinst_LIBRARIES += quorum/libvrms-quorum-client.a
quorum_libvrms_quorum_client_a_SOURCES = \
	quorum/ipc.h \
	quorum/ipc_client.c \
	quorum/settings.c quorum/settings.h
quorum_libvrms_quorum_client_a_CFLAGS = $(AM_CFLAGS) $(QB_CFLAGS) $(JANSSON_CFLAGS)
QUORUM_CLIENT_LIBS = quorum/libvrms-quorum-client.a $(QUORUM_BEAT_LIBS) $(OCF_LIBS) $(CMAP_LIBS) \
	$(JANSSON_LIBS) $(QB_LIBS)

# What the CIB and libvirt's numbers mean, and the line that carries it: no connection to either.
noinst_LIBRARIES += quorum/libvrms-quorum-vm.a
quorum_libvrms_quorum_vm_a_SOURCES = \
	quorum/cib_vms.c quorum/cib_vms.h \
	quorum/vm_line.c quorum/vm_line.h \
	quorum/vm_sign.c quorum/vm_sign.h \
	quorum/vm_word.h
quorum_libvrms_quorum_vm_a_CFLAGS = $(AM_CFLAGS) $(LIBVIRT_CFLAGS) $(XML_CFLAGS)
QUORUM_VM_LIBS = quorum/libvrms-quorum-vm.a $(VM_HOST_LIBS) $(COMMON_LIBS)

# The daemon's ears: a program of its own, with the libraries of libvirt and Pacemaker.
vrmslibexec_PROGRAMS += quorum/vm-watch
quorum_vm_watch_SOURCES = \
	quorum/fencer.c quorum/fencer.h \
	quorum/pacemaker.c quorum/pacemaker.h \
	quorum/vm_watch.c quorum/vm_watch.h \
	quorum/vm_watch_main.c
quorum_vm_watch_CFLAGS = $(AM_CFLAGS) $(LIBVIRT_CFLAGS) $(PACEMAKER_CFLAGS) $(FENCING_CFLAGS) \
	$(XML_CFLAGS) -pthread
quorum_vm_watch_LDADD = agents/libvrms-vm.a $(QUORUM_VM_LIBS) $(LIBVIRT_LIBS) $(PACEMAKER_LIBS) \
	$(FENCING_LIBS) $(XML_LIBS) $(QB_LIBS) -lpthread

# What the daemon is made of.
noinst_LIBRARIES += quorum/libvrms-quorum-daemon.a
quorum_libvrms_quorum_daemon_a_SOURCES = \
	quorum/beater.c quorum/beater.h \
	quorum/cluster.c quorum/cluster.h \
	quorum/daemon.c quorum/daemon.h \
	quorum/daemon_cluster.c \
	quorum/daemon_ring.c \
	quorum/daemon_serve.c \
	quorum/daemon_verdict.c \
	quorum/guardian.c quorum/guardian.h \
	quorum/ipc.c quorum/ipc.h \
	quorum/journal.c quorum/journal.h \
	quorum/message.c quorum/message.h \
	quorum/notify.c quorum/notify.h \
	quorum/plan_child.c quorum/plan_child.h \
	quorum/ringwatch.c quorum/ringwatch.h \
	quorum/settings.c quorum/settings.h \
	quorum/settings_print.c \
	quorum/stall.c quorum/stall.h \
	quorum/totem.c quorum/totem.h \
	quorum/vm_row.c quorum/vm_row.h \
	quorum/vms.c quorum/vms.h
quorum_libvrms_quorum_daemon_a_CPPFLAGS = $(AM_CPPFLAGS) -DVRMS_LIBEXECDIR='"$(vrmslibexecdir)"' \
	-DVRMS_BINDIR='"$(bindir)"'
quorum_libvrms_quorum_daemon_a_CFLAGS = $(AM_CFLAGS) $(QB_CFLAGS) $(JANSSON_CFLAGS) $(CMAP_CFLAGS) \
	$(CPG_CFLAGS) $(QUORUM_CFLAGS)
QUORUM_DAEMON_LIBS = quorum/libvrms-quorum-daemon.a $(QUORUM_JUDGE_LIBS) $(QUORUM_VM_LIBS) $(QUORUM_CORE_LIBS) \
	$(QUORUM_BEAT_LIBS) \
	$(OCF_LIBS) $(CPG_LIBS) $(QUORUM_LIBS) $(CMAP_LIBS) $(COROSYNC_LIBS) $(JANSSON_LIBS) $(QB_LIBS) -lpthread

sbin_PROGRAMS += vrmsd
vrmsd_SOURCES = quorum/vrmsd.c
vrmsd_CFLAGS  = $(AM_CFLAGS) $(QB_CFLAGS) $(JANSSON_CFLAGS) $(CMAP_CFLAGS)
vrmsd_LDADD   = $(QUORUM_DAEMON_LIBS)

dist_man_MANS   += quorum/vrmsd.8
nodist_man_MANS += quorum/vrmsd.conf.5
nodist_doc_DATA += quorum/vrmsd.conf.example
CLEANFILES      += quorum/vrmsd.conf.5 quorum/vrmsd.conf.example quorum/vrmsd.service
EXTRA_DIST      += quorum/vrmsd.service.in

quorum/vrmsd.conf.5: vrmsd$(EXEEXT)
	$(AM_V_GEN)./vrmsd$(EXEEXT) --man > $@.tmp && mv $@.tmp $@

quorum/vrmsd.conf.example: vrmsd$(EXEEXT)
	$(AM_V_GEN)./vrmsd$(EXEEXT) --example > $@.tmp && mv $@.tmp $@

# Empty without systemd.
systemdsystemunit_DATA = quorum/vrmsd.service
quorum/vrmsd.service: quorum/vrmsd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) quorum && sed 's|@sbindir[@]|$(sbindir)|g' $(srcdir)/quorum/vrmsd.service.in > $@.tmp && mv $@.tmp $@
