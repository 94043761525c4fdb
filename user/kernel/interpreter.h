/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program interpreter (ld.so) that an ELF file asks for: execve(2) executes it too, so whoever
 * may execute the file has to be allowed the interpreter.
 */
#ifndef AGENTPOL_KERNEL_INTERPRETER_H
#define AGENTPOL_KERNEL_INTERPRETER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* Reads PT_INTERP of the regular file that an O_PATH descriptor stands for. False where it has
 * none, is no ELF file of this machine's own kind, or cannot be read. */
bool interpreter_read(int fd, char *path, size_t room) MUST_USE;

#endif
