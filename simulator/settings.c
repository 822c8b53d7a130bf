/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"

#define YEAR_US        (INT64_C(366) * 86400 * 1000000)
#define LONG_US        (100 * YEAR_US)
#define SIZE_MAX_BYTES (INT64_C(1) << 50)

/* A type that does not fit its row does not compile. */
#define FIELD(record, member, ctype)                                                               \
	(offsetof(struct record, member) + 0 * sizeof(_Generic(((struct record *)0)->member, ctype \
							       : (char)0)))
#define SETTING(s, k, t, member, ctype)               \
	.section = s, .key = k, .type = VRMS_SIM_##t, \
	.offset = FIELD(vrms_sim_settings, member, ctype)
#define INT(s, k, member)    SETTING(s, k, INT, member, int64_t)
#define TIME(s, k, member)   SETTING(s, k, TIME, member, int64_t)
#define SIZE(s, k, member)   SETTING(s, k, SIZE, member, int64_t)
#define SHARE(s, k, member)  SETTING(s, k, SHARE, member, double)
#define NUMBER(s, k, member) SETTING(s, k, NUMBER, member, double)
#define YES_NO(s, k, member) SETTING(s, k, YES_NO, member, bool)
#define CHOICE(s, k, member) SETTING(s, k, CHOICE, member, int)
#define LIMITS(low, high)    .minimum = (low), .maximum = (high)
#define ANY_TIME             LIMITS(0, LONG_US)
#define ANY_SHARE            LIMITS(0, 100)

