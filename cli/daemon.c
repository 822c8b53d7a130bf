/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vrms status, tune, announce: questions to vrmsd. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <jansson.h>
#include <string.h>

#include "cli/command.h"
#include "common/parse.h"
#include "quorum/ipc.h"

static int take_json_flag(int argc, char **argv, bool *ret_json)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
						{NULL, 0, NULL, 0}};

	*ret_json = false;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option != 'j') {
			vrms_command_usage(argv[0]);
			return -EINVAL;
		}
		*ret_json = true;
	}
	return 0;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static double real_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static void print_tuning(const json_t *tuning)
{
	const json_t *measured = json_object_get(tuning, "measured");
	const char *name;
	json_t *source;

	printf("token      %" JSON_INTEGER_FORMAT " ms in force: %s\n",
	       number_of(tuning, "token_ms"), text_of(tuning, "reason"));
	printf("           %" JSON_INTEGER_FORMAT " ms configured; tuning %s here\n",
	       number_of(tuning, "configured_ms"),
	       json_is_true(json_object_get(tuning, "on")) ? "on" : "off");
	printf("need       %" JSON_INTEGER_FORMAT " ms: %s\n", number_of(tuning, "need_ms"),
	       text_of(tuning, "need_reason"));
	if (real_of(tuning, "predicted_losses_per_year") >= 0) {
		printf("predicted  %.2g false losses a year (%.2g allowed%s), %.2g disturbances a "
		       "year\n",
		       real_of(tuning, "predicted_losses_per_year"),
		       real_of(tuning, "allowed_losses_per_year"),
		       json_is_true(json_object_get(tuning, "guarded")) ? ", second opinion" : "",
		       real_of(tuning, "predicted_disturbances_per_year"));
	}
	printf("observed   %" JSON_INTEGER_FORMAT " false losses, %" JSON_INTEGER_FORMAT
	       " disturbances in %.1f h (expected %.2g and %.2g)\n",
	       number_of(tuning, "false_losses"), number_of(tuning, "disturbances"),
	       (double)number_of(tuning, "watched_ms") / 3600e3, real_of(tuning, "expected_losses"),
	       real_of(tuning, "expected_disturbances"));
	json_object_foreach((json_t *)measured, name, source)
	{
		printf("measured   %-10s median %.2f ms, 99 %% %.2f ms, day's longest %.1f ms\n",
		       name, (double)number_of(source, "p50_us") / 1000,
		       (double)number_of(source, "p99_us") / 1000,
		       (double)number_of(source, "day_max_us") / 1000);
	}
}

static void print_members(const json_t *members)
{
	size_t i;
	json_t *row;

	json_array_foreach((json_t *)members, i, row)
	{
		if (json_object_get(row, "need_ms") == NULL) {
			printf("member     %-12s runs no vrmsd\n", text_of(row, "name"));
			continue;
		}
		printf("member     %-12s token %" JSON_INTEGER_FORMAT
		       " ms, needs %" JSON_INTEGER_FORMAT " ms: %s\n",
		       text_of(row, "name"), number_of(row, "token_ms"), number_of(row, "need_ms"),
		       text_of(row, "reason"));
	}
}

static void print_beats(const json_t *beats)
{
	size_t i;
	json_t *row;

	if (beats == NULL) {
		printf("beats      none: no beat_device is set\n");
		return;
	}
	if (!json_is_true(json_object_get(beats, "open")) ||
	    json_is_true(json_object_get(beats, "late"))) {
		printf("beats      the area does not answer%s%s\n",
		       text_of(beats, "text")[0] == '\0' ? "" : ": ", text_of(beats, "text"));
	}
	if (json_is_true(json_object_get(beats, "contested"))) {
		printf("beats      another daemon beats under this node's id\n");
	}
	json_array_foreach(json_object_get(beats, "slots"), i, row)
	{
		printf("beat       %-12s %s, %" JSON_INTEGER_FORMAT
		       " ms old, last write %.1f ms, slowest %.1f ms\n",
		       text_of(row, "name"), text_of(row, "state"), number_of(row, "age_ms"),
		       (double)number_of(row, "write_us") / 1000,
		       (double)number_of(row, "slowest_us") / 1000);
	}
}

/* "5 ms", "5.0 s", "5 min", "5.0 h", "5.0 d" */
static void print_age(json_int_t ms)
{
	static const struct {
		json_int_t below_ms;
		double unit_ms;
		int digits;
		const char *name;
	} units[] = {
	    {1000, 1, 0, "ms"},          {120000, 1e3, 1, "s"},        {7200000, 60e3, 0, "min"},
	    {172800000, 3600e3, 1, "h"}, {INT64_MAX, 86400e3, 1, "d"},
	};
	size_t at = 0;

	while (ms >= units[at].below_ms) {
		at++;
	}
	printf("%.*f %s", units[at].digits, (double)ms / units[at].unit_ms, units[at].name);
}

/* Not those that only once were here. */
static bool is_here(const json_t *row)
{
	return json_is_true(json_object_get(row, "managed")) ||
	       strcmp(text_of(row, "state"), "not running") != 0;
}

