// SPDX-License-Identifier: Apache-2.0
/* Who is guarded, by which policy, and where the guard listens for it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/guard_sockets.h"
#include "kernel/holders.h"
#include "kernel/server_tables.h"
#include "policy/servers.h"
#include "policyd/guard_internal.h"

/* What the system's programs verify servers by, where a manifest names nothing. */
static const char *const system_certificates[] = {
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
};
/* A namespace that nobody was in at so many looks is let go. */
#define DESERTED_LOOKS 2

/* ---- listeners ---- */

static void close_listener(struct guard *guard, const struct guard_place *place,
			   struct guard_listener *listener)
{
	if (listener->socket < 0)
		return;
	guard_send(guard, GUARD_FORGET_LISTENER, listener->ref, 0, NULL, 0);
	(void)close(listener->socket);
	listener->socket = -1;
	if (listener->port)
		guard_give_port(guard->options.enforcer, place->space, listener->port);
}

static void free_place(struct guard *guard, const struct guard_ward *ward,
		       struct guard_place *place)
{
	guard_close(guard->options.enforcer, ward->policy_id, place->space);
	close_listener(guard, place, &place->four);
	close_listener(guard, place, &place->six);
	close_listener(guard, place, &place->path);
	(void)close(place->fd);
	free(place);
}

static void tell_listener(struct guard *guard, const struct guard_ward *ward,
			  const struct guard_listener *listener)
{
	const struct guard_message head = {
		.type = GUARD_LISTENER, .ref = listener->ref, .value = ward->ref};

	if (listener->socket >= 0)
		guard_send_fds(guard, &head, NULL, &listener->socket, 1);
}

/* Kept first: nobody connects there before connections are turned there. */
static int open_listener(struct guard *guard, struct guard_place *place, int family,
			 struct guard_listener *listener)
{
	int result;

	listener->socket = guard_socket_listen(place->fd, family, &listener->port);
	if (listener->socket < 0)
		return listener->socket;
	listener->ref = ++guard->last_ref;
	result = guard_space_of(listener->socket, &place->space);
	if (result == 0)
		result = guard_keep_port(guard->options.enforcer, place->space, listener->port,
					 listener->socket);
	return result;
}

/* An abstract name that nobody can have taken before. */
static int open_named(struct guard *guard, struct guard_place *place)
{
	struct guard_listener *listener = &place->path;
	uint64_t word;
	char text[sizeof(place->name) + 1];

	if (getrandom(&word, sizeof(word), 0) != sizeof(word))
		return -EIO;
	(void)snprintf(text, sizeof(text), "%cagentpol-guard-%016" PRIx64, '\0', word);
	memcpy(place->name.bytes, text, sizeof(place->name));
	listener->socket = guard_socket_listen_name(place->fd, &place->name, sizeof(place->name));
	if (listener->socket < 0)
		return listener->socket;
	listener->ref = ++guard->last_ref;
	return guard_space_of(listener->socket, &place->space);
}

static int open_listeners(struct guard *guard, const struct guard_ward *ward,
			  struct guard_place *place)
{
	int result;

	if (ward->pattern)
		return open_named(guard, place);
	result = open_listener(guard, place, AF_INET, &place->four);
	/* A namespace may be without IPv6; nothing goes to such a server from there then. */
	if (result == 0 && open_listener(guard, place, AF_INET6, &place->six) < 0) {
		close_listener(guard, place, &place->six);
		place->six.port = 0;
	}
	return result;
}

static int turn_to_place(struct guard *guard, const struct guard_ward *ward,
			 const struct guard_place *place, struct error *error)
{
	const struct guard_ports ports = {.port4 = place->four.port, .port6 = place->six.port};

	if (ward->pattern)
		return guard_open_name(guard->options.enforcer, ward->policy_id, place->space,
				       &place->name, error);
	return guard_open(guard->options.enforcer, ward->policy_id, place->space, &ports, error);
}

static size_t count_places(const struct guard_ward *ward)
{
	size_t count = 0;

	for (const struct guard_place *place = ward->places; place; place = place->next)
		count++;
	return count;
}

/* Takes the descriptor over. */
static int add_place(struct guard *guard, struct guard_ward *ward, int fd, uint64_t inode,
		     struct error *error)
{
	struct guard_place *place = calloc(1, sizeof(*place));
	int result;

