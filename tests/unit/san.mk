# SPDX-License-Identifier: GPL-2.0-or-later

UNIT_TESTS += \
	tests/unit/test_lun_health \
	tests/unit/test_pr \
	tests/unit/test_pr_random \
	tests/unit/test_san_keys \
	tests/unit/test_san_wire

tests_unit_test_pr_SOURCES = tests/unit/test_pr.c tests/unit/pr_lun.h
tests_unit_test_pr_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pr_LDADD  = san/libvrms-san-core.a $(UNIT_LIBS)
tests_unit_test_pr_random_SOURCES = tests/unit/test_pr_random.c tests/unit/pr_lun.h
tests_unit_test_pr_random_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pr_random_LDADD  = san/libvrms-san-core.a $(COMMON_LIBS) $(UNIT_LIBS)
tests_unit_test_san_keys_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_san_keys_LDADD  = $(SAN_LIBS) $(UNIT_LIBS)
tests_unit_test_san_wire_CFLAGS = $(UNIT_CFLAGS) $(ISCSI_CFLAGS)
tests_unit_test_san_wire_LDADD  = $(SAN_LIBS) $(UNIT_LIBS)
tests_unit_test_lun_health_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_lun_health_LDADD  = san/libvrms-san-core.a $(UNIT_LIBS)
