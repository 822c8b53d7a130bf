/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libvirt/libvirt.h>
#include <string.h>

#include "agents/vm_memory.h"
#include "agents/vm_peers.h"
#include "tests/fakes/vm_world.h"
#include "tests/unit/unit.h"

#define WORLD struct fake_world *world VRMS_CLEANUP(fake_world_freep) = fake_world_new()

static enum vrms_ocf_exit migrate_to(struct fake_world *world)
{
	return fake_world_run(world, "migrate_to", 120000);
}

static enum vrms_ocf_exit migrate_from(struct fake_world *world)
{
	return fake_world_run(world, "migrate_from", 60000);
}

START_TEST(machine_leaves_for_the_target)
{
	WORLD;

	fake_world_boot(world);
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_SUCCESS);
	ck_assert_str_eq(world->peer_uri, "qemu://node2/system ");
	ck_assert_str_eq(world->migration_uri, "");
	ck_assert_uint_eq(world->migration_flags, VIR_MIGRATE_LIVE);
	ck_assert(!world->local.domains[0].view.present);
	ck_assert(fake_world_has_called(&world->target, "close_peer"));
	ck_assert(!fake_world_has_called(&world->local, "set_downtime"));
}
END_TEST

START_TEST(parameters_reach_the_migration)
{
	WORLD;

	fake_world_boot(world);
	world->config.migration_transport = "tls";
	world->config.migration_user = "mover";
	world->config.migration_network_suffix = "-mig";
	world->config.migrateport = 50000;
	world->config.migration_downtime_ms = 77;
	world->config.migration_speed_mibs = 100;
	world->config.migration_p2p = true;
	world->config.migration_tls = true;
	world->config.migration_auto_converge = true;
	world->config.migrate_options = "--unsafe";
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_SUCCESS);
	ck_assert_str_eq(world->peer_uri, "qemu+tls://mover@node2-mig/system ");
	ck_assert_str_eq(world->migration_uri, "tcp://node2-mig:50000");
	ck_assert_uint_eq(world->migration_flags, VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER |
						      VIR_MIGRATE_TLS | VIR_MIGRATE_AUTO_CONVERGE |
						      VIR_MIGRATE_UNSAFE);
	ck_assert_int_eq(world->downtime_ms, 77);
	ck_assert_int_eq(world->migration_speed_mibs, 100);
	/* Before the switch-over means: before it begins. */
	ck_assert_ptr_nonnull(strstr(world->local.calls, "set_downtime begin"));
}
END_TEST

START_TEST(tunnelled_has_no_uri_of_its_own)
{
	WORLD;

	fake_world_boot(world);
	world->config.migration_tunnelled = true;
	world->config.migrateuri = "tcp://%n";
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_SUCCESS);
	ck_assert_str_eq(world->migration_uri, "");
	ck_assert_uint_eq(world->migration_flags,
			  VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_TUNNELLED);
}
END_TEST

START_TEST(slow_migration_is_aborted_and_stays_on_the_source)
{
	WORLD;
	int64_t start_ms = world->now_ms;

	fake_world_boot(world);
	world->migration_ms = FAKE_NEVER;
	world->leaves_rest_on_target = true;
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "not done after 105 s, aborted; it still runs here");
	ck_assert_int_le(world->now_ms - start_ms, 110000);
	ck_assert(world->local.domains[0].view.present);
	ck_assert(fake_world_has_called(&world->target, "destroy"));
}
END_TEST

START_TEST(short_timeout_still_aborts_in_time)
{
	WORLD;
	int64_t start_ms = world->now_ms;

	fake_world_boot(world);
	world->migration_ms = FAKE_NEVER;
	ck_assert_int_eq(fake_world_run(world, "migrate_to", 9000), VRMS_OCF_ERR_GENERIC);
	ck_assert(world->is_aborted);
	ck_assert_int_le(world->now_ms - start_ms, 9000);
}
END_TEST

