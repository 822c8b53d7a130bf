/* tuner.h - the shortest token that this node can bear: measurements in, milliseconds out.
 *
 * Pure: events in, one number with its reason out.  Memory is bounded and taken in _new().
 *
 * What a token means.  Totem calls the token lost `token` ms after a node last
 * saw it, and drops a silent member `consensus` (1.2 x token) ms later.  An idle
 * ring holds the token for up to 0.2 x token, which a stall may use up first.  So
 *
 *   a stall longer than 0.8 x token may break the ring, which forms again with
 *   the same members (a disturbance: messages wait, nobody is fenced);
 *   a stall longer than 2.0 x token may cost a member that lives (a false loss).
 *
 * less the time R that one undisturbed rotation of the token takes: no more than an undisturbed
 * round trip to each member, one after the other (quorum/latency.h).  A packet that is lost costs
 * no stall: totem sends the token again every 0.24 x token, four times.
 *
 * The estimate.  What is measured is what breaks the ring, and nothing else: how late a thread
 * with corosync's own priority wakes up, which delays corosync as much; and how long the token is
 * overdue, which is everybody's stalls and the network's.  The block maxima of both are fitted with
 * a generalised Pareto tail each (quorum/tail.h).  The rates are added: the union bound,
 * whatever their dependence.  The token is the shortest for which
 *
 *   rate(stall > 2.0 x token - R) <= loss_per_year           and
 *   rate(stall > 0.8 x token - R) <= disturbances_per_year   and
 *   token >= (the longest stall of the last ten minutes + R) / 0.8,
 *
 * between the floor and the configured value.  The third line is no statistics: what
 * has just happened may happen again, and shall not break the ring then.  It counts
 * corosync's slow answers, too, whose tail says nothing about the token: an answer waits for every
 * message that is being delivered, the token does not.
 *
 * The thread that measures the scheduling sleeps for sampling_us at a time; what it says of one
 * wake-up is exact, but a stall may have begun up to that much before the wake-up was due.  So
 * rate(x) of that source is its tail's at x - sampling_us, and its longest stall is taken for that
 * much longer.
 *
 * Not counted is what is measured in the first settle_ms: a host that boots.
 *
 * The start.  Minutes of measurements cannot vouch for ten years.  loss_per_year is
 * therefore earned: the tuner starts with loss_start_per_year (default: one
 * in 30 days, for the installation's first hours) and asks for 1000 times the time
 * that it has measured without a gap, until that reaches loss_per_year: after 43 minutes it
 * begins to tighten, after 88 hours ten years are asked for.  What is promised at any moment is
 * what _need says; evidence (the third line, a disturbance, a loss) acts at once, always.
 *
 * The second opinion.  Where fence_vrms_verdict stands before the fence device and this node's
 * beats are written, a false loss costs a change of the membership and no reboot.
 * While VRMS_TUNER_GUARD says so, the budget is loss_guarded_per_year, from the start: wrong by a
 * factor of a hundred, it is still no harm.
 *
 * Redundant links.  Where knet sends on one link of several, a dead link is
 * noticed only after knet's own ping time-out, which corosync does not change while
 * it runs; a token shorter than that turns a dead link into lost nodes.  VRMS_TUNER_LINKS
 * gives the shortest token that outlives it.
 *
 * A node that joins.  It comes with its own configured token.  Many nodes whose token is a tenth of
 * that call the attempt off before it has answered, and again, and again: eight with 200 ms were
 * seen to form 30 rings in 10 s.  So the first ring of the same members (VRMS_TUNER_KNOCK)
 * lengthens to load_floor_ms for a moment, in which the node gets in; from then on the cluster
 * waits for its measurements anyway.
 *
 * Movements.  Lengthened at once.  Shortened only when a smaller value, below
 * by hysteresis_pct, has been enough for shorten_after_ms without a break.
 * Announced load, a disturbance and a false loss lengthen for a time, whatever
 * the model says.  Too little measured, a source gone silent, or tuning
 * switched off: the configured value.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_TUNER_H
#define VRMS_QUORUM_TUNER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "quorum/reason.h"
#include "quorum/sketch.h"
#include "quorum/tail.h"

/* What a source is for: its tail is extrapolated; it is evidence of the last minutes only; or it is
 * the time of a rotation. */
enum vrms_tuner_use { VRMS_TUNER_MODELLED, VRMS_TUNER_EVIDENCE, VRMS_TUNER_ROTATION };

/* X(NAME, "name", use, "what is measured, in microseconds") */
#define VRMS_TUNER_SOURCES(X)                                                                    \
	X(SCHEDULING, "scheduling", VRMS_TUNER_MODELLED, "how late a real-time thread wakes up") \
	X(RING, "ring", VRMS_TUNER_MODELLED, "how long the token is overdue")                    \
	X(ANSWER, "answer", VRMS_TUNER_EVIDENCE, "answers of corosync, messages over the ring")  \
	X(LINK, "link", VRMS_TUNER_ROTATION, "one rotation by the knet links' latency")

