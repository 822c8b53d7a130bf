/* san_params.h - rows that the tables of fence_vrms_scsi and ocf:vrms:SanLun have in common.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_SAN_PARAMS_H
#define VRMS_AGENTS_SAN_PARAMS_H

#include "agents/san_settings.h"
#include "ocf/param.h"

/* The texts of enum vrms_san_key_format. */
static const char *const vrms_san_key_formats[] = {"vrms", "fence_scsi", NULL};

/* structure: the agent's configuration; prefix: "" or the path to the settings in it ("san."). */
#define VRMS_SAN_PARAMS(structure, prefix)                                                         \
	{                                                                                          \
	    .name = "chap_user",                                                                   \
	    .type = VRMS_PARAM_STRING,                                                             \
	    .offset = VRMS_PARAM_FIELD(structure, prefix chap_user, const char *),                 \
	    .shortdesc = "Name for CHAP",                                                          \
	    .longdesc = "The name with which the target knows this cluster.",                      \
	},                                                                                         \
	    {                                                                                      \
		.name = "chap_password",                                                           \
		.type = VRMS_PARAM_STRING,                                                         \
		.offset = VRMS_PARAM_FIELD(structure, prefix chap_password, const char *),         \
		.shortdesc = "Password for CHAP",                                                  \
		.longdesc = "Better kept in a file: the cluster's configuration is readable.",     \
	    },                                                                                     \
	    {                                                                                      \
		.name = "chap_password_file",                                                      \
		.type = VRMS_PARAM_STRING,                                                         \
		.offset = VRMS_PARAM_FIELD(structure, prefix chap_password_file, const char *),    \
		.shortdesc = "File with the password for CHAP",                                    \
		.longdesc = "Its first line is the password. It has to be on every node.",         \
	    },                                                                                     \
	    {                                                                                      \
		.name = "initiator",                                                               \
		.type = VRMS_PARAM_STRING,                                                         \
		.offset = VRMS_PARAM_FIELD(structure, prefix initiator, const char *),             \
		.fallback = "iqn.2026-01.local.vrms:%n",                                           \
		.shortdesc = "Initiator names",                                                    \
		.longdesc =                                                                        \
		    "%n is the name of a node, %c of the cluster. The target has to let them in.", \
	    },                                                                                     \
	    {                                                                                      \
		.name = "cluster",                                                                 \
		.type = VRMS_PARAM_STRING,                                                         \
		.offset = VRMS_PARAM_FIELD(structure, prefix cluster, const char *),               \
		.advanced = true,                                                                  \
		.shortdesc = "Cluster name that the keys are made of",                             \
		.longdesc = "The default is what corosync says (totem.cluster_name).",             \
	    },                                                                                     \
	    {                                                                                      \
		.name = "nodes",                                                                   \
		.type = VRMS_PARAM_STRING,                                                         \
		.offset = VRMS_PARAM_FIELD(structure, prefix nodes, const char *),                 \
		.advanced = true,                                                                  \
		.shortdesc = "Names and numbers of the nodes",                                     \
		.longdesc = "node1:1 node2:2 ...; the default is corosync's nodelist.",            \
	    },                                                                                     \
	    {                                                                                      \
		.name = "keys",                                                                    \
		.type = VRMS_PARAM_STRING,                                                         \
		.offset = VRMS_PARAM_FIELD(structure, prefix keys, const char *),                  \
		.advanced = true,                                                                  \
		.shortdesc = "Keys that nodes have already",                                       \
		.longdesc =                                                                        \
		    "node1=0xa1 node2=0xb2 ...: beside fence_mpath, the reservation_key of each "  \
		    "node's /etc/multipath.conf.",                                                 \
	    },                                                                                     \
	    {                                                                                      \
		.name = "key_format",                                                              \
		.type = VRMS_PARAM_CHOICE,                                                         \
		.offset = VRMS_PARAM_FIELD(structure, prefix key_format, int),                     \
		.choices = vrms_san_key_formats,                                                   \
		.fallback = "vrms",                                                                \
		.advanced = true,                                                                  \
		.shortdesc = "How keys are made",                                                  \
		.longdesc = "vrms: of the cluster's name and the node's number. fence_scsi: as "   \
			    "fence_scsi "                                                          \
			    "with key_value=id makes them, for a change-over with both in use.",   \
	    },                                                                                     \
	{                                                                                          \
		.name = "portal_timeout", .type = VRMS_PARAM_DURATION_MS,                          \
		.offset = VRMS_PARAM_FIELD(structure, prefix portal_timeout_ms, int64_t),          \
		.fallback = "3s", .minimum = 50, .maximum = 120000,                                \
		.shortdesc = "Longest wait for a portal",                                          \
		.longdesc =                                                                        \
		    "A portal that does not answer one login or command for this long is given "   \
		    "up; the next one of the LUN is tried.",                                       \
	}

#endif
