/* vm_front.c - main() of the installed agent: answers the frequent monitor itself, at once, and
 * turns into the full agent (exec, no fork) for everything else.
 *
 * A monitor by the full agent costs ten times what this one does, nearly all of it in loading
 * libvirt and libxml2.  So this program links neither, and knows only one answer: "running well".
 * It gives that answer when the full agent has lately found this very configuration healthy (the
 * cache) and libvirtd says now that the domain is.  At the first doubt it leaves the stage.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agents/libexec.h"
#include "agents/libvirt_rpc.h"
#include "agents/vm_cache.h"
#include "agents/vm_state.h"
#include "common/file.h"
#include "common/parse.h"
#include "ocf/exit.h"

static const char FULL_AGENT[] = "vm-agent";
static const char TIMEOUT[] = "OCF_RESKEY_CRM_meta_timeout"; /* ms; set by Pacemaker */

/* What a quiet or merely busy libvirtd needs is 1 to 100 ms.  A fifth of the time leaves the
 * full agent enough to find the truth without libvirtd. */
enum { QUICK_MS_MAX = 2000, QUICK_SHARE = 5, TIMEOUT_MS_DEFAULT = 20000 };

static bool is_set_to_other_than(const char *name, const char *value)
{
	const char *text = getenv(name);

	return text != NULL && text[0] != '\0' && strcmp(text, value) != 0;
}

/* True for a plain monitor, one that a look at the domain's state can answer. */
static bool is_plain_monitor(int argc, char **argv)
{
	return argc == 2 && (strcmp(argv[1], "monitor") == 0 || strcmp(argv[1], "status") == 0) &&
	       !is_set_to_other_than("OCF_CHECK_LEVEL", "0") &&
	       !is_set_to_other_than("OCF_RESKEY_OCF_CHECK_LEVEL", "0") &&
	       getenv("OCF_RESKEY_monitor_scripts") == NULL;
}

static int64_t action_timeout_ms(void)
{
	const char *text = getenv(TIMEOUT);
	int64_t timeout_ms = TIMEOUT_MS_DEFAULT;

	if (text == NULL || vrms_int_parse(text, 1, INT32_MAX, &timeout_ms, NULL) < 0) {
		return TIMEOUT_MS_DEFAULT;
	}
	return timeout_ms;
}

static int64_t quick_ms(void)
{
	int64_t share_ms = action_timeout_ms() / QUICK_SHARE;

	return share_ms < QUICK_MS_MAX ? share_ms : QUICK_MS_MAX;
}

/* Only the socket that libvirt itself would use for this URI is known here. */
static bool is_local_system(const char *uri)
{
	return strcmp(uri, "qemu:///system") == 0;
}

static bool read_cache(struct vrms_vm_cache *cache)
{
	char path[PATH_MAX];
	const char *instance = getenv("OCF_RESOURCE_INSTANCE");

	if (instance == NULL || instance[0] == '\0' ||
	    vrms_vm_cache_path(NULL, instance, "state", path, sizeof(path)) < 0) {
		return false;
	}
	return vrms_vm_cache_read(path, environ, (int64_t)time(NULL), cache, NULL) == 0 &&
	       is_local_system(cache->uri);
}

/* True only when the domain certainly runs well; false: who knows. */
static bool runs_well(const struct vrms_clock *clock, int64_t deadline_ms)
{
	struct vrms_vm_cache cache;
	struct vrms_libvirt_answer answer;

	if (!read_cache(&cache)) {
		return false;
	}
	int fd VRMS_CLEANUP(vrms_closep) = vrms_libvirt_connect(vrms_libvirt_sockets(), NULL);
	if (fd < 0) {
		return false;
	}
	const struct vrms_libvirt_question question = {.uri = cache.uri,
						       .domain = cache.domain,
						       .uuid = cache.uuid};
	if (vrms_libvirt_ask(fd, &question, clock, deadline_ms, &answer, NULL) < 0) {
		return false;
	}
	return vrms_vm_health_from(answer.state, answer.reason) == VRMS_VM_HEALTHY;
}

/* The full agent counts its time from its own start: it must not count on what is gone. */
static void shorten_timeout(int64_t spent_ms)
{
	char text[32];
	int64_t left_ms = action_timeout_ms() - spent_ms;

	if (spent_ms > 0 && getenv(TIMEOUT) != NULL) {
		(void)snprintf(text, sizeof(text), "%" PRId64, left_ms > 1 ? left_ms : 1);
		(void)setenv(TIMEOUT, text, 1);
	}
}

int main(int argc, char **argv)
{
	if (is_plain_monitor(argc, argv)) {
		const struct vrms_clock *clock = vrms_clock_system();
		int64_t start_ms = vrms_clock_now_ms(clock);

		if (runs_well(clock, start_ms + quick_ms())) {
			return VRMS_OCF_SUCCESS;
		}
		shorten_timeout(vrms_clock_now_ms(clock) - start_ms);
	}
	return vrms_libexec_become(FULL_AGENT, argv);
}
