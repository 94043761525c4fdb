/* SPDX-License-Identifier: Apache-2.0 */
/* The marker program and library, and a piece of code that says what they say: whoever makes an
 * attempt writes them where it wants them. */
	.section .rodata
	.globl marker_begin, marker_end, library_begin, library_end, code_begin, code_end
	.balign 16
marker_begin:
	.incbin "marker"
marker_end:
	.balign 16
library_begin:
	.incbin "marker.so"
library_end:
	.balign 16
code_begin:
	movl $1, %eax
	movl $1, %edi
	leaq text(%rip), %rsi
	movl $9, %edx
	syscall
	ret
text:
	.ascii "executed\n"
code_end:
	.section .note.GNU-stack, "", @progbits
