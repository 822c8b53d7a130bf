# SPDX-License-Identifier: GPL-2.0-or-later

bin_PROGRAMS += vrms
vrms_SOURCES = \
	cli/command.h \
	cli/daemon.c \
	cli/desk.c cli/desk.h \
	cli/events.c \
	cli/keep.c cli/keep.h \
	cli/live.c cli/live.h \
	cli/main.c \
	cli/moves.c \
	cli/plan.c \
	cli/report.h \
	cli/report_json.c \
	cli/report_text.c \
	cli/san.c \
	cli/steer.c cli/steer.h
vrms_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(CMAP_CFLAGS)
vrms_LDADD  = $(QUORUM_CLIENT_LIBS) $(PLACEMENT_IO_LIBS) $(COMMON_LIBS) $(XML_LIBS) $(JANSSON_LIBS) $(QB_LIBS)
dist_man_MANS += cli/vrms.8 cli/vrms-plan.8 cli/vrms-drain.8