static void print_machine(const json_t *row)
{
	json_int_t limited_ms = number_of(row, "limited_ms");

	printf("vm         %-12s %s for ", text_of(row, "vm"), text_of(row, "state"));
	print_age(number_of(row, "age_ms"));
	if (strcmp(text_of(row, "state"), "running") != 0) {
		printf(": %s", text_of(row, "text"));
	}
	printf("; %s\n", json_is_true(json_object_get(row, "managed")) ? text_of(row, "resource")
								       : "not the cluster's here");
	if (limited_ms > 0) {
		printf("           %-12s has failed too often: left to its monitor for another ",
		       "");
		print_age(limited_ms);
		putchar('\n');
	}
}

static void print_machines(const json_t *machines)
{
	size_t i;
	json_t *row;

	if (machines == NULL) {
		printf("machines   not watched\n");
		return;
	}
	printf("machines   libvirt %s, Pacemaker %s\n",
	       json_is_true(json_object_get(machines, "libvirt")) ? "connected" : "does not answer",
	       json_is_true(json_object_get(machines, "pacemaker")) ? "connected"
								    : "does not answer");
	json_array_foreach(json_object_get(machines, "vms"), i, row)
	{
		if (is_here(row)) {
			print_machine(row);
		}
	}
}

static json_t *ask(const char *command, json_t *request)
{
	struct vrms_error error;
	json_t *reply = NULL;

	if (vrms_ipc_ask(request, &reply, &error) < 0) {
		vrms_command_fail(command, &error);
		return NULL;
	}
	return reply;
}

static void print_status(const json_t *reply)
{
	printf("node       %s, %s, %s\n", text_of(reply, "node"),
	       json_is_true(json_object_get(reply, "attached")) ? "in the cluster"
								: "not connected to corosync",
	       json_is_true(json_object_get(reply, "quorate")) ? "with quorum" : "without quorum");
	if (!json_is_true(json_object_get(reply, "attached"))) {
		print_machines(json_object_get(reply, "machines"));
		return;
	}
	printf("membership ring %" JSON_INTEGER_FORMAT ", %zu members, formed ",
	       number_of(reply, "ring"), json_array_size(json_object_get(reply, "members")));
	print_age(number_of(reply, "ring_age_ms"));
	printf(" ago\n");
	print_tuning(json_object_get(reply, "tuning"));
	print_members(json_object_get(reply, "members"));
	print_beats(json_object_get(reply, "beats"));
	print_machines(json_object_get(reply, "machines"));
}

int vrms_command_status(int argc, char **argv)
{
	bool as_json;

	if (take_json_flag(argc, argv, &as_json) < 0) {
		return VRMS_EXIT_ERROR;
	}
	json_t *reply = ask(argv[0], json_pack("{s:s}", "command", "status"));

	if (reply == NULL) {
		return VRMS_EXIT_ERROR;
	}
	if (as_json) {
		json_dumpf(reply, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		print_status(reply);
	}
	bool is_quorate = json_is_true(json_object_get(reply, "quorate"));

	json_decref(reply);
	return is_quorate ? VRMS_EXIT_OK : VRMS_EXIT_NOT_SO;
}

int vrms_command_tune(int argc, char **argv)
{
	const char *word = argc == 2 ? argv[1] : "";
	bool is_on = strcmp(word, "on") == 0;
	json_t *request = NULL;

	if (is_on || strcmp(word, "off") == 0) {
		request = json_pack("{s:s, s:b}", "command", "tune", "on", is_on);
	} else if (strcmp(word, "status") == 0) {
		request = json_pack("{s:s}", "command", "status");
	} else {
		vrms_command_usage(argv[0]);
		return VRMS_EXIT_ERROR;
	}
	json_t *reply = ask(argv[0], request);

	if (reply == NULL) {
		return VRMS_EXIT_ERROR;
	}
	const json_t *tuning = json_object_get(reply, "tuning");

	if (tuning != NULL) {
		print_tuning(tuning);
	} else {
		printf("tuning is %s on this node\n", is_on ? "on" : "off");
	}
	json_decref(reply);
	return VRMS_EXIT_OK;
}

int vrms_command_announce(int argc, char **argv)
{
	struct vrms_error error;
	int64_t for_ms;

	if (argc != 3) {
		vrms_command_usage(argv[0]);
		return VRMS_EXIT_ERROR;
	}
	if (vrms_duration_parse(argv[1], &for_ms, &error) < 0) {
		return vrms_command_fail(argv[0], &error);
	}
	json_t *reply = ask(argv[0], json_pack("{s:s, s:I, s:s}", "command", "announce", "for_ms",
					       (json_int_t)for_ms, "what", argv[2]));

	if (reply == NULL) {
		return VRMS_EXIT_ERROR;
	}
	printf("this node needs a token of %" JSON_INTEGER_FORMAT " ms now\n",
	       number_of(reply, "need_ms"));
	json_decref(reply);
	return VRMS_EXIT_OK;
}
