// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "agentpol/doctor.h"
#include "agentpol/emit.h"
#include "base/json_write.h"
#include "compile/hooks.h"
#include "compile/tiers.h"

static void write_way(struct json_writer *writer, const char *key, const struct way *way)
{
	json_key(writer, key);
	if (!way) {
		json_null(writer);
		return;
	}
	json_open_object(writer);
	json_key_string(writer, "by", way->by);
	json_key_boolean(writer, "partly", way->partly);
	json_close_object(writer);
}

static void write_grants(struct json_writer *writer, unsigned has)
{
	json_key(writer, "grants");
	json_open_array(writer);
	for (size_t i = 0; i < mechanism_count; i++) {
		json_open_object(writer);
		json_key_string(writer, "grant", mechanisms[i].grant);
		write_way(writer, "run", way_find(mechanisms[i].launch, has));
		write_way(writer, "attach", way_find(mechanisms[i].attach, has));
		json_close_object(writer);
	}
	json_close_array(writer);
}

static void write_proofs(struct json_writer *writer, const struct trial *trial)
{
	json_key(writer, "tried");
	json_open_array(writer);
	for (size_t i = 0; i < trial->proof_count; i++) {
		const struct proof *proof = &trial->proofs[i];

		json_open_object(writer);
		json_key_string(writer, "what", proof->what);
		json_key_boolean(writer, "proved", proof->proved);
		if (!proof->proved)
			json_key_string(writer, "message", proof->error.text);
		json_close_object(writer);
	}
	json_close_array(writer);
}

static void write_lacks(struct json_writer *writer, const struct doctor *doctor)
{
	json_key(writer, "missing");
	json_open_array(writer);
	for (size_t i = 0; i < doctor->lack_count; i++) {
		const struct lack *lack = &doctor->lacks[i];

		json_open_object(writer);
		json_key_string(writer, "what", lack->name);
		json_key_string(writer, "why", lack->why);
		json_key_string(writer, "how", lack->how[0] ? lack->how : NULL);
		json_close_object(writer);
	}
	json_close_array(writer);
}

/* What is not known is null. */
static void write_known(struct json_writer *writer, const char *key, const char *text)
{
	json_key_string(writer, key, text[0] ? text : NULL);
}

static void write_controllers(struct json_writer *writer, unsigned controllers)
{
	static const struct {
		enum controller bit;
		const char *name;
	} names[] = {
		{CONTROLLER_PIDS, "pids"}, {CONTROLLER_MEMORY, "memory"}, {CONTROLLER_CPU, "cpu"}};

	json_key(writer, "controllers");
	json_open_array(writer);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (controllers & names[i].bit)
			json_string(writer, names[i].name);
	json_close_array(writer);
}

static void write_system(struct json_writer *writer, const struct doctor *doctor)
{
	const struct features *features = &doctor->features;

	json_key(writer, "system");
	json_open_object(writer);
	json_key_string(writer, "kernel", features->release);
	write_known(writer, "lsm", features->lsm_list);
	json_key(writer, "bpf_lsm");
	if (features->bpf_lsm == ANSWER_UNKNOWN)
		json_null(writer);
	else
		json_verbatim(writer, features->bpf_lsm == ANSWER_YES ? "true" : "false");
	write_known(writer, "lockdown", features->lockdown);
	json_key_unsigned(writer, "landlock", (uint64_t)features->landlock_abi);
	json_key_boolean(writer, "seccomp", features->seccomp);
	write_known(writer, "cgroup_v2", features->cgroup_mount);
	write_controllers(writer, features->controllers);
	json_key_boolean(writer, "bpf_mounted", features->bpf_mounted);
	json_key_boolean(writer, "btf", features->types);
	json_key_boolean(writer, "root", features->root);
	write_known(writer, "capabilities_missing", features->capabilities_missing);
	json_key_boolean(writer, "unprivileged_bpf", features->unprivileged_bpf == 0);
	json_key_boolean(writer, "policyd", doctor->daemon);
	json_close_object(writer);
}

static void write_syscalls(struct json_writer *writer, bool lsm)
{
	json_key(writer, "syscalls");
	json_open_array(writer);
	for (size_t i = 0; i < syscall_hook_count; i++) {
		json_open_object(writer);
		json_key_string(writer, "name", syscall_hooks[i].name);
		json_key_string(writer, "hooks", syscall_hooks[i].hooks);
		json_key_string(writer, "note", syscall_hooks[i].note);
		json_key_boolean(writer, "active", lsm);
		json_close_object(writer);
	}
	json_close_array(writer);
}

int doctor_print_json(const struct doctor *doctor, bool syscalls, struct error *error)
{
	_cleanup_json_writer_ struct json_writer writer = {0};

	json_open_object(&writer);
	json_key_boolean(&writer, "enforces", doctor->has & NEED_BPF);
	write_grants(&writer, doctor->has);
	write_proofs(&writer, &doctor->trial);
	write_lacks(&writer, doctor);
	write_system(&writer, doctor);
	if (syscalls)
		write_syscalls(&writer, doctor->has & NEED_LSM);
	json_close_object(&writer);
	json_newline(&writer);
	return emit_json(&writer, error);
}
