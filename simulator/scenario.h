/* scenario.h - what is simulated: cluster, network, devices, machines, faults, seed.
 *
 * Plain data.  Read from a file by scenario_read.h, changed by "section.key=value"
 * settings, completed by vrms_sim_scenario_complete().  Every scalar setting is
 * a row of the table in settings.c, which gives its default, limits and text.
 *
 * Times are microseconds (..._us), memory is bytes, shares are percent (..._pct).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_SCENARIO_H
#define VRMS_SIMULATOR_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

enum {
	VRMS_SIM_NAME_BYTES = 64, /* of a node, VM or device, with the NUL */
	VRMS_SIM_NODES_MAX = 4096,
	VRMS_SIM_VMS_MAX = 1000000,
	VRMS_SIM_LINKS_MAX = 8,
	VRMS_SIM_DEVICES_MAX = 16,
	VRMS_SIM_TUNER_NODES = 64, /* that vrmsd's cores can know */
	VRMS_SIM_APART_MAX = 64,   /* rules that keep VMs apart: bits of vrms_sim_vm_spec */
	VRMS_SIM_RULE_BYTES = 4096,
};

enum vrms_sim_no_quorum { VRMS_SIM_STOP, VRMS_SIM_FREEZE, VRMS_SIM_IGNORE, VRMS_SIM_SUICIDE };
enum vrms_sim_qdevice { VRMS_SIM_QDEVICE_NONE, VRMS_SIM_QDEVICE_FFSPLIT, VRMS_SIM_QDEVICE_LMS };
enum vrms_sim_policy { VRMS_SIM_PLAN, VRMS_SIM_BALANCED };
enum vrms_sim_model { VRMS_SIM_MODEL_NONE, VRMS_SIM_WEIBULL, VRMS_SIM_LOGNORMAL };
enum vrms_sim_preset { VRMS_SIM_PRESET_NONE, VRMS_SIM_LANL16, VRMS_SIM_LANL20 };
enum vrms_sim_fence_action { VRMS_SIM_REBOOT, VRMS_SIM_OFF };

#define VRMS_SIM_FORBIDDEN INT64_MIN

struct vrms_sim_settings {
	/* run */
	int64_t seed, duration_us;

	/* cluster */
	int64_t nodes, links;
	int64_t token_us, token_coefficient_us, consensus_us, retransmits, merge_us;
	int64_t latency_us, jitter_us, message_interval_us;
	double loss_pct;
	bool two_node, wait_for_all, auto_tie_breaker, last_man_standing;
	int64_t last_man_standing_window_us;
	int qdevice;

	/* pacemaker */
	int no_quorum, fence_action, policy;
	bool stonith, start_failure_is_fatal, rebalance;
	int64_t report_us, fence_overhead_us;
	int64_t scheduler_us, scheduler_per_vm_node_ns, sync_retry_us, election_us, join_us;
	int64_t transition_delay_us, sync_window_us;
	double sync_retry_pct, load_threshold_pct;
	int64_t batch_limit, migration_limit, node_action_limit;
	int64_t migration_threshold, failure_timeout_us;
	int64_t monitor_interval_us, start_timeout_us, stop_timeout_us;

	/* vrmsd */
	bool vrmsd, verdict, vm_events;
	int64_t beat_interval_us, grace_us, silent_count, vm_event_us;

	bool tuner;
	int64_t measure_us, token_floor_us, token_load_floor_us, warmup_us, shorten_after_us;
	int64_t hysteresis_pct;
	int64_t false_loss_every_us, false_loss_start_us, disturbance_every_us;

	/* host */
	int64_t lateness_us;
	double lateness_sigma;
	int64_t wakeup_us;
	int64_t memory, cores, boot_us, power_off_us, racks;

	/* vm */
	int64_t vms, vm_memory, vm_memory_max, vm_cores;
	int64_t vm_start_elsewhere_us, vm_start_wakeups, vm_cleanup_us;
	int64_t vm_start_us, vm_boot_us, vm_stop_us, vm_dirty;
	double start_failure_pct, stop_failure_pct, vm_load_pct, start_contention_pct;

