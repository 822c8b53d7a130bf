/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ocf/agent.h"
#include "ocf/mdoc.h"

static void print_parameter(const struct vrms_param *param, FILE *out)
{
	fputs(".It Cm", out);
	vrms_mdoc_argument_print(out, param->name);
	fputc('\n', out);
	vrms_mdoc_text_print(out, param->longdesc);
	vrms_mdoc_param_facts_print(out, param);
}

static void print_column(FILE *out, const char *macro, const char *text)
{
	fprintf(out, " %s", macro);
	vrms_mdoc_argument_print(out, text != NULL ? text : "-");
}

static void print_actions(const struct vrms_ocf_agent *agent, FILE *out)
{
	fputs(".Sh ACTIONS\n"
	      "The recommended times are:\n"
	      ".Bl -column \"migrate_from\" \"timeout\" \"interval\" \"depth\" \"Unpromoted\"\n"
	      ".It Sy action Ta Sy timeout Ta Sy interval Ta Sy depth Ta Sy role\n",
	      out);
	for (size_t i = 0; i < agent->action_count; i++) {
		const struct vrms_ocf_action *action = &agent->actions[i];

		fputs(".It", out);
		print_column(out, "Cm", action->name);
		print_column(out, "Ta", action->timeout);
		print_column(out, "Ta", action->interval);
		print_column(out, "Ta", action->depth);
		print_column(out, "Ta", action->role);
		fputc('\n', out);
	}
	fputs(".El\n", out);
}

void vrms_ocf_man_print(const struct vrms_ocf_agent *agent, FILE *out)
{
	char title[128];

	snprintf(title, sizeof(title), "ocf_%s_%s", agent->provider, agent->name);
	vrms_mdoc_head_print(out, title, "7", agent->shortdesc);
	fputs(".Sh SYNOPSIS\n.Nm", out);
	vrms_mdoc_argument_print(out, agent->name);
	fputs("\n.Ar action\n.Sh DESCRIPTION\n", out);
	vrms_mdoc_text_print(out, agent->longdesc);
	fputs(".Sh PARAMETERS\n.Bl -tag -width Ds\n", out);
	for (size_t i = 0; i < agent->param_count; i++) {
		print_parameter(&agent->params[i], out);
	}
	fputs(".El\n", out);
	print_actions(agent, out);
	vrms_mdoc_section_print(out, "EXAMPLES", agent->man_examples);
	vrms_mdoc_section_print(out, "SEE ALSO", agent->man_see_also);
}
