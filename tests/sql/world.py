# SPDX-License-Identifier: Apache-2.0
"""Databases to ask: the tables of PostgreSQL's regression suite, and those of the query sets."""
import json
import os
import re

import statements

FILLED = """
INSERT INTO onek SELECT i, i, i % 2, i % 4, i % 10, i % 20, i % 100, i % 200, i % 500, i, i,
 2 * (i % 100), 2 * (i % 100) + 1, 'AAAA' || i, 'BAAA' || i, 'HHHH' FROM generate_series(0, 199) i;
INSERT INTO tenk1 SELECT i, i, i % 2, i % 4, i % 10, i % 20, i % 100, i % 200, i % 500, i, i,
 2 * (i % 100), 2 * (i % 100) + 1, 'AAAA' || i, 'BAAA' || i, 'HHHH' FROM generate_series(0, 199) i;
INSERT INTO onek2 SELECT * FROM onek;
INSERT INTO tenk2 SELECT * FROM tenk1;
"""
MADE = re.compile(
    r"create\s+(?:(?:global\s+|local\s+)?temp(?:orary)?\s+|unlogged\s+|recursive\s+)*"
    r"(table|view|type|domain)\b", re.I)
TEMPORARY = re.compile(r"^create\s+(?:(?:global|local)\s+)?temp(?:orary)?\s+", re.I)


def make_regress(connection, folder):
    """Each table, view, type and domain that some script of the suite makes, the first of a name,
    and what is inserted into them; no functions, operators and casts."""
    connection.simple("SET statement_timeout = '300ms'; SET client_min_messages = error")
    for statement in statements.read(os.path.join(folder, "test_setup.sql")):
        if not re.match(r"(vacuum|set|grant|create\s+function)", statement, re.I):
            connection.simple(statement)
    connection.simple(FILLED)
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".sql") or name == "test_setup.sql":
            continue
        for statement in statements.read(os.path.join(folder, name)):
            if MADE.match(statement):
                connection.simple(TEMPORARY.sub("CREATE ", statement))
            elif re.match(r"insert\s+into", statement, re.I):
                connection.simple(statement)
    connection.simple("RESET ALL")
    connection.simple("RESET SESSION AUTHORIZATION")


def columns_of(connection, schema="public"):
    """{table or view: [columns]} of a schema; names that stand in SQL without quotation marks."""
    rows = connection.value(
        "SELECT json_object_agg(c.relname, (SELECT coalesce(json_agg(a.attname ORDER BY a.attnum),"
        " '[]') FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0"
        " AND NOT a.attisdropped)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE n.nspname = '{schema}' AND c.relkind IN ('r', 'p', 'v', 'm')"
        " AND c.relname ~ '^[a-z_][a-z0-9_]*$' AND NOT EXISTS (SELECT FROM pg_class o"
        " WHERE o.relname = c.relname AND o.relnamespace = 'pg_catalog'::regnamespace)")
    return {name: columns for name, columns in json.loads(rows or "{}").items() if columns}


def script(connection, text):
    for statement in statements.split(text):
        result = connection.simple(statement)
        if result.code:
            raise RuntimeError(f"{result.message}: {statement[:200]}")


TPC_H = {
    "region": "r_regionkey:i r_name r_comment",
    "nation": "n_nationkey:i n_name n_regionkey:i n_comment",
    "supplier": "s_suppkey:i s_name s_address s_nationkey:i s_phone s_acctbal:n s_comment",
    "customer": "c_custkey:i c_name c_address c_nationkey:i c_phone c_acctbal:n c_mktsegment"
                " c_comment",
    "part": "p_partkey:i p_name p_mfgr p_brand p_type p_size:i p_container p_retailprice:n"
            " p_comment",
    "partsupp": "ps_partkey:i ps_suppkey:i ps_availqty:i ps_supplycost:n ps_comment",
    "orders": "o_orderkey:i o_custkey:i o_orderstatus o_totalprice:n o_orderdate:d o_orderpriority"
              " o_clerk o_shippriority:i o_comment",
    "lineitem": "l_orderkey:i l_partkey:i l_suppkey:i l_linenumber:i l_quantity:n"
                " l_extendedprice:n l_discount:n l_tax:n l_returnflag l_linestatus l_shipdate:d"
                " l_commitdate:d l_receiptdate:d l_shipinstruct l_shipmode l_comment",
}
TYPES = {"i": "integer", "n": "numeric", "d": "date", "t": "text"}
TPC_DS = {
    "call_center": "cc", "catalog_page": "cp", "catalog_returns": "cr", "catalog_sales": "cs",
    "customer": "c", "customer_address": "ca", "customer_demographics": "cd", "date_dim": "d",
    "household_demographics": "hd", "income_band": "ib", "inventory": "inv", "item": "i",
    "promotion": "p", "reason": "r", "ship_mode": "sm", "store": "s", "store_returns": "sr",
    "store_sales": "ss", "time_dim": "t", "warehouse": "w", "web_page": "wp", "web_returns": "wr",
    "web_sales": "ws", "web_site": "web",
}


def tpc_h_schema():
    for table, columns in TPC_H.items():
        made = (f"{name} {TYPES[kind or 't']}" for name, _, kind in
                (word.partition(":") for word in columns.split()))
        yield f"CREATE TABLE {table} ({', '.join(made)})"


def tpc_ds_type(column):
    if re.search(r"_date$", column):
        return "date"
    if re.search(r"(_sk|number|quantity|qty|_year|_moy|_dom|_qoy|_dow|_seq|count|_size|_hour|_minute"
                 r"|_bound|_id_int|on_hand|_day|_month|_offset|employees|_time|manager_id|_space"
                 r"|manufact_id|_id_number|brand_id|class_id|category_id|market_id|_estimate)$",
                 column):
        return "integer"
    if re.search(r"(amt|price|cost|tax|paid|profit|sales|discount|loss|cash|fee|credit|charge"
                 r"|percentage|ship_cost|_amount|gmt_offset)(_inc_tax|_inc_ship|_inc_ship_tax)?$",
                 column):
        return "numeric"
    return "text"


def tpc_ds_schema(text):
    """The columns that the queries use, by their prefix; the set brings no schema along."""
    for table, prefix in TPC_DS.items():
        used = sorted(set(re.findall(rf'"[a-z_0-9]+"\."({prefix}_[a-z_0-9]+)"', text)))
        columns = [f'"{column}" {tpc_ds_type(column)}' for column in used]
        yield f"CREATE TABLE {table} ({', '.join(columns)})"


def spider_schemas(folder, wanted):
    """{database: [statements]}: each database as a schema of its own, names folded."""
    with open(os.path.join(folder, "examples", "tables.json"), encoding="utf-8") as file:
        databases = json.load(file)
    kinds = {"number": "numeric", "time": "timestamp", "boolean": "text"}
    for database in databases:
        name = database["db_id"]
        if name not in wanted:
            continue
        made = [f'CREATE SCHEMA "{name}"']
        for number, table in enumerate(database["table_names_original"]):
            columns = [
                f'"{column.lower()}" {kinds.get(kind, "text")}'
                for (owner, column), kind in
                zip(database["column_names_original"], database["column_types"]) if owner == number
            ]
            made.append(f'CREATE TABLE "{name}"."{table.lower()}" ({", ".join(columns)})')
        yield name, made
