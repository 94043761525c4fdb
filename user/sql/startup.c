// SPDX-License-Identifier: Apache-2.0
#include "sql/startup.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "sql/protocol.h"

#define OPTIONS_MAX 1024 /* bytes of "options" */

static void FORMAT(3, 4)
	refuse(struct startup *startup, const char *code, const char *format, ...)
{
	va_list arguments;

	if (startup->kind == STARTUP_REFUSED)
		return; /* the first one is told */
	startup->kind = STARTUP_REFUSED;
	startup->code = code;
	va_start(arguments, format);
	(void)vsnprintf(startup->sentence, sizeof(startup->sentence), format, arguments);
	va_end(arguments);
}

/* As clean_encoding_name() of the server reads them: letters and digits alone, any case. */
static bool is_encoding(const char *value, const char *name)
{
	for (; *value; value++) {
		if (!isalnum((unsigned char)*value))
			continue;
		if (tolower((unsigned char)*value) != *name)
			return false;
		name++;
	}
	return *name == '\0';
}

static void set_encoding(struct startup *startup, const char *value)
{
	if (is_encoding(value, "sqlascii"))
		startup->sql_ascii = true;
	else if (is_encoding(value, "utf8") || is_encoding(value, "unicode"))
		startup->sql_ascii = false;
	else
		refuse(startup, "28000",
		       "client_encoding \"%.40s\" is not guarded; use UTF8 (statements are read "
		       "as UTF-8)",
		       value);
}

static bool is_off(const char *value)
{
	static const char *const words[] = {"off", "false", "no", "0", "f", "n"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(value, words[i]) == 0)
			return true;
	return false;
}

static bool is_on(const char *value)
{
	static const char *const words[] = {"on", "true", "yes", "1", "t", "y"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(value, words[i]) == 0)
			return true;
	return false;
}

static void pass(struct startup *startup, const char *name, const char *value)
{
	protocol_put_string(&startup->settings, name);
	protocol_put_string(&startup->settings, value);
}

/* A number of milliseconds, lower than the manifest's. */
static void set_timeout(struct startup *startup, const char *name, const char *value,
			uint64_t highest)
{
	uint64_t wanted = 0;
	const char *at;

	for (at = value; isdigit((unsigned char)*at) && at - value < 10; at++)
		wanted = wanted * 10 + (uint64_t)(*at - '0');
	if (at == value || *at != '\0')
		refuse(startup, "28000", "%s at session start must be a number of milliseconds",
		       name);
	else if (highest && (wanted == 0 || wanted > highest))
		refuse(startup, "28000", "%s may be lowered, not raised: the manifest says %llu ms",
		       name, (unsigned long long)highest);
	else
		pass(startup, name, value);
	if (strcmp(name, "statement_timeout") == 0)
		startup->has_timeout = true;
}

