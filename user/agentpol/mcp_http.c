// SPDX-License-Identifier: Apache-2.0
#include "agentpol/mcp_http.h"

#include <signal.h>
#include <string.h>

#include "agentpol/daemon_authority.h"
#include "agentpol/http_front.h"
#include "base/file.h"

struct serving {
	const struct mcp_http_setup *setup;
	struct event_base *base;  /* owned */
	struct http_front *front; /* owned */
	struct event *authority;  /* owned; NULL: it has no descriptor */
	struct event *signals[2]; /* owned */
};

static void ignore(const char *text, size_t length, void *context)
{
	(void)text;
	(void)length;
	(void)context;
}

static void record(const struct mcp_gateway_record *told, void *context)
{
	mcp_log_record(((struct serving *)context)->setup->log, told);
}

static void pinned(void *context)
{
	const struct mcp_http_setup *setup = ((struct serving *)context)->setup;
	_cleanup_free_ char *text = setup->pin_file ? pins_print(setup->pins) : NULL;
	struct error error;

	if (text && file_write_atomic(setup->pin_file, text, strlen(text), 0600, &error) < 0)
		(void)fprintf(stderr, "agentpol mcp: the pins are not kept: %s\n", error.text);
}

/* Once policyd has gone there is nothing to wait for: calls are denied. */
static void on_authority(evutil_socket_t fd, short what, void *context)
{
	struct serving *serving = context;

	(void)fd;
	(void)what;
	if (!daemon_authority_read(serving->setup->daemon))
		(void)event_del(serving->authority);
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
	(void)number;
	(void)what;
	(void)event_base_loopbreak(((struct serving *)context)->base);
}

static int watch(struct serving *serving, struct error *error)
{
	static const int numbers[] = {SIGTERM, SIGINT};
	const int fd = serving->setup->daemon ? daemon_authority_fd(serving->setup->daemon) : -1;

	if (fd >= 0) {
		serving->authority =
			event_new(serving->base, fd, EV_READ | EV_PERSIST, on_authority, serving);
		if (!serving->authority || event_add(serving->authority, NULL) < 0)
			return error_set(error, STATUS_SYSTEM, "out of memory");
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		serving->signals[i] = evsignal_new(serving->base, numbers[i], on_signal, serving);
		if (!serving->signals[i] || event_add(serving->signals[i], NULL) < 0)
			return error_set(error, STATUS_SYSTEM, "out of memory");
	}
	return 0;
}

static int open_front(struct serving *serving, struct error *error)
{
	static const struct mcp_gateway_io io = {ignore, ignore, record, pinned};
	const struct http_front_options options = {
		.listen = serving->setup->listen,
		.server = serving->setup->upstream,
		.setup = {.grants = serving->setup->grants,
			  .authority = serving->setup->authority,
			  .pins = serving->setup->pins,
			  .io = &io,
			  .context = serving},
	};

	serving->base = event_base_new();
	if (!serving->base)
		return error_set(error, STATUS_SYSTEM, "no event loop");
	serving->front = http_front_new(serving->base, &options, error);
	return serving->front ? watch(serving, error) : -1;
}

static void close_front(struct serving *serving)
{
	http_front_free(serving->front);
	if (serving->authority)
		event_free(serving->authority);
	for (size_t i = 0; i < ARRAY_SIZE(serving->signals); i++)
		if (serving->signals[i])
			event_free(serving->signals[i]);
	if (serving->base)
		event_base_free(serving->base);
}

int mcp_http_serve(const struct mcp_http_setup *setup, struct error *error)
{
	struct serving serving = {.setup = setup};
	const int result = open_front(&serving, error);

	(void)signal(SIGPIPE, SIG_IGN);
	if (result == 0) {
		(void)fprintf(stderr, "agentpol mcp: serving at %s\n",
			      http_front_url(serving.front));
		(void)event_base_dispatch(serving.base);
	}
	close_front(&serving);
	return result;
}
