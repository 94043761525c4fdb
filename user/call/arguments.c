// SPDX-License-Identifier: Apache-2.0
#include "call/arguments.h"

#include <limits.h>
#include <string.h>

#include "base/json_write.h"
#include "base/utf8.h"
#include "call/digest.h"
#include "call/url.h"
#include "policy/paths.h"
#include "policy/verdict.h"

/* What is checked, and where the outcome goes. */
struct holding {
	const struct policy *policy;
	const struct tool *tool;
	const struct ready_limit *ready;
	const json_value *value;
	struct verdict *verdict;
};

/* The name of a pointer in the message; long ones are cut. */
#define POINTER_SHOWN 80
/* Of a step of a pointer. */
#define STEP_ROOM 512

static void set_rule(const struct holding *holding, const char *key)
{
	char escaped[VERDICT_TEXT_MAX];
	size_t length = 0;

	/* A pointer as a step of a pointer (RFC 6901). */
	for (const char *at = holding->ready->limit->pointer; *at && length + 2 < sizeof(escaped);
	     at++) {
		if (*at == '~' || *at == '/') {
			escaped[length++] = '~';
			escaped[length++] = *at == '~' ? '0' : '1';
		} else {
			escaped[length++] = *at;
		}
	}
	escaped[length] = '\0';
	verdict_set_rule(holding->verdict, &holding->tool->scope, "/arguments/%s%s%s", escaped,
			 key[0] ? "/" : "", key);
}

static bool refuse(const struct holding *holding, const char *key, const char *sentence)
{
	set_rule(holding, key);
	verdict_deny(holding->verdict, "argument", "%.*s %s", POINTER_SHOWN,
		     holding->ready->limit->pointer, sentence);
	return false;
}

static bool refuse_type(const struct holding *holding, const char *key, const char *wanted)
{
	char sentence[128];

	(void)snprintf(sentence, sizeof(sentence), "must be %s, not %s", wanted,
		       json_type_name(holding->value));
	return refuse(holding, key, sentence);
}

/* The edit that would allow a string: it is added to the limit's list. */
static void hint_string(const struct holding *holding, const char *value)
{
	_cleanup_json_writer_ struct json_writer writer = {0};
	char path[VERDICT_TEXT_MAX];

	json_string(&writer, value);
	if (!json_writer_text(&writer))
		return;
	(void)snprintf(path, sizeof(path), "%s/-",
		       holding->verdict->rule + strlen(holding->tool->scope.pointer));
	verdict_hint(holding->verdict, "add", &holding->tool->scope, path,
		     json_writer_text(&writer));
}

static bool hold_under(const struct holding *holding)
{
	const struct strings *under = &holding->ready->limit->under;
	const char *text = json_as_string(holding->value);
	char path[PATH_MAX], top[PATH_MAX];

	if (!text)
		return refuse_type(holding, "under", "a path");
	if (text[0] != '/')
		return refuse(holding, "under", "must be an absolute path");
	/* By text "/data/link/../x" is below /data; behind the link it is not. */
	if (strstr(text, "/../") || (strlen(text) >= 3 && !strcmp(text + strlen(text) - 3, "/..")))
		return refuse(holding, "under", "must be a path without \"..\"");
	if (!path_normalise(text, path, sizeof(path)))
		return refuse(holding, "under", "is too long for a path");
	for (size_t i = 0; i < under->count; i++)
		if (path_normalise(under->items[i], top, sizeof(top)) && path_is_below(top, path))
			return true;
	(void)refuse(holding, "under", "is below no folder that is listed");
	hint_string(holding, path);
	return false;
}

static bool hold_enum(const struct holding *holding)
{
	const struct strings *list = &holding->ready->limit->one_of;
	const char *text = json_as_string(holding->value);

	if (!text)
		return refuse_type(holding, "enum", "a string");
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	(void)refuse(holding, "enum", "is none of the values that are listed");
	hint_string(holding, text);
	return false;
}

static bool hold_pattern(const struct holding *holding)
{
	const char *text = json_as_string(holding->value);

	if (!text)
		return refuse_type(holding, "pattern", "a string");
	switch (regex_match(holding->ready->pattern, text, strlen(text))) {
	case REGEX_MATCH:
		return true;
	case REGEX_NO:
		return refuse(holding, "pattern", "does not match the pattern");
	case REGEX_UNDECIDED:
		break;
	}
	(void)refuse(holding, "pattern", "takes the pattern too long to match");
	holding->verdict->kind = VERDICT_UNDECIDED;
	return false;
}

static bool hold_length(const struct holding *holding)
{
	const char *text = json_as_string(holding->value);
	char sentence[64];
	uint64_t length = 0;

	if (!text)
		return refuse_type(holding, "maxLength", "a string");
	for (const char *at = text; *at; length++) {
		const size_t step = utf8_sequence_length((const unsigned char *)at, strlen(at));

		at += step ? step : 1;
	}
	if (length <= holding->ready->limit->max_length)
		return true;
	(void)snprintf(sentence, sizeof(sentence), "has more than %llu characters",
		       (unsigned long long)holding->ready->limit->max_length);
	return refuse(holding, "maxLength", sentence);
}

static void hint_number(const struct holding *holding)
{
	_cleanup_free_ char *number = json_print(holding->value);

	if (number)
		verdict_hint(holding->verdict, "replace", &holding->tool->scope,
			     holding->verdict->rule + strlen(holding->tool->scope.pointer), number);
}

