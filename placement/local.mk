# SPDX-License-Identifier: GPL-2.0-or-later

# Pure: no I/O, no clock.
noinst_LIBRARIES += placement/libvrms-placement.a
placement_libvrms_placement_a_SOURCES = \
	placement/assign.c \
	placement/batch.c \
	placement/bound.c placement/bound.h \
	placement/classes.c placement/classes.h \
	placement/decide.c \
	placement/down.c \
	placement/drain.c \
	placement/failover.c placement/failover.h placement/failover_data.h \
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
	placement/trim.c \
	placement/units.c
PURE_ARCHIVES += placement/libvrms-placement.a
