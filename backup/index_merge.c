/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "backup/crypto.h"
#include "backup/index_segment.h"
#include "common/bytes.h"

enum { INPUT_ENTRIES = 512, OUTPUT_BYTES = 1 << 18 };

struct input {
	const struct vrms_segment *segment;
	struct vrms_index_entry entries[INPUT_ENTRIES];
	size_t count, at;
	uint64_t next; /* entry to read */
};

struct output {
	const struct vrms_merge *merge;
	void *file;
	uint8_t *buffer;
	size_t buffered;
	uint64_t offset; /* of the buffer in the file */
	XXH3_state_t *checksum;
	uint32_t *new_rows; /* pack of the index -> row of the new segment */
	struct vrms_index_header header;
	uint32_t *fan;
	struct vrms_index_entry last;
};

static int refill(struct input *input)
{
	uint64_t left = input->segment->entry_count - input->next;
	size_t part = left < INPUT_ENTRIES ? left : INPUT_ENTRIES;
	int rc = vrms_segment_read(input->segment, input->next, part, input->entries);

	if (rc < 0) {
		return rc;
	}
	for (size_t i = 0; i < part; i++) {
		if (input->entries[i].pack >= input->segment->pack_count) {
			return -EBADMSG;
		}
		input->entries[i].pack = input->segment->rows[input->entries[i].pack];
	}
	input->next += part;
	input->count = part;
	input->at = 0;
	return 0;
}

static int compare(const struct vrms_index_entry *a, const struct vrms_index_entry *b)
{
	int order = vrms_name_compare(&a->name, &b->name);

	if (order == 0) {
		order = (a->pack > b->pack) - (a->pack < b->pack);
	}
	return order != 0 ? order : (a->offset > b->offset) - (a->offset < b->offset);
}

/* The input with the smallest entry, or NULL at the end. */
static struct input *smallest(struct input *inputs, size_t count)
{
	struct input *best = NULL;

	for (size_t i = 0; i < count; i++) {
		if (inputs[i].at < inputs[i].count &&
		    (best == NULL ||
		     compare(&inputs[i].entries[inputs[i].at], &best->entries[best->at]) < 0)) {
			best = &inputs[i];
		}
	}
	return best;
}

static int drain(struct output *output)
{
	int rc = output->merge->store->write(output->file, output->buffer, output->buffered,
					     output->offset);

	output->offset += output->buffered;
	output->buffered = 0;
	return rc;
}

static int put(struct output *output, const struct vrms_index_entry *entry)
{
	struct vrms_index_entry renumbered = *entry;
	uint8_t *to = output->buffer + output->buffered;

	if (output->header.entry_count > 0 && compare(entry, &output->last) == 0) {
		return 0; /* two segments may tell of one pack, after a crash */
	}
	output->last = *entry;
	renumbered.pack = output->new_rows[entry->pack];
	vrms_index_entry_encode(&renumbered, to);
	XXH3_64bits_update(output->checksum, to, VRMS_INDEX_ENTRY_BYTES);
	output->fan[vrms_segment_bucket(&entry->name, output->header.fan_bits) + 1]++;
	output->header.entry_count++;
	output->buffered += VRMS_INDEX_ENTRY_BYTES;
	return output->buffered + VRMS_INDEX_ENTRY_BYTES > OUTPUT_BYTES ? drain(output) : 0;
}

static int merge_entries(struct output *output, struct input *inputs, size_t count)
{
	const bool *drops = output->merge->drops;
	struct input *input;
	int rc = 0;

	for (size_t i = 0; i < count && rc == 0; i++) {
		rc = refill(&inputs[i]);
	}
	while (rc == 0 && (input = smallest(inputs, count)) != NULL) {
		const struct vrms_index_entry *entry = &input->entries[input->at++];

		if (drops == NULL || !drops[entry->pack]) {
			rc = put(output, entry);
		}
		if (rc == 0 && input->at == input->count) {
			rc = refill(input);
		}
	}
	return rc;
}

/* Which packs the new segment names: those of its inputs that are kept. */
static int number_packs(struct output *output)
{
	const struct vrms_merge *merge = output->merge;

	output->new_rows = malloc((merge->pack_count + 1) * sizeof(*output->new_rows));
	if (output->new_rows == NULL) {
		return -ENOMEM;
	}
	memset(output->new_rows, 0xff, (merge->pack_count + 1) * sizeof(*output->new_rows));
	for (size_t i = 0; i < merge->segment_count; i++) {
		for (uint32_t k = 0; k < merge->segments[i]->pack_count; k++) {
			uint32_t row = merge->segments[i]->rows[k];

			if (output->new_rows[row] == UINT32_MAX &&
			    (merge->drops == NULL || !merge->drops[row])) {
				output->new_rows[row] = output->header.pack_count++;
			}
		}
	}
	return 0;
}

