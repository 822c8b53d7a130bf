# SPDX-License-Identifier: GPL-2.0-or-later

bin_PROGRAMS += vrms
vrms_SOURCES = \
	cli/cluster.c \
	cli/command.h \
	cli/daemon.c \
	cli/events.c \
	cli/main.c \
	cli/plan.c \
	cli/report.h \
	cli/report_json.c \
	cli/report_text.c \
	cli/san.c
vrms_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(CMAP_CFLAGS)
vrms_LDADD  = $(QUORUM_CLIENT_LIBS) $(PLACEMENT_IO_LIBS) $(COMMON_LIBS) $(XML_LIBS) $(JANSSON_LIBS) $(QB_LIBS)
dist_man_MANS += cli/vrms.8
