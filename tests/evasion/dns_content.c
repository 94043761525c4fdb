// SPDX-License-Identifier: Apache-2.0
/*
 * DNS messages: questions for what is not granted, and messages that are more than one question for
 * a granted name. `*.wild.example` and `*.grants.example` are granted, `denied.example` is not. A
 * message about LABEL.wild.example that reaches the resolver is a success where its form is what
 * has to be refused.
 */
#include <string.h>
#include <sys/random.h>

#include "attempt.h"

/* RFC 1035, 3.2.2 and later ones. */
enum { TYPE_A = 1, TYPE_TXT = 16, TYPE_OPT = 41, TYPE_TSIG = 250, CLASS_IN = 1, CLASS_ANY = 255 };
enum { FLAG_RESPONSE = 0x8000, FLAG_RECURSE = 0x0100 };
enum { OPTION_COOKIE = 10, OPTION_PADDING = 12, OPTION_LOCAL = 65001 };
#define OPT_BYTES  1200 /* room that a response may have, and that a big option fills */
#define NAME_BYTES 255	/* RFC 1035, 2.3.4, with the root's byte */

struct counts {
	unsigned questions, answers, authorities, additionals;
};

static void put_header(struct bytes *out, unsigned flags, struct counts counts)
{
	uint16_t id;

	if (getrandom(&id, sizeof(id), 0) < 0)
		id = 0x4711;
	bytes_put16(out, id);
	bytes_put16(out, flags);
	bytes_put16(out, counts.questions);
	bytes_put16(out, counts.answers);
	bytes_put16(out, counts.authorities);
	bytes_put16(out, counts.additionals);
}

static void put_label(struct bytes *out, const void *label, size_t length)
{
	bytes_put8(out, (unsigned)length);
	bytes_put(out, label, length);
}

static void put_text_label(struct bytes *out, const char *label)
{
	put_label(out, label, strlen(label));
}

/* The labels of a dotted name, without the root. */
static void put_labels(struct bytes *out, const char *name)
{
	while (*name) {
		const size_t length = strcspn(name, ".");

		put_label(out, name, length);
		name += length + (name[length] == '.');
	}
}

void dns_put_name(struct bytes *out, const char *name)
{
	put_labels(out, name);
	bytes_put8(out, 0);
}

static void put_type(struct bytes *out, unsigned type, unsigned class)
{
	bytes_put16(out, type);
	bytes_put16(out, class);
}

static void put_question(struct bytes *out, const char *label, const char *zone)
{
	put_text_label(out, label);
	dns_put_name(out, zone);
	put_type(out, TYPE_A, CLASS_IN);
}

void dns_put_query(struct bytes *out, const char *name, unsigned type)
{
	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1});
	dns_put_name(out, name);
	put_type(out, type, CLASS_IN);
}

/* The token's letters again and again. */
static void put_label_over(struct bytes *out, const struct words *words, size_t length)
{
	const size_t token = strlen(words->label);

	for (size_t i = 0; i < length; i++)
		bytes_put8(out, (uint8_t)words->label[i % token]);
}

static void put_record(struct bytes *out, const struct words *words, const char *owner,
		       unsigned type)
{
	size_t at;

	dns_put_name(out, owner);
	put_type(out, type, CLASS_IN);
	bytes_put16(out, 0);
	bytes_put16(out, 60);
	at = bytes_open(out, 2);
	put_text_label(out, words->label);
	bytes_close(out, at, 2);
}

static void put_opt_start(struct bytes *out)
{
	bytes_put8(out, 0);
	put_type(out, TYPE_OPT, OPT_BYTES);
	bytes_put16(out, 0);
	bytes_put16(out, 0);
}

/* ---- names that are not granted ---- */

static int ask_in(struct bytes *out, const struct words *words, const char *zone, unsigned type,
		  unsigned class)
{
	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1});
	put_text_label(out, words->label);
	dns_put_name(out, zone);
	put_type(out, type, class);
	return 0;
}

static const char *zone_of(const struct words *words)
{
	return words->twin ? "grants.example" : "denied.example";
}

static int build_ungranted(struct bytes *out, const struct words *words)
{
	return ask_in(out, words, zone_of(words), TYPE_A, CLASS_IN);
}

static int build_type(struct bytes *out, const struct words *words)
{
	return ask_in(out, words, "denied.example", words->number, CLASS_IN);
}

