// SPDX-License-Identifier: Apache-2.0
#include "manifest/import_findings.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

/* A word of a name is cut here; none of ours is longer. */
#define WORD_MAX 24

#define BY_SCHEMA "limit it in the manifest's inputSchema by \"enum\", \"pattern\" or \"maxLength\""

const struct import_rule import_rules[] = {
	[IMPORT_TEXT] = {"I001", SEVERITY_NOTE, "any text may be passed",
			 "if it has a form, add \"arguments\": {\"",
			 "\": {\"pattern\": \"^...$\"}} or an \"enum\"", BY_SCHEMA, 1000},
	[IMPORT_PATH] = {"I002", SEVERITY_WARNING, "any path may be passed",
			 "add \"arguments\": {\"", "\": {\"under\": [\"/the/one/directory\"]}}",
			 BY_SCHEMA, 1024},
	[IMPORT_URL] = {"I003", SEVERITY_WARNING, "any URL may be passed", "add \"arguments\": {\"",
			"\": {\"egress\": true}}, and its hosts to the tool's \"network\"",
			BY_SCHEMA, 2048},
	[IMPORT_SQL] = {"I004", SEVERITY_WARNING, "any SQL may be passed",
			"add \"sql\" with the tables that it needs and \"argument\": \"", "\"",
			"pass it at the top of the arguments, where \"sql\" can name it", 10000},
	[IMPORT_COMMAND] = {"I005", SEVERITY_WARNING,
			    "any command or code may be passed, which is worth as much as all that "
			    "its process may do",
			    "leave the tool out, or list the commands: \"arguments\": {\"",
			    "\": {\"enum\": [...]}}; and limit its \"process\", \"files\" and "
			    "\"network\"",
			    "leave the tool out, or list the commands by \"enum\"", 4000},
	[IMPORT_RECIPIENT] = {"I006", SEVERITY_WARNING, "anyone may be named, an attacker too",
			      "add \"arguments\": {\"",
			      "\": {\"enum\": [...]}}, or a \"pattern\" that ends in your domain",
			      "list who may be named by \"enum\", or by a \"pattern\" that ends in "
			      "your domain",
			      320},
	[IMPORT_AMOUNT] = {"I007", SEVERITY_WARNING, "any amount may be passed",
			   "add \"arguments\": {\"", "\": {\"minimum\": 0, \"maximum\": 100}}",
			   "add \"maximum\" to it in the manifest's inputSchema", 40},
	[IMPORT_SECRET] = {"I008", SEVERITY_WARNING,
			   "a secret is passed by the model, which can be talked out of it",
			   "give it to the tool's server by its environment, and remove \"",
			   "\" from inputSchema", "give it to the tool's server by its environment",
			   1000},
	[IMPORT_ANY_VALUE] = {"I009", SEVERITY_WARNING, "its type is open: any value may be passed",
			      "say what \"", "\" is by \"type\", \"items\" or \"enum\"",
			      "say what it is by \"type\", \"items\" or \"enum\"", 0},
	[IMPORT_OPEN_OBJECT] = {"I010", SEVERITY_WARNING,
				"the schema takes members that it does not list",
				"list those of \"", "\", and write \"additionalProperties\": false",
				"list them, and write \"additionalProperties\": false", 0},
	[IMPORT_CLOSED_OBJECT] = {"I011", SEVERITY_WARNING,
				  "the list does not say which members it has; the skeleton takes "
				  "none",
				  "list those of \"", "\" under \"properties\"",
				  "list them under \"properties\"", 0},
	[IMPORT_HOSTED] = {"I012", SEVERITY_WARNING,
			   "left out: the tool is the provider's own, and has no schema here", NULL,
			   NULL, "deny it where the request is made, or write its schema by hand",
			   0},
	[IMPORT_SCHEMA] = {"I013", SEVERITY_ERROR, "left out: its schema can't be enforced", NULL,
			   NULL, "mend the schema, and import again", 0},
	[IMPORT_HINTS] = {"I014", SEVERITY_WARNING,
			  "readOnlyHint and destructiveHint are both true: taken as destructive",
			  NULL, NULL, "state the \"effect\" yourself", 0},
	[IMPORT_PARTIAL] = {"I015", SEVERITY_WARNING,
			    "the list goes on: the server has more tools than these", NULL, NULL,
			    "ask for the rest by the cursor, and import one list of all", 0},
};
static_assert(ARRAY_SIZE(import_rules) == IMPORT_RULES, "each rule has its line");

/* A word of a parameter's name, lower case, and what a string of that name is. The first word from
 * the end that is known decides: "file_url" is a URL. */
struct kind_word {
	const char *word;
	enum import_rule_index kind;
};

