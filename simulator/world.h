/* world.h - the inside of a simulation, shared by the parts of the world model.
 *
 * Two kinds of facts live side by side here.  What IS: power, kernels, running
 * QEMUs (`vm->on`).  What the cluster BELIEVES: memberships, node states, where
 * a VM is (`vm->host`).  Decisions may only look at the second kind, rules and
 * measurements look at the first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_WORLD_H
#define VRMS_SIMULATOR_WORLD_H

#include "common/random.h"
#include "quorum/agree.h"
#include "quorum/fault.h"
#include "quorum/tuner.h"
#include "quorum/verdict.h"
#include "simulator/queue.h"
#include "simulator/record.h"
#include "simulator/scenario.h"
#include "simulator/scheduler.h"

#define VRMS_SIM_NEVER INT64_MAX

enum vrms_sim_event_kind {
	VRMS_SIM_EVENT_FAULT,       /* subject: index in the scenario */
	VRMS_SIM_EVENT_HOP,         /* --exact: the token reaches the next member; subject: ring */
	VRMS_SIM_EVENT_BEAT,        /* --exact: a beat is written; subject: node */
	VRMS_SIM_EVENT_PACKET_LOST, /* subject: ring; extra: member that sent it */
	VRMS_SIM_EVENT_TOKEN_LOST,  /* subject: node */
	VRMS_SIM_EVENT_GATHER,      /* look at those who gather */
	VRMS_SIM_EVENT_MERGE,       /* rings may have found each other */
	VRMS_SIM_EVENT_KNET,        /* knet's view of the links catches up */
	VRMS_SIM_EVENT_RING_UP,     /* subject: ring */
	VRMS_SIM_EVENT_LAST_MAN,    /* last_man_standing window; subject: ring */
	VRMS_SIM_EVENT_DC,          /* subject: ring */
	VRMS_SIM_EVENT_ROUND,       /* the scheduler has decided; subject: ring */
	VRMS_SIM_EVENT_JOINED,      /* subject: node */
	VRMS_SIM_EVENT_FENCE,       /* next step of a fence; subject: target */
	VRMS_SIM_EVENT_OPERATION,   /* an operation ends; subject: VM */
	VRMS_SIM_EVENT_VM_SIGN,     /* evidence of a VM's failure; subject: VM; extra: reason */
	VRMS_SIM_EVENT_VM_MONITOR,  /* a monitor operation sees it; subject: VM */
	VRMS_SIM_EVENT_VM_PAUSE,    /* I/O error; subject: VM */
	VRMS_SIM_EVENT_UNBAN,       /* subject: VM */
	VRMS_SIM_EVENT_ORPHAN, /* a guest that the rest of the cluster has given up; subject: VM */
	VRMS_SIM_EVENT_BOOT,   /* subject: node */
	VRMS_SIM_EVENT_THAW,   /* subject: node */
	VRMS_SIM_EVENT_STALL,  /* the next stall begins; subject: node */
	VRMS_SIM_EVENT_GENERATE,    /* the next generated failure; subject: node */
	VRMS_SIM_EVENT_RACK,        /* subject: rack */
	VRMS_SIM_EVENT_VM_GENERATE, /* the next crash of any VM */
	VRMS_SIM_EVENT_REPAIR,      /* subject: node */
	VRMS_SIM_EVENT_LOAD,        /* the level of the load is looked at */
	VRMS_SIM_EVENT_LOOK,        /* vrmsd takes its measurements; subject: node */
	VRMS_SIM_EVENT_MESSAGE,     /* of one vrmsd to all; subject: index of the message */
	VRMS_SIM_EVENT_COUNT
};

/* What Pacemaker believes of a node. */
enum vrms_sim_node_state {
	VRMS_SIM_OFFLINE, /* cleanly gone, or fenced */
	VRMS_SIM_PENDING, /* a member that has not joined yet */
	VRMS_SIM_MEMBER,  /* takes resources */
	VRMS_SIM_UNCLEAN, /* lost without a word */
};

/* A list of VMs threaded through link[] arrays of the VMs. */
struct vrms_sim_list {
	int32_t head, tail, count;
};

