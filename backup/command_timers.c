/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/command_timers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/command_policy.h"
#include "common/child.h"
#include "common/file.h"

enum { TEXT_BYTES = 64 << 10, SYSTEMCTL_MS = 60000 };

static const char folder_default[] = "/etc/systemd/system/vrms-backup.timer.d";
static const char head[] =
    "# Made by \"vrms-backup schedule install-timers\" from the policies; made anew by it.\n"
    "[Timer]\n";

struct drop_in {
	char text[TEXT_BYTES];
	size_t length;
};

/* Each time once, however many VMs have it.  A text that does not fit is left out: the timer's
 * own steady beat finds what is due all the same. */
static void add_times(struct drop_in *drop_in, const struct vrms_policy_times *times)
{
	for (uint32_t i = 0; i < times->count; i++) {
		char line[128];
		int length = snprintf(line, sizeof(line), "OnCalendar=%s\n", times->texts[i]);

		if (strstr(drop_in->text, line) == NULL &&
		    drop_in->length + (size_t)length < sizeof(drop_in->text)) {
			strcpy(drop_in->text + drop_in->length, line);
			drop_in->length += (size_t)length;
		}
	}
}

static void fill(struct drop_in *drop_in, const struct vrms_policies *policies)
{
	strcpy(drop_in->text, head);
	drop_in->length = strlen(head);
	for (size_t i = 0; i < policies->count; i++) {
		for (int job = 0; job < VRMS_POLICY_JOB_COUNT; job++) {
			if (policies->rows[i].is_backed_up) {
				add_times(drop_in, &policies->rows[i].times[job]);
			}
		}
	}
	add_times(drop_in, &policies->prune);
	add_times(drop_in, &policies->verify);
}

static int systemctl(const char *const *argv, struct vrms_error *error)
{
	struct vrms_child_spec spec = {.argv = argv, .timeout_ms = SYSTEMCTL_MS};

	return vrms_child_check(&spec, error);
}

static int switch_on(struct vrms_error *error)
{
	int rc = systemctl((const char *const[]){"systemctl", "daemon-reload", NULL}, error);

	return rc < 0 ? rc
		      : systemctl((const char *const[]){"systemctl", "enable", "--now",
							"vrms-backup.timer", NULL},
				  error);
}

int vrms_install_timers(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct vrms_policy_world world VRMS_CLEANUP(vrms_policy_world_done) = {0};
	struct drop_in *drop_in VRMS_CLEANUP(vrms_freep) = calloc(1, sizeof(*drop_in));
	const char *folder = cli->output != NULL ? cli->output : folder_default;
	char path[4096];
	int rc = drop_in != NULL ? vrms_policy_world_read(cli, false, &world, error)
				 : vrms_error_set(error, -ENOMEM, "out of memory");

	if (rc < 0) {
		return rc;
	}
	fill(drop_in, world.policies);
	if (cli->dry_run) {
		fputs(drop_in->text, stdout);
		return 0;
	}
	snprintf(path, sizeof(path), "%s/times.conf", folder);
	rc = vrms_file_mkdir_all(folder, 0755, error);
	if (rc == 0) {
		rc = vrms_file_write(path, drop_in->text, drop_in->length, 0644, error);
	}
	if (rc == 0) {
		printf("%s written\n", path);
	}
	/* Elsewhere it is for somebody else's systemd. */
	return rc == 0 && cli->output == NULL ? switch_on(error) : rc;
}
