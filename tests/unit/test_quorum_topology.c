/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/topology.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define DEVICES                                                               \
	"<primitive id='power' class='stonith' type='fence_ipmilan'/>"        \
	"<clone id='c'><primitive id='verdict' class='stonith' "              \
	"type='fence_vrms_verdict'/></clone>"                                 \
	"<template id='t' class='stonith' type='fence_vrms_verdict'/>"        \
	"<primitive id='made' template='t'/>"                                 \
	"<node id='1' uname='node1'><instance_attributes id='a'>"             \
	"<nvpair id='r' name='rack' value='7'/></instance_attributes></node>" \
	"<node id='2' uname='node2'/>"

static struct vrms_error error;

static int check(const char *node, const char *levels)
{
	char cib[2048];

	(void)snprintf(cib, sizeof(cib), "<xpath-query>%s%s</xpath-query>", levels, DEVICES);
	return vrms_topology_check(cib, node, "fence_vrms_verdict", &error);
}

static void says(const char *expected)
{
	ck_assert_msg(strstr(error.text, expected) != NULL, "%s", error.text);
}

START_TEST(opinion_with_a_fence_behind_it_is_asked)
{
	ck_assert_int_eq(check("node1",
			       "<fencing-level target='node1' index='1' devices='verdict,power'/>"),
			 0);
	ck_assert_int_eq(check("NODE1",
			       "<fencing-level target='node1' index='1' devices='made, power'/>"),
			 0);
}
END_TEST

START_TEST(opinion_alone_would_be_taken_for_a_fence)
{
	/* crmsh: "node1: verdict power" are two levels, "node1: verdict,power" is one. */
	ck_assert_int_eq(check("node1",
			       "<fencing-level target='node1' index='1' devices='verdict'/>"
			       "<fencing-level target='node1' index='2' devices='power'/>"),
			 -EPERM);
	says("fencing level 1 of \"node1\"");
	ck_assert_int_eq(check("node1",
			       "<fencing-level target='node1' index='2' devices='verdict,made'/>"),
			 -EPERM);
}
END_TEST

START_TEST(node_without_a_level_is_not_asked_about)
{
	ck_assert_int_eq(check("node2",
			       "<fencing-level target='node1' index='1' devices='verdict,power'/>"),
			 -ENOENT);
	says("no fencing level of \"node2\"");
	ck_assert_int_eq(check("node1",
			       "<fencing-level target='node1' index='1' devices='power'/>"),
			 -ENOENT);
	ck_assert_int_eq(check("node1", ""), -ENOENT);
}
END_TEST

START_TEST(levels_are_found_by_pattern_and_attribute)
{
	ck_assert_int_eq(
	    check("node1",
		  "<fencing-level target-pattern='^node[13]$' index='1' devices='verdict,power'/>"),
	    0);
	ck_assert_int_eq(
	    check("node2",
		  "<fencing-level target-pattern='^node[13]$' index='1' devices='verdict,power'/>"),
	    -ENOENT);
	ck_assert_int_eq(check("node1", "<fencing-level target-attribute='rack' target-value='7' "
					"index='1' devices='verdict,power'/>"),
			 0);
	ck_assert_int_eq(check("node2", "<fencing-level target-attribute='rack' target-value='7' "
					"index='1' devices='verdict,power'/>"),
			 -ENOENT);
}
END_TEST

START_TEST(wrong_level_of_any_kind_is_refused)
{
	ck_assert_int_eq(
	    check("node1", "<fencing-level target='node1' index='1' devices='verdict,power'/>"
			   "<fencing-level target-pattern='node' index='1' devices='verdict'/>"),
	    -EPERM);
}
END_TEST

START_TEST(what_is_no_xml_is_no_leave)
{
	ck_assert_int_eq(vrms_topology_check("", "node1", "fence_vrms_verdict", &error), -EBADMSG);
	ck_assert_int_eq(vrms_topology_check("<a>", "node1", "fence_vrms_verdict", &error),
			 -EBADMSG);
	ck_assert_int_eq(check("node1", "<fencing-level target-pattern='(' index='1' "
					"devices='verdict,power'/><fencing-level/>"),
			 -ENOENT);
}
END_TEST

UNIT_MAIN("quorum_topology", opinion_with_a_fence_behind_it_is_asked,
	  opinion_alone_would_be_taken_for_a_fence, node_without_a_level_is_not_asked_about,
	  levels_are_found_by_pattern_and_attribute, wrong_level_of_any_kind_is_refused,
	  what_is_no_xml_is_no_leave)