struct vrms_sim_node {
	/* what is */
	bool supply; /* mains power, without which the BMC is dead as well */
	bool bmc, broken, up, frozen, paths, corosync, io_hangs;
	bool stopping, returning; /* a clean shutdown; then boot again */
	uint32_t life;            /* grows with each death and each boot */
	uint32_t freeze;          /* grows with each freeze and thaw */
	int64_t up_us, silent_us; /* since when; silent_us: of its last beat, once it writes none */
	int64_t freeze_us;        /* frozen since */
	int64_t thaw_us;          /* when it was thawed last */
	int64_t over_us;          /* when its last freeze or cut ended */
	int64_t io_us;            /* I/O hangs since */
	int64_t confirmed_us;     /* the cluster last knew for certain that nothing ran here */
	int64_t stall_until_us;   /* overload or slow death: stalls until then */
	int64_t stall_from_us;
	bool dying;
	int32_t failure;             /* record that is open, -1: none */
	struct vrms_sim_list guests; /* VMs with on == this node */

	/* totem */
	int32_t ring;             /* -1: none */
	int32_t place;            /* index among the ring's members */
	bool gathering, seen_all; /* seen_all: since its boot, for wait_for_all */
	int64_t gather_us;        /* since when */
	int64_t token_us;         /* in force in its corosync */
	int64_t links_us;         /* knet has its links up from then on */
	int64_t lost_us;          /* left a ring alive: since when; -1: not */

	/* pacemaker */
	enum vrms_sim_node_state state;
	uint32_t known_life;        /* the boot that the cluster knows */
	bool standby, fence_wanted; /* fence_wanted: a stop has failed there */
	int32_t operations, migrations;
	int64_t used_memory, used_cores;
	struct vrms_sim_list residents; /* VMs with host == this node */
	struct vrms_sim_list waiting;   /* operations not begun */

	/* fencing of this node */
	bool fence_busy;
	uint32_t fence_stamp;
	int32_t fence_by; /* node that runs the agent */
	int fence_level, fence_device, fence_phase;
	int fence_attempts;
	bool fence_was_out; /* of the membership when the verdict was asked */
	struct vrms_verdict verdict;
	uint64_t beat_seen;    /* number of the last beat when the verdict was asked */
	int64_t beats_from_us; /* it writes beats again since */
	uint64_t beat;         /* --exact: number of the last one */

	struct vrms_fault *faults;      /* vrmsd's classifier; NULL until it is needed */
	struct vrms_sim_daemon *daemon; /* the rest of vrmsd; NULL: no tuner */
};

enum vrms_sim_vm_state {
	VRMS_SIM_VM_STOPPED, /* nowhere */
	VRMS_SIM_VM_STARTING,
	VRMS_SIM_VM_RUNNING,
	VRMS_SIM_VM_STOPPING,
	VRMS_SIM_VM_MIGRATING,
	VRMS_SIM_VM_FAILED, /* must be stopped where it is */
};

enum { VRMS_SIM_BANS_MAX = 4 };

struct vrms_sim_vm {
	/* what is */
	int32_t on;    /* host of its QEMU, -1: none */
	int32_t other; /* host of a second QEMU: a rule is broken; -1 */
	bool paused;
	int64_t serving_us; /* in service from then on, while on >= 0 and nothing keeps it */
	int64_t down_us;    /* out of service since; -1: it serves */
	uint32_t run;       /* grows with each QEMU */
	int32_t last_on;    /* where it ran before; -1 */
	int64_t ended_us;   /* when that ended */
	bool ended_by_host; /* by the death of the host, not by a stop */
	int32_t guest_next, guest_prev;

	/* what the cluster believes */
	int32_t host, to; /* to: where it is going, also to be started there once stopped; -1 */
	enum vrms_sim_vm_state state;
	bool wanted; /* meant to run */
	bool begun;  /* its operation runs, it does not wait */
	bool due;    /* its operation ended while the host was frozen */
	bool in_todo;
	uint32_t stamp;
	int32_t next, prev;                   /* residents of host */
	int32_t waiting_next, waiting_prev;   /* waiting of a node, or todo */
	int32_t failure;                      /* that displaced it */
	int32_t ban[VRMS_SIM_BANS_MAX];       /* nodes where it may not run, -1: free */
	uint32_t ban_life[VRMS_SIM_BANS_MAX]; /* a ban ends with the node's boot */
	int32_t fail_count;
	int64_t load_at; /* its point of the scenario's load[] */
};

