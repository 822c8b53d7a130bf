#!/bin/bash
# detection.sh - how long after a power cut the cluster notices, fences, and has its guests back: under
# Corosync's defaults and under vrmsd, in the same labs.
# usage: detection.sh [--nodes N[,N]] [--cuts N[,N]] [--json]   (default: 8 cuts at 3 nodes, 5 at 8)
#        (set by "make bench": VRMS_LAB_STAGE)
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/../lab/lib.sh"

[ ! -e "$DIR" ] || lab down || exit 99
case " $* " in
*" --nodes "* | *" --cuts "*) lab demo "$@" ;;
*) lab demo --full "$@" ;;
esac
