/* render.h - the texts of a node's configuration files.
 *
 * Pure but for the caller's memory: each returns a heap text, NULL only when
 * out of memory.  `index` is that of the node.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_RENDER_H
#define VRMS_LAB_RENDER_H

#include "lab/setup.h"

enum { VRMS_LAB_REALTIME_NODES_MAX = 4 };

/* Do the nodes share the processors fairly, without real-time priority, because there are many, or
 * others of other labs?
 *
 * While a ring forms, corosync spins for as long as a client's request waits.  On a host that is a
 * fraction of a second of one processor; many nodes that share a few, each with real-time slices of
 * 100 ms, starve one another and never form a ring.  What has real-time priority otherwise goes
 * before the rest of the machine all the same. */
bool vrms_lab_is_crowded(const struct vrms_lab_setup *setup);

typedef char *vrms_lab_render(const struct vrms_lab_setup *setup, int index);

/* /etc/corosync/corosync.conf: two knet links, no encryption; token_coefficient 0 when the
 * token was given, so that the value means what it says.  Source: corosync.conf(5). */
vrms_lab_render vrms_lab_render_corosync;
/* vrmsd.conf, of vrms-lab up --vrmsd. */
vrms_lab_render vrms_lab_render_vrmsd;
/* /etc/hosts: each node on both networks; "node1" is its first address. */
vrms_lab_render vrms_lab_render_hosts;
vrms_lab_render vrms_lab_render_hostname;
/* 32 hexadecimal digits of its own for each node of each lab. */
vrms_lab_render vrms_lab_render_machine_id;
/* libvirtd.conf: TCP on the node's first address, no TLS, a host UUID of its own (without
 * one, libvirt takes the machine's and refuses to migrate to "itself"). */
vrms_lab_render vrms_lab_render_libvirtd;
/* qemu.conf: no cgroups, no namespaces, no security driver: the node has none of them. */
vrms_lab_render vrms_lab_render_qemu;
/* The first CIB: dc-deadtime 2s, so that the first election does not wait for 20 s. */
vrms_lab_render vrms_lab_render_cib;
/* Input of ip -batch, in the node: its addresses. */
vrms_lab_render vrms_lab_render_addresses, vrms_lab_render_lockd;

#endif
