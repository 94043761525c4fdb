#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A tool's server is reached through the SQL guard alone: PostgreSQL in one network namespace, agents
# in another. What reaches the server is asked of the server.
set -u
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
postgres=$(find /usr/lib/postgresql/*/bin -name initdb -printf '%h\n' 2>/dev/null | sort -V | tail -1)
[ -n "$postgres" ] || skip_all "no PostgreSQL here (Debian: postgresql)"
for tool in psql python3; do
  command -v "$tool" >/dev/null || skip_all "no $tool here"
done
world_up steer

config=$work/policyd.json socket=$work/control/policyd.sock log=$work/log
cat >"$config" <<JSON
{"log": "$log", "socket": "$socket", "state": "$work/state", "pin": "/sys/fs/bpf/agentpol-$name"}
JSON
daemon_start() {
  : >"$work/policyd.out"
  "$policyd" --config "$config" --foreground >>"$work/policyd.out" 2>&1 &
  policyd_pid=$!
  children+=("$policyd_pid")
  wait_for 10 holds "$work/policyd.out" "serving at"
}
# Of our own policyd alone.
child_of_policyd() { # WORD; prints the pid
  local pid
  for pid in $(pgrep -P "$policyd_pid"); do
    tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q "$1" && echo "$pid" && return
  done
}
ask() { "$agentpol" "$1" --socket "$socket" "${@:2}"; } # VERB OPTION...

# ---- servers ----

# Serves in a network namespace; who connects is in its log, "connection received: host=...".
serve() { # NAME ADDRESSES RUN...
  local folder=$work/$1
  mkdir "$folder"
  chown nobody "$folder"
  setpriv --reuid 65534 --regid 65534 --clear-groups "$postgres/initdb" -D "$folder/data" -U app --auth=trust --no-sync >"$folder/out" 2>&1 ||
    skip_all "initdb: $(tail -1 "$folder/out")"
  printf 'host all all 0.0.0.0/0 trust\nhost all all ::/0 trust\n' >>"$folder/data/pg_hba.conf"
  (cd "$folder" && exec "${@:3}" setpriv --reuid 65534 --regid 65534 --clear-groups "$postgres/postgres" -D "$folder/data" \
    -c "listen_addresses=$2" -c port=5432 -c fsync=off -c log_connections=on -c unix_socket_directories="$folder" -c max_connections=50) \
    >"$folder/log" 2>&1 &
  children+=($!)
  wait_for 20 quietly "$postgres/pg_isready" -h "$folder" || skip_all "postgres: $(tail -1 "$folder/log")"
  psql -q -h "$folder" -U app -d postgres -c "CREATE TABLE orders AS SELECT id, 'item ' || id AS item FROM generate_series(1, 3) id; CREATE TABLE secrets AS SELECT 'no' AS word" \
    2>"$folder/err" || skip_all "psql: $(cat "$folder/err")"
}
serve db '*' "${far[@]}"
serve local '127.0.0.1,::1' "${near[@]}"
connections() { grep -c 'connection received' "$work/${1:-db}/log"; } # [NAME]

# ---- manifests ----

tool() { # NAME SERVER
  echo "\"$1\": {\"description\": \"a tool\", \"sql\": {\"engine\": \"postgresql\", \"server\": \"$2\", \"tls\": \"disable\", \"allow\": [{\"select\": [\"orders\"]}]}}"
}
any='{"to": "@any", "ports": ["*"], "proto": ["tcp", "udp"]}, {"to": "@loopback", "ports": ["*"], "proto": ["tcp", "udp"]}'
sql_manifest() { # FILE EGRESS TOOL...
  local file=$1 egress=$2 tools
  shift 2
  tools=$(printf ', %s' "$@")
  cat >"$file" <<JSON
{"agentpol": 1, "name": "$name", "network": {"egress": [$egress]}, "tools": {${tools:2}}}
JSON
  "$agentpol" compile "$file" >/dev/null 2>"$work/compile" && return
  echo "Bail out! $file is not usable: $(cat "$work/compile")"
  exit 1
}
plain=$work/plain.json wide=$work/wide.json loopback=$work/loopback.json
sql_manifest "$plain" "" "$(tool orders $granted:5432)" "$(tool six "[$granted6]:5432")" "$(tool other $denied:5432)"
sql_manifest "$wide" "$any" "$(tool orders $granted:5432)" "$(tool six "[$granted6]:5432")" "$(tool other $denied:5432)"
sql_manifest "$loopback" "" "$(tool orders localhost:5432)"

# A resolver for one name, which has an internal address, as servers have.
cat >"$work/resolver.py" <<'PY'
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 53))
print("ready", flush=True)
while True:
    question, peer = s.recvfrom(512)
    end = question.index(b"\0", 12) + 5
    wants_ipv4 = question[end - 4:end - 2] == b"\0\1"
    answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(sys.argv[2]) if wants_ipv4 else b""
    s.sendto(question[:2] + b"\x81\x80\0\1" + struct.pack("!H", bool(answer)) + b"\0\0\0\0" + question[12:end] + answer, peer)
PY
"${far[@]}" python3 "$work/resolver.py" $granted $granted >"$work/resolver.out" 2>&1 &
children+=($!)
wait_for 5 holds "$work/resolver.out" ready || skip_all "resolver: $(cat "$work/resolver.out")"
named=$work/named.json
sql_manifest "$named" '{"to": "*.internal", "ports": [5432], "sni": "ignore"}, {"to": "*.internal", "ports": ["*"], "sni": "ignore"}' "$(tool orders db.internal:5432)"
sed -i "s/\"network\": {/&\"resolvers\": [\"$granted\"], /" "$named"
sql_manifest "$work/only.json" "" "$(tool orders db.internal:5432)"
sed -i "s/\"network\": {/&\"resolvers\": [\"$granted\"], /" "$work/only.json"

# ---- clients ----

# WAY ADDRESS PORT: what a connection that was opened so is told by who is there, or the error.
cat >"$work/way.py" <<'PY'
import socket, struct, sys
way, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
start = b"user\0app\0database\0postgres\0\0"
start = struct.pack("!ii", len(start) + 8, 196608) + start
try:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_DGRAM if way == "udp" else socket.SOCK_STREAM
    s = socket.socket(family, kind, 262 if way == "mptcp" else 0)
    if way != "fastopen":
        s.settimeout(3)
    if way == "fastopen":
        s.sendto(start, 0x20000000, (address, port))
    elif way == "again":
        s.connect_ex((address, port))
        s.connect((address, port))
        s.sendall(start)
    else:
        s.connect((address, port))
        s.sendall(start)
    if way == "udp":
        print("sent")
    else:
        print("served" if s.recv(1) == b"R" else "closed")
except OSError as error:
    print(error.strerror or error)
PY
chmod a+r "$work/way.py"
in_run() { # MANIFEST TOOL COMMAND...
  "${near[@]}" "$agentpol" run -q --socket "$socket" -m "$1" ${2:+--tool "$2"} -- "${@:3}" 2>&1 </dev/null
}
psql_to() { # HOST SQL; as arguments of in_run
  echo psql "host=$1 port=5432 user=app dbname=postgres sslmode=disable gssencmode=disable connect_timeout=5" -Atc "$2"
}
query() { # MANIFEST TOOL HOST SQL
  in_run "$1" "$2" psql "host=$3 port=5432 user=app dbname=postgres gssencmode=disable connect_timeout=5" -Atc "$4" 2>&1
}
way() { # MANIFEST TOOL WAY ADDRESS [PORT]
  in_run "$1" "$2" python3 "$work/way.py" "$3" "$4" "${5:-5432}"
}
items=$'item 1\nitem 2\nitem 3'

daemon_start || skip_all "policyd does not start: $(cat "$work/policyd.out")"

# ---- through the guard ----

before=$(connections)
is "a tool's server answers its own scope" "$(query "$plain" orders $granted 'SELECT item FROM orders ORDER BY id')" "$items"
is "over a connection from the agent's namespace" "$(grep 'connection received' "$work/db/log" | tail -1 | grep -o 'host=[^ ]*')" "host=$peer_of_far"
is "IPv6 too" "$(query "$plain" six $granted6 'SELECT item FROM orders ORDER BY id')" "$items"
is "by an IPv4-mapped address" "$(query "$plain" orders ::ffff:$granted 'SELECT item FROM orders ORDER BY id')" "$items"
is "with TCP Fast Open" "$(way "$plain" orders fastopen $granted)" served
ok "and each of them reached the server" test "$(connections)" -gt "$((before + 3))"
is "localhost is the agent's own" "$(query "$loopback" orders localhost 'SELECT item FROM orders ORDER BY id')" "$items"
is "by each address of loopback" "$(query "$loopback" orders ::1 'SELECT count(*) FROM orders')$(query "$loopback" orders 127.0.0.1 'SELECT count(*) FROM orders')" 33


# ---- what is judged ----

like "a statement that is not granted is denied" "$(query "$plain" orders $granted 'SELECT * FROM secrets')" "ERROR: +select on secrets is not granted"
judged='.kind == "sql" and .verdict == "deny" and .reason == "sql-relation"'
ok "the log has it" wait_for 3 has_record "$log" "$judged"
is "with whose it is, and where" "$(records "$log" "$judged" | tail -1 | jq -r '[.agent, .scope, .rule, .subject.database, .subject.user, (.pid > 0)] | join(" ")')" "$name orders /tools/orders/sql/allow postgres app true"
is "by its shape" "$(records "$log" "$judged" | tail -1 | jq -r '.subject | has("text")')" false
# shellcheck disable=SC2016
sed 's/"network"/"audit": {"allowed": ["sql"], "literals": true}, &/' "$plain" >"$work/literal.json"
is "where the manifest says so it is written as it is" "$(query "$work/literal.json" orders $granted "SELECT count(*) FROM orders WHERE item = 'item 2'")" 1
ok "what was allowed, too" wait_for 3 has_record "$log" '.kind == "sql" and .verdict == "allow" and (.subject.text // "" | contains("item 2"))'

# ---- by name ----

# Asks for the name, then connects to the address.
by_name='
import socket, subprocess, sys
q = b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + b"".join(bytes([len(l)]) + l.encode() for l in sys.argv[2].split(".")) + b"\0\0\1\0\1"
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
try:
    s.sendto(q, (sys.argv[3], 53))
    address = socket.inet_ntoa(s.recv(512)[-4:])
except OSError as error:
    print(error.strerror or error)
    sys.exit()
sys.exit(subprocess.call([sys.executable, sys.argv[1], "tcp", address, sys.argv[4]]))
'
named_way() { # MANIFEST TOOL NAME [PORT]
  in_run "$1" "$2" python3 -c "$by_name" "$work/way.py" "$3" $granted "${4:-5432}"
}
before=$(connections)
is "a server by its name" "$(named_way "$work/only.json" orders db.internal)" served
is "with network rules for the name, too" "$(named_way "$named" orders db.internal)" served
is "each went through the guard" "$(connections)" $((before + 2))
is "unless the name was asked for, its address is nothing" "$(way "$work/only.json" orders tcp $granted)" "Operation not permitted"
is "from another scope the name is not granted by it" "$(named_way "$work/only.json" "" db.internal)" "Operation not permitted"
is "and where a rule grants the name the port is the guard's" "$(named_way "$named" "" db.internal)" "Operation not permitted"
is "none of it reached the server" "$(connections)" $((before + 2))

# ---- by a Unix socket ----

chmod 755 "$work/local"
sql_manifest "$work/unix.json" "" "$(tool orders "$work/local")" "$(tool six "[$granted6]:5432")"
if "$agentpol" run --standalone --log "$work/unixlog" -m "$work/unix.json" -- true 2>"$work/err"; then
  before=$(connections local)
  is "a server behind a Unix socket" "$(query "$work/unix.json" orders "$work/local" 'SELECT item FROM orders ORDER BY id')" "$items"
  is "at another spelling of its path" "$(query "$work/unix.json" orders "$work/./local/../local" 'SELECT count(*) FROM orders')" 3
  ok "each reached the server" test "$(connections local)" -eq $((before + 2))
  like "from another scope it is denied" "$(query "$work/unix.json" six "$work/local" 'SELECT 1')" "Operation not permitted"
  ln -s "$work/local/.s.PGSQL.5432" "$work/.s.PGSQL.5432"
  like "and by a link" "$(query "$work/unix.json" orders "$work" 'SELECT 1')" "Operation not permitted"
  # shellcheck disable=SC2016
  like "and by a relative path" "$(in_run "$work/unix.json" orders sh -c 'cd "$0" && python3 -c "import socket; socket.socket(socket.AF_UNIX).connect(\".s.PGSQL.5432\")" 2>&1' "$work/local")" "Operation not permitted"
  is "none of it reached the server" "$(connections local)" $((before + 2))
  # By `peer` the server knows the client, not who connects for it.
  sed -i '1i local all nobody peer' "$work/local/data/pg_hba.conf"
  psql -q -h "$work/local" -U app -d postgres -c "CREATE ROLE nobody LOGIN" -c "GRANT SELECT ON orders TO nobody" -c "SELECT pg_reload_conf()" >/dev/null
  as_peer() { # OPTION...
    (cd / && exec "${near[@]}" "$agentpol" run -q --socket "$socket" -m "$work/unix.json" --tool orders "$@" -- \
      psql "host=$work/local port=5432 user=nobody dbname=postgres connect_timeout=5" -Atc "SELECT count(*) FROM orders") 2>&1
  }
  wait_for 5 holds "$work/local/log" "reload"
  is "to the server's peer authentication the client is who it is" "$(as_peer --user nobody)" 3
  like "and nobody else" "$(as_peer)" "Peer authentication failed"
else
  skip "a server behind a Unix socket" "$(head -c 200 "$work/err" | tr '\n' ' ')"
fi

# ---- around it ----

before=$(connections)
for scope in "" six other; do
  is "from the scope '$scope' the server is denied, whatever egress grants" "$(way "$wide" "$scope" tcp $granted)" "Operation not permitted"
  is "mapped, from the scope '$scope'" "$(way "$wide" "$scope" tcp ::ffff:$granted)" "Operation not permitted"
  is "with TCP Fast Open, from the scope '$scope'" "$(way "$wide" "$scope" fastopen $granted)" "Operation not permitted"
done
is "with MPTCP" "$(way "$wide" "" mptcp $granted)" "Operation not permitted"
is "a second try is no other" "$(way "$wide" "" again $granted)" "Operation not permitted"
is "datagrams are denied to the scope itself" "$(way "$wide" orders udp $granted)" "Operation not permitted"
is "another address of the server's, at its port, is not opened by a range" "$(way "$wide" orders tcp $denied6)" "Operation not permitted"
is "none of it reached the server" "$(connections)" "$before"
like "the denial says which tool" "$(records "$log" '.reason == "sql-guard"' | jq -r .message | sort -u)" "is the server of the tool orders, which is reached through the guard alone: run with --tool orders"

# ---- the guard's own port ----

# An agent of each kind that stays.
agent_up() { # NAME MANIFEST TOOL; its processes: ${inside[@]}
  cgroup=$cgroups/$name-$1
  mkdir "$cgroup"
  # shellcheck disable=SC2016
  inside=(sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$cgroup" "${near[@]}")
  "${inside[@]}" sleep 1000 &
  children+=($!)
  wait_for 5 holds "$cgroup/cgroup.events" "populated 1"
  ask attach -m "$2" --tool "$3" --cgroup "$cgroup" >"$work/attach.out" 2>&1
}
ok "a live cgroup gets a guard, too" agent_up live "$wide" orders
sed 's/^/# /' "$work/attach.out"
select_inside() { "${inside[@]}" psql "host=$granted port=5432 user=app dbname=postgres gssencmode=disable connect_timeout=5" -Atc "SELECT item FROM orders ORDER BY id" 2>&1; }
is "its connections go there" "$(select_inside)" "$items"
guard_ports=$("${near[@]}" ss -Hltn | awk '{print $4}' | grep -v ':5432$' | grep -oE '[0-9]+$' | sort -u)
ok "the guard listens in its namespace" test -n "$guard_ports"
for port in $guard_ports; do
  is "its port $port is nobody's to connect to" "$("${inside[@]}" python3 "$work/way.py" tcp 127.0.0.1 "$port") $("${inside[@]}" python3 "$work/way.py" tcp ::1 "$port")" \
    "Operation not permitted Operation not permitted"
done
# Who is under no policy is no client either.
for port in $guard_ports; do
  "${near[@]}" python3 "$work/way.py" tcp 127.0.0.1 "$port" >"$work/stranger" 2>&1
  ok "a stranger gets nothing at $port" not grep -q served "$work/stranger"
done
is "ps counts it" "$(ask ps --format json | jq -c --arg path "$cgroup" '.agents[] | select(.cgroup_path == $path) | .sql_guard')" '{"listeners":2,"sessions":0}'

# A namespace that nobody of the agent's was in before.
"${inside[@]}" nsenter --net="/run/netns/$far_name" python3 "$work/way.py" tcp $granted 5432 >"$work/first" 2>&1
is "in another namespace the first connect is denied" "$(cat "$work/first")" "Operation not permitted"
served_there() { [ "$("${inside[@]}" nsenter --net="/run/netns/$far_name" python3 "$work/way.py" tcp $granted 5432)" = served ]; }
ok "and the next goes to the guard there" wait_for 5 served_there

# A client's request to cancel comes to the guard, too.
"${inside[@]}" timeout -s INT 2 psql "host=$granted port=5432 user=app dbname=postgres gssencmode=disable" \
  -Atc "SELECT count(*) FROM orders a, orders b, orders c, orders d, orders e, orders f, orders g, orders h, orders i, orders j, orders k, orders l, orders m, orders n, orders o, orders p, orders q, orders r" \
  >"$work/cancelled" 2>&1
ok "a request to cancel goes through the guard" wait_for 3 holds "$work/cancelled" "canceling statement due to user request"

# ---- TLS to the server ----

if command -v openssl >/dev/null; then
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=db" -addext "subjectAltName=IP:$granted" -keyout "$work/db/data/server.key" -out "$work/db/data/server.crt" >"$work/openssl" 2>&1
  chown nobody "$work/db/data/server.key" "$work/db/data/server.crt"
  chmod 600 "$work/db/data/server.key"
  psql -qh "$work/db" -U app -d postgres -c "ALTER SYSTEM SET ssl = on" -c "SELECT pg_reload_conf()" >/dev/null
  cp "$work/db/data/server.crt" "$work/ca.crt"
  for mode in verified unknown; do
    sql_manifest "$work/$mode.json" "" "$(tool orders $granted:5432)"
  done
  sed -i "s|\"tls\": \"disable\"|\"tls\": \"verify-full\", \"ca\": \"$work/ca.crt\"|" "$work/verified.json"
  sed -i 's|"tls": "disable", ||' "$work/unknown.json"
  verified() { [ "$(query "$work/verified.json" orders $granted 'SELECT count(*) FROM orders')" = 3 ]; }
  ok "the guard verifies the server by the manifest's \"ca\"" wait_for 5 verified
  not_verified=$(query "$work/unknown.json" orders $granted 'SELECT count(*) FROM orders')
  like "and without it by the system's, which does not know this one" "$not_verified" "FATAL"
  echo "# $not_verified"
  sed "s|$work/ca.crt|$work/none.crt|" "$work/verified.json" >"$work/missing.json"
  like "a \"ca\" that is not there is told at once" "$(in_run "$work/missing.json" orders true)" "none.crt"
fi

# ---- open before ----

mkdir "$cgroups/$name-open"
# shellcheck disable=SC2016
sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$cgroups/$name-open" "${near[@]}" \
  psql "host=$granted port=5432 user=app dbname=postgres" -Atc "SELECT 'open'" -c "SELECT pg_sleep(1000)" >"$work/open" 2>&1 &
open_pid=$!
children+=("$open_pid")
wait_for 5 holds "$work/open" open
ok "what was open to the server before the policy is closed" ask attach -m "$plain" --tool orders --cgroup "$cgroups/$name-open"
ok "at once" wait_for 5 is_gone $open_pid

# ---- another policy ----

reloaded() { "${inside[@]}" psql "host=$granted port=5432 user=app dbname=postgres gssencmode=disable" 2>&1; }
mkfifo "$work/reload"
reloaded <"$work/reload" >"$work/reload.out" &
children+=($!)
exec 8>"$work/reload"
echo "SELECT 'first' FROM orders LIMIT 1;" >&8
wait_for 5 holds "$work/reload.out" first
cp "$wide" "$work/wide.before"
sed -i 's/"egress": \[/&{"to": "10.9.9.9", "ports": [1]}, /' "$wide"
ok "a manifest whose SQL is the same is exchanged" quietly ask reload
echo "SELECT 'second' FROM orders LIMIT 1;" >&8
ok "and its session goes on" wait_for 5 holds "$work/reload.out" second
sed -i 's/"select": \["orders"\]/"select": ["orders", "secrets"]/' "$wide"
ok "one with another SQL, too" quietly ask reload
echo "SELECT 'third' FROM orders LIMIT 1;" >&8
ok "then the session ends" wait_for 5 grep -q "FATAL\|server closed" "$work/reload.out"
sed 's/^/# /' "$work/reload.out"
is "and a new one has the new grants" "$("${inside[@]}" psql "host=$granted port=5432 user=app dbname=postgres gssencmode=disable" -Atc "SELECT * FROM secrets" 2>&1)" no
exec 8>&-

# ---- ends ----

# Clients that go on asking; each says what it was told.
cat >"$work/load.sh" <<'SH'
while [ ! -e "$1/enough" ]; do
  psql "$2" -Atc "SELECT count(*) FROM orders" -c "SELECT count(*) FROM orders" >"$1/load.$$" 2>&1 && date +%s%N >>"$1/went" || echo >>"$1/broke"
done
SH
chmod 777 "$work"
for _ in 1 2 3 4; do
  "${inside[@]}" sh "$work/load.sh" "$work" "host=$granted port=5432 user=app dbname=postgres gssencmode=disable connect_timeout=5" &
  children+=($!)
done
wait_for 5 test -s "$work/went"
held() { "${inside[@]}" psql "host=$granted port=5432 user=app dbname=postgres gssencmode=disable" -v ON_ERROR_STOP=0 2>&1; }
mkfifo "$work/session"
held <"$work/session" >"$work/held" &
children+=($!)
exec 9>"$work/session"
echo "SELECT 'in it' FROM orders LIMIT 1;" >&9
ok "a session is there" wait_for 5 holds "$work/held" "in it"
old=$(child_of_policyd sql-guard-child)
kill -9 "$old"
killed=$(date +%s%N)
went_again() { [ "$(tail -1 "$work/went")" -gt "$killed" ]; }
ok "in the midst of a load the guard is killed, and clients are served again" wait_for 5 went_again
between=$((($(awk -v killed="$killed" '$1 > killed {print $1; exit}' "$work/went") - killed) / 1000000))
ok "within a second ($between ms)" test "$between" -lt 1000
echo "SELECT 'still in it' FROM orders LIMIT 1;" >&9
ok "its session is broken" wait_for 5 holds "$work/held" "server closed the connection"
exec 9>&-
touch "$work/enough"
wait_for 5 went_again
old=$(child_of_policyd sql-guard-child)
kill -9 "$old"
works_again() { [ "$(select_inside)" = "$items" ]; }
from=$EPOCHREALTIME
ok "killed again, it is started again" wait_for 3 works_again
took=$(((${EPOCHREALTIME/./} - ${from/./}) / 1000))
ok "after a while that grows ($took ms)" test $took -lt 2500
ok "it is another one" test "$(child_of_policyd sql-guard-child)" != "$old"
ok "the log says so" has_record "$log" '.reason == "sql-guard" and .kind == "agent"'
kill -9 "$(child_of_policyd sql-parser-child)"
ok "and a parser" wait_for 3 works_again

guard=$(child_of_policyd sql-guard-child)
before=$(connections)
{ kill -9 "$policyd_pid" && wait "$policyd_pid"; } 2>/dev/null
ok "with policyd the guard ends" wait_for 3 is_gone "$guard"
ok "then nothing gets to the server" not works_again
is "nothing at all" "$(connections)" "$before"
ok "policyd comes back" daemon_start
ok "and with it the way there" wait_for 3 works_again

# ---- without policyd ----

alone() { "${near[@]}" "$agentpol" run -q --standalone --log "$work/alone" -m "$1" ${2:+--tool "$2"} -- "${@:3}" 2>&1 </dev/null; }
is "agentpol run has a guard of its own" "$(alone "$plain" orders psql "host=$granted port=5432 user=app dbname=postgres gssencmode=disable" -Atc 'SELECT item FROM orders ORDER BY id')" "$items"
is "and denies other scopes by itself" "$(alone "$wide" "" python3 "$work/way.py" tcp $granted 5432)" "Operation not permitted"
is "nothing of it is left" "$(pgrep -f "^agentpol-guard .*$work")" ""

"$policyd" --unload --config "$config" 2>/dev/null
done_testing