/* A membership of totem, from its forming to the end of the last member's belief in it. */
struct vrms_sim_ring {
	bool used, operational, announced;
	uint32_t stamp;   /* grows whenever the timers of its members are void */
	uint32_t turn;    /* grows whenever the token's way is void */
	int left;         /* members that said good-bye */
	int mark;         /* scratch of gather.c */
	int32_t *member;  /* by node number */
	int64_t *last_us; /* [member] last token before base_us */
	int count, believers;

	int64_t base_us; /* the representative received the token of rotation 0 */
	int64_t period_us, hold_us, hop_us;
	int64_t stuck_us;     /* the token went no further from then on; NEVER: it turns */
	int stuck_at;         /* place that has it, or that sent it into nothing */
	bool stuck_received;  /* it has it: a silent member */
	bool stuck_lost;      /* by packet loss, for good */
	int64_t rebased_us;   /* arrivals before this are in last_us[] */
	int64_t hop_rotation; /* --exact */
	int hop_place;

	bool quorate, is_waiting; /* is_waiting: wait_for_all not satisfied */
	int expected;
	int32_t dc;
	uint32_t dc_stamp, round_stamp;
	bool round_pending;
	bool waits;       /* its last transition waits for a fence */
	int64_t round_us; /* when */
};

/* Cuts of one network. */
struct vrms_sim_cut {
	bool any;
	int16_t *group; /* [node] */
	bool *isolated; /* [node] */
	int32_t (*oneway)[2];
	int oneway_count;
};

struct vrms_sim_plan;    /* plan.c */
struct vrms_sim_opinion; /* opinion.c */

/* A report or a proposal on its way. */
struct vrms_sim_message {
	bool used;
	int32_t sender;
	uint32_t life; /* of the sender */
	struct vrms_agree_step step;
};

struct vrms_sim_world {
	const struct vrms_sim_scenario *scenario;
	const struct vrms_sim_settings *settings;
	int node_count, vm_count;
	int64_t now_us, end_us;
	bool exact;
	int plant; /* a bug to have, for testing the rules; 0: none */

	struct vrms_sim_queue *queue;
	struct vrms_random random;  /* of the world */
	struct vrms_random sampler; /* of what vrmsd measures */
	struct vrms_random lottery; /* of generated failures: the same whatever the cluster does */
	struct vrms_sim_node *node;
	struct vrms_sim_vm *vm;
	struct vrms_sim_ring *ring;
	int ring_count, ring_capacity;
	struct vrms_sim_list todo;     /* VMs that the next round has to do something about */
	int32_t *rank;                 /* [node] in the order of names: of equals the first wins */
	int32_t *scratch, *scratch_vm; /* [node], four times [vm] */
	double *room;                  /* [node]: free share of memory, while VMs are placed */
	int16_t *component;            /* [node] scratch of gather.c */

	struct vrms_sim_cut real[VRMS_SIM_LINKS_MAX], known[VRMS_SIM_LINKS_MAX];
	bool any_cut;
	bool array_up, qdevice_up, has_quorum;
	int64_t token_us; /* as configured; in force where no tuner has changed it */
	struct vrms_sim_message *message;
	int message_count;
	int operations; /* that run now in the cluster */
	int doubles;    /* VMs with a second QEMU */
	int marks;

	struct vrms_sim_plan *plan;                 /* NULL: placement.policy is balanced */
	const struct vrms_sim_scheduler *scheduler; /* NULL: the model decides alone */
	struct vrms_sim_opinion *opinion;
	struct vrms_error *error; /* of the scheduler */
	struct vrms_sim_record record;
	int64_t events;
	int rc; /* first error; ends the run */
};

/* world.c */
void vrms_sim_schedule(struct vrms_sim_world *world, int64_t at_us, enum vrms_sim_event_kind kind,
		       int32_t subject, uint32_t stamp);
