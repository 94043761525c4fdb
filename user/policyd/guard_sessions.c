// SPDX-License-Identifier: Apache-2.0
/* Who comes to the guard, and the connection to the server that it wanted. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/guard_sockets.h"
#include "kernel/server_tables.h"
#include "policy/paths.h"
#include "policyd/guard_internal.h"

static struct guard_session **find(const struct guard *guard, uint64_t ref)
{
	struct guard_session **at =
		(struct guard_session **)(uintptr_t)&guard->sessions[ref % SESSION_CHAINS];

	while (*at && (*at)->ref != ref)
		at = &(*at)->next;
	return at;
}

const struct guard_session *sessions_find(const struct guard *guard, uint64_t ref)
{
	return *find(guard, ref);
}

void sessions_end(struct guard *guard, uint64_t ref)
{
	struct guard_session **at = find(guard, ref), *session = *at;

	if (!session)
		return;
	*at = session->next;
	guard->session_count--;
	free(session);
}

void sessions_forget_all(struct guard *guard)
{
	for (size_t i = 0; i < SESSION_CHAINS; i++)
		while (guard->sessions[i])
			sessions_end(guard, guard->sessions[i]->ref);
}

static void refuse(struct guard *guard, uint64_t ref, const char *sentence)
{
	guard_send(guard, GUARD_REFUSE, ref, 0, sentence, strlen(sentence));
}

/* Keeps it, connects, and hands the connection over. */
static void connect_server(struct guard *guard, struct guard_session *session,
			   const struct guard_place *place)
{
	const struct guard_message head = {
		.type = GUARD_SERVER, .length = sizeof(struct guard_client), .ref = session->ref};
	struct guard_client client = {.pid = session->steering.pid};
	char sentence[128];
	struct ip_address address;
	bool connecting = false;
	int fd;

	memcpy(address.bytes, session->steering.address, sizeof(address.bytes));
	if (session->path[0])
		fd = guard_socket_connect_path((pid_t)session->steering.pid, session->steering.uid,
					       session->path);
	else
		fd = guard_socket_connect(place->fd, &address, (uint16_t)session->steering.port,
					  &connecting);
	if (fd < 0) {
		(void)snprintf(sentence, sizeof(sentence), "cannot reach the server: %s",
			       strerror(-fd));
		refuse(guard, session->ref, sentence);
		return;
	}
	client.connecting = connecting;
	client.local = session->path[0] || address_is_loopback(&address);
	guard_send_fds(guard, &head, &client, &fd, 1);
	(void)close(fd);
}

static struct guard_session *add(struct guard *guard, uint64_t ref, uint64_t listener,
				 uint64_t cgroup, const struct steering *steering, const char *path)
{
	struct guard_session **at = find(guard, ref), *session;

	if (*at || guard->session_count >= SESSIONS_MAX)
		return NULL;
	session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	*session = (struct guard_session){
		.ref = ref, .listener = listener, .cgroup = cgroup, .steering = *steering};
	(void)snprintf(session->path, sizeof(session->path), "%s", path);
	*at = session;
	guard->session_count++;
	return session;
}

/* One of two ends; the rest, or NULL where it is none. */
static const char *take_end(const char *tail, const char *end, int family,
			    struct ip_address *address, uint16_t *port)
{
	const bool is_four = family == AF_INET;
	const size_t size = is_four ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	struct sockaddr_in6 place = {0};

	if ((size_t)(end - tail) < size)
		return NULL;
	memcpy(&place, tail, size);
	if (place.sin6_family != family)
		return NULL;
	*port = ntohs(place.sin6_port);
	*address = (struct ip_address){{0}};
	if (is_four) {
		memset(address->bytes + 10, 0xff, 2);
		memcpy(address->bytes + 12, &((struct sockaddr_in *)&place)->sin_addr, 4);
	} else {
		memcpy(address->bytes, &place.sin6_addr, sizeof(address->bytes));
	}
	return tail + size;
}

