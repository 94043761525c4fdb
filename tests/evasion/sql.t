#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What an agent tries over an SQL connection that the guard holds: each statement by psql, by
# node-postgres (simple and prepared) and by asyncpg, each breach of the protocol by a raw client, on
# a superuser's session, so that nothing but the guard denies. What reached the server is read from
# its own log; what changed, from a dump. The same clients without a guard are the control.
# shellcheck source=tests/e2e/lib.sh
set -u
. tests/e2e/lib.sh
world_up sql-evasion
# shellcheck source=tests/e2e/postgres.sh
. tests/e2e/postgres.sh
pg_there || skip_all "no PostgreSQL here"
here=tests/evasion/sql
attempts=$here/statements.txt
cp "$build/tests/tools/pgraw" "$work/bin/"

pg_up "$work/pg" 5432 "$granted" "ssl=off" -- "${far[@]}" || skip_all "PostgreSQL does not start: $(tail -n 1 "$work/pg/log")"
pg_shop || skip_all "the database can't be made"
before=$(pg_digest)

sed "s/127.0.0.1:5432/$granted:5432/" policies/orders-database.json |
  jq --arg name "$name" '.name = $name | .tools[].sql.tls = "disable"' >"$work/m.json"
cat >"$work/policyd.json" <<JSON
{"log": "$work/log", "socket": "$work/policyd.sock", "state": "$work/agents", "pin": "/sys/fs/bpf/agentpol-$name"}
JSON
"${near[@]}" "$policyd" --config "$work/policyd.json" --foreground >"$work/policyd.out" 2>&1 &
policyd_pid=$!
children+=("$policyd_pid")
wait_for 10 holds "$work/policyd.out" "serving at" || skip_all "policyd does not start: $(tail -n 1 "$work/policyd.out")"

guarded() { "${near[@]}" "$agentpol" run -q --socket "$work/policyd.sock" -m "$work/m.json" --tool query_orders -- "$@" 2>>"$work/run.err"; }
open() { "${near[@]}" "$@"; }

ok "a granted question is answered" guarded timeout 20 psql -X -q -At -h "$granted" -U orders_bot -d shop -c "SELECT id FROM orders WHERE id = 7"
if [ "$failed" -gt 0 ]; then
  echo "Bail out! the guard does not serve: $(tail -n 1 "$work/policyd.out")"
  exit 1
fi

# ---- clients ----

clients=(psql node-simple node-prepared asyncpg)
python=""
for candidate in /usr/bin/python3 python3; do
  if quietly "$candidate" -c "import asyncpg"; then python=$candidate && break; fi
done
node_modules=""
for candidate in /usr/share/nodejs "${AGENTPOL_NODE_MODULES:-/var/cache/agentpol-tests/node_modules}"; do
  if [ -d "$candidate/pg" ]; then node_modules=$candidate && break; fi
done
client() { # CLIENT AROUND; prints NAME, tab, outcome
  case $1 in
    psql) "$2" timeout 90 bash "$here/client.sh" "$granted" 5432 orders_bot shop ;;
    node-*) "$2" timeout 90 env NODE_PATH="$node_modules" node "$here/client.cjs" "$granted" 5432 orders_bot shop "${1#node-}" ;;
    asyncpg) "$2" timeout 90 "$python" "$here/client.py" "$granted" 5432 orders_bot shop ;;
  esac <"$attempts"
}
missing() { # CLIENT; the reason where it can't be had
  case $1 in
    node-*) [ -n "$node_modules" ] && quietly command -v node || echo "node-postgres is not installed" ;;
    asyncpg) [ -n "$python" ] || echo "asyncpg is not installed" ;;
  esac
}
# The statements of the attempts that the log has from line FROM on, by name: what the server ran or
# refused, in whatever way it came.
reached() { # FROM
  tail -n "+$1" "$work/pg/log" >"$work/reached"
  grep -vE '^(#|$)' "$attempts" | while IFS=$'\t' read -r one text; do
    if grep -qF -- ": $text" "$work/reached" || grep -qF -- ":  $text" "$work/reached"; then echo "$one"; fi
  done
}
# Drivers ask for a statement's types by running EXPLAIN and so on: no attempt is told by that.
log_mark() { echo $(($(wc -l <"$work/pg/log") + 1)); }
wrong_outcomes() { # FILE; granted ones that failed, others that were not refused as the guard does
  awk -F'\t' '/^granted-/ {if ($2 != "ok") print; next} $2 != "42501" {print}' "$1"
}
names=$(grep -vE '^(#|$)' "$attempts" | cut -f1)
granted_names=$(grep '^granted-' <<<"$names" | sort)

