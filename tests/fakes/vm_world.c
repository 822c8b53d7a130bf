/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fakes/vm_world.h"

#include <check.h>
#include <errno.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void fake_append(char *buffer, size_t bytes, const char *first, const char *second)
{
	size_t used = strlen(buffer);

	(void)snprintf(buffer + used, bytes - used, "%s%s", first, second);
}

/* --- Time ------------------------------------------------------------------------------- */

static int64_t get_now_ms(void *context)
{
	return ((struct fake_world *)context)->now_ms;
}

static void pass_time_at(struct fake_hypervisor *hypervisor, int64_t now_ms)
{
	for (size_t i = 0; i < hypervisor->domain_count; i++) {
		struct fake_domain *domain = &hypervisor->domains[i];

		if (domain->off_at_ms > 0 && now_ms >= domain->off_at_ms) {
			fake_domain_end(domain);
			if (hypervisor == &hypervisor->world->local) {
				hypervisor->world->has_process = false;
			}
		}
		if (domain->run_at_ms > 0 && now_ms >= domain->run_at_ms) {
			domain->run_at_ms = 0;
			domain->view.state = VIR_DOMAIN_RUNNING;
			domain->view.reason = VIR_DOMAIN_RUNNING_MIGRATED;
		}
	}
	if (hypervisor->back_at_ms > 0 && now_ms >= hypervisor->back_at_ms) {
		hypervisor->is_down = false;
	}
}

void fake_world_pass(struct fake_world *world, int64_t ms)
{
	world->now_ms += ms > 0 ? ms : 0;
	pass_time_at(&world->local, world->now_ms);
	pass_time_at(&world->target, world->now_ms);
}

static void sleep_for_ms(void *context, int64_t ms)
{
	fake_world_pass(context, ms);
}

/* --- The node ------------------------------------------------------------------------------------
 */

static bool is_its_process(const struct fake_world *world, const struct vrms_domain_id *id)
{
	return world->has_process &&
	       (id->uuid[0] == '\0' || strcmp(world->process_uuid, id->uuid) == 0);
}

static int find_process(void *context, const struct vrms_domain_id *id, pid_t *ret_pid,
			enum vrms_qemu_process_state *ret_state, struct vrms_error *error)
{
	struct fake_world *world = context;

	if (world->find_process_rc < 0) {
		return vrms_error_set(error, world->find_process_rc, "/proc: not readable");
	}
	if (!is_its_process(world, id)) {
		return vrms_error_set(error, -ESRCH, "no process");
	}
	*ret_pid = 4711;
	*ret_state = world->process_state;
	return 0;
}

static int end_process(void *context, const struct vrms_domain_id *id, int64_t grace_ms,
		       int64_t deadline_ms, struct vrms_error *error)
{
	struct fake_world *world = context;

	(void)grace_ms;
	if (!is_its_process(world, id)) {
		return 0;
	}
	world->end_process_count++;
	if (world->process_hangs) {
		fake_world_pass(world, deadline_ms - world->now_ms);
		return vrms_error_set(error, -ETIMEDOUT, "QEMU does not die");
	}
	world->has_process = false;
	for (size_t i = 0; i < world->local.domain_count && !world->libvirt_keeps_the_dead; i++) {
		fake_domain_end(&world->local.domains[i]);
	}
	return 0;
}

static int run_program(void *context, const struct vrms_child_spec *spec,
		       struct vrms_child_result *result, struct vrms_error *error)
{
	struct fake_world *world = context;
	size_t index = world->program_count++;

	for (const char *const *word = spec->argv; *word != NULL; word++) {
		fake_append(world->programs, sizeof(world->programs), *word,
			    word[1] == NULL ? "|" : " ");
	}
	*result = (struct vrms_child_result){.exit_code = 0};
	if (world->program_rc < 0) {
		return vrms_error_set(error, world->program_rc, "cannot be run");
	}
	if (world->exit_count > 0) {
		result->exit_code =
		    world->exit_codes[index < world->exit_count ? index : world->exit_count - 1];
	}
	result->output = strdup(world->program_output == NULL ? "" : world->program_output);
	result->errors = strdup("said on stderr\n");
	return 0;
}

/* --- Making one ----------------------------------------------------------------------------------
 */

