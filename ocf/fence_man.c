/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "ocf/fence.h"
#include "ocf/fence_options.h"
#include "ocf/fence_power.h"
#include "ocf/mdoc.h"

static void print_parameter(const struct vrms_param *param, FILE *out)
{
	char name[64];

	vrms_fence_long_option_print(param, name, sizeof(name));
	fputs(".It Cm", out);
	vrms_mdoc_argument_print(out, param->name);
	fputs(" ,", out);
	if (param->option != '\0') {
		fprintf(out, " Fl %c ,", param->option);
	}
	fprintf(out, " Fl \\-%s%s\n", name,
		param->type == VRMS_PARAM_BOOLEAN ? "" : " Ns = Ns Ar value");
	vrms_mdoc_text_print(out, param->longdesc);
	vrms_mdoc_param_facts_print(out, param);
	if (param->obsoletes != NULL) {
		fputs("Older name:\n.Cm", out);
		vrms_mdoc_argument_print(out, param->obsoletes);
		fputs(" .\n", out);
	}
}

static void print_actions(const struct vrms_fence_agent *agent, FILE *out)
{
	fputs(".Sh ACTIONS\n.Bl -item -compact\n", out);
	for (size_t i = 0; i < agent->action_count; i++) {
		fputs(".It\n.Cm", out);
		vrms_mdoc_argument_print(out, agent->actions[i].name);
		fputc('\n', out);
	}
	if (vrms_fence_reboots_by_itself(agent)) {
		fputs(".It\n.Cm reboot\n(off, then on)\n", out);
	}
	fputs(".El\n.Pp\nThe default is\n.Cm", out);
	vrms_mdoc_argument_print(out, agent->default_action);
	fputs(" .\n", out);
}

void vrms_fence_man_print(const struct vrms_fence_agent *agent, FILE *out)
{
	struct vrms_fence_tables all = vrms_fence_tables_of(agent);

	vrms_mdoc_head_print(out, agent->name, "8", agent->shortdesc);
	fputs(".Sh SYNOPSIS\n.Nm\n.Op Ar options\n.Sh DESCRIPTION\n", out);
	vrms_mdoc_text_print(out, agent->longdesc);
	fputs(".Pp\nWithout options\n.Nm\nreads them from standard input, one\n"
	      ".Ar name Ns = Ns Ar value\na line, as the cluster passes them.\n"
	      ".Sh OPTIONS\n.Bl -tag -width Ds\n",
	      out);
	for (size_t t = VRMS_COUNT_OF(all.tables); t > 0; t--) {
		for (size_t i = 0; i < all.tables[t - 1].count; i++) {
			print_parameter(&all.tables[t - 1].params[i], out);
		}
	}
	fputs(".El\n", out);
	print_actions(agent, out);
	fputs(".Sh EXIT STATUS\n"
	      "0 on success, 1 on failure; the status of a node that is off gives 2.\n",
	      out);
	vrms_mdoc_section_print(out, "EXAMPLES", agent->man_examples);
	vrms_mdoc_section_print(out, "SEE ALSO", agent->man_see_also);
}

void vrms_fence_usage_print(const struct vrms_fence_agent *agent, FILE *out)
{
	struct vrms_fence_tables all = vrms_fence_tables_of(agent);

	fprintf(out, "usage: %s [options]\n\n%s.\n\nOptions:\n", agent->name, agent->shortdesc);
	for (size_t t = 0; t < VRMS_COUNT_OF(all.tables); t++) {
		for (size_t i = 0; i < all.tables[t].count; i++) {
			const struct vrms_param *param = &all.tables[t].params[i];
			char name[64];
			char letter[8] = "    ";
			char option[96];

			vrms_fence_long_option_print(param, name, sizeof(name));
			if (param->option != '\0') {
				snprintf(letter, sizeof(letter), "-%c, ", param->option);
			}
			snprintf(option, sizeof(option), "--%s%s", name,
				 param->type == VRMS_PARAM_BOOLEAN ? "" : "=VALUE");
			fprintf(out, "  %s%-24s %s\n", letter, option, param->shortdesc);
		}
	}
	fprintf(out, "\nActions (default %s):", agent->default_action);
	for (size_t i = 0; i < agent->action_count; i++) {
		fprintf(out, " %s", agent->actions[i].name);
	}
	fprintf(out, "%s\n\nMore: man 8 %s\n", vrms_fence_reboots_by_itself(agent) ? " reboot" : "",
		agent->name);
}
