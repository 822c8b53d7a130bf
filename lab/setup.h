/* setup.h - what a lab was made with: kept in its folder as lab.json.
 *
 * Pure but for the caller's memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_SETUP_H
#define VRMS_LAB_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "lab/lab.h"

enum {
	VRMS_LAB_ID_SIZE = 17,   /* 16 hexadecimal digits and the NUL */
	VRMS_LAB_DIR_SIZE = 256, /* with the NUL */
	VRMS_LAB_TOKEN_MS_MIN = 100,
	VRMS_LAB_TOKEN_MS_MAX = 600000,
};

struct vrms_lab_setup {
	char name[VRMS_LAB_NAME_MAX + 1];
	char id[VRMS_LAB_ID_SIZE];     /* random; tells this lab's processes from another's */
	char stage[VRMS_LAB_DIR_SIZE]; /* "": none */
	int node_count;
	int64_t token_ms; /* 0: corosync's default */
	int64_t boot_delay_ms;
	bool has_libvirt;
	bool has_vrmsd;
	bool has_iscsi; /* VMs on LUNs of a target, SAN fencing before power */
	bool has_locks; /* VMs under libvirt's lock manager */
	bool is_shared; /* other labs run beside it */
};

/* Checks a lab's name: a lower case letter, then letters, digits and '-'. */
VRMS_MUST_CHECK int vrms_lab_name_check(const char *name, struct vrms_error *error);

/* Checks a folder's path: absolute, of safe characters, short enough for what is built on it.
 *
 * Neither ':' nor ',' nor '\\' may be in it: overlay mounts have no other way to say where a
 * path ends.  what: how the text calls it.
 */
VRMS_MUST_CHECK int vrms_lab_dir_check(const char *dir, const char *what, struct vrms_error *error);

/* Writes "node<index + 1>". */
void vrms_lab_node_name_print(int index, char name[VRMS_LAB_NODE_NAME_SIZE]);

/* Reads a node's name; -EINVAL when the lab has no such node. */
VRMS_MUST_CHECK int vrms_lab_node_name_parse(const char *name, int node_count, int *ret_index,
					     struct vrms_error *error);

/* JSON text of a configuration; NULL only when out of memory.  The caller frees it. */
char *vrms_lab_setup_print(const struct vrms_lab_setup *setup);

/* Reads and checks what vrms_lab_setup_print() wrote.  -EINVAL names what is wrong. */
VRMS_MUST_CHECK int vrms_lab_setup_parse(const char *text, struct vrms_lab_setup *ret_setup,
					 struct vrms_error *error);

#endif
