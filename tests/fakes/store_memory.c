/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fakes/store_memory.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/random.h"

enum { FILES_MAX = 4096 };

struct content {
	uint8_t *data;
	uint64_t bytes;
};

struct file {
	struct store_memory *memory;
	char *path;         /* as seen; NULL: removed */
	char *durable_path; /* NULL: the name is not durable */
	struct content seen, durable;
	uint64_t unreadable; /* 1 + offset of a byte that cannot be read; 0: none */
};

struct store_memory {
	struct vrms_store port;
	pthread_mutex_t lock;
	struct file *files[FILES_MAX]; /* never moved: handles point to them */
	size_t count;
	uint64_t calls;
	uint64_t fail_at;
};

static void copy_content(struct content *to, const struct content *from)
{
	uint8_t *data = malloc(from->bytes + 1);

	if (from->bytes > 0) {
		memcpy(data, from->data, from->bytes);
	}
	free(to->data);
	to->data = data;
	to->bytes = from->bytes;
}

static void resize(struct content *content, uint64_t bytes)
{
	content->data = realloc(content->data, bytes + 1);
	if (bytes > content->bytes) {
		memset(content->data + content->bytes, 0, bytes - content->bytes);
	}
	content->bytes = bytes;
}

static bool change_fails(struct store_memory *memory)
{
	memory->calls++;
	return memory->fail_at > 0 && memory->calls >= memory->fail_at;
}

static struct file *find(struct store_memory *memory, const char *path)
{
	for (size_t i = 0; i < memory->count; i++) {
		if (memory->files[i]->path != NULL && strcmp(memory->files[i]->path, path) == 0) {
			return memory->files[i];
		}
	}
	return NULL;
}

static int create(void *context, const char *path, void **ret_file, struct vrms_error *error)
{
	struct store_memory *memory = context;
	struct file *file;
	int rc = 0;

	pthread_mutex_lock(&memory->lock);
	if (change_fails(memory)) {
		rc = vrms_error_set(error, -EIO, "%s: power lost", path);
	} else if (find(memory, path) != NULL) {
		rc = vrms_error_set(error, -EEXIST, "%s: exists", path);
	} else if (memory->count == FILES_MAX) {
		rc = vrms_error_set(error, -ENOSPC, "%s: no space", path);
	} else {
		file = calloc(1, sizeof(*file));
		file->memory = memory;
		file->path = strdup(path);
		memory->files[memory->count++] = file;
		*ret_file = file;
	}
	pthread_mutex_unlock(&memory->lock);
	return rc;
}

static int open_file(void *context, const char *path, void **ret_file, uint64_t *ret_bytes,
		     struct vrms_error *error)
{
	struct store_memory *memory = context;
	struct file *file;

	pthread_mutex_lock(&memory->lock);
	file = find(memory, path);
	pthread_mutex_unlock(&memory->lock);
	if (file == NULL) {
		return vrms_error_set(error, -ENOENT, "%s: no such file", path);
	}
	*ret_file = file;
	*ret_bytes = file->seen.bytes;
	return 0;
}

static int read_file(void *context, void *buffer, size_t size, uint64_t offset)
{
	const struct file *file = context;

	if (offset > file->seen.bytes || size > file->seen.bytes - offset) {
		return -EBADMSG;
	}
	if (file->unreadable > offset && file->unreadable <= offset + size) {
		return -EIO;
	}
	if (size > 0) {
		memcpy(buffer, file->seen.data + offset, size);
	}
	return 0;
}

static int write_file(void *context, const void *buffer, size_t size, uint64_t offset)
{
	struct file *file = context;
	bool fails;

	pthread_mutex_lock(&file->memory->lock);
	fails = change_fails(file->memory);
	size = fails ? size / 2 : size;
	if (offset + size > file->seen.bytes) {
		resize(&file->seen, offset + size);
	}
	if (size > 0) { /* an empty file has no data at all */
		memcpy(file->seen.data + offset, buffer, size);
	}
	pthread_mutex_unlock(&file->memory->lock);
	return fails ? -EIO : 0;
}

static int sync_file(void *context, uint64_t bytes)
{
	struct file *file = context;
	bool fails;

	pthread_mutex_lock(&file->memory->lock);
	fails = change_fails(file->memory);
	resize(&file->seen, bytes);
	if (!fails) {
		copy_content(&file->durable, &file->seen);
	}
	pthread_mutex_unlock(&file->memory->lock);
	return fails ? -EIO : 0;
}

