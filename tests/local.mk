# SPDX-License-Identifier: GPL-2.0-or-later

include tests/unit/local.mk
include tests/unit/backup.mk
include tests/lab/local.mk
include tests/bench/local.mk
