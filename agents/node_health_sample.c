/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/node_health_sample.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agents/libvirt_rpc.h"
#include "agents/worker.h"
#include "common/file.h"

enum {
	TEXT_BYTES_MAX = 4 << 20,
	SAN_READ_BYTES = 4096,
	SAN_MS_MAX = 5000, /* a read that takes longer is given up: that long it counts */
	LIBVIRT_MS_MAX = 2000,
};
static const double SAN_FAILED_MS = 1e6;

static int read_text(const char *root, const char *name, char **ret_text, struct vrms_error *error)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	return vrms_file_read(path, TEXT_BYTES_MAX, ret_text, NULL, error);
}

static int read_pressure(const struct vrms_health_sources *sources, const char *name,
			 double *ret_value, struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = read_text(sources->proc_root, name, &text, error);

	if (rc == 0 && vrms_health_psi_parse(text, ret_value) < 0) {
		rc = vrms_error_set(error, -EPROTO, "%s: no \"full avg10\"", name);
	}
	return rc == -EOPNOTSUPP ? -ENOENT : rc; /* psi=0 */
}

/* The sum of numbers, one a file, decimal or "0x" hexadecimal. */
static int sum_files(const char *root, const char *pattern, double *ret_sum,
		     struct vrms_error *error)
{
	char path[PATH_MAX];
	glob_t found;
	double sum = 0;
	size_t count = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", root, pattern);
	if (glob(path, 0, NULL, &found) != 0) {
		return vrms_error_set(error, -ENOENT, "there is no %s", path);
	}
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char *text VRMS_CLEANUP(vrms_freep) = NULL;

		if (vrms_file_read(found.gl_pathv[i], 64, &text, NULL, error) == 0) {
			sum += (double)strtoull(text, NULL, 0);
			count++;
		}
	}
	globfree(&found);
	if (count == 0) {
		return -EIO;
	}
	*ret_sum = sum;
	return 0;
}

static int read_machine_checks(const struct vrms_health_sources *sources, double *ret_value,
			       struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	int rc = read_text(sources->proc_root, "interrupts", &text, error);

	if (rc == 0 && vrms_health_interrupts_parse(text, "MCE", ret_value) < 0) {
		rc = vrms_error_set(error, -ENOENT, "interrupts: no row \"MCE\"");
	}
	return rc;
}

/* --- The SAN: a read that may never return --------------------------------------------------- */

struct san_read {
	struct vrms_job job; /* first */
	char *path;
};

static int run_san_read(struct vrms_job *job)
{
	struct san_read *read_job = (struct san_read *)job;
	void *buffer VRMS_CLEANUP(vrms_freep) = NULL;
	int fd VRMS_CLEANUP(vrms_closep) = open(read_job->path, O_RDONLY | O_DIRECT | O_CLOEXEC);

	if (fd < 0) {
		return vrms_error_errno(&job->error, -errno, "%s", read_job->path);
	}
	if (posix_memalign(&buffer, SAN_READ_BYTES, SAN_READ_BYTES) != 0) {
		return -ENOMEM;
	}
	ssize_t size = pread(fd, buffer, SAN_READ_BYTES, 0);
	if (size < 0) {
		return vrms_error_errno(&job->error, -errno, "%s", read_job->path);
	}
	return size > 0 ? 0
			: vrms_error_set(&job->error, -ENODATA, "%s: it is empty", read_job->path);
}

static void free_san_read(struct vrms_job *job)
{
	free(((struct san_read *)job)->path);
	free(job);
}

static int64_t earlier(int64_t a_ms, int64_t b_ms)
{
	return a_ms < b_ms ? a_ms : b_ms;
}

static int read_san_latency(const struct vrms_health_sources *sources, double *ret_value,
			    struct vrms_error *error)
{
	int64_t begin_ms = vrms_clock_now_ms(sources->clock);
	struct vrms_worker *worker = vrms_worker_new();
	struct san_read *read_job = calloc(1, sizeof(*read_job));

	if (sources->san_device == NULL || worker == NULL || read_job == NULL ||
	    (read_job->path = strdup(sources->san_device)) == NULL) {
		free(read_job);
		vrms_worker_free(worker);
		return vrms_error_set(error, sources->san_device == NULL ? -ENOENT : -ENOMEM,
				      "san_device is not set");
	}
	read_job->job.run = run_san_read;
	read_job->job.free = free_san_read;
	int rc = vrms_worker_begin(worker, &read_job->job);
	if (rc < 0) {
		free_san_read(&read_job->job);
	} else {
		rc = vrms_worker_wait(worker, sources->clock,
				      earlier(begin_ms + SAN_MS_MAX, sources->deadline_ms), true);
		*ret_value = (double)(vrms_clock_now_ms(sources->clock) - begin_ms);
		if (rc == 0) {
			*ret_value = read_job->job.rc < 0 ? SAN_FAILED_MS : *ret_value;
			free_san_read(&read_job->job);
		} else { /* what hangs for that long is a SAN that is gone */
			*ret_value = SAN_MS_MAX;
			rc = 0;
		}
	}
	vrms_worker_free(worker);
	return rc;
}

