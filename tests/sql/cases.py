# SPDX-License-Identifier: Apache-2.0
"""Hand-written cases, which the regression suite misses: what each must get stands in front of it.

cases.sql begins with a script that makes the world (up to a line "-- cases"); then a statement each
behind "-- allow", "-- deny" or "-- deny: what it is". Each goes to the server too, as a role with
the same grants."""
import json
import re

import regress
import state
import wire
import world
from guard import Grants, Guard, sql_tool

GRANTS = Grants(
    select={"customers": ["id", "name"], "orders": None, "notes": ["id", "body"],
            "app.events": None},
    insert={"notes": ["body"], "log": None},
    update={"notes": ["body"], "products": ["price"]},
    delete={"products": None},
)
TOOL = {"search_path": ["public"]}


class Found:
    def __init__(self):
        self.count, self.notes = 0, []
        self.wrong = self.holes = self.changes = 0

    def complain(self, word, text, why):
        self.notes.append(f"{word}: {' '.join(text.split())} -- {why}")


def read(path):
    with open(path, encoding="utf-8") as file:
        made, _, rest = file.read().partition("-- cases\n")
    listed = []
    for wanted, text in re.findall(r"^-- (allow|deny)[^\n]*\n((?:(?!-- )[^\n]*\n)+)", rest, re.M):
        text = text.strip()
        listed.append((wanted, text[:-1] if text.endswith(";") else text))
    return made, listed


def run(server, path):
    made, listed = read(path)
    connection = wire.Connection(server.home, "postgres")
    connection.simple("CREATE DATABASE cases")
    connection.simple(f"CREATE ROLE {regress.ROLE}")
    connection.close()
    connection = wire.Connection(server.home, "cases")
    world.script(connection, made)
    for statement in [f"GRANT USAGE ON SCHEMA app TO {regress.ROLE}",
                      f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {regress.ROLE}",
                      *GRANTS.statements(regress.ROLE)]:
        world.script(connection, statement)
    before = state.contents(connection)
    guard = Guard({"q": sql_tool(GRANTS, **TOOL)})
    guard.take_snapshot(server, "cases", "q")
    verdicts = guard.decide([("q", text) for _, text in listed])
    guard.close()
    found = Found()
    watch = regress.make_watch(server, "cases")
    comparison = regress.Comparison(server, "cases", watch)
    for (wanted, text), verdict in zip(listed, verdicts):
        found.count += 1
        allowed = verdict["verdict"] == "allow"
        if allowed != (wanted == "allow"):
            found.wrong += 1
            found.complain("WRONG", text, f"{wanted} is wanted: {json.dumps(verdict)}")
        if regress.OUTSIDE.match(text):
            continue
        result = comparison.ask_server(text)
        if result and result.code == "42501" and allowed:
            found.holes += 1
            found.complain("HOLE", text, result.message)
        if allowed and regress.READ.match(text) and not re.search(r"\bfor\s+update\b", text, re.I):
            changed = watch.read(text)
            if changed:
                found.changes += 1
                found.complain("CHANGE", text, changed)
        if wanted == "allow" and result and result.code:
            found.complain("note", text, f"the server says {result.code} {result.message}")
    if state.contents(connection) != before:
        found.changes += 1
        found.notes.append("CHANGE: tables have other contents than before")
    connection.close()
    return found
