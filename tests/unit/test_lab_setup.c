/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/setup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct vrms_lab_setup three_nodes = {
    .name = "lab",
    .id = "0123456789abcdef",
    .stage = "/tmp/stage",
    .node_count = 3,
    .token_ms = 1000,
    .boot_delay_ms = 5000,
    .has_libvirt = true,
    .has_iscsi = true,
    .is_shared = true,
};

START_TEST(good_names_are_taken)
{
	ck_assert_int_eq(vrms_lab_name_check("a", NULL), 0);
	ck_assert_int_eq(vrms_lab_name_check("lab-2", NULL), 0);
}
END_TEST

START_TEST(names_that_could_leave_the_folder_are_refused)
{
	static const char *const names[] = {"",    "..",
					    "a/b", "A",
					    "-a",  "1a",
					    "a b", "a\nb",
					    "a.b", "abcdefghijklmnopqrstuvwxyz0123456"};

	for (size_t i = 0; i < VRMS_COUNT_OF(names); i++) {
		struct vrms_error error = {.text = ""};

		ck_assert_int_eq(vrms_lab_name_check(names[i], &error), -EINVAL);
		ck_assert_ptr_nonnull(strstr(error.text, names[i]));
	}
}
END_TEST

START_TEST(folders_that_an_overlay_cannot_name_are_refused)
{
	static const char *const dirs[] = {"lab",  "./lab", "/",       "/a,b",
					   "/a:b", "/a\\b", "/a/../b", "/a\nb"};

	for (size_t i = 0; i < VRMS_COUNT_OF(dirs); i++) {
		ck_assert_int_eq(vrms_lab_dir_check(dirs[i], "folder", NULL), -EINVAL);
	}
	ck_assert_int_eq(vrms_lab_dir_check("/var/lib/my lab", "folder", NULL), 0);
}
END_TEST

START_TEST(a_folder_that_is_too_long_is_refused)
{
	char dir[VRMS_LAB_DIR_SIZE + 1];

	memset(dir, 'x', sizeof(dir));
	dir[0] = '/';
	dir[VRMS_LAB_DIR_SIZE] = '\0';
	ck_assert_int_eq(vrms_lab_dir_check(dir, "folder", NULL), -ENAMETOOLONG);
	dir[VRMS_LAB_DIR_SIZE - 1] = '\0';
	ck_assert_int_eq(vrms_lab_dir_check(dir, "folder", NULL), 0);
}
END_TEST

START_TEST(only_nodes_of_the_lab_are_known)
{
	struct vrms_error error = {.text = ""};
	int index = -1;

	ck_assert_int_eq(vrms_lab_node_name_parse("node3", 3, &index, NULL), 0);
	ck_assert_int_eq(index, 2);
	ck_assert_int_eq(vrms_lab_node_name_parse("node4", 3, &index, &error), -EINVAL);
	ck_assert_int_eq(index, 2);
	ck_assert_str_eq(error.text, "no node \"node4\" in this lab: it has node1 to node3");
	ck_assert_int_eq(vrms_lab_node_name_parse("node0", 3, &index, NULL), -EINVAL);
	ck_assert_int_eq(vrms_lab_node_name_parse("node01", 3, &index, NULL), -EINVAL);
	ck_assert_int_eq(vrms_lab_node_name_parse("node1 ", 3, &index, NULL), -EINVAL);
}
END_TEST

START_TEST(what_is_printed_is_read_again)
{
	struct vrms_lab_setup read = {.name = ""};
	char *text VRMS_CLEANUP(vrms_freep) = vrms_lab_setup_print(&three_nodes);

	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(vrms_lab_setup_parse(text, &read, NULL), 0);
	ck_assert_str_eq(read.name, "lab");
	ck_assert_str_eq(read.id, three_nodes.id);
	ck_assert_str_eq(read.stage, "/tmp/stage");
	ck_assert_int_eq(read.node_count, 3);
	ck_assert_int_eq(read.token_ms, 1000);
	ck_assert_int_eq(read.boot_delay_ms, 5000);
	ck_assert(read.has_libvirt);
	ck_assert(read.has_iscsi);
	ck_assert(!read.has_locks);
	ck_assert(read.is_shared);
}
END_TEST

/* Prints a changed setup and expects that reading it fails, naming `what`. */
static void expect_refused(const struct vrms_lab_setup *setup, int rc, const char *what)
{
	struct vrms_lab_setup read = {.node_count = 77};
	struct vrms_error error = {.text = ""};
	char *text VRMS_CLEANUP(vrms_freep) = vrms_lab_setup_print(setup);

	ck_assert_int_eq(vrms_lab_setup_parse(text, &read, &error), rc);
	ck_assert_msg(strstr(error.text, what) != NULL, "\"%s\" names no %s", error.text, what);
	ck_assert_int_eq(read.node_count, 77);
}

START_TEST(values_out_of_range_are_refused)
{
	struct vrms_lab_setup setup = three_nodes;

	setup.node_count = 0;
	expect_refused(&setup, -ERANGE, "nodes");
	setup.node_count = VRMS_LAB_NODES_MAX + 1;
	expect_refused(&setup, -ERANGE, "nodes");
	setup = three_nodes;
	setup.token_ms = 5;
	expect_refused(&setup, -ERANGE, "token_ms");
	setup = three_nodes;
	setup.boot_delay_ms = -1;
	expect_refused(&setup, -ERANGE, "boot_delay_ms");
	setup = three_nodes;
	strcpy(setup.id, "short");
	expect_refused(&setup, -EINVAL, "id");
	setup = three_nodes;
	strcpy(setup.stage, "relative");
	expect_refused(&setup, -EINVAL, "stage");
}
END_TEST

START_TEST(broken_files_are_refused)
{
	static const char *const texts[] = {
	    "",
	    "{",
	    "[]",
	    "{\"format\": 1}",
	    "{\"format\": 2, \"name\": \"lab\", \"id\": \"0123456789abcdef\", \"stage\": \"\", "
	    "\"nodes\": 3, \"token_ms\": 0, \"boot_delay_ms\": 0, \"libvirt\": true}",
	    "{\"format\": 1, \"name\": \"lab\", \"id\": \"0123456789abcdef\", \"stage\": \"\", "
	    "\"nodes\": \"3\", \"token_ms\": 0, \"boot_delay_ms\": 0, \"libvirt\": true}",
	};

	for (size_t i = 0; i < VRMS_COUNT_OF(texts); i++) {
		struct vrms_lab_setup read;
		struct vrms_error error = {.text = ""};

		ck_assert_int_eq(vrms_lab_setup_parse(texts[i], &read, &error), -EINVAL);
		ck_assert_str_ne(error.text, "");
	}
}
END_TEST

UNIT_MAIN("lab_setup", good_names_are_taken, names_that_could_leave_the_folder_are_refused,
	  folders_that_an_overlay_cannot_name_are_refused, a_folder_that_is_too_long_is_refused,
	  only_nodes_of_the_lab_are_known, what_is_printed_is_read_again,
	  values_out_of_range_are_refused, broken_files_are_refused)