void vrms_sim_schedule_extra(struct vrms_sim_world *world, const struct vrms_sim_event *event);
void vrms_sim_note(struct vrms_sim_world *world, enum vrms_sim_step_kind kind, int32_t node,
		   int32_t vm);
void vrms_sim_break_rule(struct vrms_sim_world *world, enum vrms_sim_rule rule, int32_t node,
			 int32_t vm);
int64_t vrms_sim_vary(struct vrms_sim_world *world, int64_t typical_us); /* lognormal, sigma 0.1 */
bool vrms_sim_chance(struct vrms_sim_world *world, double pct);

/* event.c */
void vrms_sim_handle(struct vrms_sim_world *world, const struct vrms_sim_event *event);
void vrms_sim_next_fault(struct vrms_sim_world *world, int32_t index);

/* Is the node able to do anything at this moment? */
static inline bool vrms_sim_is_live(const struct vrms_sim_node *node)
{
	return node->up && !node->frozen;
}

/* Does its vrmsd write beats at this moment? */
static inline bool vrms_sim_writes_beats(const struct vrms_sim_world *world,
					 const struct vrms_sim_node *node)
{
	return vrms_sim_is_live(node) && node->paths && !node->io_hangs && world->array_up;
}

/* list.c */
void vrms_sim_resident_add(struct vrms_sim_world *world, int vm, int node);
void vrms_sim_resident_remove(struct vrms_sim_world *world, int vm);
void vrms_sim_guest_add(struct vrms_sim_world *world, int vm, int node);
void vrms_sim_guest_remove(struct vrms_sim_world *world, int vm);
void vrms_sim_todo_add(struct vrms_sim_world *world, int vm);
void vrms_sim_todo_add_idle(struct vrms_sim_world *world, int vm); /* unless an operation is on */
void vrms_sim_todo_remove(struct vrms_sim_world *world, int vm);
void vrms_sim_waiting_add(struct vrms_sim_world *world, int vm, int node);
void vrms_sim_waiting_remove(struct vrms_sim_world *world, int vm, int node);

/* net.c */
int vrms_sim_net_init(struct vrms_sim_world *world);
void vrms_sim_net_done(struct vrms_sim_world *world);
bool vrms_sim_passes(const struct vrms_sim_world *world, int from, int to);
bool vrms_sim_meets(const struct vrms_sim_world *world, int one, int other); /* both ways */
void vrms_sim_net_fault(struct vrms_sim_world *world, const struct vrms_sim_fault *fault);
void vrms_sim_net_catch_up(struct vrms_sim_world *world);

/* ring.c */
int vrms_sim_ring_new(struct vrms_sim_world *world, const int32_t *member, int count);
void vrms_sim_ring_forget(struct vrms_sim_world *world, int node);
void vrms_sim_ring_review(struct vrms_sim_world *world, int ring);
void vrms_sim_ring_run(struct vrms_sim_world *world, int ring);
void vrms_sim_ring_retoken(struct vrms_sim_world *world, int node); /* its token has changed */
void vrms_sim_ring_hop(struct vrms_sim_world *world, const struct vrms_sim_event *event);
void vrms_sim_ring_packet_lost(struct vrms_sim_world *world, const struct vrms_sim_event *event);
int64_t vrms_sim_ring_seen_us(const struct vrms_sim_world *world, const struct vrms_sim_ring *ring,
			      int place, int64_t until_us);

/* totem.c */
void vrms_sim_totem_silent(struct vrms_sim_world *world, int node);
void vrms_sim_totem_dead(struct vrms_sim_world *world, int node);
void vrms_sim_totem_back(struct vrms_sim_world *world, int node);
void vrms_sim_totem_start(struct vrms_sim_world *world, int node);
void vrms_sim_totem_leave(struct vrms_sim_world *world, int node);
void vrms_sim_totem_reviewed_links(struct vrms_sim_world *world);
void vrms_sim_totem_token_lost(struct vrms_sim_world *world, const struct vrms_sim_event *event);
void vrms_sim_totem_merge(struct vrms_sim_world *world);
void vrms_sim_gather_enter(struct vrms_sim_world *world, int node);
void vrms_sim_gather_look(struct vrms_sim_world *world);

