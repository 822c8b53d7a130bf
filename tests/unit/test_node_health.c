/* node_health_core: colours with hysteresis; NodeHealth as a program with made-up /proc and /sys.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agents/node_health_core.h"
#include "common/child.h"
#include "common/file.h"
#include "common/random.h"
#include "tests/unit/unit.h"

static const struct vrms_health_limits limits = {.yellow = 10, .red = 40};
static const struct vrms_health_damping damping = {.rise = 2, .fall = 4, .clear_pct = 50};

static enum vrms_health_colour after(struct vrms_health_state *state, double value, int times)
{
	for (int i = 0; i < times; i++) {
		vrms_health_step(state, &limits, &damping, value);
	}
	return state->colour;
}

START_TEST(one_bad_sample_changes_nothing)
{
	struct vrms_health_state state = {0};

	ck_assert_int_eq(after(&state, 99, 1), VRMS_HEALTH_GREEN);
	ck_assert_int_eq(after(&state, 0, 1), VRMS_HEALTH_GREEN);
	ck_assert_int_eq(after(&state, 99, 1), VRMS_HEALTH_GREEN);
	ck_assert_int_eq(after(&state, 99, 1), VRMS_HEALTH_RED);
}
END_TEST

START_TEST(a_colour_is_reached_only_by_as_many_samples_of_it)
{
	struct vrms_health_state state = {0};

	/* yellow is 10, red 40; two samples to get worse, four to get better */
	after(&state, 15, 1);
	ck_assert_int_eq(after(&state, 99, 1), VRMS_HEALTH_YELLOW);
	ck_assert_int_eq(after(&state, 99, 1), VRMS_HEALTH_RED);
	after(&state, 15, 3);
	ck_assert_int_eq(after(&state, 0, 1), VRMS_HEALTH_YELLOW);
	ck_assert_int_eq(after(&state, 0, 2), VRMS_HEALTH_YELLOW);
	ck_assert_int_eq(after(&state, 0, 1), VRMS_HEALTH_GREEN);
}
END_TEST

START_TEST(a_limit_is_left_well_below_it_and_slowly)
{
	struct vrms_health_state state = {0};

	after(&state, 40, 2);
	ck_assert_int_eq(after(&state, 20, 100), VRMS_HEALTH_RED); /* at half of 40 */
	ck_assert_int_eq(after(&state, 19, 3), VRMS_HEALTH_RED);
	ck_assert_int_eq(after(&state, 21, 1), VRMS_HEALTH_RED); /* counted anew */
	ck_assert_int_eq(after(&state, 19, 3), VRMS_HEALTH_RED);
	ck_assert_int_eq(after(&state, 19, 1), VRMS_HEALTH_YELLOW);
	ck_assert_int_eq(after(&state, 5, 100), VRMS_HEALTH_YELLOW);
	ck_assert_int_eq(after(&state, 4.9, 4), VRMS_HEALTH_GREEN);
}
END_TEST

/* Whatever the samples: a colour lasts as long as its change takes, unless it only gets worse on the
 * way, and is never without cause. */
START_TEST(random_samples_never_flicker)
{
	struct vrms_random random;
	struct vrms_health_state state = {0};
	int since = 1000, above_red = 0, changes = 0;
	bool got_worse = false;

	vrms_random_init(&random, 3);
	for (int i = 0; i < 200000; i++) {
		double value = vrms_random_unit(&random) * 60;
		enum vrms_health_colour before = state.colour;

		above_red = value >= limits.red ? above_red + 1 : 0;
		after(&state, value, 1);
		since++;
		if (state.colour != before) {
			ck_assert((got_worse && state.colour > before) || since >= damping.rise);
			ck_assert(state.colour != VRMS_HEALTH_RED || above_red >= damping.rise);
			ck_assert(state.colour > before || since >= damping.fall);
			got_worse = state.colour > before;
			since = 0;
			changes++;
		}
		ck_assert(above_red < damping.rise || state.colour == VRMS_HEALTH_RED);
	}
	ck_assert_int_gt(changes, 100);
}
END_TEST

START_TEST(counters_count_from_the_start_and_are_forgotten)
{
	struct vrms_health_state state = {0};

	ck_assert_double_eq(vrms_health_count(&state, 1000, 0), 0);
	ck_assert_double_eq(vrms_health_count(&state, 1008, 0), 8);
	ck_assert_double_eq_tol(vrms_health_count(&state, 1008, 600000), 4, 1e-9);
	ck_assert_double_eq_tol(vrms_health_count(&state, 3, 600000), 7, 1e-9); /* was reset */
}
END_TEST