	/* migration */
	int64_t bandwidth, downtime_us, migration_rounds;
	int64_t load_step_us;

	/* san */
	int64_t io_error_us;

	/* generate */
	int model, preset;
	int64_t mtbf_us, repair_us, rack_mtbf_us, vm_mtbf_us;
	double shape, repair_sigma, burst_pct, freeze_pct;
	int64_t burst_size;
	double stalls_per_day, stall_shape;
	int64_t stall_us, stall_max_us;
};

enum vrms_sim_device_kind {
	VRMS_SIM_DEVICE_IPMI,    /* needs the target's own power supply */
	VRMS_SIM_DEVICE_PDU,     /* switches the target's outlets */
	VRMS_SIM_DEVICE_SCSI,    /* takes the target's keys off the disks: needs the array */
	VRMS_SIM_DEVICE_SBD,     /* poison pill on the array, or the target's watchdog */
	VRMS_SIM_DEVICE_VERDICT, /* fence_vrms_verdict: fences nothing itself */
};

struct vrms_sim_device {
	char name[VRMS_SIM_NAME_BYTES];
	int kind;
	int64_t level; /* of the fencing topology, 1..9 */
	int64_t time_us, delay_us, delay_random_us, timeout_us;
	double failure_pct;
};

struct vrms_sim_node_spec {
	char name[VRMS_SIM_NAME_BYTES];
	int64_t memory, cores, rack;
	bool off; /* not running when the simulation begins */
};

struct vrms_sim_vm_spec {
	char name[VRMS_SIM_NAME_BYTES];
	int64_t memory, cores, dirty, priority;
	double capacity_mhz; /* of all its CPUs, where a load trace counts in MHz; 0: not known */
	int host;            /* node at the beginning; -1: placed */
	bool stopped;        /* not meant to run at the beginning */

	/* rules, see affinity.c */
	bool ruled;       /* there is any */
	bool strict;      /* runs on the nodes of its preferences only */
	bool stays;       /* where it is, when a node that it prefers comes back */
	uint64_t apart;   /* a bit for each rule: no two VMs of one on the same node */
	int32_t together; /* VMs of the same number run on the same node; 0: alone */
};

/* A node that a VM prefers: the highest priority first. */
struct vrms_sim_preference {
	int32_t vm, node;
	int64_t priority; /* 0 and more */
};

/* X(NAME, "word", subject, "what happens"); subject: n node, v VM, nn two nodes, g groups, 0 none
 */
#define VRMS_SIM_FAULTS(X)                                                                       \
	X(CRASH, "crash", "n", "the kernel dies; a reset brings the host back")                  \
	X(DOWN, "down", "n", "the host breaks; it stays dead until \"up\"")                      \
	X(UP, "up", "n", "the host is repaired and its operating system runs")                   \
	X(POWER, "power", "n", "power loss of host and BMC, until \"up\"")                       \
	X(SHUTDOWN, "shutdown", "n", "clean shutdown: guests leave first; until \"up\"")         \
	X(RESTART, "reboot", "n", "clean reboot: guests leave first")                            \
	X(FREEZE, "freeze", "n", "nothing on the host runs; \"for TIME\", or until \"thaw\"")    \
	X(THAW, "thaw", "n", "the host goes on")                                                 \
	X(OVERLOAD, "overload", "n", "stalls with a heavy tail; \"for TIME\"")                   \
	X(ANNOUNCE, "announce", "n", "load is announced to the host's vrmsd; \"for TIME\"")      \
	X(SLOW_DEATH, "slow-death", "n", "ever longer stalls, then a crash; \"for TIME\"")       \
	X(KILL_COROSYNC, "kill-corosync", "n", "corosync dies, guests go on")                    \
	X(BMC_DOWN, "bmc-down", "n", "the BMC stops answering")                                  \
	X(BMC_UP, "bmc-up", "n", "the BMC answers again")                                        \
	X(CUT, "cut", "g", "the network splits into the groups named; others keep to the first") \
	X(ONEWAY, "oneway", "nn", "nothing gets from the first node to the second")              \
	X(ISOLATE, "isolate", "n", "the node is cut off from all others")                        \
	X(HEAL, "heal", "0", "all cuts are repaired")                                            \
	X(PATHS_LOST, "paths-lost", "n", "the host loses its paths to the SAN")                  \
	X(PATHS_BACK, "paths-back", "n", "the paths are back")                                   \
	X(ARRAY_DOWN, "array-down", "0", "the whole disk array is out of reach")                 \
	X(ARRAY_UP, "array-up", "0", "the array answers again")                                  \
	X(SLOW_IO, "slow-io", "n", "I/O hangs; \"for TIME\"")                                    \
	X(QDEVICE_DOWN, "qdevice-down", "0", "the quorum device votes for nobody")               \
	X(QDEVICE_UP, "qdevice-up", "0", "the quorum device votes again")                        \
	X(STANDBY, "standby", "n", "guests leave the node, it takes no new ones")                \
	X(ONLINE, "unstandby", "n", "the node takes guests again")                               \
	X(VM_CRASH, "vm-crash", "v", "the VM's QEMU dies")                                       \
	X(VM_PAUSE, "vm-io-error", "v", "an I/O error pauses the VM")                            \
	X(VM_START, "vm-start", "v", "the VM is meant to run")                                   \
	X(VM_STOP, "vm-stop", "v", "the VM is meant to be stopped")                              \
	X(VM_MIGRATE, "vm-migrate", "vn", "live migration of the VM to the node")                \
	X(VM_RELOCATE, "vm-relocate", "vn", "the VM is stopped and started on the node")

