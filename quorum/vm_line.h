/* vm_line.h - the line between vrmsd and its helper vm-watch: a socket of whole words.
 *
 * Both ends are of the same build; a word of another size ends the conversation.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_VM_LINE_H
#define VRMS_QUORUM_VM_LINE_H

#include <sys/types.h>

#include "common/error.h"
#include "quorum/vm_word.h"

/* Starts the program at the other end of a new line.
 *
 * uri: its only argument, the hypervisor.
 * Returns 0 with its pid and this end of the line (non-blocking), or -errno.
 */
VRMS_MUST_CHECK int vrms_vm_line_start(const char *program, const char *uri, pid_t *ret_pid,
				       int *ret_fd, struct vrms_error *error);

/* The other end, in the program. */
enum { VRMS_VM_LINE_FD = 3 };

/* Sends a word from any thread, and a copy of its pidfd with it.  -EAGAIN: a non-blocking line is
 * full; -EPIPE: the other end is gone. */
int vrms_vm_line_send(int fd, const struct vrms_vm_word *word);

/* Takes a word; its pidfd, if it has one, is the caller's.  -EAGAIN: there is none now; -EPIPE: the
 * other end is gone; -EBADMSG: it speaks another language. */
VRMS_MUST_CHECK int vrms_vm_line_receive(int fd, struct vrms_vm_word *ret_word);

#endif
