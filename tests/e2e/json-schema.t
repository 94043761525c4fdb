#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The JSON-Schema-Test-Suite's required cases of draft-07 (Debian's json-schema-test-suite) and of
# 2020-12 (that of Debian's Test::JSON::Schema::Acceptance, unpacked by tools/deps.sh). What is not
# supported is skipped by name, and must be one of the reasons below. TAP.
set -uo pipefail
build=${BUILD:-build}
runner=$build/tests/tools/schema_suite
cache=${AGENTPOL_TESTS_CACHE:-/var/cache/agentpol-tests}
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
count=0

result() { # NAME STATUS
  count=$((count + 1))
  if [ "$2" -eq 0 ]; then echo "ok $count - $1"; else echo "not ok $count - $1"; fi
}
skip() { # NAME REASON
  count=$((count + 1))
  echo "ok $count - $1 # SKIP $2"
}

# Why a group of cases may be skipped: other documents, custom metaschemas, keywords that nobody knows.
reasons='refers to another document|\$schema: is not supported|is no keyword of JSON Schema'

# Cases with a NUL in a string are not JSON of ours; all others of the file are.
without_nul() { # FILE
  jq 'map(select(tojson | contains("\\u0000") | not))' "$1" >"$folder/suite/$(basename "$1")"
}

suite() { # NAME FOLDER DIALECT LEAST-CASES
  local name=$1 from=$2 dialect=$3 least=$4 file passed odd nul
  if [ ! -d "$from" ]; then
    skip "$name: the suite" "$from is not there; tools/deps.sh fetches it"
    return
  fi
  rm -rf "$folder/suite"
  mkdir "$folder/suite"
  for file in "$from"/*.json; do without_nul "$file"; done
  timeout 120 "$runner" "$dialect" "$folder"/suite/*.json >"$folder/out"
  result "$name: every required case of what is supported" $?
  grep -A1 '^not ok' "$folder/out" | sed 's/^/# /' | head -40
  passed=$(grep '^ok' "$folder/out" | grep -vc '# SKIP')
  nul=$(jq -s 'map(.[] | select(tojson | contains("\\u0000")) | .tests | length) | add // 0' "$from"/*.json)
  echo "# $name: $passed cases; $nul left out, whose strings hold a NUL, which the reader refuses; not supported:"
  sed -n 's/^ok [0-9]* - \(.*\) # SKIP \(.\{0,110\}\).*/#   \1 (\2)/p' "$folder/out"
  [ "$passed" -ge "$least" ]
  result "$name: at least $least cases were judged" $?
  odd=$(grep '# SKIP' "$folder/out" | grep -cvE "$reasons")
  [ "$odd" -eq 0 ]
  result "$name: nothing else is left out" $?
}

suite draft-07 /usr/share/json-schema-test-suite/tests/draft7 'http://json-schema.org/draft-07/schema#' 390
suite 2020-12 "$cache/json-schema-suite/draft2020-12" 'https://json-schema.org/draft/2020-12/schema' 1000
echo "1..$count"
