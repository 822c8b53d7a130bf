/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "common/parse.h"
#include "common/xml.h"
#include "placement/cib.h"

enum { SCORE_INFINITY = 1000000 };

xmlNode *vrms_cib_child(const xmlNode *parent, const char *name)
{
	xmlNode *child = parent == NULL ? NULL : parent->children;

	while (child != NULL && !vrms_xml_is_named(child, name)) {
		child = child->next;
	}
	return child;
}

xmlNode *vrms_cib_next(const xmlNode *element, const char *name)
{
	xmlNode *next = element->next;

	while (next != NULL && !vrms_xml_is_named(next, name)) {
		next = next->next;
	}
	return next;
}

const char *vrms_cib_peek(const xmlNode *element, const char *name)
{
	return vrms_xml_get(element, name);
}

const char *vrms_cib_get(const struct vrms_cib *cib, const xmlNode *element, const char *name)
{
	const char *text = vrms_cib_peek(element, name);

	return text == NULL ? NULL : vrms_draft_keep(cib->draft, text);
}

bool vrms_cib_is(const xmlNode *element, const char *attribute, const char *value)
{
	return vrms_xml_has(element, attribute, value);
}

const char *vrms_cib_nvpair(const struct vrms_cib *cib, const xmlNode *element, const char *sets,
			    const char *name)
{
	for (xmlNode *set = vrms_cib_child(element, sets); set != NULL;
	     set = vrms_cib_next(set, sets)) {
		for (xmlNode *pair = vrms_cib_child(set, "nvpair"); pair != NULL;
		     pair = vrms_cib_next(pair, "nvpair")) {
			if (vrms_cib_is(pair, "name", name)) {
				return vrms_cib_get(cib, pair, "value");
			}
		}
	}
	return NULL;
}

bool vrms_cib_is_true(const char *text, bool fallback)
{
	bool value;

	return text == NULL || vrms_bool_parse(text, &value, NULL) < 0 ? fallback : value;
}

int vrms_cib_line(const xmlNode *element)
{
	return element == NULL ? 0 : (int)xmlGetLineNo((xmlNode *)element);
}

int vrms_cib_fail(const struct vrms_cib *cib, const xmlNode *element, int rc)
{
	return vrms_draft_fail(cib->draft, vrms_cib_line(element), rc, cib->error);
}

int vrms_cib_score(const struct vrms_cib *cib, const xmlNode *element, int64_t *ret_score)
{
	const char *text = vrms_cib_peek(element, "score");
	int rc;

	if (text == NULL) {
		*ret_score = 0;
		return 0;
	}
	if (strcmp(text, "INFINITY") == 0 || strcmp(text, "+INFINITY") == 0) {
		*ret_score = SCORE_INFINITY;
		return 0;
	}
	if (strcmp(text, "-INFINITY") == 0) {
		*ret_score = -SCORE_INFINITY;
		return 0;
	}
	rc = vrms_int_parse(text, INT32_MIN, INT32_MAX, ret_score, cib->error);
	if (rc < 0) {
		vrms_error_wrap(cib->error, rc, "score");
		return vrms_cib_fail(cib, element, rc);
	}
	*ret_score = *ret_score > SCORE_INFINITY    ? SCORE_INFINITY
		     : *ret_score < -SCORE_INFINITY ? -SCORE_INFINITY
						    : *ret_score;
	return 0;
}

int vrms_cib_utilization(const struct vrms_cib *cib, const xmlNode *element,
			 int64_t amounts[VRMS_DIM_MAX])
{
	for (xmlNode *set = vrms_cib_child(element, "utilization"); set != NULL;
	     set = vrms_cib_next(set, "utilization")) {
		for (xmlNode *pair = vrms_cib_child(set, "nvpair"); pair != NULL;
		     pair = vrms_cib_next(pair, "nvpair")) {
			const char *name = vrms_cib_peek(pair, "name"),
				   *value = vrms_cib_peek(pair, "value");
			int64_t amount;
			int dim, rc;

			if (name == NULL || value == NULL) {
				continue;
			}
			rc = vrms_int_parse(value, 0, VRMS_AMOUNT_MAX, &amount, cib->error);
			if (rc < 0) {
				vrms_error_wrap(cib->error, rc, "utilization '%s'", name);
				return vrms_cib_fail(cib, pair, rc);
			}
			dim = vrms_draft_dim(cib->draft, name, vrms_cib_line(pair), cib->error);
			if (dim < 0) {
				return dim;
			}
			amounts[dim] += amount;
		}
	}
	return 0;
}