static uint8_t *encode_tables(const struct output *output, size_t size)
{
	uint8_t *tables = malloc(size);
	size_t buckets = (size_t)1 << output->header.fan_bits;
	uint8_t *fan;
	uint32_t sum = 0;

	if (tables == NULL) {
		return NULL;
	}
	for (uint32_t row = 0; row < output->merge->pack_count; row++) {
		if (output->new_rows[row] != UINT32_MAX) {
			vrms_index_pack_encode(&output->merge->packs[row],
					       tables + (size_t)output->new_rows[row] *
							    VRMS_INDEX_PACK_BYTES);
		}
	}
	fan = tables + (size_t)output->header.pack_count * VRMS_INDEX_PACK_BYTES;
	for (size_t i = 0; i <= buckets; i++) {
		sum += output->fan[i];
		vrms_le32_put(fan + 4 * i, sum);
	}
	return tables;
}

static size_t tables_size(const struct vrms_index_header *header)
{
	return (size_t)header->pack_count * VRMS_INDEX_PACK_BYTES +
	       4 * (((size_t)1 << header->fan_bits) + 1);
}

/* The entries stand after the tables, so the head is written last. */
static int write_head(struct output *output)
{
	const struct vrms_store *store = output->merge->store;
	size_t size = tables_size(&output->header);
	uint8_t *tables VRMS_CLEANUP(vrms_freep) = encode_tables(output, size);
	uint8_t head[VRMS_INDEX_HEADER_BYTES];
	uint8_t tail[VRMS_INDEX_TAIL_BYTES];
	int rc;

	if (tables == NULL) {
		return -ENOMEM;
	}
	output->header.tables_checksum = vrms_checksum(tables, size);
	vrms_index_header_encode(&output->header, head);
	vrms_le64_put(tail, XXH3_64bits_digest(output->checksum));
	rc = drain(output);
	if (rc == 0) {
		rc = store->write(output->file, tail, sizeof(tail), output->offset);
	}
	if (rc == 0) {
		rc = store->write(output->file, tables, size, sizeof(head));
	}
	if (rc == 0) {
		rc = store->write(output->file, head, sizeof(head), 0);
	}
	return rc == 0 ? store->sync(output->file, output->offset + sizeof(tail)) : rc;
}

static int prepare(struct output *output)
{
	const struct vrms_merge *merge = output->merge;
	uint64_t entries = 0;
	int rc;

	for (size_t i = 0; i < merge->segment_count; i++) {
		entries += merge->segments[i]->entry_count;
	}
	if (entries > UINT32_MAX) {
		return -EOVERFLOW;
	}
	output->header.repository = merge->repository;
	output->header.fan_bits = vrms_segment_fan_bits(entries);
	output->buffer = malloc(OUTPUT_BYTES);
	output->checksum = XXH3_createState();
	output->fan = calloc(((size_t)1 << output->header.fan_bits) + 1, sizeof(*output->fan));
	if (output->buffer == NULL || output->checksum == NULL || output->fan == NULL) {
		return -ENOMEM;
	}
	XXH3_64bits_reset(output->checksum);
	rc = number_packs(output);
	output->offset = VRMS_INDEX_HEADER_BYTES + tables_size(&output->header);
	return rc;
}

static int write_segment(struct output *output)
{
	const struct vrms_merge *merge = output->merge;
	struct input *inputs VRMS_CLEANUP(vrms_freep) =
	    calloc(merge->segment_count + 1, sizeof(*inputs));
	int rc = inputs == NULL ? -ENOMEM : 0;

	for (size_t i = 0; i < merge->segment_count && rc == 0; i++) {
		inputs[i].segment = merge->segments[i];
	}
	if (rc == 0) {
		rc = merge_entries(output, inputs, merge->segment_count);
	}
	return rc == 0 ? write_head(output) : rc;
}

static void output_done(struct output *output)
{
	free(output->buffer);
	free(output->fan);
	free(output->new_rows);
	XXH3_freeState(output->checksum);
}

int vrms_segment_merge(const struct vrms_merge *merge, char *ret_name, struct vrms_error *error)
{
	const struct vrms_store *store = merge->store;
	struct output output VRMS_CLEANUP(output_done) = {.merge = merge};
	char temporary[8 + VRMS_ID_TEXT_BYTES], path[8 + VRMS_ID_TEXT_BYTES];
	struct vrms_id id;
	int rc = vrms_random_fill(&id, sizeof(id), error);

	if (rc < 0) {
		return rc;
	}
	for (size_t i = 0; i < merge->segment_count && rc == 0; i++) {
		rc = vrms_segment_check(merge->segments[i]);
	}
	if (rc < 0) {
		return vrms_error_errno(error, rc, "an index file");
	}
	vrms_id_print(&id, ret_name);
	snprintf(temporary, sizeof(temporary), "tmp/%s", ret_name);
	snprintf(path, sizeof(path), "index/%s", ret_name);
	rc = prepare(&output);
	if (rc < 0) {
		return vrms_error_errno(error, rc, "%s", path);
	}
	rc = store->create(store->context, temporary, &output.file, error);
	if (rc < 0) {
		return rc;
	}
	rc = write_segment(&output);
	store->close(output.file);
	if (rc < 0) {
		return vrms_error_errno(error, rc, "%s", path);
	}
	return store->publish(store->context, temporary, path, error);
}
