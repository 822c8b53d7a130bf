/* fencer.h - hears what Pacemaker has fenced, on whichever node: for the journal.
 *
 * Lives on the thread that runs GLib's main context.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_FENCER_H
#define VRMS_QUORUM_FENCER_H

/* Connects as soon as Pacemaker's fencer runs, again when it has been restarted; once in a process.
 *
 * fd: the line that gets words of kind FENCED.
 */
void vrms_fencer_start(int fd);

#endif