START_TEST(migration_that_cannot_be_aborted_is_said_to_be_so)
{
	WORLD;
	int64_t start_ms = world->now_ms;

	fake_world_boot(world);
	world->migration_ms = FAKE_NEVER;
	world->abort_fails = true;
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "aborted, but it has not ended; it still runs here");
	ck_assert_int_le(world->now_ms - start_ms, 120000);

	/* What waits on the target may yet become the machine. */
	fake_world_add(&world->target, "web", FAKE_UUID, VIR_DOMAIN_PAUSED,
		       VIR_DOMAIN_PAUSED_MIGRATION);
	fake_world_fail(&world->local, "abort", -EIO, "no job");
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "neither ended nor could be aborted");
	ck_assert(!fake_world_has_called(&world->target, "destroy"));
}
END_TEST

START_TEST(rest_on_the_target_stays_unless_the_source_runs)
{
	WORLD;

	fake_world_boot(world);
	world->migration_rc = -EIO;
	world->leaves_rest_on_target = true;
	fake_world_add(&world->local, "web", FAKE_UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "the wire broke; how it is here is not known");
	ck_assert(!fake_world_has_called(&world->target, "destroy"));
}
END_TEST

START_TEST(running_target_is_never_destroyed)
{
	WORLD;

	fake_world_boot(world);
	world->migration_rc = -EIO;
	fake_world_add(&world->target, "web", FAKE_UUID, VIR_DOMAIN_RUNNING, 0);
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "it still runs here");
	ck_assert(!fake_world_has_called(&world->target, "destroy"));
}
END_TEST

START_TEST(unreachable_target_changes_nothing_here)
{
	WORLD;

	fake_world_boot(world);
	fake_world_fail(&world->local, "open_peer", -ENOMEM, "no memory");
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "no memory; it still runs here");

	world->local.faults[0].operation = NULL;
	world->migration_rc = -EIO;
	world->target.is_down = true;
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "it still runs here");
	fake_world_fail(&world->local, "begin", -EIO, "no thread");
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "no thread");
}
END_TEST

START_TEST(error_after_the_switch_over_is_a_success)
{
	WORLD;

	fake_world_boot(world);
	world->migration_rc = -EIO;
	world->arrives_though_failed = true;
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(source_must_be_proved_gone)
{
	WORLD;

	fake_world_boot(world);
	world->stays_after_migration = true;
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "is still active here");
}
END_TEST

START_TEST(definition_does_not_stay_behind)
{
	WORLD;

	fake_world_boot(world)->view.persistent = true;
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_SUCCESS);
	ck_assert(fake_world_has_called(&world->local, "undefine"));

	fake_world_boot(world)->view.persistent = true;
	fake_world_fail(&world->local, "undefine", -EBUSY, "has snapshots");
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(lost_looks_do_not_end_a_migration)
{
	WORLD;

	fake_world_boot(world);
	world->migration_ms = 30000;
	fake_world_fail(&world->local, "poll", -ENOTCONN, "reset");
	world->local.faults[0].count = 10;
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(post_copy_begins_after_the_first_pass)
{
	WORLD;

	fake_world_boot(world);
	world->migration_ms = FAKE_NEVER;
	world->config.migration_post_copy = true;
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_SUCCESS);
	ck_assert(world->is_post_copy);
	ck_assert_uint_ne(world->migration_flags & VIR_MIGRATE_POSTCOPY, 0);
}
END_TEST

START_TEST(post_copy_that_is_refused_ends_as_pre_copy)
{
	WORLD;

	fake_world_boot(world);
	world->migration_ms = 8000;
	world->config.migration_post_copy = true;
	fake_world_fail(&world->local, "post_copy", -EIO, "not supported");
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_SUCCESS);
	ck_assert(!world->is_post_copy);
}
END_TEST

