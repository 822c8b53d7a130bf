/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/fencer.h"

#include <crm/crm.h>
#include <crm/stonith-ng.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

#include "quorum/vm_line.h"

enum { RETRY_MS = 1000 };

/* Pacemaker's notifications of fences carry no context, so there can be one only. */
static int line_fd = -1;

static gboolean on_connect_time(void *context);

static const char *or_nobody(const char *name)
{
	return name != NULL ? name : "somebody";
}

static void on_fence(stonith_t *fencer, stonith_event_t *event)
{
	struct vrms_vm_word word = {.kind = VRMS_VM_WORD_FENCED, .yes = event->result == pcmk_ok};

	(void)fencer;
	snprintf(word.domain, sizeof(word.domain), "%s", or_nobody(event->target));
	snprintf(word.text, sizeof(word.text), "%.12s by %.40s, asked for by %.30s on %.40s",
		 event->action != NULL ? event->action : "fenced", or_nobody(event->executioner),
		 or_nobody(event->client_origin), or_nobody(event->origin));
	/* Fails only when vrmsd is gone, and then this process ends. */
	(void)vrms_vm_line_send(line_fd, &word);
}

/* In the callback of a library that is still using it: taken apart at the next attempt. */
static void on_lost(stonith_t *fencer, stonith_event_t *event)
{
	(void)event;
	g_timeout_add(RETRY_MS, on_connect_time, fencer);
}

static bool connect_to(stonith_t *fencer)
{
	return fencer->cmds->connect(fencer, "vrmsd", NULL) == pcmk_ok &&
	       fencer->cmds->register_notification(fencer, T_STONITH_NOTIFY_DISCONNECT, on_lost) ==
		   pcmk_ok &&
	       fencer->cmds->register_notification(fencer, T_STONITH_NOTIFY_FENCE, on_fence) ==
		   pcmk_ok;
}

/* context: the last connection, which has ended; NULL: there was none. */
static gboolean on_connect_time(void *context)
{
	if (context != NULL) {
		stonith_api_delete(context);
	}
	stonith_t *fencer = stonith_api_new();

	if (fencer != NULL && !connect_to(fencer)) {
		stonith_api_delete(fencer);
		fencer = NULL;
	}
	if (fencer == NULL) {
		g_timeout_add(RETRY_MS, on_connect_time, NULL);
	}
	return G_SOURCE_REMOVE;
}

void vrms_fencer_start(int fd)
{
	line_fd = fd;
	g_idle_add(on_connect_time, NULL);
}
