// SPDX-License-Identifier: Apache-2.0
/*
 * ClientHellos (RFC 8446, 4.1.2) as they are and as they should not be, cut into records as asked,
 * and bytes that are none. The foreign name is LABEL.other.example, granted by nothing; its twin is
 * LABEL.twins.example, granted by a wildcard, and as long. words->name is granted where it goes.
 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "attempt.h"

enum { RECORD_CHANGE_CIPHER = 20, RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_DATA = 23 };
enum { HANDSHAKE_CLIENT_HELLO = 1 };
enum {
	EXT_SERVER_NAME = 0,
	EXT_GROUPS = 10,
	EXT_POINTS = 11,
	EXT_SIGNATURES = 13,
	EXT_PADDING = 21,
	EXT_TICKET = 35,
	EXT_EARLY_DATA = 42,
	EXT_VERSIONS = 43,
	EXT_PSK_MODES = 45,
	EXT_KEY_SHARE = 51,
	EXT_GREASE = 0x2a2a, /* RFC 8701 */
	EXT_ECH = 0xfe0d,
	EXT_ESNI = 0xffce,
};
enum { GROUP_X25519 = 29, GROUP_P521 = 25, GROUP_P256 = 23 };
#define TLS12	     0x0303
#define RECORD_MAX   16384
#define HOST_MAX     256
#define NAMES_MAX    2
#define MANY_RECORDS 16 /* bytes in each, where a hello is cut small */

/* One entry of a server name list. */
struct server_name {
	unsigned type; /* 0 is host_name; no other is known */
	uint8_t bytes[HOST_MAX];
	size_t length;
};

struct hello {
	struct server_name names[NAMES_MAX];
	size_t name_count;
	bool apart; /* each name in an extension of its own */
	bool grease;
	unsigned extra;	     /* an extension that carries the label, or 0 */
	size_t padding;	     /* bytes of padding in front of the server name */
	bool padding_behind; /* the names, as real clients have it */
	const char *label;
};

static void name_set(struct hello *hello, unsigned type, const void *bytes, size_t length)
{
	struct server_name *name = &hello->names[hello->name_count++];

	name->type = type;
	name->length = length < HOST_MAX ? length : HOST_MAX;
	memcpy(name->bytes, bytes, name->length);
}

static void name_text(struct hello *hello, const char *text)
{
	name_set(hello, 0, text, strlen(text));
}

static const char *foreign_of(const struct words *words, char room[HOST_MAX])
{
	(void)snprintf(room, HOST_MAX, "%s.%s.example", words->label,
		       words->twin ? "twins" : "other");
	return room;
}

static void name_foreign(struct hello *hello, const struct words *words)
{
	char room[HOST_MAX];

	name_text(hello, foreign_of(words, room));
}

static void put_server_names(struct bytes *out, const struct server_name *names, size_t count)
{
	size_t extension, list;

	bytes_put16(out, EXT_SERVER_NAME);
	extension = bytes_open(out, 2);
	list = bytes_open(out, 2);
	for (size_t i = 0; i < count; i++) {
		bytes_put8(out, names[i].type);
		bytes_put16(out, (unsigned)names[i].length);
		bytes_put(out, names[i].bytes, names[i].length);
	}
	bytes_close(out, list, 2);
	bytes_close(out, extension, 2);
}

static void put_extension(struct bytes *out, unsigned type, const void *data, size_t length)
{
	bytes_put16(out, type);
	bytes_put16(out, (unsigned)length);
	bytes_put(out, data, length);
}

static void put_padding(struct bytes *out, size_t length)
{
	if (!length)
		return;
	bytes_put16(out, EXT_PADDING);
	bytes_put16(out, (unsigned)length);
	bytes_fill(out, 0, length);
}

static void put_names(struct bytes *out, const struct hello *hello)
{
	if (!hello->name_count)
		return;
	if (!hello->apart) {
		put_server_names(out, hello->names, hello->name_count);
		return;
	}
	for (size_t i = 0; i < hello->name_count; i++)
		put_server_names(out, &hello->names[i], 1);
}

/* A key share of a point that nobody has: what is tested ends before it would matter. */
static void put_key_share(struct bytes *out)
{
	size_t extension, list;

	bytes_put16(out, EXT_KEY_SHARE);
	extension = bytes_open(out, 2);
	list = bytes_open(out, 2);
	bytes_put16(out, GROUP_X25519);
	bytes_put16(out, 32);
	bytes_fill(out, 9, 32);
	bytes_close(out, list, 2);
	bytes_close(out, extension, 2);
}

