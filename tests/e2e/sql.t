#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `agentpol sql`, and requests of kind sql to `agentpol decide`: what is printed, and the exit codes.
set -u
agentpol=${BUILD:-build}/agentpol
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0

is() { # DESCRIPTION GOT WANTED
  count=$((count + 1))
  if [ "$2" = "$3" ]; then
    echo "ok $count - $1"
  else
    printf 'not ok %d - %s\n' "$count" "$1"
    printf 'got:    %s\nwanted: %s\n' "$2" "$3" | sed 's/^/# /'
  fi
}
sql() { # ARGUMENTS...; sets $out and $status
  out=$("$agentpol" sql "$@" 2>"$work/err")
  status=$?
}
decide() { # ARGUMENTS -- REQUESTS...
  local arguments=()
  while [ "$1" != -- ]; do arguments+=("$1"); shift; done
  shift
  out=$(printf '%s\n' "$@" | "$agentpol" decide -m "$work/m.json" "${arguments[@]}" 2>"$work/err")
  status=$?
}

cat >"$work/m.json" <<'JSON'
{"agentpol": 1, "name": "shop",
 "tools": {"query": {"sql": {"engine": "postgresql", "server": "localhost:5432",
                             "allow": [{"select": ["orders", "customers(id, name)"]}]}},
           "bare": {}}}
JSON
cat >"$work/schema" <<'JSON'
{"version": 1, "relations": [
  {"schema": "public", "name": "orders", "kind": "r", "columns": ["id", "total"]},
  {"schema": "public", "name": "customers", "kind": "r", "columns": ["id", "name", "ssn"]}],
 "functions": [], "operators": []}
JSON

# ---- accesses ----

sql "SELECT c.name, sum(total) FROM customers c JOIN app.orders o USING (id) GROUP BY 1"
is "without a manifest the accesses are listed" "$out" \
  "relation  read    public.customers (id, name, total)
relation  read    app.orders (id, total)
function  call    sum"
is "and that is 0" "$status" 0
sql "DELETE FROM orders USING x WHERE orders.id = x.id"
is "writes are told from reads" "$out" \
  "relation  delete  public.orders (*)
relation  read    public.x (id)
relation  read    public.orders (id)"
sql "DROP TABLE orders"
is "what is no query is told" "$out $status" "deny: DROP TABLE is not granted 1"
sql --format json "SELECT 1 FROM t"
is "JSON has the statement and its accesses" "$out" \
  '{"statement":"query","accesses":[{"kind":"relation","use":"read","schema":"public","name":"t","columns":[]}]}'
out=$(echo "SELECT * FROM t" | "$agentpol" sql -)
is "a text is read from standard input" "$out" "relation  read    public.t (*)"
sql $'SELECT * FROM "a\x1b[2Jb"'
is "nothing in a statement steers a terminal" "$out" "relation  read    public.a?[2Jb (*)"

# ---- verdicts ----

sql -m "$work/m.json" "SELECT id, name FROM customers"
is "a granted statement is allowed by its rule" "$out" \
  "relation  read    public.customers (id, name)
allow  [/tools/query/sql/allow/0]"
is "and that is 0" "$status" 0
sql -m "$work/m.json" --tool query "SELECT ssn FROM customers"
is "a denial has its sentence and its edit" "$out" \
  'relation  read    public.customers (ssn)
deny: select on column ssn of customers is not granted  [/tools/query/sql/allow/0]
to allow it: add /tools/query/sql/allow/- {"select":["customers(ssn)"]}'
is "and that is 1" "$status" 1
sql -m "$work/m.json" "SELECT o.total FROM orders o"
is "offline it says what it assumes" "$out" \
  "relation  read    public.orders (total)
allow  [/tools/query/sql/allow/0]
assumes: total is a column of orders"
sql -m "$work/m.json" --schema "$work/schema" "SELECT o.total FROM orders o"
is "with a snapshot nothing is assumed" "$(tail -1 <<<"$out")" "allow  [/tools/query/sql/allow/0]"
sql -m "$work/m.json" --schema "$work/schema" "SELECT o.purge FROM orders o"
is "with a snapshot, a name that is no column is a call" "$out $status" \
  "relation  read    public.orders
