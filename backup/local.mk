# SPDX-License-Identifier: GPL-2.0-or-later

# Pure: layouts, extents, retention.
noinst_LIBRARIES += backup/libvrms-backup-core.a
backup_libvrms_backup_core_a_SOURCES = \
	backup/calendar.c backup/calendar.h \
	backup/civil.c backup/civil.h \
	backup/extent.c backup/extent.h \
	backup/format.c backup/format.h \
	backup/lock_watch.c backup/lock_watch.h \
	backup/policy.c backup/policy.h \
	backup/retention.c backup/retention.h \
	backup/schedule.c backup/schedule.h \
	backup/status.c backup/status.h
backup_libvrms_backup_core_a_CFLAGS = $(AM_CFLAGS) $(XXHASH_CFLAGS) -fPIC
PURE_ARCHIVES += backup/libvrms-backup-core.a

# The repository and what works on it.
noinst_LIBRARIES += backup/libvrms-backup.a
backup_libvrms_backup_a_SOURCES = \
	backup/behind.c backup/behind.h \
	backup/block_reader.c \
	backup/coder.c backup/coder.h \
	backup/copy.c backup/copy.h \
	backup/crypto.c backup/crypto.h \
	backup/document.c backup/document.h \
	backup/file_io.c backup/file_io.h \
	backup/image.c backup/image.h \
	backup/index.c backup/index.h \
	backup/index_merge.c backup/index_struct.h backup/index_write.c \
	backup/index_segment.c backup/index_segment.h \
	backup/job.c backup/job.h \
	backup/keys.c backup/keys.h \
	backup/lock.c backup/lock.h \
	backup/lock_holder.c backup/lock_holder.h \
	backup/nbd_server.c backup/nbd_server.h \
	backup/pack_list.c backup/pack_list.h \
	backup/pack_table.c backup/pack_table.h \
	backup/part_reader.c backup/part_reader.h \
	backup/pack.h backup/pack_read.c backup/pack_write.c \
	backup/pack_window.c backup/pack_window.h \
	backup/pipeline.c backup/pipeline.h \
	backup/pipeline_line.h backup/pipeline_read.c \
	backup/plan.c backup/plan.h \
	backup/point.c backup/point.h backup/points.c \
	backup/repository.c backup/repository.h backup/repository_struct.h \
	backup/repository_config.c backup/repository_config.h \
	backup/restore.c backup/restore.h backup/restore_changes.c \
	backup/schedule_facts.c backup/schedule_facts.h \
	backup/session.c backup/session.h \
	backup/source.h backup/source_file.c backup/source_nbd.c \
	backup/status_record.c backup/status_record.h \
	backup/space.c backup/space.h \
	backup/store.c backup/store.h backup/store_posix.c \
	backup/sweep.c backup/sweep.h \
	backup/take.c backup/take.h \
	backup/take_images.c backup/take_images.h \
	backup/target_file.c backup/target_nbd.c \
	backup/target_path.c backup/target_path.h \
	backup/target_uri.c \
	backup/tree.c backup/tree.h \
	backup/verify.c backup/verify.h \
	backup/verify_state.c backup/verify_state.h \
	backup/walk.c backup/walk.h
backup_libvrms_backup_a_CFLAGS = $(AM_CFLAGS) $(BACKUP_CFLAGS) -fPIC

# Running VMs, through libvirt.
noinst_LIBRARIES += backup/libvrms-backup-live.a
backup_libvrms_backup_live_a_SOURCES = \
	backup/announce.c backup/announce.h \
	backup/cluster.c backup/cluster.h \
	backup/cluster_xml.c backup/cluster_xml.h \
	backup/live.c backup/live.h \
	backup/live_base.c backup/live_base.h \
	backup/live_guard.c backup/live_guard.h \
	backup/live_list.c backup/live_list.h \
	backup/overlay.c backup/overlay.h \
	backup/scratch_watch.c backup/scratch_watch.h \
	backup/serve.c backup/serve.h \
	backup/take_live.c backup/take_live.h \
	backup/vm_state.c backup/vm_state.h \
	backup/vm_xml.c backup/vm_xml.h