static const struct vrms_sim_setting settings[] = {
    {INT("run", "seed", seed), "1", LIMITS(0, INT64_MAX), .text = "of all random numbers"},
    {TIME("run", "duration", duration_us), "0", ANY_TIME,
     .text = "simulated time; 0: until five minutes after the last fault, or generate for one day"},

    {INT("cluster", "nodes", nodes), "3", LIMITS(1, VRMS_SIM_NODES_MAX),
     .text = "named node1, node2 ... unless [node] sections or a trace name them"},
    {INT("cluster", "links", links), "1", LIMITS(1, VRMS_SIM_LINKS_MAX),
     .text = "knet links between all nodes"},
    {TIME("cluster", "token", token_us), "3s", LIMITS(30000, LONG_US), .text = "totem.token"},
    {TIME("cluster", "token_coefficient", token_coefficient_us), "650ms", ANY_TIME,
     .text = "added to the token for each node beyond two"},
    {TIME("cluster", "consensus", consensus_us), "0", ANY_TIME,
     .text = "totem.consensus; 0: 1.2 times the token"},
    {INT("cluster", "token_retransmits", retransmits), "4", LIMITS(1, 100),
     .text = "totem.token_retransmits_before_loss_const"},
    {TIME("cluster", "merge", merge_us), "200ms", LIMITS(30000, LONG_US), .text = "totem.merge"},
    {TIME("cluster", "latency", latency_us), "150us", LIMITS(1, 10000000),
     .text = "one way, with the time that corosync needs"},
    {TIME("cluster", "jitter", jitter_us), "0", LIMITS(0, 10000000),
     .text = "uniformly 0 to this is added to each latency"},
    {TIME("cluster", "message_interval", message_interval_us), "0", ANY_TIME,
     .text = "between messages of the ring's users, which end the idle hold of the token; 0: none"},
    {SHARE("cluster", "loss", loss_pct), "0", LIMITS(0, 90), .text = "of packets lost, percent"},
    {YES_NO("cluster", "two_node", two_node), "no",
     .text = "votequorum two_node (implies wait_for_all)"},
    {YES_NO("cluster", "wait_for_all", wait_for_all), "no", .text = "votequorum wait_for_all"},
    {YES_NO("cluster", "auto_tie_breaker", auto_tie_breaker), "no",
     .text = "votequorum auto_tie_breaker, lowest node wins"},
    {YES_NO("cluster", "last_man_standing", last_man_standing), "no",
     .text = "votequorum last_man_standing"},
    {TIME("cluster", "last_man_standing_window", last_man_standing_window_us), "10s", ANY_TIME,
     .text = "votequorum last_man_standing_window"},
    {CHOICE("cluster", "qdevice", qdevice), "none", .words = "none ffsplit lms",
     .text = "algorithm of the quorum device"},

    {CHOICE("pacemaker", "no_quorum_policy", no_quorum), "stop",
     .words = "stop freeze ignore suicide", .text = "no-quorum-policy"},
    {YES_NO("pacemaker", "stonith", stonith), "yes", .text = "stonith-enabled"},
    {CHOICE("pacemaker", "stonith_action", fence_action), "reboot", .words = "reboot off",
     .text = "stonith-action"},
    {TIME("pacemaker", "scheduler", scheduler_us), "50ms", ANY_TIME,
     .text = "from a change to its transition, in a small cluster"},
    {INT("pacemaker", "scheduler_per_vm_node_ns", scheduler_per_vm_node_ns), "200000",
     LIMITS(0, INT64_C(1000000000)), .text = "added for each VM times each node, nanoseconds"},
    {TIME("pacemaker", "report", report_us), "50ms", ANY_TIME,
     .text = "the same after the report of a VM's failure"},
    {TIME("pacemaker", "fence_overhead", fence_overhead_us), "20ms", ANY_TIME,
     .text = "of the fencer, added to the time of its devices"},
    {SHARE("pacemaker", "sync_retry_pct", sync_retry_pct), "50", ANY_SHARE,
     .text = "how often the controller finds corosync still syncing and sleeps"},
    {TIME("pacemaker", "sync_retry", sync_retry_us), "1s", ANY_TIME, .text = "and for how long"},
    {TIME("pacemaker", "transition_delay", transition_delay_us), "0", ANY_TIME,
     .text = "transition-delay: how long the controller waits for further changes"},
    {TIME("pacemaker", "sync_window", sync_window_us), "50ms", ANY_TIME,
     .text = "transition_delay from which on it never finds corosync syncing"},
    {TIME("pacemaker", "election", election_us), "500ms", ANY_TIME,
     .text = "time to elect a DC when the old one is gone"},
    {TIME("pacemaker", "join", join_us), "2s", ANY_TIME,
     .text = "from membership to taking resources"},
    {INT("pacemaker", "batch_limit", batch_limit), "0", LIMITS(0, 100000),
     .text = "operations at once in the cluster; 0: no limit"},
    {INT("pacemaker", "migration_limit", migration_limit), "0", LIMITS(0, 100000),
     .text = "migrations at once on a node; 0: no limit"},
    {INT("pacemaker", "node_action_limit", node_action_limit), "0", LIMITS(0, 100000),
     .text = "operations at once on a node; 0: twice its cores"},
    {SHARE("pacemaker", "load_threshold", load_threshold_pct), "80", LIMITS(0, 100000000),
     .text = "CPU load from which on a node is given fewer operations, percent"},
    {INT("pacemaker", "migration_threshold", migration_threshold), "3", LIMITS(0, 1000000),
     .text = "failures of a VM on a node that ban it there; 0: never"},
    {TIME("pacemaker", "failure_timeout", failure_timeout_us), "0", ANY_TIME,
     .text = "after which a ban is forgotten; 0: when the node comes back"},
    {YES_NO("pacemaker", "start_failure_is_fatal", start_failure_is_fatal), "yes",
     .text = "one failed start bans the VM from the node"},
    {TIME("pacemaker", "monitor_interval", monitor_interval_us), "10s", LIMITS(1000, LONG_US),
     .text = "of the VMs"},
    {TIME("pacemaker", "start_timeout", start_timeout_us), "90s", LIMITS(1000, LONG_US),
     .text = "of the VMs' start operation"},
    {TIME("pacemaker", "stop_timeout", stop_timeout_us), "90s", LIMITS(1000, LONG_US),
     .text = "of the VMs' stop operation; a stop that fails fences the node"},

    {YES_NO("vrmsd", "enabled", vrmsd), "no", .text = "vrmsd runs on every node"},
    {YES_NO("vrmsd", "verdict", verdict), "yes",
     .text = "fence_vrms_verdict stands before the devices of level 1"},
    {TIME("vrmsd", "beat_interval", beat_interval_us), "200ms", LIMITS(10000, 60000000),
     .text = "of the beats on the SAN"},
    {INT("vrmsd", "silent_count", silent_count), "3", LIMITS(1, 1000),
     .text = "beat intervals without a change that count as silence"},
    {TIME("vrmsd", "grace", grace_us), "2s", LIMITS(0, LONG_US),
     .text = "longest delay of a fence by the verdict"},
    {YES_NO("vrmsd", "vm_events", vm_events), "yes", .text = "a VM's death is an event"},
    {TIME("vrmsd", "vm_event", vm_event_us), "10ms", ANY_TIME,
     .text = "from the death of QEMU to its first sign"},
    {YES_NO("vrmsd", "tuner", tuner), "no",
     .text = "corosync's token is tuned while it runs; cluster.token is its upper limit"},
    {TIME("vrmsd", "measure", measure_us), "1s", LIMITS(1000000, 10000000),
     .text = "how often what was measured is looked at: less often is a faster simulation"},
    {TIME("vrmsd", "token_floor", token_floor_us), "200ms", LIMITS(30000, 60000000),
     .text = "as in vrmsd.conf, and the following likewise"},
    {TIME("vrmsd", "token_load_floor", token_load_floor_us), "1s", LIMITS(30000, 60000000),
     .text = "shortest token while load is announced"},
    {TIME("vrmsd", "warmup", warmup_us), "45s", LIMITS(1000000, LONG_US),
     .text = "measured at least so long before anything is shortened"},
    {TIME("vrmsd", "shorten_after", shorten_after_us), "15s", LIMITS(1000000, LONG_US),
     .text = "a shorter token must have been enough for so long"},
    {INT("vrmsd", "hysteresis", hysteresis_pct), "15", LIMITS(0, 50),
     .text = "smallest shortening, percent"},
    {TIME("vrmsd", "false_loss_every", false_loss_every_us), "87660h", LIMITS(60000000, LONG_US),
     .text = "budget: a live node may be lost once in this time"},
    {TIME("vrmsd", "false_loss_start", false_loss_start_us), "720h", LIMITS(60000000, LONG_US),
     .text = "the same at the start"},
    {TIME("vrmsd", "disturbance_every", disturbance_every_us), "24h", LIMITS(10000000, LONG_US),
     .text = "budget: the ring may break in vain once in this time"},

    {TIME("host", "lateness", lateness_us), "300us", LIMITS(1, 10000000),
     .text = "how late a real-time thread wakes up, the largest of a second: median"},
    {NUMBER("host", "lateness_sigma", lateness_sigma), "0.5", LIMITS(0, 3),
     .text = "sigma of its lognormal distribution"},
    {TIME("host", "wakeup", wakeup_us), "0", LIMITS(0, 10000000),
     .text = "how long a woken thread waits for a CPU, mean"},
    {SIZE("host", "memory", memory), "128GiB", LIMITS(1, SIZE_MAX_BYTES), .text = "for guests"},
    {INT("host", "cores", cores), "32", LIMITS(1, 100000), .text = "CPU cores"},
    {TIME("host", "boot", boot_us), "2min", ANY_TIME, .text = "from power on to corosync"},
    {TIME("host", "power_off", power_off_us), "0", ANY_TIME,
     .text = "that a fence takes longer when the host still runs: until it is off"},
    {INT("host", "racks", racks), "1", LIMITS(1, VRMS_SIM_NODES_MAX),
     .text = "nodes are dealt out to this many racks"},

    {INT("vm", "count", vms), "6", LIMITS(0, VRMS_SIM_VMS_MAX),
     .text = "named vm1, vm2 ... unless [vm] sections name them"},
    {SIZE("vm", "memory", vm_memory), "4GiB", LIMITS(1, SIZE_MAX_BYTES), .text = "of a VM"},
    {SIZE("vm", "memory_max", vm_memory_max), "0", LIMITS(0, SIZE_MAX_BYTES),
     .text = "larger than memory: sizes are spread evenly over this range of powers"},
    {INT("vm", "cores", vm_cores), "2", LIMITS(1, 100000), .text = "virtual CPUs"},
    {TIME("vm", "load_step", load_step_us), "5min", LIMITS(1000000, LONG_US),
     .text = "how often the level of the load is looked at, where there are load traces"},
    {SHARE("vm", "load", vm_load_pct), "30", ANY_SHARE,
     .text = "CPU use of a VM without a load trace, percent of its CPUs"},
    {SIZE("vm", "dirty_rate", vm_dirty), "64MiB", LIMITS(0, SIZE_MAX_BYTES),
     .text = "memory written per second"},
    {TIME("vm", "start", vm_start_us), "550ms", ANY_TIME, .text = "duration of a start operation"},
    {TIME("vm", "start_elsewhere", vm_start_elsewhere_us), "0", ANY_TIME,
     .text = "added to it on another host than the one where the VM ran last"},
    {INT("vm", "start_wakeups", vm_start_wakeups), "410", LIMITS(0, 1000000),
     .text = "how often a start waits for a thread to be woken, each for host.wakeup"},
    {TIME("vm", "cleanup", vm_cleanup_us), "110ms", ANY_TIME,
     .text = "duration of the stop operation of a VM that has died"},
    {SHARE("vm", "start_contention", start_contention_pct), "25", LIMITS(0, 1000),
     .text = "by which each other operation on the node prolongs a start"},
    {TIME("vm", "boot", vm_boot_us), "10s", ANY_TIME,
     .text = "from the end of the start operation to service"},
    {TIME("vm", "stop", vm_stop_us), "5s", ANY_TIME, .text = "duration of a clean shutdown"},
    {SHARE("vm", "start_failure", start_failure_pct), "0", ANY_SHARE,
     .text = "of starts that fail"},
    {SHARE("vm", "stop_failure", stop_failure_pct), "0", ANY_SHARE, .text = "of stops that fail"},

    {SIZE("migration", "bandwidth", bandwidth), "1GiB", LIMITS(1, SIZE_MAX_BYTES),
     .text = "bytes per second of one live migration"},
    {TIME("migration", "downtime", downtime_us), "300ms", ANY_TIME,
     .text = "longest pause at the end of it"},
    {INT("migration", "rounds", migration_rounds), "30", LIMITS(1, 1000),
     .text = "of copying before the guest is paused anyway"},

    {TIME("san", "io_error", io_error_us), "30s", ANY_TIME,
     .text = "from the loss of all paths to the I/O error that pauses a guest"},

    {CHOICE("placement", "policy", policy), "balanced", .words = "plan balanced",
     .text = "plan: the solver of VRMS; balanced: one VM after the other to the emptiest node, "
	     "like Pacemaker"},
    {YES_NO("placement", "rebalance", rebalance), "no",
     .text = "move guests to a node that has come back"},

    {CHOICE("generate", "preset", preset), "none", .words = "none lanl16 lanl20",
     .text = "published failure data in place of the defaults below; see vrms-sim(1)"},
    {CHOICE("generate", "model", model), "none", .words = "none weibull lognormal",
     .text = "distribution of the time between failures of a node"},
    {TIME("generate", "mtbf", mtbf_us), "0", ANY_TIME,
     .text = "mean time between failures of one node"},
    {NUMBER("generate", "shape", shape), "0.7", LIMITS(0, 100),
     .text = "of the Weibull distribution, or sigma of the lognormal one"},
    {TIME("generate", "repair", repair_us), "1h", ANY_TIME,
     .text = "median time to repair, lognormal"},
    {NUMBER("generate", "repair_sigma", repair_sigma), "1.0", LIMITS(0, 10), .text = "its sigma"},
    {SHARE("generate", "burst", burst_pct), "0", ANY_SHARE,
     .text = "of failures that take other nodes of the rack along"},
    {INT("generate", "burst_size", burst_size), "3", LIMITS(2, 1000),
     .text = "nodes in such a burst at most"},
    {SHARE("generate", "freezes", freeze_pct), "0", ANY_SHARE,
     .text = "of failures that freeze the host instead"},
    {TIME("generate", "rack_mtbf", rack_mtbf_us), "0", ANY_TIME,
     .text = "mean time between outages of one rack; 0: none"},
    {TIME("generate", "vm_mtbf", vm_mtbf_us), "0", ANY_TIME,
     .text = "mean time between crashes of one VM; 0: none"},
    {NUMBER("generate", "stalls_per_day", stalls_per_day), "0", LIMITS(0, 1000000),
     .text = "scheduling stalls of one node at least as long as \"stall\""},
    {TIME("generate", "stall", stall_us), "50ms", LIMITS(1000, LONG_US),
     .text = "shortest of them"},
    {NUMBER("generate", "stall_shape", stall_shape), "2.0", LIMITS(0, 100),
     .text = "Pareto exponent of their length"},
    {TIME("generate", "stall_max", stall_max_us), "1min", LIMITS(1000, LONG_US),
     .text = "longest of them"},
};

