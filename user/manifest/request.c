// SPDX-License-Identifier: Apache-2.0
#include "manifest/request.h"

#include <string.h>

/* Keys that a request of any kind may have. */
static const char *const common_keys[] = {"id", "kind", "tool", "session"};
#define KIND_KEYS_MAX 6

typedef int (*fill_request)(const json_value *object, struct request *request, struct error *error);

struct kind {
	const char *name;
	enum request_use use;
	enum request_kind kind;
	const char *keys[KIND_KEYS_MAX]; /* besides the common ones */
	fill_request fill;
};

static int need_string(const json_value *object, const char *key, const char **value,
		       struct error *error)
{
	*value = json_as_string(json_member(object, key));
	if (*value && **value)
		return 0;
	return error_set(error, STATUS_UNUSABLE, "\"%s\" must be a string that is not empty", key);
}

static int optional_string(const json_value *object, const char *key, const char **value,
			   struct error *error)
{
	*value = NULL;
	return json_member(object, key) ? need_string(object, key, value, error) : 0;
}

static int need_address(const json_value *object, const char *key, struct ip_address *address,
			struct error *error)
{
	const char *text = json_as_string(json_member(object, key));

	if (text && address_parse(text, address))
		return 0;
	return error_set(error, STATUS_UNUSABLE, "\"%s\" must be an IPv4 or IPv6 address", key);
}

static int need_port(const json_value *object, uint16_t *port, struct error *error)
{
	uint64_t number;

	if (!json_as_unsigned(json_member(object, "port"), UINT16_MAX, &number))
		return error_set(error, STATUS_UNUSABLE, "\"port\" must be a number, 0 to 65535");
	*port = (uint16_t)number;
	return 0;
}

/* Letters, digits, "-", "_" and single dots between: what DNS carries for hosts, with its root's
 * dot or without. */