/* What concerns the client alone. */
static const char *inert_setting(const char *name)
{
	static const char *const names[] = {
		"application_name",	"DateStyle",	       "IntervalStyle", "TimeZone",
		"extra_float_digits", "client_min_messages", "bytea_output",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (strcasecmp(name, names[i]) == 0)
			return names[i];
	return NULL;
}

/* One setting, wherever it stands. */
static void set(struct startup *startup, const struct sql_policy *policy, const char *name,
		const char *value)
{
	const char *inert = inert_setting(name);

	if (inert)
		pass(startup, inert, value);
	else if (strcasecmp(name, "client_encoding") == 0)
		set_encoding(startup, value);
	else if (strcasecmp(name, "standard_conforming_strings") == 0) {
		if (!is_on(value))
			refuse(startup, "28000",
			       "standard_conforming_strings must be on: statements are read that "
			       "way");
	} else if (strcasecmp(name, "statement_timeout") == 0)
		set_timeout(startup, "statement_timeout", value, policy->statement_timeout_ms);
	else if (strcasecmp(name, "lock_timeout") == 0)
		set_timeout(startup, "lock_timeout", value, 0);
	else if (strcasecmp(name, "idle_in_transaction_session_timeout") == 0)
		set_timeout(startup, "idle_in_transaction_session_timeout", value, 0);
	else
		refuse(startup, "28000", "\"%.60s\" can't be set at session start under a policy",
		       name);
}

/* "-c name=value" or "--name=value": what is behind it, or NULL. */
static char *setting_of_option(char *word, char **next)
{
	if (strncmp(word, "--", 2) == 0 && word[2] != '\0')
		return word + 2;
	if (strncmp(word, "-c", 2) != 0)
		return NULL;
	if (word[2] != '\0')
		return word + 2;
	word = *next;
	*next = NULL; /* taken */
	return word;
}

/* The next word as pg_split_opts() of the server cuts them: at spaces, a backslash takes the next
 * byte as it is. Cuts in place; NULL at the end. */
static char *next_word(char **rest)
{
	char *from = *rest, *to, *word;

	while (isspace((unsigned char)*from))
		from++;
	if (*from == '\0')
		return NULL;
	word = to = from;
	while (*from != '\0' && !isspace((unsigned char)*from)) {
		if (*from == '\\' && from[1] != '\0')
			from++;
		*to++ = *from++;
	}
	*rest = *from ? from + 1 : from;
	*to = '\0';
	return word;
}

static void set_options(struct startup *startup, const struct sql_policy *policy, const char *value)
{
	char text[OPTIONS_MAX], *rest = text, *word, *ahead;

	if (strlen(value) >= sizeof(text)) {
		refuse(startup, "28000", "\"options\" is too long");
		return;
	}
	(void)snprintf(text, sizeof(text), "%s", value);
	for (word = next_word(&rest); word; word = ahead ? ahead : next_word(&rest)) {
		char *setting, *equals, *at;

		ahead = next_word(&rest);
		setting = setting_of_option(word, &ahead);
		equals = setting ? strchr(setting, '=') : NULL;
		if (!equals) {
			refuse(startup, "28000", "\"options\" may only set what is harmless: %.60s",
			       word);
			return;
		}
		*equals = '\0';
		/* ParseLongOption() takes "-" for "_". */
		for (at = setting; *at; at++)
			if (*at == '-')
				*at = '_';
		set(startup, policy, setting, equals + 1);
	}
}

static void set_name(struct startup *startup, char *name, const char *key, const char *value)
{
	if (strlen(value) >= STARTUP_NAME_MAX)
		refuse(startup, "28000", "the %s's name is longer than %d bytes", key,
		       STARTUP_NAME_MAX - 1);
	else
		(void)snprintf(name, STARTUP_NAME_MAX, "%s", value);
}

static void set_key(struct startup *startup, const struct sql_policy *policy, const char *key,
		    const char *value)
{
	if (strcmp(key, "user") == 0)
		set_name(startup, startup->user, key, value);
	else if (strcmp(key, "database") == 0)
		set_name(startup, startup->database, key, value);
	else if (strcmp(key, "options") == 0)
		set_options(startup, policy, value);
	else if (strcmp(key, "replication") == 0) {
		if (!is_off(value))
			refuse(startup, "28000", "replication is not allowed under a policy");
	} else if (strncmp(key, "_pq_.", 5) == 0) {
		startup->negotiate = true;
		startup->option_count++;
		protocol_put_string(&startup->options, key);
	} else
		set(startup, policy, key, value);
}

static void check_named(struct startup *startup, const struct strings *granted, const char *key,
			const char *name)
{
	size_t i;

	for (i = 0; i < granted->count; i++)
		if (strcmp(granted->items[i], name) == 0)
			return;
	if (granted->count)
		refuse(startup, "28000", "the manifest does not grant the %s \"%s\"", key, name);
}

static void read_pairs(const struct sql_policy *policy, const uint8_t *at, const uint8_t *end,
		       struct startup *startup)
{
	while (at < end && *at != '\0') {
		const uint8_t *key = at, *value, *stop;

		stop = memchr(key, '\0', (size_t)(end - key));
		value = stop ? stop + 1 : end;
		stop = value < end ? memchr(value, '\0', (size_t)(end - value)) : NULL;
		if (!stop)
			break;
		set_key(startup, policy, (const char *)key, (const char *)value);
		at = stop + 1;
	}
	if (at + 1 != end || *at != '\0')
		refuse(startup, "08P01",
		       "invalid startup packet layout: expected terminator as last byte");
}

void startup_read(const struct sql_policy *policy, const uint8_t *packet, size_t length,
		  struct startup *startup)
{
	uint32_t version;

	*startup = (struct startup){.kind = STARTUP_CLOSED};
	if (length < 4 || length > STARTUP_PACKET_MAX - 4)
		return;
	version = protocol_get32(packet);
	if (version == PROTOCOL_SSL || version == PROTOCOL_GSSENC) {
		startup->kind = length == 4 ? STARTUP_ENCRYPTION : STARTUP_CLOSED;
		return;
	}
	if (version == PROTOCOL_CANCEL) {
		if (length != 12)
			return;
		startup->kind = STARTUP_CANCEL;
		startup->pid = protocol_get32(packet + 4);
		startup->key = protocol_get32(packet + 8);
		return;
	}
	if (version >> 16 != 3) {
		refuse(startup, "0A000",
		       "unsupported frontend protocol %u.%u: the guard speaks 3.0",
		       version >> 16, version & 0xffff);
		return;
	}
	startup->kind = STARTUP_SESSION;
	startup->negotiate = version != PROTOCOL_VERSION_3_0;
	read_pairs(policy, packet + 4, packet + length, startup);
	if (startup->user[0] == '\0')
		refuse(startup, "28000", "no PostgreSQL user name specified in startup packet");
	/* As the server does. */
	if (startup->database[0] == '\0')
		memcpy(startup->database, startup->user, sizeof(startup->database));
	check_named(startup, &policy->databases, "database", startup->database);
	check_named(startup, &policy->users, "user", startup->user);
	if (startup->settings.failed || startup->options.failed)
		refuse(startup, "53200", "out of memory");
}

void startup_clear(struct startup *startup)
{
	buffer_clear(&startup->settings);
	buffer_clear(&startup->options);
}

bool startup_is_read_only(const struct sql_policy *policy)
{
	size_t i;

	if (policy->read_only >= 0)
		return policy->read_only != 0;
	for (i = 0; i < policy->grant_count; i++)
		if (policy->grants[i].verb != SQL_SELECT)
			return false;
	return true;
}

/* Each name quoted, so that none is read as something else. */
static void put_search_path(struct buffer *packet, const struct strings *path)
{
	const char *at;
	size_t i;

	protocol_put_string(packet, "search_path");
	/* An empty list is written as a schema that can't be: '' would be refused. */
	if (path->count == 0)
		buffer_append(packet, "\"\"", 2);
	for (i = 0; i < path->count; i++) {
		buffer_append(packet, i ? ", \"" : "\"", i ? 3 : 1);
		for (at = path->items[i]; *at; at++)
			buffer_append(packet, *at == '"' ? "\"\"" : at, *at == '"' ? 2 : 1);
		buffer_append(packet, "\"", 1);
	}
	buffer_append(packet, "", 1);
}

static void put_pair(struct buffer *packet, const char *name, const char *value)
{
	protocol_put_string(packet, name);
	protocol_put_string(packet, value);
}

void startup_build(const struct startup *startup, const struct sql_policy *policy,
		   struct buffer *packet)
{
	struct buffer body = {0};
	char number[24];

	protocol_put32(&body, PROTOCOL_VERSION_3_0);
	put_pair(&body, "user", startup->user);
	put_pair(&body, "database", startup->database);
	if (startup->settings.length)
		buffer_append(&body, buffer_bytes(&startup->settings), startup->settings.length);
	/* Behind the client's: of two values the server takes the later one. */
	put_pair(&body, "client_encoding", startup->sql_ascii ? "SQL_ASCII" : "UTF8");
	put_pair(&body, "standard_conforming_strings", "on");
	put_search_path(&body, &policy->search_path);
	if (policy->statement_timeout_ms && !startup->has_timeout) {
		(void)snprintf(number, sizeof(number), "%llu",
			       (unsigned long long)policy->statement_timeout_ms);
		put_pair(&body, "statement_timeout", number);
	}
	if (startup_is_read_only(policy))
		put_pair(&body, "default_transaction_read_only", "on");
	buffer_append(&body, "", 1);
	protocol_put32(packet, (uint32_t)body.length + 4);
	if (body.failed)
		packet->failed = true;
	else
		buffer_append(packet, buffer_bytes(&body), body.length);
	buffer_clear(&body);
}

void startup_build_negotiate(const struct startup *startup, struct buffer *message)
{
	size_t begin = message_begin(message, 'v');

	protocol_put32(message, PROTOCOL_VERSION_3_0);
	protocol_put32(message, startup->option_count);
	if (startup->options.length)
		buffer_append(message, buffer_bytes(&startup->options), startup->options.length);
	message_end(message, begin);
}