#define OF(record, k, t, member, ctype) \
	.key = k, .type = VRMS_SIM_##t, .offset = FIELD(record, member, ctype)

static const struct vrms_sim_setting device_settings[] = {
    {OF(vrms_sim_device, "kind", CHOICE, kind, int), .fallback = "pdu",
     .words = "ipmi pdu scsi sbd verdict", .text = "what it is"},
    {OF(vrms_sim_device, "level", INT, level, int64_t), .fallback = "1", LIMITS(1, 9),
     .text = "of the fencing topology; devices of one level must all succeed"},
    {OF(vrms_sim_device, "time", TIME, time_us, int64_t), .fallback = "2s", ANY_TIME,
     .text = "that a fence takes"},
    {OF(vrms_sim_device, "delay", TIME, delay_us, int64_t), .fallback = "0", ANY_TIME,
     .text = "pcmk_delay_base"},
    {OF(vrms_sim_device, "delay_random", TIME, delay_random_us, int64_t), .fallback = "0", ANY_TIME,
     .text = "pcmk_delay_max on top of it"},
    {OF(vrms_sim_device, "timeout", TIME, timeout_us, int64_t), .fallback = "60s",
     LIMITS(1000, LONG_US), .text = "after which a device that does not answer has failed"},
    {OF(vrms_sim_device, "failure", SHARE, failure_pct, double), .fallback = "0", ANY_SHARE,
     .text = "of fences that fail"},
};

