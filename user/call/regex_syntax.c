// SPDX-License-Identifier: Apache-2.0
#include "call/regex_syntax.h"

#include <stdbool.h>
#include <string.h>

/* ECMA-262's WhiteSpace and LineTerminator, and all others, as ranges of a class. */
#define SPACES                                                                               \
	"\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}" \
	"\\x{205f}\\x{3000}\\x{feff}"
#define NO_SPACES                                                                        \
	"\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}" \
	"\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}"   \
	"\\x{3001}-\\x{d7ff}\\x{e000}-\\x{fefe}\\x{ff00}-\\x{10ffff}"
#define ANY_OF_A_LINE "[^\\x{a}\\x{d}\\x{2028}\\x{2029}]"

struct translation {
	const char *at;
	FILE *out;
	const char *fault;
	bool repeatable; /* what was last written can have a quantifier */
};

static bool refuse(struct translation *work, const char *fault)
{
	work->fault = fault;
	return false;
}

static bool is_word(char byte)
{
	return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') ||
	       byte == '_';
}

/* A byte that stands for itself. Those of longer characters need no mark. */
static void put_literal(struct translation *work, unsigned char byte)
{
	if (byte >= 0x80 || is_word((char)byte))
		(void)fputc(byte, work->out);
	else
		(void)fprintf(work->out, "\\x{%x}", byte);
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
		return (digit | 0x20) - 'a' + 10;
	return -1;
}

/* `count` digits at `text`; -1 where there are fewer. */
static long read_hex(const char *text, size_t count)
{
	long number = 0;

	for (size_t i = 0; i < count; i++) {
		int digit = hex_value(text[i]);

		if (digit < 0)
			return -1;
		number = number * 16 + digit;
	}
	return number;
}

/* Behind "\u": four digits, two such halves of a character, or any in braces. */
static long read_unicode(struct translation *work)
{
	long number, low;
	size_t digits;

	if (*work->at == '{') {
		digits = strspn(work->at + 1, "0123456789abcdefABCDEF");
		number = digits > 0 && digits <= 8 ? read_hex(work->at + 1, digits) : -1;
		if (number < 0 || number > 0x10ffff || work->at[digits + 1] != '}')
			return -1;
		work->at += digits + 2;
		return number;
	}
	number = read_hex(work->at, 4);
	if (number < 0)
		return -1;
	work->at += 4;
	if (number >= 0xd800 && number <= 0xdbff && work->at[0] == '\\' && work->at[1] == 'u') {
		low = read_hex(work->at + 2, 4);
		if (low >= 0xdc00 && low <= 0xdfff) {
			work->at += 6;
			return 0x10000 + ((number - 0xd800) << 10) + (low - 0xdc00);
		}
	}
	return number;
}

static bool put_character(struct translation *work, long number)
{
	if (number < 0)
		return refuse(work, "an escape lacks its hexadecimal digits");
	if (number >= 0xd800 && number <= 0xdfff)
		return refuse(work, "half of a surrogate pair is no character");
	(void)fprintf(work->out, "\\x{%lx}", (unsigned long)number);
	return true;
}

/* Long names of general categories, which PCRE2 does not have. */
static const char *const categories[][2] = {
	{"Letter", "L"},
	{"Cased_Letter", "L&"},
	{"Uppercase_Letter", "Lu"},
	{"Lowercase_Letter", "Ll"},
	{"Titlecase_Letter", "Lt"},
	{"Modifier_Letter", "Lm"},
	{"Other_Letter", "Lo"},
	{"Mark", "M"},
	{"Combining_Mark", "M"},
	{"Nonspacing_Mark", "Mn"},
	{"Spacing_Mark", "Mc"},
	{"Enclosing_Mark", "Me"},
	{"Number", "N"},
	{"Decimal_Number", "Nd"},
	{"digit", "Nd"},
	{"Letter_Number", "Nl"},
	{"Other_Number", "No"},
	{"Punctuation", "P"},
	{"punct", "P"},
	{"Connector_Punctuation", "Pc"},
	{"Dash_Punctuation", "Pd"},
	{"Open_Punctuation", "Ps"},
	{"Close_Punctuation", "Pe"},
	{"Initial_Punctuation", "Pi"},
	{"Final_Punctuation", "Pf"},
	{"Other_Punctuation", "Po"},
	{"Symbol", "S"},
	{"Math_Symbol", "Sm"},
	{"Currency_Symbol", "Sc"},
	{"Modifier_Symbol", "Sk"},
	{"Other_Symbol", "So"},
	{"Separator", "Z"},
	{"Space_Separator", "Zs"},
	{"Line_Separator", "Zl"},
	{"Paragraph_Separator", "Zp"},
	{"Other", "C"},
	{"Control", "Cc"},
	{"cntrl", "Cc"},
	{"Format", "Cf"},
	{"Private_Use", "Co"},
	{"Unassigned", "Cn"},
};

