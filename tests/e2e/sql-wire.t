#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The SQL guard on the wire, before a real PostgreSQL: build/tests/tools/sql_rig plays policyd. The
# server logs every statement that it gets: of what is denied it never sees the text.
set -u
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
rig=$build/tests/tools/sql_rig
bin=$(find /usr/lib/postgresql/*/bin -name initdb -printf '%h\n' 2>/dev/null | sort -V | tail -1)
[ -n "$bin" ] || skip_all "no PostgreSQL here (Debian: postgresql)"
[ "$(id -u)" -eq 0 ] || skip_all "needs root"
for tool in psql python3 openssl; do
  command -v "$tool" >/dev/null || skip_all "no $tool here"
done
work=$(mktemp -d)
chmod 755 "$work"
server_port=$((20000 + $$ % 5000))
next_port=$((server_port + 5000))
rigs=()
stop() {
  local pid
  for pid in ${rigs[@]+"${rigs[@]}"}; do kill "$pid" 2>/dev/null; done
  as_postgres "$bin/pg_ctl" -D "$work/pg/data" -m immediate stop >/dev/null 2>&1
  rm -rf "$work"
}
trap stop EXIT
as_postgres() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }

# ---- a server ----

mkdir "$work/pg" "$work/empty"
chown postgres "$work/pg"
echo admin >"$work/password"
chmod 644 "$work/password"
as_postgres "$bin/initdb" -D "$work/pg/data" -U postgres --auth=scram-sha-256 --pwfile="$work/password" >/dev/null || skip_all "initdb fails here"
certificate() { # NAME CA-NAME COMMON-NAME
  openssl req -newkey rsa:2048 -nodes -subj "/CN=$3" -keyout "$work/$1.key" -out "$work/$1.csr" 2>/dev/null
  openssl x509 -req -in "$work/$1.csr" -CA "$work/$2.crt" -CAkey "$work/$2.key" -CAcreateserial -days 2 \
    -extfile <(echo "subjectAltName=$4") -out "$work/$1.crt" 2>/dev/null
}
for ca in ca other; do
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$ca" -keyout "$work/$ca.key" -out "$work/$ca.crt" 2>/dev/null
done
certificate server ca db.example IP:127.0.0.1,DNS:localhost
cp "$work/server.crt" "$work/pg/data/server.crt"
cp "$work/server.key" "$work/pg/data/server.key"
chown postgres "$work/pg/data/server.crt" "$work/pg/data/server.key"
chmod 600 "$work/pg/data/server.key"
cat >>"$work/pg/data/postgresql.conf" <<CONF
port = $server_port
listen_addresses = '127.0.0.1'
unix_socket_directories = '$work/pg'
log_statement = all
fsync = off
max_connections = 300
ssl = on
CONF
sed -i '1i host all raw 127.0.0.1/32 trust' "$work/pg/data/pg_hba.conf"
as_postgres "$bin/pg_ctl" -D "$work/pg/data" -l "$work/pg/log" -w start >/dev/null || skip_all "PostgreSQL does not start here"
direct() { PGPASSWORD=admin psql -qAtX -h 127.0.0.1 -p "$server_port" -U postgres -d "$1" "${@:2}"; }
direct postgres -c "CREATE DATABASE shop"
direct shop >/dev/null <<'SQL'
CREATE ROLE agent LOGIN PASSWORD 'agent';
CREATE ROLE raw LOGIN;
CREATE TABLE orders (id int PRIMARY KEY, item text, customer int);
INSERT INTO orders SELECT g, 'item ' || g, g % 10 FROM generate_series(1, 1000) g;
CREATE TABLE secret (k text);
GRANT SELECT, INSERT ON orders, secret TO agent, raw;
SQL

# ---- the guard ----

manifest() { # FILE GRANT-KEYS...
  cat >"$1" <<JSON
{"agentpol": 1, "name": "shop", "tools": {"q": {"effect": "write", "sql": {"engine": "postgresql",
  "server": "${3:-127.0.0.1}:$server_port", $2 "allow": [{"select": ["orders"]}, {"insert": ["orders"]}]}}}}
JSON
}
guard() { # NAME MANIFEST OPTIONS...; sets $port
  local name=$1 manifest=$2
  shift 2
  port=$next_port
  next_port=$((next_port + 1))
  setsid "$rig" -m "$manifest" --tool q --listen "127.0.0.1:$port" --server "127.0.0.1:$server_port" --root "$work/empty" "$@" \
    >"$work/$name.records" 2>"$work/$name.err" </dev/null &
  rigs+=("$!")
  for _ in $(seq 100); do
    grep -q ready "$work/$name.err" && return
    sleep 0.05
  done
}
sql() { PGPASSWORD=agent timeout 30 psql -qAtX -h 127.0.0.1 -p "$port" -U agent -d shop "$@" 2>&1; }
raw() { timeout 120 python3 "${0%/*}/sql_wire.py" "$port" "$@"; }
pid_of() { sed -n "s/^ready \([0-9]*\) \([0-9]*\)$/\\$2/p" "$work/$1.err" | tail -1; } # NAME 1 (guard) or 2 (parser)

manifest "$work/shop.json" ""
guard shop "$work/shop.json" --allowed
is "psql gets in with SCRAM, and what is granted" "$(sql -c 'SELECT item FROM orders WHERE id = 3')" "item 3"
like "what is not granted names the relation" "$(sql -c 'SELECT k FROM secret')" "ERROR:  .*secret"
like "and the edit that would allow it" "$(sql -c 'SELECT k FROM secret')" "HINT: .*/tools/q/sql/allow/-"
like "a wrong password is the server's to refuse" "$(PGPASSWORD=no psql -h 127.0.0.1 -p "$port" -U agent -d shop -c 'SELECT 1' 2>&1)" "password authentication failed"
is "the schema is set, and the session's own" "$(sql -c 'SHOW search_path')" '"public"'
is "COPY out" "$(sql -c 'COPY orders TO STDOUT' | wc -l)" 1000
is "COPY in" "$(echo "2001	x	1" | sql -c 'COPY orders FROM STDIN' && sql -c 'SELECT item FROM orders WHERE id = 2001')" x
is "a large answer comes whole" "$(sql -c 'SELECT a.item, b.item, a.item, b.item, a.item, b.item, a.item, b.item FROM orders a, orders b' | wc -l)" 1002001
is "bytes one by one" "$(raw bytes)" "ZI
T D C ZI E(42501 select on secret is not granted) ZI 1 2 D C ZI"
is "a pipeline, a function call, two statements, none" "$(raw pipeline | cut -c1-60)" "C ZT
1 2 D C E(42501 select on secret is not granted) ZE E(25P02 
E(42501 permission denied for a function call message: it ha
E(42501 2 statements in one message; one at a time is grante
I ZI"
like "a statement of 16 MiB is refused, one of 512 KiB is not" "$(raw large)" "^E\(42501 [^)]*bytes[^)]*\) ZI.T D C ZI$"
is "a query is cancelled by its own key alone" "$(raw cancel)" "closed
still runs
T E(57014 canceling statement due to user request) ZI"
raw refused >"$work/refused"
is "start packets that are refused" "$(cut -c1-8 "$work/refused" | tr '\n' ' ')" "E(28000  E(28000  E(28000  E(28000  ZI closed closed closed E(08P01  "
like "a slow reader holds nobody up" "$(raw slow)" "at once"
is "no denied text has come to the server" "$(grep -c 'FROM secret\|from secret\|lo_create' "$work/pg/log")" 0
ok "denials are recorded" grep -q '"verdict":"deny","reason":"sql-relation".*"message":"select on secret' "$work/shop.records"
ok "and what was allowed, with its rows" grep -q '"verdict":"allow".*"shape":"SELECT item FROM orders WHERE id = ?".*"rows":1' "$work/shop.records"
ok "without its literals" not grep -q 'WHERE id = 3' "$work/shop.records"

# ---- many, and the dead ----

mkfifo "$work/hold"
raw many 200 <"$work/hold" >"$work/many" &
many=$!
exec 8>"$work/hold"
for _ in $(seq 200); do [ "$(wc -l <"$work/many")" = 2 ] && break; sleep 0.1; done
is "two hundred sessions at once" "$(tr '\n' ' ' <"$work/many")" "200 200 "
ok "in 60 MiB" test "$(awk '/VmRSS/ {print $2}' "/proc/$(pid_of shop 1)/status")" -lt 61440
exec 8>&-
wait "$many"
old=$(pid_of shop 2)
kill -KILL "$old"
for _ in $(seq 100); do [ "$(pid_of shop 2)" != "$old" ] && break; sleep 0.05; done
is "a parser that dies is started again" "$(sql -c 'SELECT count(*) > 5 FROM orders')" t
(sql -c 'SELECT count(*) FROM orders a, orders b, orders c' >"$work/broken") &
broken=$!
sleep 0.5
old=$(pid_of shop 1)
kill -KILL "$old"
wait "$broken"
for _ in $(seq 100); do [ "$(pid_of shop 1)" != "$old" ] && break; sleep 0.05; done
like "a guard that dies takes its sessions along" "$(cat "$work/broken")" "closed|terminated"
is "and another one serves" "$(sql -c 'SELECT 5')" 5
guard_status() { awk -v key="$1:" '$1 == key {print $2}' "/proc/$(pid_of shop 1)/status"; }
is "the guard has no capability" "$(guard_status CapEff)$(guard_status CapPrm)" 00000000000000000000000000000000
is "and a filter of system calls, for good" "$(guard_status Seccomp)$(guard_status NoNewPrivs)" 21

# ---- rows ----

manifest "$work/rows.json" '"max_rows": 5,'
guard rows "$work/rows.json"
is "as many rows as granted" "$(sql -c 'SELECT id FROM orders WHERE id < 6' | wc -l)" 5
like "and no more" "$(sql -c 'SELECT id FROM orders')" "ERROR:  the answer has more than 5 rows"
like "an endless answer is cancelled" "$(sql -c 'SELECT a.id FROM orders a, orders b, orders c, orders d')" "ERROR:  the answer has more than 5 rows"

# ---- TLS ----

tls() { # NAME HOST KEYS; sets $said
  manifest "$work/$1.json" "$3" "$2"
  guard "$1" "$work/$1.json" --remote
  said=$(sql -c 'SELECT 1')
}
tls good localhost "\"ca\": \"$work/ca.crt\","
is "TLS, verified against the manifest's CA" "$said" 1
tls address 127.0.0.1 "\"ca\": \"$work/ca.crt\","
is "by an address" "$said" 1
tls name db.example "\"ca\": \"$work/ca.crt\","
like "not under another name" "$said" "certificate is not accepted: .*ostname mismatch"
tls other localhost "\"ca\": \"$work/other.crt\","
like "not by another CA" "$said" "certificate is not accepted"
tls system localhost ""
like "not by the system's CAs" "$said" "certificate is not accepted"
tls require localhost '"tls": "require",'
is "require takes any certificate" "$said" 1
direct postgres -c "ALTER SYSTEM SET ssl = off" -c "SELECT pg_reload_conf()" >/dev/null
sleep 0.5
tls none localhost "\"ca\": \"$work/ca.crt\","
like "a server without TLS is refused" "$said" "does not speak TLS"
tls disable localhost '"tls": "disable",'
is "unless the manifest says so" "$said" 1

done_testing
