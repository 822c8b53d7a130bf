/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/vm_watch.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/thread.h"
#include "quorum/vm_line.h"
#include "quorum/vm_sign.h"

/* A libvirtd that is silent for 15 s is taken for dead: its connection is made anew. */
enum { KEEPALIVE_S = 5, KEEPALIVE_COUNT = 3, RETRY_MS = 500, AGAIN_MS = 5000, STARTED_MAX = 64 };

enum { CALLBACKS_MAX = 8 };

struct watch {
	const char *uri;
	int fd;
	int ids[CALLBACKS_MAX]; /* of what libvirt is to call; -1: not that */
	pthread_mutex_t mutex;  /* of what follows */
	pthread_cond_t wake;
	bool is_closed, is_relist_wanted;
	unsigned started_count;
	char started[STARTED_MAX][VRMS_FAULT_NAME_MAX]; /* whose processes are to be found */
};

static void put_with(struct watch *watch, const char *domain, const struct vrms_vm_sign *sign,
		     const struct vrms_qemu_process *process)
{
	struct vrms_vm_word word = {.kind = sign->kind,
				    .reason = sign->reason,
				    .process = *process};

	if (strlen(domain) < sizeof(word.domain)) {
		snprintf(word.domain, sizeof(word.domain), "%s", domain);
		snprintf(word.text, sizeof(word.text), "%s", sign->text);
		/* Fails only when vrmsd is gone, and then this process ends. */
		(void)vrms_vm_line_send(watch->fd, &word);
	}
}

static void put(struct watch *watch, const char *domain, const struct vrms_vm_sign *sign)
{
	put_with(watch, domain, sign, &VRMS_QEMU_PROCESS_NONE);
}

static void want_list(struct watch *watch)
{
	pthread_mutex_lock(&watch->mutex);
	watch->is_relist_wanted = true;
	pthread_cond_broadcast(&watch->wake);
	pthread_mutex_unlock(&watch->mutex);
}

/* Reading about a process can wait for its memory's lock: not where events arrive. */
static void want_process(struct watch *watch, const char *domain)
{
	pthread_mutex_lock(&watch->mutex);
	if (watch->started_count == STARTED_MAX || strlen(domain) >= VRMS_FAULT_NAME_MAX) {
		watch->is_relist_wanted = true;
	} else {
		snprintf(watch->started[watch->started_count++], VRMS_FAULT_NAME_MAX, "%s", domain);
	}
	pthread_cond_broadcast(&watch->wake);
	pthread_mutex_unlock(&watch->mutex);
}

/* Its process as `sign` says, or a note that it has none. */
static void put_process(struct watch *watch, const char *domain, const struct vrms_vm_sign *sign)
{
	struct vrms_qemu_process process = VRMS_QEMU_PROCESS_NONE;
	const struct vrms_vm_sign none = {.kind = VRMS_VM_WORD_NOTE,
					  .text =
					      "libvirt says that it is active; it has no process"};
	struct vrms_error error;

	if (vrms_qemu_process_find(vrms_qemu_roots_system(), domain, NULL, &process, &error) < 0) {
		put(watch, domain, &none);
	} else {
		put_with(watch, domain, sign, &process);
		vrms_qemu_process_done(&process); /* the copy has gone with the word */
	}
}

static void put_all(struct watch *watch, enum vrms_vm_word_kind kind, bool yes, const char *text)
{
	struct vrms_vm_word word = {.kind = kind, .yes = yes};

	snprintf(word.text, sizeof(word.text), "%s", text);
	(void)vrms_vm_line_send(watch->fd, &word);
}

static void put_note(struct watch *watch, virDomainPtr domain, const char *text)
{
	const struct vrms_vm_sign note = {.kind = VRMS_VM_WORD_NOTE, .text = text};

	put(watch, virDomainGetName(domain), &note);
}

static int on_lifecycle(virConnectPtr connection, virDomainPtr domain, int event, int detail,
			void *context)
{
	struct vrms_vm_sign sign = vrms_vm_sign_lifecycle(event, detail);

	(void)connection;
	put(context, virDomainGetName(domain), &sign);
	if (sign.kind == VRMS_VM_WORD_RUNNING) {
		want_process(context, virDomainGetName(domain));
	} else if (event == VIR_DOMAIN_EVENT_SUSPENDED && sign.kind == VRMS_VM_WORD_NOTE) {
		/* A restarted libvirtd says no more than that; the state has the reason. */
		want_list(context);
	}
	return 0;
}

static void on_io_error(virConnectPtr connection, virDomainPtr domain, const char *path,
			const char *device, int action, const char *why, void *context)
{
	struct vrms_vm_sign sign = vrms_vm_sign_io_error(action, why);
	char text[VRMS_VM_TEXT_MAX];

	(void)connection;
	snprintf(text, sizeof(text), "%s (%s, %.100s)", sign.text, device, path);
	sign.text = text;
	put(context, virDomainGetName(domain), &sign);
}