/* votes.c */
void vrms_sim_votes_count(struct vrms_sim_world *world, struct vrms_sim_ring *ring);
void vrms_sim_votes_last_man(struct vrms_sim_world *world, int ring);

/* cluster.c: what Pacemaker makes of memberships */
void vrms_sim_cluster_ring_up(struct vrms_sim_world *world, int ring);
void vrms_sim_cluster_quorum_changed(struct vrms_sim_world *world, int ring);
void vrms_sim_cluster_dc(struct vrms_sim_world *world, int ring);
void vrms_sim_cluster_joined(struct vrms_sim_world *world, int node);
void vrms_sim_cluster_left(struct vrms_sim_world *world, int node);
void vrms_sim_cluster_displace(struct vrms_sim_world *world, int node);

/* From the end of an action to the next one of the same transition. */
enum { VRMS_SIM_NEXT_ACTION_US = 5000 };

/* round.c: one run of the scheduler */
void vrms_sim_round_ask(struct vrms_sim_world *world, int ring, int64_t delay_us);
void vrms_sim_round_run(struct vrms_sim_world *world, int ring);
bool vrms_sim_round_decides(const struct vrms_sim_world *world, int ring);
int64_t vrms_sim_round_us(const struct vrms_sim_world *world);
void vrms_sim_round_for_all(struct vrms_sim_world *world);
void vrms_sim_round_for_node(struct vrms_sim_world *world, int node, int64_t delay_us);

/* operation.c */
void vrms_sim_operation_start(struct vrms_sim_world *world, int vm, int node);
void vrms_sim_operation_stop(struct vrms_sim_world *world, int vm);
/* Where a VM that is being stopped is started as soon as it has been. */
void vrms_sim_operation_restart(struct vrms_sim_world *world, int vm, int node);
void vrms_sim_operation_migrate(struct vrms_sim_world *world, int vm, int node);
void vrms_sim_operation_done(struct vrms_sim_world *world, int vm);
void vrms_sim_operation_dispatch(struct vrms_sim_world *world, int node);
void vrms_sim_operation_cancel(struct vrms_sim_world *world, int vm);
void vrms_sim_operation_thawed(struct vrms_sim_world *world, int node);

/* fence.c */
void vrms_sim_fence_begin(struct vrms_sim_world *world, int ring, int target);
void vrms_sim_fence_step(struct vrms_sim_world *world, int target);

/* host.c */
/* Would the node go on if it were let alone?  It runs, or stalls without a fault, and is heard. */
bool vrms_sim_is_sound(const struct vrms_sim_world *world, int node, int witness);
void vrms_sim_host_die(struct vrms_sim_world *world, int node);
void vrms_sim_host_boot(struct vrms_sim_world *world, int node);
void vrms_sim_host_power_off(struct vrms_sim_world *world, int node);
void vrms_sim_host_power_on(struct vrms_sim_world *world, int node);
void vrms_sim_host_freeze(struct vrms_sim_world *world, int node, int64_t for_us);
void vrms_sim_host_thaw(struct vrms_sim_world *world, int node);
void vrms_sim_host_over(struct vrms_sim_world *world, int node); /* its freeze or cut has ended */
void vrms_sim_host_emptied(struct vrms_sim_world *world, int node);
void vrms_sim_host_set_io(struct vrms_sim_world *world, int node, bool works);
int vrms_sim_host_failure(struct vrms_sim_world *world, int node, int fault);

/* fault.c */
void vrms_sim_fault_apply(struct vrms_sim_world *world, const struct vrms_sim_fault *fault);

