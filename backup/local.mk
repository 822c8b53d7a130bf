# SPDX-License-Identifier: GPL-2.0-or-later

# Pure: layouts, extents, retention.
noinst_LIBRARIES += backup/libvrms-backup-core.a
backup_libvrms_backup_core_a_SOURCES = \
	backup/bytes.h \
	backup/extent.c backup/extent.h \
	backup/format.c backup/format.h \
	backup/retention.c backup/retention.h
backup_libvrms_backup_core_a_CFLAGS = $(AM_CFLAGS) $(XXHASH_CFLAGS)
PURE_ARCHIVES += backup/libvrms-backup-core.a

# The repository and what works on it.
noinst_LIBRARIES += backup/libvrms-backup.a
backup_libvrms_backup_a_SOURCES = \
	backup/coder.c backup/coder.h \
	backup/crypto.c backup/crypto.h \
	backup/document.c backup/document.h \
	backup/index.c backup/index.h \
	backup/index_merge.c \
	backup/index_segment.c backup/index_segment.h \
	backup/job.c backup/job.h \
	backup/keys.c backup/keys.h \
	backup/pack.h backup/pack_read.c backup/pack_write.c \
	backup/pipeline.c backup/pipeline.h \
	backup/point.c backup/point.h backup/points.c \
	backup/repository.c backup/repository.h \
	backup/repository_config.c backup/repository_config.h \
	backup/restore.c backup/restore.h \
	backup/session.c backup/session.h \
	backup/source.h backup/source_file.c backup/source_nbd.c \
	backup/store.c backup/store.h backup/store_posix.c \
	backup/tree.c backup/tree.h
backup_libvrms_backup_a_CFLAGS = $(AM_CFLAGS) $(BACKUP_CFLAGS)

BACKUP_CFLAGS = $(NBD_CFLAGS) $(ZSTD_CFLAGS) $(CRYPTO_CFLAGS) $(XXHASH_CFLAGS) $(JANSSON_CFLAGS)
BACKUP_LIBS   = backup/libvrms-backup.a backup/libvrms-backup-core.a $(COMMON_LIBS) $(QB_LIBS) \
	$(NBD_LIBS) $(ZSTD_LIBS) $(CRYPTO_LIBS) $(XXHASH_LIBS) $(JANSSON_LIBS) -lpthread
