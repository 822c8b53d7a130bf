# SPDX-License-Identifier: GPL-2.0-or-later

TESTS      += tests/cli/plan.sh
EXTRA_DIST += tests/cli/plan.sh