#define VRMS_TUNER_SOURCE_ENUM(name, word, use, text) VRMS_TUNER_##name,
enum vrms_tuner_source { VRMS_TUNER_SOURCES(VRMS_TUNER_SOURCE_ENUM) VRMS_TUNER_SOURCE_COUNT };
#undef VRMS_TUNER_SOURCE_ENUM

const char *vrms_tuner_source_name(enum vrms_tuner_source source);

struct vrms_tuner_config {
	int64_t configured_ms; /* the admin's token, coefficient included */
	int64_t floor_ms;      /* never shorter */
	int64_t load_floor_ms; /* never shorter while load is announced, or a node knocks */
	int64_t settle_ms;     /* measurements of so long after the first event do not count */
	int64_t warmup_ms;     /* measured at least this long before anything is shortened */
	int64_t stale_ms;      /* a source silent for longer is a source lost */
	int64_t shorten_after_ms;
	int64_t hysteresis_pct;       /* 0..50 */
	int64_t penalty_ms;           /* how long a disturbance is remembered */
	double loss_per_year;         /* budget of this node, > 0 */
	double loss_start_per_year;   /* >= loss_per_year; 0: the same from the start */
	double loss_guarded_per_year; /* the same under a second opinion; 0: as without */
	double disturbances_per_year; /* > 0 */
	int64_t
	    sampling_us; /* SCHEDULING: from one look to the next; 0: its values are whole stalls */
	unsigned source_bits; /* 1 << enum vrms_tuner_source: must be measured; others may be */
};

enum vrms_tuner_event_kind {
	VRMS_TUNER_SAMPLE,     /* source, value_us */
	VRMS_TUNER_TICK,       /* about once a second */
	VRMS_TUNER_LOAD,       /* value_ms: at least until now + value_ms; 0: it is over */
	VRMS_TUNER_CONFIGURED, /* value_ms: the admin's token has changed */
	VRMS_TUNER_ENABLE,     /* value_ms: 0 off, else on */
	VRMS_TUNER_GUARD, /* value_ms: 0 a loss may cost a reboot, else a second opinion guards */
	VRMS_TUNER_LINKS, /* value_ms: shortest token that outlives a dead link; 0: any */
	VRMS_TUNER_KNOCK, /* value_ms: so long; the ring formed again, perhaps for a node that joins
			   */
	VRMS_TUNER_DISTURBED,  /* value_ms: token in force when the ring broke without a loss */
	VRMS_TUNER_FALSE_LOSS, /* a live node was dropped: here, or seen from here */
};

struct vrms_tuner_event {
	int64_t now_ms; /* monotonic */
	enum vrms_tuner_event_kind kind;
	enum vrms_tuner_source source;
	uint32_t value_us;
	int64_t value_ms;
};

struct vrms_tuner_need {
	int64_t token_ms; /* floor_ms..configured_ms */
	enum vrms_reason reason;
	bool changed;                   /* token_ms differs from the last step's */
	double allowed_loss_per_year;   /* the budget, guarded or as earned so far */
	double predicted_loss_per_year; /* at token_ms; < 0 while there is no model */
	double predicted_disturbances_per_year;
};

/* What has happened since the start, to hold the prediction against. */
struct vrms_tuner_observed {
	int64_t watched_ms;
	int64_t disturbances;
	int64_t false_losses;
	double expected_disturbances; /* the predictions added up over the watched time */
	double expected_losses;
};

struct vrms_tuner; /* opaque */

/* NULL only when out of memory (about 370 kB).  Starts enabled, at configured_ms. */
struct vrms_tuner *vrms_tuner_new(const struct vrms_tuner_config *config);
void vrms_tuner_free(struct vrms_tuner *tuner); /* accepts NULL */
VRMS_DEFINE_CLEANUP(struct vrms_tuner *, vrms_tuner_free);

/* Takes in one event and says what this node needs from now on. */
void vrms_tuner_step(struct vrms_tuner *tuner, const struct vrms_tuner_event *event,
		     struct vrms_tuner_need *need);

/* The model of a source as fitted last, for people; NULL while there is none. */
const struct vrms_tail_fit *vrms_tuner_fit(const struct vrms_tuner *tuner,
					   enum vrms_tuner_source source);

/* Quantiles of a source, for people: over ten minutes, and over 24 hours. */
const struct vrms_history *vrms_tuner_history(const struct vrms_tuner *tuner,
					      enum vrms_tuner_source source);

void vrms_tuner_observed(const struct vrms_tuner *tuner, struct vrms_tuner_observed *ret_observed);

#endif
