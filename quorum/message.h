/* message.h - what the daemons say to each other over CPG.
 *
 * 48 bytes, integers little-endian; the sender is who CPG says it is.
 *
 *   OFFSET  SIZE  FIELD
 *        0     4  magic, "VRM1"
 *        4     2  kind, enum vrms_message_kind
 *        6     2  reason, enum vrms_reason; one that the receiver does not know is NONE
 *        8  5x8  values: by kind, below
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_QUORUM_MESSAGE_H
#define VRMS_QUORUM_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "quorum/reason.h"

enum vrms_message_kind {
	VRMS_MESSAGE_REPORT = 1,   /* need, configured, applied token in ms; which life */
	VRMS_MESSAGE_PROPOSAL = 2, /* token in ms */
	VRMS_MESSAGE_PROBE = 3,    /* when it was sent, in us of the sender's monotonic clock */
	VRMS_MESSAGE_BYE = 4,      /* the sender's daemon stops on purpose */
};

enum { VRMS_MESSAGE_BYTES = 48, VRMS_MESSAGE_VALUES = 5 };

struct vrms_message {
	enum vrms_message_kind kind;
	enum vrms_reason reason;
	int64_t values[VRMS_MESSAGE_VALUES];
};

void vrms_message_encode(const struct vrms_message *message, uint8_t bytes[VRMS_MESSAGE_BYTES]);

/* -EBADMSG: another length, magic, or an unknown kind (a newer daemon's: to be ignored). */
VRMS_MUST_CHECK int vrms_message_decode(const void *bytes, size_t size,
					struct vrms_message *ret_message);

#endif
