// SPDX-License-Identifier: Apache-2.0
/* "process" and "files": what may be run, called, kept, used up, read and written. */
#include "manifest/reader.h"

#include <inttypes.h>
#include <string.h>

#include "policy/syscalls.h"

/* PID_MAX_LIMIT of 64-bit Linux (include/linux/threads.h). */
#define PIDS_MAX (4ULL << 20)
/* Below a page the kernel rounds memory.max to nothing. */
#define MEMORY_LEAST 4096
/* 4,096 processors, each in full. */
#define CPU_PERCENT_MAX 409600UL

static void read_exec(struct reader *reader, const json_value *value, void *target)
{
	struct process *process = target;

	process->exec_present = true;
	reader_strings(reader, value, reader_path_pattern, &process->exec);
}

static const char *read_syscall(struct reader *reader, const json_value *value)
{
	const char *text = json_as_string(value);
	char shown[SHOWN_TEXT_MAX];

	if (text[0] == '@' ? syscall_group_find(text) != NULL : syscall_is_known(text))
		return reader_copy(reader, text);
	reader_error(reader, value, CODE_UNKNOWN_NAME, "\"%s\" is no %s; write %s",
		     reader_show(shown, text),
		     text[0] == '@' ? "group of system calls" : "system call of Linux",
		     text[0] == '@' ? "\"@escape\" or a group that systemd-analyze "
				      "syscall-filter lists"
				    : "its name as in syscalls(2), or a group, e.g. \"@mount\"");
	return NULL;
}

static void read_syscalls_deny(struct reader *reader, const json_value *value, void *target)
{
	struct process *process = target;

	reader_strings(reader, value, read_syscall, &process->syscalls_deny);
}

static void read_syscalls_allow(struct reader *reader, const json_value *value, void *target)
{
	struct process *process = target;

	reader_strings(reader, value, read_syscall, &process->syscalls_allow);
}

static const struct key_spec syscalls_keys[] = {
	{"deny", KIND_LIST, read_syscalls_deny, NULL},
	{"allow", KIND_LIST, read_syscalls_allow, NULL},
};

static void read_syscalls(struct reader *reader, const json_value *value, void *target)
{
	struct process *process = target;

	if (!reader_not_empty(reader, value, "write \"deny\", \"allow\" or both"))
		return;
	process->syscalls_present = true;
	(void)reader_object(reader, value, syscalls_keys, ARRAY_SIZE(syscalls_keys), process);
}

static void read_capability(struct reader *reader, const json_value *value, uint64_t *kept)
{
	const char *text = json_as_string(value), *near;
	char shown[SHOWN_TEXT_MAX];
	int number;

	if (!reader_expect(reader, value, KIND_STRING))
		return;
	number = capability_find(text);
	if (number >= 0 && number < 64) {
		*kept |= 1ULL << number;
		return;
	}
	near = reader_suggest(reader, text, capability_names, capability_count, sizeof(char *));
	reader_error(reader, value, CODE_UNKNOWN_NAME,
		     near ? "\"%s\" is no capability; did you mean \"%s\"?"
			  : "\"%s\" is no capability; write %s as in capabilities(7)",
		     reader_show(shown, text), near ? near : "\"CAP_NET_BIND_SERVICE\" and so on,");
}

static void read_capabilities(struct reader *reader, const json_value *value, void *target)
{
	struct process *process = target;
	size_t index = 0;

	process->capabilities_present = true;
	json_for_each (item, value) {
		size_t before = reader_push_index(reader, index++);

		read_capability(reader, item, &process->capabilities);
		reader_pop(reader, before);
	}
}

static void read_pids(struct reader *reader, const json_value *value, void *target)
{
	struct limits *limits = target;

	(void)reader_unsigned(reader, value, 1, PIDS_MAX, &limits->pids);
}

static void read_memory(struct reader *reader, const json_value *value, void *target)
{
	struct limits *limits = target;

	if (reader_size(reader, value, &limits->memory_bytes) &&
	    limits->memory_bytes < MEMORY_LEAST)
		reader_error(reader, value, CODE_RANGE,
			     "%" PRIu64 " bytes of memory run nothing; write \"512MiB\"",
			     limits->memory_bytes);
}

static void read_cpu(struct reader *reader, const json_value *value, void *target)
{
	struct limits *limits = target;
	const char *text = json_as_string(value);
	size_t digits = strspn(text, "0123456789");
	char shown[SHOWN_TEXT_MAX];
	unsigned long percent;

	percent = digits > 0 && digits <= 6 ? strtoul(text, NULL, 10) : 0;
	if (strcmp(text + digits, "%") == 0 && text[0] != '0' && percent > 0 &&
	    percent <= CPU_PERCENT_MAX) {
		limits->cpu_percent = (uint32_t)percent;
		return;
	}
	reader_error(reader, value, CODE_QUANTITY,
		     "\"%s\" is no share of processors; write \"150%%\" for one and a half",
		     reader_show(shown, text));
}

static const struct key_spec limits_keys[] = {
	{"pids", KIND_NUMBER, read_pids, NULL},
	{"memory", KIND_STRING | KIND_NUMBER, read_memory, NULL},
	{"cpu", KIND_STRING, read_cpu, NULL},
};

static void read_limits(struct reader *reader, const json_value *value, void *target)
{
	struct process *process = target;

	(void)reader_object(reader, value, limits_keys, ARRAY_SIZE(limits_keys), &process->limits);
}

static void read_on_violation(struct reader *reader, const json_value *value, void *target)
{
	static const struct word words[] = {{"deny", false}, {"kill", true}};
	struct process *process = target;
	int kill;

	if (reader_word(reader, value, words, ARRAY_SIZE(words), &kill))
		process->kill_on_violation = kill;
}

static const struct key_spec process_keys[] = {
	{"exec", KIND_LIST, read_exec, NULL},
	{"syscalls", KIND_OBJECT, read_syscalls, NULL},
	{"capabilities", KIND_LIST, read_capabilities, NULL},
	{"limits", KIND_OBJECT, read_limits, NULL},
	{"on_violation", KIND_STRING, read_on_violation, NULL},
};

void read_process(struct reader *reader, const json_value *value, void *target)
{
	struct process *process = target;

	process->present = true;
	(void)reader_object(reader, value, process_keys, ARRAY_SIZE(process_keys), process);
}

static void read_files_read(struct reader *reader, const json_value *value, void *target)
{
	reader_strings(reader, value, reader_path, &((struct files *)target)->read);
}

static void read_files_write(struct reader *reader, const json_value *value, void *target)
{
	reader_strings(reader, value, reader_path, &((struct files *)target)->write);
}

static void read_files_deny(struct reader *reader, const json_value *value, void *target)
{
	reader_strings(reader, value, reader_path, &((struct files *)target)->deny);
}

static const struct key_spec files_keys[] = {
	{"read", KIND_LIST, read_files_read, NULL},
	{"write", KIND_LIST, read_files_write, NULL},
	{"deny", KIND_LIST, read_files_deny, NULL},
};

void read_files(struct reader *reader, const json_value *value, void *target)
{
	struct files *files = target;

	files->present = true;
	(void)reader_object(reader, value, files_keys, ARRAY_SIZE(files_keys), files);
}
