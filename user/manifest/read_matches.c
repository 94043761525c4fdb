// SPDX-License-Identifier: Apache-2.0
/* How many values a session must remember: what "match" says of a tool, and of others about it. */
#include "manifest/reader.h"

#include <string.h>

#include "call/session.h"

/* One "match" pair: a value of `tool` that another tool's call is bound to. */
struct source {
	const char *tool, *pointer;
};

static int compare_sources(const void *left, const void *right)
{
	const struct source *a = left, *b = right;
	int order = strcmp(a->tool, b->tool);

	return order ? order : strcmp(a->pointer, b->pointer);
}

static size_t count_pairs(const struct tool *tool)
{
	size_t count = 0;

	for (size_t i = 0; i < tool->requires_count; i++)
	count += tool->requires[i].match_count;
	return count;
}

/* All pairs of all tools, sorted. */
static size_t collect(const struct policy *policy, struct source *sources)
{
	size_t count = 0;

	for (size_t i = 0; i < policy->tool_count; i++)
		for (size_t j = 0; j < policy->tools[i].requires_count; j++) {
			const struct tool_requirement *each = &policy->tools[i].requires[j];

			for (size_t k = 0; each->tool && k < each->match_count; k++)
				sources[count++] = (struct source){each->tool,
								   each->matches[k].source_pointer};
		}
	qsort(sources, count, sizeof(*sources), compare_sources);
	return count;
}

static void check_claims(struct reader *reader, const json_value *tool, size_t pairs)
{
	if (pairs > CALL_CLAIMS_MAX)
		reader_error_at_key(reader, tool, "requires", CODE_RANGE,
				    "has %zu pairs in \"match\", and a tool may have %d", pairs,
				    CALL_CLAIMS_MAX);
}

static void check_sources(struct reader *reader, const json_value *tools,
			  const struct source *sources, size_t count)
{
	size_t distinct = 0;

	for (size_t i = 0; i < count; i++) {
		bool same_tool = i > 0 && strcmp(sources[i].tool, sources[i - 1].tool) == 0;

		if (!same_tool)
			distinct = 0;
		if (!same_tool || strcmp(sources[i].pointer, sources[i - 1].pointer) != 0)
			distinct++;
		else
			continue;
		if (distinct == CALL_MATCHES_MAX + 1 && json_member(tools, sources[i].tool))
			reader_error_at_key(reader, tools, sources[i].tool, CODE_RANGE,
					    "other tools' \"match\" refers to more than %d values "
					    "of this tool",
					    CALL_MATCHES_MAX);
	}
}

void read_matches(struct reader *reader, const json_value *tools)
{
	const struct policy *policy = reader->policy;
	_cleanup_free_ struct source *sources = NULL;
	const json_value *tool = json_first(tools);
	size_t pairs = 0;

	for (size_t i = 0; i < policy->tool_count && tool; i++, tool = json_next(tool)) {
		size_t own = count_pairs(&policy->tools[i]);
		size_t before = reader_push_key(reader, json_key_of(tool));

		check_claims(reader, tool, own);
		reader_pop(reader, before);
		pairs += own;
	}
	sources = calloc(pairs + 1, sizeof(*sources));
	if (!sources) {
		reader_out_of_memory(reader);
		return;
	}
	check_sources(reader, tools, sources, collect(policy, sources));
}
