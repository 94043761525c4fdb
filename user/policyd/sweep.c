// SPDX-License-Identifier: Apache-2.0
#include "policyd/sweep.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "policyd/sweep_report.h"

/* A call that was let through before the policy may end after a listing. So many in a row that find
 * nothing are the end; and so many in all, whatever they find. */
#define CLEAN_PASSES  2
#define PASSES_MAX    16
#define PASS_PAUSE_NS 1000000L
/* What nobody has accepted by this pass is let go. */
#define ACCEPT_PASSES 4
#define MESSAGE_ROOM  (VERDICT_TEXT_MAX + 256)

/* Cookies of sockets, or places in a listing. */
struct names {
	uint64_t *items;
	size_t count, room;
};

struct sweep {
	const struct sweep_subject *subject;
	const struct policy *policy;
	const char *tool;
	struct socket_scope scope;
	struct sockets *sockets; /* the last listing, owned */
	struct names listeners;	 /* of it, by index */
	struct names settled;	 /* closed, or told that they can't be */
	struct names marked;	 /* known to the kernel as accepted */
	struct sweep_report report;
	size_t left;
};

/* What a pass has found to do. */
struct tally {
	size_t found;	/* not granted */
	size_t waiting; /* granted, but not accepted yet */
};

static void sweep_free(struct sweep *sweep)
{
	sockets_free(sweep->sockets);
	free(sweep->listeners.items);
	free(sweep->settled.items);
	free(sweep->marked.items);
	sweep_report_free(&sweep->report);
}
#define _cleanup_sweep_ __attribute__((cleanup(sweep_free)))

static int add_name(struct names *names, uint64_t name)
{
	uint64_t *items = array_reserve(names->items, &names->room, names->count, sizeof(*items));

	if (!items)
		return -ENOMEM;
	names->items = items;
	items[names->count++] = name;
	return 0;
}

static bool has_name(const struct names *names, uint64_t name)
{
	for (size_t i = 0; i < names->count; i++)
		if (names->items[i] == name)
			return true;
	return false;
}

static bool is_apart(uint64_t cgroup, const void *context)
{
	return enforcer_policy_of(context, cgroup) != 0;
}

static struct sweep sweep_of(const struct sweep_subject *subject, const struct policy *policy,
			     const char *tool, const char *cgroup_path)
{
	return (struct sweep){
		.subject = subject,
		.policy = policy,
		.tool = tool && tool[0] ? tool : NULL,
		.scope = {.cgroup_path = cgroup_path,
			  .is_apart = is_apart,
			  .context = subject->enforcer},
	};
}

/* ---- listing and judging ---- */

static int list_again(struct sweep *sweep, struct error *error)
{
	sockets_free(sweep->sockets);
	sweep->listeners.count = 0;
	sweep->sockets = sockets_list(&sweep->scope, error);
	if (!sweep->sockets)
		return -1;
	for (size_t i = 0; i < sockets_count(sweep->sockets); i++)
		if (sockets_at(sweep->sockets, i)->state == SOCKET_LISTENING &&
		    add_name(&sweep->listeners, i) < 0)
			return error_set(error, STATUS_SYSTEM, "out of memory");
	return 0;
}

static void judge(const struct sweep *sweep, const struct open_socket *socket,
		  struct judgement *judgement)
{
	bool has_listener = false;

	for (size_t i = 0; i < sweep->listeners.count && !has_listener; i++)
		has_listener = judge_is_listener_of(
			sockets_at(sweep->sockets, sweep->listeners.items[i]), socket);
	judge_socket(sweep->policy, sweep->tool, socket, has_listener, judgement);
}

/* What a listener has accepted is not known as such to the kernel's programs where they came later:
 * false where no process of the cgroup has it in its hands. */
