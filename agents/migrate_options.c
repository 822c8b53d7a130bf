/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/migrate_options.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <string.h>

#include "common/parse.h"

enum word_kind {
	WORD_NOTHING, /* accepted, means what the agent does anyway */
	WORD_FLAG,
	WORD_VALUE,
	WORD_MIGRATEURI,
	WORD_TIMEOUT,
	WORD_TIMEOUT_SUSPEND,
	WORD_TIMEOUT_POSTCOPY,
	WORD_AFTER_PRECOPY,
	WORD_REFUSED,
};

struct word {
	const char *name; /* without the leading "--" */
	enum word_kind kind;
	unsigned int flag;                 /* FLAG; VALUE: set with it */
	const char *field;                 /* VALUE */
	enum vrms_migrate_value_type type; /* VALUE */
	const char *reason;                /* REFUSED */
};

/* Source: "virsh help migrate" of libvirt 9.0. */
static const struct word words[] = {
    {"live", WORD_NOTHING},
    {"verbose", WORD_NOTHING},
    {"direct", WORD_REFUSED, .reason = "only Xen had it"},
    {"p2p", WORD_FLAG, VIR_MIGRATE_PEER2PEER},
    {"tunnelled", WORD_FLAG, VIR_MIGRATE_TUNNELLED | VIR_MIGRATE_PEER2PEER},
    {"copy-storage-all", WORD_FLAG, VIR_MIGRATE_NON_SHARED_DISK},
    {"copy-storage-inc", WORD_FLAG, VIR_MIGRATE_NON_SHARED_INC},
    {"copy-storage-synchronous-writes", WORD_FLAG, VIR_MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES},
    {"change-protection", WORD_FLAG, VIR_MIGRATE_CHANGE_PROTECTION},
    {"unsafe", WORD_FLAG, VIR_MIGRATE_UNSAFE},
    {"compressed", WORD_FLAG, VIR_MIGRATE_COMPRESSED},
    {"auto-converge", WORD_FLAG, VIR_MIGRATE_AUTO_CONVERGE},
    {"rdma-pin-all", WORD_FLAG, VIR_MIGRATE_RDMA_PIN_ALL},
    {"abort-on-error", WORD_FLAG, VIR_MIGRATE_ABORT_ON_ERROR},
    {"persistent", WORD_FLAG, VIR_MIGRATE_PERSIST_DEST},
    {"undefinesource", WORD_FLAG, VIR_MIGRATE_UNDEFINE_SOURCE},
    {"postcopy", WORD_FLAG, VIR_MIGRATE_POSTCOPY},
    {"postcopy-after-precopy", WORD_AFTER_PRECOPY},
    {"zerocopy", WORD_FLAG, VIR_MIGRATE_ZEROCOPY},
    {"tls", WORD_FLAG, VIR_MIGRATE_TLS},
    {"parallel", WORD_FLAG, VIR_MIGRATE_PARALLEL},
    {"migrateuri", WORD_MIGRATEURI},
    {"timeout", WORD_TIMEOUT},
    {"timeout-suspend", WORD_TIMEOUT_SUSPEND},
    {"timeout-postcopy", WORD_TIMEOUT_POSTCOPY},
    {"graphicsuri", WORD_VALUE, 0, VIR_MIGRATE_PARAM_GRAPHICS_URI, VRMS_MIGRATE_STRING},
    {"listen-address", WORD_VALUE, 0, VIR_MIGRATE_PARAM_LISTEN_ADDRESS, VRMS_MIGRATE_STRING},
    {"xml", WORD_VALUE, 0, VIR_MIGRATE_PARAM_DEST_XML, VRMS_MIGRATE_FILE},
    {"persistent-xml", WORD_VALUE, 0, VIR_MIGRATE_PARAM_PERSIST_XML, VRMS_MIGRATE_FILE},
    {"migrate-disks", WORD_VALUE, 0, VIR_MIGRATE_PARAM_MIGRATE_DISKS, VRMS_MIGRATE_LIST},
    {"disks-port", WORD_VALUE, 0, VIR_MIGRATE_PARAM_DISKS_PORT, VRMS_MIGRATE_INT},
    {"disks-uri", WORD_VALUE, 0, VIR_MIGRATE_PARAM_DISKS_URI, VRMS_MIGRATE_STRING},
    {"comp-methods", WORD_VALUE, 0, VIR_MIGRATE_PARAM_COMPRESSION, VRMS_MIGRATE_LIST},
    {"comp-mt-level", WORD_VALUE, 0, VIR_MIGRATE_PARAM_COMPRESSION_MT_LEVEL, VRMS_MIGRATE_INT},
    {"comp-mt-threads", WORD_VALUE, 0, VIR_MIGRATE_PARAM_COMPRESSION_MT_THREADS, VRMS_MIGRATE_INT},
    {"comp-mt-dthreads", WORD_VALUE, 0, VIR_MIGRATE_PARAM_COMPRESSION_MT_DTHREADS,
     VRMS_MIGRATE_INT},
    {"comp-xbzrle-cache", WORD_VALUE, 0, VIR_MIGRATE_PARAM_COMPRESSION_XBZRLE_CACHE,
     VRMS_MIGRATE_ULLONG},
    {"auto-converge-initial", WORD_VALUE, 0, VIR_MIGRATE_PARAM_AUTO_CONVERGE_INITIAL,
     VRMS_MIGRATE_INT},
    {"auto-converge-increment", WORD_VALUE, 0, VIR_MIGRATE_PARAM_AUTO_CONVERGE_INCREMENT,
     VRMS_MIGRATE_INT},
    {"postcopy-bandwidth", WORD_VALUE, 0, VIR_MIGRATE_PARAM_BANDWIDTH_POSTCOPY,
     VRMS_MIGRATE_ULLONG},
    {"parallel-connections", WORD_VALUE, 0, VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS,
     VRMS_MIGRATE_INT},
    {"bandwidth", WORD_VALUE, 0, VIR_MIGRATE_PARAM_BANDWIDTH, VRMS_MIGRATE_ULLONG},
    {"tls-destination", WORD_VALUE, 0, VIR_MIGRATE_PARAM_TLS_DESTINATION, VRMS_MIGRATE_STRING},
    {"offline", WORD_REFUSED, .reason = "the machine would not run afterwards"},
    {"suspend", WORD_REFUSED, .reason = "the machine would not run afterwards"},
    {"dname", WORD_REFUSED, .reason = "the cluster would not find the machine by another name"},
    {"postcopy-resume", WORD_REFUSED, .reason = "an action of the cluster begins a migration anew"},
};

