// SPDX-License-Identifier: Apache-2.0
#include "compile/oci.h"

#include <errno.h>

#include "compile/places.h"
#include "compile/seccomp.h"

/* linux.resources.cpu: so much of each period, in microseconds. */
#define CPU_PERIOD 100000U

static const struct {
	uint32_t token;
	const char *name;
} architectures[] = {
	{SCMP_ARCH_X86_64, "SCMP_ARCH_X86_64"},	  {SCMP_ARCH_AARCH64, "SCMP_ARCH_AARCH64"},
	{SCMP_ARCH_ARM, "SCMP_ARCH_ARM"},	  {SCMP_ARCH_PPC64LE, "SCMP_ARCH_PPC64LE"},
	{SCMP_ARCH_RISCV64, "SCMP_ARCH_RISCV64"}, {SCMP_ARCH_S390X, "SCMP_ARCH_S390X"},
};

static const char *const comparisons[] = {
	[SCMP_CMP_NE] = "SCMP_CMP_NE",
	[SCMP_CMP_LT] = "SCMP_CMP_LT",
	[SCMP_CMP_LE] = "SCMP_CMP_LE",
	[SCMP_CMP_EQ] = "SCMP_CMP_EQ",
	[SCMP_CMP_GE] = "SCMP_CMP_GE",
	[SCMP_CMP_GT] = "SCMP_CMP_GT",
	[SCMP_CMP_MASKED_EQ] = "SCMP_CMP_MASKED_EQ",
};

static const char *const capability_sets[] = {
	"bounding", "effective", "permitted", "inheritable", "ambient",
};

/* Besides those that every agent gets: where a container has the kernel's control panels. */
static const char *const container_panels[] = {"/sys", "/sys/fs/cgroup"};

/* ---- process ---- */

static void write_capabilities(struct json_writer *writer, uint64_t kept)
{
	json_key(writer, "capabilities");
	json_open_object(writer);
	for (size_t i = 0; i < ARRAY_SIZE(capability_sets); i++) {
		json_key(writer, capability_sets[i]);
		json_open_array(writer);
		for (size_t cap = 0; cap < capability_count; cap++)
			if (kept >> cap & 1)
				json_string(writer, capability_names[cap]);
		json_close_array(writer);
	}
	json_close_object(writer);
}

/* A core pattern that is a pipe runs a program outside of the cgroup (core(5)). */
static void write_no_core(struct json_writer *writer)
{
	json_key(writer, "rlimits");
	json_open_array(writer);
	json_open_object(writer);
	json_key_string(writer, "type", "RLIMIT_CORE");
	json_key_unsigned(writer, "hard", 0);
	json_key_unsigned(writer, "soft", 0);
	json_close_object(writer);
	json_close_array(writer);
}

static void write_process(struct json_writer *writer, const struct policy *policy,
			  const struct tool *tool)
{
	const uint64_t kept =
		policy->agent.process.capabilities | (tool ? tool->scope.process.capabilities : 0);

	json_key(writer, "process");
	json_open_object(writer);
	json_key_boolean(writer, "noNewPrivileges", true);
	write_capabilities(writer, kept);
	write_no_core(writer);
	json_close_object(writer);
}

/* ---- linux.seccomp ---- */

struct seccomp_writing {
	struct json_writer *writer;
	uint32_t deny;
};

static void write_action(struct json_writer *writer, uint32_t action)
{
	if (action == SCMP_ACT_LOG) {
		json_key_string(writer, "action", "SCMP_ACT_LOG");
	} else if (action == SCMP_ACT_KILL_PROCESS) {
		json_key_string(writer, "action", "SCMP_ACT_KILL_PROCESS");
	} else {
		json_key_string(writer, "action", "SCMP_ACT_ERRNO");
		/* The action holds the errno in its low half. */
		json_key_unsigned(writer, "errnoRet", action & 0xffffU);
	}
}

static void write_argument(struct json_writer *writer, const struct scmp_arg_cmp *argument)
{
	json_open_object(writer);
	json_key_unsigned(writer, "index", argument->arg);
	json_key_unsigned(writer, "value", argument->datum_a);
	json_key_unsigned(writer, "valueTwo", argument->datum_b);
	json_key_string(writer, "op", comparisons[argument->op]);
	json_close_object(writer);
}

