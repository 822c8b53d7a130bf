/* command_trial.c - test-restore: a point proves itself by a VM that comes up.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backup/cli.h"
#include "backup/live.h"
#include "backup/overlay.h"
#include "backup/restore.h"
#include "backup/space.h"
#include "common/clock.h"
#include "common/file.h"

enum { LOOK_MS = 200, PING_S = 1, CONSOLE_BYTES_MAX = 16 << 20, RECORD_WAIT_MS = 60000 };

struct run {
	const struct vrms_cli *cli;
	struct vrms_repository *repository;
	struct vrms_point point;
	char folder[200]; /* of the trial; removed at its end */
	char console[220];
	char socket[220];
	char name[120];
	struct vrms_overlays overlays;
	struct vrms_live *live;
	int64_t start_ms;
	struct vrms_trial trial;
};

static void run_done(struct run *run)
{
	struct vrms_error ignored;

	/* Closing it ends the VM in any case. */
	if (run->live != NULL && vrms_live_destroy(run->live, &ignored) < 0) {
		fprintf(stderr, "vrms-backup: %s\n", ignored.text);
	}
	vrms_live_close(run->live);
	vrms_overlays_done(&run->overlays);
	vrms_point_done(&run->point);
	if (run->folder[0] != '\0') {
		unlink(run->console);
		rmdir(run->folder);
	}
}

static int make_folder(struct run *run, struct vrms_error *error)
{
	const char *root = run->cli->scratch != NULL ? run->cli->scratch : "/var/tmp";
	char *absolute VRMS_CLEANUP(vrms_freep) = realpath(root, NULL);
	int length;

	if (absolute == NULL) {
		return vrms_error_errno(error, -errno, "%s", root);
	}
	length = snprintf(run->folder, sizeof(run->folder), "%s/vrms-trial.XXXXXX", absolute);
	if (length >= (int)sizeof(run->folder)) {
		run->folder[0] = '\0';
		return vrms_error_set(error, -ENAMETOOLONG, "%s: the name is too long", root);
	}
	/* QEMU may run as another user. */
	if (mkdtemp(run->folder) == NULL || chmod(run->folder, 0711) < 0) {
		int rc = vrms_error_errno(error, -errno, "%s", run->folder);

		run->folder[0] = '\0';
		return rc;
	}
	snprintf(run->console, sizeof(run->console), "%s/console", run->folder);
	snprintf(run->socket, sizeof(run->socket), "%s/nbd", run->folder);
	snprintf(run->name, sizeof(run->name), "%.60s-trial-%" PRIu64, run->point.vm,
		 run->point.sequence);
	return 0;
}

static int saved_xml(const struct run *run, char **ret_xml, struct vrms_error *error)
{
	const struct vrms_point_part *part = vrms_point_find(&run->point, "domain.xml");
	uint8_t *saved = NULL;
	int rc;

	if (part == NULL || part->is_disk) {
		return vrms_error_set(error, -ENOENT, "the point has no 'domain.xml' to start");
	}
	rc = vrms_restore_read(run->repository, part, &saved, error);
	*ret_xml = (char *)saved;
	return rc;
}

static int start_vm(struct run *run, const char *saved, struct vrms_error *error)
{
	char *xml VRMS_CLEANUP(vrms_freep) = NULL;
	struct vrms_vm_xml_change change = {
	    .name = run->name,
	    .disks = run->overlays.moves,
	    .disk_count = run->overlays.count,
	    .trial_console = run->console,
	};
	int rc = vrms_vm_xml_edit(saved, &change, &xml, error);

	return rc < 0 ? rc : vrms_live_try(run->cli->connect, xml, &run->live, error);
}

static bool console_says(const struct run *run)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	size_t size;

	if (run->cli->wait_for == NULL ||
	    vrms_file_read(run->console, CONSOLE_BYTES_MAX, &text, &size, NULL) < 0) {
		return false;
	}
	return memmem(text, size, run->cli->wait_for, strlen(run->cli->wait_for)) != NULL;
}

static void note(struct run *run, bool is_passed, const char *text)
{
	run->trial.is_passed = is_passed;
	run->trial.took_ms = vrms_clock_now_ms(vrms_clock_system()) - run->start_ms;
	snprintf(run->trial.text, sizeof(run->trial.text), "%.*s", (int)sizeof(run->trial.text) - 1,
		 text);
}

/* Looks once; true when the trial is decided.  A text that is wanted must come, also with an
 * agent. */
static bool look(struct run *run)
{
	char text[200];
	bool is_active = true;

	if (run->cli->wait_for != NULL) {
		if (console_says(run)) {
			snprintf(text, sizeof(text), "its serial line says '%.100s'",
				 run->cli->wait_for);
			note(run, true, text);
			return true;
		}
	} else if (vrms_live_ping(run->live, PING_S, NULL) == 0) {
		note(run, true, "the guest's agent answers");
		return true;
	}
	if (vrms_live_is_active(run->live, &is_active, NULL) < 0 || !is_active) {
		note(run, false, "the VM ended");
		return true;
	}
	return false;
}

