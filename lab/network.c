/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/network.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/file.h"
#include "lab/enter.h"
#include "lab/internal.h"
#include "lab/iscsi.h"
#include "lab/partition.h"

/* net0 and net1 are the cluster's, net2 is the storage's, where there is one. */
enum {
	SAN_NETWORK = VRMS_LAB_NETWORKS,
	CABLES_MAX = VRMS_LAB_NETWORKS + 1,
	NSFS_MAGIC = 0x6e736673, /* source: linux/magic.h */
	TIMEOUT_MS = 20000,
	BATCH_SIZE = 1024,
};

static int cable_count(const struct vrms_lab *lab)
{
	return lab->setup.has_iscsi ? CABLES_MAX : VRMS_LAB_NETWORKS;
}

static struct vrms_lab_path switch_path(const struct vrms_lab *lab)
{
	return vrms_lab_path(lab, "run/switch.net");
}

bool vrms_lab_network_is_there(const struct vrms_lab *lab)
{
	struct statfs status;

	return statfs(switch_path(lab).text, &status) == 0 && status.f_type == NSFS_MAGIC;
}

static int open_switch(const struct vrms_lab *lab, struct vrms_error *error)
{
	if (!vrms_lab_network_is_there(lab)) {
		return vrms_error_set(error, -ENOTCONN, "lab \"%s\" is not up: it has no switch",
				      vrms_lab_name(lab));
	}
	int fd = open(switch_path(lab).text, O_RDONLY | O_CLOEXEC);
	return fd >= 0 ? fd : vrms_error_errno(error, -errno, "%s", switch_path(lab).text);
}

/* Runs a program with `input` on the switch. */
static int run_on_switch(const struct vrms_lab *lab, const char *const *argv, const char *input,
			 struct vrms_error *error)
{
	struct vrms_child_spec spec = {.argv = argv, .input = input, .timeout_ms = TIMEOUT_MS};
	int fd VRMS_CLEANUP(vrms_closep) = open_switch(lab, error);

	if (fd < 0) {
		return fd;
	}
	return vrms_lab_enter_check(fd, CLONE_NEWNET, &spec, error);
}

static int run_ip(const struct vrms_lab *lab, const char *batch, struct vrms_error *error)
{
	static const char *const argv[] = {"ip", "-batch", "-", NULL};

	return run_on_switch(lab, argv, batch, error);
}

/* As run_ip(), going on after lines that fail: for things that may be gone already. */
static int force_ip(const struct vrms_lab *lab, const char *batch, struct vrms_error *error)
{
	static const char *const argv[] = {"ip", "-force", "-batch", "-", NULL};
	struct vrms_child_spec spec = {.argv = argv, .input = batch, .timeout_ms = TIMEOUT_MS};
	struct vrms_child_result result VRMS_CLEANUP(vrms_child_result_done) = {0};
	int fd VRMS_CLEANUP(vrms_closep) = open_switch(lab, error);

	if (fd < 0) {
		return fd;
	}
	return vrms_lab_enter_run(fd, CLONE_NEWNET, &spec, &result, error);
}

/* In a thread of its own: makes the namespace and nails it to the path. */
static int create_namespace(void *context, struct vrms_error *error)
{
	const struct vrms_lab *lab = context;
	struct vrms_lab_path path = switch_path(lab);

	if (unshare(CLONE_NEWNET) < 0) {
		return vrms_error_errno(error, -errno, "no network namespace");
	}
	int fd VRMS_CLEANUP(vrms_closep) =
	    open(path.text, O_WRONLY | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0) {
		return vrms_error_errno(error, -errno, "%s", path.text);
	}
	if (mount("/proc/thread-self/ns/net", path.text, NULL, MS_BIND, NULL) < 0) {
		return vrms_error_errno(error, -errno, "mount on %s", path.text);
	}
	return 0;
}

int vrms_lab_network_create(const struct vrms_lab *lab, struct vrms_error *error)
{
	if (vrms_lab_network_is_there(lab)) {
		return vrms_error_set(error, -EEXIST, "lab \"%s\" has its switch already",
				      vrms_lab_name(lab));
	}
	int rc = vrms_lab_enter(-1, 0, create_namespace, (void *)lab, error);
	if (rc < 0) {
		return rc;
	}
	/* Bridges that forward from the first packet on, and have no address of their own. */
	char batch[BATCH_SIZE] = "link set lo up\n";
	size_t length = strlen(batch);

	for (int network = 0; network < cable_count(lab); network++) {
		length += (size_t)snprintf(
		    batch + length, BATCH_SIZE - length,
		    "link add net%d type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n"
		    "link set net%d addrgenmode none up\n",
		    network, network);
	}
	/* But for the target's.  A bridge that is given no link address takes the lowest of its
	 * ports', and another one when that node goes: the others would look for the target in vain
	 * until their neighbour entries are too old, half a minute to a minute later. */
	if (lab->setup.has_iscsi) {
		snprintf(batch + length, BATCH_SIZE - length,
			 "link set net%d address 52:54:00:77:%02x:fe\n"
			 "addr add " VRMS_LAB_ISCSI_PORTAL "/24 dev net%d\n",
			 SAN_NETWORK, SAN_NETWORK, SAN_NETWORK);
	}
	return run_ip(lab, batch, error);
}