START_TEST(post_copy_cannot_be_aborted)
{
	WORLD;

	fake_world_boot(world);
	world->migration_ms = FAKE_NEVER;
	world->config.migration_post_copy = true;
	/* It ends after the moment at which pre-copy would have been aborted. */
	ck_assert_int_eq(fake_world_run(world, "migrate_to", 3000), VRMS_OCF_SUCCESS);
	ck_assert(world->is_post_copy);
	ck_assert(!fake_world_has_called(&world->local, "abort"));
}
END_TEST

START_TEST(timeout_of_the_options_suspends_or_switches)
{
	WORLD;

	fake_world_boot(world);
	world->migration_ms = FAKE_NEVER;
	world->config.migrate_options = "--timeout 20";
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_SUCCESS);
	ck_assert(fake_world_has_called(&world->local, "suspend"));

	fake_world_boot(world);
	world->local.calls[0] = '\0';
	world->migration_ms = FAKE_NEVER;
	world->config.migrate_options = "--postcopy --timeout 20 --timeout-postcopy";
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_SUCCESS);
	ck_assert(fake_world_has_called(&world->local, "post_copy"));

	fake_world_boot(world);
	world->migration_ms = 40000;
	world->config.migrate_options = "--timeout 20";
	fake_world_fail(&world->local, "suspend", -EIO, "no");
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(only_what_runs_well_here_can_leave)
{
	WORLD;

	ck_assert_int_eq(migrate_to(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "\"web\" does not run here");
	fake_world_boot(world);
	fake_world_add(&world->local, "web", FAKE_UUID, VIR_DOMAIN_PAUSED,
		       VIR_DOMAIN_PAUSED_IOERROR);
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "I/O error");
	world->local.is_down = true;
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "connection refused");
	ck_assert(!fake_world_has_called(&world->local, "begin"));
}
END_TEST

START_TEST(plans_that_cannot_be_made_are_configuration_errors)
{
	WORLD;

	fake_world_boot(world);
	world->config.migrate_options = "--nonsense";
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_ERR_CONFIGURED);
	fake_world_says(world, "--nonsense");
	world->config.migrate_options = NULL;
	world->call.migrate_target = "";
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_ERR_CONFIGURED);
	fake_world_says(world, "migrate_target");
	world->call.migrate_target = "node2";
	world->config.migration_downtime_ms = 5;
	fake_world_fail(&world->local, "set_downtime", -EIO, "no");
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "migration_downtime=5: no");
}
END_TEST

START_TEST(resources_are_started_on_the_target)
{
	WORLD;

	fake_world_write_config(world, "<domain><name>web</name><uuid>" FAKE_UUID
				       "</uuid><devices><interface><source network='n'/>"
				       "</interface></devices></domain>");
	fake_world_boot(world);
	world->config.start_resources = true;
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_SUCCESS);
	ck_assert(fake_world_has_called(&world->target, "start_network"));

	fake_world_boot(world);
	fake_world_fail(&world->target, "start_network", -EIO, "no bridge");
	ck_assert_int_eq(migrate_to(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "qemu://node2/system: no bridge");
}
END_TEST

START_TEST(arrival_is_proved_and_remembered)
{
	WORLD;
	struct vrms_vm_memory memory;

	fake_world_boot(world);
	fake_world_add(&world->local, "web", FAKE_UUID, VIR_DOMAIN_PAUSED,
		       VIR_DOMAIN_PAUSED_MIGRATION)
	    ->run_at_ms = world->now_ms + 4000;
	ck_assert_int_eq(migrate_from(world), VRMS_OCF_SUCCESS);
	ck_assert_str_eq(world->error.text, "");
	ck_assert_int_eq(vrms_vm_memory_read("web", &memory, NULL), 0);
	ck_assert(memory.is_running);
}
END_TEST

