/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/node.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "lab/enter.h"
#include "lab/internal.h"
#include "lab/network.h"

enum {
	DEATH_TIMEOUT_MS = 15000, /* less than a fence agent waits for the answer (20 s) */
	LOCK_TIMEOUT_MS = 60000,  /* a start that goes on is bounded by less */
	COMMAND_LINE_BYTES_MAX = 65536,
	FREEZE_ROUNDS_MAX = 50,
};

static struct vrms_lab_path record_path(const struct vrms_lab *lab, int index)
{
	return vrms_lab_path(lab, "run/%s.json", vrms_lab_node_name(lab, index));
}

/* Is `pid` pid 1 of this node by what its command line says? */
static bool is_init_of(const struct vrms_lab *lab, int index, pid_t pid)
{
	const char *wanted[] = {"vrms-lab", "node-init", lab->setup.id,
				vrms_lab_node_name(lab, index)};
	char path[64];
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	size_t size = 0;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	if (vrms_file_read(path, COMMAND_LINE_BYTES_MAX, &text, &size, NULL) < 0) {
		return false;
	}
	const char *at = text;
	for (size_t i = 0; i < VRMS_COUNT_OF(wanted); i++) {
		if (at >= text + size || strcmp(at, wanted[i]) != 0) {
			return false;
		}
		at += strlen(at) + 1;
	}
	return true;
}

struct search {
	const struct vrms_lab *lab;
	int index;
	struct vrms_lab_process init;
};

static int visit_candidate(void *context, pid_t pid)
{
	struct search *search = context;

	/* The boot, a child of pid 1, has the same command line for a moment; its parent
	 * is in the same namespace, so whichever is found leads there: pid 1 is wanted. */
	if (!is_init_of(search->lab, search->index, pid) || !vrms_lab_process_is_ns_init(pid)) {
		return 0;
	}
	return vrms_lab_process_read(pid, &search->init) == 0 ? 1 : 0;
}

/* -ESRCH when no process of the machine is pid 1 of this node. */
static int search_init(const struct vrms_lab *lab, int index, struct vrms_lab_process *ret_init,
		       struct vrms_error *error)
{
	struct search search = {.lab = lab, .index = index};
	int rc = vrms_lab_process_walk(visit_candidate, &search);

	if (rc < 0) {
		return vrms_error_errno(error, rc, "/proc");
	}
	if (rc == 0) {
		return vrms_error_set(error, -ESRCH, "%s is off", vrms_lab_node_name(lab, index));
	}
	*ret_init = search.init;
	return 0;
}

int vrms_lab_node_find(const struct vrms_lab *lab, int index, struct vrms_lab_process *ret_init,
		       struct vrms_error *error)
{
	struct vrms_lab_process init;
	int rc = vrms_lab_process_load(record_path(lab, index).text, &init, NULL);

	if (rc == 0) {
		int fd VRMS_CLEANUP(vrms_closep) = vrms_lab_process_open(&init);
		if (fd >= 0) {
			*ret_init = init;
			return 0;
		}
	}
	return search_init(lab, index, ret_init, error);
}

int vrms_lab_node_get_state(const struct vrms_lab *lab, int index,
			    enum vrms_lab_node_state *ret_state, struct vrms_error *error)
{
	struct vrms_lab_process init;
	int rc = vrms_lab_node_find(lab, index, &init, error);

	if (rc == -ESRCH) {
		vrms_error_clear(error);
		*ret_state = VRMS_LAB_NODE_OFF;
		return 0;
	}
	if (rc == 0) {
		*ret_state =
		    vrms_lab_process_is_stopped(init.pid) ? VRMS_LAB_NODE_FROZEN : VRMS_LAB_NODE_ON;
	}
	return rc;
}

const char *vrms_lab_node_state_name(enum vrms_lab_node_state state)
{
	static const char *const names[] = {[VRMS_LAB_NODE_OFF] = "off",
					    [VRMS_LAB_NODE_ON] = "on",
					    [VRMS_LAB_NODE_FROZEN] = "frozen"};

	return names[state];
}

int vrms_lab_node_open(const struct vrms_lab *lab, int index, struct vrms_error *error)
{
	struct vrms_lab_process init;
	int rc = vrms_lab_node_find(lab, index, &init, error);

	if (rc == 0) {
		rc = vrms_lab_process_open(&init);
	}
	if (rc == -ESRCH) {
		return vrms_error_set(error, -EHOSTDOWN, "%s is off",
				      vrms_lab_node_name(lab, index));
	}
	return rc;
}

int vrms_lab_node_run(const struct vrms_lab *lab, int index, const struct vrms_child_spec *spec,
		      struct vrms_child_result *result, struct vrms_error *error)
{
	struct vrms_child_spec inside = *spec;
	int fd VRMS_CLEANUP(vrms_closep) = vrms_lab_node_open(lab, index, error);

	*result = (struct vrms_child_result){0};
	if (fd < 0) {
		return fd;
	}
	if (inside.envp == NULL) {
		inside.envp = vrms_lab_node_environment();
	}
	return vrms_lab_enter_run(fd, VRMS_LAB_NODE_NAMESPACES, &inside, result, error);
}

