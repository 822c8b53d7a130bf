/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/vm_files.h"

#include <errno.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "lab/cluster.h"
#include "lab/iscsi.h"
#include "lab/xml.h"

static const char CACHE[] = "/var/cache/vrms-lab/linux";
static const char *const linux_files[] = {"vmlinuz", "initrd.gz"};

enum { LINUX_FILE_BYTES_MAX = 128 << 20 };

static void print_path(const struct vrms_lab *lab, const char *format_folder, const char *vm,
		       const char *suffix, char path[VRMS_LAB_PATH_SIZE])
{
	snprintf(path, VRMS_LAB_PATH_SIZE, "%s/%s/%s%s", vrms_lab_san_path(lab), format_folder, vm,
		 suffix);
}

void vrms_lab_vm_xml_path(const struct vrms_lab *lab, const char *vm, char path[VRMS_LAB_PATH_SIZE])
{
	print_path(lab, "vm", vm, ".xml", path);
}

void vrms_lab_vm_disk_path(const struct vrms_lab *lab, const char *vm,
			   char path[VRMS_LAB_PATH_SIZE])
{
	print_path(lab, "disk", vm, ".raw", path);
}

void vrms_lab_vm_console_path(const struct vrms_lab *lab, const char *vm,
			      char path[VRMS_LAB_PATH_SIZE])
{
	print_path(lab, "disk", vm, ".serial", path);
}

