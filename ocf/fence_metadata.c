/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ocf/fence.h"

#include <string.h>

#include "ocf/fence_options.h"
#include "ocf/fence_power.h"
#include "ocf/xml.h"

static void print_getopt(const struct vrms_param *param, FILE *out)
{
	char name[64];
	char mixed[160];
	char letter[8] = "";
	const char *argument = param->type == VRMS_PARAM_BOOLEAN ? "" : "=[value]";

	vrms_fence_long_option_print(param, name, sizeof(name));
	if (param->option != '\0') {
		snprintf(letter, sizeof(letter), "-%c, ", param->option);
	}
	snprintf(mixed, sizeof(mixed), "%s--%s%s", letter, name, argument);
	fputs("\t\t<getopt", out);
	vrms_xml_attribute_print(out, "mixed", mixed);
	fputs("/>\n", out);
}

static void print_content(const struct vrms_param *param, const char *fallback, FILE *out)
{
	static const char *const types[] = {
	    [VRMS_PARAM_STRING] = "string",   [VRMS_PARAM_INTEGER] = "integer",
	    [VRMS_PARAM_BOOLEAN] = "boolean", [VRMS_PARAM_DURATION_MS] = "second",
	    [VRMS_PARAM_CHOICE] = "select",
	};

	fputs("\t\t<content", out);
	vrms_xml_attribute_print(out, "type", types[param->type]);
	vrms_xml_attribute_print(out, "default", fallback);
	if (param->type != VRMS_PARAM_CHOICE) {
		fputs("/>\n", out);
		return;
	}
	fputs(">\n", out);
	for (const char *const *choice = param->choices; *choice != NULL; choice++) {
		fputs("\t\t\t<option", out);
		vrms_xml_attribute_print(out, "value", *choice);
		fputs("/>\n", out);
	}
	fputs("\t\t</content>\n", out);
}

/* One element; a row that replaces an older name is printed under both. */
static void print_parameter(const struct vrms_fence_agent *agent, const struct vrms_param *param,
			    bool under_old_name, FILE *out)
{
	bool is_action = strcmp(param->name, "action") == 0;

	fputs("\t<parameter", out);
	vrms_xml_attribute_print(out, "name", under_old_name ? param->obsoletes : param->name);
	vrms_xml_flag_print(out, "unique", param->unique);
	vrms_xml_flag_print(out, "required", param->required && !under_old_name);
	if (under_old_name || param->deprecated) {
		vrms_xml_flag_print(out, "deprecated", true);
	} else {
		vrms_xml_attribute_print(out, "obsoletes", param->obsoletes);
	}
	fputs(">\n", out);
	print_getopt(param, out);
	print_content(param, is_action ? agent->default_action : param->fallback, out);
	/* fence-agents' schema has no place for a long description. */
	fputs("\t\t<shortdesc lang=\"en\">", out);
	vrms_xml_text_print(out, param->shortdesc);
	fputs("</shortdesc>\n\t</parameter>\n", out);
}

static void print_actions(const struct vrms_fence_agent *agent, FILE *out)
{
	for (size_t i = 0; i < agent->action_count; i++) {
		const struct vrms_fence_action *action = &agent->actions[i];

		fputs("\t<action", out);
		vrms_xml_attribute_print(out, "name", action->name);
		if (action->on_target) {
			vrms_xml_flag_print(out, "on_target", true);
		}
		if (strcmp(action->name, "on") == 0) {
			vrms_xml_flag_print(out, "automatic",
					    action->automatic || agent->provides_unfencing);
		}
		fputs("/>\n", out);
	}
	if (vrms_fence_reboots_by_itself(agent)) {
		fputs("\t<action name=\"reboot\"/>\n", out);
	}
}

void vrms_fence_metadata_print(const struct vrms_fence_agent *agent, FILE *out)
{
	struct vrms_fence_tables all = vrms_fence_tables_of(agent);

	fputs("<?xml version=\"1.0\"?>\n<resource-agent", out);
	vrms_xml_attribute_print(out, "name", agent->name);
	vrms_xml_attribute_print(out, "shortdesc", agent->shortdesc);
	fputs(">\n<longdesc>", out);
	vrms_xml_text_print(out, agent->longdesc);
	fputs("</longdesc>\n<vendor-url>", out);
	vrms_xml_text_print(out, agent->vendor_url != NULL ? agent->vendor_url : "");
	fputs("</vendor-url>\n<parameters>\n", out);
	for (size_t t = 0; t < VRMS_COUNT_OF(all.tables); t++) {
		for (size_t i = 0; i < all.tables[t].count; i++) {
			const struct vrms_param *param = &all.tables[t].params[i];

			print_parameter(agent, param, false, out);
			if (param->obsoletes != NULL) {
				print_parameter(agent, param, true, out);
			}
		}
	}
	fputs("</parameters>\n<actions>\n", out);
	print_actions(agent, out);
	fputs("</actions>\n</resource-agent>\n", out);
}
