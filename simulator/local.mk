# SPDX-License-Identifier: GPL-2.0-or-later

# Pure: the world and its events.  The same sources are built a second time with
# bugs that can be switched on, for the tests of the rules.  Needs -lm.
SIM_SOURCES = \
	simulator/balance.c \
	simulator/cluster.c \
	simulator/fault.c \
	simulator/fence.c \
	simulator/gather.c \
	simulator/generate.c \
	simulator/host.c \
	simulator/list.c \
	simulator/net.c \
	simulator/operation.c \
	simulator/place.c \
	simulator/plant.h \
	simulator/queue.c simulator/queue.h \
	simulator/record.c simulator/record.h \
	simulator/ring.c \
	simulator/round.c \
	simulator/rules.c \
	simulator/scenario.c simulator/scenario.h \
	simulator/setting_value.c \
	simulator/settings.c simulator/settings.h \
	simulator/sim.h \
	simulator/totem.c \
	simulator/vm.c \
	simulator/votes.c \
	simulator/world.c simulator/world.h
noinst_LIBRARIES += simulator/libvrms-sim.a
simulator_libvrms_sim_a_SOURCES = $(SIM_SOURCES)
PURE_ARCHIVES += simulator/libvrms-sim.a

SIM_LIBS = simulator/libvrms-sim.a $(QUORUM_CORE_LIBS)
