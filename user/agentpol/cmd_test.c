// SPDX-License-Identifier: Apache-2.0
/* `agentpol test`: policy tests, so that a change of a manifest is reviewed by what it does. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "agentpol/answer.h"
#include "agentpol/commands.h"
#include "agentpol/policy_tests.h"
#include "base/file.h"
#include "base/json_write.h"

static const char help[] =
	"Usage: agentpol test [--format text|tap|json] FILE|FOLDER...\n"
	"Runs policy tests: cases with the verdict that each must get. Of a folder, the .json\n"
	"files that are policy tests, in the order of their names.\n\n"
	"  -f, --format=FORMAT  text (default), tap, or json (one object a case)\n"
	"  -h, --help           this text\n\n"
	"Exit status: 0 all cases passed, 1 some did not, 2 a file is unusable.\n";

/* What the cases of one run came to. */
struct tally {
	size_t passed, failed;
};

/* What one request of a case got. */
struct result {
	size_t request; /* its number, from 1 */
	const char *expected;
	struct answer answer;
	const char *wanted_rule, *wanted_reason; /* of the last one; NULL: any */
};

struct report {
	void (*begin_file)(const char *path);
	/* `wrong`: the first request that got something else, or NULL. */
	void (*one)(const struct tally *tally, const char *path, const struct policy_case *one,
		    const struct result *wrong);
	void (*end)(const struct tally *tally);
};

/* ---- text ---- */

static void text_begin(const char *path)
{
	(void)printf("%s\n", path);
}

static void print_wrong(const char *indent, const struct result *wrong)
{
	const struct answer *answer = &wrong->answer;

	(void)printf("%srequest %zu: expected %s", indent, wrong->request, wrong->expected);
	if (wrong->wanted_reason)
		(void)printf(", reason %s", wrong->wanted_reason);
	if (wrong->wanted_rule)
		(void)printf(", rule %s", wrong->wanted_rule);
	(void)printf("\n%sgot %s", indent, answer->word);
	if (answer->verdict.reason)
		(void)printf(", reason %s", answer->verdict.reason);
	if (answer->verdict.rule[0])
		(void)printf(", rule %s", answer->verdict.rule);
	if (answer->verdict.message[0])
		(void)printf(": %s", answer->verdict.message);
	(void)putchar('\n');
}

static void text_one(const struct tally *tally, const char *path, const struct policy_case *one,
		     const struct result *wrong)
{
	(void)tally;
	(void)path;
	(void)printf("  %s  %s\n", wrong ? "FAIL" : "ok  ", one->name);
	if (wrong)
		print_wrong("        ", wrong);
}

static void text_end(const struct tally *tally)
{
	(void)printf("%zu cases: %zu passed, %zu failed\n", tally->passed + tally->failed,
		     tally->passed, tally->failed);
}

/* ---- TAP ---- */

static void tap_begin(const char *path)
{
	(void)printf("# %s\n", path);
}

static void tap_one(const struct tally *tally, const char *path, const struct policy_case *one,
		    const struct result *wrong)
{
	(void)path;
	(void)printf("%s %zu - ", wrong ? "not ok" : "ok", tally->passed + tally->failed);
	/* A "#" begins a directive of TAP, which is not the file's to give. */
	for (const char *at = one->name; *at; at++)
		(void)putchar(*at == '#' || (unsigned char)*at < ' ' ? '?' : *at);
	(void)putchar('\n');
	if (wrong)
		print_wrong("# ", wrong);
}

static void tap_end(const struct tally *tally)
{
	(void)printf("1..%zu\n", tally->passed + tally->failed);
}

/* ---- JSON ---- */

static void json_begin(const char *path)
{
	(void)path;
}

static void json_one(const struct tally *tally, const char *path, const struct policy_case *one,
		     const struct result *wrong)
{
	_cleanup_json_writer_ struct json_writer writer = {0};

	(void)tally;
	json_open_object(&writer);
	json_key_string(&writer, "file", path);
	json_key_string(&writer, "name", one->name);
	json_key_boolean(&writer, "ok", !wrong);
	if (wrong) {
		const struct verdict *verdict = &wrong->answer.verdict;

		json_key_unsigned(&writer, "request", wrong->request);
		json_key_string(&writer, "expect", wrong->expected);
		json_key_string(&writer, "verdict", wrong->answer.word);
		json_key_string(&writer, "reason", verdict->reason);
		json_key_string(&writer, "rule", verdict->rule[0] ? verdict->rule : NULL);
		json_key_string(&writer, "message", verdict->message);
	}
	json_close_object(&writer);
	json_newline(&writer);
	(void)fputs(json_writer_text(&writer) ? json_writer_text(&writer) : "", stdout);
}

