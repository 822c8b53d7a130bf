/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator/record.h"

#include <math.h>
#include <string.h>

static const struct {
	const char *word, *text;
} rules[] = {
#define ROW(name, word, text) {word, text},
    VRMS_SIM_RULES(ROW)
#undef ROW
};

static const char *const steps[] = {
#define ROW(name, text) text,
    VRMS_SIM_STEPS(ROW)
#undef ROW
};

const char *vrms_sim_rule_word(enum vrms_sim_rule rule)
{
	return rules[rule].word;
}

const char *vrms_sim_rule_text(enum vrms_sim_rule rule)
{
	return rules[rule].text;
}

const char *vrms_sim_step_text(enum vrms_sim_step_kind kind)
{
	return steps[kind];
}

void vrms_sim_record_done(struct vrms_sim_record *record)
{
	free(record->failure);
	free(record->membership);
	free(record->step);
	free(record->recover_ms.value);
	free(record->mistake_ms.value);
	memset(record, 0, sizeof(*record));
}

/* Makes room for one more item; false (and remembered) when there is no memory. */
static bool grow(struct vrms_sim_record *record, void *array_pointer, size_t *capacity, size_t size)
{
	size_t grown = *capacity == 0 ? 64 : *capacity * 2;
	void *array;

	memcpy(&array, array_pointer, sizeof(array));
	array = reallocarray(array, grown, size);
	if (array == NULL) {
		record->out_of_memory = true;
		return false;
	}
	memcpy(array_pointer, &array, sizeof(array));
	*capacity = grown;
	return true;
}

void vrms_sim_series_add(struct vrms_sim_record *record, struct vrms_sim_series *series,
			 double value)
{
	if (series->count < series->capacity ||
	    grow(record, &series->value, &series->capacity, sizeof(double))) {
		series->value[series->count++] = value;
	}
}

struct vrms_sim_failure vrms_sim_failure_at(int64_t at_us, int node, int vm, int fault)
{
	return (struct vrms_sim_failure){
	    .at_us = at_us,
	    .detected_us = -1,
	    .asked_us = -1,
	    .fenced_us = -1,
	    .started_us = -1,
	    .running_us = -1,
	    .node = node,
	    .vm = vm,
	    .fault = (int16_t)fault,
	    .max_over_mean = -1,
	};
}

int vrms_sim_record_failure(struct vrms_sim_record *record, const struct vrms_sim_failure *failure)
{
	if (record->failure_count == record->failure_capacity &&
	    !grow(record, &record->failure, &record->failure_capacity, sizeof(*failure))) {
		return -1;
	}
	record->failure[record->failure_count] = *failure;
	return (int)record->failure_count++;
}

void vrms_sim_record_membership(struct vrms_sim_record *record,
				const struct vrms_sim_membership *membership)
{
	if (record->membership_count < record->membership_capacity ||
	    grow(record, &record->membership, &record->membership_capacity, sizeof(*membership))) {
		record->membership[record->membership_count++] = *membership;
	}
}

void vrms_sim_record_step(struct vrms_sim_record *record, const struct vrms_sim_step *step)
{
	if (record->step_count >= record->step_limit) {
		return;
	}
	if (record->step_count < record->step_capacity ||
	    grow(record, &record->step, &record->step_capacity, sizeof(*step))) {
		record->step[record->step_count++] = *step;
	}
}

void vrms_sim_record_token(struct vrms_sim_record *record, int64_t at_us, int64_t token_us)
{
	record->token_sum += (double)record->token_us * (double)(at_us - record->token_since_us);
	record->token_changes += record->token_us > 0 && record->token_us != token_us ? 1 : 0;
	record->token_since_us = at_us;
	record->token_us = token_us;
	if (record->token_us_min == 0 || token_us < record->token_us_min) {
		record->token_us_min = token_us;
	}
	if (token_us > record->token_us_max) {
		record->token_us_max = token_us;
	}
}

void vrms_sim_record_broken(struct vrms_sim_record *record, const struct vrms_sim_broken *broken)
{
	if (record->broken_count < (int64_t)VRMS_COUNT_OF(record->broken)) {
		record->broken[record->broken_count] = *broken;
	}
	record->broken_count++;
	record->rule_count[broken->rule]++;
}

static int compare_doubles(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

double vrms_sim_series_quantile(struct vrms_sim_series *series, double share)
{
	if (series->count == 0) {
		return 0;
	}
	qsort(series->value, series->count, sizeof(double), compare_doubles);

	size_t rank = (size_t)ceil(share * (double)series->count);

	return series->value[rank > 0 ? rank - 1 : 0];
}
