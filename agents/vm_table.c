/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/vm_table.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <string.h>

#include "agents/migrate_options.h"
#include "agents/vm_params.h"

/* A monitor at check level 10 has no row: pcs makes an operation of every row, and a machine
 * without guest agent would fail it.  The long description tells of it. */
static const struct vrms_ocf_action actions[VRMS_VM_ACTION_COUNT] = {
    {.name = "start", .timeout = "90s"},
    {.name = "stop", .timeout = "90s", .no_params = true},
    {.name = "status", .timeout = "30s", .interval = "10s", .depth = "0"},
    {.name = "monitor", .timeout = "30s", .interval = "10s", .depth = "0"},
    {.name = "migrate_from", .timeout = "60s"},
    {.name = "migrate_to", .timeout = "120s"},
    {.name = "reload-agent", .timeout = "20s"},
    {.name = "validate-all", .timeout = "5s"},
    {.name = "meta-data", .timeout = "5s", .no_params = true},
};

static const char longdesc[] =
    "Runs one virtual machine under libvirt: starts, stops, monitors and migrates it. It takes "
    "the parameters of ocf:heartbeat:VirtualDomain, with the same meaning, and some of its own; "
    "to change over, change the agent's name in the cluster's configuration.\n"
    "\n"
    "A machine that is paused by an I/O error, a panic or a watchdog, or that has crashed, is a "
    "failure; one that an administrator paused, that is being migrated or saved, that reboots or "
    "sleeps is not. When libvirt is down or does not answer, the agent looks for the QEMU process "
    "itself, and a stop ends that process.\n"
    "\n"
    "A monitor operation with OCF_CHECK_LEVEL=10 also asks the QEMU guest agent for a sign of "
    "life; the machine needs a guest agent channel for it.\n"
    "\n"
    "The machine runs as a transient domain. A persistent definition of the same name is removed "
    "at the start, but its UEFI variables and TPM state are kept.";

static const char man_examples[] =
    "A machine that migrates over TCP, in crmsh:\n"
    ".Bd -literal -offset indent\n"
    "primitive web ocf:vrms:VirtualMachine \\\\\n"
    "    params config=/srv/vm/web.xml hypervisor=qemu:///system \\\\\n"
    "           migration_transport=tcp \\\\\n"
    "    meta allow-migrate=true \\\\\n"
    "    op start timeout=90s op stop timeout=120s \\\\\n"
    "    op monitor interval=10s timeout=30s\n"
    ".Ed\n";

static const char man_see_also[] = ".Xr virsh 1 ,\n.Xr pacemakerd 8\n";

static int check_config(const void *config, struct vrms_error *error)
{
	return vrms_vm_config_check(config, error);
}

static bool is_answered_by_library(const struct vrms_ocf_action *action)
{
	return strcmp(action->name, "meta-data") == 0;
}

void vrms_vm_agent_init(struct vrms_vm_agent *ret_table, vrms_ocf_action_run *run)
{
	size_t param_count;
	const struct vrms_param *params = vrms_vm_params(&param_count);

	memcpy(ret_table->actions, actions, sizeof(actions));
	for (size_t i = 0; i < VRMS_COUNT_OF(actions); i++) {
		if (!is_answered_by_library(&actions[i])) {
			ret_table->actions[i].run = run;
		}
	}
	ret_table->agent = (struct vrms_ocf_agent){
	    .name = "VirtualMachine",
	    .provider = "vrms",
	    .version = "1.0",
	    .shortdesc = "A virtual machine under libvirt",
	    .longdesc = longdesc,
	    .params = params,
	    .param_count = param_count,
	    .actions = ret_table->actions,
	    .action_count = VRMS_VM_ACTION_COUNT,
	    .config_size = sizeof(struct vrms_vm_config),
	    .check = check_config,
	    .man_examples = man_examples,
	    .man_see_also = man_see_also,
	};
}

static const struct {
	const char *word;
	unsigned int flag;
} shutdown_modes[] = {
    {"acpi", VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN}, {"agent", VIR_DOMAIN_SHUTDOWN_GUEST_AGENT},
    {"initctl", VIR_DOMAIN_SHUTDOWN_INITCTL},     {"signal", VIR_DOMAIN_SHUTDOWN_SIGNAL},
    {"paravirt", VIR_DOMAIN_SHUTDOWN_PARAVIRT},
};

