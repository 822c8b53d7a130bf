/* test_san_keys.c - reservation keys of a cluster's nodes, and LUNs as an admin writes them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "san/keys.h"
#include "san/lun.h"
#include "tests/unit/unit.h"

static struct vrms_error error;

static int make(struct vrms_san_cluster *cluster, const char *nodes,
		enum vrms_san_key_format format, const char *given)
{
	int rc = vrms_san_nodes_parse(nodes, cluster, &error);

	snprintf(cluster->name, sizeof(cluster->name), "lab");
	return rc < 0 ? rc : vrms_san_keys_make(format, given, cluster, &error);
}

START_TEST(keys_are_made_of_the_clusters_name_and_the_nodes_number)
{
	struct vrms_san_cluster cluster = {""};
	struct vrms_san_cluster other = {""};

	ck_assert_int_eq(make(&cluster, "n1:1,n2:305419896", VRMS_SAN_KEYS_OWN, NULL), 0);
	ck_assert_uint_eq(cluster.nodes[1].key & UINT64_C(0xffffffffff), UINT64_C(0x0112345678));
	ck_assert_uint_eq(cluster.nodes[1].guests_key & UINT64_C(0xffffffffff),
			  UINT64_C(0x0212345678));
	/* printf lab | sha256sum: a51146d3... */
	ck_assert_uint_eq(cluster.key >> 40, 0xa51146);
	ck_assert_uint_eq(cluster.nodes[0].key >> 40, cluster.key >> 40);
	ck_assert_int_eq(make(&other, "n1:1", VRMS_SAN_KEYS_OWN, NULL), 0);
	ck_assert_uint_eq(other.nodes[0].key, cluster.nodes[0].key);
	snprintf(other.name, sizeof(other.name), "lab2");
	ck_assert_int_eq(vrms_san_keys_make(VRMS_SAN_KEYS_OWN, NULL, &other, &error), 0);
	ck_assert_uint_ne(other.nodes[0].key >> 40, cluster.nodes[0].key >> 40);
}
END_TEST

START_TEST(keys_of_fence_scsi_are_the_ones_it_makes)
{
	struct vrms_san_cluster cluster = {""};

	/* printf lab | md5sum: f9664ea1...; "%.4s%.4d" */
	ck_assert_int_eq(make(&cluster, "n1:1 n2:2", VRMS_SAN_KEYS_FENCE_SCSI, NULL), 0);
	ck_assert_uint_eq(cluster.nodes[0].key, 0xf9660000);
	ck_assert_uint_eq(cluster.nodes[1].key, 0xf9660001);
}
END_TEST

START_TEST(given_keys_come_first_and_must_differ)
{
	struct vrms_san_cluster cluster = {""};

	ck_assert_int_eq(make(&cluster, "n1:1 n2:2", VRMS_SAN_KEYS_OWN, "n2=0xb2"), 0);
	ck_assert_uint_eq(cluster.nodes[1].key, 0xb2);
	ck_assert_int_eq(make(&cluster, "n1:1 n2:2", VRMS_SAN_KEYS_OWN, "n1=b2, n2=0xb2"), -EEXIST);
	ck_assert_str_eq(error.text, "key collision: n1 and n2 both have 0xb2");
	ck_assert_int_eq(make(&cluster, "n1:7 n2:7", VRMS_SAN_KEYS_OWN, NULL), -EEXIST);
	ck_assert_int_eq(make(&cluster, "n1:1", VRMS_SAN_KEYS_OWN, "n3=1"), -EINVAL);
	ck_assert_str_eq(error.text, "keys: no node \"n3\" in the cluster");
	ck_assert_int_eq(make(&cluster, "n1:1", VRMS_SAN_KEYS_OWN, "n1=0"), -EINVAL);
	ck_assert_int_eq(make(&cluster, "n1", VRMS_SAN_KEYS_OWN, NULL), -EINVAL);
	ck_assert_int_eq(make(&cluster, "n1:0", VRMS_SAN_KEYS_OWN, NULL), -ERANGE);
}
END_TEST

START_TEST(keys_made_of_the_clusters_name_are_told_by_their_form)
{
	struct vrms_san_cluster cluster = {""};
	struct vrms_pr_job job = {.known = cluster.known, .known_count = 2};
	const struct vrms_pr_view former = {
	    .key_count = 2,
	    .keys = {UINT64_C(0xa511460100000009), UINT64_C(0xa511460200000009)},
	};
	const struct vrms_pr_view by_place = {.key_count = 1, .keys = {0xf9660007}};

	ck_assert_int_eq(make(&cluster, "n1:1", VRMS_SAN_KEYS_OWN, NULL), 0);
	memcpy(job.families, cluster.families, sizeof(job.families));
	ck_assert_uint_eq(vrms_pr_foreign_key(&job, &former), 0);
	ck_assert_uint_eq(vrms_pr_foreign_key(&job, &by_place), 0xf9660007);
	ck_assert_int_eq(make(&cluster, "n1:1", VRMS_SAN_KEYS_FENCE_SCSI, NULL), 0);
	memcpy(job.families, cluster.families, sizeof(job.families));
	ck_assert_uint_eq(vrms_pr_foreign_key(&job, &former), 0);
	ck_assert_uint_eq(vrms_pr_foreign_key(&job, &by_place), 0);
}
END_TEST