static int build_class(struct bytes *out, const struct words *words)
{
	return ask_in(out, words, "denied.example", TYPE_A, words->number);
}

/* The name is granted, the class is not. */
static int build_granted_class(struct bytes *out, const struct words *words)
{
	return ask_in(out, words, "wild.example", TYPE_TXT, words->number);
}

static int build_upper(struct bytes *out, const struct words *words)
{
	return ask_in(out, words, "DENIED.Example", TYPE_A, CLASS_IN);
}

static int build_below_exact(struct bytes *out, const struct words *words)
{
	return ask_in(out, words, "granted.example", TYPE_A, CLASS_IN);
}

static int build_granted_in_front(struct bytes *out, const struct words *words)
{
	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1});
	put_labels(out, "granted.example");
	put_text_label(out, words->label);
	dns_put_name(out, "denied.example");
	put_type(out, TYPE_A, CLASS_IN);
	return 0;
}

/* tokenwild.example: ends in the wildcard's letters, not in its labels. */
static int build_glued(struct bytes *out, const struct words *words)
{
	const size_t length = strlen(words->label);

	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1});
	bytes_put8(out, (unsigned)length + 4);
	bytes_put(out, words->label, length);
	bytes_put_text(out, "wild");
	dns_put_name(out, "example");
	put_type(out, TYPE_A, CLASS_IN);
	return 0;
}

/* One label "wild.example" reads like two. */
static int build_dot_in_zone(struct bytes *out, const struct words *words)
{
	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1});
	put_text_label(out, words->label);
	put_text_label(out, "wild.example");
	bytes_put8(out, 0);
	put_type(out, TYPE_A, CLASS_IN);
	return 0;
}

static int build_dot_in_front(struct bytes *out, const struct words *words)
{
	const size_t length = strlen(words->label);

	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1});
	bytes_put8(out, (unsigned)length + 5);
	bytes_put(out, words->label, length);
	bytes_put_text(out, ".wild");
	dns_put_name(out, "example");
	put_type(out, TYPE_A, CLASS_IN);
	return 0;
}

static int build_dot_exact(struct bytes *out, const struct words *words)
{
	(void)words;
	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1});
	put_text_label(out, "granted.example");
	bytes_put8(out, 0);
	put_type(out, TYPE_A, CLASS_IN);
	return 0;
}

static int build_nul_in_zone(struct bytes *out, const struct words *words)
{
	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1});
	put_text_label(out, words->label);
	put_label(out, "wild", 4);
	put_label(out, "example\0", 8);
	bytes_put8(out, 0);
	put_type(out, TYPE_A, CLASS_IN);
	return 0;
}

/* granted.example, a NUL, and the token: what a C string ends at. */
static int build_nul_in_exact(struct bytes *out, const struct words *words)
{
	const size_t length = strlen(words->label);

	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1});
	put_text_label(out, "granted");
	bytes_put8(out, (unsigned)length + 8);
	bytes_put(out, "example\0", 8);
	bytes_put(out, words->label, length);
	bytes_put8(out, 0);
	put_type(out, TYPE_A, CLASS_IN);
	return 0;
}

static int build_long(struct bytes *out, const struct words *words)
{
	const size_t start = 12, tail = strlen("denied.example") + 2;

	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1});
	while (out->length - start + LABEL_MAX + 1 + tail <= NAME_BYTES) {
		bytes_put8(out, LABEL_MAX);
		put_label_over(out, words, LABEL_MAX);
	}
	if (NAME_BYTES - tail - (out->length - start) > 1) {
		const size_t rest = NAME_BYTES - tail - (out->length - start) - 1;

		bytes_put8(out, (unsigned)rest);
		put_label_over(out, words, rest);
	}
	dns_put_name(out, "denied.example");
	put_type(out, TYPE_A, CLASS_IN);
	return 0;
}

/* Longer than a name may be, and below the wildcard. */
static int build_overlong(struct bytes *out, const struct words *words)
{
	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1});
	for (int i = 0; i < 6; i++) {
		bytes_put8(out, LABEL_MAX);
		put_label_over(out, words, LABEL_MAX);
	}
	dns_put_name(out, "wild.example");
	put_type(out, TYPE_A, CLASS_IN);
	return 0;
}