static int check_host_name(const char *name, struct error *error)
{
	const size_t length = strlen(name);
	size_t i;

	for (i = 0; i < length; i++) {
		const char c = name[i];
		const bool dot = c == '.' && i > 0 && name[i - 1] != '.';

		if (!dot && c != '-' && c != '_' && !(c >= '0' && c <= '9') &&
		    !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z'))
			break;
	}
	if (i == length && length - (name[length - 1] == '.') <= HOST_NAME_MAX_BYTES)
		return 0;
	return error_set(error, STATUS_UNUSABLE, "\"name\" is no host name (xn-- form)");
}

/* A Unix socket has a path, and nothing else. */
static int fill_unix(const json_value *object, struct request *request, struct error *error)
{
	static const char *const others[] = {"address", "port", "proto", "name"};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (json_member(object, others[i]))
			return error_set(error, STATUS_UNUSABLE,
					 "\"unix\" and \"%s\" are not for one request", others[i]);
	request->kind = REQUEST_UNIX;
	return need_string(object, "unix", &request->path, error);
}

static int fill_connect(const json_value *object, struct request *request, struct error *error)
{
	static const struct {
		const char *name;
		enum protocol_bit bit;
	} protocols[] = {
		{"tcp", PROTOCOL_TCP},
		{"udp", PROTOCOL_UDP},
		{"icmp", PROTOCOL_ICMP},
	};
	const char *protocol;
	size_t i;

	if (json_member(object, "unix"))
		return fill_unix(object, request, error);
	if (need_address(object, "address", &request->connect.address, error) < 0 ||
	    optional_string(object, "name", &request->connect.name, error) < 0 ||
	    optional_string(object, "proto", &protocol, error) < 0)
		return -1;
	if (request->connect.name && check_host_name(request->connect.name, error) < 0)
		return -1;
	for (i = 0; i < ARRAY_SIZE(protocols); i++)
		if (strcmp(protocol ? protocol : "tcp", protocols[i].name) == 0)
			request->connect.protocol = protocols[i].bit;
	if (!request->connect.protocol)
		return error_set(error, STATUS_UNUSABLE,
				 "\"proto\" must be \"tcp\", \"udp\" or \"icmp\"");
	if (request->connect.protocol == PROTOCOL_ICMP && !json_member(object, "port"))
		return 0;
	return need_port(object, &request->connect.port, error);
}

static int fill_dns(const json_value *object, struct request *request, struct error *error)
{
	if (need_string(object, "name", &request->dns.name, error) < 0 ||
	    optional_string(object, "type", &request->dns.type, error) < 0 ||
	    check_host_name(request->dns.name, error) < 0)
		return -1;
	request->dns.has_resolver = json_member(object, "resolver") != NULL;
	if (!request->dns.has_resolver)
		return 0;
	return need_address(object, "resolver", &request->dns.resolver, error);
}

static int fill_listen(const json_value *object, struct request *request, struct error *error)
{
	if (need_address(object, "address", &request->listen.address, error) < 0)
		return -1;
	return need_port(object, &request->listen.port, error);
}

static int fill_exec(const json_value *object, struct request *request, struct error *error)
{
	return need_string(object, "path", &request->path, error);
}

static int fill_file(const json_value *object, struct request *request, struct error *error)
{
	const char *access;

	if (need_string(object, "path", &request->file.path, error) < 0 ||
	    need_string(object, "access", &access, error) < 0)
		return -1;
	request->file.access = strcmp(access, "write") == 0 ? ACCESS_WRITE : ACCESS_READ;
	if (strcmp(access, "write") == 0 || strcmp(access, "read") == 0)
		return 0;
	return error_set(error, STATUS_UNUSABLE, "\"access\" must be \"read\" or \"write\"");
}

static int fill_syscall(const json_value *object, struct request *request, struct error *error)
{
	return need_string(object, "name", &request->syscall, error);
}

static int fill_socket(const json_value *object, struct request *request, struct error *error)
{
	return need_string(object, "family", &request->family, error);
}

/* May be empty: no statement is one too. */
static int fill_sql(const json_value *object, struct request *request, struct error *error)
{
	request->sql = json_as_string(json_member(object, "sql"));
	if (!request->sql)
		return error_set(error, STATUS_UNUSABLE, "\"sql\" must be a string");
	if (!request->tool)
		return error_set(error, STATUS_UNUSABLE,
				 "\"tool\" is missing: SQL is granted to tools");
	return 0;
}

static int need_tool(const struct request *request, struct error *error)
{
	if (request->tool)
		return 0;
	return error_set(error, STATUS_UNUSABLE, "\"tool\" is missing: which tool is called?");
}

static int fill_call(const json_value *object, struct request *request, struct error *error)
{
	(void)object;
	return need_tool(request, error);
}

static int fill_result(const json_value *object, struct request *request, struct error *error)
{
	if (!json_is_boolean(json_member(object, "ok")))
		return error_set(error, STATUS_UNUSABLE, "\"ok\" must be true or false");
	return need_tool(request, error);
}

static const struct kind kinds[] = {
	{"connect",
	 USE_DECIDE,
	 REQUEST_CONNECT,
	 {"address", "port", "proto", "name", "unix"},
	 fill_connect},
	{"dns", USE_DECIDE, REQUEST_DNS, {"name", "type", "resolver"}, fill_dns},
	{"listen", USE_DECIDE, REQUEST_LISTEN, {"address", "port"}, fill_listen},
	{"exec", USE_DECIDE, REQUEST_EXEC, {"path"}, fill_exec},
	{"file", USE_DECIDE, REQUEST_FILE, {"path", "access"}, fill_file},
	{"syscall", USE_DECIDE, REQUEST_SYSCALL, {"name"}, fill_syscall},
	{"socket", USE_DECIDE, REQUEST_SOCKET, {"family"}, fill_socket},
	{"sql", USE_SQL, 0, {"sql"}, fill_sql},
	{"call", USE_CALL, 0, {"arguments"}, fill_call},
	{"result", USE_RESULT, 0, {"ok", "result"}, fill_result},
};

static const struct kind *find_kind(const char *name)
{
	size_t i;

	for (i = 0; name && i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

static bool key_is_known(const struct kind *kind, const char *key)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(common_keys); i++)
		if (strcmp(common_keys[i], key) == 0)
			return true;
	for (i = 0; i < KIND_KEYS_MAX && kind->keys[i]; i++)
		if (strcmp(kind->keys[i], key) == 0)
			return true;
	return false;
}

int request_from_json(const json_value *object, enum request_use *use, struct request *request,
		      struct error *error)
{
	const char *session;
	const struct kind *kind;

	*request = (struct request){0};
	if (!json_is_object(object))
		return error_set(error, STATUS_UNUSABLE, "a request is an object, not %s",
				 json_type_name(object));
	kind = find_kind(json_as_string(json_member(object, "kind")));
	if (!kind)
		return error_set(error, STATUS_UNUSABLE,
				 "\"kind\" must be connect, dns, listen, exec, file, syscall, "
				 "socket, sql, call or result");
	json_for_each (member, object) {
		if (!key_is_known(kind, json_key_of(member)))
			return error_set(error, STATUS_UNUSABLE,
					 "a request of kind %s has no key \"%.100s\"", kind->name,
					 json_key_of(member));
	}
	if (optional_string(object, "tool", &request->tool, error) < 0 ||
	    optional_string(object, "session", &session, error) < 0)
		return -1;
	*use = kind->use;
	request->kind = kind->kind;
	return kind->fill(object, request, error);
}

/* Behind the value that starts at `at`, in text that is known to be JSON. */
static size_t value_end(const char *text, size_t length, size_t at)
{
	size_t depth = 0;
	bool quoted = false;

	for (; at < length; at++) {
		const char c = text[at];

		if (quoted && c == '\\')
			at++;
		else if (c == '"')
			quoted = !quoted;
		if (quoted || c == '\\')
			continue;
		if (c == '[' || c == '{')
			depth++;
		else if ((c == ']' || c == '}') && depth > 0)
			depth--;
		else if (depth == 0 && (c == ',' || c == '}' || c == ' ' || c == '\t' || c == '\r'))
			return at;
	}
	return length;
}

/* The id as it was written: a number too large for a double comes back digit by digit. */
static char *copy_id(const struct json_document *document, const json_value *id, const char *text,
		     size_t length)
{
	const struct json_position position = json_position_of(document, id);

	if (position.line != 1 || position.column == 0 || position.column > length)
		return json_print(id);
	return strndup(text + position.column - 1,
		       value_end(text, length, position.column - 1) - (position.column - 1));
}

int request_line_read(const char *text, size_t length, struct request_line *line,
		      struct error *error)
{
	struct json_fault fault;
	const json_value *root, *id;

	*line = (struct request_line){0};
	line->document = json_document_parse(text, length, &fault);
	if (!line->document)
		return error_set(error, STATUS_UNUSABLE, "column %zu: %s", fault.position.column,
				 fault.message);
	root = json_root(line->document);
	id = json_member(root, "id");
	if (id) {
		line->id = copy_id(line->document, id, text, length);
		if (!line->id)
			return error_set(error, STATUS_SYSTEM, "out of memory");
	}
	return request_from_json(root, &line->use, &line->request, error);
}

void request_line_free(struct request_line *line)
{
	json_document_free(line->document);
	free(line->id);
	*line = (struct request_line){0};
}
