// SPDX-License-Identifier: Apache-2.0
#include "agentpol/mcp_leases.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* The first one waits until the command has been started. */
#define ANSWER_TIMEOUT_MS 10000
#define ANSWER_MAX	  2048

struct leases {
	struct call_authority authority; /* first: it is handed out */
	struct call_authority *inner;	 /* owned */
	struct leased_call *calls;	 /* owned */
	int fd;				 /* owned */
};

/* A call of a tool whose grants are lent. */
struct leased_call {
	struct leased_call *next;
	struct leases *leases;
	const struct tool *tool;
	uint64_t number;	      /* 0: begin has not returned yet */
	bool open, failed, ruled_out; /* lent; could not be; nothing is to be lent */
	call_ruled ruled;
	void *context;
};

/* ---- the launcher ---- */

static int read_answer(int fd, char *text, size_t room)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN};
	size_t used = 0;

	while (used + 1 < room) {
		ssize_t got;

		if (poll(&poller, 1, ANSWER_TIMEOUT_MS) == 0)
			return -ETIMEDOUT;
		got = recv(fd, text + used, room - 1 - used, MSG_DONTWAIT);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got <= 0)
			return -EPIPE;
		used += (size_t)got;
		if (text[used - 1] == '\n') {
			text[used - 1] = '\0';
			return 0;
		}
	}
	return -EMSGSIZE;
}

/* "open" or "close"; a sentence in `why` where the launcher does not do it. */
static bool ask_launcher(struct leases *leases, const char *what, const char *tool, char *why)
{
	static const char refused[] = "error ";
	char line[TOOL_NAME_MAX + 16];
	const int length = snprintf(line, sizeof(line), "%s %s\n", what, tool);

	(void)snprintf(why, ANSWER_MAX, "who started the tool server does not answer");
	if (send(leases->fd, line, (size_t)length, MSG_NOSIGNAL) != length ||
	    read_answer(leases->fd, why, ANSWER_MAX) < 0)
		return false;
	if (strcmp(why, "ok") == 0)
		return true;
	if (strncmp(why, refused, strlen(refused)) == 0)
		memmove(why, why + strlen(refused), strlen(why + strlen(refused)) + 1);
	return false;
}

/* ---- calls ---- */

static void drop(struct leased_call *call)
{
	struct leased_call **at = &call->leases->calls;
	char why[ANSWER_MAX];

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	if (call->open)
		(void)ask_launcher(call->leases, "close", call->tool->name, why);
	free(call);
}

static struct leased_call *find(const struct leases *leases, uint64_t number)
{
	struct leased_call *call = leases->calls;

	while (call && call->number != number)
		call = call->next;
	return call;
}

static void end_inner(struct leases *leases, uint64_t number)
{
	leases->inner->methods->end(leases->inner, number, false, NULL);
}

static void on_ruled(const struct call_decision *decision, void *context)
{
	struct leased_call *call = context;
	struct leases *leases = call->leases;
	struct call_decision denied = *decision;
	char why[ANSWER_MAX];
	bool failed, settled;
	uint64_t number;

	call->ruled_out = decision->verdict.kind != VERDICT_ALLOW &&
			  decision->verdict.kind != VERDICT_WOULD_DENY;
	if (!call->ruled_out)
		call->open = ask_launcher(leases, "open", call->tool->name, why);
	call->failed = !call->ruled_out && !call->open;
	if (call->failed) {
		denied = (struct call_decision){
			.verdict = {.kind = VERDICT_UNDECIDED, .reason = "scope"},
			.retryable = true};
		(void)snprintf(denied.verdict.rule, sizeof(denied.verdict.rule), "%s/scope",
			       call->tool->scope.pointer);
		(void)snprintf(denied.verdict.message, sizeof(denied.verdict.message),
			       "the tool's grants can't be opened: %s", why);
	}
	failed = call->failed;
	settled = failed || call->ruled_out;
	number = call->number;
	call->ruled(&denied, call->context);
	/* While begin goes on, it does the rest; and who was told may have ended it. */
	call = number ? find(leases, number) : NULL;
	if (call && failed)
		end_inner(leases, number);
	if (call && settled)
		drop(call);
}

static void deny_without_memory(call_ruled ruled, void *context)
{
	const struct call_decision decision = {
		.verdict = {.kind = VERDICT_UNDECIDED, .reason = "memory"}};

	ruled(&decision, context);
}

static uint64_t leases_begin(struct call_authority *authority, const struct call_claim *claim,
			     const struct call_shown *shown, call_ruled ruled, void *context)
{
	struct leases *leases = (struct leases *)authority;
	struct call_authority *inner = leases->inner;
	struct leased_call *call;
	uint64_t number;

	if (!claim->tool || !claim->tool->call_scope)
		return inner->methods->begin(inner, claim, shown, ruled, context);
	call = calloc(1, sizeof(*call));
	if (!call) {
		deny_without_memory(ruled, context);
		return UINT64_MAX;
	}
	*call = (struct leased_call){.next = leases->calls,
				     .leases = leases,
				     .tool = claim->tool,
				     .ruled = ruled,
				     .context = context};
	leases->calls = call;
	number = inner->methods->begin(inner, claim, shown, on_ruled, call);
	call->number = number;
	if (call->failed)
		end_inner(leases, number);
	if (call->failed || call->ruled_out)
		drop(call);
	return number;
}

static void leases_withdraw(struct call_authority *authority, uint64_t number)
{
	struct leases *leases = (struct leases *)authority;
	struct leased_call *call = find(leases, number);

	if (call)
		drop(call);
	leases->inner->methods->withdraw(leases->inner, number);
}

static void leases_end(struct call_authority *authority, uint64_t number, bool succeeded,
		       const struct call_evidence *evidence)
{
	struct leases *leases = (struct leases *)authority;
	struct leased_call *call = find(leases, number);

	if (call)
		drop(call);
	leases->inner->methods->end(leases->inner, number, succeeded, evidence);
}

static void leases_note_denial(struct call_authority *authority, struct call_decision *decision)
{
	struct call_authority *inner = ((struct leases *)authority)->inner;

	inner->methods->note_denial(inner, decision);
}

static void leases_free(struct call_authority *authority)
{
	struct leases *leases = (struct leases *)authority;

	while (leases->calls)
		drop(leases->calls);
	leases->inner->methods->free(leases->inner);
	(void)close(leases->fd);
	free(leases);
}

struct call_authority *mcp_leases_new(struct call_authority *inner, int fd, struct error *error)
{
	static const struct call_authority_methods methods = {
		leases_begin, leases_withdraw, leases_end, leases_note_denial, leases_free};
	struct leases *leases = calloc(1, sizeof(*leases));

	if (!leases) {
		inner->methods->free(inner);
		(void)close(fd);
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	*leases = (struct leases){.authority = {&methods}, .inner = inner, .fd = fd};
	return &leases->authority;
}