static bool mark_inbound(struct sweep *sweep, const struct open_socket *socket)
{
	_cleanup_close_ int fd = -1;

	if (has_name(&sweep->marked, socket->cookie))
		return true;
	fd = sockets_take(socket);
	return fd >= 0 && enforcer_mark_inbound(sweep->subject->enforcer, fd, socket->pid) == 0 &&
	       add_name(&sweep->marked, socket->cookie) == 0;
}

/* ---- telling ---- */

static void tell_closed(struct sweep *sweep, const struct open_socket *socket,
			const struct judgement *judgement)
{
	char message[MESSAGE_ROOM];

	(void)snprintf(message, sizeof(message),
		       "%s; it was open before the policy, and was closed%s",
		       judgement->verdict.message,
		       socket->foreign ? " (it was made outside the cgroup: what its process opens "
					 "by the same descriptor is not held to this policy)"
				       : "");
	sweep_report_add(&sweep->report, REPORT_CLOSED, socket, judgement, message);
}

static void tell_left(struct sweep *sweep, const struct open_socket *socket,
		      const struct judgement *judgement, const char *why)
{
	char message[MESSAGE_ROOM];

	(void)snprintf(message, sizeof(message), "%s; it was open before the policy, and %s",
		       judgement->verdict.message, why);
	sweep_report_add(&sweep->report, REPORT_KEPT, socket, judgement, message);
	sweep->left++;
}

static void tell_kept(struct sweep *sweep, const struct open_socket *socket,
		      const struct judgement *judgement)
{
	char message[MESSAGE_ROOM] = "";

	if (judgement->verdict.kind != VERDICT_ALLOW) {
		(void)snprintf(message, sizeof(message),
			       "%s; it was open before the policy, and would have been closed",
			       judgement->verdict.message);
	} else if (socket->foreign) {
		(void)snprintf(message, sizeof(message),
			       "it was made outside the cgroup: its policy is that of where it was "
			       "made, not this one");
	}
	sweep_report_add(&sweep->report, REPORT_KEPT, socket, judgement,
			 message[0] ? message : NULL);
}

/* ---- closing ---- */

static const char *why_left(int result)
{
	switch (result) {
	case -EOPNOTSUPP:
		return "this kernel can't close it (that needs CONFIG_INET_DIAG_DESTROY): end its "
		       "process";
	case -ENOENT:
		return "was gone whenever it was to be closed, and there again: end its process";
	default:
		return "can't be closed: end its process";
	}
}

/* Without a peer it is no less than before: its process can go on with it. */
static bool survives_closing(const struct open_socket *socket)
{
	return socket->protocol == IPPROTO_RAW ||
	       (socket->foreign && socket->state == SOCKET_UNCONNECTED);
}

static int close_one(struct sweep *sweep, const struct open_socket *socket,
		     const struct judgement *judgement, bool last)
{
	int result = sockets_destroy(sweep->sockets, socket);

	/* It went by itself; or it can't be found alone, among those that share its port. */
	if (result == -ENOENT && !last)
		return 0;
	if (result < 0)
		tell_left(sweep, socket, judgement, why_left(result));
	else if (survives_closing(socket))
		tell_left(sweep, socket, judgement, "can't be taken from its process: end that");
	else
		tell_closed(sweep, socket, judgement);
	return add_name(&sweep->settled, socket->cookie);
}

/* The peer comes again; a connection that hangs would help nobody. */
static int close_unaccepted(struct sweep *sweep, const struct open_socket *socket, bool last)
{
	struct judgement judgement = {.kind = "listen",
				      .verdict = {.kind = VERDICT_DENY, .reason = "no-policy"}};

	(void)snprintf(judgement.verdict.message, sizeof(judgement.verdict.message),
		       "no process of the cgroup had accepted this connection");
	return close_one(sweep, socket, &judgement, last);
}

