# SPDX-License-Identifier: GPL-2.0-or-later

# Pure: no I/O, no clock.
noinst_LIBRARIES += placement/libvrms-placement.a
placement_libvrms_placement_a_SOURCES = \
	placement/assign.c placement/level.c \
	placement/batch.c \
	placement/bound.c placement/bound.h \
	placement/classes.c placement/classes.h \
	placement/decide.c \
	placement/down.c \
	placement/drain.c \
	placement/failover.c placement/failover.h placement/failover_data.h \
	placement/growth.c placement/growth.h \
	placement/keep.c placement/keep.h \
	placement/model.c placement/model.h placement/model_data.h placement/model_get.c \
	placement/names.c placement/names.h \
	placement/options.c \
	placement/outcome.c placement/outcome.h \
	placement/pairs.c \
	placement/planner.c placement/planner.h placement/planner_data.h \
	placement/ranks.c \
	placement/rebalance.c \
	placement/room.c \
	placement/rules.c \
	placement/search.h \
	placement/shift.c \
	placement/solver.c placement/solver.h \
	placement/sort.c placement/sort.h \
	placement/state.c placement/state.h \
	placement/survive.c placement/survive.h \
	placement/trim.c \
	placement/units.c
PURE_ARCHIVES += placement/libvrms-placement.a

# Readers of cluster states: files, JSON, XML.
noinst_LIBRARIES += placement/libvrms-placement-io.a
placement_libvrms_placement_io_a_SOURCES = \
	placement/cib.h \
	placement/cib_edit.c placement/cib_edit.h \
	placement/cib_expr.c \
	placement/cib_lists.c \
	placement/cib_rules.c \
	placement/cib_status.c \
	placement/cib_steer.c placement/cib_steer.h \
	placement/cib_stick.c \
	placement/cib_write.c placement/cib_write.h \
	placement/cib_xml.c \
	placement/draft.c placement/draft.h \
	placement/ganeti.h placement/ganeti_tags.c \
	placement/import.c placement/import.h \
	placement/import_cib.c \
	placement/import_ganeti.c \
	placement/import_json.c
placement_libvrms_placement_io_a_CFLAGS = $(AM_CFLAGS) $(XML_CFLAGS) $(JANSSON_CFLAGS)

PLACEMENT_LIBS    = placement/libvrms-placement.a
PLACEMENT_IO_LIBS = placement/libvrms-placement-io.a $(PLACEMENT_LIBS)

dist_man_MANS += placement/vrms_state.5
