# SPDX-License-Identifier: GPL-2.0-or-later

UNIT_TESTS += \
	tests/unit/test_placement_model \
	tests/unit/test_placement_planner \
	tests/unit/test_placement_properties
EXTRA_DIST += tests/unit/placement_cluster.h

tests_unit_test_placement_model_CFLAGS      = $(UNIT_CFLAGS)
tests_unit_test_placement_model_LDADD       = placement/libvrms-placement.a $(UNIT_LIBS)
tests_unit_test_placement_planner_CFLAGS    = $(UNIT_CFLAGS)
tests_unit_test_placement_planner_LDADD     = placement/libvrms-placement.a $(UNIT_LIBS)
tests_unit_test_placement_properties_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_placement_properties_LDADD  = placement/libvrms-placement.a $(UNIT_LIBS)
