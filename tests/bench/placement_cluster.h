/* placement_cluster.h - clusters for the placement benchmark, in every format the peers read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_TESTS_BENCH_PLACEMENT_CLUSTER_H
#define VRMS_TESTS_BENCH_PLACEMENT_CLUSTER_H

#include <stdio.h>

#include "placement/planner.h"

enum { BENCH_DIMS = 2 }; /* memory in MiB, cpu in hundredths of a core */

struct bench_cluster {
	int nodes, vms;
	int64_t capacity[BENCH_DIMS]; /* of every node */
	int64_t *demand;              /* [vm][BENCH_DIMS] */
	int *host;                    /* [vm] */
};

/* VMs of 1 to 64 GiB with cpu to match, filled to fill_pct, started level (largest first onto the
 * emptiest, then rebalanced when `level`).  Exits on lack of memory.
 */
struct bench_cluster *bench_cluster_new(int nodes, int vms, int fill_pct, uint64_t seed,
					bool level);

/* 10 nodes of 128 GiB, VMs of 2 to 48 GiB, 95 % of the survivors' memory when one is lost. */
struct bench_cluster *bench_cluster_tight(uint64_t seed);
void bench_cluster_free(struct bench_cluster *cluster);

struct vrms_model *bench_cluster_model(const struct bench_cluster *cluster);

/* As "cibadmin -Q" shows it.  probed: every node says of every VM whether it runs there;
 * listed (or NULL): only hosts and the hosts of these lists do.
 */
void bench_cluster_cib(const struct bench_cluster *cluster, const char *strategy, bool probed,
		       const struct vrms_failover *listed, FILE *out);

/* Ganeti's text format, disks shared. */
void bench_cluster_ganeti(const struct bench_cluster *cluster, FILE *out);

/* What Ganeti's allocator is asked: new hosts for the VMs of a node that is offline. */
void bench_cluster_hail(const struct bench_cluster *cluster, int lost, FILE *out);

#endif