static int wait_for_sign(struct run *run, struct vrms_error *error)
{
	const struct vrms_clock *clock = vrms_clock_system();

	while (!look(run)) {
		if (atomic_load(run->cli->stop)) {
			return vrms_error_set(error, -ECANCELED, "stopped");
		}
		if (vrms_clock_now_ms(clock) - run->start_ms > run->cli->timeout_ms) {
			char text[200];

			snprintf(text, sizeof(text), "%s for %" PRId64 " s",
				 run->cli->wait_for != NULL ? "its serial line did not say it"
							    : "the guest's agent did not answer",
				 run->cli->timeout_ms / 1000);
			note(run, false, text);
			return 0;
		}
		vrms_clock_sleep_ms(clock, LOOK_MS);
	}
	return 0;
}

/* Served: at once and without space.  Whole: every block is read, and the VM stands on images
 * as a restore makes them. */
static int make_disks(struct run *run, struct vrms_error *error)
{
	struct vrms_serve serve = {
	    .repository = run->cli->repository,
	    .key_file = run->cli->key_file,
	    .key_command = run->cli->key_command,
	    .vm = run->point.vm,
	    .sequence = run->point.sequence,
	    .socket = run->socket,
	};

	if (run->cli->whole && !run->cli->force) {
		int rc = vrms_space_check_folder(run->repository, &run->point, run->folder, error);

		if (rc < 0) {
			return rc;
		}
	}
	return run->cli->whole ? vrms_overlays_restore(&run->point, run->repository, run->folder,
						       "disk", &run->overlays, error)
			       : vrms_overlays_make(&run->point, &serve, run->folder, "disk",
						    &run->overlays, error);
}

static int check_sign(const struct run *run, const char *saved, struct vrms_error *error)
{
	struct vrms_vm_xml vm VRMS_CLEANUP(vrms_vm_xml_done) = {0};
	int rc = vrms_vm_xml_parse(saved, &vm, error);

	return rc == 0 && !vm.has_agent && run->cli->wait_for == NULL
		   ? vrms_error_set(error, -EINVAL,
				    "the VM has no guest agent: what does its serial line say when "
				    "it is up? (--wait-for TEXT)")
		   : rc;
}

static int try_point(struct run *run, struct vrms_error *error)
{
	char *saved VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = saved_xml(run, &saved, error);

	if (rc == 0) {
		rc = check_sign(run, saved, error);
	}
	if (rc == 0) {
		rc = make_folder(run, error);
	}
	if (rc < 0) {
		return rc;
	}
	rc = make_disks(run, error);
	if (rc == -EBADMSG) { /* no good copy of a block: that is an answer */
		note(run, false, error->text);
		return 0;
	}
	if (rc < 0) {
		return rc;
	}
	rc = start_vm(run, saved, error);
	if (rc == -EIO) { /* libvirt or QEMU will not have it: that is one, too */
		note(run, false, error->text);
		return 0;
	}
	return rc == 0 ? wait_for_sign(run, error) : rc;
}

/* The result is written like all else by the holder of the write lock. */
static int record(const struct vrms_cli *cli, const struct vrms_point *point,
		  const struct vrms_trial *trial, struct vrms_error *error)
{
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	struct vrms_cli patient = *cli;
	int rc;

	if (patient.lock_wait_ms < RECORD_WAIT_MS) {
		patient.lock_wait_ms = RECORD_WAIT_MS;
	}
	rc = vrms_open_repository(&patient, VRMS_LOCK_WRITER, "a trial's result", &open, error);
	return rc < 0 ? rc : vrms_trial_write(open.repository, point, trial, error);
}

static int run_trial(struct run *run, struct vrms_error *error)
{
	struct vrms_open open VRMS_CLEANUP(vrms_open_done) = {0};
	char purpose[80];
	int rc;

	snprintf(purpose, sizeof(purpose), "a trial of %.50s", run->cli->arguments[0]);
	rc = vrms_open_repository(run->cli, VRMS_LOCK_READER, purpose, &open, error);
	if (rc == 0) {
		run->repository = open.repository;
		rc = vrms_point_read(open.repository, run->cli->arguments[0], &run->point, error);
	}
	return rc < 0 ? rc : try_point(run, error);
}

int vrms_command_test_restore(const struct vrms_cli *cli, struct vrms_error *error)
{
	struct run run VRMS_CLEANUP(run_done) = {
	    .cli = cli,
	    .start_ms = vrms_clock_now_ms(vrms_clock_system()),
	    .trial = {.time_s = time(NULL)},
	};
	int rc;

	gethostname(run.trial.host, sizeof(run.trial.host) - 1);
	rc = run_trial(&run, error);
	if (rc == 0) {
		rc = record(cli, &run.point, &run.trial, error);
	}
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "'%s'", cli->arguments[0]);
	}
	printf("%s@%" PRIu64 ": %s after %.1f s: %s\n", run.point.vm, run.point.sequence,
	       run.trial.is_passed ? "works" : "FAILED", (double)run.trial.took_ms / 1e3,
	       run.trial.text);
	return run.trial.is_passed ? 0 : 1;
}