/* The client's end, and ours, as the guard has seen them. */
static bool take_flow(const char *tail, size_t length, int family, struct socket_flow *flow)
{
	const char *end = tail + length;

	tail = take_end(tail, end, family, &flow->local, &flow->local_port);
	if (tail)
		tail = take_end(tail, end, family, &flow->remote, &flow->remote_port);
	return tail == end;
}

/* The kernel has told by whom and to where; and it is that very socket which is there now. */
static bool find_client(struct guard *guard, const struct guard_place *place,
			struct socket_flow *flow, struct steering *steering)
{
	struct steered_key key = {
		.space = place->space, .port = flow->local_port, .guard_port = flow->remote_port};
	struct steered peer;

	memcpy(key.address, flow->local.bytes, sizeof(key.address));
	if (guard_take_peer(guard->options.enforcer, &key, &peer) < 0)
		return false;
	flow->cookie = peer.cookie;
	*steering = peer.steering;
	return guard_socket_is(place->fd, flow);
}

/* Behind a Unix socket it is the process that is known, by its credentials. */
static bool find_path(struct guard *guard, const struct guard_place *place,
		      const struct guard_ward *ward, const struct guard_message *head,
		      const char *tail, struct steered_path *found)
{
	struct steered_path_key key = {.space = place->space};
	char normal[PATH_MAX];
	struct ucred peer;

	if (!ward->pattern || head->length != sizeof(peer))
		return false;
	memcpy(&peer, tail, sizeof(peer));
	key.pid = (uint32_t)peer.pid;
	return guard_take_path(guard->options.enforcer, &key, found) == 0 &&
	       path_normalise(found->path, normal, sizeof(normal)) &&
	       path_matches(ward->pattern, normal);
}

static bool find_peer(struct guard *guard, const struct guard_place *place,
		      const struct guard_ward *ward, int family, const struct guard_message *head,
		      const char *tail, struct steered_path *found)
{
	struct socket_flow flow = {.protocol = IPPROTO_TCP};

	*found = (struct steered_path){0};
	if (family == AF_UNIX)
		return find_path(guard, place, ward, head, tail, found);
	return take_flow(tail, head->length, family, &flow) &&
	       find_client(guard, place, &flow, &found->steering);
}

/* In the moment of a swap: what came under another policy may come again. */
static bool is_of_now(const struct guard_ward *ward, const struct steering *steering)
{
	return steering->policy_id == ward->policy_id &&
	       (ward->pattern || SERVER_TOOL(steering->server) == ward->server);
}

void sessions_ask(struct guard *guard, const struct guard_message *head, const char *tail)
{
	const struct guard_place *place;
	struct guard_session *session;
	struct steered_path found;
	struct guard_ward *ward;
	int family;

	place = wards_find_listener(guard, head->value, &ward, &family);
	if (!place || !find_peer(guard, place, ward, family, head, tail, &found)) {
		refuse(guard, head->ref,
		       "this is the SQL guard's own: connect to the server's address");
		return;
	}
	if (!is_of_now(ward, &found.steering)) {
		refuse(guard, head->ref, "the policy is being exchanged; connect again");
		return;
	}
	session = add(guard, head->ref, head->value, ward->cgroup, &found.steering, found.path);
	if (session)
		connect_server(guard, session, place);
	else
		refuse(guard, head->ref, "too many connections through the SQL guard");
}

void sessions_ask_cancel(struct guard *guard, const struct guard_message *head)
{
	const struct guard_session *of = sessions_find(guard, head->value);
	const struct guard_place *place = NULL;
	struct guard_session *session = NULL;
	struct guard_ward *ward;
	int family;

	if (of)
		place = wards_find_listener(guard, of->listener, &ward, &family);
	if (place)
		session = add(guard, head->ref, of->listener, of->cgroup, &of->steering, of->path);
	if (session)
		connect_server(guard, session, place);
	else
		refuse(guard, head->ref, "there is no such session");
}
