// SPDX-License-Identifier: Apache-2.0
#include "policyd/agent_sql.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "json/json.h"

static int make_sealed(const char *text, size_t length)
{
	int fd = memfd_create("manifest", MFD_CLOEXEC | MFD_ALLOW_SEALING), result;

	if (fd < 0)
		return -errno;
	result = file_write_fd(fd, text, length);
	if (result == 0 &&
	    (lseek(fd, 0, SEEK_SET) < 0 ||
	     fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0))
		result = -errno;
	if (result == 0)
		return fd;
	(void)close(fd);
	return result;
}

static char *text_of(const char *manifest, size_t length, const char *tool)
{
	_cleanup_json_document_ struct json_document *document = NULL;
	const json_value *sql;
	struct json_fault fault;

	document = json_document_parse(manifest, length, &fault);
	sql = document ? json_member(json_member(json_root(document), "tools"), tool) : NULL;
	sql = json_member(sql, "sql");
	return sql ? json_print(sql) : NULL;
}

struct agent_sql *agent_sql_new(const struct tool *tool, const char *manifest, size_t length,
				struct error *error)
{
	struct agent_sql *sql;

	error->text[0] = '\0';
	if (!tool || !tool->sql)
		return NULL;
	sql = calloc(1, sizeof(*sql));
	if (!sql) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	sql->manifest = make_sealed(manifest, length);
	sql->text = text_of(manifest, length, tool->name);
	if (sql->manifest >= 0 && sql->text)
		return sql;
	(void)error_set(error, STATUS_SYSTEM, "no memory for the guard's copy of the manifest");
	agent_sql_free(sql);
	return NULL;
}

void agent_sql_free(struct agent_sql *sql)
{
	if (!sql)
		return;
	if (sql->manifest >= 0)
		(void)close(sql->manifest);
	free(sql->text);
	free(sql);
}
