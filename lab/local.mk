# SPDX-License-Identifier: GPL-2.0-or-later

bin_PROGRAMS += vrms-lab
vrms_lab_SOURCES = \
	lab/command.c lab/command.h \
	lab/lab.h \
	lab/main.c
vrms_lab_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(XML_CFLAGS)
vrms_lab_LDADD  = lab/libvrms-lab.a $(COMMON_LIBS) $(JANSSON_LIBS) $(XML_LIBS) $(QB_LIBS)
