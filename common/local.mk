# SPDX-License-Identifier: GPL-2.0-or-later

# Pure: no I/O, no clock.
noinst_LIBRARIES += common/libvrms-base.a
common_libvrms_base_a_SOURCES = \
	common/bytes.h \
	common/cleanup.h \
	common/error.c common/error.h \
	common/parse.c common/parse.h \
	common/random.c common/random.h \
	common/utf8.c common/utf8.h \
	common/xml.h
common_libvrms_base_a_CFLAGS = $(AM_CFLAGS) -fPIC
PURE_ARCHIVES += common/libvrms-base.a

# Adapters to the operating system.
noinst_LIBRARIES += common/libvrms-system.a
common_libvrms_system_a_SOURCES = \
	common/child.c common/child.h \
	common/clock.c common/clock.h \
	common/file.c common/file.h \
	common/fork.c common/fork.h \
	common/log.c common/log.h \
	common/thread.c common/thread.h
common_libvrms_system_a_CFLAGS = $(AM_CFLAGS) $(QB_CFLAGS) -fPIC

COMMON_LIBS = common/libvrms-system.a common/libvrms-base.a