/* Behind "\p" or "\P". */
static bool put_property(struct translation *work, char letter)
{
	size_t length = strspn(work->at + (*work->at == '{'),
			       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_=");
	const char *name = work->at + 1;

	if (*work->at != '{' || length == 0 || name[length] != '}')
		return refuse(work, "\\p needs a property's name in braces");
	work->at = name + length + 1;
	for (size_t i = 0; i < 2; i++) {
		static const char *const prefixes[] = {"gc=", "General_Category="};
		size_t bytes = strlen(prefixes[i]);

		if (strncmp(name, prefixes[i], bytes) == 0) {
			name += bytes;
			length -= bytes;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(categories); i++)
		if (strlen(categories[i][0]) == length &&
		    strncmp(categories[i][0], name, length) == 0) {
			(void)fprintf(work->out, "\\%c{%s}", letter, categories[i][1]);
			return true;
		}
	(void)fprintf(work->out, "\\%c{%.*s}", letter, (int)length, name);
	return true;
}

/* Escapes that stand for one character, in a class and outside. */
static bool put_escaped_character(struct translation *work, char letter)
{
	static const char controls[][2] = {
		{'t', '\t'}, {'n', '\n'}, {'v', '\v'}, {'f', '\f'}, {'r', '\r'}};
	long number;

	for (size_t i = 0; i < ARRAY_SIZE(controls); i++)
		if (controls[i][0] == letter)
			return put_character(work, controls[i][1]);
	switch (letter) {
	case '0':
		if (*work->at >= '0' && *work->at <= '9')
			return refuse(work, "octal escapes are not supported; write \\u");
		return put_character(work, 0);
	case 'x':
		number = read_hex(work->at, 2);
		work->at += number < 0 ? 0 : 2;
		return put_character(work, number);
	case 'u':
		return put_character(work, read_unicode(work));
	case 'c':
		number = (*work->at | 0x20) - 'a' + 1;
		if (number < 1 || number > 26)
			return refuse(work, "\\c needs a letter");
		work->at++;
		return put_character(work, number);
	default:
		if ((unsigned char)letter >= 0x80 || is_word(letter))
			return refuse(work, "an escape that ECMA-262 does not have");
		put_literal(work, (unsigned char)letter);
		return true;
	}
}

static bool put_class_set(struct translation *work, char letter)
{
	if (letter == 's')
		(void)fputs(SPACES, work->out);
	else if (letter == 'S')
		(void)fputs(NO_SPACES, work->out);
	else if (letter == 'p' || letter == 'P')
		return put_property(work, letter);
	else
		(void)fprintf(work->out, "\\%c", letter);
	return true;
}

/* One character or set of a class; *is_set tells which. */
static bool put_class_item(struct translation *work, bool *is_set)
{
	char letter = *work->at++;

	*is_set = false;
	if (letter != '\\') {
		put_literal(work, (unsigned char)letter);
		for (; ((unsigned char)*work->at & 0xc0) == 0x80; work->at++)
			put_literal(work, (unsigned char)*work->at);
		return true;
	}
	letter = *work->at;
	if (letter == '\0')
		return refuse(work, "it ends in a backslash");
	work->at++;
	if (letter == 'b')
		return put_character(work, '\b');
	*is_set = strchr("dDwWsSpP", letter) != NULL;
	return *is_set ? put_class_set(work, letter) : put_escaped_character(work, letter);
}

/* "-" makes a range only between two characters; beside a set it is itself. */
static bool put_range(struct translation *work, bool from_set)
{
	bool is_set;

	if (work->at[0] != '-' || work->at[1] == ']' || work->at[1] == '\0')
		return true;
	if (from_set || (work->at[1] == '\\' && work->at[2] && strchr("dDwWsSpP", work->at[2]))) {
		work->at++;
		put_literal(work, '-');
		return true;
	}
	work->at++;
	(void)fputc('-', work->out);
	return put_class_item(work, &is_set);
}

static bool put_class(struct translation *work)
{
	bool negated = *work->at == '^';
	bool is_set;

	work->at += negated;
	work->repeatable = true;
	if (*work->at == ']') {
		work->at++;
		(void)fputs(negated ? "[\\x{0}-\\x{10ffff}]" : "(?!)", work->out);
		return true;
	}
	(void)fputs(negated ? "[^" : "[", work->out);
	while (*work->at != ']') {
		if (*work->at == '\0')
			return refuse(work, "a class is not closed; add a ]");
		if (!put_class_item(work, &is_set) || !put_range(work, is_set))
			return false;
	}
	work->at++;
	(void)fputc(']', work->out);
	return true;
}

/* Behind "\k": the group's name in angle brackets. */
static bool put_named_reference(struct translation *work)
{
	const char *end = strchr(work->at, '>');

	if (*work->at != '<' || !end || end == work->at + 1)
		return refuse(work, "\\k needs a group's name, as \\k<name>");
	for (const char *each = work->at + 1; each < end; each++)
		if (!is_word(*each))
			return refuse(work, "a group's name has letters, digits and \"_\"");
	(void)fprintf(work->out, "\\k%.*s", (int)(end + 1 - work->at), work->at);
	work->at = end + 1;
	return true;
}

static bool put_escape(struct translation *work)
{
	char letter = *work->at;

	if (letter == '\0')
		return refuse(work, "it ends in a backslash");
	work->at++;
	work->repeatable = true;
	if (letter >= '1' && letter <= '9') {
		size_t digits = strspn(work->at, "0123456789");

		if (digits > 2)
			return refuse(work, "it refers to a group that it does not have");
		(void)fprintf(work->out, "\\g{%c%.*s}", letter, (int)digits, work->at);
		work->at += digits;
		return true;
	}
	if (letter == 'b' || letter == 'B') {
		work->repeatable = false;
		(void)fprintf(work->out, "\\%c", letter);
		return true;
	}
	if (letter == 'k')
		return put_named_reference(work);
	if (!strchr("dDwWsSpP", letter))
		return put_escaped_character(work, letter);
	if (letter != 's' && letter != 'S')
		return put_class_set(work, letter);
	(void)fputc('[', work->out);
	(void)put_class_set(work, letter);
	(void)fputc(']', work->out);
	return true;
}

static bool put_group(struct translation *work)
{
	static const char *const starts[] = {"?:", "?=", "?!", "?<=", "?<!"};
	size_t length;

	work->repeatable = false;
	(void)fputc('(', work->out);
	if (*work->at != '?')
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		if (strncmp(work->at, starts[i], strlen(starts[i])) == 0) {
			(void)fputs(starts[i], work->out);
			work->at += strlen(starts[i]);
			return true;
		}
	for (length = 0; work->at[1] == '<' && is_word(work->at[2 + length]);)
		length++;
	if (length == 0 || work->at[2 + length] != '>')
		return refuse(work, "a group that ECMA-262 does not have");
	(void)fprintf(work->out, "%.*s", (int)length + 3, work->at);
	work->at += length + 3;
	return true;
}

/* The length of "{2}", "{2,}" or "{2,5}" at `text`; 0 where it is none. */
static size_t braces_length(const char *text)
{
	size_t digits = strspn(text + 1, "0123456789");
	size_t at = 1 + digits;

	if (*text != '{' || digits == 0)
		return 0;
	if (text[at] == ',')
		at += 1 + strspn(text + at + 1, "0123456789");
	return text[at] == '}' ? at + 1 : 0;
}

static bool put_quantifier(struct translation *work, size_t length)
{
	if (!work->repeatable)
		return refuse(work, "a quantifier with nothing to repeat");
	work->repeatable = false;
	(void)fprintf(work->out, "%.*s", (int)length, work->at);
	work->at += length;
	if (*work->at == '?')
		(void)fputc(*work->at++, work->out);
	return true;
}

static bool put_next(struct translation *work)
{
	char byte = *work->at;
	size_t braces = braces_length(work->at);

	if (braces > 0 || strchr("*+?", byte))
		return put_quantifier(work, braces > 0 ? braces : 1);
	work->at++;
	switch (byte) {
	case '\\':
		return put_escape(work);
	case '[':
		return put_class(work);
	case '(':
		return put_group(work);
	case '.':
		work->repeatable = true;
		(void)fputs(ANY_OF_A_LINE, work->out);
		return true;
	case '^':
	case '$':
	case '|':
	case ')':
		work->repeatable = byte == ')';
		(void)fputc(byte, work->out);
		return true;
	default:
		/* The bytes of one character are one item. */
		work->repeatable = true;
		put_literal(work, (unsigned char)byte);
		for (; ((unsigned char)*work->at & 0xc0) == 0x80; work->at++)
			put_literal(work, (unsigned char)*work->at);
		return true;
	}
}

char *regex_translate(const char *pattern, const char **fault)
{
	struct translation work = {.at = pattern};
	char *text = NULL;
	size_t length = 0;
	bool fits = true;

	*fault = "out of memory";
	work.out = open_memstream(&text, &length);
	if (!work.out)
		return NULL;
	while (fits && *work.at)
		fits = put_next(&work);
	fits = fclose(work.out) == 0 && fits;
	if (fits)
		return text;
	free(text);
	if (work.fault)
		*fault = work.fault;
	return NULL;
}
