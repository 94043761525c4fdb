// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/syscalls.h"

static void count_name(const char *name, void *context)
{
	(void)name;
	++*(size_t *)context;
}

static void escape_is_denied_by_default(void **state)
{
	static const char *const denied[] = {
		"bpf",	      "ptrace",		 "process_vm_readv", "mount",	      "umount2",
		"move_mount", "init_module",	 "kexec_load",	     "keyctl",	      "unshare",
		"setns",      "perf_event_open", "userfaultfd",	     "io_uring_setup"};
	static const char *const allowed[] = {"read", "clone", "clone3", "execve", "socket"};
	const struct process process = {0};
	const char *entry;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(denied); i++) {
		assert_true(syscalls_denied(&process, denied[i], &entry));
		assert_string_equal(entry, "@escape");
	}
	for (i = 0; i < ARRAY_SIZE(allowed); i++)
		assert_false(syscalls_denied(&process, allowed[i], &entry));
}

static void an_exception_wins(void **state)
{
	const char *deny[] = {"@debug"}, *allow[] = {"ptrace"}, *entry;
	const struct process process = {
		.syscalls_present = true, .syscalls_deny = {deny, 1}, .syscalls_allow = {allow, 1}};

	(void)state;
	assert_false(syscalls_denied(&process, "ptrace", &entry));
	assert_true(syscalls_denied(&process, "perf_event_open", &entry));
	assert_string_equal(entry, "@debug");
	assert_false(syscalls_denied(&process, "mount", &entry));
}

static void exceptions_alone_are_exceptions_from_the_default(void **state)
{
	const char *allow[] = {"ptrace"}, *entry;
	const struct process process = {.syscalls_present = true, .syscalls_allow = {allow, 1}};
	const struct process nothing = {.syscalls_present = true};

	(void)state;
	assert_false(syscalls_denied(&process, "ptrace", &entry));
	assert_true(syscalls_denied(&process, "mount", &entry));
	assert_false(syscalls_denied(&nothing, "mount", &entry));
}

static void a_tool_lifts_what_the_agent_denies(void **state)
{
	const char *allow[] = {"ptrace"}, *deny[] = {"fork"}, *entry;
	const struct process agent = {0};
	const struct process tool = {
		.syscalls_present = true, .syscalls_deny = {deny, 1}, .syscalls_allow = {allow, 1}};

	(void)state;
	assert_false(syscalls_scope_denied(&agent, &tool, "ptrace", &entry));
	assert_true(syscalls_scope_denied(&agent, &tool, "bpf", &entry));
	assert_true(syscalls_scope_denied(&agent, &tool, "fork", &entry));
	assert_string_equal(entry, "fork");
}

static void groups_hold_the_groups_in_them(void **state)
{
	const struct syscall_group *service = syscall_group_find("@system-service");

	(void)state;
	assert_non_null(service);
	assert_true(syscall_group_has(service, "openat"));
	assert_false(syscall_group_has(service, "mount"));
	assert_null(syscall_group_find("@nothing"));
	assert_null(syscall_group_find("mount"));
}

static void members_of_groups_are_known(void **state)
{
	static const char *const groups[] = {"@escape", "@mount", "@privileged", "@system-service"};
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		const struct syscall_group *group = syscall_group_find(groups[i]);

		for (j = 0; group->members[j]; j++)
			assert_true(group->members[j][0] == '@'
					    ? syscall_group_find(group->members[j]) != NULL
					    : syscall_is_known(group->members[j]));
	}
	assert_false(syscall_is_known("no_such_call"));
	assert_false(syscall_is_known("@mount"));
}

static void each_denied_call_is_visited_once(void **state)
{
	const char *deny[] = {"@mount", "mount", "@mount"};
	const struct process process = {.syscalls_present = true, .syscalls_deny = {deny, 3}};
	size_t count = 0, members = 0;

	(void)state;
	while (syscall_group_find("@mount")->members[members])
		members++;
	syscalls_each_denied(&process, count_name, &count);
	assert_int_equal(count, members);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escape_is_denied_by_default),
		cmocka_unit_test(an_exception_wins),
		cmocka_unit_test(exceptions_alone_are_exceptions_from_the_default),
		cmocka_unit_test(a_tool_lifts_what_the_agent_denies),
		cmocka_unit_test(groups_hold_the_groups_in_them),
		cmocka_unit_test(members_of_groups_are_known),
		cmocka_unit_test(each_denied_call_is_visited_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