static void close_file(void *context)
{
	(void)context; /* the file belongs to the memory */
}

static int publish(void *context, const char *from, const char *to, struct vrms_error *error)
{
	struct store_memory *memory = context;
	struct file *file, *old;
	int rc = 0;

	pthread_mutex_lock(&memory->lock);
	file = find(memory, from);
	old = find(memory, to);
	if (file == NULL) {
		rc = vrms_error_set(error, -ENOENT, "%s: no such file", from);
	} else {
		bool fails = change_fails(memory);

		if (old != NULL) {
			free(old->path);
			old->path = NULL;
		}
		free(file->path);
		file->path = strdup(to);
		if (fails) { /* seen, but perhaps not for ever */
			rc = vrms_error_set(error, -EIO, "%s: power lost", to);
		} else {
			if (old != NULL) {
				free(old->durable_path);
				old->durable_path = NULL;
			}
			free(file->durable_path);
			file->durable_path = strdup(to);
		}
	}
	pthread_mutex_unlock(&memory->lock);
	return rc;
}

static int remove_file(void *context, const char *path, struct vrms_error *error)
{
	struct store_memory *memory = context;
	struct file *file;
	bool fails;

	pthread_mutex_lock(&memory->lock);
	fails = change_fails(memory);
	file = find(memory, path);
	if (file != NULL && !fails) {
		free(file->path);
		file->path = NULL;
		free(file->durable_path);
		file->durable_path = NULL;
	}
	pthread_mutex_unlock(&memory->lock);
	return fails ? vrms_error_set(error, -EIO, "%s: power lost", path) : 0;
}

/* Adds the path's next element below folder, once. */
static int list_one(const char *folder, const struct file *file, struct vrms_store_list *list)
{
	const char *rest = file->path;
	char name[256];
	size_t length;

	if (strcmp(folder, ".") != 0) {
		size_t size = strlen(folder);

		if (strncmp(rest, folder, size) != 0 || rest[size] != '/') {
			return 0;
		}
		rest += size + 1;
	}
	length = strcspn(rest, "/");
	snprintf(name, sizeof(name), "%.*s", (int)length, rest);
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->rows[i].name, name) == 0) {
			return 0;
		}
	}
	return vrms_store_list_add(list, name, rest[length] == '/' ? 0 : file->seen.bytes);
}

static int list_folder(void *context, const char *folder, struct vrms_store_list *ret_list,
		       struct vrms_error *error)
{
	struct store_memory *memory = context;
	int rc = 0;

	(void)error;
	memset(ret_list, 0, sizeof(*ret_list));
	pthread_mutex_lock(&memory->lock);
	for (size_t i = 0; i < memory->count && rc == 0; i++) {
		if (memory->files[i]->path != NULL) {
			rc = list_one(folder, memory->files[i], ret_list);
		}
	}
	pthread_mutex_unlock(&memory->lock);
	vrms_store_list_sort(ret_list);
	return rc;
}

static int make_folder(void *context, const char *path, struct vrms_error *error)
{
	struct store_memory *memory = context;
	bool fails;

	pthread_mutex_lock(&memory->lock);
	fails = change_fails(memory);
	pthread_mutex_unlock(&memory->lock);
	return fails ? vrms_error_set(error, -EIO, "%s: power lost", path) : 0;
}

struct store_memory *store_memory_new(void)
{
	struct store_memory *memory = calloc(1, sizeof(*memory));

	pthread_mutex_init(&memory->lock, NULL);
	memory->port = (struct vrms_store){
	    .context = memory,
	    .create = create,
	    .open = open_file,
	    .read = read_file,
	    .write = write_file,
	    .sync = sync_file,
	    .close = close_file,
	    .publish = publish,
	    .remove = remove_file,
	    .list = list_folder,
	    .folder = make_folder,
	};
	return memory;
}

static void free_file(struct file *file)
{
	free(file->path);
	free(file->durable_path);
	free(file->seen.data);
	free(file->durable.data);
	free(file);
}

void store_memory_free(struct store_memory *memory)
{
	for (size_t i = 0; i < memory->count; i++) {
		free_file(memory->files[i]);
	}
	pthread_mutex_destroy(&memory->lock);
	free(memory);
}

const struct vrms_store *store_memory_port(struct store_memory *memory)
{
	return &memory->port;
}

void store_memory_fail_at(struct store_memory *memory, uint64_t call)
{
	memory->fail_at = call > 0 ? memory->calls + call : 0;
}

