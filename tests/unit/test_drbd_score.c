/* drbd_judge: whatever the state, stale data are never promoted.  Random states of up to four
 * nodes, against the rule in words of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <string.h>

#include "agents/drbd_judge.h"
#include "common/random.h"
#include "tests/unit/unit.h"

enum { STATES = 200000 };

static int below(struct vrms_random *random, int count)
{
	return (int)vrms_random_below(random, (uint64_t)count);
}

/* Good states are drawn more often than chance would: else nearly every state is hopeless. */
static enum vrms_drbd_disk draw_disk(struct vrms_random *random)
{
	return below(random, 2) == 0 ? VRMS_DRBD_UPTODATE
				     : (enum vrms_drbd_disk)below(random, VRMS_DRBD_DISK_COUNT);
}

static void draw(struct vrms_random *random, struct vrms_drbd_resource *state)
{
	vrms_drbd_resource_init(state, "r0");
	state->exists = below(random, 50) != 0;
	state->role = (enum vrms_drbd_role)below(random, 3);
	state->suspended = below(random, 4) == 0 ? (unsigned int)below(random, 32) : 0;
	int volume_count = below(random, 4), peer_count = below(random, 4);
	for (int i = 0; i < volume_count; i++) {
		struct vrms_drbd_volume *volume = vrms_drbd_volume_at(state, i);

		volume->disk = draw_disk(random);
		volume->has_quorum = below(random, 8) != 0;
		volume->is_client = below(random, 8) == 0;
	}
	for (int i = 0; i < peer_count; i++) {
		struct vrms_drbd_peer *peer = vrms_drbd_peer_at(state, i);

		peer->connection =
		    below(random, 2) == 0
			? VRMS_DRBD_CONNECTED
			: (enum vrms_drbd_connection)below(random, VRMS_DRBD_CONNECTION_COUNT);
		peer->role = (enum vrms_drbd_role)below(random, 3);
		for (int k = 0; k < volume_count; k++) {
			struct vrms_drbd_peer_volume *volume = vrms_drbd_peer_volume_at(peer, k);

			volume->disk = draw_disk(random);
			volume->replication =
			    (enum vrms_drbd_replication)below(random, VRMS_DRBD_REPLICATION_COUNT);
		}
	}
}

/* Some peer can serve the newest data of this volume now. */
static bool served(const struct vrms_drbd_resource *state, size_t volume)
{
	for (size_t i = 0; i < state->peer_count; i++) {
		if (state->peers[i].connection == VRMS_DRBD_CONNECTED &&
		    state->peers[i].volumes[volume].disk == VRMS_DRBD_UPTODATE) {
			return true;
		}
	}
	return false;
}

/* Empty: the score is allowed. */
static const char *broken_rule(const struct vrms_drbd_resource *state, int score)
{
	if (score == 0) {
		return "";
	}
	if (!state->exists || state->volume_count == 0) {
		return "nothing to promote";
	}
	for (size_t i = 0; i < state->volume_count; i++) {
		const struct vrms_drbd_volume *volume = &state->volumes[i];

		if (!volume->has_quorum || (state->suspended & VRMS_DRBD_SUSPENDED_QUORUM) != 0) {
			return "no quorum";
		}
		/* Consistent: DRBD itself refuses until the peer is outdated by the handler. */
		bool by_kernel =
		    volume->disk == VRMS_DRBD_CONSISTENT && score <= VRMS_DRBD_SCORE_CONSISTENT;
		bool by_peer = served(state, i) && score <= VRMS_DRBD_SCORE_REMOTE;

		if (volume->disk != VRMS_DRBD_UPTODATE && !by_kernel && !by_peer) {
			return "stale data";
		}
		for (size_t k = 0; k < state->peer_count; k++) {
			const struct vrms_drbd_peer *peer = &state->peers[k];
			enum vrms_drbd_disk theirs = peer->volumes[i].disk;
			bool is_worse =
			    theirs == VRMS_DRBD_OUTDATED || theirs == VRMS_DRBD_INCONSISTENT ||
			    theirs == VRMS_DRBD_DISKLESS || theirs == VRMS_DRBD_FAILED ||
			    theirs == VRMS_DRBD_ATTACHING || theirs == VRMS_DRBD_DETACHING ||
			    theirs == VRMS_DRBD_NEGOTIATING;

			if (peer->connection == VRMS_DRBD_STANDALONE && !is_worse &&
			    state->role != VRMS_DRBD_PRIMARY) {
				return "may have diverged";
			}
			if (peer->volumes[i].replication == VRMS_DRBD_BEHIND &&
			    volume->disk == VRMS_DRBD_UPTODATE) {
				return "behind its peer";
			}
		}
	}
	return "";
}

START_TEST(stale_data_are_never_promoted)
{
	struct vrms_random random;
	struct vrms_drbd_resource state;
	int promotable = 0;

	vrms_random_init(&random, 7);
	for (int i = 0; i < STATES; i++) {
		draw(&random, &state);
		int score = (int)vrms_drbd_score_of(&state);
		const char *rule = broken_rule(&state, score);

		ck_assert_msg(rule[0] == '\0', "state %d of seed 7: score %d: %s", i, score, rule);
		promotable += score > 0;
	}
	/* The rule is worth something only when there is something to promote. */
	ck_assert_int_gt(promotable, STATES / 50);
}
END_TEST

