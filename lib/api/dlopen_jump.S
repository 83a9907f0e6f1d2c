/* dlopen and dlmopen as jumps.  libc's dlopen looks at its return address to
   see who calls: that object's RUNPATH is searched and its namespace used.
   So nothing of ours may stand between the caller and libc; and since -O0 and
   sanitizer builds make no tail calls in C, the jump is written out.

   Each saves its arguments, calls the C helper with the address of the saved
   mode, restores the arguments and jumps where the helper said.  */
#include "api/dlopen.h"

#ifdef HKM_TEST_NAMES
#define DLOPEN hkm_test_dlopen
#define DLMOPEN hkm_test_dlmopen
#else
#define DLOPEN dlopen
#define DLMOPEN dlmopen
#endif

#define BEGIN(name)                                                           \
	.globl	name;                                                         \
	.type	name, %function;                                              \
	.p2align 4;                                                           \
name:	.cfi_startproc
#define END(name)                                                             \
	.cfi_endproc;                                                         \
	.size	name, . - name

#if defined __x86_64__ || defined __i386__
#ifdef __CET__
#include <cet.h> /* and the property note */
#else
#define _CET_ENDBR
#endif
#endif

	.text
#ifdef HKM_DLOPEN_JUMP
	.hidden	hkm_dlopen_prepare
	.hidden	hkm_dlmopen_prepare
#endif

#if defined __x86_64__

/* rdi = file, esi = mode */
BEGIN (DLOPEN)
	_CET_ENDBR
	subq	$24, %rsp
	.cfi_adjust_cfa_offset 24
	movq	%rdi, (%rsp)
	movl	%esi, 8(%rsp)
	leaq	8(%rsp), %rdi
	call	hkm_dlopen_prepare
	movq	(%rsp), %rdi
	movl	8(%rsp), %esi
	addq	$24, %rsp
	.cfi_adjust_cfa_offset -24
	jmp	*%rax
END (DLOPEN)

/* rdi = namespace, rsi = file, edx = mode */
BEGIN (DLMOPEN)
	_CET_ENDBR
	subq	$24, %rsp
	.cfi_adjust_cfa_offset 24
	movq	%rdi, (%rsp)
	movq	%rsi, 8(%rsp)
	movl	%edx, 16(%rsp)
	leaq	16(%rsp), %rsi
	call	hkm_dlmopen_prepare
	movq	(%rsp), %rdi
	movq	8(%rsp), %rsi
	movl	16(%rsp), %edx
	addq	$24, %rsp
	.cfi_adjust_cfa_offset -24
	jmp	*%rax
END (DLMOPEN)

#elif defined __i386__

/* The arguments are the caller's stack slots, which belong to the callee: the
   mode is changed where it lies.  */
BEGIN (DLOPEN)
	_CET_ENDBR
	leal	8(%esp), %eax /* &mode */
	subl	$8, %esp
	.cfi_adjust_cfa_offset 8
	pushl	%eax
	.cfi_adjust_cfa_offset 4
	call	hkm_dlopen_prepare
	addl	$12, %esp
	.cfi_adjust_cfa_offset -12
	jmp	*%eax
END (DLOPEN)

BEGIN (DLMOPEN)
	_CET_ENDBR
	leal	12(%esp), %eax /* &mode */
	movl	4(%esp), %ecx  /* namespace */
	subl	$4, %esp
	.cfi_adjust_cfa_offset 4
	pushl	%eax
	.cfi_adjust_cfa_offset 4
	pushl	%ecx
	.cfi_adjust_cfa_offset 4
	call	hkm_dlmopen_prepare
	addl	$12, %esp
	.cfi_adjust_cfa_offset -12
	jmp	*%eax
END (DLMOPEN)

#elif defined __aarch64__

/* Hints 34, 25 and 29 are bti c, paciasp and autiasp, by number so that any
   assembler takes them; processors without these do nothing.  libc's dlopen is
   reached through x16: a landing pad for calls (bti c) admits that jump.  */
#define BTI_C hint #34
#define SIGN hint #25
#define VERIFY hint #29

/* x0 = file, w1 = mode */
BEGIN (DLOPEN)
	BTI_C
	SIGN
	.cfi_negate_ra_state
	stp	x29, x30, [sp, #-48]!
	.cfi_adjust_cfa_offset 48
	.cfi_rel_offset x29, 0
	.cfi_rel_offset x30, 8
	mov	x29, sp
	str	x0, [sp, #16]
	str	w1, [sp, #40]
	add	x0, sp, #40
	bl	hkm_dlopen_prepare
	mov	x16, x0
	ldr	x0, [sp, #16]
	ldr	w1, [sp, #40]
	ldp	x29, x30, [sp], #48
	.cfi_restore x29
	.cfi_restore x30
	.cfi_adjust_cfa_offset -48
	VERIFY
	.cfi_negate_ra_state
	br	x16
END (DLOPEN)

/* x0 = namespace, x1 = file, w2 = mode */
BEGIN (DLMOPEN)
	BTI_C
	SIGN
	.cfi_negate_ra_state
	stp	x29, x30, [sp, #-48]!
	.cfi_adjust_cfa_offset 48
	.cfi_rel_offset x29, 0
	.cfi_rel_offset x30, 8
	mov	x29, sp
	stp	x0, x1, [sp, #16]
	str	w2, [sp, #40]
	add	x1, sp, #40
	bl	hkm_dlmopen_prepare
	mov	x16, x0
	ldp	x0, x1, [sp, #16]
	ldr	w2, [sp, #40]
	ldp	x29, x30, [sp], #48
	.cfi_restore x29
	.cfi_restore x30
	.cfi_adjust_cfa_offset -48
	VERIFY
	.cfi_negate_ra_state
	br	x16
END (DLMOPEN)

#endif

#include "base/asm_end.h"