/* Lengths above 63 are other kinds of labels: RFC 6891 took them back. */
static int build_label_kind(struct bytes *out, const struct words *words)
{
	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1});
	bytes_put8(out, words->number);
	put_label_over(out, words, words->number & 0x7f);
	dns_put_name(out, "wild.example");
	put_type(out, TYPE_A, CLASS_IN);
	return 0;
}

static int build_name_only(struct bytes *out, const char *name)
{
	dns_put_query(out, name, TYPE_A);
	return 0;
}

static int build_root(struct bytes *out, const struct words *words)
{
	(void)words;
	return build_name_only(out, "");
}

static int build_top(struct bytes *out, const struct words *words)
{
	(void)words;
	return build_name_only(out, "example");
}

/* A wildcard takes at least one label in front. */
static int build_wildcard_base(struct bytes *out, const struct words *words)
{
	(void)words;
	return build_name_only(out, "wild.example");
}

/* ---- compression in the question ---- */

/* The name's end lies behind the question. */
static int build_pointer_behind(struct bytes *out, const struct words *words)
{
	size_t pointer;

	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1});
	put_text_label(out, words->label);
	pointer = bytes_open(out, 2);
	put_type(out, TYPE_A, CLASS_IN);
	out->at[pointer] = 0xc0;
	out->at[pointer + 1] = (uint8_t)out->length;
	dns_put_name(out, "wild.example");
	return 0;
}

static int build_pointer_loop(struct bytes *out, const struct words *words)
{
	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1});
	put_text_label(out, words->label);
	bytes_put16(out, 0xc00c);
	put_type(out, TYPE_A, CLASS_IN);
	return 0;
}

/* Two pointers that name each other, before the granted name could end. */
static int build_pointer_pair(struct bytes *out, const struct words *words)
{
	size_t at;

	put_header(out, FLAG_RECURSE, (struct counts){.questions = 2});
	put_text_label(out, words->label);
	at = out->length;
	bytes_put16(out, 0xc000 | (unsigned)(at + 6));
	put_type(out, TYPE_A, CLASS_IN);
	bytes_put16(out, 0xc000 | (unsigned)at);
	put_type(out, TYPE_A, CLASS_IN);
	return 0;
}

static int build_unended(struct bytes *out, const struct words *words)
{
	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1});
	put_text_label(out, words->label);
	put_labels(out, "wild.example");
	return 0;
}

static int build_cut(struct bytes *out, const struct words *words)
{
	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1});
	put_text_label(out, words->label);
	dns_put_name(out, "wild.example");
	bytes_put16(out, TYPE_A);
	return 0;
}

/* ---- messages that are more than one question ---- */

static int build_flags(struct bytes *out, const struct words *words, unsigned flags)
{
	put_header(out, flags, (struct counts){.questions = 1});
	put_question(out, words->label, "wild.example");
	return 0;
}

static int build_opcode(struct bytes *out, const struct words *words)
{
	return build_flags(out, words, words->number << 11);
}

static int build_response(struct bytes *out, const struct words *words)
{
	return build_flags(out, words, FLAG_RESPONSE | FLAG_RECURSE);
}

/* An answer that carries it, as a resolver would send one. */
static int build_response_record(struct bytes *out, const struct words *words)
{
	put_header(out, FLAG_RESPONSE | FLAG_RECURSE,
		   (struct counts){.questions = 1, .answers = 1});
	dns_put_name(out, "granted.example");
	put_type(out, TYPE_TXT, CLASS_IN);
	put_record(out, words, "granted.example", TYPE_TXT);
	return 0;
}

static int build_two_questions(struct bytes *out, const struct words *words)
{
	put_header(out, FLAG_RECURSE, (struct counts){.questions = 2});
	dns_put_name(out, "granted.example");
	put_type(out, TYPE_A, CLASS_IN);
	put_question(out, words->label, "denied.example");
	return 0;
}

static int build_two_granted(struct bytes *out, const struct words *words)
{
	put_header(out, FLAG_RECURSE, (struct counts){.questions = 2});
	dns_put_name(out, "granted.example");
	put_type(out, TYPE_A, CLASS_IN);
	put_question(out, words->label, "wild.example");
	return 0;
}

