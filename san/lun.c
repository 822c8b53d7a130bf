/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "san/lun.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char scheme[] = "iscsi://";

enum { BUSY_WAIT_MS = 20, LOOKS_MAX = 20 };

/* As libiscsi reads it: a password ends at the first @, whatever it is made of. */
const char *vrms_san_url_address(const char *url)
{
	const char *begin = url + strlen(scheme);
	const char *at = strchr(begin, '@');

	return at != NULL ? at + 1 : begin;
}

static bool is_url(const char *url)
{
	if (strncmp(url, scheme, strlen(scheme)) != 0) {
		return false;
	}
	const char *begin = url + strlen(scheme);
	const char *host = vrms_san_url_address(url);
	const char *target = strchr(host, '/');
	const char *lun = target != NULL ? strchr(target + 1, '/') : NULL;

	if (host != begin && memchr(begin, '%', (size_t)(host - begin)) == NULL) {
		return false;
	}
	size_t digits = lun != NULL ? strspn(lun + 1, "0123456789") : 0;
	return digits > 0 && target > host && lun > target + 1 &&
	       (lun[1 + digits] == '\0' || lun[1 + digits] == '?');
}

static int take_lun(char *word, struct vrms_san_lun *lun, struct vrms_error *error)
{
	char *hash = strchr(word, '#');
	char *rest = NULL;

	*lun = (struct vrms_san_lun){.path_count = 0};
	if (hash != NULL) {
		*hash = '\0';
		lun->id = hash + 1;
		if (lun->id[0] == '\0' || strchr(lun->id, '|') != NULL) {
			return vrms_error_set(error, -EINVAL,
					      "has no identifier behind the # of its last portal");
		}
	}
	for (char *path = strtok_r(word, "|", &rest); path != NULL;
	     path = strtok_r(NULL, "|", &rest)) {
		if (!is_url(path)) {
			return vrms_error_set(error, -EINVAL,
					      "is not of the form iscsi://host[:port]/target/lun");
		}
		if (lun->path_count == VRMS_SAN_PATHS_MAX) {
			return vrms_error_set(error, -E2BIG, "has more than %d portals",
					      VRMS_SAN_PATHS_MAX);
		}
		lun->paths[lun->path_count++] = path;
	}
	return lun->path_count > 0 ? 0 : vrms_error_set(error, -EINVAL, "has no portal");
}

int vrms_san_luns_parse(const char *text, struct vrms_san_luns *ret_luns, struct vrms_error *error)
{
	struct vrms_san_luns luns VRMS_CLEANUP(vrms_san_luns_done) = {.text = strdup(text)};
	char *rest = NULL;

	if (luns.text == NULL) {
		return -ENOMEM;
	}
	for (char *word = strtok_r(luns.text, ", \t\n", &rest); word != NULL;
	     word = strtok_r(NULL, ", \t\n", &rest)) {
		if (luns.count == VRMS_SAN_LUNS_MAX) {
			return vrms_error_set(error, -E2BIG, "luns: more than %d",
					      VRMS_SAN_LUNS_MAX);
		}
		int rc = take_lun(word, &luns.luns[luns.count++], error);
		if (rc < 0) {
			return vrms_error_wrap(error, rc, "luns: number %zu", luns.count);
		}
	}
	if (luns.count == 0) {
		return vrms_error_set(error, -EINVAL, "luns: none given");
	}
	*ret_luns = luns;
	luns.text = NULL;
	return 0;
}

void vrms_san_luns_done(struct vrms_san_luns *luns)
{
	free(luns->text);
	luns->text = NULL;
	luns->count = 0;
}

const char *vrms_san_lun_name(const struct vrms_san_lun *lun, char *buffer, size_t size)
{
	snprintf(buffer, size, "%s", vrms_san_url_address(lun->paths[0]));
	return buffer;
}

