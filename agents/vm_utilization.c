/* vm_utilization.c - the last step of a start or monitor: puts a guest's size into the CIB.
 *
 * A program of its own so that only the calls that need it pay for Pacemaker's libraries
 * (see utilization.h).  It ends with the exit code that the agent has already decided on: a CIB
 * that cannot be reached is no reason to call a guest failed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <crm/cib.h>
#include <crm/common/xml.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "agents/utilization.h"
#include "agents/utilization_diff.h"
#include "common/log.h"
#include "common/parse.h"
#include "ocf/exit.h"

static const char PROGRAM[] = "vm-utilization";

/* The CIB answers in milliseconds; during an election not at all. */
enum { TIMEOUT_MS_MAX = 5000 };

struct options {
	struct vrms_utilization wanted;
	int64_t exit_code;
	int64_t timeout_ms;
};

/* For the signals' handler only. */
static volatile sig_atomic_t decided_exit_code;

static void leave(int signal)
{
	static const char late[] = "vm-utilization: no answer from the CIB in time\n";
	static const char crashed[] = "vm-utilization: crashed; the utilization is not updated\n";

	if (signal == SIGALRM) {
		(void)!write(STDERR_FILENO, late, sizeof(late) - 1);
	} else {
		(void)!write(STDERR_FILENO, crashed, sizeof(crashed) - 1);
	}
	_exit(decided_exit_code);
}

/* The guest's state is decided.  Neither a silent CIB nor a fault in the libraries that speak to it
 * may make a failure of it: Pacemaker would move the guest. */
static void keep_exit_code(int64_t exit_code)
{
	static const int signals[] = {SIGALRM, SIGABRT, SIGSEGV, SIGBUS, SIGPIPE};
	struct sigaction action = {.sa_handler = leave};

	decided_exit_code = (sig_atomic_t)exit_code;
	for (size_t i = 0; i < VRMS_COUNT_OF(signals); i++) {
		(void)sigaction(signals[i], &action, NULL);
	}
}

