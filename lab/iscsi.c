/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/iscsi.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/child.h"
#include "common/clock.h"
#include "common/file.h"
#include "lab/guest.h"
#include "lab/internal.h"
#include "lab/process.h"

enum { START_TIMEOUT_MS = 20000, ADMIN_TIMEOUT_MS = 10000, KILL_TIMEOUT_MS = 10000, POLL_MS = 50 };

static struct vrms_lab_path record_path(const struct vrms_lab *lab)
{
	return vrms_lab_path(lab, "run/tgtd.json");
}

static struct vrms_lab_path socket_setting(const struct vrms_lab *lab)
{
	struct vrms_lab_path text;
	struct vrms_lab_path path = vrms_lab_path(lab, "run/tgtd");

	snprintf(text.text, sizeof(text.text), "TGT_IPC_SOCKET=%.400s", path.text);
	return text;
}

void vrms_lab_iscsi_target_print(const struct vrms_lab *lab, char *text, size_t size)
{
	snprintf(text, size, "iqn.2026-01.local.vrms-lab:%s", vrms_lab_name(lab));
}

void vrms_lab_iscsi_luns_print(const struct vrms_lab *lab, char text[VRMS_LAB_LUNS_TEXT_SIZE])
{
	char target[VRMS_LAB_NAME_MAX + 32];
	size_t used = 0;

	vrms_lab_iscsi_target_print(lab, target, sizeof(target));
	for (int lun = 1; lun <= VRMS_LAB_LUNS; lun++) {
		used += (size_t)snprintf(text + used, VRMS_LAB_LUNS_TEXT_SIZE - used,
					 "%siscsi://" VRMS_LAB_ISCSI_PORTAL "/%s/%d",
					 lun > 1 ? " " : "", target, lun);
	}
}

/* ---- the disks ---- */

static struct vrms_lab_path lun_path(const struct vrms_lab *lab, int lun)
{
	return vrms_lab_path(lab, "san/lun/%d.raw", lun);
}

static int make_luns(const struct vrms_lab *lab, struct vrms_error *error)
{
	int rc = vrms_file_mkdir_all(vrms_lab_path(lab, "san/lun").text, 0755, error);

	for (int lun = 1; rc == 0 && lun <= VRMS_LAB_LUNS; lun++) {
		rc = vrms_guest_disk_create(lun_path(lab, lun).text, error);
	}
	return rc;
}

/* The LUN that a link stands for; 0: there is no such link. */
static int lun_of(const char *disk_path)
{
	char target[64] = "";
	int lun = 0;

	if (readlink(disk_path, target, sizeof(target) - 1) < 0 ||
	    sscanf(target, "../lun/%d.raw", &lun) != 1) {
		return 0;
	}
	return lun;
}

/* A name for the owner, beside the LUN: made by link(2)'s rule that only one can. */
static struct vrms_lab_path owner_path(const struct vrms_lab *lab, int lun)
{
	return vrms_lab_path(lab, "san/lun/%d.vm", lun);
}

static bool is_owned(const struct vrms_lab *lab, int lun)
{
	char disk[VRMS_LAB_PATH_SIZE] = "";

	/* An owner whose disk is gone has left. */
	return readlink(owner_path(lab, lun).text, disk, sizeof(disk) - 1) > 0 &&
	       lun_of(disk) == lun;
}

static int give(const struct vrms_lab *lab, int lun, const char *disk_path,
		struct vrms_error *error)
{
	char target[32];

	snprintf(target, sizeof(target), "../lun/%d.raw", lun);
	unlink(owner_path(lab, lun).text);
	if (symlink(disk_path, owner_path(lab, lun).text) < 0 || symlink(target, disk_path) < 0) {
		return vrms_error_errno(error, -errno, "%s", disk_path);
	}
	return vrms_guest_order_write(disk_path, VRMS_GUEST_OBEY, error);
}

int vrms_lab_iscsi_take(const struct vrms_lab *lab, const char *disk_path, int *ret_lun,
			struct vrms_error *error)
{
	int lock VRMS_CLEANUP(vrms_closep) = -1;
	int rc =
	    vrms_lab_lock(vrms_lab_path(lab, "run/luns.lock").text, ADMIN_TIMEOUT_MS, &lock, error);

	if (rc < 0) {
		return rc;
	}
	*ret_lun = lun_of(disk_path);
	if (*ret_lun != 0) {
		return 0;
	}
	for (int lun = 1; lun <= VRMS_LAB_LUNS; lun++) {
		if (!is_owned(lab, lun)) {
			*ret_lun = lun;
			return give(lab, lun, disk_path, error);
		}
	}
	return vrms_error_set(error, -ENOSPC, "all %d LUNs have an owner", VRMS_LAB_LUNS);
}

/* ---- the daemon ---- */

