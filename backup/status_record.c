/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backup/status_record.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backup/document.h"

static const char path[] = "status";

static const char *const cares[VRMS_STATUS_CARE_COUNT] = {"verify", "sample", "prune"};

int vrms_status_read(struct vrms_repository *repository, json_t **ret_record,
		     struct vrms_error *error)
{
	json_t *record VRMS_CLEANUP(json_decrefp) = NULL;
	struct vrms_error why = {0};
	int rc = vrms_document_read(vrms_repository_store(repository), path,
				    vrms_repository_master(repository), &record, &why);

	if (rc < 0 && rc != -ENOENT && !vrms_store_is_damage(rc)) {
		return vrms_error_set(error, rc, "%s", why.text);
	}
	if (rc < 0 || !json_is_object(record)) {
		json_decref(record);
		record = json_object();
	}
	if (record == NULL) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	*ret_record = VRMS_TAKE(record);
	return 0;
}

static int64_t number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static const char *text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value != NULL ? value : "";
}

int64_t vrms_status_care(const json_t *record, enum vrms_status_care care, int64_t *ret_findings)
{
	const json_t *row = json_object_get(record, cares[care]);

	if (ret_findings != NULL) {
		*ret_findings = number(row, "findings");
	}
	return number(row, "time_s");
}

static const json_t *vm_row(const json_t *record, const char *vm)
{
	return json_object_get(json_object_get(record, "vms"), vm);
}

struct vrms_status_attempt vrms_status_attempt(const json_t *record, const char *vm)
{
	const json_t *row = json_object_get(vm_row(record, vm), "failure");

	return (struct vrms_status_attempt){
	    .failed_s = number(row, "time_s"),
	    .failed_count = (uint32_t)number(row, "count"),
	    .host = text(row, "host"),
	    .text = text(row, "text"),
	};
}

static int write_record(struct vrms_repository *repository, json_t *record,
			struct vrms_error *error)
{
	int rc = vrms_repository_guard(repository, error);

	return rc < 0 ? rc
		      : vrms_document_write(vrms_repository_store(repository), path,
					    vrms_repository_master(repository), record, error);
}

int vrms_status_note_care(struct vrms_repository *repository, enum vrms_status_care care,
			  int64_t findings, struct vrms_error *error)
{
	json_t *record VRMS_CLEANUP(json_decrefp) = NULL;
	int rc = vrms_status_read(repository, &record, error);

	if (rc == 0 && json_object_set_new(record, cares[care],
					   json_pack("{s:I,s:I}", "time_s", (json_int_t)time(NULL),
						     "findings", (json_int_t)findings)) != 0) {
		rc = vrms_error_set(error, -ENOMEM, "out of memory");
	}
	return rc < 0 ? rc : write_record(repository, record, error);
}

/* Sets or, with NULL, removes one entry of a VM.  Takes `value` over in every case. */
static int note_vm(struct vrms_repository *repository, const char *vm, const char *name,
		   json_t *value, struct vrms_error *error)
{
	json_t *record VRMS_CLEANUP(json_decrefp) = NULL;
	int rc = vrms_status_read(repository, &record, error);
	json_t *vms, *row;

	if (rc < 0) {
		json_decref(value);
		return rc;
	}
	vms = json_object_get(record, "vms");
	if (!json_is_object(vms)) {
		json_object_set_new(record, "vms", json_object());
		vms = json_object_get(record, "vms");
	}
	row = json_object_get(vms, vm);
	if (!json_is_object(row)) {
		json_object_set_new(vms, vm, json_object());
		row = json_object_get(vms, vm);
	}
	if (value == NULL) {
		json_object_del(row, name);
	} else if (json_object_set_new(row, name, value) != 0) {
		return vrms_error_set(error, -ENOMEM, "out of memory");
	}
	return write_record(repository, record, error);
}

int vrms_status_note_attempt(struct vrms_repository *repository, const char *vm,
			     const char *failure, struct vrms_error *error)
{
	json_t *record VRMS_CLEANUP(json_decrefp) = NULL;
	struct vrms_status_attempt last;
	json_t *value = NULL;
	char host[80] = "";
	int rc = vrms_status_read(repository, &record, error);

	if (rc < 0) {
		return rc;
	}
	last = vrms_status_attempt(record, vm);
	if (failure == NULL && last.failed_s == 0) {
		return 0;
	}
	if (failure != NULL) {
		gethostname(host, sizeof(host) - 1);
		value = json_pack("{s:I,s:I,s:s,s:s%}", "time_s", (json_int_t)time(NULL), "count",
				  (json_int_t)last.failed_count + 1, "host", host, "text", failure,
				  strnlen(failure, 500));
		if (value == NULL) {
			return vrms_error_set(error, -ENOMEM, "the failure cannot be noted");
		}
	}
	return note_vm(repository, vm, "failure", value, error);
}
