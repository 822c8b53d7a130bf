/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/render.h"

#include <stdio.h>
#include <string.h>

#include "lab/vm.h"

/* A text that grows; its memory belongs to the caller in the end. */
struct text {
	FILE *out;
	char *bytes;
	size_t size;
};

static FILE *begin(struct text *text)
{
	memset(text, 0, sizeof(*text));
	text->out = open_memstream(&text->bytes, &text->size);
	return text->out;
}

static char *finish(struct text *text)
{
	bool is_bad = ferror(text->out) != 0;

	if (fclose(text->out) != 0 || is_bad) {
		free(text->bytes);
		return NULL;
	}
	return text->bytes;
}

static void print_totem(const struct vrms_lab_setup *setup, FILE *out)
{
	fprintf(out,
		"totem {\n"
		"\tversion: 2\n"
		"\tcluster_name: %s\n"
		"\ttransport: knet\n"
		"\tlink_mode: active\n" /* a dead link must not wait for knet's ping time-out */
		"\tcrypto_cipher: none\n"
		"\tcrypto_hash: none\n",
		setup->name);
	if (setup->token_ms > 0) {
		fprintf(out, "\ttoken: %lld\n\ttoken_coefficient: 0\n", (long long)setup->token_ms);
	}
	fputs("}\n", out);
}

static void print_nodelist(const struct vrms_lab_setup *setup, FILE *out)
{
	fputs("nodelist {\n", out);
	for (int i = 0; i < setup->node_count; i++) {
		char name[VRMS_LAB_NODE_NAME_SIZE];

		vrms_lab_node_name_print(i, name);
		fprintf(out, "\tnode {\n\t\tname: %s\n\t\tnodeid: %d\n", name, i + 1);
		for (int network = 0; network < VRMS_LAB_NETWORKS; network++) {
			fprintf(out, "\t\tring%d_addr: 10.77.%d.%d\n", network, network, i + 1);
		}
		fputs("\t}\n", out);
	}
	fputs("}\n", out);
}

bool vrms_lab_is_crowded(const struct vrms_lab_setup *setup)
{
	return setup->is_shared || setup->node_count > VRMS_LAB_REALTIME_NODES_MAX;
}

char *vrms_lab_render_corosync(const struct vrms_lab_setup *setup, int index)
{
	struct text text;

	(void)index; /* the same on every node */
	if (begin(&text) == NULL) {
		return NULL;
	}
	print_totem(setup, text.out);
	print_nodelist(setup, text.out);
	fprintf(text.out,
		"quorum {\n"
		"\tprovider: corosync_votequorum\n"
		"%s"
		"}\n"
		"system {\n"
		"%s"
		"\tmove_to_root_cgroup: no\n"
		"}\n"
		"logging {\n"
		"\tto_stderr: no\n"
		"\tto_syslog: no\n"
		"\tto_logfile: yes\n"
		"\tlogfile: /var/log/corosync/corosync.log\n"
		"\ttimestamp: hires\n"
		"\tdebug: off\n"
		"}\n",
		setup->node_count == 2 ? "\ttwo_node: 1\n" : "",
		vrms_lab_is_crowded(setup) ? "\tsched_rr: no\n\tpriority: max\n"
					   : "\tsched_rr: yes\n");
	return finish(&text);
}

/* A lab lives for hours, so that is what its budgets are about; and its nodes share the processors
 * of one machine, which stall as no host of its own would. */
char *vrms_lab_render_vrmsd(const struct vrms_lab_setup *setup, int index)
{
	struct text text;

	(void)index;
	if (begin(&text) == NULL) {
		return NULL;
	}
	fprintf(text.out,
		"beat_device = " VRMS_LAB_BEAT_AREA "\n"
		"second_opinion = yes\n"
		"false_loss_every_guarded = 24h\n"
		"false_loss_every = 24h\n"
		"false_loss_start = 1h\n"
		"disturbance_every = 10min\n"
		"shorten_after = 5s\n"
		"realtime = %s\n",
		vrms_lab_is_crowded(setup) ? "no" : "yes");
	return finish(&text);
}

char *vrms_lab_render_hosts(const struct vrms_lab_setup *setup, int index)
{
	struct text text;

	(void)index;
	if (begin(&text) == NULL) {
		return NULL;
	}
	fputs("127.0.0.1\tlocalhost\n", text.out);
	for (int i = 0; i < setup->node_count; i++) {
		char name[VRMS_LAB_NODE_NAME_SIZE];

		vrms_lab_node_name_print(i, name);
		fprintf(text.out, "10.77.0.%d\t%s %s-net0\n10.77.1.%d\t%s-net1\n", i + 1, name,
			name, i + 1, name);
	}
	return finish(&text);
}

