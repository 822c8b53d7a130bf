/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ocf/agent.h"
#include "ocf/xml.h"

/* The document carries its own grammar.  The one of resource-agents (ra-api-1.dtd) knows
 * neither "select" nor "reloadable" nor "reload-agent", and ocf-tester wants a valid document.
 */
static const char grammar[] =
    "<!DOCTYPE resource-agent [\n"
    "<!ELEMENT resource-agent (version,longdesc,shortdesc,parameters,actions)>\n"
    "<!ATTLIST resource-agent name CDATA #REQUIRED version CDATA #IMPLIED>\n"
    "<!ELEMENT version (#PCDATA)>\n"
    "<!ELEMENT longdesc (#PCDATA)>\n"
    "<!ATTLIST longdesc lang NMTOKEN #IMPLIED>\n"
    "<!ELEMENT shortdesc (#PCDATA)>\n"
    "<!ATTLIST shortdesc lang NMTOKEN #IMPLIED>\n"
    "<!ELEMENT parameters (parameter*)>\n"
    "<!ELEMENT parameter (longdesc,shortdesc,content)>\n"
    "<!ATTLIST parameter name CDATA #REQUIRED unique (0|1) #IMPLIED unique-group CDATA #IMPLIED\n"
    "  required (0|1) #IMPLIED reloadable (0|1) #IMPLIED>\n"
    "<!ELEMENT content (option*)>\n"
    "<!ATTLIST content type (string|integer|boolean|time|select) #REQUIRED default CDATA "
    "#IMPLIED>\n"
    "<!ELEMENT option EMPTY>\n"
    "<!ATTLIST option value CDATA #REQUIRED>\n"
    "<!ELEMENT actions (action*)>\n"
    "<!ELEMENT action EMPTY>\n"
    "<!ATTLIST action name CDATA #REQUIRED timeout CDATA #IMPLIED interval CDATA #IMPLIED\n"
    "  depth CDATA #IMPLIED role CDATA #IMPLIED>\n"
    "]>\n";

static void print_descriptions(const char *longdesc, const char *limits, const char *shortdesc,
			       FILE *out)
{
	fputs("<longdesc lang=\"en\">\n", out);
	vrms_xml_text_print(out, longdesc);
	if (limits[0] != '\0') {
		fputs("\nAllowed: ", out);
		vrms_xml_text_print(out, limits);
		fputc('.', out);
	}
	fputs("\n</longdesc>\n<shortdesc lang=\"en\">", out);
	vrms_xml_text_print(out, shortdesc);
	fputs("</shortdesc>\n", out);
}

static void print_content(const struct vrms_param *param, FILE *out)
{
	static const char *const types[] = {
	    [VRMS_PARAM_STRING] = "string",   [VRMS_PARAM_INTEGER] = "integer",
	    [VRMS_PARAM_BOOLEAN] = "boolean", [VRMS_PARAM_DURATION_MS] = "time",
	    [VRMS_PARAM_CHOICE] = "select",
	};

	fputs("<content", out);
	vrms_xml_attribute_print(out, "type", types[param->type]);
	vrms_xml_attribute_print(out, "default", param->fallback);
	if (param->type != VRMS_PARAM_CHOICE) {
		fputs("/>\n", out);
		return;
	}
	fputs(">\n", out);
	for (const char *const *choice = param->choices; *choice != NULL; choice++) {
		fputs("<option", out);
		vrms_xml_attribute_print(out, "value", *choice);
		fputs("/>\n", out);
	}
	fputs("</content>\n", out);
}

static void print_parameter(const struct vrms_param *param, FILE *out)
{
	char limits[256];

	fputs("<parameter", out);
	vrms_xml_attribute_print(out, "name", param->name);
	if (param->unique) {
		/* unique is OCF 1.0's word, which crmsh still reads; unique-group is 1.1's. */
		vrms_xml_flag_print(out, "unique", true);
		vrms_xml_attribute_print(out, "unique-group", param->name);
	}
	vrms_xml_flag_print(out, "required", param->required);
	vrms_xml_flag_print(out, "reloadable", param->reloadable);
	fputs(">\n", out);
	vrms_param_limits_print(param, limits, sizeof(limits));
	print_descriptions(param->longdesc, limits, param->shortdesc, out);
	print_content(param, out);
	fputs("</parameter>\n", out);
}

static void print_action(const struct vrms_ocf_action *action, FILE *out)
{
	fputs("<action", out);
	vrms_xml_attribute_print(out, "name", action->name);
	vrms_xml_attribute_print(out, "timeout", action->timeout);
	vrms_xml_attribute_print(out, "interval", action->interval);
	vrms_xml_attribute_print(out, "depth", action->depth);
	vrms_xml_attribute_print(out, "role", action->role);
	fputs("/>\n", out);
}

void vrms_ocf_metadata_print(const struct vrms_ocf_agent *agent, FILE *out)
{
	/* No encoding here: crmsh hands the text to lxml as a string, which refuses it then. */
	fputs("<?xml version=\"1.0\"?>\n", out);
	fputs(grammar, out);
	fputs("<resource-agent", out);
	vrms_xml_attribute_print(out, "name", agent->name);
	vrms_xml_attribute_print(out, "version", agent->version);
	/* With 1.1 Pacemaker looks at "reloadable" and calls reload-agent. */
	fputs(">\n<version>1.1</version>\n", out);
	print_descriptions(agent->longdesc, "", agent->shortdesc, out);
	fputs("<parameters>\n", out);
	for (size_t i = 0; i < agent->param_count; i++) {
		print_parameter(&agent->params[i], out);
	}
	fputs("</parameters>\n<actions>\n", out);
	for (size_t i = 0; i < agent->action_count; i++) {
		print_action(&agent->actions[i], out);
	}
	fputs("</actions>\n</resource-agent>\n", out);
}