	if (!place || count_places(ward) >= PLACES_EACH_MAX) {
		(void)close(fd);
		free(place);
		return error_set(error, STATUS_SYSTEM,
				 "the agent's processes are in more than %d network namespaces; "
				 "the SQL guard listens in no more",
				 PLACES_EACH_MAX);
	}
	*place = (struct guard_place){
		.inode = inode,
		.fd = fd,
		.four = {.socket = -1},
		.six = {.socket = -1},
		.path = {.socket = -1},
	};
	result = open_listeners(guard, ward, place);
	if (result < 0 || turn_to_place(guard, ward, place, error) < 0) {
		free_place(guard, ward, place);
		return result < 0 ? error_set_errno(error, STATUS_SYSTEM, -result,
						    "the SQL guard can't listen in the agent's "
						    "network namespace")
				  : -1;
	}
	tell_listener(guard, ward, &place->four);
	tell_listener(guard, ward, &place->six);
	tell_listener(guard, ward, &place->path);
	place->next = ward->places;
	ward->places = place;
	return 0;
}

static struct guard_place *find_place(const struct guard_ward *ward, uint64_t inode)
{
	struct guard_place *place;

	for (place = ward->places; place && place->inode != inode; place = place->next)
		;
	return place;
}

/* A process or thread that is gone has none. */
static int add_place_of(struct guard *guard, struct guard_ward *ward, const char *path,
			struct error *error)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (fstat(fd, &status) == 0 && !find_place(ward, status.st_ino))
		return add_place(guard, ward, fd, status.st_ino, error);
	(void)close(fd);
	return 0;
}

/* A thread may have gone into another namespace by itself. */
int ward_listen_for(struct guard *guard, struct guard_ward *ward, pid_t pid, struct error *error)
{
	char path[64];
	DIR *directory;
	struct dirent *entry;
	int result = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", pid);
	directory = opendir(path);
	while (directory && result == 0 && (entry = readdir(directory)) != NULL) {
		const long task = strtol(entry->d_name, NULL, 10);

		if (task <= 0)
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%d/task/%ld/ns/net", pid, task);
		result = add_place_of(guard, ward, path, error);
	}
	if (directory)
		(void)closedir(directory);
	return result;
}

/* ---- wards ---- */

struct guard_ward *wards_find(const struct guard *guard, uint64_t cgroup)
{
	struct guard_ward *ward;

	for (ward = guard->wards; ward && ward->cgroup != cgroup; ward = ward->next)
		;
	return ward;
}

uint64_t wards_cgroup(const struct guard *guard, uint64_t ref)
{
	const struct guard_ward *ward;

	for (ward = guard->wards; ward && ward->ref != ref; ward = ward->next)
		;
	return ward ? ward->cgroup : 0;
}

static bool is_listener(const struct guard_listener *listener, uint64_t ref)
{
	return listener->socket >= 0 && listener->ref == ref;
}

const struct guard_place *wards_find_listener(const struct guard *guard, uint64_t ref,
					      struct guard_ward **ward, int *family)
{
	for (*ward = guard->wards; *ward; *ward = (*ward)->next) {
		for (const struct guard_place *place = (*ward)->places; place;
		     place = place->next) {
			*family = is_listener(&place->four, ref)  ? AF_INET
				  : is_listener(&place->six, ref) ? AF_INET6
								  : AF_UNIX;
			if (*family != AF_UNIX || is_listener(&place->path, ref))
				return place;
		}
	}
	return NULL;
}

static void free_ward(struct guard *guard, struct guard_ward *ward)
{
	struct guard_place *place;

	while ((place = ward->places) != NULL) {
		ward->places = place->next;
		free_place(guard, ward, place);
	}
	guard_send(guard, GUARD_FORGET_POLICY, ward->ref, 0, NULL, 0);
	if (ward->manifest >= 0)
		(void)close(ward->manifest);
	if (ward->ca >= 0)
		(void)close(ward->ca);
	free(ward->text);
	free(ward->pattern);
	free(ward);
}