/* An entry each: arguments of one entry have to hold together. */
static void write_rule(const struct seccomp_rule *rule, void *context)
{
	const struct seccomp_writing *writing = context;
	struct json_writer *writer = writing->writer;

	if (rule->missing && writing->deny == SCMP_ACT_LOG)
		return;
	json_open_object(writer);
	json_key(writer, "names");
	json_open_array(writer);
	json_string(writer, rule->syscall);
	json_close_array(writer);
	write_action(writer, rule->missing ? SCMP_ACT_ERRNO(ENOSYS) : writing->deny);
	json_key(writer, "args");
	json_open_array(writer);
	for (unsigned i = 0; i < rule->argument_count; i++)
		write_argument(writer, &rule->arguments[i]);
	json_close_array(writer);
	json_close_object(writer);
}

/* Entries of an architecture that is not listed kill: runtimes have no other answer. */
static void write_seccomp(struct json_writer *writer, const struct policy *policy,
			  const struct tool *tool)
{
	struct seccomp_writing writing = {writer, seccomp_deny_action(policy, tool)};
	const uint32_t native = seccomp_arch_native();

	json_key(writer, "seccomp");
	json_open_object(writer);
	json_key_string(writer, "defaultAction", "SCMP_ACT_ALLOW");
	json_key(writer, "architectures");
	json_open_array(writer);
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
		if (architectures[i].token == native)
			json_string(writer, architectures[i].name);
	json_close_array(writer);
	json_key(writer, "syscalls");
	json_open_array(writer);
	seccomp_each_rule(policy, tool, write_rule, &writing);
	json_close_array(writer);
	json_close_object(writer);
}

/* ---- the rest of linux ---- */

static void write_denied(struct json_writer *writer, const struct scope *scope)
{
	for (size_t i = 0; i < scope->files.deny.count; i++)
		json_string(writer, scope->files.deny.items[i]);
}

static void write_places(struct json_writer *writer, const struct policy *policy,
			 const struct tool *tool)
{
	json_key(writer, "maskedPaths");
	json_open_array(writer);
	for (size_t i = 0; i < hidden_place_count; i++)
		json_string(writer, hidden_places[i].path);
	if (policy->mode != MODE_AUDIT) {
		write_denied(writer, &policy->agent);
		if (tool)
			write_denied(writer, &tool->scope);
	}
	json_close_array(writer);
	json_key(writer, "readonlyPaths");
	json_open_array(writer);
	for (size_t i = 0; i < read_only_place_count; i++)
		json_string(writer, read_only_places[i]);
	for (size_t i = 0; i < ARRAY_SIZE(container_panels); i++)
		json_string(writer, container_panels[i]);
	json_close_array(writer);
}

/* "swap" is memory and swap together: the same number is no swap. */
static void write_resources(struct json_writer *writer, const struct limits *limits)
{
	json_key(writer, "resources");
	json_open_object(writer);
	if (limits->pids) {
		json_key(writer, "pids");
		json_open_object(writer);
		json_key_unsigned(writer, "limit", limits->pids);
		json_close_object(writer);
	}
	if (limits->memory_bytes) {
		json_key(writer, "memory");
		json_open_object(writer);
		json_key_unsigned(writer, "limit", limits->memory_bytes);
		json_key_unsigned(writer, "swap", limits->memory_bytes);
		json_close_object(writer);
	}
	if (limits->cpu_percent) {
		json_key(writer, "cpu");
		json_open_object(writer);
		json_key_unsigned(writer, "quota",
				  (uint64_t)limits->cpu_percent * (CPU_PERIOD / 100));
		json_key_unsigned(writer, "period", CPU_PERIOD);
		json_close_object(writer);
	}
	json_close_object(writer);
}

void oci_write_profile(const struct policy *policy, const struct tool *tool,
		       struct json_writer *writer)
{
	const struct limits limits = policy_limits(policy, tool);

	json_open_object(writer);
	/* Audit mode takes nothing from the process. */
	if (policy->mode != MODE_AUDIT)
		write_process(writer, policy, tool);
	json_key(writer, "linux");
	json_open_object(writer);
	write_seccomp(writer, policy, tool);
	write_places(writer, policy, tool);
	if (limits.pids || limits.memory_bytes || limits.cpu_percent)
		write_resources(writer, &limits);
	json_close_object(writer);
	json_close_object(writer);
}