static void put_extensions(struct bytes *out, const struct hello *hello)
{
	static const uint8_t groups[] = {0, 6, 0, GROUP_X25519, 0, GROUP_P521, 0, GROUP_P256};
	static const uint8_t points[] = {1, 0};
	static const uint8_t signatures[] = {0, 8, 4, 3, 8, 4, 4, 1, 5, 1};
	static const uint8_t versions[] = {4, 3, 4, 3, 3};
	static const uint8_t modes[] = {1, 1};

	if (hello->grease)
		put_extension(out, EXT_GREASE, "", 0);
	if (!hello->padding_behind)
		put_padding(out, hello->padding);
	put_names(out, hello);
	put_extension(out, EXT_GROUPS, groups, sizeof(groups));
	put_extension(out, EXT_POINTS, points, sizeof(points));
	put_extension(out, EXT_SIGNATURES, signatures, sizeof(signatures));
	put_extension(out, EXT_VERSIONS, versions, sizeof(versions));
	put_extension(out, EXT_PSK_MODES, modes, sizeof(modes));
	put_key_share(out);
	if (hello->padding_behind)
		put_padding(out, hello->padding);
	if (hello->extra == EXT_EARLY_DATA)
		put_extension(out, EXT_EARLY_DATA, "", 0);
	else if (hello->extra)
		put_extension(out, hello->extra, hello->label, strlen(hello->label));
}

/* The handshake message, without records. */
static void put_hello(struct bytes *out, const struct hello *hello)
{
	uint8_t random[32] = {0};
	size_t message, extensions;

	(void)!getrandom(random, sizeof(random), 0);
	bytes_put8(out, HANDSHAKE_CLIENT_HELLO);
	message = bytes_open(out, 3);
	bytes_put16(out, TLS12);
	bytes_put(out, random, sizeof(random));
	bytes_put8(out, sizeof(random));
	bytes_put(out, random, sizeof(random)); /* the session id of middlebox compatibility */
	bytes_put16(out, hello->grease ? 8 : 6);
	if (hello->grease)
		bytes_put16(out, EXT_GREASE);
	bytes_put16(out, 0x1301);
	bytes_put16(out, 0x1302);
	bytes_put16(out, 0xc02f);
	bytes_put16(out, 0x0100);
	extensions = bytes_open(out, 2);
	put_extensions(out, hello);
	bytes_close(out, extensions, 2);
	bytes_close(out, message, 3);
}

static void put_record(struct bytes *out, unsigned type, const void *data, size_t length)
{
	bytes_put8(out, type);
	bytes_put16(out, 0x0301);
	bytes_put16(out, (unsigned)length);
	bytes_put(out, data, length);
}

/* `size` bytes a record at most. */
static void put_in_records(struct bytes *out, const struct bytes *message, size_t size)
{
	for (size_t done = 0; done < message->length; done += size)
		put_record(out, RECORD_HANDSHAKE, message->at + done,
			   message->length - done < size ? message->length - done : size);
}

static int finish(struct bytes *out, const struct hello *hello, size_t record_size)
{
	static struct bytes message;

	message.length = 0;
	put_hello(&message, hello);
	put_in_records(out, &message, record_size);
	return 0;
}

/* ---- other names ---- */

static int build_foreign(struct bytes *out, const struct words *words)
{
	struct hello hello = {0};

	name_foreign(&hello, words);
	return finish(out, &hello, RECORD_MAX);
}

static int build_foreign_records(struct bytes *out, const struct words *words)
{
	struct hello hello = {0};

	name_foreign(&hello, words);
	return finish(out, &hello, words->number);
}

static int build_foreign_grease(struct bytes *out, const struct words *words)
{
	struct hello hello = {.grease = true};

	name_foreign(&hello, words);
	return finish(out, &hello, RECORD_MAX);
}

static int build_foreign_upper(struct bytes *out, const struct words *words)
{
	struct hello hello = {0};
	char name[HOST_MAX];

	(void)snprintf(name, sizeof(name), "%s.OTHER.Example", words->label);
	name_text(&hello, name);
	return finish(out, &hello, RECORD_MAX);
}

static int build_foreign_dot(struct bytes *out, const struct words *words)
{
	struct hello hello = {0};
	char name[HOST_MAX];

	(void)snprintf(name, sizeof(name), "%s.other.example.", words->label);
	name_text(&hello, name);
	return finish(out, &hello, RECORD_MAX);
}

/* Behind so much padding that a parser with little room has given up. */
static int build_foreign_padded(struct bytes *out, const struct words *words)
{
	struct hello hello = {.padding = words->number};

	name_foreign(&hello, words);
	return finish(out, &hello, RECORD_MAX);
}