static int add_shutdown_mode(const char *word, size_t size, unsigned int *flags,
			     struct vrms_error *error)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(shutdown_modes); i++) {
		if (strlen(shutdown_modes[i].word) == size &&
		    memcmp(shutdown_modes[i].word, word, size) == 0) {
			*flags |= shutdown_modes[i].flag;
			return 0;
		}
	}
	return vrms_error_set(error, -EINVAL,
			      "shutdown_mode: \"%.*s\" is none of acpi, agent, initctl, signal, "
			      "paravirt",
			      (int)size, word);
}

int vrms_shutdown_mode_parse(const char *text, unsigned int *ret_flags, struct vrms_error *error)
{
	unsigned int flags = VIR_DOMAIN_SHUTDOWN_DEFAULT;

	if (text == NULL || text[0] == '\0') {
		*ret_flags = flags;
		return 0;
	}
	for (const char *word = text;; word++) {
		size_t size = strcspn(word, ",");
		int rc = add_shutdown_mode(word, size, &flags, error);

		if (rc < 0) {
			return rc;
		}
		word += size;
		if (*word == '\0') {
			break;
		}
	}
	*ret_flags = flags;
	return 0;
}

static int check_absolute(const char *name, const char *path, struct vrms_error *error)
{
	if (path == NULL || path[0] == '\0' || path[0] == '/') {
		return 0;
	}
	return vrms_error_set(error, -EINVAL, "%s: \"%s\" is not an absolute path", name, path);
}

static bool is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static int check_paths(const struct vrms_vm_config *config, struct vrms_error *error)
{
	int rc = check_absolute("config", config->config, error);

	if (rc == 0) {
		rc = check_absolute("snapshot", config->snapshot, error);
	}
	if (rc == 0) {
		rc = check_absolute("backingfile", config->backingfile, error);
	}
	return rc;
}

int vrms_vm_config_check(const struct vrms_vm_config *config, struct vrms_error *error)
{
	struct vrms_migrate_options options;
	unsigned int shutdown_flags;
	int rc = check_paths(config, error);

	if (rc < 0) {
		return rc;
	}
	if (config->force_stop && is_set(config->snapshot)) {
		return vrms_error_set(error, -EINVAL,
				      "force_stop and snapshot=\"%s\" cannot be used together",
				      config->snapshot);
	}
	if (config->stateless && !is_set(config->backingfile)) {
		return vrms_error_set(error, -EINVAL,
				      "stateless needs backingfile, which is not set");
	}
	rc = vrms_shutdown_mode_parse(config->shutdown_mode, &shutdown_flags, error);
	if (rc < 0) {
		return rc;
	}
	return vrms_migrate_options_parse(config->migrate_options, &options, error);
}

static const char *lookup_nothing(void *context, const char *name)
{
	(void)context;
	(void)name;
	return NULL;
}

static void read_param_leniently(const struct vrms_param *param, const struct vrms_ocf_call *call,
				 struct vrms_vm_config *config, struct vrms_error *warning)
{
	struct vrms_param optional = *param;
	struct vrms_error error = {.text = ""};

	optional.required = false;
	if (vrms_params_read(&optional, 1, call->lookup, call->lookup_context, config, &error) ==
	    0) {
		return;
	}
	*warning = error;
	/* The default of a row is known to be readable: test_vm_table sees to it. */
	if (vrms_params_read(&optional, 1, lookup_nothing, NULL, config, &error) < 0) {
		vrms_error_set(warning, -EINVAL, "%s: no default", param->name);
	}
}

void vrms_vm_config_read_leniently(const struct vrms_ocf_call *call,
				   struct vrms_vm_config *ret_config, struct vrms_error *warning)
{
	size_t param_count;
	const struct vrms_param *params = vrms_vm_params(&param_count);

	memset(ret_config, 0, sizeof(*ret_config));
	vrms_error_clear(warning);
	for (size_t i = 0; i < param_count; i++) {
		read_param_leniently(&params[i], call, ret_config, warning);
	}
	if (ret_config->force_stop && is_set(ret_config->snapshot)) {
		vrms_error_set(
		    warning, -EINVAL,
		    "force_stop and snapshot=\"%s\" cannot be used together: snapshot is "
		    "not used",
		    ret_config->snapshot);
		ret_config->snapshot = NULL;
	}
}
