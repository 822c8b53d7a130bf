/* files.S - the guests' scripts as data of vrms-lab, NUL-terminated.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
	.section .rodata
	.globl vrms_guest_linux_init
vrms_guest_linux_init:
	.incbin "lab/guest/init"
	.byte 0
	.globl vrms_guest_linux_script
vrms_guest_linux_script:
	.incbin "lab/guest/build-linux.sh"
	.byte 0
	.section .note.GNU-stack, "", @progbits