/* Reads "name", "name=value" or, from the next token, "name value". */
struct reader {
	char *rest; /* for strtok_r() */
	const char *name;
	char *value; /* behind '='; NULL: none yet */
	struct vrms_error *error;
};

static const struct word *find_word(const char *name)
{
	for (size_t i = 0; i < VRMS_COUNT_OF(words); i++) {
		if (strcmp(words[i].name, name) == 0) {
			return &words[i];
		}
	}
	return NULL;
}

static int take_value(struct reader *reader)
{
	if (reader->value == NULL) {
		reader->value = strtok_r(NULL, " \t\n", &reader->rest);
	}
	if (reader->value == NULL || reader->value[0] == '\0') {
		return vrms_error_set(reader->error, -EINVAL,
				      "migrate_options: --%s lacks its value", reader->name);
	}
	return 0;
}

static int take_number(struct reader *reader, int64_t maximum, int64_t *ret_number)
{
	int rc = take_value(reader);

	if (rc < 0) {
		return rc;
	}
	rc = vrms_int_parse(reader->value, 0, maximum, ret_number, reader->error);
	if (rc < 0) {
		return vrms_error_wrap(reader->error, -EINVAL, "migrate_options: --%s",
				       reader->name);
	}
	return 0;
}

static int add_value(struct reader *reader, const struct word *word,
		     struct vrms_migrate_options *options)
{
	struct vrms_migrate_value value = {.field = word->field, .type = word->type};
	int rc;

