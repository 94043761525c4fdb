# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # inside, work, red, green and plain are demo.sh's
# The second half of `make demo`, read by demo.sh: an agent with a database, and what its server saw.

database=""
database_end() {
  [ -z "$database" ] || { kill -INT "$database" 2>/dev/null && wait "$database" 2>/dev/null; } || true
}

# A throw-away PostgreSQL on the agent's own loopback, which logs all that reaches it.
database_start() { # bin
  chmod 755 "$work"
  install -d -o postgres -m 755 "$work/pg"
  as_postgres() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
  as_postgres "$1/initdb" -A trust -U postgres --no-sync -D "$work/pg/data" >/dev/null
  nsenter --net="/run/netns/$inside" setpriv --reuid postgres --regid postgres --clear-groups \
    "$1/postgres" -D "$work/pg/data" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$work/pg" \
    -c fsync=off -c log_statement=all -c log_line_prefix='%u ' >"$work/pg.log" 2>&1 &
  database=$!
  for _ in $(seq 200); do
    ! "$1/pg_isready" -q -h "$work/pg" || break
    sleep 0.05
  done
  as_postgres psql -q -h "$work/pg" -c 'CREATE DATABASE shop'
  as_postgres psql -q -h "$work/pg" -d shop -f - <policies/orders-database.sql
}

ask() { # SQL
  printf '\n  %sshop=> %s%s\n' "$bold" "$1" "$plain"
  within "$inside" "$BUILD"/agentpol run --quiet --socket "$work/policyd.sock" \
    -m policies/orders-database.json --tool query_orders -- \
    psql -X -q -h 127.0.0.1 -U orders_bot -d shop -c "$1" 2>&1 |
    sed -e '/^$/d' -e "s/^ERROR:.*/${red}&${plain}/" -e 's/^/  /'
}

bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
if [ ! -x "$bin/postgres" ]; then
  say "The database half is left out: no PostgreSQL here"
  return 0
fi
database_start "$bin"

say "The same agent with a database (policies/orders-database.json)"
sed -n '/"allow"/,/\]$/p' policies/orders-database.json | head -n 3
say "It asks, by psql, under: agentpol run -m policies/orders-database.json --tool query_orders"
ask "SELECT c.name, sum(o.total) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY 1 ORDER BY 2 DESC LIMIT 3"
ask "SELECT name, card FROM customers"
ask "DROP TABLE orders"
ask "SELECT 1; DROP TABLE orders"
ask "SELECT o.purge FROM orders o"
ask "SELECT pg_read_file('/etc/passwd')"

say "What reached the server of the agent's statements, from its own log"
sed -nE 's/^orders_bot LOG: +(statement|execute [^:]*): (SELECT c.name.*|.*(card|DROP|purge|pg_read_file).*)/\2/p' "$work/pg.log" >"$work/reached"
sed 's/^/  /' "$work/reached"
if grep -qE 'card|DROP|purge|pg_read' "$work/reached"; then
  echo "  ${red}a statement got through: enforcement failed${plain}"
  exit 1
fi
echo "  ${green}nothing that was denied${plain}"