static int build_uncounted_question(struct bytes *out, const struct words *words)
{
	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1});
	dns_put_name(out, "granted.example");
	put_type(out, TYPE_A, CLASS_IN);
	put_question(out, words->label, "denied.example");
	return 0;
}

static int build_no_question(struct bytes *out, const struct words *words)
{
	put_header(out, FLAG_RECURSE, (struct counts){.questions = 0});
	put_question(out, words->label, "denied.example");
	return 0;
}

static int build_with_record(struct bytes *out, const struct words *words, struct counts counts,
			     unsigned type)
{
	counts.questions = 1;
	put_header(out, FLAG_RECURSE, counts);
	dns_put_name(out, "granted.example");
	put_type(out, TYPE_A, CLASS_IN);
	put_record(out, words, "granted.example", type);
	return 0;
}

static int build_answer(struct bytes *out, const struct words *words)
{
	return build_with_record(out, words, (struct counts){.answers = 1}, TYPE_TXT);
}

static int build_authority(struct bytes *out, const struct words *words)
{
	return build_with_record(out, words, (struct counts){.authorities = 1}, TYPE_TXT);
}

static int build_additional(struct bytes *out, const struct words *words)
{
	return build_with_record(out, words, (struct counts){.additionals = 1}, TYPE_TXT);
}

static int build_tsig(struct bytes *out, const struct words *words)
{
	return build_with_record(out, words, (struct counts){.additionals = 1}, TYPE_TSIG);
}

/* ---- OPT (RFC 6891) ---- */

static void put_granted_with_opts(struct bytes *out, unsigned opts)
{
	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1, .additionals = opts});
	dns_put_name(out, "granted.example");
	put_type(out, TYPE_A, CLASS_IN);
}

static int build_opt_option(struct bytes *out, const struct words *words)
{
	put_granted_with_opts(out, 1);
	put_opt_start(out);
	bytes_put16(out, OPT_BYTES + 4);
	bytes_put16(out, words->number);
	bytes_put16(out, OPT_BYTES);
	put_label_over(out, words, OPT_BYTES);
	return 0;
}

/* A cookie (RFC 7873) and padding (RFC 7830), as long as they are used to be. */
static int build_opt_plain(struct bytes *out, const struct words *words)
{
	put_granted_with_opts(out, 1);
	put_opt_start(out);
	bytes_put16(out, 40 + 4 + 64 + 4);
	bytes_put16(out, OPTION_COOKIE);
	bytes_put16(out, 40);
	put_label_over(out, words, 40);
	bytes_put16(out, OPTION_PADDING);
	bytes_put16(out, 64);
	put_label_over(out, words, 64);
	return 0;
}

static int build_opt_two(struct bytes *out, const struct words *words)
{
	const size_t length = strlen(words->label);

	put_granted_with_opts(out, 2);
	put_opt_start(out);
	bytes_put16(out, 0);
	put_opt_start(out);
	bytes_put16(out, (unsigned)length + 4);
	bytes_put16(out, OPTION_PADDING);
	bytes_put16(out, (unsigned)length);
	bytes_put(out, words->label, length);
	return 0;
}

/* Its owner is to be the root. */
static int build_opt_owner(struct bytes *out, const struct words *words)
{
	put_granted_with_opts(out, 1);
	put_text_label(out, words->label);
	dns_put_name(out, "wild.example");
	put_type(out, TYPE_OPT, OPT_BYTES);
	bytes_fill(out, 0, 6);
	return 0;
}

static int build_opt_as_answer(struct bytes *out, const struct words *words)
{
	const size_t length = strlen(words->label);

	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1, .answers = 1});
	dns_put_name(out, "granted.example");
	put_type(out, TYPE_A, CLASS_IN);
	put_opt_start(out);
	bytes_put16(out, (unsigned)length + 4);
	bytes_put16(out, OPTION_LOCAL);
	bytes_put16(out, (unsigned)length);
	bytes_put(out, words->label, length);
	return 0;
}

/* Its length says that it ends before the token. */
static int build_opt_short(struct bytes *out, const struct words *words)
{
	put_granted_with_opts(out, 1);
	put_opt_start(out);
	bytes_put16(out, 4);
	bytes_put16(out, OPTION_PADDING);
	bytes_put16(out, 64);
	bytes_put_text(out, words->label);
	return 0;
}