backup_libvrms_backup_live_a_CPPFLAGS = $(AM_CPPFLAGS) -DVRMS_LIBEXECDIR='"$(vrmslibexecdir)"'
backup_libvrms_backup_live_a_CFLAGS = $(AM_CFLAGS) $(BACKUP_CFLAGS) $(LIBVIRT_CFLAGS) \
	$(LIBVIRT_QEMU_CFLAGS) $(XML_CFLAGS)
BACKUP_LIVE_LIBS = backup/libvrms-backup-live.a $(BACKUP_LIBS) $(LIBVIRT_QEMU_LIBS) $(LIBVIRT_LIBS) \
	$(XML_LIBS)

# Loaded by nbdkit: position-independent, as is all it links.
vrmslibexec_PROGRAMS += backup/nbdkit-vrms-backup-plugin.so
backup_nbdkit_vrms_backup_plugin_so_SOURCES = backup/cli.c backup/cli.h backup/nbdkit_plugin.c
backup_nbdkit_vrms_backup_plugin_so_CFLAGS = $(AM_CFLAGS) $(BACKUP_CFLAGS) $(NBDKIT_CFLAGS) -fPIC
backup_nbdkit_vrms_backup_plugin_so_LDFLAGS = $(AM_LDFLAGS) -shared -Wl,--exclude-libs,ALL
backup_nbdkit_vrms_backup_plugin_so_LDADD = $(BACKUP_LIBS)

BACKUP_CFLAGS = $(NBD_CFLAGS) $(ZSTD_CFLAGS) $(CRYPTO_CFLAGS) $(XXHASH_CFLAGS) $(JANSSON_CFLAGS)
BACKUP_LIBS   = backup/libvrms-backup.a backup/libvrms-backup-core.a $(COMMON_LIBS) $(QB_LIBS) \
	$(NBD_LIBS) $(ZSTD_LIBS) $(CRYPTO_LIBS) $(XXHASH_LIBS) $(JANSSON_LIBS) -lpthread

bin_PROGRAMS += vrms-backup
vrms_backup_SOURCES = \
	backup/cli.c backup/cli.h \
	backup/command_boot.c \
	backup/command_care.c \
	backup/command_cluster.c backup/command_cluster.h \
	backup/command_copy.c \
	backup/command_policy.c backup/command_policy.h \
	backup/command_release.c \
	backup/command_restore.c \
	backup/command_schedule.c \
	backup/command_show.c \
	backup/command_status.c \
	backup/command_take.c backup/command_take.h \
	backup/command_take_vm.c \
	backup/command_timers.c backup/command_timers.h \
	backup/command_trial.c \
	backup/export_chain.c \
	backup/main.c
vrms_backup_CFLAGS = $(AM_CFLAGS) $(BACKUP_CFLAGS)
vrms_backup_LDADD  = $(BACKUP_LIVE_LIBS)

dist_man_MANS += backup/vrms-backup.8 backup/vrms_backup.conf.5 backup/vrms_backup_repository.5

# The service and its timer; the timer is switched on by "vrms-backup schedule install-timers".
systemdsystemunit_DATA += backup/vrms-backup.service backup/vrms-backup.timer
CLEANFILES += backup/vrms-backup.service backup/vrms-backup.timer
EXTRA_DIST += backup/vrms-backup.service.in backup/vrms-backup.timer.in backup/backup.conf.example
backup/vrms-backup.service: backup/vrms-backup.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) backup && sed 's|@bindir[@]|$(bindir)|g' $(srcdir)/backup/vrms-backup.service.in > $@.tmp && mv $@.tmp $@
backup/vrms-backup.timer: backup/vrms-backup.timer.in Makefile
	$(AM_V_GEN)$(MKDIR_P) backup && cp $(srcdir)/backup/vrms-backup.timer.in $@.tmp && mv $@.tmp $@
dist_doc_DATA = backup/backup.conf.example doc/backup-checkpoints.md
