/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * vm-watch's side that listens to libvirt, on a libvirt of this file: it counts who holds what.
 */
#include "quorum/vm_watch.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "quorum/vm_line.h"
#include "tests/unit/unit.h"

enum { CONNECTIONS_MAX = 8 };

/* What libvirt knows of a connection: it lives until nobody refers to it. */
struct _virConnect {
	atomic_int references;
	virConnectCloseFunc on_close;
	void *context;
};

struct _virDomain {
	const char *name;
};

static struct _virConnect connections[CONNECTIONS_MAX];
static atomic_int opened;
static struct _virDomain vm1 = {"no such machine"};

/* ---- libvirt */

virConnectPtr virConnectOpenReadOnly(const char *name)
{
	(void)name;
	int at = atomic_fetch_add(&opened, 1);

	if (at >= CONNECTIONS_MAX) {
		return NULL;
	}
	connections[at].references = 1;
	return &connections[at];
}

int virConnectClose(virConnectPtr connection)
{
	return --connection->references;
}

int virConnectRegisterCloseCallback(virConnectPtr connection, virConnectCloseFunc function,
				    void *context, virFreeCallback release)
{
	(void)release;
	connection->on_close = function;
	connection->context = context;
	connection->references++;
	return 0;
}

int virConnectUnregisterCloseCallback(virConnectPtr connection, virConnectCloseFunc function)
{
	(void)function;
	connection->references--;
	return 0;
}

/* Old servers do not know all events. */
int virConnectDomainEventRegisterAny(virConnectPtr connection, virDomainPtr domain, int event,
				     virConnectDomainEventGenericCallback function, void *context,
				     virFreeCallback release)
{
	(void)domain;
	(void)function;
	(void)context;
	(void)release;
	if (event == VIR_DOMAIN_EVENT_ID_MEMORY_FAILURE) {
		return -1;
	}
	connection->references++;
	return event;
}

int virConnectDomainEventDeregisterAny(virConnectPtr connection, int id)
{
	ck_assert_int_ge(id, 0);
	connection->references--;
	return 0;
}

int virConnectSetKeepAlive(virConnectPtr connection, int interval_s, unsigned int count)
{
	(void)connection;
	(void)interval_s;
	(void)count;
	return 0;
}

int virConnectIsAlive(virConnectPtr connection)
{
	(void)connection;
	return 1;
}

int virConnectListAllDomains(virConnectPtr connection, virDomainPtr **ret_domains,
			     unsigned int flags)
{
	(void)connection;
	(void)flags;
	*ret_domains = calloc(2, sizeof(**ret_domains));
	(*ret_domains)[0] = &vm1;
	return 1;
}

int virDomainGetState(virDomainPtr domain, int *ret_state, int *ret_reason, unsigned int flags)
{
	(void)domain;
	(void)flags;
	*ret_state = VIR_DOMAIN_PAUSED;
	*ret_reason = VIR_DOMAIN_PAUSED_MIGRATION;
	return 0;
}

const char *virDomainGetName(virDomainPtr domain)
{
	return domain->name;
}

int virDomainFree(virDomainPtr domain)
{
	(void)domain;
	return 0;
}

const char *virGetLastErrorMessage(void)
{
	return "too many connections";
}

void virSetErrorFunc(void *context, virErrorFunc function)
{
	(void)context;
	(void)function;
}

int virEventRegisterDefaultImpl(void)
{
	return 0;
}

/* ---- what is heard */

/* The next word of that kind. */
static struct vrms_vm_word hear(int line, enum vrms_vm_word_kind kind)
{
	struct vrms_vm_word word;

	do {
		struct pollfd waited = {.fd = line, .events = POLLIN};

		ck_assert_int_eq(poll(&waited, 1, 20000), 1);
		ck_assert_int_eq(vrms_vm_line_receive(line, &word), 0);
	} while (word.kind != kind);
	return word;
}

START_TEST(a_lost_connection_is_made_anew_and_let_go)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	ck_assert_int_eq(vrms_vm_watch_start("fake:///", fds[0], NULL), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert(hear(fds[1], VRMS_VM_WORD_LIBVIRT).yes);
		for (int before = 0; before < i; before++) {
			ck_assert_msg(connections[before].references == 0,
				      "%d still refer to a connection that is lost",
				      connections[before].references);
		}
		(void)hear(fds[1], VRMS_VM_WORD_LIST_BEGIN);
		ck_assert_str_eq(hear(fds[1], VRMS_VM_WORD_MOVING).domain, vm1.name);
		ck_assert(hear(fds[1], VRMS_VM_WORD_LIST_END).yes);
		connections[i].on_close(&connections[i], 0, connections[i].context);
		ck_assert(!hear(fds[1], VRMS_VM_WORD_LIBVIRT).yes);
	}
}
END_TEST

UNIT_MAIN("quorum_vm_watch", a_lost_connection_is_made_anew_and_let_go)
