/* hypervisor.h - the hypervisor port, made up: domains in a table, faults on order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_TESTS_FAKES_HYPERVISOR_H
#define VRMS_TESTS_FAKES_HYPERVISOR_H

#include "agents/hypervisor.h"

struct fake_world; /* tests/fakes/vm_world.h */

enum { FAKE_DOMAIN_MAX = 4, FAKE_NEVER = -1 };

#define FAKE_UUID       "99000000-0000-4000-9000-000000000001"
#define FAKE_OTHER_UUID "99000000-0000-4000-9000-000000000002"

struct fake_domain {
	struct vrms_domain_view view;
	int64_t off_at_ms; /* 0: stays; then it is gone (or shut off, when persistent) */
	int64_t run_at_ms; /* 0: none; then a paused one runs */
};

/* What the next calls of one operation return instead of doing their work. */
struct fake_fault {
	const char *operation; /* "find", "create", ...; NULL: no fault */
	int rc;
	const char *text;
	int skip;  /* this many calls work before */
	int count; /* this many fail; 0: all that follow */
};

struct fake_hypervisor {
	struct vrms_hypervisor port; /* context points to this struct */
	struct fake_world *world;
	struct fake_domain domains[FAKE_DOMAIN_MAX];
	size_t domain_count;
	bool is_stuck;
	bool is_down;
	int64_t back_at_ms; /* 0: a hypervisor that is down stays so */
	struct fake_fault faults[4];
	char calls[4096]; /* "find create find " */
	char shutdown_flags[64];
	int64_t shutdown_ms; /* how long a guest takes; FAKE_NEVER */
	int deaf_count;      /* how many requests are lost first */
	bool resume_fails_again;
	char disk_errors[64];
	const char *xml;   /* what get_xml gives */
	int created_state; /* 0: RUNNING */
	int created_reason;
	bool undefine_removes_config;
	char created[1024]; /* what create was given last */
};

/* What config says, and what get_xml gives. */
#define FAKE_CONFIG                                                                        \
	"<domain type='kvm'><name>web</name><uuid>" FAKE_UUID                              \
	"</uuid><devices><disk type='file'><source file='/srv/web.raw'/></disk></devices>" \
	"</domain>"

void fake_hypervisor_init(struct fake_world *world, struct fake_hypervisor *hypervisor);

/* Adds a domain, or gives one with this UUID another state. */
struct fake_domain *fake_world_add(struct fake_hypervisor *hypervisor, const char *name,
				   const char *uuid, int state, int reason);

/* It is off; a transient one is gone. */
void fake_domain_end(struct fake_domain *domain);

/* Orders a fault for every call of the operation. */
void fake_world_fail(struct fake_hypervisor *hypervisor, const char *operation, int rc,
		     const char *text);

bool fake_world_has_called(const struct fake_hypervisor *hypervisor, const char *operation);

/* Puts two texts behind the one in the buffer. */
void fake_append(char *buffer, size_t bytes, const char *first, const char *second);

#endif
