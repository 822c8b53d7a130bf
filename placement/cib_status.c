/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where resources run, from the operation history that every node keeps in the status section. */
#include <errno.h>
#include <string.h>

#include "common/parse.h"
#include "placement/cib.h"

enum { OCF_SUCCESS = 0, OCF_NOT_RUNNING = 7 };

static int64_t number(const xmlNode *op, const char *name, int64_t fallback)
{
	const char *text = vrms_cib_peek(op, name);
	int64_t value;

	return text == NULL || vrms_int_parse(text, INT32_MIN, INT32_MAX, &value, NULL) < 0
		   ? fallback
		   : value;
}

/* What a finished operation says about the resource on this node. */
static bool runs_after(const xmlNode *op, bool before)
{
	int64_t rc = number(op, "rc-code", -1);

	if (vrms_cib_is(op, "operation", "stop") || vrms_cib_is(op, "operation", "migrate_to")) {
		return rc != OCF_SUCCESS && before; /* a failed stop leaves it where it was */
	}
	if (vrms_cib_is(op, "operation", "start") || vrms_cib_is(op, "operation", "migrate_from")) {
		return rc == OCF_SUCCESS;
	}
	if (vrms_cib_is(op, "operation", "monitor")) {
		return rc != OCF_NOT_RUNNING && (rc == OCF_SUCCESS || before);
	}
	return before;
}

/* Follows the operations by call id, the order in which the node's executor did them. */
static bool runs_here(const xmlNode *history)
{
	bool runs = false;
	int64_t done = -1;

	for (;;) {
		const xmlNode *next = NULL;
		int64_t next_id = INT64_MAX;

		for (xmlNode *op = vrms_cib_child(history, "lrm_rsc_op"); op != NULL;
		     op = vrms_cib_next(op, "lrm_rsc_op")) {
			int64_t id = number(op, "call-id", -1);

			if (id > done && id < next_id) {
				next = op;
				next_id = id;
			}
		}
		if (next == NULL) {
			return runs;
		}
		runs = runs_after(next, runs);
		done = next_id;
	}
}

static xmlNode *histories_of(const xmlNode *state)
{
	return vrms_cib_child(vrms_cib_child(vrms_cib_child(state, "lrm"), "lrm_resources"),
			      "lrm_resource");
}

/* Notes that the resource runs there; a node that is up counts more than one that failed. */
static int note(struct vrms_cib *cib, const char *resource, const char *node, bool past)
{
	int index = vrms_names_find(&cib->active, resource);

	if (index < 0) {
		index = vrms_names_add(&cib->active, resource);
		cib->past[index] = true;
	}
	if (cib->host[index] == NULL || (cib->past[index] && !past)) {
		cib->host[index] = vrms_draft_keep(cib->draft, node);
		cib->past[index] = past;
	}
	return cib->host[index] == NULL ? vrms_error_set(cib->error, -ENOMEM, "out of memory") : 0;
}

static int read_histories(struct vrms_cib *cib, const xmlNode *state)
{
	const char *node = vrms_cib_peek(state, "uname");
	bool past = !vrms_cib_is(state, "crmd", "online");
	int rc = 0;

	for (xmlNode *one = histories_of(state); one != NULL && node != NULL && rc == 0;
	     one = vrms_cib_next(one, "lrm_resource")) {
		const char *resource = vrms_cib_peek(one, "id");

		if (resource != NULL && runs_here(one)) {
			rc = note(cib, resource, node, past);
		}
	}
	return rc;
}

int vrms_cib_read_status(struct vrms_cib *cib)
{
	int count = 0, rc = 0;

	for (xmlNode *state = vrms_cib_child(cib->status, "node_state"); state != NULL;
	     state = vrms_cib_next(state, "node_state")) {
		for (xmlNode *one = histories_of(state); one != NULL;
		     one = vrms_cib_next(one, "lrm_resource")) {
			count++;
		}
	}
	cib->host = calloc((size_t)count + 1, sizeof(*cib->host));
	cib->past = calloc((size_t)count + 1, sizeof(*cib->past));
	if (cib->host == NULL || cib->past == NULL || vrms_names_init(&cib->active, count) < 0) {
		return vrms_error_set(cib->error, -ENOMEM, "out of memory");
	}
	for (xmlNode *state = vrms_cib_child(cib->status, "node_state"); state != NULL && rc == 0;
	     state = vrms_cib_next(state, "node_state")) {
		rc = read_histories(cib, state);
	}
	return rc;
}

const char *vrms_cib_host(const struct vrms_cib *cib, const char *resource)
{
	int index = vrms_names_find(&cib->active, resource);

	return index < 0 ? NULL : cib->host[index];
}
