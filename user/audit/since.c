// SPDX-License-Identifier: Apache-2.0
#include "audit/since.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define NS_PER_SECOND 1000000000ULL
/* A hundred years. */
#define SECONDS_MOST 3155760000ULL

static const struct {
	const char *name;
	uint64_t seconds;
} units[] = {{"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};

/* As records write it; a digit stands for any. */
static const char pattern[] = "0000-00-00T00:00:00.000000000Z";

/* Where one may stop reading it: behind the day, the minute, the second, the end. */
static bool is_whole(size_t length)
{
	static const size_t ends[] = {10, 16, 19, 30};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (length == ends[i])
			return true;
	return false;
}

static bool is_time(const char *text)
{
	size_t length = strlen(text);

	if (!is_whole(length))
		return false;
	for (size_t i = 0; i < length; i++)
		if (pattern[i] == '0' ? !isdigit((unsigned char)text[i]) : text[i] != pattern[i])
			return false;
	return true;
}

bool since_parse(const char *text, uint64_t now_ns, char time[AUDIT_TIME_ROOM])
{
	unsigned long long amount;
	char *end;

	if (is_time(text)) {
		(void)snprintf(time, AUDIT_TIME_ROOM, "%s", text);
		return true;
	}
	errno = 0;
	amount = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || errno || amount > SECONDS_MOST)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		const uint64_t seconds = amount * units[i].seconds;

		if (strcmp(end, units[i].name) != 0)
			continue;
		audit_time_format(
			now_ns > seconds * NS_PER_SECOND ? now_ns - seconds * NS_PER_SECOND : 0,
			time);
		return seconds <= SECONDS_MOST;
	}
	return false;
}
