/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <qb/qbipcc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "quorum/ipc.h"

enum { MESSAGE_ID = QB_IPC_MSG_USER_START + 1, TIMEOUT_MS = 5000 };

static int exchange(qb_ipcc_connection_t *connection, const char *text, char *answer,
		    struct vrms_error *error)
{
	struct qb_ipc_request_header header = {
	    .id = MESSAGE_ID,
	    .size = (int32_t)(sizeof(header) + strlen(text) + 1),
	};
	struct iovec pieces[] = {
	    {.iov_base = &header, .iov_len = sizeof(header)},
	    {.iov_base = (char *)text, .iov_len = strlen(text) + 1},
	};
	ssize_t got = qb_ipcc_sendv_recv(connection, pieces, VRMS_COUNT_OF(pieces), answer,
					 VRMS_IPC_BYTES_MAX, TIMEOUT_MS);

	if (got == -EAGAIN || got == -ETIMEDOUT) {
		return vrms_error_set(error, -ETIMEDOUT, "vrmsd does not answer");
	}
	if (got < 0) {
		return vrms_error_errno(error, (int)got, "vrmsd");
	}
	if ((size_t)got <= sizeof(struct qb_ipc_response_header)) {
		return vrms_error_set(error, -EPROTO, "vrmsd: an empty answer");
	}
	answer[got - 1] = '\0';
	return 0;
}

static int read_reply(const char *text, json_t **ret_reply, struct vrms_error *error)
{
	json_t *reply = json_loads(text, 0, NULL);

	if (reply == NULL) {
		return vrms_error_set(error, -EPROTO, "vrmsd: an answer that is no JSON");
	}
	if (!json_is_true(json_object_get(reply, "ok"))) {
		const char *word = json_string_value(json_object_get(reply, "error"));
		int rc = vrms_error_set(error, -EREMOTEIO, "%s", word != NULL ? word : "refused");

		json_decref(reply);
		return rc;
	}
	*ret_reply = reply;
	return 0;
}

int vrms_ipc_ask(json_t *request, json_t **ret_reply, struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = request == NULL ? NULL : json_dumps(request, 0);
	char *answer VRMS_CLEANUP(vrms_freep) = malloc(VRMS_IPC_BYTES_MAX);

	json_decref(request);
	if (text == NULL || answer == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	qb_ipcc_connection_t *connection = qb_ipcc_connect(VRMS_IPC_NAME, VRMS_IPC_BYTES_MAX);

	if (connection == NULL) {
		if (errno == EBUSY) {
			return vrms_error_set(error, -EBUSY,
					      "vrmsd has %d clients already and takes no more",
					      VRMS_IPC_CLIENTS_MAX);
		}
		return vrms_error_set(error, -ECONNREFUSED,
				      errno == EACCES
					  ? "vrmsd answers only root and the group " VRMS_IPC_GROUP
					  : "vrmsd does not run here");
	}
	int rc = exchange(connection, text, answer, error);

	qb_ipcc_disconnect(connection);
	return rc < 0
		   ? rc
		   : read_reply(answer + sizeof(struct qb_ipc_response_header), ret_reply, error);
}
