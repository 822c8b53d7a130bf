# SPDX-License-Identifier: GPL-2.0-or-later

# Pure: what logs and disks say.
noinst_LIBRARIES += lab/libvrms-story.a
lab_libvrms_story_a_SOURCES = \
	lab/figures.c lab/figures.h \
	lab/guest.h lab/guest_record.c \
	lab/timeline.c lab/timeline.h
PURE_ARCHIVES += lab/libvrms-story.a

noinst_LIBRARIES += lab/libvrms-vms.a
lab_libvrms_vms_a_SOURCES = \
	lab/cluster.c lab/cluster.h \
	lab/demo.c lab/demo.h \
	lab/demo_run.c lab/demo_run.h \
	lab/command_demo_san.c \
	lab/demo_san.c lab/demo_san.h \
	lab/demo_show.c \
	lab/demo_table.c \
	lab/demo_token.c \
	lab/demo_victim.c \
	lab/guest.c \
	lab/guest/bootsector.S \
	lab/guest/files.S \
	lab/tail.c lab/tail.h \
	lab/view.c lab/view.h \
	lab/vm.h lab/vm_xml.c \
	lab/vm_command.c \
	lab/vm_files.c lab/vm_files.h \
	lab/xml.c lab/xml.h
lab_libvrms_vms_a_CPPFLAGS = $(AM_CPPFLAGS) -DVRMS_LIBEXECDIR='"$(vrmslibexecdir)"'
lab_libvrms_vms_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(XML_CFLAGS)
EXTRA_DIST += lab/guest/init lab/guest/build-linux.sh
lab/guest/lab_libvrms_vms_a-files.$(OBJEXT) lab/guest/files.$(OBJEXT): \
	lab/guest/init lab/guest/build-linux.sh

LAB_VM_LIBS = lab/libvrms-vms.a lab/libvrms-story.a
