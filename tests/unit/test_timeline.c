/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/timeline.h"

#include <string.h>

#include "tests/unit/unit.h"

/* Nov 23 03:10:20.500 */
static const struct tm cut = {
    .tm_year = 126, .tm_mon = 10, .tm_mday = 23, .tm_hour = 3, .tm_min = 10, .tm_sec = 20};

static struct vrms_timeline started(void)
{
	struct vrms_timeline timeline;

	vrms_timeline_init(&timeline, &cut, 500, "node2");
	return timeline;
}

static int64_t after_ms(const struct vrms_timeline *timeline, enum vrms_timeline_kind kind,
			const char *subject)
{
	const struct vrms_timeline_event *event = vrms_timeline_find(timeline, kind, subject);

	return event != NULL ? event->after_ms : -1;
}
