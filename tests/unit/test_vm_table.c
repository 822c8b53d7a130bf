/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/vm_table.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct vrms_error error;

struct pair {
	const char *name;
	const char *value;
};

static const char *lookup(void *context, const char *name)
{
	for (const struct pair *pair = context; pair->name != NULL; pair++) {
		if (strcmp(pair->name, name) == 0) {
			return pair->value;
		}
	}
	return NULL;
}

static int run(const struct vrms_ocf_call *call, const void *config, enum vrms_ocf_exit *ret_exit,
	       struct vrms_error *ret_error)
{
	(void)call;
	(void)config;
	(void)ret_exit;
	(void)ret_error;
	return 0;
}

static const struct vrms_param *find(const struct vrms_vm_agent *table, const char *name)
{
	for (size_t i = 0; i < table->agent.param_count; i++) {
		if (strcmp(table->agent.params[i].name, name) == 0) {
			return &table->agent.params[i];
		}
	}
	return NULL;
}

/* Source: the meta-data of ocf:heartbeat:VirtualDomain 4.12; NULL: it shows no default. */
static const struct pair virtual_domain[] = {
    {"config", ""},
    {"hypervisor", NULL},
    {"force_stop", "0"},
    {"migration_transport", ""},
    {"migration_user", NULL},
    {"migration_downtime", "0"},
    {"migration_speed", "0"},
    {"migration_network_suffix", ""},
    {"migrateuri", NULL},
    {"migrate_options", NULL},
    {"monitor_scripts", ""},
    {"autoset_utilization_cpu", "true"},
    {"autoset_utilization_host_memory", "true"},
    {"autoset_utilization_hv_memory", "true"},
    {"unset_utilization_cpu", "false"},
    {"unset_utilization_host_memory", "false"},
    {"unset_utilization_hv_memory", "false"},
    {"migrateport", NULL},
    {"remoteuri", NULL},
    {"save_config_on_stop", NULL},
    {"sync_config_on_stop", NULL},
    {"snapshot", ""},
    {"backingfile", ""},
    {"stateless", "false"},
    {"copyindirs", ""},
    {"shutdown_mode", ""},
    {"start_resources", "false"},
};

START_TEST(every_parameter_of_virtualdomain_is_there_with_its_default)
{
	struct vrms_vm_agent table;

	vrms_vm_agent_init(&table, run);
	for (size_t i = 0; i < VRMS_COUNT_OF(virtual_domain); i++) {
		const struct vrms_param *param = find(&table, virtual_domain[i].name);
		const char *value = virtual_domain[i].value;

		ck_assert_msg(param != NULL, "%s", virtual_domain[i].name);
		if (value != NULL && value[0] != '\0') {
			ck_assert_str_eq(param->fallback, value);
		}
	}
	ck_assert(find(&table, "config")->required);
	ck_assert(find(&table, "config")->unique);
}
END_TEST

START_TEST(every_row_has_texts_and_a_default_that_can_be_read)
{
	struct vrms_vm_agent table;
	struct vrms_vm_config config = {.config = NULL};
	struct pair nothing[] = {{NULL, NULL}};

	vrms_vm_agent_init(&table, run);
	for (size_t i = 0; i < table.agent.param_count; i++) {
		struct vrms_param param = table.agent.params[i];

		ck_assert_ptr_nonnull(param.shortdesc);
		ck_assert_ptr_nonnull(param.longdesc);
		param.required = false;
		ck_assert_int_eq(vrms_params_read(&param, 1, lookup, nothing, &config, &error), 0);
	}
	ck_assert_int_eq(config.destroy_reserve_ms, 17000);
	ck_assert_int_eq(config.on_io_error, VRMS_ON_IO_ERROR_FAIL);
}
END_TEST

START_TEST(every_action_but_the_librarys_has_the_dispatcher)
{
	struct vrms_vm_agent table;

	vrms_vm_agent_init(&table, run);
	for (size_t i = 0; i < table.agent.action_count; i++) {
		const struct vrms_ocf_action *action = &table.agent.actions[i];

		ck_assert((action->run == run) == (strcmp(action->name, "meta-data") != 0));
	}
}
END_TEST

