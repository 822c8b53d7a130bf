/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/detector.h"

#include <math.h>

#define YEAR_MS (365.25 * 86400e3)

const char *vrms_sim_detector_name(enum vrms_sim_detector_kind kind)
{
	static const char *const names[] = {"fixed", "chen", "phi", "swim"};

	return names[kind];
}

/* The value that a standard normal exceeds with probability p: bisection on erfc. */
static double normal_tail(double p)
{
	double low = -10, high = 40;

	for (int i = 0; i < 80; i++) {
		double middle = (low + high) / 2;

		if (erfc(middle / sqrt(2)) / 2 > p) {
			low = middle;
		} else {
			high = middle;
		}
	}
	return high;
}

/* Stalls of one node in a year that are longer than this. */
static double stalls_longer(const struct vrms_sim_settings *settings, double ms)
{
	double least_ms = (double)settings->stall_us / 1000;
	double longest_ms = (double)settings->stall_max_us / 1000;

	if (settings->stalls_per_day <= 0 || ms >= longest_ms) {
		return 0;
	}
	return settings->stalls_per_day * 365.25 *
	       (ms <= least_ms ? 1 : pow(ms / least_ms, -settings->stall_shape));
}

/* A gap is a stall, or so many heartbeats lost in a row; on average half an interval has passed. */
static double gaps_longer(const struct vrms_sim_settings *settings, double interval_ms, double ms)
{
	double loss = settings->loss_pct / 100;
	double lost_in_row = fmax(1, floor(ms / interval_ms));
	double by_loss = loss > 0 ? YEAR_MS / interval_ms * pow(loss, lost_in_row) : 0;

	return stalls_longer(settings, fmax(0, ms - interval_ms / 2)) + by_loss;
}

/* Mean square of the part of a stall that a heartbeat's interval grows by; Pareto, cut off. */
static double stall_square(const struct vrms_sim_settings *settings)
{
	double low = (double)settings->stall_us / 1000,
	       high = (double)settings->stall_max_us / 1000;
	double shape = settings->stall_shape;

	if (settings->stalls_per_day <= 0 || high <= low) {
		return 0;
	}
	return fabs(shape - 2) < 1e-6
		   ? 2 * low * low * log(high / low)
		   : shape * pow(low, shape) * (pow(high, 2 - shape) - pow(low, 2 - shape)) /
			 (2 - shape);
}

/* Deviation of an interval between arrivals without losses and stalls: the difference of two
 * jitters and of two latenesses. */
static double noise_ms(const struct vrms_sim_settings *settings)
{
	double jitter_ms = (double)settings->jitter_us / 1000;
	double square = settings->lateness_sigma * settings->lateness_sigma;
	double late_ms = (double)settings->lateness_us / 1000 * exp(square / 2);

	return sqrt(jitter_ms * jitter_ms / 6 + 2 * late_ms * late_ms * expm1(square));
}

/* The same over a long window, with all that it has seen. */
static double deviation_ms(const struct vrms_sim_settings *settings, double interval_ms)
{
	double loss = settings->loss_pct / 100;
	double noise = noise_ms(settings);
	double stalls = settings->stalls_per_day * interval_ms / 86400e3;

	return sqrt(interval_ms * interval_ms * loss / ((1 - loss) * (1 - loss)) + noise * noise +
		    stalls * stall_square(settings));
}

/* Heartbeats of a year that are late beyond this by noise alone. */
static double late_by_noise(const struct vrms_sim_settings *settings, double interval_ms, double ms)
{
	double noise = noise_ms(settings);

	if (noise <= 0) {
		return 0;
	}
	return YEAR_MS / interval_ms * erfc((ms - interval_ms) / noise / sqrt(2)) / 2;
}

/* Silence after the last heartbeat at which the node is suspected. */
static double timeout_ms(const struct vrms_sim_settings *settings, enum vrms_sim_detector_kind kind,
			 double interval_ms, double parameter)
{
	double mean = interval_ms / (1 - settings->loss_pct / 100);

	switch (kind) {
	case VRMS_SIM_DETECTOR_CHEN:
		return mean + parameter;
	case VRMS_SIM_DETECTOR_PHI:
		/* phi = -log10(1 - F(silence)), solved for the silence.  The paper knows no least
		 * deviation; implementations that have one are the rows of "chen". */
		return mean +
		       deviation_ms(settings, interval_ms) * normal_tail(pow(10, -parameter));
	default:
		return parameter;
	}
}

/* Direct ping, then through three others, within a period; then suspicion. */
static struct vrms_sim_detection judge_swim(const struct vrms_sim_settings *settings,
					    double period_ms, double periods)
{
	double loss = settings->loss_pct / 100;
	double answer = (1 - loss) * (1 - loss);
	double no_answer = (1 - answer) * pow(1 - answer * answer, 3);
	/* It can be refuted in each period of suspicion. */
	double by_loss = YEAR_MS / period_ms * pow(no_answer, 1 + periods);
	struct vrms_sim_detection detection = {
	    .detect_ms = period_ms * (1 / (1 - exp(-1)) + periods),
	    .mistakes_per_node_year =
		stalls_longer(settings, period_ms * (0.5 + periods)) + by_loss,
	};

	return detection;
}

struct vrms_sim_detection vrms_sim_detector_judge(const struct vrms_sim_settings *settings,
						  enum vrms_sim_detector_kind kind,
						  double interval_ms, double parameter)
{
	if (kind == VRMS_SIM_DETECTOR_SWIM) {
		return judge_swim(settings, interval_ms, parameter);
	}
	double silence_ms = timeout_ms(settings, kind, interval_ms, parameter);
	struct vrms_sim_detection detection = {
	    .detect_ms = (double)settings->latency_us / 1000 + silence_ms - interval_ms / 2,
	    .mistakes_per_node_year = gaps_longer(settings, interval_ms, silence_ms) +
				      late_by_noise(settings, interval_ms, silence_ms),
	};

	return detection;
}
