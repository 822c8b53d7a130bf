/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/take_live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/image.h"
#include "backup/live_base.h"
#include "backup/live_guard.h"
#include "backup/scratch_watch.h"
#include "common/clock.h"
#include "common/file.h"

enum { CONNECTIONS = 2, FREEZE_WAIT_S = 10, HEARD_MS = 1000 };

struct disk {
	struct vrms_plan_choice choice;
	struct vrms_source source;
};

struct run {
	const struct vrms_take_live *request;
	const struct vrms_vm_xml *vm;
	struct vrms_repository *repository;
	struct vrms_point_list points;
	struct vrms_live_bases *bases;
	struct disk *disks;
	struct vrms_vm_xml_disk *rows;
	struct vrms_job_disk *job_disks;
	const struct vrms_plan_choice **choices;
	const char **scratches; /* paths, one per disk, ours to free */
	const char *consistency;
	char checkpoint[VRMS_TAKE_BITMAP_BYTES]; /* and bitmap, that begins now */
	char folder[64];                         /* of the socket */
	char socket[80];
	struct vrms_live_guard *guard;
	struct vrms_scratch_watch *watch;
	bool has_begun;
	bool may_be_frozen; /* the agent did not answer */
};

static void run_done(struct run *run)
{
	for (size_t i = 0; run->scratches != NULL && i < run->vm->disk_count; i++) {
		free((void *)(uintptr_t)run->scratches[i]);
	}
	free(run->scratches);
	free(run->bases);
	free(run->disks);
	free(run->rows);
	free(run->job_disks);
	free(run->choices);
	vrms_point_list_done(&run->points);
}

static int run_init(struct run *run, struct vrms_error *error)
{
	size_t count = run->vm->disk_count + 1;
	int rc = vrms_points_read(run->repository, run->request->take->vm, &run->points, error);

	run->bases = calloc(count, sizeof(*run->bases));
	run->disks = calloc(count, sizeof(*run->disks));
	run->rows = calloc(count, sizeof(*run->rows));
	run->job_disks = calloc(count, sizeof(*run->job_disks));
	run->choices = calloc(count, sizeof(*run->choices));
	run->scratches = calloc(count, sizeof(*run->scratches));
	if (rc == 0 && (run->bases == NULL || run->disks == NULL || run->rows == NULL ||
			run->job_disks == NULL || run->choices == NULL || run->scratches == NULL)) {
		rc = vrms_error_set(error, -ENOMEM, "out of memory");
	}
	return rc < 0 ? rc : vrms_take_name_bitmap(run->checkpoint, error);
}

static bool can_bitmap(const struct vrms_vm_disk *disk)
{
	return strcmp(disk->format, "qcow2") == 0;
}

static int plan_disk(struct run *run, size_t i, struct vrms_error *error)
{
	const struct vrms_vm_disk *wanted = &run->vm->disks[i];
	struct vrms_plan_choice *choice = &run->disks[i].choice;
	struct vrms_plan_disk plan = {
	    .name = wanted->target,
	    .bitmaps = run->bases[i].names,
	    .no_bitmap = can_bitmap(wanted) ? NULL : "the image's format keeps no bitmap",
	};
	int rc = vrms_live_disk_bytes(run->request->live, wanted->target, &plan.bytes, error);

	if (rc < 0) {
		return vrms_error_wrap(error, rc, "disk '%s'", wanted->target);
	}
	vrms_plan_disk(run->points.points, run->points.count, vrms_take_mode(run->request->take),
		       &plan, choice);
	run->choices[i] = choice;
	run->rows[i] = (struct vrms_vm_xml_disk){
	    .target = wanted->target,
	    .is_taken = true,
	    .has_bitmap = can_bitmap(wanted),
	    .base = choice->base != NULL ? choice->base->bitmap : NULL,
	};
	return 0;
}

/* Where QEMU can certainly write: beside the image, unless told otherwise. */
static int name_scratch(struct run *run, size_t i, struct vrms_error *error)
{
	const struct vrms_vm_disk *disk = &run->vm->disks[i];
	const char *slash = strrchr(disk->path, '/');
	int length = slash != NULL && slash > disk->path ? (int)(slash - disk->path) : 0;
	const char *folder = run->request->scratch_folder;
	char *scratch;

	if (folder == NULL && (length == 0 || strncmp(disk->path, "/dev/", 5) == 0 ||
			       vrms_image_is_uri(disk->path))) {
		folder = "/var/tmp";
	}
	if (asprintf(&scratch, "%.*s/.%s.%s.%s.scratch",
		     folder != NULL ? (int)strlen(folder) : length,
		     folder != NULL ? folder : disk->path, run->checkpoint, run->vm->name,
		     disk->target) < 0) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	run->scratches[i] = scratch;
	run->rows[i].scratch = scratch;
	vrms_live_guard_clear_old(scratch);
	return 0;
}

