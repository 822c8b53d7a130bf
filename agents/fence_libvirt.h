/* fence_libvirt.h - power of a cluster node that is a libvirt guest: questions to the outer hosts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_FENCE_LIBVIRT_H
#define VRMS_AGENTS_FENCE_LIBVIRT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"
#include "common/error.h"

/* What one outer host says of the domain. */
enum vrms_outer_answer {
	VRMS_OUTER_SILENT, /* no connection, or no answer in time */
	VRMS_OUTER_ABSENT, /* it knows no such domain */
	VRMS_OUTER_OFF,
	VRMS_OUTER_ON, /* it has a process: running, paused or crashed */
};

enum vrms_outer_verdict {
	VRMS_VERDICT_UNKNOWN, /* a host that does not answer may run it */
	VRMS_VERDICT_ABSENT,  /* nobody knows it */
	VRMS_VERDICT_OFF,     /* proven */
	VRMS_VERDICT_ON,
};

/* Makes one of all answers.
 *
 * single_host: all are ways to the same host, so that one answer is as good as all.
 */
enum vrms_outer_verdict vrms_outer_judge(const enum vrms_outer_answer *answers, size_t count,
					 bool single_host);

enum { VRMS_OUTER_MAX = 8 };

enum vrms_outer_request {
	VRMS_OUTER_LOOK,
	VRMS_OUTER_DESTROY, /* where it is on */
	VRMS_OUTER_CREATE,  /* where it is off */
	VRMS_OUTER_LIST,
};

struct vrms_outer {
	const char *uri; /* the caller's */
	enum vrms_outer_answer answer;
	struct vrms_error error; /* why it is silent, or what it refused */
	int rc;                  /* of the request: 0 or -errno */
	/* DESTROY: it was on there, not about to run elsewhere, and is not any more */
	bool was_destroyed;
	char *names; /* LIST: "name uuid on|off" lines; freed by _done */
};

struct vrms_outers {
	struct vrms_outer hosts[VRMS_OUTER_MAX];
	size_t count;
	bool single_host; /* see vrms_outer_judge() */
	char *text;       /* the URIs */
};

/* Takes URIs apart that are separated by commas or blanks; -EINVAL when there is none or too many.
 */
VRMS_MUST_CHECK int vrms_outers_init(struct vrms_outers *outers, const char *uris, bool single_host,
				     struct vrms_error *error);
void vrms_outers_done(struct vrms_outers *outers);

/* Asks all hosts at the same time, each in a thread of its own.  A call that outlasts the deadline
 * is given up: the process must leave by _exit() then.  Once one host has said what is enough (it
 * has destroyed the domain; or any answer, with LIST or single_host) the others get one more
 * second.
 *
 * domain: name or UUID; unused by LIST.  only: index of the one host to ask, or -1.
 */
void vrms_outers_ask(struct vrms_outers *outers, enum vrms_outer_request request,
		     const char *domain, int only, const struct vrms_clock *clock,
		     int64_t deadline_ms);

/* vrms_outer_judge() of the last answers. */
enum vrms_outer_verdict vrms_outers_verdict(const struct vrms_outers *outers);

/* Switches the domain off everywhere and proves it: asks again until it is off or time is up.
 * Where it was found and destroyed, it ran; the silence of other hosts does not matter then.
 * Off already is success.  -EIO: what is not proven, and why; -ENODEV: nobody knows it. */
VRMS_MUST_CHECK int vrms_outers_off(struct vrms_outers *outers, const char *domain,
				    const struct vrms_clock *clock, int64_t deadline_ms,
				    struct vrms_error *error);

/* Switches it on at the first host that has it, once it is proven to be off.  On is success. */
VRMS_MUST_CHECK int vrms_outers_on(struct vrms_outers *outers, const char *domain,
				   const struct vrms_clock *clock, int64_t deadline_ms,
				   struct vrms_error *error);

/* "no host answers", with the reason of the first silent one. */
int vrms_outers_complain(const struct vrms_outers *outers, const char *domain,
			 struct vrms_error *error);

#endif
