# SPDX-License-Identifier: GPL-2.0-or-later

UNIT_TESTS += \
	tests/unit/test_guest_record \
	tests/unit/test_lab_figures \
	tests/unit/test_timeline \
	tests/unit/test_view \
	tests/unit/test_vm_xml

tests_unit_test_guest_record_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_guest_record_LDADD  = lab/libvrms-story.a $(UNIT_LIBS)

tests_unit_test_lab_figures_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_lab_figures_LDADD  = lab/libvrms-story.a $(UNIT_LIBS)

tests_unit_test_timeline_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_timeline_LDADD  = lab/libvrms-story.a $(UNIT_LIBS)

tests_unit_test_view_CFLAGS = $(UNIT_CFLAGS) $(XML_CFLAGS)
tests_unit_test_view_LDADD  = $(LAB_VM_LIBS) $(UNIT_LIBS) $(XML_LIBS)

tests_unit_test_vm_xml_CFLAGS = $(UNIT_CFLAGS) $(XML_CFLAGS)
tests_unit_test_vm_xml_LDADD  = $(LAB_VM_LIBS) $(UNIT_LIBS) $(XML_LIBS)
