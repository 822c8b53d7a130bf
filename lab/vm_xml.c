/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/vm.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lab/iscsi.h"
#include "lab/xml.h"

struct agent_row {
	const char *text, *provider, *type, *resource;
};

static const struct agent_row agents[VRMS_LAB_AGENT_COUNT] = {
    [VRMS_LAB_AGENT_VRMS] = {"vrms", "vrms", "VirtualMachine", "ocf:vrms:VirtualMachine"},
    [VRMS_LAB_AGENT_HEARTBEAT] = {"heartbeat", "heartbeat", "VirtualDomain",
				  "ocf:heartbeat:VirtualDomain"},
};

/* What both agents are told.  --unsafe: the disks lie on a folder that all nodes share, which
 * libvirt cannot know.  Utilization is fixed in the CIB, so that runs can be compared. */
static const char *const lab_params[] = {
    "hypervisor=qemu:///system",
    "migration_transport=tcp",
    "migrate_options=--unsafe",
    "autoset_utilization_cpu=false",
    "autoset_utilization_hv_memory=false",
    "autoset_utilization_host_memory=false",
};

int vrms_lab_vm_name_check(const char *name, struct vrms_error *error)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789-_.");

	/* The CIB wants an XML id: a letter first. */
	if (length == 0 || name[length] != '\0' || length > VRMS_LAB_VM_NAME_MAX ||
	    !isalpha((unsigned char)name[0])) {
		return vrms_error_set(error, -EINVAL,
				      "\"%s\" is not a VM's name (a letter, then letters, digits, "
				      "'-', '_', '.'; at most %d)",
				      name, VRMS_LAB_VM_NAME_MAX);
	}
	return 0;
}

int vrms_lab_agent_parse(const char *text, enum vrms_lab_agent *ret_agent, struct vrms_error *error)
{
	for (int agent = 0; agent < VRMS_LAB_AGENT_COUNT; agent++) {
		if (strcmp(text, agents[agent].text) == 0) {
			*ret_agent = (enum vrms_lab_agent)agent;
			return 0;
		}
	}
	return vrms_error_set(error, -EINVAL, "\"%s\" is not an agent (vrms, heartbeat)", text);
}

const char *vrms_lab_agent_text(enum vrms_lab_agent agent)
{
	return agents[agent].text;
}

const char *vrms_lab_agent_resource(enum vrms_lab_agent agent)
{
	return agents[agent].resource;
}

static void add_memory(struct vrms_xml_text *xml, const struct vrms_lab_vm *vm)
{
	char memory[16];

	snprintf(memory, sizeof(memory), "%d", vm->memory_mib);
	vrms_xml_text_begin(xml, "memory", "unit", "MiB", NULL);
	vrms_xml_text_content(xml, memory);
	vrms_xml_text_end(xml);
	vrms_xml_text_leaf(xml, "vcpu", "1");
}

static void add_os(struct vrms_xml_text *xml, const struct vrms_lab_vm *vm)
{
	vrms_xml_text_begin(xml, "os", NULL);
	vrms_xml_text_begin(xml, "type", "arch", "x86_64", "machine", "pc", NULL);
	vrms_xml_text_content(xml, "hvm");
	vrms_xml_text_end(xml);
	if (vm->guest == VRMS_GUEST_LINUX) {
		vrms_xml_text_leaf(xml, "kernel", "/srv/guest/vmlinuz");
		vrms_xml_text_leaf(xml, "initrd", "/srv/guest/initrd.gz");
		vrms_xml_text_leaf(xml, "cmdline", "console=ttyS0 panic=1 quiet");
	}
	vrms_xml_text_end(xml);
	vrms_xml_text_begin(xml, "features", NULL);
	vrms_xml_text_empty(xml, "acpi", NULL);
	vrms_xml_text_end(xml);
	vrms_xml_text_begin(xml, "cpu", "mode", "custom", "match", "exact", NULL);
	vrms_xml_text_begin(xml, "model", "fallback", "forbid", NULL);
	vrms_xml_text_content(xml, "qemu64");
	vrms_xml_text_end(xml);
	vrms_xml_text_end(xml);
}

