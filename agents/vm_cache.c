/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/vm_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

/* The file, one line each, in this order; then one "param NAME=VALUE" for every parameter:
 *
 *     vrms-vm-cache 1
 *     domain vm1
 *     uuid 77000000-0000-4000-9000-000000000001
 *     uri qemu:///system
 *     config /srv/vm/vm1.xml
 *     config-id <device> <inode> <bytes> <modified ns> <changed ns>
 */
static const char MAGIC[] = "vrms-vm-cache 1\n";
static const char PARAM_PREFIX[] = "OCF_RESKEY_";
enum { PARAM_PREFIX_LENGTH = sizeof(PARAM_PREFIX) - 1 };
enum { CACHE_BYTES_MAX = 64 * 1024 };

/* --- Identity of the configuration file ------------------------------------------- */

static int64_t ns_of(const struct statx_timestamp *time)
{
	return time->tv_sec * INT64_C(1000000000) + time->tv_nsec;
}

int vrms_vm_config_identify(const char *path, struct vrms_vm_config_id *ret_id,
			    struct vrms_error *error)
{
	struct statx attributes;

	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &attributes) < 0) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	*ret_id = (struct vrms_vm_config_id){
	    .device = (uint64_t)attributes.stx_dev_major << 32 | attributes.stx_dev_minor,
	    .inode = attributes.stx_ino,
	    .bytes = attributes.stx_size,
	    .modified_ns = ns_of(&attributes.stx_mtime),
	    .changed_ns = ns_of(&attributes.stx_ctime),
	};
	return 0;
}

static bool is_same_file(const struct vrms_vm_config_id *a, const struct vrms_vm_config_id *b)
{
	return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
	       a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

int vrms_vm_cache_path(const char *folder, const char *instance, const char *kind, char *buffer,
		       size_t buffer_bytes)
{
	if (folder == NULL || folder[0] == '\0') {
		folder = getenv("HA_RSCTMP");
	}
	if (folder == NULL || folder[0] == '\0') {
		folder = "/run/resource-agents";
	}
	if (strchr(instance, '/') != NULL) {
		return -EINVAL;
	}

	int length =
	    snprintf(buffer, buffer_bytes, "%s/VirtualMachine-%s.%s", folder, instance, kind);
	return length < 0 || (size_t)length >= buffer_bytes ? -ENAMETOOLONG : 0;
}

/* --- Parameters ------------------------------------------------------------------- */

/* "NAME=VALUE" behind OCF_RESKEY_ when this variable is a parameter that counts, else NULL. */
static const char *as_param(const char *variable)
{
	static const char *const passing[] = {"CRM_meta_", "OCF_CHECK_LEVEL=", "crm_feature_set="};

	if (strncmp(variable, PARAM_PREFIX, PARAM_PREFIX_LENGTH) != 0) {
		return NULL;
	}
	const char *param = variable + PARAM_PREFIX_LENGTH;
	for (size_t i = 0; i < VRMS_COUNT_OF(passing); i++) {
		if (strncmp(param, passing[i], strlen(passing[i])) == 0) {
			return NULL;
		}
	}
	return param;
}

static bool has_param(char *const *environment, const char *param)
{
	for (char *const *variable = environment; *variable != NULL; variable++) {
		const char *own = as_param(*variable);
		if (own != NULL && strcmp(own, param) == 0) {
			return true;
		}
	}
	return false;
}

static size_t count_params(char *const *environment)
{
	size_t count = 0;

	for (char *const *variable = environment; *variable != NULL; variable++) {
		count += as_param(*variable) != NULL ? 1 : 0;
	}
	return count;
}

/* --- Writing ------------------------------------------------------------------------ */

static int check_line(const char *text, struct vrms_error *error)
{
	if (strchr(text, '\n') != NULL) {
		return vrms_error_set(error, -EINVAL, "\"%s\": has a line break", text);
	}
	return 0;
}

static int check_lines(const struct vrms_vm_cache *cache, char *const *environment,
		       struct vrms_error *error)
{
	const char *const texts[] = {cache->domain, cache->uuid, cache->uri, cache->config};
	int rc = 0;

	for (size_t i = 0; i < VRMS_COUNT_OF(texts) && rc == 0; i++) {
		rc = check_line(texts[i], error);
	}
	for (char *const *variable = environment; *variable != NULL && rc == 0; variable++) {
		rc = as_param(*variable) != NULL ? check_line(*variable, error) : 0;
	}
	return rc;
}

static void print_cache(FILE *out, const struct vrms_vm_cache *cache, char *const *environment)
{
	const struct vrms_vm_config_id *id = &cache->config_id;

	fprintf(out, "%sdomain %s\nuuid %s\nuri %s\nconfig %s\n", MAGIC, cache->domain, cache->uuid,
		cache->uri, cache->config);
	fprintf(out, "config-id %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 "\n",
		id->device, id->inode, id->bytes, id->modified_ns, id->changed_ns);
	for (char *const *variable = environment; *variable != NULL; variable++) {
		const char *param = as_param(*variable);
		if (param != NULL) {
			fprintf(out, "param %s\n", param);
		}
	}
}

static int make_folder_of(const char *path, struct vrms_error *error)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path) {
		return 0;
	}
	(void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	return access(folder, F_OK) == 0 ? 0 : vrms_file_mkdir_all(folder, 0755, error);
}

int vrms_vm_cache_write(const char *path, const struct vrms_vm_cache *cache,
			char *const *environment, struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	size_t bytes = 0;

	int rc = check_lines(cache, environment, error);
	if (rc < 0) {
		return rc;
	}
	FILE *out = open_memstream(&text, &bytes);
	if (out == NULL) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	print_cache(out, cache, environment);
	if (fclose(out) != 0) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	if (bytes >= CACHE_BYTES_MAX) {
		return vrms_error_set(error, -EINVAL, "%s: parameters of %zu bytes are too long",
				      path, bytes);
	}

	rc = make_folder_of(path, error);
	return rc < 0 ? rc : vrms_file_write(path, text, bytes, 0600, error);
}

