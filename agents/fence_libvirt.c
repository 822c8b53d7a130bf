/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/fence_libvirt.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <string.h>

#include "agents/libvirt_error.h"
#include "agents/worker.h"

enum { AGAIN_MS = 200, LOOK_MS = 10, GRACE_MS = 1000 };

/* --- Verdict ----------------------------------------------------------------------------- */

enum vrms_outer_verdict vrms_outer_judge(const enum vrms_outer_answer *answers, size_t count,
					 bool single_host)
{
	size_t of_kind[VRMS_OUTER_ON + 1] = {0};

	for (size_t i = 0; i < count; i++) {
		of_kind[answers[i]]++;
	}
	if (of_kind[VRMS_OUTER_ON] > 0) {
		return VRMS_VERDICT_ON;
	}
	bool is_silence_enough = single_host && of_kind[VRMS_OUTER_SILENT] < count;
	if (of_kind[VRMS_OUTER_SILENT] > 0 && !is_silence_enough) {
		return VRMS_VERDICT_UNKNOWN;
	}
	return of_kind[VRMS_OUTER_OFF] > 0 ? VRMS_VERDICT_OFF : VRMS_VERDICT_ABSENT;
}

enum vrms_outer_verdict vrms_outers_verdict(const struct vrms_outers *outers)
{
	enum vrms_outer_answer answers[VRMS_OUTER_MAX] = {VRMS_OUTER_SILENT};

	for (size_t i = 0; i < outers->count; i++) {
		answers[i] = outers->hosts[i].answer;
	}
	return vrms_outer_judge(answers, outers->count, outers->single_host);
}

int vrms_outers_init(struct vrms_outers *outers, const char *uris, bool single_host,
		     struct vrms_error *error)
{
	char *rest = NULL;

	memset(outers, 0, sizeof(*outers));
	outers->single_host = single_host;
	outers->text = strdup(uris);
	if (outers->text == NULL) {
		return vrms_error_errno(error, -ENOMEM, "uri");
	}
	for (char *uri = strtok_r(outers->text, ", \t\n", &rest); uri != NULL;
	     uri = strtok_r(NULL, ", \t\n", &rest)) {
		if (outers->count == VRMS_OUTER_MAX) {
			return vrms_error_set(error, -EINVAL, "uri: more than %d URIs",
					      VRMS_OUTER_MAX);
		}
		outers->hosts[outers->count++].uri = uri;
	}
	return outers->count > 0 ? 0
				 : vrms_error_set(error, -EINVAL, "uri: \"%s\" is no URI", uris);
}

void vrms_outers_done(struct vrms_outers *outers)
{
	for (size_t i = 0; i < outers->count; i++) {
		free(outers->hosts[i].names);
	}
	free(outers->text);
	memset(outers, 0, sizeof(*outers));
}

/* --- In the hosts' threads ------------------------------------------------------------------ */

struct question {
	struct vrms_job job; /* first */
	enum vrms_outer_request request;
	char *uri;
	char *domain; /* NULL: list */
	enum vrms_outer_answer answer;
	bool was_on;
	char *names;
};

static int take_error(struct vrms_error *error)
{
	const virError *last = virGetLastError();
	const struct vrms_libvirt_failure failure = {
	    .code = last == NULL ? 0 : last->code,
	    .domain = last == NULL ? 0 : last->domain,
	    .message = last == NULL ? "libvirt gives no reason" : last->message,
	};

	return vrms_libvirt_error_from(&failure, error);
}

/* Absent is only what libvirt says to be no domain.  A lookup by name that failed for another
 * reason leaves it at that: asked for a UUID, libvirt would say "invalid argument" of a plain name
 * without asking the host at all. */
static virDomainPtr find(virConnectPtr connection, const char *domain, bool *ret_is_absent)
{
	virDomainPtr found = virDomainLookupByName(connection, domain);

	*ret_is_absent = false;
	if (found != NULL || virGetLastErrorCode() != VIR_ERR_NO_DOMAIN) {
		return found;
	}
	found = virDomainLookupByUUIDString(connection, domain);
	if (found == NULL) {
		int code = virGetLastErrorCode(); /* INVALID_ARG: a name, no UUID */

		*ret_is_absent = code == VIR_ERR_NO_DOMAIN || code == VIR_ERR_INVALID_ARG;
	}
	return found;
}