static int close_pass(struct sweep *sweep, size_t number, struct tally *tally)
{
	const bool last = number == PASSES_MAX - 1;
	struct judgement judgement;
	int result = 0;

	*tally = (struct tally){0};
	for (size_t i = 0; result == 0 && i < sockets_count(sweep->sockets); i++) {
		const struct open_socket *socket = sockets_at(sweep->sockets, i);

		if (has_name(&sweep->settled, socket->cookie))
			continue;
		judge(sweep, socket, &judgement);
		if (judgement.verdict.kind == VERDICT_DENY) {
			tally->found++;
			result = close_one(sweep, socket, &judgement, last);
		} else if (judgement.inbound && !socket->foreign && !mark_inbound(sweep, socket)) {
			tally->waiting++;
			if (number >= ACCEPT_PASSES && sweep->policy->mode != MODE_AUDIT)
				result = close_unaccepted(sweep, socket, last);
		}
	}
	return result;
}

static int close_all(struct sweep *sweep, struct error *error)
{
	const struct timespec pause = {.tv_nsec = PASS_PAUSE_NS};
	struct tally tally;
	size_t clean = 0;

	for (size_t number = 0; number < PASSES_MAX && clean < CLEAN_PASSES; number++) {
		if (number > 0)
			(void)nanosleep(&pause, NULL);
		if (list_again(sweep, error) < 0)
			return -1;
		if (close_pass(sweep, number, &tally) < 0)
			return error_set(error, STATUS_SYSTEM, "out of memory");
		clean = tally.found || tally.waiting ? 0 : clean + 1;
	}
	return 0;
}

static void tell_all_kept(struct sweep *sweep)
{
	struct judgement judgement;

	for (size_t i = 0; i < sockets_count(sweep->sockets); i++) {
		const struct open_socket *socket = sockets_at(sweep->sockets, i);

		if (has_name(&sweep->settled, socket->cookie))
			continue;
		judge(sweep, socket, &judgement);
		tell_kept(sweep, socket, &judgement);
	}
}

int sweep_close(const struct sweep_subject *subject, const struct agent *agent,
		struct json_writer *answer, size_t *left, struct error *error)
{
	_cleanup_sweep_ struct sweep sweep =
		sweep_of(subject, agent->policy, agent->tool, agent->cgroup_path);

	sweep_report_open(&sweep.report, subject->monitor, agent);
	if (close_all(&sweep, error) < 0)
		return error_wrap(error, "what was open before the policy can't be judged");
	tell_all_kept(&sweep);
	*left = sweep.left;
	if (answer)
		sweep_report_write(&sweep.report, answer);
	return 0;
}

/* ---- looking alone ---- */

int sweep_check(const struct sweep_subject *subject, const struct policy *policy, const char *tool,
		const char *cgroup_path, struct error *error)
{
	_cleanup_sweep_ struct sweep sweep = sweep_of(subject, policy, tool, cgroup_path);
	char list[ERROR_TEXT_MAX - 512] = "", line[512];
	size_t used = 0, found = 0, told = 0;
	struct judgement judgement;

	if (list_again(&sweep, error) < 0)
		return -1;
	for (size_t i = 0; i < sockets_count(sweep.sockets); i++) {
		const struct open_socket *socket = sockets_at(sweep.sockets, i);

		judge(&sweep, socket, &judgement);
		if (judgement.inbound && !socket->foreign)
			(void)mark_inbound(&sweep, socket);
		if (judgement.verdict.kind != VERDICT_DENY)
			continue;
		found++;
		sweep_describe(socket, line, sizeof(line));
		if (used + strlen(line) + 3 >= sizeof(list))
			continue;
		used += (size_t)snprintf(list + used, sizeof(list) - used, "\n  %s", line);
		told++;
	}
	if (!found)
		return 0;
	return error_set(error, STATUS_NO,
			 "%zu sockets are open that %s does not grant; nothing was attached and "
			 "nothing closed (without --keep-open they are closed):%s%s",
			 found, policy->name, list, told < found ? "\n  and more" : "");
}
