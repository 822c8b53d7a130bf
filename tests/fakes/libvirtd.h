/* libvirtd.h - a libvirtd that answers one client's questions, and does one thing wrong when told.
 *
 * Runs in a thread of the test, on the other end of a socket.  Written from the
 * protocol's description, not from the client's code: it builds each reply anew.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_TESTS_FAKES_LIBVIRTD_H
#define VRMS_TESTS_FAKES_LIBVIRTD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fake_call { FAKE_AUTH_LIST, FAKE_OPEN, FAKE_GET_STATE, FAKE_CLOSE, FAKE_CALL_COUNT };

enum fake_fault {
	FAKE_NO_FAULT,
	FAKE_CUT,       /* the first `argument` bytes of the reply, then the connection is closed */
	FAKE_HANG,      /* the first `argument` bytes, then silence */
	FAKE_DRIP,      /* the whole reply, byte by byte */
	FAKE_WORD,      /* the 32-bit word at offset `argument` is replaced by `value` */
	FAKE_FLIP,      /* bit `argument` of the reply is flipped */
	FAKE_TRAILING,  /* four bytes more than the answer has */
	FAKE_ERROR,     /* an error reply with code `argument` */
	FAKE_BAD_ERROR, /* an error reply whose text claims to be longer than the message */
};

struct fake_libvirtd {
	/* Set before starting. */
	int fd;                /* its end of the socket; closed by the fake */
	int state, reason;     /* what it says of the domain */
	enum fake_call faulty; /* the call whose reply has the fault */
	enum fake_fault fault;
	uint32_t argument, value;

	/* Found out; valid after joining. */
	int calls;                           /* replies sent */
	char uri[64];                        /* asked to open */
	uint8_t uuid[16];                    /* asked for */
	size_t reply_bytes[FAKE_CALL_COUNT]; /* length of each good reply */

	pthread_t thread;
};

/* Makes a socket pair, serves one end in a thread, returns the other, non-blocking. */
int fake_libvirtd_start(struct fake_libvirtd *fake);

/* Serves an accepted connection in this thread until the client leaves. */
void fake_libvirtd_serve(struct fake_libvirtd *fake);

/* Waits until the thread has seen the client leave; close the client's end first. */
void fake_libvirtd_join(struct fake_libvirtd *fake);

#endif
