/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/libvirt_rpc.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/file.h"

/* A message, all numbers 32-bit big-endian:
 *
 *   OFFSET  FIELD
 *        0  bytes of the whole message, this number included
 *        4  program; 8 its version; 12 procedure
 *       16  type: 0 call, 1 reply
 *       20  serial of the call, repeated in the reply
 *       24  status: 0 done, 1 the payload is an error
 *       28  payload in XDR: strings and lists are a count, the content, zeros up to a multiple
 *           of 4; an optional string is preceded by 1 (there) or 0 (not there)
 */
enum {
	AT_BYTES = 0,
	AT_PROGRAM = 4,
	AT_VERSION = 8,
	AT_PROCEDURE = 12,
	AT_TYPE = 16,
	AT_SERIAL = 20,
	AT_STATUS = 24,
	AT_PAYLOAD = 28
};

#define REMOTE_PROGRAM UINT32_C(0x20008086)
enum { REMOTE_VERSION = 1 };
enum { TYPE_CALL = 0, TYPE_REPLY = 1 };
enum { STATUS_OK = 0, STATUS_ERROR = 1 };
enum {
	PROC_CONNECT_OPEN = 1,
	PROC_CONNECT_CLOSE = 2,
	PROC_AUTH_LIST = 66,
	PROC_DOMAIN_GET_STATE = 212
};
enum { AUTH_NONE = 0 };
enum { OPEN_READ_ONLY = 1 };
enum { ERROR_NO_DOMAIN = 42 }; /* VIR_ERR_NO_DOMAIN */
enum { UUID_BYTES = 16 };

/* The largest reply that these calls have is an error with its texts: well below this. */
enum { MESSAGE_BYTES_MAX = 4096 };

struct message {
	uint8_t bytes[MESSAGE_BYTES_MAX];
	size_t used; /* while writing: the end; while reading: bytes received */
	size_t at;   /* while reading: the next byte */
	bool bad;    /* did not fit, or ended early: everything after it is zero */
};

struct session {
	int fd;
	const struct vrms_clock *clock;
	int64_t deadline_ms;
	uint32_t serial;
};

/* --- XDR ----------------------------------------------------------------- */

static void store_u32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

static uint32_t load_u32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static size_t padded(size_t bytes)
{
	return (bytes + 3) & ~(size_t)3;
}

static void put_bytes(struct message *message, const void *data, size_t bytes)
{
	if (message->bad || padded(bytes) > sizeof(message->bytes) - message->used) {
		message->bad = true;
		return;
	}
	memset(message->bytes + message->used, 0, padded(bytes));
	memcpy(message->bytes + message->used, data, bytes);
	message->used += padded(bytes);
}

static void put_u32(struct message *message, uint32_t value)
{
	uint8_t bytes[4];

	store_u32(bytes, value);
	put_bytes(message, bytes, sizeof(bytes));
}

static void put_string(struct message *message, const char *text)
{
	size_t bytes = strlen(text);

	if (bytes > sizeof(message->bytes)) {
		message->bad = true;
		return;
	}
	put_u32(message, (uint32_t)bytes);
	put_bytes(message, text, bytes);
}

static uint32_t take_u32(struct message *message)
{
	if (message->bad || message->used - message->at < 4) {
		message->bad = true;
		return 0;
	}
	message->at += 4;
	return load_u32(message->bytes + message->at - 4);
}

