/* SPDX-License-Identifier: Apache-2.0 */
/* The BPF objects as data: one file to install, and no way to load another version's programs. */
	.section .rodata
	.balign 16
	.globl embedded_egress_start
	.globl embedded_egress_end
embedded_egress_start:
	.incbin "egress.bpf.o"
embedded_egress_end:
	.balign 16
	.globl embedded_unix_start
	.globl embedded_unix_end
embedded_unix_start:
	.incbin "unix.bpf.o"
embedded_unix_end:
	.balign 16
	.globl embedded_guard_start
	.globl embedded_guard_end
embedded_guard_start:
	.incbin "guard.bpf.o"
embedded_guard_end:
	.balign 16
	.globl embedded_watch_start
	.globl embedded_watch_end
embedded_watch_start:
	.incbin "watch.bpf.o"
embedded_watch_end:
	.balign 16
	.globl embedded_resolve_start
	.globl embedded_resolve_end
embedded_resolve_start:
	.incbin "resolve.bpf.o"
embedded_resolve_end:
	.section .note.GNU-stack, "", %progbits
