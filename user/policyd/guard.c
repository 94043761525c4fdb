// SPDX-License-Identifier: Apache-2.0
#include "policyd/guard.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/file.h"
#include "kernel/server_tables.h"
#include "policyd/guard_internal.h"

#define EVENTS_AT_ONCE 8
/* Messages of one look: other things are to be served, too. */
#define MESSAGES_AT_ONCE 64
/* Namespaces that were left are looked for this often, in ticks. */
#define LOOK_TICKS 30
/* Nobody needs them for so long: they end. The next command may come sooner. */
#define IDLE_TICKS 60

enum source { SOURCE_LINK, SOURCE_CHILD, SOURCE_PARSER, SOURCE_TIMER };

void guard_send_fds(struct guard *guard, const struct guard_message *head, const void *tail,
		    const int *fds, size_t fd_count)
{
	guard_process_send(&guard->child, head, tail, fds, fd_count);
}

void guard_send(struct guard *guard, enum guard_message_type type, uint64_t ref, uint64_t value,
		const void *tail, size_t length)
{
	const struct guard_message head = {type, (uint32_t)length, ref, value};

	guard_send_fds(guard, &head, tail, NULL, 0);
}

/* ---- the children ---- */

static int watch(const struct guard *guard, int fd, enum source source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u32 = source};

	if (epoll_ctl(guard->poll, EPOLL_CTL_ADD, fd, &event) < 0 &&
	    epoll_ctl(guard->poll, EPOLL_CTL_MOD, fd, &event) < 0)
		return -errno;
	return 0;
}

/* What waits is sent when it can be. */
static void watch_link(const struct guard *guard)
{
	const struct guard_process *child = &guard->child;

	if (child->link >= 0)
		(void)watch(guard, child->link, SOURCE_LINK,
			    EPOLLIN | (child->first ? EPOLLOUT : 0));
}

static int start_child(struct guard *guard, struct error *error)
{
	const struct guard_program program = {guard->options.program, "sql-guard-child", guard->uid,
					      guard->options.root, false};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "socketpair");
	if (guard_process_start(&guard->child, &program, pair[1], pair[0], error) < 0)
		return -1;
	(void)watch(guard, guard->child.exit, SOURCE_CHILD, EPOLLIN);
	watch_link(guard);
	wards_tell(guard);
	return 0;
}

/* The guard is given the other end; it learns of the parser's end by it. */
static int start_parser(struct guard *guard, struct error *error)
{
	const struct guard_program program = {guard->options.program, "sql-parser-child",
					      guard->uid, guard->options.root, true};
	const struct guard_message head = {.type = GUARD_PARSER};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "socketpair");
	if (guard_process_start(&guard->parser, &program, pair[1], -1, error) < 0) {
		(void)close(pair[0]);
		return -1;
	}
	(void)watch(guard, guard->parser.exit, SOURCE_PARSER, EPOLLIN);
	guard_send_fds(guard, &head, NULL, &pair[0], 1);
	(void)close(pair[0]);
	return 0;
}

static void end_children(struct guard *guard)
{
	/* The parser's link went with the guard. */
	guard_process_end(&guard->parser);
	guard_process_end(&guard->child);
	guard_process_forgive(&guard->parser);
	guard_process_forgive(&guard->child);
	sessions_forget_all(guard);
}

static void note_end(const struct guard *guard, const char *message)
{
	for (const struct guard_ward *ward = guard->wards; ward; ward = ward->next) {
		const struct agent *agent = agents_find(guard->options.agents, ward->cgroup);

		if (agent)
			monitor_note(guard->options.monitor, agent, "sql-guard", message);
	}
}

/* A tick is long for those who wait for a parser. */
static void wait_for_parser(const struct guard *guard)
{
	const uint64_t wait = guard_process_wait_ms(&guard->parser);
	const struct itimerspec when = {
		.it_value = {(time_t)(wait / 1000), (long)(wait % 1000) * 1000000}};

	(void)timerfd_settime(guard->timer, 0, &when, NULL);
}

/* Starts what is needed and not there, and due. */
static int keep_children(struct guard *guard, struct error *error)
{
	if (guard_process_has_ended(&guard->child)) {
		guard_process_end(&guard->parser);
		guard_process_forgive(&guard->parser);
		sessions_forget_all(guard);
		note_end(guard, "the SQL guard has ended and is started again; connections "
				"through it are broken");
	}
	if (guard_process_has_ended(&guard->parser))
		note_end(guard, "the SQL parser has ended and is started again; what it was asked "
				"last is undecided");
	if (!guard->wards)
		return 0;
	if (guard_process_is_due(&guard->child) && start_child(guard, error) < 0)
		return -1;
	if (guard->child.pid && guard_process_is_due(&guard->parser) &&
	    start_parser(guard, error) < 0)
		return -1;
	wait_for_parser(guard);
	watch_link(guard);
	return 0;
}

/* ---- messages ---- */

