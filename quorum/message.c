/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/message.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

static const char magic[4] = {'V', 'R', 'M', '1'};

enum { AT_KIND = 4, AT_REASON = 6, AT_VALUES = 8 };

_Static_assert(AT_VALUES + 8 * VRMS_MESSAGE_VALUES == VRMS_MESSAGE_BYTES, "the values end it");

void vrms_message_encode(const struct vrms_message *message, uint8_t bytes[VRMS_MESSAGE_BYTES])
{
	uint16_t kind = htole16((uint16_t)message->kind);
	uint16_t reason = htole16((uint16_t)message->reason);

	memcpy(bytes, magic, sizeof(magic));
	memcpy(bytes + AT_KIND, &kind, sizeof(kind));
	memcpy(bytes + AT_REASON, &reason, sizeof(reason));
	for (unsigned i = 0; i < VRMS_MESSAGE_VALUES; i++) {
		uint64_t value = htole64((uint64_t)message->values[i]);

		memcpy(bytes + AT_VALUES + 8 * i, &value, sizeof(value));
	}
}

int vrms_message_decode(const void *bytes_, size_t size, struct vrms_message *ret_message)
{
	const uint8_t *bytes = bytes_;
	uint16_t kind, reason;

	if (size != VRMS_MESSAGE_BYTES || memcmp(bytes, magic, sizeof(magic)) != 0) {
		return -EBADMSG;
	}
	memcpy(&kind, bytes + AT_KIND, sizeof(kind));
	memcpy(&reason, bytes + AT_REASON, sizeof(reason));
	kind = le16toh(kind);
	reason = le16toh(reason);
	if (kind < VRMS_MESSAGE_REPORT || kind > VRMS_MESSAGE_BYE) {
		return -EBADMSG;
	}
	ret_message->kind = (enum vrms_message_kind)kind;
	ret_message->reason =
	    reason < VRMS_REASON_COUNT ? (enum vrms_reason)reason : VRMS_REASON_NONE;
	for (unsigned i = 0; i < VRMS_MESSAGE_VALUES; i++) {
		uint64_t value;

		memcpy(&value, bytes + AT_VALUES + 8 * i, sizeof(value));
		ret_message->values[i] = (int64_t)le64toh(value);
	}
	return 0;
}
