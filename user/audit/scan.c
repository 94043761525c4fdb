// SPDX-License-Identifier: Apache-2.0
#include "audit/scan.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "audit/store.h"

/* Whole numbers that a double holds. */
#define NUMBER_MAX 9007199254740992.0

const char *scan_text(const cJSON *record, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, key));
}

uint64_t scan_number(const cJSON *record, const char *key)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(record, key);

	if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0) || value->valuedouble > NUMBER_MAX)
		return 0;
	return (uint64_t)value->valuedouble;
}

uint64_t scan_added(const cJSON *record)
{
	const uint64_t count = scan_number(record, "count");
	const char *kind = scan_text(record, "kind");
	uint64_t below = 1;

	if (count <= 1 || (kind && strcmp(kind, "lost") == 0))
		return count;
	while (below * 2 < count)
		below *= 2;
	return count - below;
}

static bool matches(const cJSON *record, const char *key, const char *wanted)
{
	const char *value = wanted ? scan_text(record, key) : NULL;

	return !wanted || (value && strcmp(value, wanted) == 0);
}

/* Times are written with all their digits, so that they compare as texts do. */
static bool is_since(const cJSON *record, const char *since)
{
	const char *time = since ? scan_text(record, "time") : NULL;

	return !since || (time && strcmp(time, since) >= 0);
}

static bool is_taken(const cJSON *record, const struct audit_filter *filter)
{
	return matches(record, "agent", filter->agent) && matches(record, "kind", filter->kind) &&
	       matches(record, "verdict", filter->verdict) && is_since(record, filter->since);
}

/* False where the line is no record; *going is whether the scan is to go on. */
static bool take_line(const char *line, const struct audit_filter *filter, audit_take take,
		      void *context, bool *going)
{
	cJSON *record = cJSON_Parse(line);
	const bool is_record =
		cJSON_IsObject(record) && cJSON_GetObjectItemCaseSensitive(record, "seq");

	if (is_record && is_taken(record, filter))
		*going = take(line, record, context) == 0;
	cJSON_Delete(record);
	return is_record;
}

int audit_scan(const char *folder, const struct audit_filter *filter, size_t *offset,
	       audit_take take, void *context, struct error *error)
{
	char path[PATH_MAX];
	_cleanup_fclose_ FILE *file = NULL;
	_cleanup_free_ char *line = NULL;
	bool going = true;
	size_t room = 0;
	ssize_t length;

	if (snprintf(path, sizeof(path), "%s/%s", folder, AUDIT_LOG_NAME) >= (int)sizeof(path))
		return error_set(error, STATUS_UNUSABLE, "%s: path too long", folder);
	file = fopen(path, "re");
	if (!file)
		return error_set_errno(error, errno == EACCES ? STATUS_SYSTEM : STATUS_UNUSABLE,
				       errno, "no audit log %s", path);
	if (fseeko(file, (off_t)*offset, SEEK_SET) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "%s", path);
	while (going && (length = getline(&line, &room, file)) > 0) {
		if (line[length - 1] != '\n')
			return 0; /* being written */
		line[length - 1] = '\0';
		if (!take_line(line, filter, take, context, &going))
			return error_set(error, STATUS_NO,
					 "%s: what stands at byte %zu is no audit record: the log "
					 "is damaged",
					 path, *offset);
		*offset += (size_t)length;
	}
	return 0;
}