static int open_certificates(const struct sql_policy *sql, int *fd, struct error *error)
{
	*fd = -1;
	if (sql->tls == TLS_DISABLE)
		return 0;
	if (sql->ca) {
		*fd = open(sql->ca, O_RDONLY | O_CLOEXEC);
		if (*fd < 0)
			return error_set_errno(error, STATUS_UNUSABLE, errno,
					       "the \"ca\" of the SQL server: %s", sql->ca);
		return 0;
	}
	for (size_t i = 0; *fd < 0 && i < ARRAY_SIZE(system_certificates); i++)
		*fd = open(system_certificates[i], O_RDONLY | O_CLOEXEC);
	return 0;
}

static void fill_tail(const struct agent *agent, struct guard_policy *tail)
{
	(void)snprintf(tail->tool, sizeof(tail->tool), "%s", agent->tool);
	tail->audit = agent->policy->mode == MODE_AUDIT;
	tail->log_allowed = (agent->policy->audit_allowed & AUDIT_SQL) != 0;
	tail->log_literals = agent->policy->audit_literals;
}

static void tell_ward(struct guard *guard, const struct guard_ward *ward)
{
	const struct guard_message head = {
		.type = GUARD_POLICY, .length = sizeof(ward->tail), .ref = ward->ref};
	const int fds[] = {ward->manifest, ward->ca};

	guard_send_fds(guard, &head, &ward->tail, fds, ward->ca >= 0 ? 2 : 1);
}

void wards_tell(struct guard *guard)
{
	for (const struct guard_ward *ward = guard->wards; ward; ward = ward->next) {
		tell_ward(guard, ward);
		for (const struct guard_place *place = ward->places; place; place = place->next) {
			tell_listener(guard, ward, &place->four);
			tell_listener(guard, ward, &place->six);
			tell_listener(guard, ward, &place->path);
		}
	}
}

static struct guard_ward *ward_new(struct guard *guard, const struct agent *agent,
				   const struct tool *tool, struct error *error)
{
	struct guard_ward *ward = calloc(1, sizeof(*ward));
	char pattern[PATH_MAX + 16];

	if (!ward) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	*ward = (struct guard_ward){.ref = ++guard->last_ref,
				    .cgroup = agent->cgroup,
				    .policy_id = POLICY_ID(agent->loaded),
				    .manifest = fcntl(agent->sql->manifest, F_DUPFD_CLOEXEC, 0),
				    .ca = -1,
				    .text = strdup(agent->sql->text)};
	fill_tail(agent, &ward->tail);
	if (tool->sql->server_path && server_pattern(tool, pattern, sizeof(pattern)))
		ward->pattern = strdup(pattern);
	if (ward->manifest < 0 || !ward->text || (tool->sql->server_path && !ward->pattern))
		(void)error_set(error, STATUS_SYSTEM, "no room for another SQL policy");
	else if (open_certificates(tool->sql, &ward->ca, error) == 0)
		return ward;
	free_ward(guard, ward);
	return NULL;
}

/* To the guard it is the same policy: sessions go on. */
static bool is_same(const struct guard_ward *ward, const struct agent *agent)
{
	struct guard_policy tail = {0};

	fill_tail(agent, &tail);
	tail.has_ca = ward->tail.has_ca;
	return memcmp(&tail, &ward->tail, sizeof(tail)) == 0 &&
	       strcmp(ward->text, agent->sql->text) == 0;
}

struct process_walk {
	struct guard *guard;
	struct guard_ward *ward;
	struct error *error;
	size_t seen; /* processes */
};

static int listen_for_process(pid_t pid, void *context)
{
	const struct process_walk *walk = context;

	return ward_listen_for(walk->guard, walk->ward, pid, walk->error);
}

static bool is_apart(uint64_t cgroup, const void *context)
{
	return enforcer_policy_of(context, cgroup) != 0;
}

static struct socket_scope scope_of(const struct guard *guard, const struct agent *agent)
{
	return (struct socket_scope){.cgroup_path = agent->cgroup_path,
				     .is_apart = is_apart,
				     .context = guard->options.enforcer};
}