int vrms_san_open(const struct vrms_san_lun *lun, unsigned path,
		  const struct vrms_san_access *access, enum vrms_pr_party party,
		  struct vrms_iscsi **ret_session, struct vrms_error *error)
{
	struct vrms_iscsi *session VRMS_CLEANUP(vrms_iscsi_closep) = NULL;
	char id[VRMS_ISCSI_ID_BYTES];
	const struct vrms_iscsi_login login = {
	    .url = lun->paths[path],
	    .initiator = access->initiators[party],
	    .user = access->user,
	    .password = access->password,
	    .timeout_ms = access->timeout_ms,
	};
	int rc = vrms_iscsi_open(&login, &session, error);

	if (rc == 0 && lun->id != NULL) {
		rc = vrms_iscsi_identify(session, id, error);
	}
	if (rc < 0) {
		return rc;
	}
	if (lun->id != NULL && strcmp(id, lun->id) != 0) {
		return vrms_error_set(error, -ESTALE, "the LUN is %s, not %s", id, lun->id);
	}
	*ret_session = VRMS_TAKE(session);
	return 0;
}

int vrms_san_look(struct vrms_iscsi *session, struct vrms_pr_view *ret_view,
		  struct vrms_error *error)
{
	enum vrms_pr_answer answer = VRMS_PR_AGAIN;

	for (int i = 0; i < LOOKS_MAX && answer == VRMS_PR_AGAIN; i++) {
		answer = vrms_iscsi_pr_read(session, ret_view, error);
	}
	if (answer == VRMS_PR_UNKNOWN) {
		return vrms_error_wrap(error, -ENOTSUP, "%s",
				       vrms_pr_reason_text(VRMS_PR_REASON_UNSUPPORTED));
	}
	return answer == VRMS_PR_GOOD ? 0
				      : vrms_error_wrap(error, -EIO, "READ KEYS or RESERVATION");
}

/* A job under way. */
struct run {
	const struct vrms_san_lun *lun;
	const struct vrms_san_access *access;
	struct vrms_pr_job *job;
	struct vrms_iscsi *sessions[3]; /* by enum vrms_pr_party; of one path */
	unsigned path;
	int fatal; /* not to be mended by another path */
};

static void close_all(struct run *run)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(run->sessions); i++) {
		vrms_iscsi_close(run->sessions[i]);
		run->sessions[i] = NULL;
	}
}

static struct vrms_iscsi *session_of(struct run *run, enum vrms_pr_party party,
				     struct vrms_error *error)
{
	if (run->path != run->job->path) {
		close_all(run);
		run->path = run->job->path;
	}
	if (run->sessions[party] == NULL) {
		int rc = vrms_san_open(run->lun, run->path, run->access, party,
				       &run->sessions[party], error);
		run->fatal = rc == -ESTALE || rc == -EINVAL ? rc : run->fatal;
	}
	return run->sessions[party];
}

static void note_step(const struct run *run, const struct vrms_pr_step *step,
		      enum vrms_pr_answer answer, const struct vrms_error *error)
{
	const struct vrms_pr_view *view = &run->job->view;
	char line[512];
	char name[128];
	int used;

	if (run->access->note == NULL) {
		return;
	}
	used = snprintf(line, sizeof(line), "%.120s path %u: %s",
			vrms_san_lun_name(run->lun, name, sizeof(name)), run->path,
			vrms_pr_step_name(step));
	if (step->key != 0) {
		used += snprintf(line + used, sizeof(line) - (size_t)used, " key=%016" PRIx64,
				 step->key);
	}
	if (step->subject != 0) {
		used += snprintf(line + used, sizeof(line) - (size_t)used, " of=%016" PRIx64,
				 step->subject);
	}
	used += snprintf(line + used, sizeof(line) - (size_t)used, " -> %s",
			 vrms_pr_answer_name(answer));
	if (step->kind == VRMS_PR_READ && answer == VRMS_PR_GOOD) {
		snprintf(line + used, sizeof(line) - (size_t)used,
			 ": %zu keys; holder %016" PRIx64 " type %u", view->key_count, view->holder,
			 view->type);
	} else if (answer != VRMS_PR_GOOD) {
		snprintf(line + used, sizeof(line) - (size_t)used, " (%.200s)", error->text);
	}
	run->access->note(line);
}

static void settle(const struct run *run, const struct vrms_pr_step *step)
{
	vrms_clock_sleep_ms(run->access->clock, run->access->settle_ms);
	vrms_pr_answered(run->job, VRMS_PR_GOOD);
	note_step(run, step, VRMS_PR_GOOD, NULL);
}

