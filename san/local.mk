# SPDX-License-Identifier: GPL-2.0-or-later

# Pure: what to do about keys and reservations.
noinst_LIBRARIES += san/libvrms-san-core.a
san_libvrms_san_core_a_SOURCES = \
	san/health.c san/health.h \
	san/pr.c san/pr.h
PURE_ARCHIVES += san/libvrms-san-core.a

# LUNs over iSCSI, the cluster's keys.
noinst_LIBRARIES += san/libvrms-san.a
san_libvrms_san_a_SOURCES = \
	san/iscsi.c san/iscsi.h \
	san/keys.c san/keys.h \
	san/lun.c san/lun.h \
	san/members.c san/members.h
san_libvrms_san_a_CFLAGS = $(AM_CFLAGS) $(ISCSI_CFLAGS) $(CMAP_CFLAGS) $(CRYPTO_CFLAGS)

SAN_LIBS = san/libvrms-san.a san/libvrms-san-core.a $(COMMON_LIBS) $(ISCSI_LIBS) $(CMAP_LIBS) \
	$(CRYPTO_LIBS)

# Preloaded into QEMU, which is never built with sanitizers: without their flags.
dist_man_MANS += san/vrms_storage.7

vrmsguestdir = $(vrmslibexecdir)
vrmsguest_DATA = san/iscsi-guest.so
CLEANFILES += san/iscsi-guest.so
EXTRA_DIST += san/iscsi_guest.c

san/iscsi-guest.so: san/iscsi_guest.c Makefile
	$(AM_V_GEN)$(MKDIR_P) san && $(CC) $(AM_CPPFLAGS) $(CPPFLAGS) -std=gnu11 $(WARN_CFLAGS) $(CFLAGS) \
		-fPIC -shared $(ISCSI_CFLAGS) -o $@.tmp $(srcdir)/san/iscsi_guest.c $(ISCSI_LIBS) -ldl && mv $@.tmp $@
