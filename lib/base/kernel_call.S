/* hkm_syscall: the number and up to six arguments go where the kernel wants them;
   what it gives from -4095 to -1 is an error.  See kernel.h.  */
#include "base/kernel.h"

#if HKM_OWN_SYSCALL

#ifdef __x86_64__
#ifdef __CET__
#include <cet.h> /* and the property note */
#else
#define _CET_ENDBR
#endif
#endif

	.text
	.hidden	hkm_syscall
	.hidden	hkm_syscall_failed
	.globl	hkm_syscall
	.type	hkm_syscall, %function
	.p2align 4
hkm_syscall:
	.cfi_startproc

#if defined __x86_64__

	_CET_ENDBR
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %r10
	movq	%r9, %r8
	movq	8(%rsp), %r9
	syscall
	cmpq	$-4095, %rax
	jae	1f
	ret
1:	movq	%rax, %rdi
	jmp	hkm_syscall_failed

#elif defined __aarch64__

	hint	#34 /* bti c, by number so that any assembler takes it */
	mov	x8, x0
	mov	x0, x1
	mov	x1, x2
	mov	x2, x3
	mov	x3, x4
	mov	x4, x5
	mov	x5, x6
	svc	#0
	cmn	x0, #4095
	b.hs	1f
	ret
1:	b	hkm_syscall_failed

#endif

	.cfi_endproc
	.size	hkm_syscall, . - hkm_syscall

#elif defined __CET__
#include <cet.h> /* the note alone */
#endif

#include "base/asm_end.h"