static void json_end(const struct tally *tally)
{
	(void)tally;
}

static const struct {
	const char *name;
	struct report report;
} formats[] = {
	{"text", {text_begin, text_one, text_end}},
	{"tap", {tap_begin, tap_one, tap_end}},
	{"json", {json_begin, json_one, json_end}},
};

/* ---- */

static bool is_as_expected(const struct result *result)
{
	const struct verdict *verdict = &result->answer.verdict;

	if (strcmp(result->answer.word, result->expected) != 0)
		return false;
	if (result->wanted_rule && strcmp(verdict->rule, result->wanted_rule) != 0)
		return false;
	return !result->wanted_reason ||
	       (verdict->reason && strcmp(verdict->reason, result->wanted_reason) == 0);
}

/* 1: all as expected; 0: *result is the first that is not; -1: a request is none. */
static int run_case(struct judge *judge, const struct policy_case *one, struct result *result,
		    struct error *error)
{
	const size_t count = policy_case_count(one);

	judge_forget(judge);
	for (size_t i = 0; i < count; i++) {
		const bool last = i + 1 == count;

		*result = (struct result){.request = i + 1,
					  .expected = policy_case_expect(one, i),
					  .wanted_rule = last ? one->rule : NULL,
					  .wanted_reason = last ? one->reason : NULL};
		if (answer_json(judge, policy_case_request(one, i), &result->answer, error) < 0)
			return error_wrap(error, "case \"%s\", request %zu", one->name, i + 1);
		if (!is_as_expected(result))
			return 0;
	}
	return 1;
}

static int run_file(const char *path, const struct report *report, struct tally *tally,
		    struct error *error)
{
	_cleanup_policy_tests_ struct policy_tests tests = {0};
	_cleanup_judge_ struct judge judge = {0};

	if (policy_tests_read(path, &tests, error) < 0)
		return -1;
	if (judge_open(&judge, tests.policy, tests.schema_path, error) < 0)
		return error_wrap(error, "%s", path);
	report->begin_file(path);
	for (size_t i = 0; i < tests.case_count; i++) {
		struct result result;
		const int outcome = run_case(&judge, &tests.cases[i], &result, error);

		if (outcome < 0)
			return error_wrap(error, "%s", path);
		*(outcome ? &tally->passed : &tally->failed) += 1;
		report->one(tally, path, &tests.cases[i], outcome ? NULL : &result);
	}
	return 0;
}

static int is_json_name(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot && strcmp(dot, ".json") == 0;
}

static int run_folder(const char *path, const struct report *report, struct tally *tally,
		      struct error *error)
{
	struct dirent **entries = NULL;
	const int count = scandir(path, &entries, is_json_name, alphasort);
	size_t found = 0;
	int result = 0;

	if (count < 0)
		return error_set_errno(error, STATUS_UNUSABLE, errno, "%s", path);
	for (int i = 0; i < count; i++) {
		char file[PATH_MAX];

		if (result == 0)
			result = file_path(file, error, "%s/%s", path, entries[i]->d_name);
		if (result == 0 && policy_tests_recognise(file)) {
			found++;
			result = run_file(file, report, tally, error);
		}
		free(entries[i]);
	}
	free(entries);
	if (result == 0 && found == 0)
		return error_set(error, STATUS_UNUSABLE,
				 "%s: no policy tests in there (a .json file with "
				 "\"agentpol-test\": 1)",
				 path);
	return result;
}

static int run_all(char **paths, int count, const struct report *report)
{
	enum exit_status status = STATUS_DONE;
	struct tally tally = {0};

	for (int i = 0; i < count; i++) {
		struct error error;
		struct stat about;
		const bool folder = stat(paths[i], &about) == 0 && S_ISDIR(about.st_mode);

		if ((folder ? run_folder : run_file)(paths[i], report, &tally, &error) < 0)
			status = (enum exit_status)command_fail("test", &error);
	}
	report->end(&tally);
	if (status != STATUS_DONE)
		return (int)status;
	return tally.failed ? STATUS_NO : STATUS_DONE;
}

int cmd_test(int argc, char **argv)
{
	static const struct option options[] = {
		{"format", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const struct report *report = &formats[0].report;
	int option;

	while ((option = getopt_long(argc, argv, "f:h", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			report = NULL;
			for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
				if (strcmp(formats[i].name, optarg) == 0)
					report = &formats[i].report;
			if (!report)
				return command_usage("test", "--format is text, tap or json");
			break;
		case 'h':
			(void)fputs(help, stdout);
			return STATUS_DONE;
		default:
			return command_usage("test", "unknown option");
		}
	}
	if (optind == argc)
		return command_usage("test", "name a file of policy tests, or a folder");
	return run_all(argv + optind, argc - optind, report);
}
