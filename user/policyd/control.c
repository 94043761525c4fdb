// SPDX-License-Identifier: Apache-2.0
#include "policyd/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/file.h"
#include "base/json_write.h"
#include "kernel/cgroup.h"
#include "policy/paths.h"
#include "policyd/requests.h"

/* A request's line: two paths and some words. What follows it is bounded by its own number. */
#define LINE_BYTES_MAX 65536
/* A request arrives whole within this, or its sender is let go. */
#define REQUEST_SECONDS 10
#define CLIENTS_MAX	64
/* Each run that goes through the daemon follows its agent. */
#define FOLLOWERS_MAX CGROUPS_MAX
/* A follower that does not read loses its connection, not the daemon its memory. */
#define FOLLOW_BYTES_MAX (4U << 20)

struct connection {
	struct connection *next;
	struct control *control;
	struct bufferevent *stream;
	uint64_t followed;	/* cgroup; 0: none */
	bool follower;		/* listens alone: what it sends is not read */
	struct call_link *link; /* owned: a gateway's, which stays; NULL: it is none */
	char *line;		/* owned: a request that waits for its body; NULL: none */
	size_t line_length, body_length;
	bool closing; /* after its reply has gone */
};

struct control {
	struct evconnlistener *listener;
	struct control_subject *subject;
	struct connection *connections;
	size_t asking_count; /* connections that are no followers */
	size_t follower_count;
	char path[PATH_MAX];
};

static void connection_free(struct connection *connection)
{
	struct connection **at = &connection->control->connections;

	while (*at != connection)
		at = &(*at)->next;
	*at = connection->next;
	call_link_close(connection->link);
	if (connection->follower || connection->link)
		connection->control->follower_count--;
	else
		connection->control->asking_count--;
	bufferevent_free(connection->stream);
	free(connection->line);
	free(connection);
}

static pid_t peer_of(const struct connection *connection)
{
	struct ucred peer = {0};
	socklen_t length = sizeof(peer);

	if (getsockopt(bufferevent_getfd(connection->stream), SOL_SOCKET, SO_PEERCRED, &peer,
		       &length) < 0)
		return 0;
	return peer.pid;
}

static void reply(struct connection *connection, const struct json_writer *answer)
{
	const char *text = json_writer_text(answer);

	if (text)
		(void)bufferevent_write(connection->stream, text, answer->length);
}

static bool output_is_full(const struct connection *connection)
{
	return evbuffer_get_length(bufferevent_get_output(connection->stream)) > FOLLOW_BYTES_MAX;
}

/* From the event loop: a request of this very connection may be what is being served. */
static void drop_later(struct connection *connection)
{
	connection->followed = 0;
	(void)bufferevent_disable(connection->stream, EV_READ);
	bufferevent_trigger_event(connection->stream, BEV_EVENT_ERROR, BEV_OPT_DEFER_CALLBACKS);
}

/* From now on, and not from when the event loop last looked at a clock. */
static void be_patient(const struct connection *connection)
{
	const struct timeval patience = {.tv_sec = REQUEST_SECONDS};

	(void)event_base_update_cache_time(bufferevent_get_base(connection->stream));
	(void)bufferevent_set_timeouts(connection->stream, &patience, &patience);
}

/* From the request of somebody else, or from a timer: a gateway that does not read is let go. */
static void send_to_gateway(const char *line, size_t length, void *context)
{
	struct connection *connection = context;

	if (output_is_full(connection))
		drop_later(connection);
	else
		(void)bufferevent_write(connection->stream, line, length);
}

/* It stays, and so counts with those that do. */
static void become_lasting(struct connection *connection)
{
	connection->control->asking_count--;
	connection->control->follower_count++;
}

/* Answers a request that has come whole. */
static void serve(struct connection *connection, struct evbuffer *input)
{
	_cleanup_json_writer_ struct json_writer answer = {0};
	struct request_bytes bytes = {.line = connection->line,
				      .length = connection->line_length,
				      .body_length = connection->body_length,
				      .peer = peer_of(connection),
				      .link = &connection->link,
				      .send = send_to_gateway,
				      .send_context = connection};
	const bool was_gateway = connection->link;
	uint64_t followed = 0;

	/* However long it takes, the time is ours. */
	(void)bufferevent_set_timeouts(connection->stream, NULL, NULL);
	if (bytes.body_length)
		bytes.body = (const char *)evbuffer_pullup(input, (ev_ssize_t)bytes.body_length);
	request_answer(connection->control->subject, &bytes, &followed, &answer);
	(void)evbuffer_drain(input, bytes.body_length);
	free(connection->line);
	connection->line = NULL;
	reply(connection, &answer);
	if (connection->link) {
		if (!was_gateway)
			become_lasting(connection);
		return;
	}
	if (!followed) {
		be_patient(connection);
		return;
	}
	connection->followed = followed;
	/* It only listens from now on. */
	connection->follower = true;
	become_lasting(connection);
}

static void refuse(struct connection *connection, const char *sentence)
{
	_cleanup_json_writer_ struct json_writer answer = {0};

	request_refuse(STATUS_UNUSABLE, sentence, &answer);
	reply(connection, &answer);
	connection->closing = true;
	(void)bufferevent_disable(connection->stream, EV_READ);
}

