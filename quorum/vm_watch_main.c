/* vm_watch_main.c - vm-watch: listens to libvirt and Pacemaker for vrmsd.
 *
 * A program of its own, so that a fault in the libraries that speak to them (their answer to a
 * surprise is abort()) does not end the daemon that keeps the token, and so that they are not
 * locked into memory with it.  Both deliver their events into GLib's one main context; nothing
 * that may wait for libvirtd is done on its thread.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "quorum/fencer.h"
#include "quorum/pacemaker.h"
#include "quorum/vm_line.h"
#include "quorum/vm_watch.h"

static gboolean on_word(gint fd, GIOCondition condition, gpointer context)
{
	struct vrms_pacemaker *pacemaker = context;
	struct vrms_vm_word word;

	(void)condition;
	if (vrms_vm_line_receive(fd, &word) < 0) {
		/* vrmsd has ended.  No goodbyes: a thread may be waiting for a hung libvirtd. */
		_exit(EXIT_SUCCESS);
	}
	if (word.kind == VRMS_VM_WORD_FAIL) {
		vrms_pacemaker_fail(pacemaker, word.domain, word.incident);
	}
	return G_SOURCE_CONTINUE;
}

static int start(const char *uri, struct vrms_error *error)
{
	struct vrms_pacemaker *pacemaker;
	int rc = vrms_vm_watch_start(uri, VRMS_VM_LINE_FD, error);

	rc = rc < 0 ? rc : vrms_pacemaker_start(VRMS_VM_LINE_FD, &pacemaker, error);
	if (rc == 0) {
		vrms_fencer_start(VRMS_VM_LINE_FD);
		g_unix_fd_add(VRMS_VM_LINE_FD, G_IO_IN | G_IO_HUP, on_word, pacemaker);
	}
	return rc;
}

int main(int argc, char **argv)
{
	struct vrms_error error;

	if (argc != 2) {
		fprintf(stderr, "usage: vm-watch URI, by vrmsd\n");
		return 2;
	}
	vrms_log_open("vm-watch", false);
	if (start(argv[1], &error) < 0) {
		vrms_log(LOG_ERR, "%s", error.text);
		return EXIT_FAILURE;
	}
	for (;;) {
		g_main_context_iteration(NULL, TRUE);
	}
}
