#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the SQL guard costs, beside what one knows: pgbench straight to PostgreSQL, through pgbouncer
# (session pooling) and through the guard, in short turns by turns so that a busy machine is busy for
# all. Prints each way's median and its ratio to pgbouncer's, and the processor's time a transaction
# of the one in the middle. As root; TURNS=9 SECONDS_EACH=4 CLIENTS=4 SCALE=10.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
turns=${TURNS:-9} seconds=${SECONDS_EACH:-4} clients=${CLIENTS:-4} scale=${SCALE:-10}
rig=$build/tests/tools/sql_rig
bin=$(find /usr/lib/postgresql/*/bin -name initdb -printf '%h\n' 2>/dev/null | sort -V | tail -1)
pgbouncer=$(PATH=$PATH:/usr/sbin command -v pgbouncer || true)
[ -n "$bin" ] && [ -n "$pgbouncer" ] || { echo "bench-sql: needs postgresql and pgbouncer" >&2; exit 3; }
[ -x "$rig" ] || { echo "bench-sql: make $rig first" >&2; exit 3; }

work=$(mktemp -d)
chmod 755 "$work"
port=$((30000 + $$ % 5000))
as_postgres() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
pids=()
stop() {
  for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
  as_postgres "$bin/pg_ctl" -D "$work/pg/data" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap stop EXIT

mkdir "$work/pg" "$work/empty"
chown postgres "$work/pg"
as_postgres "$bin/initdb" -D "$work/pg/data" -U postgres --auth=trust >/dev/null
cat >>"$work/pg/data/postgresql.conf" <<CONF
port = $port
listen_addresses = '127.0.0.1'
unix_socket_directories = '$work/pg'
shared_buffers = 512MB
fsync = off
CONF
as_postgres "$bin/pg_ctl" -D "$work/pg/data" -l "$work/pg/log" -w start >/dev/null
psql -qX -h 127.0.0.1 -p "$port" -U postgres -c "CREATE DATABASE bench" postgres
pgbench -q -i -s "$scale" -h 127.0.0.1 -p "$port" -U postgres bench >/dev/null 2>&1

cat >"$work/bouncer.ini" <<INI
[databases]
bench = host=127.0.0.1 port=$port dbname=bench user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $((port + 5000))
auth_type = any
pool_mode = session
default_pool_size = 50
logfile = $work/pg/bouncer.log
log_connections = 0
log_disconnections = 0
INI
# Not through the function: the process started is to be the one that is killed.
setpriv --reuid postgres --regid postgres --clear-groups "$pgbouncer" -q "$work/bouncer.ini" >/dev/null 2>&1 </dev/null &
pids+=("$!")
bouncer_pid=$!

cat >"$work/bench.json" <<JSON
{"agentpol": 1, "name": "bench", "tools": {"q": {"effect": "write", "sql": {"engine": "postgresql", "server": "127.0.0.1:$port",
  "allow": [{"select": ["pgbench_accounts", "pgbench_branches", "pgbench_tellers"]},
            {"update": ["pgbench_accounts", "pgbench_branches", "pgbench_tellers"]}, {"insert": ["pgbench_history"]}]}}}}
JSON
"$rig" -m "$work/bench.json" --tool q --listen "127.0.0.1:$((port + 10000))" --server "127.0.0.1:$port" --root "$work/empty" \
  >"$work/records" 2>"$work/rig" &
pids+=("$!")
for _ in $(seq 100); do grep -q ready "$work/rig" && break; sleep 0.05; done
guard_pid=$(sed -n 's/^ready \([0-9]*\) .*/\1/p' "$work/rig")

declare -A at=([direct]=$port [pgbouncer]=$((port + 5000)) [guard]=$((port + 10000)))
ticks() { [ -n "$1" ] && awk '{print $14 + $15}' "/proc/$1/stat" || echo 0; }

turn() { # WAY MODE SCRIPT: transactions a second, microseconds of the processor a transaction
  local middle="" before after out
  case $1 in pgbouncer) middle=$bouncer_pid ;; guard) middle=$guard_pid ;; esac
  before=$(ticks "$middle")
  out=$(pgbench -n -b "$3" -M "$2" -c "$clients" -j 2 -T "$seconds" -h 127.0.0.1 -p "${at[$1]}" -U postgres bench 2>&1) ||
    { echo "$out" >&2; exit 1; }
  after=$(ticks "$middle")
  awk -v spent=$((after - before)) '/^number of transactions actually/ {n = $NF} /^tps/ {tps = $3}
    END {printf "%.0f %.2f\n", tps, n ? spent * 10000 / n : 0}' <<<"$out"
}
median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

printf '%-12s %-10s %10s %10s %10s %14s %14s %12s\n' script mode direct pgbouncer guard guard/bouncer cpu-us:bouncer cpu-us:guard
for script in select-only tpcb-like; do
  for mode in simple extended prepared; do
    for ((i = 0; i < turns; i++)); do
      ways="direct pgbouncer guard"
      [ $((i % 2)) -eq 1 ] && ways="guard pgbouncer direct"
      for way in $ways; do turn "$way" "$mode" "$script" >>"$work/$script.$mode.$way"; done
    done
    declare -A tps=() cpu=()
    for way in direct pgbouncer guard; do
      tps[$way]=$(cut -d' ' -f1 "$work/$script.$mode.$way" | median)
      cpu[$way]=$(cut -d' ' -f2 "$work/$script.$mode.$way" | median)
    done
    ratio=$(paste -d' ' "$work/$script.$mode.guard" "$work/$script.$mode.pgbouncer" | awk '{print $1 / $3}' | median)
    printf '%-12s %-10s %10s %10s %10s %14.3f %14s %12s\n' "$script" "$mode" "${tps[direct]}" "${tps[pgbouncer]}" "${tps[guard]}" "$ratio" "${cpu[pgbouncer]}" "${cpu[guard]}"
  done
done
