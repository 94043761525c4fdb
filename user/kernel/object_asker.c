// SPDX-License-Identifier: Apache-2.0
#include "kernel/object_asker.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

extern const char embedded_resolve_start[], embedded_resolve_end[];

struct object_asker {
	struct bpf_object *object;
	struct bpf_link *link;
	int map;
};

static int start(struct object_asker *asker)
{
	const size_t size = (size_t)(embedded_resolve_end - embedded_resolve_start);
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "agentpol_files");
	struct bpf_program *program;
	int result;

	asker->object = bpf_object__open_mem(embedded_resolve_start, size, &options);
	if (!asker->object)
		return -errno;
	result = bpf_object__load(asker->object);
	if (result < 0)
		return result;
	program = bpf_object__find_program_by_name(asker->object, "answer_object");
	asker->map = bpf_object__find_map_fd_by_name(asker->object, "object_question");
	asker->link = program ? bpf_program__attach_trace(program) : NULL;
	return asker->link && asker->map >= 0 ? 0 : -errno;
}

struct object_asker *object_asker_new(struct error *error)
{
	struct object_asker *asker = calloc(1, sizeof(*asker));
	int result = asker ? start(asker) : -ENOMEM;

	if (result == 0)
		return asker;
	(void)error_set_errno(error, STATUS_SYSTEM, -result,
			      "cannot ask the kernel which files paths name");
	object_asker_free(asker);
	return NULL;
}

void object_asker_free(struct object_asker *asker)
{
	if (!asker)
		return;
	(void)bpf_link__destroy(asker->link);
	bpf_object__close(asker->object);
	free(asker);
}

int object_ask(const struct object_asker *asker, int fd, struct object_key *object,
	       struct error *error)
{
	struct object_question question = {
		.thread = (uint64_t)getpid() << 32 | (uint32_t)syscall(SYS_gettid),
		.fd = (uint32_t)fd,
	};
	uint32_t only = 0;

	/* The system call that reads the answer is the one that is answered. */
	if (bpf_map_update_elem(asker->map, &only, &question, BPF_ANY) < 0 ||
	    bpf_map_lookup_elem(asker->map, &only, &question) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno,
				       "cannot ask the kernel which file a path names");
	if (!question.answered)
		return error_set(error, STATUS_SYSTEM,
				 "the kernel does not say which file a path names: this process is "
				 "in a PID namespace of its own");
	*object = question.object;
	return 0;
}
