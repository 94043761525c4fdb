/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that read or look up what no node of theirs names as such: as in sql_cases.h, whose letters
 * and policy these have too.
 */
#ifndef AGENTPOL_TESTS_SQL_HIDDEN_CASES_H
#define AGENTPOL_TESTS_SQL_HIDDEN_CASES_H

#include "tests/unit/sql_cases.h"

static const struct sql_case sql_hidden_cases[] = {
	/* ---- regclass makes a relation of each number and text that becomes of its type ---- */
	{"TT", "SELECT ARRAY['orders'::regclass, 16390]"},
	{"TT", "SELECT coalesce('secret', 'orders'::regclass)"},
	{"TT", "SELECT coalesce($1, 'orders'::regclass)"},
	{"TT", "SELECT greatest(tableoid::regclass, 16390) FROM orders"},
	{"TT", "SELECT CASE WHEN id = 1 THEN tableoid::regclass ELSE 16390 END FROM orders"},
	{"TT", "SELECT lag(tableoid::regclass, 1, 'secret') OVER () FROM orders"},
	{"TT", "SELECT tableoid::regclass IN ('secret', 'orders') FROM orders"},
	{"TT", "SELECT 'secret' IN ('orders'::regclass, 'orders'::regclass)"},
	{"TT", "SELECT 'orders'::regclass UNION SELECT 16390"},
	{"TT", "SELECT 16390 UNION SELECT tableoid::regclass FROM orders"},
	{"TT", "VALUES ('orders'::regclass), ('secret')"},
	{"TT", "SELECT * FROM (SELECT 'orders'::regclass a) x FULL JOIN (SELECT 1 a) y USING (a)"},
	{"TT", "WITH x AS (SELECT 'orders'::regclass a) SELECT coalesce(a, 'secret') FROM x"},
	{"TT", "SELECT coalesce((SELECT 'orders'::regclass), 'secret')"},
	{"TT", "SELECT 'orders'::regclass || ARRAY[16390]"},
	{"TT", "SELECT ARRAY['array_in'::regproc, 16390]"},
	{"TT", "SELECT (('orders'::regclass)) COLLATE \"C\""},
	{"AA",
	 "SELECT 'orders'::regclass, 'orders'::regclass::oid, tableoid::regclass FROM orders"},
	{"AA", "SELECT 1 FROM orders WHERE tableoid = 'orders'::regclass"},
	{"AA", "SELECT 1 FROM orders WHERE tableoid <> ALL (array[1]) AND tableoid::regclass > 1"},
	{"AA", "SELECT 1 FROM pg_type WHERE typinput IN ('array_in'::regproc, 'enum_in'::regproc)"},
	{"AA", "SELECT CASE WHEN typinput = 'array_in'::regproc THEN 1 END FROM pg_type"},
	{"AA", "SELECT concat(tableoid::regclass::text) FROM orders"},
	{"AA", "SELECT coalesce(pg_typeof(1), 'int4')"},

	/* ---- a view and a join have no ctid: the one further out is meant ---- */
	{"AC", "SELECT (SELECT xmin FROM app.notes LIMIT 1) FROM customers"},
	{"CC", "SELECT (SELECT ctid FROM (orders o JOIN (VALUES (1)) v(a) ON true) LIMIT 1) FROM "
	       "customers"},
	{"CC", "SELECT (SELECT ctid FROM (orders o JOIN (VALUES (1)) v(a) ON true) j LIMIT 1) "
	       "FROM customers"},
	{"AC", "SELECT ctid FROM orders o JOIN app.notes n ON true"},
	{"AA", "SELECT (SELECT ctid FROM orders LIMIT 1) FROM customers"},

	/* ---- what ORDER BY and GROUP BY name, where the results are not all known ---- */
	{"CC", "SELECT (o2).*, name FROM json_each('{}') o2, customers c ORDER BY c"},
	{"CC", "SELECT (o2).*, name FROM json_each('{}') o2, customers c ORDER BY ssn"},
	{"CC", "SELECT name FROM customers WHERE EXISTS (SELECT (o2).* FROM json_each('{}') o2 "
	       "ORDER BY ssn)"},
	{"AA", "SELECT (o2).* FROM json_each('{}') o2 ORDER BY key"},
	{"CC", "SELECT (SELECT 1 AS ssn GROUP BY ROW(ssn)) FROM customers"},
	{"CA", "SELECT name AS a, id AS b FROM customers GROUP BY (a, b)"},
};

/* With "catalog": "none", only orders granted, and pg_relation_size. */
static const struct sql_case sql_no_catalog_cases[] = {
	{"TT", "SELECT ARRAY[pg_typeof(1), 16390]"},
	{"TT", "SELECT coalesce('secret', pg_typeof(1))"},
	{"TT", "SELECT pg_typeof(1) || ARRAY[16390]"},
	{"TT", "SELECT first_value(pg_typeof(1)) OVER () FROM orders"},
	{"TT", "SELECT t FROM pg_typeof(1) t"},
	{"TT", "SELECT coalesce(get_current_ts_config(), 'secret')"},
	{"AA", "SELECT pg_typeof(1), pg_typeof(id)::text FROM orders"},
	{"AA", "SELECT id FROM orders WHERE pg_typeof(id) = 'int4'::regtype"},
	{"AA", "SELECT pg_relation_size('orders'::regclass)"},
	{"RR", "SELECT pg_relation_size('secret'::regclass)"},
	{"RR", "SELECT typname FROM pg_type"},
};

#endif
