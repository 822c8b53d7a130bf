# SPDX-License-Identifier: GPL-2.0-or-later

TESTS      += tests/cli/plan.sh tests/cli/plan_live.sh
EXTRA_DIST += tests/cli/plan.sh tests/cli/plan_live.sh
