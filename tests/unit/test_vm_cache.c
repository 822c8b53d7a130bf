/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/vm_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "tests/unit/unit.h"

static char root[64], path[128], config[128];

static char *environment[] = {(char[]){"PATH=/bin"},
			      (char[]){"OCF_RESKEY_config=/srv/vm/vm1.xml"},
			      (char[]){"OCF_RESKEY_migration_transport=ssh"},
			      (char[]){"OCF_RESKEY_CRM_meta_timeout=20000"},
			      (char[]){"OCF_RESKEY_crm_feature_set=3.16.2"},
			      (char[]){"OCF_RESKEY_OCF_CHECK_LEVEL=10"},
			      NULL};

static struct vrms_vm_cache made(void)
{
	struct vrms_vm_cache cache = {.domain = "vm 1",
				      .uuid = "77000000-0000-4000-9000-000000000001",
				      .uri = "qemu:///system"};

	strcpy(cache.config, config);
	ck_assert_int_eq(vrms_vm_config_identify(config, &cache.config_id, NULL), 0);
	return cache;
}

static void begin(void)
{
	strcpy(root, "/tmp/vrms-cache-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	(void)snprintf(path, sizeof(path), "%s/made/VirtualMachine-vm1.state", root);
	(void)snprintf(config, sizeof(config), "%s/vm1.xml", root);
	ck_assert_int_eq(vrms_file_write(config, "<domain/>", 9, 0600, NULL), 0);
	struct vrms_vm_cache cache = made();
	ck_assert_int_eq(vrms_vm_cache_write(path, &cache, environment, NULL), 0);
}

static void end(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
	ck_assert_int_eq(system(command), 0);
}

static int read_in(char *const *env, int64_t now_s)
{
	struct vrms_vm_cache cache;

	memset(&cache, 'x', sizeof(cache));
	int rc = vrms_vm_cache_read(path, env, now_s, &cache, NULL);
	ck_assert_int_eq(cache.domain[0] == 'x', rc != 0); /* untouched on failure */
	return rc;
}

/* time() may be a tick behind the file system's clock: a file made just now is then from the
 * future.
 */
static int64_t now_s(void)
{
	struct timespec now;

	ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &now), 0);
	return now.tv_sec;
}

static int read_now(void)
{
	return read_in(environment, now_s());
}

START_TEST(what_was_written_is_read)
{
	struct vrms_vm_cache cache;

	begin();
	ck_assert_int_eq(vrms_vm_cache_read(path, environment, now_s(), &cache, NULL), 0);
	struct vrms_vm_cache same = made();
	ck_assert_str_eq(cache.domain, same.domain);
	ck_assert_str_eq(cache.uuid, same.uuid);
	ck_assert_str_eq(cache.uri, same.uri);
	ck_assert_str_eq(cache.config, same.config);
	ck_assert_mem_eq(&cache.config_id, &same.config_id, sizeof(same.config_id));
	end();
}
END_TEST

START_TEST(another_parameter_makes_it_stale)
{
	char *fewer[] = {environment[1], NULL};
	char *other[] = {environment[1], (char[]){"OCF_RESKEY_migration_transport=tcp"}, NULL};
	char *more[] = {environment[1], environment[2], (char[]){"OCF_RESKEY_force_stop=1"}, NULL};
	char *renamed[] = {environment[1], (char[]){"OCF_RESKEY_migration_transports=sh"}, NULL};
	char *twice[] = {environment[1], environment[1], NULL};
	int64_t written_s = now_s();

	begin();
	ck_assert_int_eq(read_in(fewer, written_s), -ESTALE);
	ck_assert_int_eq(read_in(other, written_s), -ESTALE);
	ck_assert_int_eq(read_in(more, written_s), -ESTALE);
	ck_assert_int_eq(read_in(renamed, written_s), -ESTALE);
	ck_assert_int_eq(read_in(twice, written_s), -ESTALE);
	end();
}
END_TEST

START_TEST(what_differs_from_call_to_call_does_not_count)
{
	char *same[] = {environment[2], environment[1],
			(char[]){"OCF_RESKEY_CRM_meta_timeout=30000"},
			(char[]){"OCF_RESKEY_CRM_meta_interval=10000"}, NULL};

	begin();
	ck_assert_int_eq(read_in(same, now_s()), 0);
	end();
}
END_TEST

START_TEST(another_configuration_file_makes_it_stale)
{
	begin();
	/* The same content in a new file: whoever replaced it may have wanted more. */
	ck_assert_int_eq(vrms_file_write(config, "<domain/>", 9, 0600, NULL), 0);
	ck_assert_int_eq(read_now(), -ESTALE);
	end();

	begin();
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1000000000}};
	ck_assert_int_eq(utimensat(AT_FDCWD, config, times, 0), 0);
	ck_assert_int_eq(read_now(), -ESTALE);
	end();

	begin();
	ck_assert_int_eq(unlink(config), 0);
	ck_assert_int_eq(read_now(), -ESTALE);
	end();
}
END_TEST