uint64_t store_memory_calls(const struct store_memory *memory)
{
	return memory->calls;
}

/* What the disk has of one file when the power is back. */
static void settle(struct file *file, struct vrms_random *random)
{
	bool keeps_name = vrms_random_below(random, 2) == 0;
	bool keeps_data = vrms_random_below(random, 2) == 0;

	if (!keeps_name || file->path == NULL) {
		free(file->path);
		file->path = file->durable_path != NULL ? strdup(file->durable_path) : NULL;
	}
	if (!keeps_data) {
		copy_content(&file->seen, &file->durable);
	} else if (file->seen.bytes > file->durable.bytes) {
		uint64_t more = file->seen.bytes - file->durable.bytes;

		resize(&file->seen, file->durable.bytes + vrms_random_below(random, more + 1));
	}
	copy_content(&file->durable, &file->seen);
	free(file->durable_path);
	file->durable_path = file->path != NULL ? strdup(file->path) : NULL;
}

/* Two files may now claim one name: an old one whose removal was lost and its replacement.
 * The later creation is the replacement; a rename is atomic, so only one is there. */
static void drop_doubles(struct store_memory *memory)
{
	for (size_t i = 0; i < memory->count; i++) {
		struct file *file = memory->files[i];

		if (file->path != NULL && find(memory, file->path) != file) {
			struct file *older = find(memory, file->path);

			free(older->path);
			older->path = NULL;
			free(older->durable_path);
			older->durable_path = NULL;
		}
	}
}

void store_memory_crash(struct store_memory *memory, uint64_t seed)
{
	struct vrms_random random;
	size_t kept = 0;

	vrms_random_init(&random, seed);
	memory->fail_at = 0;
	for (size_t i = 0; i < memory->count; i++) {
		settle(memory->files[i], &random);
	}
	drop_doubles(memory);
	for (size_t i = 0; i < memory->count; i++) {
		if (memory->files[i]->path != NULL) {
			memory->files[kept++] = memory->files[i];
		} else {
			free_file(memory->files[i]);
		}
	}
	memory->count = kept;
}

static struct file *find_nth(struct store_memory *memory, const char *prefix, unsigned int nth)
{
	for (size_t i = 0; i < memory->count; i++) {
		struct file *file = memory->files[i];

		if (file->path != NULL && strncmp(file->path, prefix, strlen(prefix)) == 0 &&
		    nth-- == 0) {
			return file;
		}
	}
	return NULL;
}

const char *store_memory_damage(struct store_memory *memory, const char *prefix, unsigned int nth,
				int64_t offset)
{
	struct file *file = find_nth(memory, prefix, nth);

	if (file == NULL) {
		return NULL;
	}
	if (offset < 0) {
		offset += (int64_t)file->seen.bytes;
	}
	if (offset < 0 || (uint64_t)offset >= file->seen.bytes) {
		return NULL;
	}
	file->seen.data[offset] ^= 0x10;
	return file->path;
}

bool store_memory_spoil(struct store_memory *memory, const char *prefix, unsigned int nth,
			uint64_t offset)
{
	struct file *file = find_nth(memory, prefix, nth);

	if (file != NULL) {
		file->unreadable = offset < file->seen.bytes ? 1 + offset : 0;
	}
	return file != NULL && file->unreadable > 0;
}

uint64_t store_memory_bytes(struct store_memory *memory, const char *prefix)
{
	uint64_t bytes = 0;
	const struct file *file;

	for (unsigned int i = 0; (file = find_nth(memory, prefix, i)) != NULL; i++) {
		bytes += file->seen.bytes;
	}
	return bytes;
}

unsigned int store_memory_count(struct store_memory *memory, const char *prefix)
{
	unsigned int count = 0;

	while (find_nth(memory, prefix, count) != NULL) {
		count++;
	}
	return count;
}

void store_memory_lose(struct store_memory *memory, const char *prefix, unsigned int nth)
{
	struct file *file = find_nth(memory, prefix, nth);

	if (file != NULL) {
		free(file->path);
		file->path = NULL;
		free(file->durable_path);
		file->durable_path = NULL;
	}
}

bool store_memory_contains(struct store_memory *memory, const char *text)
{
	for (size_t i = 0; i < memory->count; i++) {
		const struct content *content = &memory->files[i]->seen;

		if (content->bytes > 0 &&
		    memmem(content->data, content->bytes, text, strlen(text)) != NULL) {
			return true;
		}
	}
	return false;
}