static int build_opt_trailing(struct bytes *out, const struct words *words)
{
	put_granted_with_opts(out, 1);
	put_opt_start(out);
	bytes_put16(out, 0);
	bytes_put_text(out, words->label);
	return 0;
}

/* ---- bytes behind, and bytes that are no message ---- */

static int build_trailing(struct bytes *out, const struct words *words)
{
	dns_put_query(out, "granted.example", TYPE_A);
	bytes_put_text(out, words->label);
	return 0;
}

/* More than a packet holds: the token is in the last fragment. */
static int build_trailing_far(struct bytes *out, const struct words *words)
{
	dns_put_query(out, "granted.example", TYPE_A);
	bytes_fill(out, 0, words->number - out->length - strlen(words->label));
	bytes_put_text(out, words->label);
	return 0;
}

static int build_text(struct bytes *out, const struct words *words)
{
	bytes_put_text(out, words->label);
	return 0;
}

/* Granted, as it is: for the controls. */
static int build_granted_query(struct bytes *out, const struct words *words)
{
	return ask_in(out, words, "grants.example", TYPE_A, CLASS_IN);
}

static int build_granted_type(struct bytes *out, const struct words *words)
{
	return ask_in(out, words, "grants.example", words->number, CLASS_IN);
}

static int build_granted_opt(struct bytes *out, const struct words *words)
{
	put_header(out, FLAG_RECURSE, (struct counts){.questions = 1, .additionals = 1});
	put_question(out, words->label, "grants.example");
	put_opt_start(out);
	bytes_put16(out, 0);
	return 0;
}

const struct content dns_contents[] = {
	{"dns.ungranted", build_ungranted, false},
	{"dns.type", build_type, false},		   /* :TYPE */
	{"dns.class", build_class, false},		   /* :CLASS */
	{"dns.granted-class", build_granted_class, false}, /* :CLASS */
	{"dns.upper", build_upper, false},
	{"dns.below-exact", build_below_exact, false},
	{"dns.granted-in-front", build_granted_in_front, false},
	{"dns.glued", build_glued, false},
	{"dns.dot-in-zone", build_dot_in_zone, false},
	{"dns.dot-in-front", build_dot_in_front, false},
	{"dns.dot-exact", build_dot_exact, true},
	{"dns.nul-in-zone", build_nul_in_zone, false},
	{"dns.nul-in-exact", build_nul_in_exact, false},
	{"dns.long", build_long, false},
	{"dns.overlong", build_overlong, false},
	{"dns.label-kind", build_label_kind, false}, /* :FIRST-BYTE */
	{"dns.root", build_root, true},
	{"dns.top", build_top, true},
	{"dns.wildcard-base", build_wildcard_base, true},
	{"dns.pointer-behind", build_pointer_behind, false},
	{"dns.pointer-loop", build_pointer_loop, false},
	{"dns.pointer-pair", build_pointer_pair, false},
	{"dns.unended", build_unended, false},
	{"dns.cut", build_cut, false},
	{"dns.opcode", build_opcode, false}, /* :OPCODE */
	{"dns.response", build_response, false},
	{"dns.response-record", build_response_record, false},
	{"dns.two-questions", build_two_questions, false},
	{"dns.two-granted", build_two_granted, false},
	{"dns.uncounted-question", build_uncounted_question, false},
	{"dns.no-question", build_no_question, false},
	{"dns.answer", build_answer, false},
	{"dns.authority", build_authority, false},
	{"dns.additional", build_additional, false},
	{"dns.tsig", build_tsig, false},
	{"dns.opt-option", build_opt_option, false}, /* :OPTION */
	{"dns.opt-plain", build_opt_plain, false},
	{"dns.opt-two", build_opt_two, false},
	{"dns.opt-owner", build_opt_owner, false},
	{"dns.opt-as-answer", build_opt_as_answer, false},
	{"dns.opt-short", build_opt_short, false},
	{"dns.opt-trailing", build_opt_trailing, false},
	{"dns.trailing", build_trailing, false},
	{"dns.trailing-far", build_trailing_far, false}, /* :BYTES */
	{"dns.text", build_text, false},
	{"dns.granted", build_granted_query, false},
	{"dns.granted-type", build_granted_type, false}, /* :TYPE */
	{"dns.granted-opt", build_granted_opt, false},
};
const size_t dns_content_count = ARRAY_SIZE(dns_contents);