/* --- Reading ------------------------------------------------------------------------ */

/* A forged file could make a dead guest look healthy: only one that we alone can write counts. */
static int check_file(int fd, int64_t now_s)
{
	struct stat attributes;

	if (fstat(fd, &attributes) < 0) {
		return -errno;
	}
	if (!S_ISREG(attributes.st_mode) || attributes.st_uid != geteuid() ||
	    (attributes.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
	    attributes.st_size >= CACHE_BYTES_MAX) {
		return -EBADMSG;
	}
	/* From the future: the clock was set back, and the file's age is not known. */
	int64_t age_s = now_s - attributes.st_mtim.tv_sec;
	return age_s < 0 || age_s > VRMS_VM_CACHE_AGE_MAX_S ? -ESTALE : 0;
}

static int read_text(const char *path, int64_t now_s, char **ret_text)
{
	int fd VRMS_CLEANUP(vrms_closep) = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		return errno == ELOOP ? -EBADMSG : -errno;
	}
	int rc = check_file(fd, now_s);
	if (rc < 0) {
		return rc;
	}

	char *text VRMS_CLEANUP(vrms_freep) = malloc(CACHE_BYTES_MAX);
	if (text == NULL) {
		return -ENOMEM;
	}
	ssize_t got = read(fd, text, CACHE_BYTES_MAX - 1);
	if (got < 0) {
		return -errno;
	}
	text[got] = '\0';
	if (strlen(text) != (size_t)got || got == 0 || text[got - 1] != '\n') {
		return -EBADMSG;
	}
	*ret_text = VRMS_TAKE(text);
	return 0;
}

/* Takes the next line off *text; it must start with "<key> ". */
static int take_line(char **text, const char *key, const char **ret_value)
{
	size_t length = strlen(key);
	char *end = strchr(*text, '\n');

	if (end == NULL || strncmp(*text, key, length) != 0 || (*text)[length] != ' ') {
		return -EBADMSG;
	}
	*end = '\0';
	*ret_value = *text + length + 1;
	*text = end + 1;
	return 0;
}

static int take_text(char **text, const char *key, char *field, size_t field_bytes)
{
	const char *value;

	int rc = take_line(text, key, &value);
	if (rc < 0) {
		return rc;
	}
	if (strlen(value) >= field_bytes) {
		return -EBADMSG;
	}
	strcpy(field, value);
	return 0;
}

static int take_config_id(char **text, struct vrms_vm_config_id *id)
{
	const char *value;
	int end = -1;

	int rc = take_line(text, "config-id", &value);
	if (rc < 0) {
		return rc;
	}
	int count =
	    sscanf(value, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNd64 " %" SCNd64 "%n",
		   &id->device, &id->inode, &id->bytes, &id->modified_ns, &id->changed_ns, &end);
	return count == 5 && end > 0 && value[end] == '\0' ? 0 : -EBADMSG;
}

static int take_cache(char **text, struct vrms_vm_cache *cache)
{
	if (strncmp(*text, MAGIC, sizeof(MAGIC) - 1) != 0) {
		return -EBADMSG;
	}
	*text += sizeof(MAGIC) - 1;

	int rc = take_text(text, "domain", cache->domain, sizeof(cache->domain));
	rc = rc < 0 ? rc : take_text(text, "uuid", cache->uuid, sizeof(cache->uuid));
	rc = rc < 0 ? rc : take_text(text, "uri", cache->uri, sizeof(cache->uri));
	rc = rc < 0 ? rc : take_text(text, "config", cache->config, sizeof(cache->config));
	return rc < 0 ? rc : take_config_id(text, &cache->config_id);
}

/* The rest of the file must be the parameters of this call, all of them and no other. */
static int check_params(char *text, char *const *environment)
{
	size_t count = 0;

	while (*text != '\0') {
		const char *param;
		int rc = take_line(&text, "param", &param);
		if (rc < 0) {
			return rc;
		}
		if (!has_param(environment, param)) {
			return -ESTALE;
		}
		count++;
	}
	return count == count_params(environment) ? 0 : -ESTALE;
}

static int check_config(const struct vrms_vm_cache *cache)
{
	struct vrms_vm_config_id now;

	if (vrms_vm_config_identify(cache->config, &now, NULL) < 0) {
		return -ESTALE; /* whatever it means, it is another situation than then */
	}
	return is_same_file(&now, &cache->config_id) ? 0 : -ESTALE;
}

static int read_cache(const char *path, char *const *environment, int64_t now_s,
		      struct vrms_vm_cache *cache)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;

	int rc = read_text(path, now_s, &text);
	if (rc < 0) {
		return rc;
	}
	char *rest = text;
	rc = take_cache(&rest, cache);
	rc = rc < 0 ? rc : check_params(rest, environment);
	return rc < 0 ? rc : check_config(cache);
}

int vrms_vm_cache_read(const char *path, char *const *environment, int64_t now_s,
		       struct vrms_vm_cache *ret_cache, struct vrms_error *error)
{
	struct vrms_vm_cache cache;

	int rc = read_cache(path, environment, now_s, &cache);
	if (rc < 0) {
		return vrms_error_errno(error, rc, "%s", path);
	}
	*ret_cache = cache;
	return 0;
}

int vrms_vm_cache_remove(const char *path, struct vrms_error *error)
{
	if (unlink(path) < 0 && errno != ENOENT) {
		return vrms_error_errno(error, -errno, "%s", path);
	}
	return 0;
}
