/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/drbd_judge.h"

#include <stdio.h>
#include <string.h>

static const struct {
	enum vrms_ocf_exit primary, secondary;
	const char *text;
} findings[VRMS_DRBD_FINDING_COUNT] = {
#define VRMS_DRBD_ROW(name, primary, secondary, text) \
	{VRMS_OCF_##primary, VRMS_OCF_##secondary, text},
    VRMS_DRBD_FINDINGS(VRMS_DRBD_ROW)
#undef VRMS_DRBD_ROW
};

#define BIT(name) (1U << VRMS_DRBD_FINDING_##name)

/* What a peer says of one volume; *ret_connected: whether it says it now. */
static enum vrms_drbd_disk peer_disk(const struct vrms_drbd_peer *peer, int number)
{
	for (size_t i = 0; i < peer->volume_count; i++) {
		if (peer->volumes[i].number == number) {
			return peer->volumes[i].disk;
		}
	}
	return VRMS_DRBD_DISK_UNKNOWN;
}

/* --- Score ------------------------------------------------------------------------------- */

static bool has_good_peer(const struct vrms_drbd_resource *resource, int number)
{
	for (size_t i = 0; i < resource->peer_count; i++) {
		const struct vrms_drbd_peer *peer = &resource->peers[i];

		if (peer->connection == VRMS_DRBD_CONNECTED &&
		    peer_disk(peer, number) == VRMS_DRBD_UPTODATE) {
			return true;
		}
	}
	return false;
}

/* Nothing is known of the peer's data: it may have newer ones. */
static bool has_unknown_peer(const struct vrms_drbd_resource *resource, int number)
{
	for (size_t i = 0; i < resource->peer_count; i++) {
		enum vrms_drbd_disk disk = peer_disk(&resource->peers[i], number);

		if (disk == VRMS_DRBD_DISK_UNKNOWN || disk == VRMS_DRBD_DISK_OTHER) {
			return true;
		}
	}
	return false;
}

/* The node is behind by design, whatever its disk is called. */
static bool is_behind(const struct vrms_drbd_resource *resource, int number)
{
	for (size_t i = 0; i < resource->peer_count; i++) {
		const struct vrms_drbd_peer *peer = &resource->peers[i];

		for (size_t k = 0; k < peer->volume_count; k++) {
			if (peer->volumes[k].number == number &&
			    peer->volumes[k].replication == VRMS_DRBD_BEHIND) {
				return true;
			}
		}
	}
	return false;
}

/* A connection that was broken off: the peer may have gone its own way. */
static bool may_have_diverged(const struct vrms_drbd_resource *resource)
{
	for (size_t i = 0; i < resource->peer_count; i++) {
		const struct vrms_drbd_peer *peer = &resource->peers[i];

		for (size_t k = 0; k < resource->volume_count; k++) {
			enum vrms_drbd_disk disk = peer_disk(peer, resource->volumes[k].number);

			if (peer->connection == VRMS_DRBD_STANDALONE &&
			    (disk == VRMS_DRBD_DISK_UNKNOWN || disk == VRMS_DRBD_DISK_OTHER ||
			     disk >= VRMS_DRBD_CONSISTENT)) {
				return true;
			}
		}
	}
	return false;
}

static enum vrms_drbd_score score_of_volume(const struct vrms_drbd_resource *resource,
					    const struct vrms_drbd_volume *volume)
{
	int number = volume->number;

	switch (volume->disk) {
	case VRMS_DRBD_UPTODATE:
		if (is_behind(resource, number)) {
			return VRMS_DRBD_SCORE_NONE;
		}
		return resource->role == VRMS_DRBD_PRIMARY || !has_unknown_peer(resource, number)
			   ? VRMS_DRBD_SCORE_BEST
			   : VRMS_DRBD_SCORE_ALONE;
	case VRMS_DRBD_CONSISTENT:
		return VRMS_DRBD_SCORE_CONSISTENT;
	case VRMS_DRBD_DISKLESS:
	case VRMS_DRBD_FAILED:
	case VRMS_DRBD_INCONSISTENT:
	case VRMS_DRBD_OUTDATED:
		return has_good_peer(resource, number) ? VRMS_DRBD_SCORE_REMOTE
						       : VRMS_DRBD_SCORE_NONE;
	default: /* on its way, or not known: the next look will tell */
		return VRMS_DRBD_SCORE_NONE;
	}
}

enum vrms_drbd_score vrms_drbd_score_of(const struct vrms_drbd_resource *resource)
{
	enum vrms_drbd_score worst = VRMS_DRBD_SCORE_BEST;

	if (!resource->exists || resource->volume_count == 0 ||
	    (resource->suspended & VRMS_DRBD_SUSPENDED_QUORUM) != 0) {
		return VRMS_DRBD_SCORE_NONE;
	}
	if (resource->role != VRMS_DRBD_PRIMARY && may_have_diverged(resource)) {
		return VRMS_DRBD_SCORE_NONE;
	}
	for (size_t i = 0; i < resource->volume_count; i++) {
		const struct vrms_drbd_volume *volume = &resource->volumes[i];
		enum vrms_drbd_score score =
		    volume->has_quorum ? score_of_volume(resource, volume) : VRMS_DRBD_SCORE_NONE;

		worst = score < worst ? score : worst;
	}
	return worst;
}

/* --- Findings ---------------------------------------------------------------------------- */

static bool is_synchronizing(const struct vrms_drbd_resource *resource, int number)
{
	for (size_t i = 0; i < resource->peer_count; i++) {
		const struct vrms_drbd_peer *peer = &resource->peers[i];

		for (size_t k = 0; k < peer->volume_count; k++) {
			enum vrms_drbd_replication how = peer->volumes[k].replication;

			if (peer->volumes[k].number == number &&
			    (how == VRMS_DRBD_SYNC_TARGET || how == VRMS_DRBD_STARTING_SYNC_T ||
			     how == VRMS_DRBD_WF_BITMAP_T || how == VRMS_DRBD_WF_SYNC_UUID)) {
				return true;
			}
		}
	}
	return false;
}

static unsigned int find_in_volume(const struct vrms_drbd_resource *resource,
				   const struct vrms_drbd_volume *volume)
{
	unsigned int found = volume->has_quorum ? 0 : BIT(QUORUM_LOST);

	if (volume->disk != VRMS_DRBD_UPTODATE && volume->disk != VRMS_DRBD_CONSISTENT &&
	    resource->role == VRMS_DRBD_PRIMARY && !has_good_peer(resource, volume->number)) {
		found |= BIT(NO_DATA);
	}
	switch (volume->disk) {
	case VRMS_DRBD_DISKLESS:
		return volume->is_client ? found : found | BIT(DISKLESS);
	case VRMS_DRBD_FAILED:
	case VRMS_DRBD_DETACHING:
		return found | BIT(FAILED);
	case VRMS_DRBD_OUTDATED:
		return found | BIT(OUTDATED);
	case VRMS_DRBD_INCONSISTENT:
		return is_synchronizing(resource, volume->number) ? found
								  : found | BIT(INCONSISTENT);
	case VRMS_DRBD_DISK_OTHER:
	case VRMS_DRBD_DISK_UNKNOWN:
		return found | BIT(UNKNOWN);
	default:
		return found;
	}
}

static unsigned int find_suspended(unsigned int suspended)
{
	static const struct {
		unsigned int reason, finding;
	} rows[] = {
	    {VRMS_DRBD_SUSPENDED_USER, BIT(SUSPENDED_USER)},
	    {VRMS_DRBD_SUSPENDED_NO_DATA, BIT(SUSPENDED_NO_DATA)},
	    {VRMS_DRBD_SUSPENDED_FENCING, BIT(SUSPENDED_FENCING)},
	    {VRMS_DRBD_SUSPENDED_QUORUM, BIT(SUSPENDED_QUORUM)},
	    {VRMS_DRBD_SUSPENDED_OTHER, BIT(SUSPENDED)},
	};
	unsigned int found = 0;

	for (size_t i = 0; i < VRMS_COUNT_OF(rows); i++) {
		found |= (suspended & rows[i].reason) != 0 ? rows[i].finding : 0;
	}
	return found;
}

bool vrms_drbd_is_standalone(const struct vrms_drbd_resource *resource)
{
	for (size_t i = 0; i < resource->peer_count; i++) {
		if (resource->peers[i].connection == VRMS_DRBD_STANDALONE) {
			return true;
		}
	}
	return false;
}

/* Adds ", <text>" to the reason; what does not fit is left out. */
static void say(struct vrms_drbd_judgement *judgement, const char *where, const char *text)
{
	size_t used = strlen(judgement->reason);

	(void)snprintf(judgement->reason + used, sizeof(judgement->reason) - used, "%s%s%s",
		       used > 0 ? ", " : "", where, text);
}

static void note(struct vrms_drbd_judgement *judgement, unsigned int found, const char *where)
{
	for (unsigned int i = 0; i < VRMS_DRBD_FINDING_COUNT; i++) {
		if ((found & (1U << i)) != 0) {
			say(judgement, where, findings[i].text);
		}
	}
	judgement->findings |= found;
}

static void note_all(const struct vrms_drbd_resource *resource, bool split_brain,
		     struct vrms_drbd_judgement *judgement)
{
	char where[VRMS_DRBD_NAME_BYTES + 16];

	note(judgement, find_suspended(resource->suspended), "");
	for (size_t i = 0; i < resource->peer_count; i++) {
		const struct vrms_drbd_peer *peer = &resource->peers[i];

		(void)snprintf(where, sizeof(where), "%s: ", peer->name);
		if (peer->connection == VRMS_DRBD_STANDALONE) {
			note(judgement, split_brain ? BIT(SPLIT_BRAIN) : BIT(STANDALONE), where);
		}
	}
	for (size_t i = 0; i < resource->volume_count; i++) {
		const struct vrms_drbd_volume *volume = &resource->volumes[i];

		(void)snprintf(where, sizeof(where), "volume %d: ", volume->number);
		note(judgement, find_in_volume(resource, volume), where);
	}
}

static enum vrms_ocf_exit code_of(bool is_primary, unsigned int found)
{
	enum vrms_ocf_exit code = is_primary ? VRMS_OCF_RUNNING_PROMOTED : VRMS_OCF_SUCCESS;

	/* The table's first rows are the worst. */
	for (unsigned int i = 0; i < VRMS_DRBD_FINDING_COUNT; i++) {
		if ((found & (1U << i)) != 0) {
			return is_primary ? findings[i].primary : findings[i].secondary;
		}
	}
	return code;
}

void vrms_drbd_judge(const struct vrms_drbd_resource *resource, bool split_brain,
		     struct vrms_drbd_judgement *ret_judgement)
{
	*ret_judgement = (struct vrms_drbd_judgement){.code = VRMS_OCF_NOT_RUNNING};
	if (!resource->exists) {
		return;
	}
	note_all(resource, split_brain, ret_judgement);
	ret_judgement->score = vrms_drbd_score_of(resource);
	ret_judgement->code = code_of(resource->role == VRMS_DRBD_PRIMARY, ret_judgement->findings);
}

/* --- The kernel's log -------------------------------------------------------------------- */

static bool holds(const char *line, size_t size, const char *part)
{
	return memmem(line, size, part, strlen(part)) != NULL;
}

/* True for lines of the resource, by its name or by one of its devices. */
static bool is_about(const char *line, size_t size, const struct vrms_drbd_resource *resource)
{
	char part[VRMS_DRBD_NAME_BYTES + 16];
	static const char *const endings[] = {":", "/", " "};

	for (size_t i = 0; i < VRMS_COUNT_OF(endings); i++) {
		(void)snprintf(part, sizeof(part), "drbd %s%s", resource->name, endings[i]);
		if (holds(line, size, part)) {
			return true;
		}
	}
	for (size_t i = 0; i < resource->volume_count; i++) {
		(void)snprintf(part, sizeof(part), "block drbd%d:", resource->volumes[i].minor);
		if (holds(line, size, part)) {
			return true;
		}
	}
	return false;
}

bool vrms_drbd_log_tells_split_brain(const char *log, const struct vrms_drbd_resource *resource)
{
	bool is_split = false;

	for (const char *line = log; *line != '\0';) {
		size_t size = strcspn(line, "\n");

		if (is_about(line, size, resource)) {
			if (holds(line, size, "Split-Brain detected but unresolved")) {
				is_split = true;
			} else if (holds(line, size, "Handshake successful") ||
				   holds(line, size, "Handshake to peer")) {
				is_split = false;
			}
		}
		line += size + (line[size] == '\n');
	}
	return is_split;
}