deny: o.purge names no column, and would be a call of a function purge  [/tools/query/sql/allow] 1"
sql -f json -m "$work/m.json" "SELECT pg_sleep(1)"
is "a verdict as JSON" "$(sed -E 's/.*"verdict"/"verdict"/; s/ \([^)]*\)//' <<<"$out")" \
  '"verdict":"deny","reason":"sql-function","rule":"/tools/query/sql/functions","message":"function pg_sleep is not granted","hint":{"op":"add","path":"/tools/query/sql/functions","value":["pg_sleep"]}}'
sql -m "$work/m.json" "SELECT 1; SELECT 2"
is "two statements are one too many" "$out" \
  "deny: 2 statements in one message; one at a time is granted  [/tools/query/sql/allow]"

# ---- what is unusable ----

for arguments in "" "--format xml SELECT" "--tool query SELECT" "a b" "-m $work/nothing SELECT" \
  "-m $work/m.json --schema $work/nothing SELECT" "-m $work/m.json --schema $work/m.json SELECT" \
  "-m $work/m.json --tool bare SELECT" "-m $work/m.json --tool other SELECT" "--bogus SELECT"; do
  # shellcheck disable=SC2086
  sql $arguments
  is "'agentpol sql ${arguments//$work/DIR}' is 2, with a sentence" "$status $([ -s "$work/err" ] && echo said)" "2 said"
done

# ---- agentpol decide ----

decide -- '{"id": 7, "kind": "sql", "tool": "query", "sql": "SELECT * FROM orders"}'
is "decide allows what is granted" "$out $status" '{"id":7,"verdict":"allow","rule":"/tools/query/sql/allow/0"} 0'
decide -- '{"id": 8, "kind": "sql", "tool": "query", "sql": "DROP TABLE orders"}'
is "and denies what is not" "$out $status" \
  '{"id":8,"verdict":"deny","reason":"sql-statement","rule":"/tools/query/sql/allow","message":"DROP TABLE is not granted"} 1'
decide -- '{"kind": "sql", "tool": "query", "sql": "SELECT id, o.total FROM orders o"}'
is "assumptions are a list" "$out" \
  '{"id":null,"verdict":"allow","rule":"/tools/query/sql/allow/0","assumes":["id is a column of orders","total is a column of orders"]}'
decide --schema "$work/schema" -- '{"kind": "sql", "tool": "query", "sql": "SELECT o.total FROM orders o"}' \
  '{"kind": "sql", "tool": "query", "sql": "SELECT nothing FROM orders o"}'
is "a snapshot takes their place" "$(sed -E 's/,"message.*//' <<<"$out" | tr '\n' ' ')" \
  '{"id":null,"verdict":"allow","rule":"/tools/query/sql/allow/0"} {"id":null,"verdict":"deny","reason":"sql-column","rule":"/tools/query/sql/allow" '
decide -- '{"kind": "sql", "tool": "bare", "sql": "SELECT 1"}' '{"kind": "sql", "tool": "nobody", "sql": "SELECT 1"}'
is "a tool without \"sql\" may run none" "$(sed -E 's/,"message.*//' <<<"$out" | tr '\n' ' ')" \
  '{"id":null,"verdict":"deny","reason":"tool","rule":"/tools/bare/sql" {"id":null,"verdict":"deny","reason":"tool","rule":"/tools" '
is "which is 1" "$status" 1
decide -- '{"kind": "sql", "sql": "SELECT 1"}' '{"kind": "sql", "tool": "query"}' '{"kind": "sql", "tool": "query", "sql": 1}'
is "SQL has a tool and a text" "$(grep -c '"verdict":"error"' <<<"$out") $status" "3 2"
decide -- '{"kind": "sql", "tool": "query", "sql": ""}'
is "no statement is none to deny" "$out" '{"id":null,"verdict":"allow"}'
sed -i 's/"name"/"mode": "audit", "name"/' "$work/m.json"
decide -- '{"kind": "sql", "tool": "query", "sql": "DROP TABLE orders"}' '{"kind": "sql", "tool": "bare", "sql": "SELECT 1"}'
is "in audit mode it would be denied" "$(grep -c would-deny <<<"$out")" 2

echo "1..$count"
