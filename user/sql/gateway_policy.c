// SPDX-License-Identifier: Apache-2.0
/* Policies that policyd has sent, and the verdicts under them. */
#include "sql/gateway_internal.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/file.h"
#include "sql/parser_link.h"
#include "sql/shape.h"

/* A manifest, and a file of certificates. */
#define FILE_BYTES_MAX (8U << 20)
/* Catalogs that no session uses and that are kept, a policy. */
#define VIEWS_SPARE 1

/* The whole of a file; the caller's (free), with a NUL behind it. */
static char *read_file(int fd, size_t *length)
{
	struct stat status;
	size_t have = 0;
	ssize_t got = 1;
	char *text;

	if (fd < 0 || fstat(fd, &status) < 0 || status.st_size <= 0 ||
	    (uint64_t)status.st_size > FILE_BYTES_MAX)
		return NULL;
	text = malloc((size_t)status.st_size + 1);
	while (text && got > 0 && have < (size_t)status.st_size) {
		got = pread(fd, text + have, (size_t)status.st_size - have, (off_t)have);
		have += got > 0 ? (size_t)got : 0;
	}
	if (text)
		text[have] = '\0';
	*length = have;
	return text;
}

/* RFC 6901: "~" and "/" of a tool's name are written otherwise. */
static void write_pointer(char *pointer, size_t room, const char *tool)
{
	size_t used = (size_t)snprintf(pointer, room, "/tools/");

	for (; *tool && used + 8 < room; tool++) {
		if (*tool == '~' || *tool == '/') {
			pointer[used++] = '~';
			pointer[used++] = *tool == '~' ? '0' : '1';
		} else {
			pointer[used++] = *tool;
		}
	}
	(void)snprintf(pointer + used, room - used, "/sql");
}

static bool fill(struct guarded *guarded, const struct packet *packet)
{
	struct gateway *gateway = guarded->gateway;
	size_t length, ca_length = 0;
	_cleanup_free_ char *text = read_file(packet->fds[0], &length);
	_cleanup_free_ char *ca =
		guarded->options.has_ca ? read_file(packet->fds[1], &ca_length) : NULL;
	const struct tool *tool = NULL;
	struct error error;

	if (!text || (guarded->options.has_ca && !ca))
		return false;
	guarded->policy = gateway->host->read_policy(text, length);
	if (guarded->policy)
		tool = policy_find_tool(guarded->policy, guarded->options.tool);
	guarded->arena = arena_new();
	if (!tool || !tool->sql || !guarded->arena)
		return false;
	guarded->tls = upstream_tls_new(gateway->trust, tool->sql->tls, tool->sql->server_host, ca,
					ca_length, &error);
	write_pointer(guarded->pointer, sizeof(guarded->pointer), guarded->options.tool);
	guarded->rules = (struct session_rules){
		.policy = tool->sql,
		.pointer = guarded->pointer,
		.catalog_query = sql_catalog_query(tool->sql, guarded->arena),
		.audit = guarded->options.audit != 0,
		.log_allowed = guarded->options.log_allowed != 0,
	};
	return guarded->tls && guarded->rules.catalog_query;
}

static void tell_policy(const struct guarded *guarded)
{
	const struct guard_message head = {
		.type = PARSER_POLICY, .length = sizeof(guarded->options), .ref = guarded->ref};

	questions_tell(guarded->gateway->questions, &head, &guarded->options, guarded->manifest);
}

void gateway_take_policy(struct gateway *gateway, struct packet *packet)
{
	struct guarded *guarded;

	if (packet->head.length != sizeof(guarded->options) || packet->fds[0] < 0)
		return;
	gateway_forget_policy(gateway, packet->head.ref);
	guarded = calloc(1, sizeof(*guarded));
	if (!guarded)
		return;
	guarded->gateway = gateway;
	guarded->ref = packet->head.ref;
	TAILQ_INIT(&guarded->beginnings);
	guarded->manifest = -1;
	memcpy(&guarded->options, packet->tail, sizeof(guarded->options));
	guarded->options.tool[sizeof(guarded->options.tool) - 1] = '\0';
	if (!fill(guarded, packet)) {
		guarded_free(guarded); /* its listeners find no policy, and refuse */
		return;
	}
	guarded->manifest = packet->fds[0];
	packet->fds[0] = -1;
	guarded->next = gateway->policies;
	gateway->policies = guarded;
	tell_policy(guarded);
}

struct guarded *gateway_find_policy(struct gateway *gateway, uint64_t ref)
{
	struct guarded *guarded = gateway->policies;

	while (guarded && guarded->ref != ref)
		guarded = guarded->next;
	return guarded;
}

/* ---- views ---- */