/* An optional string; a NULL one and a broken one are "". */
static void take_text(struct message *message, char *buffer, size_t buffer_bytes)
{
	buffer[0] = '\0';
	if (take_u32(message) == 0) {
		return;
	}

	size_t bytes = take_u32(message);
	if (message->bad || bytes > message->used - message->at) {
		message->bad = true;
		return;
	}

	size_t kept = bytes < buffer_bytes ? bytes : buffer_bytes - 1;
	memcpy(buffer, message->bytes + message->at, kept);
	buffer[kept] = '\0';
	message->at += bytes;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int parse_uuid(const char *text, uint8_t uuid[UUID_BYTES])
{
	const char *at = text;

	for (size_t i = 0; i < UUID_BYTES; i++) {
		int high = nibble(at[0]);
		int low = high < 0 ? -1 : nibble(at[1]);
		if (low < 0) {
			return -EINVAL;
		}
		uuid[i] = (uint8_t)(high << 4 | low);
		at += 2;
		if ((i == 3 || i == 5 || i == 7 || i == 9) && *at++ != '-') {
			return -EINVAL;
		}
	}
	return *at == '\0' ? 0 : -EINVAL;
}

/* --- One message there, one back ------------------------------------------- */

static int wait_for(const struct session *session, short events, struct vrms_error *error)
{
	for (;;) {
		int64_t left_ms = session->deadline_ms - vrms_clock_now_ms(session->clock);
		if (left_ms <= 0) {
			return vrms_error_set(error, -ETIMEDOUT, "libvirtd does not answer");
		}

		struct pollfd poll_fd = {.fd = session->fd, .events = events};
		int ready = poll(&poll_fd, 1, left_ms < 60000 ? (int)left_ms : 60000);
		if (ready > 0) {
			return 0; /* also on an error or hang-up: the next call says which */
		}
		if (ready < 0 && errno != EINTR) {
			return vrms_error_errno(error, -errno, "waiting for libvirtd");
		}
	}
}

static int send_all(const struct session *session, const struct message *message,
		    struct vrms_error *error)
{
	size_t done = 0;

	while (done < message->used) {
		ssize_t sent =
		    send(session->fd, message->bytes + done, message->used - done, MSG_NOSIGNAL);
		if (sent >= 0) {
			done += (size_t)sent;
		} else if (errno == EAGAIN) {
			int rc = wait_for(session, POLLOUT, error);
			if (rc < 0) {
				return rc;
			}
		} else if (errno != EINTR) {
			return vrms_error_errno(error, -errno, "sending to libvirtd");
		}
	}
	return 0;
}

/* Receives until at least `bytes` of the message are there; mostly it comes in one piece. */
static int receive_until(const struct session *session, struct message *message, size_t bytes,
			 struct vrms_error *error)
{
	while (message->used < bytes) {
		/* Waiting first: the answer is never there already when we come to read it. */
		int rc = wait_for(session, POLLIN, error);
		if (rc < 0) {
			return rc;
		}
		ssize_t got = recv(session->fd, message->bytes + message->used,
				   sizeof(message->bytes) - message->used, 0);
		if (got > 0) {
			message->used += (size_t)got;
		} else if (got == 0) {
			return vrms_error_set(error, -ECONNRESET, "libvirtd closed the connection");
		} else if (errno != EAGAIN && errno != EINTR) {
			return vrms_error_errno(error, -errno, "receiving from libvirtd");
		}
	}
	return 0;
}

static void begin_call(struct message *message, uint32_t procedure)
{
	memset(message->bytes, 0, AT_PAYLOAD);
	store_u32(message->bytes + AT_PROGRAM, REMOTE_PROGRAM);
	store_u32(message->bytes + AT_VERSION, REMOTE_VERSION);
	store_u32(message->bytes + AT_PROCEDURE, procedure);
	store_u32(message->bytes + AT_TYPE, TYPE_CALL);
	store_u32(message->bytes + AT_STATUS, STATUS_OK);
	message->used = AT_PAYLOAD;
	message->at = AT_PAYLOAD;
	message->bad = false;
}

static int send_call(struct session *session, struct message *message, struct vrms_error *error)
{
	if (message->bad) {
		return vrms_error_set(error, -EINVAL, "a question to libvirtd is too long");
	}
	session->serial++;
	store_u32(message->bytes + AT_SERIAL, session->serial);
	store_u32(message->bytes + AT_BYTES, (uint32_t)message->used);
	return send_all(session, message, error);
}

static int error_from_payload(struct message *reply, struct vrms_error *error)
{
	char text[256];
	uint32_t code = take_u32(reply);

	(void)take_u32(reply); /* which part of libvirt it comes from */
	take_text(reply, text, sizeof(text));
	if (reply->bad) {
		return vrms_error_set(error, -EBADMSG, "libvirtd sent a broken error");
	}
	return vrms_error_set(error, code == ERROR_NO_DOMAIN ? -ENOMEDIUM : -EREMOTEIO,
			      "libvirtd: %s", text);
}

/* Checks that `reply` answers the call and leaves it at its payload. */
static int check_reply(const struct session *session, struct message *reply, uint32_t procedure,
		       struct vrms_error *error)
{
	const uint8_t *bytes = reply->bytes;

	if (load_u32(bytes + AT_PROGRAM) != REMOTE_PROGRAM ||
	    load_u32(bytes + AT_VERSION) != REMOTE_VERSION ||
	    load_u32(bytes + AT_PROCEDURE) != procedure ||
	    load_u32(bytes + AT_TYPE) != TYPE_REPLY ||
	    load_u32(bytes + AT_SERIAL) != session->serial) {
		return vrms_error_set(error, -EBADMSG, "libvirtd answered something else");
	}

	reply->at = AT_PAYLOAD;
	reply->bad = false;
	switch (load_u32(bytes + AT_STATUS)) {
	case STATUS_OK:
		return 0;
	case STATUS_ERROR:
		return error_from_payload(reply, error);
	default:
		return vrms_error_set(error, -EBADMSG, "libvirtd sent an unknown status");
	}
}

/* Sends the call in `message` and puts the reply in its place. */
static int exchange(struct session *session, struct message *message, struct vrms_error *error)
{
	uint32_t procedure = load_u32(message->bytes + AT_PROCEDURE);
	int rc = send_call(session, message, error);
	if (rc < 0) {
		return rc;
	}

	message->used = 0;
	rc = receive_until(session, message, AT_PROGRAM, error);
	if (rc < 0) {
		return rc;
	}
	size_t bytes = load_u32(message->bytes + AT_BYTES);
	if (bytes < AT_PAYLOAD || bytes > sizeof(message->bytes)) {
		return vrms_error_set(error, -EBADMSG, "libvirtd announced a message of %zu bytes",
				      bytes);
	}
	rc = receive_until(session, message, bytes, error);
	if (rc < 0) {
		return rc;
	}
	if (message->used > bytes) {
		return vrms_error_set(error, -EBADMSG, "libvirtd sent more than an answer");
	}
	return check_reply(session, message, procedure, error);
}

/* The payload must have been read to its last byte, no further and no less. */
static int check_end(const struct message *reply, struct vrms_error *error)
{
	if (reply->bad || reply->at != reply->used) {
		return vrms_error_set(error, -EBADMSG, "libvirtd's answer has another form");
	}
	return 0;
}

/* --- The calls -------------------------------------------------------------- */

/* Must come first: it is also how a libvirtd that asks polkit lets root in. */
static int check_auth(struct session *session, struct message *message, struct vrms_error *error)
{
	begin_call(message, PROC_AUTH_LIST);
	int rc = exchange(session, message, error);
	if (rc < 0) {
		return rc;
	}

	uint32_t count = take_u32(message);
	uint32_t first = take_u32(message);
	if (message->bad || count == 0) {
		return vrms_error_set(error, -EBADMSG, "libvirtd's answer has another form");
	}
	if (count != 1 || first != AUTH_NONE) {
		return vrms_error_set(error, -EACCES, "libvirtd wants a log-in");
	}
	return check_end(message, error);
}

static int open_driver(struct session *session, struct message *message, const char *uri,
		       struct vrms_error *error)
{
	begin_call(message, PROC_CONNECT_OPEN);
	put_u32(message, 1); /* there is a name */
	put_string(message, uri);
	put_u32(message, OPEN_READ_ONLY);
	int rc = exchange(session, message, error);
	return rc < 0 ? rc : check_end(message, error);
}

static int get_state(struct session *session, struct message *message,
		     const struct vrms_libvirt_question *question,
		     struct vrms_libvirt_answer *ret_answer, struct vrms_error *error)
{
	uint8_t uuid[UUID_BYTES];

	if (parse_uuid(question->uuid, uuid) < 0) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not a UUID", question->uuid);
	}
	begin_call(message, PROC_DOMAIN_GET_STATE);
	put_string(message, question->domain);
	put_bytes(message, uuid, sizeof(uuid));
	put_u32(message, UINT32_MAX); /* id: not known; the UUID decides */
	put_u32(message, 0);          /* flags */
	int rc = exchange(session, message, error);
	if (rc < 0) {
		return rc;
	}

	struct vrms_libvirt_answer answer;
	answer.state = (int)take_u32(message);
	answer.reason = (int)take_u32(message);
	rc = check_end(message, error);
	if (rc < 0) {
		return rc;
	}
	*ret_answer = answer;
	return 0;
}