/* vm.c: QEMU and the guest in it */
void vrms_sim_vm_begin(struct vrms_sim_world *world, int vm, int node);
void vrms_sim_vm_end(struct vrms_sim_world *world, int vm);
void vrms_sim_vm_lose(struct vrms_sim_world *world, int vm); /* its host has died */
void vrms_sim_vm_move(struct vrms_sim_world *world, int vm, int node);
void vrms_sim_vm_interrupt(struct vrms_sim_world *world, int vm);
void vrms_sim_vm_resume(struct vrms_sim_world *world, int vm, int64_t at_us);
void vrms_sim_vm_crash(struct vrms_sim_world *world, int vm);
void vrms_sim_vm_pause(struct vrms_sim_world *world, int vm);
void vrms_sim_vm_sign(struct vrms_sim_world *world, const struct vrms_sim_event *event);
void vrms_sim_vm_monitor(struct vrms_sim_world *world, int vm);
void vrms_sim_vm_stop_orphans(struct vrms_sim_world *world, int node);
void vrms_sim_vm_orphan(struct vrms_sim_world *world, int vm);
void vrms_sim_vm_survive(struct vrms_sim_world *world, int vm); /* its other copy goes on */
void vrms_sim_vm_failed(struct vrms_sim_world *world, int vm);
bool vrms_sim_vm_banned(const struct vrms_sim_world *world, int vm, int node);
void vrms_sim_vm_ban(struct vrms_sim_world *world, int vm, int node);

/* generate.c */
void vrms_sim_generate_begin(struct vrms_sim_world *world);
void vrms_sim_generate_event(struct vrms_sim_world *world, const struct vrms_sim_event *event);

/* load.c: CPU demand, in cores */
double vrms_sim_demand(struct vrms_sim_world *world, int vm);
double vrms_sim_node_demand(struct vrms_sim_world *world, int node);
void vrms_sim_load_look(struct vrms_sim_world *world);

/* balance.c */
void vrms_sim_balance_bound(struct vrms_sim_world *world, const int32_t *vms, int count);
void vrms_sim_balance_settle(struct vrms_sim_world *world, int failure);

/* place.c: decides where VMs go; target[i] is a node or -1 */
void vrms_sim_place(struct vrms_sim_world *world, const int32_t *vms, int count, int32_t *target);
void vrms_sim_place_rebalance(struct vrms_sim_world *world, int node);
int vrms_sim_place_emptiest(struct vrms_sim_world *world, int vm); /* node or -1 */
bool vrms_sim_place_is_open(const struct vrms_sim_world *world, int node);
bool vrms_sim_place_fits(const struct vrms_sim_world *world, int vm, int node);

/* affinity.c: VMs with rules */
bool vrms_sim_affinity_allows(const struct vrms_sim_world *world, int vm, int node);
/* The node that it likes best, of those the emptiest, as room[] says; -1: none fits. */
int vrms_sim_affinity_place(const struct vrms_sim_world *world, int vm);
/* Which of two VMs is placed first, as Pacemaker's order by scores is: < 0 the one, 0 either. */
int vrms_sim_affinity_compare(const struct vrms_sim_world *world, int one, int other);
/* A node has come back: VMs that prefer it move there. */
void vrms_sim_affinity_return(struct vrms_sim_world *world, int node);

/* plan.c: the solver of placement/ */
int vrms_sim_plan_new(const struct vrms_sim_scenario *scenario, struct vrms_sim_plan **ret_plan,
		      struct vrms_error *error);
void vrms_sim_plan_free(struct vrms_sim_plan *plan); /* accepts NULL */
void vrms_sim_plan_put(struct vrms_sim_plan *plan, int vm, int node);
void vrms_sim_plan_take(struct vrms_sim_plan *plan, int vm);
void vrms_sim_plan_place(struct vrms_sim_world *world, const int32_t *vms, int count,
			 int32_t *target);

/* opinion.c: only where there is a scheduler */
int vrms_sim_opinion_new(const struct vrms_sim_world *world, struct vrms_sim_opinion **ret_opinion);
void vrms_sim_opinion_free(struct vrms_sim_opinion *opinion); /* accepts NULL */
void vrms_sim_opinion_ask(struct vrms_sim_world *world, int ring);
void vrms_sim_opinion_place(struct vrms_sim_world *world, const int32_t *vms, int count,
			    int32_t *target);
int vrms_sim_opinion_move(struct vrms_sim_world *world, int vm, int target);

/* rules.c; _place: the VM gets to the node, by a start or a migration */
void vrms_sim_rules_place(struct vrms_sim_world *world, int vm, int node);
void vrms_sim_rules_start(struct vrms_sim_world *world, int vm, int node);
void vrms_sim_rules_end(struct vrms_sim_world *world);

#endif
