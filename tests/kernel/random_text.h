/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chance for the differential tests: the same sequence everywhere, so that what it finds can be
 * found again; and text that is put together from it.
 */
#ifndef AGENTPOL_TESTS_KERNEL_RANDOM_TEXT_H
#define AGENTPOL_TESTS_KERNEL_RANDOM_TEXT_H

#include <stddef.h>

#include "harness.h"

#define TEXT_MAX 8192

struct text {
	char bytes[TEXT_MAX];
	size_t length;
};

/* Another sequence, where the environment has AGENTPOL_SEED, a number. */
void seed_from_environment(void);

/* 0 to `count` - 1; `count` is not 0. */
size_t pick(size_t count);

/* Appends; fails the test where it is full. */
void add(struct text *text, const char *format, ...) FORMAT(2, 3);

#endif
