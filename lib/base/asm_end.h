/* The end of a file in assembly: what the compiler notes for one in C.  The stack
   is not executable; and on arm64, if the rest was compiled so, that branches land
   where they may: without this the linker drops that property for the whole
   library.  (On x86-64 <cet.h>, which gives the instruction, notes it.)  */
#if defined __ARM_FEATURE_BTI_DEFAULT || defined __ARM_FEATURE_PAC_DEFAULT
	.section .note.gnu.property, "a"
	.p2align 3
	.word	4, 16, 5
	.asciz	"GNU"
	.word	0xc0000000, 4, 3, 0
#endif
	.section .note.GNU-stack, "", %progbits