int vrms_lab_node_lock(const struct vrms_lab *lab, int index, int *ret_fd, struct vrms_error *error)
{
	return vrms_lab_lock(vrms_lab_path(lab, "run/%s.lock", vrms_lab_node_name(lab, index)).text,
			     LOCK_TIMEOUT_MS, ret_fd, error);
}

/* Any process of one pid namespace. */
static int visit_inhabitant(void *context, pid_t pid)
{
	const uint64_t *pid_ns = context;

	return vrms_lab_process_pid_ns(pid) == *pid_ns ? (int)pid : 0;
}

/* The kernel reports the death of a namespace's pid 1 only after that of all others in it;
 * this looks again, because a fence must not rest on one witness. */
static int prove_death(const struct vrms_lab *lab, int index, uint64_t pid_ns,
		       struct vrms_error *error)
{
	struct vrms_lab_process init;
	int rc = vrms_lab_process_walk(visit_inhabitant, &pid_ns);

	if (rc > 0) {
		return vrms_error_set(error, -EBUSY, "process %d of %s still lives", rc,
				      vrms_lab_node_name(lab, index));
	}
	if (rc == 0) {
		rc = search_init(lab, index, &init, error);
	}
	if (rc == 0) {
		return vrms_error_set(error, -EBUSY, "%s still lives as process %d",
				      vrms_lab_node_name(lab, index), (int)init.pid);
	}
	if (rc == -ESRCH) {
		vrms_error_clear(error);
		return 0;
	}
	return rc;
}

int vrms_lab_node_kill(const struct vrms_lab *lab, int index, struct vrms_error *error)
{
	struct vrms_lab_process init = {.pid = 0};
	int rc = vrms_lab_node_find(lab, index, &init, error);

	if (rc < 0 && rc != -ESRCH) {
		return rc;
	}
	bool was_on = rc == 0;
	vrms_error_clear(error);
	/* Cables first, so that no last word of a dying process gets out.  That they cannot
	 * be cut, because the switch is gone, does not keep the node alive. */
	if (was_on && vrms_lab_network_is_there(lab)) {
		rc = vrms_lab_network_cut(lab, index, error);
		if (rc < 0) {
			return rc;
		}
	}
	if (was_on) {
		rc = vrms_lab_process_kill(&init, DEATH_TIMEOUT_MS, error);
		rc = rc < 0 ? rc : prove_death(lab, index, init.pid_ns, error);
		if (rc < 0) {
			return vrms_error_wrap(error, rc, "%s is not off",
					       vrms_lab_node_name(lab, index));
		}
	}
	if (vrms_lab_network_is_there(lab)) {
		rc = vrms_lab_network_unplug(lab, index, error);
		if (rc < 0) {
			return rc;
		}
	}
	if (unlink(record_path(lab, index).text) < 0 && errno != ENOENT) {
		return vrms_error_errno(error, -errno, "%s", record_path(lab, index).text);
	}
	return 0;
}

struct freeze {
	uint64_t pid_ns;
	int signal;
	int changed; /* processes that were not yet in the wanted state */
};

static int visit_to_freeze(void *context, pid_t pid)
{
	struct freeze *freeze = context;
	bool is_wanted = vrms_lab_process_is_stopped(pid) == (freeze->signal == SIGSTOP);

	if (!is_wanted && vrms_lab_process_pid_ns(pid) == freeze->pid_ns) {
		kill(pid, freeze->signal);
		freeze->changed++;
	}
	return 0;
}

/* Goes round until a round finds nothing to do: what runs may fork. */
static int signal_all(const struct vrms_lab *lab, int index, int signal, struct vrms_error *error)
{
	const char *name = vrms_lab_node_name(lab, index);
	struct vrms_lab_process init;
	int lock VRMS_CLEANUP(vrms_closep) = -1;
	int rc = vrms_lab_node_lock(lab, index, &lock, error);

	rc = rc < 0 ? rc : vrms_lab_node_find(lab, index, &init, error);
	if (rc < 0) {
		return rc == -ESRCH ? vrms_error_set(error, -EHOSTDOWN, "%s is off", name) : rc;
	}
	struct freeze freeze = {.pid_ns = init.pid_ns, .signal = signal};
	for (int round = 0; round < FREEZE_ROUNDS_MAX; round++) {
		freeze.changed = 0;
		rc = vrms_lab_process_walk(visit_to_freeze, &freeze);
		if (rc < 0) {
			return vrms_error_errno(error, rc, "/proc");
		}
		if (freeze.changed == 0) {
			return 0;
		}
		vrms_clock_sleep_ms(vrms_clock_system(), 2);
	}
	return vrms_error_set(error, -EBUSY, "%s: its processes keep changing state", name);
}

int vrms_lab_freeze(struct vrms_lab *lab, int index, struct vrms_error *error)
{
	return signal_all(lab, index, SIGSTOP, error);
}

int vrms_lab_thaw(struct vrms_lab *lab, int index, struct vrms_error *error)
{
	return signal_all(lab, index, SIGCONT, error);
}