static const char *lookup_nothing(void *context, const char *name)
{
	(void)context;
	(void)name;
	return NULL;
}

void fake_world_write_config(struct fake_world *world, const char *text)
{
	FILE *file = fopen(world->config_path, "w");

	if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
		abort();
	}
}

static void init_call(struct fake_world *world)
{
	struct vrms_error warning;

	world->call = (struct vrms_ocf_call){
	    .instance = "web",
	    .node = "node1",
	    .migrate_source = "node1",
	    .migrate_target = "node2",
	    .interval_ms = 10000,
	    .clock = &world->clock,
	    .lookup = lookup_nothing,
	};
	vrms_vm_config_read_leniently(&world->call, &world->config, &warning);
	world->config.config = world->config_path;
	world->config.hypervisor = "qemu:///system";
}

struct fake_world *fake_world_new(void)
{
	static char *const no_environment[] = {NULL};
	struct fake_world *world = calloc(1, sizeof(*world));

	if (world == NULL) {
		abort();
	}
	(void)strcpy(world->folder, "/tmp/vrms-test-XXXXXX");
	if (mkdtemp(world->folder) == NULL || setenv("HA_RSCTMP", world->folder, 1) < 0) {
		abort();
	}
	(void)snprintf(world->config_path, sizeof(world->config_path), "%s/web.xml", world->folder);
	fake_world_write_config(world, FAKE_CONFIG);
	world->now_ms = 1000000;
	world->clock = (struct vrms_clock){
	    .context = world,
	    .now_ms = get_now_ms,
	    .sleep_ms = sleep_for_ms,
	};
	fake_hypervisor_init(world, &world->local);
	fake_hypervisor_init(world, &world->target);
	(void)strcpy(world->process_uuid, FAKE_UUID);
	world->migration_ms = 3000;
	init_call(world);
	world->vm.environment = no_environment;
	return world;
}

static void remove_file(const struct fake_world *world, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", world->folder, name);
	(void)unlink(path);
}

void fake_world_free(struct fake_world *world)
{
	static const char *const names[] = {"web.xml",
					    "web.qcow2",
					    "web.state",
					    "web.state.restoring",
					    "VirtualMachine-web.domain",
					    "VirtualMachine-web.state"};

	if (world == NULL) {
		return;
	}
	for (size_t i = 0; i < VRMS_COUNT_OF(names); i++) {
		remove_file(world, names[i]);
	}
	(void)rmdir(world->folder);
	free(world);
}

struct fake_domain *fake_world_boot(struct fake_world *world)
{
	world->has_process = true;
	return fake_world_add(&world->local, "web", FAKE_UUID, VIR_DOMAIN_RUNNING,
			      VIR_DOMAIN_RUNNING_BOOTED);
}

enum vrms_ocf_exit fake_world_run(struct fake_world *world, const char *action, int64_t timeout_ms)
{
	struct vrms_vm_host host = {
	    .context = world,
	    .find_process = find_process,
	    .end_process = end_process,
	    .run_program = run_program,
	};

	world->call.action = action;
	world->call.timeout_ms = timeout_ms;
	world->call.deadline_ms = world->now_ms + timeout_ms;
	world->call.is_probe = strcmp(action, "monitor") == 0 && world->call.interval_ms == 0;
	world->vm = (struct vrms_vm){
	    .call = &world->call,
	    .config = &world->config,
	    .hypervisor = &world->local.port,
	    .host = &host,
	    .environment = world->vm.environment,
	};
	world->exit_code = VRMS_OCF_SUCCESS;
	vrms_error_clear(&world->error);

	int rc = vrms_vm_run_action(&world->vm, &world->exit_code, &world->error);
	vrms_vm_done(&world->vm);
	return rc < 0 ? vrms_ocf_exit_from_errno(rc) : world->exit_code;
}

bool fake_world_has_called(const struct fake_hypervisor *hypervisor, const char *operation)
{
	char word[64];

	(void)snprintf(word, sizeof(word), "%s ", operation);
	return strstr(hypervisor->calls, word) != NULL;
}

void fake_world_says(const struct fake_world *world, const char *expected)
{
	ck_assert_msg(strstr(world->error.text, expected) != NULL, "%s", world->error.text);
}