static void on_watchdog(virConnectPtr connection, virDomainPtr domain, int action, void *context)
{
	struct vrms_vm_sign sign = vrms_vm_sign_watchdog(action);

	(void)connection;
	put(context, virDomainGetName(domain), &sign);
}

static void on_memory_failure(virConnectPtr connection, virDomainPtr domain, int recipient,
			      int action, unsigned int flags, void *context)
{
	struct vrms_vm_sign sign = vrms_vm_sign_memory_failure(action);

	(void)connection;
	(void)recipient;
	(void)flags;
	put(context, virDomainGetName(domain), &sign);
}

static void on_guest_agent(virConnectPtr connection, virDomainPtr domain, int state, int reason,
			   void *context)
{
	(void)connection;
	(void)reason;
	put_note(context, domain,
		 state == VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED
		     ? "its guest agent has connected"
		     : "its guest agent has gone");
}

static void on_threshold(virConnectPtr connection, virDomainPtr domain, const char *device,
			 const char *path, unsigned long long threshold_bytes,
			 unsigned long long excess_bytes, void *context)
{
	char text[VRMS_VM_TEXT_MAX];

	(void)connection;
	(void)path;
	snprintf(text, sizeof(text), "%s: %llu bytes beyond its threshold of %llu", device,
		 excess_bytes, threshold_bytes);
	put_note(context, domain, text);
}

static void on_iteration(virConnectPtr connection, virDomainPtr domain, int iteration,
			 void *context)
{
	char text[VRMS_VM_TEXT_MAX];

	(void)connection;
	snprintf(text, sizeof(text), "migration: pass %d over its memory", iteration);
	put_note(context, domain, text);
}

static void on_job(virConnectPtr connection, virDomainPtr domain, virTypedParameterPtr parameters,
		   int count, void *context)
{
	(void)connection;
	(void)parameters;
	(void)count;
	put_note(context, domain, "a migration, save or backup of it has ended");
}

static void on_close(virConnectPtr connection, int reason, void *context)
{
	struct watch *watch = context;

	(void)connection;
	(void)reason;
	pthread_mutex_lock(&watch->mutex);
	watch->is_closed = true;
	pthread_cond_broadcast(&watch->wake);
	pthread_mutex_unlock(&watch->mutex);
}

static const struct {
	int id;
	virConnectDomainEventGenericCallback function;
	bool is_needed;
} callbacks[] = {
    {VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), true},
    {VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON, VIR_DOMAIN_EVENT_CALLBACK(on_io_error), true},
    {VIR_DOMAIN_EVENT_ID_WATCHDOG, VIR_DOMAIN_EVENT_CALLBACK(on_watchdog), true},
    {VIR_DOMAIN_EVENT_ID_MEMORY_FAILURE, VIR_DOMAIN_EVENT_CALLBACK(on_memory_failure), false},
    {VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_guest_agent), false},
    {VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD, VIR_DOMAIN_EVENT_CALLBACK(on_threshold), false},
    {VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION, VIR_DOMAIN_EVENT_CALLBACK(on_iteration), false},
    {VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, VIR_DOMAIN_EVENT_CALLBACK(on_job), false},
};

_Static_assert(VRMS_COUNT_OF(callbacks) == CALLBACKS_MAX, "each has an id");

static int register_all(struct watch *watch, virConnectPtr connection)
{
	for (size_t i = 0; i < CALLBACKS_MAX; i++) {
		watch->ids[i] = -1;
	}
	/* Without keepalive (an old server) a hung libvirtd is noticed by others only. */
	(void)virConnectSetKeepAlive(connection, KEEPALIVE_S, KEEPALIVE_COUNT);
	if (virConnectRegisterCloseCallback(connection, on_close, watch, NULL) < 0) {
		return -EIO;
	}
	for (size_t i = 0; i < VRMS_COUNT_OF(callbacks); i++) {
		watch->ids[i] =
		    virConnectDomainEventRegisterAny(connection, NULL, callbacks[i].id,
						     callbacks[i].function, watch, NULL);
		if (watch->ids[i] < 0 && callbacks[i].is_needed) {
			return -EIO;
		}
	}
	return 0;
}

static void put_state(struct watch *watch, virDomainPtr domain)
{
	static const struct vrms_vm_sign moving = {.kind = VRMS_VM_WORD_MOVING,
						   .text = "found paused for a migration"};
	int state, reason;

	/* A domain that ends meanwhile has an event of its own. */
	if (virDomainGetState(domain, &state, &reason, 0) == 0) {
		struct vrms_vm_sign sign = vrms_vm_sign_state(state, reason);

		if (sign.kind == VRMS_VM_WORD_LISTED) {
			put_process(watch, virDomainGetName(domain), &sign);
		} else {
			put(watch, virDomainGetName(domain), &sign);
		}
		if (vrms_vm_sign_is_moving(state, reason)) {
			put(watch, virDomainGetName(domain), &moving);
		}
	}
}

