// SPDX-License-Identifier: Apache-2.0
/* Sessions as they are kept: by name, over manifests' versions, on disk, and what they end in. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "kernel/cgroup.h"
#include "manifest/manifest.h"
#include "policyd/calls_internal.h"

#define NS_PER_SECOND 1000000000ULL
/* Answers go first: a call does not wait for the disk. */
#define FLUSH_US 2000
/* Sessions of one daemon: names of manifests that root has brought. */
#define SESSIONS_MAX	  4096
#define SESSION_BYTES_MAX (32UL << 20)
#define KILL_TIMEOUT_MS	  1000

uint64_t calls_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static int session_path(const struct calls *calls, const char *name, char *path,
			struct error *error)
{
	return file_path(path, error, "%s/session-%s.json", calls->folder, name);
}

static void write_one(struct calls *calls, struct kept_session *kept)
{
	_cleanup_json_writer_ struct json_writer writer = {0};
	char path[PATH_MAX];
	struct error error;
	int result = -1;

	call_session_write(kept->session, calls_now_ns(), &writer);
	json_newline(&writer);
	if (json_writer_text(&writer) && session_path(calls, kept->name, path, &error) == 0)
		result = file_write_quick(path, json_writer_text(&writer), writer.length, 0600,
					  &error);
	kept->changed = false;
	if (result < 0)
		(void)fprintf(stderr, "policyd: the session of %s is not on disk: %s\n", kept->name,
			      error.text);
}

void calls_write_changed(struct calls *calls)
{
	for (struct kept_session *kept = calls->sessions; kept; kept = kept->next)
		if (kept->changed)
			write_one(calls, kept);
}

void calls_mark(struct calls *calls, struct kept_session *kept)
{
	const struct timeval soon = {.tv_usec = FLUSH_US};

	kept->changed = true;
	if (!evtimer_pending(calls->flush, NULL))
		(void)evtimer_add(calls->flush, &soon);
}

/* ---- from disk ---- */

/* What can't be read is told, and the session begins with its budgets spent: whoever damages the
 * file gains nothing. */
static int read_state(struct calls *calls, struct kept_session *kept, struct error *error)
{
	_cleanup_json_document_ struct json_document *document = NULL;
	_cleanup_free_ char *text = NULL;
	struct json_fault fault;
	char path[PATH_MAX];
	size_t length;

	if (session_path(calls, kept->name, path, error) < 0)
		return -1;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (file_read_all(path, SESSION_BYTES_MAX, &text, &length, error) < 0)
		return -1;
	document = json_document_parse(text, length, &fault);
	if (document &&
	    call_session_read(kept->session, json_root(document), calls_now_ns(), error) == 0)
		return 0;
	return error_set(error, STATUS_SYSTEM,
			 "%s is damaged; `agentpol session reset %s` begins the session anew", path,
			 kept->name);
}

static void kept_free(struct kept_session *kept)
{
	call_session_free(kept->session);
	policy_free(kept->policy);
	free(kept);
}

/* Owns `policy` from here on, also where it fails. */
static struct kept_session *make_kept(struct calls *calls, struct policy *policy,
				      struct error *error)
{
	struct kept_session *kept = calloc(1, sizeof(*kept));

	if (!kept) {
		policy_free(policy);
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	kept->policy = policy;
	(void)snprintf(kept->name, sizeof(kept->name), "%s", policy->name);
	kept->session = call_session_new(policy, error);
	if (!kept->session || read_state(calls, kept, error) < 0) {
		kept_free(kept);
		return NULL;
	}
	kept->next = calls->sessions;
	calls->sessions = kept;
	return kept;
}

/* Calls that are open know their tool by name; it is found anew. */
static void follow_policy(struct calls *calls, const struct kept_session *kept)
{
	for (struct open_call *call = calls->open; call; call = call->next)
		if (call->link->kept == kept)
			call->claim.tool = policy_find_tool(kept->policy, call->tool);
}

static int adopt(struct calls *calls, struct kept_session *kept, struct policy *policy,
		 struct error *error)
{
	if (strcmp(kept->policy->digest, policy->digest) == 0) {
		policy_free(policy);
		return 0;
	}
	if (call_session_adopt(kept->session, policy, error) < 0) {
		policy_free(policy);
		return -1;
	}
	policy_free(kept->policy);
	kept->policy = policy;
	follow_policy(calls, kept);
	return 0;
}

struct kept_session *calls_keep(struct calls *calls, const char *manifest, size_t length,
				struct error *error)
{
	const struct agent_request request = {
		.manifest_path = "", .manifest_text = manifest, .manifest_length = length};
	struct policy *policy = agents_read_manifest(&request, error);
	struct kept_session *kept;
	size_t count = 0;

	if (!policy)
		return NULL;
	for (kept = calls->sessions; kept; kept = kept->next, count++)
		if (strcmp(kept->name, policy->name) == 0)
			return adopt(calls, kept, policy, error) < 0 ? NULL : kept;
	if (count < SESSIONS_MAX)
		return make_kept(calls, policy, error);
	policy_free(policy);
	(void)error_set(error, STATUS_SYSTEM, "policyd keeps %d sessions and no more",
			SESSIONS_MAX);
	return NULL;
}

void calls_free_sessions(struct calls *calls)
{
	while (calls->sessions) {
		struct kept_session *kept = calls->sessions;

		calls->sessions = kept->next;
		kept_free(kept);
	}
}

/* ---- the end of a budget ---- */

static void freeze(const char *cgroup_path)
{
	char path[PATH_MAX];
	struct error error;

	if (file_path(path, &error, "%s/cgroup.freeze", cgroup_path) == 0) {
		_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

		if (fd >= 0 && file_write_fd(fd, "1", 1) == 0)
			return;
	}
	(void)fprintf(stderr, "policyd: cannot freeze %s\n", cgroup_path);
}

void calls_punish(struct calls *calls, struct kept_session *kept)
{
	const enum exhausted_action action = kept->policy->budgets.on_exhausted;
	const struct agent *agent = calls->agents ? agents_first(calls->agents) : NULL;

	if (kept->punished || action == EXHAUSTED_DENY)
		return;
	kept->punished = true;
	for (; agent; agent = agent->next) {
		if (strcmp(agent->policy->name, kept->name) != 0)
			continue;
		(void)fprintf(stderr, "policyd: %s: its budget has run out, its cgroup is %s\n",
			      kept->name, action == EXHAUSTED_KILL ? "killed" : "frozen");
		if (action == EXHAUSTED_FREEZE)
			freeze(agent->cgroup_path);
		else
			(void)!cgroup_empty(agent->cgroup_path, KILL_TIMEOUT_MS);
	}
}

int calls_reset(struct calls *calls, const char *agent, struct error *error)
{
	char path[PATH_MAX];

	for (struct kept_session *kept = calls->sessions; kept; kept = kept->next)
		if (strcmp(kept->name, agent) == 0) {
			call_session_reset(kept->session);
			kept->punished = false;
			calls_mark(calls, kept);
			return 0;
		}
	if (strspn(agent, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(agent) && *agent &&
	    session_path(calls, agent, path, error) == 0 && unlink(path) == 0)
		return 0;
	return error_set(error, STATUS_UNUSABLE, "there is no session of \"%.63s\"", agent);
}
