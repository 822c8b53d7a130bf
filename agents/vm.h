/* vm.h - one machine during one action: who it is, how it is, what it stands on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_VM_H
#define VRMS_AGENTS_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/domain_xml.h"
#include "agents/hypervisor.h"
#include "agents/vm_cache.h"
#include "agents/vm_host.h"
#include "agents/vm_state.h"
#include "agents/vm_table.h"
#include "ocf/agent.h"

struct vrms_vm {
	/* Given. */
	const struct vrms_ocf_call *call;
	const struct vrms_vm_config *config;
	struct vrms_hypervisor *hypervisor;
	const struct vrms_vm_host *host;
	char *const *environment; /* of the call, for the cache */

	/* Filled by vrms_vm_identify(). */
	char *xml_text; /* NULL: config could not be read */
	size_t xml_bytes;
	struct vrms_domain_xml *xml; /* NULL: config could not be read or understood ... */
	int config_rc;               /* ... for this reason */
	struct vrms_error config_error;
	struct vrms_vm_config_id config_id;
	/* Who the machine is.  Two when the UUID in config changed while it ran: the one that was
	 * started comes first. */
	struct vrms_domain_id ids[2];
	size_t id_count;
	bool
	    may_be_starting; /* libvirt was told to start it here, and never said what came of it */
};

/* Reads config and the memory of what was started here.
 *
 * Returns 0 also when config cannot be read (see xml, config_rc) as long as
 * memory knows who the machine is.
 * Errors, with nobody known: -ENOENT (no file), -EACCES, -EINVAL (not a domain), other -errno.
 */
VRMS_MUST_CHECK int vrms_vm_identify(struct vrms_vm *vm, struct vrms_error *error);
void vrms_vm_done(struct vrms_vm *vm); /* frees what vrms_vm_identify() made */

/* The name for messages; the resource's instance while nobody is known. */
const char *vrms_vm_name(const struct vrms_vm *vm);

/* True for QEMU machines of this node: their processes can be found without libvirt. */
bool vrms_vm_is_local_qemu(const struct vrms_vm *vm);

/* Where an answer came from. */
enum vrms_vm_source {
	VRMS_VM_BY_LIBVIRT,
	VRMS_VM_BY_PROCESS, /* libvirt did not answer: the QEMU process was looked at */
};

/* How the machine is. */
struct vrms_vm_look {
	enum vrms_vm_source source;
	bool is_active; /* it holds its disks: a QEMU process, or libvirt says so */
	bool is_orphan; /* its process runs, but libvirt, which answers, does not know it */
	struct vrms_domain_view domain; /* BY_LIBVIRT: of the active one, else of the first */
	enum vrms_vm_health health;     /* BY_LIBVIRT */
	pid_t pid;                      /* BY_PROCESS or orphan */
	enum vrms_qemu_process_state process_state;
	struct vrms_domain_id id; /* whom this is about */
	int no_libvirt_rc;        /* BY_PROCESS: why libvirt did not answer */
	struct vrms_error no_libvirt;
};

/* Finds out how the machine is, from libvirt or, when it does not answer, from /proc.
 *
 * deadline_ms: on the call's clock, for libvirt's answer; the process search comes after it.
 * "Not active" is only said when it is certain.
 * Errors: what kept both from telling.
 */
VRMS_MUST_CHECK int vrms_vm_look(struct vrms_vm *vm, int64_t deadline_ms,
				 struct vrms_vm_look *ret_look, struct vrms_error *error);

/* As vrms_vm_look(), and gives a domain that is just ending or appearing a moment (a second) to
 * do so when process and libvirt disagree. */
VRMS_MUST_CHECK int vrms_vm_look_steadily(struct vrms_vm *vm, int64_t deadline_ms,
					  struct vrms_vm_look *ret_look, struct vrms_error *error);

/* As vrms_vm_look_steadily(), for actions that cannot go on without libvirt: a libvirtd that is
 * being restarted is back in a moment, and is waited for until deadline_ms.  A stuck one is not. */
VRMS_MUST_CHECK int vrms_vm_look_patiently(struct vrms_vm *vm, int64_t deadline_ms,
					   struct vrms_vm_look *ret_look, struct vrms_error *error);

/* A moment that leaves a share of what is left: now + left * percent / 100. */
int64_t vrms_vm_share_ms(const struct vrms_vm *vm, int percent);

/* --- What happens at the end of an action that found the machine healthy ---------- */

/* Remembers who runs here, for stops and monitors without config, and writes the front's cache.
 * A failure is logged: the next action is slower, not wrong. */
void vrms_vm_remember(struct vrms_vm *vm, const struct vrms_domain_id *id);
/* Before libvirt is told to start it: a libvirt that does not answer may do so later, whatever
 * becomes of the action.  What it said of the start is remembered by one of the others. */
void vrms_vm_remember_start(struct vrms_vm *vm, const struct vrms_domain_id *id);
/* Before the machine ends or leaves: no monitor may rely on the cache any more. */
void vrms_vm_forget_cache(struct vrms_vm *vm);
/* After it ended: only who it is stays remembered, for the time when config cannot be read. */
void vrms_vm_forget(struct vrms_vm *vm);

/* Writes the running definition to config when it differs, and syncs it (save_config_on_stop,
 * sync_config_on_stop; nothing when neither is set).  Failures are logged. */
void vrms_vm_save_config(struct vrms_vm *vm, const char *uuid);

/* Runs monitor_scripts one after another.  -EIO: the first that failed, with its output. */
VRMS_MUST_CHECK int vrms_vm_run_scripts(struct vrms_vm *vm, struct vrms_error *error);
/* Again and again, each second, until all succeed or the deadline comes. */
VRMS_MUST_CHECK int vrms_vm_await_scripts(struct vrms_vm *vm, struct vrms_error *error);

/* Starts the storage pools and networks that config names, on this node or a peer
 * (start_resources; nothing when it is not set). */
VRMS_MUST_CHECK int vrms_vm_start_resources(const struct vrms_vm *vm,
					    struct vrms_hypervisor *hypervisor,
					    struct vrms_error *error);

/* --- The actions; each follows vrms_ocf_action_run's contract ---------------------- */

VRMS_MUST_CHECK int vrms_vm_start(struct vrms_vm *vm, enum vrms_ocf_exit *ret_exit,
				  struct vrms_error *error);
VRMS_MUST_CHECK int vrms_vm_stop(struct vrms_vm *vm, enum vrms_ocf_exit *ret_exit,
				 struct vrms_error *error);
VRMS_MUST_CHECK int vrms_vm_monitor(struct vrms_vm *vm, enum vrms_ocf_exit *ret_exit,
				    struct vrms_error *error);
VRMS_MUST_CHECK int vrms_vm_migrate_to(struct vrms_vm *vm, enum vrms_ocf_exit *ret_exit,
				       struct vrms_error *error);
VRMS_MUST_CHECK int vrms_vm_migrate_from(struct vrms_vm *vm, enum vrms_ocf_exit *ret_exit,
					 struct vrms_error *error);
VRMS_MUST_CHECK int vrms_vm_reload(struct vrms_vm *vm, enum vrms_ocf_exit *ret_exit,
				   struct vrms_error *error);
VRMS_MUST_CHECK int vrms_vm_validate(struct vrms_vm *vm, enum vrms_ocf_exit *ret_exit,
				     struct vrms_error *error);

/* The action that call->action names.  -EOPNOTSUPP: none of the above. */
VRMS_MUST_CHECK int vrms_vm_run_action(struct vrms_vm *vm, enum vrms_ocf_exit *ret_exit,
				       struct vrms_error *error);

#endif