int vrms_libvirt_ask(int fd, const struct vrms_libvirt_question *question,
		     const struct vrms_clock *clock, int64_t deadline_ms,
		     struct vrms_libvirt_answer *ret_answer, struct vrms_error *error)
{
	struct session session = {.fd = fd, .clock = clock, .deadline_ms = deadline_ms};
	struct message message;

	int rc = check_auth(&session, &message, error);
	if (rc < 0) {
		return rc;
	}
	rc = open_driver(&session, &message, question->uri, error);
	if (rc < 0) {
		return rc;
	}
	rc = get_state(&session, &message, question, ret_answer, error);

	/* A farewell, heard to its end, or libvirtd logs an error for each client that is gone. */
	begin_call(&message, PROC_CONNECT_CLOSE);
	int ignored = exchange(&session, &message, NULL);
	(void)ignored;
	return rc;
}

/* --- The socket -------------------------------------------------------------- */

const char *const *vrms_libvirt_sockets(void)
{
	/* The driver's own daemon before the one for all drivers. */
	static const char *const sockets[] = {"/run/libvirt/virtqemud-sock-ro",
					      "/run/libvirt/libvirt-sock-ro", NULL};

	return sockets;
}

static int connect_to(const char *path, struct vrms_error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path)) {
		return vrms_error_set(error, -ENAMETOOLONG, "%s: too long for a socket", path);
	}
	strcpy(address.sun_path, path);

	int fd VRMS_CLEANUP(vrms_closep) =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return vrms_error_errno(error, -errno, "socket");
	}
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		return vrms_error_errno(error, -errno, "%s", path);
	}

	int ret = fd;
	fd = -1;
	return ret;
}

int vrms_libvirt_connect(const char *const *sockets, struct vrms_error *error)
{
	int rc = -ENOENT;

	for (size_t i = 0; sockets[i] != NULL && rc == -ENOENT; i++) {
		rc = connect_to(sockets[i], error);
	}
	return rc;
}