/* LABEL.granted-name: granted exactly, and not what is below it. */
static int build_below(struct bytes *out, const struct words *words)
{
	struct hello hello = {0};
	char name[HOST_MAX];

	(void)snprintf(name, sizeof(name), "%s.%s", words->label, words->name);
	name_text(&hello, name);
	return finish(out, &hello, RECORD_MAX);
}

/* The granted name, a NUL, and more. */
static int build_nul(struct bytes *out, const struct words *words)
{
	struct hello hello = {0};
	char name[HOST_MAX];
	const int length =
		snprintf(name, sizeof(name), "%s%c.%s.other.example", words->name, 0, words->label);

	name_set(&hello, 0, name, (size_t)length);
	return finish(out, &hello, RECORD_MAX);
}

/* A name that another rule grants, on another port or at another address; the label is a ticket. */
static int build_other_rule(struct bytes *out, const struct words *words)
{
	struct hello hello = {.extra = EXT_TICKET, .label = words->label};

	name_text(&hello, "granted.example");
	return finish(out, &hello, RECORD_MAX);
}

/* Granted by a wildcard, but not where this address was learnt. */
static int build_other_wildcard(struct bytes *out, const struct words *words)
{
	struct hello hello = {0};
	char name[HOST_MAX];

	(void)snprintf(name, sizeof(name), "%s.wild.example", words->label);
	name_text(&hello, name);
	return finish(out, &hello, RECORD_MAX);
}

static int build_address(struct bytes *out, const struct words *words)
{
	struct hello hello = {.extra = EXT_TICKET, .label = words->label};

	name_text(&hello, "203.0.113.20");
	return finish(out, &hello, RECORD_MAX);
}

static int build_nameless(struct bytes *out, const struct words *words)
{
	struct hello hello = {.extra = EXT_TICKET, .label = words->label};

	return finish(out, &hello, RECORD_MAX);
}

static int build_empty_name(struct bytes *out, const struct words *words)
{
	struct hello hello = {.extra = EXT_TICKET, .label = words->label};

	name_text(&hello, "");
	return finish(out, &hello, RECORD_MAX);
}

/* ---- two names ---- */

static int build_names(struct bytes *out, const struct words *words, bool granted_first, bool apart)
{
	struct hello hello = {.apart = apart};

	if (granted_first)
		name_text(&hello, words->name);
	name_foreign(&hello, words);
	if (!granted_first)
		name_text(&hello, words->name);
	return finish(out, &hello, RECORD_MAX);
}

static int build_list_granted_first(struct bytes *out, const struct words *words)
{
	return build_names(out, words, true, false);
}

static int build_list_foreign_first(struct bytes *out, const struct words *words)
{
	return build_names(out, words, false, false);
}

static int build_twice_granted_first(struct bytes *out, const struct words *words)
{
	return build_names(out, words, true, true);
}

static int build_twice_foreign_first(struct bytes *out, const struct words *words)
{
	return build_names(out, words, false, true);
}

/* A granted name of a type that is no host name, then a host name. */
static int build_other_type(struct bytes *out, const struct words *words)
{
	struct hello hello = {0};

	name_set(&hello, 1, words->name, strlen(words->name));
	name_foreign(&hello, words);
	return finish(out, &hello, RECORD_MAX);
}

/* ---- extensions that hide or hurry ---- */

static int build_with_extra(struct bytes *out, const struct words *words, unsigned extra)
{
	struct hello hello = {.extra = extra, .label = words->label};

	name_text(&hello, words->name);
	return finish(out, &hello, RECORD_MAX);
}

static int build_ech(struct bytes *out, const struct words *words)
{
	return build_with_extra(out, words, EXT_ECH);
}

static int build_esni(struct bytes *out, const struct words *words)
{
	return build_with_extra(out, words, EXT_ESNI);
}

static int build_early_data(struct bytes *out, const struct words *words)
{
	int result = build_with_extra(out, words, EXT_EARLY_DATA);

	put_record(out, RECORD_DATA, words->label, strlen(words->label));
	return result;
}

/* ---- more than one hello ---- */

static int build_two(struct bytes *out, const struct words *words, bool granted_first)
{
	static struct bytes messages;
	struct hello granted = {0}, foreign = {0};

	name_text(&granted, words->name);
	name_foreign(&foreign, words);
	messages.length = 0;
	put_hello(&messages, granted_first ? &granted : &foreign);
	put_hello(&messages, granted_first ? &foreign : &granted);
	put_in_records(out, &messages, RECORD_MAX);
	return 0;
}

