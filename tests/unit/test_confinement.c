// SPDX-License-Identifier: Apache-2.0
/* What a policy's processes may do, as the kernel gets it; and which hook stands before what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "compile/confinement.h"
#include "compile/hooks.h"
#include "manifest/manifest.h"
#include "policy/syscalls.h"

#define HEAD "{\"agentpol\":1,\"name\":\"a\""

static struct policy *read_policy(const char *text)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics;
	struct policy *policy;

	diagnostics_init(&diagnostics, "test");
	policy = manifest_read_text(text, strlen(text), &diagnostics);
	assert_non_null(policy);
	return policy;
}

static bool denies(const struct confinement *confinement, long number)
{
	return confinement->denied_syscalls[number / 64] >> (number % 64) & 1;
}

static void the_least_manifest_keeps_no_capability_and_denies_escape(void **state)
{
	_cleanup_policy_ struct policy *policy = read_policy(HEAD "}");
	struct confinement confinement;

	(void)state;
	confinement_compile(policy, NULL, &confinement);
	assert_true(denies(&confinement, SYS_bpf));
	assert_true(denies(&confinement, SYS_mount));
	assert_true(denies(&confinement, SYS_userfaultfd));
	assert_false(denies(&confinement, SYS_read));
	assert_false(denies(&confinement, SYS_clone));
	assert_int_equal(confinement.capabilities, 0);
	assert_int_equal(confinement.domains,
			 1ULL << AF_UNIX | 1ULL << AF_INET | 1ULL << AF_INET6 | 1ULL << AF_NETLINK);
	assert_int_equal(confinement.families, 0);
	assert_int_equal(confinement.objects, OBJECT_READ | OBJECT_WRITE | OBJECT_EXEC);
	assert_int_equal(confinement_flags(policy, NULL), 0);
}

static void what_a_manifest_says_is_what_the_kernel_gets(void **state)
{
	_cleanup_policy_ struct policy *policy = read_policy(
		HEAD ",\"network\":{\"families\":[\"packet\",\"netlink\",\"vsock\"]},"
		     "\"files\":{\"read\":[\"/usr\"]},\"process\":{\"exec\":[\"/usr/bin/*\"],"
		     "\"syscalls\":{\"deny\":[\"@swap\"]},\"capabilities\":[\"CAP_SYS_ADMIN\"],"
		     "\"on_violation\":\"kill\"},\"audit\":{\"allowed\":[\"exec\",\"file\"]}}");
	struct confinement confinement;

	(void)state;
	confinement_compile(policy, NULL, &confinement);
	assert_true(denies(&confinement, SYS_swapon));
	assert_false(denies(&confinement, SYS_mount));
	assert_int_equal(confinement.capabilities, 1ULL << capability_find("CAP_SYS_ADMIN"));
	assert_true(confinement.domains >> AF_PACKET & 1);
	assert_true(confinement.domains >> AF_VSOCK & 1);
	assert_int_equal(confinement.families, CONFINE_NETLINK | CONFINE_PACKET);
	assert_int_equal(confinement.objects, 0);
	assert_int_equal(confinement_flags(policy, NULL), POLICY_EXEC | POLICY_FILES | POLICY_KILL |
								  POLICY_LOG_EXEC |
								  POLICY_LOG_FILE);
}

static void a_tool_gets_its_own_besides(void **state)
{
	_cleanup_policy_ struct policy *policy =
		read_policy(HEAD ",\"tools\":{\"t\":{\"process\":{\"syscalls\":{\"allow\":["
				 "\"ptrace\"]},\"capabilities\":[\"CAP_KILL\"]}}}}");
	struct confinement agent, tool;

	(void)state;
	confinement_compile(policy, NULL, &agent);
	confinement_compile(policy, policy_find_tool(policy, "t"), &tool);
	assert_true(denies(&agent, SYS_ptrace));
	assert_false(denies(&tool, SYS_ptrace));
	assert_true(denies(&tool, SYS_bpf));
	assert_int_equal(tool.capabilities, 1ULL << capability_find("CAP_KILL"));
}

static void has_a_hook(const char *name, void *context)
{
	(void)context;
	if (!syscall_hook_find(name))
		fail_msg("no hook stands before %s", name);
}

static void every_call_of_escape_has_a_hook(void **state)
{
	const struct process process = {0};

	(void)state;
	for (size_t i = 0; i < syscall_hook_count; i++) {
		assert_true(syscall_is_known(syscall_hooks[i].name));
		assert_ptr_equal(syscall_hook_find(syscall_hooks[i].name), &syscall_hooks[i]);
	}
	syscalls_each_denied(&process, has_a_hook, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_manifest_keeps_no_capability_and_denies_escape),
		cmocka_unit_test(what_a_manifest_says_is_what_the_kernel_gets),
		cmocka_unit_test(a_tool_gets_its_own_besides),
		cmocka_unit_test(every_call_of_escape_has_a_hook),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