START_TEST(good_data_of_its_own_always_beat_those_of_a_peer)
{
	struct vrms_random random;
	struct vrms_drbd_resource one, other;

	vrms_random_init(&random, 11);
	for (int i = 0; i < STATES; i++) {
		draw(&random, &one);
		draw(&random, &other);
		int good = (int)vrms_drbd_score_of(&one), bad = (int)vrms_drbd_score_of(&other);
		bool has_bad_disk = false;

		for (size_t k = 0; k < other.volume_count; k++) {
			has_bad_disk |= other.volumes[k].disk != VRMS_DRBD_UPTODATE;
		}
		bool has_good_disks = good >= VRMS_DRBD_SCORE_ALONE;
		ck_assert(!has_good_disks || !has_bad_disk || good > bad);
	}
}
END_TEST

START_TEST(every_judgement_of_a_failure_has_its_reason)
{
	struct vrms_random random;
	struct vrms_drbd_resource state;
	struct vrms_drbd_judgement judgement;

	vrms_random_init(&random, 13);
	for (int i = 0; i < STATES; i++) {
		draw(&random, &state);
		vrms_drbd_judge(&state, below(&random, 2) == 0, &judgement);
		bool is_well = judgement.code == VRMS_OCF_SUCCESS ||
			       judgement.code == VRMS_OCF_RUNNING_PROMOTED ||
			       judgement.code == VRMS_OCF_NOT_RUNNING;
		ck_assert_int_eq(judgement.reason[0] == '\0', is_well);
	}
}
END_TEST

static struct vrms_drbd_resource two_nodes(enum vrms_drbd_role role, enum vrms_drbd_disk disk,
					   enum vrms_drbd_connection connection,
					   enum vrms_drbd_disk peer_disk)
{
	struct vrms_drbd_resource state;

	vrms_drbd_resource_init(&state, "r0");
	state.exists = true;
	state.role = role;
	vrms_drbd_volume_at(&state, 0)->disk = disk;
	struct vrms_drbd_peer *peer = vrms_drbd_peer_at(&state, 1);
	peer->connection = connection;
	vrms_drbd_peer_volume_at(peer, 0)->disk = peer_disk;
	return state;
}

START_TEST(the_table_of_scores)
{
	static const struct {
		enum vrms_drbd_role role;
		enum vrms_drbd_disk disk;
		enum vrms_drbd_connection connection;
		enum vrms_drbd_disk peer_disk;
		int score;
	} rows[] = {
	    {VRMS_DRBD_SECONDARY, VRMS_DRBD_UPTODATE, VRMS_DRBD_CONNECTED, VRMS_DRBD_UPTODATE,
	     10000},
	    {VRMS_DRBD_SECONDARY, VRMS_DRBD_UPTODATE, VRMS_DRBD_CONNECTING, VRMS_DRBD_OUTDATED,
	     10000},
	    {VRMS_DRBD_SECONDARY, VRMS_DRBD_UPTODATE, VRMS_DRBD_CONNECTING, VRMS_DRBD_DISK_UNKNOWN,
	     1000},
	    {VRMS_DRBD_PRIMARY, VRMS_DRBD_UPTODATE, VRMS_DRBD_CONNECTING, VRMS_DRBD_DISK_UNKNOWN,
	     10000},
	    {VRMS_DRBD_SECONDARY, VRMS_DRBD_UPTODATE, VRMS_DRBD_STANDALONE, VRMS_DRBD_DISK_UNKNOWN,
	     0},
	    {VRMS_DRBD_PRIMARY, VRMS_DRBD_UPTODATE, VRMS_DRBD_STANDALONE, VRMS_DRBD_DISK_UNKNOWN,
	     10000},
	    {VRMS_DRBD_SECONDARY, VRMS_DRBD_UPTODATE, VRMS_DRBD_STANDALONE, VRMS_DRBD_OUTDATED,
	     10000},
	    {VRMS_DRBD_SECONDARY, VRMS_DRBD_CONSISTENT, VRMS_DRBD_CONNECTING,
	     VRMS_DRBD_DISK_UNKNOWN, 5},
	    {VRMS_DRBD_SECONDARY, VRMS_DRBD_INCONSISTENT, VRMS_DRBD_CONNECTED, VRMS_DRBD_UPTODATE,
	     10},
	    {VRMS_DRBD_SECONDARY, VRMS_DRBD_DISKLESS, VRMS_DRBD_CONNECTED, VRMS_DRBD_UPTODATE, 10},
	    {VRMS_DRBD_SECONDARY, VRMS_DRBD_INCONSISTENT, VRMS_DRBD_CONNECTED,
	     VRMS_DRBD_INCONSISTENT, 0},
	    {VRMS_DRBD_SECONDARY, VRMS_DRBD_OUTDATED, VRMS_DRBD_CONNECTING, VRMS_DRBD_DISK_UNKNOWN,
	     0},
	    {VRMS_DRBD_SECONDARY, VRMS_DRBD_DISKLESS, VRMS_DRBD_CONNECTING, VRMS_DRBD_UPTODATE, 0},
	};

	for (size_t i = 0; i < VRMS_COUNT_OF(rows); i++) {
		struct vrms_drbd_resource state =
		    two_nodes(rows[i].role, rows[i].disk, rows[i].connection, rows[i].peer_disk);

		ck_assert_msg((int)vrms_drbd_score_of(&state) == rows[i].score,
			      "row %zu: %d instead of %d", i, (int)vrms_drbd_score_of(&state),
			      rows[i].score);
	}
}
END_TEST

UNIT_MAIN("drbd_score", stale_data_are_never_promoted,
	  good_data_of_its_own_always_beat_those_of_a_peer,
	  every_judgement_of_a_failure_has_its_reason, the_table_of_scores)
