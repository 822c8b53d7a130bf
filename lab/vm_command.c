/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * "vrms-lab vm ...": virtual machines as an admin of a lab sees them.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/parse.h"
#include "lab/cluster.h"
#include "lab/command.h"
#include "lab/vm.h"
#include "lab/vm_files.h"

enum { STOP_WAIT_MS = 150000 };

struct add_settings {
	struct vrms_lab_vm vm;
	bool files_only;
};

struct list_settings {
	bool json;
};

static int add_param(struct vrms_lab_vm *vm, const char *value, struct vrms_error *error)
{
	const char *equals = strchr(value, '=');

	if (equals == NULL || equals == value) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not NAME=VALUE", value);
	}
	if (vm->param_count == VRMS_LAB_VM_PARAMS_MAX) {
		return vrms_error_set(error, -E2BIG, "more than %d", VRMS_LAB_VM_PARAMS_MAX);
	}
	vm->params[vm->param_count++] = value;
	return 0;
}

static int set_duration(const char **to, const char *value, struct vrms_error *error)
{
	int64_t ms;
	int rc = vrms_duration_parse(value, &ms, error);

	if (rc == 0) {
		*to = value;
	}
	return rc;
}

static int set_add_option(void *memory, const char *name, const char *value,
			  struct vrms_error *error)
{
	struct add_settings *settings = memory;
	struct vrms_lab_vm *vm = &settings->vm;
	int64_t number;

	if (strcmp(name, "memory") == 0) {
		int rc = vrms_int_parse(value, 1, VRMS_LAB_VM_MEMORY_MIB_MAX, &number, error);
		vm->memory_mib = rc == 0 ? (int)number : 0;
		return rc;
	}
	if (strcmp(name, "agent") == 0) {
		return vrms_lab_agent_parse(value, &vm->agent, error);
	}
	if (strcmp(name, "guest") == 0) {
		return vrms_guest_kind_parse(value, &vm->guest, error);
	}
	if (strcmp(name, "param") == 0) {
		return add_param(vm, value, error);
	}
	if (strcmp(name, "monitor") == 0) {
		return set_duration(&vm->monitor, value, error);
	}
	if (strcmp(name, "deadline") == 0) {
		return set_duration(&vm->deadline, value, error);
	}
	if (strcmp(name, "disk") == 0) {
		vm->disk = value;
	} else if (strcmp(name, "files-only") == 0) {
		settings->files_only = true;
	}
	return 0;
}

static int run_add(const struct vrms_lab_context *context, void *memory, int argc, char **argv,
		   struct vrms_error *error)
{
	struct add_settings *settings = memory;
	struct vrms_lab *lab VRMS_CLEANUP(vrms_lab_freep) = NULL;
	int rc = vrms_lab_open(&context->place, &lab, error);

	(void)argc;
	if (rc == 0) {
		rc = vrms_lab_vm_complete(lab, argv[0], &settings->vm, error);
	}
	if (rc == 0 && settings->files_only) {
		rc = vrms_lab_vm_files_create(lab, &settings->vm, error);
	} else if (rc == 0) {
		rc = vrms_lab_vm_add(lab, &settings->vm, error);
	}
	return rc < 0 ? VRMS_LAB_EXIT_FAILED : VRMS_LAB_EXIT_OK;
}

static const struct vrms_lab_option add_options[] = {
    {'m', "memory", "MIB", "memory in MiB (default: 16, linux 96)"},
    {'a', "agent", "AGENT", "vrms (default) or heartbeat"},
    {'g', "guest", "GUEST", "bootsector (default) or linux"},
    {'p', "param", "NAME=VALUE", "a parameter of the agent; may be repeated"},
    {0, "monitor", "TIME", "interval of the monitor (default: 10s)"},
    {0, "deadline", "TIME", "timeout of start and stop (default: 90s)"},
    {0, "disk", "PATH", "its disk, as the nodes see it (default: /srv/disk/NAME.raw)"},
    {0, "files-only", NULL, "no resource in the cluster, only XML and disk"},
};

static const struct vrms_lab_command add_command = {
    .name = "vm add",
    .arguments = "NAME",
    .summary = "Make a virtual machine and give it to the cluster.",
    .options = add_options,
    .option_count = VRMS_COUNT_OF(add_options),
    .argument_min = 1,
    .argument_max = 1,
    .run = run_add,
    .set_option = set_add_option,
    .settings_size = sizeof(struct add_settings),
    .options_anywhere = true,
};

/* What the guest itself says; a record of zeros when it has said nothing. */
static struct vrms_guest_record read_guest(const struct vrms_lab *lab, const char *vm)
{
	char path[VRMS_LAB_PATH_SIZE];
	struct vrms_guest_record record;

	vrms_lab_vm_disk_path(lab, vm, path);
	return vrms_guest_record_read(path, &record, NULL) == 0 ? record
								: (struct vrms_guest_record){0};
}

static int read_memory(const struct vrms_lab *lab, const char *vm)
{
	int mib;

	return vrms_lab_vm_memory_read(lab, vm, &mib, NULL) == 0 ? mib : 0;
}

