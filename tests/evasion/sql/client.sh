#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# psql as the agent's client: client.sh HOST PORT USER DATABASE <statements.txt prints NAME, a tab, "ok" or the SQLSTATE.
set -u
export PGHOST=$1 PGPORT=$2 PGUSER=$3 PGDATABASE=$4 PGCONNECT_TIMEOUT=10
while IFS=$'\t' read -r name text; do
  case $name in '' | '#'*) continue ;; esac
  if out=$(psql -X -q -At -v VERBOSITY=sqlstate -c "$text" 2>&1 </dev/null); then
    printf '%s\tok\n' "$name"
  else
    code=$(sed -nE 's/^(ERROR|FATAL): +([0-9A-Z]{5}).*/\2/p' <<<"$out" | head -n 1)
    printf '%s\t%s\n' "$name" "${code:-lost}"
  fi
done