/* A domain that vanishes while it is asked was a transient one, and has ended. */
static int read_answer(struct question *question, virDomainPtr domain)
{
	int is_active = virDomainIsActive(domain);

	if (is_active < 0 && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN) {
		return take_error(&question->job.error);
	}
	question->answer = is_active == 1 ? VRMS_OUTER_ON : VRMS_OUTER_OFF;
	return 0;
}

/* At the end of a migration the domain stands still at both hosts, and then it runs at one of them.
 * The job that moves it is not asked about: that waits for a QEMU that may hang. */
static bool is_handed_over(virDomainPtr domain)
{
	int state = VIR_DOMAIN_NOSTATE, reason = 0;

	return virDomainGetState(domain, &state, &reason, 0) == 0 && state == VIR_DOMAIN_PAUSED &&
	       (reason == VIR_DOMAIN_PAUSED_MIGRATION || reason == VIR_DOMAIN_PAUSED_POSTCOPY ||
		reason == VIR_DOMAIN_PAUSED_POSTCOPY_FAILED);
}

/* Memory that was saved (libvirt-guests does so when its host is shut down) wakes up at the next
 * start with all that ran on the node: with it the node is not off for good. */
static int drop_saved_memory(struct question *question, virDomainPtr domain)
{
	if (question->answer != VRMS_OUTER_OFF || virDomainHasManagedSaveImage(domain, 0) != 1 ||
	    virDomainManagedSaveRemove(domain, 0) == 0) {
		return 0;
	}
	int rc = take_error(&question->job.error);
	question->answer = VRMS_OUTER_SILENT;
	return vrms_error_wrap(&question->job.error, rc, "its saved memory");
}

static int act(struct question *question, virDomainPtr domain)
{
	int rc = question->request == VRMS_OUTER_LOOK ? 0 : drop_saved_memory(question, domain);

	if (rc < 0) {
		return rc;
	}
	question->was_on = question->answer == VRMS_OUTER_ON && !is_handed_over(domain);
	if (question->request == VRMS_OUTER_DESTROY && question->answer == VRMS_OUTER_ON) {
		rc = virDomainDestroy(domain);
	} else if (question->request == VRMS_OUTER_CREATE && question->answer == VRMS_OUTER_OFF) {
		rc = virDomainCreate(domain);
	} else {
		return 0;
	}
	if (rc < 0) {
		rc = take_error(&question->job.error);
	}
	/* Whatever it said: what counts is how it is now. */
	int look_rc = read_answer(question, domain);
	if (look_rc == 0 && question->request == VRMS_OUTER_DESTROY) {
		look_rc = drop_saved_memory(question, domain);
	}
	return rc < 0 ? rc : look_rc;
}

static int ask_about(struct question *question, virConnectPtr connection)
{
	bool is_absent;
	virDomainPtr domain = find(connection, question->domain, &is_absent);

	if (domain == NULL) {
		if (!is_absent) {
			return take_error(&question->job.error);
		}
		question->answer = VRMS_OUTER_ABSENT;
		return 0;
	}
	int rc = read_answer(question, domain);
	if (rc == 0) {
		rc = act(question, domain);
	}
	(void)virDomainFree(domain);
	return rc;
}

static void print_domain(FILE *out, virDomainPtr domain)
{
	char uuid[VIR_UUID_STRING_BUFLEN] = "";

	(void)virDomainGetUUIDString(domain, uuid);
	fprintf(out, "%s %s %s\n", virDomainGetName(domain), uuid,
		virDomainIsActive(domain) == 1 ? "on" : "off");
}

static int list(struct question *question, virConnectPtr connection)
{
	size_t size;
	virDomainPtr *domains = NULL;
	int count = virConnectListAllDomains(connection, &domains, 0);

	if (count < 0) {
		return take_error(&question->job.error);
	}
	FILE *out = open_memstream(&question->names, &size);
	for (int i = 0; i < count; i++) {
		if (out != NULL) {
			print_domain(out, domains[i]);
		}
		(void)virDomainFree(domains[i]);
	}
	free(domains);
	if (out == NULL || fclose(out) != 0) {
		return vrms_error_errno(&question->job.error, -ENOMEM, "list of domains");
	}
	question->answer = VRMS_OUTER_ABSENT;
	return 0;
}