START_TEST(limits_are_two_numbers_or_off)
{
	static const char *const wrong[] = {"", "10", ":", "40:10", "a:b", "1:2:3", "0:5", "-1:2"};
	struct vrms_health_limits read;
	struct vrms_error error = {.text = ""};

	ck_assert_int_eq(vrms_health_limits_parse("1.5:-", &read, &error), 0);
	ck_assert_double_eq(read.yellow, 1.5);
	ck_assert(isinf(read.red));
	ck_assert_int_eq(vrms_health_limits_parse("off", &read, &error), 0);
	ck_assert(read.is_off);
	for (size_t i = 0; i < VRMS_COUNT_OF(wrong); i++) {
		ck_assert_msg(vrms_health_limits_parse(wrong[i], &read, &error) == -EINVAL,
			      "\"%s\" was taken", wrong[i]);
	}
	for (int i = 0; i < VRMS_HEALTH_COUNT; i++) {
		ck_assert_int_eq(vrms_health_limits_parse(vrms_health_default_limits(
							      (enum vrms_health_signal)i),
							  &read, &error),
				 0);
	}
}
END_TEST

START_TEST(sources_are_read_strictly)
{
	double value = -1;

	ck_assert_int_eq(vrms_health_psi_parse("some avg10=9.00 avg60=1.00 avg300=0 total=5\n"
					       "full avg10=7.25 avg60=0.00 avg300=0.00 total=1\n",
					       &value),
			 0);
	ck_assert_double_eq(value, 7.25);
	ck_assert_int_eq(vrms_health_psi_parse("some avg10=9.00\n", &value), -EPROTO);
	ck_assert_int_eq(
	    vrms_health_interrupts_parse("     CPU0 CPU1\n  0:  1 2 IO\nMCE:  3   4   Machine "
					 "check exceptions\nMCP: 9 9 polls\n",
					 "MCE", &value),
	    0);
	ck_assert_double_eq(value, 7);
	ck_assert_int_eq(vrms_health_interrupts_parse("XMCE: 1\n", "MCE", &value), -EPROTO);
	ck_assert_int_eq(vrms_health_meminfo_parse("MemTotal: 10240 kB\nMemAvailable:  2048 kB\n",
						   "MemAvailable", &value),
			 0);
	ck_assert_double_eq(value, 2);
}
END_TEST

/* --- As a program ---------------------------------------------------------------------------- */

static char root[64];
static struct vrms_child_result result;

static void put(const char *name, const char *text, mode_t mode)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	ck_assert_int_eq(vrms_file_write(path, text, strlen(text), mode, NULL), 0);
}

static void set(const char *name, const char *value)
{
	ck_assert_int_eq(setenv(name, value, 1), 0);
}

static void be_at_pressure(const char *percent)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "some avg10=0.00\nfull avg10=%s avg60=0.00\n", percent);
	put("proc/pressure/memory", text, 0600);
}

static void begin(void)
{
	static const char *const folders[] = {"proc/pressure", "sys/devices/system/edac/mc/mc0",
					      "sys/devices/system/cpu"};
	char text[256];

	strcpy(root, "/tmp/vrms-health-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	for (size_t i = 0; i < VRMS_COUNT_OF(folders); i++) {
		(void)snprintf(text, sizeof(text), "%s/%s", root, folders[i]);
		ck_assert_int_eq(vrms_file_mkdir_all(text, 0700, NULL), 0);
	}
	for (size_t i = 0; i < 2; i++) {
		put(i == 0 ? "attrd_updater" : "crm_attribute",
		    "#!/bin/sh\necho \"$*\" >>$ROOT/calls\n", 0700);
	}
	be_at_pressure("0.00");
	put("sys/devices/system/edac/mc/mc0/ue_count", "5\n", 0600);
	put("sys/devices/system/cpu/online", "0-3,6\n", 0600);
	put("proc/meminfo", "MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\n", 0600);
	set("ROOT", root);
	(void)snprintf(text, sizeof(text), "%s:/usr/bin:/bin", root);
	set("PATH", text);
	(void)snprintf(text, sizeof(text), "%s/proc", root);
	set("OCF_RESKEY_proc_root", text);
	(void)snprintf(text, sizeof(text), "%s/sys", root);
	set("OCF_RESKEY_sys_root", text);
	set("OCF_RESKEY_libvirtd", "off");
	set("OCF_RESKEY_fall", "2");
	set("HA_RSCTMP", root);
	set("PCMK_logfile", "none");
	set("PCMK_logfacility", "none");
	set("OCF_RESOURCE_INSTANCE", "health");
	set("OCF_RESKEY_CRM_meta_interval", "10000");
	set("OCF_RESKEY_CRM_meta_timeout", "20000");
	set("OCF_RESKEY_CRM_meta_on_node", "node1");
}

static void end(void)
{
	char command[128];

	vrms_child_result_done(&result);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
	ck_assert_int_eq(system(command), 0);
}

static int agent(const char *action)
{
	const char *const argv[] = {AGENT, action, NULL};
	const struct vrms_child_spec spec = {.argv = argv, .timeout_ms = 30000};

	vrms_child_result_done(&result);
	ck_assert_int_eq(vrms_child_run(&spec, &result, NULL), 0);
	return result.exit_code;
}

