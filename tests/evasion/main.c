// SPDX-License-Identifier: Apache-2.0
/*
 * One attempt to get something out, made from inside a policy.
 *
 *   evade CONTENT[:NUMBER] CARRIER ADDRESS PORT TOKEN [ASK]...
 *   evade flood|connects|pour ...                            see load.c
 *
 * An ASK is NAME@RESOLVER: its address is asked for first, A for an IPv4 address to go to, AAAA
 * for IPv6; NAME goes into a hello, too. NAME%RESOLVER asks by TCP, NAME:TYPE for another type.
 * The content "text" is the token itself.
 *
 * Exit code: 0 the kernel let it; 1 it was refused, the errno is printed; 2 not possible on this
 * kernel or called wrongly. What it says is for people: what got out is said by the far end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attempt.h"

#define WHOLE_TIMEOUT_S 10 /* no attempt hangs */
#define NAME_ROOM	256

enum { LET = 0, REFUSED = 1, IMPOSSIBLE = 2 };
enum { TYPE_A = 1, TYPE_AAAA = 28 };

static int build_text(struct bytes *out, const struct words *words)
{
	bytes_put_text(out, words->label);
	return 0;
}

static const struct content plain = {"text", build_text, false};

static const struct content *content_find(const char *name, size_t length)
{
	const struct content *const tables[] = {&plain, dns_contents, tls_contents};
	const size_t counts[] = {1, dns_content_count, tls_content_count};

	for (size_t table = 0; table < ARRAY_SIZE(tables); table++)
		for (size_t i = 0; i < counts[table]; i++)
			if (strlen(tables[table][i].name) == length &&
			    strncmp(tables[table][i].name, name, length) == 0)
				return &tables[table][i];
	return NULL;
}

static const struct carrier *carrier_find(const char *name)
{
	const struct carrier *const tables[] = {udp_carriers, tcp_carriers, raw_carriers};
	const size_t counts[] = {udp_carrier_count, tcp_carrier_count, raw_carrier_count};

	for (size_t table = 0; table < ARRAY_SIZE(tables); table++)
		for (size_t i = 0; i < counts[table]; i++)
			if (strcmp(tables[table][i].name, name) == 0)
				return &tables[table][i];
	return NULL;
}

/* As long as the token, and of one letter: it weighs nothing under a budget of names. */
static void twin_label(char room[LABEL_MAX + 1], const char *token)
{
	const size_t length = strnlen(token, LABEL_MAX);

	memset(room, 'w', length);
	room[length] = '\0';
}

static int build(struct bytes *out, const struct content *content, const struct words *words,
		 bool framed)
{
	size_t frame = 0;
	int result;

	if (framed)
		frame = bytes_open(out, 2);
	result = content->build(out, words);
	if (framed)
		bytes_close(out, frame, 2);
	return result;
}

static int parcel_fill(struct parcel *parcel, const struct content *content, struct words words)
{
	char twin[LABEL_MAX + 1];
	int result = build(&parcel->wanted, content, &words, parcel->framed);

	twin_label(twin, words.label);
	words.label = twin;
	words.twin = true;
	return result < 0 ? result : build(&parcel->twin, content, &words, parcel->framed);
}

static void say_mark(const struct bytes *bytes)
{
	printf("mark ");
	for (size_t i = 0; i < bytes->length; i++)
		printf("%02x", bytes->at[i]);
	printf(" ");
}

/* The name is left in `name`. */
static int ask_first(const char *word, const struct endpoint *to, char name[NAME_ROOM])
{
	const size_t length = strcspn(word, ":@%");
	const char *at = word + strcspn(word, "@%");
	unsigned type = family_of(to) == AF_INET6 ? TYPE_AAAA : TYPE_A;
	struct endpoint resolver;
	int result;

	if (!*at || length >= NAME_ROOM || endpoint_parse(&resolver, at + 1, "53") < 0)
		return -EINVAL;
	if (word[length] == ':')
		type = (unsigned)strtoul(word + length + 1, NULL, 10);
	(void)snprintf(name, NAME_ROOM, "%.*s", (int)length, word);
	result = ask(&resolver, name, type, *at == '%');
	printf(result == 0 ? "answered " : "unanswered ");
	return 0;
}

static int run_attempt(char **words)
{
	static struct parcel parcel;
	struct attempt attempt = {.parcel = &parcel};
	char name[NAME_ROOM] = "";
	struct words built = {.name = name};
	const struct content *content;
	const struct carrier *carrier;
	const char *number;
	int result;

	for (size_t i = 0; i < 5; i++)
		if (!words[i])
			return -EINVAL;
	content = content_find(words[0], strcspn(words[0], ":"));
	carrier = carrier_find(words[1]);
	if (!content || !carrier || strlen(words[4]) > LABEL_MAX ||
	    endpoint_parse(&attempt.to, words[2], words[3]) < 0)
		return -EINVAL;
	for (char **word = words + 5; *word; word++)
		if (ask_first(*word, &attempt.to, name) < 0)
			return -EINVAL;
	number = strchr(words[0], ':');
	built.number = number ? (unsigned)strtoul(number + 1, NULL, 0) : 0;
	built.label = words[4];
	parcel.framed = carrier->is_stream && strncmp(content->name, "dns.", 4) == 0;
	result = parcel_fill(&parcel, content, built);
	if (result == 0 && content->has_no_token)
		say_mark(&parcel.wanted);
	return result < 0 ? result : carrier->send(&attempt);
}

static int conclude(int result)
{
	if (result >= 0) {
		printf("let\n");
		return LET;
	}
	printf("%s\n", strerrorname_np(-result));
	switch (-result) {
	case EAFNOSUPPORT:
	case EPROTONOSUPPORT:
	case ESOCKTNOSUPPORT:
	case ENOPROTOOPT:
	case ENOSYS:
	case EINVAL:
		return IMPOSSIBLE;
	default:
		return REFUSED;
	}
}

static const struct tool {
	const char *name;
	int (*run)(char **words);
} tools[] = {
	{"flood", load_flood},
	{"connects", load_connects},
	{"pour", load_pour},
};

int main(int argc, char **argv)
{
	(void)alarm(WHOLE_TIMEOUT_S);
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(tools); i++)
		if (strcmp(argv[1], tools[i].name) == 0)
			return conclude(tools[i].run(argv + 2));
	return conclude(run_attempt(argv + 1));
}
