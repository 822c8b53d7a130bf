/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "backup/policy.h"
#include "tests/unit/unit.h"

static const char whole[] = "# comment\n"
			    "repository = /srv/backup\n"
			    "key_file=/etc/vrms/key\n"
			    "prune = daily\n"
			    "verify = Sat 03:00\n"
			    "verify_budget = 10G\n"
			    "\n"
			    "[default]\n"
			    "full = Sun 01:00\n"
			    "incremental = Mon..Sat 01:00\n"
			    "window = 22:00-06:00\n"
			    "keep_daily = 7\n"
			    "alarm_age = 26h\n"
			    "[vm web1 web2]\n"
			    "incremental = 06:00\n"
			    "incremental = 18:00\r\n"
			    "exclude = vdb vdc\n"
			    "consistency = crash\n"
			    "self_contained = 4\n"
			    "[ vm scratch ]\n"
			    "backup = no\n"
			    "[vm *]\n"
			    "rate = 50M\n"
			    "window = 00:00-24:00";

static struct vrms_policies *parsed(const char *text)
{
	struct vrms_policies *policies = NULL;
	struct vrms_error error = {0};

	ck_assert_msg(vrms_policies_parse(text, "f", &policies, &error) == 0, "%s", error.text);
	return policies;
}

START_TEST(a_whole_file_is_read)
{
	struct vrms_policies *policies VRMS_CLEANUP(vrms_policies_freep) = parsed(whole);
	const struct vrms_policy *web2 = vrms_policies_find(policies, "web2");

	ck_assert_str_eq(policies->repository, "/srv/backup");
	ck_assert_str_eq(policies->key_file, "/etc/vrms/key");
	ck_assert_uint_eq(policies->prune.count, 1);
	ck_assert_int_eq(policies->verify_bytes, 10LL << 30);
	ck_assert_uint_eq(policies->count, 4);
	ck_assert_uint_eq(web2->line, 14);
	ck_assert_uint_eq(web2->times[VRMS_POLICY_INCREMENTAL].count, 2);
	ck_assert_str_eq(web2->times[VRMS_POLICY_INCREMENTAL].texts[1], "18:00");
	ck_assert(vrms_policy_excludes(web2, "vdb") && vrms_policy_excludes(web2, "vdc"));
	ck_assert(!vrms_policy_excludes(web2, "vd") && !vrms_policy_excludes(web2, "vdbb"));
	ck_assert_int_eq(web2->consistency, VRMS_POLICY_CRASH);
	ck_assert_int_eq(web2->self_contained_every, 4);
}
END_TEST

START_TEST(a_vm_has_the_defaults_that_it_does_not_replace)
{
	struct vrms_policies *policies VRMS_CLEANUP(vrms_policies_freep) = parsed(whole);
	const struct vrms_policy *web1 = vrms_policies_find(policies, "web1");
	const struct vrms_policy *other = vrms_policies_find(policies, "other");

	ck_assert_str_eq(web1->times[VRMS_POLICY_FULL].texts[0], "Sun 01:00");
	ck_assert_int_eq(web1->keep[VRMS_KEEP_DAILY], 7);
	ck_assert_int_eq(web1->age_ms, 26LL * 3600 * 1000);
	ck_assert_int_eq(web1->window.from_s, 22 * 3600);
	ck_assert_str_eq(other->vm, "*");
	ck_assert_int_eq(other->consistency, VRMS_POLICY_BEST);
	ck_assert_uint_eq(other->rate_bytes, 50 << 20);
	ck_assert_int_eq(other->window.to_s, 24 * 3600);
	ck_assert_uint_eq(other->times[VRMS_POLICY_INCREMENTAL].count, 1);
}
END_TEST

START_TEST(a_vm_can_be_left_out)
{
	struct vrms_policies *policies VRMS_CLEANUP(vrms_policies_freep) = parsed(whole);

	ck_assert_ptr_null(vrms_policies_find(policies, "scratch"));
}
END_TEST

