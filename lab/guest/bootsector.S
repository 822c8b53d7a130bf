/* bootsector.S - the lab's smallest guest: one sector of 16-bit code that proves it lives.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Once a second it adds one to a counter, writes the line
 *
 *     VRMS boot 000001 tick 00000042 fail 0000 CR LF
 *
 * to LBA 1 of its disk (so that a disk can fail under it) and to COM1.  "boot" is read back from
 * the disk and raised at every start, "tick" starts from zero: a guest that went on has the same
 * boot and a larger tick, one that was started again a larger boot.  "fail" counts writes that
 * the disk refused.
 *
 * The host orders it about by the first byte of LBA 2 (guest.h has the names); every order but
 * DEAF is erased before it is obeyed, or a reboot would repeat it for ever.  The power button is
 * obeyed unless the order is DEAF.
 *
 * It is linked into vrms-lab as data.  Every address below is a difference of two labels, known
 * to the assembler, so that nothing is left for the linker to get wrong.
 */

#define LOADED_AT   0x7c00 /* where a BIOS puts a boot sector */
#define RECORD      0x7e00 /* copy of LBA 1 */
#define ORDER       0x8000 /* copy of LBA 2 */
#define BIOS_TICKS  0x046c /* 18.2 a second, counted by the BIOS */
#define TICKS_A_SECOND 18

#define COM1        0x03f8
#define COM1_STATUS 0x03fd
#define PM1_STATUS  0x0600 /* ACPI registers, where SeaBIOS puts them on i440fx and q35 */
#define PM1_ENABLE  0x0602
#define PM1_CONTROL 0x0604
#define POWER_BUTTON 0x0100
#define SOFT_OFF    0x2000 /* SLP_EN, sleep type 0 */
#define PVPANIC     0x0505
#define IB700_START 0x0443
#define IB700_2_SECONDS 14
#define KEYBOARD_COMMAND 0x64
#define CPU_RESET   0xfe

#define AT(label) ((label) - start + LOADED_AT)
#define FIELD(label) ((label) - template + RECORD)

	.section .rodata
	.globl vrms_guest_bootsector
	.globl vrms_guest_bootsector_end
	.balign 16
vrms_guest_bootsector:
	.code16
start:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$LOADED_AT, %sp
	movb	%dl, AT(drive)
	sti
	cld
	movw	$PM1_ENABLE, %dx
	movw	$POWER_BUTTON, %ax
	outw	%ax, %dx

	/* Go on from the record on the disk, or begin a new one. */
	call	read_record
	cmpl	$0x534d5256, RECORD /* "VRMS" */
	je	1f
	movw	$AT(template), %si
	movw	$RECORD, %di
	movw	$(template_end - template), %cx
	rep movsb
1:	movw	$FIELD(boot_last), %di
	call	increment
	movw	$FIELD(tick_first), %di
	movw	$(tick_last - tick_first + 1), %cx
	movb	$'0', %al
	rep stosb

second:
	movw	$FIELD(tick_last), %di
	call	increment
	movb	$0x43, %ah
	movb	$1, AT(packet_lba)
	movw	$RECORD, AT(packet_buffer)
	call	disk
	jnc	2f
	movw	$FIELD(fail_last), %di
	call	increment
2:	movw	$RECORD, %si
	movw	$(template_end - template), %cx
3:	lodsb
	call	put
	loop	3b

	movb	$0x42, %ah
	movb	$2, AT(packet_lba)
	movw	$ORDER, AT(packet_buffer)
	call	disk
	jc	wait
	movb	ORDER, %bl
	orb	%bl, %bl
	jz	wait
	cmpb	$'D', %bl
	je	wait
	movb	$0, ORDER
	movb	$0x43, %ah
	call	disk
	cmpb	$'P', %bl
	je	panic
	cmpb	$'W', %bl
	je	watchdog
	cmpb	$'R', %bl
	je	reboot
	cmpb	$'O', %bl
	je	off
	cmpb	$'H', %bl
	jne	wait
hang:
	cli
	hlt
	jmp	hang

wait:
	movw	$TICKS_A_SECOND, %cx
4:	hlt
	movw	$PM1_STATUS, %dx
	inw	%dx, %ax
	testw	$POWER_BUTTON, %ax
	jz	5f
	cmpb	$'D', ORDER
	jne	off
5:	movw	BIOS_TICKS, %ax
	cmpw	%ax, AT(last_tick)
	je	4b
	movw	%ax, AT(last_tick)
	loop	4b
	jmp	second

off:
	movw	$PM1_CONTROL, %dx
	movw	$SOFT_OFF, %ax
	outw	%ax, %dx
	jmp	hang
panic:
	movw	$PVPANIC, %dx
	movb	$1, %al
	outb	%al, %dx
	jmp	hang
watchdog:
	movw	$IB700_START, %dx
	movb	$IB700_2_SECONDS, %al
	outb	%al, %dx
	jmp	hang
reboot:
	movb	$CPU_RESET, %al
	outb	%al, $KEYBOARD_COMMAND
	jmp	hang

read_record:
	movb	$0x42, %ah
disk: /* AH: 0x42 read, 0x43 write; carry set on failure */
	xorb	%al, %al
	movb	AT(drive), %dl
	movw	$AT(packet), %si
	pushw	%bx
	int	$0x13
	popw	%bx
	ret

increment: /* DI: last digit of a decimal number */
	incb	(%di)
	cmpb	$'9', (%di)
	jbe	6f
	movb	$'0', (%di)
	decw	%di
	jmp	increment
6:	ret

put: /* AL to COM1 */
	movb	%al, %ah
	movw	$COM1_STATUS, %dx
7:	inb	%dx, %al
	testb	$0x20, %al
	jz	7b
	movb	%ah, %al
	movw	$COM1, %dx
	outb	%al, %dx
	ret

template:
	.ascii	"VRMS boot 00000"
boot_last:
	.ascii	"0 tick "
tick_first:
	.ascii	"0000000"
tick_last:
	.ascii	"0 fail 000"
fail_last:
	.ascii	"0\r\n"
template_end:

drive:
	.byte	0
last_tick:
	.word	0
	.balign	4
packet: /* disk address packet of int 13h extensions */
	.byte	16, 0
	.word	1
packet_buffer:
	.word	RECORD, 0
packet_lba:
	.quad	1

	.org	vrms_guest_bootsector + 510
	.word	0xaa55
vrms_guest_bootsector_end:

	.section .note.GNU-stack, "", @progbits
