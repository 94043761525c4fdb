// SPDX-License-Identifier: Apache-2.0
/* The program that nobody may execute: says so on standard output when somebody does. Built without
 * the C library twice, as a program and as a shared object. */
#include <stddef.h>
#include <sys/syscall.h>

static const char said[] = "executed\n";

static long call(long number, long first, long second, long third)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(first), "S"(second), "d"(third)
			 : "rcx", "r11", "memory");
	return result;
}

/* As a shared object it says so when it is loaded, whatever loads it. */
__attribute__((constructor)) static void say(void)
{
	(void)call(SYS_write, 1, (long)said, sizeof(said) - 1);
}

void _start(void)
{
	say();
	(void)call(SYS_exit_group, 0, 0, 0);
	for (;;) {
	}
}