static bool hold_bounds(const struct holding *holding)
{
	const struct argument_limit *limit = holding->ready->limit;
	const char *key = limit->has_minimum ? "minimum" : "maximum";
	char sentence[64];
	double number;

	if (!json_is_number(holding->value))
		return refuse_type(holding, key, "a number");
	number = json_as_number(holding->value);
	if (limit->has_minimum && !(number >= limit->minimum)) {
		(void)snprintf(sentence, sizeof(sentence), "must be at least %.15g",
			       limit->minimum);
		(void)refuse(holding, "minimum", sentence);
	} else if (limit->has_maximum && !(number <= limit->maximum)) {
		(void)snprintf(sentence, sizeof(sentence), "must be at most %.15g", limit->maximum);
		(void)refuse(holding, "maximum", sentence);
	} else {
		return true;
	}
	hint_number(holding);
	return false;
}

/* Stands for whatever a name resolves to: of no internal range, and in no rule but one that covers
 * everything (RFC 6666, where packets are thrown away). */
#define ANY_ADDRESS "100::1"

static bool is_granted(const struct holding *holding, const struct url *url, uint16_t port)
{
	struct request request = {.kind = REQUEST_DNS, .tool = holding->tool->name};

	if (url->host[0]) {
		request.dns.name = url->host;
		policy_decide(holding->policy, &request, holding->verdict);
		if (holding->verdict->kind != VERDICT_ALLOW)
			return false;
	}
	request = (struct request){.kind = REQUEST_CONNECT, .tool = holding->tool->name};
	request.connect.address = url->address;
	if (url->host[0] && !address_parse(ANY_ADDRESS, &request.connect.address))
		return false;
	request.connect.port = port;
	request.connect.protocol = PROTOCOL_TCP;
	request.connect.name = url->host[0] ? url->host : NULL;
	policy_decide(holding->policy, &request, holding->verdict);
	return holding->verdict->kind == VERDICT_ALLOW;
}

static bool hold_egress(const struct holding *holding)
{
	const char *text = json_as_string(holding->value), *fault;
	struct verdict last;
	struct url url;

	if (!text)
		return refuse_type(holding, "egress", "a URL");
	if (!url_read(text, &url, &fault))
		return refuse(holding, "egress", fault);
	for (unsigned i = 0; i < url.port_count; i++)
		if (is_granted(holding, &url, url.ports[i]))
			return true;
	/* The rule and the edit are those of the network's list. */
	last = *holding->verdict;
	last.kind = VERDICT_DENY;
	last.reason = "egress";
	(void)snprintf(last.message, sizeof(last.message), "%.*s leads to where no rule grants: %s",
		       POINTER_SHOWN, holding->ready->limit->pointer, holding->verdict->message);
	*holding->verdict = last;
	return false;
}

static bool hold_one(const struct holding *holding)
{
	const struct argument_limit *limit = holding->ready->limit;

	return (!limit->under.count || hold_under(holding)) &&
	       (!limit->one_of.count || hold_enum(holding)) &&
	       (!limit->max_length || hold_length(holding)) &&
	       (!limit->pattern || hold_pattern(holding)) &&
	       (!(limit->has_minimum || limit->has_maximum) || hold_bounds(holding)) &&
	       (!limit->egress || hold_egress(holding));
}

/* The step of a pointer that comes next, and whether it is a place in a list (RFC 6901). */
static bool is_index(const char *pointer)
{
	const size_t length = strcspn(pointer + 1, "/");

	return length > 0 && strspn(pointer + 1, "0123456789") == length;
}

/* "/a/b" into "/a". */
static size_t first_step(const char *pointer, char *step, size_t room)
{
	const size_t length = 1 + strcspn(pointer + 1, "/");

	if (length >= room)
		return 0;
	memcpy(step, pointer, length);
	step[length] = '\0';
	return length;
}

static bool hold_at(struct holding *holding, const json_value *value, const char *pointer);

/* At the end of the pointer: a list's items, one by one. */
static bool hold_items(struct holding *holding, const json_value *list)
{
	json_for_each (item, list) {
		holding->value = item;
		if (!hold_one(holding))
			return false;
	}
	return true;
}

static bool hold_each(struct holding *holding, const json_value *list, const char *pointer)
{
	json_for_each (item, list)
		if (!hold_at(holding, item, pointer))
			return false;
	return true;
}

static bool hold_member(struct holding *holding, const json_value *value, const char *pointer)
{
	char step[STEP_ROOM];
	const size_t length = first_step(pointer, step, sizeof(step));

	if (!length)
		return refuse(holding, "", "is longer than any name that is looked up");
	return hold_at(holding, digest_find(value, step), pointer + length);
}

/*
 * What the rest of the pointer leads to. What stands in the way of it is refused: a text where an
 * object should be may be one to the server, when it is read as JSON. Of a list without a place
 * named each item is meant. As deep as the reader of JSON lets a value be.
 */
static bool hold_at(struct holding *holding, const json_value *value, const char *pointer)
{
	if (!value || json_is_null(value))
		return true;
	holding->value = value;
	if (!*pointer)
		return json_is_array(value) ? hold_items(holding, value) : hold_one(holding);
	if (json_is_array(value) && !is_index(pointer))
		return hold_each(holding, value, pointer);
	if (json_is_array(value) || json_is_object(value))
		return hold_member(holding, value, pointer);
	return refuse(holding, "", "goes through what is neither an object nor a list");
}

bool arguments_hold(const struct policy *policy, const struct tool *tool,
		    const struct ready_limit *ready, const json_value *arguments,
		    struct verdict *verdict)
{
	struct holding holding = {policy, tool, ready, arguments, verdict};

	return hold_at(&holding, arguments, ready->limit->pointer);
}
