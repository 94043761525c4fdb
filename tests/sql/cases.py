# SPDX-License-Identifier: Apache-2.0
"""Hand-written cases, which the regression suite misses: what each must get stands in front of it.

cases.sql begins with a script that makes the world (up to a line "-- cases"); then a statement each
behind "-- allow", "-- deny" or "-- deny: what it is". Each goes to the server too, as a role with
the same grants."""
import json
import os
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
    update={"notes": ["body"], "products": ["price"], "tickets": None},
    delete={"products": None},
)
TOOL = {"search_path": ["public"], "functions": ["setval"]}


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
    # What would take the parser's stack away.
    listed.append(("deny", "SELECT 1" + "+1" * 20000))
    listed.append(("deny", "SELECT " + "/*" * 40 + "*/" * 40 + " 1"))
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


# Objects that would have a say in the snapshot's statement, if it left them one.
HOSTILE = """
CREATE SCHEMA evil;
CREATE DOMAIN evil.text AS integer; CREATE DOMAIN evil.name AS integer;
CREATE DOMAIN evil.json AS integer; CREATE DOMAIN evil.oid AS bigint;
CREATE VIEW evil.pg_class AS SELECT 1; CREATE VIEW evil.pg_proc AS SELECT 1;
CREATE VIEW evil.pg_namespace AS SELECT 1; CREATE VIEW evil.pg_attribute AS SELECT 1;
CREATE FUNCTION evil.same(name, name) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT 1/0 = 1';
CREATE FUNCTION evil.same(oid, oid) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT 1/0 = 1';
CREATE FUNCTION evil.same("char", "char") RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT 1/0 = 1';
CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = name, FUNCTION = evil.same);
CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.same);
CREATE OPERATOR evil.<> (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.same);
CREATE OPERATOR evil.= (LEFTARG = "char", RIGHTARG = "char", FUNCTION = evil.same);
CREATE FUNCTION evil.json_agg(json) RETURNS json LANGUAGE sql IMMUTABLE AS 'SELECT NULL::pg_catalog.json';
CREATE FUNCTION evil.to_json(pg_catalog.text) RETURNS json LANGUAGE sql IMMUTABLE AS 'SELECT NULL::pg_catalog.json';
CREATE FUNCTION evil.has_schema_privilege(pg_catalog.oid, pg_catalog.text) RETURNS boolean
 LANGUAGE sql IMMUTABLE AS 'SELECT 1/0 = 1'
"""


def snapshots_agree(server):
    """Is the snapshot the same under a search_path full of traps, and with backslashes escaping?"""
    connection = wire.Connection(server.home, "cases")
    world.script(connection, HOSTILE)
    connection.close()
    guard = Guard({"q": sql_tool(GRANTS, **TOOL)})
    texts = set()
    for options in ("", "-c search_path=evil,pg_catalog", "-c standard_conforming_strings=off",
                    "-c default_transaction_read_only=on", "-c DateStyle=German"):
        os.environ["PGOPTIONS"] = options
        guard.take_snapshot(server, "cases", "q")
        with open(guard.snapshot, encoding="utf-8") as file:
            texts.add(file.read())
    del os.environ["PGOPTIONS"]
    guard.close()
    return len(texts) == 1
