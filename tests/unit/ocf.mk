# SPDX-License-Identifier: GPL-2.0-or-later

UNIT_TESTS += \
	tests/unit/test_agent \
	tests/unit/test_fence \
	tests/unit/test_ocf \
	tests/unit/test_param

tests_unit_test_agent_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_agent_LDADD  = $(UNIT_LIBS)

tests_unit_test_fence_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fence_LDADD  = $(UNIT_LIBS)

tests_unit_test_ocf_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_ocf_LDADD  = $(OCF_LIBS) $(CHECK_LIBS)

tests_unit_test_param_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_param_LDADD  = $(OCF_LIBS) $(CHECK_LIBS)