START_TEST(age_makes_it_stale_and_so_does_the_future)
{
	int64_t written_s = now_s();

	begin();
	ck_assert_int_eq(read_in(environment, written_s + VRMS_VM_CACHE_AGE_MAX_S - 10), 0);
	ck_assert_int_eq(read_in(environment, written_s + VRMS_VM_CACHE_AGE_MAX_S + 10), -ESTALE);
	ck_assert_int_eq(read_in(environment, written_s - 10), -ESTALE);
	end();
}
END_TEST

START_TEST(a_file_that_others_may_write_is_not_trusted)
{
	char elsewhere[160];

	begin();
	ck_assert_int_eq(chmod(path, 0620), 0);
	ck_assert_int_eq(read_now(), -EBADMSG);
	ck_assert_int_eq(chmod(path, 0602), 0);
	ck_assert_int_eq(read_now(), -EBADMSG);
	ck_assert_int_eq(chmod(path, 0600), 0);
	ck_assert_int_eq(read_now(), 0);
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s.other", path);
	ck_assert_int_eq(rename(path, elsewhere), 0);
	ck_assert_int_eq(symlink(elsewhere, path), 0);
	ck_assert_int_eq(read_now(), -EBADMSG);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(read_now(), -EBADMSG);
	end();
}
END_TEST

START_TEST(a_cut_or_garbled_file_is_never_believed)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	size_t bytes;

	begin();
	ck_assert_int_eq(vrms_file_read(path, 65536, &text, &bytes, NULL), 0);
	for (size_t i = 0; i < bytes; i++) {
		ck_assert_int_eq(vrms_file_write(path, text, i, 0600, NULL), 0);
		ck_assert_int_lt(read_now(), 0);
	}
	/* Names may differ by one letter and be another domain: only structure is checked. */
	for (size_t i = 0; i < bytes; i++) {
		char kept = text[i];
		if (kept != '\n' && kept != ' ') {
			continue;
		}
		text[i] = '\0';
		ck_assert_int_eq(vrms_file_write(path, text, bytes, 0600, NULL), 0);
		ck_assert_int_lt(read_now(), 0);
		text[i] = kept;
	}
	end();
}
END_TEST

START_TEST(a_line_break_cannot_be_smuggled_in)
{
	char *smuggled[] = {(char[]){"OCF_RESKEY_config=/x\nparam force_stop=1"}, NULL};

	begin();
	struct vrms_vm_cache cache = made();
	ck_assert_int_eq(vrms_vm_cache_write(path, &cache, smuggled, NULL), -EINVAL);
	strcpy(cache.domain, "a\nb");
	ck_assert_int_eq(vrms_vm_cache_write(path, &cache, environment, NULL), -EINVAL);
	ck_assert_int_eq(read_now(), 0); /* the old file is still there */
	end();
}
END_TEST

START_TEST(removing_is_for_good_and_can_be_repeated)
{
	begin();
	ck_assert_int_eq(vrms_vm_cache_remove(path, NULL), 0);
	ck_assert_int_eq(read_now(), -ENOENT);
	ck_assert_int_eq(vrms_vm_cache_remove(path, NULL), 0);
	end();
}
END_TEST

START_TEST(the_path_follows_ha_rsctmp)
{
	char buffer[64];

	ck_assert_int_eq(setenv("HA_RSCTMP", "/run/there", 1), 0);
	ck_assert_int_eq(vrms_vm_cache_path(NULL, "vm1", "state", buffer, sizeof(buffer)), 0);
	ck_assert_str_eq(buffer, "/run/there/VirtualMachine-vm1.state");
	ck_assert_int_eq(unsetenv("HA_RSCTMP"), 0);
	ck_assert_int_eq(vrms_vm_cache_path("", "vm:0", "utilization", buffer, sizeof(buffer)), 0);
	ck_assert_str_eq(buffer, "/run/resource-agents/VirtualMachine-vm:0.utilization");
	ck_assert_int_eq(vrms_vm_cache_path("/x", "vm1", "state", buffer, sizeof(buffer)), 0);
	ck_assert_str_eq(buffer, "/x/VirtualMachine-vm1.state");
	ck_assert_int_eq(vrms_vm_cache_path(NULL, "../vm1", "state", buffer, sizeof(buffer)),
			 -EINVAL);
	ck_assert_int_eq(vrms_vm_cache_path(NULL, "vm1", "state", buffer, 20), -ENAMETOOLONG);
}
END_TEST

UNIT_MAIN("vm_cache", what_was_written_is_read, another_parameter_makes_it_stale,
	  what_differs_from_call_to_call_does_not_count, another_configuration_file_makes_it_stale,
	  age_makes_it_stale_and_so_does_the_future, a_file_that_others_may_write_is_not_trusted,
	  a_cut_or_garbled_file_is_never_believed, a_line_break_cannot_be_smuggled_in,
	  removing_is_for_good_and_can_be_repeated, the_path_follows_ha_rsctmp)