static void take_message(struct guard *guard, const struct guard_message *head, const char *tail)
{
	const struct guard_session *session;

	switch ((enum guard_message_type)head->type) {
	case GUARD_ASK:
		sessions_ask(guard, head, tail);
		break;
	case GUARD_ASK_CANCEL:
		sessions_ask_cancel(guard, head);
		break;
	case GUARD_ENDED:
		sessions_end(guard, head->ref);
		break;
	case GUARD_RECORD:
		session = sessions_find(guard, head->ref);
		if (session)
			records_take(guard, session, tail, head->length);
		else
			records_lost(guard, 0, 1);
		break;
	case GUARD_LOST:
		records_lost(guard, wards_cgroup(guard, head->ref), head->value);
		break;
	default:
		break;
	}
}

static void take_messages(struct guard *guard)
{
	struct guard_message head;
	int result = 1;

	for (int i = 0; i < MESSAGES_AT_ONCE && result > 0; i++) {
		result = guard_process_receive(&guard->child, &head, guard->tail);
		if (result > 0)
			take_message(guard, &head, guard->tail);
	}
	if (result < 0)
		guard->child.overflowed = true;
}

void guard_serve(struct guard *guard)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int count = epoll_wait(guard->poll, events, EVENTS_AT_ONCE, 0);
	uint64_t expirations;
	struct error error;

	for (int i = 0; i < count; i++) {
		if (events[i].data.u32 == SOURCE_TIMER)
			(void)!read(guard->timer, &expirations, sizeof(expirations));
		if (events[i].data.u32 != SOURCE_LINK || guard->child.link < 0)
			continue;
		if (events[i].events & EPOLLOUT)
			guard_process_flush(&guard->child);
		if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			take_messages(guard);
	}
	/* What can't be started now is tried at the next tick. */
	(void)!keep_children(guard, &error);
}

void guard_tick(struct guard *guard)
{
	struct error error;

	(void)!wards_follow(guard, 0, &error);
	if (++guard->looked >= LOOK_TICKS) {
		guard->looked = 0;
		wards_look(guard);
	}
	(void)!keep_children(guard, &error);
	guard->idle = guard->wards ? 0 : guard->idle + 1;
	if (guard->idle == IDLE_TICKS)
		end_children(guard);
}

int guard_follow_agents(struct guard *guard, pid_t pid, struct error *error)
{
	const int result = wards_follow(guard, pid, error);

	return keep_children(guard, error) < 0 ? -1 : result;
}

void guard_listen_for(uint64_t cgroup, pid_t pid, void *context)
{
	struct guard *guard = context;
	struct guard_ward *ward = wards_find(guard, cgroup);
	struct error error;

	/* The denial was told; the next one is, too. */
	if (ward && pid > 0)
		(void)!ward_listen_for(guard, ward, pid, &error);
	watch_link(guard);
}

struct guard_counts guard_count(const struct guard *guard, uint64_t cgroup)
{
	const struct guard_ward *ward = wards_find(guard, cgroup);
	struct guard_counts counts = {0};

	for (const struct guard_place *place = ward ? ward->places : NULL; place;
	     place = place->next)
		counts.listeners += 0U + (place->four.socket >= 0) + (place->six.socket >= 0) +
				    (place->path.socket >= 0);
	for (size_t i = 0; ward && i < SESSION_CHAINS; i++)
		for (const struct guard_session *session = guard->sessions[i]; session;
		     session = session->next)
			counts.sessions += session->cgroup == cgroup;
	return counts;
}

/* ---- */

static int find_user(const char *user, uid_t *uid, struct error *error)
{
	const struct passwd *entry = getpwnam(user ? user : GUARD_USER_DEFAULT);
	unsigned long number;
	char *end;

	*uid = entry ? entry->pw_uid : GUARD_UID_DEFAULT;
	if (entry || !user)
		return 0;
	errno = 0;
	number = strtoul(user, &end, 10);
	if (errno || *end || end == user || number == 0 || number >= UINT32_MAX)
		return error_set(error, STATUS_UNUSABLE, "the SQL guard's user %s is not known",
				 user);
	*uid = (uid_t)number;
	return 0;
}

struct guard *guard_new(const struct guard_options *options, struct error *error)
{
	struct guard *guard = calloc(1, sizeof(*guard));

	if (!guard) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	guard->options = *options;
	guard_process_init(&guard->child);
	guard_process_init(&guard->parser);
	guard->poll = epoll_create1(EPOLL_CLOEXEC);
	guard->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	/* A predecessor's listeners have ended with it. */
	guard_close_all(options->enforcer);
	if (guard->poll < 0 || guard->timer < 0 ||
	    watch(guard, guard->timer, SOURCE_TIMER, EPOLLIN) < 0)
		(void)error_set_errno(error, STATUS_SYSTEM, errno, "epoll or timerfd");
	else if (find_user(options->user, &guard->uid, error) == 0 &&
		 file_make_directories(options->root, 0755, error) == 0)
		return guard;
	guard_free(guard);
	return NULL;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	end_children(guard);
	wards_free(guard);
	if (guard->poll >= 0)
		(void)close(guard->poll);
	if (guard->timer >= 0)
		(void)close(guard->timer);
	free(guard);
}

int guard_fd(const struct guard *guard)
{
	return guard->poll;
}