for one in "${clients[@]}"; do
  why=$(missing "$one")
  if [ -n "$why" ]; then
    skip "$one" "$why"
    continue
  fi
  # The control: one client is enough to show that each statement is one.
  if [ "$one" = psql ]; then
    from=$(log_mark)
    client "$one" open >"$work/$one.open"
    is "$one, without a guard: each attempt reaches the server" "$(comm -23 <(sort <<<"$names") <(reached "$from" | sort))" ""
    pg_shop_again
  fi
  from=$(log_mark)
  client "$one" guarded >"$work/$one.guarded"
  is "$one: all statements were tried" "$(cut -f1 "$work/$one.guarded")" "$names"
  is "$one: what is granted runs, all else is refused with 42501" "$(wrong_outcomes "$work/$one.guarded")" ""
  is "$one: nothing else reached the server" "$(reached "$from" | sort)" "$granted_names"
  is "$one: nothing has changed" "$(pg_digest)" "$before"
done

# ---- a cgroup that nobody is in yet ----

mkdir "$cgroups/$name-early"
ok "an empty cgroup is attached" quietly "$agentpol" attach --socket "$work/policyd.sock" -m "$work/m.json" --tool query_orders \
  --allow-degraded --cgroup "$cgroups/$name-early"
# shellcheck disable=SC2016 # the inner shell's
early() { sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$cgroups/$name-early" "${near[@]}" "$@"; }
is "who comes into it is served at the first try" "$(early psql -X -q -At -h "$granted" -U orders_bot -d shop -c "SELECT id FROM orders WHERE id = 7" 2>&1)" 7
like "as it is granted" "$(early psql -X -q -At -h "$granted" -U orders_bot -d shop -c "TABLE vault" 2>&1)" "select on vault is not granted"

# ---- breaches of the protocol ----

from=$(log_mark)
open "$work/bin/pgraw" "$granted" 5432 orders_bot shop >"$work/raw.open" 2>&1
ok "raw client, without a guard: statements reach the server" grep -qE "SELECT secret FROM vault|DROP TABLE orders" <(tail -n "+$from" "$work/pg/log")
pg_shop_again
from=$(log_mark)
guarded timeout 90 "$work/bin/pgraw" "$granted" 5432 orders_bot shop >"$work/raw.guarded" 2>&1
is "raw client: no denied text reached the server" \
  "$(tail -n "+$from" "$work/pg/log" | grep -E "vault|DROP TABLE|/tmp/pwned|PREPARE|DECLARE" | head -n 5)" ""
is "raw client: nothing has changed" "$(pg_digest)" "$before"
while IFS=$'\t' read -r attempt wanted; do
  got=$(awk -F'\t' -v attempt="$attempt" '$1 == attempt {print $2}' "$work/raw.guarded" | sed -E 's/( d)+/ d/g')
  like "raw client: $attempt" "$got" "^$wanted\$"
done <"$here/transcripts.txt"
is "raw client: each attempt has its transcript" "$(cut -f1 "$work/raw.guarded" | sort)" "$(cut -f1 "$here/transcripts.txt" | sort)"

# ---- the log ----

ok "each denial is in the audit log, with its rule" \
  test "$(records "$work/log" '.kind == "sql" and .verdict == "deny" and .rule != null' | wc -l)" -ge "$(grep -vc '^\(#\|granted-\|$\)' "$attempts")"
is "no literal of a statement is" "$(audit "$work/log" | grep -cE 'the master key|/etc/passwd|DROP TABLE orders; SELECT' )" 0
is "records are numbered without a gap" "$(gaps_in "$work/log")" ""
done_testing