#define VRMS_SIM_FAULT_ENUM(name, word, subject, text) VRMS_SIM_FAULT_##name,
enum vrms_sim_fault_kind { VRMS_SIM_FAULTS(VRMS_SIM_FAULT_ENUM) VRMS_SIM_FAULT_COUNT };
#undef VRMS_SIM_FAULT_ENUM

struct vrms_sim_fault {
	int64_t at_us, for_us; /* for_us 0: not given */
	uint16_t kind;
	int16_t link;   /* -1: all networks */
	int32_t first;  /* node or VM; CUT: index in groups[] of the scenario */
	int32_t second; /* node */
};

/* Demand of a VM from a moment on, until its next one. */
struct vrms_sim_load_point {
	int64_t from_us;
	int32_t vm;
	float pct; /* of its CPUs */
};

struct vrms_sim_scenario {
	struct vrms_sim_settings settings;
	struct vrms_sim_node_spec *node;
	int node_count;
	struct vrms_sim_vm_spec *vm;
	int vm_count;
	struct vrms_sim_device device[VRMS_SIM_DEVICES_MAX];
	int device_count;
	struct vrms_sim_fault *fault; /* by time once completed */
	size_t fault_count, fault_capacity;
	int16_t *group; /* [cut][node] group of each node */
	int cut_count;
	struct vrms_sim_load_point *load; /* by VM and time once completed */
	size_t load_count, load_capacity;
	int64_t *load_first; /* [vm], and one more: its points in load[] */
	int64_t load_end_us;
	int64_t skipped_lines;
	struct vrms_sim_preference *preference;
	int preference_count;
	int32_t *ruled; /* VMs with a rule */
	int ruled_count;
	int apart_rules, together_rules; /* how many there have been */
};

/* One rule in words. */
struct vrms_sim_rule_spec {
	bool of_nodes;                   /* its VMs prefer its nodes; else VMs go with VMs */
	bool strict;                     /* of_nodes: they run nowhere else */
	bool negative;                   /* they keep apart, or away from its nodes */
	char vms[VRMS_SIM_RULE_BYTES];   /* names, separated by blanks or commas */
	char nodes[VRMS_SIM_RULE_BYTES]; /* the same; "NAME:PRIORITY", the highest first */
};

/* Sets all defaults; everything else empty. */
void vrms_sim_scenario_init(struct vrms_sim_scenario *scenario);
void vrms_sim_scenario_done(struct vrms_sim_scenario *scenario); /* accepts a zeroed one */

