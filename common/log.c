/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/log.h"

#include <qb/qblog.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/parse.h"

enum { LINE_BYTES_MAX = 2048 };

/* The first of the variables that is set and not empty.  Pacemaker exports its settings under
 * the first name, older releases and resource-agents read the others.
 */
static const char *first_of_env(const char *const *names)
{
	for (; *names != NULL; names++) {
		const char *value = getenv(*names);

		if (value != NULL && *value != '\0') {
			return value;
		}
	}
	return NULL;
}

static bool is_off(const char *setting)
{
	return setting == NULL || strcasecmp(setting, "none") == 0 ||
	       strcmp(setting, "/dev/null") == 0;
}

static bool is_debug_on(void)
{
	static const char *const names[] = {"PCMK_debug", "HA_debug", NULL};
	const char *setting = first_of_env(names);
	bool on = false;

	if (setting == NULL) {
		return false;
	}
	/* A list of Pacemaker's daemons in PCMK_debug is not about us. */
	return vrms_bool_parse(setting, &on, NULL) == 0 && on;
}

/* Least urgent priority for syslog; PCMK_logpriority holds a name, "notice" by default. */
static uint8_t syslog_priority(void)
{
	static const struct {
		const char *name;
		uint8_t priority;
	} names[] = {
	    {"emerg", LOG_EMERG}, {"alert", LOG_ALERT},     {"crit", LOG_CRIT},
	    {"error", LOG_ERR},   {"warning", LOG_WARNING}, {"notice", LOG_NOTICE},
	    {"info", LOG_INFO},   {"debug", LOG_DEBUG},
	};
	const char *setting = getenv("PCMK_logpriority");

	for (size_t i = 0; setting != NULL && i < VRMS_COUNT_OF(names); i++) {
		if (strcasecmp(setting, names[i].name) == 0) {
			return names[i].priority;
		}
	}
	return LOG_NOTICE;
}

static void enable(int32_t target, uint8_t priority)
{
	qb_log_filter_ctl(target, QB_LOG_FILTER_ADD, QB_LOG_FILTER_FILE, "*", priority);
	qb_log_ctl(target, QB_LOG_CONF_MAX_LINE_LEN, LINE_BYTES_MAX);
	qb_log_ctl(target, QB_LOG_CONF_ENABLED, QB_TRUE);
}

/* "Nov 23 02:39:27.123 host VirtualMachine(vm1)  [4711]	info: text", as Pacemaker's own
 * lines.
 */
static void open_file(const char *path, const char *name, uint8_t priority)
{
	struct utsname host;
	char format[256];
	int32_t target = qb_log_file_open(path);

	/* An admin who may not write the cluster's log still gets stderr. */
	if (target < 0) {
		return;
	}
	if (uname(&host) < 0) {
		host.nodename[0] = '\0';
	}
	snprintf(format, sizeof(format), "%%T %.64s %-20.100s [%d] \t%%p: %%b", host.nodename, name,
		 getpid());
	qb_log_format_set(target, format);
	enable(target, priority);
}

void vrms_log_open(const char *name, bool to_stderr)
{
	static const char *const facilities[] = {"PCMK_logfacility", "HA_logfacility",
						 "HA_LOGFACILITY", NULL};
	static const char *const files[] = {"PCMK_logfile", "HA_logfile", "HA_LOGFILE", NULL};
	const char *facility = first_of_env(facilities);
	const char *file = first_of_env(files);
	uint8_t detail = is_debug_on() ? LOG_DEBUG : LOG_INFO;
	char format[256];

	if (facility == NULL) {
		facility = "daemon";
	}
	int32_t number = is_off(facility) ? LOG_DAEMON : qb_log_facility2int(facility);
	qb_log_init(name, number < 0 ? LOG_DAEMON : number, syslog_priority());
	qb_log_format_set(QB_LOG_SYSLOG, "%p: %b");
	qb_log_ctl(QB_LOG_SYSLOG, QB_LOG_CONF_MAX_LINE_LEN, LINE_BYTES_MAX);
	qb_log_ctl(QB_LOG_SYSLOG, QB_LOG_CONF_ENABLED, is_off(facility) ? QB_FALSE : QB_TRUE);
	if (!is_off(file)) {
		open_file(file, name, detail);
	}
	if (to_stderr) {
		snprintf(format, sizeof(format), "%.100s: %%p: %%b", name);
		qb_log_format_set(QB_LOG_STDERR, format);
		enable(QB_LOG_STDERR, detail);
	}
}

void vrms_log_start_thread(void)
{
	for (int32_t target = QB_LOG_SYSLOG; target < QB_LOG_TARGET_MAX; target++) {
		if (target != QB_LOG_STDERR && target != QB_LOG_BLACKBOX &&
		    qb_log_ctl(target, QB_LOG_CONF_STATE_GET, 0) == QB_LOG_STATE_ENABLED) {
			qb_log_ctl(target, QB_LOG_CONF_THREADED, QB_TRUE);
		}
	}
	qb_log_thread_start();
}

void vrms_log_close(void)
{
	qb_log_fini();
}

void vrms_log(int priority, const char *format, ...)
{
	char line[LINE_BYTES_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* One message is one line: texts of libraries may hold several. */
	for (char *at = line; (at = strchr(at, '\n')) != NULL; at++) {
		*at = ' ';
	}
	qb_log_from_external_source(__func__, __FILE__, "%s", (uint8_t)priority, (uint32_t)priority,
				    0, line);
}