/* QEMU makes the socket, as the user it runs as. */
static int make_folder(struct run *run, struct vrms_error *error)
{
	char path[300];
	struct stat status;
	int fd;

	snprintf(run->folder, sizeof(run->folder), "%s/vrms-backup.XXXXXX",
		 access("/run", W_OK) == 0 ? "/run" : "/tmp");
	if (mkdtemp(run->folder) == NULL) {
		int rc = vrms_error_errno(error, -errno, "%s", run->folder);

		run->folder[0] = '\0';
		return rc;
	}
	snprintf(run->socket, sizeof(run->socket), "%s/nbd", run->folder);
	snprintf(path, sizeof(path), "/run/libvirt/qemu/%s.pid", run->vm->name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		char pid[24] = "";

		if (read(fd, pid, sizeof(pid) - 1) > 0) {
			snprintf(path, sizeof(path), "/proc/%ld", strtol(pid, NULL, 10));
			if (stat(path, &status) == 0 && status.st_uid != geteuid() &&
			    chown(run->folder, status.st_uid, status.st_gid) < 0) {
				close(fd);
				return vrms_error_errno(error, -errno, "%s", run->folder);
			}
		}
		close(fd);
	}
	return 0;
}

static int start_guard(struct run *run, struct vrms_error *error)
{
	struct vrms_live_guard_job job = {
	    .uri = run->request->uri,
	    .vm = run->vm->name,
	    .checkpoint = run->checkpoint,
	    .folder = run->folder,
	    .scratches = run->scratches,
	    .scratch_count = run->vm->disk_count,
	};

	return vrms_live_guard_start(&job, &run->guard, error);
}

static void say(const struct run *run, const char *text)
{
	if (run->request->note != NULL) {
		run->request->note(text);
	}
}

/* Freezes around the job's start only.  What cannot be frozen is backed up all the same, and
 * marked for what it is. */
