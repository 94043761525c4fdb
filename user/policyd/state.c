// SPDX-License-Identifier: Apache-2.0
#include "policyd/state.h"

#include <dirent.h>
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/json_write.h"
#include "json/json.h"

/* Paths of two PATH_MAX and some numbers. */
#define STATE_BYTES_MAX 65536

static void state_path(const char *folder, uint64_t cgroup, const char *kind, char *path)
{
	(void)snprintf(path, PATH_MAX, "%s/%" PRIu64 ".%s", folder, cgroup, kind);
}

/* "resolvers": null where they are not known. */
static void write_resolvers(const struct resolvers *resolvers, struct json_writer *writer)
{
	char text[ADDRESS_TEXT_MAX];

	json_key(writer, "resolvers");
	if (!resolvers->known) {
		json_null(writer);
		return;
	}
	json_open_array(writer);
	for (size_t i = 0; i < resolvers->count; i++) {
		address_format(&resolvers->addresses[i], text);
		json_string(writer, text);
	}
	json_close_array(writer);
	json_key(writer, "search");
	json_open_array(writer);
	for (size_t i = 0; i < resolvers->search_count; i++)
		json_string(writer, resolvers->search[i]);
	json_close_array(writer);
}

static void take_resolvers(const json_value *root, struct resolvers *resolvers)
{
	const json_value *list = json_member(root, "resolvers");

	*resolvers = (struct resolvers){.known = json_is_array(list)};
	if (!resolvers->known)
		return;
	json_for_each (item, list) {
		const char *text = json_as_string(item);

		if (text && resolvers->count < RESOLVERS_MAX &&
		    address_parse(text, &resolvers->addresses[resolvers->count]))
			resolvers->count++;
	}
	json_for_each (item, json_member(root, "search")) {
		const char *text = json_as_string(item);

		if (text && resolvers->search_count < SEARCH_DOMAINS_MAX &&
		    strlen(text) < RESOLV_NAME_ROOM)
			memcpy(resolvers->search[resolvers->search_count++], text,
			       strlen(text) + 1);
	}
}

/* "limits_before": the cgroup's own, of the files that were written. */
static void write_limits(const struct limits_before *before, struct json_writer *writer)
{
	json_key(writer, "limits_before");
	json_open_object(writer);
	for (size_t i = 0; i < LIMIT_FILES; i++)
		if (before->texts[i][0])
			json_key_string(writer, limit_files[i], before->texts[i]);
	json_close_object(writer);
}

static void take_limits(const json_value *root, struct limits_before *before)
{
	const json_value *object = json_member(root, "limits_before");

	for (size_t i = 0; i < LIMIT_FILES; i++) {
		const char *text = json_as_string(json_member(object, limit_files[i]));

		if (text && strlen(text) < LIMIT_TEXT_MAX)
			memcpy(before->texts[i], text, strlen(text) + 1);
	}
}

int state_save(const char *folder, const struct agent *agent, const char *manifest, size_t length,
	       struct error *error)
{
	_cleanup_json_writer_ struct json_writer writer = {0};
	char path[PATH_MAX];
	const char *text;

	state_path(folder, agent->cgroup, "manifest", path);
	if (file_write_atomic(path, manifest, length, 0600, error) < 0)
		return -1;
	json_open_object(&writer);
	json_key_string(&writer, "cgroup_path", agent->cgroup_path);
	json_key_string(&writer, "manifest_path", agent->manifest_path);
	json_key_string(&writer, "tool", agent->tool);
	json_key_unsigned(&writer, "policy_id", POLICY_ID(agent->loaded));
	json_key_unsigned(&writer, "policy_flags", POLICY_FLAGS(agent->loaded));
	json_key_boolean(&writer, "launched", agent->tier == TIER_LAUNCH);
	json_key_boolean(&writer, "allow_degraded", agent->allow_degraded);
	write_resolvers(&agent->resolvers, &writer);
	write_limits(&agent->limits_before, &writer);
	json_close_object(&writer);
	json_newline(&writer);
	text = json_writer_text(&writer);
	if (!text)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	state_path(folder, agent->cgroup, "json", path);
	return file_write_atomic(path, text, writer.length, 0600, error);
}

static int take_string(const json_value *root, const char *key, char *place, size_t room)
{
	const char *text = json_as_string(json_member(root, key));

	if (!text || strlen(text) >= room)
		return -1;
	memcpy(place, text, strlen(text) + 1);
	return 0;
}

int state_load_manifest(const char *folder, uint64_t cgroup, char **manifest, size_t *length,
			struct error *error)
{
	char path[PATH_MAX];

	state_path(folder, cgroup, "manifest", path);
	return file_read_all(path, JSON_BYTES_MAX, manifest, length, error);
}

int state_load(const char *folder, uint64_t cgroup, struct agent *agent, char **manifest,
	       size_t *length, struct error *error)
{
	_cleanup_json_document_ struct json_document *document = NULL;
	_cleanup_free_ char *text = NULL;
	struct json_fault fault;
	const json_value *root;
	char path[PATH_MAX];
	uint64_t id, flags;
	size_t size;

	state_path(folder, cgroup, "json", path);
	if (file_read_all(path, STATE_BYTES_MAX, &text, &size, error) < 0)
		return -1;
	document = json_document_parse(text, size, &fault);
	root = document ? json_root(document) : NULL;
	if (take_string(root, "cgroup_path", agent->cgroup_path, sizeof(agent->cgroup_path)) < 0 ||
	    take_string(root, "manifest_path", agent->manifest_path, sizeof(agent->manifest_path)) <
		    0 ||
	    take_string(root, "tool", agent->tool, sizeof(agent->tool)) < 0 ||
	    !json_as_unsigned(json_member(root, "policy_id"), POLICY_ID_MAX, &id) ||
	    !json_as_unsigned(json_member(root, "policy_flags"), UINT32_MAX, &flags))
		return error_set(error, STATUS_SYSTEM, "%s is damaged", path);
	agent->cgroup = cgroup;
	agent->loaded = POLICY_WORD(id, flags);
	agent->tier = json_as_boolean(json_member(root, "launched")) ? TIER_LAUNCH : TIER_ATTACH;
	agent->allow_degraded = json_as_boolean(json_member(root, "allow_degraded"));
	take_resolvers(root, &agent->resolvers);
	take_limits(root, &agent->limits_before);
	return state_load_manifest(folder, cgroup, manifest, length, error);
}

void state_each(const char *folder, void (*visit)(uint64_t cgroup, void *context), void *context)
{
	DIR *listing = opendir(folder);
	const struct dirent *entry;

	while (listing && (entry = readdir(listing))) {
		char *rest;
		const uint64_t cgroup = strtoull(entry->d_name, &rest, 10);

		if (rest != entry->d_name && strcmp(rest, ".json") == 0)
			visit(cgroup, context);
	}
	if (listing)
		(void)closedir(listing);
}

void state_remove(const char *folder, uint64_t cgroup)
{
	char path[PATH_MAX];

	state_path(folder, cgroup, "json", path);
	(void)unlink(path);
	state_path(folder, cgroup, "manifest", path);
	(void)unlink(path);
}