static int list(struct watch *watch, virConnectPtr connection)
{
	virDomainPtr *domains = NULL;
	int count = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);

	if (count < 0) {
		return -EIO;
	}
	put_all(watch, VRMS_VM_WORD_LIST_BEGIN, true, "");
	for (int i = 0; i < count; i++) {
		put_state(watch, domains[i]);
		virDomainFree(domains[i]);
	}
	free(domains);
	/* A connection that broke in the middle proves no absence. */
	put_all(watch, VRMS_VM_WORD_LIST_END, virConnectIsAlive(connection) == 1, "");
	return 0;
}

/* With the mutex held and `started` not empty. */
static void find_one(struct watch *watch)
{
	static const struct vrms_vm_sign sign = {.kind = VRMS_VM_WORD_PROCESS, .text = ""};
	char domain[VRMS_FAULT_NAME_MAX];

	memcpy(domain, watch->started[0], sizeof(domain));
	watch->started_count--;
	memmove(watch->started[0], watch->started[1], watch->started_count * sizeof(domain));
	pthread_mutex_unlock(&watch->mutex);
	put_process(watch, domain, &sign);
	pthread_mutex_lock(&watch->mutex);
}

/* Until there is something to do.  True: it is time for the second list, of a libvirtd that may
 * just have started: it answers before it has asked its machines how they are. */
static bool sleep_once(struct watch *watch, struct timespec *again)
{
	int rc = again->tv_sec == 0 ? pthread_cond_wait(&watch->wake, &watch->mutex)
				    : pthread_cond_timedwait(&watch->wake, &watch->mutex, again);

	if (rc != ETIMEDOUT) {
		return watch->is_relist_wanted;
	}
	again->tv_sec = 0;
	return true;
}

/* Until the connection closes; reads the states when asked. */
static void stay(struct watch *watch, virConnectPtr connection)
{
	struct timespec again = vrms_thread_in_ms(AGAIN_MS);

	pthread_mutex_lock(&watch->mutex);
	while (!watch->is_closed) {
		if (watch->started_count > 0) {
			find_one(watch);
			continue;
		}
		if (!watch->is_relist_wanted) {
			watch->is_relist_wanted = sleep_once(watch, &again);
			continue;
		}
		watch->is_relist_wanted = false;
		pthread_mutex_unlock(&watch->mutex);
		int rc = list(watch, connection);

		pthread_mutex_lock(&watch->mutex);
		watch->is_closed = watch->is_closed || rc < 0;
	}
	pthread_mutex_unlock(&watch->mutex);
}

/* Each callback holds the connection: closing alone would leave it open, and its memory in use. */
static void disconnect(struct watch *watch, virConnectPtr connection)
{
	for (size_t i = 0; i < CALLBACKS_MAX; i++) {
		if (watch->ids[i] >= 0) {
			(void)virConnectDomainEventDeregisterAny(connection, watch->ids[i]);
		}
	}
	(void)virConnectUnregisterCloseCallback(connection, on_close);
	(void)virConnectClose(connection);
}

/* One connection, from its beginning to its end. */
static void live_once(struct watch *watch)
{
	virConnectPtr connection = virConnectOpenReadOnly(watch->uri);

	if (connection == NULL) {
		put_all(watch, VRMS_VM_WORD_LIBVIRT, false, virGetLastErrorMessage());
		return;
	}
	if (register_all(watch, connection) < 0) {
		put_all(watch, VRMS_VM_WORD_LIBVIRT, false, virGetLastErrorMessage());
		disconnect(watch, connection);
		return;
	}
	put_all(watch, VRMS_VM_WORD_LIBVIRT, true, watch->uri);
	want_list(watch);
	stay(watch, connection);
	put_all(watch, VRMS_VM_WORD_LIBVIRT, false, "connection closed");
	disconnect(watch, connection);
}

static void *run(void *context)
{
	struct watch *watch = context;

	for (;;) {
		pthread_mutex_lock(&watch->mutex);
		watch->is_closed = false;
		pthread_mutex_unlock(&watch->mutex);
		live_once(watch);
		usleep(RETRY_MS * 1000);
	}
	return NULL;
}

/* Errors are returned to us; libvirt's habit is to print them as well. */
static void be_silent(void *context, virErrorPtr error)
{
	(void)context;
	(void)error;
}

int vrms_vm_watch_start(const char *uri, int fd, struct vrms_error *error)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	pthread_t thread;

	if (watch == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	virSetErrorFunc(NULL, be_silent);
	pthread_mutex_init(&watch->mutex, NULL);
	vrms_thread_condition_init(&watch->wake);
	watch->uri = uri;
	watch->fd = fd;
	int rc = virEventRegisterDefaultImpl() < 0 ? -EIO : 0;

	rc = rc < 0 ? rc : -pthread_create(&thread, NULL, run, watch);
	if (rc < 0) {
		free(watch);
		return vrms_error_errno(error, rc, "watching %s", uri);
	}
	pthread_detach(thread); /* it has what it needs until the process ends */
	return 0;
}
