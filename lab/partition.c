/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/partition.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lab/setup.h"

void vrms_lab_port_print(int index, int network, char port[VRMS_LAB_PORT_SIZE])
{
	snprintf(port, VRMS_LAB_PORT_SIZE, "n%d-%d", index + 1, network);
}

static uint32_t all_nodes(int node_count)
{
	return node_count >= 32 ? UINT32_MAX : (UINT32_C(1) << node_count) - 1;
}

/* One group: names separated by commas or blanks. */
static int parse_group(char *text, int node_count, uint32_t *seen_bits, uint32_t *ret_bits,
		       struct vrms_error *error)
{
	char *rest = NULL;
	uint32_t bits = 0;

	for (char *name = strtok_r(text, ", \t\n", &rest); name != NULL;
	     name = strtok_r(NULL, ", \t\n", &rest)) {
		int index = 0;
		int rc = vrms_lab_node_name_parse(name, node_count, &index, error);
		if (rc < 0) {
			return rc;
		}
		if ((*seen_bits >> index & 1) != 0) {
			return vrms_error_set(error, -EINVAL, "\"%s\" is named twice", name);
		}
		*seen_bits |= UINT32_C(1) << index;
		bits |= UINT32_C(1) << index;
	}
	if (bits == 0) {
		return vrms_error_set(error, -EINVAL, "a group without nodes");
	}
	*ret_bits = bits;
	return 0;
}

/* Cuts at '/'; unlike strtok_r() it does not skip an empty group. */
static char *next_group(char **rest)
{
	char *group = *rest;

	if (group != NULL) {
		*rest = strchr(group, '/');
		if (*rest != NULL) {
			*(*rest)++ = '\0';
		}
	}
	return group;
}

int vrms_lab_partition_parse(const char *spec, int node_count, int network,
			     struct vrms_lab_partition *ret_partition, struct vrms_error *error)
{
	struct vrms_lab_partition partition = {.network = network};
	char *copy VRMS_CLEANUP(vrms_freep) = strdup(spec);
	uint32_t seen_bits = 0;
	char *rest = copy;

	if (copy == NULL) {
		return -ENOMEM;
	}
	if (network < -1 || network >= VRMS_LAB_NETWORKS) {
		return vrms_error_set(error, -ERANGE, "no network %d: there are 0 and 1", network);
	}
	for (char *group = next_group(&rest); group != NULL; group = next_group(&rest)) {
		uint32_t bits = 0;
		int rc = parse_group(group, node_count, &seen_bits, &bits, error);
		if (rc < 0) {
			return vrms_error_wrap(error, rc, "partition \"%.200s\"", spec);
		}
		partition.groups[partition.group_count++] = bits;
	}
	if (seen_bits != all_nodes(node_count)) {
		partition.groups[partition.group_count++] = all_nodes(node_count) & ~seen_bits;
	}
	if (partition.group_count < 2) {
		return vrms_error_set(error, -EINVAL,
				      "partition \"%.200s\": all nodes are in one group", spec);
	}
	*ret_partition = partition;
	return 0;
}

/* Writes the names of a group's nodes (its ports when network >= 0), separated by commas. */
static void print_group(FILE *out, uint32_t bits, int network)
{
	const char *separator = "";

	for (int i = 0; i < VRMS_LAB_NODES_MAX; i++) {
		char name[VRMS_LAB_PORT_SIZE];

		if ((bits >> i & 1) == 0) {
			continue;
		}
		if (network < 0) {
			vrms_lab_node_name_print(i, name);
			fprintf(out, "%s%s", separator, name);
		} else {
			vrms_lab_port_print(i, network, name);
			fprintf(out, "%s\"%s\"", separator, name);
		}
		separator = ",";
	}
}

/* Ends the memory stream; NULL when it ran out of memory. */
static char *finish(FILE *out, char **text)
{
	bool is_bad = ferror(out) != 0;

	if (fclose(out) != 0 || is_bad) {
		free(*text);
		return NULL;
	}
	return *text;
}

char *vrms_lab_partition_print(const struct vrms_lab_partition *partition)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL) {
		return NULL;
	}
	for (int i = 0; i < partition->group_count; i++) {
		fputs(i > 0 ? " / " : "", out);
		print_group(out, partition->groups[i], -1);
	}
	return finish(out, &text);
}

/* What enters at a port of one group leaves at no port of any other. */
static void print_drops(FILE *out, const struct vrms_lab_partition *partition, int network)
{
	for (int from = 0; from < partition->group_count; from++) {
		for (int to = 0; to < partition->group_count; to++) {
			if (from == to) {
				continue;
			}
			fputs("iifname {", out);
			print_group(out, partition->groups[from], network);
			fputs("} oifname {", out);
			print_group(out, partition->groups[to], network);
			fputs("} drop\n", out);
		}
	}
}

char *vrms_lab_partition_rules(const struct vrms_lab_partition *partition)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL) {
		return NULL;
	}
	/* Declared first so that the delete never fails; one transaction, so no packet slips
	 * through between two partitions. */
	fputs("table bridge lab\ndelete table bridge lab\n"
	      "table bridge lab {\nchain forward {\n"
	      "type filter hook forward priority 0; policy accept;\n",
	      out);
	for (int network = 0; network < VRMS_LAB_NETWORKS; network++) {
		if (partition->network < 0 || partition->network == network) {
			print_drops(out, partition, network);
		}
	}
	fputs("}\n}\n", out);
	return finish(out, &text);
}
