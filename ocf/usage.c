/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "ocf/agent.h"

static void print_fact(FILE *out, const char **separator, const char *name, const char *value)
{
	if (value != NULL) {
		fprintf(out, "%s%s %s", *separator, name, value);
		*separator = ", ";
	}
}

static void print_action(const struct vrms_ocf_action *action, FILE *out)
{
	const char *separator = " ";

	fprintf(out, "  %-14s", action->name);
	print_fact(out, &separator, "timeout", action->timeout);
	print_fact(out, &separator, "interval", action->interval);
	print_fact(out, &separator, "depth", action->depth);
	print_fact(out, &separator, "role", action->role);
	fputc('\n', out);
}

static void print_parameter(const struct vrms_param *param, FILE *out)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%s", param->name, param->required ? "*" : "");
	fprintf(out, "  %-28s %s", name, param->shortdesc);
	if (param->fallback != NULL && *param->fallback != '\0') {
		fprintf(out, " [%s]", param->fallback);
	}
	fputc('\n', out);
}

void vrms_ocf_usage_print(const struct vrms_ocf_agent *agent, FILE *out)
{
	fprintf(out,
		"usage: %s ACTION\n\n"
		"ocf:%s:%s: %s.\n"
		"Parameters come from the environment, as OCF_RESKEY_<name>.\n\n"
		"Actions:\n",
		agent->name, agent->provider, agent->name, agent->shortdesc);
	for (size_t i = 0; i < agent->action_count; i++) {
		print_action(&agent->actions[i], out);
	}
	fputs("\nParameters (* required):\n", out);
	for (size_t i = 0; i < agent->param_count; i++) {
		if (!agent->params[i].advanced) {
			print_parameter(&agent->params[i], out);
		}
	}
	fprintf(out, "\nMore: man 7 ocf_%s_%s\n", agent->provider, agent->name);
}