/* --- libvirtd, memory --------------------------------------------------------------------------
 */

/* Any answer will do, for it shows that somebody listens. */
static int read_libvirtd(const struct vrms_health_sources *sources, double *ret_value,
			 struct vrms_error *error)
{
	static const struct vrms_libvirt_question question = {
	    .uri = "qemu:///system",
	    .domain = "none",
	    .uuid = "00000000-0000-0000-0000-000000000000",
	};
	struct vrms_libvirt_answer answer;
	int64_t deadline_ms =
	    earlier(vrms_clock_now_ms(sources->clock) + LIBVIRT_MS_MAX, sources->deadline_ms);
	int fd VRMS_CLEANUP(vrms_closep) = vrms_libvirt_connect(vrms_libvirt_sockets(), error);
	int rc = fd < 0
		     ? fd
		     : vrms_libvirt_ask(fd, &question, sources->clock, deadline_ms, &answer, error);
	bool is_answer = rc == 0 || rc == -ENOMEDIUM || rc == -EREMOTEIO || rc == -EACCES;

	*ret_value = is_answer ? 0 : 1;
	return 0;
}

static int read_failover(const struct vrms_health_sources *sources, double *ret_value,
			 struct vrms_error *error)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;
	double need_mib = (double)sources->failover_need_mib, free_mib;

	if (need_mib <= 0) {
		return vrms_error_set(error, -ENOENT, "failover_need is not set");
	}
	int rc = read_text(sources->proc_root, "meminfo", &text, error);
	if (rc == 0 && vrms_health_meminfo_parse(text, "MemAvailable", &free_mib) < 0) {
		rc = vrms_error_set(error, -EPROTO, "meminfo: no MemAvailable");
	}
	if (rc == 0) {
		*ret_value = free_mib >= need_mib ? 0 : 100.0 * (need_mib - free_mib) / need_mib;
	}
	return rc;
}

int vrms_health_read(const struct vrms_health_sources *sources, enum vrms_health_signal signal,
		     double *ret_value, struct vrms_error *error)
{
	const char *sys = sources->sys_root;

	switch (signal) {
	case VRMS_HEALTH_MEMORY_PRESSURE:
		return read_pressure(sources, "pressure/memory", ret_value, error);
	case VRMS_HEALTH_IO_PRESSURE:
		return read_pressure(sources, "pressure/io", ret_value, error);
	case VRMS_HEALTH_EDAC_CORRECTED:
		return sum_files(sys, "devices/system/edac/mc/mc*/ce_count", ret_value, error);
	case VRMS_HEALTH_EDAC_UNCORRECTED:
		return sum_files(sys, "devices/system/edac/mc/mc*/ue_count", ret_value, error);
	case VRMS_HEALTH_MACHINE_CHECKS:
		return read_machine_checks(sources, ret_value, error);
	case VRMS_HEALTH_THERMAL_THROTTLE:
		return sum_files(sys,
				 "devices/system/cpu/cpu*/thermal_throttle/core_throttle_count",
				 ret_value, error);
	case VRMS_HEALTH_DISK_ERRORS:
		return sum_files(sys, "block/*/device/ioerr_cnt", ret_value, error);
	case VRMS_HEALTH_SAN_LATENCY:
		return read_san_latency(sources, ret_value, error);
	case VRMS_HEALTH_LIBVIRTD:
		return read_libvirtd(sources, ret_value, error);
	default:
		return read_failover(sources, ret_value, error);
	}
}

/* "0-3,5": five processors. */
static int64_t count_processors(const char *text)
{
	int64_t count = 0;

	for (const char *at = text; *at >= '0' && *at <= '9';) {
		char *end;
		long first = strtol(at, &end, 10), last = first;

		if (*end == '-') {
			last = strtol(end + 1, &end, 10);
		}
		count += last - first + 1;
		at = end + (*end == ',');
	}
	return count;
}

int vrms_health_capacity(const struct vrms_health_sources *sources, int64_t *ret_cpu_count,
			 int64_t *ret_memory_mib, struct vrms_error *error)
{
	char *online VRMS_CLEANUP(vrms_freep) = NULL;
	char *memory VRMS_CLEANUP(vrms_freep) = NULL;
	double total_mib;
	int rc = read_text(sources->sys_root, "devices/system/cpu/online", &online, error);

	if (rc == 0) {
		rc = read_text(sources->proc_root, "meminfo", &memory, error);
	}
	if (rc == 0 && vrms_health_meminfo_parse(memory, "MemTotal", &total_mib) < 0) {
		rc = vrms_error_set(error, -EPROTO, "meminfo: no MemTotal");
	}
	if (rc == 0) {
		*ret_cpu_count = count_processors(online);
		*ret_memory_mib = (int64_t)total_mib;
	}
	return rc;
}