START_TEST(arrival_that_does_not_come_is_an_error)
{
	WORLD;
	int64_t start_ms = world->now_ms;

	ck_assert_int_eq(migrate_from(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "\"web\" is not here");
	ck_assert_int_le(world->now_ms - start_ms, 7000);

	fake_world_boot(world);
	fake_world_add(&world->local, "web", FAKE_UUID, VIR_DOMAIN_PAUSED,
		       VIR_DOMAIN_PAUSED_MIGRATION);
	start_ms = world->now_ms;
	ck_assert_int_eq(migrate_from(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "is here but does not run");
	ck_assert_int_le(world->now_ms - start_ms, 60000);

	fake_world_add(&world->local, "web", FAKE_UUID, VIR_DOMAIN_PAUSED,
		       VIR_DOMAIN_PAUSED_IOERROR);
	ck_assert_int_eq(migrate_from(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "I/O error");
}
END_TEST

START_TEST(paused_by_an_admin_arrives_paused)
{
	WORLD;

	fake_world_boot(world);
	fake_world_add(&world->local, "web", FAKE_UUID, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
	ck_assert_int_eq(migrate_from(world), VRMS_OCF_SUCCESS);
}
END_TEST

START_TEST(process_alone_is_no_arrival)
{
	WORLD;

	world->has_process = true;
	world->local.is_down = true;
	ck_assert_int_eq(migrate_from(world), VRMS_OCF_ERR_GENERIC);
	world->find_process_rc = -EIO;
	ck_assert_int_eq(migrate_from(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "/proc");
}
END_TEST

START_TEST(arrival_awaits_the_scripts)
{
	WORLD;

	fake_world_boot(world);
	world->config.monitor_scripts = "/opt/check";
	world->exit_codes[0] = 1;
	world->exit_count = 1;
	ck_assert_int_eq(migrate_from(world), VRMS_OCF_ERR_GENERIC);
	fake_world_says(world, "/opt/check");
}
END_TEST

static const char *peer_uri(const struct vrms_vm_config *config, const char *local,
			    const char *node)
{
	static char uri[VRMS_URI_BYTES];
	struct vrms_error error = {.text = ""};

	ck_assert_msg(vrms_vm_peer_uri(config, local, node, uri, &error) == 0, "%s", error.text);
	return uri;
}

START_TEST(connection_uris_are_those_of_virtualdomain)
{
	struct vrms_vm_config config = {.config = NULL};

	ck_assert_str_eq(peer_uri(&config, "qemu:///system", "b"), "qemu://b/system");
	ck_assert_str_eq(peer_uri(&config, "qemu://a:9999/system", "b"), "qemu://b:9999/system");
	ck_assert_str_eq(peer_uri(&config, "xen:///", "b"), "xen://b/");
	config.migration_transport = "ssh";
	ck_assert_str_eq(peer_uri(&config, "qemu+tcp:///system", "b"), "qemu+ssh://b/system");
	config.migration_user = "Root";
	ck_assert_str_eq(peer_uri(&config, "qemu:///system", "b"), "qemu+ssh://b/system");
	config.migration_user = "mover-1";
	config.migration_network_suffix = "-mig";
	ck_assert_str_eq(peer_uri(&config, "qemu:///system", "b.example.org"),
			 "qemu+ssh://mover-1@b-mig.example.org/system");
	config.remoteuri = "qemu+tls://%n.lan/system?x=%n";
	ck_assert_str_eq(peer_uri(&config, "qemu:///system", "b"), "qemu+tls://b.lan/system?x=b");
}
END_TEST

static const char *migrate_uri(const struct vrms_vm_config *config, const char *local,
			       const char *options_uri)
{
	static char uri[VRMS_URI_BYTES];
	struct vrms_error error = {.text = ""};

	ck_assert_msg(vrms_vm_migrate_uri(config, local, "b", options_uri, 49200, uri, &error) == 0,
		      "%s", error.text);
	return uri;
}

START_TEST(migration_uris_are_those_of_virtualdomain)
{
	struct vrms_vm_config config = {.config = NULL};

	ck_assert_str_eq(migrate_uri(&config, "qemu:///system", NULL), "");
	config.migration_network_suffix = "-mig";
	ck_assert_str_eq(migrate_uri(&config, "qemu:///system", NULL), "tcp://b-mig:49200");
	config.migrateport = 50001;
	ck_assert_str_eq(migrate_uri(&config, "qemu:///system", NULL), "tcp://b-mig:50001");
	ck_assert_str_eq(migrate_uri(&config, "xen:///", NULL), "b-mig");
	ck_assert_str_eq(migrate_uri(&config, "lxc:///", NULL), "");
	ck_assert_str_eq(migrate_uri(&config, "qemu:///system", "rdma://%n"), "rdma://b-mig");
	config.migrateuri = "tcp://%n:1";
	ck_assert_str_eq(migrate_uri(&config, "qemu:///system", "rdma://%n"), "tcp://b-mig:1");
	config.remoteuri = "qemu://x/system";
	ck_assert_str_eq(migrate_uri(&config, "qemu:///system", NULL), "tcp://b:1");
}
END_TEST

START_TEST(uris_that_do_not_fit_are_errors)
{
	struct vrms_vm_config config = {.config = NULL};
	char uri[VRMS_URI_BYTES];
	static char text[2 * VRMS_URI_BYTES];
	struct vrms_error error;

	memset(text, 'x', sizeof(text) - 1);
	ck_assert_int_eq(vrms_vm_peer_uri(&config, "qemu:///system", text, uri, &error),
			 -ENAMETOOLONG);
	ck_assert_int_eq(vrms_vm_peer_uri(&config, "no uri", "b", uri, &error), -EINVAL);
	ck_assert_int_eq(vrms_vm_migrate_uri(&config, "qemu:///s", text, NULL, 1, uri, &error),
			 -ENAMETOOLONG);
	config.remoteuri = text;
	ck_assert_int_eq(vrms_vm_peer_uri(&config, "qemu:///system", "b", uri, &error),
			 -ENAMETOOLONG);
	config.remoteuri = NULL;
	config.migration_transport = text;
	ck_assert_int_eq(vrms_vm_peer_uri(&config, "qemu:///system", "b", uri, &error),
			 -ENAMETOOLONG);
	text[VRMS_URI_BYTES - 20] = '\0';
	ck_assert_int_eq(vrms_vm_peer_uri(&config, "qemu:///system", "b234567890", uri, &error),
			 -ENAMETOOLONG);
	config.migration_network_suffix = "y";
	text[VRMS_URI_BYTES - 20] = 'x';
	text[VRMS_URI_BYTES - 4] = '\0';
	ck_assert_int_eq(vrms_vm_migrate_uri(&config, "qemu:///s", text, NULL, 1, uri, &error),
			 -ENAMETOOLONG);
}
END_TEST

UNIT_MAIN("vm_migrate", machine_leaves_for_the_target, parameters_reach_the_migration,
	  tunnelled_has_no_uri_of_its_own, slow_migration_is_aborted_and_stays_on_the_source,
	  short_timeout_still_aborts_in_time, migration_that_cannot_be_aborted_is_said_to_be_so,
	  rest_on_the_target_stays_unless_the_source_runs, running_target_is_never_destroyed,
	  unreachable_target_changes_nothing_here, error_after_the_switch_over_is_a_success,
	  source_must_be_proved_gone, definition_does_not_stay_behind,
	  lost_looks_do_not_end_a_migration, post_copy_begins_after_the_first_pass,
	  post_copy_that_is_refused_ends_as_pre_copy, post_copy_cannot_be_aborted,
	  timeout_of_the_options_suspends_or_switches, only_what_runs_well_here_can_leave,
	  plans_that_cannot_be_made_are_configuration_errors, resources_are_started_on_the_target,
	  arrival_is_proved_and_remembered, arrival_that_does_not_come_is_an_error,
	  paused_by_an_admin_arrives_paused, process_alone_is_no_arrival,
	  arrival_awaits_the_scripts, connection_uris_are_those_of_virtualdomain,
	  migration_uris_are_those_of_virtualdomain, uris_that_do_not_fit_are_errors)