static const struct vrms_sim_setting node_settings[] = {
    {OF(vrms_sim_node_spec, "memory", SIZE, memory, int64_t), .fallback = "0",
     LIMITS(0, SIZE_MAX_BYTES), .text = "for guests; 0: as in [host]"},
    {OF(vrms_sim_node_spec, "cores", INT, cores, int64_t), .fallback = "0", LIMITS(0, 100000),
     .text = "0: as in [host]"},
    {OF(vrms_sim_node_spec, "rack", INT, rack, int64_t), .fallback = "-1",
     LIMITS(-1, VRMS_SIM_NODES_MAX), .text = "-1: dealt out"},
    {OF(vrms_sim_node_spec, "off", YES_NO, off, bool), .fallback = "no",
     .text = "not running at the beginning"},
};

static const struct vrms_sim_setting vm_settings[] = {
    {OF(vrms_sim_vm_spec, "memory", SIZE, memory, int64_t), .fallback = "0",
     LIMITS(0, SIZE_MAX_BYTES), .text = "0: as in [vm]"},
    {OF(vrms_sim_vm_spec, "cores", INT, cores, int64_t), .fallback = "0", LIMITS(0, 100000),
     .text = "0: as in [vm]"},
    {OF(vrms_sim_vm_spec, "dirty_rate", SIZE, dirty, int64_t), .fallback = "0",
     LIMITS(0, SIZE_MAX_BYTES), .text = "0: as in [vm]"},
    {OF(vrms_sim_vm_spec, "priority", INT, priority, int64_t), .fallback = "0",
     LIMITS(-1000000, 1000000), .text = "higher starts earlier and stays up longer"},
    {OF(vrms_sim_vm_spec, "stopped", YES_NO, stopped, bool), .fallback = "no",
     .text = "not meant to run at the beginning"},
    {OF(vrms_sim_vm_spec, "stays", YES_NO, stays, bool), .fallback = "no",
     .text = "where it is, when a node that it prefers comes back"},
};

const struct vrms_sim_setting *vrms_sim_settings_table(size_t *ret_count)
{
	*ret_count = VRMS_COUNT_OF(settings);
	return settings;
}

const struct vrms_sim_setting *vrms_sim_device_table(size_t *ret_count)
{
	*ret_count = VRMS_COUNT_OF(device_settings);
	return device_settings;
}

const struct vrms_sim_setting *vrms_sim_node_table(size_t *ret_count)
{
	*ret_count = VRMS_COUNT_OF(node_settings);
	return node_settings;
}

const struct vrms_sim_setting *vrms_sim_vm_table(size_t *ret_count)
{
	*ret_count = VRMS_COUNT_OF(vm_settings);
	return vm_settings;
}
