// SPDX-License-Identifier: Apache-2.0
#include "policyd/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A reply to `ps` of thousands of agents stays far below. */
#define REPLY_BYTES_MAX JSON_BYTES_MAX
/* A load of 1,000,000 prefixes takes some seconds. */
#define REPLY_TIMEOUT_MS 60000
#define READ_CHUNK	 65536

struct client {
	int fd;
	char *buffer;
	size_t used, room;
	size_t taken; /* of the line that was given out last */
};

struct client *client_open(const char *socket_path, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct client *client;

	if (strlen(socket_path) >= sizeof(address.sun_path)) {
		(void)error_set(error, STATUS_UNUSABLE, "%s: too long for a socket's path",
				socket_path);
		return NULL;
	}
	memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
	client = calloc(1, sizeof(*client));
	if (!client) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd >= 0 &&
	    connect(client->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return client;
	if (errno == ENOENT || errno == ECONNREFUSED)
		(void)error_set(error, STATUS_SYSTEM,
				"policyd is not running (no answer at %s); start it: sudo policyd",
				socket_path);
	else if (errno == EACCES || errno == EPERM)
		(void)error_set(error, STATUS_SYSTEM,
				"%s: only root may speak to policyd; use sudo", socket_path);
	else
		(void)error_set_errno(error, STATUS_SYSTEM, errno, "%s", socket_path);
	client_close(client);
	return NULL;
}

void client_close(struct client *client)
{
	if (!client)
		return;
	if (client->fd >= 0)
		(void)close(client->fd);
	free(client->buffer);
	free(client);
}

int client_fd(const struct client *client)
{
	return client->fd;
}

/* Reads what has come; 1, 0 at the end, -errno (-EAGAIN: nothing now). */
static int fill(struct client *client, int flags)
{
	ssize_t got;

	if (client->room - client->used < READ_CHUNK) {
		char *more;

		if (client->used > REPLY_BYTES_MAX)
			return -EMSGSIZE;
		more = realloc(client->buffer, client->room + 2 * READ_CHUNK + client->room / 2);
		if (!more)
			return -ENOMEM;
		client->buffer = more;
		client->room += 2 * READ_CHUNK + client->room / 2;
	}
	got = recv(client->fd, client->buffer + client->used, READ_CHUNK, flags);
	if (got < 0)
		return -errno;
	client->used += (size_t)got;
	return got > 0;
}

/* The next line that is whole, or NULL. */
static const char *take_line(struct client *client)
{
	char *end;

	memmove(client->buffer, client->buffer + client->taken, client->used - client->taken);
	client->used -= client->taken;
	client->taken = 0;
	end = client->used ? memchr(client->buffer, '\n', client->used) : NULL;
	if (!end)
		return NULL;
	*end = '\0';
	client->taken = (size_t)(end - client->buffer) + 1;
	return client->buffer;
}

const char *client_next_line(struct client *client, bool *ended)
{
	const char *line = client->used ? take_line(client) : NULL;
	int result;

	*ended = false;
	while (!line) {
		result = fill(client, MSG_DONTWAIT);
		if (result == -EINTR)
			continue;
		if (result <= 0) {
			*ended = result != -EAGAIN;
			return NULL;
		}
		line = take_line(client);
	}
	return line;
}

static const char *wait_for_line(struct client *client, struct error *error)
{
	struct pollfd poller = {.fd = client->fd, .events = POLLIN};
	const char *line;
	bool ended;

	while (!(line = client_next_line(client, &ended))) {
		if (ended) {
			(void)error_set(error, STATUS_SYSTEM, "policyd closed the connection");
			return NULL;
		}
		if (poll(&poller, 1, REPLY_TIMEOUT_MS) == 0) {
			(void)error_set(error, STATUS_SYSTEM, "policyd does not answer");
			return NULL;
		}
	}
	return line;
}

/* A daemon that has closed the connection is an error to tell, not a signal to die of. */
static int send_all(struct client *client, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t put = send(client->fd, bytes, length, MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		bytes += put;
		length -= (size_t)put;
	}
	return 0;
}

struct json_document *client_call(struct client *client, const struct json_writer *request,
				  const char *body, size_t body_length, struct error *error)
{
	const char *text = json_writer_text(request), *line, *sentence;
	struct json_document *reply;
	struct json_fault fault;
	uint64_t status;
	int result;

	if (!text) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	result = send_all(client, text, request->length);
	if (result == 0 && body)
		result = send_all(client, body, body_length);
	if (result < 0 && result != -EPIPE && result != -ECONNRESET) {
		(void)error_set_errno(error, STATUS_SYSTEM, -result, "policyd");
		return NULL;
	}
	line = wait_for_line(client, error);
	if (!line)
		return NULL;
	reply = json_document_parse(line, strlen(line), &fault);
	if (!reply) {
		(void)error_set(error, STATUS_SYSTEM, "policyd's reply is not understood: %s",
				fault.message);
		return NULL;
	}
	if (json_as_boolean(json_member(json_root(reply), "ok")))
		return reply;
	sentence = json_as_string(json_member(json_root(reply), "error"));
	if (!json_as_unsigned(json_member(json_root(reply), "status"), STATUS_SYSTEM, &status))
		status = STATUS_SYSTEM;
	(void)error_set(error, (enum exit_status)status, "%s", sentence ? sentence : "refused");
	json_document_free(reply);
	return NULL;
}
