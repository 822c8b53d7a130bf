/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/vm_params.h"

#include "agents/vm_table.h"

#define FIELD(name, c_type) VRMS_PARAM_FIELD(struct vrms_vm_config, name, c_type)

static const char *const on_io_error_choices[] = {"fail", "resume", "ignore", NULL};

/* Order: ocf:heartbeat:VirtualDomain's own parameters first, in its order. */
static const struct vrms_param params[] = {
    {
	.name = "config",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(config, const char *),
	.required = true,
	.unique = true,
	.shortdesc = "Path of the domain's libvirt XML",
	.longdesc = "Absolute path of the file that describes the virtual machine in libvirt's "
		    "domain XML. It may live on shared storage: at a probe on a node that does "
		    "not have it, the machine counts as not running there.",
    },
    {
	.name = "hypervisor",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(hypervisor, const char *),
	.shortdesc = "Connection URI of the hypervisor",
	.longdesc = "URI by which libvirt reaches the local hypervisor, for example "
		    "qemu:///system. When it is not set, libvirt chooses (the same URI that "
		    "\"virsh uri\" prints).",
    },
    {
	.name = "force_stop",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(force_stop, bool),
	.fallback = "0",
	.reloadable = true,
	.shortdesc = "Stop by switching off, without asking the guest",
	.longdesc = "When true, a stop destroys the domain at once. When false, the guest is asked "
		    "to shut down first and the domain is destroyed only when it did not do so "
		    "in time. Cannot be combined with snapshot.",
    },
    {
	.name = "migration_transport",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(migration_transport, const char *),
	.fallback = "",
	.reloadable = true,
	.shortdesc = "Transport to the target's libvirt",
	.longdesc = "Transport by which the target's libvirt is reached for a migration: ssh, tls, "
		    "tcp and others of libvirt's. It is put into the URI made from hypervisor: "
		    "\"tcp\" makes qemu+tcp://TARGET/system of qemu:///system. Not set: "
		    "libvirt's default transport.",
    },
    {
	.name = "migration_user",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(migration_user, const char *),
	.reloadable = true,
	.shortdesc = "User name in the target's URI",
	.longdesc = "User name put before the target's host name in the connection URI. Not set: "
		    "none, which means root for ssh. Ignored when remoteuri is set.",
    },
    {
	.name = "migration_downtime",
	.type = VRMS_PARAM_INTEGER,
	.offset = FIELD(migration_downtime_ms, int64_t),
	.fallback = "0",
	.minimum = 0,
	.maximum = 2000000,
	.reloadable = true,
	.shortdesc = "Longest pause at the switch-over of a live migration, in milliseconds",
	.longdesc = "How long, in milliseconds, the guest may stand still at the end of a live "
		    "migration. It is set before the memory is copied, so that it also holds for "
		    "a migration of less than a second. 0: libvirt's default.",
    },
    {
	.name = "migration_speed",
	.type = VRMS_PARAM_INTEGER,
	.offset = FIELD(migration_speed_mibs, int64_t),
	.fallback = "0",
	.minimum = 0,
	.maximum = 8796093022207,
	.reloadable = true,
	.shortdesc = "Bandwidth limit of a live migration, in MiB/s",
	.longdesc = "Upper limit, in MiB per second, for what a live migration of this machine "
		    "sends. 0: no limit set by the agent.",
    },
    {
	.name = "migration_network_suffix",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(migration_network_suffix, const char *),
	.fallback = "",
	.reloadable = true,
	.shortdesc = "Suffix that makes the target's name on the migration network",
	.longdesc = "Migrations go to the host whose name is the target node's name with this "
		    "text appended; in a fully qualified name it goes before the first dot: "
		    "with \"-mig\", node2.example.org becomes node2-mig.example.org. The name must "
		    "resolve on the source. It is used both for the connection URI and, with "
		    "QEMU and Xen, for the migration URI.",
    },
    {
	.name = "migrateuri",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(migrateuri, const char *),
	.reloadable = true,
	.shortdesc = "URI to which the migration data are sent",
	.longdesc = "Migration URI, when the one that would be made does not fit; %n stands for "
		    "the target's name, with migration_network_suffix unless remoteuri is set. "
		    "migrateport and --migrateuri in migrate_options are then not used.",
    },
    {
	.name = "migrate_options",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(migrate_options, const char *),
	.reloadable = true,
	.shortdesc = "Further options of \"virsh migrate\"",
	.longdesc =
	    "Option words of \"virsh migrate\" for live migrations, for example \"--unsafe\", "
	    "\"--copy-storage-all\", \"--compressed\" or \"--migrateuri=tcp://%n-mig\" "
	    "(%n as for migrateuri; migrateport is then not used). A word that is unknown, or that "
	    "would leave the machine "
	    "elsewhere than the cluster expects it, is a configuration error.",
    },
    {
	.name = "monitor_scripts",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(monitor_scripts, const char *),
	.fallback = "",
	.reloadable = true,
	.shortdesc = "Programs that check the services inside the guest",
	.longdesc = "Paths of programs, separated by blanks. Each monitor of a running machine "
		    "runs them one after another; the first that does not exit with 0 makes the "
		    "monitor fail. A start and a migrate_from end only when all of them "
		    "succeed, so give these operations time-outs that allow for it.",
    },
    {
	.name = "autoset_utilization_cpu",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(autoset_utilization_cpu, bool),
	.fallback = "true",
	.reloadable = true,
	.shortdesc = "Keep the utilization attribute cpu up to date",
	.longdesc = "When true, a monitor writes the number of virtual CPUs into the resource's "
		    "utilization attribute cpu when it has changed.",
    },
    {
	.name = "autoset_utilization_host_memory",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(autoset_utilization_host_memory, bool),
	.fallback = "true",
	.reloadable = true,
	.shortdesc = "Keep the utilization attribute host_memory up to date",
	.longdesc = "When true, a monitor writes the domain's maximum memory, in MiB, into the "
		    "resource's utilization attribute host_memory when it has changed.",
    },
    {
	.name = "autoset_utilization_hv_memory",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(autoset_utilization_hv_memory, bool),
	.fallback = "true",
	.reloadable = true,
	.shortdesc = "Keep the utilization attribute hv_memory up to date",
	.longdesc = "When true, a monitor writes the domain's maximum memory, in MiB, into the "
		    "resource's utilization attribute hv_memory when it has changed.",
    },
    {
	.name = "unset_utilization_cpu",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(unset_utilization_cpu, bool),
	.fallback = "false",
	.reloadable = true,
	.shortdesc = "Remove the utilization attribute cpu",
	.longdesc = "When true, and autoset_utilization_cpu is false, a monitor removes the "
		    "resource's utilization attribute cpu.",
    },
    {
	.name = "unset_utilization_host_memory",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(unset_utilization_host_memory, bool),
	.fallback = "false",
	.reloadable = true,
	.shortdesc = "Remove the utilization attribute host_memory",
	.longdesc =
	    "When true, and autoset_utilization_host_memory is false, a monitor removes the "
	    "resource's utilization attribute host_memory.",
    },
    {
	.name = "unset_utilization_hv_memory",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(unset_utilization_hv_memory, bool),
	.fallback = "false",
	.reloadable = true,
	.shortdesc = "Remove the utilization attribute hv_memory",
	.longdesc = "When true, and autoset_utilization_hv_memory is false, a monitor removes the "
		    "resource's utilization attribute hv_memory.",
    },
    {
	.name = "migrateport",
	.type = VRMS_PARAM_INTEGER,
	.offset = FIELD(migrateport, int64_t),
	.minimum = 1,
	.maximum = 65535,
	.reloadable = true,
	.shortdesc = "Port of the migration URI",
	.longdesc =
	    "Port in the migration URI that is made with migration_network_suffix. Not set: "
	    "a random port between 49152 and 49215.",
    },
    {
	.name = "remoteuri",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(remoteuri, const char *),
	.reloadable = true,
	.shortdesc = "Connection URI of the target's libvirt",
	.longdesc = "URI by which the target's libvirt is reached, when the one that would be made "
		    "does not fit; %n stands for the target node's name. migration_user and "
		    "migration_network_suffix are then not used for it.",
    },
    {
	.name = "save_config_on_stop",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(save_config_on_stop, bool),
	.fallback = "false",
	.reloadable = true,
	.shortdesc = "Write changes of the running machine back to config",
	.longdesc = "When true, the running machine's definition is written to the file named by "
		    "config when it differs: at a stop, at a migration and at each monitor. "
		    "Otherwise changes made while it runs are lost with its stop.",
    },
    {
	.name = "sync_config_on_stop",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(sync_config_on_stop, bool),
	.fallback = "false",
	.reloadable = true,
	.shortdesc = "Distribute config by csync2 after it was written back",
	.longdesc =
	    "Implies save_config_on_stop. After the file was written, \"csync2 -x FILE\" brings "
	    "it to the other nodes; csync2 must be set up for that.",
    },
    {
	.name = "snapshot",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(snapshot, const char *),
	.fallback = "",
	.reloadable = true,
	.shortdesc = "Folder for the memory image of a stopped machine",
	.longdesc = "When set, a stop saves the guest's memory to NAME.state in this folder "
		    "instead of shutting the guest down, and a start that finds such a file "
		    "continues from it, once: the file is NAME.state.restoring meanwhile, and no "
		    "start looks for that. Cannot be combined with force_stop.",
    },
    {
	.name = "backingfile",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(backingfile, const char *),
	.fallback = "",
	.shortdesc = "Backing file of a copy-on-write disk",
	.longdesc = "Full path of an image on which a qcow2 file is laid before the machine "
		    "starts: the file config with .qcow2 in place of its extension. The backing "
		    "file itself is never written.",
    },
    {
	.name = "stateless",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(stateless, bool),
	.fallback = "false",
	.shortdesc = "Make the copy-on-write disk anew at each start",
	.longdesc = "When true, each start begins with a fresh qcow2 file on backingfile, which "
		    "must be set. When false, an existing qcow2 file is kept and only the first "
		    "start makes one.",
    },
    {
	.name = "copyindirs",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(copyindirs, const char *),
	.fallback = "",
	.shortdesc = "Folders copied into a fresh copy-on-write disk",
	.longdesc = "Files and folders, separated by blanks, that virt-copy-in (package "
		    "libguestfs-tools) puts into the root of a newly made copy-on-write disk "
		    "before the machine boots from it.",
    },
    {
	.name = "shutdown_mode",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(shutdown_mode, const char *),
	.fallback = "",
	.reloadable = true,
	.shortdesc = "How the guest is asked to shut down",
	.longdesc = "One or more of acpi, agent, initctl, signal and paravirt, separated by "
		    "commas: the modes of \"virsh shutdown --mode\". Not set: libvirt chooses "
		    "(the guest agent when there is one, then ACPI). The guest is asked again "
		    "every ten seconds, for one in its firmware does not hear.",
    },
    {
	.name = "start_resources",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(start_resources, bool),
	.fallback = "false",
	.reloadable = true,
	.shortdesc = "Start the storage pools and networks that the machine uses",
	.longdesc = "When true, libvirt's storage pools and virtual networks named in config are "
		    "started before the machine starts, and on the target before it migrates.",
    },

    {
	.name = "on_io_error",
	.type = VRMS_PARAM_CHOICE,
	.offset = FIELD(on_io_error, int),
	.fallback = "fail",
	.choices = on_io_error_choices,
	.reloadable = true,
	.shortdesc = "What a monitor makes of a machine paused by an I/O error",
	.longdesc = "fail: the monitor fails and the cluster recovers the machine. resume: the "
		    "monitor waits, no longer than io_error_wait, until the machine's disks "
		    "answer again, lets the guest continue, and fails only when that did not "
		    "work. ignore: it is logged and the monitor succeeds.",
    },
    {
	.name = "io_error_wait",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = FIELD(io_error_wait_ms, int64_t),
	.fallback = "15s",
	.minimum = 0,
	.maximum = 3600000,
	.reloadable = true,
	.advanced = true,
	.shortdesc = "How long on_io_error=resume waits for the disks",
	.longdesc = "Time within one monitor; it ends earlier when the monitor's time-out is "
		    "shorter.",
    },
    {
	.name = "destroy_reserve",
	.type = VRMS_PARAM_DURATION_MS,
	.offset = FIELD(destroy_reserve_ms, int64_t),
	.fallback = "17s",
	.minimum = 1000,
	.maximum = 3600000,
	.reloadable = true,
	.advanced = true,
	.shortdesc = "Part of the stop time-out kept for destroying the machine",
	.longdesc = "A guest that is still running this long before the stop's time-out ends is "
		    "destroyed, and the rest of the time is there to prove that its process is "
		    "gone. Of a short time-out at most half is kept.",
    },
    {
	.name = "migration_p2p",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(migration_p2p, bool),
	.fallback = "false",
	.reloadable = true,
	.shortdesc = "Let the two libvirts migrate between themselves",
	.longdesc = "When true, the source's libvirt itself connects to the target's and manages "
		    "the migration (peer to peer). When false, the agent connects to both.",
    },
    {
	.name = "migration_tunnelled",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(migration_tunnelled, bool),
	.fallback = "false",
	.reloadable = true,
	.shortdesc = "Send the migration data through libvirt's connection",
	.longdesc = "When true, memory is sent through the connection between the two libvirts, "
		    "encrypted when that is, instead of a connection of its own. Implies "
		    "migration_p2p; no migration URI is used.",
    },
    {
	.name = "migration_tls",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(migration_tls, bool),
	.fallback = "false",
	.reloadable = true,
	.shortdesc = "Encrypt the migration data with TLS",
	.longdesc = "When true, QEMU encrypts the migration data with the certificates that "
		    "qemu.conf names for migrations.",
    },
    {
	.name = "migration_auto_converge",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(migration_auto_converge, bool),
	.fallback = "false",
	.reloadable = true,
	.shortdesc = "Slow the guest down until its migration converges",
	.longdesc = "When true, a guest that writes to its memory faster than the migration can "
		    "send it is slowed down step by step.",
    },
    {
	.name = "migration_post_copy",
	.type = VRMS_PARAM_BOOLEAN,
	.offset = FIELD(migration_post_copy, bool),
	.fallback = "false",
	.reloadable = true,
	.shortdesc = "Switch to post-copy when the first pass did not converge",
	.longdesc = "When true, the guest is switched over to the target after one pass over its "
		    "memory and fetches the rest from there. It always ends, but when either "
		    "node or the network fails in that phase the running guest is lost.",
    },
    {
	.name = "peers",
	.type = VRMS_PARAM_STRING,
	.offset = FIELD(peers, const char *),
	.reloadable = true,
	.shortdesc = "Nodes to ask before a start whether the machine runs there",
	.longdesc = "Node names separated by blanks. A start asks the libvirt of each of them, "
		    "by the URI that a migration to it would use, and refuses when the machine "
		    "is active there. A node that does not answer within a few seconds is not "
		    "waited for. Not set: only this node, the disks' locks and libvirt's lock "
		    "manager are asked.",
    },
};

const struct vrms_param *vrms_vm_params(size_t *ret_count)
{
	*ret_count = VRMS_COUNT_OF(params);
	return params;
}
