# SPDX-License-Identifier: GPL-2.0-or-later

noinst_LIBRARIES += ocf/libvrms-ocf.a
ocf_libvrms_ocf_a_SOURCES = \
	ocf/agent.c ocf/agent.h \
	ocf/exit.c ocf/exit.h \
	ocf/fence.c ocf/fence.h \
	ocf/fence_man.c \
	ocf/fence_metadata.c \
	ocf/fence_options.c ocf/fence_options.h \
	ocf/fence_power.c ocf/fence_power.h \
	ocf/man.c \
	ocf/mdoc.c ocf/mdoc.h \
	ocf/metadata.c \
	ocf/param.c ocf/param.h \
	ocf/usage.c \
	ocf/xml.c ocf/xml.h

OCF_LIBS = ocf/libvrms-ocf.a $(COMMON_LIBS) $(QB_LIBS)

# Programs that can print their meta-data from the build folder (tests/hygiene/metadata.sh).
OCF_AGENTS   =
FENCE_AGENTS = $(fence_PROGRAMS)
