/* reader.h - scenario files and failure traces as text: line by line, every mistake with its place.
 *
 * Pure: takes text that somebody has read from a file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_SIMULATOR_READER_H
#define VRMS_SIMULATOR_READER_H

#include "simulator/scenario.h"

enum { VRMS_SIM_PATH_BYTES = 512 };

/* Files that a scenario names; relative to the scenario's own folder. */
struct vrms_sim_sources {
	char trace[VRMS_SIM_PATH_BYTES];       /* "" when not given */
	char calibration[VRMS_SIM_PATH_BYTES]; /* settings that win over the scenario's own */
};

/* Reads the sections of a scenario file, all but [faults] and [rule NAME].
 *
 * path: only for messages, "path:line: what is wrong".
 * Returns 0, -EINVAL, -ERANGE, -ENOENT (an unknown key or section) or -ENOMEM.
 */
VRMS_MUST_CHECK int vrms_sim_scenario_read(struct vrms_sim_scenario *scenario, const char *path,
					   const char *text, struct vrms_sim_sources *sources,
					   struct vrms_error *error);

/* Reads [faults] of the same file, once all nodes and VMs are known. */
VRMS_MUST_CHECK int vrms_sim_scenario_read_faults(struct vrms_sim_scenario *scenario,
						  const char *path, const char *text,
						  struct vrms_error *error);

/* Reads its [rule NAME] sections, likewise. */
VRMS_MUST_CHECK int vrms_sim_scenario_read_rules(struct vrms_sim_scenario *scenario,
						 const char *path, const char *text,
						 struct vrms_error *error);

/* One fault: "10s freeze node1 for 3s". */
VRMS_MUST_CHECK int vrms_sim_fault_parse(struct vrms_sim_scenario *scenario, const char *line,
					 struct vrms_error *error);

struct vrms_sim_trace_options {
	const char *path; /* for messages */
	bool skip_bad;    /* count broken lines in scenario->skipped_lines instead of failing */
};

/* Appends the faults of a trace; new names become nodes.  The form is told by the first line:
 *
 *   time_s,node,event      down, up, join, or a word of vrms_sim_fault_word() that needs a node
 *   node,down_s,up_s,...   outages; more columns are ignored
 *   System,machine type,.. failure records of Los Alamos National Laboratory, of one system
 *   Failure Trace Archive  event_trace.tab: columns separated by tabs
 */
VRMS_MUST_CHECK int vrms_sim_trace_read(struct vrms_sim_scenario *scenario, const char *text,
					const struct vrms_sim_trace_options *options,
					struct vrms_error *error);

/* Takes in load over time; new names become VMs.  The form is told by the first line:
 *
 *   vm,t0,t300,...                  a VM a row, percent of its CPUs in each column (PlanetLab)
 *   vm,vcpu,cpu_capacity_mhz,mem_kb what each VM is; must come before
 *   end_s,vm,duration_s,cpu_mhz     mean over the time that ends at end_s (Bitbrains)
 */
VRMS_MUST_CHECK int vrms_sim_load_read(struct vrms_sim_scenario *scenario, const char *text,
				       const struct vrms_sim_trace_options *options,
				       struct vrms_error *error);
bool vrms_sim_load_is(const char *text);

/* Takes in the rules of Proxmox: node-affinity and resource-affinity; their nodes and services must
 * be known.
 */
VRMS_MUST_CHECK int vrms_sim_proxmox_rules_read(struct vrms_sim_scenario *scenario,
						const char *text,
						const struct vrms_sim_trace_options *options,
						struct vrms_error *error);

/* Is this text a trace that vrms_sim_trace_read() knows, rather than a scenario? */
bool vrms_sim_trace_is(const char *text);

#endif
