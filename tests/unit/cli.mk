# SPDX-License-Identifier: GPL-2.0-or-later

CLI_TESTS   = tests/cli/plan.sh tests/cli/plan_live.sh tests/cli/events.sh tests/cli/vrmsd.sh \
	tests/cli/verdict.sh
TESTS      += $(CLI_TESTS)
EXTRA_DIST += $(CLI_TESTS) tests/cli/lib.sh
