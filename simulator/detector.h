/* detector.h - failure detectors by the book, on the network and stalls of a scenario.
 *
 * Closed formulas, not a simulation: what each would take to notice a dead node and how often it
 * would suspect a live one, for the curve beside the simulated cluster's.  A heartbeat goes
 * out every `interval`; it is lost with the scenario's packet loss, comes late by its
 * latency and jitter, and does not come while the sender stalls (Poisson, Pareto length).
 *
 * - fixed:  a node is suspected when nothing came for a time.
 * - chen:   the next heartbeat is expected a mean interval after the last one, plus a margin
 *           (Chen, Toueg, Aguilera 2002).
 * - phi:    suspected when a normal distribution with the mean and deviation of the intervals
 *           seen gives the silence a probability of 10^-threshold (Hayashibara et al. 2004):
 *           where nothing but such noise delays heartbeats, one in 10^threshold is suspected.
 * - swim:   each period one node pings another at random; no answer makes it suspected
 *           for some periods, then dead (Das, Gupta, Motivala 2002).
 *
 * Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_DETECTOR_H
#define VRMS_SIMULATOR_DETECTOR_H

#include "simulator/scenario.h"

enum vrms_sim_detector_kind {
	VRMS_SIM_DETECTOR_FIXED,
	VRMS_SIM_DETECTOR_CHEN,
	VRMS_SIM_DETECTOR_PHI,
	VRMS_SIM_DETECTOR_SWIM,
	VRMS_SIM_DETECTOR_COUNT
};

struct vrms_sim_detection {
	double detect_ms;              /* mean, death to verdict */
	double mistakes_per_node_year; /* live nodes suspected */
};

const char *vrms_sim_detector_name(enum vrms_sim_detector_kind kind);

/* interval_ms: between heartbeats, or SWIM's period; parameter: fixed and chen milliseconds, phi
 * the threshold, swim periods of suspicion.
 */
struct vrms_sim_detection vrms_sim_detector_judge(const struct vrms_sim_settings *settings,
						  enum vrms_sim_detector_kind kind,
						  double interval_ms, double parameter);

#endif
