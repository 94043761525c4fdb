// SPDX-License-Identifier: Apache-2.0
/*
 * The order of tools: do the names in requires and forbids_after exist, and do both together have
 * no cycle? An edge runs from the tool that comes first to the one that comes later.
 */
#include "manifest/reader.h"

#include <string.h>

struct edge {
	size_t later;
	size_t next; /* the next edge from the same tool, plus one; 0 is none */
};

struct graph {
	size_t tools;
	struct edge *edges; /* owned */
	size_t edge_count;
	size_t *first;	/* owned; per tool: its first edge plus one */
	size_t *before; /* owned; per tool: how many unplaced tools come before it */
	size_t *queue;	/* owned */
};

static void graph_free(struct graph *graph)
{
	free(graph->edges);
	free(graph->first);
	free(graph->before);
	free(graph->queue);
}
#define _cleanup_graph_ __attribute__((cleanup(graph_free)))

static int compare_tools(const void *left, const void *right)
{
	const struct tool *a = *(const struct tool *const *)left;
	const struct tool *b = *(const struct tool *const *)right;

	return strcmp(a->name, b->name);
}

static int compare_name(const void *name, const void *element)
{
	return strcmp(name, (*(const struct tool *const *)element)->name);
}

const struct tool *reader_find_tool(const struct reader *reader, const char *name)
{
	const struct tool **found;

	if (!reader->tools_by_name || !name)
		return NULL;
	found = bsearch(name, reader->tools_by_name, reader->policy->tool_count, sizeof(*found),
			compare_name);
	return found ? *found : NULL;
}

static bool index_tools(struct reader *reader)
{
	const struct policy *policy = reader->policy;

	reader->tools_by_name = calloc(policy->tool_count + 1, sizeof(*reader->tools_by_name));
	for (size_t i = 0; i < policy->tool_count; i++)
		if (!reader->tools_by_name || !policy->tools[i].name)
			return false;
		else
			reader->tools_by_name[i] = &policy->tools[i];
	if (!reader->tools_by_name)
		return false;
	qsort(reader->tools_by_name, policy->tool_count, sizeof(*reader->tools_by_name),
	      compare_tools);
	return true;
}

static size_t count_references(const struct policy *policy)
{
	size_t count = 0;

	for (size_t i = 0; i < policy->tool_count; i++)
		count += policy->tools[i].requires_count + policy->tools[i].forbids_after.count;
	return count;
}

static bool graph_init(struct graph *graph, const struct policy *policy)
{
	graph->tools = policy->tool_count;
	graph->edges = calloc(count_references(policy) + 1, sizeof(*graph->edges));
	graph->first = calloc(graph->tools + 1, sizeof(*graph->first));
	graph->before = calloc(graph->tools + 1, sizeof(*graph->before));
	graph->queue = calloc(graph->tools + 1, sizeof(*graph->queue));
	return graph->edges && graph->first && graph->before && graph->queue;
}

static void add_edge(struct graph *graph, size_t earlier, size_t later)
{
	graph->edges[graph->edge_count++] = (struct edge){later, graph->first[earlier]};
	graph->first[earlier] = graph->edge_count;
	graph->before[later]++;
}

/* The name that a list's item refers to; NULL where it has none that could be read. */
static const json_value *reference_of(const json_value *item)
{
	return json_is_object(item) ? json_member(item, "tool") : item;
}

/* Reports an unknown name; `item` is a string of the list, or an object with "tool". */
static const struct tool *resolve(struct reader *reader, const json_value *item)
{
	const json_value *reference = reference_of(item);
	const char *name = json_as_string(reference);
	const struct tool *tool = reader_find_tool(reader, name);
	char shown[SHOWN_TEXT_MAX];
	const char *near;

	if (tool || !name)
		return tool;
	near = reader_suggest(reader, name, &reader->policy->tools[0].name,
			      reader->policy->tool_count, sizeof(struct tool));
	reader_show(shown, name);
	if (near)
		reader_error(reader, reference, CODE_UNKNOWN_TOOL,
			     "there is no tool \"%s\"; did you mean \"%s\"?", shown, near);
	else
		reader_error(reader, reference, CODE_UNKNOWN_TOOL,
			     "there is no tool \"%s\"; add it to tools, or remove it here", shown);
	return NULL;
}

