/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/log.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "tests/unit/unit.h"

static char path[] = "/tmp/vrms-test-log.XXXXXX";

/* Opens the log with a fresh file and no syslog. */
static void open_log(const char *debug)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
	setenv("PCMK_logfile", path, 1);
	setenv("PCMK_logfacility", "none", 1);
	setenv("PCMK_debug", debug, 1);
	vrms_log_open("VirtualMachine(vm1)", false);
}

static char *close_log(void)
{
	char *text = NULL;

	vrms_log_close();
	ck_assert_int_eq(vrms_file_read(path, 100000, &text, NULL, NULL), 0);
	unlink(path);
	return text;
}

static void assert_matches(const char *text, const char *pattern)
{
	regex_t regex;

	ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	ck_assert_msg(regexec(&regex, text, 0, NULL, 0) == 0, "%s", text);
	regfree(&regex);
}

START_TEST(lines_look_like_pacemakers)
{
	open_log("0");
	vrms_log(LOG_INFO, "domain %s runs", "vm1");
	char *text VRMS_CLEANUP(vrms_freep) = close_log();

	assert_matches(text, "^[A-Z][a-z]{2} [0-9]{2} [0-9:]{8}\\.[0-9]{3} [^ ]+ "
			     "VirtualMachine\\(vm1\\) *\\[[0-9]+\\] \tinfo: domain vm1 runs\n$");
}
END_TEST

START_TEST(a_message_is_one_line)
{
	open_log("0");
	vrms_log(LOG_ERR, "first\nsecond %%s\n");
	char *text VRMS_CLEANUP(vrms_freep) = close_log();

	assert_matches(text, "error: first second %s ?\n$");
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
}
END_TEST

START_TEST(debug_lines_only_when_asked)
{
	open_log("0");
	vrms_log(LOG_DEBUG, "hidden");
	char *text VRMS_CLEANUP(vrms_freep) = close_log();
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(debug_lines_when_asked)
{
	open_log("yes");
	vrms_log(LOG_DEBUG, "shown");
	char *text VRMS_CLEANUP(vrms_freep) = close_log();
	assert_matches(text, "debug: shown\n$");
}
END_TEST

START_TEST(long_messages_keep_two_kilobytes)
{
	char message[1500];

	memset(message, 'm', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	open_log("0");
	vrms_log(LOG_WARNING, "%s", message);
	char *text VRMS_CLEANUP(vrms_freep) = close_log();
	ck_assert_ptr_nonnull(strstr(text, message));
}
END_TEST

UNIT_MAIN("log", lines_look_like_pacemakers, a_message_is_one_line, debug_lines_only_when_asked,
	  debug_lines_when_asked, long_messages_keep_two_kilobytes)
