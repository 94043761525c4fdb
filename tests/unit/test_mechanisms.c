// SPDX-License-Identifier: Apache-2.0
/* What doctor claims of a kernel follows from what the kernel has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "compile/mechanisms.h"

#define ALL UINT32_MAX

static const struct mechanism *find(const char *grant)
{
	for (size_t i = 0; i < mechanism_count; i++)
		if (strcmp(mechanisms[i].grant, grant) == 0)
			return &mechanisms[i];
	fail_msg("no mechanism for %s", grant);
	return NULL;
}

static void without_programs_nothing_is_claimed(void **state)
{
	(void)state;
	for (size_t i = 0; i < mechanism_count; i++) {
		assert_null(way_find(mechanisms[i].launch, ALL & ~(unsigned)NEED_BPF));
		assert_null(way_find(mechanisms[i].attach, ALL & ~(unsigned)NEED_BPF));
	}
}

static void what_needs_allow_degraded_is_claimed_in_part(void **state)
{
	static const struct {
		const char *grant;
		unsigned has;
		bool launch, launch_partly, attach, attach_partly;
	} cases[] = {
		{"process.syscalls", NEED_BPF, false, false, false, false},
		{"process.syscalls", NEED_BPF | NEED_SECCOMP, true, false, false, false},
		{"process.syscalls", NEED_BPF | NEED_WATCH, false, false, true, true},
		{"process.syscalls", NEED_BPF | NEED_WATCH | NEED_LSM, false, false, true, false},
		{"files", NEED_BPF | NEED_WATCH, false, false, false, false},
		{"files", NEED_BPF | NEED_LANDLOCK, true, true, false, false},
		{"files", NEED_BPF | NEED_LANDLOCK | NEED_LANDLOCK_FILES, true, false, false,
		 false},
		{"files", NEED_BPF | NEED_LSM, true, false, true, false},
		{"process.limits.cpu", NEED_BPF | NEED_PIDS, false, false, false, false},
		{"process.limits.cpu", NEED_BPF | NEED_CPU, true, false, true, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct mechanism *mechanism = find(cases[i].grant);
		const struct way *launch = way_find(mechanism->launch, cases[i].has);
		const struct way *attach = way_find(mechanism->attach, cases[i].has);

		assert_int_equal(launch != NULL, cases[i].launch);
		assert_int_equal(launch && launch->partly, cases[i].launch_partly);
		assert_int_equal(attach != NULL, cases[i].attach);
		assert_int_equal(attach && attach->partly, cases[i].attach_partly);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_programs_nothing_is_claimed),
		cmocka_unit_test(what_needs_allow_degraded_is_claimed_in_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
