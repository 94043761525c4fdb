// SPDX-License-Identifier: Apache-2.0
#include "policyd/config.h"

#include <errno.h>
#include <string.h>

#include "audit/store.h"
#include "base/file.h"
#include "base/json_write.h"
#include "bpf/abi.h"
#include "kernel/enforcer.h"
#include "json/json.h"

#define CONFIG_BYTES_MAX   (1U << 20)
#define RING_BYTES_DEFAULT (1U << 22) /* some 40,000 events while nobody reads */
#define RING_BYTES_MAX	   (1U << 28)
#define RING_BYTES_MIN	   4096U

/* Where in struct config a key's string goes. */
static const struct text_key {
	const char *key;
	size_t offset;
	const char *value;
} text_keys[] = {
	{"log", offsetof(struct config, log), AUDIT_FOLDER_DEFAULT},
	{"socket", offsetof(struct config, socket), SOCKET_PATH_DEFAULT},
	{"state", offsetof(struct config, state), STATE_PATH_DEFAULT},
	{"pin", offsetof(struct config, pin), PIN_ROOT_DEFAULT},
};

static char *text_place(struct config *config, const struct text_key *key)
{
	return (char *)config + key->offset;
}

void config_set_defaults(struct config *config)
{
	*config = (struct config){.ring_bytes = RING_BYTES_DEFAULT, .port_sets = PORT_SETS_MAX};
	for (size_t i = 0; i < ARRAY_SIZE(text_keys); i++)
		(void)snprintf(text_place(config, &text_keys[i]), PATH_MAX, "%s",
			       text_keys[i].value);
}

void config_free(struct config *config)
{
	struct config_agent *agent, *next;

	for (agent = config->agents; agent; agent = next) {
		next = agent->next;
		free(agent);
	}
	config->agents = NULL;
}

struct reading {
	const char *path;
	const struct json_document *document;
	struct config *config;
	struct error *error;
};

static int fault_at(const struct reading *reading, const json_value *value, const char *sentence)
{
	struct json_position at = json_position_of(reading->document, value);

	return error_set(reading->error, STATUS_UNUSABLE, "%s:%zu:%zu: %s", reading->path, at.line,
			 at.column, sentence);
}

static int read_path(const struct reading *reading, const json_value *value, char *place)
{
	const char *text = json_as_string(value);

	if (!text || text[0] != '/' || strlen(text) >= PATH_MAX / 2)
		return fault_at(reading, value, "an absolute path is needed here");
	memcpy(place, text, strlen(text) + 1);
	return 0;
}

static int read_agent(const struct reading *reading, const json_value *value)
{
	const json_value *cgroup = json_member(value, "cgroup");
	const json_value *manifest = json_member(value, "manifest");
	struct config_agent *agent;

	if (!cgroup || !manifest || json_count(value) != 2)
		return fault_at(reading, value,
				"an agent is {\"cgroup\": PATH, \"manifest\": PATH}");
	agent = calloc(1, sizeof(*agent));
	if (!agent)
		return error_set(reading->error, STATUS_SYSTEM, "out of memory");
	agent->next = reading->config->agents;
	reading->config->agents = agent;
	if (read_path(reading, cgroup, agent->cgroup) < 0)
		return -1;
	return read_path(reading, manifest, agent->manifest);
}

static int read_agents(const struct reading *reading, const json_value *list)
{
	if (!json_is_array(list))
		return fault_at(reading, list, "\"agents\" is a list");
	json_for_each (value, list)
		if (read_agent(reading, value) < 0)
			return -1;
	return 0;
}

static int read_ring(const struct reading *reading, const json_value *value)
{
	uint64_t bytes;

	if (!json_as_unsigned(value, RING_BYTES_MAX, &bytes) || bytes < RING_BYTES_MIN ||
	    (bytes & (bytes - 1)) != 0)
		return fault_at(reading, value,
				"\"ring_bytes\" is a power of two of 4096 to 268435456");
	reading->config->ring_bytes = (uint32_t)bytes;
	return 0;
}

static int read_port_sets(const struct reading *reading, const json_value *value)
{
	uint64_t count;

	if (!json_as_unsigned(value, PORT_SETS_MAX, &count) || count < 2)
		return fault_at(reading, value, "\"port_sets\" is a number of 2 to 1024");
	reading->config->port_sets = (uint32_t)count;
	return 0;
}

static int read_user(const struct reading *reading, const json_value *value)
{
	const char *text = json_as_string(value);

	if (!text || !text[0] || strlen(text) >= sizeof(reading->config->guard_user))
		return fault_at(reading, value, "\"guard_user\" is the name or number of a user");
	memcpy(reading->config->guard_user, text, strlen(text) + 1);
	return 0;
}

static int read_key(const struct reading *reading, const json_value *value)
{
	const char *key = json_key_of(value);

	for (size_t i = 0; i < ARRAY_SIZE(text_keys); i++)
		if (strcmp(key, text_keys[i].key) == 0)
			return read_path(reading, value,
					 text_place(reading->config, &text_keys[i]));
	if (strcmp(key, "ring_bytes") == 0)
		return read_ring(reading, value);
	if (strcmp(key, "port_sets") == 0)
		return read_port_sets(reading, value);
	if (strcmp(key, "guard_user") == 0)
		return read_user(reading, value);
	if (strcmp(key, "agents") == 0)
		return read_agents(reading, value);
	return fault_at(reading, value,
			"unknown key; known are log, socket, state, pin, ring_bytes, port_sets, "
			"guard_user, agents");
}

int config_read(const char *path, bool required, struct config *config, struct error *error)
{
	_cleanup_json_document_ struct json_document *document = NULL;
	_cleanup_free_ char *text = NULL;
	struct json_fault fault;
	struct reading reading = {.path = path, .config = config, .error = error};
	size_t length;

	config_set_defaults(config);
	if (!required && access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (file_read_all(path, CONFIG_BYTES_MAX, &text, &length, error) < 0)
		return -1;
	document = json_document_parse(text, length, &fault);
	if (!document)
		return error_set(error, STATUS_UNUSABLE, "%s:%zu:%zu: %s", path,
				 fault.position.line, fault.position.column, fault.message);
	reading.document = document;
	if (!json_is_object(json_root(document)))
		return fault_at(&reading, json_root(document), "the configuration is an object");
	json_for_each (value, json_root(document))
		if (read_key(&reading, value) < 0)
			return -1;
	return 0;
}

int config_print_defaults(char **text)
{
	struct config config;

	config_set_defaults(&config);
	return asprintf(text,
			"{\n"
			"  \"log\": \"%s\",\n"
			"  \"socket\": \"%s\",\n"
			"  \"state\": \"%s\",\n"
			"  \"pin\": \"%s\",\n"
			"  \"ring_bytes\": %u,\n"
			"  \"port_sets\": %u,\n"
			"  \"agents\": []\n"
			"}\n",
			config.log, config.socket, config.state, config.pin, config.ring_bytes,
			config.port_sets) < 0
		       ? -1
		       : 0;
}