int vrms_lab_network_remove(const struct vrms_lab *lab, struct vrms_error *error)
{
	struct vrms_lab_path path = switch_path(lab);

	while (vrms_lab_network_is_there(lab)) {
		if (umount2(path.text, MNT_DETACH) < 0) {
			return vrms_error_errno(error, -errno, "umount %s", path.text);
		}
	}
	if (unlink(path.text) < 0 && errno != ENOENT && errno != ENOTDIR) {
		return vrms_error_errno(error, -errno, "%s", path.text);
	}
	return 0;
}

/* "<verb> <port> <rest>" for all cables of a node, going on where one is missing. */
static int each_cable(const struct vrms_lab *lab, int index, const char *verb, const char *rest,
		      struct vrms_error *error)
{
	char batch[BATCH_SIZE] = "";

	for (int network = 0; network < cable_count(lab); network++) {
		char port[VRMS_LAB_PORT_SIZE];
		size_t length = strlen(batch);

		vrms_lab_port_print(index, network, port);
		snprintf(batch + length, BATCH_SIZE - length, "%s %s%s\n", verb, port, rest);
	}
	return force_ip(lab, batch, error);
}

int vrms_lab_network_plug(const struct vrms_lab *lab, int index, pid_t pid,
			  struct vrms_error *error)
{
	char batch[BATCH_SIZE] = "";

	for (int network = 0; network < cable_count(lab); network++) {
		char port[VRMS_LAB_PORT_SIZE];
		size_t length = strlen(batch);

		vrms_lab_port_print(index, network, port);
		snprintf(batch + length, BATCH_SIZE - length,
			 "link add %s type veth peer name eth%d address 52:54:00:77:%02x:%02x "
			 "netns %d\n"
			 "link set %s master net%d addrgenmode none up\n",
			 port, network, network, index + 1, (int)pid, port, network);
	}
	return run_ip(lab, batch, error);
}

int vrms_lab_network_cut(const struct vrms_lab *lab, int index, struct vrms_error *error)
{
	return each_cable(lab, index, "link set", " down", error);
}

int vrms_lab_network_unplug(const struct vrms_lab *lab, int index, struct vrms_error *error)
{
	return each_cable(lab, index, "link del", "", error);
}

static int check_san(const struct vrms_lab *lab, struct vrms_error *error)
{
	return lab->setup.has_iscsi
		   ? 0
		   : vrms_error_set(
			 error, -EINVAL,
			 "lab \"%s\" has no storage network: it is made by up --san iscsi",
			 vrms_lab_name(lab));
}

int vrms_lab_network_san_set(const struct vrms_lab *lab, int index, bool is_plugged,
			     struct vrms_error *error)
{
	char batch[BATCH_SIZE];
	char port[VRMS_LAB_PORT_SIZE];
	int rc = check_san(lab, error);

	vrms_lab_port_print(index, SAN_NETWORK, port);
	snprintf(batch, sizeof(batch), "link set %s %s\n", port, is_plugged ? "up" : "down");
	return rc < 0 ? rc : run_ip(lab, batch, error);
}

int vrms_lab_network_san_slow(const struct vrms_lab *lab, int index, int64_t rate_kbit,
			      struct vrms_error *error)
{
	char port[VRMS_LAB_PORT_SIZE];
	char rate[32];
	const char *slow[] = {"tc",   "qdisc", "replace", "dev",   port,    "root",  "tbf",
			      "rate", rate,    "burst",   "1600b", "limit", "200kb", NULL};
	const char *normal[] = {"tc", "qdisc", "del", "dev", port, "root", NULL};
	int rc = check_san(lab, error);

	vrms_lab_port_print(index, SAN_NETWORK, port);
	snprintf(rate, sizeof(rate), "%lldkbit", (long long)rate_kbit);
	return rc < 0 ? rc : run_on_switch(lab, rate_kbit > 0 ? slow : normal, NULL, error);
}

static int apply(const struct vrms_lab *lab, const struct vrms_lab_partition *partition,
		 struct vrms_error *error)
{
	static const char *const argv[] = {"nft", "-f", "-", NULL};
	char *rules VRMS_CLEANUP(vrms_freep) = vrms_lab_partition_rules(partition);

	if (rules == NULL) {
		return vrms_error_errno(error, -ENOMEM, "partition");
	}
	return run_on_switch(lab, argv, rules, error);
}

int vrms_lab_partition(struct vrms_lab *lab, const char *spec, int network,
		       struct vrms_error *error)
{
	struct vrms_lab_partition partition;
	int rc = vrms_lab_partition_parse(spec, lab->setup.node_count, network, &partition, error);

	if (rc < 0) {
		return rc;
	}
	char *text VRMS_CLEANUP(vrms_freep) = vrms_lab_partition_print(&partition);
	if (text == NULL) {
		return vrms_error_errno(error, -ENOMEM, "partition");
	}
	rc = apply(lab, &partition, error);
	if (rc < 0) {
		return rc;
	}
	return vrms_file_write(vrms_lab_path(lab, "run/partition").text, text, strlen(text), 0600,
			       error);
}

int vrms_lab_heal(struct vrms_lab *lab, struct vrms_error *error)
{
	struct vrms_lab_partition whole = {.network = -1};
	int rc = apply(lab, &whole, error);

	if (rc < 0) {
		return rc;
	}
	struct vrms_lab_path path = vrms_lab_path(lab, "run/partition");
	if (unlink(path.text) < 0 && errno != ENOENT) {
		return vrms_error_errno(error, -errno, "%s", path.text);
	}
	return 0;
}