static int begin(struct run *run, struct vrms_error *error)
{
	struct vrms_live *live = run->request->live;
	char *backup VRMS_CLEANUP(vrms_freep) =
	    vrms_vm_xml_backup(run->rows, run->vm->disk_count, run->socket);
	char *checkpoint VRMS_CLEANUP(vrms_freep) =
	    vrms_vm_xml_checkpoint(run->checkpoint, 0, run->rows, run->vm->disk_count);
	bool has_bitmap = false;
	struct vrms_error why = {0};
	int64_t asked_ms = vrms_clock_now_ms(vrms_clock_system());
	int frozen, thawed = 0, rc;
	bool is_heard;

	for (size_t i = 0; i < run->vm->disk_count; i++) {
		has_bitmap = has_bitmap || run->rows[i].has_bitmap;
	}
	if (backup == NULL || checkpoint == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	frozen = run->request->no_freeze ? vrms_error_set(&why, -ECANCELED, "not asked for")
					 : vrms_live_freeze(live, FREEZE_WAIT_S, &why);
	/* An agent that is not there fails at once; one that hangs may hear us late. */
	is_heard = frozen > 0 || (frozen == -ETIMEDOUT &&
				  vrms_clock_now_ms(vrms_clock_system()) - asked_ms >= HEARD_MS);
	rc = vrms_live_begin(live, backup, has_bitmap ? checkpoint : NULL, error);
	run->has_begun = rc == 0;
	if (is_heard) {
		thawed = vrms_live_thaw(live, frozen > 0 ? &why : NULL);
	}
	run->may_be_frozen = thawed == -ETIMEDOUT;
	run->consistency = frozen > 0 && thawed > 0 ? vrms_live_freeze_kind(live) : "crash";
	if (frozen <= 0 || thawed <= 0) {
		say(run, why.text[0] != '\0' ? why.text : "no file system was frozen");
	}
	return rc;
}

static int open_disk(struct run *run, size_t i, struct vrms_error *error)
{
	const struct vrms_vm_disk *wanted = &run->vm->disks[i];
	struct disk *disk = &run->disks[i];
	struct vrms_job_disk *job = &run->job_disks[i];
	char uri[160];
	struct vrms_nbd_options options = {
	    .uri = uri,
	    .connections = CONNECTIONS,
	    .dirty_bitmap =
		run->rows[i].base != NULL ? "qemu:dirty-bitmap:" VRMS_VM_XML_EXPORT_BITMAP : NULL,
	};
	int rc;

	snprintf(uri, sizeof(uri), "nbd+unix:///%s?socket=%s", wanted->target, run->socket);
	rc = vrms_source_nbd_open(&options, &disk->source, error);
	job->name = wanted->target;
	job->format = wanted->format;
	job->path = wanted->path;
	job->bitmap = run->rows[i].has_bitmap ? run->checkpoint : "";
	job->reason = disk->choice.reason;
	job->mode = disk->choice.mode;
	job->base = disk->choice.base;
	job->source = &disk->source;
	return rc < 0 ? vrms_error_wrap(error, rc, "disk '%s'", wanted->target) : 0;
}

static int copy(struct run *run, struct vrms_point *ret_point, struct vrms_error *error)
{
	struct vrms_take_plan plan = {
	    .take = run->request->take,
	    .points = &run->points,
	    .choices = run->choices,
	    .disks = run->job_disks,
	    .disk_count = run->vm->disk_count,
	    .consistency = run->consistency,
	    .checkpoint = run->checkpoint,
	};
	int rc = vrms_scratch_watch_start(run->request->live, run->scratches, run->vm->disk_count,
					  &run->watch, error);

	for (size_t i = 0; i < run->vm->disk_count && rc == 0; i++) {
		rc = open_disk(run, i, error);
	}
	if (rc == 0) {
		rc = vrms_take_run(run->repository, &plan, ret_point, error);
	}
	for (size_t i = 0; i < run->vm->disk_count; i++) {
		vrms_source_close(&run->disks[i].source);
	}
	return rc;
}

/* The point is there or it is not; either way nothing of the job stays. */
static int end(struct run *run, int rc, const struct vrms_point *point, struct vrms_error *error)
{
	struct vrms_live *live = run->request->live;
	struct vrms_error later = {0};
	int end_rc = run->has_begun ? vrms_live_end(live, &later) : 0;

	if (vrms_scratch_watch_stop(run->watch)) {
		rc = rc < 0 ? vrms_error_set(error, -ENOSPC,
					     "the space for scratch files runs out: the backup was "
					     "given up to spare the VM (--scratch DIR)")
			    : rc;
	}
	if (rc < 0) {
		if (end_rc == 0 && run->has_begun) {
			end_rc = vrms_live_remove(live, run->checkpoint, true, &later);
		}
		if (end_rc == 0) {
			end_rc = vrms_live_bases_forget(live, &later);
		}
	} else if (end_rc == 0) {
		end_rc =
		    vrms_live_bases_retire(live, run->vm, &run->points, run->bases, point, &later);
	}
	if (end_rc < 0 && rc == 0) {
		say(run, later.text); /* the point is good; the guard or the next run clears up */
		say(run, "the point is good; its bitmaps may go with what is cleared up, and then "
			 "the next backup reads the disks in full and stores only changes");
	}
	if (run->folder[0] != '\0') {
		vrms_live_guard_clear(run->folder, run->scratches, run->vm->disk_count);
	}
	if (end_rc == 0 && run->may_be_frozen) {
		vrms_live_guard_end_thawing(run->guard);
	} else {
		vrms_live_guard_end(run->guard, end_rc == 0);
	}
	return rc;
}

int vrms_take_live(struct vrms_repository *repository, const struct vrms_take_live *request,
		   struct vrms_point *ret_point, struct vrms_error *error)
{
	struct run run VRMS_CLEANUP(run_done) = {
	    .request = request,
	    .vm = request->vm,
	    .repository = repository,
	    .consistency = "crash",
	};
	int rc = run_init(&run, error);

	if (rc == 0) {
		rc = vrms_live_bases_find(request->live, run.vm, &run.points, run.bases, error);
	}
	for (size_t i = 0; i < run.vm->disk_count && rc == 0; i++) {
		rc = plan_disk(&run, i, error);
		if (rc == 0) {
			rc = name_scratch(&run, i, error);
		}
	}
	if (rc == 0) {
		rc = make_folder(&run, error);
	}
	if (rc == 0) {
		rc = start_guard(&run, error);
	}
	if (rc == 0) {
		rc = begin(&run, error);
	}
	if (rc == 0) {
		rc = copy(&run, ret_point, error);
	}
	return end(&run, rc, ret_point, error);
}
