/* drbd_tool.c - stands for drbdsetup, drbdadm, crm_master and crm_attribute in tests/bench/drbd.sh:
 * says what they would say of a healthy DRBD 9 resource, at next to no cost.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"

/* Prints the standard output within a capture. */
static int print_capture(const char *path)
{
	char *text VRMS_CLEANUP(vrms_freep) = NULL;

	if (path == NULL || vrms_file_read(path, 1 << 20, &text, NULL, NULL) < 0) {
		return EXIT_FAILURE;
	}
	char *begin = strchr(text, '\n');
	char *end = strstr(text, "--- stderr ---");
	if (begin == NULL || end == NULL) {
		return EXIT_FAILURE;
	}
	return fwrite(begin + 1, 1, (size_t)(end - begin - 1), stdout) > 0 ? EXIT_SUCCESS
									   : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *word, *answer;
	} answers[] = {
	    {"--version", "DRBDADM_API_VERSION=2\nDRBD_KERNEL_VERSION_CODE=0x090210\n"
			  "DRBDADM_VERSION_CODE=0x091600\nDRBDADM_VERSION=9.22.0\n"},
	    {"sh-dev", "/dev/drbd0\n"},
	    {"-G", "10000\n"}, /* crm_master: the score as it is */
	};

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "events2") == 0) {
			return print_capture(getenv("VRMS_BENCH_CAPTURE"));
		}
		for (size_t k = 0; k < VRMS_COUNT_OF(answers); k++) {
			if (strcmp(argv[i], answers[k].word) == 0) {
				fputs(answers[k].answer, stdout);
				return EXIT_SUCCESS;
			}
		}
	}
	return EXIT_SUCCESS;
}
