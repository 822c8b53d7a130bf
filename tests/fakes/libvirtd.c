/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fakes/libvirtd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PROC_OPEN = 1, PROC_CLOSE = 2, PROC_AUTH_LIST = 66, PROC_GET_STATE = 212 };

struct reply {
	uint32_t words[64];
	size_t count;
};

static void put(struct reply *reply, uint32_t value)
{
	reply->words[reply->count++] = htonl(value);
}

static bool read_exactly(int fd, void *buffer, size_t bytes)
{
	return recv(fd, buffer, bytes, MSG_WAITALL) == (ssize_t)bytes;
}

static void put_header(struct reply *reply, const uint32_t *call, uint32_t status)
{
	reply->count = 0;
	put(reply, 0); /* the length is known at the end */
	put(reply, 0x20008086);
	put(reply, 1);
	put(reply, ntohl(call[3]));
	put(reply, 1);
	put(reply, ntohl(call[5]));
	put(reply, status);
}

static void put_error(struct reply *reply, uint32_t code, uint32_t claimed_bytes)
{
	static const uint32_t text = 0x6f6f7073; /* "oops" */

	put(reply, code);
	put(reply, 10); /* VIR_FROM_QEMU */
	put(reply, 1);  /* there is a text */
	put(reply, claimed_bytes);
	put(reply, text);
	for (int i = 0; i < 8; i++) {
		put(reply, 0); /* level, domain, three strings, two numbers, network */
	}
}

/* Notes what the client asked and puts the good answer. */
static enum fake_call answer(struct fake_libvirtd *fake, const uint32_t *call, size_t bytes,
			     struct reply *reply)
{
	const char *payload = (const char *)call + 28;

	put_header(reply, call, 0);
	switch (ntohl(call[3])) {
	case PROC_AUTH_LIST:
		put(reply, 1);
		put(reply, 0);
		return FAKE_AUTH_LIST;
	case PROC_OPEN:
		memcpy(fake->uri, payload + 8, ntohl(call[8]));
		return FAKE_OPEN;
	case PROC_GET_STATE:
		/* ..., uuid, id, flags */
		memcpy(fake->uuid, (const char *)call + bytes - 24, sizeof(fake->uuid));
		put(reply, (uint32_t)fake->state);
		put(reply, (uint32_t)fake->reason);
		return FAKE_GET_STATE;
	default:
		return FAKE_CLOSE;
	}
}

static void spoil(const struct fake_libvirtd *fake, const uint32_t *call, struct reply *reply)
{
	switch (fake->fault) {
	case FAKE_ERROR:
		put_header(reply, call, 1);
		put_error(reply, fake->argument, 4);
		break;
	case FAKE_BAD_ERROR:
		put_header(reply, call, 1);
		put_error(reply, 1, 4000);
		break;
	case FAKE_TRAILING:
		put(reply, 0);
		break;
	default:
		break;
	}
	reply->words[0] = htonl((uint32_t)(reply->count * 4));
	if (fake->fault == FAKE_WORD) {
		reply->words[fake->argument / 4] = htonl(fake->value);
	} else if (fake->fault == FAKE_FLIP) {
		((uint8_t *)reply->words)[fake->argument / 8] ^= (uint8_t)(1 << fake->argument % 8);
	}
}

static void wait_for_client_to_leave(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLRDHUP};

	(void)poll(&poll_fd, 1, 20000);
}

/* Returns whether the connection goes on. */
static bool deliver(struct fake_libvirtd *fake, const struct reply *reply, bool is_faulty)
{
	const uint8_t *bytes = (const uint8_t *)reply->words;
	size_t count = reply->count * 4;
	size_t step = is_faulty && fake->fault == FAKE_DRIP ? 1 : count;
	bool is_short = is_faulty && (fake->fault == FAKE_CUT || fake->fault == FAKE_HANG);

	if (is_short) {
		count = fake->argument;
		step = count;
	}
	for (size_t i = 0; i < count; i += step) {
		if (send(fake->fd, bytes + i, step, MSG_NOSIGNAL) < 0) {
			return false;
		}
	}
	if (is_faulty && fake->fault == FAKE_HANG) {
		wait_for_client_to_leave(fake->fd);
	}
	fake->calls += is_short ? 0 : 1;
	return !is_short;
}

void fake_libvirtd_serve(struct fake_libvirtd *fake)
{
	uint32_t call[256];
	bool goes_on = true;

	while (goes_on && read_exactly(fake->fd, call, 4)) {
		size_t bytes = ntohl(call[0]);
		if (bytes < 28 || bytes > sizeof(call) ||
		    !read_exactly(fake->fd, call + 1, bytes - 4)) {
			break;
		}
		struct reply reply;
		enum fake_call which = answer(fake, call, bytes, &reply);
		bool is_faulty = which == fake->faulty && fake->fault != FAKE_NO_FAULT;
		fake->reply_bytes[which] = reply.count * 4;
		reply.words[0] = htonl((uint32_t)(reply.count * 4));
		if (is_faulty) {
			spoil(fake, call, &reply);
		}
		goes_on = deliver(fake, &reply, is_faulty);
	}
	close(fake->fd);
}

static void *run(void *context)
{
	fake_libvirtd_serve(context);
	return NULL;
}

int fake_libvirtd_start(struct fake_libvirtd *fake)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
		return -1;
	}
	fake->fd = pair[1];
	(void)fcntl(pair[0], F_SETFL, O_NONBLOCK);
	if (pthread_create(&fake->thread, NULL, run, fake) != 0) {
		return -1;
	}
	return pair[0];
}

void fake_libvirtd_join(struct fake_libvirtd *fake)
{
	(void)pthread_join(fake->thread, NULL);
}
