/* lab.h - a real cluster on one machine: nodes made of namespaces, a power switch, two networks.
 *
 * A lab is a folder.  Everything known about it is read from there and from
 * /proc, so any process may open it, and a lab outlives the program that made it.
 * All functions need root.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_LAB_H
#define VRMS_LAB_LAB_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/child.h"
#include "common/error.h"

enum {
	VRMS_LAB_NODES_MAX = 32,
	VRMS_LAB_NETWORKS = 2,
	VRMS_LAB_NAME_MAX = 32,      /* bytes of a lab's name, without the NUL */
	VRMS_LAB_NODE_NAME_SIZE = 16 /* bytes, with the NUL */
};

/* Where a lab is.  All borrowed. */
struct vrms_lab_place {
	const char *name; /* NULL: "lab"; lower case letters, digits and '-' */
	const char *dir;  /* NULL: /var/lib/vrms-lab/<name>; absolute otherwise */
	const char
	    *stage; /* NULL: the installed programs; else a tree made by make install DESTDIR= */
};

struct vrms_lab_options {
	struct vrms_lab_place place;
	int node_count;        /* 1..VRMS_LAB_NODES_MAX */
	int64_t token_ms;      /* 0: corosync's default; else token, with token_coefficient 0 */
	int64_t boot_delay_ms; /* between the two halves of a power cycle, as a real machine has */
	int64_t timeout_ms;    /* for all of it; > 0 */
	bool without_libvirt;  /* nodes run corosync and pacemaker only */
	bool with_iscsi;       /* a target outside the nodes; SAN fencing before power */
	bool with_locks;       /* VMs under libvirt's lock manager */
	bool with_vrmsd;       /* and vrmsd, with a beat area in the shared folder */
	bool is_shared;        /* other labs run beside it: no real-time priority */
	bool without_wait;     /* return once the nodes have booted, not once all are online */
	/* Set by a signal handler: up gives up and takes down what it started.  NULL: never. */
	const volatile sig_atomic_t *interrupted;
	/* One line of progress; NULL: none. */
	void (*progress)(void *context, const char *text);
	void *progress_context;
};

struct vrms_lab; /* opaque */

/* Fills in the defaults: 3 nodes, corosync's token, 5 s, 300 s. */
void vrms_lab_options_init(struct vrms_lab_options *options);

/* Brings a lab up: folders, switch, power switch, nodes; and waits for it, bounded.
 *
 * The folder of a lab taken down with `keep` is used again with the disks it has.
 * On failure everything that was started is taken down again.
 * Errors: -EPERM (not root, no namespaces), -ENOENT (a needed program; the text
 * names the Debian package), -EEXIST (it is up already, or the folder holds
 * something else), -EBUSY (another vrms-lab works on it), -EINTR (interrupted),
 * -ETIMEDOUT.
 */
VRMS_MUST_CHECK int vrms_lab_up(const struct vrms_lab_options *options, struct vrms_lab **ret_lab,
				struct vrms_error *error);

/* Opens an existing lab, running or not.  -ENOENT: there is none. */
VRMS_MUST_CHECK int vrms_lab_open(const struct vrms_lab_place *place, struct vrms_lab **ret_lab,
				  struct vrms_error *error);
void vrms_lab_free(struct vrms_lab *lab); /* accepts NULL; the lab itself goes on */
VRMS_DEFINE_CLEANUP(struct vrms_lab *, vrms_lab_free);

/* Takes the lab down, whatever state a crash left it in: nodes, power switch, switch, mounts.
 *
 * keep: leaves the folder with the nodes' disks and the shared folder.
 * Nothing of the lab lives when it returns 0.  The handle must still be freed.
 */
VRMS_MUST_CHECK int vrms_lab_down(struct vrms_lab *lab, bool keep, struct vrms_error *error);

