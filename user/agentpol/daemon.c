// SPDX-License-Identifier: Apache-2.0
#include "agentpol/daemon.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "kernel/cgroup.h"

/* The daemon reads it again from there, whatever its working directory is. */
static void absolute_path(const char *written, char *path)
{
	if (strcmp(written, "-") == 0 || !realpath(written, path))
		path[0] = '\0';
}

struct json_document *daemon_attach(struct client *client, const struct attachment *attachment,
				    struct error *error)
{
	_cleanup_json_writer_ struct json_writer request = {0};
	_cleanup_free_ char *read = NULL;
	const char *text = attachment->manifest_text;
	size_t length = text ? strlen(text) : 0;
	char path[PATH_MAX];

	if (!text &&
	    file_read_all(attachment->manifest_path, JSON_BYTES_MAX, &read, &length, error) < 0)
		return NULL;
	if (!text)
		text = read;
	absolute_path(attachment->manifest_path, path);
	json_open_object(&request);
	json_key_string(&request, "op", "attach");
	json_key_string(&request, "cgroup", attachment->cgroup);
	json_key_string(&request, "manifest_path", path);
	if (attachment->tool)
		json_key_string(&request, "tool", attachment->tool);
	json_key_boolean(&request, "launched", attachment->launched);
	json_key_boolean(&request, "allow_degraded", attachment->allow_degraded);
	json_key_boolean(&request, "keep_open", attachment->keep_open);
	json_key_unsigned(&request, "body_bytes", length);
	json_close_object(&request);
	json_newline(&request);
	return client_call(client, &request, text, length, error);
}

struct json_document *daemon_ask(struct client *client, const char *operation, const char *cgroup,
				 struct error *error)
{
	_cleanup_json_writer_ struct json_writer request = {0};

	json_open_object(&request);
	json_key_string(&request, "op", operation);
	if (cgroup)
		json_key_string(&request, "cgroup", cgroup);
	json_close_object(&request);
	json_newline(&request);
	return client_call(client, &request, NULL, 0, error);
}

static int parse_pid(const char *text, pid_t *pid)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (errno || end == text || *end || number < 1 || number > INT_MAX)
		return -1;
	*pid = (pid_t)number;
	return 0;
}

int target_resolve(const struct target *target, char *path, struct error *error)
{
	int given = !!target->cgroup + !!target->pid + !!target->container + !!target->unit;
	char unit[NAME_MAX + 1];
	pid_t pid;

	if (given != 1)
		return error_set(error, STATUS_UNUSABLE,
				 "name one target: --cgroup PATH, --pid N, --container ID or "
				 "--unit NAME");
	if (target->cgroup)
		return cgroup_resolve(target->cgroup, path, error);
	if (target->container)
		return cgroup_find_named(target->container, path, error);
	if (target->unit) {
		(void)snprintf(unit, sizeof(unit), "%s%s", target->unit,
			       strchr(target->unit, '.') ? "" : ".service");
		return cgroup_find_named(unit, path, error);
	}
	if (parse_pid(target->pid, &pid) < 0)
		return error_set(error, STATUS_UNUSABLE, "\"%s\" is no process id", target->pid);
	return cgroup_of_pid(pid, path, error);
}
