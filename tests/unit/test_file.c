/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static char folder[] = "/tmp/vrms-test-file.XXXXXX";

static void make_folder(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
}

static void remove_folder(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(folder), 0);
}

static int count_files(void)
{
	DIR *dir = opendir(".");
	int count = 0;

	ck_assert_ptr_nonnull(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		count += entry->d_name[0] != '.';
	}
	closedir(dir);
	return count;
}

START_TEST(what_is_written_is_read)
{
	struct vrms_error error = {""};
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	size_t size = 0;
	struct stat status;

	make_folder();
	ck_assert_int_eq(vrms_file_write("a", "hello\0x", 7, 0640, &error), 0);
	ck_assert_int_eq(vrms_file_read("a", 7, &text, &size, &error), 0);
	ck_assert_uint_eq(size, 7);
	ck_assert_mem_eq(text, "hello\0x", 8);
	ck_assert_int_eq(stat("a", &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0640);
	ck_assert_int_eq(count_files(), 1);
	unlink("a");
	remove_folder();
}
END_TEST

START_TEST(a_failed_write_leaves_the_old_file_and_nothing_else)
{
	struct vrms_error error = {""};
	char *text VRMS_CLEANUP(vrms_freep) = NULL;

	make_folder();
	ck_assert_int_eq(mkdir("d", 0700), 0);
	ck_assert_int_eq(vrms_file_write("d/keep", "x", 1, 0600, &error), 0);
	/* rename(2) onto a folder fails after the temporary file was written. */
	ck_assert_int_eq(vrms_file_write("d", "y", 1, 0600, &error), -EISDIR);
	ck_assert_str_eq(error.text, "d: Is a directory");
	ck_assert_int_eq(count_files(), 1);
	ck_assert_int_eq(vrms_file_read("d/keep", 9, &text, NULL, &error), 0);
	ck_assert_str_eq(text, "x");
	ck_assert_int_eq(vrms_file_write("none/x", "y", 1, 0600, &error), -ENOENT);
	unlink("d/keep");
	rmdir("d");
	remove_folder();
}
END_TEST

START_TEST(a_pipe_or_device_is_written_to_and_stays_one)
{
	struct vrms_error error = {.text = ""};
	struct stat status;
	char text[16] = "";

	make_folder();
	ck_assert_int_eq(mkfifo("pipe", 0600), 0);
	int fd = open("pipe", O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(vrms_file_write("pipe", "abc", 3, 0600, &error), 0);
	ck_assert_int_eq(read(fd, text, sizeof(text)), 3);
	ck_assert_str_eq(text, "abc");
	ck_assert_int_eq(stat("pipe", &status), 0);
	ck_assert(S_ISFIFO(status.st_mode));
	close(fd);
	unlink("pipe");
	remove_folder();
}
END_TEST

START_TEST(larger_than_allowed_is_refused)
{
	struct vrms_error error = {""};
	char *text = NULL;

	make_folder();
	ck_assert_int_eq(vrms_file_write("a", "12345678", 8, 0600, &error), 0);
	ck_assert_int_eq(vrms_file_read("a", 7, &text, NULL, &error), -EFBIG);
	ck_assert_str_eq(error.text, "a: larger than 7 bytes");
	ck_assert_ptr_null(text);
	unlink("a");
	remove_folder();
}
END_TEST

START_TEST(files_of_proc_and_large_files_are_read_whole)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	char *copy VRMS_CLEANUP(vrms_freep) = NULL;
	char *large VRMS_CLEANUP(vrms_freep) = malloc(100000);
	size_t size;

	ck_assert_int_eq(vrms_file_read("/proc/self/status", 1 << 20, &text, NULL, NULL), 0);
	ck_assert_ptr_nonnull(strstr(text, "VmRSS"));
	make_folder();
	memset(large, 'z', 100000);
	ck_assert_int_eq(vrms_file_write("l", large, 100000, 0600, NULL), 0);
	ck_assert_int_eq(vrms_file_read("l", 100000, &copy, &size, NULL), 0);
	ck_assert_uint_eq(size, 100000);
	ck_assert_mem_eq(copy, large, 100000);
	unlink("l");
	remove_folder();
}
END_TEST

START_TEST(missing_files_and_folders_are_named)
{
	struct vrms_error error = {""};
	char *text = NULL;

	ck_assert_int_eq(vrms_file_read("/nowhere/x", 9, &text, NULL, &error), -ENOENT);
	ck_assert_str_eq(error.text, "/nowhere/x: No such file or directory");
	ck_assert_int_eq(vrms_file_read("/", 9, &text, NULL, &error), -EISDIR);
}
END_TEST

START_TEST(folders_are_made_with_their_parents)
{
	struct vrms_error error = {""};
	struct stat status;

	make_folder();
	ck_assert_int_eq(vrms_file_mkdir_all("a//b/c/", 0750, &error), 0);
	ck_assert_int_eq(vrms_file_mkdir_all("a/b/c", 0750, &error), 0);
	ck_assert_int_eq(stat("a/b/c", &status), 0);
	ck_assert(S_ISDIR(status.st_mode));
	ck_assert_int_eq(vrms_file_mkdir_all("/", 0750, &error), 0);
	ck_assert_int_eq(vrms_file_write("f", "", 0, 0600, &error), 0);
	ck_assert_int_eq(vrms_file_mkdir_all("f/g", 0750, &error), -ENOTDIR);
	ck_assert_str_eq(error.text, "f: Not a directory");
	unlink("f");
	rmdir("a/b/c");
	rmdir("a/b");
	rmdir("a");
	remove_folder();
}
END_TEST

START_TEST(closep_closes_once)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int copy = fd;

	vrms_closep(&fd);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(fcntl(copy, F_GETFD), -1);
	vrms_closep(&fd);
}
END_TEST

UNIT_MAIN("file", what_is_written_is_read, a_failed_write_leaves_the_old_file_and_nothing_else,
	  a_pipe_or_device_is_written_to_and_stays_one, larger_than_allowed_is_refused,
	  files_of_proc_and_large_files_are_read_whole, missing_files_and_folders_are_named,
	  folders_are_made_with_their_parents, closep_closes_once)