/* A LUN, which QEMU connects to itself. */
static void add_network_disk(struct vrms_xml_text *xml, const struct vrms_lab_vm *vm)
{
	char name[256], initiator[96 + VRMS_LAB_VM_NAME_MAX];

	snprintf(name, sizeof(name), "%s/%d", vm->target, vm->lun);
	snprintf(initiator, sizeof(initiator), "iqn.2026-01.local.vrms-lab.vm:%s", vm->name);
	vrms_xml_text_begin(xml, "disk", "type", "network", "device", "disk", NULL);
	vrms_xml_text_empty(xml, "driver", "name", "qemu", "type", "raw", "cache", "none",
			    "error_policy", "stop", "rerror_policy", "stop", NULL);
	vrms_xml_text_begin(xml, "source", "protocol", "iscsi", "name", name, NULL);
	vrms_xml_text_empty(xml, "host", "name", VRMS_LAB_ISCSI_PORTAL, "port", "3260", NULL);
	vrms_xml_text_begin(xml, "initiator", NULL);
	vrms_xml_text_empty(xml, "iqn", "name", initiator, NULL);
	vrms_xml_text_end(xml);
	vrms_xml_text_end(xml);
	vrms_xml_text_empty(xml, "target", "dev", "vda", "bus", "virtio", NULL);
	vrms_xml_text_end(xml);
}

/* Its session with the LUN gets the key of the node's guests. */
static void add_registration(struct vrms_xml_text *xml)
{
	vrms_xml_text_begin(xml, "qemu:commandline", "xmlns:qemu",
			    "http://libvirt.org/schemas/domain/qemu/1.0", NULL);
	vrms_xml_text_empty(xml, "qemu:env", "name", "LD_PRELOAD", "value",
			    VRMS_LIBEXECDIR "/iscsi-guest.so", NULL);
	vrms_xml_text_end(xml);
}

static void add_lease(struct vrms_xml_text *xml, const struct vrms_lab_vm *vm)
{
	vrms_xml_text_begin(xml, "lease", NULL);
	vrms_xml_text_leaf(xml, "lockspace", VRMS_LAB_LOCKSPACE);
	vrms_xml_text_leaf(xml, "key", vm->name);
	vrms_xml_text_empty(xml, "target", "path", VRMS_LAB_LEASES, NULL);
	vrms_xml_text_end(xml);
}

static void add_disk(struct vrms_xml_text *xml, const struct vrms_lab_vm *vm)
{
	char path[64 + VRMS_LAB_VM_NAME_MAX];

	snprintf(path, sizeof(path), "/srv/disk/%s.raw", vm->name);
	vrms_xml_text_begin(xml, "disk", "type", "file", "device", "disk", NULL);
	vrms_xml_text_empty(xml, "driver", "name", "qemu", "type", "raw", "cache", "none", "io",
			    "threads", "error_policy", "stop", "rerror_policy", "stop", NULL);
	vrms_xml_text_empty(xml, "source", "file", vm->disk != NULL ? vm->disk : path, NULL);
	vrms_xml_text_empty(xml, "target", "dev", "vda", "bus", "virtio", NULL);
	vrms_xml_text_end(xml);
}

static void add_devices(struct vrms_xml_text *xml, const struct vrms_lab_vm *vm)
{
	char console[64 + VRMS_LAB_VM_NAME_MAX];

	snprintf(console, sizeof(console), "/srv/disk/%s.serial", vm->name);
	vrms_xml_text_begin(xml, "devices", NULL);
	vrms_xml_text_leaf(xml, "emulator", "/usr/bin/qemu-system-x86_64");
	vrms_xml_text_empty(xml, "controller", "type", "usb", "model", "none", NULL);
	vrms_xml_text_empty(xml, "memballoon", "model", "none", NULL);
	if (vm->target != NULL) {
		add_network_disk(xml, vm);
	} else {
		add_disk(xml, vm);
	}
	if (vm->has_lease) {
		add_lease(xml, vm);
	}
	vrms_xml_text_begin(xml, "serial", "type", "file", NULL);
	vrms_xml_text_empty(xml, "source", "path", console, "append", "on", NULL);
	vrms_xml_text_end(xml);
	vrms_xml_text_empty(xml, "panic", "model", "isa", NULL);
	vrms_xml_text_empty(xml, "watchdog", "model", "ib700", "action", "pause", NULL);
	vrms_xml_text_end(xml);
}

char *vrms_lab_vm_domain_xml(const struct vrms_lab_vm *vm)
{
	struct vrms_xml_text xml;

	vrms_xml_text_init(&xml);
	vrms_xml_text_begin(&xml, "domain", "type", "qemu", NULL);
	vrms_xml_text_leaf(&xml, "name", vm->name);
	vrms_xml_text_leaf(&xml, "uuid", vm->uuid);
	add_memory(&xml, vm);
	add_os(&xml, vm);
	vrms_xml_text_leaf(&xml, "on_poweroff", "destroy");
	vrms_xml_text_leaf(&xml, "on_reboot", "restart");
	vrms_xml_text_leaf(&xml, "on_crash", "preserve"); /* so that a panic can be seen */
	add_devices(&xml, vm);
	if (vm->target != NULL) {
		add_registration(&xml);
	}
	vrms_xml_text_end(&xml);
	return vrms_xml_text_done(&xml);
}

