/* assertion.c - "detect.p99_ms < 1000": figures held against limits, for CI.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/report.h"

static const struct {
	const char *sign;
	bool less, equal, greater;
} operators[] = {
    {"<=", true, true, false}, {">=", false, true, true}, {"==", false, true, false},
    {"!=", true, false, true}, {"<", true, false, false}, {">", false, false, true},
};

int vrms_sim_assertion_parse(const char *text, struct vrms_sim_assertion *assertion,
			     struct vrms_error *error)
{
	size_t length = strcspn(text, " <>=!");
	const char *sign = text + length + strspn(text + length, " ");
	size_t sign_length = strspn(sign, "<>=!");
	char *end;

	memset(assertion, 0, sizeof(*assertion));
	if (length == 0 || length >= sizeof(assertion->path) || sign_length == 0 ||
	    sign_length >= sizeof(assertion->operator)) {
		return vrms_error_set(error, -EINVAL, "\"%s\" is not FIGURE OPERATOR NUMBER", text);
	}
	memcpy(assertion->path, text, length);
	memcpy(assertion->operator, sign, sign_length);
	assertion->limit = strtod(sign + sign_length, &end);
	if (end == sign + sign_length || *end != '\0') {
		return vrms_error_set(error, -EINVAL, "\"%s\": a number has to follow %s", text,
				      assertion->operator);
	}
	for (size_t i = 0; i < VRMS_COUNT_OF(operators); i++) {
		if (strcmp(operators[i].sign, assertion->operator) == 0) {
			return 0;
		}
	}
	return vrms_error_set(error, -EINVAL, "\"%s\": %s is no comparison", text,
			      assertion->operator);
}

int vrms_sim_assertion_check(struct vrms_sim_assertion *assertion, const json_t *figures,
			     struct vrms_error *error)
{
	char path[sizeof(assertion->path)];
	char *rest = path, *key;
	const json_t *value = figures;

	memcpy(path, assertion->path, sizeof(path));
	while (value != NULL && (key = strsep(&rest, ".")) != NULL) {
		value = json_object_get(value, key);
	}
	if (!json_is_number(value)) {
		return vrms_error_set(error, -ENOENT, "there is no figure \"%s\"", assertion->path);
	}
	assertion->value = json_number_value(value);
	for (size_t i = 0; i < VRMS_COUNT_OF(operators); i++) {
		if (strcmp(operators[i].sign, assertion->operator) == 0) {
			assertion->holds = assertion->value < assertion->limit ? operators[i].less
					   : assertion->value > assertion->limit
					       ? operators[i].greater
					       : operators[i].equal;
		}
	}
	return 0;
}

static void write_case(xmlTextWriterPtr writer, const struct vrms_sim_assertion *assertion)
{
	xmlTextWriterStartElement(writer, BAD_CAST "testcase");
	xmlTextWriterWriteAttribute(writer, BAD_CAST "classname", BAD_CAST "vrms-sim");
	xmlTextWriterWriteFormatAttribute(writer, BAD_CAST "name", "%s %s %.10g", assertion->path,
					  assertion->operator, assertion->limit);
	if (!assertion->holds) {
		xmlTextWriterStartElement(writer, BAD_CAST "failure");
		xmlTextWriterWriteFormatAttribute(writer, BAD_CAST "message", "%s is %.10g",
						  assertion->path, assertion->value);
		xmlTextWriterEndElement(writer);
	}
	xmlTextWriterEndElement(writer);
}

int vrms_sim_junit_write(const char *path, const struct vrms_sim_assertion *assertions, int count,
			 struct vrms_error *error)
{
	xmlTextWriterPtr writer = xmlNewTextWriterFilename(path, 0);
	int failed = 0;

	if (writer == NULL) {
		return vrms_error_set(error, -EIO, "%s: cannot be written", path);
	}
	for (int i = 0; i < count; i++) {
		failed += assertions[i].holds ? 0 : 1;
	}
	xmlTextWriterSetIndent(writer, 1);
	xmlTextWriterStartDocument(writer, NULL, "UTF-8", NULL);
	xmlTextWriterStartElement(writer, BAD_CAST "testsuite");
	xmlTextWriterWriteAttribute(writer, BAD_CAST "name", BAD_CAST "vrms-sim");
	xmlTextWriterWriteFormatAttribute(writer, BAD_CAST "tests", "%d", count);
	xmlTextWriterWriteFormatAttribute(writer, BAD_CAST "failures", "%d", failed);
	for (int i = 0; i < count; i++) {
		write_case(writer, &assertions[i]);
	}
	int written = xmlTextWriterEndDocument(writer);

	xmlFreeTextWriter(writer);
	return written < 0 ? vrms_error_set(error, -EIO, "%s: cannot be written", path) : 0;
}
