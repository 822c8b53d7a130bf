# SPDX-License-Identifier: GPL-2.0-or-later

include tests/fakes/local.mk
include tests/hygiene/local.mk
include tests/unit/local.mk
include tests/scenario/local.mk
include tests/drbd/local.mk
include tests/lab/local.mk
include tests/bench/local.mk

EXTRA_DIST += tests/summary.sh packaging/debian-12.packages

# What all tiers that ran left behind, in one table.
.PHONY: check-summary
check-summary:
	@$(top_srcdir)/tests/summary.sh $(TESTS) $(LAB_TESTS)