static void do_step(struct run *run, const struct vrms_pr_step *step, struct vrms_error *error)
{
	struct vrms_iscsi *session = session_of(run, step->party, error);
	enum vrms_pr_answer answer = VRMS_PR_LOST;
	struct vrms_pr_view view;

	if (session != NULL && step->kind == VRMS_PR_READ) {
		answer = vrms_iscsi_pr_read(session, &view, error);
	} else if (session != NULL && step->kind == VRMS_PR_PROBE) {
		answer = vrms_iscsi_probe(session, error);
	} else if (session != NULL) {
		answer = vrms_iscsi_pr_write(session, step, error);
	}
	if (answer == VRMS_PR_AGAIN) {
		vrms_clock_sleep_ms(run->access->clock, BUSY_WAIT_MS / 10);
	}
	if (step->kind == VRMS_PR_READ && answer == VRMS_PR_GOOD) {
		vrms_pr_seen(run->job, &view);
	} else {
		vrms_pr_answered(run->job, answer);
	}
	note_step(run, step, answer, error);
}

static int verdict_of(const struct run *run, enum vrms_pr_reason reason, struct vrms_error *error)
{
	static const int errors[] = {
	    [VRMS_PR_REASON_STRANGER] = -EBUSY,      [VRMS_PR_REASON_TYPE] = -EBUSY,
	    [VRMS_PR_REASON_UNSUPPORTED] = -ENOTSUP, [VRMS_PR_REASON_UNREACHABLE] = -EHOSTUNREACH,
	    [VRMS_PR_REASON_STUBBORN] = -EIO,        [VRMS_PR_REASON_NOT_REFUSED] = -EIO,
	    [VRMS_PR_REASON_UNPROVED] = -EIO,        [VRMS_PR_REASON_REFUSED] = -EIO,
	    [VRMS_PR_REASON_ATTENTION] = -EIO,       [VRMS_PR_REASON_FOREIGN] = -EPERM,
	};
	const struct vrms_pr_view *view = &run->job->view;
	const char *text = vrms_pr_reason_text(reason);

	switch (reason) {
	case VRMS_PR_REASON_NONE:
		vrms_error_clear(error);
		return 0;
	case VRMS_PR_REASON_STRANGER:
	case VRMS_PR_REASON_TYPE:
		return vrms_error_set(error, errors[reason], "%s: 0x%" PRIx64 ", %s (%u)", text,
				      view->holder, vrms_pr_type_name(view->type), view->type);
	case VRMS_PR_REASON_FOREIGN:
		return vrms_error_set(error, errors[reason], "%s: 0x%" PRIx64, text,
				      vrms_pr_foreign_key(run->job, view));
	default:
		return vrms_error_wrap(error, errors[reason], "%s", text);
	}
}

static int run_to_the_end(struct run *run, struct vrms_error *error)
{
	const struct vrms_san_access *access = run->access;
	struct vrms_pr_step step;

	for (;;) {
		vrms_pr_next(run->job, &step);
		if (step.kind == VRMS_PR_DONE || step.kind == VRMS_PR_FAILED) {
			return verdict_of(run, step.reason, error);
		}
		if (access->deadline_ms != 0 &&
		    vrms_clock_now_ms(access->clock) >= access->deadline_ms) {
			return vrms_error_wrap(error, -ETIMEDOUT, "out of time before %s",
					       vrms_pr_step_name(&step));
		}
		vrms_error_clear(error);
		if (step.kind == VRMS_PR_SETTLE) {
			settle(run, &step);
		} else {
			do_step(run, &step, error);
		}
		if (run->fatal != 0) {
			return run->fatal;
		}
	}
}

int vrms_san_run(const struct vrms_san_lun *lun, const struct vrms_san_access *access,
		 struct vrms_pr_job *job, struct vrms_error *error)
{
	struct run run = {.lun = lun, .access = access, .job = job};

	job->path_count = lun->path_count;
	int rc = run_to_the_end(&run, error);
	close_all(&run);
	return rc;
}
