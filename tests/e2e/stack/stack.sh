#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# PostgreSQL, a Node program and nginx on loopback, and then what each of them, and a shell beside
# them, can get to an address outside. One line of result each: WAY WORDS.
#
#   stack.sh FOLDER POSTGRES-BIN PROBER ADDRESS PORT TOKEN-START
set -u
folder=$1 postgres=$2 prober=$3 address=$4 port=$5 token=$6
here=${0%/*}
export HOME=$folder PATH=$postgres:/usr/sbin:/sbin:$PATH

until_it() { # COMMAND...; false after 20 s
  local end=$((SECONDS + 20))
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -le "$end" ] || return 1
    sleep 0.05
  done
}
sql() { psql -h 127.0.0.1 -p 5433 -U app -d postgres -v ON_ERROR_STOP=1 -Atc "$1" 2>&1; }
get() { curl -sS --noproxy '*' --max-time 5 "http://127.0.0.1:8080$1" "${@:2}" 2>&1; } # PATH OPTION...

# ---- up ----

initdb -D "$folder/data" -U app --auth=trust --no-sync >"$folder/initdb.log" 2>&1 || {
  echo "initdb $(tail -1 "$folder/initdb.log")"
  exit 1
}
postgres -D "$folder/data" -c listen_addresses=127.0.0.1 -c port=5433 -c fsync=off \
  -c unix_socket_directories="$folder" >"$folder/postgres.log" 2>&1 &
until_it pg_isready -h 127.0.0.1 -p 5433 || echo "postgres $(tail -1 "$folder/postgres.log")"
sql "CREATE TABLE orders AS SELECT id, 'item ' || id AS item FROM generate_series(1, 3) id" >/dev/null
node "$here/app.js" 8081 5433 >"$folder/node.log" 2>&1 &
sed "s|@FOLDER@|$folder|; s|@OUTSIDE@|$address:$port|" "$here/nginx.conf" >"$folder/nginx.conf"
nginx -c "$folder/nginx.conf" -e "$folder/nginx.log" 2>>"$folder/nginx.out" &
until_it curl -fsS --noproxy '*' --max-time 5 http://127.0.0.1:8080/orders ||
  echo "nginx $(tail -1 "$folder/nginx.log" "$folder/node.log")"
echo "version $(sql 'SHOW server_version')"
echo "orders $(get /orders)"

# ---- out ----

for way in tcp udp-sendto ping-socket; do
  echo "shell-$way $("$prober" $way "$address" "$port" "$token.$way" 2>&1 | tail -1)"
done
echo "node-tcp $(get "/connect?address=$address&port=$port&token=$token.node")"
echo "node-dns $(get "/ask?address=$address&name=$token.example.com")"
echo "nginx-proxy $(get "/out/$token.nginx" -o /dev/null -w '%{http_code}')"
echo "database-program $(sql "COPY orders TO PROGRAM '$prober tcp $address $port $token.database'" | head -1)"
# Ended here, so that this also works without a cgroup that ends them.
# shellcheck disable=SC2046
kill $(jobs -p)
wait
