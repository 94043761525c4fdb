/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that read a manifest's sections share: the reader's state, the table of an
 * object's keys, and the small values (lists, words, sizes, rates, names, paths) that appear in
 * several sections. Internal to manifest/.
 *
 * A read function takes a value of the right type, stores what it means in `target`, and reports
 * whatever is wrong; it never stops the run, since all errors of a file are told at once.
 */
#ifndef AGENTPOL_MANIFEST_READER_H
#define AGENTPOL_MANIFEST_READER_H

#include "manifest/codes.h"
#include "manifest/diagnostics.h"
#include "json/json.h"
#include "policy/policy.h"

/* Longer pointers (a key can be megabytes long) are cut off in messages. */
#define POINTER_TEXT_MAX 1024
/* A manifest's string as messages show it. */
#define SHOWN_TEXT_MAX 72
/* The largest number that JSON's doubles hold exactly. */
#define WHOLE_NUMBER_MAX ((1ULL << 53) - 1)
#define SECONDS_A_DAY	 86400U
/* PostgreSQL's NAMEDATALEN less its NUL; longer names are cut off there, which grants too much. */
#define SQL_IDENTIFIER_MAX 63

struct port_set_table {
	const struct port_set **slots; /* owned; the sets live in the arena */
	size_t count, room;
};

struct reader {
	const struct json_document *document;
	struct diagnostics *diagnostics;
	struct policy *policy;
	struct arena *arena; /* the policy's */
	char pointer[POINTER_TEXT_MAX];
	size_t pointer_length;
	size_t errors;	    /* those of this run alone */
	bool out_of_memory; /* reported once */
	struct port_set_table port_sets;
	const struct tool **tools_by_name; /* owned; sorted once all tools are read */
};

/* ---- where we are, and what is wrong there ---- */

/* Both return the length to hand to reader_pop. */
size_t reader_push_key(struct reader *reader, const char *key);
size_t reader_push_index(struct reader *reader, size_t index);
void reader_pop(struct reader *reader, size_t length);

/* An error at `value`, whose pointer is the current one. */
void reader_error(struct reader *reader, const json_value *value, const char *code,
		  const char *format, ...) FORMAT(4, 5);
/* As reader_error, at a member of the object we are in; `key` may be absent from it. */
void reader_error_at_key(struct reader *reader, const json_value *object, const char *key,
			 const char *code, const char *format, ...) FORMAT(5, 6);
void reader_out_of_memory(struct reader *reader);
/* `text` cut to what a message can bear; returns `shown`. */
const char *reader_show(char shown[SHOWN_TEXT_MAX], const char *text);
/* The word of `words` (`count` of them, `stride` bytes apart) nearest to `text`, or NULL; also
 * NULL once the list of diagnostics is full, since nobody would read it. */
const char *reader_suggest(const struct reader *reader, const char *text, const void *words,
			   size_t count, size_t stride);

/* ---- objects and lists ---- */

enum json_kind {
	KIND_OBJECT = 1,
	KIND_LIST = 2,
	KIND_STRING = 4,
	KIND_NUMBER = 8,
	KIND_BOOLEAN = 16,
};

typedef void read_function(struct reader *reader, const json_value *value, void *target);

struct key_spec {
	const char *key;      /* first: reader_suggest walks the table */
	unsigned kinds;	      /* of enum json_kind */
	read_function *read;  /* NULL: taken by whoever reads the object */
	const char *required; /* NULL, or what to write when the key is missing */
};

/* Reads each member by its line of the table; unknown keys, wrong types and missing required keys
 * are errors. False where the value is not even an object. */
bool reader_object(struct reader *reader, const json_value *value, const struct key_spec *specs,
		   size_t count, void *target);
/* Is the value of one of `kinds`? An error where not. */
bool reader_expect(struct reader *reader, const json_value *value, unsigned kinds);
/* False, and an error, where the list is empty; `hint` says what to write. */
bool reader_not_empty(struct reader *reader, const json_value *list, const char *hint);

