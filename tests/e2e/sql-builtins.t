#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The table of PostgreSQL's own functions, operators and types is what its tool makes of a server's
# catalog today: a rule that was changed, or a newer minor version, shows here.
set -u
cd "$(dirname "$0")/../.." || exit 1
bin=${PG15_BIN:-/usr/lib/postgresql/15/bin}
what="user/sql/builtins_table.c is what tools/gen-sql-builtins.py makes"

echo "1..1"
if [ ! -x "$bin/initdb" ]; then
  echo "ok 1 - $what # SKIP PostgreSQL 15 is not installed ($bin)"
elif difference=$(diff -u user/sql/builtins_table.c <(tools/gen-sql-builtins.py 2>&1)); then
  echo "ok 1 - $what"
else
  echo "not ok 1 - $what"
  sed 's/^/# /' <<<"$difference" | head -50
fi
