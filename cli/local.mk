# SPDX-License-Identifier: GPL-2.0-or-later

bin_PROGRAMS += vrms
vrms_SOURCES = \
	cli/cluster.c \
	cli/command.h \
	cli/main.c \
	cli/plan.c \
	cli/report.h \
	cli/report_json.c \
	cli/report_text.c
vrms_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
vrms_LDADD  = $(PLACEMENT_IO_LIBS) $(COMMON_LIBS) $(XML_LIBS) $(JANSSON_LIBS) $(QB_LIBS)
