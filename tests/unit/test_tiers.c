// SPDX-License-Identifier: Apache-2.0
/* What this version does not enforce is named, each with its place in the manifest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "compile/tiers.h"
#include "manifest/manifest.h"

static struct policy *read_text(const char *text)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics;
	struct policy *policy;

	diagnostics_init(&diagnostics, "test");
	policy = manifest_read_text(text, strlen(text), &diagnostics);
	if (!policy) {
		diagnostics_print_text(&diagnostics, stderr);
		fail_msg("not usable: %s", text);
	}
	return policy;
}

static bool names(const struct gaps *gaps, const char *pointer, bool asked_for)
{
	for (size_t i = 0; i < gaps->count; i++)
		if (strcmp(gaps->items[i].pointer, pointer) == 0 &&
		    gaps->items[i].explicit_in_manifest == asked_for && gaps->items[i].what[0])
			return true;
	return false;
}

#define START "{\"agentpol\":1,\"name\":\"t\","
#define TOOL(more)                                                                     \
	"\"tools\":{\"t\":{\"sql\":{\"engine\":\"postgresql\",\"server\":\"db:5432\"," \
	"\"allow\":[{\"select\":[\"o\"]}]}" more "}}}"
#define RULE "{\"to\":\"10.0.0.1\",\"ports\":[443]}"

static const struct {
	const char *manifest;
	const char *pointer; /* NULL: nothing asked for is missing */
	bool at_launch, on_attach;
} cases[] = {
	{START "\"network\":{\"egress\":[" RULE "]}}", NULL, false, false},
	{START "\"network\":{\"egress\":[" RULE "],\"listen\":[{\"ports\":[80]}]}}", NULL, false,
	 false},
	{START "\"mode\":\"audit\",\"network\":{\"egress\":[" RULE "]}}", NULL, false, false},
	{START "\"network\":{\"egress\":[{\"to\":\"a.example\",\"ports\":[443]}]}}", NULL, false,
	 false},
	{START "\"network\":{\"egress\":[" RULE ",{\"to\":\"10.0.0.2\",\"ports\":[1],\"bytes\":"
	       "\"5MiB/h\",\"connects\":\"5/s\"}]}}",
	 NULL, false, false},
	{START "\"network\":{\"unix\":[\"/run/x\"]}}", NULL, false, false},
	{START "\"process\":{\"exec\":[\"/usr/bin/*\"]}}", "/process/exec", false, true},
	{START "\"process\":{\"syscalls\":{\"deny\":[\"@mount\"]}}}", "/process/syscalls", false,
	 true},
	{START "\"process\":{\"capabilities\":[\"CAP_CHOWN\"]}}", "/process/capabilities", false,
	 true},
	{START "\"process\":{\"limits\":{\"pids\":5}}}", NULL, false, false},
	{START "\"process\":{\"limits\":{\"memory\":\"1GiB\"}}}", "/process/limits/memory", true,
	 true},
	{START "\"process\":{\"on_violation\":\"kill\"}}", NULL, false, false},
	{START "\"files\":{\"read\":[\"/usr\"]}}", "/files", false, true},
	{START "\"budgets\":{\"calls\":5}}", "/budgets", false, false},
	{START TOOL(""), NULL, false, false},
	{START TOOL(",\"description\":\"d\",\"effect\":\"read\""), NULL, false, false},
	{START TOOL(",\"inputSchema\":{\"type\":\"object\"}"), "/tools/t", false, false},
	{START TOOL(",\"confirm\":\"ask\""), "/tools/t", false, false},
	{START TOOL(",\"budget\":{\"calls\":1}"), "/tools/t", false, false},
};

static void check(size_t i, enum tier tier, bool missing)
{
	const struct place place = {tier, .unix_sockets = true, .landlock_abi = 3,
				    .controllers = CONTROLLER_PIDS | CONTROLLER_CPU};
	struct policy *policy = read_text(cases[i].manifest);
	struct gaps gaps;

	tiers_find_gaps(policy, NULL, &place, &gaps);
	if ((gaps.explicit_count > 0) != missing)
		fail_msg("%s: %zu asked for are missing at tier %d", cases[i].manifest,
			 gaps.explicit_count, tier);
	if (missing && !names(&gaps, cases[i].pointer, true))
		fail_msg("%s: %s is not named (%s is)", cases[i].manifest, cases[i].pointer,
			 gaps.items[0].pointer);
	policy_free(policy);
}

static void what_is_asked_for_and_not_enforced_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		check(i, TIER_LAUNCH, cases[i].at_launch);
		check(i, TIER_ATTACH, cases[i].on_attach);
	}
}

/* The format's defaults deny what a live cgroup is not kept from: that is told, not refused. */
static void defaults_that_are_not_enforced_are_named_apart(void **state)
{
	const struct place place = {TIER_ATTACH, .unix_sockets = true};
	struct policy *policy = read_text(START "\"network\":{}}");
	struct gaps gaps;

	(void)state;
	tiers_find_gaps(policy, NULL, &place, &gaps);
	assert_int_equal(gaps.explicit_count, 0);
	assert_true(names(&gaps, "/process/syscalls", false));
	assert_true(names(&gaps, "/process/capabilities", false));
	policy_free(policy);
}

