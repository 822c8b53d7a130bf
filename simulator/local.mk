# SPDX-License-Identifier: GPL-2.0-or-later

# Pure: the world and its events.  The same sources are built a second time with
# bugs that can be switched on, for the tests of the rules.  Needs -lm.
SIM_SOURCES = \
	simulator/affinity.c \
	simulator/balance.c \
	simulator/cluster.c \
	simulator/daemon.c simulator/daemon.h \
	simulator/detector.c simulator/detector.h \
	simulator/event.c \
	simulator/fault.c \
	simulator/fault_read.c \
	simulator/fence.c \
	simulator/fuzz.c simulator/fuzz.h \
	simulator/gather.c \
	simulator/generate.c \
	simulator/host.c \
	simulator/line.h \
	simulator/list.c \
	simulator/load.c \
	simulator/load_read.c \
	simulator/net.c \
	simulator/operation.c \
	simulator/opinion.c \
	simulator/place.c \
	simulator/plan.c \
	simulator/plant.h \
	simulator/queue.c simulator/queue.h \
	simulator/reader.h \
	simulator/record.c simulator/record.h \
	simulator/ring.c \
	simulator/round.c \
	simulator/rules.c \
	simulator/scenario.c simulator/scenario.h \
	simulator/rule_read.c \
	simulator/scenario_rules.c \
	simulator/scenario_read.c \
	simulator/setting_value.c \
	simulator/scheduler.h \
	simulator/settings.c simulator/settings.h \
	simulator/sim.h \
	simulator/totem.c \
	simulator/trace.c \
	simulator/vm.c \
	simulator/votes.c \
	simulator/world.c simulator/world.h
noinst_LIBRARIES += simulator/libvrms-sim.a
simulator_libvrms_sim_a_SOURCES = $(SIM_SOURCES)
PURE_ARCHIVES += simulator/libvrms-sim.a

SIM_LIBS = simulator/libvrms-sim.a placement/libvrms-placement.a $(QUORUM_CORE_LIBS)

SIM_PROGRAM_SOURCES = \
	simulator/assertion.c \
	simulator/calibrate.h \
	simulator/calibrate_fit.c \
	simulator/cib_import.c \
	simulator/cib_rules.c \
	simulator/cluster_import.h \
	simulator/command.h \
	simulator/command_calibrate.c \
	simulator/command_fuzz.c \
	simulator/command_run.c \
	simulator/command_scenario.c \
	simulator/command_sweep.c \
	simulator/corosync_import.c \
	simulator/crm.c simulator/crm.h \
	simulator/input.c simulator/input.h \
	simulator/journal_read.c simulator/journal_read.h \
	simulator/lab_drive.c \
	simulator/lab_log.c \
	simulator/main.c \
	simulator/proxmox.c \
	simulator/proxmox_rules.c \
	simulator/report.h \
	simulator/report_html.c \
	simulator/report_json.c \
	simulator/report_page.h \
	simulator/report_text.c \
	simulator/report_vms.c \
	simulator/samples.c \
	simulator/scenario_write.c simulator/scenario_write.h \
	simulator/sweep.c simulator/sweep.h \
	simulator/trial.c \
	simulator/wakeup.c simulator/wakeup.h
SIM_PROGRAM_CFLAGS = $(AM_CFLAGS) -pthread $(JANSSON_CFLAGS) $(XML_CFLAGS)
SIM_PROGRAM_LIBS   = $(PLACEMENT_IO_LIBS) $(QUORUM_CORE_LIBS) $(COMMON_LIBS) $(JANSSON_LIBS) $(XML_LIBS) $(QB_LIBS)

bin_PROGRAMS += vrms-sim
vrms_sim_LDFLAGS = $(AM_LDFLAGS) -pthread
vrms_sim_SOURCES = $(SIM_PROGRAM_SOURCES)
vrms_sim_CFLAGS  = $(SIM_PROGRAM_CFLAGS)
vrms_sim_LDADD   = simulator/libvrms-sim.a $(SIM_PROGRAM_LIBS)

check_LIBRARIES += simulator/libvrms-sim-planted.a
simulator_libvrms_sim_planted_a_SOURCES = $(SIM_SOURCES)
simulator_libvrms_sim_planted_a_CFLAGS  = $(AM_CFLAGS) -DVRMS_SIM_PLANTED
check_PROGRAMS += vrms-sim-planted
vrms_sim_planted_LDFLAGS = $(AM_LDFLAGS) -pthread
vrms_sim_planted_SOURCES = $(SIM_PROGRAM_SOURCES)
vrms_sim_planted_CFLAGS  = $(SIM_PROGRAM_CFLAGS) -DVRMS_SIM_PLANTED
vrms_sim_planted_LDADD   = simulator/libvrms-sim-planted.a $(SIM_PROGRAM_LIBS)

dist_man_MANS += simulator/vrms-sim.1 simulator/vrms-sim-scenario.5
EXTRA_DIST    += doc/examples/sim/lab.sim doc/examples/sim/recorded.jsonl \
	doc/examples/sim/rules.sim doc/examples/sim/stalls.sim doc/examples/sim/three-nodes.sim doc/examples/sim/tuner.sim
