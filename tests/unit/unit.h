/* unit.h - one Check program per module: UNIT_MAIN("module", test_a, test_b).
 *
 * UNIT_ONLY in the environment names the one test that is to run.  A test that cannot be made here
 * says why by unit_skip() and returns; its program exits with 77 then, unless another one fails.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_TESTS_UNIT_UNIT_H
#define VRMS_TESTS_UNIT_UNIT_H

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { UNIT_SKIPPED = 77, UNIT_REASON_BYTES = 256 };

/* Of the last test that was skipped; "": none.  Tests are processes of their own: it is shared. */
static inline char *unit_skip_reason(void)
{
	static char *reason;

	if (reason == NULL) {
		reason = mmap(NULL, UNIT_REASON_BYTES, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (reason == MAP_FAILED) {
			abort();
		}
	}
	return reason;
}

static inline void unit_skip(const char *reason)
{
	snprintf(unit_skip_reason(), UNIT_REASON_BYTES, "%s", reason);
}

static inline int unit_run(const char *name, const TTest *const *tests, size_t count)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);

	const char *only = getenv("UNIT_ONLY");
	bool is_found = only == NULL || only[0] == '\0';

	tcase_set_timeout(tcase, 60);
	for (size_t i = 0; i < count; i++) {
		if (only == NULL || only[0] == '\0' || strcmp(tests[i]->name, only) == 0) {
			tcase_add_test(tcase, tests[i]);
			is_found = true;
		}
	}
	suite_add_tcase(suite, tcase);

	const char *reason = unit_skip_reason(); /* made before the tests are */
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	if (!is_found) {
		printf("there is no test \"%s\"\n", only);
		return EXIT_FAILURE;
	}
	if (failed == 0 && reason[0] != '\0') {
		printf("SKIP: %s\n", reason);
		return UNIT_SKIPPED;
	}
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define UNIT_MAIN(name, ...)                                                    \
	int main(void)                                                          \
	{                                                                       \
		const TTest *const tests[] = {__VA_ARGS__};                     \
		return unit_run(name, tests, sizeof(tests) / sizeof(tests[0])); \
	}

#endif