static const char *state_of(const struct vrms_lab_resource *vm)
{
	if (vm->pending[0] != '\0') {
		return vm->pending;
	}
	if (vm->blocked) {
		return "Blocked";
	}
	return vm->failed ? "Failed" : vm->role;
}

static void print_rows(const struct vrms_lab *lab, const struct vrms_lab_view *view)
{
	printf("%-16s %-8s %-10s %6s  %-10s %5s %8s %5s\n", "NAME", "NODE", "STATE", "MEMORY",
	       "AGENT", "BOOTS", "TICKS", "FAILS");
	for (size_t i = 0; i < view->count; i++) {
		const struct vrms_lab_resource *vm = &view->resources[i];

		if (!vrms_lab_resource_is_vm(vm)) {
			continue;
		}
		struct vrms_guest_record guest = read_guest(lab, vm->name);
		printf("%-16s %-8s %-10s %6d  %-10s %5u %8u %5u\n", vm->name,
		       vm->node[0] != '\0' ? vm->node : "-", state_of(vm),
		       read_memory(lab, vm->name),
		       strstr(vm->agent, "heartbeat") != NULL ? "heartbeat" : "vrms",
		       guest.boot_count, guest.tick_count, guest.fail_count);
	}
}

static int print_json(const struct vrms_lab *lab, const struct vrms_lab_view *view)
{
	json_t *list = json_array();
	int rc = list != NULL ? 0 : -1;

	for (size_t i = 0; i < view->count && rc == 0; i++) {
		const struct vrms_lab_resource *vm = &view->resources[i];
		struct vrms_guest_record guest = read_guest(lab, vm->name);

		if (vrms_lab_resource_is_vm(vm)) {
			rc = json_array_append_new(
			    list,
			    json_pack("{s:s, s:s?, s:s, s:b, s:i, s:s, s:i, s:i, s:i}", "name",
				      vm->name, "node", vm->node[0] != '\0' ? vm->node : NULL,
				      "state", state_of(vm), "failed", vm->failed, "memory_mib",
				      read_memory(lab, vm->name), "agent", vm->agent, "boot_count",
				      (int)guest.boot_count, "tick_count", (int)guest.tick_count,
				      "fail_count", (int)guest.fail_count));
		}
	}
	if (rc == 0) {
		rc = json_dumpf(list, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(list);
	return rc;
}

static int run_list(const struct vrms_lab_context *context, void *memory, int argc, char **argv,
		    struct vrms_error *error)
{
	const struct list_settings *settings = memory;
	struct vrms_lab *lab VRMS_CLEANUP(vrms_lab_freep) = NULL;
	struct vrms_lab_view view = {0};
	int rc = vrms_lab_open(&context->place, &lab, error);

	(void)argc;
	(void)argv;
	if (rc == 0) {
		rc = vrms_lab_cluster_view(lab, &view, error);
	}
	if (rc == 0 && settings->json) {
		rc = print_json(lab, &view);
	} else if (rc == 0) {
		print_rows(lab, &view);
	}
	vrms_lab_view_done(&view);
	return rc < 0 ? VRMS_LAB_EXIT_FAILED : VRMS_LAB_EXIT_OK;
}

static int set_list_option(void *memory, const char *name, const char *value,
			   struct vrms_error *error)
{
	struct list_settings *settings = memory;

	(void)name;
	(void)value;
	(void)error;
	settings->json = true;
	return 0;
}

static const struct vrms_lab_option list_options[] = {
    {0, "json", NULL, "for programs"},
};

static const struct vrms_lab_command list_command = {
    .name = "vm list",
    .arguments = "",
    .summary = "Show the virtual machines: where the cluster runs them, what their guests say.",
    .options = list_options,
    .option_count = VRMS_COUNT_OF(list_options),
    .run = run_list,
    .set_option = set_list_option,
    .settings_size = sizeof(struct list_settings),
    .options_anywhere = true,
};

/* 1: yes, 0: not yet. */
static int is_stopped(const struct vrms_lab *lab, const char *name, struct vrms_error *error)
{
	struct vrms_lab_view view = {0};
	int rc = vrms_lab_cluster_view(lab, &view, error);

	if (rc == 0) {
		const struct vrms_lab_resource *vm = vrms_lab_view_find(&view, name);
		rc = vm == NULL || (vm->node_count == 0 && vm->pending[0] == '\0');
	}
	vrms_lab_view_done(&view);
	return rc;
}

static int delete_resource(const struct vrms_lab *lab, const char *name, struct vrms_error *error)
{
	const char *stop[] = {"crm_resource",      "--resource",  name,
			      "--set-parameter",   "target-role", "--meta",
			      "--parameter-value", "Stopped",     NULL};
	const char *delete[] = {"crm_resource", "--resource", name, "--resource-type",
				"primitive",    "--delete",   NULL};
	const struct vrms_clock *clock = vrms_clock_system();
	int64_t end_ms = vrms_clock_now_ms(clock) + STOP_WAIT_MS;
	int rc = vrms_lab_cluster_run(lab, stop, NULL, NULL, error);

	while (rc == 0) {
		rc = is_stopped(lab, name, error);
		if (rc == 0 && vrms_clock_now_ms(clock) > end_ms) {
			rc = vrms_error_set(error, -ETIMEDOUT, "%s does not stop", name);
		}
		if (rc == 0) {
			vrms_clock_sleep_ms(clock, 200);
		}
	}
	return rc < 0 ? rc : vrms_lab_cluster_run(lab, delete, NULL, NULL, error);
}

static int remove_vm(const struct vrms_lab *lab, const char *name, bool is_resource,
		     struct vrms_error *error)
{
	char path[VRMS_LAB_PATH_SIZE];
	int rc = 0;

	vrms_lab_vm_xml_path(lab, name, path);
	if (!is_resource && access(path, F_OK) < 0) {
		return vrms_error_set(error, -ENOENT, "there is no VM \"%s\"", name);
	}
	if (is_resource) {
		rc = delete_resource(lab, name, error);
	}
	return rc < 0 ? rc : vrms_lab_vm_files_remove(lab, name, error);
}

static int run_remove(const struct vrms_lab_context *context, void *memory, int argc, char **argv,
		      struct vrms_error *error)
{
	struct vrms_lab *lab VRMS_CLEANUP(vrms_lab_freep) = NULL;
	struct vrms_lab_view view = {0};
	int rc = vrms_lab_open(&context->place, &lab, error);

	(void)argc;
	(void)memory;
	if (rc == 0) {
		rc = vrms_lab_vm_name_check(argv[0], error);
	}
	if (rc == 0) {
		rc = vrms_lab_cluster_view(lab, &view, error);
	}
	if (rc == 0) {
		rc = remove_vm(lab, argv[0], vrms_lab_view_find(&view, argv[0]) != NULL, error);
	}
	vrms_lab_view_done(&view);
	return rc < 0 ? VRMS_LAB_EXIT_FAILED : VRMS_LAB_EXIT_OK;
}

static const struct vrms_lab_command remove_command = {
    .name = "vm remove",
    .arguments = "NAME",
    .summary = "Stop a virtual machine and remove it with its disk.",
    .argument_min = 1,
    .argument_max = 1,
    .run = run_remove,
    .options_anywhere = true,
};

static int run_order(const struct vrms_lab_context *context, void *memory, int argc, char **argv,
		     struct vrms_error *error)
{
	struct vrms_lab *lab VRMS_CLEANUP(vrms_lab_freep) = NULL;
	char path[VRMS_LAB_PATH_SIZE];
	enum vrms_guest_order order;
	int rc = vrms_lab_open(&context->place, &lab, error);

	(void)argc;
	(void)memory;
	if (rc == 0) {
		rc = vrms_lab_vm_name_check(argv[0], error);
	}
	if (rc == 0) {
		rc = vrms_guest_order_parse(argv[1], &order, error);
	}
	if (rc == 0) {
		vrms_lab_vm_disk_path(lab, argv[0], path);
		rc = vrms_guest_order_write(path, order, error);
	}
	return rc < 0 ? VRMS_LAB_EXIT_FAILED : VRMS_LAB_EXIT_OK;
}

static const struct vrms_lab_command order_command = {
    .name = "vm order",
    .arguments = "NAME ORDER",
    .summary = "Make a guest misbehave.",
    .details = "Orders: deaf (ignore the power button; obey takes it back), panic, watchdog,\n"
	       "reboot, off, hang.  A running guest obeys within about a second.",
    .argument_min = 2,
    .argument_max = 2,
    .run = run_order,
    .options_anywhere = true,
};

static const struct vrms_lab_command *const commands[] = {&add_command, &list_command,
							  &remove_command, &order_command};

static int run_vm(const struct vrms_lab_context *context, void *memory, int argc, char **argv,
		  struct vrms_error *error)
{
	(void)memory;
	for (size_t i = 0; i < VRMS_COUNT_OF(commands); i++) {
		if (strcmp(commands[i]->name + strlen("vm "), argv[0]) == 0) {
			return vrms_lab_command_run(commands[i], context, argc, argv);
		}
	}
	vrms_error_set(error, -EINVAL, "vm: unknown command \"%s\"; try \"vrms-lab vm --help\"",
		       argv[0]);
	return VRMS_LAB_EXIT_USAGE;
}

static const struct vrms_lab_command vm_command = {
    .name = "vm",
    .arguments = "add|list|remove|order ...",
    .summary = "Virtual machines: vm add, vm list, vm remove, vm order.",
    .details = "vm add NAME      make one and give it to the cluster\n"
	       "vm list          where they run and what their guests say\n"
	       "vm remove NAME   stop one and remove it\n"
	       "vm order NAME O  make its guest misbehave\n"
	       "\"vrms-lab vm add --help\" and so on tell more.",
    .argument_min = 1,
    .argument_max = -1,
    .run = run_vm,
};

const struct vrms_lab_command *vrms_lab_vm_command(void)
{
	return &vm_command;
}