const char *vrms_lab_name(const struct vrms_lab *lab);
const char *vrms_lab_dir(const struct vrms_lab *lab);
const char *vrms_lab_san_path(const struct vrms_lab *lab); /* host path of the nodes' /srv */
bool vrms_lab_has_libvirt(const struct vrms_lab *lab);
bool vrms_lab_has_vrmsd(const struct vrms_lab *lab);
bool vrms_lab_has_iscsi(const struct vrms_lab *lab);
bool vrms_lab_has_locks(const struct vrms_lab *lab);

/* The settings of a node's vrmsd: in a folder that is the node's own, as /etc/vrms is not. */
#define VRMS_LAB_VRMSD_SETTINGS "/etc/corosync/vrmsd.conf"

/* Where the nodes see the beat area. */
#define VRMS_LAB_BEAT_AREA "/srv/beat/area"
int vrms_lab_node_count(const struct vrms_lab *lab);

/* "node1" for index 0.  Borrowed from the lab. */
const char *vrms_lab_node_name(const struct vrms_lab *lab, int index);

/* The index of a node; -EINVAL names the nodes there are. */
VRMS_MUST_CHECK int vrms_lab_node_index(const struct vrms_lab *lab, const char *name,
					int *ret_index, struct vrms_error *error);

/* Host path of a node's log: log is "pacemaker", "corosync", "libvirtd" or "boot".
 * Borrowed from the lab; NULL for another log.
 */
const char *vrms_lab_node_log_path(const struct vrms_lab *lab, int index, const char *log);

/* Runs a program inside a node, as vrms_child_run() does outside.
 *
 * spec->envp NULL: a login's environment, whatever the caller's is.
 * Errors besides those of vrms_child_run(): -EHOSTDOWN when the node is off.
 */
VRMS_MUST_CHECK int vrms_lab_node_run(const struct vrms_lab *lab, int index,
				      const struct vrms_child_spec *spec,
				      struct vrms_child_result *result, struct vrms_error *error);

enum vrms_lab_power {
	VRMS_LAB_POWER_OFF,
	VRMS_LAB_POWER_ON,
	VRMS_LAB_POWER_CYCLE,  /* off, then on after the boot delay */
	VRMS_LAB_POWER_STATUS, /* changes nothing */
};

enum vrms_lab_node_state {
	VRMS_LAB_NODE_OFF,
	VRMS_LAB_NODE_ON,
	VRMS_LAB_NODE_FROZEN,
};

/* Works a node's power button.
 *
 * Off cuts both network links first and returns 0 only when every process of
 * the node is dead.  On returns when the node boots, not when it has booted.
 * ret_state: the state afterwards; may be NULL.
 * Errors: -ETIMEDOUT when something in the node would not die.
 */
VRMS_MUST_CHECK int vrms_lab_power(struct vrms_lab *lab, int index, enum vrms_lab_power action,
				   enum vrms_lab_node_state *ret_state, struct vrms_error *error);

/* Stops (continues) every process of a node: a hung host.  -EHOSTDOWN when it is off. */
VRMS_MUST_CHECK int vrms_lab_freeze(struct vrms_lab *lab, int index, struct vrms_error *error);
VRMS_MUST_CHECK int vrms_lab_thaw(struct vrms_lab *lab, int index, struct vrms_error *error);

/* Splits the networks; replaces an earlier partition.
 *
 * spec:    groups of nodes, "node1,node2 / node3"; nodes that are not named form one more group.
 * network: 0 or 1 for one of them, -1 for both.
 * The shared folder stays reachable from everywhere.
 */
VRMS_MUST_CHECK int vrms_lab_partition(struct vrms_lab *lab, const char *spec, int network,
				       struct vrms_error *error);
VRMS_MUST_CHECK int vrms_lab_heal(struct vrms_lab *lab, struct vrms_error *error);

/* Waits until Pacemaker says that every node is online.
 *
 * Errors: -EHOSTDOWN (a node is off or failed to boot), -ETIMEDOUT (names those missing).
 */
VRMS_MUST_CHECK int vrms_lab_wait_online(struct vrms_lab *lab, int64_t timeout_ms,
					 struct vrms_error *error);

#endif