static int run_admin(const struct vrms_lab *lab, const char *const *argv, struct vrms_error *error)
{
	struct vrms_lab_path socket = socket_setting(lab);
	const char *envp[] = {"PATH=" VRMS_LAB_PROGRAM_PATH, socket.text, NULL};
	const struct vrms_child_spec spec = {.argv = argv,
					     .envp = envp,
					     .timeout_ms = ADMIN_TIMEOUT_MS};

	return vrms_child_check(&spec, error);
}

/* In the daemon to be.  It keeps no descriptor and no terminal of the one who starts it. */
static void become_tgtd(const struct vrms_lab *lab)
{
	const char *argv[] = {"tgtd", "-f",      "-C",
			      "0",    "--iscsi", "portal=" VRMS_LAB_ISCSI_PORTAL ":3260",
			      NULL};
	struct vrms_lab_path socket = socket_setting(lab);
	char *envp[] = {(char *)"PATH=" VRMS_LAB_PROGRAM_PATH, socket.text, NULL};
	struct vrms_lab_path log = vrms_lab_path(lab, "log/tgtd.log");
	struct vrms_lab_process self;
	int network = open(vrms_lab_path(lab, "run/switch.net").text, O_RDONLY | O_CLOEXEC);
	int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int output = open(log.text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fork() != 0) {
		_exit(EXIT_SUCCESS);
	}
	setsid();
	/* Recorded first: whoever takes the lab down finds this process. */
	if (vrms_lab_process_read(getpid(), &self) == 0 &&
	    vrms_lab_process_save(record_path(lab).text, &self, NULL) == 0 &&
	    setns(network, CLONE_NEWNET) == 0 && dup2(input, STDIN_FILENO) >= 0 &&
	    dup2(output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0 &&
	    chdir("/") == 0) {
		execvpe(argv[0], (char *const *)argv, envp);
	}
	_exit(EXIT_FAILURE);
}

static int wait_until_it_answers(const struct vrms_lab *lab, struct vrms_error *error)
{
	static const char *const argv[] = {"tgtadm", "-C",   "0",    "--mode",
					   "sys",    "--op", "show", NULL};
	const struct vrms_clock *clock = vrms_clock_system();
	int64_t until_ms = vrms_clock_now_ms(clock) + START_TIMEOUT_MS;

	while (run_admin(lab, argv, NULL) < 0) {
		if (vrms_clock_now_ms(clock) >= until_ms) {
			return vrms_error_set(error, -ETIMEDOUT, "tgtd does not start; see %s",
					      vrms_lab_path(lab, "log/tgtd.log").text);
		}
		vrms_clock_sleep_ms(clock, POLL_MS);
	}
	return 0;
}

static int serve_luns(const struct vrms_lab *lab, struct vrms_error *error)
{
	char target[VRMS_LAB_NAME_MAX + 32];

	vrms_lab_iscsi_target_print(lab, target, sizeof(target));
	const char *add[] = {"tgtadm", "-C",  "0",     "--lld", "iscsi", "--mode", "target",
			     "--op",   "new", "--tid", "1",     "-T",    target,   NULL};
	const char *bind[] = {"tgtadm", "-C",   "0",     "--lld", "iscsi", "--mode", "target",
			      "--op",   "bind", "--tid", "1",     "-I",    "ALL",    NULL};
	int rc = run_admin(lab, add, error);

	rc = rc < 0 ? rc : run_admin(lab, bind, error);
	for (int lun = 1; rc == 0 && lun <= VRMS_LAB_LUNS; lun++) {
		struct vrms_lab_path path = lun_path(lab, lun);
		char number[8];
		const char *unit[] = {"tgtadm",      "-C",   "0",       "--lld", "iscsi", "--mode",
				      "logicalunit", "--op", "new",     "--tid", "1",     "--lun",
				      number,        "-b",   path.text, NULL};

		snprintf(number, sizeof(number), "%d", lun);
		rc = run_admin(lab, unit, error);
	}
	return rc;
}

int vrms_lab_iscsi_start(const struct vrms_lab *lab, struct vrms_error *error)
{
	int rc = make_luns(lab, error);

	if (rc < 0) {
		return rc;
	}
	pid_t pid = fork();
	if (pid == 0) {
		become_tgtd(lab);
	}
	if (pid < 0) {
		return vrms_error_errno(error, -errno, "fork");
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
	}
	rc = wait_until_it_answers(lab, error);
	return rc < 0 ? rc : serve_luns(lab, error);
}

int vrms_lab_iscsi_stop(const struct vrms_lab *lab, struct vrms_error *error)
{
	struct vrms_lab_process record;
	int rc = vrms_lab_process_load(record_path(lab).text, &record, NULL);

	if (rc < 0) {
		return 0;
	}
	rc = vrms_lab_process_kill(&record, KILL_TIMEOUT_MS, error);
	return rc < 0 ? vrms_error_wrap(error, rc, "tgtd") : 0;
}
