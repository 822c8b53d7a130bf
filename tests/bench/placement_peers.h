/* placement_peers.h - what others answer to one failure: Pacemaker's scheduler (crm_simulate) and
 * Ganeti's hbal and hail, each where it is installed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_TESTS_BENCH_PLACEMENT_PEERS_H
#define VRMS_TESTS_BENCH_PLACEMENT_PEERS_H

#include "tests/bench/placement_cluster.h"

/* A folder for their files, and no cluster's; negative: there is none.  _close removes it. */
int bench_peer_open(void);
int bench_peer_close(void);

/* Runs a program; its output (to be freed) or NULL when it is not installed. */
char *bench_peer_run(const char *const *argv, double *ret_cpu_ms);

/* Writes the cluster as a CIB and gives the file's path. */
void bench_peer_cib(const struct bench_cluster *cluster, const char *strategy, bool probed,
		    const struct vrms_failover *listed, char path[96]);

/* Each fills host[vm] with the node where it puts the VM (-1: nowhere) when `lost` is lost.
 * Returns how many VMs it leaves down, -1 when it is not installed.
 */
int bench_peer_pacemaker(const struct bench_cluster *cluster, int lost, int *host, double *ret_ms);
int bench_peer_hbal(const struct bench_cluster *cluster, int lost, int *host, double *ret_ms);
int bench_peer_hbal_evacuates(const struct bench_cluster *cluster, int lost, int *host,
			      double *ret_ms);
int bench_peer_hail(const struct bench_cluster *cluster, int lost, int *host, double *ret_ms);

#endif