/* <nvpair id="<prefix>-<name>" name= value=/> */
static void add_pair(struct vrms_xml_text *xml, const char *prefix, const char *name,
		     const char *value)
{
	char id[256];

	snprintf(id, sizeof(id), "%s-%s", prefix, name);
	vrms_xml_text_empty(xml, "nvpair", "id", id, "name", name, "value", value, NULL);
}

static bool names_same(const char *pair, const char *other)
{
	size_t length = strcspn(pair, "=");

	return strncmp(pair, other, length + 1) == 0;
}

static bool is_overridden(const struct vrms_lab_vm *vm, const char *pair, size_t first)
{
	for (size_t i = first; i < vm->param_count; i++) {
		if (names_same(pair, vm->params[i])) {
			return true;
		}
	}
	return false;
}

/* "name=value"; an empty value leaves the parameter out. */
static void add_param(struct vrms_xml_text *xml, const char *prefix, const char *pair)
{
	char name[128];
	const char *value = strchr(pair, '=') + 1;

	snprintf(name, sizeof(name), "%.*s", (int)(value - pair - 1), pair);
	if (value[0] != '\0') {
		add_pair(xml, prefix, name, value);
	}
}

static void add_params(struct vrms_xml_text *xml, const struct vrms_lab_vm *vm)
{
	char prefix[VRMS_LAB_VM_NAME_MAX + 16], config[64 + VRMS_LAB_VM_NAME_MAX];

	snprintf(prefix, sizeof(prefix), "%s-params", vm->name);
	snprintf(config, sizeof(config), "config=/srv/vm/%s.xml", vm->name);
	vrms_xml_text_begin(xml, "instance_attributes", "id", prefix, NULL);
	if (!is_overridden(vm, config, 0)) {
		add_param(xml, prefix, config);
	}
	for (size_t i = 0; i < VRMS_COUNT_OF(lab_params); i++) {
		if (!is_overridden(vm, lab_params[i], 0)) {
			add_param(xml, prefix, lab_params[i]);
		}
	}
	for (size_t i = 0; i < vm->param_count; i++) {
		if (!is_overridden(vm, vm->params[i], i + 1)) {
			add_param(xml, prefix, vm->params[i]);
		}
	}
	vrms_xml_text_end(xml);
}

static void add_operation(struct vrms_xml_text *xml, const struct vrms_lab_vm *vm, const char *name,
			  const char *interval, const char *timeout)
{
	char id[VRMS_LAB_VM_NAME_MAX + 32];

	snprintf(id, sizeof(id), "%s-%s", vm->name, name);
	vrms_xml_text_empty(xml, "op", "id", id, "name", name, "interval", interval, "timeout",
			    timeout, NULL);
}

static void add_operations(struct vrms_xml_text *xml, const struct vrms_lab_vm *vm)
{
	const char *deadline = vm->deadline != NULL ? vm->deadline : "90s";

	vrms_xml_text_begin(xml, "operations", NULL);
	add_operation(xml, vm, "start", "0", deadline);
	add_operation(xml, vm, "stop", "0", deadline);
	add_operation(xml, vm, "monitor", vm->monitor != NULL ? vm->monitor : "10s", "30s");
	add_operation(xml, vm, "migrate_to", "0", "120s");
	add_operation(xml, vm, "migrate_from", "0", "60s");
	vrms_xml_text_end(xml);
}

char *vrms_lab_vm_primitive_xml(const struct vrms_lab_vm *vm)
{
	struct vrms_xml_text xml;
	char id[VRMS_LAB_VM_NAME_MAX + 32], memory[16];
	const struct agent_row *agent = &agents[vm->agent];

	snprintf(memory, sizeof(memory), "%d", vm->memory_mib);
	vrms_xml_text_init(&xml);
	vrms_xml_text_begin(&xml, "primitive", "id", vm->name, "class", "ocf", "provider",
			    agent->provider, "type", agent->type, NULL);
	add_params(&xml, vm);
	add_operations(&xml, vm);
	snprintf(id, sizeof(id), "%s-meta", vm->name);
	vrms_xml_text_begin(&xml, "meta_attributes", "id", id, NULL);
	add_pair(&xml, id, "allow-migrate", "true");
	vrms_xml_text_end(&xml);
	snprintf(id, sizeof(id), "%s-utilization", vm->name);
	vrms_xml_text_begin(&xml, "utilization", "id", id, NULL);
	add_pair(&xml, id, "cpu", "1");
	add_pair(&xml, id, "hv_memory", memory);
	vrms_xml_text_end(&xml);
	vrms_xml_text_end(&xml);
	return vrms_xml_text_done(&xml);
}