static int run_question(struct vrms_job *job)
{
	struct question *question = (struct question *)job;
	virConnectPtr connection = virConnectOpen(question->uri);

	if (connection == NULL) {
		int rc = take_error(&job->error);
		return vrms_error_wrap(&job->error, rc, "%s", question->uri);
	}
	int rc = question->request == VRMS_OUTER_LIST ? list(question, connection)
						      : ask_about(question, connection);
	(void)virConnectClose(connection);
	return rc < 0 ? vrms_error_wrap(&job->error, rc, "%s", question->uri) : 0;
}

static void free_question(struct vrms_job *job)
{
	struct question *question = (struct question *)job;

	free(question->uri);
	free(question->domain);
	free(question->names);
	free(question);
}

/* --- In the caller's thread ----------------------------------------------------------------- */

static struct question *question_new(const struct vrms_outer *host, enum vrms_outer_request request,
				     const char *domain)
{
	struct question *question = calloc(1, sizeof(*question));

	if (question == NULL) {
		return NULL;
	}
	question->job.run = run_question;
	question->job.free = free_question;
	question->request = request;
	question->answer = VRMS_OUTER_SILENT;
	question->uri = strdup(host->uri);
	question->domain = domain == NULL ? NULL : strdup(domain);
	if (question->uri == NULL || (domain != NULL && question->domain == NULL)) {
		free_question(&question->job);
		return NULL;
	}
	return question;
}

static void take_answer(struct vrms_outer *host, struct question *question)
{
	host->rc = question->job.rc;
	host->answer = question->answer;
	host->was_destroyed = question->request == VRMS_OUTER_DESTROY && question->was_on &&
			      question->answer == VRMS_OUTER_OFF;
	host->error = question->job.error;
	host->names = VRMS_TAKE(question->names);
	free_question(&question->job);
}

static void begin(struct vrms_outer *host, struct vrms_worker **worker, struct question **question,
		  enum vrms_outer_request request, const char *domain)
{
	free(host->names);
	*host = (struct vrms_outer){.uri = host->uri};
	*worker = vrms_worker_new();
	*question = question_new(host, request, domain);
	host->rc = *worker == NULL || *question == NULL
		       ? -ENOMEM
		       : vrms_worker_begin(*worker, &(*question)->job);
	if (host->rc < 0) {
		(void)vrms_error_errno(&host->error, host->rc, "%s", host->uri);
		if (*question != NULL) {
			free_question(&(*question)->job);
		}
		*question = NULL;
	}
}

/* Takes what has been answered; true when nothing is left to wait for. */
static bool collect(struct vrms_outers *outers, struct vrms_worker **workers,
		    struct question **questions, const struct vrms_clock *clock)
{
	bool is_complete = true;

	for (size_t i = 0; i < outers->count; i++) {
		if (questions[i] != NULL && vrms_worker_wait(workers[i], clock, 0, false) == 0) {
			take_answer(&outers->hosts[i], questions[i]);
			questions[i] = NULL;
		}
		is_complete &= questions[i] == NULL;
	}
	return is_complete;
}

static bool is_enough(const struct vrms_outers *outers, enum vrms_outer_request request)
{
	bool is_any_enough = outers->single_host || request == VRMS_OUTER_LIST;

	for (size_t i = 0; i < outers->count; i++) {
		if (outers->hosts[i].was_destroyed ||
		    (is_any_enough && outers->hosts[i].answer != VRMS_OUTER_SILENT)) {
			return true;
		}
	}
	return false;
}

static void give_up(struct vrms_outers *outers, struct vrms_worker **workers,
		    struct question **questions, const struct vrms_clock *clock)
{
	for (size_t i = 0; i < outers->count; i++) {
		struct vrms_outer *host = &outers->hosts[i];

		if (questions[i] != NULL && vrms_worker_wait(workers[i], clock, 0, true) == 0) {
			take_answer(host, questions[i]);
		} else if (questions[i] != NULL) {
			host->rc = vrms_error_set(&host->error, -ETIMEDOUT,
						  "%s does not answer in time", host->uri);
		}
		vrms_worker_free(workers[i]);
	}
}