	if (options->value_count == VRMS_MIGRATE_VALUE_MAX) {
		return vrms_error_set(reader->error, -E2BIG, "migrate_options: too many options");
	}
	if (word->type == VRMS_MIGRATE_INT) {
		rc = take_number(reader, INT32_MAX, &value.number);
	} else if (word->type == VRMS_MIGRATE_ULLONG) {
		rc = take_number(reader, INT64_MAX, &value.number);
	} else {
		rc = take_value(reader);
		value.text = reader->value;
	}
	if (rc < 0) {
		return rc;
	}
	options->values[options->value_count++] = value;
	return 0;
}

static int take_migrateuri(struct reader *reader, struct vrms_migrate_options *options)
{
	int rc = take_value(reader);

	if (rc == 0) {
		options->migrateuri = reader->value;
	}
	return rc;
}

static int take_timeout(struct reader *reader, struct vrms_migrate_options *options)
{
	int64_t seconds = 0;
	int rc = take_number(reader, INT32_MAX, &seconds);

	if (rc == 0) {
		options->timeout_ms = seconds * 1000;
	}
	return rc;
}

static int take_word(struct reader *reader, struct vrms_migrate_options *options)
{
	const struct word *word = find_word(reader->name);

	if (word == NULL) {
		return vrms_error_set(reader->error, -EINVAL,
				      "migrate_options: \"--%s\" is no option of a live migration",
				      reader->name);
	}
	switch (word->kind) {
	case WORD_NOTHING:
		break;
	case WORD_FLAG:
		options->flags |= word->flag;
		break;
	case WORD_VALUE:
		return add_value(reader, word, options);
	case WORD_MIGRATEURI:
		return take_migrateuri(reader, options);
	case WORD_TIMEOUT:
		return take_timeout(reader, options);
	case WORD_TIMEOUT_SUSPEND:
		options->on_timeout = VRMS_MIGRATE_TIMEOUT_SUSPEND;
		break;
	case WORD_TIMEOUT_POSTCOPY:
		options->on_timeout = VRMS_MIGRATE_TIMEOUT_POSTCOPY;
		break;
	case WORD_AFTER_PRECOPY:
		options->postcopy_after_precopy = true;
		break;
	case WORD_REFUSED:
		return vrms_error_set(reader->error, -EINVAL,
				      "migrate_options: --%s cannot be used: %s", reader->name,
				      word->reason);
	}
	return 0;
}

static int parse_token(char *token, struct reader *reader, struct vrms_migrate_options *options)
{
	if (strncmp(token, "--", 2) != 0) {
		return vrms_error_set(reader->error, -EINVAL,
				      "migrate_options: \"%s\" is not an option", token);
	}
	reader->name = token + 2;
	reader->value = strchr(token, '=');
	if (reader->value != NULL) {
		*reader->value++ = '\0';
	}
	return take_word(reader, options);
}

int vrms_migrate_options_parse(const char *text, struct vrms_migrate_options *ret_options,
			       struct vrms_error *error)
{
	struct reader reader = {.error = error};

	memset(ret_options, 0, sizeof(*ret_options));
	if (text == NULL) {
		return 0;
	}
	if (strlen(text) >= sizeof(ret_options->text)) {
		return vrms_error_set(error, -E2BIG, "migrate_options: longer than %zu bytes",
				      sizeof(ret_options->text) - 1);
	}
	memcpy(ret_options->text, text, strlen(text) + 1);
	for (char *token = strtok_r(ret_options->text, " \t\n", &reader.rest); token != NULL;
	     token = strtok_r(NULL, " \t\n", &reader.rest)) {
		int rc = parse_token(token, &reader, ret_options);

		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}
