# SPDX-License-Identifier: Apache-2.0
"""The query sets: with their tables granted, the guard allows all that the server plans."""
import os
import re

import statements
import wire
import world
from guard import Grants, Guard, sql_tool


def judge(server, database, schema, texts):
    """(planned by the server, refused by the guard among them, refused by the server)."""
    connection = wire.Connection(server.home, database)
    connection.simple(f'SET search_path = "{schema}"')
    columns = connection.value(
        "SELECT string_agg(relname, ' ') FROM pg_class WHERE relkind IN ('r', 'p')"
        f" AND relnamespace = '\"{schema}\"'::regnamespace").split()
    guard = Guard({"q": sql_tool(Grants(select={table: None for table in columns}), [f'"{schema}"'])})
    guard.take_snapshot(server, database, "q")
    verdicts = guard.decide([("q", text) for text in texts])
    guard.close()
    planned, missed, refused = 0, [], []
    for text, verdict in zip(texts, verdicts):
        result = connection.run("EXPLAIN " + text)
        if result.code:
            refused.append((text, result.message))
            continue
        planned += 1
        if verdict["verdict"] != "allow":
            missed.append((text, f"{verdict.get('reason')}: {verdict.get('message')}"))
    connection.close()
    return planned, missed, refused


def job(server, folder):
    connection = wire.Connection(server.home, "postgres")
    connection.simple("CREATE DATABASE job")
    connection.close()
    connection = wire.Connection(server.home, "job")
    with open(os.path.join(folder, "schema.sql"), encoding="utf-8") as file:
        world.script(connection, file.read())
    connection.close()
    texts = [text for name in sorted(os.listdir(folder)) if re.match(r"\d+[a-z]\.sql", name)
             for text in statements.read(os.path.join(folder, name))]
    return judge(server, "job", "public", texts)


def tpc(server, path, name, schema):
    connection = wire.Connection(server.home, "postgres")
    connection.simple(f"CREATE DATABASE {name}")
    connection.close()
    connection = wire.Connection(server.home, name)
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"^#[^\n]*$", "", file.read(), flags=re.M)
    for statement in schema(text):
        world.script(connection, statement)
    connection.close()
    return judge(server, name, "public", statements.split(text))


def spider(server, folder, some):
    """By database; `some`: the first so many of them."""
    queries = {}
    with open(os.path.join(folder, "gold_example.txt"), encoding="utf-8") as file:
        for line in file:
            text, _, name = line.strip().rpartition("\t")
            if text:
                queries.setdefault(name, []).append(text)
    connection = wire.Connection(server.home, "postgres")
    connection.simple("CREATE DATABASE spider")
    connection.close()
    connection = wire.Connection(server.home, "spider")
    for _, made in world.spider_schemas(folder, queries):
        for statement in made:
            world.script(connection, statement)
    connection.close()
    planned, missed, refused = 0, [], []
    for name in sorted(queries)[:some]:
        found = judge(server, "spider", name, queries[name])
        planned += found[0]
        missed += found[1]
        refused += found[2]
    return planned, missed, refused


def sets(server, corpus, quick):
    """(name, planned, missed, refused) of each set."""
    yield ("JOB",) + job(server, os.path.join(corpus, "sql/job"))
    optimizer = os.path.join(corpus, "sql/sqlglot/tests/fixtures/optimizer")
    yield ("TPC-H",) + tpc(server, f"{optimizer}/tpc-h/tpc-h.sql", "tpch",
                           lambda text: world.tpc_h_schema())
    yield ("TPC-DS",) + tpc(server, f"{optimizer}/tpc-ds/tpc-ds.sql", "tpcds",
                            world.tpc_ds_schema)
    yield ("Spider",) + spider(server, os.path.join(corpus, "sql/spider/evaluation_examples"),
                               4 if quick else None)
