/* vm_params.h - the parameters of ocf:vrms:VirtualMachine, a row each.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef VRMS_AGENTS_VM_PARAMS_H
#define VRMS_AGENTS_VM_PARAMS_H

#include "ocf/param.h"

/* The rows; their offsets are those of struct vrms_vm_config. */
const struct vrms_param *vrms_vm_params(size_t *ret_count);

#endif