static int build_foreign_then_granted(struct bytes *out, const struct words *words)
{
	return build_two(out, words, false);
}

/* Both in one record, so that what is behind the first can't be another record's. */
static int build_granted_then_foreign(struct bytes *out, const struct words *words)
{
	return build_two(out, words, true);
}

/* What a client may say between two hellos that a HelloRetryRequest lies between: then whoever
 * takes it for the end of the hellos overlooks the second. */
static int build_second_behind(struct bytes *out, const struct words *words, unsigned type,
			       const void *data, size_t length)
{
	if (!words->twin) {
		put_record(out, type, data, length);
		out->at[2] = 3;
	}
	return build_foreign(out, words);
}

static int build_second_behind_change(struct bytes *out, const struct words *words)
{
	return build_second_behind(out, words, RECORD_CHANGE_CIPHER, "\1", 1);
}

/* A warning: user_canceled (RFC 8446, 6.1). */
static int build_second_behind_alert(struct bytes *out, const struct words *words)
{
	return build_second_behind(out, words, RECORD_ALERT, "\1\x5a", 2);
}

/* ---- what is no hello ---- */

static int build_http(struct bytes *out, const struct words *words)
{
	bytes_put_text(out, "GET /");
	bytes_put_text(out, words->label);
	bytes_put_text(out, " HTTP/1.0\r\nHost: ");
	bytes_put_text(out, words->name);
	bytes_put_text(out, "\r\n\r\n");
	return 0;
}

static int build_plain_then_granted(struct bytes *out, const struct words *words)
{
	struct hello hello = {0};

	bytes_put_text(out, words->label);
	name_text(&hello, words->name);
	return finish(out, &hello, RECORD_MAX);
}

static int build_record_first(struct bytes *out, const struct words *words)
{
	struct hello hello = {0};

	put_record(out, words->number, words->label, strlen(words->label));
	name_text(&hello, words->name);
	return finish(out, &hello, RECORD_MAX);
}

/* Another record in the middle of the hello. */
static int build_record_between(struct bytes *out, const struct words *words)
{
	static struct bytes message;
	struct hello hello = {0};

	name_text(&hello, words->name);
	message.length = 0;
	put_hello(&message, &hello);
	put_record(out, RECORD_HANDSHAKE, message.at, 20);
	put_record(out, words->number, words->label, strlen(words->label));
	put_record(out, RECORD_HANDSHAKE, message.at + 20, message.length - 20);
	return 0;
}

/* Records of no bytes in front; the specification forbids them. */
static int build_empty_records(struct bytes *out, const struct words *words)
{
	for (int i = 0; i < 40; i++)
		put_record(out, RECORD_HANDSHAKE, "", 0);
	return build_foreign(out, words);
}

/* A hello of SSL 2 (RFC 5246, E.2), which has no server name; the label is its challenge. */
static int build_sslv2(struct bytes *out, const struct words *words)
{
	const size_t length = strlen(words->label);

	bytes_put16(out, 0x8000 | (unsigned)(9 + 3 + length));
	bytes_put8(out, 1);
	bytes_put16(out, TLS12);
	bytes_put16(out, 3);
	bytes_put16(out, 0);
	bytes_put16(out, (unsigned)length);
	bytes_put24(out, 0x00002f);
	bytes_put_text(out, words->label);
	return 0;
}

/* Another handshake message first: what is called a hello must be one. */
static int build_other_handshake(struct bytes *out, const struct words *words)
{
	static struct bytes message;
	size_t length;
	struct hello hello = {0};

	message.length = 0;
	bytes_put8(&message, words->number);
	length = bytes_open(&message, 3);
	bytes_put_text(&message, words->label);
	bytes_close(&message, length, 3);
	name_text(&hello, words->name);
	put_hello(&message, &hello);
	put_in_records(out, &message, RECORD_MAX);
	return 0;
}

/* ---- lengths that lie ---- */

static int build_lying(struct bytes *out, const struct words *words, size_t at, int add)
{
	int result = build_with_extra(out, words, EXT_TICKET);

	out->at[at] = (uint8_t)(out->at[at] + add);
	return result;
}

/* The record ends before its hello does, and the label comes as the next one. */
static int build_record_short(struct bytes *out, const struct words *words)
{
	return build_lying(out, words, 4, -30);
}

static int build_hello_long(struct bytes *out, const struct words *words)
{
	return build_lying(out, words, 7, 100);
}

/* A hello that says it has 16 MiB, in whole records. */
static int build_hello_endless(struct bytes *out, const struct words *words)
{
	int result = build_foreign(out, words);

	out->at[6] = 0xff;
	return result;
}

