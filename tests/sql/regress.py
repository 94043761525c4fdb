# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL's regression statements, put to a server as a role that holds the manifest's grants,
and to the guard: what the one refuses for want of a right, the other must not allow."""
import collections
import os
import re

import state
import statements
import wire
from guard import Grants, Guard, sql_tool

ROLE = "agent"
# They end the transaction that the comparison lives in; none of them needs a right.
OUTSIDE = re.compile(
    r"(begin|start\s+transaction|commit|end|rollback|abort|prepare\s+transaction|savepoint|release"
    r"|discard|vacuum|create\s+(unique\s+)?index\s+concurrently|set\s+session\s+authorization"
    r"|reset|set\s+role|set\s+(session\s+)?role|cluster|reindex|checkpoint)\b", re.I)
READ = re.compile(r"[(\s]*(select|with|values|table)\b", re.I)
# What the goal leaves aside: the catalog and XML. The suite's own functions are not in the world.
ASIDE = re.compile(
    r"pg_catalog|information_schema|tells of the|who may do what|XML|xml|looks objects up"
    r"|reads other relations|\bon pg_|type reg|regclass|regtype|regproc|regnamespace|regrole")


class Tally:
    def __init__(self, name):
        self.name = name
        self.asked = self.allowed = self.refused = self.permitted = self.passed = self.aside = 0
        self.holes, self.changes = [], []
        self.missed = collections.Counter()
        self.examples = {}

    def share(self):
        return 100.0 * self.passed / self.permitted if self.permitted else 0.0

    def report(self):
        yield (f"{self.name}: {self.asked} statements, the guard allows {self.allowed}; the server "
               f"refuses {self.refused} with 42501, the guard allows {len(self.holes)} of them")
        yield (f"{self.name}: of {self.permitted} SELECTs that the server permits the guard permits "
               f"{self.passed} ({self.share():.1f} %); {self.aside} of catalog and XML aside")
        for text, message in self.holes[:20]:
            yield f"HOLE {self.name}: {' '.join(text.split())[:300]} -- {message}"
        for text, change in self.changes[:20]:
            yield f"CHANGE {self.name}: {' '.join(text.split())[:300]} -- {change}"

    def misses(self):
        for reason, many in self.missed.most_common():
            yield f"{many:5d} {reason}: {self.examples[reason]}"


class Comparison:
    def __init__(self, server, database, watch):
        self.server, self.database, self.watch = server, database, watch
        self.connection = wire.Connection(server.home, database)

    def ask_server(self, text, grants=()):
        """As the role, in a transaction that leaves nothing behind."""
        try:
            self.connection.simple(
                "BEGIN; " + "".join(grant + "; " for grant in grants) +
                f"SET LOCAL statement_timeout = 1000; SET LOCAL ROLE {ROLE}")
            result = self.connection.run(text)
            self.connection.simple("ROLLBACK")
        except ConnectionError:
            self.connection = wire.Connection(self.server.home, self.database)
            return None
        return result

    def compare(self, tally, text, verdict, tables, grants=(), read_only=True):
        allowed = verdict["verdict"] == "allow"
        reads = READ.match(text) is not None
        tally.asked += 1
        tally.allowed += allowed
        result = self.ask_server(text, grants)
        if result is None:
            return
        if result.code == "42501":
            tally.refused += 1
            if allowed:
                tally.holes.append((text, result.message))
        elif result.code is None and reads and result.returns_rows and tables:
            self.count_permitted(tally, text, verdict, allowed)
        if allowed and reads and read_only:
            changed = self.watch.read(text)
            if changed:
                tally.changes.append((text, changed))

    @staticmethod
    def count_permitted(tally, text, verdict, allowed):
        if not allowed and ASIDE.search(verdict.get("message", "")):
            tally.aside += 1
            return
        tally.permitted += 1
        tally.passed += allowed
        if not allowed:
            reason = f"{verdict.get('reason')} ({verdict.get('message', '')[:90]})"
            tally.missed[reason] += 1
            tally.examples.setdefault(reason, " ".join(text.split())[:160])


def corpus(folder, chance, sample):
    """The suite's statements, each text once; a sample of them for the quick form."""
    seen = dict.fromkeys(
        statement
        for name in sorted(os.listdir(folder)) if name.endswith(".sql")
        for statement in statements.read(os.path.join(folder, name))
        if not OUTSIDE.match(statement) and "\0" not in statement)
    texts = list(seen)
    if sample and sample < len(texts):
        texts = [texts[i] for i in sorted(chance.sample(range(len(texts)), sample))]
    return texts


