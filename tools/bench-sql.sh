#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make bench-sql: what the SQL guard costs. pgbench (scale 10, 4 clients, TCP over loopback) direct,
# through pgbouncer in session mode, and through the guard, in short turns one after the other, so
# that what else the machine does hits all three. Ratios are taken turn by turn; medians.
set -euo pipefail

build=${BUILD:-build}
case $build in /*) ;; *) build=$PWD/$build ;; esac
turns=${TURNS:-7}
seconds=${SECONDS_EACH:-4}
clients=4
work=$(mktemp -d /tmp/agentpol-bench-sql.XXXXXX)
cgroups=$(awk '$(NF-2) == "cgroup2" {print $5; exit}' /proc/self/mountinfo)
pids=()

say() { echo "bench-sql: $*" >&2; }
skip() {
  say "skipped: $*"
  exit 0
}
finish() {
  local status=$?
  trap '' INT TERM
  trap - EXIT
  for tool in read write; do
    rmdir "$cgroups/agentpol-bench-sql-$$-$tool" 2>/dev/null || true
  done
  if [ -n "${policyd_pid:-}" ]; then
    kill "$policyd_pid" 2>/dev/null || true
    wait "$policyd_pid" 2>/dev/null || true
    "$build/policyd" --unload --config "$work/policyd.json" >/dev/null 2>&1 || true
  fi
  for pid in "${pids[@]}"; do
    if kill "$pid" 2>/dev/null; then wait "$pid" 2>/dev/null || true; fi
  done
  [ ! -e "$work/data/postmaster.pid" ] || as_postgres pg_ctl -D "$work/data" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

[ "$(id -u)" = 0 ] || skip "needs root"
bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
[ -x "$bin/pgbench" ] || skip "no PostgreSQL with pgbench here (apt-get install postgresql)"
command -v pgbouncer >/dev/null || skip "no pgbouncer here (apt-get install pgbouncer)"
as_postgres() { setpriv --reuid postgres --regid postgres --clear-groups env PATH="$bin:$PATH" "$@"; }

# ---- a server, a pooler, a guard ----

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
server_up() {
  server=$(free_port)
  chmod 755 "$work"
  mkdir "$work/run"
  install -d -o postgres -m 700 "$work/data"
  chown postgres "$work/run"
  as_postgres initdb -A trust -U postgres -D "$work/data" >/dev/null
  as_postgres pg_ctl -s -w -D "$work/data" -l "$work/run/log" -o "-c listen_addresses=127.0.0.1 -p $server -k $work/run
    -c fsync=off -c max_connections=1100 -c shared_buffers=256MB" start >/dev/null
  as_postgres psql -q -h "$work/run" -p "$server" -c "CREATE ROLE bench SUPERUSER LOGIN" -c "CREATE DATABASE bench OWNER bench"
  as_postgres pgbench -q -i -s 10 -h "$work/run" -p "$server" -U bench bench >/dev/null 2>&1
}
pooler_up() {
  pooler=$(free_port)
  cat >"$work/run/pgbouncer.ini" <<INI
[databases]
bench = host=127.0.0.1 port=$server dbname=bench
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $pooler
unix_socket_dir =
auth_type = any
pool_mode = session
max_client_conn = 1100
default_pool_size = 1000
ignore_startup_parameters = extra_float_digits
INI
  # "any" asks for no password and takes the server's user from the database's line.
  sed -i 's/dbname=bench$/dbname=bench user=bench/' "$work/run/pgbouncer.ini"
  setpriv --reuid postgres --regid postgres --clear-groups pgbouncer -q "$work/run/pgbouncer.ini" 2>"$work/run/pgbouncer.log" &
  pooler_pid=$!
  pids+=("$pooler_pid")
}
guard_up() {
  cat >"$work/bench.json" <<JSON
{"agentpol": 1, "name": "bench", "tools": {
  "read": {"effect": "read", "sql": {"engine": "postgresql", "server": "127.0.0.1:$server", "allow": [
    {"select": ["pgbench_accounts", "pgbench_branches", "pgbench_tellers", "pgbench_history"]}]}},
  "write": {"effect": "write", "sql": {"engine": "postgresql", "server": "127.0.0.1:$server", "allow": [
    {"select": ["pgbench_accounts", "pgbench_branches", "pgbench_tellers", "pgbench_history"]},
    {"update": ["pgbench_accounts(abalance)", "pgbench_branches(bbalance)", "pgbench_tellers(tbalance)"]},
    {"insert": ["pgbench_history"]}]}}}}
JSON
  cat >"$work/policyd.json" <<JSON
{"log": "$work/log", "socket": "$work/policyd.sock", "state": "$work/agents",
 "pin": "/sys/fs/bpf/agentpol-bench-sql-$$"}
JSON
  "$build/policyd" --config "$work/policyd.json" --foreground >"$work/policyd.out" 2>&1 &
  policyd_pid=$!
  for _ in $(seq 100); do
    grep -q "serving at" "$work/policyd.out" && return
    sleep 0.1
  done
  cat "$work/policyd.out" >&2
  exit 3
}

# By attach, so that pgbench runs as it runs beside it: `run` adds a seccomp filter, which is no part of
# what is compared.
attach() { # TOOL
  mkdir "$cgroups/agentpol-bench-sql-$$-$1"
  "$build/agentpol" attach --socket "$work/policyd.sock" -m "$work/bench.json" --tool "$1" --allow-degraded \
    --cgroup "$cgroups/agentpol-bench-sql-$$-$1" >/dev/null
}

# ---- turns ----

bench() { # PORT TOOL ARGUMENTS...; prints transactions a second
  local port=$1 tool=$2 out
  local -a around=()
  shift 2
  # shellcheck disable=SC2016 # the inner shell's
  [ -z "$tool" ] || around=(sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$cgroups/agentpol-bench-sql-$$-$tool")
  out=$("${around[@]}" "$bin/pgbench" -n -h 127.0.0.1 -p "$port" -U bench -c $clients -j 1 -T "$seconds" "$@" bench 2>&1) || {
    say "pgbench $*: $(tail -n 3 <<<"$out")"
    exit 3
  }
  ! grep -q "number of failed transactions: [1-9]" <<<"$out" || {
    say "pgbench $*: $(grep failed <<<"$out")"
    exit 3
  }
  sed -n 's/^tps = \([0-9.]*\).*/\1/p' <<<"$out"
}
# Clock ticks of the processor that a process has taken; the guard and its parser are policyd's children.
ticks() { # PID...
  local pid sum=0
  for pid in "$@"; do
    sum=$((sum + $(awk '{print $14 + $15}' "/proc/$pid/stat")))
  done
  echo $sum
}
compare() { # LABEL TOOL ARGUMENTS...
  local label=$1 tool=$2 turn pooler_ticks guard_ticks guards direct bounced guarded
  shift 2
  : >"$work/turns"
  mapfile -t guards < <(pgrep -P "$policyd_pid")
  pooler_ticks=$(ticks "$pooler_pid") guard_ticks=$(ticks "${guards[@]}")
  for turn in $(seq "$turns"); do
    [ ! -t 2 ] || printf '\r\033[K%s: turn %d of %d' "$label" "$turn" "$turns" >&2
    # Each comes first as often as last.
    direct=$(bench "$server" "" "$@")
    if [ $((turn % 2)) = 0 ]; then bounced=$(bench "$pooler" "" "$@"); fi
    guarded=$(bench "$server" "$tool" "$@")
    if [ $((turn % 2)) = 1 ]; then bounced=$(bench "$pooler" "" "$@"); fi
    echo "$direct $bounced $guarded" >>"$work/turns"
  done
  pooler_ticks=$(($(ticks "$pooler_pid") - pooler_ticks)) guard_ticks=$(($(ticks "${guards[@]}") - guard_ticks))
  [ ! -t 2 ] || printf '\r\033[K' >&2
  awk -v label="$label" -v seconds="$seconds" -v pooler_us=$((pooler_ticks * 10000)) -v guard_us=$((guard_ticks * 10000)) '
    function median(values, count,   i, j, t) {
      for (i = 1; i <= count; i++) for (j = i + 1; j <= count; j++)
        if (values[j] < values[i]) { t = values[i]; values[i] = values[j]; values[j] = t }
      return count % 2 ? values[(count + 1) / 2] : (values[count / 2] + values[count / 2 + 1]) / 2
    }
    { pooler_sum += $2 * seconds; guard_sum += $3 * seconds }
    { direct[NR] = $1; pooler[NR] = $2; guard[NR] = $3; pd[NR] = $2 / $1; gd[NR] = $3 / $1; gp[NR] = $3 / $2 }
    END {
      printf "%-24s %9.0f %9.0f %9.0f   x %.3f   x %.3f   x %.3f   %8.1f %8.1f\n", label, median(direct, NR), median(pooler, NR),
        median(guard, NR), median(pd, NR), median(gd, NR), median(gp, NR), pooler_us / pooler_sum, guard_us / guard_sum
    }' "$work/turns"
}

server_up
pooler_up
guard_up
attach read
attach write
printf 'pgbench, scale 10, %d clients, %d turns of %d s; transactions a second, and ratios\n' $clients "$turns" "$seconds"
printf '%-24s %9s %9s %9s   %-7s   %-7s   %-7s   %s\n' "" direct pgbouncer guard "bounc/d" "guard/d" "g/bounc" "us of CPU: pgbouncer, guard"
compare "select only, simple" read -S -M simple
compare "select only, prepared" read -S -M prepared
compare "TPC-B-like, simple" write -M simple
compare "TPC-B-like, prepared" write -M prepared