static void tell_view(const struct view *view)
{
	const struct guard_message head = {.type = PARSER_CATALOG, .ref = view->id};
	_cleanup_close_ int fd = memfd_create("sql-catalog", MFD_CLOEXEC);

	if (fd >= 0 && file_write_fd(fd, view->text, view->length) == 0)
		questions_tell(view->guarded->gateway->questions, &head, NULL, fd);
}

static void view_free(struct view *view)
{
	const struct guard_message head = {.type = PARSER_FORGET_CATALOG, .ref = view->id};

	questions_tell(view->guarded->gateway->questions, &head, NULL, -1);
	cache_free(view->cache);
	free(view->text);
	free(view);
}

/* Lets go of what no session has, but for the newest ones. */
static void free_unused(struct guarded *guarded, size_t spare)
{
	struct view **at = &guarded->views;
	size_t place = 0;

	while (*at) {
		struct view *view = *at;

		if (place++ < spare || view->references) {
			at = &view->next;
			continue;
		}
		*at = view->next;
		view_free(view);
	}
}

struct view *guarded_view(struct guarded *guarded, const char *text, size_t length)
{
	struct view *view;

	for (view = guarded->views; view; view = view->next) {
		if (view->length != length || memcmp(view->text, text, length) != 0)
			continue;
		view->references++;
		return view;
	}
	view = calloc(1, sizeof(*view));
	if (!view)
		return NULL;
	view->guarded = guarded;
	view->id = ++guarded->gateway->last_view;
	view->references = 1;
	view->length = length;
	view->text = malloc(length);
	view->cache = cache_new(guarded->gateway->seed);
	if (!view->text || !view->cache) {
		cache_free(view->cache);
		free(view->text);
		free(view);
		return NULL;
	}
	memcpy(view->text, text, length);
	view->next = guarded->views;
	guarded->views = view;
	free_unused(guarded, VIEWS_SPARE);
	tell_view(view);
	return view;
}

void view_release(struct view *view)
{
	if (view && --view->references == 0)
		free_unused(view->guarded, VIEWS_SPARE);
}

/* The shape first: of texts that differ in their literals alone, a cache of exact texts knows one
 * in a million. */
struct judgement *view_find(struct view *view, const char *text, size_t length)
{
	struct gateway *gateway = view->guarded->gateway;
	struct judgement *judgement = NULL;
	size_t shape;

	if (length > CACHE_KEY_MAX)
		return NULL;
	if (sql_shape(text, length, gateway->shape, sizeof(gateway->shape), &shape))
		judgement = cache_find(view->cache, CACHE_SHAPE, gateway->shape, shape);
	return judgement ? judgement : cache_find(view->cache, CACHE_EXACT, text, length);
}

void view_add(struct view *view, const char *text, size_t length, struct judgement *judgement)
{
	struct gateway *gateway = view->guarded->gateway;
	size_t shape;

	if (length > CACHE_KEY_MAX)
		return;
	if (!judgement->literals_decide &&
	    sql_shape(text, length, gateway->shape, sizeof(gateway->shape), &shape))
		cache_add(view->cache, CACHE_SHAPE, gateway->shape, shape, judgement);
	else
		cache_add(view->cache, CACHE_EXACT, text, length, judgement);
}

/* ---- ends ---- */

void guarded_free(struct guarded *guarded)
{
	const struct guard_message head = {.type = PARSER_FORGET_POLICY, .ref = guarded->ref};

	while (guarded->views) {
		struct view *view = guarded->views;

		guarded->views = view->next;
		view_free(view);
	}
	questions_tell(guarded->gateway->questions, &head, NULL, -1);
	upstream_tls_free(guarded->tls);
	arena_free(guarded->arena);
	policy_free(guarded->policy);
	if (guarded->manifest >= 0)
		(void)close(guarded->manifest);
	free(guarded);
}

void gateway_forget_policy(struct gateway *gateway, uint64_t ref)
{
	struct guarded **at = &gateway->policies, *guarded;
	struct listener *listener;

	while (*at && (*at)->ref != ref)
		at = &(*at)->next;
	guarded = *at;
	if (!guarded)
		return;
	*at = guarded->next;
	relays_end_policy(gateway, guarded);
	guarded_tell_lost(guarded);
	for (listener = gateway->listeners; listener; listener = listener->next)
		if (listener->guarded == guarded)
			listener->guarded = NULL;
	guarded_free(guarded);
}

void gateway_tell_parser(struct gateway *gateway)
{
	const struct guarded *guarded;
	const struct view *view;

	for (guarded = gateway->policies; guarded; guarded = guarded->next) {
		tell_policy(guarded);
		for (view = guarded->views; view; view = view->next)
			tell_view(view);
	}
}