/* What Pacemaker was told since the last time. */
static void expect_told(const char *part)
{
	char path[160];
	char *calls VRMS_CLEANUP(vrms_freep) = NULL;

	(void)snprintf(path, sizeof(path), "%s/calls", root);
	int rc = vrms_file_read(path, 65536, &calls, NULL, NULL);
	if (part == NULL) {
		ck_assert_msg(rc < 0, "told: %s", calls);
		return;
	}
	ck_assert_int_eq(rc, 0);
	ck_assert_msg(strstr(calls, part) != NULL, "no \"%s\" in \"%s\"", part, calls);
	ck_assert_int_eq(unlink(path), 0);
}

START_TEST(pressure_that_lasts_turns_the_node_red_and_back)
{
	begin();
	ck_assert_int_eq(agent("monitor"), 7);
	ck_assert_int_eq(agent("start"), 0);
	expect_told("--name #health-vrms-memory-pressure --update green\n");
	be_at_pressure("55.00");
	ck_assert_int_eq(agent("monitor"), 0);
	expect_told(NULL);
	ck_assert_int_eq(agent("monitor"), 0);
	expect_told("--name #health-vrms-memory-pressure --update red\n");
	be_at_pressure("1.00");
	ck_assert_int_eq(agent("monitor"), 0);
	expect_told(NULL);
	ck_assert_int_eq(agent("monitor"), 0);
	expect_told("--name #health-vrms-memory-pressure --update green\n");
	ck_assert_int_eq(agent("stop"), 0);
	expect_told("--name #health-vrms-memory-pressure --delete\n");
	ck_assert_int_eq(agent("monitor"), 7);
	ck_assert_int_eq(agent("stop"), 0);
	end();
}
END_TEST

START_TEST(old_errors_do_not_count_new_ones_do)
{
	begin();
	set("OCF_RESKEY_rise", "1");
	ck_assert_int_eq(agent("start"), 0);
	expect_told("--name #health-vrms-edac-uncorrected --update green\n");
	ck_assert_int_eq(agent("monitor"), 0);
	put("sys/devices/system/edac/mc/mc0/ue_count", "6\n", 0600);
	ck_assert_int_eq(agent("monitor"), 0);
	expect_told("--name #health-vrms-edac-uncorrected --update red\n");
	end();
}
END_TEST

START_TEST(a_signal_that_is_switched_off_is_withdrawn)
{
	begin();
	ck_assert_int_eq(agent("start"), 0);
	expect_told("memory-pressure");
	set("OCF_RESKEY_memory_pressure", "off");
	ck_assert_int_eq(agent("reload-agent"), 0);
	expect_told("--name #health-vrms-memory-pressure --delete\n");
	set("OCF_RESKEY_memory_pressure", "40:10");
	ck_assert_int_eq(agent("monitor"), 6);
	end();
}
END_TEST

START_TEST(memory_for_failover_and_capacity_are_published)
{
	begin();
	set("OCF_RESKEY_rise", "1");
	set("OCF_RESKEY_failover_need", "8192");
	set("OCF_RESKEY_set_utilization", "yes");
	ck_assert_int_eq(agent("start"), 0);
	expect_told("--name #health-vrms-failover-memory --update yellow\n");
	ck_assert_int_eq(unsetenv("OCF_RESKEY_failover_need"), 0);
	set("OCF_RESKEY_host_reserve", "192");
	ck_assert_int_eq(agent("monitor"), 0);
	expect_told("--name hv_memory --utilization --node node1 --update 8000\n");
	set("OCF_RESKEY_failover_need", "8192");
	ck_assert_int_eq(agent("monitor"), 0);
	set("OCF_RESKEY_failover_need", "0");
	ck_assert_int_eq(agent("monitor"), 0);
	expect_told("--name #health-vrms-failover-memory --delete\n");
	end();
}
END_TEST

START_TEST(a_san_that_cannot_be_read_is_red)
{
	begin();
	set("OCF_RESKEY_rise", "1");
	set("OCF_RESKEY_san_device", root); /* a folder: opens, but does not read */
	ck_assert_int_eq(agent("start"), 0);
	expect_told("--name #health-vrms-san-latency --update red\n");
	end();
	begin();
	put("empty", "", 0600);
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/empty", root);
	set("OCF_RESKEY_san_device", path);
	ck_assert_int_eq(agent("start"), 0);
	expect_told("--name #health-vrms-san-latency --update red\n");
	end();
}
END_TEST

UNIT_MAIN("node_health", one_bad_sample_changes_nothing,
	  a_colour_is_reached_only_by_as_many_samples_of_it,
	  a_limit_is_left_well_below_it_and_slowly, random_samples_never_flicker,
	  counters_count_from_the_start_and_are_forgotten, limits_are_two_numbers_or_off,
	  sources_are_read_strictly, pressure_that_lasts_turns_the_node_red_and_back,
	  old_errors_do_not_count_new_ones_do, a_signal_that_is_switched_off_is_withdrawn,
	  memory_for_failover_and_capacity_are_published, a_san_that_cannot_be_read_is_red)
