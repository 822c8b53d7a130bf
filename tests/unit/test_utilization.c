/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/utilization.h"

#include <errno.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agents/utilization_diff.h"
#include "agents/vm_cache.h"
#include "tests/unit/unit.h"

static const struct vrms_utilization two_cpus = {
    .resource = "vm1",
    .items = {[VRMS_UTILIZATION_CPU] = {VRMS_UTILIZATION_SET, 2},
	      [VRMS_UTILIZATION_HOST_MEMORY] = {VRMS_UTILIZATION_SET, 512},
	      [VRMS_UTILIZATION_HV_MEMORY] = {VRMS_UTILIZATION_UNSET, 0}},
};

/* Compares with this XML and returns the changes as text: "update|removal|...". */
static const char *changes(const struct vrms_utilization *wanted, const char *xml)
{
	static char text[2048];
	struct vrms_utilization_diff diff;
	xmlDoc *doc = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, 0);
	xmlBuffer *buffer = xmlBufferCreate();

	ck_assert_ptr_nonnull(doc);
	int rc = vrms_utilization_compare(wanted, xmlDocGetRootElement(doc), &diff, NULL);
	if (rc == 0) {
		if (diff.update != NULL) {
			(void)xmlNodeDump(buffer, NULL, diff.update, 0, 0);
		}
		for (int i = 0; i < VRMS_UTILIZATION_COUNT; i++) {
			if (diff.removals[i] != NULL) {
				(void)xmlBufferAdd(buffer, BAD_CAST "|", 1);
				(void)xmlNodeDump(buffer, NULL, diff.removals[i], 0, 0);
			}
		}
		ck_assert_int_eq(vrms_utilization_diff_is_empty(&diff),
				 xmlBufferLength(buffer) == 0);
		(void)snprintf(text, sizeof(text), "%s", (const char *)xmlBufferContent(buffer));
		vrms_utilization_diff_done(&diff);
	} else {
		(void)snprintf(text, sizeof(text), "%d", rc);
	}
	xmlBufferFree(buffer);
	xmlFreeDoc(doc);
	return text;
}

START_TEST(nothing_changes_when_all_is_so)
{
	ck_assert_str_eq(changes(&two_cpus, "<primitive id='vm1'><meta_attributes id='m'/>"
					    "<utilization id='u'>"
					    "<nvpair id='a' name='cpu' value='2'/>"
					    "<nvpair id='b' name='host_memory' value='512'/>"
					    "</utilization></primitive>"),
			 "");
}
END_TEST

START_TEST(a_new_set_is_made_when_there_is_none)
{
	ck_assert_str_eq(
	    changes(&two_cpus, "<primitive id='vm1'><instance_attributes id='i'>"
			       "<nvpair id='x' name='cpu' value='9'/>"
			       "</instance_attributes></primitive>"),
	    "<primitive id=\"vm1\"><utilization id=\"vm1-utilization\">"
	    "<nvpair id=\"vm1-utilization-cpu\" name=\"cpu\" value=\"2\"/>"
	    "<nvpair id=\"vm1-utilization-host_memory\" name=\"host_memory\" value=\"512\"/>"
	    "</utilization></primitive>");
}
END_TEST

START_TEST(what_is_there_is_changed_in_its_place)
{
	ck_assert_str_eq(
	    changes(&two_cpus,
		    "<primitive id='vm1'>"
		    "<utilization id='u'><nvpair id='a' name='disk' value='1'/></utilization>"
		    "<utilization id='w'><nvpair id='b' name='cpu' value='1'/></utilization>"
		    "</primitive>"),
	    "<primitive id=\"vm1\">"
	    "<utilization id=\"w\"><nvpair id=\"b\" name=\"cpu\" value=\"2\"/></utilization>"
	    "<utilization id=\"u\"><nvpair id=\"vm1-utilization-host_memory\" "
	    "name=\"host_memory\" value=\"512\"/></utilization></primitive>");
}
END_TEST