static const struct kind_word name_words[] = {
	{"path", IMPORT_PATH},
	{"paths", IMPORT_PATH},
	{"file", IMPORT_PATH},
	{"files", IMPORT_PATH},
	{"filename", IMPORT_PATH},
	{"filepath", IMPORT_PATH},
	{"dir", IMPORT_PATH},
	{"directory", IMPORT_PATH},
	{"folder", IMPORT_PATH},
	{"cwd", IMPORT_PATH},
	{"attachment", IMPORT_PATH},
	{"attachments", IMPORT_PATH},
	{"url", IMPORT_URL},
	{"urls", IMPORT_URL},
	{"uri", IMPORT_URL},
	{"uris", IMPORT_URL},
	{"link", IMPORT_URL},
	{"href", IMPORT_URL},
	{"endpoint", IMPORT_URL},
	{"webhook", IMPORT_URL},
	{"website", IMPORT_URL},
	{"host", IMPORT_URL},
	{"hostname", IMPORT_URL},
	{"domain", IMPORT_URL},
	{"sql", IMPORT_SQL},
	{"statement", IMPORT_SQL},
	{"command", IMPORT_COMMAND},
	{"commands", IMPORT_COMMAND},
	{"cmd", IMPORT_COMMAND},
	{"code", IMPORT_COMMAND},
	{"script", IMPORT_COMMAND},
	{"shell", IMPORT_COMMAND},
	{"expression", IMPORT_COMMAND},
	{"exec", IMPORT_COMMAND},
	{"program", IMPORT_COMMAND},
	{"to", IMPORT_RECIPIENT},
	{"cc", IMPORT_RECIPIENT},
	{"bcc", IMPORT_RECIPIENT},
	{"recipient", IMPORT_RECIPIENT},
	{"recipients", IMPORT_RECIPIENT},
	{"receiver", IMPORT_RECIPIENT},
	{"payee", IMPORT_RECIPIENT},
	{"beneficiary", IMPORT_RECIPIENT},
	{"email", IMPORT_RECIPIENT},
	{"emails", IMPORT_RECIPIENT},
	{"address", IMPORT_RECIPIENT},
	{"addresses", IMPORT_RECIPIENT},
	{"iban", IMPORT_RECIPIENT},
	{"account", IMPORT_RECIPIENT},
	{"phone", IMPORT_RECIPIENT},
	{"participant", IMPORT_RECIPIENT},
	{"participants", IMPORT_RECIPIENT},
	{"attendees", IMPORT_RECIPIENT},
	{"invitees", IMPORT_RECIPIENT},
	{"user", IMPORT_RECIPIENT},
	{"username", IMPORT_RECIPIENT},
	{"channel", IMPORT_RECIPIENT},
	{"destination", IMPORT_RECIPIENT},
	{"amount", IMPORT_AMOUNT},
	{"price", IMPORT_AMOUNT},
	{"total", IMPORT_AMOUNT},
	{"sum", IMPORT_AMOUNT},
	{"quantity", IMPORT_AMOUNT},
	{"shares", IMPORT_AMOUNT},
	{"password", IMPORT_SECRET},
	{"passphrase", IMPORT_SECRET},
	{"secret", IMPORT_SECRET},
	{"token", IMPORT_SECRET},
	{"apikey", IMPORT_SECRET},
	{"otp", IMPORT_SECRET},
	{"pin", IMPORT_SECRET},
};

/* What a description says of a string whose name says nothing. */
static const struct kind_word description_words[] = {
	{"sql", IMPORT_SQL},
	{"shell command", IMPORT_COMMAND},
	{"command to", IMPORT_COMMAND},
	{"code to", IMPORT_COMMAND},
	{"script to", IMPORT_COMMAND},
	{"url", IMPORT_URL},
	{"file path", IMPORT_PATH},
	{"path to", IMPORT_PATH},
	{"path of", IMPORT_PATH},
	{"email address", IMPORT_RECIPIENT},
	{"iban", IMPORT_RECIPIENT},
	{"phone number", IMPORT_RECIPIENT},
	{"account number", IMPORT_RECIPIENT},
	{"recipient", IMPORT_RECIPIENT},
	{"password", IMPORT_SECRET},
	{"access token", IMPORT_SECRET},
	{"api key", IMPORT_SECRET},
};

static const struct kind_word *find_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(name_words); i++)
		if (strcmp(name_words[i].word, word) == 0)
			return &name_words[i];
	return NULL;
}

/* The next word of "file_url", "fileURL" or "file-url", in lower case; NULL at the end. */
static const char *next_word(const char *at, char word[WORD_MAX])
{
	size_t length = 0;

	while (*at && !isalnum((unsigned char)*at))
		at++;
	if (!*at)
		return NULL;
	for (; isalnum((unsigned char)*at); at++) {
		const bool starts =
			isupper((unsigned char)at[0]) && length > 0 &&
			(islower((unsigned char)at[-1]) || islower((unsigned char)at[1]));

		if (starts)
			break;
		if (length + 1 < WORD_MAX)
			word[length++] = (char)tolower((unsigned char)*at);
	}
	word[length] = '\0';
	return at;
}

static const struct kind_word *kind_of_name(const char *name)
{
	const struct kind_word *found = NULL;
	char word[WORD_MAX], before[WORD_MAX] = "";

	while ((name = next_word(name, word)) != NULL) {
		const struct kind_word *known = find_word(word);

		if (known)
			found = known;
		/* What says something of a path or a person is no path and no person. */
		else if (strcmp(word, "id") != 0 && strcmp(word, "name") != 0)
			found = NULL;
		if (strcmp(word, "key") == 0 && strcmp(before, "api") == 0)
			found = find_word("apikey");
		memcpy(before, word, sizeof(before));
	}
	return found;
}

enum import_rule_index import_kind_of_string(const char *name, const char *description)
{
	const struct kind_word *known = kind_of_name(name);

	if (known)
		return known->kind;
	for (size_t i = 0; description && i < ARRAY_SIZE(description_words); i++)
		if (strcasestr(description, description_words[i].word))
			return description_words[i].kind;
	return IMPORT_TEXT;
}

bool import_is_amount(const char *name)
{
	const struct kind_word *known = kind_of_name(name);

	return known && known->kind == IMPORT_AMOUNT;
}

void import_find(struct reader *reader, enum import_rule_index index, const json_value *value,
		 const char *argument, const char *what)
{
	const struct import_rule *rule = &import_rules[index];
	const bool named = argument && rule->before;

	diagnostics_add(reader->diagnostics, rule->severity, rule->code,
			json_position_of(reader->document, value), reader->pointer,
			"%s%s%s; %s%s%s", what ? what : "", what ? ": " : "", rule->summary,
			named ? rule->before : rule->otherwise, named ? argument : "",
			named ? rule->after : "");
}