/* ---- granted, for the controls: the label is a session ticket ---- */

static int build_granted(struct bytes *out, const struct words *words)
{
	return build_with_extra(out, words, EXT_TICKET);
}

static int build_granted_grease(struct bytes *out, const struct words *words)
{
	struct hello hello = {.grease = true, .extra = EXT_TICKET, .label = words->label};

	name_text(&hello, words->name);
	return finish(out, &hello, RECORD_MAX);
}

static int build_granted_records(struct bytes *out, const struct words *words)
{
	struct hello hello = {.extra = EXT_TICKET, .label = words->label};

	name_text(&hello, words->name);
	return finish(out, &hello, words->number);
}

static int build_granted_padded(struct bytes *out, const struct words *words)
{
	struct hello hello = {.padding = words->number,
			      .padding_behind = true,
			      .extra = EXT_TICKET,
			      .label = words->label};

	name_text(&hello, words->name);
	return finish(out, &hello, RECORD_MAX);
}

static int build_granted_upper(struct bytes *out, const struct words *words)
{
	struct hello hello = {.extra = EXT_TICKET, .label = words->label};
	char name[HOST_MAX] = "";

	for (size_t i = 0; words->name[i] && i < HOST_MAX - 1; i++)
		name[i] = (char)(words->name[i] >= 'a' && i % 2 ? words->name[i] - 32
								: words->name[i]);
	name_text(&hello, name);
	return finish(out, &hello, RECORD_MAX);
}

/* A QUIC Initial (RFC 9000, 17.2.2) as far as its connection id, which is the label. */
static int build_quic(struct bytes *out, const struct words *words)
{
	const size_t length = strlen(words->label);

	bytes_put8(out, 0xc3);
	bytes_put16(out, 0);
	bytes_put16(out, 1);
	bytes_put8(out, (unsigned)length);
	bytes_put_text(out, words->label);
	bytes_fill(out, 0, 1200 - out->length);
	return 0;
}

const struct content tls_contents[] = {
	{"tls.foreign", build_foreign, false},
	{"tls.foreign-records", build_foreign_records, false}, /* :BYTES in each */
	{"tls.foreign-grease", build_foreign_grease, false},
	{"tls.foreign-upper", build_foreign_upper, false},
	{"tls.foreign-dot", build_foreign_dot, false},
	{"tls.foreign-padded", build_foreign_padded, false}, /* :BYTES */
	{"tls.below", build_below, false},
	{"tls.nul", build_nul, false},
	{"tls.other-rule", build_other_rule, false},
	{"tls.other-wildcard", build_other_wildcard, false},
	{"tls.address", build_address, false},
	{"tls.nameless", build_nameless, false},
	{"tls.empty-name", build_empty_name, false},
	{"tls.list-granted-first", build_list_granted_first, false},
	{"tls.list-foreign-first", build_list_foreign_first, false},
	{"tls.twice-granted-first", build_twice_granted_first, false},
	{"tls.twice-foreign-first", build_twice_foreign_first, false},
	{"tls.other-type", build_other_type, false},
	{"tls.ech", build_ech, false},
	{"tls.esni", build_esni, false},
	{"tls.early-data", build_early_data, false},
	{"tls.foreign-then-granted", build_foreign_then_granted, false},
	{"tls.granted-then-foreign", build_granted_then_foreign, false},
	{"tls.second-behind-change", build_second_behind_change, false},
	{"tls.second-behind-alert", build_second_behind_alert, false},
	{"tls.http", build_http, false},
	{"tls.plain-then-granted", build_plain_then_granted, false},
	{"tls.record-first", build_record_first, false},     /* :TYPE */
	{"tls.record-between", build_record_between, false}, /* :TYPE */
	{"tls.empty-records", build_empty_records, false},
	{"tls.sslv2", build_sslv2, false},
	{"tls.other-handshake", build_other_handshake, false}, /* :TYPE */
	{"tls.record-short", build_record_short, false},
	{"tls.hello-long", build_hello_long, false},
	{"tls.hello-endless", build_hello_endless, false},
	{"tls.quic", build_quic, false},
	{"tls.granted", build_granted, false},
	{"tls.granted-grease", build_granted_grease, false},
	{"tls.granted-records", build_granted_records, false}, /* :BYTES in each */
	{"tls.granted-padded", build_granted_padded, false},   /* :BYTES */
	{"tls.granted-upper", build_granted_upper, false},
};
const size_t tls_content_count = ARRAY_SIZE(tls_contents);
