/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct vrms_mailbox {
	pthread_mutex_t mutex;
	int fd;
	size_t item_bytes;
	unsigned count_max, first, count;
	bool has_lost;
	unsigned char *items;
};

int vrms_mailbox_new(size_t item_bytes, unsigned count_max, struct vrms_mailbox **ret_mailbox,
		     struct vrms_error *error)
{
	struct vrms_mailbox *mailbox = calloc(1, sizeof(*mailbox));

	if (mailbox == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	mailbox->item_bytes = item_bytes;
	mailbox->count_max = count_max;
	mailbox->items = calloc(count_max, item_bytes);
	mailbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&mailbox->mutex, NULL);
	if (mailbox->items == NULL || mailbox->fd < 0) {
		int rc = mailbox->fd < 0 ? -errno : -ENOMEM;

		vrms_mailbox_free(mailbox);
		return vrms_error_errno(error, rc, "mailbox");
	}
	*ret_mailbox = mailbox;
	return 0;
}

void vrms_mailbox_free(struct vrms_mailbox *mailbox)
{
	if (mailbox == NULL) {
		return;
	}
	if (mailbox->fd >= 0) {
		close(mailbox->fd);
	}
	pthread_mutex_destroy(&mailbox->mutex);
	free(mailbox->items);
	free(mailbox);
}

int vrms_mailbox_fd(const struct vrms_mailbox *mailbox)
{
	return mailbox->fd;
}

void vrms_mailbox_put(struct vrms_mailbox *mailbox, const void *item)
{
	static const uint64_t one = 1;

	pthread_mutex_lock(&mailbox->mutex);
	if (mailbox->count == mailbox->count_max) {
		mailbox->has_lost = true;
	} else {
		unsigned at = (mailbox->first + mailbox->count++) % mailbox->count_max;

		memcpy(mailbox->items + at * mailbox->item_bytes, item, mailbox->item_bytes);
	}
	pthread_mutex_unlock(&mailbox->mutex);
	/* Fails only when the counter is full, and then the reader is awake anyway. */
	(void)!write(mailbox->fd, &one, sizeof(one));
}

bool vrms_mailbox_take(struct vrms_mailbox *mailbox, void *ret_item)
{
	uint64_t count;

	pthread_mutex_lock(&mailbox->mutex);
	bool has_item = mailbox->count > 0;

	if (has_item) {
		memcpy(ret_item, mailbox->items + mailbox->first * mailbox->item_bytes,
		       mailbox->item_bytes);
		mailbox->first = (mailbox->first + 1) % mailbox->count_max;
		mailbox->count--;
	} else {
		(void)!read(mailbox->fd, &count, sizeof(count));
	}
	pthread_mutex_unlock(&mailbox->mutex);
	return has_item;
}

bool vrms_mailbox_has_lost(struct vrms_mailbox *mailbox)
{
	pthread_mutex_lock(&mailbox->mutex);
	bool has_lost = mailbox->has_lost;

	mailbox->has_lost = false;
	pthread_mutex_unlock(&mailbox->mutex);
	return has_lost;
}
