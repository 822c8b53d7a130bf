/* plant.h - bugs that a build with VRMS_SIM_PLANTED can be told to have, to see the rules fail.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_PLANT_H
#define VRMS_SIMULATOR_PLANT_H

#include "simulator/world.h"

/* X(NAME, "name", "what is wrong") */
#define VRMS_SIM_BUGS(X)                                                                       \
	X(NONE, "none", "nothing")                                                             \
	X(FENCE, "no-fence", "lost nodes count as fenced")                                     \
	X(QUORUM, "no-quorum", "partitions act without quorum")                                \
	X(EARLY, "early-confirm", "a fence is confirmed although its device has failed")       \
	X(CAPACITY, "no-capacity", "placement does not look at memory")                        \
	X(FORGET, "forgotten-vm", "a VM whose start has failed is forgotten")                  \
	X(VERDICT, "no-verdict", "the verdict's refusal is ignored")                           \
	X(MIGRATION, "double-migration", "a migration leaves the guest running at its source") \
	X(STOP, "forgotten-stop", "a stop that is asked for during a migration is forgotten")  \
	X(AFFINITY, "no-affinity", "placement does not look at the rules about VMs and nodes") \
	X(APART, "half-apart", "a VM that is on its way somewhere is not kept apart from")

#define VRMS_SIM_BUG_ENUM(name, word, text) VRMS_SIM_BUG_##name,
enum vrms_sim_bug { VRMS_SIM_BUGS(VRMS_SIM_BUG_ENUM) VRMS_SIM_BUG_COUNT };
#undef VRMS_SIM_BUG_ENUM

#ifdef VRMS_SIM_PLANTED
static inline bool vrms_sim_has_bug(const struct vrms_sim_world *world, enum vrms_sim_bug bug)
{
	return world->plant == (int)bug;
}
#else
/* The product's build has no such bugs: the compiler drops every question. */
static inline bool vrms_sim_has_bug(const struct vrms_sim_world *world, enum vrms_sim_bug bug)
{
	(void)world;
	(void)bug;
	return false;
}
#endif

#endif
