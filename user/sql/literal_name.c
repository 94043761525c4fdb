// SPDX-License-Identifier: Apache-2.0
#include "sql/literal_name.h"

#include <string.h>

#define IDENTIFIER_MAX 63

static bool is_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_part(char c)
{
	return is_start(c) || (c >= '0' && c <= '9') || c == '$';
}

/* Behind the identifier at `at`, or NULL. */
static const char *take(struct arena *arena, const char *at, const char **name)
{
	char text[IDENTIFIER_MAX + 1];
	size_t length = 0;
	const bool quoted = *at == '"';

	if (!quoted && !is_start(*at))
		return NULL;
	at += quoted;
	for (;; at++) {
		char c = *at;

		if (quoted && c == '"' && *++at != '"')
			break;
		if (c == '\0' && quoted)
			return NULL;
		if (!quoted && !is_part(c))
			break;
		if (length == IDENTIFIER_MAX)
			return NULL;
		if (!quoted && c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		text[length++] = c;
	}
	if (length == 0)
		return NULL;
	*name = arena_copy(arena, text, length);
	return *name ? at : NULL;
}

bool literal_name(struct arena *arena, const char *text, const char **schema, const char **name)
{
	*schema = NULL;
	text = take(arena, text, name);
	if (!text)
		return false;
	if (*text == '\0')
		return true;
	*schema = *name;
	if (*text != '.')
		return false;
	text = take(arena, text + 1, name);
	return text && *text == '\0';
}

static const char *quote(struct arena *arena, const char *name)
{
	const size_t length = strlen(name);
	bool plain = is_start(name[0]);
	char *quoted, *to;

	for (size_t i = 0; i < length; i++)
		plain &= is_part(name[i]) && !(name[i] >= 'A' && name[i] <= 'Z');
	if (plain)
		return name;
	quoted = to = arena_alloc(arena, 2 * length + 3, 1);
	if (!quoted)
		return NULL;
	*to++ = '"';
	for (size_t i = 0; i < length; i++) {
		if (name[i] == '"')
			*to++ = '"';
		*to++ = name[i];
	}
	*to = '"';
	return quoted;
}

const char *manifest_name(struct arena *arena, const char *schema, const char *name)
{
	name = quote(arena, name);
	if (!schema || !name)
		return name;
	schema = quote(arena, schema);
	return schema ? arena_printf(arena, "%s.%s", schema, name) : NULL;
}