/* printf c2327 | md5sum: 0000...; fence_scsi itself would register nothing */
START_TEST(a_derived_key_of_zero_is_refused)
{
	struct vrms_san_cluster cluster = {""};

	ck_assert_int_eq(vrms_san_nodes_parse("n1:1 n2:2", &cluster, &error), 0);
	snprintf(cluster.name, sizeof(cluster.name), "c2327");
	ck_assert_int_eq(vrms_san_keys_make(VRMS_SAN_KEYS_FENCE_SCSI, NULL, &cluster, &error),
			 -EINVAL);
	ck_assert_str_eq(error.text,
			 "n1: its derived key is 0, which is none: give another one in keys");
	ck_assert_int_eq(vrms_san_keys_make(VRMS_SAN_KEYS_FENCE_SCSI, "n1=0xa1", &cluster, &error),
			 0);
}
END_TEST

START_TEST(luns_have_portals_and_an_identifier)
{
	struct vrms_san_luns luns VRMS_CLEANUP(vrms_san_luns_done) = {NULL};
	char name[64];

	ck_assert_int_eq(
	    vrms_san_luns_parse("iscsi://me%pw@a/t/1|iscsi://b/t/1#naa.6 iscsi://a/t/2", &luns,
				&error),
	    0);
	ck_assert_uint_eq(luns.count, 2);
	ck_assert_uint_eq(luns.luns[0].path_count, 2);
	ck_assert_str_eq(luns.luns[0].paths[1], "iscsi://b/t/1");
	ck_assert_str_eq(luns.luns[0].id, "naa.6");
	ck_assert_ptr_null(luns.luns[1].id);
	ck_assert_str_eq(vrms_san_lun_name(&luns.luns[0], name, sizeof(name)), "a/t/1");
}
END_TEST

START_TEST(luns_that_are_none_are_named_by_number_only)
{
	struct vrms_san_luns luns = {NULL};

	ck_assert_int_eq(vrms_san_luns_parse("iscsi://a/t/1 me%secret@b/t/1", &luns, &error),
			 -EINVAL);
	ck_assert_str_eq(error.text,
			 "luns: number 2: is not of the form iscsi://host[:port]/target/lun");
	ck_assert_int_eq(vrms_san_luns_parse(" ", &luns, &error), -EINVAL);
	ck_assert_ptr_null(luns.text);
}
END_TEST

START_TEST(what_cannot_be_a_lun_is_refused_before_it_is_needed)
{
	static const char *const texts[] = {
	    "#naa.1",
	    "|",
	    "iscsi://a",
	    "iscsi://a/t",
	    "iscsi://a/t/",
	    "iscsi://a/t/x",
	    "iscsi://a/t/1x",
	    "iscsi:///t/1",
	    "iscsi://a//1",
	    "iscsi://user@a/t/1",
	    "iscsi://a/t/1#",
	    "iscsi://u%p@/t/1",
	    "iscsi://a/t/1#x|iscsi://b/t/1",
	};

	for (size_t i = 0; i < VRMS_COUNT_OF(texts); i++) {
		struct vrms_san_luns luns = {NULL};

		ck_assert_msg(vrms_san_luns_parse(texts[i], &luns, &error) == -EINVAL, "%s",
			      texts[i]);
		ck_assert_ptr_nonnull(strstr(error.text, "luns: number 1: "));
	}
}
END_TEST

START_TEST(a_password_with_a_slash_is_no_part_of_the_name)
{
	struct vrms_san_luns luns VRMS_CLEANUP(vrms_san_luns_done) = {NULL};
	char name[64];

	ck_assert_int_eq(vrms_san_luns_parse("iscsi://me%p/w@[::1]:3260/t/1?header_digest=crc32c",
					     &luns, &error),
			 0);
	ck_assert_str_eq(vrms_san_lun_name(&luns.luns[0], name, sizeof(name)),
			 "[::1]:3260/t/1?header_digest=crc32c");
}
END_TEST

UNIT_MAIN("san_keys", keys_are_made_of_the_clusters_name_and_the_nodes_number,
	  keys_of_fence_scsi_are_the_ones_it_makes, given_keys_come_first_and_must_differ,
	  keys_made_of_the_clusters_name_are_told_by_their_form, a_derived_key_of_zero_is_refused,
	  luns_have_portals_and_an_identifier, luns_that_are_none_are_named_by_number_only,
	  what_cannot_be_a_lun_is_refused_before_it_is_needed,
	  a_password_with_a_slash_is_no_part_of_the_name)
