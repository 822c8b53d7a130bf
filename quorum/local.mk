# SPDX-License-Identifier: GPL-2.0-or-later

# Pure: the daemon and the simulator link the same decisions.  Needs -lm.
noinst_LIBRARIES += quorum/libvrms-quorum-core.a
quorum_libvrms_quorum_core_a_SOURCES = \
	quorum/agree.c quorum/agree.h \
	quorum/fault.c quorum/fault.h \
	quorum/members.c quorum/members.h \
	quorum/reason.c quorum/reason.h \
	quorum/sketch.c quorum/sketch.h \
	quorum/tail.c quorum/tail.h \
	quorum/tuner.c quorum/tuner.h \
	quorum/verdict.c quorum/verdict.h
PURE_ARCHIVES += quorum/libvrms-quorum-core.a

QUORUM_CORE_LIBS = quorum/libvrms-quorum-core.a $(COMMON_LIBS) -lm
