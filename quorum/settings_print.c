/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quorum/settings.h"

#include <stdbool.h>
#include <stdio.h>

void vrms_settings_print_example(void)
{
	size_t count;
	const struct vrms_param *table = vrms_settings_table(&count);

	puts("# " VRMS_SETTINGS_PATH " - settings of vrmsd(8); every one has a default.\n"
	     "# The same file on every node.");
	for (size_t i = 0; i < count; i++) {
		printf("\n# %s.\n# %s\n#%s = %s\n", table[i].shortdesc, table[i].longdesc,
		       table[i].name, table[i].fallback != NULL ? table[i].fallback : "");
	}
}

/* mdoc wants each sentence on a line of its own. */
static void print_sentences(const char *text)
{
	for (const char *at = text; *at != '\0'; at++) {
		bool ends = at[0] == '.' && at[1] == ' ';

		putchar(*at);
		if (ends) {
			putchar('\n');
			at++;
		}
	}
	putchar('\n');
}

void vrms_settings_print_man(void)
{
	size_t count;
	const struct vrms_param *table = vrms_settings_table(&count);

	puts(".\\\" SPDX-License-Identifier: GPL-2.0-or-later\n"
	     ".Dd November 1, 2026\n"
	     ".Dt VRMSD.CONF 5\n"
	     ".Os\n"
	     ".Sh NAME\n"
	     ".Nm vrmsd.conf\n"
	     ".Nd settings of vrmsd\n"
	     ".Sh DESCRIPTION\n"
	     "Lines of the form\n"
	     ".Ql name = value ;\n"
	     "what follows a # at the beginning of a line is a comment.\n"
	     "An unknown name, a name that comes twice and a value out of range are errors:\n"
	     ".Xr vrmsd 8\n"
	     "does not start.\n"
	     "The file should be the same on every node.\n"
	     ".Bl -tag -width Ds");
	for (size_t i = 0; i < count; i++) {
		printf(".It Cm %s\n%s.\n", table[i].name, table[i].shortdesc);
		print_sentences(table[i].longdesc);
		if (table[i].fallback != NULL) {
			printf("Default: %s.\n", table[i].fallback);
		}
	}
	puts(".El\n"
	     ".Sh FILES\n"
	     ".Bl -tag -width Ds\n"
	     ".It Pa " VRMS_SETTINGS_PATH "\n"
	     "Without this file every setting has its default.\n"
	     ".El\n"
	     ".Sh SEE ALSO\n"
	     ".Xr vrms 8 ,\n"
	     ".Xr vrmsd 8");
}
