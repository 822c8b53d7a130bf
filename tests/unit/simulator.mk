# SPDX-License-Identifier: GPL-2.0-or-later

UNIT_TESTS += \
	tests/unit/test_sim_daemon \
	tests/unit/test_sim_detector \
	tests/unit/test_sim_queue \
	tests/unit/test_sim_totem \
	tests/unit/test_sim_world

tests_unit_test_sim_queue_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sim_queue_LDADD  = $(SIM_LIBS) $(UNIT_LIBS)

SIM_TEST_SOURCES = tests/unit/sim_help.c tests/unit/sim_help.h

tests_unit_test_sim_daemon_SOURCES = tests/unit/test_sim_daemon.c $(SIM_TEST_SOURCES)
tests_unit_test_sim_daemon_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sim_daemon_LDADD  = $(SIM_LIBS) $(UNIT_LIBS)

tests_unit_test_sim_detector_SOURCES = tests/unit/test_sim_detector.c $(SIM_TEST_SOURCES)
tests_unit_test_sim_detector_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sim_detector_LDADD  = $(SIM_LIBS) $(UNIT_LIBS)

tests_unit_test_sim_totem_SOURCES = tests/unit/test_sim_totem.c $(SIM_TEST_SOURCES)
tests_unit_test_sim_totem_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sim_totem_LDADD  = $(SIM_LIBS) $(UNIT_LIBS)

tests_unit_test_sim_world_SOURCES = tests/unit/test_sim_world.c $(SIM_TEST_SOURCES)
tests_unit_test_sim_world_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sim_world_LDADD  = $(SIM_LIBS) $(UNIT_LIBS)

SIM_CLI_TESTS = tests/cli/sim.sh tests/cli/sim_html.sh tests/cli/sim_pacemaker.sh tests/cli/sim_fuzz.sh
TESTS      += $(SIM_CLI_TESTS)
EXTRA_DIST += $(SIM_CLI_TESTS)
