/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/enter.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

struct visit {
	int fd;
	int flags;
	vrms_lab_enter_work *work;
	void *context;
	struct vrms_error *error;
	int rc;
};

static void *enter(void *argument)
{
	struct visit *visit = argument;

	/* Root and working folder are shared between threads until this. */
	if ((visit->flags & CLONE_NEWNS) != 0 && unshare(CLONE_FS) < 0) {
		visit->rc = vrms_error_errno(visit->error, -errno, "unshare");
		return NULL;
	}
	if (visit->fd >= 0 && setns(visit->fd, visit->flags) < 0) {
		visit->rc = vrms_error_errno(visit->error, -errno, "setns");
		return NULL;
	}
	visit->rc = visit->work(visit->context, visit->error);
	return NULL;
}

int vrms_lab_enter(int fd, int flags, vrms_lab_enter_work *work, void *context,
		   struct vrms_error *error)
{
	struct visit visit = {
	    .fd = fd, .flags = flags, .work = work, .context = context, .error = error};
	sigset_t all;
	sigset_t before;
	pthread_t thread;

	/* Signals are for the thread that stays. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&thread, NULL, enter, &visit);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		return vrms_error_errno(error, -rc, "pthread_create");
	}
	pthread_join(thread, NULL);
	return visit.rc;
}

struct child_work {
	const struct vrms_child_spec *spec;
	struct vrms_child_result *result;
};

static int run_child(void *context, struct vrms_error *error)
{
	const struct child_work *work = context;

	return vrms_child_run(work->spec, work->result, error);
}

static int check_child(void *context, struct vrms_error *error)
{
	const struct child_work *work = context;

	return vrms_child_check(work->spec, error);
}

int vrms_lab_enter_run(int fd, int flags, const struct vrms_child_spec *spec,
		       struct vrms_child_result *result, struct vrms_error *error)
{
	struct child_work work = {.spec = spec, .result = result};

	*result = (struct vrms_child_result){0};
	return vrms_lab_enter(fd, flags, run_child, &work, error);
}

int vrms_lab_enter_check(int fd, int flags, const struct vrms_child_spec *spec,
			 struct vrms_error *error)
{
	struct child_work work = {.spec = spec};

	return vrms_lab_enter(fd, flags, check_child, &work, error);
}
