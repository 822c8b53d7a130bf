# SPDX-License-Identifier: GPL-2.0-or-later

UNIT_TESTS += \
	tests/unit/test_placement_cib \
	tests/unit/test_placement_exact \
	tests/unit/test_placement_growth \
	tests/unit/test_placement_import \
	tests/unit/test_placement_keep \
	tests/unit/test_placement_model \
	tests/unit/test_placement_planner \
	tests/unit/test_placement_properties
EXTRA_DIST += tests/unit/placement_cluster.h doc/examples/state.json

tests_unit_test_placement_cib_CFLAGS        = $(UNIT_CFLAGS) $(XML_CFLAGS)
tests_unit_test_placement_cib_LDADD         = $(PLACEMENT_IO_LIBS) $(UNIT_LIBS) $(XML_LIBS) $(JANSSON_LIBS)
tests_unit_test_placement_exact_CFLAGS      = $(UNIT_CFLAGS)
tests_unit_test_placement_exact_LDADD       = $(PLACEMENT_LIBS) $(UNIT_LIBS)
tests_unit_test_placement_growth_CFLAGS     = $(UNIT_CFLAGS)
tests_unit_test_placement_growth_LDADD      = $(PLACEMENT_LIBS) $(UNIT_LIBS)
tests_unit_test_placement_import_CFLAGS     = $(UNIT_CFLAGS) -DEXAMPLES='"$(abs_top_srcdir)/doc/examples"'
tests_unit_test_placement_import_LDADD      = $(PLACEMENT_IO_LIBS) $(UNIT_LIBS) $(XML_LIBS) $(JANSSON_LIBS)
tests_unit_test_placement_keep_CFLAGS       = $(UNIT_CFLAGS)
tests_unit_test_placement_keep_LDADD        = $(PLACEMENT_IO_LIBS) $(UNIT_LIBS) $(XML_LIBS) $(JANSSON_LIBS)
tests_unit_test_placement_model_CFLAGS      = $(UNIT_CFLAGS)
tests_unit_test_placement_model_LDADD       = $(PLACEMENT_LIBS) $(UNIT_LIBS)
tests_unit_test_placement_planner_CFLAGS    = $(UNIT_CFLAGS)
tests_unit_test_placement_planner_LDADD     = $(PLACEMENT_LIBS) $(UNIT_LIBS)
tests_unit_test_placement_properties_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_placement_properties_LDADD  = $(PLACEMENT_LIBS) $(UNIT_LIBS)
