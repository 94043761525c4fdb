# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A PostgreSQL of the test's own, which logs each statement that reaches it. Source it after lib.sh
# and world_up; a server is ended with the test, as its processes are children of it.

pg_bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
pg_folder="" pg_port=""

pg_there() { [ -x "$pg_bin/postgres" ] && id -u postgres >/dev/null 2>&1; }
as_postgres() { setpriv --reuid postgres --regid postgres --clear-groups env PATH="$pg_bin:$PATH" PGOPTIONS= "$@"; }

# Starts one on PORT, inside what the command words AROUND make (a network namespace), listening on
# ADDRESSES besides the socket in $pg_folder. False where it does not come up.
pg_up() { # FOLDER PORT ADDRESSES SETTING... [-- AROUND...]
  pg_folder=$1 pg_port=$2
  local addresses=$3 options=()
  shift 3
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    options+=(-c "$1")
    shift
  done
  [ $# -eq 0 ] || shift
  install -d -o postgres -m 755 "$pg_folder" "$pg_folder/run"
  as_postgres initdb -A trust -U postgres --no-sync -D "$pg_folder/data" >"$pg_folder/initdb.log" 2>&1 || return 1
  echo "host all all 0.0.0.0/0 ${pg_auth:-trust}
host all all ::/0 ${pg_auth:-trust}" >>"$pg_folder/data/pg_hba.conf"
  "$@" setpriv --reuid postgres --regid postgres --clear-groups "$pg_bin/postgres" -D "$pg_folder/data" \
    -c listen_addresses="$addresses" -c port="$pg_port" -c unix_socket_directories="$pg_folder/run" \
    -c fsync=off -c log_statement=all -c log_min_messages=warning -c log_min_error_statement=error \
    "${options[@]}" >>"$pg_folder/log" 2>&1 &
  children+=($!)
  wait_for 20 pg_ready
}
pg_ready() { quietly as_postgres pg_isready -h "$pg_folder/run" -p "$pg_port"; }
# As the superuser, through the socket: what is set up and what is looked at.
pg_sql() { as_postgres psql -X -q -At -v ON_ERROR_STOP=1 -h "$pg_folder/run" -p "$pg_port" "$@"; } # PSQL-ARGUMENT...
# The shop of policies/, twice: one to change, one to make it anew from.
pg_shop() {
  pg_sql -c "CREATE DATABASE pristine" && pg_sql -d pristine -f - <policies/orders-database.sql >/dev/null &&
    pg_sql -c "ALTER ROLE orders_bot SUPERUSER" && pg_shop_again
}
pg_shop_again() {
  pg_sql -c "SET client_min_messages = error" -c "DROP DATABASE IF EXISTS shop WITH (FORCE)" -c "CREATE DATABASE shop TEMPLATE pristine"
}
# All that is in the database, in one word.
pg_digest() { as_postgres pg_dump -h "$pg_folder/run" -p "$pg_port" --inserts shop | grep -v '^--\|^.\(un\)\?restrict ' | sha256sum; }