void vrms_outers_ask(struct vrms_outers *outers, enum vrms_outer_request request,
		     const char *domain, int only, const struct vrms_clock *clock,
		     int64_t deadline_ms)
{
	struct vrms_worker *workers[VRMS_OUTER_MAX] = {NULL};
	struct question *questions[VRMS_OUTER_MAX] = {NULL};
	int64_t end_ms = deadline_ms;

	for (size_t i = 0; i < outers->count; i++) {
		if (only < 0 || (size_t)only == i) {
			begin(&outers->hosts[i], &workers[i], &questions[i], request, domain);
		}
	}
	bool had_enough = false;
	while (!collect(outers, workers, questions, clock) && vrms_clock_now_ms(clock) < end_ms) {
		if (!had_enough && is_enough(outers, request)) {
			int64_t grace_ms = vrms_clock_now_ms(clock) + GRACE_MS;

			had_enough = true;
			end_ms = grace_ms < end_ms ? grace_ms : end_ms;
		}
		vrms_clock_sleep_ms(clock, LOOK_MS);
	}
	give_up(outers, workers, questions, clock);
}

int vrms_outers_complain(const struct vrms_outers *outers, const char *domain,
			 struct vrms_error *error)
{
	const struct vrms_outer *worst = NULL;

	/* What a host says is worth more than that it said nothing in time. */
	for (size_t i = 0; i < outers->count; i++) {
		const struct vrms_outer *host = &outers->hosts[i];

		if (host->rc < 0 &&
		    (worst == NULL || (worst->rc == -ETIMEDOUT && host->rc != -ETIMEDOUT))) {
			worst = host;
		}
	}
	return worst != NULL ? vrms_error_set(error, -EIO, "%s: not known to be off: %s", domain,
					      worst->error.text)
			     : vrms_error_set(error, -EIO, "%s: still on", domain);
}

static int no_such(const struct vrms_outers *outers, const char *domain, struct vrms_error *error)
{
	return vrms_error_set(error, -ENODEV, "no domain \"%s\" at %s%s", domain,
			      outers->hosts[0].uri, outers->count > 1 ? " and the others" : "");
}

static bool is_proven_by_deed(const struct vrms_outers *outers)
{
	bool was_destroyed = false;

	for (size_t i = 0; i < outers->count; i++) {
		was_destroyed |= outers->hosts[i].was_destroyed;
	}
	return was_destroyed && vrms_outers_verdict(outers) != VRMS_VERDICT_ON;
}

int vrms_outers_off(struct vrms_outers *outers, const char *domain, const struct vrms_clock *clock,
		    int64_t deadline_ms, struct vrms_error *error)
{
	for (;;) {
		int64_t begin_ms = vrms_clock_now_ms(clock);

		vrms_outers_ask(outers, VRMS_OUTER_DESTROY, domain, -1, clock, deadline_ms);
		int64_t took_ms = vrms_clock_now_ms(clock) - begin_ms;
		enum vrms_outer_verdict verdict = vrms_outers_verdict(outers);

		if (verdict == VRMS_VERDICT_OFF || is_proven_by_deed(outers)) {
			return 0;
		}
		if (verdict == VRMS_VERDICT_ABSENT) {
			return no_such(outers, domain, error);
		}
		/* A question that has no time for its answer would only hide what is known. */
		if (vrms_clock_now_ms(clock) + AGAIN_MS + took_ms >= deadline_ms) {
			return vrms_outers_complain(outers, domain, error);
		}
		vrms_clock_sleep_ms(clock, AGAIN_MS);
	}
}

static int first_off(const struct vrms_outers *outers)
{
	for (size_t i = 0; i < outers->count; i++) {
		if (outers->hosts[i].answer == VRMS_OUTER_OFF) {
			return (int)i;
		}
	}
	return -1;
}

int vrms_outers_on(struct vrms_outers *outers, const char *domain, const struct vrms_clock *clock,
		   int64_t deadline_ms, struct vrms_error *error)
{
	vrms_outers_ask(outers, VRMS_OUTER_LOOK, domain, -1, clock, deadline_ms);
	switch (vrms_outers_verdict(outers)) {
	case VRMS_VERDICT_ON:
		return 0;
	case VRMS_VERDICT_ABSENT:
		return no_such(outers, domain, error);
	case VRMS_VERDICT_UNKNOWN: /* it may run there: two of it would be worse than none */
		return vrms_outers_complain(outers, domain, error);
	case VRMS_VERDICT_OFF:
		break;
	}
	int index = first_off(outers);
	struct vrms_outer *host = &outers->hosts[index];
	vrms_outers_ask(outers, VRMS_OUTER_CREATE, domain, index, clock, deadline_ms);
	if (host->answer == VRMS_OUTER_ON) {
		return 0;
	}
	return vrms_error_set(error, -EIO, "%s: not switched on: %s", domain, host->error.text);
}