static int make_folder(const struct vrms_lab *lab, const char *name, struct vrms_error *error)
{
	char path[VRMS_LAB_PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", vrms_lab_san_path(lab), name);
	return vrms_file_mkdir_all(path, 0755, error);
}

static int copy_linux_file(const struct vrms_lab *lab, const char *name, struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	char from[VRMS_LAB_PATH_SIZE], to[VRMS_LAB_PATH_SIZE];
	size_t size;

	snprintf(from, sizeof(from), "%s/%s", CACHE, name);
	snprintf(to, sizeof(to), "%s/guest/%s", vrms_lab_san_path(lab), name);
	if (access(to, R_OK) == 0) {
		return 0;
	}
	int rc = vrms_file_read(from, LINUX_FILE_BYTES_MAX, &text, &size, error);
	return rc < 0 ? rc : vrms_file_write(to, text, size, 0644, error);
}

static int provide_linux(const struct vrms_lab *lab, struct vrms_error *error)
{
	int rc = vrms_guest_linux_build(CACHE, error);

	if (rc == 0) {
		rc = make_folder(lab, "guest", error);
	}
	for (size_t i = 0; rc == 0 && i < VRMS_COUNT_OF(linux_files); i++) {
		rc = copy_linux_file(lab, linux_files[i], error);
	}
	return rc;
}

static int write_domain(const struct vrms_lab *lab, const struct vrms_lab_vm *vm,
			struct vrms_error *error)
{
	char path[VRMS_LAB_PATH_SIZE];
	char *xml VRMS_CLEANUP(vrms_freep) = vrms_lab_vm_domain_xml(vm);

	if (xml == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	vrms_lab_vm_xml_path(lab, vm->name, path);
	return vrms_file_write(path, xml, strlen(xml), 0644, error);
}

/* The file whose lock is the lease. */
static int make_lease(const struct vrms_lab *lab, const char *vm, struct vrms_error *error)
{
	char path[VRMS_LAB_PATH_SIZE];

	snprintf(path, sizeof(path), "%s%s/%s/%s", vrms_lab_san_path(lab),
		 VRMS_LAB_LEASES_BELOW_SAN, VRMS_LAB_LOCKSPACE, vm);
	return access(path, F_OK) == 0 ? 0 : vrms_file_write(path, "", 0, 0600, error);
}

static int create_disk(const struct vrms_lab *lab, struct vrms_lab_vm *vm, struct vrms_error *error)
{
	char path[VRMS_LAB_PATH_SIZE];

	vrms_lab_vm_disk_path(lab, vm->name, path);
	return vrms_lab_has_iscsi(lab) ? vrms_lab_iscsi_take(lab, path, &vm->lun, error)
				       : vrms_guest_disk_create(path, error);
}

int vrms_lab_vm_files_create(const struct vrms_lab *lab, const struct vrms_lab_vm *given,
			     struct vrms_error *error)
{
	struct vrms_lab_vm copy = *given;
	struct vrms_lab_vm *vm = &copy;
	char target[128];
	int rc = make_folder(lab, "vm", error);

	if (rc == 0) {
		rc = make_folder(lab, "disk", error);
	}
	if (rc == 0 && vm->guest == VRMS_GUEST_LINUX) {
		rc = provide_linux(lab, error);
	}
	if (rc == 0 && vm->disk == NULL) {
		rc = create_disk(lab, vm, error);
	}
	if (rc == 0 && vm->lun != 0) {
		vrms_lab_iscsi_target_print(lab, target, sizeof(target));
		vm->target = target;
	}
	if (rc == 0 && vrms_lab_has_locks(lab)) {
		vm->has_lease = true;
		rc = make_lease(lab, vm->name, error);
	}
	return rc < 0 ? rc : write_domain(lab, vm, error);
}

int vrms_lab_vm_files_remove(const struct vrms_lab *lab, const char *vm, struct vrms_error *error)
{
	char paths[3][VRMS_LAB_PATH_SIZE];

	vrms_lab_vm_xml_path(lab, vm, paths[0]);
	vrms_lab_vm_disk_path(lab, vm, paths[1]);
	vrms_lab_vm_console_path(lab, vm, paths[2]);
	for (size_t i = 0; i < VRMS_COUNT_OF(paths); i++) {
		if (unlink(paths[i]) < 0 && errno != ENOENT) {
			return vrms_error_errno(error, -errno, "%s", paths[i]);
		}
	}
	return 0;
}

int vrms_lab_vm_memory_read(const struct vrms_lab *lab, const char *vm, int *ret_mib,
			    struct vrms_error *error)
{
	char path[VRMS_LAB_PATH_SIZE];

	vrms_lab_vm_xml_path(lab, vm, path);
	if (access(path, R_OK) < 0) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	xmlDoc *document VRMS_CLEANUP(vrms_xml_docp) =
	    xmlReadFile(path, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	const xmlNode *root = document != NULL ? xmlDocGetRootElement(document) : NULL;

	for (const xmlNode *node = root != NULL ? root->children : NULL; node; node = node->next) {
		if (node->type == XML_ELEMENT_NODE &&
		    strcmp((const char *)node->name, "memory") == 0) {
			xmlChar *text = xmlNodeGetContent(node);
			*ret_mib = text != NULL ? atoi((const char *)text) : 0;
			xmlFree(text);
			return 0;
		}
	}
	return vrms_error_set(error, -EINVAL, "%s: no domain with memory in it", path);
}

static int read_uuid(char uuid[VRMS_LAB_VM_UUID_SIZE], struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = vrms_file_read("/proc/sys/kernel/random/uuid", 64, &text, NULL, error);

	if (rc == 0) {
		snprintf(uuid, VRMS_LAB_VM_UUID_SIZE, "%.36s", text);
	}
	return rc;
}

int vrms_lab_vm_complete(const struct vrms_lab *lab, const char *name, struct vrms_lab_vm *vm,
			 struct vrms_error *error)
{
	char path[VRMS_LAB_PATH_SIZE];
	int rc = vrms_lab_vm_name_check(name, error);

	if (rc < 0) {
		return rc;
	}
	snprintf(vm->name, sizeof(vm->name), "%s", name);
	if (vm->memory_mib == 0) {
		vm->memory_mib = vrms_guest_memory_mib_default(vm->guest);
	}
	if (vm->memory_mib < vrms_guest_memory_mib_min(vm->guest)) {
		return vrms_error_set(error, -ERANGE, "--memory: a %s guest needs %d MiB at least",
				      vrms_guest_kind_text(vm->guest),
				      vrms_guest_memory_mib_min(vm->guest));
	}
	vrms_lab_vm_xml_path(lab, name, path);
	if (access(path, F_OK) == 0) {
		return vrms_error_set(error, -EEXIST, "there is a VM \"%s\" already", name);
	}
	return read_uuid(vm->uuid, error);
}

int vrms_lab_vm_add(const struct vrms_lab *lab, const struct vrms_lab_vm *vm,
		    struct vrms_error *error)
{
	char *xml VRMS_CLEANUP(vrms_freep) = vrms_lab_vm_primitive_xml(vm);

	if (xml == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	int rc = vrms_lab_vm_files_create(lab, vm, error);
	if (rc == 0) {
		rc = vrms_lab_cluster_configure(lab, error);
	}
	return rc < 0 ? rc : vrms_lab_cluster_modify(lab, "resources", xml, error);
}
