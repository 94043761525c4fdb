// SPDX-License-Identifier: Apache-2.0
/*
 * Counts what PostgreSQL's scanner would find, in one pass without its tables: the tokens, and
 * among them the operators. It follows scan.l of PostgreSQL 15 in where strings, names and comments
 * end; where that file sees an error, the parser stops, and counts beyond do not matter.
 */
#include "sql/limits.h"

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

#define OPERATOR_BYTES "~!@#^&|`?+-*/%<>="
/* An operator of several bytes may end in + or - only if one of these is in it (scan.l). */
#define OPERATOR_MARKS "~!@#^&|`?%"
/* Longer ones are refused by the scanner (NAMEDATALEN), but in time with a power of the length. */
#define OPERATOR_MAX 63

/* What stands in a pair of parentheses or brackets, as far as it has been read. */
struct group {
	size_t around; /* how often the tree has the group itself */
	size_t copies; /* and what is read now: more behind "(a, b) =" */
	size_t commas;
};

struct counter {
	const char *at, *end;
	struct group groups[SQL_GROUPS_MAX + 1]; /* the first one is around them all */
	size_t depth;
	size_t listed; /* behind ")": how many items stood before it; else 0 */
	size_t tokens, bytes, operators, rescanned;
	const char *run_end;  /* of the operator bytes that were looked at last */
	const char *exceeded; /* the sentence; NULL: none so far */
};

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
	       (unsigned char)byte >= 0x80;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_space(char byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool is_operator(char byte)
{
	return byte && strchr(OPERATOR_BYTES, byte);
}

static size_t left(const struct counter *counter)
{
	return (size_t)(counter->end - counter->at);
}

static bool starts_at(const struct counter *counter, size_t offset, const char *two)
{
	return left(counter) >= offset + 2 && counter->at[offset] == two[0] &&
	       counter->at[offset + 1] == two[1];
}

static bool starts(const struct counter *counter, const char *two)
{
	return starts_at(counter, 0, two);
}

/* The scanner matches all operator bytes from here on, whatever it keeps of them. */
static void count_run(struct counter *counter)
{
	if (!counter->run_end || counter->run_end < counter->at)
		counter->run_end = counter->at;
	while (counter->run_end < counter->end && is_operator(*counter->run_end))
		counter->run_end++;
	counter->rescanned += (size_t)(counter->run_end - counter->at);
}

static void skip_line_comment(struct counter *counter)
{
	while (counter->at < counter->end && *counter->at != '\n' && *counter->at != '\r')
		counter->at++;
}

/* Nested; libpg_query's scanner takes time square in the depth. */
static void skip_comment(struct counter *counter)
{
	size_t depth = 0;

	while (counter->at < counter->end) {
		if (starts(counter, "/*")) {
			count_run(counter);
			counter->at += 2;
			if (++depth > SQL_COMMENT_DEPTH) {
				counter->exceeded = "comments are nested too deeply";
				return;
			}
		} else if (starts(counter, "*/")) {
			counter->at += 2;
			if (--depth == 0)
				return;
		} else {
			counter->at++;
		}
	}
}

/* Behind the opening mark, to behind the closing one. */
static void skip_quoted(struct counter *counter, char mark, bool escapes)
{
	while (counter->at < counter->end) {
		const char byte = *counter->at++;

		if (escapes && byte == '\\' && counter->at < counter->end)
			counter->at++;
		if (byte != mark)
			continue;
		if (counter->at == counter->end || *counter->at != mark)
			return;
		counter->at++;
	}
}

/* Behind an E'' string: white space and line comments with a line's end among them, and a
 * quotation mark, go on with it, backslashes and all. Goes behind that mark. */
static bool escape_string_goes_on(struct counter *counter)
{
	const char *start = counter->at;
	bool line = false;

	while (counter->at < counter->end) {
		if (starts(counter, "--"))
			skip_line_comment(counter);
		else if (is_space(*counter->at))
			line |= *counter->at == '\n' || *counter->at == '\r', counter->at++;
		else
			break;
	}
	if (line && counter->at < counter->end && *counter->at == '\'') {
		counter->at++;
		return true;
	}
	counter->at = start;
	return false;
}

static void skip_escape_string(struct counter *counter)
{
	do
		skip_quoted(counter, '\'', true);
	while (escape_string_goes_on(counter));
}

static void skip_identifier(struct counter *counter)
{
	const char *start = counter->at;

	while (counter->at < counter->end &&
	       (is_letter(*counter->at) || is_digit(*counter->at) || *counter->at == '$'))
		counter->at++;
	if (counter->at - start == 1 && (*start | 0x20) == 'e' && counter->at < counter->end &&
	    *counter->at == '\'') {
		counter->at++;
		skip_escape_string(counter);
	}
}

/* $1, or $tag$ text $tag$. */
static void skip_dollar(struct counter *counter)
{
	const char *start = counter->at++, *tag_end;

	while (counter->at < counter->end && is_digit(*counter->at))
		counter->at++;
	if (counter->at - start > 1)
		return;
	while (counter->at < counter->end && (is_letter(*counter->at) || is_digit(*counter->at)))
		counter->at++;
	if (counter->at == counter->end || *counter->at != '$')
		return;
	tag_end = ++counter->at;
	counter->at = memmem(tag_end, left(counter), start, (size_t)(tag_end - start));
	counter->at = counter->at ? counter->at + (tag_end - start) : counter->end;
}

/* How many bytes the scanner keeps of a run of them: up to a comment, and without + and - at the
 * end where nothing before them allows it. 0: more than an operator can have. */
static size_t operator_length(const struct counter *counter)
{
	size_t length = 0, marked;

	while (length < left(counter) && is_operator(counter->at[length])) {
		if (starts_at(counter, length, "/*") || starts_at(counter, length, "--"))
			break;
		if (++length > OPERATOR_MAX)
			return 0;
	}
	for (marked = 0; marked < length; marked++)
		if (strchr(OPERATOR_MARKS, counter->at[marked]))
			break;
	while (length > 1 && marked >= length - 1 &&
	       (counter->at[length - 1] == '+' || counter->at[length - 1] == '-'))
		length--;
	return length;
}

static void take_operator(struct counter *counter)
{
	size_t length = operator_length(counter);

	counter->operators++;
	count_run(counter);
	counter->at += length;
	if (length == 0)
		counter->exceeded = "an operator is longer than 63 bytes";
}

/* Words that make a tree deeper, as operators do. AND and OR are lists in the tree. */
static bool deepens(const char *word, size_t length)
{
	static const char *const words[] = {"union",   "except",  "intersect", "join",	  "not",
					    "between", "like",	  "ilike",     "similar", "is",
					    "isnull",  "notnull", "collate",   "at",	  "in"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == length && strncasecmp(words[i], word, length) == 0)
			return true;
	return false;
}

static void take_word(struct counter *counter)
{
	const char *start = counter->at;

	skip_identifier(counter);
	counter->operators += deepens(start, (size_t)(counter->at - start));
}

static void open_group(struct counter *counter)
{
	const size_t copies = counter->groups[counter->depth].copies;

	if (counter->depth == SQL_GROUPS_MAX)
		counter->exceeded = "parentheses are nested too deeply";
	else
		counter->groups[++counter->depth] =
			(struct group){.around = copies, .copies = copies};
}

/* SET (a, b) = source: the tree has the source, which goes on to the next comma or the end of the
 * group, once for each column. That a comparison looks the same makes its right side count more. */
static void multiply(struct group *group, size_t columns)
{
	size_t copies = group->around * columns;

	/* No more than the limit, which it will exceed then: it must not run over. */
	if (copies > SQL_TOKENS_MAX)
		copies = SQL_TOKENS_MAX + 1;
	if (copies > group->copies)
		group->copies = copies;
}

/* How often the tree has what is read from here on. */
static void count_copies(struct counter *counter, char byte)
{
	struct group *group = &counter->groups[counter->depth];
	const size_t listed = counter->listed;

	counter->listed = 0;
	switch (byte) {
	case '(':
	case '[':
		open_group(counter);
		break;
	case ')':
	case ']':
		counter->listed = byte == ')' ? group->commas + 1 : 0;
		if (counter->depth)
			counter->depth--;
		break;
	case ',':
		group->commas++;
		group->copies = group->around;
		break;
	case ';':
		group->copies = group->around;
		break;
	case '=':
		if (listed > 1 && operator_length(counter) == 1)
			multiply(group, listed);
		break;
	default:
		break;
	}
}

static void take_token(struct counter *counter)
{
	const char byte = *counter->at;

	count_copies(counter, byte);
	counter->tokens += counter->groups[counter->depth].copies;
	if (is_letter(byte)) {
		take_word(counter);
	} else if (byte == '\'' || byte == '"') {
		counter->at++;
		skip_quoted(counter, byte, false);
	} else if (byte == '$') {
		skip_dollar(counter);
	} else if (is_operator(byte)) {
		take_operator(counter);
	} else if (is_digit(byte)) {
		while (counter->at < counter->end && is_digit(*counter->at))
			counter->at++;
	} else {
		counter->operators += starts(counter, "::") || byte == '[';
		counter->at += starts(counter, "::") ? 2 : 1;
	}
}

static void take_copied(struct counter *counter)
{
	const char *start = counter->at;
	const size_t copies = counter->groups[counter->depth].copies;

	take_token(counter);
	counter->bytes += (size_t)(counter->at - start) * copies;
	if (counter->bytes > SQL_BYTES_MAX)
		counter->exceeded = "too much is assigned to several columns at once";
}

static void count(struct counter *counter)
{
	while (counter->at < counter->end && !counter->exceeded) {
		if (is_space(*counter->at))
			counter->at++;
		else if (starts(counter, "--"))
			skip_line_comment(counter);
		else if (starts(counter, "/*"))
			skip_comment(counter);
		else
			take_copied(counter);
		if (counter->rescanned > SQL_RESCAN_MAX)
			counter->exceeded = "signs of operators stand in too long a row";
		if (counter->operators > SQL_OPERATORS_MAX)
			counter->exceeded = "there are too many operators";
		if (counter->tokens > SQL_TOKENS_MAX)
			counter->exceeded = "there are too many words";
	}
}

/* NULL where all of it is UTF-8 without NUL. */
static const char *bytes_fault(const char *text, size_t length)
{
	const unsigned char *at = (const unsigned char *)text, *end = at + length;

	while (at < end) {
		size_t step = utf8_sequence_length(at, (size_t)(end - at));

		if (*at == '\0')
			return "there is a NUL byte in it";
		if (step == 0)
			return "it is not UTF-8";
		at += step;
	}
	return NULL;
}

const char *sql_limits_exceeded(const char *text, size_t length)
{
	struct counter counter = {
		.at = text, .end = text + length, .groups[0] = {.around = 1, .copies = 1}};
	const char *fault;

	if (length > SQL_TEXT_MAX)
		return "it is too long";
	fault = bytes_fault(text, length);
	if (fault)
		return fault;
	count(&counter);
	return counter.exceeded;
}