/* One string of a list: the text to keep, or NULL after reporting what is wrong. */
typedef const char *item_function(struct reader *reader, const json_value *value);
/* A list of strings; items that `item` refuses are left out. */
void reader_strings(struct reader *reader, const json_value *list, item_function *item,
		    struct strings *strings);
void reader_strings_or_error(struct reader *reader, const json_value *list, item_function *item,
			     const char *hint, struct strings *strings);

/* ---- small values: each false (or NULL) after an error ---- */

const char *reader_copy(struct reader *reader, const char *text);
void *reader_alloc(struct reader *reader, size_t count, size_t size);
#define reader_new_array(reader, type, count) ((type *)reader_alloc(reader, count, sizeof(type)))

struct word {
	const char *word; /* first: reader_suggest walks the table */
	int value;
};
/* The value of the word; an error that lists them all otherwise. */
bool reader_word(struct reader *reader, const json_value *value, const struct word *words,
		 size_t count, int *found);
bool reader_unsigned(struct reader *reader, const json_value *value, uint64_t least, uint64_t most,
		     uint64_t *number);
/* "20/min"; with `bytes`: "5MiB/h" too. */
bool reader_rate(struct reader *reader, const json_value *value, bool bytes, struct rate *rate);
/* A number of bytes, or "2GiB". */
bool reader_size(struct reader *reader, const json_value *value, uint64_t *bytes);
/* "120s", "2min", "1h", and "500ms"; at most a day. */
bool reader_duration(struct reader *reader, const json_value *value, uint64_t *milliseconds);
/* An RFC 6901 pointer to something below the root. */
bool reader_json_pointer(struct reader *reader, const json_value *at, const char *text);

/* Absolute, in normal form, without ".."; the item functions are for reader_strings. */
const char *reader_path(struct reader *reader, const json_value *value);
const char *reader_path_pattern(struct reader *reader, const json_value *value);

/* A host name in lower case without its trailing dot, in the arena; or NULL after an error. */
const char *reader_host_name(struct reader *reader, const json_value *at, const char *text);
/* The set that is equal to the given ranges; equal sets are one. */
const struct port_set *reader_port_set(struct reader *reader, const struct port_range *ranges,
				       size_t count);
/* Is it a name that a tool can have in a manifest? */
bool reader_is_tool_name(const char *name);
/* The tool of that name; only once all tools are read. */
const struct tool *reader_find_tool(const struct reader *reader, const char *name);

/* ---- sections: target types as named ---- */

void read_network(struct reader *reader, const json_value *value, void *network);
void read_process(struct reader *reader, const json_value *value, void *process);
void read_files(struct reader *reader, const json_value *value, void *files);
void read_tools(struct reader *reader, const json_value *value, void *policy);
void read_arguments(struct reader *reader, const json_value *value, void *tool);
void read_sql(struct reader *reader, const json_value *value, void *tool);
/* An egress target: "to", without the words of names only; false after an error. */
bool read_target(struct reader *reader, const json_value *value, struct egress_target *target);
/* Names of SQL, folded; false or NULL after an error. */
bool read_sql_table(struct reader *reader, const json_value *value, enum sql_verb verb,
		    struct sql_table *table);
const char *read_sql_schema(struct reader *reader, const json_value *value);
const char *read_sql_function(struct reader *reader, const json_value *value);
/* Do the pointers into a tool's arguments lead to properties that its inputSchema has? */
void check_argument_pointers(struct reader *reader, const json_value *tool);
/* The schema's text, NULL after an error: no object schema, or not one that can be judged. */
const char *read_schema(struct reader *reader, const json_value *value);
/* As read_schema, of a regular expression in a string. */
const char *read_regex(struct reader *reader, const json_value *value);
/* What the pairs of "match" ask a session to remember, against its bounds. */
void read_matches(struct reader *reader, const json_value *tools);
/* Unknown tools, and cycles in what requires and forbids_after say. */
void read_order(struct reader *reader, const json_value *tools);

/* When all is read: "*" and ranges of ports leave out those of tools' servers. */
void spare_server_ports(struct reader *reader);

#endif
