# SPDX-License-Identifier: Apache-2.0
"""A form for a suite that nobody has reviewed, made of what its honest calls do: used by agentdojo.py
for suites without tools/agentdojo/SUITE.json, and beside those that have one, to tell what review is
worth. One rule for every tool and argument, in the order of the functions below; no suite is known here."""

import re

READS = re.compile(r"^(get|read|list|search|find|check|view|show|fetch|look_?up|count)(_|$)")
KNOWN = r"(?!(?:www\.)?(?:{sites})(?![\p{L}\p{N}@:-]|\.[\p{L}\p{N}]))"
NAME = r"(?:[\p{L}\p{N}-]+\.)+\p{L}{2,}(?![A-Za-z0-9.-]*@)"
LINKS = [r"(?:://|[Ww]{3}\.)" + KNOWN, r"(?:^|[^@\p{L}\p{N}.-])" + KNOWN + NAME, r"@[A-Za-z0-9.-]+[/:]",
         r"[0-9]+(?:\.[0-9]+){3}"]
NO_LINK = r"^(?![\s\S]*(?:" + "|".join(LINKS) + "))"
FORMS_OF_VALUES = [r"[0-9]{4}-[0-9]{2}-[0-9]{2}", r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?",
                   r"[0-9]{2}:[0-9]{2}(?::[0-9]{2})?", r"[0-9]{1,12}"]
# Arguments that are prose; every other text of a tool that acts names something.
PROSE = {"body", "content", "text", "message", "description", "subject", "title", "comment", "note", "notes",
         "summary", "caption", "query", "reason", "location"}
SITES = {"url", "urls", "link", "links", "uri", "website", "site", "page", "webpage", "domain", "href"}
KINDS = [("address", re.compile(r"^[^@\s]+@[^@\s]+$")), ("account", re.compile(r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30}$"))]
AMOUNT_MARGIN = 2  # times the largest that was seen
TEXT_MARGIN = 4
CALLS_MARGIN = 2  # calls more than any task made


def last_word(name):
    return re.split(r"[^a-z]+", name.lower())[-1]


def values_of(argument, calls):
    """Single values: those of a list, one by one."""
    for call in calls:
        value = call["arguments"].get(argument)
        yield from value if isinstance(value, list) else [] if value is None else [value]


def list_of(argument, values):
    """The list that what an argument names belongs to: by the form of the names, else by its own name."""
    for kind, form in KINDS:
        if all(form.match(value) for value in values):
            return kind
    word = last_word(argument)
    return "sites" if word in SITES else word


def schema_of_text(argument, values, reads, lists, source):
    is_site = last_word(argument) in SITES
    if not is_site:
        for form in FORMS_OF_VALUES:
            if all(re.fullmatch(form, value) for value in values):
                return {"type": "string", "pattern": f"^(?:{form})$"}
    if is_site or not (reads or last_word(argument) in PROSE):
        name = list_of(argument, values)
        lists.setdefault(name, []).append(source)
        return {"type": "string", "enum": ["@" + name]}
    return {"type": "string", "maxLength": max(200, TEXT_MARGIN * max(map(len, values))), "pattern": "@text"}


def schema_of(argument, calls, reads, lists, source):
    values = list(values_of(argument, calls))
    is_list = any(isinstance(call["arguments"].get(argument), list) for call in calls)
    if not values:
        one = {"const": None}
    elif all(isinstance(value, bool) for value in values):
        one = {"type": "boolean"}
    elif all(isinstance(value, (int, float)) for value in values):
        whole = all(isinstance(value, int) for value in values)
        one = {"type": "integer" if whole else "number", "minimum": min(0, *values, 0),
               "maximum": AMOUNT_MARGIN * max(1, *values, 1)}
    elif all(isinstance(value, str) for value in values):
        one = schema_of_text(argument, values, reads, lists, source)
    else:
        one = {"enum": [value for value in values if isinstance(value, str)] or [None]}
    if not is_list:
        return one
    longest = max(len(call["arguments"].get(argument) or []) for call in calls)
    return {"type": "array", "items": one, "maxItems": max(1, AMOUNT_MARGIN * longest)}


def tool_of(name, calls, lists):
    reads = bool(READS.match(name))
    arguments = sorted({argument for call in calls for argument in call["arguments"]})
    required = [argument for argument in arguments if all(argument in call["arguments"] for call in calls)]
    by_task = [call["task"] for call in calls]
    return {
        "inputSchema": {
            "type": "object",
            "properties": {one: schema_of(one, calls, reads, lists, f"{name}/{one}") for one in arguments},
            "required": required,
            "additionalProperties": False,
        },
        "effect": "read" if reads else "write",
        "budget": {"calls": CALLS_MARGIN + max(map(by_task.count, by_task))},
    }


def derive_form(suite, calls):
    lists, tools = {"sites": []}, {}
    for name in sorted({call["name"] for call in calls}):
        tools[name] = tool_of(name, [call for call in calls if call["name"] == name], lists)
    return {"lists": lists, "patterns": {"text": NO_LINK},
            "manifest": {"agentpol": 1, "name": "agentdojo-" + suite, "process": {"exec": []}, "tools": tools}}
