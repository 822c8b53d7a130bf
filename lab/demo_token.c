/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * vrmsd's tuning in the demo: switched on or off, and waited for.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lab/demo_run.h"

enum {
	ASK_TIMEOUT_MS = 10000,
	SWITCH_TIMEOUT_MS = 60000,
	TOKEN_TIMEOUT_MS = 150000,
	STEADY_MS = 8000,
	POLL_MS = 500,
};

/* What the nodes have: the largest and the smallest token in force. */
struct tokens {
	int64_t low_ms, high_ms;
};

static int ask_token(const struct vrms_demo_run *run, int node, int64_t *ret_token_ms)
{
	const char *const argv[] = {"corosync-cmapctl", "-g", "runtime.config.totem.token", NULL};
	const struct vrms_child_spec spec = {.argv = argv, .timeout_ms = ASK_TIMEOUT_MS};
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	int rc = vrms_lab_node_run(run->lab, node, &spec, &result, NULL);
	const char *equals = rc == 0 && result.exit_code == 0 ? strrchr(result.output, '=') : NULL;

	if (equals == NULL || sscanf(equals, "= %" SCNd64, ret_token_ms) != 1) {
		return -EAGAIN;
	}
	return 0;
}

static int read_tokens(const struct vrms_demo_run *run, struct tokens *ret_tokens)
{
	*ret_tokens = (struct tokens){.low_ms = INT64_MAX};
	for (int node = 0; node < run->demo.node_count; node++) {
		int64_t token_ms;
		int rc = ask_token(run, node, &token_ms);

		if (rc < 0) {
			return rc;
		}
		ret_tokens->low_ms = token_ms < ret_tokens->low_ms ? token_ms : ret_tokens->low_ms;
		ret_tokens->high_ms =
		    token_ms > ret_tokens->high_ms ? token_ms : ret_tokens->high_ms;
	}
	return 0;
}

/* A node that has just booted: its vrmsd may not answer yet. */
static int switch_node(const struct vrms_demo_run *run, int node, const char *word,
		       struct vrms_error *error)
{
	const char *const argv[] = {"vrms", "tune", word, NULL};
	const struct vrms_child_spec spec = {.argv = argv, .timeout_ms = ASK_TIMEOUT_MS};
	int64_t end_ms = vrms_demo_now_ms() + SWITCH_TIMEOUT_MS;

	for (;;) {
		struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
		int rc = vrms_lab_node_run(run->lab, node, &spec, &result, error);

		if (rc == 0 && result.exit_code == 0) {
			return 0;
		}
		if (vrms_demo_now_ms() > end_ms) {
			return vrms_error_set(error, -ETIMEDOUT, "%s: vrmsd does not answer",
					      run->demo.nodes[node]);
		}
		rc = vrms_demo_pause(run, POLL_MS, error);
		if (rc < 0) {
			return rc;
		}
	}
}

static int64_t configured_ms(const struct vrms_demo_run *run)
{
	enum { TOKEN_MS = 3000, COEFFICIENT_MS = 650 }; /* corosync.conf(5) */

	return run->settings->token_ms != 0
		   ? run->settings->token_ms
		   : TOKEN_MS + COEFFICIENT_MS * (run->demo.node_count - 2);
}

static bool is_wanted(const struct vrms_demo_run *run, enum vrms_figures_setting setting,
		      const struct tokens *tokens)
{
	if (tokens->low_ms != tokens->high_ms) {
		return false;
	}
	return setting == VRMS_FIGURES_DEFAULTS ? tokens->low_ms == configured_ms(run)
						: tokens->low_ms < configured_ms(run);
}

static void show_token(struct vrms_demo_run *run, const struct tokens *tokens)
{
	char text[64];

	snprintf(text, sizeof(text), "token %" PRId64 " ms", tokens->high_ms);
	vrms_demo_progress(run, text);
}

static int wait_token(struct vrms_demo_run *run, enum vrms_figures_setting setting,
		      int64_t *ret_token_ms, struct vrms_error *error)
{
	int64_t steady_ms = setting == VRMS_FIGURES_DEFAULTS ? 0 : STEADY_MS;
	int64_t began_ms = vrms_demo_now_ms(), since_ms = began_ms;
	struct tokens last = {0};

	for (;;) {
		struct tokens now = last;
		bool is_read = read_tokens(run, &now) == 0;
		int64_t now_ms = vrms_demo_now_ms();

		if (!is_read || now.high_ms != last.high_ms || now.low_ms != last.low_ms) {
			since_ms = now_ms;
			last = now;
			show_token(run, &now);
		}
		bool is_done =
		    is_read && is_wanted(run, setting, &now) && now_ms - since_ms >= steady_ms;

		if (is_done || now_ms - began_ms > TOKEN_TIMEOUT_MS) {
			*ret_token_ms = now.high_ms;
			return 0;
		}
		int rc = vrms_demo_pause(run, POLL_MS, error);
		if (rc < 0) {
			return rc;
		}
	}
}

int vrms_demo_tune(struct vrms_demo_run *run, enum vrms_figures_setting setting,
		   int64_t *ret_token_ms, struct vrms_error *error)
{
	bool is_on = setting == VRMS_FIGURES_TUNED;
	int rc = 0;

	vrms_demo_progress(run, is_on ? "vrmsd measures, and shortens the token"
				      : "vrmsd's tuning is off");
	for (int node = 0; rc == 0 && node < run->demo.node_count; node++) {
		rc = switch_node(run, node, is_on ? "on" : "off", error);
	}
	vrms_error_clear(error);
	return rc < 0 ? rc : wait_token(run, setting, ret_token_ms, error);
}
