/* vm_world.h - a node with a hypervisor, processes and a clock, all of it made up.
 *
 * Time passes only when somebody sleeps or waits for a stuck hypervisor.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_TESTS_FAKES_VM_WORLD_H
#define VRMS_TESTS_FAKES_VM_WORLD_H

#include "agents/vm.h"
#include "tests/fakes/hypervisor.h"

struct fake_world {
	char folder[64]; /* config, HA_RSCTMP */
	char config_path[96];
	int64_t now_ms;
	struct vrms_clock clock;
	struct fake_hypervisor local;
	struct fake_hypervisor target; /* what open_peer gives */
	char peer_uri[256];

	/* QEMU on this node. */
	bool has_process;
	char process_uuid[VRMS_UUID_TEXT_BYTES];
	enum vrms_qemu_process_state process_state;
	bool process_hangs;  /* outlives KILL */
	int find_process_rc; /* < 0: cannot tell */
	int end_process_count;
	bool destroy_leaves_process;
	bool libvirt_keeps_the_dead; /* it lists what end_process ended */

	/* Programs: exit codes in order, the last one for all that follow. */
	int exit_codes[8];
	size_t exit_count;
	size_t program_count; /* run so far */
	int program_rc;       /* < 0: cannot be run */
	const char *program_output;
	char programs[2048]; /* "csync2 -x /f|qemu-img ..." */

	/* The migration. */
	int64_t migration_ms; /* FAKE_NEVER: does not converge */
	int migration_rc;     /* what it ends with */
	bool abort_fails;
	bool stays_after_migration; /* on the source */
	bool arrives_though_failed;
	bool leaves_rest_on_target;
	bool is_migrating, is_aborted, is_post_copy;
	int64_t migration_started_ms;
	unsigned int migration_flags;
	char migration_uri[256];
	int64_t migration_speed_mibs;
	int64_t downtime_ms;

	struct vrms_ocf_call call;
	struct vrms_vm_config config;
	struct vrms_vm vm;
	enum vrms_ocf_exit exit_code;
	struct vrms_error error;
};

/* A world where config exists and nothing runs; free it with fake_world_free(). */
struct fake_world *fake_world_new(void);
void fake_world_free(struct fake_world *world);
VRMS_DEFINE_CLEANUP(struct fake_world *, fake_world_free);

/* Lets the machine of config run on the local hypervisor, as if it had been started. */
struct fake_domain *fake_world_boot(struct fake_world *world);
void fake_world_write_config(struct fake_world *world, const char *text);
/* Runs an action with a timeout; returns the exit code Pacemaker would see. */
enum vrms_ocf_exit fake_world_run(struct fake_world *world, const char *action, int64_t timeout_ms);

/* Asserts that the action's error holds this text. */
void fake_world_says(const struct fake_world *world, const char *expected);

/* Lets time pass, with what happens in it. */
void fake_world_pass(struct fake_world *world, int64_t ms);

#endif