static void refused(const struct vrms_vm_config *config, const char *expected)
{
	vrms_error_clear(&error);
	ck_assert_int_eq(vrms_vm_config_check(config, &error), -EINVAL);
	ck_assert_msg(strstr(error.text, expected) != NULL, "%s", error.text);
}

START_TEST(contradictions_are_named)
{
	struct vrms_vm_config config = {.config = "/srv/web.xml"};

	ck_assert_int_eq(vrms_vm_config_check(&config, &error), 0);
	config.force_stop = true;
	config.snapshot = "/srv/snap";
	refused(&config, "force_stop and snapshot=\"/srv/snap\"");
	config.snapshot = NULL;
	config.stateless = true;
	refused(&config, "stateless needs backingfile");
	config.backingfile = "base";
	refused(&config, "backingfile: \"base\" is not an absolute path");
	config.backingfile = "/base";
	config.shutdown_mode = "acpi,power";
	refused(&config, "shutdown_mode: \"power\" is none of acpi");
	config.shutdown_mode = "";
	config.migrate_options = "--fast";
	refused(&config, "--fast");
	config.migrate_options = NULL;
	config.snapshot = "snap";
	config.force_stop = false;
	refused(&config, "snapshot: \"snap\" is not an absolute path");
	config.config = "web.xml";
	refused(&config, "config: \"web.xml\" is not an absolute path");
}
END_TEST

START_TEST(shutdown_modes_add_up)
{
	unsigned int flags = 99;

	ck_assert_int_eq(vrms_shutdown_mode_parse(NULL, &flags, &error), 0);
	ck_assert_uint_eq(flags, 0);
	ck_assert_int_eq(vrms_shutdown_mode_parse("agent", &flags, &error), 0);
	ck_assert_uint_eq(flags, VIR_DOMAIN_SHUTDOWN_GUEST_AGENT);
	ck_assert_int_eq(vrms_shutdown_mode_parse("initctl,signal,paravirt,acpi", &flags, &error),
			 0);
	ck_assert_uint_eq(flags, VIR_DOMAIN_SHUTDOWN_INITCTL | VIR_DOMAIN_SHUTDOWN_SIGNAL |
				     VIR_DOMAIN_SHUTDOWN_PARAVIRT |
				     VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN);
	ck_assert_int_eq(vrms_shutdown_mode_parse("acpi,", &flags, &error), -EINVAL);
	ck_assert_int_eq(vrms_shutdown_mode_parse("ACPI", &flags, &error), -EINVAL);
}
END_TEST

START_TEST(stop_reads_what_it_can)
{
	struct pair values[] = {{"config", "/srv/web.xml"},
				{"destroy_reserve", "soon"},
				{"migration_speed", "fast"},
				{"force_stop", "yes"},
				{NULL, NULL}};
	const struct vrms_ocf_call call = {.lookup = lookup, .lookup_context = values};
	struct vrms_vm_config config;

	vrms_vm_config_read_leniently(&call, &config, &error);
	ck_assert_str_eq(config.config, "/srv/web.xml");
	ck_assert(config.force_stop);
	ck_assert_int_eq(config.destroy_reserve_ms, 17000);
	ck_assert_int_eq(config.migration_speed_mibs, 0);
	ck_assert_msg(strstr(error.text, "soon") != NULL, "%s", error.text);
}
END_TEST

START_TEST(stop_with_force_and_snapshot_forces)
{
	struct pair values[] = {{"snapshot", "/srv/snap"}, {"force_stop", "1"}, {NULL, NULL}};
	const struct vrms_ocf_call call = {.lookup = lookup, .lookup_context = values};
	struct vrms_vm_config config;

	vrms_vm_config_read_leniently(&call, &config, &error);
	ck_assert_ptr_null(config.snapshot);
	ck_assert(config.force_stop);
	ck_assert_str_ne(error.text, "");
}
END_TEST

UNIT_MAIN("vm_table", every_parameter_of_virtualdomain_is_there_with_its_default,
	  every_row_has_texts_and_a_default_that_can_be_read,
	  every_action_but_the_librarys_has_the_dispatcher, contradictions_are_named,
	  shutdown_modes_add_up, stop_reads_what_it_can, stop_with_force_and_snapshot_forces)
