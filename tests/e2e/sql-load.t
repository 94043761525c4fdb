#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The SQL guard under load: a thousand sessions, results and statements larger than its memory is to
# be, clients that hardly read or write, and its own death.
# shellcheck source=tests/e2e/lib.sh
set -u
. tests/e2e/lib.sh
world_up sql-load
# shellcheck source=tests/e2e/postgres.sh
. tests/e2e/postgres.sh
pg_there || skip_all "no PostgreSQL here"
sessions=1000

pg_up "$work/pg" 5432 "$granted" max_connections=1100 log_statement=none -- "${far[@]}" ||
  skip_all "PostgreSQL does not start: $(tail -n 1 "$work/pg/log")"
pg_shop || skip_all "the database can't be made"
jq --arg name "$name" --arg server "$granted:5432" '.name = $name | .audit = {"allowed": []} |
  .tools |= (del(.write_note) | .query_orders.sql |= (.server = $server | .tls = "disable" | del(.max_rows, .statement_timeout)))' \
  policies/orders-database.json >"$work/m.json"
cat >"$work/policyd.json" <<JSON
{"log": "$work/log", "socket": "$work/policyd.sock", "state": "$work/agents", "pin": "/sys/fs/bpf/agentpol-$name"}
JSON
"${near[@]}" "$policyd" --config "$work/policyd.json" --foreground >"$work/policyd.out" 2>&1 &
policyd_pid=$!
children+=("$policyd_pid")
wait_for 10 holds "$work/policyd.out" "serving at" || skip_all "policyd does not start: $(tail -n 1 "$work/policyd.out")"

load() { # WHAT...; under the guard
  "${near[@]}" "$agentpol" run -q --socket "$work/policyd.sock" -m "$work/m.json" --tool query_orders -- \
    /usr/bin/python3 tests/e2e/sql_load.py "$granted" 5432 orders_bot shop "$@" 2>&1
}
child() { pgrep -P "$policyd_pid" -f "sql-$1-child"; } # guard|parser
memory() { # VmRSS|VmHWM; KiB of both children
  local sum=0 pid
  for pid in $(child guard) $(child parser); do
    sum=$((sum + $(awk -v key="$1:" '$1 == key {print $2}' "/proc/$pid/status")))
  done
  echo $sum
}
# A client that says when it is ready and waits for a line: its output in FILE, its input the descriptor 7.
held() { # FILE WHAT...
  mkfifo "$1.in"
  load "${@:2}" <"$1.in" >"$1" &
  children+=($!)
  held_pid=$!
  exec 7>"$1.in"
}

is "one session works" "$(load latency 1 | awk '{print ($2 > 10)}')" 1
one=$(memory VmRSS)
echo "# guard and parser hold $one KiB with no session"

# ---- many ----

held "$work/many" many $sessions
ok "$sessions sessions are open at once" wait_for 60 holds "$work/many" ready
all=$(memory VmRSS)
echo "# and $all KiB with $sessions"
ok "within 150 MiB" test "$all" -le $((150 * 1024))
echo go >&7
exec 7>&-
ok "and each is still answered" wait_for 60 holds "$work/many" "all $sessions"
wait "$held_pid"

# ---- large ----

is "a result of 64 MiB comes whole" "$(load large)" 67109504
# Once more, since what a slow reader leaves unread must not pile up either.
load slow 6 >"$work/slow" &
slow_pid=$!
children+=("$slow_pid")
wait_for 10 holds "$work/slow" slow
held "$work/writer" writer
wait_for 10 holds "$work/writer" slow
read -r longest answers <<<"$(load latency 3)"
echo "# beside a slow reader and a slow writer: $answers answers in 3 s, the longest took $longest ms"
ok "a slow reader and a slow writer hold nobody up" test "$answers" -gt 100
echo go >&7
exec 7>&-
ok "and the slow writer gets its answer" wait_for 10 holds "$work/writer" answered
wait "$slow_pid" "$held_pid"
most=$(memory VmHWM)
echo "# the most that guard and parser ever held: $most KiB"
ok "no result was held whole" test "$most" -le $((150 * 1024))

# ---- death ----

guard=$(child guard)
load latency 20 >"$work/victim" 2>&1 &
victim=$!
children+=("$victim")
sleep 1
kill -9 "$guard"
begin=$EPOCHREALTIME
ok "a guard that was killed is followed by another" wait_for 5 sh -c "[ -n \"\$(pgrep -P $policyd_pid -f sql-guard-child)\" ]"
answered() { [ "$(load latency 1 | awk '{print ($2 > 10)}')" = 1 ]; }
ok "new sessions work" wait_for 5 answered
end=$EPOCHREALTIME
echo "# after $(((${end/./} - ${begin/./}) / 1000)) ms, one second of which was the question itself"
wait "$victim"
like "the sessions of the killed one broke" "$(cat "$work/victim")" "ConnectionError|ConnectionReset|BrokenPipe|closed"
parser=$(child parser)
kill -9 "$parser"
ok "a parser that was killed is followed by another, and sessions go on" wait_for 5 answered
ok "policyd is the same" kill -0 "$policyd_pid"
done_testing