START_TEST(windows_go_over_midnight)
{
	struct vrms_policy_window night = {22 * 3600, 6 * 3600}, noon = {3600, 7200}, all = {0, 0};

	ck_assert(vrms_policy_window_has(&night, 23 * 3600));
	ck_assert(vrms_policy_window_has(&night, 86400 + 6 * 3600 - 1));
	ck_assert(!vrms_policy_window_has(&night, 6 * 3600));
	ck_assert(!vrms_policy_window_has(&noon, 7200));
	ck_assert(vrms_policy_window_has(&noon, 3600));
	ck_assert(vrms_policy_window_has(&all, 5));
}
END_TEST

static const struct {
	const char *text;
	int rc;
	const char *words;
} wrong[] = {
    {"[vm a]\nfull = daily\n[vm b]\nfull = daily\n[vm c a]\n", -EEXIST,
     "f:5: VM 'a' has a policy in line 1 already"},
    {"[vm a a]\n", -EEXIST, "f:1: VM 'a' has a policy in line 1 already"},
    {"[vm *]\nfull=daily\n[vm *]\n", -EEXIST, "f:3: VM '*' has a policy in line 1 already"},
    {"[default]\n[default]\n", -EEXIST, "f:2: [default] begins in line 1 already"},
    {"\n\nnonsense\n", -EINVAL, "f:3: \"nonsense\" is not NAME = VALUE"},
    {"colour = red\n", -EINVAL, "f:1: no setting 'colour'"},
    {"full = daily\n", -EINVAL, "f:1: the setting 'full' belongs into [default] or [vm NAME]"},
    {"[vm a]\nrepository = /x\n", -EINVAL,
     "f:2: the setting 'repository' belongs before the first section"},
    {"[vm a]\nfull = often\n", -EINVAL, "f:2: full: calendar expression \"often\""},
    {"[vm a]\nrate = fast\n", -EINVAL, "f:2: rate: "},
    {"[vm a]\nwindow = 22-6\n", -EINVAL, "f:2: window: \"22-6\" is not HH:MM-HH:MM"},
    {"[vm a]\nwindow = 22:00-25:00\n", -ERANGE, "f:2: window: \"22:00-25:00\" is beyond a day"},
    {"[vm a]\nwindow = 22:60-23:00\n", -ERANGE, "f:2: window: "},
    {"[vm a]\nconsistency = good\n", -EINVAL, "f:2: consistency: \"good\" is none of"},
    {"[vm a]\nkeep_last = -1\n", -ERANGE, "f:2: keep_last: "},
    {"[vm a]\nrate = 1M\nrate = 2M\n", -EEXIST, "f:3: rate is set twice here"},
    {"repository =\n", -EINVAL, "f:1: repository: no value"},
    {"[vm a\n", -EINVAL, "f:1: no ] at the end"},
    {"[vm]\n", -EINVAL, "f:1: [vm] names no VM"},
    {"[vm web*]\n", -EINVAL, "f:1: 'web*' is not a VM's name (or * for all others)"},
    {"[disk a]\n", -EINVAL, "f:1: [disk] is neither [default] nor [vm NAME...]"},
    {"[vm a]\nrate = 1M\n", -EINVAL, "f:1: VM 'a' has no full, differential or incremental"},
    {"[vm a]\nfull=1:00\nfull=2:00\nfull=3:00\nfull=4:00\nfull=5:00\nfull=6:00\nfull=7:00\n",
     -E2BIG, "f:8: full: more than 6 times"},
};

START_TEST(what_is_wrong_is_named_with_its_line)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(wrong); i++) {
		struct vrms_policies *policies = NULL;
		struct vrms_error error = {0};

		ck_assert_int_eq(vrms_policies_parse(wrong[i].text, "f", &policies, &error),
				 wrong[i].rc);
		ck_assert_msg(strncmp(error.text, wrong[i].words, strlen(wrong[i].words)) == 0,
			      "\"%s\": %s", wrong[i].text, error.text);
		ck_assert_ptr_null(policies);
	}
}
END_TEST

UNIT_MAIN("backup_policy", a_whole_file_is_read, a_vm_has_the_defaults_that_it_does_not_replace,
	  a_vm_can_be_left_out, windows_go_over_midnight, what_is_wrong_is_named_with_its_line)
