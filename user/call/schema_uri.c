// SPDX-License-Identifier: Apache-2.0
/* RFC 3986, section 5: which URI a "$ref" or an "$id" means. Nothing is ever fetched. */
#include <string.h>

#include "call/schema_internal.h"

struct part {
	const char *text;
	size_t length;
};

/* Each with its own mark: "http:", "//host", "/path", "?query". */
struct uri {
	struct part scheme, authority, path, query;
};

static size_t scheme_length(const char *text)
{
	size_t length =
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

	return length > 0 && text[length] == ':' ? length + 1 : 0;
}

static struct uri split(const char *text)
{
	struct uri uri = {0};

	uri.scheme = (struct part){text, scheme_length(text)};
	text += uri.scheme.length;
	uri.authority = (struct part){text, 0};
	if (strncmp(text, "//", 2) == 0)
		uri.authority.length = 2 + strcspn(text + 2, "/?#");
	text += uri.authority.length;
	uri.path = (struct part){text, strcspn(text, "?#")};
	text += uri.path.length;
	uri.query = (struct part){text, *text == '?' ? strcspn(text, "#") : 0};
	return uri;
}

/* The path's segments without "." and "..", into `out`, which has room for all of `path`. */
static size_t remove_dots(struct part path, char *out)
{
	size_t used = 0, at = 0;

	while (at < path.length) {
		size_t start = at + (path.text[at] == '/');
		const char *slash = memchr(path.text + start, '/', path.length - start);
		size_t end = slash ? (size_t)(slash - path.text) : path.length;
		bool one = end - start == 1 && path.text[start] == '.';
		bool two = end - start == 2 && memcmp(path.text + start, "..", 2) == 0;

		if (two)
			while (used > 0 && out[--used] != '/')
				continue;
		if (one || two) {
			if (end == path.length && (start > at || used > 0))
				out[used++] = '/';
		} else {
			memcpy(out + used, path.text + at, end - at);
			used += end - at;
		}
		at = end;
	}
	return used;
}

/* The base's path up to its last slash, and the reference's behind it. */
static const char *merge(struct arena *arena, const struct uri *base, struct part path)
{
	size_t kept = base->path.length;

	while (kept > 0 && base->path.text[kept - 1] != '/')
		kept--;
	if (base->authority.length > 0 && base->path.length == 0)
		return arena_printf(arena, "/%.*s", (int)path.length, path.text);
	return arena_printf(arena, "%.*s%.*s", (int)kept, base->path.text, (int)path.length,
			    path.text);
}

static const char *join(struct arena *arena, const struct uri *uri, bool with_dots)
{
	char *path = arena_alloc(arena, uri->path.length + 2, 1);
	size_t length;

	if (!path)
		return NULL;
	if (with_dots) {
		memcpy(path, uri->path.text, uri->path.length);
		length = uri->path.length;
	} else {
		length = remove_dots(uri->path, path);
	}
	return arena_printf(arena, "%.*s%.*s%.*s%.*s", (int)uri->scheme.length, uri->scheme.text,
			    (int)uri->authority.length, uri->authority.text, (int)length, path,
			    (int)uri->query.length, uri->query.text);
}

const char *schema_uri_resolve(struct arena *arena, const char *base_text, const char *text)
{
	struct uri base = split(base_text);
	struct uri uri = split(text);
	const char *merged;

	if (uri.scheme.length > 0)
		return join(arena, &uri, uri.authority.length == 0);
	uri.scheme = base.scheme;
	if (uri.authority.length > 0)
		return join(arena, &uri, false);
	uri.authority = base.authority;
	if (uri.path.length == 0) {
		uri.path = base.path;
		if (uri.query.length == 0)
			uri.query = base.query;
		return join(arena, &uri, true);
	}
	if (uri.path.text[0] != '/') {
		merged = merge(arena, &base, uri.path);
		if (!merged)
			return NULL;
		uri.path = (struct part){merged, strlen(merged)};
	}
	return join(arena, &uri, false);
}