/* Takes the next line, unless one waits for its body; false where there is nothing to do yet. */
static bool next_request(struct connection *connection, struct evbuffer *input)
{
	if (!connection->line) {
		connection->line =
			evbuffer_readln(input, &connection->line_length, EVBUFFER_EOL_LF);
		if (!connection->line) {
			if (evbuffer_get_length(input) > LINE_BYTES_MAX)
				refuse(connection, "the request is too long");
			return false;
		}
		connection->body_length =
			request_body_length(connection->line, connection->line_length);
	}
	if (connection->body_length == SIZE_MAX) {
		refuse(connection, "the manifest is larger than 8 MiB");
		return false;
	}
	return evbuffer_get_length(input) >= connection->body_length;
}

static void on_read(struct bufferevent *stream, void *context)
{
	struct connection *connection = context;
	struct evbuffer *input = bufferevent_get_input(stream);

	while (!connection->closing && !connection->follower && next_request(connection, input)) {
		serve(connection, input);
		/* Who asks and does not read the answers is let go. */
		if (output_is_full(connection)) {
			drop_later(connection);
			return;
		}
	}
	if (connection->follower)
		(void)evbuffer_drain(input, evbuffer_get_length(input));
}

static void on_written(struct bufferevent *stream, void *context)
{
	struct connection *connection = context;

	(void)stream;
	if (connection->closing)
		connection_free(connection);
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
	(void)stream;
	(void)what; /* end of stream, an error, or time over: all the same */
	connection_free(context);
}

/* Whoever is under a policy may not change policies, whatever user it is. */
static bool is_policed(const struct control_subject *subject, pid_t pid)
{
	const struct agent *agent = subject->agents ? agents_first(subject->agents) : NULL;
	char path[PATH_MAX];
	struct error error;

	/* One that is gone, or that can't be seen, can't be told from one that is policed. */
	if (cgroup_of_pid(pid, path, &error) < 0)
		return true;
	for (; agent; agent = agent->next)
		if (path_is_below(agent->cgroup_path, path))
			return true;
	return false;
}

/* The socket's mode keeps other users out already; this holds where somebody changed the mode. */
static bool peer_may_command(const struct control_subject *subject, int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid()) && !is_policed(subject, peer.pid);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
		      int length, void *context)
{
	struct control *control = context;
	struct connection *connection;

	(void)address;
	(void)length;
	connection = control->asking_count < CLIENTS_MAX &&
				     control->follower_count < FOLLOWERS_MAX &&
				     peer_may_command(control->subject, fd)
			     ? calloc(1, sizeof(*connection))
			     : NULL;
	if (!connection) {
		(void)close(fd);
		return;
	}
	connection->control = control;
	connection->stream = bufferevent_socket_new(evconnlistener_get_base(listener), fd,
						    BEV_OPT_CLOSE_ON_FREE);
	if (!connection->stream) {
		(void)close(fd);
		free(connection);
		return;
	}
	connection->next = control->connections;
	control->connections = connection;
	control->asking_count++;
	bufferevent_setcb(connection->stream, on_read, on_written, on_event, connection);
	be_patient(connection);
	(void)bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
}

/* Another policyd that listens there is not to be pushed aside. */
static int check_unused(const struct sockaddr_un *address, struct error *error)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
		return error_set(error, STATUS_SYSTEM, "another policyd is running (%s)",
				 address->sun_path);
	return 0;
}

static int make_folder_of(const char *path, struct error *error)
{
	char folder[PATH_MAX];
	char *slash;

	(void)snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return 0;
	*slash = '\0';
	return file_make_directories(folder, 0755, error);
}

struct control *control_new(struct event_base *base, const char *socket_path,
			    struct control_subject *subject, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct control *control;
	mode_t mask;

	if (strlen(socket_path) >= sizeof(address.sun_path)) {
		(void)error_set(error, STATUS_UNUSABLE, "%s: too long for a socket's path",
				socket_path);
		return NULL;
	}
	memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
	if (make_folder_of(socket_path, error) < 0 || check_unused(&address, error) < 0)
		return NULL;
	control = calloc(1, sizeof(*control));
	if (!control) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	control->subject = subject;
	(void)snprintf(control->path, sizeof(control->path), "%s", socket_path);
	(void)unlink(socket_path);
	mask = umask(0177);
	control->listener = evconnlistener_new_bind(
		base, on_accept, control, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, -1,
		(struct sockaddr *)&address, sizeof(address));
	(void)umask(mask);
	if (!control->listener) {
		(void)error_set_errno(error, STATUS_SYSTEM, errno, "%s", socket_path);
		free(control);
		return NULL;
	}
	return control;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	while (control->connections)
		connection_free(control->connections);
	evconnlistener_free(control->listener);
	(void)unlink(control->path);
	free(control);
}

void control_publish(uint64_t cgroup, const char *line, void *context)
{
	struct control *control = context;
	struct connection *connection;

	for (connection = control->connections; connection; connection = connection->next) {
		if (connection->followed != cgroup)
			continue;
		if (output_is_full(connection))
			drop_later(connection);
		else
			(void)bufferevent_write(connection->stream, line, strlen(line));
	}
}