static int add_ward(struct guard *guard, const struct agent *agent, const struct tool *tool,
		    pid_t pid, struct error *error)
{
	const struct socket_scope scope = scope_of(guard, agent);
	struct guard_ward *ward = ward_new(guard, agent, tool, error);
	struct process_walk walk = {.guard = guard, .ward = ward, .error = error};
	int result;

	if (!ward)
		return -1;
	ward->tail.has_ca = ward->ca >= 0;
	ward->server = (uint32_t)(tool - agent->policy->tools) + 1;
	tell_ward(guard, ward);
	ward->next = guard->wards;
	guard->wards = ward;
	error->text[0] = '\0';
	result = pid ? ward_listen_for(guard, ward, pid, error) : 0;
	if (result == 0)
		result = holders_each_process(&scope, listen_for_process, &walk);
	/* Nobody is there yet: whoever comes is most likely where we are. */
	if (result == 0 && !ward->places)
		result = ward_listen_for(guard, ward, getpid(), error);
	if (result < 0 && !error->text[0])
		(void)error_set_errno(error, STATUS_SYSTEM, -result,
				      "cannot look at the processes of %s", agent->cgroup_path);
	return result < 0 ? -1 : 0;
}

/* The old number stays until its policy is taken out of the kernel. */
static int renumber(struct guard *guard, struct guard_ward *ward, const struct agent *agent,
		    const struct tool *tool, struct error *error)
{
	ward->policy_id = POLICY_ID(agent->loaded);
	ward->server = (uint32_t)(tool - agent->policy->tools) + 1;
	for (const struct guard_place *place = ward->places; place; place = place->next)
		if (turn_to_place(guard, ward, place, error) < 0)
			return -1;
	return 0;
}

static int follow_agent(struct guard *guard, const struct agent *agent, pid_t pid,
			struct error *error)
{
	const struct tool *tool = policy_find_tool(agent->policy, agent->tool);
	struct guard_ward *ward = wards_find(guard, agent->cgroup);

	if (!tool)
		return 0;
	if (ward && is_same(ward, agent)) {
		ward->gone = false;
		return ward->policy_id == POLICY_ID(agent->loaded)
			       ? 0
			       : renumber(guard, ward, agent, tool, error);
	}
	return add_ward(guard, agent, tool, pid, error);
}

static void drop_gone(struct guard *guard)
{
	struct guard_ward **at = &guard->wards, *ward;

	while ((ward = *at) != NULL) {
		if (!ward->gone) {
			at = &ward->next;
			continue;
		}
		*at = ward->next;
		free_ward(guard, ward);
	}
}

/* What can't be done for one agent is no reason to leave others out: *error is the first one's. */
int wards_follow(struct guard *guard, pid_t pid, struct error *error)
{
	const struct agent *agent;
	struct error one;
	int result = 0;

	for (struct guard_ward *ward = guard->wards; ward; ward = ward->next)
		ward->gone = true;
	for (agent = agents_first(guard->options.agents); agent; agent = agent->next) {
		if (!agent->sql || follow_agent(guard, agent, pid, &one) == 0)
			continue;
		if (result == 0)
			*error = one;
		result = -1;
	}
	drop_gone(guard);
	return result;
}

void wards_free(struct guard *guard)
{
	for (struct guard_ward *ward = guard->wards; ward; ward = ward->next)
		ward->gone = true;
	drop_gone(guard);
}

/* ---- namespaces that were left ---- */

static int find_inhabited(pid_t pid, void *context)
{
	struct process_walk *walk = context;
	struct guard_place *place;
	struct stat status;
	char path[64];

	walk->seen++;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	if (stat(path, &status) < 0)
		return 0;
	place = find_place(walk->ward, status.st_ino);
	if (place)
		place->deserted = 0;
	return 0;
}

static void look_at(struct guard *guard, struct guard_ward *ward, const struct agent *agent)
{
	const struct socket_scope scope = scope_of(guard, agent);
	struct process_walk walk = {.guard = guard, .ward = ward};
	struct guard_place **at = &ward->places, *place;

	for (place = ward->places; place; place = place->next)
		place->deserted++;
	/* What can't be looked at is let be; so is all of a cgroup that nobody is in for now. */
	if (holders_each_process(&scope, find_inhabited, &walk) < 0 || !walk.seen) {
		for (place = ward->places; place; place = place->next)
			place->deserted = 0;
		return;
	}
	while ((place = *at) != NULL) {
		if (place->deserted <= DESERTED_LOOKS) {
			at = &place->next;
			continue;
		}
		*at = place->next;
		free_place(guard, ward, place);
	}
}

void wards_look(struct guard *guard)
{
	for (struct guard_ward *ward = guard->wards; ward; ward = ward->next) {
		const struct agent *agent = agents_find(guard->options.agents, ward->cgroup);

		if (agent && ward->places)
			look_at(guard, ward, agent);
	}
}