static bool is_called_a_kill(const struct gaps *gaps, const char *pointer)
{
	for (size_t i = 0; i < gaps->count; i++)
		if (strcmp(gaps->items[i].pointer, pointer) == 0 &&
		    strstr(gaps->items[i].what, "by killing the process"))
			return true;
	return false;
}

/* A kill comes late: what it is for is refused like what nothing enforces, and named for what it
 * is.
 */
static void what_a_kill_enforces_is_named_as_that(void **state)
{
	const struct place place = {TIER_ATTACH, .unix_sockets = true, .watch = true};
	struct policy *policy =
		read_text(START "\"process\":{\"exec\":[\"/usr/bin/*\"],"
				"\"syscalls\":{\"deny\":[\"@mount\"]}},\"files\":{\"read\":[]}}");
	struct gaps gaps;

	(void)state;
	tiers_find_gaps(policy, NULL, &place, &gaps);
	assert_int_equal(gaps.explicit_count, 3);
	assert_true(names(&gaps, "/process/syscalls", true));
	assert_true(is_called_a_kill(&gaps, "/process/syscalls"));
	assert_true(names(&gaps, "/process/exec", true));
	assert_true(is_called_a_kill(&gaps, "/process/exec"));
	assert_true(names(&gaps, "/files", true));
	assert_false(is_called_a_kill(&gaps, "/files"));
	policy_free(policy);
}

/* Every task of the machine would pay for it. */
static void nobody_is_watched_for_a_default(void **state)
{
	const struct place place = {TIER_ATTACH, .unix_sockets = true, .watch = true};
	struct policy *policy = read_text(START "\"network\":{}}");
	struct gaps gaps;

	(void)state;
	assert_false(tiers_ask_watch(policy, NULL));
	tiers_find_gaps(policy, NULL, &place, &gaps);
	assert_int_equal(gaps.explicit_count, 0);
	assert_false(is_called_a_kill(&gaps, "/process/syscalls"));
	policy_free(policy);
}

static void an_older_kernel_does_not_judge_unix_sockets(void **state)
{
	struct policy *policy = read_text(START "\"network\":{\"unix\":[\"/run/x\"]}}");
	const struct place old = {TIER_LAUNCH, .unix_sockets = false};
	const struct place new = {TIER_LAUNCH, .unix_sockets = true};
	struct gaps gaps;

	(void)state;
	tiers_find_gaps(policy, NULL, &old, &gaps);
	assert_int_equal(gaps.explicit_count, 1);
	assert_true(names(&gaps, "/network/unix", true));
	/* What a path can't tell is said, and is no reason to refuse. */
	tiers_find_gaps(policy, NULL, &new, &gaps);
	assert_int_equal(gaps.explicit_count, 0);
	assert_true(names(&gaps, "/network/unix", false));
	policy_free(policy);
}

/* Landlock tells nobody of what it denies: one sentence more than with the LSM. */
static void what_denies_without_a_kill_is_named(void **state)
{
	struct policy *policy = read_text(START "\"process\":{\"on_violation\":\"kill\","
						"\"exec\":[\"/usr/bin/*\"]}}");
	const struct place places[] = {
		{TIER_LAUNCH, .unix_sockets = true, .landlock_abi = 3},
		{TIER_LAUNCH, .unix_sockets = true, .landlock_abi = 3, .lsm = true},
	};
	size_t named[2] = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct gaps gaps;

		tiers_find_gaps(policy, NULL, &places[i], &gaps);
		assert_int_equal(gaps.explicit_count, 0);
		for (size_t gap = 0; gap < gaps.count; gap++)
			named[i] += strcmp(gaps.items[gap].pointer, "/process/on_violation") == 0;
	}
	assert_int_equal(named[0], 2);
	assert_int_equal(named[1], 1);
	policy_free(policy);
}

static void an_older_landlock_keeps_less(void **state)
{
	static const struct {
		int abi;
		const char *pointer; /* what is not kept; NULL: all is */
		size_t explicit_count;
	} kernels[] = {
		{0, "/files", 2}, {1, "/files/write", 1}, {2, "/files/write", 1}, {3, NULL, 0}};
	struct policy *policy = read_text(START "\"files\":{\"write\":[\"/tmp\"]},"
						"\"process\":{\"exec\":[\"/usr/bin/*\"]}}");
	struct gaps gaps;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		const struct place place = {TIER_LAUNCH, .landlock_abi = kernels[i].abi};

		tiers_find_gaps(policy, NULL, &place, &gaps);
		assert_int_equal(gaps.explicit_count, kernels[i].explicit_count);
		if (kernels[i].pointer)
			assert_true(names(&gaps, kernels[i].pointer, true));
		/* What is open all the same is told where it is kept. */
		assert_int_equal(names(&gaps, "/process/exec", false), kernels[i].abi > 0);
		assert_int_equal(names(&gaps, "/files", false), kernels[i].abi >= 3);
	}
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_for_and_not_enforced_is_named),
		cmocka_unit_test(an_older_kernel_does_not_judge_unix_sockets),
		cmocka_unit_test(what_denies_without_a_kill_is_named),
		cmocka_unit_test(an_older_landlock_keeps_less),
		cmocka_unit_test(what_a_kill_enforces_is_named_as_that),
		cmocka_unit_test(nobody_is_watched_for_a_default),
		cmocka_unit_test(defaults_that_are_not_enforced_are_named_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