def mentioned(text, columns):
    """The world's tables whose names stand in a statement."""
    return [word for word in dict.fromkeys(re.findall(r"[a-z_][a-z0-9_]*", text.lower()))
            if word in columns]


def subset(chance, items, share):
    chosen = [item for item in items if chance.random() < share]
    return chosen or [chance.choice(items)]


def manifests(chance, columns):
    """By name: whole tables, some columns, changes."""
    tables = sorted(columns)
    yield "whole tables", Grants(select={t: None for t in subset(chance, tables, 0.7)})
    yield "some columns", Grants(select={
        t: subset(chance, columns[t], 0.7) if chance.random() < 0.8 else None for t in tables})
    yield "changes", Grants(
        select={t: None if chance.random() < 0.7 else subset(chance, columns[t], 0.6)
                for t in subset(chance, tables, 0.8)},
        insert={t: None if chance.random() < 0.5 else subset(chance, columns[t], 0.6)
                for t in subset(chance, tables, 0.6)},
        update={t: None if chance.random() < 0.5 else subset(chance, columns[t], 0.6)
                for t in subset(chance, tables, 0.6)},
        delete={t: None for t in subset(chance, tables, 0.5)})


def rotated(chance, tables, columns):
    """Grants for one statement: most of what it names, and something is missing."""
    def some(share_of_tables):
        return {t: None if chance.random() < 0.4 else subset(chance, columns[t], 0.8)
                for t in tables if chance.random() < share_of_tables}
    return Grants(select=some(0.9), insert=some(0.3), update=some(0.3),
                  delete={t: None for t in tables if chance.random() < 0.3})


def run_manifest(server, database, texts, columns, name, grants, comparison, snapshot):
    connection = wire.Connection(server.home, database)
    connection.simple(f"DROP OWNED BY {ROLE}; GRANT USAGE ON SCHEMA public TO {ROLE};"
                      f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {ROLE}")
    for statement in grants.statements(ROLE):
        result = connection.simple(statement)
        if result.code:
            raise RuntimeError(f"{result.message}: {statement}")
    connection.close()
    guard = Guard({"q": sql_tool(grants)}, snapshot)
    tally = Tally(name)
    read_only = set(grants.verbs) <= {"select"}
    for text, verdict in zip(texts, guard.decide([("q", text) for text in texts])):
        comparison.compare(tally, text, verdict, mentioned(text, columns), read_only=read_only)
    guard.close()
    return tally


def run_rotation(server, database, texts, columns, chance, comparison, snapshot):
    connection = wire.Connection(server.home, database)
    connection.simple(f"DROP OWNED BY {ROLE}; GRANT USAGE ON SCHEMA public TO {ROLE};"
                      f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {ROLE}")
    connection.close()
    drawn = []
    for text in texts:
        tables = mentioned(text, columns)[:12]
        if tables:
            drawn.append((text, rotated(chance, tables, columns), tables))
    tally = Tally("rotation")
    for start in range(0, len(drawn), 500):
        batch = drawn[start:start + 500]
        guard = Guard({f"t{i}": sql_tool(grants) for i, (_, grants, _) in enumerate(batch)},
                      snapshot)
        verdicts = guard.decide([(f"t{i}", text) for i, (text, _, _) in enumerate(batch)])
        for (text, grants, tables), verdict in zip(batch, verdicts):
            comparison.compare(tally, text, verdict, tables, tuple(grants.statements(ROLE)),
                               read_only=False)
        guard.close()
    return tally


def take_snapshot(server, database, columns):
    """Of all that any of the manifests grants."""
    guard = Guard({"q": sql_tool(Grants(select={table: None for table in columns}))})
    guard.take_snapshot(server, database, "q")
    with open(guard.snapshot, encoding="utf-8") as file:
        text = file.read()
    guard.close()
    return text


def make_watch(server, database):
    return state.Watch(wire.Connection(server.home, database))