/* Half of what is left: the exit code must still reach Pacemaker in time. */
static void limit_time(const struct options *options)
{
	int64_t ms = options->timeout_ms / 2;
	struct itimerval timer = {{0}};

	ms = ms > TIMEOUT_MS_MAX ? TIMEOUT_MS_MAX : ms;
	ms = ms < 1 ? 1 : ms;
	timer.it_value.tv_sec = ms / 1000;
	timer.it_value.tv_usec = ms % 1000 * 1000;
	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

static int parse_options(int argc, char **argv, struct options *options, struct vrms_error *error)
{
	static const struct option longs[] = {{"resource", required_argument, NULL, 'r'},
					      {"exit", required_argument, NULL, 'x'},
					      {"timeout", required_argument, NULL, 't'},
					      {NULL, 0, NULL, 0}};
	int rc = 0;

	for (int c; rc == 0 && (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
		switch (c) {
		case 'r':
			options->wanted.resource = optarg;
			break;
		case 'x':
			rc = vrms_int_parse(optarg, 0, 255, &options->exit_code, error);
			break;
		case 't':
			rc = vrms_int_parse(optarg, 0, INT64_MAX, &options->timeout_ms, error);
			break;
		default:
			rc = vrms_error_set(error, -EINVAL, "not an option of this program");
		}
	}
	for (int i = optind; i < argc && rc == 0; i++) {
		rc = vrms_utilization_parse_word(argv[i], &options->wanted, error);
	}
	if (rc == 0 && options->wanted.resource == NULL) {
		rc = vrms_error_set(error, -EINVAL, "--resource: required, not set");
	}
	return rc;
}

static int cib_error(struct vrms_error *error, int rc, const char *doing)
{
	return vrms_error_set(error, rc, "%s: %s", doing, pcmk_strerror(rc));
}

/* The resource's element; an instance of a clone ("vm:0") has that of its template. */
static int query_primitive(cib_t *cib, const char *resource, xmlNode **ret_primitive,
			   struct vrms_error *error)
{
	char xpath[PATH_MAX];

	if (strchr(resource, '\'') != NULL) {
		return vrms_error_set(error, -EINVAL, "%s: a quote in a resource's name", resource);
	}
	(void)snprintf(xpath, sizeof(xpath), "//primitive[@id='%s']", resource);
	int rc = cib->cmds->query(cib, xpath, ret_primitive, cib_xpath | cib_sync_call);
	return rc < 0 ? cib_error(error, rc, "reading the resource") : 0;
}

static int apply(cib_t *cib, const struct vrms_utilization_diff *diff, struct vrms_error *error)
{
	int rc = 0;

	if (diff->update != NULL) {
		rc = cib->cmds->modify(cib, "resources", diff->update, cib_sync_call);
	}
	for (int i = 0; i < VRMS_UTILIZATION_COUNT && rc >= 0; i++) {
		if (diff->removals[i] != NULL) {
			rc = cib->cmds->remove(cib, "resources", diff->removals[i], cib_sync_call);
		}
	}
	return rc < 0 ? cib_error(error, rc, "changing the resource") : 0;
}

static int bring_up_to_date(cib_t *cib, const struct vrms_utilization *wanted, bool *ret_changed,
			    struct vrms_error *error)
{
	struct vrms_utilization_diff diff = {0};
	xmlNode *primitive = NULL;

	int rc = query_primitive(cib, wanted->resource, &primitive, error);
	if (rc < 0) {
		return rc;
	}
	rc = vrms_utilization_compare(wanted, primitive, &diff, error);
	if (rc == 0) {
		*ret_changed = !vrms_utilization_diff_is_empty(&diff);
		rc = apply(cib, &diff, error);
		vrms_utilization_diff_done(&diff);
	}
	free_xml(primitive);
	return rc;
}

static int with_cib(const struct vrms_utilization *wanted, bool *ret_changed,
		    struct vrms_error *error)
{
	if (getenv("CIB_file") != NULL) {
		crm_xml_init(); /* the schemas, 10 ms: a CIB in a file is checked on this side */
	}
	cib_t *cib = cib_new();

	if (cib == NULL) {
		return vrms_error_set(error, -ENOMEM, "no memory for a CIB connection");
	}
	int rc = cib->cmds->signon(cib, PROGRAM, cib_command);
	if (rc < 0) {
		rc = cib_error(error, rc, "connecting to the CIB");
	} else {
		rc = bring_up_to_date(cib, wanted, ret_changed, error);
		(void)cib->cmds->signoff(cib);
	}
	cib_delete(cib);
	return rc;
}

static void report(const struct vrms_utilization *wanted, int rc, bool changed,
		   const struct vrms_error *error)
{
	if (rc < 0) {
		vrms_log(LOG_WARNING, "%s: utilization not updated: %s", wanted->resource,
			 error->text);
	} else if (changed) {
		for (int i = 0; i < VRMS_UTILIZATION_COUNT; i++) {
			char word[VRMS_UTILIZATION_WORD_BYTES];
			vrms_utilization_word(wanted, (enum vrms_utilization_what)i, word);
			if (word[0] != '\0') {
				vrms_log(LOG_INFO, "%s: utilization %s", wanted->resource, word);
			}
		}
	}
}

int main(int argc, char **argv)
{
	struct options options = {.exit_code = VRMS_OCF_ERR_GENERIC, .timeout_ms = TIMEOUT_MS_MAX};
	struct vrms_error error = {{0}};
	bool changed = false;

	int rc = parse_options(argc, argv, &options, &error);
	if (rc < 0) {
		fprintf(stderr, "%s: %s\n", PROGRAM, error.text);
		return VRMS_OCF_ERR_ARGS;
	}
	keep_exit_code(options.exit_code);
	limit_time(&options);
	vrms_log_open(PROGRAM, false);
	rc = with_cib(&options.wanted, &changed, &error);
	if (rc == 0) {
		rc = vrms_utilization_record(&options.wanted, &error);
	}
	report(&options.wanted, rc, changed, &error);
	return (int)options.exit_code;
}