START_TEST(what_is_not_wished_is_removed_or_left)
{
	struct vrms_utilization wanted = two_cpus;

	wanted.items[VRMS_UTILIZATION_CPU].wish = VRMS_UTILIZATION_LEAVE;
	wanted.items[VRMS_UTILIZATION_HOST_MEMORY].wish = VRMS_UTILIZATION_UNSET;
	ck_assert_str_eq(changes(&wanted, "<primitive id='vm1'><utilization id='u'>"
					  "<nvpair id='a' name='cpu' value='7'/>"
					  "<nvpair id='b' name='host_memory' value='1'/>"
					  "<nvpair id='c' name='hv_memory' value='1'/>"
					  "</utilization></primitive>"),
			 "|<nvpair id=\"b\"/>|<nvpair id=\"c\"/>");
}
END_TEST

START_TEST(another_element_is_refused)
{
	char expected[16];

	(void)snprintf(expected, sizeof(expected), "%d", -EBADMSG);
	ck_assert_str_eq(changes(&two_cpus, "<primitive id='vm2'/>"), expected);
	ck_assert_str_eq(changes(&two_cpus, "<group id='vm1'/>"), expected);
	ck_assert_str_eq(changes(&two_cpus, "<primitive id='vm1'><utilization/></primitive>"),
			 expected);
}
END_TEST

START_TEST(words_go_there_and_back)
{
	struct vrms_utilization read = {.resource = "vm1"};

	for (int i = 0; i < VRMS_UTILIZATION_COUNT; i++) {
		char word[VRMS_UTILIZATION_WORD_BYTES];
		vrms_utilization_word(&two_cpus, (enum vrms_utilization_what)i, word);
		ck_assert_int_eq(vrms_utilization_parse_word(word, &read, NULL), 0);
		ck_assert_int_eq(read.items[i].wish, two_cpus.items[i].wish);
		ck_assert_uint_eq(read.items[i].value, two_cpus.items[i].value);
	}
	static const char *const wrong[] = {"", "cpu", "cpus=1", "cpu=x", "cpu=-1", "disk=1"};
	for (size_t i = 0; i < VRMS_COUNT_OF(wrong); i++) {
		ck_assert_int_lt(vrms_utilization_parse_word(wrong[i], &read, NULL), 0);
	}
}
END_TEST

START_TEST(it_is_due_until_recorded_and_again_when_the_wish_or_the_time_has_changed)
{
	char folder[] = "/tmp/vrms-util-XXXXXX";
	char path[128];
	struct stat attributes;
	struct vrms_utilization wanted = two_cpus;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(setenv("HA_RSCTMP", folder, 1), 0);
	ck_assert(vrms_utilization_is_due(&wanted, (int64_t)time(NULL)));
	ck_assert_int_eq(vrms_utilization_record(&wanted, NULL), 0);
	ck_assert_int_eq(vrms_vm_cache_path(NULL, "vm1", "utilization", path, sizeof(path)), 0);
	ck_assert_int_eq(stat(path, &attributes), 0);
	/* By the file's clock: time(2) may be a tick behind it, in the second before. */
	int64_t now_s = attributes.st_mtim.tv_sec;
	ck_assert(!vrms_utilization_is_due(&wanted, now_s));
	ck_assert(vrms_utilization_is_due(&wanted, now_s + VRMS_VM_CACHE_AGE_MAX_S + 10));
	ck_assert(vrms_utilization_is_due(&wanted, now_s - 100));
	wanted.items[VRMS_UTILIZATION_CPU].value = 4;
	ck_assert(vrms_utilization_is_due(&wanted, now_s));
	wanted.items[VRMS_UTILIZATION_CPU].wish = VRMS_UTILIZATION_LEAVE;
	ck_assert(vrms_utilization_is_due(&wanted, now_s));
	wanted.items[VRMS_UTILIZATION_HOST_MEMORY].wish = VRMS_UTILIZATION_LEAVE;
	wanted.items[VRMS_UTILIZATION_HV_MEMORY].wish = VRMS_UTILIZATION_LEAVE;
	ck_assert(!vrms_utilization_is_due(&wanted, now_s));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

UNIT_MAIN("utilization", nothing_changes_when_all_is_so, a_new_set_is_made_when_there_is_none,
	  what_is_there_is_changed_in_its_place, what_is_not_wished_is_removed_or_left,
	  another_element_is_refused, words_go_there_and_back,
	  it_is_due_until_recorded_and_again_when_the_wish_or_the_time_has_changed)