static void add_references(struct reader *reader, const json_value *tool_value, const char *key,
			   size_t self, struct graph *graph)
{
	const json_value *list = json_member(tool_value, key);
	size_t outer = reader_push_key(reader, key), index = 0;
	bool requires = strcmp(key, "requires") == 0;

	if (json_is_array(list)) {
		json_for_each (item, list) {
			size_t before = reader_push_index(reader, index++);
			const struct tool *other;

			if (json_is_object(item))
				(void)reader_push_key(reader, "tool");
			other = resolve(reader, item);
			if (other && requires)
				add_edge(graph, (size_t)(other - reader->policy->tools), self);
			else if (other)
				add_edge(graph, self, (size_t)(other - reader->policy->tools));
			reader_pop(reader, before);
		}
	}
	reader_pop(reader, outer);
}

/* Places tool after tool whose predecessors are placed (Kahn); what stays has `before` left. */
static size_t place_all(struct graph *graph)
{
	size_t head = 0, tail = 0;

	for (size_t i = 0; i < graph->tools; i++)
		if (graph->before[i] == 0)
			graph->queue[tail++] = i;
	while (head < tail) {
		size_t at = graph->first[graph->queue[head++]];

		for (; at; at = graph->edges[at - 1].next)
			if (--graph->before[graph->edges[at - 1].later] == 0)
				graph->queue[tail++] = graph->edges[at - 1].later;
	}
	return tail;
}

/* Any tool that stays has one before it that stays too: walking back must come round. */
static size_t find_on_cycle(const struct graph *graph, size_t *earlier)
{
	size_t at = 0, least;

	for (size_t tool = 0; tool < graph->tools; tool++) {
		if (graph->before[tool] == 0)
			continue;
		at = tool;
		for (size_t edge = graph->first[tool]; edge; edge = graph->edges[edge - 1].next)
			if (graph->before[graph->edges[edge - 1].later])
				earlier[graph->edges[edge - 1].later] = tool;
	}
	/* So many steps lead onto the cycle from wherever they began. */
	for (size_t i = 0; i < graph->tools; i++)
		at = earlier[at];
	/* The cycle is told from the tool that stands first in the file. */
	least = at;
	for (size_t next = earlier[at]; next != at; next = earlier[next])
		if (next < least)
			least = next;
	return least;
}

static void report_cycle(struct reader *reader, const json_value *tools, struct graph *graph)
{
	const struct tool *all = reader->policy->tools;
	size_t *earlier = graph->queue; /* free to use: placing is over */
	size_t start = find_on_cycle(graph, earlier), at = start;
	char text[512];
	size_t used;

	used = (size_t)snprintf(text, sizeof(text), "\"%s\"", all[start].name);
	do {
		at = earlier[at];
		if (used < sizeof(text))
			used += (size_t)snprintf(text + used, sizeof(text) - used,
						 " must come after \"%s\"%s", all[at].name,
						 at == start ? "" : ", which");
	} while (at != start);
	reader_error_at_key(reader, tools, all[start].name, CODE_CYCLE,
			    earlier[start] == start
				    ? "%s%s; to allow one call alone, write \"budget\": "
				      "{\"calls\": 1}"
				    : "the order has a cycle: %s%s; remove one of these",
			    text, used < sizeof(text) ? "" : "...");
}

void read_order(struct reader *reader, const json_value *tools)
{
	_cleanup_graph_ struct graph graph = {0};
	size_t self = 0;

	if (!index_tools(reader) || !graph_init(&graph, reader->policy)) {
		reader_out_of_memory(reader);
		return;
	}
	json_for_each (tool, tools) {
		size_t before = reader_push_key(reader, json_key_of(tool));

		add_references(reader, tool, "requires", self, &graph);
		add_references(reader, tool, "forbids_after", self, &graph);
		reader_pop(reader, before);
		self++;
	}
	if (place_all(&graph) < graph.tools)
		report_cycle(reader, tools, &graph);
}