char *vrms_lab_render_hostname(const struct vrms_lab_setup *setup, int index)
{
	char name[VRMS_LAB_NODE_NAME_SIZE];
	char *line = NULL;

	(void)setup;
	vrms_lab_node_name_print(index, name);
	return asprintf(&line, "%s\n", name) < 0 ? NULL : line;
}

char *vrms_lab_render_machine_id(const struct vrms_lab_setup *setup, int index)
{
	char *line = NULL;

	return asprintf(&line, "%s%016x\n", setup->id, (unsigned)index + 1) < 0 ? NULL : line;
}

char *vrms_lab_render_libvirtd(const struct vrms_lab_setup *setup, int index)
{
	char *text = NULL;
	/* A random (version 4) UUID whose last part is the node's number. */
	int length = asprintf(&text,
			      "listen_tls = 0\n"
			      "listen_tcp = 1\n"
			      "listen_addr = \"10.77.0.%d\"\n"
			      "auth_tcp = \"none\"\n"
			      "auth_unix_ro = \"none\"\n"
			      "auth_unix_rw = \"none\"\n"
			      "unix_sock_ro_perms = \"0777\"\n"
			      "unix_sock_rw_perms = \"0770\"\n"
			      "host_uuid = \"%.8s-%.4s-4%.3s-8%.3s-%012x\"\n"
			      "log_outputs = \"3:file:/var/log/libvirt/libvirtd.log\"\n"
			      "max_clients = 200\n",
			      index + 1, setup->id, setup->id + 8, setup->id + 12, setup->id + 13,
			      (unsigned)index + 1);

	return length < 0 ? NULL : text;
}

char *vrms_lab_render_qemu(const struct vrms_lab_setup *setup, int index)
{
	char name[VRMS_LAB_NODE_NAME_SIZE];
	char *text = NULL;

	vrms_lab_node_name_print(index, name);
	int length =
	    asprintf(&text,
		     "security_driver = \"none\"\n"
		     "user = \"root\"\n"
		     "group = \"root\"\n"
		     "dynamic_ownership = 0\n"
		     "remember_owner = 0\n"
		     "namespaces = [ ]\n"
		     "cgroup_controllers = [ ]\n"
		     "stdio_handler = \"file\"\n"
		     "max_core = 0\n"
		     "migration_address = \"10.77.0.%d\"\n"
		     "migration_host = \"%s\"\n"
		     "%s",
		     index + 1, name, setup->has_locks ? "lock_manager = \"lockd\"\n" : "");

	return length < 0 ? NULL : text;
}

/* Besides: leases are named in the VMs' XML, for libvirt makes none for disks on the network. */
char *vrms_lab_render_lockd(const struct vrms_lab_setup *setup, int index)
{
	(void)setup;
	(void)index;
	return strdup("auto_disk_leases = 1\n" /* 0 makes no lockspace at all */
		      "require_lease_for_disks = 0\n"
		      "file_lockspace_dir = \"" VRMS_LAB_LEASES "/" VRMS_LAB_LOCKSPACE "\"\n");
}

char *vrms_lab_render_cib(const struct vrms_lab_setup *setup, int index)
{
	(void)setup;
	(void)index;
	return strdup("<cib crm_feature_set=\"3.16.1\" validate-with=\"pacemaker-3.9\" "
		      "epoch=\"1\" num_updates=\"0\" admin_epoch=\"0\">\n"
		      "  <configuration>\n"
		      "    <crm_config>\n"
		      "      <cluster_property_set id=\"cib-bootstrap-options\">\n"
		      "        <nvpair id=\"cib-bootstrap-options-dc-deadtime\" "
		      "name=\"dc-deadtime\" value=\"2s\"/>\n"
		      "      </cluster_property_set>\n"
		      "    </crm_config>\n"
		      "    <nodes/>\n"
		      "    <resources/>\n"
		      "    <constraints/>\n"
		      "  </configuration>\n"
		      "  <status/>\n"
		      "</cib>\n");
}

char *vrms_lab_render_addresses(const struct vrms_lab_setup *setup, int index)
{
	char *text = NULL;
	char san[96] = "";

	if (setup->has_iscsi) {
		snprintf(san, sizeof(san), "addr add 10.77.2.%d/24 dev eth2\nlink set eth2 up\n",
			 index + 1);
	}
	int length = asprintf(&text,
			      "link set lo up\n"
			      "addr add 10.77.0.%d/24 dev eth0\n"
			      "link set eth0 up\n"
			      "addr add 10.77.1.%d/24 dev eth1\n"
			      "link set eth1 up\n"
			      "%s",
			      index + 1, index + 1, san);

	return length < 0 ? NULL : text;
}
