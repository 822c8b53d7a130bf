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

/* Deviation of an interval between arrivals without losses and stalls: the difference of two
 * jitters and of two latenesses. */
static double noise_ms(const struct vrms_sim_settings *settings)
{
	double jitter_ms = (double)settings->jitter_us / 1000;
	double square = settings->lateness_sigma * settings->lateness_sigma;
	double late_ms = (double)settings->lateness_us / 1000 * exp(square / 2);

	return sqrt(jitter_ms * jitter_ms / 6 + 2 * late_ms * late_ms * expm1(square));
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

/* A detector that suspects after this silence, for the share of the time that it does so. */
static struct vrms_sim_detection judge_silence(const struct vrms_sim_settings *settings,
					       double interval_ms, double silence_ms)
{
	struct vrms_sim_detection detection = {
	    .detect_ms = (double)settings->latency_us / 1000 + silence_ms - interval_ms / 2,
	    .mistakes_per_node_year = gaps_longer(settings, interval_ms, silence_ms) +
				      late_by_noise(settings, interval_ms, silence_ms),
	};

	return detection;
}

enum { PHI_WINDOW = 1000 }; /* samples, as in the paper */

/* phi = -log10(1 - F(silence)), solved for the silence; mean and deviation of F are those of the
 * window, which holds 0, 1, 2 ... lost heartbeats at times, and hardly ever a stall.  The paper
 * knows no least deviation.
 */
static struct vrms_sim_detection judge_phi(const struct vrms_sim_settings *settings,
					   double interval_ms, double threshold)
{
	double far = normal_tail(pow(10, -threshold));
	double losses = PHI_WINDOW * settings->loss_pct / 100, noise = noise_ms(settings);
	double chance = exp(-losses), sum = 0;
	struct vrms_sim_detection mean = {0};

	for (int lost = 0; lost < PHI_WINDOW && sum < 1 - 1e-9; lost++) {
		double share = (double)lost / PHI_WINDOW;
		double deviation =
		    sqrt(noise * noise + interval_ms * interval_ms * share * (1 - share));
		struct vrms_sim_detection one =
		    judge_silence(settings, interval_ms,
				  interval_ms * (1 + share) + deviation * far);

		mean.detect_ms += chance * one.detect_ms;
		mean.mistakes_per_node_year += chance * one.mistakes_per_node_year;
		sum += chance;
		chance *= losses / (lost + 1);
	}
	return mean;
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
	switch (kind) {
	case VRMS_SIM_DETECTOR_SWIM:
		return judge_swim(settings, interval_ms, parameter);
	case VRMS_SIM_DETECTOR_PHI:
		return judge_phi(settings, interval_ms, parameter);
	case VRMS_SIM_DETECTOR_CHEN:
		return judge_silence(settings, interval_ms,
				     interval_ms / (1 - settings->loss_pct / 100) + parameter);
	default:
		return judge_silence(settings, interval_ms, parameter);
	}
}
