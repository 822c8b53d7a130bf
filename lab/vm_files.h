/* vm_files.h - making a VM in a lab: its files on the shared folder, its resource in the cluster.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_LAB_VM_FILES_H
#define VRMS_LAB_VM_FILES_H

#include "lab/lab.h"
#include "lab/vm.h"

enum { VRMS_LAB_PATH_SIZE = 512 };

/* Host paths.  vm: its name. */
void vrms_lab_vm_xml_path(const struct vrms_lab *lab, const char *vm,
			  char path[VRMS_LAB_PATH_SIZE]);
void vrms_lab_vm_disk_path(const struct vrms_lab *lab, const char *vm,
			   char path[VRMS_LAB_PATH_SIZE]);
void vrms_lab_vm_console_path(const struct vrms_lab *lab, const char *vm,
			      char path[VRMS_LAB_PATH_SIZE]);

/* Fills in what the user has not said: name, UUID, memory.
 *
 * Errors: -EINVAL (not a name), -ERANGE (too little memory for its guest),
 * -EEXIST (there is such a VM).
 */
VRMS_MUST_CHECK int vrms_lab_vm_complete(const struct vrms_lab *lab, const char *name,
					 struct vrms_lab_vm *vm, struct vrms_error *error);

/* Makes the files and gives the VM to the cluster, which starts it. */
VRMS_MUST_CHECK int vrms_lab_vm_add(const struct vrms_lab *lab, const struct vrms_lab_vm *vm,
				    struct vrms_error *error);

/* Writes the domain XML and, unless vm->disk says where else it is, the disk.
 *
 * A disk that is there is kept with what is on it.  For a Linux guest the kernel
 * is put on the shared folder, from /var/cache/vrms-lab or, the first time, from
 * Debian's packages.
 */
VRMS_MUST_CHECK int vrms_lab_vm_files_create(const struct vrms_lab *lab,
					     const struct vrms_lab_vm *vm,
					     struct vrms_error *error);

/* Removes all of them; those that are not there are no error. */
VRMS_MUST_CHECK int vrms_lab_vm_files_remove(const struct vrms_lab *lab, const char *vm,
					     struct vrms_error *error);

/* Memory in MiB as the VM's domain XML says; -ENOENT when there is none. */
VRMS_MUST_CHECK int vrms_lab_vm_memory_read(const struct vrms_lab *lab, const char *vm,
					    int *ret_mib, struct vrms_error *error);

#endif