/* Takes a deep copy.  0 or -ENOMEM; `to` is overwritten and must be empty. */
VRMS_MUST_CHECK int vrms_sim_scenario_copy(struct vrms_sim_scenario *to,
					   const struct vrms_sim_scenario *from);

/* Makes the nodes and VMs that are only given as a number.  -ENOMEM, -ENOSPC. */
VRMS_MUST_CHECK int vrms_sim_scenario_populate(struct vrms_sim_scenario *scenario,
					       struct vrms_error *error);

/* Populates, fills in what was left open, sorts the faults.
 *
 * -EINVAL: the parts contradict each other; -ENOMEM.
 */
VRMS_MUST_CHECK int vrms_sim_scenario_complete(struct vrms_sim_scenario *scenario,
					       struct vrms_error *error);

/* A fence device where there is none: a pdu named "fence". */
void vrms_sim_scenario_default_device(struct vrms_sim_scenario *scenario);

/* Applies "section.key=value", or "device.NAME.key=value" to a fence device that is there.
 * -EINVAL, -ERANGE, -ENOENT (no such key or device).
 */
VRMS_MUST_CHECK int vrms_sim_scenario_assign(struct vrms_sim_scenario *scenario, const char *text,
					     struct vrms_error *error);

/* Index by name or -ENOENT. */
int vrms_sim_scenario_node(const struct vrms_sim_scenario *scenario, const char *name);
int vrms_sim_scenario_vm(const struct vrms_sim_scenario *scenario, const char *name);

/* Index by name; added when it is new.  -ENOMEM, -ENOSPC, -ENAMETOOLONG. */
VRMS_MUST_CHECK int vrms_sim_scenario_add_node(struct vrms_sim_scenario *scenario, const char *name,
					       struct vrms_error *error);
VRMS_MUST_CHECK int vrms_sim_scenario_add_vm(struct vrms_sim_scenario *scenario, const char *name,
					     struct vrms_error *error);

/* Appends one fault.  0 or -ENOMEM. */
VRMS_MUST_CHECK int vrms_sim_scenario_add_fault(struct vrms_sim_scenario *scenario,
						const struct vrms_sim_fault *fault);

/* Appends one point.  0 or -ENOMEM. */
VRMS_MUST_CHECK int vrms_sim_scenario_add_load(struct vrms_sim_scenario *scenario,
					       const struct vrms_sim_load_point *point);

/* Adds a rule, whose VMs and nodes must be known.  -EINVAL, -ENOENT (no such VM or node), -EEXIST
 * (a VM is in a rule of nodes already), -ENOSPC, -ENOMEM.
 */
VRMS_MUST_CHECK int vrms_sim_scenario_add_rule(struct vrms_sim_scenario *scenario,
					       const struct vrms_sim_rule_spec *rule,
					       struct vrms_error *error);

/* How much the rules of nodes say for the node: 0 is nothing; VRMS_SIM_FORBIDDEN: not there. */
int64_t vrms_sim_scenario_score(const struct vrms_sim_scenario *scenario, int vm, int node);

/* Takes the VM out of all rules. */
void vrms_sim_scenario_drop_rules(struct vrms_sim_scenario *scenario, int vm);

/* Appends a row for a cut, all nodes in group 0.  Its index or -ENOMEM.  No node may be added
 * later. */
VRMS_MUST_CHECK int vrms_sim_scenario_add_cut(struct vrms_sim_scenario *scenario);

/* "freeze"; and by word: kind or -ENOENT. */
const char *vrms_sim_fault_word(enum vrms_sim_fault_kind kind);
const char *vrms_sim_fault_text(enum vrms_sim_fault_kind kind);
const char *vrms_sim_fault_subject(enum vrms_sim_fault_kind kind);
int vrms_sim_fault_by_word(const char *word);

/* The token in force with this many nodes, coefficient included; and the consensus that follows. */
int64_t vrms_sim_token_us(const struct vrms_sim_settings *settings, int node_count);
int64_t vrms_sim_consensus_us(const struct vrms_sim_settings *settings, int64_t token_us);

#endif
