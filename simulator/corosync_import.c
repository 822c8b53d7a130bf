/* corosync_import.c - corosync.conf(5) as settings.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "simulator/cluster_import.h"
#include "simulator/line.h"
#include "simulator/settings.h"

enum { FILE_BYTES_MAX = 1 << 20, PATH_BYTES = 128 };

/* Where a key stands in the file, and which setting it is; the unit is appended to the value. */
static const struct {
	const char *path, *setting, *unit;
} rows[] = {
    {"totem.token", "cluster.token", "ms"},
    {"totem.token_coefficient", "cluster.token_coefficient", "ms"},
    {"totem.consensus", "cluster.consensus", "ms"},
    {"totem.token_retransmits_before_loss_const", "cluster.token_retransmits", ""},
    {"totem.merge", "cluster.merge", "ms"},
    {"quorum.two_node", "cluster.two_node", ""},
    {"quorum.wait_for_all", "cluster.wait_for_all", ""},
    {"quorum.auto_tie_breaker", "cluster.auto_tie_breaker", ""},
    {"quorum.last_man_standing", "cluster.last_man_standing", ""},
    {"quorum.last_man_standing_window", "cluster.last_man_standing_window", "ms"},
    {"quorum.device.net.algorithm", "cluster.qdevice", ""},
};

struct place {
	char path[PATH_BYTES]; /* "totem.interface" */
	int depth;
	int links;
};

static int enter(struct place *place, const char *name, size_t length, struct vrms_error *error)
{
	size_t used = strlen(place->path);

	if (used + length + 2 > sizeof(place->path)) {
		return vrms_error_set(error, -ENAMETOOLONG, "sections too deep");
	}
	snprintf(place->path + used, sizeof(place->path) - used, "%s%.*s", used > 0 ? "." : "",
		 (int)length, name);
	place->depth++;
	return 0;
}

static int leave(struct place *place, struct vrms_error *error)
{
	char *dot = strrchr(place->path, '.');

	if (place->depth == 0) {
		return vrms_error_set(error, -EINVAL, "\"}\" without a section");
	}
	place->depth--;
	*(dot != NULL ? dot : place->path) = '\0';
	return 0;
}

static int store(struct vrms_sim_scenario *scenario, const struct place *place, const char *key,
		 const char *value, struct vrms_error *error)
{
	char path[2 * PATH_BYTES], text[2 * PATH_BYTES];

	snprintf(path, sizeof(path), "%s.%s", place->path, key);
	for (size_t i = 0; i < VRMS_COUNT_OF(rows); i++) {
		if (strcmp(rows[i].path, path) == 0) {
			snprintf(text, sizeof(text), "%s=%.100s%s", rows[i].setting, value,
				 rows[i].unit);
			return vrms_sim_settings_assign(&scenario->settings, text, error);
		}
	}
	return 0;
}

/* "ring1_addr" of a node: two links at least. */
static void count_link(struct place *place, const char *key)
{
	int link;

	if (strcmp(place->path, "nodelist.node") == 0 && sscanf(key, "ring%d_addr", &link) == 1 &&
	    link >= place->links && link < VRMS_SIM_LINKS_MAX) {
		place->links = link + 1;
	}
}

static int take_line(struct vrms_sim_scenario *scenario, struct place *place, char *text,
		     struct vrms_error *error)
{
	size_t length = strlen(text);
	char *colon = strchr(text, ':');

	if (text[length - 1] == '{') {
		return enter(place, text, strcspn(text, " \t{"), error);
	}
	if (strcmp(text, "}") == 0) {
		return leave(place, error);
	}
	if (colon == NULL) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is neither key: value nor a section",
				      text);
	}
	*colon = '\0';
	count_link(place, text);
	return store(scenario, place, text, colon + 1 + strspn(colon + 1, " \t"), error);
}

int vrms_sim_corosync_import(struct vrms_sim_scenario *scenario, const char *path,
			     struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	struct place place = {"", 0, 1};
	int rc = vrms_file_read(path, FILE_BYTES_MAX, &text, NULL, error);
	struct vrms_sim_lines lines = {.next = rc < 0 ? "" : text};

	while (rc == 0 && vrms_sim_lines_next(&lines)) {
		if (lines.text[0] != '\0' && lines.text[0] != '#') {
			rc = take_line(scenario, &place, lines.text, error);
			rc = rc < 0 ? vrms_error_wrap(error, rc, "%s:%d", path, lines.number) : 0;
		}
	}
	if (rc == 0 && place.depth > 0) {
		rc = vrms_error_set(error, -EINVAL, "%s: section \"%s\" does not end", path,
				    place.path);
	}
	if (rc == 0) {
		scenario->settings.links = place.links;
	}
	return rc;
}
