# SPDX-License-Identifier: GPL-2.0-or-later
#
# Histories with the decisions that belong to them: NAME.events, NAME.expected.

SCENARIOS = \
	tests/scenario/agree_crash_of_the_leader \
	tests/scenario/agree_slowest_node_wins \
	tests/scenario/fault_killed_and_flapping \
	tests/scenario/members_false_alarm_and_death \
	tests/scenario/tuner_day_of_a_host \
	tests/scenario/tuner_second_opinion \
	tests/scenario/verdict_freeze_short_and_long \
	tests/scenario/verdict_san_cut

check_PROGRAMS += tests/scenario/replay
tests_scenario_replay_SOURCES = tests/scenario/replay.c
tests_scenario_replay_LDADD   = $(QUORUM_CORE_LIBS)
TESTS      += tests/scenario/run.sh
EXTRA_DIST += tests/scenario/run.sh $(SCENARIOS:=.events) $(SCENARIOS:=.expected)
EXTRA_DIST += tests/scenario/series/scheduling_shared_host.txt
